# SPDX-License-Identifier: BSD-3-Clause
"""The steps of ./scripts/demo, which installs and builds before."""
import os
import re
import signal
import sys
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
os.chdir(TOP)
sys.path[:0] = [os.path.join(TOP, "tests/interop"), os.path.join(TOP, "tests/interop/ktipc"),
                os.path.join(TOP, "tests/support")]
import dpttest
from dpttest import Failure, Skip, built, need, session, spawn
import joined
import ktipc

TYPE = 18888
COUNT = 2000            # round trips that are measured, after the first message
RTT = re.compile(r"^rtt.*?([\d.]+)/([\d.]+)/([\d.]+)", re.M)
table = []


def title(text):
    print("\n--- %s" % text, flush=True)


def shown(argv):
    """a command as one would type it at the top of the tree"""
    words = [os.path.relpath(a, TOP) if a.startswith(TOP + "/") else a for a in argv]
    return " ".join("'%s'" % w if " " in w else w for w in words)


def start(argv, until, what, wrap=None):
    """a program that goes on; its line that says it is up is shown"""
    print("  $ %s &" % shown(argv), flush=True)
    p = spawn(wrap(argv) if wrap else argv)
    line = p.expect("^.*(%s).*$" % until, 20)[0]
    print("      %s: %s" % (what, line.replace("dptipcd: ", "")), flush=True)
    return p


def client(argv, measure, label, wrap=None, runner=None):
    """A hello client: its answer is shown; then its round trips are measured, for the
    table. A name takes a moment to arrive on another node, so it is tried for 10 s."""
    print("  $ %s" % shown(argv), flush=True)
    end = time.monotonic() + 10
    while True:
        rc, out = runner(argv) if runner else run_here(wrap(argv) if wrap else argv)
        if rc == 0 or time.monotonic() > end:
            break
        time.sleep(0.1)
    for l in out.splitlines():
        print("      client: " + l, flush=True)
    need(rc == 0, "the client ended with status %d" % rc)
    rc, out = runner(measure) if runner else run_here(wrap(measure) if wrap else measure)
    m = RTT.search(out)
    need(rc == 0 and m, "the client measured no round-trip times:\n" + out)
    table.append((label, m[1], m[2], m[3]))


def run_here(argv):
    p = spawn(argv)
    return p.wait(30), p.out


def hello_server(instance, *options):
    return [built("examples/hello/hello_server"), *options, str(TYPE), str(instance)]


def hello_client(instance, text, *options):
    """(the command that shows the answer, the command that measures)"""
    plain = [built("examples/hello/hello_client"), *options, "--wait", "10"]
    what = [str(TYPE), str(instance), text]
    return plain + what, plain + ["--count", str(COUNT), "--rtt"] + what


def heard(server, text):
    """the server has printed the text"""
    line = server.expect("^.*%s.*$" % re.escape(text), 5)[0]
    print("      server: " + line, flush=True)


def one_node():
    title("(a) one node, no configuration: no huge pages, no NIC")
    start([built("app/dataplane/dptipcd")], "dptipcd: ready", "dptipcd")
    s = start(hello_server(17), "bound", "server")
    client(*hello_client(17, "hello, same node"), "two programs of one node")
    heard(s, "hello, same node")


def two_nodes():
    title("(b) two dptipcd joined by a wire (frames over Unix datagram sockets)")
    for name, addr in (("one", "1.1.1"), ("two", "1.1.2")):
        start([built("app/dataplane/dptipcd"), "--", "--name", name, "--node-addr", addr,
               "--bearer", "unix:demo%d" % os.getpid()], "dptipcd: ready", "dptipcd " + name)
    s = start(hello_server(17, "--name", "two"), "bound", "server on node two")
    client(*hello_client(17, "hello, other node", "--name", "one"), "two dptipcd, unix wire")
    heard(s, "hello, other node")
    unmodified(s)


def unmodified(server):
    """the tool of iproute2 and a Python program, both written for the kernel's TIPC"""
    for words in ("link list", "nametable show"):
        argv = [built("app/run/dptipc-run"), "--name", "one", "tipc", *words.split()]
        print("  $ %s" % shown(argv), flush=True)
        rc, out = run_here(argv)
        need(rc == 0, "the tool ended with status %d:\n%s" % (rc, out))
        print("      " + "\n      ".join(out.splitlines()), flush=True)
    ask = [built("app/run/dptipc-run"), "--name", "one", sys.executable, os.path.join(ktipc.PEERS, "hello.py"),
           "client", str(TYPE), "17", "hello from Python"]
    client(ask, ask + [str(COUNT)], "unmodified Python program, unix wire")
    heard(server, "hello from Python")


def kernel_node():
    title("(c) dptipcd and a Linux kernel node (User-Mode Linux) on an Ethernet wire")
    print("      %s booting" % os.path.basename(ktipc.uml_kernel()[0]), flush=True)
    p = joined.Pair("veth")
    print("  $ build/app/dataplane/dptipcd --vdev %s -- --node-addr %s --bearer %s &" % (
        p.vdev, joined.OUR_ADDR, p.bearer), flush=True)
    p.start_ours()
    print("  kernel$ tipc node set address %s; tipc bearer enable media eth device eth0" % joined.KERNEL_ADDR)
    p.start_kernel()
    p.wait_link()
    print("  kernel$ tipc link list")
    print("      " + "\n      ".join(p.k.tipc("link list").splitlines()), flush=True)

    s = start(hello_server(17), "bound", "our server", wrap=p.tb.ns_argv)
    p.wait_names(TYPE, [(17, 17, joined.OUR_HEX)])
    print("  kernel$ tipc nametable show")
    for l in p.k.tipc("nametable show").splitlines():
        if l.split()[:1] in (["Type"], [str(TYPE)]):
            print("      " + l, flush=True)
    hello = ["/usr/bin/python3", os.path.join(ktipc.PEERS, "hello.py")]

    def in_kernel(argv):
        r = p.k.run(argv)
        return r.rc, r.out + r.err
    ask = [*hello, "client", str(TYPE), "17", "hello from the kernel"]
    client(ask, ask + [str(COUNT)],
           "kernel program to ours, veth wire", runner=in_kernel)
    heard(s, "hello from the kernel")

    print("  kernel$ python3 hello.py server %d 18 &" % TYPE)
    k = p.k.popen([*hello, "server", str(TYPE), "18"])
    k.expect("bound")
    client(*hello_client(18, "hello to the kernel"), "our program to the kernel's, veth wire",
           wrap=p.tb.ns_argv)
    print("      server: " + k.expect(r'received "hello to the kernel"')[0], flush=True)


def stopped(number, frame):
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, stopped)
    steps = [one_node, two_nodes] + ([] if "--no-kernel" in sys.argv[1:] else [kernel_node])
    for step in steps:
        try:
            with session():
                step()
        except (Failure, Skip, ktipc.Error) as e:
            print("\nThe demo FAILED in this step: %s" % e, flush=True)
            return 1
    print("\n--- round-trip times of %d messages, in microseconds" % COUNT)
    print("    %-42s %8s %8s %8s" % ("", "min", "median", "99%"))
    for row in table:
        print("    %-42s %8s %8s %8s" % row)
    print("    (With a kernel in User-Mode Linux on the path these are its times, not dptipc's.)"
          if len(steps) > 2 else "")
    return 0


if __name__ == "__main__":
    try:
        status = main()
    except KeyboardInterrupt:
        print("interrupted")
        status = 130
    sys.stdout.flush()
    os._exit(status)
