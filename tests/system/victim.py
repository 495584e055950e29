#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""victim: does at random what a process can do with connections, until it is killed.

    victim.py NAME SEED SERVICE    binds SERVICE .. SERVICE + 9; of SERVICE + 10 the keepers listen:
                                   instance 1 and 2 accept, 3 never does
"""
import errno
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dpttest import session
from region import *

TOPOLOGY, ALL_PORTS = 1, 1


class Victim:
    def __init__(self, name, seed, service):
        self.r, self.rng, self.service = Region(name), random.Random(seed), service
        self.listeners, self.conns, self.plain, self.dialling = [], [], [], []

    def pick(self, of):
        return self.rng.choice(of) if of else None

    def listen(self):
        if len(self.listeners) < 3:
            s = self.r.socket(self.rng.choice([SEQPACKET, STREAM]))
            s.bind(self.service, len(self.listeners), len(self.listeners))
            s.listen()
            self.listeners.append(s)

    def bind(self):
        s = self.pick(self.plain) if len(self.plain) > 3 else self.r.socket(RDM)
        if s not in self.plain:
            self.plain.append(s)
        n = self.rng.randrange(100)
        s.bind(self.service + self.rng.randrange(1, 10), n, n + self.rng.randrange(3),
               self.rng.choice([2, 3]))

    def connect(self):
        if len(self.dialling) + len(self.conns) > 20:
            return
        s = self.r.socket(self.rng.choice([SEQPACKET, STREAM]))
        to = to_service(self.service + 10, self.rng.choice([1, 2, 3]))
        if self.rng.random() < 0.3:
            s.send(b"with the request", to)
        else:
            s.connect(to)
        self.dialling.append(s)

    def subscribe(self):
        s = self.r.socket(SEQPACKET)
        sub = struct.pack("=5I8s", self.service, 0, 0xffffffff, 0xffffffff, ALL_PORTS, b"12345678")
        s.send(sub, to_service(TOPOLOGY, TOPOLOGY))
        self.dialling.append(s)

    def accept(self):
        s = self.pick(self.listeners)
        if s is None or s.peek() is None:
            return
        s.take()
        status, answer, fds = self.r.ask(ACCEPT, s.idx, ends=1, want=None)
        if status == 0:
            self.conns.append(Sock(self.r, answer[0], answer[1], fds[0]))

    def settle(self):
        for s in self.dialling[:]:
            if s.state == ESTABLISHED:
                self.conns.append(s)
            if s.state != CONNECTING:
                self.dialling.remove(s)

    def talk(self):
        self.settle()
        s = self.pick(self.conns)
        if s is None:
            return
        if s.state == ESTABLISHED and may_send(s):
            s.send(bytes(self.rng.choice([1, 100, 5000, 66000])), result=self.rng.random() < 0.5)
        while self.rng.random() < 0.7 and s.peek():
            s.take()

    def shout(self):
        s = self.pick(self.plain)
        if s is not None:
            s.send(b"x" * 50, to_service(self.service + self.rng.randrange(1, 10),
                                         self.rng.randrange(100)))

    def end_one(self):
        s = self.pick(self.conns)
        if s is None:
            return
        self.conns.remove(s)
        if self.rng.random() < 0.3:
            self.r.ask(SHUTDOWN, s.idx, want=None)
        s.close()

    def run(self):
        tasks = [self.listen, self.bind, self.connect, self.subscribe, self.accept, self.accept,
                 self.talk, self.talk, self.talk, self.shout, self.end_one]
        self.listen()
        print("begun", flush=True)
        while True:
            try:
                self.rng.choice(tasks)()
            except OSError as e:
                if e.errno not in (errno.EINVAL, errno.ENFILE):
                    raise


with session():
    Victim(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()
