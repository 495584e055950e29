# SPDX-License-Identifier: BSD-3-Clause
"""Netlink of TIPC, by hand: messages built and read, over dptipcd's attach socket.

No libmnl, no preload, no tool: what goes over the socket is in the tests' hands. Octets and
numbers: doc/protocol/13-netlink.md.

    c = Client(name)
    c.do(NET_SET, nest(NET, u32(NET_ID, 4712)))         raises NlError with errno and text
    for m in c.dump(NAME_TABLE_GET): m.attrs ...
"""
import errno
import os
import socket
import struct

from dpttest import Failure, cleanup, equal, need

ATTACH_NETLINK, CAP_ACK, EXT_ACK = 19, 1, 2
GENERIC, SOCK_DIAG = 16, 4
REQUEST, MULTI, ACK, DUMP = 1, 2, 4, 0x300
ERROR, DONE, CTRL, FAMILY = 2, 3, 16, 32
CAPPED, ACK_TLVS, NESTED = 0x100, 0x200, 0x8000
ENOTSUPP = 524

(BEARER_DISABLE, BEARER_ENABLE, BEARER_GET, BEARER_SET, SOCK_GET, PUBL_GET, LINK_GET, LINK_SET,
 LINK_RESET_STATS, MEDIA_GET, MEDIA_SET, NODE_GET, NET_GET, NET_SET, NAME_TABLE_GET, MON_SET, MON_GET,
 MON_PEER_GET, PEER_REMOVE, BEARER_ADD, UDP_GET_REMOTEIP, KEY_SET, KEY_FLUSH,
 ADDR_LEGACY_GET) = range(2, 26)
ADMIN = (BEARER_DISABLE, BEARER_ENABLE, BEARER_SET, BEARER_ADD, LINK_SET, LINK_RESET_STATS, MEDIA_SET,
         NET_SET, MON_SET, PEER_REMOVE, KEY_SET, KEY_FLUSH)
DUMPS = (BEARER_GET, SOCK_GET, LINK_GET, MEDIA_GET, NODE_GET, NET_GET, NAME_TABLE_GET, MON_GET)

# Top level.
BEARER, SOCK, PUBL, LINK, MEDIA, NODE, NET, NAME_TABLE, MON, MON_PEER = range(1, 11)
BEARER_NAME, BEARER_PROP, BEARER_DOMAIN, BEARER_UDP_OPTS = 1, 2, 3, 4
UDP_LOCAL, UDP_REMOTE = 1, 2
SOCK_ADDR, SOCK_REF, SOCK_CON, SOCK_HAS_PUBL, SOCK_STAT, SOCK_TYPE, SOCK_INO, SOCK_UID = range(1, 9)
SOCK_STATE, SOCK_COOKIE = 9, 10
CON_FLAG, CON_NODE, CON_SOCK, CON_TYPE, CON_INST = range(1, 6)
STAT_RCVQ, STAT_SENDQ, STAT_LINK_CONG, STAT_CONN_CONG, STAT_DROP = range(5)
PUBL_TYPE, PUBL_LOWER, PUBL_UPPER, PUBL_SCOPE, PUBL_NODE, PUBL_REF, PUBL_KEY = range(1, 8)
(LINK_NAME, LINK_DEST, LINK_MTU, LINK_BROADCAST, LINK_UP, LINK_ACTIVE, LINK_PROP, LINK_STATS, LINK_RX,
 LINK_TX) = range(1, 11)
MEDIA_NAME, MEDIA_PROP = 1, 2
NODE_ADDR, NODE_UP, NODE_ID, NODE_KEY, NODE_KEY_MASTER, NODE_REKEYING = range(1, 7)
NET_ID, NET_ADDR, NET_NODEID, NET_NODEID_W1, NET_ADDR_LEGACY = range(1, 6)
MON_THRESHOLD, MON_REF, MON_ACTIVE, MON_BEARER, MON_PEERCNT, MON_LISTGEN = range(1, 7)
PEER_ADDR, PEER_DOMGEN, PEER_APPLIED, PEER_UPMAP, PEER_MEMBERS, PEER_UP, PEER_HEAD, PEER_LOCAL = range(1, 9)
PRIO, TOL, WIN, MTU, BROADCAST, RATIO = range(1, 7)


class NlError(OSError):
    def __init__(self, number, text, done=False):
        super().__init__(number, "%s (%s)" % (text, errno.errorcode.get(number, number)))
        self.text, self.is_done = text, done


# ---- building

def attr(type_, payload=b""):
    return struct.pack("=HH", 4 + len(payload), type_) + payload + bytes(-len(payload) % 4)


def u32(type_, value):
    return attr(type_, struct.pack("=I", value))


def text(type_, value):
    return attr(type_, value.encode() + b"\0")


def nest(type_, *attrs):
    return attr(type_ | NESTED, b"".join(attrs))


def bearer(name, *attrs):
    return nest(BEARER, text(BEARER_NAME, name), *attrs)


def link(name, *attrs):
    return nest(LINK, text(LINK_NAME, name), *attrs)


def media(name, *attrs):
    return nest(MEDIA, text(MEDIA_NAME, name), *attrs)


def node_id(identity):
    whole = identity.ljust(16, b"\0")
    return attr(NET_NODEID, whole[:8]) + attr(NET_NODEID_W1, whole[8:])


def key(value, algorithm=b"gcm(aes)", length=None):
    return attr(NODE_KEY, algorithm.ljust(32, b"\0") +
                struct.pack("=I", len(value) if length is None else length) + value)


def message(cmd, flags, payload=b"", seq=1, pid=0, type_=FAMILY, version=1):
    body = struct.pack("=BBH", cmd, version, 0) + payload
    return struct.pack("=IHHII", 16 + len(body), type_, flags, seq, pid) + body


def diag(states=0xfff, flags=REQUEST | DUMP, seq=123456, pid=77, family=30):
    return struct.pack("=IHHIIBBHI", 24, 20, flags, seq, pid, family, 0, 0, states)


# ---- reading

def attributes(data):
    """{type: payload} of a nest; a type that comes twice: the last"""
    out, at = {}, 0
    while at + 4 <= len(data):
        length, type_ = struct.unpack_from("=HH", data, at)
        need(4 <= length <= len(data) - at, "an attribute of %d octets in %d" % (length, len(data) - at))
        out[type_ & 0x3fff] = data[at + 4:at + length]
        at += (length + 3) & ~3
    return out


def number(payload):
    return int.from_bytes(payload, "little")


def string(payload):
    need(payload.endswith(b"\0"), "text without NUL", payload)
    return payload[:-1].decode()


class Message:
    def __init__(self, data):
        self.len, self.type, self.flags, self.seq, self.pid = struct.unpack_from("=IHHII", data)
        self.data = data[:self.len]
        self.error = self.text = None
        if self.type == ERROR:
            self.error = -struct.unpack_from("=i", data, 16)[0]
            echo, = struct.unpack_from("=I", data, 20)
            start = 36 if self.flags & CAPPED else 20 + (echo + 3 & ~3)
            if self.flags & ACK_TLVS:
                tlvs = attributes(self.data[start:])
                self.text = string(tlvs[1]) if 1 in tlvs else None
        elif self.type == DONE:
            self.error = -struct.unpack_from("=i", data, 16)[0]
        elif self.type == 20:
            self.attrs = attributes(self.data[16:])
        else:
            self.cmd, self.version = struct.unpack_from("=BB", data, 16)
            self.attrs = attributes(self.data[20:])

    def nest(self, *path):
        data = self.attrs
        for type_ in path:
            data = attributes(data[type_])
        return data


def messages(datagram):
    out, at = [], 0
    while at + 16 <= len(datagram):
        length, = struct.unpack_from("=I", datagram, at)
        need(16 <= length <= len(datagram) - at, "a message of %d octets in %d" %
             (length, len(datagram) - at))
        out.append(Message(datagram[at:at + length]))
        at += (length + 3) & ~3
    return out


class Client:
    """A netlink connection. resolve: what a program's first request does"""

    def __init__(self, name, protocol=GENERIC, options=CAP_ACK | EXT_ACK, want=0):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(20)
        self.s.connect("\0dptipc/" + name)
        cleanup(self.close)
        self.seq, self.waiting, self.refused = 1000, [], 0
        self.s.send(struct.pack("=IIi5I", ATTACH_NETLINK, 1, 0, protocol, options, 0, 0, 0))
        answer = self.s.recv(64)
        need(len(answer) == 32, "answer to NETLINK", answer)
        equal(struct.unpack_from("=i", answer, 8)[0], want, "result of NETLINK")

    def close(self):
        self.s.close()

    def send(self, data):
        self.s.send(data)

    def datagram(self):
        data = self.s.recv(1 << 16)
        if not data:
            raise Failure("dptipcd has hung up")
        return data

    def next(self):
        """The next message, of whichever datagram"""
        while not self.waiting:
            data = self.datagram()
            need(len(data) <= 4096, "a datagram of %d octets" % len(data))
            self.waiting = messages(data)
        return self.waiting.pop(0)

    def is_gone(self):
        """hung up by the other end, all read"""
        try:
            while self.s.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
        return True

    def request(self, cmd, flags, payload=b"", **kw):
        self.seq += 1
        self.send(message(cmd, flags, payload, seq=self.seq, **kw))
        return self.seq

    def do(self, cmd, payload=b""):
        """The data messages; raises NlError."""
        seq, out = self.request(cmd, REQUEST | ACK, payload), []
        while True:
            m = self.next()
            equal(m.seq, seq, "seq")
            if m.type != ERROR:
                out.append(m)
                continue
            if m.error:
                self.refused += 1
                raise NlError(m.error, m.text)
            return out

    def fails(self, number_, cmd, payload=b"", text_=None):
        """The request is refused with that errno and that text (None: none)."""
        try:
            self.do(cmd, payload)
        except NlError as e:
            equal((e.errno, e.text), (number_, text_), "refusal of command %d" % cmd)
            return
        raise Failure("command %d was not refused" % cmd)

    def collect(self, seq=None):
        """All messages of the dump that is open, up to DONE."""
        out = []
        while True:
            m = self.next()
            if seq is not None:
                equal(m.seq, seq, "seq")
            if m.type == ERROR:
                raise NlError(m.error, m.text)
            if m.type == DONE:
                need(m.flags & MULTI, "flags of DONE", m.flags)
                if m.error:
                    raise NlError(m.error, None, done=True)
                return out
            out.append(m)

    def dump(self, cmd, payload=b""):
        return self.collect(self.request(cmd, REQUEST | DUMP, payload))

    def dump_fails(self, number_, cmd, payload=b"", done=True):
        try:
            self.dump(cmd, payload)
        except NlError as e:
            equal((e.errno, e.is_done), (number_, done), "end of dump %d" % cmd)
            return
        raise Failure("dump %d ended well" % cmd)


def names(client):
    """the name table: [(type, lower, upper, scope, node, ref, key)]"""
    out = []
    for m in client.dump(NAME_TABLE_GET):
        p = m.nest(NAME_TABLE)
        out.append(tuple(number(v) for _, v in sorted(attributes(p[1]).items())))
    return out


def bearers(client):
    return [string(m.nest(BEARER)[BEARER_NAME]) for m in client.dump(BEARER_GET)]


def links(client, is_with_bcast=False):
    """{name: attributes}, in the order of the dump"""
    asked = nest(LINK, attr(LINK_BROADCAST)) if is_with_bcast else b""
    return {string(m.nest(LINK)[LINK_NAME]): m.nest(LINK) for m in client.dump(LINK_GET, asked)}


def socks(client):
    """{port: attributes} of SOCK_GET"""
    return {number(m.nest(SOCK)[SOCK_REF]): m.nest(SOCK) for m in client.dump(SOCK_GET)}


def diag_socks(client, states=0xfff):
    client.send(diag(states))
    return {number(m.nest(2)[SOCK_REF]): m.nest(2) for m in client.collect(123456)}


def fd_cnt(pid):
    return len(os.listdir("/proc/%d/fd" % pid))
