# SPDX-License-Identifier: BSD-3-Clause
"""Every kind of address and of socket, and what a socket object can do: see check.py."""
import array
import os
import struct
import tempfile

from check import *


# ------------------------------------------------------------------- messages

@check
def connectionless_by_each_kind_of_address():
    for kind in LESS:
        with bound(kind, 5, 9) as r, socket.socket(AF_TIPC, kind) as s:
            own = r.getsockname()
            equal(own[0], TIPC_ADDR_ID, "kind of getsockname()")
            for to in service(7), service_range(1, 20), own:
                equal(s.sendto(b"to %d" % to[0], to), 4, "sendto")
                data, origin = r.recvfrom(100)
                equal((data, origin[:3]), (b"to %d" % to[0], s.getsockname()[:3]), "recvfrom")
                equal(r.sendto(b"back", origin), 4, "reply to a socket address")
                equal(s.recvfrom(100), (b"back", own), "the reply")


@check
def multicast_reaches_each_receiver_once():
    with bound(SOCK_RDM, 1, 3) as a, bound(SOCK_RDM, 3, 5) as b, bound(SOCK_RDM, 9) as other, \
            socket.socket(AF_TIPC, SOCK_RDM) as s:
        s.sendto(b"all", service_range(0, 6))
        for r in a, b:
            equal(r.recv(10), b"all")
            refused(errno.EAGAIN, r.recv, 10, socket.MSG_DONTWAIT)
        refused(errno.EAGAIN, other.recv, 10, socket.MSG_DONTWAIT)


@check
def bind_with_a_name_and_unbind():
    with socket.socket(AF_TIPC, SOCK_RDM) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        r.bind(service(4))
        s.sendto(b"x", service(4))
        equal(r.recv(10), b"x")
        # A negative scope withdraws the binding.
        r.bind(service(4, scope=-socket.TIPC_CLUSTER_SCOPE & 0xffffffff))
        refused(errno.EHOSTUNREACH, s.sendto, b"x", service(4))
        r.bind(service_range(1, 9, scope=socket.TIPC_NODE_SCOPE))
        s.sendto(b"y", service(4))
        equal(r.recv(10), b"y")


@check
def default_destination_of_connect():
    for kind in LESS:
        with bound(kind, 1) as r, socket.socket(AF_TIPC, kind) as s:
            refused(errno.EDESTADDRREQ, s.send, b"x")
            s.connect(service(1))
            equal(s.send(b"abc"), 3)
            equal(r.recv(10), b"abc")
            refused(errno.ENOTCONN, s.getpeername)


@check
def every_way_to_receive_a_message():
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        own = s.getsockname()
        for _ in range(7):
            s.sendto(b"0123456789", service(1))
        equal(r.recv(4, socket.MSG_PEEK), b"0123", "peek")
        equal(r.recv(4), b"0123", "a message that is cut")
        buf = bytearray(20)
        equal((r.recv_into(buf), bytes(buf[:10])), (10, b"0123456789"), "recv_into")
        equal((r.recvfrom_into(buf), bytes(buf[:10])), ((10, own), b"0123456789"), "recvfrom_into")
        data, ancillary, flags, origin = r.recvmsg(100, socket.CMSG_SPACE(12))
        equal((data, origin), (b"0123456789", own), "recvmsg")
        equal(ancillary, [(SOL_TIPC, TIPC_DESTNAME, struct.pack("=3I", SERVICE, 1, 1))], "ancillary data")
        parts = bytearray(4), bytearray(6)
        equal(r.recvmsg_into(parts)[0], 10, "recvmsg_into")
        equal(bytes(parts[0] + parts[1]), b"0123456789", "its parts")
        equal(os.read(r.fileno(), 100), b"0123456789", "os.read")
        equal(os.readv(r.fileno(), parts), 10, "os.readv")
        refused(errno.EAGAIN, r.recv, 10, socket.MSG_DONTWAIT)


@check
def every_way_to_send_a_message():
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        equal(s.sendto(b"a", 0, service(1)), 1)
        equal(s.sendmsg([b"bb", memoryview(b"cc"), array.array("B", b"dd")], [], 0, service(1)), 6)
        s.connect(service(1))
        s.sendall(b"ee")
        equal(s.send(b"ff", socket.MSG_DONTWAIT), 2)
        equal(s.sendmsg([b"g", b"h"]), 2)
        equal(os.write(s.fileno(), b"ii"), 2)
        equal(os.writev(s.fileno(), [b"j", b"kk"]), 3)
        equal([r.recv(100) for _ in range(7)], [b"a", b"bbccdd", b"ee", b"ff", b"gh", b"ii", b"jkk"])


@check
def the_longest_message():
    for kind in LESS + (SOCK_SEQPACKET,):
        for size in 1, 1400, 9000, MESSAGE_MAX:
            a, b = socket.socketpair(AF_TIPC, kind)
            with a, b:
                data = octets(size)
                equal(a.send(data), size)
                equal(b.recv(MESSAGE_MAX) == data, True, "a message of %d" % size)
                refused(errno.EMSGSIZE, a.send, bytes(MESSAGE_MAX + 1))


@check
def returned_messages_tell_why():
    with socket.socket(AF_TIPC, SOCK_RDM) as s:
        with socket.socket(AF_TIPC, SOCK_RDM) as gone:
            to = gone.getsockname()
        s.setsockopt(SOL_TIPC, socket.TIPC_DEST_DROPPABLE, 0)
        s.sendto(b"to nobody", to)
        s.settimeout(20)
        data, ancillary, _, _ = s.recvmsg(100, 4096)
        equal(data, b"", "data of a returned message")
        equal({t: d for _, t, d in ancillary}, {TIPC_ERRINFO: struct.pack("=2I", 2, 9), TIPC_RETDATA: b"to nobody"})
        refused(errno.EHOSTUNREACH, s.sendto, b"x", service(77))


# ------------------------------------------------------------------- connections

@check
def connections_by_each_kind_of_address():
    for kind in CONN:
        with listener(kind) as l:
            for to in service(1), l.getsockname():
                with socket.socket(AF_TIPC, kind) as c:
                    pid = forked(lambda: c.connect(to))
                    s, peer = l.accept()
                    reap(pid)
                    with s:
                        equal((peer, s.getpeername()), (c.getsockname(), c.getsockname()), "peer")
                        equal(c.getpeername(), s.getsockname(), "the server's end")
                        c.sendall(b"there")
                        equal(s.recv(100), b"there")
                        s.sendall(b"back")
                        equal(c.recv(100), b"back")
                        refused(errno.EISCONN, c.connect, to)
            with socket.socket(AF_TIPC, kind) as c:
                refused(errno.EINVAL, c.connect, service_range(1, 1))
            with socket.socket(AF_TIPC, kind) as c:
                refused(errno.EHOSTUNREACH, c.connect, service(2))


@check
def request_with_data():
    for kind in CONN:
        with listener(kind) as l, socket.socket(AF_TIPC, kind) as c:
            c.setblocking(False)
            equal(c.sendto(b"first words", service(1)), 11)
            s, _ = l.accept()
            with s:
                equal(s.recv(100), b"first words")
                s.sendall(b"answer")
                c.settimeout(20)
                equal(c.recv(100), b"answer")


@check
def end_of_a_connection():
    for kind in CONN:
        l, c, s = connection(kind)
        with l, c, s:
            c.sendall(b"last")
            c.shutdown(socket.SHUT_RDWR)
            equal((s.recv(100), s.recv(100)), (b"last", b""))
            refused(errno.EPIPE, s.send, b"x")
        l, c, s = connection(kind, 2)
        with l, s:
            s.sendall(b"unread")
            c.close()
            # Read with room for ancillary data, the end says why it came.
            try:
                s.recv(100)
            except ConnectionResetError:
                pass
            refused(errno.EPIPE, s.send, b"x")


@check
def refused_connections():
    for kind in CONN:
        with bound(kind, 1), socket.socket(AF_TIPC, kind) as c:
            refused(errno.ECONNREFUSED, c.connect, service(1))
        with listener(kind, 2), socket.socket(AF_TIPC, kind) as c:
            c.setsockopt(SOL_TIPC, socket.TIPC_CONN_TIMEOUT, 50)
            refused(errno.ETIMEDOUT, c.connect, service(2))


@check
def stream_of_a_megabyte_each_way():
    a, b = socket.socketpair(AF_TIPC, SOCK_STREAM)
    with a, b:
        data = octets(1 << 20)
        pid = forked(lambda: (equal(recv_exactly(b, len(data)) == data, True), b.sendall(data[::-1])))
        a.sendall(data)
        equal(recv_exactly(a, len(data)) == data[::-1], True, "what came back")
        reap(pid)


@check
def stream_as_a_file():
    l, c, s = connection(SOCK_STREAM)
    with l, c, s, c.makefile("rw", encoding="utf-8") as client, s.makefile("rwb", 0) as server:
        client.write("line one\nline two\n")
        client.flush()
        equal((server.readline(), server.readline()), (b"line one\n", b"line two\n"))
        server.write(b"answer\nand more")
        s.shutdown(socket.SHUT_RDWR)
        # (not readlines(), which reads on behind the end of the file, where 6.1 blocks)
        equal((client.readline(), client.readline()), ("answer\n", "and more"))


@check
def wait_for_all_octets():
    l, c, s = connection(SOCK_STREAM)
    with l, c, s:
        pid = forked(lambda: [c.sendall(b"x" * 1000) for _ in range(20)])
        equal(s.recv(20000, socket.MSG_WAITALL), b"x" * 20000)
        reap(pid)


@check
def pairs_of_each_kind():
    for kind in KINDS.values():
        a, b = socket.socketpair(AF_TIPC, kind)
        with a, b:
            a.sendall(b"ping")
            equal(b.recv(10), b"ping")
            b.sendall(b"pong")
            equal(a.recv(10), b"pong")
            equal(a.getpeername(), b.getsockname())


# ------------------------------------------------------------------- time

@check
def timeouts_and_non_blocking_sockets():
    for kind in KINDS.values():
        a, b = socket.socketpair(AF_TIPC, kind)
        with a, b:
            a.settimeout(0.02)
            try:
                a.recv(10)
                need(False, "recv gave something")
            except TimeoutError:
                pass
            a.setblocking(False)
            equal((a.getblocking(), a.gettimeout()), (False, 0.0))
            refused(errno.EAGAIN, a.recv, 10)
            a.settimeout(None)
            b.send(b"x")
            equal(a.recv(10), b"x")
            # The kernel's own limit, of which the module does not know.
            a.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 20000))
            refused(errno.EAGAIN, a.recv, 10)
    with listener(SOCK_STREAM) as l:
        l.settimeout(0.02)
        try:
            l.accept()
            need(False, "accept gave something")
        except TimeoutError:
            pass


@check
def a_full_window_stops_the_sender():
    for kind in CONN:
        l, c, s = connection(kind)
        with l, c, s:
            c.setblocking(False)
            sent = 0
            try:
                while sent < 100 << 20:
                    sent += c.send(bytes(10000))
                need(False, "the window has no end")
            except BlockingIOError:
                pass
            c.settimeout(0.05)
            try:
                c.send(bytes(10000))
                need(False, "a full window took more")
            except TimeoutError:
                pass
            recv_exactly(s, sent)
            c.settimeout(20)
            c.sendall(b"room again")
            equal(s.recv(100), b"room again")


# ------------------------------------------------------------------- options

@check
def options_of_tipc():
    for name, kind in KINDS.items():
        with socket.socket(AF_TIPC, kind) as s:
            droppable = {"rdm": (0, 1), "dgram": (1, 1), "seqpacket": (0, 0), "stream": (0, 0)}[name]
            equal((s.getsockopt(SOL_TIPC, socket.TIPC_SRC_DROPPABLE),
                   s.getsockopt(SOL_TIPC, socket.TIPC_DEST_DROPPABLE)), droppable, name)
            equal(s.getsockopt(SOL_TIPC, socket.TIPC_CONN_TIMEOUT), 8000)
            for value in (socket.TIPC_LOW_IMPORTANCE, socket.TIPC_MEDIUM_IMPORTANCE,
                          socket.TIPC_HIGH_IMPORTANCE, socket.TIPC_CRITICAL_IMPORTANCE):
                s.setsockopt(SOL_TIPC, socket.TIPC_IMPORTANCE, value)
                equal(s.getsockopt(SOL_TIPC, socket.TIPC_IMPORTANCE), value)
            refused(errno.EINVAL, s.setsockopt, SOL_TIPC, socket.TIPC_IMPORTANCE, 4)
            s.setsockopt(SOL_TIPC, socket.TIPC_DEST_DROPPABLE, struct.pack("=I", 1 - droppable[1]))
            equal(s.getsockopt(SOL_TIPC, socket.TIPC_DEST_DROPPABLE, 4), struct.pack("=I", 1 - droppable[1]))
            s.setsockopt(SOL_TIPC, socket.TIPC_CONN_TIMEOUT, 1234)
            equal(s.getsockopt(SOL_TIPC, socket.TIPC_CONN_TIMEOUT), 1234)
            refused(errno.EINVAL, s.setsockopt, SOL_TIPC, 999, 1)


@check
def options_of_other_levels():
    for kind in KINDS.values():
        with socket.socket(AF_TIPC, kind) as s:
            of = lambda o: s.getsockopt(socket.SOL_SOCKET, o)
            equal((of(socket.SO_TYPE), of(socket.SO_DOMAIN), of(socket.SO_PROTOCOL), of(socket.SO_ERROR),
                   of(socket.SO_ACCEPTCONN)), (kind, AF_TIPC, 0, 0, 0))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 50000)
            equal(of(socket.SO_RCVBUF), 100000)
            for o in (socket.SO_REUSEADDR, socket.SO_KEEPALIVE, socket.SO_BROADCAST, socket.SO_SNDBUF):
                s.setsockopt(socket.SOL_SOCKET, o, 1)
            refused(errno.ENOPROTOOPT, s.setsockopt, socket.IPPROTO_IP, 1, 1)
            if kind == SOCK_STREAM:
                s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            else:
                refused(errno.ENOPROTOOPT, s.setsockopt, socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


# ------------------------------------------------------------------- topology service

def subscription(lower, upper, timeout=0xffffffff, filter_=socket.TIPC_SUB_PORTS):
    return struct.pack("=5I8s", SERVICE, lower, upper, timeout, filter_, b"my words")


@check
def topology_events():
    for kind in CONN:
        with socket.socket(AF_TIPC, SOCK_SEQPACKET) as t:
            t.connect((TIPC_ADDR_NAME, socket.TIPC_TOP_SRV, socket.TIPC_TOP_SRV, 0))
            t.settimeout(20)
            t.send(subscription(10, 19))
            with bound(kind, 12, 15) as s:
                node, port = s.getsockname()[1:3]
                event = t.recv(100)
                equal(event, struct.pack("=5I", socket.TIPC_PUBLISHED, 12, 15, port, node) + subscription(10, 19))
            equal(t.recv(100), struct.pack("=5I", socket.TIPC_WITHDRAWN, 12, 15, port, node) +
                  subscription(10, 19))
            t.send(subscription(30, 31, 20))
            event = t.recv(100)
            equal((struct.unpack("=I", event[:4])[0], event[20:]),
                  (socket.TIPC_SUBSCR_TIMEOUT, subscription(30, 31, 20)))
            t.send(subscription(10, 19, filter_=socket.TIPC_SUB_PORTS | socket.TIPC_SUB_CANCEL))
            t.send(subscription(40, 41))
            with bound(kind, 12), bound(kind, 40):
                equal(struct.unpack("=3I", t.recv(100)[:12]), (socket.TIPC_PUBLISHED, 40, 40))


# ------------------------------------------------------------------- descriptors

@check
def descriptors_and_copies():
    for kind in KINDS.values():
        a, b = socket.socketpair(AF_TIPC, kind)
        copy, again = a.dup(), socket.fromfd(a.fileno(), AF_TIPC, kind)
        found = socket.socket(fileno=os.dup(a.fileno()))
        equal((found.family, found.type, found.proto), (AF_TIPC, kind, 0), "what fileno= finds out")
        a.close()
        for s in copy, again, found:
            b.send(b"x")
            equal(s.recv(10), b"x")
            s.send(b"y")
            equal(b.recv(10), b"y")
        again.close()
        copy.close()
        number = found.detach()
        high = os.dup2(number, 300, inheritable=False)
        os.close(number)
        equal(os.get_inheritable(high), False)
        os.set_inheritable(high, True)
        equal(os.get_inheritable(high), True)
        equal(os.fstat(high).st_mode & 0o170000, 0o140000, "S_IFSOCK")
        equal(os.isatty(high), False)
        os.write(high, b"through 300")
        equal(b.recv(20), b"through 300")
        os.close(high)
        b.close()
        # A number that was one of ours belongs to something else.
        with tempfile.TemporaryFile() as f:
            os.dup2(f.fileno(), 300)
            equal(os.write(300, b"file"), 4)
            os.lseek(300, 0, os.SEEK_SET)
            equal(os.read(300, 10), b"file")
            os.close(300)
        refused(errno.EBADF, os.read, 300, 1)


@check
def files_are_sent_and_spliced():
    a, b = socket.socketpair(AF_TIPC, SOCK_STREAM)
    data = octets(300000)
    with tempfile.TemporaryFile() as f, a, b:
        f.write(data)
        f.flush()
        f.seek(0)
        pid = forked(lambda: equal(recv_exactly(b, len(data)) == data, True, "sendfile"))
        equal(a.sendfile(f), len(data), "sendfile")
        reap(pid)
        equal(os.sendfile(a.fileno(), f.fileno(), 5, 100), 100, "os.sendfile")
        equal(b.recv(200), data[5:105])
        equal(os.lseek(f.fileno(), 0, os.SEEK_CUR), len(data), "the file's position")
        if not hasattr(os, "splice"):               # new in 3.10
            return
        out, into = os.pipe()
        os.write(into, data[:3000])
        equal(os.splice(out, a.fileno(), 3000), 3000, "splice into the socket")
        equal(b.recv(5000), data[:3000])
        a.send(data[:2000])
        equal(os.splice(b.fileno(), into, 2000), 2000, "splice out of it")
        equal(os.read(out, 5000), data[:2000])
        os.close(out)
        os.close(into)


@check
def nothing_is_left_open():
    before = open_fds()
    for _ in range(20):
        for kind in KINDS.values():
            a, b = socket.socketpair(AF_TIPC, kind)
            a.close()
            b.close()
        l, c, s = connection(SOCK_STREAM)
        for x in l, c, s:
            x.close()
    # What the library keeps, it keeps after the first round too.
    between = open_fds()
    for _ in range(20):
        l, c, s = connection(SOCK_SEQPACKET)
        for x in l, c, s, bound(SOCK_RDM, 3):
            x.close()
    equal(open_fds(), between, "open descriptors")
    need(len(between) - len(before) <= 8, "open descriptors: %s, then %s" % (before, between))


@check
def errors_of_the_system_calls():
    refused(errno.EPROTONOSUPPORT, socket.socket, AF_TIPC, SOCK_RDM, 1)
    refused(errno.EPROTOTYPE, socket.socket, AF_TIPC, socket.SOCK_RAW)
    with socket.socket(AF_TIPC, SOCK_RDM) as s:
        refused(errno.EACCES, s.bind, service_range(1, 1, type_=63))
        refused(errno.EINVAL, s.bind, service_range(2, 1))
        refused(errno.EAFNOSUPPORT, s.bind, (TIPC_ADDR_ID, 1, 1, 0))
        refused(errno.EOPNOTSUPP, s.listen)
        refused(errno.EOPNOTSUPP, s.accept)
        number = s.fileno()
    refused(errno.EBADF, os.read, number, 1)


@check
def other_families_are_left_alone():
    with socket.create_server(("127.0.0.1", 0)) as l, socket.create_connection(l.getsockname()) as c:
        s, _ = l.accept()
        with s, socket.socketpair()[0] as u, socket.socket(socket.AF_INET, SOCK_DGRAM) as d:
            c.sendall(b"tcp")
            equal(s.recv(10), b"tcp")
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            equal((c.family, u.family, d.family), (socket.AF_INET, socket.AF_UNIX, socket.AF_INET))
            d.bind(("127.0.0.1", 0))
            d.sendto(b"udp", d.getsockname())
            equal(d.recvfrom(10), (b"udp", d.getsockname()))
            refused(errno.EPROTONOSUPPORT, socket.socket, socket.AF_UNIX, SOCK_DGRAM, 5)


if __name__ == "__main__":
    main()
