#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""ktipc: nodes that run the Linux kernel's TIPC, for tests (see README.md).

Each node is a User-Mode Linux instance with the host's file system as its
read-only root, started in under two seconds, driven over a serial line, and
attached to TAP devices in a private network namespace or straight to a DPDK
vhost-user port.  Needs root.  Only the Python standard library is used.

As a library:

    from ktipc import Testbed
    with Testbed() as tb:
        a = tb.node("a", ["br0"])
        b = tb.node("b", ["br0"])
        tb.ready()
        for n, addr in ((a, "1.1.1"), (b, "1.1.2")):
            n.tipc("node set address", addr)
            n.tipc("bearer enable media eth device eth0")
        a.wait_link("b")
        print(a.run("tipc nametable show").out)

As a command: ktipc.py --help
"""
import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
# (some of these are for those who import this module)
from ktbase import Error, MODULES, PEERS, module_files, peer, prepare, tool, uml_kernel
from ktnode import Node, Result
from ktvhost import VhostProxy
from ktwire import Capture, Relay


class Testbed:
    """A network namespace with nodes, bridges and relays in it."""

    def __init__(self, directory=None, mem="64M", ipv6=False, modules=(), seed=0):
        if os.geteuid():
            raise Error("a testbed needs root (network namespace, TAP devices)")
        self.own = directory is None
        self.dir = directory or tempfile.mkdtemp(prefix="ktipc-")
        os.makedirs(os.path.join(self.dir, "uml"), exist_ok=True)
        self.mem, self.ipv6, self.seed = mem, ipv6, seed
        self.nodes, self.bridges, self.relays, self.proxies, self.others = {}, set(), {}, [], []
        self.kernel = uml_kernel()
        self.modules = module_files(self.kernel[1], MODULES + list(modules))
        r, self.lifeline = os.pipe2(os.O_CLOEXEC)
        self.holder = subprocess.Popen([tool("umlrun"), "--lifeline", str(r), "--hold"], pass_fds=(r,),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
        os.close(r)
        if self.holder.stdout.readline() != b"ready\n":
            raise Error("no network namespace")
        self.netns = "/proc/%d/ns/net" % self.holder.pid
        self.ns("sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 2>/dev/null || "
                "for i in all default; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done 2>/dev/null || true")

    # -- the namespace
    def ns_argv(self, cmd):
        argv = ["/bin/sh", "-c", cmd] if isinstance(cmd, str) else [str(c) for c in cmd]
        return ["nsenter", "--net=" + self.netns, "--", *argv]

    def ns(self, cmd, check=True, timeout=60):
        """run a host command inside the testbed's network namespace"""
        r = subprocess.run(self.ns_argv(cmd), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=timeout, stdin=subprocess.DEVNULL)
        if check and r.returncode:
            raise Error("%r: exit %d\n%s%s" % (cmd, r.returncode, r.stdout, r.stderr))
        return Result(r.returncode, r.stdout, r.stderr)

    def ns_popen(self, cmd, **kw):
        """start a host command (a DPDK program, say) inside the namespace;
        it is ended with the testbed"""
        p = subprocess.Popen(self.ns_argv(cmd), stdin=kw.pop("stdin", subprocess.DEVNULL), **kw)
        self.others.append(p)
        return p

    def bridge(self, name):
        if name not in self.bridges:
            self.bridges.add(name)
            self.ns("ip link add %s type bridge forward_delay 0 mcast_snooping 0 && "
                    "ip link set %s up" % (name, name))
        return name

    def veth(self, name, bridge=None, relay=None, mac=None, mtu=None):
        """a device for a program on the host (AF_PACKET, AF_XDP ...), whose
        other end is in a bridge or relay; without both: name and name-p"""
        m = " mtu %d" % mtu if mtu else ""
        self.ns("ip link add %s%s%s type veth peer name %s-p%s && ip link set %s up && ip link set %s-p up"
                % (name, " address " + mac if mac else "", m, name, m, name, name))
        # frames made by the kernel would otherwise carry unfinished checksums
        self.ns("command -v ethtool >/dev/null && ethtool -K %s tx off >/dev/null; true" % name)
        if bridge:
            self.ns("ip link set %s-p master %s" % (name, self.bridge(bridge)))
        if relay:
            self.relay(relay).add(name + "-p")
        return name

    def attach(self, dev, bridge):
        """put a device that a program has made (net_tap, say) into a bridge"""
        self.ns("ip link set %s up master %s" % (dev, self.bridge(bridge)))

    def relay(self, name):
        if name not in self.relays:
            self.relays[name] = Relay(self, name)
        return self.relays[name]

    def capture(self, dev, path, filt=""):
        return Capture(self, dev, path, filt)

    def cable(self, node, nic, up):
        """pull or plug the cable of one interface. The node does not see it
        (no carrier change), its frames are lost both ways."""
        n = self.nodes[node] if isinstance(node, str) else node
        d = n.nics[nic]
        if d["kind"] == "vhost":
            d["proxy"].unplug(not up)
        elif d["to"].startswith("relay:"):
            r = self.relay(d["to"][6:])
            (r.unplugged.discard if up else r.unplugged.add)(d["tap"])
        elif d["to"] != "tap":
            # (a TAP device that is set down would upset the node's driver)
            self.ns("bridge link set dev %s state %d" % (d["tap"], 3 if up else 0))
        else:
            raise Error("cable: nothing to unplug %s from" % d["tap"])

    # -- nodes
    def _nic(self, node, i, spec):
        d = dict(spec) if isinstance(spec, dict) else {"to": spec}
        to = d["to"]
        nic = {"mac": d.get("mac") or "02:4b:%02x:%02x:%02x:%02x" % (self.seed, node.index >> 8, node.index & 255, i + 1),
               "mtu": d.get("mtu"), "to": to, "kind": "tap"}
        if to.startswith("vhost:"):
            nic["kind"] = "vhost"
            nic["proxy"] = VhostProxy(os.path.join(node.dir, "nic%d.sock" % i), to[6:], nic["mac"])
            self.proxies.append(nic["proxy"])
            return nic
        nic["tap"] = "%s.%d" % (node.name, i)
        if len(nic["tap"]) > 15:
            raise Error("node name too long: " + node.name)
        m = " mtu %d" % nic["mtu"] if nic["mtu"] else ""
        self.ns("ip tuntap add dev %s mode tap && ip link set %s%s up" % (nic["tap"], nic["tap"], m))
        if to.startswith("relay:"):
            self.relay(to[6:]).add(nic["tap"])
        elif to != "tap":
            self.attach(nic["tap"], to)
        return nic

    def node(self, name, nics=("br0",), mem=None, ipv6=None, boot_args=(), start=True):
        """make and start a node. nics: where each of its interfaces eth0,
        eth1 ... goes: the name of a bridge, 'relay:NAME', 'tap' (a TAP device
        NODE.0 in no bridge) or 'vhost:SOCKET'; or a dict with 'to' and
        'mac', 'mtu'."""
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in self.nodes:
            raise Error("bad or taken node name: %r" % name)
        n = Node(self, len(self.nodes) + 1, name, nics, mem or self.mem,
                 self.ipv6 if ipv6 is None else ipv6, list(boot_args))
        self.nodes[name] = n
        return n.start() if start else n

    def ready(self, timeout=120):
        """wait for all nodes that were started"""
        for n in self.nodes.values():
            if n.proc is not None and not hasattr(n, "boot_s"):
                n.ready(timeout)
        return self

    def close(self):
        ts = [threading.Thread(target=n.kill) for n in self.nodes.values()]
        for t in ts:
            t.start()
        for t in ts:
            t.join()
        for p in self.others:
            if p.poll() is None:
                p.terminate()
                try:
                    p.wait(3)
                except subprocess.TimeoutExpired:
                    p.kill()
                    p.wait()
        for r in self.relays.values():
            r.close()
        for p in self.proxies:
            p.shut()
        if self.lifeline is not None:
            os.close(self.lifeline)
            self.lifeline = None
            self.holder.wait()
        if self.own and not os.environ.get("KTIPC_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *a):
        self.close()


# ------------------------------------------------------------- command line

class Daemon:
    """Keeps a testbed for the command line and answers on a Unix socket."""

    def __init__(self, directory, opts):
        self.tb = Testbed(directory, mem=opts["mem"], ipv6=opts["ipv6"])
        self.caps = {}
        self.ls = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.ls.bind(os.path.join(directory, "ctl"))
        self.ls.listen(16)
        self.quit = threading.Event()

    def serve(self):
        signal.signal(signal.SIGTERM, lambda *a: self.quit.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.ls.settimeout(0.3)
        while not self.quit.is_set():
            try:
                c, _ = self.ls.accept()
            except socket.timeout:
                continue
            c.settimeout(None)
            # threads that start nodes must not end before them: they do not,
            # as nodes hang on a lifeline and not on a thread
            threading.Thread(target=self.one, args=(c,), daemon=True).start()
        with contextlib.suppress(Exception):
            self.tb.close()
        shutil.rmtree(self.tb.dir, ignore_errors=True)

    def one(self, c):
        lock = threading.Lock()

        def reply(t, data):
            with lock, contextlib.suppress(OSError):
                c.sendall(t.encode() + struct.pack("<I", len(data)) + data)
        try:
            f = c.makefile("rb")
            q = json.loads(f.readline())
            out = getattr(self, "do_" + q.pop("op"))(c=c, f=f, reply=reply, **q)
            if out is not None:
                reply("R", json.dumps(out).encode())
        except Exception as e:
            reply("F", (str(e) or repr(e)).encode())
        finally:
            c.close()

    def do_node(self, specs, reply, **_):
        new = []
        for s in specs:
            name, _, nics = s.partition("=")
            new.append(self.tb.node(name, [n for n in nics.split(",") if n] or ["br0"]))
        for n in new:
            n.ready()
        return {n.name: "ready in %.1f s" % n.boot_s for n in new}

    def do_exec(self, node, argv, cwd, stdin, timeout, c, f, reply, **_):
        n = self.tb.nodes[node]
        p = n.popen(argv, cwd=cwd, sink=lambda t, d: reply(t, d))

        def feed():
            while True:
                h = f.read(4)
                if len(h) < 4:
                    break
                k, = struct.unpack("<I", h)
                if k == 0:
                    p.close_stdin()
                else:
                    p.write(f.read(k))
            if p.rc is None:
                with contextlib.suppress(Error):
                    p.kill(signal.SIGKILL)      # the caller has gone
        threading.Thread(target=feed, daemon=True).start()
        if not stdin:
            p.close_stdin()
        rc = p.wait(timeout or 10 ** 8)
        reply("S", struct.pack("<i", rc))

    def do_info(self, **_):
        return {"netns": self.tb.netns, "dir": self.tb.dir, "nodes": {
            n.name: {"up": n.alive(), "console": os.path.join(n.dir, "console.log"),
                     "nics": [{k: v for k, v in d.items() if k in ("mac", "to", "tap", "kind")} for d in n.nics]}
            for n in self.tb.nodes.values()}}

    def do_life(self, what, nodes, **_):
        for k in nodes:
            n = self.tb.nodes[k]
            if what == "start":
                if not n.alive():
                    n.kill()
                    n.start()
            else:
                getattr(n, what)()
        if what == "start":
            for k in nodes:
                self.tb.nodes[k].ready()
        return {}

    def do_veth(self, name, to, mac, **_):
        relay = to[6:] if to and to.startswith("relay:") else None
        self.tb.veth(name, None if relay else to, relay, mac)
        return {}

    def do_attach(self, dev, bridge, **_):
        self.tb.attach(dev, bridge)
        return {}

    def do_cable(self, node, nic, up, **_):
        self.tb.cable(node, nic, up)
        return {}

    def do_relay(self, name, rule, **_):
        r = self.tb.relay(name)
        if rule:
            kw = dict(w.split("=", 1) for w in rule)
            r.drop(**{k: v if k == "dev" else float(v) if k == "prob" else int(v, 0) for k, v in kw.items()})
        else:
            r.rule = None
        return {"seen": dict((str(k), v) for k, v in r.log.items()), "ports": list(r.ports.values())}

    def do_capture(self, dev, path, filt, **_):
        self.caps[dev] = self.tb.capture(dev, path, filt)
        return {}

    def do_capstop(self, dev, **_):
        return {d: self.caps.pop(d).stop() for d in ([dev] if dev else list(self.caps))}

    def do_down(self, reply, **_):
        self.quit.set()
        return {}


def call(directory, op, **kw):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        s.connect(os.path.join(directory, "ctl"))
    except OSError:
        raise Error("no testbed in %s (ktipc.py up)" % directory) from None
    s.sendall(json.dumps(dict(kw, op=op)).encode() + b"\n")
    return s


def frames(s):
    f = s.makefile("rb")
    while True:
        h = f.read(5)
        if len(h) < 5:
            return
        yield chr(h[0]), f.read(struct.unpack("<I", h[1:])[0])


def result(s):
    for t, d in frames(s):
        if t == "F":
            raise Error(d.decode())
        if t == "R":
            return json.loads(d)
    raise Error("the testbed has gone")


def cmd_exec(a):
    s = call(a.dir, "exec", node=a.node, argv=a.argv, cwd=a.cwd, stdin=a.i, timeout=a.timeout)
    if a.i:
        def feed():
            while True:
                d = os.read(0, 4096)
                s.sendall(struct.pack("<I", len(d)) + d)
                if not d:
                    return
        threading.Thread(target=feed, daemon=True).start()
    for t, d in frames(s):
        if t == "O":
            sys.stdout.buffer.write(d)
            sys.stdout.buffer.flush()
        elif t == "E":
            sys.stderr.buffer.write(d)
            sys.stderr.buffer.flush()
        elif t == "S":
            rc, = struct.unpack("<i", d)
            return rc if rc >= 0 else 128 - rc
        elif t == "F":
            raise Error(d.decode())
    raise Error("the node has gone")


def cmd_up(a):
    try:
        call(a.dir, "info").close()
    except Error:
        with contextlib.suppress(OSError):      # left by a daemon that was killed
            os.unlink(os.path.join(a.dir, "ctl"))
        uml_kernel()
        os.makedirs(a.dir, exist_ok=True)
        r, w = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.close(r)
            log = os.open(os.path.join(a.dir, "daemon.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            null = os.open("/dev/null", os.O_RDONLY)
            os.dup2(null, 0)
            os.dup2(log, 1)
            os.dup2(log, 2)
            try:
                d = Daemon(a.dir, {"mem": a.mem, "ipv6": a.ipv6})
                os.write(w, b"k")
                os.close(w)
                d.serve()
            except BaseException as e:
                with contextlib.suppress(OSError):
                    os.write(w, ("!" + str(e)).encode())
            os._exit(0)
        os.close(w)
        said = os.read(r, 4096)
        os.close(r)
        if said != b"k":
            raise Error("testbed not started: %s" % said.decode())
    for k, v in result(call(a.dir, "node", specs=a.specs)).items():
        print(k, v)


def main():
    ap = argparse.ArgumentParser(description="nodes running the Linux kernel's TIPC", epilog="see README.md")
    ap.add_argument("-d", "--dir", default=os.environ.get("KTIPC_DIR", "/tmp/ktipc-default"),
                    help="directory of the testbed (its name); default $KTIPC_DIR or /tmp/ktipc-default")
    sub = ap.add_subparsers(dest="cmd", required=True)

    def cmd(name, help_, *args):
        p = sub.add_parser(name, help=help_)
        for x in args:
            p.add_argument(*x[:-1], **x[-1])
        return p
    cmd("prepare", "compile the helpers now")
    cmd("up", "start nodes (and the testbed)", ("--mem", dict(default="64M")), ("--ipv6", dict(action="store_true")),
        ("specs", dict(nargs="+", metavar="NODE[=NIC,NIC...]",
                       help="NIC: bridge name, relay:NAME, tap, vhost:SOCKET (default br0)")))
    cmd("exec", "run a program in a node", ("-i", dict(action="store_true", help="pass standard input on")),
        ("--cwd", dict(default="/")), ("--timeout", dict(type=float)), ("node", {}),
        ("argv", dict(nargs=argparse.REMAINDER)))
    cmd("tipc", "run the tipc tool in a node", ("node", {}), ("argv", dict(nargs=argparse.REMAINDER)))
    cmd("ns", "run a program of the host in the testbed's network namespace", ("argv", dict(nargs=argparse.REMAINDER)))
    cmd("status", "what there is")
    for w, h in (("start", "start again"), ("stop", "power off in order"), ("kill", "power off at once")):
        cmd(w, h, ("nodes", dict(nargs="+")))
    cmd("veth", "make a device NAME for a host program, other end in a bridge or relay",
        ("name", {}), ("to", dict(nargs="?")), ("--mac", {}))
    cmd("attach", "put a device into a bridge", ("dev", {}), ("bridge", {}))
    cmd("cable", "pull or plug a cable", ("node", {}), ("nic", dict(type=int)), ("state", dict(choices=["in", "out"])))
    cmd("relay", "set or clear the loss rule of a relay, e.g. relay r user=7 prob=0.2 count=5 dev=a.0",
        ("name", {}), ("rule", dict(nargs="*")))
    cmd("capture", "start a capture", ("dev", {}), ("path", {}), ("filt", dict(nargs="?", default="")))
    cmd("capstop", "end captures", ("dev", dict(nargs="?")))
    cmd("peer", "print the path of a compiled program of peers/", ("name", dict(nargs="?", default="tipcpeer")))
    cmd("down", "end everything")
    a = ap.parse_args()
    a.dir = os.path.abspath(a.dir)
    if a.cmd == "prepare":
        print("\n".join(prepare()))
    elif a.cmd == "peer":
        print(peer(a.name))
    elif a.cmd == "up":
        cmd_up(a)
    elif a.cmd in ("exec", "tipc"):
        if a.cmd == "tipc":
            a.argv, a.i, a.cwd, a.timeout = ["tipc"] + a.argv, False, "/", 30
        elif a.argv[:1] == ["--"]:
            a.argv = a.argv[1:]
        return cmd_exec(a)
    elif a.cmd == "ns":
        ns = result(call(a.dir, "info"))["netns"]
        argv = a.argv[1:] if a.argv[:1] == ["--"] else a.argv
        os.execvp("nsenter", ["nsenter", "--net=" + ns, "--", *argv])
    elif a.cmd == "status":
        print(json.dumps(result(call(a.dir, "info")), indent=1))
    elif a.cmd in ("start", "stop", "kill"):
        result(call(a.dir, "life", what=a.cmd, nodes=a.nodes))
    elif a.cmd == "veth":
        result(call(a.dir, "veth", name=a.name, to=a.to, mac=a.mac))
    elif a.cmd == "attach":
        result(call(a.dir, "attach", dev=a.dev, bridge=a.bridge))
    elif a.cmd == "cable":
        result(call(a.dir, "cable", node=a.node, nic=a.nic, up=a.state == "in"))
    elif a.cmd == "relay":
        print(json.dumps(result(call(a.dir, "relay", name=a.name, rule=a.rule))))
    elif a.cmd == "capture":
        result(call(a.dir, "capture", dev=a.dev, path=os.path.abspath(a.path), filt=a.filt))
    elif a.cmd == "capstop":
        print(json.dumps(result(call(a.dir, "capstop", dev=a.dev))))
    elif a.cmd == "down":
        with contextlib.suppress(Error):
            result(call(a.dir, "down"))
        for _ in range(200):
            if not os.path.exists(a.dir):
                break
            time.sleep(0.05)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Error as e:
        print("ktipc: %s" % e, file=sys.stderr)
        sys.exit(125)
