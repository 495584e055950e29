# SPDX-License-Identifier: BSD-3-Clause
"""The runner behind ./scripts/test, check, asan, tsan and fuzz.

A stage is a function that runs commands and adds to its counts. Stages find their
tests by looking (meson's list, tests/system/*.py, tests/interop/test_*.py, executables
tests/fuzz/fuzz_*), so a new test needs no line here.
"""
import argparse
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
os.chdir(TOP)
os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
CPUS = len(os.sched_getaffinity(0))
# A sanitizer's finding must end the program with a status that fails the test. The
# leaks of EAL itself are in lsan.supp.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=1",
    "LSAN_OPTIONS": "suppressions=%s/scripts/lsan.supp:print_suppressions=0" % TOP,
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "suppressions=%s/scripts/tsan.supp:halt_on_error=0:exitcode=66" % TOP,
}
SIM = "app/sim/dptipc-sim"
running = set()
running_lock = threading.Lock()
runners = []                                # other processes of this program: they end their own


class StageError(Exception):
    """The stage cannot go on; it counts as one failure."""


class Stage:
    def __init__(self, name, function, why):
        self.name, self.function, self.why = name, function, why
        self.passed = self.failed = self.skipped = 0
        self.skips, self.failures, self.took_s, self.ran = [], [], 0.0, False

    def add(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = (
            self.passed + passed, self.failed + failed, self.skipped + skipped)

    def skip(self, name, why, count=1):
        self.skipped += count
        self.skips.append("%s: %s" % (name, why))
        print("skip %s: %s" % (name, why), flush=True)

    def fail(self, name, repeat="", count=1):
        self.failed += count
        self.failures.append("%s%s" % (name, "\n       repeat: " + repeat if repeat else ""))
        print("FAIL %s%s" % (name, "\n     repeat: " + repeat if repeat else ""), flush=True)

    def run(self, options):
        print("\n=== %s: %s" % (self.name, self.why), flush=True)
        self.ran, t0 = True, time.monotonic()
        try:
            self.function(self, options)
        except StageError as e:
            self.fail("%s: %s" % (self.name, e))
        self.took_s = time.monotonic() - t0


def command(argv, timeout_s, env=None, show=True):
    """Run to the end, output shown and returned: (exit status, output). The whole
    process group is killed at the time limit, which gives status None."""
    print("+ " + " ".join(argv), flush=True)
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                         text=True, errors="replace", start_new_session=True,
                         env=dict(os.environ, **(env or {})))
    with running_lock:
        running.add(p)
    late = threading.Event()

    def expired():
        late.set()
        kill_group(p)
    timer = threading.Timer(timeout_s, expired)
    timer.start()
    lines = []
    try:
        for l in p.stdout:
            lines.append(l)
            if show:
                print(l, end="", flush=True)
        p.wait()
    finally:
        timer.cancel()
        kill_group(p)
        with running_lock:
            running.discard(p)
    if late.is_set():
        print("(ended: no end within %d s)" % timeout_s, flush=True)
    return (None if late.is_set() else p.returncode), "".join(lines)


def kill_group(p):
    """end what a command of ours has started, and only that: its own session"""
    try:
        os.killpg(p.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def counts_line(text):
    """(passed, failed, skipped) of the last 'N passed, N failed[, N skipped]', or None"""
    m = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", text, re.M)
    return tuple(int(n or 0) for n in m[-1]) if m else None


def build(stage, kind="", targets=(), timeout_s=900):
    argv = ["./scripts/build"] + ([kind] if kind else []) + list(targets)
    rc, out = command(argv, timeout_s, show=False)
    notable = [l for l in out.splitlines() if re.search(r"^\+ |^FAILED|error:|warning:", l)]
    if rc != 0:
        print(out[-6000:], flush=True)
        raise StageError("the build failed: " + " ".join(argv))
    last = [l for l in out.splitlines() if l.strip()]
    print("\n".join(notable + last[-1:]), flush=True)


# ------------------------------------------------------------------- meson

def meson_suites(folder):
    """{suite: number of tests}"""
    r = subprocess.run(["meson", "introspect", "--tests", folder], capture_output=True, text=True)
    out = {}
    for t in json.loads(r.stdout or "[]"):
        for s in t["suite"] or [""]:
            s = s.split(":")[-1]
            out[s] = out.get(s, 0) + 1
    return out


def count_test(stage, folder, t):
    """one entry of meson's log: a program with many tests in it, or one test"""
    out = t.get("stdout") or ""
    counts = counts_line(out)
    cunit = re.search(r"^\s+tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", out, re.M)
    if not counts and cunit:
        counts = (int(cunit[3]), int(cunit[4]), 0)
    passed, failed, skipped = counts or (0, 0, 0)
    for l in re.findall(r"^(?:skip|SKIP):? (.*)$", out, re.M)[:skipped or 0]:
        stage.skips.append("%s: %s" % (t["name"], l))
    if t["result"] in ("OK", "EXPECTEDFAIL"):
        stage.add(passed if counts else 1, 0, skipped)
    elif t["result"] == "SKIP":
        why = [l for l in out.splitlines() if l.strip()]
        stage.skip(t["name"], why[-1] if why else "the program gave no reason")
    else:
        stage.add(passed, 0, skipped)
        print(out[-3000:] + (t.get("stderr") or "")[-3000:], flush=True)
        stage.fail("%s (%s, %s)" % (t["name"], t["result"].lower(), folder),
                   "meson test -C %s --verbose '%s'" % (folder, t["name"].split(" / ")[-1]),
                   max(failed, 1))


def meson_test(stage, folder, only=(), without=("bench",), env=None, timeout_factor=1):
    """run meson's tests of the suites and count them"""
    suites = meson_suites(folder)
    wanted = sum(n for s, n in suites.items() if (not only or s in only) and s not in without)
    if not wanted:
        stage.skip("meson tests of %s" % (", ".join(only) or folder), "there are none yet")
        return
    argv = ["meson", "test", "-C", folder, "--no-rebuild", "--timeout-multiplier", str(timeout_factor)]
    for s in only:
        argv += ["--suite", s]
    for s in without:
        if s in suites:
            argv += ["--no-suite", s]
    log = os.path.join(folder, "meson-logs/testlog.json")
    if os.path.exists(log):
        os.unlink(log)
    rc, out = command(argv, 1200, env, show=False)
    tests = []
    if os.path.exists(log):
        with open(log, errors="replace") as f:
            tests = [json.loads(l) for l in f if l.strip()]
    for t in tests:
        count_test(stage, folder, t)
    if not tests or (rc != 0 and not stage.failed):
        print(out[-3000:], flush=True)
        raise StageError("meson test ended with %s" % rc)
    slowest = sorted(tests, key=lambda t: -t["duration"])[:3]
    print("%d programs, %d tests passed; slowest: %s" % (len(tests), stage.passed, ", ".join(
        "%s %.1f s" % (t["name"].split(" / ")[-1], t["duration"]) for t in slowest)), flush=True)


# ------------------------------------------------------------------ stages

def stage_build(stage, options):
    build(stage)
    stage.add(passed=1)


def stage_lint(stage, options):
    rc, out = command(["./scripts/lint"], 120)
    found = re.search(r"^lint: (\d+) problems", out, re.M)
    for why in re.findall(r"^lint: (\w+ skipped: .*)$", out, re.M):
        stage.skip("lint", why)
    if rc == 0:
        stage.add(passed=1)
    else:
        stage.fail("lint: %s problems" % (found[1] if found else "unknown"), "./scripts/lint")


def stage_unit(stage, options):
    meson_test(stage, "build")


def stage_quick_unit(stage, options):
    meson_test(stage, "build", without=("bench", "stress", "slow"))


def sim_run(stage, name, words, timeout_s, folder="build"):
    """dptipc-sim ends with 'N passed, N failed'; a seed is a test"""
    argv = [os.path.join(folder, SIM), *words]
    if not os.path.exists(argv[0]):
        stage.skip(name, "%s is not built" % argv[0])
        return
    rc, out = command(argv, timeout_s, SANITIZER_ENV)
    count_program(stage, name, argv, rc, out)


def count_program(stage, name, argv, rc, out):
    """the counts of a program that prints the counts line (or 1 for all of it)"""
    counts = counts_line(out)
    stage.skips += ["%s: %s" % (name, l) for l in re.findall(r"^skip (.*)$", out, re.M)]
    passed, failed, skipped = counts or ((1, 0, 0) if rc == 0 else (0, 1, 0))
    stage.add(passed, 0, skipped)
    if rc != 0:
        names = re.findall(r"^FAIL\s+(\S+)", out, re.M) or re.findall(r"^VIOLATION (seed \d+)", out, re.M)
        stage.fail("%s: %s" % (name, ", ".join(names) if names else
                               "no end in time" if rc is None else "exit status %d" % rc),
                   " ".join(argv), max(failed, 1))


def stage_sim(stage, options):
    build(stage, "--mutants", [SIM])
    python_programs(stage, "tests/sim/test_*.py", options, 1800)


def stage_quick_sim(stage, options):
    sim_run(stage, "short simulation", ["--seeds", "20", "--nodes", "8"], 60)


def stage_asan(stage, options):
    build(stage, "--asan")
    meson_test(stage, "build-asan", without=("bench", "stress"), env=SANITIZER_ENV, timeout_factor=5)
    sim_run(stage, "simulation, sanitized", ["--seeds", "500" if options.long else "20", "--nodes", "8"],
            3600 if options.long else 240, "build-asan")


def stage_tsan(stage, options):
    build(stage, "--tsan", sorted("tests/stress/" + os.path.basename(f)[:-2]
                                  for f in glob.glob("tests/stress/stress_*.c")))
    meson_test(stage, "build-tsan", only=("stress",), env=SANITIZER_ENV, timeout_factor=5)


def fuzz_targets():
    """tests/fuzz/fuzz_NAME.c, but for the program that replays a corpus"""
    return ["build-fuzz/" + f[:-2] for f in sorted(glob.glob("tests/fuzz/fuzz_*.c")) if not f.endswith("_main.c")]


def build_fuzz(stage):
    build(stage, "--fuzz", [t.split("/", 1)[1] for t in fuzz_targets()])


def fuzz_one(stage, target, seconds):
    """One libFuzzer target for a while, on a working copy of its corpus (the tree's
    corpus only changes when a developer adds to it)."""
    name = os.path.basename(target)
    work, crashes = "build-fuzz/corpus/" + name, "build-fuzz/crashes/"
    os.makedirs(work, exist_ok=True)
    os.makedirs(crashes, exist_ok=True)
    seeds = [d for d in ("tests/fuzz/corpus/" + name, "tests/fuzz/corpus/" + name[5:]) if os.path.isdir(d)]
    argv = ["./" + target, "-max_total_time=%d" % seconds, "-timeout=10", "-rss_limit_mb=3000",
            "-print_final_stats=1", "-verbosity=0", "-artifact_prefix=%s%s-" % (crashes, name), work, *seeds]
    rc, out = command(argv, seconds + 120, SANITIZER_ENV, show=False)
    runs = re.search(r"number_of_executed_units: *(\d+)", out)
    if rc == 0:
        stage.add(passed=1)
        print("ok   %s: %s runs in %d s" % (name, runs[1] if runs else "?", seconds), flush=True)
        return
    print(out[-4000:], flush=True)
    crash = re.search(r"Test unit written to (\S+)", out)
    stage.fail("%s: %s" % (name, "no end in time" if rc is None else "exit status %d" % rc),
               "./%s %s" % (target, crash[1]) if crash else " ".join(argv))


def stage_fuzz(stage, options):
    if not shutil.which("clang"):
        stage.skip("fuzz", "clang is missing (./scripts/install-deps --test)")
        return
    todo = fuzz_targets()
    if not todo:
        stage.skip("fuzz", "no target tests/fuzz/fuzz_*.c")
        return
    build_fuzz(stage)
    seconds = options.fuzz_seconds or (7200 if options.long else 60)
    lock = threading.Lock()

    def worker():
        while True:
            with lock:
                if not todo:
                    return
                target = todo.pop(0)
            fuzz_one(stage, target, seconds)
    threads = [threading.Thread(target=worker) for _ in range(min(CPUS, len(todo)))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def python_programs(stage, pattern, options, timeout_s):
    programs = sorted(glob.glob(pattern))
    if not programs:
        stage.skip(pattern, "there are none yet")
    for p in programs:
        argv = [sys.executable, p] + (["--long"] if options.long else [])
        rc, out = command(argv, timeout_s * (30 if options.long else 1))
        if rc is not None and counts_line(out) is None:
            rc = rc or 1                    # it did not come to its end
        count_program(stage, p, argv, rc, out)


def stage_system(stage, options):
    python_programs(stage, "tests/system/test_*.py", options, 400)


def stage_interop(stage, options):
    python_programs(stage, "tests/interop/test_*.py", options, 900)


def stage_bench(stage, options):
    """Whether it runs: what it measures is nobody's pass or fail."""
    if os.geteuid() != 0:
        stage.skip("bench", "needs root, for network namespaces")
        return
    rc, _ = command([sys.executable, "tests/bench/run.py", "--quick"], 300)
    if rc == 0:
        stage.add(passed=1)
    else:
        stage.fail("bench: status %s" % rc, "python3 tests/bench/run.py --quick")


TEST = [
    ("build", stage_build, "the release build"),
    ("lint", stage_lint, "format, sizes, layers, purity, headers, text"),
    ("unit", stage_unit, "all meson tests in the release build"),
    ("asan", stage_asan, "the same, and a short simulation, with address and undefined sanitizers"),
    ("tsan", stage_tsan, "stress tests with the thread sanitizer"),
    ("sim", stage_sim, "simulated clusters with all faults; planted bugs, which must be found"),
    ("fuzz", stage_fuzz, "libFuzzer targets"),
    ("system", stage_system, "the real programs"),
    ("interop", stage_interop, "the real programs with Linux kernel TIPC"),
    ("bench", stage_bench, "the benchmark, shortly: that it runs"),
]
# Stages that only need processor time: they take, at the lowest priority, what those leave
# that mostly wait for events (namespaces, kernel nodes): both together take a third less.
BESIDE = {"asan", "tsan", "sim", "fuzz"}
WAITING = {"system", "interop"}
CHECK = [
    ("build", stage_build, "the release build"),
    ("lint", stage_lint, "format, sizes, layers, purity, headers, text"),
    ("unit", stage_quick_unit, "unit tests, golden transcripts, fuzz corpus"),
    ("sim", stage_quick_sim, "a short simulation"),
]


class Beside:
    """BESIDE's stages in a process of their own, its output kept for the end"""

    def __init__(self, stages, options):
        self.stages = {s.name: s for s in stages}
        folder = os.path.join("build", "beside")
        os.makedirs(folder, exist_ok=True)
        self.out, self.result = (os.path.join(folder, f) for f in ("output", "result"))
        if os.path.exists(self.result):
            os.unlink(self.result)
        argv = ["nice", "-n", "19", sys.executable, os.path.realpath(__file__), "--only", ",".join(self.stages),
                "--result", self.result] + ["--long"] * options.long
        if options.fuzz_seconds:
            argv += ["--fuzz-seconds", str(options.fuzz_seconds)]
        print("\n=== beside the next ones: %s" % " ".join(self.stages), flush=True)
        with open(self.out, "w") as out:
            self.process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        runners.append(self.process)

    def end(self):
        self.process.wait()
        runners.remove(self.process)
        with open(self.out, errors="replace") as f:
            print(f.read().split("\nstage ")[0], flush=True)
        done = []
        if os.path.exists(self.result):
            with open(self.result) as f:
                done = json.load(f)
        for values in done:
            self.stages[values["name"]].__dict__.update(values)
        for name in set(self.stages) - {values["name"] for values in done}:
            self.stages[name].ran = True
            self.stages[name].fail("%s: no result" % name, "./scripts/test --only " + name)


def result_write(path, stages):
    with open(path, "w") as f:
        json.dump([{k: v for k, v in s.__dict__.items() if k not in ("function", "why")}
                   for s in stages if s.ran], f)


def run_stages(stages, options):
    names = {s.name for s in stages}
    beside = None
    if WAITING & names and BESIDE & names:
        apart = [s for s in stages if s.name in BESIDE]
        stages = [s for s in stages if s.name not in BESIDE]
    else:
        apart = []
    for s in stages:
        if apart and beside is None and s.name in WAITING:
            beside = Beside(apart, options)
        if beside and s.name not in WAITING:
            beside.end()                    # the benchmark wants the machine for itself
            beside, apart = None, []
        s.run(options)
        if s.name == "build" and s.failed:
            return                          # nothing that follows would tell more
    if beside:
        beside.end()


def summary(stages, took_s):
    done = [s for s in stages if s.ran]
    print("\n%-10s %8s %8s %8s %9s" % ("stage", "passed", "failed", "skipped", "seconds"))
    for s in done:
        print("%-10s %8d %8d %8d %9.1f" % (s.name, s.passed, s.failed, s.skipped, s.took_s))
    print("%-10s %8s %8s %8s %9.1f" % ("total", "", "", "", took_s))
    for title, lists in (("skipped:", [s.skips for s in done]), ("failed:", [s.failures for s in done])):
        texts = [t for l in lists for t in l]
        if texts:
            print("\n%s\n  %s" % (title, "\n  ".join(texts)))
    p, f, k = (sum(getattr(s, n) for s in done) for n in ("passed", "failed", "skipped"))
    print("\n%d passed, %d failed, %d skipped" % (p, f, k), flush=True)
    return 1 if f or not p else 0


def main():
    ap = argparse.ArgumentParser(prog="./scripts/test")
    ap.add_argument("--check", action="store_true", help="the small set of ./scripts/check")
    ap.add_argument("--long", action="store_true", help="the night's size")
    ap.add_argument("--list", action="store_true", help="print the names of the stages")
    ap.add_argument("--only", default="", metavar="STAGE[,STAGE]")
    ap.add_argument("--skip", default="", metavar="STAGE[,STAGE]")
    ap.add_argument("--fuzz-target", default=None, help=argparse.SUPPRESS)
    ap.add_argument("--result", default="", help=argparse.SUPPRESS)
    ap.add_argument("--fuzz-seconds", type=int, default=0, help=argparse.SUPPRESS)
    options = ap.parse_args()
    stages = [Stage(*s) for s in (CHECK if options.check else TEST)]
    if options.list:
        print("\n".join("%-10s %s" % (s.name, s.why) for s in stages))
        return 0
    if options.fuzz_target is not None:
        return fuzz_command(options)
    names = {s.name for s in stages}
    for n in filter(None, (options.only + "," + options.skip).split(",")):
        if n not in names:
            ap.error("no stage %r; there are: %s" % (n, " ".join(s.name for s in stages)))
    t0 = time.monotonic()
    wanted = [s for s in stages if (not options.only or s.name in options.only.split(","))
              and s.name not in options.skip.split(",")]
    run_stages(wanted, options)
    if options.result:
        result_write(options.result, wanted)
    return summary(stages, time.monotonic() - t0)


def fuzz_command(options):
    targets = {os.path.basename(t): t for t in fuzz_targets()}
    name = options.fuzz_target
    name = name if name in targets else "fuzz_" + name
    if name not in targets:
        print("targets:\n  " + ("\n  ".join(targets) or "(none)"))
        return 0 if options.fuzz_target == "" else 1
    stage = Stage("fuzz", None, "")
    build_fuzz(stage)
    fuzz_one(stage, targets[name], options.fuzz_seconds)
    return 1 if stage.failed else 0


def stopped(number, frame):
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stopped)
    try:
        status = main()
    except KeyboardInterrupt:
        for runner in runners:
            runner.terminate()
            runner.wait()
        with running_lock:
            for program in running:
                kill_group(program)
        print("interrupted", flush=True)
        status = 130
    sys.stdout.flush()
    os._exit(status)
