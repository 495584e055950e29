#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Perl's and Ruby's own sockets on AF_TIPC, unmodified, under dptipc-run: each check of
tests/programs/sockets.pl and sockets.rb.

They know nothing of dptipc: tests/interop/test_programs.py runs the same on a kernel's TIPC.
"""
import os
import shutil
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), HERE]
from dpttest import main, need_tools, test
from preloaded import PROGRAMS, Checks


@test
def perl_and_ruby_are_there():
    need_tools("perl", "ruby")


for language, script in ("perl", "sockets.pl"), ("ruby", "sockets.rb"):
    if shutil.which(language):
        Checks(language + "_", [shutil.which(language), os.path.join(PROGRAMS, script)])

if __name__ == "__main__":
    main()
