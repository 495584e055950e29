#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bearers enabled and disabled while the node runs, and the start-up file.

Changes go over the attach socket as netlink datagrams, as the tipc tool's do (13-netlink.md, 5.2,
5.3), from a path, so that one process reaches nodes in several network namespaces:

    this test --BEARER_ENABLE, BEARER_DISABLE--> dptipcd a |va ---- vb| dptipcd b
                                                 (namespace 1)    (namespace 2)
"""
import errno
import os
import re
import signal
import socket
import struct
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dpttest import (Failure, Skip, built, cleanup, equal, main, need, need_root, need_tools, run, test,
                     wait_until)
from daemon import launch, new_name, refused, start
from wires import Namespace, ask, counter, traffic, ups, wait_links

NETLINK, GENERIC, EXT_ACK = 19, 16, 3               # lib/shm/dpt_attach.h; CAP_ACK and EXT_ACK
DISABLE, ENABLE, GET = 2, 3, 4                      # TIPC_NL_BEARER_*
FAILED = "Failed to enable media"


class Netlink:
    """One connection to a dptipcd's netlink."""

    def __init__(self, d):
        self.seq = 0
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(30)
        cleanup(self.sock.close)
        self.sock.connect(d.path)
        self.sock.send(struct.pack("=IIi5I", NETLINK, 1, 0, GENERIC, EXT_ACK, 0, 0, 0))
        answer = struct.unpack("=IIi5I", self.sock.recv(64))
        equal(answer[2], 0, "answer to NETLINK")

    def send(self, cmd, name, priority=None, domain=None):
        def attr(kind, data):
            return struct.pack("=HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)
        nest = b""
        if domain is not None:
            nest += attr(3, struct.pack("=I", domain))
        if priority is not None:
            nest += attr(0x8002, attr(1, struct.pack("=I", priority)))
        nest += attr(1, name.encode() + b"\0")
        body = struct.pack("=BBH", cmd, 0, 0) + attr(0x8001, nest)
        self.seq += 1
        self.sock.send(struct.pack("=IHHII", 16 + len(body), 32, 5, self.seq, 7) + body)

    def answer(self):
        """(errno, text) of the next error or ACK"""
        data = self.sock.recv(8192)
        need(len(data) >= 36, "the connection has ended", data)
        size, kind, flags, seq, _, code = struct.unpack_from("=IHHIIi", data)
        equal((kind, seq), (2, self.seq), "kind and number of the answer")
        text = ""
        if flags & 0x200:
            size, kind = struct.unpack_from("=HH", data, 36)
            equal(kind, 1, "attribute of the error")
            text = data[40:36 + size].rstrip(b"\0").decode()
        return -code, text

    def do(self, cmd, name, **kw):
        self.send(cmd, name, **kw)
        return self.answer()

    def enable(self, name, **kw):
        equal(self.do(ENABLE, name, **kw), (0, ""), "enable " + name)

    def disable(self, name):
        equal(self.do(DISABLE, name), (0, ""), "disable " + name)


_folder = None


def folder():
    """A folder that goes with this program."""
    global _folder
    if _folder is None:
        _folder = tempfile.TemporaryDirectory(prefix="dptipc-live-")
    return _folder.name


def begin(*options, **kw):
    """A node that can be reached by a path."""
    path = os.path.join(folder(), new_name())
    d = start("--socket", path, *options, **kw)
    d.path = path
    return d


def pair(*options, wires=1):
    """Two nodes without a bearer, a namespace each, and cables between va0.. and vb0.."""
    need_root()
    near, far = Namespace(), Namespace()
    for i in range(wires):
        near.add_veth("va%d" % i, "vb%d" % i, far)
    a = begin("--node-addr", "1.1.1", *options, before=near.enter)
    b = begin("--node-addr", "1.1.2", *options, before=far.enter)
    return near, far, a, b


def pid_of(d):
    """ip netns exec becomes the program that it starts."""
    return d.pid


def fds(d):
    return len(os.listdir("/proc/%d/fd" % pid_of(d)))


def used(d):
    return counter(d, "pool.buffers_used")


def bearers(d):
    return re.findall(r"^Bearer +(\S+) .* (up|down),", ask(d, "node"), re.M)


# ---- enable, disable ----

@test
def bearer_enabled_live_carries_messages_until_it_is_disabled():
    near, far, a, b = pair()
    equal((bearers(a), bearers(b)), ([], []))
    na, nb = Netlink(a), Netlink(b)
    na.enable("eth:va0")
    nb.enable("eth:vb0", priority=17)
    a.expect(r"bearer eth:va0 enabled, [0-9a-f:]{17}, mtu 1500, 1 queue", 5)
    wait_links(1, a, b)
    equal(bearers(a), [("eth:va0", "up")])
    need("1001001:va0-1001002:vb0" in ask(a, "links"), ask(a, "links"))
    equal(ups(b)[0]["priority"], 17, "priority that was asked for")
    traffic(a, b, 200)()
    traffic(b, a, 200)()
    na.disable("eth:va0")
    a.expect("bearer eth:va0 disabled", 5)
    equal((bearers(a), ask(a, "links").count("\n")), ([], 1), "bearers, lines on links")
    # Its last words: the peer need not wait for its tolerance, which is longer than this test.
    wait_until(lambda: not ups(b), 20, lambda: ask(b, "links"))
    # The device is free: another bearer of another name takes it.
    na.enable("eth:va0")
    wait_links(1, a, b)
    traffic(a, b, 100)()
    for d in (a, b):
        d.stop()


@test
def last_words_of_a_bearer_reach_the_peer_with_two_workers():
    # Addresses that the hash puts on worker 1 of two, which has a queue of its own or not.
    near, far, a, b = pair("--workers", "2", "--tolerance", "30000")
    na, nb = Netlink(a), Netlink(b)
    for _ in range(3):
        na.enable("eth:va0")
        nb.enable("eth:vb0")
        wait_links(1, a, b)
        na.disable("eth:va0")
        wait_until(lambda: not ups(b), 10, lambda: "heard of it:\n" + ask(b, "links"))
        nb.disable("eth:vb0")
    for d in (a, b):
        d.stop()


@test
def wire_of_our_own_media_is_enabled_live():
    a, b = begin(), begin()
    n = Netlink(a)
    wire = "unix:" + new_name()
    n.enable(wire)
    Netlink(b).enable(wire)
    wait_links(1, a, b)
    traffic(a, b, 100)()
    a.stop()
    b.stop()


@test
def bearer_with_a_domain_looks_for_the_peers_in_it():
    # 02-discovery.md: one address, 1.1.2, of the two that are there.
    wire, other = ("unix:" + new_name() for _ in range(2))
    a = begin("--node-addr", "1.1.1")
    b = begin("--node-addr", "1.1.2", "--bearer", wire, "--bearer", other)
    c = begin("--node-addr", "1.1.3", "--bearer", wire, "--bearer", other)
    d = begin("--node-addr", "1.1.4", "--bearer", other + ",domain=1.1.2")
    Netlink(a).enable(wire, domain=0x01001002)
    # b and c have two links with each other: then they have heard of everybody.
    wait_until(lambda: len(ups(b)) == 4 and len(ups(c)) == 2, 20, lambda: ask(b, "links") + ask(c, "links"))
    wait_links(1, a, d)
    for node in (a, d):
        need("-1001002:" in ups(node)[0]["name"], ask(node, "links"))
    equal(len(ups(c)), 2, "links of the one that nobody looks for")
    for node in (a, b, c, d):
        node.stop()


@test
def bearer_without_carrier_is_enabled_and_comes_up_with_it():
    near, far, a, b = pair()
    far.ip("link", "set", "vb0", "down")
    na, nb = Netlink(a), Netlink(b)
    na.enable("eth:va0")
    nb.enable("eth:vb0")
    a.expect("bearer eth:va0: no carrier", 5)
    equal(bearers(a), [("eth:va0", "down")])
    far.ip("link", "set", "vb0", "up")
    wait_links(1, a, b)
    far.ip("link", "set", "vb0", "down")
    wait_until(lambda: bearers(a) == [("eth:va0", "down")], 10, lambda: ask(a, "node"))
    na.disable("eth:va0")
    equal(bearers(a), [])
    for d in (a, b):
        d.stop()


@test
def bearer_of_a_device_that_goes_is_disabled():
    # 11-management.md, C3, rule 4.
    near, far, a, b = pair(wires=2)
    na, nb = Netlink(a), Netlink(b)
    for i in "01":
        na.enable("eth:va" + i)
        nb.enable("eth:vb" + i)
    wait_links(2, a, b)
    end = traffic(a, b, 3000)
    near.ip("link", "del", "va0")
    a.expect("bearer eth:va0: its device has gone", 10)
    a.expect("bearer eth:va0 disabled", 10)
    b.expect("bearer eth:vb0 disabled", 10)
    end()
    equal((bearers(a), bearers(b)), ([("eth:va1", "up")], [("eth:vb1", "up")]))
    equal(na.do(DISABLE, "eth:va0"), (errno.EINVAL, "Bearer not found"))
    # A device of the same name comes: it is another one.
    near.add_veth("va0", "vb0", far)
    na.enable("eth:va0")
    nb.enable("eth:vb0")
    wait_links(2, a, b)
    # Another name is another device.
    near.ip("link", "set", "va0", "down")
    near.ip("link", "set", "va0", "name", "vax")
    a.expect("bearer eth:va0 disabled", 10)
    equal(counter(a, "stack.nodes_down"), 0, "contacts lost")
    for d in (a, b):
        d.stop()


@test
def mtu_of_a_device_changes_that_of_links():
    near, far, a, b = pair()
    near.ip("link", "set", "va0", "mtu", "1400")
    na, nb = Netlink(a), Netlink(b)
    na.enable("eth:va0")
    nb.enable("eth:vb0")
    wait_links(1, a, b)
    equal([ups(d)[0]["mtu"] for d in (a, b)], [1400, 1400], "MTU at both ends: the smaller one")
    near.ip("link", "set", "va0", "mtu", "900")
    a.expect("bearer eth:va0: the MTU is now 900", 10)
    wait_until(lambda: [l["mtu"] for d in (a, b) for l in ups(d)] == [900, 900], 20,
               lambda: ask(a, "links") + ask(b, "links"))
    traffic(a, b, 200)()
    near.ip("link", "set", "va0", "mtu", "1500")
    wait_until(lambda: [l["mtu"] for d in (a, b) for l in ups(d)] == [1500, 1500], 20,
               lambda: ask(a, "links") + ask(b, "links"))
    traffic(a, b, 200)()
    # Too small for TIPC: the bearer goes.
    near.ip("link", "set", "va0", "mtu", "400")
    a.expect("the MTU is now 400; TIPC needs at least 576", 10)
    a.expect("bearer eth:va0 disabled", 10)
    for d in (a, b):
        d.stop()


# ---- what is refused ----

def said(d, text):
    """(its words come by a pipe, maybe behind its answer)"""
    wait_until(lambda: text in d.out, 5, lambda: "%r in: %s" % (text, d.out))


@test
def what_cannot_be_enabled_is_refused_in_the_kernels_words():
    need_root()
    ns = Namespace()
    ns.add_veth("va0", "vb0")
    ns.add_veth("vsmall", "vx")
    ns.ip("link", "set", "vsmall", "mtu", "99")
    ns.add_veth("v,comma", "vy")
    ns.ip("tuntap", "add", "tun0", "mode", "tun")
    a = begin(before=ns.enter)
    n = Netlink(a)
    before = fds(a)
    for name, code, text in (
            ("eth", errno.EINVAL, "Illegal name"),
            ("eth:", errno.EINVAL, "Illegal name"),
            (":va0", errno.EINVAL, "Illegal name"),
            ("", errno.EINVAL, "Illegal name"),
            ("eth:abcdefghijklmnop", errno.EINVAL, "Illegal name"),
            ("abcdefghijklmnop:va0", errno.EINVAL, "Illegal name"),
            ("wifi:va0", errno.EINVAL, "Media not registered"),
            ("loop:va0", errno.EINVAL, "Media not registered"),
            ("ib:va0", errno.ENODEV, FAILED),
            ("eth:abcdefghijklmno", errno.ENODEV, FAILED),
            ("eth:0", errno.ENODEV, FAILED),
            ("eth:0000:ff:1f.7", errno.ENODEV, FAILED),
            ("eth:vsmall", errno.EINVAL, FAILED),
            ("eth:lo", errno.EINVAL, FAILED),
            ("eth:tun0", errno.EINVAL, FAILED),
            ("eth:v,comma", errno.EINVAL, FAILED)):
        equal(n.do(ENABLE, name), (code, text), name)
    equal(n.do(ENABLE, "eth:va0", priority=32), (errno.EINVAL, ""), "priority 32")
    equal(n.do(DISABLE, "eth:va0"), (errno.EINVAL, "Bearer not found"))
    equal((bearers(a), fds(a)), ([], before), "bearers, descriptors afterwards")
    said(a, "not enabled: eth:lo: the loopback interface carries no TIPC")
    n.enable("eth:va0")
    equal(n.do(ENABLE, "eth:va0"), (errno.EINVAL, "Already enabled"))
    # The same device under another name.
    equal(n.do(ENABLE, "eth:0"), (errno.EBUSY, FAILED))
    said(a, "already in use")
    a.stop()


@test
def interface_that_has_a_port_of_dpdk_already_is_refused():
    need_root()
    ns = Namespace()
    ns.add_veth("va0", "vb0")
    a = begin("--bearer", "eth:net_af_packet0", before=ns.enter, eal=["--vdev", "net_af_packet0,iface=va0"])
    n = Netlink(a)
    before = fds(a)
    for _ in range(3):
        equal(n.do(ENABLE, "eth:va0"), (errno.EINVAL, FAILED))
    said(a, "eth:va0: the same interface as eth:net_af_packet0")
    equal(fds(a), before, "descriptors afterwards")
    # A port that was there before comes back when its bearer does; and its interface is free.
    for _ in range(3):
        n.disable("eth:net_af_packet0")
        n.enable("eth:va0")
        n.disable("eth:va0")
        n.enable("eth:net_af_packet0")
    need(fds(a) <= before, "descriptors: %d, before %d" % (fds(a), before))
    b = begin("--bearer", "eth:vb0", before=ns.enter)
    wait_links(1, a, b)
    traffic(a, b, 100)()
    a.stop()
    b.stop()


@test
def priorities_are_adjusted_as_the_kernel_does():
    # 11-management.md, C3, rules 1 and 2.
    wires = [new_name() for _ in range(4)]
    a = begin("--bearer", "unix:" + wires[0])
    n = Netlink(a)
    n.enable("unix:" + wires[1])
    n.enable("unix:" + wires[2])
    equal(n.do(ENABLE, "unix:" + wires[1]), (errno.EINVAL, "Already enabled"))
    equal(n.do(ENABLE, "unix:" + wires[3]), (errno.EINVAL, "Max 3 bearers permitted"))
    b = begin()
    m = Netlink(b)
    for w in wires[:3]:
        m.enable("unix:" + w)
    wait_until(lambda: len(ups(b)) == 2, 20, lambda: ask(b, "links"))
    n.disable("unix:" + wires[0])
    n.disable("unix:" + wires[1])
    wait_until(lambda: [l["priority"] for l in ups(a)] == [9], 20, lambda: ask(a, "links"))
    n.disable("unix:" + wires[2])
    for w in wires[:2]:
        n.enable("unix:" + w, priority=0)
    equal(n.do(ENABLE, "unix:" + wires[2], priority=0), (errno.EINVAL, "Cannot adjust to lower"))
    a.stop()
    b.stop()


@test
def three_bearers_of_one_priority_start_with_two():
    wires = ["unix:" + new_name() for _ in range(3)]
    a = start(*[w for wire in wires for w in ("--bearer", wire)])
    b = start("--bearer", wires[2])
    wait_until(lambda: [l["priority"] for l in ups(a)] == [9], 20, lambda: ask(a, "links"))
    a.stop()
    b.stop()


# ---- many times, under load ----

ROUNDS = 100 if "--long" in sys.argv[1:] else 20


def churn(times, workers):
    """Bearer 0 comes and goes at one end while bearer 1 carries messages both ways."""
    near, far, a, b = pair("--workers", str(workers), wires=2)
    na, nb, before = Netlink(a), Netlink(b), {d: used(d) for d in (a, b)}
    na.enable("eth:va1")
    for i in "01":
        nb.enable("eth:vb" + i)
    wait_links(1, a, b)
    ends, under_load, flat = [], 0, None
    for n in range(times):
        while len(ends) < 2 or not all(end.source.running() for end in ends):
            for end in ends:
                end()
            ends = [traffic(a, b, 4000, 19400 + n, 100), traffic(b, a, 4000, 19500 + n, 100)]
        na.enable("eth:va0")
        # Sometimes at once, sometimes when the link carries half of it.
        if n % 2:
            wait_links(2, a, b)
        na.disable("eth:va0")
        under_load += all(end.source.running() for end in ends)
        if n == 4:
            flat = fds(a)
    for end in ends:
        end()
    equal(counter(a, "stack.nodes_down"), 0, "contacts lost")
    # The programs have gone, and with them what they held.
    wait_until(lambda: fds(a) <= flat, 10, lambda: "%d descriptors, %d before" % (fds(a), flat))
    nb.disable("eth:vb0")
    na.disable("eth:va1")
    nb.disable("eth:vb1")
    for d in (a, b):
        # Without a bearer there is nothing on its way.
        wait_until(lambda: used(d) == before[d], 10,
                   lambda: "%d buffers in use, %d before" % (used(d), before[d]))
        d.stop()
    return "%d times, %d of them under load" % (times, under_load)


@test(limit_s=300)
def hazard_11_10_bearer_that_comes_and_goes_under_load_loses_nothing_beside_another():
    return churn(ROUNDS, 1)


@test(limit_s=300)
def hazard_11_10_the_same_with_two_workers():
    return churn(ROUNDS, 2)


@test
def hazard_11_10_changes_of_several_programs_follow_one_another():
    wires = ["unix:" + new_name() for _ in range(4)]
    a = begin("--workers", "2")
    allowed = {(0, ""), (errno.EINVAL, "Already enabled"), (errno.EINVAL, "Bearer not found"),
               (errno.EINVAL, "Max 3 bearers permitted")}
    wrong, done, before = [], [], used(a)

    def one(n, wire):
        for i in range(60):
            got = n.do(ENABLE if i % 2 == 0 else DISABLE, wire)
            done.append(got)
            if got not in allowed:
                wrong.append((wire, got))
    threads = [threading.Thread(target=one, args=(Netlink(a), w)) for w in wires + wires]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    equal((wrong[:3], len(done)), ([], 480), "answers")
    need((0, "") in done and len(set(done)) > 1, set(done))
    n = Netlink(a)
    for w in wires:
        n.do(DISABLE, w)
    equal(bearers(a), [])
    equal(used(a), before, "buffers in use")
    a.stop()


@test
def program_that_goes_without_its_answer_leaves_a_whole_bearer():
    wires = ["unix:" + new_name() for _ in range(2)]
    a = begin()
    for _ in range(20):
        for cmd in (ENABLE, DISABLE):
            n = Netlink(a)
            n.send(cmd, wires[0])
            n.sock.close()
    Netlink(a).do(DISABLE, wires[0])
    n = Netlink(a)
    wait_until(lambda: n.do(DISABLE, wires[0]) == (errno.EINVAL, "Bearer not found"), 10, "gone")
    n.enable(wires[0])
    a.stop()


@test
def dptipcd_stops_in_the_middle_of_changes():
    for i in range(6):
        wires = ["unix:" + new_name() for _ in range(2)]
        a = begin("--workers", "2")
        conns = [Netlink(a) for _ in range(6)]
        for k, n in enumerate(conns):
            n.send(ENABLE, wires[k % 2])
        if i % 2:
            equal(conns[0].answer(), (0, ""), "the first one")
        a.stop()


# ---- the start-up file ----

def startup_file(text):
    path = os.path.join(folder(), new_name() + ".conf")
    with open(path, "w") as f:
        f.write(text)
    return path


def need_tool():
    need_tools("tipc")
    built("app/run/dptipc-run")


@test
def startup_file_that_is_wrong_ends_dptipcd_before_it_starts():
    for text, wanted in (("bearer list\nbearer 'eth\n", ':2: \' is not closed'),
                         ('\n\n"', ':3: " is not closed'),
                         ("# a comment\nlist \\", ":2: nothing behind the last \\\\"),
                         ("w " * 70, ":1: too many words"),
                         ("x" * 70000, ": too large"),
                         ("a\0b", ": this is no text")):
        path = startup_file(text)
        out = refused("--startup-file", path)
        need(re.search(re.escape(path) + wanted, out), out)
    out = refused("--startup-file", "/nowhere/x")
    need("--startup-file: /nowhere/x: No such file or directory" in out, out)


@test
def startup_file_without_commands_is_ready_at_once():
    start("--startup-file", startup_file("")).stop()
    start("--startup-file", startup_file("# nothing\n\n   \t\n  tipc\n")).stop()


@test
def startup_file_without_the_tool_says_what_to_install():
    need_root("a mount namespace without the tool")
    need_tools("unshare", "mount")
    hide = "for t in /usr/sbin/tipc /sbin/tipc /usr/bin/tipc; do if [ -e $t ]; then " \
           "mount --bind /dev/null $t; fi; done; exec \"$@\""
    out = refused("--startup-file", startup_file("bearer list\n"),
                  before=["unshare", "-m", "sh", "-c", hide, "sh"])
    need("it needs the tool tipc, which is not here: install iproute2" in out, out)


@test
def startup_file_runs_the_tool_and_then_dptipcd_is_ready():
    need_root()
    need_tool()
    near, far = Namespace(), Namespace()
    near.add_veth("va0", "vb0", far)
    path = startup_file("# bearers of this node\n"
                        "tipc node set identity first\n"
                        "node set netid 77\n"
                        "\n"
                        "bearer enable  priority '1'1 media eth device \"va0\"   # the cable\n"
                        "tipc bearer list\n")
    a = start("--startup-file", path, before=near.enter)
    need(re.search(r"conf:6: eth:va0$.*^dptipcd: ready", a.out, re.M | re.S), a.out)
    b = start("--net-id", "77", "--bearer", "eth:vb0", before=far.enter)
    wait_links(1, a, b)
    equal(ups(a)[0]["priority"], 11)
    need("first" in ask(a, "node"), ask(a, "node"))
    a.stop()
    b.stop()


@test
def startup_file_with_a_command_that_fails_ends_dptipcd():
    need_tool()
    path = startup_file("bearer list\n\nbearer enable media eth device nonesuch\nbearer list\n")
    d = launch("--startup-file", path)
    d.wait(30, 1)
    need(path + ":3: Error: Failed to enable media" in d.out, d.out)
    need("kernel answers: No such device" in d.out, d.out)
    need("dptipcd: ready" not in d.out, d.out)


@test
def startup_file_that_is_under_way_ends_with_dptipcd():
    # A command that never ends: the stand-in for the tool comes first in PATH.
    need_tool()
    place = tempfile.mkdtemp(dir=folder())
    with open(os.path.join(place, "tipc"), "w") as f:
        f.write("#!/bin/sh\necho $$ >%s/pid\nsleep 600\n" % place)
    os.chmod(os.path.join(place, "tipc"), 0o755)
    d = launch("--startup-file", startup_file("bearer list\n"),
               before=["env", "PATH=%s:%s" % (place, os.environ["PATH"])])
    wait_until(lambda: os.path.exists(place + "/pid") and open(place + "/pid").read().strip(), 20,
               lambda: "the command has begun: " + d.out)
    child = int(open(place + "/pid").read())
    d.signal(signal.SIGTERM)
    d.wait(20, 0)
    wait_until(lambda: not os.path.exists("/proc/%d" % child), 10, "the command ends, too")
    need("ready" not in d.out, d.out)


if __name__ == "__main__":
    main()
