#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The conformance suite where the kernel is: the golden transcripts still hold, and the same
programs with their two ends on different systems.

    one node     the suite in a kernel node, compared with tests/conformance/kernel-6.1.txt
    kernel pair  kernel node a <1.1.1> -- bridge br0 -- kernel node b <1.1.2>, --update only
    pairs        kernel node k <1.1.1> -- bridge br0 -- veth d0 -- dptipcd <1.1.2>: each program
                 once in the role of the client and once in that of the server, compared with
                 tests/conformance/kernel-6.1-pairs.txt, what two kernel nodes print

--update (the only option then) writes both files anew.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "../conformance"),
                os.path.join(HERE, "ktipc")]
import differences
import dpttest
import transcripts
from dpttest import Failure, built, main, test
from joined import Pair
from kernel import bed
from transcripts import InNode, OnHost, Relay, by_role

SUITE_S = 600
KERNEL_NODE, OUR_NODE = "0x1001001", "0x1001002"
KERNEL = transcripts.read(transcripts.GOLDEN)
PAIRS = transcripts.read(transcripts.GOLDEN_PAIRS) if os.path.exists(transcripts.GOLDEN_PAIRS) else {}
WANTED = transcripts.wanted_differences()
results = {}


def kernel_program():
    """the suite on the kernel's sockets: what a node may execute is cached in it, so each
    build has a name of its own"""
    return built("tests/conformance/conform_kernel")


def pattern():
    words = sys.argv[1:]
    return words[words.index("--filter") + 1] if "--filter" in words[:-1] else ""


# ---------------------------------------------------------------- one node

def one_node(only=""):
    tb = bed()
    k = tb.node("k", ["br0"])
    k.ready()
    k.tipc("node set address", "1.1.1")
    program = kernel_program()
    # (a file of the node's folder: a serial line is slow)
    k.run("%s --only '%s' > /run/kt/transcript" % (program, only), timeout=SUITE_S, check=True)
    with open(os.path.join(k.dir, "transcript")) as f:
        return transcripts.parse(f.read())


@test(limit_s=SUITE_S + 120)
def kernel_prints_what_is_recorded():
    """every case once more in a live kernel node; a case that differs has a second run by itself,
    as a node that the machine holds up prints less than it would"""
    got = one_node()
    held_up = [c for c in KERNEL if got.get(c) != KERNEL[c]]
    if 0 < len(held_up) <= 10:
        got.update(one_node("^(%s)$" % "|".join(map(re.escape, held_up))))
    wrong = [c for c in KERNEL if got.get(c) != KERNEL[c]]
    if wrong:
        raise Failure("%d cases print something else:\n%s" % (len(wrong), "\n".join(
            "%s\n%s" % (c, "\n".join(differences.difference(KERNEL[c], got.get(c, [])))) for c in wrong[:10])))
    dpttest.equal(sorted(got), sorted(KERNEL), "cases")
    return "%d cases%s" % (len(got), "; only at the second run: " + ", ".join(held_up) if held_up else "")


# ------------------------------------------------------------------ pairs

def kernel_pair(only=""):
    """both programs in kernel nodes"""
    tb = bed()
    nodes = [tb.node(n, ["br0"]) for n in "ab"]
    tb.ready()
    for n, addr in zip(nodes, ("1.1.1", "1.1.2")):
        n.eth(addr=addr)
    for n in nodes:
        n.wait_links(1)
    relay = Relay(lambda what: tb.cable("a", 0, what == "heal") if what in ("cut", "heal") else None)
    sides = [InNode(n, relay, role, [kernel_program(), "--pair", str(role), peer, "--only", only])
             for role, (n, peer) in enumerate(zip(nodes, (OUR_NODE, KERNEL_NODE)))]
    return collect(relay, sides)


def collect(relay, sides):
    cases = [s.wait(SUITE_S) for s in sides]
    relay.close()
    out = {}
    for c in cases[0]:
        for role in (0, 1):
            out.update(by_role({c: cases[role].get(c, ["(no transcript)"])}, role))
    return out


def mixed_pair(our_role):
    """our program in one role and the kernel's in the other; made once for all cases"""
    if our_role in results:
        return results[our_role]
    p = Pair("veth").up()
    relay = Relay(lambda what: p.tb.cable("k", 0, what == "heal") if what in ("cut", "heal") else None)
    cases = sorted(set(c.rsplit(" role ", 1)[0] for c in asked_for(our_role)))
    only = "^(%s)$" % "|".join(cases)
    argv = ["--pair", str(1 - our_role), OUR_NODE, "--only", only]
    sides = [None, None]
    sides[1 - our_role] = InNode(p.k, relay, 1 - our_role, [kernel_program(), *argv])
    argv = p.tb.ns_argv([built("tests/conformance/conform_dptipc"), "--pair", str(our_role), KERNEL_NODE,
                         "--only", only])
    sides[our_role] = OnHost(relay, our_role, argv, {})
    dpttest.cleanup(sides[our_role].program.kill)
    results[our_role] = collect(relay, sides)
    return results[our_role]


def test_name(case, our_role):
    """of a case, or of its transcript by a role"""
    return "%s_ours_is_%s" % (case.rsplit(" role ", 1)[0], "server" if our_role else "client")


def asked_for(our_role):
    return [c for c in PAIRS if re.search(pattern(), test_name(c, our_role))]


def add(case, our_role):
    def compare():
        got = mixed_pair(our_role)
        for role in (0, 1):
            name = "%s role %d" % (case, role)
            wanted = WANTED.get("%s role %d" % (test_name(case, our_role), role))
            wrong = transcripts.verdict(PAIRS[name], got.get(name), wanted)
            if wrong:
                raise Failure("role %d, which is %s:\n%s" % (
                    role, "ours" if role == our_role else "the kernel's", wrong))
        return ""
    compare.__name__ = test_name(case, our_role)
    test(limit_s=SUITE_S + 120)(compare)


for ours in (0, 1):
    for name in sorted(set(c.rsplit(" role ", 1)[0] for c in PAIRS)):
        add(name, ours)


# ----------------------------------------------------------------- golden

def update():
    """both files anew, each from two runs that agree"""
    with dpttest.session():
        for path, make, head in (
                (transcripts.GOLDEN, one_node, "What Linux 6.1 (User-Mode Linux), one node <1.1.1>, prints"),
                (transcripts.GOLDEN_PAIRS, kernel_pair, "What two nodes with Linux 6.1, <1.1.1> and <1.1.2>, print")):
            first, second = make(), make()
            unstable = [c for c in first if first[c] != second.get(c)]
            if unstable:
                sys.exit("not the same twice: " + ", ".join(unstable))
            transcripts.write(path, first, [head + ": tests/interop/test_conform.py --update."])
            print("%s: %d" % (os.path.relpath(path, dpttest.TOP), len(first)))


if __name__ == "__main__":
    if sys.argv[1:] == ["--update"]:
        update()
    else:
        main()
