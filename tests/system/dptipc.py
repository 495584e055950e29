# SPDX-License-Identifier: BSD-3-Clause
"""dptipc: libdptipc for the system tests, through ctypes (build/lib/client/libdptipc.so)."""
import ctypes
import os
import socket
import struct

from dpttest import built

AF_TIPC, SOCK_RDM, SOCK_DGRAM = 30, 4, 2
SOL_TIPC, TIPC_DEST_DROPPABLE = 271, 129
SOL_DPTIPC, DPTIPC_RX_DROPS = 0x647074, 2
MSG_DONTWAIT = socket.MSG_DONTWAIT
NODE, NAMES, LINKS, SOCKETS, COUNTERS, REFUSED = range(6)
CLUSTER, NODE_SCOPE = 2, 3

_lib = None


def lib():
    global _lib
    if _lib is None:
        _lib = ctypes.CDLL(built("lib/client/libdptipc.so"), use_errno=True)
        for name in ("dptipc_sendto", "dptipc_recvfrom"):
            getattr(_lib, name).restype = ctypes.c_ssize_t
        _lib.dptipc_error.restype = ctypes.c_char_p
        _lib.dptipc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
    return _lib


def _check(rc):
    if rc < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s (%s)" % (os.strerror(number), lib().dptipc_error().decode()))
    return rc


def attach(name):
    _check(lib().dptipc_attach(name.encode()))


def service(type_, instance, domain=0):
    return struct.pack("=HBb3I", AF_TIPC, 2, 0, type_, instance, domain)


def service_range(type_, lower, upper, scope=CLUSTER):
    return struct.pack("=HBb3I", AF_TIPC, 1, scope, type_, lower, upper)


class Socket:
    def __init__(self, type_=SOCK_RDM):
        self.fd = _check(lib().dptipc_socket(AF_TIPC, type_, 0))

    def bind(self, addr):
        _check(lib().dptipc_bind(self.fd, addr, len(addr)))

    def sendto(self, data, addr, flags=0):
        return _check(lib().dptipc_sendto(self.fd, data, ctypes.c_size_t(len(data)), flags, addr,
                                          len(addr)))

    def recvfrom(self, size=66000, flags=0):
        data = ctypes.create_string_buffer(size)
        addr = ctypes.create_string_buffer(16)
        length = ctypes.c_uint32(16)
        got = _check(lib().dptipc_recvfrom(self.fd, data, ctypes.c_size_t(size), flags, addr,
                                           ctypes.byref(length)))
        return data.raw[:got], addr.raw

    def drops(self):
        value, length = ctypes.c_uint32(), ctypes.c_uint32(4)
        _check(lib().dptipc_getsockopt(self.fd, SOL_DPTIPC, DPTIPC_RX_DROPS, ctypes.byref(value),
                                       ctypes.byref(length)))
        return value.value

    def shutdown(self):
        """returns the errno: ENOTCONN when it has done its work"""
        lib().dptipc_shutdown(self.fd, socket.SHUT_RDWR)
        return ctypes.get_errno()

    def droppable(self, value):
        word = ctypes.c_uint32(value)
        _check(lib().dptipc_setsockopt(self.fd, SOL_TIPC, TIPC_DEST_DROPPABLE, ctypes.byref(word), 4))

    def rcvbuf(self, size):
        word = ctypes.c_uint32(size)
        _check(lib().dptipc_setsockopt(self.fd, socket.SOL_SOCKET, socket.SO_RCVBUF, ctypes.byref(word), 4))

    def fileno(self):
        return self.fd

    def close(self):
        lib().dptipc_close(self.fd)


def info(what):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.fdopen.restype = ctypes.c_void_p
    libc.fclose.argtypes = [ctypes.c_void_p]
    fd = os.memfd_create("info")
    copy = os.dup(fd)
    to = libc.fdopen(copy, b"w")
    rc = lib().dptipc_info(what, to)
    error = ctypes.get_errno()
    libc.fclose(to)
    ctypes.set_errno(error)
    _check(rc)
    with os.fdopen(fd, "rb") as f:
        f.seek(0)
        return f.read().decode()
