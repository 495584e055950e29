#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The conformance suite on libdptipc: each case must print what the kernel prints
(tests/conformance/kernel-6.1.txt), but for the differences that are wanted
(tests/conformance/differences.txt). Needs no root.

A case is a test here; all that were asked for run in one go, with one dptipcd.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "../conformance"), HERE]
import dpttest
import transcripts
from daemon import new_name, start
from dpttest import Failure, built, main, spawn, test

# One hang must not end the rest: what a case is given is in the suite, this bounds all.
SUITE_S = 900
KERNEL = transcripts.read(transcripts.GOLDEN)
WANTED = transcripts.wanted_differences()
ours = None


def asked_for():
    """the cases that --filter lets through"""
    words = sys.argv[1:]
    pattern = words[words.index("--filter") + 1] if "--filter" in words[:-1] else ""
    return [c for c in KERNEL if re.search(pattern, "conform_" + c)]


def run_suite():
    """the transcripts of all cases that were asked for, made once"""
    global ours
    if ours is None:
        # (a node without a bearer does not take its address)
        d = start("--node-addr", "1.1.1", "--bearer", "unix:" + new_name())
        cases = asked_for()
        only = "" if len(cases) == len(KERNEL) else "^(%s)$" % "|".join(cases)
        p = spawn([built("tests/conformance/conform_dptipc"), "--only", only], env={"DPTIPC_NAME": d.name})
        p.wait(SUITE_S)
        ours = transcripts.parse(p.out)
        if not d.running():
            print("dptipcd has ended: %s" % d.out[-2000:], flush=True)
    return ours


def add(case):
    def compare():
        wrong = transcripts.verdict(KERNEL[case], run_suite().get(case), WANTED.get(case))
        if wrong:
            raise Failure(wrong)
        return "difference as wanted" if case in WANTED else ""
    compare.__name__ = "conform_" + case
    test(limit_s=SUITE_S + 60)(compare)


for name in KERNEL:
    add(name)


@test
def conform_all_cases_have_a_golden_transcript():
    p = spawn([built("tests/conformance/conform_dptipc"), "--list"])
    p.wait(10, 0)
    dpttest.equal(sorted(p.out.split()), sorted(KERNEL), "cases of the program and of kernel-6.1.txt")
    unknown = [c for c in WANTED if c not in KERNEL and not c.startswith("pair_")]
    dpttest.equal(unknown, [], "cases of differences.txt that there are not")


if __name__ == "__main__":
    main()
