#!/usr/bin/python3
"""Random schemas and instances, the byte machine's verdicts judged by Python's jsonschema.

Runs schema_differential_test, which compares the machine with the reference validator of this
folder, has it write down what it compared, and judges the same with schema_judge.py. v1,
asserted content and formats it does not check are left out. It abstains where a schema or a number
is too much for it; where it contradicts, the case is printed and the test fails, unless KNOWN names the
fault. The seed is ESPALIER_SEED, else the program's.

    random_schemas_judge.py SCHEMA_DIFFERENTIAL_TEST [ROUNDS]

Exit code 0 passed, 1 failed, 77 skipped (no jsonschema).
"""

import collections
import json
import os
import re
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
SKIPPED = 77
SHOWN = 20

# Where jsonschema is known to be wrong: what the schema holds, and why.
KNOWN = [
    ("unevaluated", "what additionalProperties evaluates, for one, it takes for unevaluated"),
    ("$recursiveRef", "it starts from another resource than the outermost with a $recursiveAnchor"),
    ('"$anchor"', "it leads a $dynamicRef to a plain $anchor of another resource"),
]


class OutOfTime(Exception):
    pass


def out_of_time(signum, frame):
    raise OutOfTime


def main():
    try:
        import schema_judge
    except ImportError as error:
        print(f"skipped: {error}")
        return SKIPPED
    signal.signal(signal.SIGALRM, out_of_time)
    count = collections.Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "verdicts.jsonl")
        environment = dict(os.environ, ESPALIER_DUMP=path)
        if len(sys.argv) > 2:
            environment["ESPALIER_ROUNDS"] = sys.argv[2]
        program = [sys.argv[1], "--gtest_filter=*SaysWhatTheReferenceSays"]
        run = subprocess.run(program, env=environment, capture_output=True, text=True)
        print("\n".join(line for line in run.stdout.splitlines() if line.startswith("seed:")))
        if run.returncode != 0:
            print(run.stdout[-2000:])
            return 1
        judge, schema_text = None, None
        for line in open(path, encoding="utf-8"):
            case = json.loads(line)
            if case["schema"] != schema_text:
                schema_text = case["schema"]
                judge = None
                formats = set(re.findall(r'"format": ?"([a-z0-9-]+)"', schema_text)) - {"x-unknown"}
                checked = formats <= set(schema_judge.FORMATS.checkers)
                if "/v1" not in schema_text and '"content' not in schema_text and checked:
                    judge = schema_judge.Judge(schema_judge.read_json(schema_text))
            if judge is None:
                count["left out"] += 1
                continue
            try:
                signal.alarm(5)
                valid = judge.complaint(schema_judge.read_json(case["text"])) is None
            except (schema_judge.JudgeError, ArithmeticError, ValueError, OutOfTime):
                count["abstains"] += 1
                continue
            finally:
                signal.alarm(0)
            if valid == case["valid"]:
                count["agrees"] += 1
            elif any(sign in schema_text for sign, _ in KNOWN):
                count["disagrees for a known reason"] += 1
            else:
                wrong.append((schema_text, case["text"], valid))
    print(", ".join(f"{name}: {n}" for name, n in sorted(count.items())))
    for schema_text, text, valid in wrong[:SHOWN]:
        print(f"FAILED jsonschema says {'valid' if valid else 'invalid'}\n  {schema_text}\n  {text}")
    if len(wrong) > SHOWN:
        print(f"and {len(wrong) - SHOWN} more")
    return 1 if wrong or count["agrees"] < 1000 else 0


if __name__ == "__main__":
    sys.exit(main())
