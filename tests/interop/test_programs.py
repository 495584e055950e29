#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The programs of tests/programs on a kernel's TIPC: what tests/system demands of them under
dptipc-run is what they do where they come from.

       kernel node k: both ends of everything
"""
import os
import re
import shutil
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "ktipc")]
import dpttest
from dpttest import Skip, built, equal, main, need, test
from kernel import bed

PROGRAMS = os.path.join(dpttest.TOP, "tests/programs")
# The system's: what is below a home folder is slow to load there.
PYTHON = "/usr/bin/python3"


def node():
    tb = bed()
    k = tb.node("k", ["br0"])
    k.ready()
    k.tipc("node set address", "1.1.1")
    return k


def run(k, command, timeout=200):
    """its output, by way of a file: a serial line is slow"""
    r = k.run("( %s ) > /run/kt/said 2>&1" % command, timeout=timeout)
    with open(os.path.join(k.dir, "said")) as f:
        out = f.read()
    equal(r.rc, 0, "exit status of %s:\n%s\n" % (command, out[-3000:]))
    return out


def checks(program, script):
    """every check of a script, in one go; an interpreter starts slowly in such a node"""
    if not shutil.which(program):
        raise Skip(program + " is missing (./scripts/install-deps)")
    out = run(node(), "%s %s --all" % (program, os.path.join(PROGRAMS, script)), 400)
    wrong = re.findall(r"^FAILED .*$", out, re.M)
    need(not wrong, "\n".join(wrong) + "\n" + out[-3000:])
    return "%d checks" % len(re.findall(r"^ok \w+$", out, re.M))


def add(label, program, script):
    def one():
        return checks(program, script)
    one.__name__ = "kernel_passes_" + label
    test(limit_s=500)(one)


for name in "kinds", "selectors", "asyncio", "processes":
    add("python_" + name, PYTHON, "py_%s.py" % name)
add("perl", "/usr/bin/perl", "sockets.pl")
add("ruby", "/usr/bin/ruby", "sockets.rb")


def beside(k, server, client):
    """a server in the background until its client has ended"""
    return run(k, "%s & %s || { kill $!; exit 1; }; wait $!" % (server, client))


@test(limit_s=300)
def kernel_runs_the_programs_in_c():
    k, p = node(), {n: built("tests/programs/" + n) for n in
                    ("greet", "forkserver", "selecting", "blast", "storm", "mixed")}
    out = beside(k, p["greet"] + " server 100", p["greet"] + " client 100")
    need('client: 100 greetings, the last answer was "Uh ?"' in out, out)
    for kind in "seqpacket", "stream":
        out = beside(k, "%s %s 10" % (p["forkserver"], kind), "%s %s 10 50" % (p["selecting"], kind))
        need("10 children, 0 failed" in out and "10 connections, 50 rounds each" in out, out)
    out = beside(k, p["blast"] + " receiver 0", p["blast"] + " sender 1 500")
    need("receiver 0: 500 messages" in out, out)
    need("storm: 80 connections, 80 served" in run(k, p["storm"] + " 4 20"))
    out = run(k, "TMPDIR=/run %s 3" % p["mixed"])
    equal(len(re.findall(r"^\S+ +[1-9]\d* messages", out, re.M)), 7, "kinds of channels that moved something")


if __name__ == "__main__":
    main()
