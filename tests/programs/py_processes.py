# SPDX-License-Identifier: BSD-3-Clause
"""Threads, signals, fork, exec, descriptors that are passed on: see check.py."""
import multiprocessing
import queue
import socketserver
import struct
import subprocess
import threading
import time

from check import *

HERE = os.path.dirname(os.path.realpath(__file__))


# ------------------------------------------------------------------- threads

def _in_threads(functions):
    failures = queue.Queue()

    def guarded(f):
        try:
            f()
        except BaseException as e:                  # a thread's end must not be silent
            failures.put(e)
    threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if not failures.empty():
        raise failures.get()


@check
def threads_with_a_connection_each():
    clients, rounds = 8, 200

    def serve(l):
        for _ in range(clients):
            s, _ = l.accept()
            threading.Thread(target=echo, args=(s,)).start()

    def echo(s):
        with s:
            while data := s.recv(MESSAGE_MAX):
                s.send(data)

    def client(n):
        with socket.socket(AF_TIPC, SOCK_SEQPACKET) as c:
            c.connect(service(1))
            for i in range(rounds):
                data = octets(1 + i * 37 % 3000, n * rounds + i)
                c.send(data)
                equal(c.recv(MESSAGE_MAX) == data, True, "echo %d of client %d" % (i, n))
            c.shutdown(socket.SHUT_RDWR)
    with listener(SOCK_SEQPACKET) as l:
        _in_threads([lambda: serve(l)] + [lambda n=n: client(n) for n in range(clients)])


@check
def threads_share_a_socket():
    """each message reaches one of the receivers, and of each sender in its order"""
    senders, receivers, rounds = 4, 4, 300
    got, lock = [[] for _ in range(receivers)], threading.Lock()
    left = [senders * rounds]

    def send(n):
        for i in range(rounds):
            s.sendto(struct.pack("=2I", n, i), service(1))

    def receive(mine):
        while True:
            data = r.recv(100)
            if data == b"end":
                return
            mine.append(struct.unpack("=2I", data))
            with lock:
                left[0] -= 1
                if left[0] == 0:
                    for _ in range(receivers):
                        s.sendto(b"end", service(1))
    with bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        _in_threads([lambda n=n: send(n) for n in range(senders)] + [lambda g=g: receive(g) for g in got])
    for mine in got:
        for n in range(senders):
            of_one = [i for k, i in mine if k == n]
            equal(of_one, sorted(of_one), "order of sender %d" % n)
    equal(sorted(sum(got, [])), [(n, i) for n in range(senders) for i in range(rounds)])


@check
def shutdown_wakes_a_thread_that_reads():
    for kind in CONN:
        l, c, s = connection(kind)
        with l, c, s:
            # The peer's shutdown, while another thread sleeps.
            t = threading.Timer(0.02, s.shutdown, (socket.SHUT_RDWR,))
            t.start()
            equal(c.recv(10), b"")
            t.join()


@check
def signals_interrupt_calls():
    class Stop(Exception):
        pass
    seen = []

    def go_on(number, frame):
        seen.append(number)
        if len(seen) == 3:
            s.sendto(b"after 3 signals", service(1))

    def stop(number, frame):
        raise Stop
    with bound(SOCK_RDM, 1) as r, listener(SOCK_STREAM, 2) as l, socket.socket(AF_TIPC, SOCK_RDM) as s:
        signal.signal(signal.SIGALRM, go_on)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        equal(r.recv(100), b"after 3 signals")
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, stop)
        for call in (lambda: r.recv(100), lambda: l.accept(), lambda: r.recvmsg(100, 100),
                     lambda: os.read(r.fileno(), 10)):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                call()
                need(False, "the call returned")
            except Stop:
                pass


# ------------------------------------------------------------------- fork

@check
def a_server_that_forks():
    """as inetd's children: accepted by the parent, served by a child, both close"""
    with listener(SOCK_STREAM) as l:
        def client(n):
            l.close()
            with socket.socket(AF_TIPC, SOCK_STREAM) as c:
                c.connect(service(1))
                for i in range(20):
                    c.sendall(b"%d/%d\n" % (n, i))
                    equal(recv_exactly(c, len(b"%d/%d\n" % (n, i))), b"%d/%d\n" % (n, i))
                c.shutdown(socket.SHUT_RDWR)

        def serve(s):
            l.close()
            while data := s.recv(100):
                s.sendall(data)
        children = [forked(client, n) for n in range(8)]
        for _ in range(8):
            s, _ = l.accept()
            with s:
                children.append(forked(serve, s))
        for pid in children:
            reap(pid)


@check
def a_child_uses_what_it_inherits():
    for kind in KINDS.values():
        a, b = socket.socketpair(AF_TIPC, kind)
        with a, b:
            pid = forked(lambda: (equal(b.recv(10), b"ping"), b.send(b"pong")))
            a.send(b"ping")
            equal(a.recv(10), b"pong")
            reap(pid)
            # The child's exit has closed nothing of ours.
            b.send(b"still")
            equal(a.recv(10), b"still")


@check
def a_child_opens_sockets_of_its_own():
    with bound(SOCK_RDM, 1) as r:
        def child(depth):
            with socket.socket(AF_TIPC, SOCK_RDM) as s:
                s.sendto(b"depth %d" % depth, service(1))
                if depth < 3:
                    reap(forked(child, depth + 1))
        pid = forked(child, 1)
        equal([r.recv(100) for _ in range(3)], [b"depth 1", b"depth 2", b"depth 3"])
        reap(pid)


@check
def forks_while_threads_send():
    """whatever a library holds at that instant, the child is not held up by it"""
    over = threading.Event()
    pairs = [socket.socketpair(AF_TIPC, kind) for kind in KINDS.values()]
    moved = [0] * len(pairs)

    def busy(n):
        a, b = pairs[n]
        while not over.is_set():
            a.send(b"%d" % moved[n])
            equal(b.recv(100), b"%d" % moved[n])
            moved[n] += 1

    def child(n):
        with bound(SOCK_RDM, 10 + n) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
            s.sendto(b"child", service(10 + n))
            equal(r.recv(100), b"child")

    def fork_all():
        for n in range(12):
            reap(forked(child, n))
        over.set()
    try:
        _in_threads([lambda n=n: busy(n) for n in range(len(pairs))] + [fork_all])
    finally:
        over.set()
    need(all(moved), moved)
    for a, b in pairs:
        a.close()
        b.close()


@check
def processes_of_multiprocessing():
    mp = multiprocessing.get_context("fork")
    results = mp.Queue()
    workers = [mp.Process(target=_work, args=(n, results)) for n in range(4)]
    for w in workers:
        w.start()
    up = [results.get() for _ in workers]
    with socket.socket(AF_TIPC, SOCK_RDM) as s:
        for i in range(40):
            s.sendto(b"%d" % i, service(i % 4))
        answers = sorted(int(s.recv(100)) for _ in range(40))
    for w in workers:
        w.join()
    equal((sorted(up), answers), ([0, 1, 2, 3], [i * i for i in range(40)]))
    equal([w.exitcode for w in workers], [0] * 4)


def _work(n, results):
    with bound(SOCK_RDM, n) as r:
        results.put(n)
        for _ in range(10):
            data, origin = r.recvfrom(100)
            r.sendto(b"%d" % (int(data) ** 2), origin)


@check
def a_pool_of_processes():
    with bound(SOCK_RDM, 1) as r:
        with multiprocessing.get_context("fork").Pool(3) as pool:
            equal(pool.map(_tell, range(30)), list(range(30)))
        equal(sorted(int(r.recv(10)) for _ in range(30)), list(range(30)))


def _tell(n):
    with socket.socket(AF_TIPC, SOCK_RDM) as s:
        s.sendto(b"%d" % n, service(1))
    return n


# ------------------------------------------------------------------- socketserver

class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(line.upper())
            # (not to the second end of file, where 6.1 blocks)
            if line == b"bye\n":
                return


class _Forking(socketserver.ForkingMixIn, socketserver.TCPServer):
    address_family = AF_TIPC


class _Threading(socketserver.ThreadingMixIn, socketserver.TCPServer):
    address_family = AF_TIPC


class _Messages(socketserver.ThreadingMixIn, socketserver.UDPServer):
    address_family, socket_type = AF_TIPC, SOCK_RDM


def _serve(kind, handler, client):
    with kind(service_range(1), handler) as server:
        t = threading.Thread(target=server.serve_forever, args=(0.05,))
        t.start()
        _in_threads([client] * 5)
        server.shutdown()
        t.join()


@check
def a_socketserver_that_forks_or_has_threads():
    def client():
        with socket.socket(AF_TIPC, SOCK_STREAM) as c:
            c.connect(service(1))
            for i in range(20):
                c.sendall(b"line %d\n" % i)
                equal(recv_exactly(c, len(b"line %d\n" % i)), b"LINE %d\n" % i)
            c.sendall(b"bye\n")
            equal(recv_exactly(c, 4), b"BYE\n")
    for kind in _Forking, _Threading:
        _serve(kind, _Handler, client)


@check
def a_socketserver_of_messages():
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            data, s = self.request
            s.sendto(data[::-1], self.client_address)

    def client():
        with socket.socket(AF_TIPC, SOCK_RDM) as c:
            for i in range(20):
                c.sendto(b"%d+" % i, service(1))
                equal(c.recv(100), (b"%d+" % i)[::-1])
    _serve(_Messages, Handler, client)


# ------------------------------------------------------------------- exec

def _program(*words, **options):
    """this file, executed anew"""
    return subprocess.Popen([sys.executable, "-B", os.path.realpath(__file__), *words],
                            stdout=subprocess.PIPE, **options)


def _said(p, wanted=0):
    out, _ = p.communicate(timeout=30)
    equal(p.returncode, wanted, "exit status of the program that was started")
    return out


@check
def pass_fds_to_a_program():
    for kind in KINDS.values():
        a, b = socket.socketpair(AF_TIPC, kind)
        with a, b:
            p = _program("--use", str(b.fileno()), pass_fds=[b.fileno()])
            a.send(b"ping")
            equal(a.recv(100), b"pong to ping")
            equal(_said(p), b"%d %d\n" % (AF_TIPC, kind))
    # What is not passed on is not there.
    a, b = socket.socketpair(AF_TIPC, SOCK_RDM)
    with a, b:
        equal(_said(_program("--gone", str(b.fileno()))), b"gone\n")


def _use(number):
    s = socket.socket(fileno=int(number))
    print(int(s.family), int(s.type))
    data = s.recv(100)
    s.send(b"pong to " + data)


def _gone(number):
    refused(errno.EBADF, os.read, int(number), 1)
    print("gone")


@check
def standard_input_and_output_of_programs():
    """what knows nothing of sockets: read(2) on 0, write(2) on 1"""
    l, c, s = connection(SOCK_STREAM)
    with l, c, s:
        p = subprocess.Popen(["cat"], stdin=s, stdout=s)
        s.close()
        c.sendall(b"through cat\n")
        equal(recv_exactly(c, 12), b"through cat\n")
        c.sendall(b"and again\n")
        equal(recv_exactly(c, 10), b"and again\n")
        c.shutdown(socket.SHUT_RDWR)
        equal(p.wait(20), 0)
    a, b = socket.socketpair(AF_TIPC, SOCK_STREAM)
    with a, b:
        equal(subprocess.run(["sh", "-c", "echo from the shell; echo and more"], stdout=b).returncode, 0)
        equal(recv_exactly(a, 24), b"from the shell\nand more\n")


@check
def a_program_that_is_started_leaves_ours_alone():
    """vfork, close_fds and posix_spawn work on the parent's memory or its descriptors"""
    a, b = socket.socketpair(AF_TIPC, SOCK_SEQPACKET)
    with a, b, bound(SOCK_RDM, 1) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        for options in {}, {"close_fds": False}, {"start_new_session": True}, {"preexec_fn": lambda: None}:
            subprocess.run(["true"], check=True, **options)
            try:
                subprocess.run(["/no/such/program"], **options)
                need(False, "started")
            except FileNotFoundError:
                pass
            a.send(b"x")
            equal(b.recv(10), b"x")
            s.sendto(b"y", service(1))
            equal(r.recv(10), b"y")
        pid = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], os.environ, file_actions=[
            (os.POSIX_SPAWN_CLOSE, a.fileno()), (os.POSIX_SPAWN_DUP2, b.fileno(), 50)])
        reap(pid, 3)
        equal(os.system("exit 4") >> 8, 4)
        a.send(b"x")
        equal(b.recv(10), b"x")


@check
def closerange_closes_ours_too():
    with socket.socket(AF_TIPC, SOCK_RDM) as s:
        r = bound(SOCK_RDM, 1)
        number = os.dup2(r.detach(), 200)
        os.closerange(3, 3)
        os.closerange(150, 250)
        refused(errno.EBADF, os.read, number, 1)
        # (the number that detach gave)
        os.closerange(s.fileno() + 1, 100)
        end = time.monotonic() + 20
        try:
            while time.monotonic() < end:
                s.sendto(b"x", service(1))
            need(False, "the name is still there")
        except OSError as e:
            equal(e.errno, errno.EHOSTUNREACH)


# ------------------------------------------------------------------- descriptors over Unix sockets

@check
def send_fds_to_a_child():
    for kind in KINDS.values():
        near, far = socket.socketpair()
        a, b = socket.socketpair(AF_TIPC, kind)

        def child():
            a.close()
            b.close()
            data, fds, _, _ = socket.recv_fds(far, 100, 2)
            equal(data, b"take")
            s = socket.socket(fileno=fds[0])
            equal((s.family, s.type), (AF_TIPC, kind))
            equal(s.recv(100), b"ping")
            s.send(b"pong")
        with near, far, a, b:
            pid = forked(child)
            socket.send_fds(near, [b"take"], [b.fileno()])
            b.close()
            a.send(b"ping")
            equal(a.recv(100), b"pong")
            reap(pid)


@check
def send_fds_to_a_program():
    near, far = socket.socketpair()
    with near, far, listener(SOCK_STREAM) as l:
        p = _program("--take", str(far.fileno()), pass_fds=[far.fileno()])
        clients = [socket.socket(AF_TIPC, SOCK_STREAM) for _ in range(3)]
        for c in clients:
            c.setblocking(False)
            refused(errno.EINPROGRESS, c.connect, service(1))
            with l.accept()[0] as s:
                socket.send_fds(near, [b"one"], [s.fileno()])
        for c in clients:
            c.settimeout(20)
            c.sendall(b"hello")
            equal(recv_exactly(c, 5), b"HELLO")
            c.close()
        near.shutdown(socket.SHUT_WR)
        equal(_said(p), b"3\n")


def _take(number):
    unix, taken = socket.socket(fileno=int(number)), 0
    while True:
        data, fds, _, _ = socket.recv_fds(unix, 100, 4)
        if not data:
            break
        with socket.socket(fileno=fds[0]) as s:
            s.sendall(s.recv(100).upper())
        taken += 1
    print(taken)


@check
def sockets_are_pickled_to_a_fresh_interpreter():
    """multiprocessing's "spawn" sends the descriptor over a Unix socket"""
    mp = multiprocessing.get_context("spawn")
    a, b = socket.socketpair(AF_TIPC, SOCK_SEQPACKET)
    with a, b:
        p = mp.Process(target=_answer, args=(b,))
        p.start()
        a.send(b"ping")
        equal(a.recv(100), b"pong to ping")
        p.join()
        equal(p.exitcode, 0)


def _answer(s):
    s.send(b"pong to " + s.recv(100))


PARTS = {"--use": _use, "--gone": _gone, "--take": _take}

if __name__ == "__main__":
    if sys.argv[1] in PARTS:
        PARTS[sys.argv[1]](*sys.argv[2:])
    else:
        main()
