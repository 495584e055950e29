#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The real programs: dptipcd with applications, crashes, stops, wrong options.

Needs no root; what does says so. Each test has a dptipcd of its own name.
"""
import errno
import mmap
import os
import random
import re
import select
import signal
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dpttest import (AS_NOBODY, Skip, built, cleanup, equal, main, need, need_root, need_tools, run, spawn,
                     test, wait_until)
from daemon import new_name, start
import dptipc
from region import ABI

HERE = os.path.dirname(os.path.realpath(__file__))


def tool(name, *args, **kw):
    built("lib/client/libdptipc.so")
    return spawn([sys.executable, os.path.join(HERE, "tool.py"), name, *args], **kw)


def info(name, what):
    t = tool(name, "info", what)
    t.wait(10, 0)
    return t.out


def counter(name, counter_name):
    m = re.search(r"^%s +(\d+)$" % re.escape(counter_name), info(name, dptipc.COUNTERS), re.M)
    need(m, "no counter", counter_name)
    return int(m[1])


def hello(name, prefix=(), other=None):
    """A message to a service and back. other: the client's dptipcd, if another one."""
    server = spawn([*prefix, built("examples/hello/hello_server"), "--name", name, "18888", "17"])
    server.expect("bound")
    client = spawn([*prefix, built("examples/hello/hello_client"), "--name", other or name,
                    "--wait", "10", "18888", "17", "hi there"])
    client.expect("hi there", 15)
    client.wait(10, 0)
    return server


@test
def hello_on_one_node_without_arguments():
    # The default name: only when nobody else uses it.
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        s.connect("\0dptipc/default")
        raise Skip("a dptipcd of the default name runs")
    except ConnectionRefusedError:
        pass
    finally:
        s.close()
    d = spawn([built("app/dataplane/dptipcd")])
    d.expect(r"^dptipcd: ready$", 20)
    hello("default")
    d.stop()


@test
def hello_of_an_unprivileged_user():
    need_root("changing the user")
    need_tools("setpriv")
    d = start(before=AS_NOBODY)
    hello(d.name, AS_NOBODY)
    d.stop()


@test
def two_nodes_over_a_unix_wire():
    wire = "unix:" + new_name()
    a, b = start("--bearer", wire), start("--bearer", wire)
    hello(a.name, other=b.name)
    need(re.search(r" up ", info(a.name, dptipc.LINKS)), info(a.name, dptipc.LINKS))
    need("18888" in info(b.name, dptipc.NAMES), info(b.name, dptipc.NAMES))
    a.stop()
    # Its goodbye, not the tolerance, takes the link down.
    wait_until(lambda: "peer stopping" in info(b.name, dptipc.LINKS).replace("_", " ")
               or " up " not in info(b.name, dptipc.LINKS), 5,
               lambda: info(b.name, dptipc.LINKS))
    b.stop()


@test
def two_workers():
    wire = "unix:" + new_name()
    a, b = start("--workers", "2", "--bearer", wire), start("--workers", "2", "--bearer", wire)
    hello(a.name)
    hello(b.name, other=a.name)
    a.stop()
    b.stop()


@test
def killed_server_leaves_nothing():
    d = start()
    before = counter(d.name, "pool.buffers_used")
    h = tool(d.name, "hold", "19000", "5")
    h.expect("bound")
    need("19000" in info(d.name, dptipc.NAMES), "names")
    need(str(h.pid) in info(d.name, dptipc.SOCKETS), info(d.name, dptipc.SOCKETS))
    # 200 messages that nobody reads.
    source = tool(d.name, "source", "19000", "200", "100", "0")
    source.expect("sent 200")
    source.wait(10, 0)
    need(counter(d.name, "pool.buffers_used") >= before + 200, "messages wait in the dataplane")
    h.kill()
    wait_until(lambda: "19000" not in info(d.name, dptipc.NAMES), 5, "names of the dead process")
    need(str(h.pid) not in info(d.name, dptipc.SOCKETS), "sockets of the dead process")
    wait_until(lambda: counter(d.name, "pool.buffers_used") <= before, 5,
               lambda: "buffers used: %d, before: %d" %
               (counter(d.name, "pool.buffers_used"), before))
    equal(counter(d.name, "control.processes"), 1, "attached processes: the asking one")
    d.stop()


@test
def killed_dptipcd_fails_clients_at_once():
    d = start()
    h = tool(d.name, "hold", "19000", "2")
    h.expect("bound")
    d.kill()
    need(not os.path.exists("/var/run/dpdk/dptipc-" + d.name), "runtime directory is left")
    h.expect("^down$", 2)
    h.expect("^error", 2)
    h.wait(5, 0)


@test
def stopped_dptipcd_fails_clients_at_once():
    d = start()
    h = tool(d.name, "hold", "19000", "2")
    h.expect("bound")
    d.stop()
    h.expect("^down$", 2)
    h.expect("^error", 2)
    h.wait(5, 0)


@test
def second_dptipcd_of_a_name_is_told():
    d = start()
    second = spawn([built("app/dataplane/dptipcd"), "--name", d.name])
    second.expect("another dptipcd has this name", 20)
    second.wait(10, 1)
    d.stop()


@test
def wrong_options_are_told():
    for options, text in (
            (["--tolerance", "4"], "expected 5 to 30000"),
            (["--frobnicate"], "no such option"),
            (["--bearer", "eth:net_nowhere"], "no such port"),
            (["--bearer", "pigeon:coop"], "no such media"),
            (["-l", "0", "--", "--name", new_name()], "lcores"),
            (["--no-such-eal-option", "--", "--name", new_name()], "EAL does not start")):
        if "--" not in options:
            options = options + ["--name", new_name()]
        p = spawn([built("app/dataplane/dptipcd"), *options])
        p.expect(re.escape(text), 20)
        p.wait(10, 1)
        need("core dumped" not in p.out, p.out)
    need("--bearer" in run([built("app/dataplane/dptipcd"), "--help"]), "help")
    need(re.match(r"dptipcd \d", run([built("app/dataplane/dptipcd"), "--version"])), "version")


@test
def user_without_permission_is_told():
    need_root("changing the user")
    need_tools("setpriv")
    d = start("--allow-uid", "1")
    s = spawn([*AS_NOBODY, built("examples/hello/hello_server"), "--name", d.name, "18888", "17"])
    s.expect("does not admit")
    need(s.wait(10) != 0, "exit status")
    hello(d.name)                       # root may
    d.stop()


def attach_raw(name, *words):
    """A message on the attach socket; the answer's words."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect("\0dptipc/" + name)
    cleanup(s.close)
    s.send(struct.pack("=IIi5I", *(list(words) + [0] * 8)[:8]))
    answer = s.recv(64)
    return struct.unpack("=IIi5I", answer), s


@test
def wrong_abi_version_is_told():
    d = start()
    answer, _ = attach_raw(d.name, 1, 77, 0, 999)
    equal(answer[1], 77, "cookie")
    equal(answer[2], 93, "EPROTONOSUPPORT")
    equal(answer[3], ABI, "our version")
    d.stop()


@test
def nonsense_on_the_attach_socket_harms_nobody():
    d = start()
    equal(attach_raw(d.name, 4, 1, 0, 0, 1, 1, 1)[0][2], 9, "bind before HELLO: EBADF")
    equal(attach_raw(d.name, 99)[0][2], 95, "no such request: EOPNOTSUPP")
    equal(attach_raw(d.name, 2, 0, 0, 4)[0][2], 107, "socket before HELLO: ENOTCONN")
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect("\0dptipc/" + d.name)
    s.send(b"short")
    equal(s.recv(64), b"", "a message of another size: hang-up")
    hello(d.name)
    d.stop()


@test
def scribbling_process_is_thrown_out_and_harms_nobody():
    d = start()
    server = hello(d.name)
    rounds = 20
    for n in range(rounds):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        cleanup(s.close)
        s.settimeout(5)
        s.connect("\0dptipc/" + d.name)
        s.send(struct.pack("=IIi5I", 1, 1, 0, ABI, 0, 0, 0, 0))
        answer, fds, _, _ = socket.recv_fds(s, 64, 2)
        region_bytes = struct.unpack("=IIi5I", answer)[4]
        region = mmap.mmap(fds[0], region_bytes)
        socks = []
        types = (4, 5, 4, 1)
        for _ in range(4):
            s.send(struct.pack("=IIi5I", 2, 2, 0, types[_], 0, 0, 0, 0))
            answer, ends, _, _ = socket.recv_fds(s, 64, 1)
            socks += ends
            words = struct.unpack("=IIi5I", answer)
            # Messages of the others for it: receipts are looked at, too.
            s.send(struct.pack("=IIi5I", 3, 3, 0, words[3], 18888, 17, 17, 2))
            s.recv(64)
        rng = random.Random(n)
        # struct dpt_shm_hdr: behind magic, version and size.
        socks_at, channels, logs = struct.unpack("=7I", region[24:52])[3:6]
        for _ in range(300):
            # Header, sockets, channels, and the first lines of each submission log.
            start_at = rng.choice([64, socks_at, channels, logs, logs + (512 << 10)])
            at = start_at + rng.randrange(0, 2048) // 4 * 4
            if rng.random() < 0.3:      # a record that could be one
                region[at // 64 * 64:at // 64 * 64 + 48] = struct.pack(
                    "=IIBBBBIB3x3II12x", 0x80000001, rng.choice([48, 100, 66048, 1 << 31]),
                    rng.choice([1, 2, 3, 5, 6, 9]), rng.randrange(6), rng.randrange(8), 0,
                    rng.randrange(6), rng.randrange(5), rng.randrange(1 << 32), 5, 9, 1)
            else:
                region[at:at + 4] = struct.pack("=I", rng.choice(
                    [0, 1, 0xffffffff, 0x80000001, rng.randrange(1 << 32)]))
            os.write(fds[1], struct.pack("=Q", 1))
        time.sleep(0.02)
        region.close()
        for fd in list(fds) + socks:
            os.close(fd)
        s.close()
        need(d.running(), "dptipcd died", d.out)
    server.kill()
    wait_until(lambda: "18888" not in info(d.name, dptipc.NAMES), 5, "names of the scribblers")
    thrown = counter(d.name, "control.processes_hostile")
    need(thrown > 0, "nobody was thrown out")
    hello(d.name)
    d.stop()
    return "%d of %d thrown out" % (thrown, rounds)


@test
def sigterm_leaves_nothing_behind():
    runtime = "/var/run/dpdk" if os.geteuid() == 0 else "/tmp/dpdk"
    path = "/tmp/%s.sock" % new_name()
    d = start("--socket", path)
    need(os.path.exists(path), "socket file")
    h = tool(path, "hold", "19000", "1")
    h.expect("bound")
    d.stop()
    h.wait(5)
    need(not os.path.exists(path), "socket file is left")
    need(not os.path.exists(os.path.join(runtime, "dptipc-" + d.name)), "runtime directory is left")
    with open("/proc/net/unix") as f:
        need("dptipc/" + d.name not in f.read(), "abstract name is left")


@test
def churn_of_clients_leaves_pools_flat():
    d = start()
    tool(d.name, "churn", "10").expect("done", 20)
    fds = len(os.listdir("/proc/%d/fd" % d.pid))
    used = counter(d.name, "pool.buffers_used")
    t = tool(d.name, "churn", "200")
    t.expect("^done$", 60)
    t.wait(5, 0)
    wait_until(lambda: len(os.listdir("/proc/%d/fd" % d.pid)) <= fds, 5, "descriptors")
    wait_until(lambda: counter(d.name, "pool.buffers_used") <= used, 5,
               lambda: "buffers %d, before %d" % (counter(d.name, "pool.buffers_used"), used))
    need("20000" not in info(d.name, dptipc.NAMES), "names")
    d.stop()


def paced(how, idle):
    d = start("--idle", idle)
    sink = tool(d.name, "sink", "19001", "1000", how)
    sink.expect("bound")
    source = tool(d.name, "source", "19001", "1000", "64", "300")
    sink.expect("got 1000", 30)
    source.wait(10, 0)
    d.stop()


@test
def epoll_sees_every_message_of_a_slow_producer():
    paced("epoll", "adaptive")


@test
def poll_sees_every_message_of_a_slow_producer():
    paced("poll", "adaptive")


@test
def polling_worker_signals_too():
    paced("epoll", "poll")


@test
def largest_messages_cross_the_wire():
    wire = "unix:" + new_name()
    a, b = start("--bearer", wire), start("--bearer", wire)
    sink = tool(a.name, "sink", "19002", "50", "poll")
    sink.expect("bound")
    # Slower than the receiver: a full receive buffer is another test's business.
    source = tool(b.name, "source", "19002", "50", "66000", "5000")
    sink.expect("got 50", 30)
    source.wait(10, 0)
    a.stop()
    b.stop()


@test
def full_receiver_counts_what_it_refuses():
    # 2 MiB are full after fewer than 1000 messages of 4000 octets; nobody reads them.
    d = start()
    dptipc.attach(d.name)
    receiver, sender = dptipc.Socket(), dptipc.Socket()
    receiver.bind(dptipc.service_range(19100, 1, 1))
    sent = 2000
    for _ in range(sent):
        sender.sendto(bytes(4000), dptipc.service(19100, 1))
    got = 0
    while select.select([receiver], [], [], 1)[0]:
        receiver.recvfrom()
        got += 1
    drops = receiver.drops()
    need(drops > 0, "nothing was refused")
    equal(got + drops, sent, "received and refused")
    receiver.close()
    sender.close()
    d.stop()
    return "%d received, %d refused" % (got, drops)


@test
def shutdown_returns_what_nobody_read():
    # 09-socket-api.md, 17.1, 17.2: unread messages go back once, the socket lives on.
    d = start()
    dptipc.attach(d.name)
    receiver, sender = dptipc.Socket(), dptipc.Socket()
    receiver.bind(dptipc.service_range(19200, 1, 1))
    sender.droppable(0)
    to = dptipc.service(19200, 1)
    # The last ones do not fit into the receive log (256 KiB): the worker holds them.
    for i in range(100):
        sender.sendto(b"%03d" % i + bytes(10000), to)
    for i in range(3):
        equal(receiver.recvfrom()[0][:3], b"%03d" % i)
    equal(receiver.shutdown(), errno.ENOTCONN, "errno of shutdown")
    returned = 0
    while select.select([sender], [], [], 1)[0]:
        equal(sender.recvfrom()[0], b"", "payload of a returned message")
        returned += 1
    # What the worker had not taken from the sender yet came after the shutdown.
    late = 0
    try:
        while True:
            receiver.recvfrom(flags=dptipc.MSG_DONTWAIT)
            late += 1
    except BlockingIOError:
        pass
    need(returned > 0, "nothing was returned")
    equal(returned + late, 97, "returned, or later than the shutdown")
    for i in range(5):
        sender.sendto(b"later %d" % i, to)
        got = []

        def arrived():
            # (a blocking call on its empty queue says ENOTCONN from now on)
            try:
                got.append(receiver.recvfrom(flags=dptipc.MSG_DONTWAIT)[0])
            except BlockingIOError:
                pass
            return got
        wait_until(arrived, 5, "a message after shutdown")
        equal(got, [b"later %d" % i])
    receiver.close()
    sender.close()
    hello(d.name)
    d.stop()


@test
def idle_node_sleeps():
    d = start()
    hello(d.name)

    def cpu_ticks():
        with open("/proc/%d/stat" % d.pid) as f:
            return sum(map(int, f.read().rsplit(")", 1)[1].split()[11:13]))
    before = cpu_ticks()
    time.sleep(2)
    ticks = cpu_ticks() - before
    need(ticks < 40, "an idle dptipcd used %d of 200 ticks" % ticks)
    d.stop()
    return "%d of 200 ticks" % ticks


if __name__ == "__main__":
    main()
