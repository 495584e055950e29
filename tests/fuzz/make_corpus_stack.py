#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""make_corpus_stack.py: writes corpus/stack from the captures of kernel TIPC in tests/data.

Each file holds the first frames of one node of one capture, as records of fuzz_stack.c,
with all flags set, so that they seem to come from the established peer.
"""
import os
import struct

HERE = os.path.dirname(os.path.realpath(__file__))
CAPTURES = os.path.join(HERE, "../data/captures")
OUT = os.path.join(HERE, "corpus/stack")
FRAMES, FLAGS = 24, 0x1f
SKIP = {13}                          # LINK_CONFIG: the peer is known already


def frames(path):
    with open(path, "rb") as f:
        data = f.read()
    pos = 24
    while pos + 16 <= len(data):
        sec, us, caplen, length = struct.unpack("<IIII", data[pos:pos + 16])
        frame = data[pos + 16:pos + 16 + caplen]
        pos += 16 + caplen
        if caplen == length and frame[12:14] == b"\x88\xca":
            yield sec * 1000 + us // 1000, frame[6:12], frame[14:]


def main():
    os.makedirs(OUT, exist_ok=True)
    for name in sorted(os.listdir(CAPTURES)):
        if not name.endswith(".pcap"):
            continue
        out, sender, last_ms, count = bytearray(), None, None, 0
        for ms, source, msg in frames(os.path.join(CAPTURES, name)):
            user = msg[0] >> 1 & 15
            size = struct.unpack(">I", msg[:4])[0] & 0x1ffff
            if user in SKIP or count == FRAMES or size > min(len(msg), 1500):
                continue
            sender = sender or source
            if source != sender:
                continue
            delay = min(255, ms - last_ms) if last_ms is not None else 0
            out += struct.pack("<BBH", FLAGS, delay, size) + msg[:size]
            last_ms, count = ms, count + 1
        if count:
            with open(os.path.join(OUT, name.replace(".pcap", "")), "wb") as f:
                f.write(out)


if __name__ == "__main__":
    main()
