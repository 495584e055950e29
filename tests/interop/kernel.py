# SPDX-License-Identifier: BSD-3-Clause
"""What the programs of this folder share: a testbed that ends with its test."""
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "ktipc")]
import dpttest
import ktipc

peer = ktipc.peer


def need_kernel():
    """Skip when kernel nodes cannot run here."""
    dpttest.need_root()
    dpttest.need_tools("linux.uml", "ip", "tipc", "nsenter", "gcc")
    if not os.path.exists("/dev/net/tun"):
        raise dpttest.Skip("/dev/net/tun is missing: the host's kernel has no TAP devices")


def bed(**options):
    """A testbed (see ktipc/ktipc.py) that is closed when the current test ends."""
    need_kernel()
    tb = ktipc.Testbed(**options)
    dpttest.cleanup(tb.close)
    return tb
