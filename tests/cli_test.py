#!/usr/bin/python3
"""Tests of the espalier program: the forms that scripts rely on, exit codes, and bad input.

    cli_test.py PROGRAM EXAMPLES_DIR [unittest arguments]
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

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

    # Help and the command line itself.

    def test_help_has_examples_for_every_command(self):
        top = self.succeed("--help").stdout
        for command in ("generate", "validate", "mask", "train", "bench", "demo", "test"):
            self.assertIn(command, top)
            text = self.succeed(command, "--help").stdout
            self.assertIn("Examples:", text)
            self.assertIn("espalier " + command, text)
        self.assertRegex(self.succeed("--version").stdout, r"^espalier \d+\.\d+\.\d+\n$")

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

    # generate

    def test_generate_streams_text(self):
        schema = self.path("s.json", PERSON)
        value = json.loads(self.succeed("generate", "--schema", schema).stdout)
        self.assertLessEqual(set(value), {"name", "age", "tags"})
        self.assertGreaterEqual(set(value), {"name", "age"})
        self.assertTrue(0 <= value["age"] <= 150)

    def test_generate_json(self):
        schema = self.path("s.json", PERSON)
        result = self.json_of("generate", "--schema", schema, "--json", "--seed", "5")
        self.assertEqual(
            set(result), {"text", "tokens", "finish_reason", "model_calls", "valid"}
        )
        self.assertEqual(result["finish_reason"], "complete")
        self.assertIs(result["valid"], True)
        self.assertGreater(result["model_calls"], 0)
        self.assertLessEqual(result["model_calls"], len(result["tokens"]) + 1)
        self.assertGreaterEqual(set(json.loads(result["text"])), {"name", "age"})
        again = self.json_of("generate", "--schema", schema, "--json", "--seed", "5")
        self.assertEqual(result, again)
        texts = {
            self.json_of("generate", "--schema", schema, "--json", "--seed", str(seed))["text"]
            for seed in range(5)
        }
        self.assertGreater(len(texts), 1)

    def test_generate_uniform_calls_no_model(self):
        schema = self.path("s.json", PERSON)
        result = self.json_of("generate", "--schema", schema, "--uniform", "--json")
        self.assertEqual(result["model_calls"], 0)
        self.assertIs(result["valid"], True)
        vocabulary, _ = self.byte_vocabulary()
        result = self.json_of(
            "generate", "--schema", schema, "--uniform", "--vocabulary", vocabulary, "--json"
        )
        self.assertEqual(bytes(result["tokens"]).decode(), result["text"])
        self.assertIs(result["valid"], True)

    def test_generate_closes_within_the_budget(self):
        schema = self.path("s.json", PERSON)
        vocabulary, _ = self.byte_vocabulary()
        for seed in range(5):
            result = self.json_of(
                "generate", "--schema", schema, "--uniform", "--vocabulary", vocabulary,
                "--max-tokens", "25", "--seed", str(seed), "--json",
            )
            self.assertEqual(result["finish_reason"], "complete", result)
            self.assertIs(result["valid"], True)
            self.assertLessEqual(len(result["tokens"]), 25)
        for json_flag in ([], ["--json"]):
            run = self.run_program(
                "generate", "--schema", schema, "--uniform", "--vocabulary", vocabulary,
                "--max-tokens", "3", *json_flag,
            )
            if json_flag:
                self.assertEqual(run.returncode, 0)
                result = json.loads(run.stdout)
                self.assertEqual(result["finish_reason"], "budget")
                self.assertIs(result["valid"], False)
            else:
                self.assertEqual(run.returncode, 1)
                self.assertIn("budget", run.stderr)

    def test_generate_unsatisfiable(self):
        schema = self.path("s.json", {"type": "string", "minLength": 3, "maxLength": 2})
        result = self.json_of("generate", "--schema", schema, "--json")
        self.assertEqual(result["finish_reason"], "unsatisfiable")
        self.assertEqual(result["text"], "")
        self.assertEqual(result["tokens"], [])
        self.assertIs(result["valid"], False)
        run = self.succeed("generate", "--schema", schema, code=1)
        self.assertEqual(run.stdout, "")
        self.assertIn("unsatisfiable", run.stderr)

    def test_generate_with_a_table_model(self):
        tokens = byte_tokens("true", "false", "null", "<end>")
        end = len(tokens) - 1
        start = [None] * len(tokens)
        start[tokens.index("true")] = 0.0
        start[tokens.index("false")] = 5.0
        start[tokens.index("null")] = 9.0
        after = [None] * len(tokens)
        after[end] = 0.0
        contexts = {"": start}
        for token in ("true", "false", "null"):
            contexts[str(tokens.index(token))] = after
        model = self.table_model(tokens, end, contexts)
        schema = self.path("s.json", {"type": "boolean"})
        result = self.json_of(
            "generate", "--schema", schema, "--model", model, "--temperature", "0", "--json"
        )
        self.assertEqual(result["text"], "false")
        self.assertEqual(result["tokens"], [tokens.index("false")])
        self.assertIs(result["valid"], True)

    def test_generate_over_a_folder(self):
        self.path("data/good.json", PERSON)
        self.path("data/maskbench.json", {
            "description": "", "meta": {}, "tests": [],
            "schema": {"const": 1.50},
        })
        self.path("data/broken.json", "{")
        self.path("data/nested/unsatisfiable.json", "false")
        self.path("data/notes.txt", "not a schema")
        run = self.succeed("generate", "--data", self.path("data"), "--samples", "2")
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual(
            [(line["file"], line.get("sample")) for line in lines],
            [("broken.json", None), ("good.json", 0), ("good.json", 1), ("maskbench.json", 0),
             ("maskbench.json", 1), ("nested/unsatisfiable.json", 0),
             ("nested/unsatisfiable.json", 1)],
        )
        self.assertEqual(set(lines[0]), {"file", "error"})
        self.assertIn("1 of 4 schemas", run.stderr)
        for line in lines[1:5]:
            self.assertEqual(
                set(line),
                {"file", "sample", "text", "tokens", "finish_reason", "model_calls", "valid"},
            )
            self.assertEqual(line["finish_reason"], "complete")
            self.assertIs(line["valid"], True)
        self.assertEqual(json.loads(lines[3]["text"]), 1.5)
        for line in lines[5:]:
            self.assertEqual(line["finish_reason"], "unsatisfiable")
        single = self.json_of(
            "generate", "--schema", self.path("data/good.json"), "--seed", "1", "--json"
        )
        self.assertEqual(single["text"], lines[2]["text"])

    # validate

    def test_validate(self):
        schema = self.path("s.json", PERSON)
        good = self.path("good.json", '\n {"age": 1.5e1, "n\\u0061me": "Ada"}\n')
        self.assertIn("valid", self.succeed("validate", "--schema", schema, "--instance", good).stdout)
        self.assertEqual(
            self.json_of("validate", "--schema", schema, "--instance", good, "--json"),
            {"valid": True},
        )
        bad = self.path("bad.json", '{"name": "Ada",\n "age": 151}')
        result = self.json_of("validate", "--schema", schema, "--instance", bad, "--json", code=1)
        self.assertIs(result["valid"], False)
        self.assertEqual(result["instance_path"], "/age")
        self.assertTrue(result["keyword"])
        self.assertEqual(result["schema_pointer"], "/properties/age")
        self.assertEqual(result["line"], 2)
        self.assertTrue(result["reason"])
        text = self.succeed("validate", "--schema", schema, "--instance", bad, code=1).stdout
        self.assertRegex(text, r":2:\d+: invalid: .*/age")

    def test_validate_what_is_not_json(self):
        schema = self.path("s.json", {})
        for text in ("", "{", '{"a": }', "01", '"\\x"', "[1,]", "nul", "1 2", '"\x01"'):
            instance = self.path("i.json", text)
            result = self.json_of(
                "validate", "--schema", schema, "--instance", instance, "--json", code=1
            )
            self.assertIs(result["valid"], False)
            self.assertLessEqual(result["offset"], len(text.encode()))
        result = self.json_of(
            "validate", "--schema", schema, "--instance", self.path("i.json", b'"\xff"'), "--json",
            code=1,
        )
        self.assertEqual(result["offset"], 1)

    def test_generate_spelling(self):
        schema = self.path("s.json", {"properties": {"a": {"const": "x"}, "b": {"const": [[], None]}},
                                      "type": "object"})
        generate = ("generate", "--seed", "3", "--schema", schema, "--strict")
        for flags, text in (
            (("--whitespace", "none"), '{"a":"x","b":[[],null]}'),
            (("--item-separator", ", ", "--key-separator", ": "), '{"a": "x", "b": [[], null]}'),
            (("--whitespace", "none", "--property-order", "b,a"), '{"b":[[],null],"a":"x"}'),
        ):
            self.assertEqual(self.succeed(*generate, *flags).stdout, text + "\n")
        self.assert_error(*generate, "--key-separator", "=", says="A key separator is a colon")

    def test_other_constraints(self):
        choices = ("--choice", "yes", "--choice", "no")
        self.assertIn(self.succeed("generate", *choices).stdout, ("yes\n", "no\n"))
        mask = self.json_of("mask", *choices, "--prefix", "y", "--vocabulary", "builtin", "--json")
        self.assertEqual(mask["forced"], "es")
        self.assertIsInstance(json.loads(self.succeed("generate", "--json-object").stdout), dict)
        form = {"type": "json_schema", "json_schema": {"name": "n", "strict": True, "schema": {
            "type": "object", "properties": {"ok": {"type": "boolean"}}}}}
        path = self.path("format.json", form)
        for command in (("generate",), ("sample", "--method", "local")):
            text = self.succeed(*command, "--response-format", path).stdout.split("\t")[-1]
            self.assertEqual(list(json.loads(text)), ["ok"])
        self.succeed("generate", "--json-object", *choices, code=2)
        self.succeed("mask", "--prefix", "", "--vocabulary", "builtin", code=2)

    def test_validate_end_of_text(self):
        schema = self.path("s.json", {"minimum": 100})
        instance = self.path("i.json", "12")
        result = self.json_of(
            "validate", "--schema", schema, "--instance", instance, "--json", code=1
        )
        self.assertEqual((result["offset"], result["keyword"]), (2, "minimum"))

    def test_validate_profiles_and_formats(self):
        schema = self.path("s.json", {"type": "string", "format": "date"})
        date = self.path("date.json", '"2024-02-29"\n')
        other = self.path("other.json", '"2023-02-29"\n')
        validate = ("validate", "--schema", schema, "--instance")
        self.succeed(*validate, date)
        self.succeed(*validate, date, "--profile", "generation")
        self.succeed(*validate, other, code=1)
        self.succeed(*validate, other, "--formats", "annotate")
        embedded = self.path("content.json", {"contentMediaType": "application/json"})
        broken = self.path("broken.json", '"[1, }"')
        content = ("validate", "--schema", embedded, "--instance", broken)
        self.succeed(*content)
        result = self.json_of(*content, "--content", "assert", "--json", code=1)
        self.assertEqual((result["offset"], result["keyword"]), (5, "contentMediaType"))
        spaced = self.path("spaced.json", '   "2024-02-29"   ')
        self.succeed(*validate, spaced)
        escaped = self.path("escaped.json", '"\\u0032024-02-29"')
        self.succeed(*validate, escaped)
        self.succeed(*validate, escaped, "--profile", "generation", code=1)

    def test_validate_remote_reference(self):
        schema = self.path("s.json", {"$ref": "https://example.org/remote/number.json"})
        instance = self.path("i.json", "7")
        self.assert_error("validate", "--schema", schema, "--instance", instance, place=schema)
        self.path("dir/number.json", {
            "$id": "https://example.org/remote/number.json", "type": "integer", "maximum": 7,
        })
        validate = ("validate", "--schema", schema, "--schema-dir", self.path("dir"), "--instance")
        self.succeed(*validate, instance)
        self.succeed(*validate, self.path("i.json", "8"), code=1)

    def test_validate_reads_standard_input(self):
        schema = self.path("s.json", {"type": "integer"})
        self.succeed("validate", "--schema", schema, "--instance", "-", stdin="3")
        self.succeed("validate", "--schema", schema, "--instance", "-", stdin="3.5", code=1)

    # mask

    def test_coverage(self):
        schema = self.path(
            "s.json",
            {"title": "t", "properties": {"a": {"pattern": "^(.)\\1$"}, "b": {"type": "null", "enum": [1]}}},
        )
        result = self.json_of("coverage", schema, "--json")
        statuses = {one["pointer"]: one["status"] for one in result["keywords"]}
        self.assertEqual(statuses["/title"], "annotation")
        self.assertEqual(statuses["/properties"], "enforced")
        self.assertEqual(statuses["/properties/a/pattern"], "predicate")
        self.assertEqual(result["counts"]["predicate"], 1)
        self.assertEqual(result["unsatisfiable"], ["/properties/b"])
        self.assertIs(result["satisfiable"], True)
        self.assertIn("no instance satisfies /properties/b", self.succeed("coverage", schema).stdout)
        refused = self.path("r.json", {"pattern": "(?i:a)(b)\\1"})
        result = self.json_of("coverage", refused, "--json", code=1)
        self.assertEqual(result["keywords"][0]["status"], "refused")
        self.assertTrue(result["keywords"][0]["reason"])

    def test_mask(self):
        schema = self.path("s.json", {"enum": ["red", "reed", 12]})
        vocabulary, end = self.byte_vocabulary('"re', 'd"', "zz")
        mask = ("mask", "--schema", schema, "--vocabulary", vocabulary, "--profile", "generation", "--json")
        result = self.json_of(*mask, "--prefix", "")
        self.assertEqual(set(result), {"allowed", "accepting", "forced"})
        self.assertLessEqual({ord('"'), ord("1"), 256}, set(result["allowed"]))
        self.assertIs(result["accepting"], False)
        self.assertNotIn(end, result["allowed"])
        self.assertNotIn(258, result["allowed"])
        result = self.json_of(*mask, "--prefix", '"re')
        self.assertEqual(set(result["allowed"]), {ord("d"), ord("e"), 257})
        result = self.json_of(*mask, "--prefix", '"ree')
        self.assertEqual(result["forced"], 'd"')
        result = self.json_of(*mask, "--prefix", "12")
        self.assertIs(result["accepting"], True)
        self.assertIn(end, result["allowed"])

    def test_mask_prints_lines(self):
        schema = self.path("s.json", {"const": True})
        vocabulary, _ = self.byte_vocabulary("true")
        run = self.succeed(
            "mask", "--schema", schema, "--vocabulary", vocabulary, "--prefix", "t"
        )
        self.assertEqual(run.stdout, f'{ord("r")}\t"r"\n')

    def test_mask_after_a_dead_prefix(self):
        schema = self.path("s.json", PERSON)
        vocabulary, _ = self.byte_vocabulary()
        mask = ("mask", "--schema", schema, "--vocabulary", vocabulary, "--prefix", '{"nope"')
        run = self.succeed(*mask, code=1)
        self.assertEqual(run.stdout, "")
        self.assertRegex(run.stderr, r"\Aespalier: --prefix:1:\d+: [^\n]+\n\Z")
        result = self.json_of(*mask, "--json", code=1)
        self.assertEqual((result["allowed"], result["accepting"]), ([], False))
        self.assertTrue(result["dead"]["reason"])

    # train, bench, demo, test

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

    def test_train_and_use_a_model(self):
        data = self.maskbench_folder()
        model = self.path("model.esp")
        train = ("train", "--data", data, "--half", "all", "--vocabulary-size", "300", "--json")
        report = self.json_of(*train, "--output", model)
        self.assertEqual(report["files"], 12)
        self.assertEqual(report["documents"], 12)
        self.assertEqual(report["file_bytes"], os.path.getsize(model))
        self.json_of(*train, "--output", self.path("again.esp"))
        with open(model, "rb") as first, open(self.path("again.esp"), "rb") as second:
            content = first.read()
            self.assertEqual(content, second.read())
        schema = self.path("s.json", PERSON)
        result = self.json_of("generate", "--schema", schema, "--model", model, "--json")
        self.assertIs(result["valid"], True)
        score = self.json_of("train", "--data", data, "--half", "all", "--evaluate", model, "--json")
        self.assertGreater(score["perplexity"], 1)

        newer = bytearray(content)
        newer[8] += 1
        self.assert_error(
            "generate", "--schema", schema, "--model", self.path("newer.esp", bytes(newer)),
            place=self.path("newer.esp"), says="version",
        )
        self.assert_error(
            "generate", "--schema", schema, "--model",
            self.path("short.esp", content[: len(content) // 2]), place=self.path("short.esp"),
        )

    def test_bench(self):
        data = self.maskbench_folder()
        output = self.path("results.jsonl")
        bench = ("bench", "--data", data, "--vocabulary", self.tiktoken(), "--eos", "256",
                 "--pretokenizer", "gpt2")
        result = self.json_of(*bench, "--output", output, "--threads", "2", "--json")
        self.assertEqual((result["files"], result["passing"]), (12, 12))
        for key in ("compile_error", "validation_error", "invalidation_error", "crash", "timeout"):
            self.assertEqual(result[key], 0)
        self.assertGreater(result["tokens"], 0)
        for key in ("tbm_us", "ttfm_us"):
            self.assertLessEqual(
                {"mean", "p25", "p50", "p75", "p90", "p95", "p99", "p999", "max"},
                set(result[key]),
            )
        self.assertIn("compile_us", result)
        self.assertEqual(set(result["splits"]), {"Split0", "Split1"})
        with open(output, encoding="utf-8") as file:
            self.assertEqual(len([json.loads(line) for line in file]), 12)
        self.assertIn("Split0", self.succeed(*bench).stdout)
        merged = self.json_of("bench", "--merge", output, "--json")
        self.assertEqual(merged["passing"], 12)
        self.assertEqual(self.json_of(*bench, "--cold", "--json")["passing"], 12)

    def test_bench_scaling(self):
        run = self.succeed("bench", "--data", self.maskbench_folder(), "--vocabulary",
                           self.tiktoken(), "--eos", "256", "--pretokenizer", "gpt2", "--threads",
                           "2", "--scaling", "--json")
        files, batch, memory = [json.loads(line) for line in run.stdout.splitlines()]
        self.assertEqual([row[0] for row in files["rows"]], ["1", "2"])
        self.assertEqual({row[3] for row in files["rows"]}, {"12"})
        self.assertEqual([row[0] for row in batch["rows"]], ["1", "2"])
        self.assertGreater(float(memory["rows"][-1][1]), 0)

    def test_bench_check(self):
        if shutil.which("valgrind"):
            self.assert_error("bench", "--check", "--baseline", self.path("absent.json"),
                              says="absent.json")
        self.succeed("bench", "--workload", "compile-small")
        self.assert_error("bench", "--workload", "leisure", says="leisure")

    def test_demo(self):
        run = self.succeed("demo")
        names = [name for name in os.listdir(EXAMPLES) if name.endswith(".schema.json")]
        self.assertGreaterEqual(len(names), 5)
        for name in names:
            self.assertIn(name, run.stdout)
        self.assertIn(f"{len(names)} valid, 0 not valid", run.stdout)
        lines = [json.loads(line) for line in self.succeed("demo", "--json").stdout.splitlines()]
        self.assertEqual(sorted(line["schema"] for line in lines), sorted(names))
        for line in lines:
            self.assertIs(line["valid"], True)
            json.loads(line["text"])

    def test_test_needs_a_build_with_tests(self):
        self.assert_error("test", "--build-dir", self.folder, place=self.folder)

    # Bad input.

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

    def tiktoken(self, lines=None):
        if lines is None:
            lines = [base64.b64encode(bytes([byte])) + b" %d" % byte for byte in range(256)]
        return self.path("v.tiktoken", b"\n".join(lines) + b"\n")

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
    PROGRAM = os.path.abspath(sys.argv[1])
    EXAMPLES = sys.argv[2]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
