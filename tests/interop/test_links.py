#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Links that lose nothing: load on links to Linux kernel TIPC and between two dptipcd, while
wires lose, double and reorder frames, programs are stopped, and wires are cut. loaded.py draws
the topologies.

Four senders on each side, both ways at once, messages of 1 to 66000 octets, each with number
and checksum; every test ends with all of them delivered once and in order (promises P1, P2).
--long sends 200 MB each way everywhere; without it the volumes are smaller
(doc/testing.md). Times are printed, never judged.

With the kernel, faults of the wire are those of Linux's netem, which runs inside the kernel node (hosts
may lack it), on what it sends and on what it receives. Between two dptipcd they are ktcable's.
"""
import os
import random
import re
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "ktipc")]
import dpttest
from dpttest import equal, main, need, need_tools, test, wait_until
from joined import read_capture
from loaded import MB, TYPE, WAIT_S, Cuts, KernelAndOurs, Load, TwoOfOurs

LONG_OCTETS = 200 * MB
LONG_S = 3600
# what may be expected of a lossy wire at the worst, so that a test that hangs ends
LIMIT_S = 600
SEED = int(os.environ.get("DPT_SEED") or 20261125)
STALL_S = 0.5


def volume(default_mb):
    return LONG_OCTETS if dpttest.long_run else default_mb * MB


def finish_s():
    return LONG_S - 60 if dpttest.long_run else LIMIT_S - 60


def no_reset(ours, watch=None):
    """No link has gone down, in the eyes of either side."""
    for link, l in ours.links().items():
        equal((l["state"], l["last_down"]), ("up", "none"), "our link %s" % link)
    equal(ours.counters()["node.link_downs"], 0, "links of ours that went down")
    if watch:
        need(watch.rc is None and "WITHDRAWN" not in watch.out, "the kernel's link was reset:\n" + watch.out)


# ------------------------------------------------------- the kernel, one wire

def kernel_one_wire(default_mb, netem=None, extra=()):
    """load on one wire, through netem if wanted, and no reset"""
    j = KernelAndOurs(extra=extra)
    watch = j.theirs.watch(2)
    if netem:
        j.netem(netem)
    note = Load(j.sides, volume(default_mb), SEED).finish(finish_s())
    no_reset(j.ours, watch)
    c = j.ours.counters()
    s = list(j.theirs.stats().values())[0]
    return "%s; %ssent again: %d by us, %d by the kernel" % (
        note, j.netem_counts() + "; " if netem else "", c["link.retransmitted"], s["resent"])


@test(limit_s=LONG_S)
def kernel_load_on_one_wire():
    return kernel_one_wire(50)


@test(limit_s=LONG_S)
def kernel_load_with_1_per_cent_loss():
    return kernel_one_wire(20, "loss 1%")


@test(limit_s=LONG_S)
def kernel_load_with_5_per_cent_loss():
    return kernel_one_wire(10, "loss 5%")


@test(limit_s=LONG_S)
def kernel_load_with_30_per_cent_loss():
    return kernel_one_wire(2, "loss 30%")


@test(limit_s=LONG_S)
def kernel_load_with_reordering():
    """One frame of 20 goes at once, the others after 10 ms (a tick of the node's clock)."""
    return kernel_one_wire(5, "delay 10ms reorder 5%")


@test(limit_s=LONG_S)
def kernel_load_with_duplication():
    return kernel_one_wire(10, "duplicate 5%")


@test(limit_s=LONG_S)
def kernel_load_with_stalls_of_either_side():
    """Each side in turn is stopped for half a second, a third of the tolerance."""
    j = KernelAndOurs()
    watch = j.theirs.watch(2)
    load = Load(j.sides, LONG_OCTETS if dpttest.long_run else 0, SEED)
    rnd = random.Random(SEED)
    stalls = 0
    while load.running() and (dpttest.long_run or stalls < 12):
        load.wait_flow()
        time.sleep(rnd.uniform(0, 0.3))
        j.sides[stalls % 2].halt(True)
        time.sleep(STALL_S)
        j.sides[stalls % 2].halt(False)
        stalls += 1
    load.stop()
    note = load.finish(finish_s())
    no_reset(j.ours, watch)
    return "%d stalls; %s" % (stalls, note)


@test
def the_kernels_link_properties_are_adopted_live():
    """Tolerance, without a reset. The window of the kernel, which is its own matter: the link
    stays. Priority, for which a kernel resets its link: it comes back with it on both ends."""
    j = KernelAndOurs()

    def ours():
        return list(j.ours.links().values())[0]
    j.kernel_links("tolerance", 800)
    wait_until(lambda: ours()["tolerance"] == 800, WAIT_S, lambda: "our tolerance: %s" % ours(), 0.05)
    no_reset(j.ours)
    j.ours.set_link("eth:net_af_packet0", "tolerance=900")
    wait_until(lambda: [s["tolerance"] for s in j.theirs.stats().values()] == [900], WAIT_S,
               lambda: "the kernel's tolerance: %s" % j.theirs.stats(), 0.05)
    no_reset(j.ours)
    j.kernel_links("window", 200)
    Load(j.sides, 1 * MB, SEED).finish(finish_s())
    no_reset(j.ours)
    j.kernel_links("priority", 17)
    wait_until(lambda: ours()["priority"] == 17 and ours()["state"] == "up", WAIT_S,
               lambda: "our priority: %s" % ours(), 0.05)
    j.wait_up()
    equal([s["priority"] for s in j.theirs.stats().values()], [17], "priority of the kernel's link")
    return Load(j.sides, 1 * MB, SEED).finish(finish_s())


# ------------------------------------------------------ the kernel, two wires

def need_counts_agree(j):
    """What one end has sent the other has received, packets, fragments and bundles, when all is quiet."""
    def differences():
        k, o = j.theirs.stats(), j.ours.links()
        c = j.ours.counters()
        found = []
        if len(k) != len(o):
            return ["%d links of the kernel, %d of ours" % (len(k), len(o))]
        for device, s in k.items():
            mine = [l for name, l in o.items() if ":%s-" % device in name][0]
            found += [(device, way, x, y) for way, x, y in (
                ("kernel to us", s["TX_pkts"], mine["received"]), ("we to kernel", s["RX_pkts"], mine["sent"]))
                if x != y]
        for word, column in (("sent_fragments", "RX_fragments"), ("sent_fragmented", "RX_fragmented"),
                             ("recv_fragments", "TX_fragments"), ("recv_fragmented", "TX_fragmented"),
                             ("sent_bundles", "RX_bundles"), ("sent_bundled", "RX_bundled"),
                             ("recv_bundles", "TX_bundles"), ("recv_bundled", "TX_bundled")):
            total = sum(s[column] for s in k.values())
            found += [(word, c["link." + word], column, total)] if c["link." + word] != total else []
        return found
    wait_until(lambda: not differences(), WAIT_S, lambda: "statistics differ: %s" % differences(), 0.2)


@test(limit_s=LONG_S)
def kernel_two_wires_share_the_load_and_counters_agree():
    j = KernelAndOurs((10, 10))
    note = Load(j.sides, volume(20), SEED).finish(finish_s())
    no_reset(j.ours)
    need_counts_agree(j)
    k = j.theirs.stats()
    for way in ("TX_pkts", "RX_pkts"):
        n = [s[way] for s in k.values()]
        need(min(n) * 10 > sum(n), "packets of the two links, %s: %s" % (way, n))
    equal([s["role"] for s in k.values()], ["ACTIVE", "ACTIVE"], "roles of the kernel's links")
    return "%s; packets %s" % (note, ", ".join("%s: %d sent, %d received" % (d, s["TX_pkts"], s["RX_pkts"])
                                              for d, s in k.items()))


@test(limit_s=LONG_S)
def kernel_standby_takes_over():
    """The first wire has priority 20, the second 10: it is idle until the first is cut."""
    j = KernelAndOurs((20, 10))
    watch = j.theirs.watch(2)
    equal(sorted(s["role"] for s in j.theirs.stats().values()), ["ACTIVE", "STANDBY"], "roles")
    idle = [d for d, s in j.theirs.stats().items() if s["role"] == "STANDBY"]
    equal(idle, ["net_af_packet1"], "the kernel's standby link")
    equal(sorted(l["use"] for l in j.ours.links().values()), ["active", "standby"], "our links")
    load = Load(j.sides, 0, SEED)
    load.wait_flow(2 * MB)
    before = j.theirs.stats()
    need(before["net_af_packet1"]["TX_pkts"] * 20 < before["net_af_packet0"]["TX_pkts"], "standby is used: %s" % before)
    j.cut(0, True)
    wait_until(lambda: all(s.up() == 1 for s in j.sides), WAIT_S, "the cut is not found", 0.05)
    load.wait_flow(2 * MB)
    j.cut(0, False)
    j.wait_up()
    load.wait_flow(2 * MB)
    load.stop()
    note = load.finish(finish_s())
    equal(j.ours.counters()["node.node_downs"], 0, "contacts that we lost")
    need(watch.out.count("WITHDRAWN") <= 1, "more than one link went down:\n" + watch.out)
    return note


@test(limit_s=LONG_S)
def kernel_two_wires_cut_at_random():
    """Either wire under load; both ends' tolerance is 500 ms."""
    tolerance_s = 0.5
    j = KernelAndOurs((10, 10), ["--tolerance", str(int(tolerance_s * 1000))])
    j.kernel_links("tolerance", int(tolerance_s * 1000))
    contact = j.theirs.watch(0)
    load = Load(j.sides, 0, SEED)
    cuts = Cuts(j, load, tolerance_s, SEED)
    for _ in range(50):
        cuts.one()
    load.stop()
    note = load.finish(finish_s())
    equal(j.ours.counters()["node.node_downs"], 0, "contacts that we lost")
    need("WITHDRAWN" not in contact.out, "the kernel lost contact:\n" + contact.out)
    return "%s; %s" % (cuts.note(), note)


@test
def tshark_finds_nothing_malformed_in_failover_and_synchronisation():
    """What we send on both wires while one is cut and comes back, under load. tshark does not put
    messages together: it takes a fragment for malformed when the capture has missed another."""
    need_tools("tcpdump", "tshark")
    j = KernelAndOurs((10, 10), ["--tolerance", "500"])
    j.kernel_links("tolerance", 500)
    files = [os.path.join(j.tb.dir, "w%d.pcap" % i) for i in range(2)]
    macs = [re.search(r"link/ether (\S+)", j.tb.ns("ip -o link show d%d" % i).out)[1] for i in range(2)]
    caps = [j.tb.capture("d%d-p" % i, files[i]) for i in range(2)]
    load = Load(j.sides, 0, SEED)
    for wire in (0, 1):
        load.wait_flow()
        j.cut(wire, True)
        wait_until(lambda: all(s.up() == 1 for s in j.sides), WAIT_S, "the cut is not found", 0.02)
        j.cut(wire, False)
        j.wait_up()
    load.stop()
    load.finish(finish_s())
    users, frames, alone = set(), 0, ["tipc.defragment:FALSE"]
    for cap, path, mac in zip(caps, files, macs):
        cap.stop()
        ours = read_capture(path, "eth.src == %s" % mac, "tipc.usr", preferences=alone)
        frames += len(ours)
        users |= {int(u, 0) for row in ours for u in row.split(",") if u}
        for bad, what in (("_ws.malformed", "malformed"), ("_ws.expert.severity >= 8388608", "in error"),
                          ("!tipc", "not TIPC")):
            rows = read_capture(path, "eth.src == %s && (%s)" % (mac, bad), preferences=alone)
            need(not rows, "%d frames %s, the first: %s" % (len(rows), what, rows[:1]))
    need({6, 10} <= users, "bundles (6) and tunnel packets (10) among the users %s" % sorted(users))
    return "%d frames, users %s" % (frames, " ".join(map(str, sorted(users))))


# ----------------------------------------------------------- two dptipcd

@test(limit_s=LONG_S)
def ours_load_on_one_wire():
    j = TwoOfOurs()
    note = Load(j.sides, LONG_OCTETS, SEED).finish(finish_s())
    for s in j.sides:
        no_reset(s)
    return note


@test(limit_s=LONG_S)
def ours_load_with_loss_reordering_and_duplication():
    notes = []
    j = TwoOfOurs(seed=SEED)
    for mb, loss, double, late in ((50, 1, 0, 0), (20, 5, 0, 0), (1, 30, 0, 0), (20, 0, 0, 5), (20, 0, 5, 0),
                                   (10, 2, 2, 2)):
        j.faults(loss, double, late)
        notes.append("\n     lost %d%%, doubled %d%%, late %d%%: " % (loss, double, late) +
                     Load(j.sides, volume(mb), SEED).finish(finish_s()))
        for s in j.sides:
            no_reset(s)
    return "".join(notes) + "\n     " + j.cables[0].counts()


@test(limit_s=LONG_S)
def ours_load_with_stalls_of_either_side():
    j = TwoOfOurs()
    load = Load(j.sides, LONG_OCTETS if dpttest.long_run else 0, SEED)
    stalls = 0
    while load.running() and (dpttest.long_run or stalls < 10):
        load.wait_flow()
        j.sides[stalls % 2].halt(True)
        time.sleep(STALL_S)
        j.sides[stalls % 2].halt(False)
        stalls += 1
    load.stop()
    note = load.finish(finish_s())
    for s in j.sides:
        no_reset(s)
    return "%d stalls; %s" % (stalls, note)


@test(limit_s=LONG_S)
def ours_two_wires_cut_at_random():
    tolerance_s = 0.2
    j = TwoOfOurs(2, ["--tolerance", "200"], SEED)
    load = Load(j.sides, 0, SEED)
    cuts = Cuts(j, load, tolerance_s, SEED)
    for _ in range(50):
        cuts.one()
    load.stop()
    note = load.finish(finish_s())
    for s in j.sides:
        equal(s.counters()["node.node_downs"], 0, "contacts that %s lost" % s.name)
    return "%s; %s" % (cuts.note(), note)


@test(limit_s=LONG_S)
def ours_two_wires_share_the_load():
    j = TwoOfOurs(2)
    note = Load(j.sides, volume(50), SEED).finish(finish_s())
    for s, other in (j.sides, j.sides[::-1]):
        no_reset(s)
        sent = [l["sent"] for l in s.links().values()]
        need(min(sent) * 10 > sum(sent), "packets that %s sent on the two links: %s" % (s.name, sent))
        wait_until(lambda: [l["sent"] for l in s.links().values()] ==
                   [l["received"] for l in other.links().values()], WAIT_S,
                   lambda: "sent and received differ:\n%s\n%s" % (s.info("links"), other.info("links")), 0.1)
    return note


def killed(tolerance_ms, times):
    """kill one of two dptipcd that often: each time the silence is found out by the tolerance, and
    the link comes back with its successor. Returns the times until the other's programs are told."""
    j = TwoOfOurs(extra=["--tolerance", str(tolerance_ms)])
    took = []
    for _ in range(times):
        server = j.b.load("sink", "-s", "%d:7" % TYPE, "-c", "1")
        server.expect("READY", WAIT_S)
        watch = j.a.load("watch", "-d", "%d:7" % TYPE)
        watch.expect("SEEN", WAIT_S)
        t0 = time.monotonic()
        j.b.d.kill()
        took.append(float(watch.expect(r"GONE (\S+)", WAIT_S)[1]) - t0)
        server.wait(WAIT_S)
        j.b.again()
        j.wait_up()
    need(j.a.counters()["node.down_tolerance"] >= times, "links lost by silence: " + j.a.info("counters"))
    took.sort()
    return "tolerance %d ms, %d kills: told after %.1f ms at least, %.1f median, %.1f at most" % (
        tolerance_ms, times, took[0] * 1e3, took[len(took) // 2] * 1e3, took[-1] * 1e3)


@test(limit_s=LONG_S)
def ours_a_killed_one_is_found_out_and_comes_back():
    """Down to a tolerance of 5 ms; a kernel's is 50 at least."""
    times = ((1500, 20), (50, 20), (5, 50)) if dpttest.long_run else ((1500, 2), (50, 4), (5, 8))
    return "".join("\n     " + killed(*t) for t in times)


if __name__ == "__main__":
    main()
