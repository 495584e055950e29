#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dptipcd and Linux kernel TIPC (6.1, in User-Mode Linux) on one wire.

    veth     kernel node k -- bridge br0 -- veth d0 -- net_af_packet -- dptipcd
    tap      kernel node k -- bridge br0 -- TAP dt0 -- net_tap       -- dptipcd
    vhost    kernel node k -- virtio-net -- vhost-user -- net_vhost  -- dptipcd
    direct   kernel node k -- TAP k.0 ----------------- net_af_packet -- dptipcd

k is <1.1.1>, dptipcd <1.1.2>. The programs that talk are tipcpeer in the kernel node
and dpt_peer, its twin on libdptipc, beside dptipcd; both print the same lines, so what
the kernel does is the measure of what we do.
"""
import os
import re
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "ktipc")]
import dpttest
from dpttest import equal, main, need, need_tools, test, wait_until
from joined import KERNEL_ADDR, KERNEL_HEX, NET_ID, OUR_HEX, Pair, daemon, read_capture, socket_address
from kernel import peer

TYPE = 18888
# Bounds only end a test that hangs; the times are printed, for people to judge: nothing here may
# depend on how fast the machine is. Both ends have the default tolerance, 1.5 s; a kernel
# notices a loss 1.9 to 2.3 s after the last packet, and how the test looks takes its time too.
LOST_S = 10
IDLE_S = 300
IDLE_S = 300
IDLE_QUICK_S = 15


# ------------------------------------------------------------------- links

def link_time(topology):
    """The link comes up whichever end is second, and how long it takes from then."""
    p = Pair(topology)
    p.k.tipc("node set address", KERNEL_ADDR)
    p.start_ours()
    p.wait_carrier()
    t0 = p.enable_kernel()
    p.wait_link()
    kernel_second = time.monotonic() - t0
    equal(list(p.k.links()), ["%s:eth0-%s:%s" % (KERNEL_HEX, OUR_HEX, bearer_name(p))], "links")
    p.d.stop()
    p.k.wait_links(0, LOST_S)
    p.start_ours()
    p.wait_link()
    return "%.2f s after the kernel's bearer, %.2f s after ours" % (
        kernel_second, time.monotonic() - p.ours_enabled_at())


def bearer_name(p):
    """what the kernel calls the far end of its only link"""
    names = [l.rsplit(":", 1)[1] for l in p.k.links()]
    return names[0] if names else "?"


@test
def link_comes_up_on_veth():
    return link_time("veth")


@test
def link_comes_up_on_tap():
    return link_time("tap")


@test
def link_comes_up_on_vhost_user():
    return link_time("vhost")


@test
def link_of_generated_addresses():
    """Neither has an address: both try theirs (a second each) and then link."""
    p = Pair("veth")
    p.start_ours(["--node-id", "ours"], addr=None)
    p.k.tipc("node set identity", "kernel")
    t0 = p.enable_kernel()
    p.wait_link(10)
    return "link up after %.2f s" % (time.monotonic() - t0)


@test
def another_network_id_makes_no_link():
    """Both hear the other's discovery messages and stay alone."""
    p = Pair("veth")
    need_tools("tcpdump", "tshark")
    path = os.path.join(p.tb.dir, "net.pcap")
    mac = p.our_mac()
    cap = p.capture(path)
    p.start_kernel()
    p.d = daemon(p.tb, [p.vdev], [p.bearer], extra=["--net-id", str(NET_ID + 1)])

    def heard():
        rows = read_capture(path, "tipc", "eth.src")
        return rows.count(mac) >= 2 and len(rows) - rows.count(mac) >= 2
    wait_until(heard, 10, "two discovery messages of each", 0.2)
    cap.stop()
    equal(p.k.links(), {}, "links of the kernel")


@test
def link_comes_back_after_a_crash_of_dptipcd():
    p = Pair("veth").up()
    p.d.kill()
    p.k.wait_links(0, LOST_S)
    p.start_ours()
    s = p.ours("server", "-t", "rdm", "-s", "%d:7" % TYPE)
    s.expect("READY")
    p.wait_names(TYPE, [(7, 7, OUR_HEX)], 5)


# ------------------------------------------------------------------- names

@test
def names_are_listed_and_vanish_when_the_program_is_killed():
    p = Pair("veth").up()
    one = p.ours("server", "-t", "rdm", "-s", "%d:1" % TYPE)
    one.expect("READY")
    span = p.ours("server", "-t", "rdm", "-s", "%d:10:19" % TYPE)
    span.expect("READY")
    came = p.wait_names(TYPE, [(1, 1, OUR_HEX), (10, 19, OUR_HEX)])
    one.kill()
    went = p.wait_names(TYPE, [(10, 19, OUR_HEX)])
    span.kill()
    p.wait_names(TYPE, [])
    return "listed after %.2f s, gone %.2f s after the kill" % (came, went)


@test
def names_bound_before_the_link_arrive_in_bulk():
    p = Pair("veth")
    p.start_ours()
    n = p.ours("names", "-s", "%d:100" % TYPE, "-n", "200")
    n.expect("READY")
    p.start_kernel()
    p.wait_link()
    p.wait_names(TYPE, [(100 + i, 100 + i, OUR_HEX) for i in range(200)], 5)
    n.kill()
    p.wait_names(TYPE, [], 5)


@test
def node_scope_stays_on_the_node():
    p = Pair("veth").up()
    p.ours("server", "-t", "rdm", "-s", "%d:1" % TYPE, "-S", "node").expect("READY")
    p.ours("server", "-t", "rdm", "-s", "%d:2" % TYPE).expect("READY")
    p.wait_names(TYPE, [(2, 2, OUR_HEX)])


# ---------------------------------------------------------------- messages

def exchange(p, length=1000, count=20):
    """Both directions by service address and by socket address, contents compared."""
    what = ["-t", "rdm", "-n", str(count), "-l", str(length)]
    server = p.k.popen([peer(), "server", "-t", "rdm", "-s", "%d:1" % TYPE])
    at = socket_address(server.expect(r"READY .*")[0])
    need(at.endswith("0x" + KERNEL_HEX), "the kernel's server is at " + at)
    wait_name_here(p, 1)
    for to in ("%d:1" % TYPE, at):
        out = p.ours_run("client", "-d", to, *what)
        need(re.search("^OK n=%d " % count, out, re.M), "to %s: %s" % (to, out))
    server.kill()
    server = p.ours("server", "-t", "rdm", "-s", "%d:2" % TYPE)
    at = socket_address(server.expect(r"READY .*")[0])
    need(at.endswith("0x" + OUR_HEX), "our server is at " + at)
    p.wait_names(TYPE, [(2, 2, OUR_HEX)])
    for to in ("%d:2" % TYPE, at):
        r = p.k.run([peer(), "client", "-d", to, *what])
        need(r.rc == 0 and re.search("^OK n=%d " % count, r.out, re.M), "to %s: %s" % (to, r.out + r.err))
    need(len(re.findall(r"^MSG .* good from=\S+:0x%s" % KERNEL_HEX, server.out, re.M)) == 2 * count,
         "what our server printed:\n" + server.out[-2000:])
    server.kill()
    p.wait_names(TYPE, [])


def wait_name_here(p, instance):
    """until our side can send to the kernel's name (it has no subscriptions yet)"""
    def reached():
        q = p.ours("client", "-t", "rdm", "-d", "%d:%d" % (TYPE, instance), "-n", "1", "-l", "4", "-T", "500")
        return q.wait(5) == 0
    wait_until(reached, 5, "our side does not reach the kernel's %d:%d" % (TYPE, instance))


@test
def messages_both_ways_on_veth():
    exchange(Pair("veth").up())


@test
def messages_both_ways_on_tap():
    exchange(Pair("tap").up())


@test
def messages_both_ways_on_vhost_user():
    exchange(Pair("vhost").up())


@test
def messages_both_ways_with_two_workers():
    exchange(Pair("veth").up(["--workers", "2"]))


@test
def messages_both_ways_while_polling():
    exchange(Pair("direct").up(["--idle", "poll"]))


@test
def messages_of_all_sizes():
    """Empty-ish, one frame, the border of a frame, many fragments."""
    p = Pair("veth").up()
    for length in (1, 1400, 1436, 1437, 1500, 8000, 66000):
        exchange(p, length, 3)


@test
def messages_in_order_under_load():
    """A thousand each way, the receiver's counts compared."""
    p = Pair("veth").up()
    for server, client, instance in (
            (p.ours, lambda *a: p.k.run([peer(), *a]).out, 3),
            (lambda *a: p.k.popen([peer(), *a]), lambda *a: p.ours_run(*a), 4)):
        to = "%d:%d" % (TYPE, instance)
        s = server("server", "-t", "rdm", "-s", to, "-m", "echo", "-n", "1000000")
        s.expect("READY")
        if instance == 3:
            p.wait_names(TYPE, [(3, 3, OUR_HEX)])
        else:
            wait_name_here(p, 4)
        out = client("client", "-t", "rdm", "-d", to, "-n", "1000", "-l", "200")
        need(re.search("^OK n=1000 ", out, re.M), out)
        numbers = [int(n) for n in re.findall(r"^MSG n=\d+ num=(\d+) len=200 ", s.out, re.M)]
        equal(numbers, list(range(1000)), "numbers of the messages, in the order of arrival")
        s.kill()


@test
def a_message_to_a_closed_socket_comes_back_on_both_sides_alike():
    p = Pair("veth").up()
    ours = p.ours("server", "-t", "rdm", "-s", "%d:1" % TYPE)
    our_at = socket_address(ours.expect(r"READY .*")[0])
    theirs = p.k.popen([peer(), "server", "-t", "rdm", "-s", "%d:2" % TYPE])
    their_at = socket_address(theirs.expect(r"READY .*")[0])
    p.wait_names(TYPE, [(1, 1, OUR_HEX), (2, 2, KERNEL_HEX)])
    ours.kill()
    theirs.kill()
    theirs.wait()
    p.wait_names(TYPE, [])
    by_kernel = p.k.run([peer(), "send", "-t", "rdm", "-d", our_at, "-e", "-l", "100"]).out
    by_us = p.ours_run("send", "-t", "rdm", "-d", their_at, "-e", "-l", "100", want=None)

    def returned(text):
        m = re.search(r"^RETURNED n=0 recv=(-?\d+) error=(\d+) len=(\d+) data=(\d+)", text, re.M)
        need(m, "not returned: " + text)
        return m.groups()
    equal(returned(by_us), returned(by_kernel), "returned to us, and to the kernel's program")


# ------------------------------------------------------------------- loss

def told(text):
    """how a sender learns that nobody is there: refused at once, or returned"""
    return re.search(r"^SENDERR n=\d+ errno=113|^RETURNED n=\d+ .*error=[123]", text, re.M)


@test
def death_of_the_kernel_node_withdraws_its_names_and_is_told():
    p = Pair("veth").up()
    s = p.k.popen([peer(), "server", "-t", "rdm", "-s", "%d:1" % TYPE])
    at = socket_address(s.expect(r"READY .*")[0])
    wait_name_here(p, 1)
    t0 = time.monotonic()
    p.k.kill()
    took = {}
    for to in (at, "%d:1" % TYPE):
        wait_until(lambda: told(p.ours_run("send", "-t", "rdm", "-d", to, "-e", "-T", "300", want=None)),
                   LOST_S, "the sender to %s is not told" % to)
        took[to] = time.monotonic() - t0
    return "told %.2f s after the death" % took[at]


@test
def death_of_dptipcd_withdraws_its_names_in_the_kernel():
    p = Pair("veth").up()
    s = p.ours("server", "-t", "rdm", "-s", "%d:1" % TYPE)
    at = socket_address(s.expect(r"READY .*")[0])
    p.wait_names(TYPE, [(1, 1, OUR_HEX)])
    t0 = time.monotonic()
    p.d.kill()
    s.wait(2)                               # our program is told at once
    local = time.monotonic() - t0
    p.wait_names(TYPE, [], LOST_S)
    gone = time.monotonic() - t0
    equal(list(p.k.links().values()).count("up"), 0, "links that are up")
    r = p.k.run([peer(), "send", "-t", "rdm", "-d", at, "-e"])
    need(told(r.out), "the kernel's sender is not told: " + r.out)
    return "our program told after %.2f s, names gone in the kernel after %.2f s" % (local, gone)


@test
def an_orderly_end_of_dptipcd_withdraws_its_names():
    p = Pair("veth").up()
    p.ours("server", "-t", "rdm", "-s", "%d:1" % TYPE).expect("READY")
    p.wait_names(TYPE, [(1, 1, OUR_HEX)])
    p.d.stop(want=0)
    p.wait_names(TYPE, [], LOST_S)


# ------------------------------------------------------------ long and wide

@test(background=True, limit_s=IDLE_S + 120)
def idle_without_a_reset():
    """The kernel's own link-state events tell: up once, never down."""
    p = Pair("vhost").up()
    watch = p.k.popen([peer(), "subscribe", "-s", "2:0:0xffffffff"])
    watch.expect(r"PUBLISHED 2:", 10)
    seconds = IDLE_QUICK_S if dpttest.quick else IDLE_S
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        need(watch.rc is None and p.d.running(), "the watcher or dptipcd ended:\n" + watch.out)
        need("WITHDRAWN" not in watch.out, "the link was reset:\n" + watch.out)
        time.sleep(min(1.0, max(0.0, end - time.monotonic())))
    equal(len(re.findall("PUBLISHED", watch.out)), 1, "link-up events")
    exchange(p, 100, 5)
    need("WITHDRAWN" not in watch.out, "the link was reset:\n" + watch.out)
    return "%d s" % seconds


@test
def tshark_finds_nothing_malformed_in_what_we_send():
    """All that the other tests do, on a wire that is captured: discovery, link
    set-up, bulk and single names, messages short and fragmented, a reject, the end."""
    p = Pair("veth")
    need_tools("tcpdump", "tshark")
    path = os.path.join(p.tb.dir, "ours.pcap")
    mac = p.our_mac()
    cap = p.capture(path)
    p.start_ours()
    n = p.ours("names", "-s", "%d:100" % TYPE, "-n", "50")
    n.expect("READY")
    p.start_kernel()
    p.wait_link()
    p.wait_names(TYPE, [(100 + i, 100 + i, OUR_HEX) for i in range(50)], 5)
    n.kill()
    p.wait_names(TYPE, [])
    for length in (1, 1000, 20000):
        exchange(p, length, 5)
    s = p.ours("server", "-t", "rdm", "-s", "%d:1" % TYPE)
    at = socket_address(s.expect(r"READY .*")[0])
    s.kill()
    p.k.run([peer(), "send", "-t", "rdm", "-d", at, "-e"])
    p.d.stop()
    cap.stop()
    ours = read_capture(path, "eth.src == %s" % mac, "tipc.usr")
    need(len(ours) > 50, "only %d frames of ours in the capture" % len(ours))
    for bad, what in (("_ws.malformed", "malformed"), ("_ws.expert.severity >= 8388608", "in error"),
                      ("!tipc", "not TIPC")):
        rows = read_capture(path, "eth.src == %s && (%s)" % (mac, bad))
        need(not rows, "%d frames %s, the first: %s" % (len(rows), what, rows[:1]))
    users = sorted({int(u, 0) for row in ours for u in row.split(",") if u})
    return "%d frames, users %s" % (len(ours), " ".join(map(str, users)))


@test
def two_daemons_and_a_kernel_make_one_cluster():
    """A third node on the same bridge: the kernel has two links."""
    p = Pair("veth")
    p.tb.veth("e0", "br0")
    p.up()
    daemon(p.tb, ["net_af_packet0,iface=e0"], ["eth:net_af_packet0"], "1.1.3", ["--name", "second"])
    p.k.wait_links(2, 10)
    p.ours("server", "-t", "rdm", "-s", "%d:1" % TYPE).expect("READY")
    p.wait_names(TYPE, [(1, 1, OUR_HEX)])
    r = p.k.run([peer(), "client", "-t", "rdm", "-d", "%d:1" % TYPE, "-n", "5", "-l", "50"])
    equal(r.rc, 0, r.out)


if __name__ == "__main__":
    main()
