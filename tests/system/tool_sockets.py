#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""tool_sockets 1|2: the sockets of the recorded scenario 03-cluster, those of node1 or of node2
(tests/data/tipc-tool-golden/README.txt), on Python's own socket module. Says "bound", then "ready"
when all connections and unread messages are there; then waits to be killed.
"""
import errno
import signal
import socket
import struct
import sys
import time

GROUP_JOIN = 135
RDM, DGRAM, STREAM, SEQPACKET = (socket.SOCK_RDM, socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.SOCK_SEQPACKET)
NAME, RANGE = socket.TIPC_ADDR_NAME, socket.TIPC_ADDR_NAMESEQ
CLUSTER, NODE = socket.TIPC_CLUSTER_SCOPE, socket.TIPC_NODE_SCOPE


def bound(kind, type_, lower, upper, scope=CLUSTER):
    s = socket.socket(socket.AF_TIPC, kind)
    s.bind((RANGE, type_, lower, upper, scope))
    return s


def member(instance):
    """of the group 3000. Where there are no groups it stays a socket without a name."""
    s = socket.socket(socket.AF_TIPC, RDM)
    try:
        s.setsockopt(socket.SOL_TIPC, GROUP_JOIN, struct.pack("=4I", 3000, instance, CLUSTER, 0))
    except OSError as e:
        if e.errno != errno.ENOPROTOOPT:
            raise
    return s


def retry(call):
    """until the name of the other node is there"""
    end = time.monotonic() + 20
    while True:
        try:
            return call()
        except OSError as e:
            if e.errno not in (errno.EHOSTUNREACH, errno.ECONNREFUSED) or time.monotonic() > end:
                raise
            time.sleep(0.05)


def connected(kind, type_, instance):
    def call():
        s = socket.socket(socket.AF_TIPC, kind)
        s.connect((NAME, type_, instance, 0))
        return s
    return retry(call)


def node1():
    rdm = bound(RDM, 1000, 1, 10)
    rdm.bind((RANGE, 1001, 5, 5, NODE))
    seqpacket, stream = bound(SEQPACKET, 2000, 0, 0), bound(STREAM, 2001, 7, 7)
    seqpacket.listen()
    stream.listen()
    held = [rdm, seqpacket, stream, socket.socket(socket.AF_TIPC, DGRAM), member(1), connected(SEQPACKET, 1, 1)]
    print("bound", flush=True)
    packets, _ = seqpacket.accept()
    octets, _ = stream.accept()
    for i in range(20):
        packets.send(b"unread %d" % i)
    octets.send(b"unread")
    return held + [packets, octets]


def node2():
    rdm = bound(RDM, 1000, 11, 20)
    held = [rdm, member(2)]
    print("bound", flush=True)
    held += [connected(SEQPACKET, 2000, 0), connected(STREAM, 2001, 7)]
    for i in range(23):
        retry(lambda i=i: rdm.sendto(b"unread %d" % i, (NAME, 1000, 5, 0)))
    return held


held = node1() if sys.argv[1] == "1" else node2()
print("ready", flush=True)
signal.pause()
