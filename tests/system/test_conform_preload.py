#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The conformance suite through libdptipc-preload: compiled for the plain calls, as for the
kernel, it must print what the kernel prints, but for the same differences as on libdptipc itself
(tests/conformance/differences.txt). Needs no root.
"""
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "../conformance"), HERE]
from dpttest import built, main
from preloaded import under
from suite import Suite

Suite("conform_preload_", lambda name: under(name, [built("tests/conformance/conform_plain")]))

if __name__ == "__main__":
    main()
