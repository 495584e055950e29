#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""make_corpus_topology.py: writes corpus/topology, inputs of fuzz_topology.c, which tells the
format. One file for each rule of 05-topology-service.md that a fuzzer is to begin from."""
import os
import struct

OUT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "corpus/topology")
INSERT, REMOVE, PURGE, REQUEST, READ, TIME, CLOSE = range(7)
PORTS, SERVICE, CANCEL, CLUSTER, NODE, NO_STATUS = 1, 2, 4, 0x20, 0x40, 0x80
FOREVER = 0xffffffff


def op(code, client=0, a=0, b=0, c=0, d=0, e=0, length=0):
    return bytes([code, client, a, b, c, d, e, length])


def sub(kind, lower, upper, filter_bits, timeout=FOREVER, client=0, order="<", size=28):
    rec = struct.pack(order + "5I", kind, lower, upper, timeout, filter_bits) + b"handle.."
    rec = (rec + bytes(64))[:size]
    return op(REQUEST, client, length=len(rec)) + rec


def bind(kind, lower, span, port=1, node=0, code=INSERT):
    return op(code, 0, node, lower, kind - 100, span, port)


def unbind(*args, **words):
    return bind(*args, code=REMOVE, **words)


def read_all():
    return b"".join(op(READ, i, 255) for i in range(4))


SAMPLES = {
    "ports": sub(100, 0, 9, PORTS) + bind(100, 1, 2) + unbind(100, 1, 2) + read_all(),
    "service": sub(100, 0, 9, SERVICE) + bind(100, 1, 0) + bind(100, 1, 0, port=2) +
               unbind(100, 1, 0) + unbind(100, 1, 0, port=2) + read_all(),
    "existing": bind(100, 1, 0) + bind(100, 2, 3, node=1) + bind(100, 1, 0, port=2) +
                sub(100, 0, 9, PORTS) + sub(100, 0, 9, SERVICE, client=1) + read_all(),
    "scopes": sub(100, 0, 9, PORTS | CLUSTER) + sub(100, 0, 9, PORTS | NODE, client=1) +
              bind(100, 1, 0) + bind(100, 2, 0, port=129) + read_all(),
    "swapped": sub(100, 0, 9, PORTS, order=">") + sub(100, 0, 9, 0, order=">", client=1) +
               bind(100, 1, 0) + read_all(),
    "timeout": sub(100, 0, 9, PORTS, timeout=20) + sub(100, 0, 9, PORTS, timeout=0, client=1) +
               op(TIME, 0, 0, 30) + bind(100, 1, 0) + read_all(),
    "cancel": sub(100, 0, 9, PORTS, timeout=20) + op(TIME, 0, 0, 30) +
              sub(100, 0, 9, PORTS | CANCEL, timeout=20) + sub(101, 0, 9, PORTS) + read_all() +
              bind(101, 1, 0) + read_all(),
    "faults": sub(100, 9, 0, PORTS) + sub(100, 0, 9, PORTS | SERVICE, client=1) +
              sub(100, 0, 9, PORTS, size=27, client=2) + sub(100, 0, 9, PORTS, size=60, client=3) +
              bind(100, 1, 0) + read_all(),
    "purge": sub(100, 0, 9, PORTS) + bind(100, 1, 0, node=1) + bind(101, 2, 0, node=1) +
             op(PURGE, 0, 1) + read_all(),
    "full": b"".join(sub(100, 0, 9, PORTS | NO_STATUS, client=i % 4) for i in range(45)) +
            b"".join(bind(100, i % 8, 0, port=i) for i in range(16)) + read_all(),
    "closed": sub(100, 0, 9, PORTS, timeout=20) + bind(100, 1, 0) + op(CLOSE) +
              op(TIME, 0, 0, 30) + bind(100, 2, 0) + read_all(),
}

os.makedirs(OUT, exist_ok=True)
for name, data in SAMPLES.items():
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)
print("%d inputs" % len(SAMPLES))
