#!/usr/bin/python3
"""The forms of `espalier` that scripts rely on: help, validate, coverage and mask.

    cli_test.py PROGRAM EXAMPLES_DIR [unittest arguments]
"""

import cli_support
from cli_support import CommandLineTest, PERSON


class CommandLineFormsTest(CommandLineTest):
    def test_help_has_examples_for_every_command(self):
        top = self.succeed("--help").stdout
        for command in ("generate", "validate", "mask", "train", "bench", "demo", "test"):
            self.assertIn(command, top)
            text = self.succeed(command, "--help").stdout
            self.assertIn("Examples:", text)
            self.assertIn("espalier " + command, text)
        self.assertRegex(self.succeed("--version").stdout, r"^espalier \d+\.\d+\.\d+\n$")

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


if __name__ == "__main__":
    cli_support.main()
