#!/usr/bin/python3
"""The forms of `espalier generate` that scripts rely on, and what it draws from.

    cli_generate_test.py PROGRAM EXAMPLES_DIR [unittest arguments]
"""

import json

import cli_support
from cli_support import CommandLineTest, PERSON, byte_tokens


class GenerateTest(CommandLineTest):
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


if __name__ == "__main__":
    cli_support.main()
