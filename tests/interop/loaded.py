# SPDX-License-Identifier: BSD-3-Clause
"""Load on links, and what may happen to it: what test_links.py builds on.

    with the kernel   k <1.1.1>  eth0 -- bridge br0 -- veth d0 -- dptipcd <1.1.2>
                                 eth1 -- bridge br1 -- veth d1 --
    two dptipcd       a <1.1.1>  veth a0 -- ktcable -- veth b0 -- b <1.1.2>
                                 veth a1 -- ktcable -- veth b1 --

The programs are tipcload (ktipc/peers), which says what the load is and how it is checked.
"""
import os
import random
import re
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "ktipc")]
import dpttest
from dpttest import built, need, spawn, wait_until
from joined import KERNEL_ADDR, OUR_ADDR, OUR_HEX, daemon
from kernel import bed, peer
from ktbase import tool

TYPE = 18888
MB = 1000000
SENDERS = 4
# The test gives up, so that it ends: a load without any progress for that long. Not a bound on speed.
SILENT_S = 60
# Bounds of other waits, which the machine's load stretches; they end a test that hangs.
WAIT_S = 60
# Times between two arrivals that GAPS counts, ms, and how it prints the rest.
GAP_COLUMNS = ("1", "5", "10", "20", "50", "100", "200", "500", "1000", "2000", "5000", "more")
NETEM_MODULES = ("ifb", "act_mirred", "cls_matchall", "sch_ingress")


class KernelSide:
    """the kernel node of a test"""
    name = "kernel"

    def __init__(self, node):
        self.node, self.link_events = node, None

    def load(self, *argv):
        return self.node.popen([peer("tipcload"), *argv])

    def end(self, program):
        program.kill(signal.SIGTERM)

    def halt(self, is_halted):
        self.node.halt(is_halted)

    def watch(self, what):
        """a program that prints PUBLISHED when a link (what: 2, the type of its service) or the
        contact with a node (0) comes up, WITHDRAWN when it goes down"""
        p = self.node.popen([peer(), "subscribe", "-s", "%d:0:0xffffffff" % what])
        p.expect("PUBLISHED %d:%d:" % (what, int(OUR_HEX, 16)), WAIT_S)
        return p

    def up(self):
        """how many links are up, by the kernel's events: a node under load takes seconds to
        start a program"""
        if self.link_events is None:
            self.link_events = self.watch(2)
        return self.link_events.out.count("PUBLISHED 2:") - self.link_events.out.count("WITHDRAWN 2:")

    def stats(self):
        """{our end's device: numbers of `tipc link stat`}"""
        found = {}
        for part in re.split(r"^Link ", self.node.tipc("link stat show", timeout=WAIT_S), flags=re.M)[1:]:
            m = re.match(r"<\S+-\S+:(\S+)>", part)
            if not m:
                continue                # the broadcast link
            s = {"role": re.search(r"^  (ACTIVE|STANDBY|DEFUNCT|\S+)", part, re.M)[1]}
            for way in ("RX", "TX"):
                n = re.search(r"%s packets:(\d+) fragments:(\d+)/(\d+) bundles:(\d+)/(\d+)" % way, part)
                s.update(zip(("%s_%s" % (way, w) for w in (
                    "pkts", "fragments", "fragmented", "bundles", "bundled")), map(int, n.groups())))
            s["resent"] = int(re.search(r"retrans:(\d+)", part)[1])
            s.update((w.lower(), int(re.search(r"%s:(\d+)" % w, part)[1]))
                     for w in ("Priority", "Tolerance", "Window"))
            found[m[1]] = s
        return found


class OurSide:
    """a dptipcd of a test; make() starts it with its options and waits until it is ready"""

    def __init__(self, tb, name, make):
        self.tb, self.name, self.make = tb, name, make
        self.d = make()

    def load(self, *argv):
        return spawn(self.tb.ns_argv([built("tests/support/dpt_load"), argv[0], "-A", self.name, *argv[1:]]))

    def end(self, program):
        program.signal(signal.SIGTERM)

    def halt(self, is_halted):
        self.d.signal(signal.SIGSTOP if is_halted else signal.SIGCONT)

    def again(self):
        self.d = self.make()

    def info(self, what):
        argv = self.tb.ns_argv([built("tests/support/dpt_info"), "--name", self.name, what])
        return subprocess.run(argv, capture_output=True, text=True, timeout=WAIT_S).stdout

    def counters(self):
        return {k: int(v) for k, v in re.findall(r"^(\S+) +(\d+)$", self.info("counters"), re.M)}

    def links(self):
        """{link name: its line, by column}"""
        found = {}
        for l in self.info("links").splitlines()[1:]:
            w = l.split(None, 10)
            last_down, use = w[10].rsplit(None, 1)
            found[w[0]] = dict(zip(("state", "peer", "priority", "tolerance", "window", "mtu",
                                    "sent", "received", "resent"),
                                   [w[1], w[2]] + [int(n) for n in w[3:10]]),
                               last_down=last_down.strip(), use=use)
        return found

    def set_link(self, link, words):
        """change properties of a link while it lives"""
        out = dpttest.run(self.tb.ns_argv([built("tests/support/dpt_info"), "--name", self.name,
                                           "set-link", link, words]), WAIT_S)
        need("set" in out, out)

    def up(self):
        return [l["state"] for l in self.links().values()].count("up")


class KernelAndOurs:
    """A kernel node and dptipcd, a wire for each of these priorities, which both ends have:
    6.1 does not say its own when a link comes up (03-link-node.md, 9)."""

    def __init__(self, priorities=(10,), extra=()):
        built("app/dataplane/dptipcd")
        self.tb = bed(modules=NETEM_MODULES)
        self.wires = len(priorities)
        self.k = self.tb.node("k", ["br%d" % i for i in range(self.wires)], mem="128M")
        self.k.ready()
        for i in range(self.wires):
            self.tb.veth("d%d" % i, "br%d" % i)
        self.ours = OurSide(self.tb, "default", lambda: daemon(
            self.tb, ["net_af_packet%d,iface=d%d" % (i, i) for i in range(self.wires)],
            ["eth:net_af_packet%d,priority=%d" % ip for ip in enumerate(priorities)], OUR_ADDR, extra))
        self.theirs = KernelSide(self.k)
        self.sides = (self.theirs, self.ours)
        self.k.tipc("node set address", KERNEL_ADDR)
        for ip in enumerate(priorities):
            self.k.tipc("bearer enable media eth device eth%d priority %d" % ip)
        self.wait_up()

    def wait_up(self, timeout_s=WAIT_S):
        wait_until(lambda: all(s.up() == self.wires for s in self.sides), timeout_s,
                   lambda: "links that are up: %d of the kernel's; ours:\n%s" % (
                       self.theirs.up(), self.ours.info("links")), 0.05)

    def cut(self, wire, is_cut):
        self.tb.cable("k", wire, not is_cut)

    def netem(self, what):
        """both ways of the first wire through netem, inside the kernel node: what it sends,
        and (by way of an ifb) what it receives"""
        self.k.run("""set -e
            ip link set ifb0 up
            tc qdisc add dev eth0 root netem limit 20000 %s
            tc qdisc add dev ifb0 root netem limit 20000 %s
            tc qdisc add dev eth0 handle ffff: ingress
            tc filter add dev eth0 parent ffff: protocol all matchall action mirred egress redirect dev ifb0
            """ % (what, what), check=True)

    def netem_counts(self):
        text = self.k.run("tc -s qdisc show dev eth0; tc -s qdisc show dev ifb0").out
        return ", ".join("%s of %s frames dropped %s" % (m[2], m[1], way) for way, m in zip(
            ("out", "in"), re.finditer(r"qdisc netem.*\n.* (\d+) pkt \(dropped (\d+)", text)))

    def kernel_links(self, *words):
        """a property of all links of the kernel node"""
        for l in self.k.links():
            self.k.tipc("link set", *words, "link", l)


class Cable:
    """A wire in the testbed's namespace that loses and doubles frames by a seed: ktcable.c"""

    def __init__(self, tb, one, other, seed):
        self.p = spawn(tb.ns_argv([tool("ktcable"), one, other, seed]), stdin=subprocess.PIPE)
        self.p.expect("ready")

    def tell(self, words, answer="ok"):
        self.p.popen.stdin.write((words + "\n").encode())
        self.p.popen.stdin.flush()
        return self.p.expect(answer)[0]

    def counts(self):
        return self.tell("count", r"passed=.*")


class TwoOfOurs:
    """Two dptipcd on so many wires."""

    def __init__(self, wires=1, extra=(), seed=1):
        self.tb = bed()
        self.wires = wires
        self.cables = []
        for i in range(self.wires):
            self.tb.veth("a%d" % i)
            self.tb.veth("b%d" % i)
            self.cables.append(Cable(self.tb, "a%d-p" % i, "b%d-p" % i, seed + i))

        def make(letter, addr):
            return lambda: daemon(
                self.tb, ["net_af_packet%d,iface=%s%d" % (i, letter, i) for i in range(self.wires)],
                ["eth:net_af_packet%d" % i for i in range(self.wires)], addr,
                ["--name", letter, *extra])
        self.a = OurSide(self.tb, "a", make("a", KERNEL_ADDR))
        self.b = OurSide(self.tb, "b", make("b", OUR_ADDR))
        self.sides = (self.a, self.b)
        self.wait_up()

    def wait_up(self, timeout_s=WAIT_S):
        wait_until(lambda: all(s.up() == self.wires for s in self.sides), timeout_s,
                   lambda: "links that are up:\n%s\n%s" % tuple(s.info("links") for s in self.sides), 0.05)

    def cut(self, wire, is_cut):
        self.cables[wire].tell("cut" if is_cut else "heal")

    def faults(self, loss=0, double=0, late=0):
        for c in self.cables:
            c.tell("set %g %g %g" % (loss, double, late))


class Load:
    """Four senders (ports of both parities) and a sink on each side, both ways at once.
    octets: of each way; 0: until stop()."""

    def __init__(self, sides, octets, seed=1):
        self.sides, self.octets = sides, octets
        self.sinks, self.floods = [], []
        for i, s in enumerate(sides):
            p = s.load("sink", "-s", "%d:%d" % (TYPE, i), "-c", SENDERS, "-T", SILENT_S * 1000)
            p.expect("READY", WAIT_S)
            self.sinks.append(p)
        self.t0 = time.monotonic()
        for i, s in enumerate(sides):
            for j in range(SENDERS):
                self.floods.append((s, s.load(
                    "flood", "-d", "%d:%d" % (TYPE, 1 - i), "-z", seed * 100 + i * 10 + j, "-P", j & 1,
                    "-n", -(-octets // SENDERS), "-T", SILENT_S * 1000)))

    def arrived(self):
        """octets that have come so far, on the side that has fewer"""
        return min(int((re.findall(r"^AT (\d+)", p.out, re.M) or ["0"])[-1]) for p in self.sinks)

    def wait_flow(self, octets=1):
        """until so many more have come on both sides"""
        goal = self.arrived() + octets
        wait_until(lambda: self.arrived() >= goal, SILENT_S, lambda: "the load stands:\n" + self.story(), 0.02)

    def story(self):
        return "\n".join(l for p in [f for _, f in self.floods] + self.sinks
                         for l in p.out.splitlines() if not l.startswith(("AT ", "FLOOD", "READY", "GAPS")))

    def stop(self):
        for s, f in self.floods:
            s.end(f)

    def running(self):
        return all(f.out.count("SENT") == 0 for _, f in self.floods)

    def finish(self, timeout_s):
        """The check: nothing lost, doubled, reordered, changed or sent back. Returns a note."""
        try:
            ends = [p.wait(max(1, self.t0 + timeout_s - time.monotonic()))
                    for p in [f for _, f in self.floods] + self.sinks]
        except Exception as e:
            raise dpttest.Failure("%s\n%s" % (e, self.story())) from None
        took_s = time.monotonic() - self.t0
        need(not any(ends), "exit statuses %s:\n%s" % (ends, self.story()))
        got = []
        for p in self.sinks:
            rows = re.findall(r"^FROM \S+ got=(\d+) octets=(\d+) lost=0 doubled=0 reordered=0 odd=0 complete=1$",
                              p.out, re.M)
            need(len(rows) == SENDERS, "senders whose messages all came: %d\n%s" % (len(rows), self.story()))
            got.append(sum(int(r[1]) for r in rows))
        need(min(got) >= self.octets, "octets that came: %s" % got)
        return "%s MB there and back in %.1f s; %s" % (
            " and ".join("%.1f" % (g / MB) for g in got), took_s, self.stalls())

    def stalls(self):
        """the histogram of times between two arrivals, over all senders"""
        total, longest = dict.fromkeys(GAP_COLUMNS, 0), 0
        for p in self.sinks:
            for ms, row in re.findall(r"^GAPS \S+ longest_ms=(\d+) (.*)$", p.out, re.M):
                longest = max(longest, int(ms))
                for column, n in (w.split(":") for w in row.split()):
                    total[column] += int(n)
        return "longest stall %d ms; between arrivals, ms: %s" % (longest, " ".join(
            "%s%s:%d" % ("" if c == "more" else "<", c, n) for c, n in total.items() if n))


class Cuts:
    """Either wire cut at random instants under load, one at a time, the next one when all links
    are up again. A fifth of the cuts is healed after a time of up to 1.5 tolerances; the others when
    both ends have found out."""

    def __init__(self, joined, load, tolerance_s, seed):
        self.joined, self.load, self.tolerance_s = joined, load, tolerance_s
        self.rnd, self.seed = random.Random(seed), seed
        self.made, self.found, self.found_s, self.healed_s = 0, 0, [], []

    def ups(self):
        return [s.up() for s in self.joined.sides]

    def one(self):
        j, rnd = self.joined, self.rnd
        self.load.wait_flow()
        time.sleep(rnd.uniform(0, 0.3))
        wire = rnd.randrange(j.wires)
        t0 = time.monotonic()
        j.cut(wire, True)
        if rnd.random() < 0.2:
            time.sleep(rnd.uniform(0, self.tolerance_s * 1.5))
        else:
            wait_until(lambda: max(self.ups()) < j.wires, WAIT_S,
                       lambda: "wire %d is cut and its link up" % wire, 0.02)
            self.found_s.append(time.monotonic() - t0)
        self.made += 1
        self.found += min(self.ups()) < j.wires
        t0 = time.monotonic()
        j.cut(wire, False)
        j.wait_up()
        self.healed_s.append(time.monotonic() - t0)
        need(self.load.running(), "a sender has ended:\n" + self.load.story())

    def note(self):
        return "seed %d, %d cuts, %d found out, by both ends after %.2f s at most; both links up %.2f s " \
            "after healing at most" % (self.seed, self.made, self.found, max(self.found_s), max(self.healed_s))
