#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""netlink: one task with netlink sockets, run under dptipc-run by tests/system/test_preload.py.

    netlink.py calls         all calls on a socket of TIPC; a copy, a fork; "ok"
    netlink.py kernel        other families and protocols are the kernel's; "ok"
    netlink.py hold          asks once, says "asked", waits for a line, reads: says the error's name
    netlink.py diag          as ss does: looks at the length first, then reads; prints port ids
"""
import ctypes
import errno
import os
import socket
import struct
import sys

GENERIC, SOCK_DIAG, ROUTE = 16, 4, 0
SOL_NETLINK, CAP_ACK, EXT_ACK = 270, 10, 11
REQUEST, ACK, DUMP = 1, 4, 0x300


def message(type_, flags, payload, seq=7):
    return struct.pack("=IHHII", 16 + len(payload), type_, flags, seq, 0) + payload


def attr(type_, value):
    return struct.pack("=HH", 4 + len(value), type_) + value + b"\0" * (-len(value) % 4)


def get_family(name):
    return message(16, REQUEST | ACK, struct.pack("=BBH", 3, 1, 0) + attr(2, name + b"\0"))


def opened(protocol):
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
    s.setsockopt(SOL_NETLINK, CAP_ACK, 1)
    s.setsockopt(SOL_NETLINK, EXT_ACK, 1)
    s.bind((0, 0))
    return s


def header(data):
    return struct.unpack_from("=IHHII", data)


def check(condition, *what):
    if not condition:
        print("failed: line", sys._getframe(1).f_lineno, *what, flush=True)
        os._exit(1)


def messages(data):
    """A datagram may hold several."""
    at = 0
    while at + 16 <= len(data):
        length = header(data[at:])[0]
        check(16 <= length <= len(data) - at, "length", length)
        yield data[at:at + length]
        at += (length + 3) & ~3


def until(s, last, receive=None):
    """Messages up to one of that type."""
    found = []
    while not found or header(found[-1])[1] != last:
        found += messages((receive or (lambda: s.recv(8192)))())
    return found


def family(s, send=None):
    """The id of TIPC's family: an answer, an ACK."""
    (send or s.send)(get_family(b"TIPCv2"))
    data, ack = until(s, 2)
    check(header(data)[1] == 16 and header(data)[4] == s.getsockname()[0], header(data))
    check(struct.unpack_from("=i", ack, 16)[0] == 0, ack)
    at, found = 20, None
    while at + 4 <= len(data):
        length, type_ = struct.unpack_from("=HH", data, at)
        if type_ == 1:
            found = struct.unpack_from("=H", data, at + 4)[0]
        at += (length + 3) & ~3
    return found


def calls():
    s = opened(GENERIC)
    name = s.getsockname()
    check(name[0] != 0, name)
    number = family(s, lambda data: s.sendto(data, (0, 0)))
    check(number and number >= 16, number)
    # The socket looks as it did.
    check(s.getsockname() == name, s.getsockname(), name)
    check(s.getpeername() == (0, 0))
    check(s.getsockopt(socket.SOL_SOCKET, socket.SO_DOMAIN) == socket.AF_NETLINK)
    check(s.getsockopt(socket.SOL_SOCKET, socket.SO_PROTOCOL) == GENERIC)
    check(s.getsockopt(socket.SOL_SOCKET, socket.SO_TYPE) == socket.SOCK_RAW)
    check(s.getsockopt(SOL_NETLINK, CAP_ACK) == 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((0, 0))
    check(not os.get_inheritable(s.fileno()))
    # NET_GET, a dump, in all the ways to send and to receive.
    dump = message(number, REQUEST | DUMP, struct.pack("=BBH", 14, 1, 0))
    ways = [lambda: s.send(dump), lambda: s.sendto(dump, (0, 0)), lambda: os.write(s.fileno(), dump),
            lambda: os.writev(s.fileno(), [dump[:7], dump[7:]]), lambda: s.sendmsg([dump], [], 0, (0, 0)),
            lambda: s.sendmsg([dump[:16], dump[16:]])]
    for way in ways:
        check(way() == len(dump))
        data, _, flags, sender = s.recvmsg(4096, 0, socket.MSG_PEEK)
        check(header(data)[1] == number and flags == 0 and sender == (0, 0), data, flags, sender)
        check(s.recvfrom(4096, socket.MSG_PEEK) == (data, (0, 0)))
        check(s.recvmsg(8, 0, socket.MSG_PEEK)[2] & socket.MSG_TRUNC)
        check(header(until(s, 3, lambda: os.read(s.fileno(), 4096))[0])[1] == number)
    # A copy, and a child, go on with it.
    copy = s.dup()
    s.close()
    check(copy.getsockname() == name)
    check(family(copy) == number)
    if os.fork() == 0:
        check(family(copy) == number)
        os._exit(0)
    check(os.wait()[1] == 0)
    copy.setblocking(False)
    try:
        copy.recv(10)
        check(False, "something to read")
    except BlockingIOError:
        pass
    # The numbers are the kernel's again.
    copy.close()
    check([ask(s, b"nlctrl") for s in [opened(GENERIC), opened(GENERIC)]] == [16, 16])
    print("ok")


def ask(s, name):
    """the id of another family, or the negative errno"""
    s.send(get_family(name))
    last = until(s, 2)[-1]
    return struct.unpack_from("=i", last, 16)[0] or 16


def kernel():
    s = opened(GENERIC)
    check(ask(s, b"nlctrl") == 16)
    # It has been the kernel's: what comes later goes there too.
    print("TIPCv2 there:", ask(s, b"TIPCv2"))
    check(ask(opened(GENERIC), b"no-such-family") == -errno.ENOENT)
    r = opened(ROUTE)
    r.send(message(18, REQUEST | DUMP, struct.pack("=BxHiII", 0, 0, 0, 0, 0)))      # links
    data = r.recv(65536)
    check(header(data)[1] == 16, header(data))
    d = opened(SOCK_DIAG)
    # Unix sockets: family 1
    d.send(message(20, REQUEST | DUMP, struct.pack("=BBHIIIII", 1, 0, 0, 0xffffffff, 0, 0, 0, 0)))
    data = d.recv(65536)
    check(header(data)[1] == 20 and data[16] == socket.AF_UNIX, header(data), data[16])
    print("ok")


def hold():
    s = opened(GENERIC)
    family(s)
    print("asked", flush=True)
    sys.stdin.readline()
    for what in (lambda: s.recv(4096), lambda: s.recvmsg(4096), lambda: s.send(get_family(b"TIPCv2"))):
        try:
            got = what()
            print("result", got, flush=True)
        except OSError as e:
            print(errno.errorcode[e.errno], flush=True)


def diag():
    class Iovec(ctypes.Structure):
        _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]

    class Msghdr(ctypes.Structure):
        _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint32), ("iov", ctypes.POINTER(Iovec)),
                    ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p),
                    ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int)]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.recvmsg.restype = ctypes.c_ssize_t
    holder = socket.socket(socket.AF_TIPC, socket.SOCK_RDM)
    s = opened(SOCK_DIAG)
    s.send(message(20, REQUEST | DUMP, struct.pack("=BBHI", 30, 0, 0, 0xffffffff), 123456))
    ports, done = 0, False
    while not done:
        name = ctypes.create_string_buffer(12)
        iov = Iovec(None, 0)
        msg = Msghdr(ctypes.addressof(name), 12, ctypes.pointer(iov), 1, None, 0, 0)
        size = libc.recvmsg(s.fileno(), ctypes.byref(msg), socket.MSG_PEEK | socket.MSG_TRUNC)
        check(size > 0, size, ctypes.get_errno())
        check(msg.namelen == 12 and struct.unpack_from("=HHII", name.raw) == (16, 0, 0, 0), name.raw)
        data = s.recv(size)
        check(len(data) == size)
        for m in messages(data):
            _, type_, _, seq, pid = header(m)
            check(pid == s.getsockname()[0] and seq == 123456, pid, seq)
            done = done or type_ == 3
            ports += type_ == 20
    holder.close()
    print("%d sockets" % ports)
    check(ports > 0)
    print("ok")


{"calls": calls, "kernel": kernel, "hold": hold, "diag": diag}[sys.argv[1]]()
