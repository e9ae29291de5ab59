"""The MaskBench protocol around another engine, in a process of its own.

`espalier bench --peers` starts one such process for each peer and talks with it in lines of JSON. The
first line it writes holds the vocabulary and the limits; the answer is {"ready": ...} with the engine's
version and the measured overhead of a call. Then each line is a file: schema, instances as token ids
(espalier tokenizes, so that all engines read the same ids); each answer is a line of results as
espalier's own worker writes it (jsonschemabench/file_result.cpp).

Timed, as in jsonschemabench/maskbench_job.cpp: compile; compile + matcher + first mask; mask + accept
for each token, the refused one included, where the first token of the first instance carries the first
mask. Checked: the mask bit against what accept answers, and the end of each instance.

In cold mode a file is done in a fork of this process, which has the vocabulary and has compiled nothing.
"""

import ctypes
import gc
import json
import os
import resource
import signal
import sys
import time

now = time.perf_counter_ns
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Refused(Exception):
    """The engine does not compile a schema."""


class Vocabulary:
    def __init__(self, header):
        self.tokens = [bytes.fromhex(token) for token in header["tokens"]]
        self.special = header["special"]
        self.eos = header["eos"]
        self.pattern = header["pattern"]
        self.width = header["width"]
        self.row_words = (self.width + 31) // 32


def mapped_bytes():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[0]) * resource.getpagesize()


def limit_memory(mib):
    """What is mapped now plus the limit, as espalier's own workers have it."""
    if mib == 0:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = mapped_bytes() + (mib << 20)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))


def peak_rss_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def call_overhead_us(engine, vocabulary):
    """Two clock readings and two trivial calls into the engine: what a token costs without work."""
    matcher = engine.matcher(engine.compile('{"type": "object"}'))
    call = engine.trivial_call(matcher)
    samples = []
    for _ in range(20000):
        begin = now()
        call()
        call()
        samples.append(now() - begin)
    samples.sort()
    return samples[len(samples) // 2] / 1e3


class Protocol:
    """One file. An engine gives compile, matcher, fill_mask, accept, accepts_end and its row."""

    def __init__(self, engine, job):
        self.engine = engine
        self.job = job
        self.tbm_ns = []
        self.result = {
            "engine": engine.name,
            "file": job["file"],
            "split": job["split"],
            "outcome": "passing",
            "tests": 0,
            "valid_refused": 0,
            "invalid_accepted": 0,
        }

    def run(self):
        result = self.result
        engine = self.engine
        schema = self.job["schema"]
        gc.disable()
        try:
            begin = now()
            grammar = engine.compile(schema)
            compiled = now()
            fresh = engine.matcher(grammar)
            made = now()
            engine.fill_mask(fresh)
            masked = now()
            result["compile_us"] = (compiled - begin) / 1e3
            result["ttfm_us"] = (masked - begin) / 1e3
            matcher = engine.start(fresh, grammar)
            for index, test in enumerate(self.job["tests"]):
                if index > 0:
                    matcher = engine.start(fresh, grammar)
                if not self.run_test(matcher, index, test, masked - made if index == 0 else None):
                    break
        except Refused as refusal:
            result["outcome"] = "compile_error"
            result["keyword"] = engine.keyword(str(refusal))
            result["reason"] = str(refusal)
        except Exception as error:  # an engine's own exception is a result
            result["outcome"] = "validation_error"
            result["reason"] = f"{type(error).__name__}: {error}"
        gc.enable()
        result["peak_rss_bytes"] = peak_rss_bytes()
        result["tokens"] = len(self.tbm_ns)
        result["tbm_us"] = [ns / 1e3 for ns in self.tbm_ns]
        return result

    def run_test(self, matcher, index, test, first_mask_ns):
        engine = self.engine
        row = engine.row
        result = self.result
        result["tests"] += 1
        refused_at = None
        for position, token in enumerate(test["tokens"]):
            begin = now()
            if first_mask_ns is None or position > 0:
                engine.fill_mask(matcher)
            accepted = engine.accept(matcher, token)
            took = now() - begin
            self.tbm_ns.append(took if position > 0 or first_mask_ns is None else took + first_mask_ns)
            bit = bool((int(row[token >> 5]) >> (token & 31)) & 1)
            if bit != accepted:
                self.broken(index, f"mask disagrees at token {position} ({token})")
                return False
            if not accepted:
                refused_at = position
                break
        if refused_at is None and not engine.accepts_end(matcher):
            refused_at = len(test["tokens"])
        if test["valid"] == (refused_at is None):
            return True
        result["failing_test"] = index
        if test["valid"]:
            result["valid_refused"] += 1
            result["outcome"] = "validation_error"
            result["reason"] = f"a valid instance is refused at token {refused_at} of {len(test['tokens'])}"
        else:
            result["invalid_accepted"] += 1
            result["outcome"] = "invalidation_error"
            result["reason"] = f"an invalid instance is accepted ({test['description']})"
        return True

    def broken(self, index, reason):
        self.result["outcome"] = "validation_error"
        self.result["failing_test"] = index
        self.result["reason"] = reason


def write_line(out, value):
    out.write(json.dumps(value) + "\n")
    out.flush()


def run_in_fork(engine, job, out, memory_mib):
    pid = os.fork()
    if pid == 0:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        limit_memory(memory_mib)
        write_line(out, Protocol(engine, job).run())
        os._exit(0)
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        reason = (
            f"killed by signal {os.WTERMSIG(status)} ({signal.strsignal(os.WTERMSIG(status))})"
            if os.WIFSIGNALED(status)
            else f"ended with exit code {os.WEXITSTATUS(status)}"
        )
        crash = {"engine": engine.name, "file": job["file"], "split": job["split"]}
        crash |= {"outcome": "crash", "reason": reason, "peak_rss_bytes": usage.ru_maxrss << 10}
        write_line(out, crash | {"tests": 0, "tokens": 0, "tbm_us": []})


def main(make_engine):
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an engine prints is no result
    header = json.loads(sys.stdin.readline())
    vocabulary = Vocabulary(header["vocabulary"])
    engine = make_engine(vocabulary)
    overhead = call_overhead_us(engine, vocabulary)
    gc.collect()
    gc.freeze()  # what the engine's packages hold need not be searched after every file
    write_line(out, {"ready": True, "version": engine.version, "call_overhead_us": overhead})
    for line in sys.stdin:
        job = json.loads(line)
        gc.collect()
        if header["cold"]:
            run_in_fork(engine, job, out, header["memory_limit_mib"])
        else:
            limit_memory(header["memory_limit_mib"])
            write_line(out, Protocol(engine, job).run())
