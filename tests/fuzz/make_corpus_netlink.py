#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""make_corpus_netlink.py: writes corpus/netlink, inputs of fuzz_netlink.c, which tells the format:
the requests that were recorded from the tool (tests/unit/netlink/nl_golden.c), and some that it
does not send."""
import os
import re
import struct

HERE = os.path.dirname(os.path.realpath(__file__))
OUT = os.path.join(HERE, "corpus/netlink")
GOLDEN = os.path.join(HERE, "../unit/netlink/nl_golden.c")
DIAG, CAP_ACK, EXT_ACK, ADMIN, SMALL = 1, 2, 4, 8, 16
TOOL = CAP_ACK | EXT_ACK | ADMIN
FAMILY, DO, DUMP, NESTED = 32, 5, 0x301, 0x8000
BEARER, SOCK, PUBL, LINK, MEDIA, NODE, NET, NAME_TABLE, MON, MON_PEER = range(1, 11)


def attr(kind, payload=b""):
    return struct.pack("<HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def nest(kind, *attrs):
    return attr(kind | NESTED, b"".join(attrs))


def u32(kind, value):
    return attr(kind, struct.pack("<I", value))


def message(kind, flags, payload=b""):
    return struct.pack("<IHHII", 16 + len(payload), kind, flags, 7, 8) + payload


def request(cmd, flags, *attrs):
    return message(FAMILY, flags, bytes([cmd, 1, 0, 0]) + b"".join(attrs))


def recorded():
    """{file name: request} of nl_golden.c"""
    with open(GOLDEN, encoding="ascii") as f:
        rows = re.findall(r"\{\"(G\d+)\",\s*'>',\s*((?:\"[0-9a-f]+\"\s*)+)\}", f.read())
    out = {}
    for name, text in rows:
        name += "b" if name in out else ""
        out[name] = bytes.fromhex("".join(re.findall(r"[0-9a-f]+", text)))
    return out


LINK_LOCAL = struct.pack("<HHI", 10, 0, 0) + b"\xfe\x80" + bytes(14) + struct.pack("<I", 0)
V6 = struct.pack("<HHI", 10, 0, 0) + b"\xfd" + bytes(14) + b"\1" + struct.pack("<I", 0)
KEY = b"gcm(aes)" + bytes(24) + struct.pack("<I", 28) + b"k" * 28

OTHERS = {
    "udp-v6": request(3, DO, nest(BEARER, attr(1, b"udp:six\0"),
                                  nest(4, attr(1, V6), attr(2, V6)))),
    "udp-link-local": request(3, DO, nest(BEARER, attr(1, b"udp:six\0"),
                                          nest(4, attr(1, LINK_LOCAL), attr(2, V6)))),
    "bearer-set-all": request(5, DO, nest(BEARER, attr(1, b"udp:a\0"),
                                          nest(2, u32(1, 3), u32(2, 99), u32(3, 77), u32(4, 99)))),
    "bearer-add-eth": request(21, DO, nest(BEARER, attr(1, b"eth:eth0\0"),
                                           nest(4, attr(2, V6)))),
    "link-set-bcast": request(9, DO, nest(LINK, attr(1, b"broadcast-link\0"),
                                          nest(7, u32(5, 4), u32(6, 101), u32(3, 60)))),
    "link-dump-strict": request(8, DUMP, nest(LINK, attr(4)), u32(11, 1)),
    "net-set-all": request(15, DO, nest(NET, u32(1, 5), u32(2, 6), attr(3, b"a" * 8),
                                        attr(4, b"b" * 8), attr(5))),
    "mon-peer": request(19, DUMP, nest(MON, u32(2, 3))),
    "publ": request(7, DUMP, nest(SOCK, u32(2, 9))),
    "key-of-a-node": request(23, DO, nest(NODE, attr(4, KEY), attr(3, b"n" * 16), u32(6, 1))),
    "key-strict": request(23, DO, nest(NODE, attr(4, KEY), u32(7, 1))),
    "family-by-id": message(16, DO, b"\3\1\0\0" + attr(1, b"\x20\0")),
    "family-dump": message(16, DUMP, b"\3\1\0\0"),
    "noop-and-more": message(1, 5) + request(14, DUMP) + message(99, 1) + request(24, DO),
    "length-beyond": request(14, DUMP)[:18],
    "length-odd": message(FAMILY, DO, b"\x12\0\0\0\0") + bytes(3) + request(24, DO),
}
WHO = {"G44": DIAG | EXT_ACK}

os.makedirs(OUT, exist_ok=True)
inputs = {name: bytes([WHO.get(name, TOOL)]) + data
          for name, data in {**recorded(), **OTHERS}.items()}
inputs["not-an-admin"] = bytes([EXT_ACK]) + OTHERS["net-set-all"]
inputs["small-datagram"] = bytes([TOOL | SMALL]) + OTHERS["bearer-set-all"]
inputs["not-capped"] = bytes([EXT_ACK | ADMIN]) + OTHERS["link-dump-strict"]
inputs["diag-of-another"] = bytes([DIAG]) + message(20, DUMP, bytes([2, 0, 0, 0, 255, 0, 0, 0]))
for name, data in inputs.items():
    with open(os.path.join(OUT, name), "wb") as f:
        f.write(data)
print("%d inputs" % len(inputs))
