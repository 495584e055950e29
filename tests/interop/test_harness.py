#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The harness itself, without dptipc: what tests/interop/ktipc promises to the other
tests of this folder. Whoever breaks it, or runs it where User-Mode Linux does not
boot, learns it from here and not from a failure that looks like one of dptipc.

       kernel node a -- bridge br0 -- kernel node b

       kernel node a -- vhost-user -- dpdk-testpmd (receives only)

       kernel node a -- bridge br0 -- veth d0 -- dpdk-testpmd -- veth d1 -- bridge br1 -- kernel node b
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), os.path.join(HERE, "ktipc")]
from dpttest import equal, main, need, need_tools, spawn, test, wait_until
from kernel import bed, need_kernel, peer

SERVICE_TYPE = "18888"


def testpmd(tb, *vdevs, mode="io"):
    """dpdk-testpmd without huge pages, in the testbed's namespace"""
    argv = ["dpdk-testpmd", "--no-huge", "-m", "128", "--no-pci", "--no-telemetry", "--no-shconf",
            "-l", "0,1"]
    for v in vdevs:
        argv += ["--vdev", v]
    argv += ["--", "--forward-mode=" + mode, "--stats-period", "1", "--auto-start",
             "--total-num-mbufs=4096", "--no-mlockall"]
    p = spawn(tb.ns_argv(argv))
    p.expect("start packet forwarding", 20)
    return p


def received(p):
    counts = re.findall(r"RX-packets: (\d+)", p.out)
    return int(counts[-1]) if counts else 0


def message_both_ways(a, b):
    for n, (server, client) in enumerate(((a, b), (b, a))):
        service = "%s:%d" % (SERVICE_TYPE, n)
        s = server.popen([peer(), "server", "-t", "rdm", "-s", service])
        s.expect("READY")
        r = client.run([peer(), "client", "-t", "rdm", "-d", service, "-w", "-n", "20", "-l", "1000"])
        equal(r.rc, 0, "client's exit status: " + r.out + r.err)
        need(re.match("OK n=20 ", r.out), r.out)
        s.kill()


@test
def kernel_to_kernel_link_and_messages():
    tb = bed()
    a, b = tb.node("a"), tb.node("b")
    tb.ready()
    a.eth(addr="1.1.1")
    b.eth(addr="1.1.2")
    took_s = a.wait_links(1)
    b.wait_links(1)
    equal(list(a.links()), ["1001001:eth0-1001002:eth0"], "links of a")
    message_both_ways(a, b)
    b.kill()
    a.wait_links(0)
    return "link up %.2f s after the second bearer" % took_s


@test
def commands_and_files_of_a_node():
    tb = bed()
    a = tb.node("a").ready()
    equal(a.run("exit 7").rc, 7, "exit status")
    equal(a.run(["cat"], input="x" * 20000).out, "x" * 20000, "input to output")
    p = a.popen("echo one; read x; echo got $x; sleep 100")
    p.expect("one")
    p.write("word\n")
    p.expect("got word")
    p.kill()
    equal(p.wait(), -15, "status after SIGTERM")
    a.run("echo note > /run/kt/f", check=True)
    equal(open(os.path.join(a.dir, "f")).read(), "note\n", "file seen on the host")
    return "boot in %.2f s" % a.boot_s


@test
def vhost_user_carries_the_frames_of_a_node():
    need_kernel()
    need_tools("dpdk-testpmd")
    tb = bed()
    sock = os.path.join(tb.dir, "dpdk.sock")
    a = tb.node("a", ["vhost:" + sock]).ready()
    a.eth(addr="1.1.1")
    for _ in range(2):              # the program may end and come back
        p = testpmd(tb, "net_vhost0,iface=%s,queues=1" % sock, mode="rxonly")
        wait_until(lambda: received(p) >= 2, 20, lambda: "frames received:\n" + p.out[-800:])
        p.stop(want=None)


@test
def af_packet_on_veth_joins_two_kernel_nodes():
    need_kernel()
    need_tools("dpdk-testpmd")
    tb = bed()
    a, b = tb.node("a", ["br0"]), tb.node("b", ["br1"])
    tb.ready()
    tb.veth("d0", "br0")
    tb.veth("d1", "br1")
    testpmd(tb, "net_af_packet0,iface=d0", "net_af_packet1,iface=d1")
    a.eth(addr="1.1.1")
    b.eth(addr="1.1.2")
    a.wait_links(1)
    b.wait_links(1)
    message_both_ways(a, b)


if __name__ == "__main__":
    main()
