"""What the tests of the espalier program share: running it, files for it to read, what errors look like."""

import base64
import json
import os
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
PROGRAM = ""
EXAMPLES = ""

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 12},
        "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "tags": {"type": "array", "items": {"enum": ["a", "b"]}, "maxItems": 3},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
}


def byte_tokens(*more):
    return [chr(byte) for byte in range(256)] + list(more)


class CommandLineTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name, content=None):
        path = os.path.join(self.folder, name)
        if content is not None:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if isinstance(content, bytes):
                with open(path, "wb") as file:
                    file.write(content)
            else:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def table_model(self, tokens, eos, contexts, name="table.json"):
        path = self.path(name, {"tokens": tokens, "eos": eos, "contexts": contexts})
        return "table:" + path

    def byte_vocabulary(self, *more):
        tokens = byte_tokens(*more) + ["<end>"]
        eos = len(tokens) - 1
        return self.table_model(tokens, eos, {"": [0.0] * len(tokens)}, "bytes.json"), eos

    def run_program(self, *arguments, stdin=None):
        return subprocess.run(
            [PROGRAM, *arguments], input=stdin, capture_output=True, text=True, timeout=120
        )

    def succeed(self, *arguments, code=0, stdin=None):
        run = self.run_program(*arguments, stdin=stdin)
        self.assertEqual(run.returncode, code, (arguments, run.stdout, run.stderr))
        return run

    def json_of(self, *arguments, code=0, stdin=None):
        return json.loads(self.succeed(*arguments, code=code, stdin=stdin).stdout)

    def assert_error(self, *arguments, place=None, says=None):
        """Exit code 2, one line on stderr that names the place, nothing on stdout."""
        run = self.succeed(*arguments, code=2)
        self.assertEqual(run.stdout, "", arguments)
        self.assertRegex(run.stderr, r"\Aespalier: [^\n]+\n\Z")
        if place is not None:
            self.assertTrue(run.stderr.startswith("espalier: " + place), run.stderr)
        if says is not None:
            self.assertIn(says, run.stderr)
        return run

    def maskbench_folder(self):
        for i in range(12):
            self.path(f"mb/Split{i % 2}---{i}.json", {
                "description": "", "meta": {}, "schema": PERSON,
                "tests": [
                    {"description": "", "valid": True, "data": {"name": f"Name{i}", "age": i}},
                    {"description": "", "valid": False, "data": {"name": "N", "age": i}},
                ],
            })
        return self.path("mb")

    def tiktoken(self, lines=None):
        if lines is None:
            lines = [base64.b64encode(bytes([byte])) + b" %d" % byte for byte in range(256)]
        return self.path("v.tiktoken", b"\n".join(lines) + b"\n")


def main():
    """Runs the tests of the script that was started with PROGRAM EXAMPLES_DIR [unittest arguments]."""
    global PROGRAM, EXAMPLES
    PROGRAM = os.path.abspath(sys.argv[1])
    EXAMPLES = sys.argv[2]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
