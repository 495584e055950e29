#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 of a process with connections, at random instants: P4, P5.

Two nodes. On the first lives the victim (victim.py): listeners, connections both ways, half-open
ones, subscriptions, names. On each node a keeper, driven from here, is its peer. After each
kill: every peer is told, nothing of the victim is left on either node, buffers are flat.

Needs no root. 100 rounds; --quick 15, --long 1000.
"""
import errno
import os
import random
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import dpttest
from dpttest import Failure, equal, main, need, spawn, test, wait_until
from daemon import new_name, start
from look import *
from region import *

HERE = os.path.dirname(os.path.realpath(__file__))
SERVICE = 22000
SEED = 9


class Keeper:
    """A process of each node: two of its listeners accept, one does not."""

    def __init__(self, d, instance, rng):
        self.d, self.rng, self.r = d, rng, Region(d.name)
        self.listener = self.listen(instance)
        self.silent = self.listen(3)
        self.conns, self.dialling = [], []

    def listen(self, instance):
        s = self.r.socket(SEQPACKET)
        s.bind(SERVICE + 10, instance, instance, 2)
        s.listen()
        return s

    def accept(self, listener):
        listener.take()
        status, answer, fds = self.r.ask(ACCEPT, listener.idx, ends=1, want=None)
        if status == 0:
            self.conns.append(Sock(self.r, answer[0], answer[1], fds[0]))

    def dial(self):
        if len(self.dialling) > 3:
            return
        s = self.r.socket(self.rng.choice([SEQPACKET, STREAM]))
        if s.connect(to_service(SERVICE, self.rng.randrange(3))) == 0:
            self.dialling.append(s)
        else:
            s.close()

    def turn(self):
        """Something while the victim lives."""
        if self.listener.peek():
            self.accept(self.listener)
        if self.rng.random() < 0.2:
            self.dial()
        for s in self.dialling[:]:
            if s.state != CONNECTING:
                self.dialling.remove(s)
                self.conns.append(s)
        if self.conns:
            s = self.rng.choice(self.conns)
            if s.state == ESTABLISHED and may_send(s):
                s.send(bytes(self.rng.choice([1, 2000, 40000])), result=False)
            while self.rng.random() < 0.5 and s.peek():
                if s.take()[1]:         # the victim has ended it
                    self.conns.remove(s)
                    s.close()
                    break

    def told(self, killed_s):
        """After the kill: each connection ends, each attempt is refused. Returns the slowest."""
        slowest = 0.0
        for listener in self.listener, self.silent:
            while listener.peek():
                self.accept(listener)
        for s in self.dialling + self.conns:
            # Read to the end: a window that is shut keeps the end back. None: it was accepted
            # and ended before there was anything to read.
            end = time.monotonic() + 20
            while True:
                rec = s.peek()
                if rec:
                    s.take()
                    if rec[1]:
                        break
                elif s.state == DISCONNECTING and s.so_error:
                    break
                elif time.monotonic() > end:
                    raise Failure("port %d is not told: state %d, in %s" % (
                        s.port, s.state, info(self.d, INFO_SOCKETS)))
                else:
                    time.sleep(0.0005)
            slowest = max(slowest, time.monotonic() - killed_s)
            wait_until(lambda: s.state == DISCONNECTING, 5, "state of an ended connection", 0.0005)
            s.close()
        self.dialling, self.conns = [], []
        return slowest


def names_left(d):
    return [l for l in info(d, INFO_NAMES).splitlines()
            if l.split()[0].isdigit() and SERVICE <= int(l.split()[0]) < SERVICE + 10]


def no_names(d, killed_s, after_s):
    wait_until(lambda: not names_left(d), 10, lambda: "names are left: %s" % names_left(d), after_s)
    return time.monotonic() - killed_s


def broken_rules(d):
    """counters of what processes were detached for"""
    return [" ".join(l.split()[:2]) for l in info(d, INFO_COUNTERS).splitlines()
            if re.search(r"hostile|app_bad", l)]


def one_round(number, nodes, keepers, rng):
    v = spawn([sys.executable, os.path.join(HERE, "victim.py"), nodes[0].name, str(SEED * 100000 + number),
               str(SERVICE)])
    # From before it has attached to long after.
    alive_s = rng.choice([rng.uniform(0, 0.1), rng.uniform(0.08, 0.2), rng.uniform(0.1, 0.5)])
    end = time.monotonic() + alive_s
    while time.monotonic() < end:
        for k in keepers:
            k.turn()
        need(v.running(), "the victim ended by itself", v.out)
    killed_s = time.monotonic()
    v.kill()
    had = sum(len(k.conns) + len(k.dialling) for k in keepers)
    names_s = [no_names(d, killed_s, 0.001) for d in nodes]
    told_s = max(k.told(killed_s) for k in keepers)
    for d, k in zip(nodes, keepers):
        wait_until(lambda: sockets(d) == 2, 15, lambda: "sockets are left: %s" % info(d, INFO_SOCKETS))
        wait_until(lambda: counter(d, "control.processes") == 2, 5, "the keeper, and who asks")
    return names_s, told_s, had


def spread(values):
    values = sorted(values)
    return "%.1f/%.1f/%.1f" % tuple(1e3 * values[int(q * (len(values) - 1))] for q in (0.5, 0.99, 1))


@test(limit_s=1200)
def killed_processes_leave_nothing_and_everybody_is_told():
    rounds = 1000 if dpttest.long_run else 15 if dpttest.quick else 100
    wire = "unix:" + new_name()
    nodes = [start("--bearer", wire), start("--bearer", wire)]
    rng = random.Random(SEED)
    keepers = [Keeper(d, i + 1, rng) for i, d in enumerate(nodes)]
    for d in nodes:
        wait_until(lambda: info(d, INFO_NAMES).count(str(SERVICE + 10)) == 4, 10, "names of the keepers")
    # What the first rounds make once (reserves, first blocks) is no leak.
    one_round(1000000, nodes, keepers, rng)
    buffers = [counter(d, "pool.buffers_used") for d in nodes]
    first, second, told, had = [], [], [], 0
    for n in range(rounds):
        try:
            names_s, told_s, cnt = one_round(n, nodes, keepers, rng)
        except Exception:
            print("     round %d of seed %d; %s" % (n, SEED, [broken_rules(d) for d in nodes]), flush=True)
            raise
        first.append(names_s[0])
        second.append(names_s[1])
        told.append(told_s)
        had += cnt
        for d, before in zip(nodes, buffers):
            flat(d, before + 16, "buffers after round %d" % n)
    for d, before in zip(nodes, buffers):
        flat(d, before)
        equal(counter(d, "control.processes_hostile"), 0)
        d.stop()
    return ("%d rounds, %d connections; ms until (median/99 %%/worst): names gone %s on its node, %s on the "
            "other, last peer told %s" % (rounds, had, spread(first), spread(second), spread(told)))


if __name__ == "__main__":
    main()
