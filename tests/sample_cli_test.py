"""`espalier sample` against enumerated truth.

A table model over three letters and an end of sequence, a regular expression and a token budget: the
probability of every valid text is a finite sum over token sequences. For each method that claims proper
weights the mean weight of each text must be its probability, and log_z their sum; for those that claim exact
draws the shares must be P(x | valid). Seeds are fixed, so the outcome is too; bounds are six
standard errors.

usage: sample_cli_test.py ESPALIER
"""

import json
import math
import re
import subprocess
import sys
import tempfile

TOKENS = ["a", "b", "bc", "c", ""]
EOS = 4
CONTEXTS = {
    "": [-0.5, -1.2, -1.7, -2.0, -3.0],
    "0": [-2.0, -0.5, -1.0, None, -1.5],
    "1": [-1.0, -2.0, -3.0, -1.0, -0.4],
    "0 2": [-0.3, -4.0, -2.5, -3.0, -2.0],
}
PATTERN = "(a|bc)*b?"
BUDGET = 5
SAMPLES = 20000

WEIGHTED = ["normalizer", "awrs", "awrs-geometric", "awrs-two-loop", "awrs-with-replacement", "smc", "trie-is"]
EXACT = ["cars", "mars"]
UNWEIGHTED = ["local", "asap", "mcmc"]


def row(ids):
    for length in range(len(ids), -1, -1):
        key = " ".join(str(i) for i in ids[len(ids) - length:])
        if key in CONTEXTS:
            weights = [0.0 if w is None else math.exp(w) for w in CONTEXTS[key]]
            return [w / sum(weights) for w in weights]
    raise AssertionError


def truth():
    texts = {}

    def visit(ids, p):
        probabilities = row(ids)
        text = "".join(TOKENS[i] for i in ids)
        if re.fullmatch(PATTERN, text):
            texts[text] = texts.get(text, 0) + p * probabilities[EOS]
        if len(ids) < BUDGET:
            for token in range(EOS):
                if probabilities[token] > 0:
                    visit(ids + [token], p * probabilities[token])

    visit([], 1.0)
    return texts


def run(espalier, model, *options, budget=BUDGET):
    command = [espalier, "sample", "--regex", PATTERN, "--model", "table:" + model, "--max-tokens", str(budget),
               "--seed", "11", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return json.loads(done.stdout)


def check_means(name, texts, report, populations):
    z = sum(texts.values())
    count = len(report["samples"])
    sums, squares = {}, {}
    for sample in report["samples"]:
        assert sample["text"] == "".join(TOKENS[i] for i in sample["tokens"]), sample
        assert len(sample["tokens"]) <= BUDGET
        weight = 0.0 if sample["log_weight"] == "-inf" else math.exp(sample["log_weight"])
        if weight > 0:
            assert sample["text"] in texts, (name, sample)
            sums[sample["text"]] = sums.get(sample["text"], 0) + weight
            squares[sample["text"]] = squares.get(sample["text"], 0) + weight * weight
    for text, p in texts.items():
        # Particles of one population depend on each other, so errors are counted by populations.
        variance = max(squares.get(text, 0) / count, p * z)
        error = 6 * math.sqrt(variance / populations) + 1e-6
        assert abs(sums.get(text, 0) / count - p) < error, (name, text, sums.get(text, 0) / count, p, error)
    total = sum(sums.values()) / count
    assert abs(math.log(total) - report["log_z"]) < 1e-6, (name, total, report["log_z"])
    assert abs(total - z) < 0.05 * z, (name, total, z)
    assert report["exact"] is False


def check_shares(name, texts, report):
    z = sum(texts.values())
    count = len(report["samples"])
    for text, p in texts.items():
        share = sum(sample["text"] == text for sample in report["samples"]) / count
        error = 6 * math.sqrt(p / z / count) + 1e-6
        assert abs(share - p / z) < error, (name, text, share, p / z)
    assert all(sample["log_weight"] is None for sample in report["samples"])
    assert report["exact"] is True


def main():
    espalier = sys.argv[1]
    texts = truth()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"tokens": TOKENS, "eos": EOS, "contexts": CONTEXTS}, file)
        file.flush()
        for hidden in ([], ["--predicate-only"]):
            for method in WEIGHTED:
                if method == "smc":
                    options = ["--samples", str(SAMPLES // 4), "--particles", "4", *hidden]
                    for twist in ("none", "lookahead"):
                        report = run(espalier, file.name, "--method", method, "--twist", twist, *options)
                        check_means(method + " " + twist, texts, report, SAMPLES // 4)
                    continue
                report = run(espalier, file.name, "--method", method, "--samples", str(SAMPLES), *hidden)
                assert len(report["samples"]) == SAMPLES
                check_means(method, texts, report, SAMPLES)
                if method.startswith("awrs") or hidden:
                    assert report["constraint_evaluations"] > 0 or method == "trie-is"
            for method in EXACT:
                check_shares(method, texts, run(espalier, file.name, "--method", method, "--samples", str(SAMPLES),
                                                *hidden))
            for method in UNWEIGHTED:
                report = run(espalier, file.name, "--method", method, "--samples", "50", *hidden)
                for sample in report["samples"]:
                    assert sample["log_weight"] is None and sample["text"] in texts, (method, sample)
                assert report["log_z"] is None, method
        again = [run(espalier, file.name, "--method", "awrs", "--samples", "20", "--predicate-only") for _ in "ab"]
        assert again[0] == again[1]

        # The budget is the target's: at no tokens only the empty text is left.
        report = run(espalier, file.name, "--method", "awrs", budget=0)
        assert report["samples"] == [{"text": "", "tokens": [], "log_weight": report["log_z"]}], report
        assert abs(math.exp(report["log_z"]) - row([])[EOS]) < 1e-6

        # What is hardly ever written ends by a budget: dead texts, a reason, no wait.
        for method in EXACT:
            done = subprocess.run([espalier, "sample", "--regex", "c{5}", "--model", "table:" + file.name, "--method", method,
                                   "--samples", "3", "--max-attempts", "1", "--json"], capture_output=True, text=True)
            report = json.loads(done.stdout)
            assert done.returncode == 0 and "attempts" in done.stderr and "stopped" in report["policy"], (done, report)
            assert [sample["log_weight"] for sample in report["samples"]] == ["-inf"] * 3, report
            assert report["exact"] is False and report["log_z"] == "-inf", report

        for arguments in (["--regex", "(", "--model", "table:" + file.name], ["--model", "table:" + file.name],
                          ["--regex", "a", "--model", "table:/nowhere"], ["--regex", "a", "--method", "best"]):
            done = subprocess.run([espalier, "sample", *arguments], capture_output=True, text=True)
            assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1, (arguments, done)
    print(f"{len(texts)} texts, Z = {sum(texts.values()):.6f}: every method agrees")


if __name__ == "__main__":
    main()
