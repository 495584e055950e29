#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""CPython's own socket module on AF_TIPC, unmodified, under dptipc-run: each check of
tests/programs/py_*.py, with the system's own interpreter, and with the one that runs the tests where
there is none or with --long.

The checks know nothing of dptipc: tests/interop/test_programs.py runs the same on a kernel's TIPC.
"""
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), HERE]
from dpttest import Skip, main, run, test
from preloaded import PROGRAMS, Checks

FILES = ("kinds", "selectors", "asyncio", "processes")


def interpreters():
    """{label: path}; the same one is not tried twice"""
    own, system = os.path.realpath(sys.executable), "/usr/bin/python3"
    out = {"system": system} if os.path.exists(system) else {}
    if not out or ("--long" in sys.argv[1:] and os.path.realpath(system) != own):
        out["own"] = own
    return out


@test
def python_knows_of_tipc():
    out = {label: run([python, "-c", "import socket, platform; print(hasattr(socket, 'AF_TIPC'), "
                       "platform.python_version())"]).split() for label, python in interpreters().items()}
    without = [label for label, words in out.items() if words[0] != "True"]
    if without:
        raise Skip("built without AF_TIPC: " + ", ".join(without))
    return ", ".join("%s: %s" % (label, words[1]) for label, words in out.items())


for label_, python_ in interpreters().items():
    for file_ in FILES:
        Checks("python_%s_%s_" % (label_, file_), [python_, "-B", os.path.join(PROGRAMS, "py_%s.py" % file_)])

if __name__ == "__main__":
    main()
