#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""make_corpus_stack.py: writes corpus/stack, inputs of fuzz_stack.c.

From the captures of kernel TIPC in tests/data: the first frames of one node of each, as
records with all flags set, so that they seem to come from the established peer; a second
source address of that node is the second bearer. And made up here, "two-...": what one node
does with its two links, as 03-link-node.md, 19 and 20 tell it.
"""
import os
import struct

HERE = os.path.dirname(os.path.realpath(__file__))
CAPTURES = os.path.join(HERE, "../data/captures")
OUT = os.path.join(HERE, "corpus/stack")
FRAMES = 48
SKIP = {13}                          # LINK_CONFIG: the peer is known already

# Flags and options: fuzz_stack.c, two_ends.h.
ALL, PORT, BEARER_1, INNER = 0x1f, 0x20, 0x40, 0x80
ACK, AHEAD, STARVE, SEND, LATE = 0x0800, 0x1000, 0x2000, 0x4000, 0x8000
TWO, CLASSIC, NO_GAP_ACK = 0x01, 0x02, 0x04

LOW, BUNDLER, LINK_PROTOCOL, CONN_MANAGER, TUNNEL, FRAGMENTER = 0, 6, 7, 8, 10, 12
STATE, RESET, ACTIVATE = 0, 1, 2
SYNCH, FAILOVER = 0, 1


def record(data, flags=ALL, delay=1, more=0):
    return struct.pack("<BBH", flags, delay, more | len(data)) + data


# ------------------------------------------------------------ made up

def message(user, kind, payload=b"", hdr=40, **words):
    """A message; words: w1=..., w4=... Addresses and numbers are the target's to fill in."""
    w = [0] * (hdr // 4)
    w[0] = 2 << 29 | user << 25 | hdr // 4 << 21 | hdr + len(payload)
    w[1] = kind << 29
    for name, value in words.items():
        w[int(name[1:])] |= value
    return struct.pack(">%dI" % len(w), *w) + payload


def data(text=b"data", **words):
    return message(LOW, 3, text, hdr=32, **words)


# Sockets by port: ends_conns.h. An even origin port is the peer's of the connection.
LISTENING, CONNECTING, ESTABLISHED, LOCAL = range(4)


def conn(to, text=b"", code=0, **words):
    return message(LOW, 0, text, hdr=24, w1=code << 25, w5=to, **words)


def syn(text=b"", origin=0x101, code=0):
    return message(LOW, 3, text, hdr=32, w0=1 << 17, w1=code << 25, w4=origin, w5=LISTENING)


def manager(kind, acked=0, window=0, nagle=0, code=0):
    return message(CONN_MANAGER, kind, w0=nagle << 18, w1=code << 25, w5=ESTABLISHED,
                   w9=acked << 16 | window)


def act(choice, amount=1):
    """what we do: ends_conns_act"""
    return on_0(state(), delay=0x80 | amount << 3 | choice, more=SEND)


def dummy():
    return data(b"", w1=2 << 25)


def tunnel(kind, inner=b"", count=0, number=0, parts=0):
    return message(TUNNEL, kind, inner, w4=number << 16 | parts, w9=count << 16)


def reset(kind=RESET):
    return message(LINK_PROTOCOL, kind, b"fuzz0".ljust(16, b"\0"), w4=1, w5=1 << 14, w9=375 << 16)


def state(next_sent=1):
    return message(LINK_PROTOCOL, STATE, b"\0\4\0\0", w4=next_sent, w5=1 << 14)


def on_0(m, flags=0, **options):
    user = m[0] >> 1 & 15
    flags |= {LOW: PORT, CONN_MANAGER: PORT, BUNDLER: PORT | INNER, FRAGMENTER: INNER}.get(user, 0)
    return record(m, ALL | flags, **options)


def on_1(m, **options):
    return on_0(m, BEARER_1, **options)


def tunnelled(inners, kind=FAILOVER):
    """the series that carries these packets of link 0, on link 1"""
    return b"".join(record(tunnel(kind, m, len(inners)), ALL | PORT * (m != dummy()) | BEARER_1 | INNER)
                    for m in inners)


def cut(inner, room):
    """one packet of link 0 in tunnel packets of that size, on link 1"""
    parts = [inner[i:i + room] for i in range(0, len(inner) + 1, room)]
    return b"".join(
        record(tunnel(FAILOVER, m, len(parts) + 1, n, len(parts)), ALL | BEARER_1 | INNER * (n == 1))
        for n, m in enumerate(parts, 1))


def up_again():
    """link 0 comes back: RESET, ACTIVATE, STATE"""
    return on_1(data()) + on_0(reset(), delay=20, more=LATE) + \
        on_0(reset(ACTIVATE), delay=150) + on_0(state())


def made_up():
    """{name: (options, records)}"""
    talk = on_0(data()) + on_0(data(b"x" * 900)) + on_1(data())
    lost = on_0(reset())
    pieces = [data(b"f" * 100)[i:i + 60] for i in range(0, 132, 60)]
    fragments = [message(FRAGMENTER, k, m, w4=n << 16) for n, (k, m) in enumerate(zip((0, 1, 2), pieces), 1)]
    bundle = message(BUNDLER, 0, (data(b"abcd") + data(b"e" * 8) + data()) * 3, w9=9 << 16)
    over = lost + tunnelled([data(b"t1"), bundle, data(b"t3"), dummy()])
    silence = b"".join(on_1(state(1 + n), delay=50, more=LATE) for n in range(4))
    return {
        "two-failover": (TWO, talk + over + on_1(data(b"after"))),
        "two-failover-sending": (TWO, talk + on_1(state(), delay=200, more=SEND) +
                                 on_1(data(), delay=30, more=SEND) + over + on_1(data(), more=ACK)),
        "two-failover-cut": (TWO, talk + lost + cut(data(b"c" * 1400), 700) + tunnelled([dummy()])),
        "two-failover-cut-empty-end": (TWO, lost + cut(data(b"c" * 1368), 700) + tunnelled([dummy()])),
        "two-failover-silence": (TWO, talk + silence + tunnelled([data(), dummy()]) + on_1(data())),
        "two-failover-by-peer": (TWO, talk + tunnelled([data(), data(), dummy()]) + on_1(data())),
        "two-failover-twice": (TWO, over + up_again() + on_0(tunnel(SYNCH, count=9)) + on_0(data()) + over),
        "two-failover-fragments": (TWO, on_0(fragments[0]) + lost + tunnelled(fragments[1:] + [dummy()])),
        "two-failover-hole": (TWO, on_0(data(), more=AHEAD) + lost + tunnelled([data(), data(), dummy()])),
        "two-failover-nested": (TWO, lost + tunnelled([tunnel(FAILOVER, data(), 2), tunnel(SYNCH), dummy()])),
        "two-failover-starved": (TWO, talk + on_1(state(), delay=60, more=SEND) +
                                 on_0(reset(), delay=2, more=STARVE) + tunnelled([data(), dummy()])),
        "two-synch": (TWO, over + up_again() + on_0(tunnel(SYNCH, count=8)) + on_0(data(b"early")) * 3 +
                      on_1(data()) * 4),
        "two-synch-classic": (TWO | CLASSIC, over + up_again() + b"".join(
            record(tunnel(SYNCH, m, 2), ALL | INNER) for m in (data(), dummy())) + on_1(data()) * 4),
        "two-failover-classic": (TWO | CLASSIC | NO_GAP_ACK, talk + over + on_1(data())),
        "conn-data": (0, b"".join(on_0(m) for m in (
            conn(ESTABLISHED, b"d" * 900), conn(ESTABLISHED, b"ask", w0=1 << 18), conn(ESTABLISHED),
            conn(ESTABLISHED, b"x", w4=0x101), manager(0), manager(1), manager(2, 1, 512)))),
        "conn-set-up": (0, on_0(conn(CONNECTING)) + on_0(syn(b"first")) + on_0(syn()) +
                        on_0(conn(ESTABLISHED, b"to nobody")) + on_0(conn(LISTENING, b"no"))),
        "conn-refused": (0, on_0(conn(CONNECTING, code=2)) + on_0(conn(ESTABLISHED, code=5)) + act(2) +
                         on_0(conn(CONNECTING, b"late")) + act(4) + on_0(manager(0, code=2))),
        "conn-nagle": (0, act(1) + act(1) + on_0(manager(2, 5, 512, nagle=1)) + act(1, 15) * 9 +
                       on_0(conn(ESTABLISHED, b"push")) + act(3) + act(4) + act(1) + act(1) + act(4)),
        "conn-window": (0, act(0, 14) * 4 + on_0(manager(2, 65535, 65535)) + on_0(manager(2, 60, 0)) +
                        act(7) + on_0(conn(ESTABLISHED, b"w" * 1400)) * 9 + act(5, 15) * 5 + act(6)),
        "one-bundles": (0, on_0(bundle) + on_0(bundle, more=AHEAD) + on_0(bundle)),
        "one-fragments": (0, b"".join(on_0(m) for m in fragments)),
        "one-half-failover": (0, tunnelled([data(), dummy()]).replace(bytes([0xff]), bytes([0xbf]))),
    }


# ------------------------------------------------------- from captures

def frames(path):
    with open(path, "rb") as f:
        octets = f.read()
    pos = 24
    while pos + 16 <= len(octets):
        sec, us, caplen, length = struct.unpack("<IIII", octets[pos:pos + 16])
        frame = octets[pos + 16:pos + 16 + caplen]
        pos += 16 + caplen
        if caplen == length and frame[12:14] == b"\x88\xca":
            yield sec * 1000 + us // 1000, frame[6:12], frame[14:]


def captured(path):
    """(options, records) of the node that is heard first"""
    out, sender, sources, last_ms, count = bytearray(), None, [], None, 0
    for ms, source, msg in frames(path):
        user = msg[0] >> 1 & 15
        size = struct.unpack(">I", msg[:4])[0] & 0x1ffff
        if user in SKIP or count == FRAMES or size > min(len(msg), 1500):
            continue
        sender = sender or msg[12:16]
        if msg[12:16] != sender:
            continue
        if source not in sources:
            sources.append(source)
        delay = min(255, ms - last_ms) if last_ms is not None else 0
        out += record(msg[:size], ALL | BEARER_1 * (sources.index(source) == 1), delay)
        last_ms, count = ms, count + 1
    return TWO if len(sources) > 1 else 0, bytes(out)


def main():
    os.makedirs(OUT, exist_ok=True)
    inputs = {n.replace(".pcap", ""): captured(os.path.join(CAPTURES, n))
              for n in sorted(os.listdir(CAPTURES)) if n.endswith(".pcap")}
    inputs.update(made_up())
    for name, (options, records) in inputs.items():
        if records:
            with open(os.path.join(OUT, name), "wb") as f:
                f.write(bytes([options]) + records)


if __name__ == "__main__":
    main()
