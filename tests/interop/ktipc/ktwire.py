# SPDX-License-Identifier: BSD-3-Clause
"""ktipc: captures, and a switch in user space that loses chosen frames."""
import collections
import contextlib
import os
import random
import select
import shlex
import signal
import socket
import struct
import subprocess
import threading
import time

from ktbase import Error, setns


class Capture:
    """tcpdump on a device of the testbed's namespace, into a file"""

    def __init__(self, tb, dev, path, filt=""):
        self.path = os.path.abspath(path)
        self.p = tb.ns_popen(["tcpdump", "-i", dev, "-U", "-s", "0", "-B", "8192", "-n", "-Z", "root",
                              "--immediate-mode", "-w", self.path, *shlex.split(filt)],
                             stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        seen = []
        for l in self.p.stderr:
            seen.append(l)
            if "listening on" in l:
                break
        else:
            raise Error("tcpdump: " + "".join(seen))
        self.t = threading.Thread(target=self.p.stderr.read, daemon=True)
        self.t.start()

    def stop(self, linger=0.3):
        time.sleep(linger)
        self.p.send_signal(signal.SIGINT)
        self.p.wait()
        return self.path

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.stop()


def tipc_fields(frame):
    """what drop rules can look at, from an Ethernet frame; {} if it is not plain TIPC"""
    if len(frame) < 14 + 24 or frame[12:14] != b"\x88\xca":
        return {}
    w = struct.unpack_from("!6I", frame, 14)
    if w[0] >> 29 != 2:
        return {}               # encrypted, or another protocol version
    f = {"user": w[0] >> 25 & 15, "hdr": (w[0] >> 21 & 15) * 4, "size": w[0] & 0x1ffff,
         "type": w[1] >> 29, "bcast": int(frame[0] & 1), "ack": w[2] >> 16, "seq": w[2] & 0xffff}
    return f


class Relay(threading.Thread):
    """A learning switch in user space over devices of the testbed's namespace,
    which can lose, delay, duplicate or reorder chosen frames.

    rule(frame, dev, fields) is called for each frame and returns None or
    'pass', 'drop', 'dup', or a number of seconds to hold it back."""

    def __init__(self, tb, name):
        super().__init__(daemon=True)
        self.tb, self.name, self.ports, self.rule = tb, name, {}, None
        self.fdb, self.held, self.log = {}, [], collections.Counter()
        self.unplugged = set()
        self.r, self.w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self.todo, self.done, self.end = [], threading.Event(), False
        self.start()

    def add(self, dev):
        self.done.clear()
        self.todo.append(dev)
        os.write(self.w, b"a")
        if not self.done.wait(5):
            raise Error("relay %s: cannot open %s" % (self.name, dev))

    def close(self):
        self.end = True
        with contextlib.suppress(OSError):
            os.write(self.w, b"q")
        self.join(3)

    def drop(self, count=None, skip=0, dev=None, prob=None, seed=1, **want):
        """install a rule: lose frames whose fields are as wanted (user=..,
        type=.., seq=.., bcast=0|1); skip the first few, at most count."""
        rnd, st = random.Random(seed), {"n": 0, "dropped": 0}

        def rule(frame, d, f):
            if dev and d != dev or any(f.get(k) != v for k, v in want.items()):
                return None
            if prob is not None and rnd.random() >= prob:
                return None
            st["n"] += 1
            if st["n"] <= skip or (count is not None and st["dropped"] >= count):
                return None
            st["dropped"] += 1
            return "drop"
        self.rule = rule
        return st

    def _open(self):
        while self.todo:
            dev = self.todo.pop()
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            s.setsockopt(263, 23, 1)                    # PACKET_IGNORE_OUTGOING
            with contextlib.suppress(OSError):
                s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20)    # SO_RCVBUFFORCE
            s.bind((dev, 3))                            # ETH_P_ALL
            idx = socket.if_nametoindex(dev)
            s.setsockopt(263, 1, struct.pack("IHH8s", idx, 1, 0, b""))  # promiscuous
            s.setblocking(False)
            self.ports[s] = dev
        self.done.set()

    def _out(self, frame, src):
        dst = frame[:6]
        to = self.fdb.get(dst) if not frame[0] & 1 else None
        for s in self.ports:
            if s is not src and (to is None or s is to) and self.ports[s] not in self.unplugged:
                with contextlib.suppress(OSError):
                    s.send(frame)

    def run(self):
        setns(self.tb.netns)
        while not self.end:
            wait = max(0, self.held[0][0] - time.monotonic()) if self.held else None
            rd, _, _ = select.select([self.r, *self.ports], [], [], wait)
            now = time.monotonic()
            while self.held and self.held[0][0] <= now:
                _, frame, s = self.held.pop(0)
                self._out(frame, s)
            for s in rd:
                if s == self.r:
                    os.read(self.r, 64)
                    self._open()
                    continue
                for _ in range(64):
                    try:
                        frame = s.recv(65536)
                    except OSError:
                        break
                    if self.ports[s] in self.unplugged:
                        continue
                    self.fdb[frame[6:12]] = s
                    act = self.rule(frame, self.ports[s], tipc_fields(frame)) if self.rule else None
                    self.log[act if isinstance(act, (str, type(None))) else "held"] += 1
                    if act == "drop":
                        continue
                    if isinstance(act, (int, float)):
                        self.held.append((now + act, frame, s))
                        self.held.sort(key=lambda h: h[0])
                        continue
                    self._out(frame, s)
                    if act == "dup":
                        self._out(frame, s)
        for s in self.ports:
            s.close()
