#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The unmodified `tipc` and `ss` of iproute2, under dptipc-run, against dptipcd: each command that
was recorded on a kernel node (tests/data/tipc-tool-golden) is run again, in the same order, on the
same names, and what it prints is compared (golden.py). A test is one scenario; README.txt beside
the recordings says what each of them is. Differences that are wanted: tool_differences.txt.

    python3 tests/system/test_tool.py --filter 04_set
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import differences
import golden
from dpttest import AS_NOBODY, Failure, built, cleanup, equal, main, need, need_tools, run, spawn, test, wait_until
from tool_node import HERE, Node, wire

HEX_IDENTITY = "0102030405060708090a0b0c0d0e0f10"
MAC = "52:54:00:00:00:02"           # an identity that is not given is taken from it
MAC_IDENTITY, MAC_ADDRESS = "525400000002", "52560000"
ADDRESS = {"node1": "5f6f6465", "node2": "5c6f6465"}


def play(scenario, node, before=None, counters=None, is_late=None):
    """Run each record of a scenario on a node. Keyed by the first three characters of a label:
    before: what to do ahead of it; counters: golden.comparable's; is_late: a function that says
    whether the moment in which the record holds has passed."""
    before, counters, is_late = dict(before or {}), counters or {}, is_late or {}
    wanted, wrong = differences.wanted_differences(golden.DIFFERENCES), []
    counts = {"equal": 0, "other": 0, "later": 0, "missed": 0}
    for record in golden.read(scenario):
        number = record.label[:3]
        before.pop(number, lambda: None)()
        ours = golden.Run(scenario, record.label, record.argv, *node.command(record.argv))
        how = counters.get(number, counters.get("all", "all"))
        got = differences.difference(golden.comparable(record, how), golden.comparable(ours, how))
        reason, listed = wanted.get(record.name, ("", []))
        if got == listed:
            counts["equal" if not listed else "later" if reason.startswith("later:") else "other"] += 1
        elif number in is_late and is_late[number]():
            counts["missed"] += 1
        else:
            wrong.append("== %s\n%s%s" % (record.name, "(tool_differences.txt has another one)\n" * bool(listed),
                                          "\n".join(got) or "(nothing is different)"))
    equal(list(before), [], "labels that are not there")
    need(not wrong, "%d of %d records\n%s" % (len(wrong), len(wrong) + sum(counts.values()), "\n".join(wrong)))
    texts = (("equal", "as the kernel"), ("other", "another way, wanted"), ("later", "not yet there"),
             ("missed", "in whose moment we were late"))
    return "of %d: " % sum(counts.values()) + ", ".join("%d %s" % (counts[k], t) for k, t in texts if counts[k])


def named(name):
    """a node that runs and has an identity, not yet an address"""
    node = Node().start()
    node.tipc("node set identity " + name)
    return node


def pair(*devices):
    """node1 and node2, joined on these devices; no bearer yet"""
    a, b = named("node1"), named("node2")
    for d in devices:
        wire(a, d, b, d)
    return a, b


def linked():
    """node1 and node2 with a link on eth0"""
    a, b = pair("eth0")
    for node in a, b:
        node.enable("eth0")
    a.wait_link("node1:eth0-node2:eth0")
    b.wait_link("node2:eth0-node1:eth0")
    return a, b


def alone(device, mac=None):
    """a node that runs, with a device that nobody listens at"""
    node, other = Node(), Node()
    wire(node, device, other, device, a_mac=mac)
    return node.start()


# ---- the recorded scenarios ----

@test
def tool_00_fresh():
    return play("00-fresh", Node().start())


@test
def tool_01_config():
    return play("01-config", Node().start())


@test
def tool_02_onenode():
    node = alone("eth0")
    node.tipc("node set identity node1")
    node.tipc("link set broadcast REPLICAST")

    def has_address():
        return node.tipc("node get address") != "00000000\n"
    return play("02-onenode", node, {"003": lambda: node.wait_address(ADDRESS["node1"])},
                is_late={"002": has_address})


def cluster():
    """node1 and node2 with the sockets of both"""
    a, b = linked()
    a.tipc("link set broadcast REPLICAST")
    script = os.path.join(HERE, "tool_sockets.py")
    programs = [n.program(sys.executable, script, number) for n, number in ((a, "1"), (b, "2"))]
    for p in programs:
        p.expect("^ready$", 30)
    for node, unread in ((a, "UNCONN 23 "), (b, "ESTAB  20 "), (b, "ESTAB  1 ")):
        wait_until(lambda node=node, unread=unread: unread in node.command(["ss", "--tipc"])[1], 10,
                   lambda node=node: "unread messages: " + node.command(["ss", "--tipc"])[1], 0.1)
    return a, b


@test(limit_s=180)
def tool_03_cluster():
    return play("03-cluster", cluster()[0], counters={"all": "traffic"})


@test(limit_s=180)
def tool_03b_cluster_other_node():
    return play("03b-cluster-other-node", cluster()[1], counters={"all": "traffic"})


@test(limit_s=180)
def tool_04_set():
    a, b = linked()
    wire(a, "eth1", b, "eth1")
    return play("04-set", a, {"032": lambda: a.wait_link("node1:eth0-node2:eth0")}, {"023": "states"})


@test(limit_s=180)
def tool_05_udp():
    a, b = pair("eth0", "eth1")
    a.ip("addr add 10.0.0.1/24 dev eth1")
    a.ip("addr add fd00::1/64 dev eth1 nodad")
    b.ip("addr add 10.0.0.2/24 dev eth1")
    a.enable("eth0", "domain 16781312")
    a.wait_address(ADDRESS["node1"])
    return play("05-udp", a)


@test(limit_s=180)
def tool_06_two_bearers():
    a, b = pair("eth0", "eth1")
    for node in a, b:
        node.enable("eth0", "priority 10")
        node.enable("eth1", "priority 5")
    for n in "0", "1":
        a.wait_link("node1:eth%s-node2:eth%s" % (n, n))

    def lose_carrier():
        b.ip("link set eth1 down")
        # (it is shown as down between the other end's word and the loss of the own carrier)
        wait_until(lambda: "node1:eth1-" not in a.tipc("link list"), 10, "the link is there", 0.1)
    return play("06-two-bearers", a, {"014": lose_carrier})


@test
def tool_07_key():
    return play("07-key", named("node1"))


@test(limit_s=240)
def tool_08_eight_nodes():
    nodes = [Node() for _ in range(8)]
    first, second = nodes[:2]
    second.ip("link add br0 type bridge")
    second.ip("link set br0 up")
    for number, node in enumerate(nodes, 1):
        if node is not second:
            wire(node, "eth0" if node is first else "e", second, "port%d" % number)
            second.ip("link set port%d master br0" % number)
    for number, node in enumerate(nodes, 1):
        node.start()
        node.tipc("node set identity node%d" % number)
        node.tipc("link monitor set threshold 4")
        node.enable("eth0" if node is first else "br0" if node is second else "e")
    for number in range(2, 9):
        first.wait_link("node1:eth0-node%d:%s" % (number, "br0" if number == 2 else "e"))
    return play("08-eight-nodes", first)


@test
def tool_09_legacy_address():
    a, b = Node(), Node()
    wire(a, "eth0", b, "eth0", b_mac=MAC)
    a.start()
    b.start().enable("eth0")
    b.wait_address(MAC_ADDRESS)
    return play("09-legacy-address", a, {"012": lambda: a.wait_link("1001001:eth0-%s:eth0" % MAC_IDENTITY)})


@test
def tool_10_auto_identity():
    node = alone("eth0", MAC)
    return play("10-auto-identity", node, {"002": lambda: node.wait_address(MAC_ADDRESS)})


@test
def tool_11_hex_identity():
    node = alone("eth0")

    def enable():
        node.enable("eth0")
        node.wait_address("00000010")
    return play("11-hex-identity", node, {"003": enable})


@test
def tool_12_peer_lost():
    a, b = Node().start(), named(HEX_IDENTITY)
    wire(a, "eth0", b, "eth0")
    a.tipc("node set address 1.1.1")
    for node in a, b:
        node.enable("eth0")
    a.wait_link("1001001:eth0-10:eth0")
    b.kill()
    a.wait_shown("link list", "1001001:eth0-10:eth0: down")
    return play("12-peer-lost", a, counters={"all": "none"})


@test
def tool_13_bearer_limits():
    node, other = named("node1"), Node()
    for device in "eth0", "va0", "va1", "va2", "va3":
        wire(node, device, other, device)
    node.ip("link set lo up")
    node.ip("link set va3 mtu 90")
    node.enable("eth0")

    def disable(*devices):
        for d in devices:
            node.tipc("bearer disable media eth device " + d)
    return play("13-bearer-limits", node, {"009": lambda: disable("eth0"),
                                           "013": lambda: disable("va0", "va1", "va2")})


# ---- what was not recorded ----

@test
def ports_are_the_same_in_every_table():
    node = Node().start()
    holder = node.program(sys.executable, "-c", "import socket, signal\n"
                          "s = socket.socket(socket.AF_TIPC, socket.SOCK_RDM)\n"
                          "s.bind((socket.TIPC_ADDR_NAMESEQ, 18888, 17, 17))\n"
                          "print(s.getsockname()[2], flush=True)\nsignal.pause()")
    port = holder.expect(r"^(\d+)$")[1]
    need(re.search(r"^18888 +17 +17 +cluster +%s\b" % port, node.tipc("nametable show"), re.M), port)
    need("socket %s\n  bound to {18888,17,17}\n" % port in node.tipc("socket list"), port)
    need(re.search(r"^UNCONN .*:%s\b" % port, node.command(["ss", "--tipc"])[1], re.M), port)
    holder.kill()
    wait_until(lambda: "18888" not in node.tipc("nametable show"), 10, "name of a dead program", 0.1)
    need("socket %s\n" % port not in node.tipc("socket list"), "a dead program has a socket")


@test
def everybody_may_look_but_only_root_may_change():
    need_tools("setpriv")
    node = alone("eth0")
    for words, status in (("nametable show", 0), ("socket list", 0), ("link list", 0), ("bearer list", 0),
                          ("node set identity me", 255), ("bearer enable media eth device eth0", 255),
                          ("link monitor set threshold 5", 255), ("media set priority 5 media eth", 255)):
        got, out, err = node.command([*AS_NOBODY, "tipc", *words.split()])
        equal((got, err), (status, "kernel answers: Operation not permitted\n" if status else ""), words)
    equal(node.tipc("node get identity").splitlines()[1].split(), ["00000000"], "identity")
    equal(node.tipc("bearer list"), "", "bearers")


@test
def without_dptipcd_the_tool_says_so():
    need_tools("tipc")
    p = spawn([built("app/run/dptipc-run"), "--name", "nobody-%d" % os.getpid(), "tipc", "node", "list"])
    need(p.wait(20) != 0, "exit status 0: " + p.out)
    need(p.out.strip(), "no word of what is missing")
    return p.out.strip().replace("\n", " | ")


# ---- of the comparison itself ----

@test
def every_recorded_run_is_read():
    runs = [r for s in golden.scenarios() for r in golden.read(s)]
    equal(len(runs), 421, "recorded runs")
    equal({r.argv[0] for r in runs}, {"tipc", "ss"}, "programs")
    equal(len({r.name for r in runs}), len(runs), "names")
    played = set(re.findall(r'play\("([^"]+)"', open(os.path.realpath(__file__)).read()))
    equal(played, set(golden.scenarios()), "scenarios")


@test
def a_changed_word_is_a_difference():
    # Each word of each output in turn: what is replaced before the comparison are numbers alone.
    changed, forgotten = 0, {}
    for record in (r for s in golden.scenarios() for r in golden.read(s)):
        plain = golden.comparable(record)
        for m in re.finditer(r"[\w.:-]+", record.out):
            text = record.out[:m.start()] + m[0] + "7" + record.out[m.end():]
            other = golden.Run(record.scenario, record.label, record.argv, record.status, text, record.err)
            changed += 1
            if not differences.difference(plain, golden.comparable(other)):
                forgotten[m[0]] = record.name
        for other in (golden.Run(record.scenario, record.label, record.argv, record.status + 1, record.out,
                                 record.err),
                      golden.Run(record.scenario, record.label, record.argv, record.status, record.out,
                                 record.err + "x\n")):
            need(differences.difference(plain, golden.comparable(other)), record.name)
    words = [w for w in forgotten if not re.search(r"\d$|^sk:", w)]
    equal(words, [], "words that may be anything")
    return "%d changes, %d different numbers that may be others" % (changed, len(forgotten))


@test
def listed_differences_are_of_recorded_runs():
    runs = {r.name: golden.comparable(r) + golden.comparable(r, "none")
            for s in golden.scenarios() for r in golden.read(s)}
    for name, (reason, lines) in differences.wanted_differences(golden.DIFFERENCES).items():
        need(name in runs, "there is no run " + name)
        need(reason, "no reason for " + name)
        for l in lines:
            need(l[:2] == "+ " or l[2:] in runs[name], "the kernel has no line", l, "in", name)


if __name__ == "__main__":
    main()
