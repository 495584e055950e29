# SPDX-License-Identifier: BSD-3-Clause
"""A dptipcd of its own name for a test."""
import os

from dpttest import built, spawn

_count = 0


def new_name():
    global _count
    _count += 1
    return "sys%d-%d" % (os.getpid(), _count)


def launch(*options, name=None, eal=(), before=()):
    """before: words of another program that starts it (ip netns exec ...)"""
    name = name or new_name()
    p = spawn([*before, built("app/dataplane/dptipcd"), *eal, *(["--"] if eal else []), "--name", name,
               *options])
    p.name, p.before = name, list(before)
    return p


def start(*options, **kw):
    p = launch(*options, **kw)
    p.expect(r"^dptipcd: ready$", 30)
    return p


def refused(*options, **kw):
    """What a dptipcd that does not start says."""
    p = launch(*options, **kw)
    p.wait(30, 1)
    return p.out
