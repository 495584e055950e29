# SPDX-License-Identifier: BSD-3-Clause
"""The selectors of CPython (epoll, poll, select), and what is below them: see check.py."""
import os
import select
import selectors
import threading

from check import *

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
SELECTORS = {"default": selectors.DefaultSelector, "epoll": selectors.EpollSelector,
             "poll": selectors.PollSelector, "select": selectors.SelectSelector}
WAIT_S = 20


def ready(sel, timeout=0):
    return {k.data: events for k, events in sel.select(timeout)}


def each(function):
    """one check for each of the selectors"""
    for name, kind in SELECTORS.items():
        def one(kind=kind):
            with kind() as sel:
                function(sel)
        one.__name__ = "%s_%s" % (function.__name__, name)
        check(one)
    return function


@each
def readable_as_long_as_messages_wait(sel):
    for kind in LESS:
        with bound(kind, 1) as r, socket.socket(AF_TIPC, kind) as s:
            sel.register(r, READ, "r")
            sel.register(s, READ | WRITE, "s")
            equal(ready(sel), {"s": WRITE}, "nothing was sent")
            sel.unregister(s)
            for i in range(3):
                s.sendto(b"message", service(1))
            for i in range(3):
                equal(ready(sel, WAIT_S), {"r": READ}, "message %d of 3" % i)
                r.recv(4, socket.MSG_PEEK)
                equal(ready(sel), {"r": READ}, "after a peek")
                r.recv(10)
            equal(ready(sel), {}, "all were read")
            sel.unregister(r)


@each
def modified_and_unregistered(sel):
    a, b = socket.socketpair(AF_TIPC, SOCK_SEQPACKET)
    with a, b:
        sel.register(a, READ, "a")
        b.send(b"x")
        equal(ready(sel, WAIT_S), {"a": READ})
        sel.modify(a, WRITE, "a")
        equal(ready(sel), {"a": WRITE})
        sel.modify(a, READ | WRITE, "a")
        equal(ready(sel), {"a": READ | WRITE})
        sel.unregister(a)
        equal(ready(sel), {})
        sel.register(a, READ, "anew")
        equal(ready(sel), {"anew": READ})
        a.recv(10)
        equal(ready(sel), {})


@each
def listener_and_connections(sel):
    for kind in CONN:
        l = listener(kind)
        l.setblocking(False)
        c = socket.socket(AF_TIPC, kind)
        c.setblocking(False)
        with l, c:
            sel.register(l, READ, "l")
            equal(ready(sel), {}, "no request")
            refused(errno.EINPROGRESS, c.connect, service(1))
            equal(ready(sel, WAIT_S), {"l": READ}, "a request")
            sel.register(c, WRITE, "c")
            equal(ready(sel), {"l": READ}, "not accepted yet")
            s, _ = l.accept()
            with s:
                equal(ready(sel, WAIT_S), {"c": WRITE}, "connected")
                equal(c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), 0)
                sel.modify(c, READ, "c")
                s.send(b"x")
                equal(ready(sel, WAIT_S), {"c": READ}, "data")
                c.recv(10)
                equal(ready(sel), {}, "no data")
                s.shutdown(socket.SHUT_RDWR)
            equal(ready(sel, WAIT_S), {"c": READ}, "end of file")
            equal(c.recv(10), b"")
            sel.unregister(c)
            sel.unregister(l)


@each
def refused_connection(sel):
    with bound(SOCK_STREAM, 1), socket.socket(AF_TIPC, SOCK_STREAM) as c:
        c.setblocking(False)
        refused(errno.EINPROGRESS, c.connect, service(1))
        sel.register(c, READ, "c")
        equal(ready(sel, WAIT_S), {"c": READ})
        equal(c.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), errno.ECONNREFUSED)
        sel.unregister(c)


@each
def writable_when_there_is_room(sel):
    for kind in CONN:
        l, c, s = connection(kind)
        with l, c, s:
            c.setblocking(False)
            sel.register(c, WRITE, "c")
            sent = 0
            try:
                while sent < 100 << 20:
                    sent += c.send(bytes(10000))
            except BlockingIOError:
                pass
            equal(ready(sel), {}, "the window is full")
            recv_exactly(s, sent)
            equal(ready(sel, WAIT_S), {"c": WRITE}, "there is room again")
            sel.unregister(c)


@each
def together_with_other_descriptors(sel):
    """TIPC, TCP, Unix sockets and a pipe in one set; each wakes it alone"""
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s, \
            socket.create_server(("127.0.0.1", 0)) as tcp:
        near, far = socket.socketpair()
        out, into = os.pipe()
        names = {"tipc": r, "unix": near, "pipe": out, "tcp": tcp}
        for name, f in names.items():
            sel.register(f, READ, name)
        equal(ready(sel), {})
        wake = {"tipc": lambda: s.sendto(b"x", service(1)), "unix": lambda: far.send(b"x"),
                "pipe": lambda: os.write(into, b"x"),
                "tcp": lambda: socket.create_connection(tcp.getsockname()).close()}
        take = {"tipc": lambda: r.recv(10), "unix": lambda: near.recv(10), "pipe": lambda: os.read(out, 10),
                "tcp": lambda: tcp.accept()[0].close()}
        for name in list(wake) * 2:
            t = threading.Thread(target=wake[name])
            t.start()
            equal(ready(sel, WAIT_S), {name: READ})
            t.join()
            take[name]()
            equal(ready(sel), {})
        for w in wake.values():
            w()
        got = {}
        while len(got) < 4:
            got.update(ready(sel, WAIT_S))
        equal(got, dict.fromkeys(names, READ))
        for f in names.values():
            sel.unregister(f)
        for f in near, far:
            f.close()
        os.close(out)
        os.close(into)


@each
def timeouts_are_kept(sel):
    """(that it ends at all; how late is nobody's promise)"""
    with bound(SOCK_RDM, 1) as r:
        sel.register(r, READ, "r")
        equal(ready(sel, 0.02), {})
        equal(ready(sel, -1), {})


@each
def many_sockets(sel):
    rs = [bound(SOCK_RDM, i) for i in range(200)]
    for i, r in enumerate(rs):
        sel.register(r, READ, i)
    with socket.socket(AF_TIPC, SOCK_RDM) as s:
        chosen = set(range(0, 200, 7))
        for i in chosen:
            s.sendto(b"x", service(i))
        got = set()
        while got != chosen:
            now = set(ready(sel, WAIT_S))
            need(now, "nothing is ready, %d were" % len(got))
            need(now <= chosen - got, "ready without a message: %s" % sorted(now - chosen))
            for i in now:
                rs[i].recv(10)
            got |= now
    equal(ready(sel), {})
    for r in rs:
        sel.unregister(r)
        r.close()


# ------------------------------------------------------------------- below the selectors

@check
def poll_tells_every_bit():
    p = select.poll()
    l, c, s = connection(SOCK_SEQPACKET)
    p.register(c, select.POLLIN | select.POLLOUT | select.POLLRDHUP | select.POLLPRI)
    bits = lambda: dict(p.poll(0)).get(c.fileno(), 0)
    equal(bits(), select.POLLOUT)
    s.send(b"x")
    while bits() == select.POLLOUT:
        pass
    equal(bits(), select.POLLIN | select.POLLOUT)
    s.close()
    while not bits() & select.POLLHUP:
        pass
    # The message that was there is read before the end.
    equal((bits() & ~select.POLLRDHUP, c.recv(10)), (select.POLLIN | select.POLLHUP, b"x"))
    l.close()
    c.close()
    number = os.dup(0)
    os.close(number)
    p = select.poll()
    p.register(number, select.POLLIN)
    equal(p.poll(0), [(number, select.POLLNVAL)])


@check
def select_with_three_lists():
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        equal(select.select([r, s], [s], [r, s], 0), ([], [s], []))
        s.sendto(b"x", service(1))
        equal(select.select([r, s], [], [r, s], WAIT_S), ([r], [], []))
        r.recv(10)
        equal(select.select([r], [], [], 0.01), ([], [], []))


@check
def epoll_edge_triggered():
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s, select.epoll() as e:
        e.register(r, select.EPOLLIN | select.EPOLLET)
        equal(e.poll(0), [])
        for _ in range(3):
            s.sendto(b"x", service(1))
            equal(e.poll(WAIT_S), [(r.fileno(), select.EPOLLIN)])
            # Until it would block: then, and only then, the next edge is certain.
            r.setblocking(False)
            equal(r.recv(10), b"x")
            refused(errno.EAGAIN, r.recv, 10)
        equal(e.poll(0), [])


@check
def epoll_one_shot():
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s, select.epoll() as e:
        e.register(r, select.EPOLLIN | select.EPOLLONESHOT)
        s.sendto(b"x", service(1))
        equal(e.poll(WAIT_S), [(r.fileno(), select.EPOLLIN)])
        equal(e.poll(0), [])
        e.modify(r, select.EPOLLIN | select.EPOLLONESHOT)
        equal(e.poll(WAIT_S), [(r.fileno(), select.EPOLLIN)])
        r.recv(10)
        e.modify(r, select.EPOLLIN)
        equal(e.poll(0), [])


@check
def epoll_in_another_epoll():
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s, \
            select.epoll() as inner, select.epoll() as outer:
        inner.register(r, select.EPOLLIN)
        outer.register(inner, select.EPOLLIN)
        equal(outer.poll(0), [])
        s.sendto(b"x", service(1))
        equal(outer.poll(WAIT_S), [(inner.fileno(), select.EPOLLIN)])
        equal(inner.poll(0), [(r.fileno(), select.EPOLLIN)])
        r.recv(10)


@check
def one_set_for_many_threads():
    """a message that one thread waits for in epoll is sent by another, back and forth"""
    a, b = socket.socketpair(AF_TIPC, SOCK_SEQPACKET)
    rounds = 300

    def echo():
        with selectors.EpollSelector() as sel:
            sel.register(b, READ, "b")
            for _ in range(rounds):
                equal(ready(sel, WAIT_S), {"b": READ})
                b.send(b.recv(100))
    t = threading.Thread(target=echo)
    t.start()
    with a, b, selectors.PollSelector() as sel:
        sel.register(a, READ, "a")
        for i in range(rounds):
            a.send(b"%d" % i)
            equal(ready(sel, WAIT_S), {"a": READ})
            equal(a.recv(100), b"%d" % i)
        t.join()


@check
def a_wait_is_interrupted_by_a_signal():
    called = []

    def handler(number, frame):
        called.append(number)
        # PEP 475: the wait goes on behind a handler that returns.
        if len(called) == 3:
            s.sendto(b"x", service(1))
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
        for kind in SELECTORS.values():
            called.clear()
            with kind() as sel:
                sel.register(r, READ, "r")
                signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
                equal(ready(sel, WAIT_S), {"r": READ})
                signal.setitimer(signal.ITIMER_REAL, 0)
            r.recv(10)
            need(len(called) >= 3, called)


if __name__ == "__main__":
    main()
