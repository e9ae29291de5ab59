#!/usr/bin/python3
"""Generate, then validate: documents sampled under real schemas, judged by two validators.

Draws documents for the MaskBench dev files, uniformly from the masks and by the built-in model, with
`espalier generate --data`. Every finished document must be JSON with unique keys, be called valid by
espalier itself and be accepted by both judges, formats asserted: the slow reference validator of
this folder (reference_judge.cpp) and Python's jsonschema (schema_judge.py), which others wrote. Dead
ends, documents that did not fit the budget, schemas refused and schemas whose time ran out are
counted and listed; a crash fails the run, and so does a document that a judge refuses, unless the
other judge accepts it and SENTENCES has the sentence of the specification that decides for it.

A judge abstains, and says so, on a schema on which it fails or contradicts the file's own labels.
Python's is `jsonschema[format]` from PyPI in a virtual environment under --work where the registry
answers, else the system's jsonschema, which checks fewer formats.

    generate_then_validate.py --espalier BUILD/bin/espalier --reference BUILD/bin/reference_judge
        --work FOLDER [--data DIR] [--schemas N | --shard i/n] [--uniform-samples K]
        [--model-samples K] [--profiles exact,generation] [--seconds S] [--file-seconds S]
        [--threads N]

Evenly spaced schemas of the folder (--schemas, default 1000, 0 = all; ESPALIER_GTV_SCHEMAS), one
document each unless told, in the default profile. Exit code 0 passed, 1 failed, 77 skipped (no data,
no jsonschema). --seconds (default 60; ESPALIER_GTV_SECONDS) bounds each pass; schemas that were not
reached are printed.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
SKIPPED = 77
FILE_SECONDS = 30  # for all samples of one schema; and for judging them
SHOWN = 60

# What decides where the judges disagree, by what jsonschema complains of: (keyword, what the value
# or the schema looks like, the sentence). Each decides for the judge that accepts.
SENTENCES = [
    (
        "format|oneOf|anyOf",
        r"'[^']*\d\d:\d\d:60",
        "RFC 3339 section 5.6: time-second = 2DIGIT ; 00-58, 00-59, 00-60 based on leap second rules",
    ),
    (
        "format|oneOf|anyOf",
        r"'0000-\d\d-\d\d",
        "RFC 3339 section 1: all dates and times are assumed to be in the current era, somewhere between "
        "0000AD and 9999AD",
    ),
    (
        "format|oneOf|anyOf",
        r"'[1-9]\d*0\d+[#/']",
        "draft-bhutton-relative-json-pointer-00 section 3: non-negative-integer = %x30 / %x31-39 *( %x30-39 )",
    ),
    (
        "format|oneOf|anyOf",
        r"'\d+[+-]\d+[/']",
        "draft-bhutton-relative-json-pointer-00 section 3, to which 2020-12 refers: an optional index manipulation, "
        "+ or - and an integer",
    ),
    (
        "type",
        r"Decimal\('[^']*'\) is not of type .*integer",
        "JSON Schema 2020-12 section 8.1.1: $schema SHOULD be used in the document root schema object "
        "[and] MUST NOT appear in [other] subschemas: a nested $schema of draft-04 changes nothing",
    ),
]


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


class ReferenceJudge:
    """The program reference_judge, restarted where it takes too long."""

    def __init__(self, program):
        self.program, self.process = program, None

    def answer(self, file, text):
        if self.process is None:
            self.process = subprocess.Popen([self.program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        question = json.dumps({"file": str(file), "text": text}) + "\n"
        try:
            self.process.stdin.write(question.encode())
            self.process.stdin.flush()
            if select.select([self.process.stdout], [], [], FILE_SECONDS)[0]:
                line = self.process.stdout.readline().decode().strip()
                if line:
                    return line
            fate = "out of time" if self.process.poll() is None else f"exit code {self.process.poll()}"
        except BrokenPipeError:
            fate = "it died"
        self.process.kill()
        self.process.wait()
        self.process = None
        return "error: " + fate


REFERENCE = None  # of a worker process


def start_worker(program):
    global REFERENCE
    REFERENCE = ReferenceJudge(program) if program else None


class OutOfTime(Exception):
    pass


def out_of_time(signum, frame):
    raise OutOfTime


def judge_file(path, texts):
    """For each text (python's verdict, the reference's): None accepted, else a reason; "abstains:
    ..." where a judge cannot tell."""
    import schema_judge

    signal.signal(signal.SIGALRM, out_of_time)
    judge, unable = None, None
    try:
        signal.alarm(FILE_SECONDS)
        file = schema_judge.read_json(path.read_text(encoding="utf-8"))
        judge = schema_judge.Judge(file["schema"])
        for test in file["tests"]:
            if test["valid"] and judge.complaint(test["data"]) is not None:
                raise schema_judge.JudgeError("it refuses an instance labelled valid")
    except schema_judge.JudgeError as error:
        unable = f"abstains: {error}"
    except OutOfTime:
        unable = "abstains: out of time"
    finally:
        signal.alarm(0)
    verdicts = []
    for text in texts:
        python = unable
        if python is None:
            try:
                signal.alarm(FILE_SECONDS)
                python = judge.complaint(schema_judge.read_json(text, unique_keys=True))
            except schema_judge.JudgeError as error:
                python = f"abstains: {error}"
            except ValueError as error:
                python = f"not JSON: {error}"
            except ArithmeticError as error:
                python = f"abstains: {type(error).__name__} in a number"
            except OutOfTime:
                python = "abstains: out of time"
            finally:
                signal.alarm(0)
        reference = "abstains: not given"
        if REFERENCE is not None:
            answer = REFERENCE.answer(path, text)
            reference = None if answer == "valid" else answer.replace("error:", "abstains:")
        verdicts.append((python, reference))
    return verdicts


def abstains(verdict):
    return verdict is not None and verdict.startswith("abstains")


class Pass:
    """One profile and one way of drawing: runs the generator, has its documents judged, keeps score."""

    def __init__(self, data, names, pool):
        self.data, self.names, self.pool = data, names, pool
        self.count = collections.Counter()
        self.failures, self.notes, self.disagreements = [], [], []
        self.abstained = collections.defaultdict(list)  # reason -> schemas

    def run(self, command, seconds):
        deadline = time.monotonic() + seconds
        with tempfile.TemporaryDirectory() as folder:
            for i, name in enumerate(self.names):  # run in this order
                os.symlink(self.data / name, pathlib.Path(folder) / f"{i:06}{name}")
            log = tempfile.TemporaryFile()
            generator = subprocess.Popen(
                [*command, "--data", folder, "--timeout", str(FILE_SECONDS)], stdout=subprocess.PIPE, stderr=log
            )
            timer = threading.Timer(seconds, generator.kill)
            timer.start()
            lines, waiting = [], []
            seen = set()
            for line in generator.stdout:
                try:
                    value = json.loads(line)
                except ValueError:
                    break  # cut off
                value["file"] = value["file"][6:]
                seen.add(value["file"])
                if lines and lines[0]["file"] != value["file"]:
                    waiting.append(self._submit(lines))
                    lines = []
                lines.append(value)
            if lines:
                waiting.append(self._submit(lines))
            timer.cancel()
            code = generator.wait()
            if code != 0 and time.monotonic() < deadline:
                log.seek(0)
                self.failures.append(("generate", f"exit code {code}: {log.read()[-300:].decode()}", ""))
        self.count["schemas"] = len(seen)
        self.count["unreached"] = len(self.names) - len(seen)
        for name, finished, future in waiting:
            for line, verdict in zip(finished, future.result()):
                self._judged(name, line["text"], *verdict)

    def _submit(self, lines):
        name = lines[0]["file"]
        finished = []
        for line in lines:
            if "error" in line:
                error = line["error"]
                kind = error.split(":")[0] if error.startswith(("crash:", "timeout:")) else "refused"
                self.count[kind] += 1
                if kind == "crash":
                    self.failures.append((name, "espalier generate: " + error, ""))
                else:
                    self.notes.append((name, error))
                continue
            self.count["samples"] += 1
            self.count[line["finish_reason"]] += 1
            if line["finish_reason"] == "dead_end":
                self.notes.append((name, "dead end after " + line["text"][-150:]))
            if line["finish_reason"] == "complete":
                if line["valid"]:
                    finished.append(line)
                else:
                    self.failures.append((name, "espalier's exact profile refuses it", line["text"]))
        return name, finished, self.pool.submit(judge_file, self.data / name, [line["text"] for line in finished])

    def _judged(self, name, text, python, reference):
        for who, verdict in (("python", python), ("reference", reference)):
            if abstains(verdict):
                self.count[who + " abstains"] += 1
                self.abstained[f"{who} {verdict}"].append(name)
        accepted = [verdict is None for verdict in (python, reference)]
        refused = [verdict is not None and not abstains(verdict) for verdict in (python, reference)]
        if not any(refused):
            self.count["accepted" if any(accepted) else "not judged"] += 1
            return
        reason = f"python: {python or 'valid'}; reference: {reference or 'valid'}"
        for keyword, shape, sentence in SENTENCES:
            if refused[0] and accepted[1] and re.search(f": ({keyword}): ", python) and re.search(shape, python):
                self.count["disagree"] += 1
                self.disagreements.append((name, python, sentence))
                return
        self.failures.append((name, reason, text))

    def report(self, title, seconds):
        count = self.count
        print(
            f"{title}: {count['schemas']} schemas, {count['samples']} samples in {seconds:.0f} s: "
            f"{count['complete']} finished, {count['accepted']} accepted, {len(self.failures)} failed, "
            f"{count['disagree']} decided by a sentence, {count['not judged']} not judged (python abstains on "
            f"{count['python abstains']}, reference on {count['reference abstains']}); "
            f"{count['dead_end']} dead ends, {count['budget']} did not fit the budget, "
            f"{count['unsatisfiable']} unsatisfiable, {count['refused']} refused, "
            f"{count['timeout']} out of time, {count['unreached']} not reached"
        )
        for name, note in sorted(set(self.notes)):
            print(f"  {name}: {note[:200]}")
        for reason, names in sorted(self.abstained.items()):
            print(f"  {reason[:200]}: {len(names)} samples, as of {names[0]}")
        for name, complaint, sentence in sorted(self.disagreements):
            print(f"  {name}: python: {complaint[:150]}\n    but {sentence}")
        for name, reason, text in self.failures[:SHOWN]:
            print(f"  FAILED {name}: {reason[:600]}\n    {text[:400]}")
        if len(self.failures) > SHOWN:
            print(f"  and {len(self.failures) - SHOWN} more")
        sys.stdout.flush()


def main():
    global FILE_SECONDS
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--espalier", required=True)
    parser.add_argument("--reference", help="the program reference_judge")
    parser.add_argument("--work", required=True, type=pathlib.Path)
    parser.add_argument("--data", help="folder of MaskBench files")
    environment = os.environ.get
    parser.add_argument("--schemas", type=int, default=int(environment("ESPALIER_GTV_SCHEMAS", "1000")))
    parser.add_argument("--shard", help="i/n: every n-th schema from the i-th on")
    parser.add_argument("--uniform-samples", type=int, default=1)
    parser.add_argument("--model-samples", type=int, default=1)
    parser.add_argument("--profiles", default="generation")
    parser.add_argument("--seconds", type=float, default=float(environment("ESPALIER_GTV_SECONDS", "60")))
    parser.add_argument("--file-seconds", type=int, default=FILE_SECONDS, help="for each schema")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    FILE_SECONDS = arguments.file_seconds
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
    if arguments.shard:
        first, step = (int(part) for part in arguments.shard.split("/"))
        names = names[first::step]
    if arguments.schemas:
        names = evenly_spaced(names, arguments.schemas)
    random.Random(1).shuffle(names)  # so that a cut run meets every split
    seed = environment("ESPALIER_SEED", "1")
    failed = False
    for profile in arguments.profiles.split(","):
        for how, samples, options in (
            ("uniform", arguments.uniform_samples, ["--uniform"]),
            ("built-in model", arguments.model_samples, []),
        ):
            if samples == 0:
                continue
            begin = time.monotonic()
            command = [arguments.espalier, "generate", "--profile", profile, "--seed", seed]
            command += ["--samples", str(samples), "--threads", str(arguments.threads), *options]
            with concurrent.futures.ProcessPoolExecutor(
                arguments.threads, initializer=start_worker, initargs=(arguments.reference,)
            ) as pool:
                verdicts = Pass(data, names, pool)
                verdicts.run(command, arguments.seconds)
            verdicts.report(f"{profile}, {how} (seed {seed})", time.monotonic() - begin)
            failed = failed or bool(verdicts.failures) or verdicts.count["complete"] == 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
