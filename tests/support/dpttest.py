# SPDX-License-Identifier: BSD-3-Clause
"""dpttest: the frame of the test programs in Python (tests/interop, tests/system).

    #!/usr/bin/env python3
    import os, sys
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
    from dpttest import Skip, built, equal, main, need, spawn, test

    @test
    def two_programs_talk():
        server = spawn([built("examples/hello/hello_server"), "18888", "1"])
        server.expect("bound")
        ...
        return "a note that is printed behind the name"

    if __name__ == "__main__":
        main()

Rules: a test is a plain function. It fails by raising; need() and equal() raise with
the values. It raises Skip("why") when something that it needs is not there. Whatever
it starts with spawn() is killed, by pid, when it ends, also when it fails; what else
must be undone is handed to cleanup(). Every wait has a bound.

Output: one line "ok NAME", "FAIL NAME" or "skip NAME: why" per test, then
"N passed, N failed, N skipped"; the exit status is 1 when one failed.
"""
import argparse
import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../.."))
BUILD = os.environ.get("DPT_BUILD") or os.path.join(TOP, "build")

# What main() was asked for: tests that can be shorter look at it.
quick = False
long_run = False

_tests = []
_here = threading.local()           # .case: the case that runs in this thread
_print_lock = threading.Lock()


class Skip(Exception):
    """The test cannot run here; the text says what is missing."""


class Failure(Exception):
    """Something is not as the test demands."""


class _Case:
    def __init__(self, function, background, limit_s):
        self.function, self.background, self.limit_s = function, background, limit_s
        self.name = function.__name__
        self.programs, self.undo = [], []
        self.result, self.note, self.start = None, "", 0.0
        self.lock = threading.Lock()

    def run(self):
        _here.case = self
        self.start = time.monotonic()
        try:
            note = self.function()
            result = ("ok", note or "")
        except Skip as e:
            result = ("skip", str(e))
        except Exception as e:                          # a test may fail in any way
            text = str(e) if isinstance(e, Failure) else traceback.format_exc()
            result = ("FAIL", text.rstrip() + self._where(e))
        self.clean()
        if self.result is None:                         # not given up by the watcher
            self.result = result
            self.took_s = time.monotonic() - self.start

    def _where(self, e):
        if not isinstance(e, Failure):
            return ""
        for f in reversed(traceback.extract_tb(e.__traceback__)):
            if f.filename != __file__:
                return "\n(%s:%d)" % (os.path.relpath(f.filename, TOP), f.lineno)
        return ""

    def clean(self):
        with self.lock:
            undo, self.undo = self.undo[::-1], []
            programs, self.programs = self.programs[::-1], []
        for u in undo:
            try:
                u()
            except Exception:                           # the others must be undone too
                with _print_lock:
                    traceback.print_exc()
        for p in programs:
            p.kill()
        for p in programs:
            _drop_stat_file(p.argv)


def _drop_stat_file(argv):
    """A dptipcd that was killed leaves its stat file, which is the point of it."""
    words = [str(a) for a in argv]
    if any(os.path.basename(w) == "dptipcd" for w in words) and "--name" in words[:-1]:
        name = words[words.index("--name") + 1] + ".stat"
        for folder in ("/run/dptipc", os.path.join(os.environ.get("XDG_RUNTIME_DIR", "/"), "dptipc"),
                       "/tmp/dptipc-%d" % os.geteuid()):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(folder, name))


def test(function=None, background=False, limit_s=120):
    """Decorator: registers a test. background: it is started first, in a thread of
    its own, and the others run meanwhile (for tests that mostly wait)."""
    def add(f):
        _tests.append(_Case(f, background, limit_s))
        return f
    return add(function) if function else add


def need(condition, *what):
    """Fail unless the condition holds; the further values are shown."""
    if not condition:
        raise Failure(" ".join(str(w) for w in what) or "condition does not hold")


def equal(got, wanted, what=""):
    if got != wanted:
        raise Failure("%s: got %r, wanted %r" % (what or "value", got, wanted))


def wait_until(condition, timeout_s, what, interval_s=0.02):
    """Call condition() until it returns something true, which is returned; fails
    after timeout_s. what: text for the failure, or a function that makes it."""
    end = time.monotonic() + timeout_s
    while True:
        got = condition()
        if got:
            return got
        if time.monotonic() > end:
            raise Failure("not within %g s: %s" % (timeout_s, what() if callable(what) else what))
        time.sleep(interval_s)


def cleanup(function):
    """Call function() when the current test ends; the last one given comes first.
    They come before the programs of the test are killed."""
    with _here.case.lock:
        _here.case.undo.append(function)


@contextlib.contextmanager
def session():
    """spawn(), run() and cleanup() outside of a test (the demo): what they begin ends
    with this block."""
    _here.case = case = _Case(session, False, 0)
    try:
        yield
    finally:
        case.clean()


def built(path):
    """Path of something in the build folder; Skip when it was not built."""
    full = os.path.join(BUILD, path)
    if not os.path.exists(full):
        raise Skip("%s is not built (./scripts/build)" % os.path.relpath(full, TOP))
    return full


def need_root(why="network namespaces and TAP devices"):
    if os.geteuid() != 0:
        raise Skip("needs root (%s)" % why)


# A command in front: another user without rights, but for that to enter folders, since the build
# folder may lie in a private one.
AS_NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups",
             "--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]


def need_tools(*names):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    for n in names:
        if not any(os.access(os.path.join(d, n), os.X_OK) for d in path.split(":")):
            raise Skip("%s is missing (./scripts/install-deps)" % n)


class Program:
    """A program that a test has started: output in .out, standard error merged."""

    def __init__(self, argv, env=None, cwd=None, stdin=subprocess.DEVNULL):
        self.argv = [str(a) for a in argv]
        self.cond, self.data, self.pos, self.eof = threading.Condition(), bytearray(), 0, False
        self.popen = subprocess.Popen(self.argv, stdin=stdin, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, cwd=cwd,
                                      env=dict(os.environ, **(env or {})))
        self.pid = self.popen.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            data = os.read(self.popen.stdout.fileno(), 65536)
            with self.cond:
                self.eof = not data
                self.data += data
                self.cond.notify_all()
            if not data:
                return

    @property
    def out(self):
        with self.cond:
            return bytes(self.data).decode("utf-8", "replace")

    def _tail(self):
        return "%s\n%s" % (" ".join(self.argv), self.out[-3000:])

    def expect(self, pattern, timeout_s=10):
        """Wait until output that no expect() has passed matches; returns the match."""
        rx, end = re.compile(pattern, re.M), time.monotonic() + timeout_s
        with self.cond:
            while True:
                m = rx.search(bytes(self.data).decode("utf-8", "replace"), self.pos)
                if m:
                    self.pos = m.end()
                    return m
                left = end - time.monotonic()
                if self.eof or left <= 0:
                    break
                self.cond.wait(left)
        raise Failure("no %r %s: %s" % (pattern, "before its end" if self.eof else
                                        "within %g s" % timeout_s, self._tail()))

    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def wait(self, timeout_s=10, want=None):
        """Exit status (negative: the signal); fails when it does not end, or when
        the status is not the wanted one."""
        try:
            rc = self.popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise Failure("no end within %g s: %s" % (timeout_s, self._tail())) from None
        self.reader.join(5)
        if want is not None and rc != want:
            raise Failure("exit status %d, wanted %d: %s" % (rc, want, self._tail()))
        return rc

    def kill(self):
        """SIGKILL, by pid, and reap."""
        if self.running():
            self.popen.kill()
        self.popen.wait()
        self.reader.join(5)

    def stop(self, timeout_s=10, want=0):
        """SIGTERM, then the exit status, which must be the wanted one."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout_s, want)


def spawn(argv, **kw):
    """Start a program; it is killed when the test ends."""
    p = Program(argv, **kw)
    with _here.case.lock:
        _here.case.programs.append(p)
    return p


def run(argv, timeout_s=30, want=0, **kw):
    """Run a program to its end; returns its output. want=None: any exit status."""
    p = spawn(argv, **kw)
    p.wait(timeout_s, want)
    return p.out


def _report(case):
    kind, text = case.result
    lines = text.splitlines()
    with _print_lock:
        if kind == "skip":
            print("skip %s: %s" % (case.name, text), flush=True)
        elif kind == "ok":
            print("ok   %-44s %6.1f s  %s" % (case.name, case.took_s, text), flush=True)
        else:
            print("FAIL %-44s %6.1f s" % (case.name, case.took_s))
            for l in lines:
                print("     " + l)
            print("     repeat: python3 %s%s --filter '^%s$'" % (
                os.path.relpath(os.path.realpath(sys.argv[0]), TOP),
                " --quick" if quick else "", case.name), flush=True)


def _run_cases(cases):
    """Background ones first; each is given up, and its programs killed, at its limit."""
    threads = {}

    def begin(c):
        c.start = time.monotonic()
        threads[c] = threading.Thread(target=c.run, daemon=True)
        threads[c].start()

    def end(c):
        threads[c].join(max(0.0, c.start + c.limit_s - time.monotonic()))
        if threads[c].is_alive():
            stack = sys._current_frames().get(threads[c].ident)
            where = "".join(traceback.format_stack(stack)[-4:]) if stack else ""
            c.took_s = time.monotonic() - c.start
            c.result = ("FAIL", "no end within its limit of %g s\n%s" % (c.limit_s, where))
            c.clean()
            threads[c].join(10)
        _report(c)

    background = [c for c in cases if c.background and len(cases) > 1]
    for c in background:
        begin(c)
    for c in cases:
        if c not in background:
            begin(c)
            end(c)
    for c in background:
        end(c)


def main():
    global quick, long_run
    ap = argparse.ArgumentParser()
    ap.add_argument("--list", action="store_true", help="print the names of the tests")
    ap.add_argument("--filter", default="", metavar="REGEX", help="run those whose name matches")
    ap.add_argument("--quick", action="store_true", help="shorten the tests that wait")
    ap.add_argument("--long", action="store_true", help="the night's size")
    a = ap.parse_args()
    quick, long_run = a.quick, a.long
    cases = [c for c in _tests if re.search(a.filter, c.name)]
    if a.list:
        print("\n".join(c.name for c in cases))
        sys.exit(0)

    def stopped(number, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, stopped)
    try:
        _run_cases(cases)
    except KeyboardInterrupt:
        for c in cases:
            c.clean()
        print("interrupted", flush=True)
        os._exit(130)
    counts = {k: sum(c.result[0] == k for c in cases) for k in ("ok", "FAIL", "skip")}
    print("%(ok)d passed, %(FAIL)d failed, %(skip)d skipped" % counts, flush=True)
    os._exit(1 if counts["FAIL"] or not cases else 0)
