#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `meson install` puts on a system, and the Debian packages made of it: that all is there, that
a program can be built and run against it, that the manual says what the programs do.

Packages are built with --long only (some minutes); by hand: dpkg-buildpackage -us -uc -b
"""
import glob
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import dpttest
from dpttest import BUILD, TOP, built, cleanup, equal, main, need, need_tools, run, spawn, test
from daemon import new_name

PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <dptipc.h>

int
main(void)
{
	struct sockaddr_tipc addr = {.family = AF_TIPC, .addrtype = TIPC_SERVICE_ADDR,
				     .scope = TIPC_NODE_SCOPE, .addr.name.name = {18888, 17}};
	char buf[16] = "";
	int fd = dptipc_socket(AF_TIPC, SOCK_RDM, 0);

	if (fd < 0 || dptipc_bind(fd, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    dptipc_sendto(fd, "hello", 5, 0, (struct sockaddr *)&addr, sizeof(addr)) != 5 ||
	    dptipc_recv(fd, buf, sizeof(buf), 0) != 5) {
		fprintf(stderr, "%s\n", dptipc_error());
		return 1;
	}
	puts(buf);
	return dptipc_close(fd);
}
"""
TIPCC_PROGRAM = r"""
#include <stdio.h>
#include <tipcc.h>

int
main(void)
{
	int fd = tipc_socket(SOCK_RDM);

	if (fd < 0)
		return 1;
	puts("hello");
	return tipc_close(fd);
}
"""


def folder():
    path = tempfile.mkdtemp(prefix="dptipc-package-")
    cleanup(lambda: shutil.rmtree(path, ignore_errors=True))
    return path


class Installed:
    """The build folder's programs, installed into a folder."""

    def __init__(self):
        need_tools("meson", "pkg-config", "cc")
        self.dir = folder()
        run(["meson", "install", "-C", BUILD, "--destdir", self.dir, "--no-rebuild", "--quiet"], 120)
        self.prefix = self.dir + run(["meson", "introspect", BUILD, "--buildoptions"]).split(
            '"name": "prefix", "value": "')[1].split('"')[0]
        self.lib = os.path.dirname(self.one("lib/**/libdptipc.so"))

    def one(self, pattern):
        """the file of that name in the prefix"""
        found = glob.glob(os.path.join(self.prefix, pattern), recursive=True)
        equal(len(found), 1, pattern + " in " + self.prefix)
        return found[0]

    def flags(self, library):
        """pkg-config's words for it"""
        env = {"PKG_CONFIG_PATH": os.path.join(self.lib, "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": self.dir}
        return run(["pkg-config", "--cflags", "--libs", library], env=env).split()

    def build(self, text, *words, compiler="cc"):
        """a program of that text; its path"""
        source, program = self.dir + "/program.c", self.dir + "/program"
        with open(source, "w") as f:
            f.write(text)
        run([compiler, "-Wall", "-Wextra", "-Werror", *(["-x", "c++"] if compiler == "c++" else []), "-o", program,
             source, *words], 60)
        return program


def same(got, wanted, what):
    """of two sets, or dictionaries: says what only one of them has"""
    got, wanted = (set(x.items()) if isinstance(x, dict) else set(x) for x in (got, wanted))
    need(got == wanted, "%s: has %s, lacks %s" % (what, sorted(got - wanted), sorted(wanted - got)))


def exported(library):
    """{symbol: version} that a shared library defines"""
    found = {}
    for l in run(["nm", "-D", "--defined-only", "--with-symbol-versions", library]).splitlines():
        kind, name = l.split()[-2:]
        if kind != "A":
            symbol, version = (name.replace("@@", "@").split("@") + [""])[:2]
            found[symbol] = version
    return found


def mapped(path):
    """{symbol: version} of a version script"""
    found = {}
    with open(os.path.join(TOP, path)) as f:
        for version, body in re.findall(r"^(\S+) \{\nglobal:\n(.*?)^(?:local:|\})", f.read(), re.M | re.S):
            found.update({s: version for s in re.findall(r"\w+", body)})
    return found


def declared(path):
    """the functions that a header declares"""
    with open(os.path.join(TOP, path)) as f:
        text = re.sub(r"/\*.*?\*/|^#.*?$", "", f.read(), flags=re.M | re.S)
    return set(re.findall(r"\b(\w+)\([^()]*\);", text))


def options_of(text):
    """the long options that a text of help lists"""
    return set(re.findall(r"^ +--([a-z-]+)", text, re.M))


def page(name):
    with open(os.path.join(TOP, "doc/man", name)) as f:
        return f.read()


# ---- installed ----

@test
def all_of_it_is_installed():
    there = Installed()
    for name in ("sbin/dptipcd", "bin/dptipc-run", "bin/dptipc-stat", "include/dptipc.h", "include/dptipc_sockets.h",
                 "include/tipcc.h", "lib/**/libdptipc.so", "lib/**/libdptipc.so.0", "lib/**/libdptipc.a",
                 "lib/**/libdptipc-tipcc.so", "lib/**/libdptipc-preload.so", "lib/**/pkgconfig/libdptipc.pc",
                 "lib/**/pkgconfig/libdptipc-tipcc.pc", "share/man/man8/dptipcd.8", "share/man/man1/dptipc-run.1",
                 "share/man/man1/dptipc-stat.1", "share/man/man3/libdptipc.3",
                 "lib/systemd/system/dptipcd.service"):
        there.one(name)
    for name in "default/dptipcd", "dptipc/dptipcd.tipc":
        need(glob.glob(there.dir + "/**/etc/" + name, recursive=True), "no etc/" + name)


@test
def program_is_built_and_run_with_what_is_installed():
    there, name = Installed(), new_name()
    daemon = spawn([there.one("sbin/dptipcd"), "--name", name])
    daemon.expect("^dptipcd: ready$", 30)
    env = {"DPTIPC_NAME": name, "LD_LIBRARY_PATH": there.lib}
    for text, words in ((PROGRAM, there.flags("libdptipc")),
                        (PROGRAM, [w.replace("-ldptipc", "-l:libdptipc.a") for w in there.flags("libdptipc")]),
                        (TIPCC_PROGRAM, there.flags("libdptipc-tipcc"))):
        equal(run([there.build(text, *words)], env=env), "hello\n", " ".join(words))
    daemon.stop()


@test
def installed_dptipcd_carries_out_its_start_up_file():
    need_tools("tipc")
    there, name = Installed(), new_name()
    path = glob.glob(there.dir + "/**/etc/dptipc/dptipcd.tipc", recursive=True)[0]
    for more, identity in ("", ""), ("node set identity installed\n", "installed"):
        with open(path, "a") as f:
            f.write(more)
        daemon = spawn([there.one("sbin/dptipcd"), "--name", name, "--startup-file", path])
        daemon.expect("^dptipcd: ready$", 30)
        out = run([there.one("bin/dptipc-run"), "--name", name, "tipc", "node", "get", "identity"])
        equal(out.split("\n")[1].split()[:-1], [identity] if identity else [], out)
        daemon.stop()


@test
def headers_are_c_plus_plus_as_well():
    need_tools("c++")
    there = Installed()
    there.build("#include <dptipc.h>\n#include <tipcc.h>\nint main() { return dptipc_is_socket(0); }\n",
                *there.flags("libdptipc-tipcc"), compiler="c++")


@test
def exported_symbols_are_those_of_the_maps():
    need_tools("nm")
    for library, path, header in (("lib/client/libdptipc.so", "lib/client/libdptipc.map", "lib/client/dptipc.h"),
                                  ("lib/tipcc/libdptipc-tipcc.so", "lib/tipcc/libdptipc-tipcc.map",
                                   "lib/tipcc/tipcc.h")):
        symbols = mapped(path)
        need(symbols and all(re.fullmatch(r"DPTIPC\w*_\d+\.\d+", v) for v in symbols.values()), path, symbols)
        same(exported(built(library)), symbols, library + " against " + path)
        functions = {f for f in declared(header) if f.startswith(("dptipc_", "tipc_"))}
        same(set(symbols), functions, path + " against " + header)


@test
def library_names_carry_the_abi():
    need_tools("readelf")
    for library in "lib/client/libdptipc.so", "lib/tipcc/libdptipc-tipcc.so":
        text = run(["readelf", "-d", built(library)])
        need("soname: [%s.0]" % os.path.basename(library) in text, text)


# ---- the manual ----

@test
def man_pages_are_without_mistakes():
    need_tools("mandoc")
    pages = sorted(glob.glob(os.path.join(TOP, "doc/man/*.[1-9]")))
    need(len(pages) >= 4, pages)
    equal(run(["mandoc", "-Tlint", "-W", "warning", *pages], want=None), "", "mandoc")
    for p in pages:
        # groff's mdoc sees other mistakes.
        if shutil.which("groff"):
            out = subprocess.run(["groff", "-mandoc", "-Tutf8", "-ww", "-z", p], capture_output=True, text=True)
            equal(out.stderr, "", "groff " + p)


@test
def man_pages_have_each_option_and_no_other():
    for program, name in (("app/dataplane/dptipcd", "dptipcd.8"), ("app/stat/dptipc-stat", "dptipc-stat.1"),
                          ("app/run/dptipc-run", "dptipc-run.1")):
        shown = options_of(run([built(program), "--help"], want=None))
        need(len(shown) > 1, program, shown)
        same(re.findall(r"^\.It Fl -([a-z-]+)", page(name), re.M), shown, name + " against --help")


@test
def man_page_of_the_library_has_each_call():
    described = re.findall(r"^\.Fn (\w+) \S", page("libdptipc.3").split("\n.Sh DESCRIPTION")[0], re.M)
    same(described, set(mapped("lib/client/libdptipc.map")), "libdptipc.3 against the map")


# ---- systemd ----

@test
def systemd_is_told_when_it_is_ready():
    path = folder() + "/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(path)
        told.settimeout(30)
        daemon = spawn([built("app/dataplane/dptipcd"), "--name", new_name()], env={"NOTIFY_SOCKET": path})
        equal(told.recv(100), b"READY=1", "message")
        daemon.stop()


@test
def unit_is_valid():
    need_tools("systemd-analyze")
    there, unit = Installed(), None
    with open(there.one("lib/systemd/system/dptipcd.service")) as f:
        unit = f.read()
    command = re.search(r"^ExecStart=(\S+)", unit, re.M)[1]
    need(os.path.exists(there.dir + command), command)
    path = there.dir + "/dptipcd.service"
    with open(path, "w") as f:
        f.write(unit.replace(command, there.dir + command))
    equal(run(["systemd-analyze", "verify", "--man=no", path], 60, want=None).strip(), "", "systemd-analyze")


# ---- Debian ----

def copy_of_the_sources():
    """what git knows or would add, in a folder"""
    to = folder() + "/dptipc"
    names = run(["git", "-C", TOP, "ls-files", "--cached", "--others", "--exclude-standard"]).splitlines()
    for n in names:
        if os.path.isfile(os.path.join(TOP, n)):
            os.makedirs(os.path.dirname(os.path.join(to, n)), exist_ok=True)
            shutil.copy2(os.path.join(TOP, n), os.path.join(to, n))
    return to


def debian_packages_are_built():
    need_tools("dpkg-buildpackage", "dh", "git")
    to = copy_of_the_sources()
    # (timeout ends the compilers, too)
    run(["timeout", "1500", "dpkg-buildpackage", "-us", "-uc", "-b"], 1530, cwd=to)
    debs = {os.path.basename(d).split("_")[0]: d for d in glob.glob(to + "/../*.deb") if "-dbgsym_" not in d}
    equal(sorted(debs), ["dptipc", "libdptipc-dev", "libdptipc-preload", "libdptipc-tipcc0", "libdptipc0"], "packages")
    for package, names in (
            ("dptipc", ("./usr/sbin/dptipcd", "./usr/bin/dptipc-stat", "./lib/systemd/system/dptipcd.service",
                        "./etc/default/dptipcd", "./etc/dptipc/dptipcd.tipc", "./usr/share/man/man8/dptipcd.8.gz")),
            ("libdptipc-preload", ("libdptipc-preload.so", "./usr/bin/dptipc-run")),
            ("libdptipc0", ("libdptipc.so.0",)), ("libdptipc-tipcc0", ("libdptipc-tipcc.so.0",)),
            ("libdptipc-dev", ("./usr/include/dptipc.h", "libdptipc.a", "libdptipc.so", "libdptipc.pc",
                               "./usr/share/man/man3/libdptipc.3.gz"))):
        content = run(["dpkg-deb", "-c", debs[package]])
        for n in names:
            need(re.search(r"[ /]%s( |$)" % re.escape(n), content, re.M), n, "is not in", package, content)
    if shutil.which("lintian"):
        # There is no address of maintainers yet, and no bug that asks for the packages.
        tags = "bogus-mail-host,bogus-mail-host-in-debian-changelog,initial-upload-closes-no-bugs"
        equal(run(["lintian", "--fail-on", "none", "--allow-root", "--suppress-tags", tags,
                   *glob.glob(to + "/../*.changes")], 300).strip(), "", "lintian")


if "--long" in sys.argv[1:]:
    test(limit_s=1700)(debian_packages_are_built)

if __name__ == "__main__":
    main()
