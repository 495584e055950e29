#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Make the seed corpus of the target "wire" from tests/data/captures: of each user, type and
non_seq bit (and, of data, syn and error code) the shortest message, and of those with records or
messages in their payload also the longest below 600 octets; and two examples of doc/protocol for
what the captures lack. Run it again when captures are added."""
import pathlib
import struct

EXAMPLES = {
    # 03-link-node.md 27.6, 27.7
    "x-state-blocks-and-domain": "4f480048000300630004000a0202000000000028300110010202000002010000"
    "000000020000000000100102006600 03006c0000000900000010000500070000 0000000000000000",
    "x-state-domain-members": "4f400044000000630004000b0202000000000028300110000202000002010000"
    "0000000000000000000400000018000600070002000000000000000102030000 02040000",
}

here = pathlib.Path(__file__).parent
out = here / "corpus" / "wire"


def messages(path):
    data = path.read_bytes()
    at = 24
    while at < len(data):
        captured, length = struct.unpack_from("<II", data, at + 8)
        frame = data[at + 16 : at + 16 + captured]
        at += 16 + captured
        if frame[12:14] == b"\x88\xca" and captured == length:
            yield frame[14 : 14 + (struct.unpack_from(">I", frame, 14)[0] & 0x1FFFF)]


kinds = {}
for path in sorted((here.parent / "data" / "captures").glob("*.pcap")):
    for msg in messages(path):
        w0, w1 = struct.unpack_from(">II", msg)
        user, kind = w0 >> 25 & 15, w1 >> 29
        # The length of returned and of syn messages decides other branches.
        key = (user, kind, w0 >> 20 & 1, w0 >> 17 & 1 if user < 4 else 0, user < 4 and w1 >> 25 & 15)
        kinds.setdefault(key, set()).add(msg)

out.mkdir(parents=True, exist_ok=True)
for old in out.glob("k-*"):
    old.unlink()
for key, msgs in sorted(kinds.items()):
    chosen = {min(msgs, key=lambda m: (len(m), m))}
    if key[0] in (6, 7, 10, 11, 12):
        short = [m for m in msgs if len(m) <= 600] or list(chosen)
        chosen.add(max(short, key=lambda m: (len(m), m)))
    for i, msg in enumerate(sorted(chosen, key=len)):
        (out / ("k-" + "-".join(str(int(k)) for k in key) + "-" + "ab"[i])).write_bytes(msg)
for name, text in EXAMPLES.items():
    (out / name).write_bytes(bytes.fromhex(text))
print(len(list(out.iterdir())), "files")
