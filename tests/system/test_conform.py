#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The conformance suite on libdptipc: each case must print what the kernel prints
(tests/conformance/kernel-6.1.txt), but for the differences that are wanted
(tests/conformance/differences.txt). Needs no root.
"""
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "../conformance")]
from dpttest import built, main
from suite import Suite

Suite("conform_", lambda name: [built("tests/conformance/conform_dptipc")])

if __name__ == "__main__":
    main()
