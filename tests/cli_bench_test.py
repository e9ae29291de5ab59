#!/usr/bin/python3
"""Training a model and running the benchmark, the demo and the tests from the command line.

    cli_bench_test.py PROGRAM EXAMPLES_DIR [unittest arguments]
"""

import json
import os
import shutil

import cli_support
from cli_support import CommandLineTest, PERSON


class BenchTest(CommandLineTest):
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

    def test_bench_says_how_refused_values_are_spelled(self):
        self.path("mb/Split0---0.json", {
            "description": "", "meta": {}, "schema": PERSON,
            "tests": [{"description": "", "valid": True, "data": data} for data in (
                {"name": "Ada", "age": 36}, {"age": 36, "name": "Ada"}, {"age": 3e100, "name": "Ada"},
                {"age": 5e-324, "name": "Ada"}, {"name": "Ada", "age": 36, "tags": ["a"]})],
        })
        bench = ("bench", "--data", self.path("mb"), "--vocabulary", self.tiktoken(), "--eos", "256",
                 "--pretokenizer", "gpt2", "--profile", "generation")
        result = self.json_of(*bench, "--json")
        self.assertEqual((result["valid_refused"], result["respelled"]), (3, {"property order": 1}))
        self.assertRegex(self.succeed(*bench).stdout, r"property order +1 +1\nin none +2\n")

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
        names = [name for name in os.listdir(cli_support.EXAMPLES) if name.endswith(".schema.json")]
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


if __name__ == "__main__":
    cli_support.main()
