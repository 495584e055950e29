# SPDX-License-Identifier: BSD-3-Clause
"""ktipc: one kernel node and the programs that run in it."""
import collections
import contextlib
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from ktbase import Error, NOINIT, tool

Result = collections.namedtuple("Result", "rc out err")

# an interrupted dump is asked for again this often
DUMP_TRIES = 50
DUMP_INTERRUPTED = "Interrupted system call"


class Proc:
    """A program running in a node."""

    def __init__(self, node, ident, what):
        self.node, self.id, self.what = node, ident, what
        self.cond = threading.Condition()
        self.outb, self.errb, self.rc, self.pos = bytearray(), bytearray(), None, 0
        self.sink = None            # called with (type, bytes) if set

    def _frame(self, t, data):
        with self.cond:
            if t == "S":
                self.rc = struct.unpack("<i", data)[0] if data else -9
            elif self.sink:
                self.sink(t, data)
            elif t == "O":
                self.outb += data
            else:
                self.errb += data
            self.cond.notify_all()

    @property
    def out(self):
        return bytes(self.outb).decode("utf-8", "replace")

    @property
    def err(self):
        return bytes(self.errb).decode("utf-8", "replace")

    def wait(self, timeout=30):
        """exit code (negative: signal); the program is killed at the time limit"""
        with self.cond:
            if not self.cond.wait_for(lambda: self.rc is not None, timeout):
                pass
        if self.rc is None:
            self.kill(signal.SIGKILL)
            with self.cond:
                self.cond.wait_for(lambda: self.rc is not None, 5)
            raise Error("%s: %r: no end in %s s; so far:\n%s%s" %
                        (self.node.name, self.what, timeout, self.out[-1500:], self.err[-1500:]))
        return self.rc

    def expect(self, pattern, timeout=15):
        """wait until unread standard output matches; returns the match"""
        rx, found = re.compile(pattern), []

        def look():
            m = rx.search(self.out, self.pos)
            if m:
                self.pos = m.end()
                found.append(m)
            return m or self.rc is not None
        with self.cond:
            self.cond.wait_for(look, timeout)
        if not found:
            raise Error("%s: %r: no %r in its output (rc %s):\n%s%s" %
                        (self.node.name, self.what, pattern, self.rc, self.out[-1500:], self.err[-1500:]))
        return found[0]

    def write(self, data):
        data = data.encode() if isinstance(data, str) else data
        for i in range(0, len(data), 4096):
            self.node._send("I", self.id, data[i:i + 4096])

    def close_stdin(self):
        self.node._send("I", self.id, b"")

    def kill(self, sig=signal.SIGTERM):
        self.node._send("K", self.id, bytes([sig]))


class Node:
    """One kernel-TIPC node. Made by Testbed.node()."""

    def __init__(self, tb, index, name, nics, mem, ipv6, boot_args):
        self.tb, self.index, self.name, self.mem = tb, index, name, mem
        self.ipv6, self.boot_args = ipv6, boot_args
        self.dir = os.path.join(tb.dir, name)
        os.makedirs(self.dir, exist_ok=True)
        self.nics = []
        for i, n in enumerate(nics):
            self.nics.append(tb._nic(self, i, n))
        self.proc, self.up = None, threading.Event()

    # -- life
    def start(self):
        tb = self.tb
        exe, mods = tb.kernel
        with open(os.path.join(self.dir, "modules"), "w") as f:
            f.write("\n".join(tb.modules) + "\n")
        ours, theirs = socket.socketpair()
        lr, lw = os.pipe2(os.O_CLOEXEC)
        self.log = os.path.join(self.dir, "console.log")
        logfd = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        args = [tool("umlrun"), "--netns", tb.netns, "--lifeline", str(lr), "--", exe,
                "mem=" + self.mem, "root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro",
                "init=" + tool("ktagent"), "umid=" + self.name, "uml_dir=" + os.path.join(tb.dir, "uml"),
                "kt.dir=" + self.dir, "kt.name=" + self.name, "initcall_blacklist=" + NOINIT,
                "con=null", "con0=null,fd:%d" % logfd, "ssl=null", "ssl0=fd:%d" % theirs.fileno()]
        pos = 0
        for n in self.nics:
            if n["kind"] == "vhost":
                n["dev"] = None
                n["proxy"].listen()
                args.append("virtio_uml.device=%s:1" % n["proxy"].path)
            elif n["mtu"]:
                # the only driver for long frames; its checksum offload cannot be switched off
                n["dev"] = "vec%d" % pos
                args.append("vec%d:transport=tap,ifname=%s,depth=128,gro=0,mac=%s,mtu=%d" %
                            (pos, n["tap"], n["mac"], n["mtu"]))
                pos += 1
            else:
                n["dev"] = None
                args.append("eth%d=tuntap,%s,%s," % (pos, n["tap"], n["mac"]))
                pos += 1
        args += self.boot_args
        self.up.clear()
        self.lock, self.procs, self.last = threading.Lock(), {}, 1
        self.unread, self.credit = 0, threading.Condition()
        self.proc = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=logfd, stderr=logfd,
                                     pass_fds=(lr, theirs.fileno(), logfd), start_new_session=True)
        os.close(lr)
        os.close(logfd)
        theirs.close()
        self.lifeline, self.sock = lw, ours
        self.reader = threading.Thread(target=self._read, args=(ours,), daemon=True)
        self.reader.start()
        self.t0 = time.monotonic()
        return self

    def ready(self, timeout=60):
        """wait until the node has booted, then name its devices and bring them up"""
        if not self.up.wait(timeout) or not self.alive():
            raise Error("node %s did not boot; end of its console:\n%s" % (self.name, self.console()[-3000:]))
        v6 = "0" if self.ipv6 else "1"
        s = ["for i in all default; do echo %s > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done" % v6]
        for i, n in enumerate(self.nics):
            dev = n["dev"]
            if dev is None:
                # virtio devices have names of their own choice: find it by its address
                s.append("d=; for k in 1 2 3 4 5 6 7 8 9 10; do for f in /sys/class/net/*; do "
                         "[ \"$(cat $f/address)\" = %s ] && d=${f##*/}; done; [ -n \"$d\" ] && break; sleep .1; done" % n["mac"])
                dev = "$d"
            s.append('ip link set %s down name kt%d' % (dev, i))
        for i, n in enumerate(self.nics):
            # (the vector driver switches its offloads on each time the device is set up)
            s.append("ip link set kt%d name eth%d && ip link set eth%d up%s && %s plain eth%d" %
                     (i, i, i, " mtu %d" % n["mtu"] if n["mtu"] and n["kind"] == "vhost" else "", tool("ktagent"), i))
        r = self.run("\n".join(s))
        if r.rc:
            raise Error("node %s: %s%s" % (self.name, r.out, r.err))
        self.boot_s = time.monotonic() - self.t0
        return self

    def alive(self):
        return self.proc is not None and self.proc.poll() is None

    def stop(self, timeout=5):
        """power off in order (TIPC says goodbye on its bearers)"""
        if self.alive():
            with contextlib.suppress(OSError, Error):
                self._send("Q", 0, b"")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.proc.wait(timeout)
        self.kill()

    def kill(self):
        """end at once, as by loss of power"""
        if self.proc is None:
            return
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None
        self.proc.wait()
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.reader.join(5)
        self.sock.close()
        for n in self.nics:
            if n["kind"] == "vhost":
                n["proxy"].close()
        self.proc = None

    def halt(self, is_halted):
        """stop the node's kernel with all that runs in it (SIGSTOP), or let it go on: what
        a host does to a virtual machine that it gives no time"""
        pid = self.proc.pid                             # umlrun, its first process, the kernel
        for _ in range(2):
            with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
                pid = int(f.read().split()[0])
        os.kill(pid, signal.SIGSTOP if is_halted else signal.SIGCONT)

    def console(self):
        with contextlib.suppress(OSError):
            return open(self.log, errors="replace").read()
        return ""

    # -- commands
    def _send(self, t, ident, data):
        data = t.encode() + struct.pack("<II", ident, len(data)) + data
        with self.lock:
            try:
                for i in range(0, len(data), 1024):
                    part = data[i:i + 1024]
                    with self.credit:
                        if not self.credit.wait_for(lambda: self.unread <= 1024, 30):
                            raise OSError("stuck")
                        self.unread += len(part)
                    self.sock.sendall(part)
            except (OSError, AttributeError) as e:
                raise Error("node %s does not listen" % self.name) from e

    def _read(self, sock):
        buf = bytearray()
        while True:
            try:
                d = sock.recv(65536)
            except OSError:
                d = b""
            if not d:
                break
            buf += d
            while len(buf) >= 9:
                t, ident, n = struct.unpack_from("<cII", buf)
                if len(buf) < 9 + n:
                    break
                data = bytes(buf[9:9 + n])
                del buf[:9 + n]
                t = t.decode("latin1")
                if t == "B":
                    self.up.set()
                elif t == "A":
                    with self.credit:
                        self.unread -= ident
                        self.credit.notify_all()
                p = self.procs.get(ident)
                if p and t in "OES":
                    p._frame(t, data)
                    if t == "S":
                        self.procs.pop(ident, None)
        with self.credit:
            self.unread = -1 << 40
            self.credit.notify_all()
        self.up.set()           # wakes a waiter, who finds the node dead
        for p in list(self.procs.values()):
            p._frame("S", b"")

    def popen(self, cmd, env=None, cwd="/", merge=False, sink=None):
        """start a program (a list, or a string for the shell) and go on"""
        argv = ["/bin/sh", "-c", cmd] if isinstance(cmd, str) else [str(c) for c in cmd]
        words = ["%s=%s" % kv for kv in dict({"KT_PYTHON": os.path.realpath(sys.executable),
                                              "KT_NODE": self.name}, **(env or {})).items()]
        with self.lock:
            self.last += 1
            p = self.procs[self.last] = Proc(self, self.last, cmd)
        p.sink = sink
        body = struct.pack("<BHH", 1 if merge else 0, len(words), len(argv))
        body += b"".join(os.fsencode(s) + b"\0" for s in [cwd] + words + argv)
        self._send("X", p.id, body)
        return p

    def run(self, cmd, timeout=30, check=False, input=None, env=None, cwd="/"):
        """run a program to its end: Result(rc, out, err)"""
        p = self.popen(cmd, env, cwd)
        if input:
            p.write(input)
        p.close_stdin()
        r = Result(p.wait(timeout), p.out, p.err)
        if check and r.rc:
            raise Error("%s: %r: exit %d\n%s%s" % (self.name, cmd, r.rc, r.out, r.err))
        return r

    # -- TIPC
    def tipc(self, *args, timeout=10):
        """run the tipc tool, which must succeed; returns its output

        A netlink dump during which the table changed is marked as interrupted by the
        kernel (NLM_F_DUMP_INTR), and the tool then fails: it is asked again."""
        cmd = "tipc " + " ".join(str(a) for a in args)
        for _ in range(DUMP_TRIES):
            r = self.run(cmd, timeout)
            if not (r.rc and DUMP_INTERRUPTED in r.err):
                break
        if r.rc:
            raise Error("%s: %r: exit %d\n%s%s" % (self.name, cmd, r.rc, r.out, r.err))
        return r.out

    def eth(self, *devs, addr=None, ident=None, **opts):
        """set address or identity, then enable Ethernet bearers (default eth0)"""
        if addr:
            self.tipc("node set address", addr)
        if ident:
            self.tipc("node set identity", ident)
        for d in devs or ("eth0",):
            self.tipc("bearer enable media eth device", d, *(w for kv in opts.items() for w in kv))

    def links(self):
        """{link name: state} without the broadcast link"""
        out = {}
        for l in self.tipc("link list").splitlines():
            m = re.match(r"(\S+:\S+-\S+:\S+): (\S+)", l)
            if m:
                out[m[1]] = m[2]
        return out

    def link_roles(self):
        """{link name: ACTIVE, STANDBY ...}, as in the link statistics"""
        return dict(re.findall(r"Link <(\S+:\S+-\S+:\S+)>\n\s+(\S+)", self.tipc("link stat show")))

    def wait_links(self, n=1, timeout=15, state="up"):
        """wait for exactly n links in that state; returns the seconds it took"""
        t0 = time.monotonic()
        while True:
            ls = self.links()
            if sum(s == state for s in ls.values()) == n:
                return time.monotonic() - t0
            if time.monotonic() - t0 > timeout:
                raise Error("%s: wanted %d links %s, have %s" % (self.name, n, state, ls))
            time.sleep(0.05)

    def node_id(self):
        """(identity text, 32-bit address) as the kernel has them"""
        return self.run("tipc node get address 2>/dev/null; tipc node get identity 2>/dev/null").out
