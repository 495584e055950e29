#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Busy programs make no system calls: strace counts those of tests/programs/pingpong.c, an
unmodified AF_TIPC program under dptipc-run, beside a dptipcd whose worker polls.

    program <-- memory --> worker of dptipcd <-- memory --> program     100,000 messages

A message that lies unread for some microseconds makes the descriptor readable, with a system call
on each side (doc/decisions/0006-readable-descriptors.md): so program and worker have a CPU each,
and real-time priority, which keeps others from taking it away.
"""
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), HERE]
import daemon
from dpttest import Skip, built, cleanup, main, need, need_root, need_tools, run, test
from preloaded import under

MESSAGES = 100000
# A virtual machine's CPU is taken away for a moment now and then; else it would be a few.
CALLS_MAX = MESSAGES // 50
CPUS = sorted(os.sched_getaffinity(0))
ALONE = ["chrt", "-f", "1"]


def counted(d, *words):
    """{system call: times} of a program with all its threads and children"""
    f = tempfile.NamedTemporaryFile()
    cleanup(f.close)
    # (-U: of the table's columns the two that are wanted)
    run(["strace", "-f", "-c", "-U", "calls,name", "-o", f.name, *ALONE, "taskset", "-c", str(CPUS[1]),
         *under(d.name, words)], 100)
    with open(f.name) as table:
        calls = dict((name, int(cnt)) for cnt, name in re.findall(r"^\s*(\d+)\s+(\w+)$", table.read(), re.M))
    return {name: cnt for name, cnt in calls.items() if name != "total"}


def no_call_per_message(kind):
    need_tools("strace", "chrt", "taskset")
    need_root("real-time priority")
    if len(CPUS) < 2:
        raise Skip("needs 2 CPUs")
    d = daemon.start("--idle", "poll", eal=["--lcores=0@%d,1@%d" % (CPUS[1], CPUS[0])], before=ALONE)
    program = built("tests/programs/pingpong")
    idle, busy = (counted(d, program, kind, str(rounds)) for rounds in (10, 10 + MESSAGES // 2))
    if "socket" not in idle:
        raise Skip("strace counts nothing here (ptrace is not allowed)")
    more = {name: cnt - idle.get(name, 0) for name, cnt in busy.items() if cnt > idle.get(name, 0)}
    need(sum(more.values()) <= CALLS_MAX,
         "%d messages made %d system calls: %s" % (MESSAGES, sum(more.values()), more))
    return "%d messages: %d system calls%s; to start and end %d" % (
        MESSAGES, sum(more.values()), " %s" % more if more else "", sum(idle.values()))


@test
def rdm_makes_no_system_call_per_message():
    return no_call_per_message("rdm")


@test
def seqpacket_makes_no_system_call_per_message():
    return no_call_per_message("seqpacket")


if __name__ == "__main__":
    main()
