#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""libdptipc-preload and dptipc-run: each family of calls, descriptors in all their ways, netlink, no
dptipcd, a dptipcd that comes back. Needs no root; what does says so.
"""
import errno
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), HERE]
from dpttest import AS_NOBODY, TOP, Skip, built, equal, main, need, need_root, need_tools, run, spawn, test
from daemon import new_name, start
from preloaded import node, run_under, spawn_under, under

PRELOAD = os.path.join(TOP, "tests/preload")


def cases(program):
    out = run_under(node(), [built("tests/preload/preload_" + program)], 200, want=None)
    need(re.search(r"^\d+ cases, 0 failed$", out, re.M), out)
    return re.search(r"^(\d+ cases)", out, re.M)[1]


@test
def calls_of_each_family():
    return cases("calls")


@test
def descriptors_copied_inherited_handed_over():
    return cases("processes")


@test
def waits_signals_and_edges():
    return cases("waits")


# ---------------------------------------------------------------- the library itself

@test
def exports_what_the_list_says():
    need_tools("nm")
    library = built("lib/preload/libdptipc-preload.so")
    with open(os.path.join(TOP, "lib/preload/preload_calls.h"), encoding="utf-8") as f:
        text = f.read()
    wanted = set(re.findall(r"CALL\([\w ]+\*?, (\w+),", text)) - {"name"} | set(re.findall(r'__asm__\("(\w+)"\)', text))
    out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True)
    have = {l.split()[-1] for l in out.stdout.splitlines()}
    equal(sorted(have - wanted), ["dptipc_preload_sync"], "exported, but not in the list")
    equal(sorted(wanted - have), [], "in the list, but not exported")
    # The copy of libdptipc inside calls none of them: that would be the program's way, not the C
    # library's.
    out = subprocess.run(["nm", "-u", built("lib/preload/libdptipc_preload_client.a")],
                         capture_output=True, text=True, check=True)
    used = {l.split()[-1] for l in out.stdout.splitlines() if l.strip() and not l.endswith(":")}
    need("nanosleep" in used, "nm shows nothing")
    equal(sorted(used & wanted), [], "called from inside by its public name")
    return "%d names" % len(wanted)


@test
def foreign_descriptors_cost_little():
    d = node()
    code = ("import os,time\nf=os.open('/dev/null',os.O_WRONLY)\nn=200000\nt=time.perf_counter()\n"
            "for _ in range(n): os.write(f,b'')\nprint((time.perf_counter()-t)/n*1e9)")
    plain = float(run([sys.executable, "-c", code]))
    ours = float(run_under(d, [sys.executable, "-c", code]))
    return "write to /dev/null from Python: %.0f ns, under dptipc-run %.0f ns" % (plain, ours)


@test
def linked_with_libdptipc_too():
    """The program's own copy of the library and the preloaded one do not get into each other's way."""
    d = node()
    server = spawn_under(d, [built("examples/hello/hello_server"), "18888", "17"])
    server.expect("bound")
    client = spawn_under(d, [built("examples/hello/hello_client"), "--wait", "10", "18888", "17", "hi there"])
    client.expect("hi there", 15)
    client.wait(10, 0)


# ---------------------------------------------------------------- dptipc-run

def refused(status, pattern, *words, before=(), env=None):
    p = spawn([*before, built("app/run/dptipc-run"), *words], env=env)
    p.wait(10, status)
    need(re.search(pattern, p.out), "%r in: %s" % (pattern, p.out))
    equal(p.out.count("\n"), 1, "lines")


@test
def run_says_what_is_wrong():
    refused(127, "no-such-command: no such command", "no-such-command")
    refused(127, "/no/such: no such command", "/no/such")
    refused(126, "ermission denied", "/etc/passwd")
    refused(126, "not a program", "/tmp")
    refused(125, "no command", "--name", "x")
    refused(125, 'no such option "--nome"', "--nome", "x", "true")
    refused(125, "no name behind", "--name")
    need("dptipc-run [options] COMMAND" in run([built("app/run/dptipc-run"), "--help"]), "help")
    equal(run([built("app/run/dptipc-run"), "--", "printf", "%s", "--name"]), "--name", "the command's options")
    equal(run([built("app/run/dptipc-run"), "sh", "-c", "exit 7"], want=7), "", "exit status")


@test
def run_refuses_a_static_program():
    need_tools("ldconfig")
    refused(126, "statically linked", "/sbin/ldconfig")


@test
def run_refuses_a_program_that_gains_rights():
    need_root("another user")
    need_tools("setpriv", "su")
    refused(126, "gains rights", "su", before=AS_NOBODY)


@test
def run_keeps_the_environment():
    lib = built("lib/preload/libdptipc-preload.so")
    out = run([built("app/run/dptipc-run"), "--name=some", "sh", "-c", "echo $LD_PRELOAD $DPTIPC_NAME"],
              env={"LD_PRELOAD": "libm.so.6", "DPTIPC_NAME": "other"})
    equal(out.split(), [os.path.realpath(lib) + ":libm.so.6", "some"], "environment")
    # Once is enough.
    out = run([*under("a", under("b", ["sh", "-c", "echo $LD_PRELOAD $DPTIPC_NAME"]))])
    equal(out.split(), [os.path.realpath(lib), "b"], "environment")


# ---------------------------------------------------------------- without dptipcd, and with it again

SOCKET = ("import errno,socket\ntry: socket.socket(socket.AF_TIPC, socket.SOCK_RDM); print('socket')\n"
          "except OSError as e: print(errno.errorcode[e.errno])")


@test
def without_dptipcd():
    name = new_name()
    equal(run(under(name, [sys.executable, "-c", SOCKET])), "EAFNOSUPPORT\n", "output")
    out = run([built("app/run/dptipc-run"), "--verbose", "--name", name, sys.executable, "-c", SOCKET])
    need(re.fullmatch(r'dptipc: no dptipcd runs under the name "%s" .*\nEAFNOSUPPORT\n' % name, out), out)
    # Programs without AF_TIPC do not notice.
    equal(run(under(name, ["sh", "-c", "echo one | cat; exec cat </dev/null"])), "one\n", "shell")
    out = run(under(name, [sys.executable, os.path.join(PRELOAD, "netlink.py"), "kernel"]))
    need(out.endswith("ok\n"), out)


@test
def tool_without_dptipcd_talks_to_the_kernel():
    need_tools("tipc")
    plain = spawn(["tipc", "bearer", "list"])
    plain.wait(10)
    p = spawn(under(new_name(), ["tipc", "bearer", "list"]))
    equal(p.wait(10), plain.popen.returncode, "exit status")
    equal(p.out, plain.out, "output")


RESTART = """
import errno, socket, sys
def one():
    s = socket.socket(socket.AF_TIPC, socket.SOCK_RDM)
    s.bind((socket.TIPC_ADDR_NAMESEQ, 23000, 1, 1))
    s.sendto(b"x", (socket.TIPC_ADDR_NAME, 23000, 1, 0))
    print("got", s.recv(10), flush=True)
    return s
old = one()
sys.stdin.readline()
for call in (lambda: old.recv(10), lambda: old.send(b"x"), old.getsockname):
    try:
        print("result", call(), flush=True)
    except OSError as e:
        print(errno.errorcode[e.errno], flush=True)
try:
    socket.socket(socket.AF_TIPC, socket.SOCK_RDM)
except OSError as e:
    print("new", errno.errorcode[e.errno], flush=True)
sys.stdin.readline()
one()
old.close()
print("end", flush=True)
"""


@test
def dptipcd_ends_and_comes_back():
    d = start()
    p = spawn_under(d, [sys.executable, "-c", RESTART], stdin=subprocess.PIPE)
    p.expect("got b'x'")
    d.popen.kill()
    d.wait(10)
    p.popen.stdin.write(b"\n")
    p.popen.stdin.flush()
    p.expect("ENETDOWN\nENETDOWN\n")
    p.expect("new EAFNOSUPPORT")
    again = start(name=d.name)
    p.popen.stdin.write(b"\n")
    p.popen.stdin.flush()
    p.expect("got b'x'\nend")
    p.wait(10, 0)
    again.stop()


CPYTHON = """
import builtins, io, sys, unittest
real = builtins.open
# They look there whether the kernel has TIPC.
builtins.open = lambda path, *a, **k: (io.StringIO("tipc 1 0 - Live\\n") if path == "/proc/modules"
                                       else real(path, *a, **k))
try:
    import test.test_socket as t
except ImportError:
    sys.exit("no tests")
builtins.open = real
load = unittest.defaultTestLoader.loadTestsFromTestCase
suite = unittest.TestSuite(load(c) for c in (t.TIPCTest, t.TIPCThreadableTest))
result = unittest.TextTestRunner(verbosity=2).run(suite)
sys.exit(not result.wasSuccessful() or bool(result.skipped))
"""


@test
def cpythons_own_tests_of_tipc():
    p = spawn_under(node(), [sys.executable, "-c", CPYTHON])
    if p.wait(60) and "no tests" in p.out:
        raise Skip("this Python comes without its tests")
    equal(p.popen.returncode, 0, p.out)
    return re.search(r"Ran \d+ tests", p.out)[0]


# ---------------------------------------------------------------- netlink

def netlink(d, task):
    out = run_under(d, [sys.executable, os.path.join(PRELOAD, "netlink.py"), task])
    need(out.endswith("ok\n"), out)
    return out


@test
def netlink_of_tipc_is_carried():
    d = node()
    netlink(d, "calls")
    return netlink(d, "diag").split("\n")[0]


@test
def netlink_of_others_is_the_kernels():
    netlink(node(), "kernel")


@test
def netlink_end_is_an_error():
    d = node()
    p = spawn_under(d, [sys.executable, os.path.join(PRELOAD, "netlink.py"), "hold"], stdin=subprocess.PIPE)
    p.expect("asked")
    d.popen.kill()
    d.wait(10)
    p.popen.stdin.write(b"\n")
    p.popen.stdin.flush()
    p.wait(10, 0)
    equal(p.out.split()[1:], [errno.errorcode[errno.ECONNREFUSED]] * 3, "errors")


@test
def tool_and_ss_run():
    need_tools("tipc", "ss")
    d = node()
    equal(run_under(d, ["tipc", "node", "get", "address"]), "01001001\n", "address")
    out = run_under(d, ["tipc", "nametable", "show"])
    need(re.search(r"^1 +1 +1 +node ", out, re.M), out)
    need("LISTEN" in run_under(d, ["ss", "--tipc"]), "ss")
    # Each line of a table makes a socket and asks for an identity.
    code = ("import socket,time,fcntl,struct\nn=2000\nt=time.perf_counter()\nfor _ in range(n):\n"
            " s=socket.socket(socket.AF_TIPC,socket.SOCK_RDM)\n"
            " fcntl.ioctl(s,0x89e1,struct.pack('=I16s',0x1001001,b''))\n s.close()\n"
            "print((time.perf_counter()-t)/n*1e6)")
    return "socket, SIOCGETNODEID, close: %.0f us" % float(run_under(d, [sys.executable, "-c", code]))


if __name__ == "__main__":
    main()
