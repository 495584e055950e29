# SPDX-License-Identifier: BSD-3-Clause
"""ktipc: the proxy between a node's virtio-net and a DPDK program's vhost-user port."""
import array
import contextlib
import mmap
import os
import select
import socket
import struct
import threading
import time

from ktbase import Error


class VhostProxy(threading.Thread):
    """Stands between the vhost-user front end of a node and the vhost-user
    server of a DPDK program, for the control messages only: the frames go
    through the shared memory directly between the two.

    It is needed because DPDK's vhost library offers a control queue which it
    never serves (a node would wait for it for ever), because it has no
    address to give to the node, and because the node's driver does not
    survive a server that ends.  With it, the DPDK program may come, go and
    come back at any time: while it is away the node's frames are lost, as
    on a cable that is not plugged in."""

    HDR = struct.Struct("<III")
    # MRG_RXBUF 15, INDIRECT_DESC 28, EVENT_IDX 29, VERSION_1 32
    FEATURES = 1 << 15 | 1 << 28 | 1 << 29 | 1 << 32
    MAC, PROTO = 1 << 5, 1 << 30

    def __init__(self, path, server, mac):
        super().__init__(daemon=True)
        self.path, self.server, self.mac = path, server, bytes.fromhex(mac.replace(":", ""))
        self.ls = self.front = self.back = None
        self.end, self.state, self.backends, self.unplugged = False, {}, 0, False
        self.plugged_at = 0.0       # when the DPDK program last had the rings
        self.lock = threading.RLock()
        self.reset()

    def listen(self):
        if self.ls is None:
            self.ls = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            with contextlib.suppress(OSError):
                os.unlink(self.path)
            self.ls.bind(self.path)
            self.ls.listen(2)
            self.start()

    def unplug(self, out):
        with self.lock:
            self.unplugged = out
            if out:
                self.drop_back()

    def close(self):            # the node has ended: forget it
        with self.lock:
            self.drop_back()
            self.reset()

    def shut(self):
        self.end = True
        self.close()
        if self.ls:
            self.ls.close()

    def reset(self):
        for fd in self.state.get("fds", []):
            os.close(fd)
        for m in self.state.get("maps", []):
            m[3].close()
        self.state = {"fds": [], "maps": [], "vq": {}, "features": 0, "mem": None, "proto": 0}

    @property
    def connected(self):
        return self.back is not None

    # -- messages
    @staticmethod
    def recv(s):
        hdr, anc, _, _ = s.recvmsg(12, socket.CMSG_SPACE(8 * 4))
        fds = array.array("i")
        for lvl, typ, data in anc:
            if lvl == socket.SOL_SOCKET and typ == socket.SCM_RIGHTS:
                fds.frombytes(data[:len(data) - len(data) % 4])
        while 0 < len(hdr) < 12:
            more = s.recv(12 - len(hdr))
            hdr = hdr + more if more else b""
        if not hdr:
            raise ConnectionError
        req, flags, size = VhostProxy.HDR.unpack(hdr)
        body = b""
        while len(body) < size:
            d = s.recv(size - len(body))
            if not d:
                raise ConnectionError
            body += d
        return req, flags, body, list(fds)

    @classmethod
    def send(cls, s, req, body=b"", fds=(), flags=1):
        anc = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        s.sendmsg([cls.HDR.pack(req, flags, len(body)) + body], anc)

    def ask(self, req, body=b""):
        self.send(self.back, req, body)
        while True:
            r, fl, b, _ = self.recv(self.back)
            if r == req and fl & 4:
                return b

    # -- the node's side
    def serve(self, req, flags, body, fds):
        st = self.state
        u64 = struct.unpack("<Q", body[:8])[0] if len(body) >= 8 else 0
        reply = None
        st["fds"] += fds
        vq = None
        if req in (8, 9, 10, 18):
            vq = st["vq"].setdefault(struct.unpack_from("<I", body)[0], {})
        elif req in (12, 13, 14):
            vq = st["vq"].setdefault(u64 & 0xff, {})
        if req == 1:                                    # GET_FEATURES
            reply = struct.pack("<Q", self.FEATURES | self.MAC | self.PROTO)
        elif req == 2:                                  # SET_FEATURES
            st["features"] = u64
        elif req == 15:                                 # GET_PROTOCOL_FEATURES
            # REPLY_ACK, SLAVE_REQ (without it the driver asks for interrupt 0), CONFIG
            reply = struct.pack("<Q", 1 << 3 | 1 << 5 | 1 << 9)
        elif req == 16:
            st["proto"] = u64
        elif req == 5:                                  # SET_MEM_TABLE
            self.drop_back()
            st["mem"] = (body, fds)
            n = struct.unpack_from("<I", body)[0]
            for i in range(n):
                gpa, size, uaddr, off = struct.unpack_from("<QQQQ", body, 8 + 32 * i)
                m = mmap.mmap(fds[i], size + off)
                st["maps"].append((uaddr, size, off, m))
        elif req == 24:                                 # GET_CONFIG
            off, size, fl = struct.unpack_from("<III", body)
            cfg = (self.mac + struct.pack("<HHH", 1, 1, 1500)).ljust(256, b"\0")
            reply = body[:12] + cfg[off:off + size]
        elif req == 8:
            vq["num"] = struct.unpack_from("<II", body)[1]
        elif req == 9:
            vq["addr"] = body
        elif req == 10:
            vq["base"] = struct.unpack_from("<II", body)[1]
        elif req == 11:                                 # GET_VRING_BASE: stop the queue
            i = struct.unpack_from("<I", body)[0]
            self.drop_back()
            q = st["vq"].get(i, {})
            base = self.used_idx(q) if "addr" in q else 0
            q.pop("kick", None)
            reply = struct.pack("<II", i, base)
        elif req == 12:
            vq["kick"] = fds[0] if fds else None
        elif req == 13:
            vq["call"] = fds[0] if fds else None
        if reply is not None:
            self.send(self.front, req, reply, flags=5)
        elif flags & 8:
            self.send(self.front, req, struct.pack("<Q", 0), flags=5)

    def ring(self, q):
        """(memory, offset of used ring, offset of available ring)"""
        _, _, desc, used, avail, _ = struct.unpack("<IIQQQQ", q["addr"][:40])
        for uaddr, size, off, m in self.state["maps"]:
            if uaddr <= used < uaddr + size:
                return m, used - uaddr + off, avail - uaddr + off
        raise Error("vhost: ring outside of the node's memory")

    def used_idx(self, q):
        m, used, _ = self.ring(q)
        return struct.unpack_from("<H", m, used + 2)[0]

    def discard(self):
        """no DPDK program there: take the node's frames and lose them"""
        q = self.state["vq"].get(1)
        if not q or "kick" not in q or "addr" not in q:
            return
        m, used, avail = self.ring(q)
        num = q["num"]
        u = struct.unpack_from("<H", m, used + 2)[0]
        a = struct.unpack_from("<H", m, avail + 2)[0]
        if u == a:
            return
        while u != a:
            head, = struct.unpack_from("<H", m, avail + 4 + 2 * (u % num))
            struct.pack_into("<II", m, used + 4 + 8 * (u % num), head, 0)
            u = u + 1 & 0xffff
        # Not by pack_into: it clears a word before it writes it, and the node sees the zero.
        m[used + 2:used + 4] = struct.pack("<H", u)
        m[used + 4 + 8 * num:used + 6 + 8 * num] = struct.pack("<H", (u - 1) & 0xffff)   # avail event
        if q.get("call") is not None:
            with contextlib.suppress(OSError):
                os.write(q["call"], struct.pack("<Q", 1))

    # -- the DPDK program's side
    def is_ready(self):
        v = self.state["vq"]
        return self.state["mem"] and all(i in v and v[i].get("kick") is not None and "addr" in v[i] for i in (0, 1))

    def connect(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            s.settimeout(3)
            s.connect(self.server)
        except OSError:
            s.close()
            return
        self.back = s
        st = self.state
        try:
            self.send(s, 3)
            feat = struct.unpack("<Q", self.ask(1))[0]
            self.send(s, 2, struct.pack("<Q", st["features"] & feat & self.FEATURES))
            self.send(s, 5, st["mem"][0], st["mem"][1])
            for i in (0, 1):
                q = st["vq"][i]
                self.send(s, 8, struct.pack("<II", i, q["num"]))
                self.send(s, 10, struct.pack("<II", i, self.used_idx(q)))
                self.send(s, 9, q["addr"])
                if q.get("call") is not None:
                    self.send(s, 13, struct.pack("<Q", i), [q["call"]])
            for i in (0, 1):
                self.send(s, 12, struct.pack("<Q", i), [st["vq"][i]["kick"]])
            self.ask(1)             # answered when all of that has been taken in
            self.plugged_at = time.monotonic()
            self.backends += 1
        except (OSError, struct.error):
            self.drop_back()

    def drop_back(self):
        if self.back:
            # wait until the other side has let the rings go
            with contextlib.suppress(OSError):
                self.back.settimeout(1)
                for i in (0, 1):
                    self.ask(11, struct.pack("<II", i, 0))
            self.back.close()
            self.back = None

    def run(self):
        while not self.end:
            try:
                rd = [s for s in (self.ls, self.front, self.back) if s is not None]
                ready, _, _ = select.select(rd, [], [], 0.05 if self.back is None else 0.5)
                with self.lock:
                    if self.ls in ready:
                        if self.front:
                            self.front.close()
                        self.drop_back()
                        self.reset()
                        self.front, _ = self.ls.accept()
                    elif self.front and self.front in ready:
                        try:
                            self.serve(*self.recv(self.front))
                        except ConnectionError:
                            self.front.close()
                            self.front = None
                            self.drop_back()
                            self.reset()
                    if self.back and self.back in ready:
                        try:
                            self.recv(self.back)
                        except (OSError, ConnectionError):
                            self.back.close()
                            self.back = None
                    if self.front and not self.back and self.is_ready():
                        if not self.unplugged:
                            self.connect()
                        if not self.back:
                            self.discard()
            except (OSError, ValueError):
                if self.end:
                    return
                time.sleep(0.05)
