# SPDX-License-Identifier: BSD-3-Clause
"""The conformance suite on one dptipcd, as tests of dpttest: a case is a test, all that were
asked for run in one go. Used by tests/system/test_conform*.py."""
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "../system")]
import dpttest
import transcripts
from daemon import new_name, start
from dpttest import Failure, spawn, test

# One hang must not end the rest: what a case is given is in the suite, this bounds all.
SUITE_S = 900
KERNEL = transcripts.read(transcripts.GOLDEN)
WANTED = transcripts.wanted_differences()


class Suite:
    """argv_for: the program's words, given the name of a dptipcd"""

    def __init__(self, prefix, argv_for):
        self.prefix, self.argv_for, self.ours = prefix, argv_for, None
        for case in KERNEL:
            self._add(case)
        self._add_the_list()

    def _asked_for(self):
        """the cases that --filter lets through"""
        words = sys.argv[1:]
        pattern = words[words.index("--filter") + 1] if "--filter" in words[:-1] else ""
        return [c for c in KERNEL if re.search(pattern, self.prefix + c)]

    def _run(self):
        """the transcripts of all cases that were asked for, made once"""
        if self.ours is not None:
            return self.ours
        # (a node without a bearer does not take its address)
        d = start("--node-addr", "1.1.1", "--bearer", "unix:" + new_name())
        cases = self._asked_for()
        only = "" if len(cases) == len(KERNEL) else "^(%s)$" % "|".join(cases)
        p = spawn([*self.argv_for(d.name), "--only", only], env={"DPTIPC_NAME": d.name})
        p.wait(SUITE_S)
        self.ours = transcripts.parse(p.out)
        if not d.running():
            print("dptipcd has ended: %s" % d.out[-2000:], flush=True)
        return self.ours

    def _add(self, case):
        def compare():
            wrong = transcripts.verdict(KERNEL[case], self._run().get(case), WANTED.get(case))
            if wrong:
                raise Failure(wrong)
            return "difference as wanted" if case in WANTED else ""
        compare.__name__ = self.prefix + case
        test(limit_s=SUITE_S + 60)(compare)

    def _add_the_list(self):
        def all_cases_have_a_golden_transcript():
            p = spawn([*self.argv_for("none"), "--list"])
            p.wait(10, 0)
            dpttest.equal(sorted(p.out.split()), sorted(KERNEL), "cases of the program and of kernel-6.1.txt")
            unknown = [c for c in WANTED if c not in KERNEL and not c.startswith("pair_")]
            dpttest.equal(unknown, [], "cases of differences.txt that there are not")
        all_cases_have_a_golden_transcript.__name__ = self.prefix + "all_cases_have_a_golden_transcript"
        test(all_cases_have_a_golden_transcript)
