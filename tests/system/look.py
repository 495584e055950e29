# SPDX-License-Identifier: BSD-3-Clause
"""What a dptipcd and a descriptor show, without libdptipc."""
import re
import select
import socket
import struct

from dpttest import need, wait_until
from region import INFO

IN, OUT, ERR, HUP, RDHUP = (select.POLLIN, select.POLLOUT, select.POLLERR, select.POLLHUP,
                            select.POLLRDHUP)
INFO_NAMES, INFO_LINKS, INFO_SOCKETS, INFO_COUNTERS = 1, 2, 3, 4


def polled(fd):
    p = select.poll()
    p.register(fd, IN | OUT | RDHUP)
    return p.poll(0)[0][1] if p.poll(0) else 0


def info(d, what):
    """Text of a dump, over a connection of its own."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(10)
    s.connect("\0dptipc/" + d.name)
    s.send(struct.pack("=IIi5I", INFO, 1, 0, what, 0, 0, 0, 0))
    text = b""
    while True:
        part = s.recv(8192)
        need(len(part) >= 32, "the dump ends early")
        if len(part) == 32:
            s.close()
            return text.decode()
        text += part[32:]


def counter(d, name):
    m = re.search(r"^%s +(\d+)$" % re.escape(name), info(d, INFO_COUNTERS), re.M)
    need(m, "no counter", name)
    return int(m[1])


def sockets(d):
    return counter(d, "control.sockets")


def flat(d, buffers, what="buffers of the pool"):
    wait_until(lambda: counter(d, "pool.buffers_used") <= buffers, 15,
               lambda: "%s: %d, before %d" % (what, counter(d, "pool.buffers_used"), buffers))
