# SPDX-License-Identifier: BSD-3-Clause
"""A process's region of shared memory, driven by hand: records, positions, requests.

For what libdptipc does not let a program do: ignore the peer's window, accept without a
request, leave the log unread, look at each word of a socket. The layout is that of
lib/shm/dpt_shm.h and dpt_attach.h. Words that dptipcd reads or writes meanwhile go through
memoryviews of their width, one load or store each. struct.pack_into is not fit for them: it
clears a word before it writes it, and dptipcd sees the zero.
"""
import errno
import mmap
import os
import socket
import struct
import time

from dpttest import Failure, cleanup, equal, need, wait_until

ABI = 2
(HELLO, SOCKET, BIND, UNBIND, UNBIND_ALL, SHUTDOWN, RCVBUF, INFO, LINK_SET, LISTEN, ACCEPT, PAIR,
 NODELAY, ADOPT, LINK_NAME, NODE_ID) = range(1, 17)
SYNC = 0x100
STREAM, DGRAM, RDM, SEQPACKET = 1, 2, 4, 5
ESTABLISHED, CONNECTING, OPEN, DISCONNECTING, LISTENING = 1, 2, 7, 8, 10
PAD, SEND, SIGNAL, DATA, CONNECT, ROOM, SYN = range(1, 8)
DEST_DROPPABLE, SRC_DROPPABLE, WANT_RESULT = 1, 2, 4
LINE, SOCK_BYTES, CHANNEL_BYTES, CHANNELS = 64, 384, 128, 4
SO_COOKIE = 57


def cost(payload, header=24):
    return (header + payload) // 1024 + 1


def _tag(pos):
    return 0x80000000 | ((pos + 1) & 0x7fffffff)


class Region:
    """One attached process."""

    def __init__(self, name, adopt=None):
        self.conn = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.conn.settimeout(20)
        self.conn.connect("\0dptipc/" + name)
        cleanup(self.conn.close)
        self.name, self.cookie, self.adopted = name, 0, None
        answer, fds = self.ask(HELLO if adopt is None else ADOPT, ABI,
                               fds=[] if adopt is None else [adopt], ends=2)
        self.adopted = answer[2]
        self.bytes = answer[1] | answer[3] << 32
        self.mem, self.doorbell = mmap.mmap(fds[0], self.bytes), fds[1]
        os.close(fds[0])
        self.words32, self.words64 = (memoryview(self.mem).cast(width) for width in "IQ")
        cleanup(lambda: os.close(self.doorbell))
        (self.socks_cnt, self.channel_bytes, self.rx_bytes, self.socks_at, self.channels_at,
         self.channel_logs_at, self.rx_logs_at) = struct.unpack("=7I", self.mem[24:52])
        self.tx_pos = [0] * CHANNELS

    def ask(self, op, *args, fds=(), ends=0, want=0, note=b""):
        """A request; its answer's arg[] and descriptors. want: errno, None: any, which comes first."""
        self.cookie += 1
        words = (list(args) + [0] * 5)[:5]
        socket.send_fds(self.conn, [struct.pack("=IIi5I", op, self.cookie, 0, *words) + note],
                        list(fds))
        return self.answer(ends, want)

    def answer(self, ends=0, want=0):
        data, fds, _, _ = socket.recv_fds(self.conn, 4096, max(ends, 1))
        need(len(data) >= 32, "no answer")
        words = struct.unpack("=IIi5I", data[:32])
        equal(words[1], self.cookie, "cookie")
        if want is None:
            return words[2], words[3:], fds
        if words[2] != want:
            for fd in fds:
                os.close(fd)
            raise OSError(words[2], "request %d: %s" % (words[0], os.strerror(words[2])))
        self.text = data[32:]
        return (words[3:], fds) if ends else words[3:]

    def u32(self, at):
        return self.words32[at // 4]

    def u64(self, at):
        return self.words64[at // 8]

    def set_u32(self, at, value):
        self.words32[at // 4] = value

    def set_u64(self, at, value):
        self.words64[at // 8] = value

    def ring(self):
        os.write(self.doorbell, struct.pack("=Q", 1))

    def submit(self, idx, kind, rest=b"", importance=0, flags=0, size=None):
        """A record into the socket's submission log; waits for room. rest: behind 16 octets."""
        ch = idx % CHANNELS
        size = 16 + len(rest) if size is None else size
        lines, total = (size + LINE - 1) // LINE, self.channel_bytes // LINE
        log = self.channel_logs_at + ch * self.channel_bytes
        consumed_at = self.channels_at + ch * CHANNEL_BYTES + 64
        pos = self.tx_pos[ch]
        pad = total - pos % total if lines > total - pos % total else 0
        end = time.monotonic() + 20
        while pos + pad + lines + 1 > self.u64(consumed_at) + total:
            self.ring()
            if time.monotonic() > end:
                raise Failure("the submission log stays full")
            time.sleep(0.001)
        start = log + (pos + pad) % total * LINE
        self.mem[start + 16:start + 16 + len(rest)] = rest
        self.set_u32(log + (pos + pad + lines) % total * LINE, 0)
        struct.pack_into("=IBBBBI", self.mem, start + 4, size, kind, importance, flags, 0, idx)
        self.set_u32(start, _tag(pos + pad))
        if pad:
            at = log + pos % total * LINE
            struct.pack_into("=IBBBBI", self.mem, at + 4, pad * LINE, PAD, 0, 0, 0, 0)
            self.set_u32(at, _tag(pos))
        self.tx_pos[ch] = pos + pad + lines
        self.ring()

    def socket(self, type_):
        answer, fds = self.ask(SOCKET, type_, ends=1)
        return Sock(self, answer[0], answer[1], fds[0])

    def pair(self, type_):
        answer, fds = self.ask(PAIR, type_, ends=2)
        return (Sock(self, answer[0], answer[1], fds[0]), Sock(self, answer[2], answer[3], fds[1]))

    def close(self):
        self.conn.close()


class Sock:
    def __init__(self, region, idx, port, fd):
        self.r, self.idx, self.port, self.fd = region, idx, port, fd
        self.at = region.socks_at + idx * SOCK_BYTES
        self.seq = self.rx_pos = self.rx_msgs = self.sent_cost = 0
        if fd is not None:
            cleanup(self.close)

    def word(self, offset):
        return self.r.u32(self.at + offset)

    state = property(lambda self: self.word(32) & 0xff)
    conn_word = property(lambda self: self.word(32))
    credit = property(lambda self: self.word(36))
    peer = property(lambda self: (self.word(40), self.word(44)))
    so_error = property(lambda self: self.word(72))
    is_filled = property(lambda self: self.word(76))
    is_closed = property(lambda self: self.word(12))
    is_congested = property(lambda self: self.word(8))

    def own(self):
        return self.port, self.r.u32(64)

    def bind(self, type_, lower, upper, scope=2, want=0):
        return self.r.ask(BIND, self.idx, type_, lower, upper, scope, want=want)

    def listen(self, want=0):
        return self.r.ask(LISTEN, self.idx, want=want)

    def send(self, data=b"", to=None, kind=SEND, result=True, importance=0, flags=0):
        """to: (addrtype, three words). Returns the errno when the result was asked for."""
        addrtype, words = to or (0, (0, 0, 0))
        self.seq += 1
        rest = struct.pack("=B3x3II12x", addrtype, *words, self.seq) + data
        self.r.submit(self.idx, kind, rest, importance, flags | (WANT_RESULT if result else 0))
        if kind == SEND and addrtype == 0:
            self.sent_cost += cost(len(data))
        if result:
            wait_until(lambda: self.word(0) == self.seq, 10, "the result of a send", 0.0005)
            return self.word(4)
        return 0

    def connect(self, to, **kw):
        return self.send(to=to, kind=CONNECT, **kw)

    def peek(self):
        """The next record: (kind, errcode, port, node, msg_type, payload, lines) or None"""
        log, total = self.r.rx_logs_at + self.idx * self.r.rx_bytes, self.r.rx_bytes // LINE
        while True:
            at = log + self.rx_pos % total * LINE
            state = self.r.u32(at)
            if state == 0:
                return None
            equal(state, _tag(self.rx_pos), "state of a record")
            size, kind, _, _, errcode, idx = struct.unpack_from("=IBBBBI", self.r.mem, at + 4)
            lines = (size + LINE - 1) // LINE
            if kind != PAD:
                break
            self.rx_pos += lines
        equal(idx, self.idx, "socket of a record")
        port, node, msg_type = struct.unpack_from("=3I", self.r.mem, at + 16)
        head = 40 if msg_type & 0x100 else 28
        return kind, errcode, port, node, msg_type, self.r.mem[at + head:at + size], lines

    def take(self, timeout_s=10, tell=True):
        """The next record, read. tell: and its receipt given"""
        rec = wait_until(self.peek, timeout_s, "a record for port %d" % self.port, 0.0005)
        self.rx_pos += rec[6]
        self.rx_msgs += 1
        if tell:
            self.tell()
        return rec

    def tell(self):
        self.r.set_u64(self.at + 136, self.rx_msgs)
        self.r.set_u64(self.at + 128, self.rx_pos)

    def set_read(self, msgs, offset):
        """what the library notes in its own part"""
        self.r.set_u64(self.at + 200, msgs)
        self.r.set_u32(self.at + 208, offset)

    def accept(self, want=0):
        if want:
            return self.r.ask(ACCEPT, self.idx, want=want)
        answer, fds = self.r.ask(ACCEPT, self.idx, ends=1)
        s = Sock(self.r, answer[0], answer[1], fds[0])
        s.accepted_from, s.importance = (answer[2], answer[3]), answer[4]
        return s

    def wait_state(self, state, timeout_s=10):
        wait_until(lambda: self.state == state, timeout_s,
                   lambda: "state %d; it is %d" % (state, self.state), 0.0005)

    def fill(self):
        """as the library does when the descriptor shall not be writable"""
        s = socket.socket(fileno=os.dup(self.fd))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        try:
            while True:
                s.send(b"\0", socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        s.close()
        self.r.set_u32(self.at + 76, 1)
        self.r.submit(self.idx, ROOM)

    def cookie(self):
        with socket.socket(fileno=os.dup(self.fd)) as s:
            return struct.unpack("=Q", s.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]

    def close(self):
        if self.fd is not None:
            os.close(self.fd)
        self.fd = None


def may_send(s):
    """as far as the published credit goes"""
    return (s.credit - s.sent_cost) & 0xffffffff < 1 << 31


def to_socket(port, node=0):
    return 3, (port, node, 0)


def to_service(type_, instance, domain=0):
    return 2, (type_, instance, domain)


def connected(client_region, server_region, type_=SEQPACKET, service=19500):
    """listener, client, accepted"""
    listener = server_region.socket(type_)
    listener.bind(service, 1, 1, 2)
    listener.listen()
    client = client_region.socket(type_)

    def try_it():
        return client.connect(to_service(service, 1)) == 0
    wait_until(try_it, 10, "a connection request on its way")
    equal(listener.take()[0], SYN, "record of a listener")
    server = listener.accept()
    client.wait_state(ESTABLISHED)
    return listener, client, server
