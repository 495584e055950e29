# SPDX-License-Identifier: BSD-3-Clause
"""Programs that know nothing of dptipc, under dptipc-run."""
import os
import re
import subprocess
import sys

import daemon
from dpttest import TOP, Failure, built, need, run, spawn, test

PROGRAMS = os.path.join(TOP, "tests/programs")
# A check ends itself earlier (check.py).
CHECK_S = 80


def under(name, argv):
    """the words that run a program on the dptipcd of that name"""
    return [built("app/run/dptipc-run"), "--name", name, *map(str, argv)]


def node(*options):
    """a dptipcd with an address of its own, though alone"""
    return daemon.start("--node-addr", "1.1.1", "--bearer", "unix:" + daemon.new_name(), *options)


def spawn_under(d, argv, **kw):
    return spawn(under(d.name, argv), **kw)


def run_under(d, argv, timeout_s=60, **kw):
    """runs it to its end; dptipcd must have lived through it"""
    out = run(under(d.name, argv), timeout_s, **kw)
    need(d.running(), "dptipcd has ended:\n" + d.out[-2000:])
    return out


class Checks:
    """A program with many checks (tests/programs/check.py says how it is called): each check is a
    test here; those that were asked for run in one go, each in a process of its own, on one
    dptipcd."""

    def __init__(self, prefix, argv):
        self.prefix, self.argv, self.results = prefix, list(map(str, argv)), None
        r = subprocess.run([*self.argv, "--list"], capture_output=True, text=True, timeout=30)
        # (a program that cannot say them is one test that fails)
        self.names = r.stdout.split() or ["has_a_list_of_checks"]
        for name in self.names:
            self._add(name)

    def _run(self):
        if self.results is None:
            words = sys.argv[1:]
            pattern = words[words.index("--filter") + 1] if "--filter" in words[:-1] else ""
            d, self.results = node(), {}
            for name in self.names:
                if re.search(pattern, self.prefix + name):
                    self.results[name] = self._one(d, name)
                    if not d.running():
                        self.results[name] = (self.results[name][0], "dptipcd has ended:\n" + d.out[-3000:])
                        d = node()
        return self.results

    def _one(self, d, name):
        p = spawn_under(d, [*self.argv, name])
        try:
            status = p.wait(CHECK_S)
        except Failure:
            p.kill()
            status = "none within %d s" % CHECK_S
        return status, p.out

    def _add(self, name):
        def one():
            status, out = self._run()[name]
            if status != 0 or "ok " + name not in out.split("\n"):
                raise Failure("exit status %s:\n%s\nby hand: dptipc-run --name NAME %s %s" % (
                    status, out, " ".join(self.argv), name))
        one.__name__ = self.prefix + name
        test(limit_s=CHECK_S * len(self.names) + 60)(one)
