# SPDX-License-Identifier: BSD-3-Clause
"""A node for the unmodified `tipc` and `ss`: dptipcd in a network namespace of its own, whose
interfaces have the names that the recorded commands use.

    a, b = Node(), Node()
    wire(a, "eth0", b, "eth0")
    a.start()
    a.tipc("bearer enable media eth device eth0")
"""
import os
import subprocess

from dpttest import Failure, built, cleanup, equal, need_root, need_tools, run, spawn, wait_until
from daemon import new_name

HERE = os.path.dirname(os.path.realpath(__file__))
# Small: up to eight of them run at once.
OPTIONS = ["--mbufs", "2048", "--sockets", "256", "--region-sockets", "64", "--process-kib", "2048"]


class Node:
    def __init__(self):
        need_root("network namespaces")
        need_tools("ip", "tipc", "ss", "nsenter")
        self.name = new_name()
        self.daemon = None
        run(["ip", "netns", "add", self.name])
        cleanup(lambda: run(["ip", "netns", "del", self.name], want=None))
        self.enter = ["nsenter", "--net=/run/netns/" + self.name, "--"]

    def ip(self, words):
        return run([*self.enter, "ip", *words.split()])

    def start(self, *options):
        self.daemon = spawn([*self.enter, built("app/dataplane/dptipcd"), "--name", self.name, *OPTIONS,
                             *options])
        self.daemon.expect(r"^dptipcd: ready$", 30)
        return self

    def program(self, *argv, **kw):
        """a program on this node's sockets, started"""
        return spawn([*self.enter, built("app/run/dptipc-run"), "--name", self.name, *argv], **kw)

    def command(self, argv):
        """exit status, standard output, standard error of a program on this node"""
        words = [*self.enter, built("app/run/dptipc-run"), "--name", self.name, *argv]
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, timeout=30,
                                  env=dict(os.environ, LC_ALL="C"))
        except subprocess.TimeoutExpired:
            raise Failure("no end of: " + " ".join(argv)) from None
        # As a shell says it when a signal ended the program.
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return status, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def tipc(self, words, want=0):
        """standard output of `tipc WORDS`"""
        status, out, err = self.command(["tipc", *words.split()])
        equal(status, want, "exit status of tipc %s (%s)" % (words, err.strip()))
        return out

    def enable(self, device, more=""):
        self.tipc("bearer enable %s media eth device %s" % (more, device))

    def wait_shown(self, words, text, timeout_s=20):
        """until the output of `tipc WORDS` has the text"""
        wait_until(lambda: text in self.tipc(words), timeout_s,
                   lambda: "%r in: tipc %s\n%s" % (text, words, self.tipc(words)), 0.1)

    def wait_address(self, text):
        self.wait_shown("node get address", text)

    def wait_link(self, name):
        self.wait_shown("link list", name + ": up")

    def kill(self):
        """without a word to the peers"""
        self.daemon.kill()


def wire(a, a_device, b, b_device, a_mac=None, b_mac=None):
    """a pair of interfaces that are up, one in each node"""
    a.ip("link add %s type veth peer name %s netns %s" % (a_device, b_device, b.name))
    for node, device, mac in ((a, a_device, a_mac), (b, b_device, b_mac)):
        if mac:
            node.ip("link set %s address %s" % (device, mac))
        node.ip("link set %s up" % device)
