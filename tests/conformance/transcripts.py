# SPDX-License-Identifier: BSD-3-Clause
"""Transcripts of the conformance suite: read, compared, the differences that are wanted.

A transcript is a line "== CASE" and the lines of that case. differences.txt lists where ours
may be, and then must be, another one than the kernel's (tests/support/differences.py).
"""
import os
import queue
import re
import subprocess
import sys
import threading

import differences

HERE = os.path.dirname(os.path.realpath(__file__))
GOLDEN = os.path.join(HERE, "kernel-6.1.txt")
GOLDEN_PAIRS = os.path.join(HERE, "kernel-6.1-pairs.txt")
DIFFERENCES = os.path.join(HERE, "differences.txt")


def parse(text):
    """{case: [line]}"""
    cases, lines = {}, None
    for l in text.splitlines():
        if l.startswith("== "):
            lines = cases.setdefault(l[3:], [])
        elif lines is not None:
            lines.append(l)
    return cases


def read(path):
    with open(path) as f:
        return parse("\n".join(l for l in f.read().splitlines() if not l.startswith("#")))


def write(path, cases, head):
    with open(path, "w") as f:
        f.write("".join("# %s\n" % l for l in head))
        for case, lines in cases.items():
            f.write("== %s\n%s" % (case, "".join(l + "\n" for l in lines)))


def wanted_differences():
    """{case: [line with - or + in front]}"""
    return {case: lines for case, (_, lines) in differences.wanted_differences(DIFFERENCES).items()}


def verdict(kernel, ours, wanted):
    """What is wrong with our transcript of a case, or None."""
    if ours is None:
        return "there is no transcript"
    got = differences.difference(kernel, ours)
    if got == (wanted or []):
        return None
    if not got:
        return "differences.txt lists a difference that is not there"
    return "\n".join((["not the difference that differences.txt lists:"] if wanted else []) + got)


# ------------------------------------------------------------------ pairs

class Relay:
    """What two programs of pair cases say to each other (tests/conformance/pair.c)."""

    def __init__(self, act):
        self.act, self.sides, self.values, self.todo = act, [None, None], [{}, {}], queue.Queue()
        self.case = None
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def line(self, role, text):
        self.todo.put((role, text))

    def _work(self):
        while True:
            role, text = self.todo.get()
            if role is None:
                return
            m = re.match(r"([@!]) (\S+) (\d+) (\S+)$", text)
            if not m:
                sys.stderr.write("role %d: %s\n" % (role, text))
                continue
            kind, case, number, value = m.groups()
            if case != self.case:
                self.case = case
                self.act("heal")        # what a case that was given up has left cut
            if kind == "!":
                self.act(value)
                self.sides[role].write("%s %s 0\n" % (case, number))
                continue
            self.values[role][case, number] = value
            other = self.values[1 - role].get((case, number))
            if other is not None:
                self.sides[role].write("%s %s %s\n" % (case, number, other))
                self.sides[1 - role].write("%s %s %s\n" % (case, number, value))

    def close(self):
        self.todo.put((None, ""))
        self.thread.join(5)


class InNode:
    """One of the two programs, in a kernel node."""

    def __init__(self, node, relay, role, argv):
        self.relay, self.role, self.text, self.rest = relay, role, bytearray(), b""
        relay.sides[role] = self
        self.program = node.popen(argv, sink=self._sink)

    def _sink(self, kind, data):
        if kind == "O":
            self.text += data
            return
        *lines, self.rest = (self.rest + data).split(b"\n")
        for l in lines:
            self.relay.line(self.role, l.decode("utf-8", "replace"))

    def write(self, text):
        self.program.write(text)

    def wait(self, timeout_s):
        self.program.wait(timeout_s)
        return parse(bytes(self.text).decode("utf-8", "replace"))


class OnHost:
    """One of the two programs, on this machine, on libdptipc."""

    def __init__(self, relay, role, argv, env):
        self.relay, self.role, self.text = relay, role, bytearray()
        relay.sides[role] = self
        self.program = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=dict(os.environ, **env))
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._out, self._err)]
        for t in self.threads:
            t.start()

    def _out(self):
        self.text += self.program.stdout.read()

    def _err(self):
        for l in self.program.stderr:
            self.relay.line(self.role, l.decode("utf-8", "replace").rstrip("\n"))

    def write(self, text):
        self.program.stdin.write(text.encode())
        self.program.stdin.flush()

    def wait(self, timeout_s):
        self.program.wait(timeout_s)
        for t in self.threads:
            t.join(5)
        return parse(bytes(self.text).decode("utf-8", "replace"))


def by_role(cases, role):
    return {"%s role %d" % (case, role): lines for case, lines in cases.items()}
