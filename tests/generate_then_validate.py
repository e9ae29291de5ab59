#!/usr/bin/python3
"""Generate, then validate: documents sampled under real schemas, judged by Python's jsonschema.

Draws one document per schema for ESPALIER_GTV_SCHEMAS schemas (default 1000) of the MaskBench dev
files, evenly spaced, first uniformly from the masks and then by the built-in model, with the default
profile of `espalier generate`. Every finished document must be JSON with unique keys, be called valid
by espalier itself and be accepted by the judge (schema_judge.py), formats asserted. Dead ends,
documents that did not fit the budget, schemas refused and schemas whose time ran out are counted and
printed; a crash or a document that is refused fails the test, and each is printed with its reason.

The judge abstains, and says so, on a schema on which it fails or contradicts the file's own labels.
It uses `jsonschema[format]` from PyPI in a virtual environment under --work where the registry
answers, else the system's jsonschema, which checks fewer formats.

    generate_then_validate.py --espalier BUILD/bin/espalier --work BUILD/generate_then_validate [--data DIR]

Exit code 0 passed, 1 failed, 77 skipped (no data, no jsonschema). ESPALIER_GTV_SECONDS (default 60)
bounds each of the two passes; schemas that were not reached are printed.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SKIPPED = 77
BATCH = 20
BATCH_SECONDS = 15
SHOWN = 30


def in_venv(work):
    """Re-runs this script under a virtual environment that has the format checkers, if possible."""
    if os.environ.get("ESPALIER_GTV_INNER"):
        return
    python = work / "venv" / "bin" / "python"
    ready = work / "venv" / "ready"
    try:
        if not ready.exists():
            shutil.rmtree(work / "venv", ignore_errors=True)
            quiet = {"check": True, "timeout": 60, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
            subprocess.run([sys.executable, "-m", "venv", str(work / "venv")], **quiet)
            install = ["install", "--quiet", "--disable-pip-version-check", "--timeout", "10", "--retries", "0"]
            subprocess.run([str(python), "-m", "pip", *install, "jsonschema[format]"], **quiet)
            ready.touch()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"jsonschema[format] cannot be installed ({type(error).__name__}); using the system's jsonschema")
        return
    environment = dict(os.environ, ESPALIER_GTV_INNER="1")
    sys.stdout.flush()
    os.execve(python, [str(python), os.path.abspath(__file__), *sys.argv[1:]], environment)


def find_data(argument):
    """The folder of MaskBench files: the argument, or the shared archive, extracted once."""
    if argument:
        return pathlib.Path(argument)
    here = pathlib.Path(__file__).resolve().parent
    shared = pathlib.Path(os.environ.get("ESPALIER_DATA", here.parent.parent / "shared" / "data"))
    archive = shared / "maskbench-dev.tar.zst"
    if not archive.exists():
        return None
    status = archive.stat()
    key = hashlib.sha256(f"{archive}-{status.st_size}-{status.st_mtime_ns}".encode()).hexdigest()[:16]
    target = pathlib.Path(tempfile.gettempdir()) / "espalier-test-data" / f"maskbench-{key}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = pathlib.Path(tempfile.mkdtemp(dir=target.parent))
        with subprocess.Popen(["zstd", "-dc", str(archive)], stdout=subprocess.PIPE) as zstd:
            subprocess.run(["tar", "-x", "-C", str(partial)], stdin=zstd.stdout, check=True)
        try:
            partial.rename(target)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
    return target


def evenly_spaced(items, count):
    return [items[i * len(items) // count] for i in range(min(count, len(items)))] if items else []


class ProgramError(Exception):
    """espalier cannot run at all: a missing model, an unusable option."""


class Batch:
    """Some files, run by one `espalier generate`; files it never answered for are run again alone."""

    def __init__(self, program, data, files, options, deadline):
        self.program, self.data, self.files = program, data, files
        self.options, self.deadline = options, deadline

    def run(self):
        """Yields (file, kind, line) with kind one of sample, error, crash, time, unreached."""
        answered, fate = self._generate(self.files)
        yield from answered
        seen = {name for name, _, _ in answered}
        missing = [name for name in self.files if name not in seen]
        if not missing:
            return
        if fate != "time" or not answered:  # a slow batch goes on where it was; a slow file does not
            yield missing[0], "time" if fate == "time" else "crash", {"fate": fate or "no line for this file"}
            missing = missing[1:]
        if missing:
            yield from Batch(self.program, self.data, missing, self.options, self.deadline).run()

    def _generate(self, files):
        left = self.deadline - time.monotonic()
        if left <= 0:
            return [(name, "unreached", {}) for name in files], None
        with tempfile.TemporaryDirectory() as folder:
            for name in files:
                os.symlink(self.data / name, pathlib.Path(folder) / name)
            command = [self.program, "generate", "--data", folder, *self.options]
            fate = None
            try:
                done = subprocess.run(command, capture_output=True, timeout=min(left, BATCH_SECONDS), check=False)
                output = done.stdout
                message = " ".join(done.stderr.decode(errors="replace").split())[-300:]
                if done.returncode == 2:
                    raise ProgramError(message)
                if done.returncode != 0:
                    fate = f"exit code {done.returncode}: {message}"
            except subprocess.TimeoutExpired as error:
                output, fate = error.stdout or b"", "time"
        answered = []
        for line in output.split(b"\n")[:-1]:
            value = json.loads(line.decode())
            answered.append((value["file"], "error" if "error" in value else "sample", value))
        return answered, fate


class Verdicts:
    """Judges the samples of one pass and keeps the score."""

    def __init__(self, judge_module, data):
        self.judge_module, self.data = judge_module, data
        self.count = collections.Counter()
        self.failures = []
        self.notes = []

    def add(self, name, kind, line):
        self.count["schemas"] += 1
        if kind != "sample":
            self.count[kind] += 1
            if kind == "time":
                self.notes.append((name, "out of time"))
            if kind == "crash":
                self.failures.append((name, "espalier generate died: " + line["fate"], ""))
            return
        self.count[line["finish_reason"]] += 1
        if line["finish_reason"] == "dead_end":
            self.notes.append((name, "dead end after " + line["text"][-100:]))
        if line["finish_reason"] == "complete":
            self._check(name, line)

    def _check(self, name, line):
        if not line["valid"]:
            self.failures.append((name, "espalier's exact profile refuses it", line["text"]))
            return
        try:
            instance = self.judge_module.read_json(line["text"], unique_keys=True)
        except ValueError as error:
            self.failures.append((name, f"not JSON: {error}", line["text"]))
            return
        file = self.judge_module.read_json((self.data / name).read_text(encoding="utf-8"))
        try:
            judge = self.judge_module.Judge(file["schema"])
            for test in file["tests"]:
                if test["valid"] and judge.complaint(test["data"]) is not None:
                    raise self.judge_module.JudgeError("it refuses an instance labelled valid")
            complaint = judge.complaint(instance)
        except self.judge_module.JudgeError as error:
            self.count["abstained"] += 1
            self.notes.append((name, f"not judged: {error}"))
            return
        if complaint is None:
            self.count["accepted"] += 1
        else:
            self.failures.append((name, complaint, line["text"]))

    def report(self, title, seconds):
        count = self.count
        print(
            f"{title}: {count['schemas']} schemas in {seconds:.0f} s: {count['complete']} finished, "
            f"{count['accepted']} accepted, {len(self.failures)} failed, {count['abstained']} not judged; "
            f"{count['dead_end']} dead ends, {count['budget']} did not fit the budget, "
            f"{count['unsatisfiable']} unsatisfiable, {count['error']} refused, "
            f"{count['time']} out of time, {count['unreached']} not reached"
        )
        for name, note in self.notes[:SHOWN]:
            print(f"  {name}: {note[:200]}")
        for name, reason, text in self.failures[:SHOWN]:
            print(f"  FAILED {name}: {reason}\n    {text[:400]}")
        if len(self.failures) > SHOWN:
            print(f"  and {len(self.failures) - SHOWN} more")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--espalier", required=True)
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--data", help="folder of MaskBench files")
    arguments = parser.parse_args()
    data = find_data(arguments.data)
    if data is None or not data.is_dir():
        print("skipped: the MaskBench dev files are not here")
        return SKIPPED
    arguments.work.mkdir(parents=True, exist_ok=True)
    in_venv(arguments.work)
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
    try:
        import schema_judge
    except ImportError as error:
        print(f"skipped: {error}")
        return SKIPPED
    print(f"judge: {len(schema_judge.FORMATS.checkers)} formats: {' '.join(sorted(schema_judge.FORMATS.checkers))}")

    names = sorted(path.name for path in data.glob("*.json"))
    chosen = evenly_spaced(names, int(os.environ.get("ESPALIER_GTV_SCHEMAS", "1000")))
    limit = float(os.environ.get("ESPALIER_GTV_SECONDS", "60"))
    seed = os.environ.get("ESPALIER_SEED", "1")
    stride = -(-len(chosen) // BATCH)  # each batch meets every split, so a cut run does too
    failed = False
    for title, options in (("uniform", ["--uniform"]), ("built-in model", [])):
        begin = time.monotonic()
        verdicts = Verdicts(schema_judge, data)
        options = [*options, "--seed", seed]
        batches = [
            Batch(arguments.espalier, data, chosen[i::stride], options, begin + limit)
            for i in range(stride)
        ]
        with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            try:
                for answers in pool.map(lambda batch: list(batch.run()), batches):
                    for answer in answers:
                        verdicts.add(*answer)
            except ProgramError as error:
                pool.shutdown(cancel_futures=True)
                print(f"{title}: espalier generate fails: {error}")
                return 1
        verdicts.report(f"{title} (seed {seed})", time.monotonic() - begin)
        failed = failed or bool(verdicts.failures) or verdicts.count["complete"] == 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
