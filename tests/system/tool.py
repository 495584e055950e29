#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tool: one task of an application, in a process of its own, for the system tests.

    tool.py NAME info WHAT             dump of dptipcd NAME, on standard output
    tool.py NAME sink TYPE COUNT poll|epoll
                                       binds, says "bound", waits with poll or epoll, checks
                                       the numbers of COUNT messages, says "got COUNT"
    tool.py NAME source TYPE COUNT SIZE PAUSE_US
                                       sends COUNT numbered messages, says "sent COUNT"
    tool.py NAME hold TYPE SOCKETS     binds, says "bound", waits to be killed; messages stay
                                       unread; says "down" when dptipcd goes
    tool.py NAME churn COUNT           COUNT processes, one after the other, that attach, bind,
                                       send to themselves, and exit; says "done"
"""
import errno
import os
import select
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
import dptipc

name, task, args = sys.argv[1], sys.argv[2], sys.argv[3:]


def say(text):
    print(text, flush=True)


def wait_readable(sock, how):
    if how == "poll":
        p = select.poll()
        p.register(sock, select.POLLIN)
        return p.poll(10000)
    with select.epoll() as e:
        e.register(sock, select.EPOLLIN)
        return e.poll(10)


def sink(type_, count, how):
    s = dptipc.Socket()
    # RDM has no flow control from end to end: a reader that has to wait for its CPU loses none.
    s.rcvbuf(16 << 20)
    s.bind(dptipc.service_range(type_, 0, 0))
    say("bound")
    n = 0
    while n < count:
        if not wait_readable(s, how):
            say("timeout after %d" % n)
            return 1
        while n < count:
            try:
                data, _ = s.recvfrom(flags=dptipc.MSG_DONTWAIT)
            except OSError as e:
                if e.errno != errno.EAGAIN:
                    raise
                break
            number, size = struct.unpack_from("=II", data)
            fill = data[8:]
            if number != n or size != len(data) or fill != bytes([n & 255]) * len(fill):
                say("wrong: number %d, wanted %d, %d octets" % (number, n, len(data)))
                return 1
            n += 1
    say("got %d" % n)


def source(type_, count, size, pause_us):
    s = dptipc.Socket()
    for n in range(count):
        end = time.monotonic() + 10
        data = struct.pack("=II", n, size) + bytes([n & 255]) * (size - 8)
        while True:
            try:
                s.sendto(data, dptipc.service(type_, 0))
                break
            except OSError as e:
                if e.errno != errno.EHOSTUNREACH or time.monotonic() > end:
                    raise
                time.sleep(0.02)
        if pause_us:
            time.sleep(pause_us / 1e6)
    say("sent %d" % count)


def hold(type_, count):
    socks = [dptipc.Socket() for _ in range(count)]
    for i, s in enumerate(socks):
        s.bind(dptipc.service_range(type_, i, i))
    say("bound")
    p = select.poll()
    for s in socks:
        p.register(s, 0)        # hang-up alone
    if p.poll(30000):
        say("down")
        try:
            socks[0].sendto(b"x", dptipc.service(type_, 0))
            say("sent")
        except OSError as e:
            say("error %s" % errno.errorcode[e.errno])


def churn(count):
    for i in range(count):
        pid = os.fork()
        if pid == 0:
            dptipc.attach(name)
            s = dptipc.Socket()
            s.bind(dptipc.service_range(20000 + i, 1, 1))
            s.sendto(b"to myself", dptipc.service(20000 + i, 1))
            if i % 2:
                s.recvfrom()
            os._exit(0)
        if os.waitpid(pid, 0)[1] != 0:
            say("process %d failed" % i)
            return 1
    say("done")


if task == "churn":
    sys.exit(churn(int(args[0])))
try:
    dptipc.attach(name)
except OSError as e:
    say("attach: %s: %s" % (errno.errorcode.get(e.errno), e))
    sys.exit(1)
if task == "info":
    print(dptipc.info(int(args[0])), end="")
elif task == "sink":
    sys.exit(sink(int(args[0]), int(args[1]), args[2]))
elif task == "source":
    source(*map(int, args))
elif task == "hold":
    hold(int(args[0]), int(args[1]))
