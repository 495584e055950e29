# SPDX-License-Identifier: BSD-3-Clause
"""asyncio on AF_TIPC sockets: sock_* calls, callbacks, transports: see check.py."""
import asyncio
import functools

from check import *

LIMIT = 20


def run(function):
    """a check that is a coroutine"""
    @functools.wraps(function)
    def one():
        asyncio.run(asyncio.wait_for(function(), LIMIT * 2))
    return check(one)


def non_blocking(s):
    s.setblocking(False)
    return s


async def pair(kind):
    loop = asyncio.get_running_loop()
    with non_blocking(listener(kind)) as l:
        c = non_blocking(socket.socket(AF_TIPC, kind))
        _, (s, peer) = await asyncio.gather(loop.sock_connect(c, service(1)), loop.sock_accept(l))
        equal(peer, c.getsockname())
    return c, s


@run
async def connect_accept_recv_sendall():
    loop = asyncio.get_running_loop()
    for kind in CONN:
        c, s = await pair(kind)
        with c, s:
            await loop.sock_sendall(c, b"there")
            equal(await loop.sock_recv(s, 100), b"there")
            later = asyncio.create_task(loop.sock_recv(c, 100))
            await asyncio.sleep(0)
            await loop.sock_sendall(s, b"back")
            equal(await later, b"back")
            buf = bytearray(10)
            await loop.sock_sendall(c, b"into")
            equal((await loop.sock_recv_into(s, buf), bytes(buf[:4])), (4, b"into"))
            s.close()
            try:
                equal(await loop.sock_recv(c, 100), b"")
            except ConnectionResetError:
                pass


@run
async def more_than_the_window_at_once():
    loop = asyncio.get_running_loop()
    c, s = await pair(SOCK_STREAM)
    data = octets(2 << 20)

    async def read():
        got = bytearray()
        while len(got) < len(data):
            got += await loop.sock_recv(s, MESSAGE_MAX)
        return bytes(got)
    with c, s:
        _, got = await asyncio.gather(loop.sock_sendall(c, data), read())
        equal(got == data, True)


@run
async def datagrams():
    loop = asyncio.get_running_loop()
    if not hasattr(loop, "sock_recvfrom"):          # new in 3.11
        return
    for kind in LESS:
        with non_blocking(bound(kind, 1)) as r, non_blocking(socket.socket(AF_TIPC, kind)) as s:
            waiting = asyncio.create_task(loop.sock_recvfrom(r, 100))
            await asyncio.sleep(0)
            await loop.sock_sendto(s, b"ask", service(1))
            data, origin = await waiting
            equal((data, origin), (b"ask", s.getsockname()))
            await loop.sock_sendto(r, b"answer", origin)
            equal(await loop.sock_recv(s, 100), b"answer")


@run
async def refused_and_cancelled():
    loop = asyncio.get_running_loop()
    with bound(SOCK_STREAM, 1), non_blocking(socket.socket(AF_TIPC, SOCK_STREAM)) as c:
        try:
            await loop.sock_connect(c, service(1))
            need(False, "connected")
        except ConnectionRefusedError:
            pass
    with non_blocking(bound(SOCK_RDM, 2)) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        try:
            await asyncio.wait_for(loop.sock_recv(r, 100), 0.02)
            need(False, "received")
        except asyncio.TimeoutError:
            pass
        s.sendto(b"not taken by the one that was cancelled", service(2))
        need((await loop.sock_recv(r, 100)).startswith(b"not taken"))


@run
async def readers_and_writers():
    loop = asyncio.get_running_loop()
    got, room, done = [], [], asyncio.Event()
    c, s = await pair(SOCK_SEQPACKET)

    def readable():
        got.append(s.recv(MESSAGE_MAX))
        if got[-1] == b"end":
            done.set()

    def writable():
        try:
            while len(room) < 500:
                c.send(b"%d " % len(room) + bytes(5000))
                room.append(1)
            c.send(b"end")
            loop.remove_writer(c)
        except BlockingIOError:
            room_was_full.append(len(room))
    room_was_full = []
    with c, s:
        loop.add_reader(s, readable)
        loop.add_writer(c, writable)
        await done.wait()
        equal([int(g.split()[0]) for g in got[:-1]], list(range(500)))
        equal((loop.remove_reader(s), loop.remove_reader(s)), (True, False))
    need(room_was_full, "the window was never full")


@run
async def streams():
    async def serve(reader, writer):
        try:
            while line := await reader.readline():
                writer.write(line.upper())
                await writer.drain()
        except ConnectionResetError:                # what TIPC makes of a plain close
            closed.append(1)
            if len(closed) == 20:
                all_closed.set()
        writer.close()
    closed, all_closed = [], asyncio.Event()
    # (which calls listen itself)
    server = await asyncio.start_server(serve, sock=bound(SOCK_STREAM, 1))
    async with server:
        async def client(n):
            c = non_blocking(socket.socket(AF_TIPC, SOCK_STREAM))
            await asyncio.get_running_loop().sock_connect(c, service(1))
            reader, writer = await asyncio.open_connection(sock=c)
            for i in range(50):
                writer.write(b"line %d of %d\n" % (i, n))
                equal(await reader.readline(), b"LINE %d OF %d\n" % (i, n))
            writer.close()
        await asyncio.gather(*map(client, range(20)))
        await asyncio.wait_for(all_closed.wait(), 30)


@run
async def a_datagram_endpoint():
    loop = asyncio.get_running_loop()
    answers = asyncio.Queue()

    class Server(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            self.transport = transport

        def datagram_received(self, data, addr):
            self.transport.sendto(data[::-1], addr)

    class Client(asyncio.DatagramProtocol):
        def datagram_received(self, data, addr):
            answers.put_nowait(data)
    server, _ = await loop.create_datagram_endpoint(Server, sock=non_blocking(bound(SOCK_DGRAM, 1)))
    client, _ = await loop.create_datagram_endpoint(Client, sock=non_blocking(socket.socket(AF_TIPC, SOCK_DGRAM)))
    for i in range(100):
        client.sendto(b"%d." % i, service(1))
    for i in range(100):
        equal(await answers.get(), b"." + str(i)[::-1].encode())
    client.close()
    server.close()


@run
async def together_with_tcp_and_a_subprocess():
    loop = asyncio.get_running_loop()

    async def serve(reader, writer):
        writer.write(await reader.readexactly(3))
        writer.close()
    tcp = await asyncio.start_server(serve, "127.0.0.1", 0)
    with non_blocking(bound(SOCK_RDM, 1)) as r, socket.socket(AF_TIPC, SOCK_RDM) as s:
        async def over_tcp():
            reader, writer = await asyncio.open_connection(*tcp.sockets[0].getsockname())
            writer.write(b"tcp")
            data = await reader.read()
            writer.close()
            s.sendto(data, service(1))
        p = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        received, (out, _), _ = await asyncio.gather(loop.sock_recv(r, 100), p.communicate(b"through cat"), over_tcp())
        equal((received, out), (b"tcp", b"through cat"))
    tcp.close()


if __name__ == "__main__":
    main()
