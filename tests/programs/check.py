# SPDX-License-Identifier: BSD-3-Clause
"""What the programs py_*.py share. Each is a set of checks of CPython's own socket module on
AF_TIPC; nothing here knows of dptipc, and a kernel's TIPC passes them as well.

    py_kinds.py CHECK        runs one check, prints "ok CHECK"
    py_kinds.py --list       their names
    py_kinds.py --all        each in a process of its own; "FAILED CHECK" for what fails
"""
import errno
import os
import random
import select
import signal
import socket
import sys
import traceback

from socket import (AF_TIPC, SOCK_DGRAM, SOCK_RDM, SOCK_SEQPACKET, SOCK_STREAM, SOL_TIPC,
                    TIPC_ADDR_ID, TIPC_ADDR_NAME, TIPC_ADDR_NAMESEQ)

# The socket module has no name for it.
TIPC_ERRINFO, TIPC_RETDATA, TIPC_DESTNAME = 1, 2, 3
MESSAGE_MAX = 66000
LIMIT_S = 50
KINDS = {"rdm": SOCK_RDM, "dgram": SOCK_DGRAM, "seqpacket": SOCK_SEQPACKET, "stream": SOCK_STREAM}
LESS = (SOCK_RDM, SOCK_DGRAM)
CONN = (SOCK_SEQPACKET, SOCK_STREAM)
# Ours; what else runs on the node meanwhile has others.
SERVICE = 100000 + os.getpid() % 100000 * 10

_checks = {}


def check(function):
    _checks[function.__name__] = function
    return function


def equal(got, wanted, what=""):
    if got != wanted:
        raise AssertionError("%s: got %r, wanted %r" % (what or "value", got, wanted))


def need(condition, *what):
    if not condition:
        raise AssertionError(" ".join(map(str, what)) or "condition does not hold")


def refused(errno_wanted, call, *args):
    """call(*args) fails with that errno"""
    try:
        got = call(*args)
    except OSError as e:
        equal(e.errno, errno_wanted, "errno of %s" % getattr(call, "__name__", call))
        return
    raise AssertionError("%s gave %r, wanted errno %d" % (call, got, errno_wanted))


def service(instance, type_=None, scope=socket.TIPC_CLUSTER_SCOPE):
    return (TIPC_ADDR_NAME, type_ or SERVICE, instance, 0, scope)


def service_range(lower, upper=None, type_=None, scope=socket.TIPC_CLUSTER_SCOPE):
    return (TIPC_ADDR_NAMESEQ, type_ or SERVICE, lower, lower if upper is None else upper, scope)


def bound(kind, lower, upper=None):
    s = socket.socket(AF_TIPC, kind)
    s.bind(service_range(lower, upper))
    return s


def listener(kind, instance=1):
    s = bound(kind, instance)
    s.listen(5)
    return s


def connection(kind, instance=1):
    """(listener, client's end, server's end)"""
    l = listener(kind, instance)
    c = socket.socket(AF_TIPC, kind)
    c.setblocking(False)
    refused(errno.EINPROGRESS, c.connect, service(instance))
    s, _ = l.accept()
    equal(select.select([], [c], [], 20)[1], [c], "connected")
    c.setblocking(True)
    return l, c, s


def octets(size, seed=1):
    return random.Random(seed).randbytes(size)


def recv_exactly(s, size):
    data = bytearray()
    while len(data) < size:
        part = s.recv(min(size - len(data), MESSAGE_MAX))
        need(part, "end of file after %d of %d octets" % (len(data), size))
        data += part
    return bytes(data)


def reap(pid, wanted=0):
    equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), wanted, "exit status of the child")


def forked(function, *args):
    """function(*args) in a child, whose exit status says whether it raised"""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        function(*args)
        status = 0
    except BaseException:                           # the parent must not go on twice
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)


def open_fds():
    return sorted(int(n) for n in os.listdir("/proc/self/fd"))


def _run(name):
    # Ends what hangs, with the default action: no check may hang silently.
    signal.alarm(LIMIT_S)
    _checks[name]()
    print("ok " + name, flush=True)


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(_checks))
        return
    (name,) = sys.argv[1:]
    if name != "--all":
        _run(name)
        return
    for name in _checks:
        status = os.waitstatus_to_exitcode(os.waitpid(forked(_run, name), 0)[1])
        if status:
            print("FAILED %s: %d" % (name, status), flush=True)
