#!/usr/bin/python3
"""Bad input is an error that names the place, with exit code 2 and nothing on stdout.

    cli_bad_input_test.py PROGRAM EXAMPLES_DIR [unittest arguments]
"""

import base64

import cli_support
from cli_support import CommandLineTest


class BadInputTest(CommandLineTest):
    def test_bad_command_lines(self):
        schema = self.path("s.json", {})
        self.assert_error()
        self.assert_error("frobnicate", says="frobnicate")
        self.assert_error("generate", says="--schema")
        self.assert_error("generate", "--schema", schema, "--frob", says="--frob")
        self.assert_error("generate", "--schema", schema, "--seed", "x", says="--seed")
        self.assert_error("generate", "--schema", schema, "--max-tokens", "-1", says="--max-tokens")
        self.assert_error("generate", "--schema", schema, "--temperature", "-1")
        self.assert_error("generate", "--schema", schema, "--profile", "loose", says="--profile")
        self.assert_error("generate", "--schema", schema, "--samples", "2", says="--data")
        self.assert_error("generate", "--schema", schema, "--vocabulary", "builtin", place="--vocabulary")
        self.assert_error("validate", "--schema", schema, says="--instance")
        self.assert_error("mask", "--schema", schema, "--prefix", "", says="--vocabulary")
        self.assert_error("bench", says="--data")
        self.assert_error("train", says="--data")

    def test_bad_schemas(self):
        vocabulary, _ = self.byte_vocabulary()
        bad = {
            "not JSON": ('{"type": }', ":1:"),
            "empty": ("", ""),
            "trailing": ("{} {}", ":1:"),
            "duplicate key": ('{"type": "string", "type": "number"}', ""),
            "not a schema": ("[1]", ""),
            "wrong keyword type": ('{"properties": {"a": {"minLength": "x"}}}', "#/properties/a"),
            "unresolvable": ('{"items": {"$ref": "#/$defs/none"}}', "#/items"),
            "invalid regex": ('{"items": {"pattern": "(a"}}', "#/items"),
            "too deep": ('{"not": ' * 600 + "{}" + "}" * 600, ""),
        }
        for name, (text, place) in bad.items():
            with self.subTest(name):
                schema = self.path("bad.json", text)
                where = schema + place
                self.assert_error("generate", "--schema", schema, place=where)
                self.assert_error("generate", "--schema", schema, "--json", place=where)
                instance = self.path("i.json", "1")
                self.assert_error("validate", "--schema", schema, "--instance", instance, place=where)
                self.assert_error(
                    "mask", "--schema", schema, "--prefix", "", "--vocabulary", vocabulary, "--json",
                    place=where,
                )

    def test_schema_limits(self):
        schema = self.path("s.json", {"description": "x" * 2000})
        instance = self.path("i.json", "1")
        validate = ("validate", "--schema", schema, "--instance", instance)
        self.succeed(*validate)
        self.assert_error(*validate, "--max-schema-bytes", "1000", place=schema)
        self.path("s.json", '{"not": ' * 20 + "{}" + "}" * 20)
        self.succeed(*validate)
        self.assert_error(*validate, "--max-schema-depth", "10", place=schema)

    def test_missing_files(self):
        schema = self.path("s.json", {})
        none = self.path("none.json")
        self.assert_error("generate", "--schema", none, place=none)
        self.assert_error("generate", "--schema", self.folder, place=self.folder)
        self.assert_error("generate", "--data", none, place=none)
        self.assert_error("generate", "--data", self.path("mt/x.txt", "").rsplit("/", 1)[0])
        self.assert_error("generate", "--schema", schema, "--model", none, place=none)
        self.assert_error("generate", "--schema", schema, "--model", "table:" + none)
        self.assert_error("validate", "--schema", schema, "--instance", none, place=none)
        self.assert_error(
            "mask", "--schema", schema, "--prefix", "", "--vocabulary", none, place=none
        )
        self.assert_error("bench", "--data", none, "--vocabulary", none)
        self.assert_error("train", "--data", none, "--output", self.path("m.esp"))

    def test_bad_vocabularies(self):
        schema = self.path("s.json", {})
        mask = ("mask", "--schema", schema, "--prefix", "", "--json", "--vocabulary")
        good = [base64.b64encode(bytes([byte])) + b" %d" % byte for byte in range(256)]
        self.succeed(*mask, self.tiktoken(), "--eos", "256")
        self.assert_error(*mask, self.tiktoken(), says="end-of-sequence")
        self.assert_error(*mask, self.tiktoken(good[:7] + [b"cXE"]), "--eos", "300",
                          place=self.path("v.tiktoken"))
        self.assert_error(*mask, self.tiktoken(good + [b"enp6 7"]), "--eos", "300",
                          place=self.path("v.tiktoken"))
        self.assert_error(*mask, self.path("v.gguf", b"GGUF\x03\x00\x00\x00\x01\x00"),
                          place=self.path("v.gguf"))
        self.assert_error(*mask, self.path("tokenizer.json", '{"model": {"type": "BPE", "vocab": {"a":'),
                          place=self.path("tokenizer.json"))
        self.assert_error(*mask, self.path("empty", b""), place=self.path("empty"))
        self.assert_error(*mask, self.tiktoken(), "--special", "name", place="--special")

    def test_bad_table_models(self):
        schema = self.path("s.json", {})
        bad = {
            "not JSON": "{",
            "no tokens": '{"eos": 0, "contexts": {"": [0]}}',
            "eos out of range": '{"tokens": ["a"], "eos": 4, "contexts": {"": [0]}}',
            "short row": '{"tokens": ["a", ""], "eos": 1, "contexts": {"": [0]}}',
            "code point above 255": '{"tokens": ["\u0100", ""], "eos": 1, "contexts": {"": [0, 0]}}',
            "bad context": '{"tokens": ["a", ""], "eos": 1, "contexts": {"x": [0, 0]}}',
        }
        for name, text in bad.items():
            with self.subTest(name):
                path = self.path("table.json", text)
                self.assert_error(
                    "generate", "--schema", schema, "--model", "table:" + path, says=path
                )


if __name__ == "__main__":
    cli_support.main()
