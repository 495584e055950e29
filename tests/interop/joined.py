# SPDX-License-Identifier: BSD-3-Clause
"""A kernel node and dptipcd on one wire: what test_dptipcd.py and the demo build on.

Everything that depends on the command lines of dptipcd and of its client programs
is in this file.
"""
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "ktipc")]
import dpttest
from dpttest import built, need, spawn, wait_until
from kernel import bed

NET_ID = 4711
OUR_ADDR, KERNEL_ADDR = "1.1.2", "1.1.1"
OUR_HEX, KERNEL_HEX = "1001002", "1001001"

def daemon(tb, vdevs=(), bearers=(), addr=OUR_ADDR, extra=(), timeout_s=20):
    """dptipcd in the network namespace of the testbed (tb None: in ours), ready.
    It has the default name: abstract socket names end at the namespace."""
    argv = [built("app/dataplane/dptipcd")]
    for v in vdevs:
        argv += ["--vdev", v]
    argv += ["--", "--net-id", str(NET_ID)]
    if addr:
        argv += ["--node-addr", addr]
    for b in bearers:
        argv += ["--bearer", b]
    argv += list(extra)
    p = spawn(tb.ns_argv(argv) if tb else argv)
    p.expect(r"dptipcd: ready", timeout_s)
    p.ready_at = time.monotonic()
    return p


class Pair:
    """Kernel node k and dptipcd d, joined by the topology of that name. Nothing is
    enabled yet: start_kernel() and start_ours() enable the bearers, in either order."""

    def __init__(self, topology, mem=None):
        built("app/dataplane/dptipcd")          # skips before anything is started
        self.topology, self.tb = topology, bed()
        self.sock = os.path.join(self.tb.dir, "ours.sock")
        nic = {"veth": "br0", "tap": "br0", "direct": "tap", "vhost": "vhost:" + self.sock}[topology]
        self.k = self.tb.node("k", [nic], mem=mem)
        self.k.ready()
        self.vdev, self.bearer, self.device = {
            "veth": ("net_af_packet0,iface=d0", "eth:net_af_packet0", "d0"),
            "direct": ("net_af_packet0,iface=k.0", "eth:net_af_packet0", "k.0"),
            "tap": ("net_tap0,iface=dt0", "eth:net_tap0", "dt0"),
            "vhost": ("net_vhost0,iface=%s,queues=1" % self.sock, "eth:net_vhost0", None),
        }[topology]
        if topology == "veth":
            self.tb.veth("d0", "br0")
        self.d = None

    def start_ours(self, extra=(), addr=OUR_ADDR):
        self.d = daemon(self.tb, [self.vdev], [self.bearer], addr, extra)
        if self.topology == "tap":
            # The port has the device's own address, which a bridge would take for its own.
            self.tb.ns("ip link set dt0 address 02:4b:ff:00:00:01")
            self.tb.attach("dt0", "br0")
        return self.d

    def ours_enabled_at(self):
        """when dptipcd's bearer could carry frames: with vhost-user, when the cable was in"""
        if self.topology != "vhost":
            return self.d.ready_at
        return max(self.d.ready_at, self.k.nics[0]["proxy"].plugged_at)

    def wait_carrier(self, timeout_s=10):
        """until dptipcd knows that its port is connected (vhost-user takes most of a second)"""
        ask = " ".join(self.tb.ns_argv([built("tests/support/dpt_info"), "node"]))

        def is_up():
            shown = subprocess.run(ask, shell=True, capture_output=True, text=True).stdout
            return re.search(r"^Bearer .* mtu \d+ up\b", shown, re.M)
        wait_until(is_up, timeout_s, "the bearer has no carrier", 0.05)

    def start_kernel(self):
        self.k.tipc("node set address", KERNEL_ADDR)
        return self.enable_kernel()

    def enable_kernel(self):
        """the kernel's bearer; returns the time when the kernel's tool had enabled it"""
        self.k.tipc("bearer enable media eth device eth0")
        return time.monotonic()

    def wait_link(self, timeout_s=10):
        self.k.wait_links(1, timeout_s)
        return self

    def up(self, extra=()):
        """both, with their link up"""
        self.start_ours(extra)
        self.start_kernel()
        return self.wait_link()

    def capture(self, path):
        """of the wire, on veth (net_af_packet bypasses the taps of its own device, so
        what we send is seen at the other end)"""
        return self.tb.capture(self.device + "-p", path)

    def our_mac(self):
        return re.search(r"link/ether (\S+)", self.tb.ns("ip -o link show " + self.device).out)[1]

    # -- programs
    def ours(self, *argv):
        """dpt_peer (tipcpeer's twin on libdptipc), started where dptipcd is"""
        return spawn(self.tb.ns_argv([built("tests/support/dpt_peer"), *argv]))

    def ours_run(self, *argv, timeout_s=30, want=0):
        p = self.ours(*argv)
        p.wait(timeout_s, want)
        return p.out

    # -- what the kernel shows
    def names(self, type_):
        """[(lower, upper, node in hex)] of the kernel's name table"""
        found = []
        for l in self.k.tipc("nametable show").splitlines():
            w = l.split()
            if len(w) >= 6 and w[0] == str(type_):
                found.append((int(w[1]), int(w[2]), w[5]))
        return sorted(found)

    def wait_names(self, type_, wanted, timeout_s=3):
        """until the kernel's table has exactly these; returns the seconds it took"""
        t0 = time.monotonic()
        wait_until(lambda: self.names(type_) == sorted(wanted), timeout_s,
                   lambda: "the kernel's names of type %d are %s, wanted %s" % (
                       type_, self.names(type_), sorted(wanted)))
        return time.monotonic() - t0


def socket_address(line_match):
    """=REF:NODE of a peer's READY line"""
    m = re.search(r"=(\d+):(0x[0-9a-f]+)", line_match)
    need(m, "no socket address in: " + line_match)
    return "=%s:%s" % (m[1], m[2])


def read_capture(path, display_filter, *fields, preferences=()):
    """rows of fields (or lines) of the frames that tshark's filter lets through"""
    argv = ["tshark", "-n", "-r", path, "-Y", display_filter]
    for p in preferences:
        argv += ["-o", p]
    if fields:
        argv += ["-T", "fields", "-E", "separator=|"]
        for f in fields:
            argv += ["-e", f]
    out = dpttest.run(argv, 60)
    return [l for l in out.splitlines() if l and not l.startswith(("Running as user", "tshark:"))]
