# SPDX-License-Identifier: BSD-3-Clause
"""ktipc: compiled helpers, kernel and modules, network namespaces."""
import ctypes
import hashlib
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.realpath(__file__))
SRC = os.path.join(HERE, "src")
PEERS = os.path.join(HERE, "peers")
MODULES = ["tipc", "diag", "ctr", "ghash-generic", "gcm", "hmac", "sha512_generic",
           "jitterentropy_rng", "drbg", "sch_netem",
           "virtio_net", "veth", "bridge"]
# Benchmarks and file systems that no node needs and that cost 1.3 s at boot.
NOINIT = "raid6_select_algo,calibrate_xor_blocks,init_btrfs_fs,init_xfs_fs,init_jfs_fs"

os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin"
libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


class Error(Exception):
    pass


def setns(path):
    """put the calling thread into a network namespace"""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(fd, CLONE_NEWNET):
            e = ctypes.get_errno()
            raise OSError(e, os.strerror(e), path)
    finally:
        os.close(fd)


def cache_dir():
    base = os.environ.get("KTIPC_CACHE")
    if not base:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or
                            os.path.expanduser("~/.cache"), "ktipc")
    os.makedirs(base, exist_ok=True)
    return base


def build(src, *flags):
    """compile one C file into the cache; the name carries a hash of it"""
    h = hashlib.sha256(open(src, "rb").read() + repr(flags).encode()).hexdigest()[:12]
    exe = os.path.join(cache_dir(), os.path.basename(src)[:-2] + "-" + h)
    if not os.path.exists(exe):
        tmp = "%s.%d" % (exe, os.getpid())
        subprocess.run(["gcc", "-O2", "-g", "-Wall", "-Wextra", "-o", tmp, src, *flags], check=True)
        os.rename(tmp, exe)
    return exe


def tool(name):
    return build(os.path.join(SRC, name + ".c"), *(["-static"] if name == "ktagent" else []))


def peer(name="tipcpeer"):
    """path of a compiled program of peers/, usable on the host and in nodes"""
    return build(os.path.join(PEERS, name + ".c"), "-pthread")


def prepare():
    """compile the helpers, which is otherwise done when they are first used"""
    return [tool("umlrun"), tool("ktagent"), peer()]


def uml_kernel():
    exe = os.environ.get("KTIPC_UML") or shutil.which("linux.uml")
    if not exe:
        raise Error("linux.uml not found: run ./scripts/install-deps")
    rel = subprocess.run([exe, "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    mods = os.environ.get("KTIPC_MODULES") or os.path.join("/usr/lib/uml/modules", rel)
    return exe, mods


def module_files(mods, wanted):
    """files of the wanted modules and what they need, in loading order"""
    dep = {}
    for l in open(os.path.join(mods, "modules.dep")):
        f, needs = l.rstrip("\n").split(":", 1)
        dep[f] = needs.split()
    by = {}
    for f in dep:
        by.setdefault(os.path.basename(f)[:-3], f)
    by["diag"] = "kernel/net/tipc/diag.ko"
    out = []

    def add(f):
        if f in dep:
            for d in reversed(dep[f]):
                add(d)
            if f not in out:
                out.append(f)
    for w in wanted:
        if w in by:
            add(by[w])
    return [os.path.join(mods, f) for f in out]
