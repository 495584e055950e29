#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bearers and links of the real dptipcd: properties set live, carriers, two wires, queues.

Needs no root, but for what is done with interfaces of the kernel: that says so.
"""
import os
import re
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dpttest import (AS_NOBODY, Failure, built, equal, main, need, need_root, need_tools, run, spawn, test,
                     wait_until)
from daemon import new_name, refused, start
from wires import Namespace, ask, counter, traffic, ups, wait_links


# ---- options ----

@test
def options_of_a_bearer_are_checked():
    wire = "unix:" + new_name()
    for options, text in (
            (["--bearer", wire + ",mtu=2000"], "mtu=2000 is more than the device carries: expected "
             "576 to 1500"),
            (["--bearer", wire + ",mtu=100"], "expected 576 to 65535"),
            (["--bearer", wire, "--bearer", wire + ",priority=3"], "another device for each"),
            (["--tolerance", "4"], "expected 5 to 30000")):
        out = refused(*options)
        need(text in out, out)


@test
def two_bearers_on_one_port_are_refused():
    # The same port, once by its name and once by its number.
    out = refused("--bearer", "eth:net_ring0", "--bearer", "eth:0", eal=["--vdev", "net_ring0"])
    need("already in use" in out, out)


@test
def two_ports_on_one_interface_are_refused():
    need_root()
    ns = Namespace()
    ns.add_veth("vb0", "vb1")
    out = refused("--bearer", "eth:net_af_packet0", "--bearer", "eth:net_af_packet1", before=ns.enter,
                  eal=["--vdev", "net_af_packet0,iface=vb0", "--vdev", "net_af_packet1,iface=vb0"])
    need("the same interface as eth:net_af_packet0" in out, out)


@test
def mtu_of_a_bearer_is_that_of_its_links():
    wire = "unix:" + new_name()
    a, b = start("--bearer", wire + ",mtu=900"), start("--bearer", wire)
    wait_links(1, a, b)
    equal([ups(d)[0]["mtu"] for d in (a, b)], [900, 900], "MTU at both ends: the smaller one")
    traffic(a, b, 100)()
    a.stop()
    b.stop()


@test
def link_of_the_shortest_tolerance_comes_up_and_carries():
    # Whether it then stays up is the machine's affair: a CPU taken away for 5 ms suffices.
    wire = "unix:" + new_name()
    a = start("--bearer", wire, "--tolerance", "5")
    b = start("--bearer", wire, "--tolerance", "5")
    wait_until(lambda: [l["tolerance"] for d in (a, b) for l in ups(d)] == [5, 5], 20,
               lambda: ask(a, "links") + ask(b, "links"))
    wait_until(lambda: counter(a, "link.recv_states") > 1000, 20, "1000 answers to probes")
    need(counter(a, "worker0.sleeps") > 100, "the worker did not sleep")
    downs = counter(a, "stack.nodes_down")
    a.stop()
    b.stop()
    return "contacts lost meanwhile: %d" % downs


@test
def properties_are_set_on_a_living_link():
    wire = "unix:" + new_name()
    a, b = start("--bearer", wire), start("--bearer", wire)
    wait_links(1, a, b)
    equal(ask(a, "set-link", wire, "tolerance=300", "window=64").strip(), "set")
    l = ups(a)[0]
    equal(l["tolerance"], 300, "tolerance here")
    need(l["window"] <= 64, l["line"])
    # The peer adopts the tolerance: 03-link-node.md, 9. The window is each side's own.
    wait_until(lambda: ups(b) and ups(b)[0]["tolerance"] == 300, 10, lambda: ask(b, "links"))
    equal(ups(a)[0]["state"], "up", "the link stayed up")
    equal(counter(a, "control.link_sets"), 1)
    # By the name of the link as well.
    equal(ask(b, "set-link", ups(b)[0]["name"], "tolerance=700").strip(), "set")
    wait_until(lambda: ups(a) and ups(a)[0]["tolerance"] == 700, 10, lambda: ask(a, "links"))
    equal(ask(a, "set-link", wire, "mtu=800").strip(), "set")
    equal(ups(a)[0]["mtu"], 800, "MTU here")
    ask(a, "set-link", wire, "mtu=1400")
    equal(ups(a)[0]["mtu"], 1400, "and up again")
    traffic(a, b, 200)()
    a.stop()
    b.stop()


@test
def other_priority_takes_the_link_down_and_up():
    # 03-link-node.md, 9: the peer adopts it and resets the link.
    wire = "unix:" + new_name()
    a, b = start("--bearer", wire), start("--bearer", wire)
    wait_links(1, a, b)
    equal(ask(a, "set-link", wire, "priority=17").strip(), "set")
    for d in (a, b):
        wait_until(lambda: [l["priority"] for l in ups(d)] == [17], 10, lambda: ask(d, "links"))
    need("priority" in ask(b, "links"), ask(b, "links"))
    traffic(a, b, 100)()
    a.stop()
    b.stop()


@test
def properties_stay_for_links_made_later():
    wire = "unix:" + new_name()
    a = start("--bearer", wire)
    ask(a, "set-link", wire, "tolerance=250", "priority=21")
    b = start("--bearer", wire)
    wait_links(1, a, b)
    l = ups(a)[0]
    equal((l["tolerance"], l["priority"]), (250, 21), "of the new link")
    a.stop()
    b.stop()


@test
def wrong_properties_are_told():
    wire = "unix:" + new_name()
    a = start("--bearer", wire)
    for words, text in (
            ((wire, "tolerance=4"), "tolerance=4: expected 5 to 30000 ms"),
            ((wire, "tolerance=70000"), "tolerance=70000: expected 5 to 30000 ms"),
            ((wire, "priority=32"), "priority=32: expected 1 to 31"),
            ((wire, "window=5000"), "window=5000: expected 50 to 2048 packets"),
            ((wire, "mtu=575"), "mtu=575: expected 576 to 1500 octets"),
            ((wire, "mtu=1501"), "mtu=1501: expected 576 to 1500 octets"),
            ((wire, "tolerance=0"), "nothing to change"),
            (("unix:elsewhere", "priority=3"), "unix:elsewhere: no bearer or link of this name")):
        out = ask(a, "set-link", *words, want=1)
        need(text in out, words, out)
    equal(counter(a, "control.link_sets"), 0)
    need("mtu 1500" in ask(a, "node"), ask(a, "node"))
    # Messages that are not what they say: the connection ends, nothing else.
    for words, name in (((9, 1, 0, 300, 0, 0, 0, 50), b"x"), ((9, 1, 0, 300, 0, 0, 0, 200), b"y" * 200),
                        ((8, 1, 0, 0, 0, 0, 0, 0), b"rest")):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.settimeout(5)
        s.connect("\0dptipc/" + a.name)
        s.send(struct.pack("=IIi5I", *words) + name)
        equal(s.recv(64), b"", "hang-up")
        s.close()
    a.stop()


@test
def other_users_may_not_set_properties():
    need_root("changing the user")
    need_tools("setpriv")
    wire = "unix:" + new_name()
    a = start("--bearer", wire)
    out = run([*AS_NOBODY, built("tests/support/dpt_info"), "--name", a.name, "set-link", wire,
               "priority=3"], want=1)
    need("only root and dptipcd's own user" in out, out)
    equal(counter(a, "control.link_sets"), 0)
    a.stop()


# ---- carriers ----

@test
def lost_carrier_takes_links_down_and_its_return_up():
    need_root()
    ns = Namespace()
    ns.add_veth("ca0", "cb0")
    # Far longer than the test: no tolerance finds it out.
    a = ns.start(["ca0"], "--tolerance", "30000")
    b = ns.start(["cb0"], "--tolerance", "30000")
    wait_links(1, a, b)
    for n in range(1, 4):
        ns.ip("link", "set", "ca0", "down")
        a.expect("no carrier", 5)
        b.expect("no carrier", 5)           # a veth's other end loses it, too
        need(not ups(a) and not ups(b), ask(a, "links"), ask(b, "links"))
        need(re.search(r"^Bearer .* down,", ask(a, "node"), re.M), ask(a, "node"))
        ns.ip("link", "set", "ca0", "up")
        a.expect("carrier is back", 5)
        wait_links(1, a, b)
        equal([counter(d, "bearer0.carrier_" + w) for d in (a, b) for w in ("losses", "returns")],
              [n, n, n, n], "lost, back: once per change")
    traffic(a, b, 100)()
    equal(a.out.count("no carrier"), 3, a.out)
    a.stop()
    b.stop()


@test
def bearer_that_starts_without_carrier_comes_up_with_it():
    need_root()
    ns = Namespace()
    ns.add_veth("ca0", "cb0")
    ns.ip("link", "set", "cb0", "down")
    a = ns.start(["ca0"])
    need("no carrier" in a.out or a.expect("no carrier", 5), a.out)
    ns.ip("link", "set", "cb0", "up")
    b = ns.start(["cb0"])
    wait_links(1, a, b)
    a.stop()
    b.stop()


@test
def tap_port_tells_of_its_carrier():
    need_root()
    ns = Namespace()
    a = start("--bearer", "eth:net_tap0", eal=["--vdev", "net_tap0,iface=tp0"], before=ns.enter)
    need(" up," in ask(a, "node"), ask(a, "node"))
    ns.ip("link", "set", "tp0", "down")
    a.expect("no carrier", 5)
    need(" down," in ask(a, "node"), ask(a, "node"))
    ns.ip("link", "set", "tp0", "up")
    a.expect("carrier is back", 5)
    a.stop()


# ---- two wires ----

def two_wires(*options):
    wires = ["unix:" + new_name() for _ in range(2)]
    bearers = [w for wire in wires for w in ("--bearer", wire)]
    a, b = start(*bearers, *options), start(*bearers, *options)
    wait_links(2, a, b)
    return wires, a, b


@test
def two_bearers_have_two_active_links():
    _, a, b = two_wires()
    for d in (a, b):
        equal([l["use"] for l in ups(d)], ["active", "active"], ask(d, "links"))
    traffic(a, b, 1000)()
    a.stop()
    b.stop()


@test
def higher_priority_leaves_the_other_link_standby():
    wires = ["unix:" + new_name() for _ in range(2)]
    bearers = ["--bearer", wires[0] + ",priority=12", "--bearer", wires[1]]
    a, b = start(*bearers), start(*bearers)
    wait_links(2, a, b)
    for d in (a, b):
        equal([l["use"] for l in sorted(ups(d), key=lambda l: -l["priority"])],
              ["active", "standby"], ask(d, "links"))
    end = traffic(a, b, 1000)
    # Live: the other one is to carry it now.
    ask(a, "set-link", wires[1], "priority=20")
    end()
    wait_links(2, a, b)
    for d in (a, b):
        wait_until(lambda: sorted((l["priority"], l["use"]) for l in ups(d)) ==
                   [(12, "standby"), (20, "active")], 10, lambda: ask(d, "links"))
    a.stop()
    b.stop()


def flaps(workers, queues=1, *options):
    """Traffic both ways while one of two wires loses its carrier again and again."""
    need_root()
    # A namespace for each end: net_af_packet makes the number of a fan-out group of process and
    # interface numbers, and two processes of one namespace can come to the same.
    ns, far = Namespace(), Namespace()
    for i in ("0", "1"):
        ns.add_veth("fa" + i, "fb" + i, far)
    options += ("--workers", str(workers))
    a = ns.start(["fa0", "fa1"], *options, queues=queues)
    b = far.start(["fb0", "fb1"], *options, queues=queues)
    wait_links(2, a, b)
    ends = [traffic(a, b, 6000, 19301), traffic(b, a, 6000, 19302)]
    n = under_load = 0
    while n < 6 or (n < 40 and any(end.source.running() for end in ends)):
        under_load += all(end.source.running() for end in ends)
        wire = "fa%d" % (n % 2)
        ns.ip("link", "set", wire, "down")
        wait_until(lambda: len(ups(a)) == 1 and len(ups(b)) == 1, 10, lambda: ask(a, "links"))
        ns.ip("link", "set", wire, "up")
        wait_links(2, a, b)
        n += 1
    for end in ends:
        end()
    losses = [counter(a, "bearer%d.carrier_losses" % i) for i in (0, 1)]
    equal(losses, [(n + 1) // 2, n // 2], "flaps of each wire")
    equal(counter(a, "stack.nodes_down"), 0, "contacts lost")
    need(under_load > 0, "the traffic was over before the first flap")
    a.stop()
    b.stop()
    return "%d flaps, %d of them under load" % (n, under_load)


@test
def flapping_wire_loses_nothing_beside_another():
    return flaps(1)


@test
def flapping_wire_loses_nothing_with_two_workers():
    return flaps(2, 2)


@test
def dead_wire_loses_nothing_beside_another():
    # A bearer whose end vanishes without a word: the tolerance finds it out.
    need_root()
    ns = Namespace()
    for i in ("0", "1"):
        # A bridge in between: when its port goes, the ends keep their carriers.
        ns.ip("link", "add", "br" + i, "type", "bridge")
        ns.ip("link", "set", "br" + i, "up")
        for end in ("da", "db"):
            ns.add_veth(end + i, end + "p" + i)
            ns.ip("link", "set", end + "p" + i, "master", "br" + i)
    a = ns.start(["da0", "da1"], "--tolerance", "200")
    b = ns.start(["db0", "db1"], "--tolerance", "200")
    wait_links(2, a, b)
    ends = [traffic(a, b, 4000, 19303), traffic(b, a, 4000, 19304)]
    for n in range(4):
        port = "dap%d" % (n % 2)
        ns.ip("link", "set", port, "nomaster")
        wait_until(lambda: len(ups(a)) == 1 and len(ups(b)) == 1, 10, lambda: ask(a, "links"))
        ns.ip("link", "set", port, "master", "br%d" % (n % 2))
        wait_links(2, a, b)
    for end in ends:
        end()
    equal([counter(a, "bearer%d.carrier_losses" % i) for i in (0, 1)], [0, 0], "carriers")
    equal(counter(a, "stack.nodes_down"), 0, "contacts lost")
    a.stop()
    b.stop()


@test
def what_was_sent_before_a_close_arrives_over_a_congested_link():
    # A small window, and a sender that is gone as soon as its last message was accepted.
    _, a, b = two_wires("--window", "16")
    ends = [traffic(a, b, 3000, 19305 + i, 0) for i in range(2)]
    for end in ends:
        end()
    need(counter(a, "socket.drop_send_refused") > 0, "the links were never congested")
    equal(counter(a, "worker0.app_send_late"), 0, "messages given up at the close")
    a.stop()
    b.stop()


# ---- several workers ----

def ordered(idle, *options):
    # Four polling workers want more CPUs than there may be: only a long tolerance keeps links.
    _, a, b = two_wires("--workers", "2", "--idle", idle, "--tolerance", "10000", *options)
    ends = [traffic(a, b, 3000, 19310 + i, 0) for i in range(2)]
    ends += [traffic(b, a, 3000, 19320 + i, 0) for i in range(2)]
    try:
        for end in ends:
            end()
    except Exception as e:
        raise Failure("%s\n%s" % (e, "\n".join(
            ask(d, what) for d in (a, b) for what in ("links", "sockets")) + "\n" + "\n".join(
            re.findall(r"^.*(?:nodes_down|drop_|full).* [1-9]\d*$", ask(a, "counters") +
                       ask(b, "counters"), re.M)))) from None
    handed = counter(a, "stack.shard_msgs_sent") + counter(b, "stack.shard_msgs_sent")
    need(handed > 0, "nothing went from worker to worker")
    a.stop()
    b.stop()
    return "%d messages between workers" % handed


@test
def two_workers_keep_the_order_on_two_wires_adaptive():
    return ordered("adaptive")


@test
def two_workers_keep_the_order_on_two_wires_polling():
    return ordered("poll")


@test
def port_that_cannot_steer_leaves_it_to_the_workers():
    # af_packet knows no rules (rte_flow): the workers hand frames on, in order.
    need_root()
    ns = Namespace()
    ns.add_veth("qa0", "qb0")
    # Addresses that the hash puts on worker 1 of two: stack_owner() in lib/stack/stack_map.c.
    a = ns.start(["qa0"], "--workers", "2", "--node-addr", "1.1.1", queues=2)
    b = ns.start(["qb0"], "--workers", "2", "--node-addr", "1.1.4", queues=2)
    wait_links(1, a, b)
    need("2 queue(s), 0 peer(s) steered" in ask(a, "node"), ask(a, "node"))
    for end in [traffic(a, b, 2000, 19330, 0), traffic(b, a, 2000, 19331, 0)]:
        end()
    equal([counter(d, "bearer0.steer_refused") for d in (a, b)], [1, 1], "asked once")
    a.stop()
    b.stop()


if __name__ == "__main__":
    main()
