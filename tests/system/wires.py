# SPDX-License-Identifier: BSD-3-Clause
"""What tests of bearers and links need: dumps, traffic, interfaces of the kernel."""
import os
import re
import sys

from dpttest import built, cleanup, need, need_tools, run, spawn, wait_until
from daemon import new_name, start

HERE = os.path.dirname(os.path.realpath(__file__))


def ask(d, *words, want=0):
    return run([*d.before, built("tests/support/dpt_info"), "--name", d.name, *words], want=want)


def links(d):
    """The lines of the dump of links, by name."""
    found = {}
    for line in ask(d, "links").splitlines()[1:]:
        w = line.split()
        found[w[0]] = {
            "name": w[0], "state": w[1], "priority": int(w[3]), "tolerance": int(w[4]),
            "window": int(w[5]), "mtu": int(w[6]), "sent": int(w[7]), "use": w[-1], "line": line}
    return found


def ups(d):
    return [l for l in links(d).values() if l["state"] == "up"]


def wait_links(count, *nodes):
    for d in nodes:
        wait_until(lambda: len(ups(d)) == count, 20, lambda: "%d links:\n%s" % (count, ask(d, "links")),
                   0.05)


def counter(d, name):
    m = re.search(r"^%s +(\d+)$" % re.escape(name), ask(d, "counters"), re.M)
    need(m, "no counter", name)
    return int(m[1])


def tool(d, *args):
    built("lib/client/libdptipc.so")
    return spawn([*d.before, sys.executable, os.path.join(HERE, "tool.py"), d.name, *args])


def traffic(a, b, count, type_=19300, pause_us=300):
    """Numbered messages from a to b, checked in order there. Returns a function that waits."""
    sink = tool(b, "sink", str(type_), str(count), "epoll")
    sink.expect("bound")
    source = tool(a, "source", str(type_), str(count), "200", str(pause_us))

    def end():
        source.expect("sent %d" % count, 90)
        sink.expect("got %d" % count, 30)
    end.source = source
    return end


class Namespace:
    """A network namespace that goes with the test."""

    def __init__(self):
        need_tools("ip")
        self.name = new_name()
        run(["ip", "netns", "add", self.name])
        cleanup(lambda: run(["ip", "netns", "del", self.name], want=None))
        self.enter = ["ip", "netns", "exec", self.name]
        self.ip("link", "set", "lo", "up")

    def ip(self, *words, want=0):
        return run([*self.enter, "ip", *words], want=want)

    def add_veth(self, one, other, other_side=None):
        """other_side: the namespace of the other end, if it is not this one"""
        other_side = other_side or self
        self.ip("link", "add", one, "type", "veth", "peer", "name", other, "netns", other_side.name)
        self.ip("link", "set", one, "up")
        other_side.ip("link", "set", other, "up")

    def start(self, ifaces, *options, queues=1):
        """dptipcd with an af_packet bearer on each of these interfaces."""
        eal, bearers = [], []
        for n, i in enumerate(ifaces):
            eal += ["--vdev", "net_af_packet%d,iface=%s,qpairs=%d" % (n, i, queues)]
            bearers += ["--bearer", "eth:net_af_packet%d" % n]
        return start(*bearers, *options, eal=eal, before=self.enter)
