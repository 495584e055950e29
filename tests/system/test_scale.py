#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many sockets on one node: 100,000 in four processes, names, messages, memory.

As many as the limit of descriptors lets dptipcd have; root may raise it. This program is also
the process that opens the sockets:

    test_scale.py holder NAME FIRST COUNT BINDINGS
"""
import errno
import os
import random
import re
import resource
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dpttest import equal, main, need, session, spawn, test, wait_until
from daemon import start
from look import *
from region import *

SOCKETS, PROCESSES, BINDINGS, TYPE = 100000, 4, 60000, 21000


def files(wanted):
    """Have so many descriptors, or as many as there may be; returns how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))
    except (ValueError, OSError):
        wanted = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


def memory(pid):
    """KiB: resident of the process, shared memory and slab of the system"""
    out = {}
    with open("/proc/%d/status" % pid) as f:
        for line in f:
            if line.startswith(("VmRSS", "RssShmem", "RssAnon")):
                out[line.split(":")[0]] = int(line.split()[1])
    with open("/proc/meminfo") as f:
        for line in f:
            if line.startswith(("Shmem:", "Slab:", "MemAvailable:")):
                out[line.split(":")[0]] = int(line.split()[1])
    return out


def holder(name, first, count, bindings):
    """Opens and binds; then, for each line of standard input, does what it says."""
    files(count + 100)
    with session():
        r = Region(name)
        start_s = time.monotonic()
        socks = []
        for i in range(count):
            answer, fds = r.ask(SOCKET, RDM, ends=1)
            socks.append(Sock.__new__(Sock))
            s = socks[-1]
            s.r, s.idx, s.port, s.fd = r, answer[0], answer[1], fds[0]
            s.at = r.socks_at + s.idx * SOCK_BYTES
            s.seq = s.rx_pos = s.rx_msgs = s.sent_cost = 0
        opened_s = time.monotonic()
        for i in range(bindings):
            r.ask(BIND, socks[i].idx, TYPE, first + i, first + i, 2)
        print("open %.3f bound %.3f" % (opened_s - start_s, time.monotonic() - opened_s), flush=True)
        rng = random.Random(first)
        for line in sys.stdin:
            task, *args = line.split()
            if task == "send":          # to random names of all processes
                worst = 0.0
                for _ in range(int(args[0])):
                    s, instance = rng.choice(socks), rng.randrange(int(args[1]))
                    begin = time.monotonic()
                    equal(s.send(b"%d" % instance, to_service(TYPE, instance)), 0, "send")
                    worst = max(worst, time.monotonic() - begin)
                print("sent %.6f" % worst, flush=True)
            elif task == "count":       # what has arrived, all of it right
                got = 0
                for i, s in enumerate(socks):
                    while s.peek():
                        equal(s.take()[5], b"%d" % (first + i), "the bound socket got it")
                        got += 1
                print("got %d" % got, flush=True)
            elif task == "end":
                break


def scale(cnt):
    # A descriptor each in dptipcd, and some more.
    may = files(cnt + 20000)
    if may < cnt + 500:
        cnt = (may - 500) // 1000 * 1000
    bindings = min(BINDINGS, cnt)
    d = start("--sockets", str(cnt + 1000), "--region-sockets", "32768", "--bindings", "1000000")
    buffers = counter(d, "pool.buffers_used")
    before = memory(d.pid)
    each, bound = cnt // PROCESSES, bindings // PROCESSES
    started = time.monotonic()
    holders = [spawn([sys.executable, os.path.realpath(__file__), "holder", d.name, i * bound, each,
                      bound], stdin=-1) for i in range(PROCESSES)]
    for h in holders:
        h.expect(r"^open", 100)
    took = time.monotonic() - started
    equal(sockets(d), cnt, "sockets")
    after = memory(d.pid)
    sends = 500
    for h in holders:
        h.popen.stdin.write(b"send %d %d\n" % (sends, bindings))
        h.popen.stdin.flush()
    worst = max(float(h.expect(r"^sent (\S+)", 60)[1]) for h in holders)
    got = 0
    for h in holders:
        h.popen.stdin.write(b"count\n")
        h.popen.stdin.flush()
        got += int(h.expect(r"^got (\d+)", 60)[1])
    equal(got, sends * PROCESSES, "messages by name")
    start_s = time.monotonic()
    equal(len(info(d, INFO_SOCKETS).splitlines()), cnt + 1, "lines of the dump of sockets")
    dump = time.monotonic() - start_s
    # All at once, without a word: their names go, and everything that they had.
    start_s = time.monotonic()
    for h in holders:
        h.kill()
    wait_until(lambda: str(TYPE) not in info(d, INFO_NAMES), 60, "names of the dead processes")
    names = time.monotonic() - start_s
    wait_until(lambda: sockets(d) == 0, 60, lambda: "%d sockets are left" % sockets(d))
    gone = time.monotonic() - start_s
    flat(d, buffers)
    d.stop()
    grown = {k: (after[k] - before[k]) * 1024 // cnt for k in after}
    return ("%d sockets%s: opened and bound in %.1f s; octets each: %d of dptipcd, %d shared, %d of the kernel, %d in "
            "all; slowest send %.1f ms; dump %.1f s; after kill -9 names gone in %.1f s, all in %.1f s" %
            (cnt, "" if cnt == SOCKETS else " (limit of descriptors: ulimit -Hn)", took, grown.get("RssAnon", 0), grown.get("Shmem", 0), grown.get("Slab", 0),
             -grown.get("MemAvailable", 0), worst * 1e3, dump, names, gone))


@test(limit_s=300)
def hundred_thousand_sockets_on_one_node():
    return scale(SOCKETS)


if __name__ == "__main__":
    if sys.argv[1:2] == ["holder"]:
        holder(sys.argv[2], *map(int, sys.argv[3:]))
    else:
        main()
