#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""dptipc-stat with a dptipcd that runs, hangs, was killed, has ended in order."""
import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../support"))
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
from dpttest import (AS_NOBODY, built, cleanup, equal, main, need, need_root, need_tools, run, spawn,
                     test, wait_until)
from daemon import new_name, start


def stat(*args, want=0):
    return run([built("app/stat/dptipc-stat"), *args], want=want)


def path_of(name):
    if os.geteuid() == 0:
        return "/run/dptipc/%s.stat" % name
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    for p in ([runtime + "/dptipc"] if runtime else []) + ["/tmp/dptipc-%d" % os.geteuid()]:
        if os.path.exists("%s/%s.stat" % (p, name)):
            return "%s/%s.stat" % (p, name)
    return "/tmp/dptipc-%d/%s.stat" % (os.geteuid(), name)


def pair():
    wire = "unix:" + new_name()
    a = start("--bearer", wire + ",tolerance=1000")
    b = start("--bearer", wire + ",tolerance=1000")
    a.expect(r"^dptipcd: link \S+ up$", 20)
    b.expect(r"^dptipcd: link \S+ up$", 20)
    return a, b


@test
def a_running_dptipcd_shows_itself():
    a, b = pair()
    out = stat("--name", a.name, "show")
    need(": runs" in out.splitlines()[0], out)
    # Copies are taken every 100 ms.
    wait_until(lambda: re.search(r"established +up", stat("--name", a.name, "links")), 10,
               lambda: stat("--name", a.name, "links"))
    data = json.loads(stat("--name", a.name, "show", "--json"))
    equal(data["node"][0]["pid"], a.pid)
    equal(data["links"][0]["ups"], 1)
    wait_until(lambda: "link.recv_states" in stat("--name", a.name, "counters", "link."), 10,
               lambda: stat("--name", a.name, "counters"))
    # Two names side by side: each its own.
    equal(json.loads(stat("--name", b.name, "show", "--json"))["node"][0]["pid"], b.pid)
    out = stat("--name", a.name, "flight", "all")
    need("establishing to established by establish" in out, out)
    a.stop()
    b.stop()


@test
def an_orderly_stop_removes_the_file():
    d = start()
    path = path_of(d.name)
    need(os.path.exists(path), path)
    d.stop()
    need(not os.path.exists(path), path)
    out = stat("--name", d.name, "show", want=1)
    need(out.startswith("dptipc-stat: no stat file"), out)
    equal(len(out.splitlines()), 1)


@test
def a_stopped_dptipcd_is_said_to_hang():
    d = start()
    d.signal(signal.SIGSTOP)
    cleanup(lambda: d.signal(signal.SIGCONT))
    wait_until(lambda: "HUNG: no sign of worker 0" in stat("--name", d.name, "show"), 20,
               lambda: stat("--name", d.name, "show"))
    d.signal(signal.SIGCONT)
    wait_until(lambda: ": runs" in stat("--name", d.name, "show"), 20,
               lambda: stat("--name", d.name, "show"))
    d.stop()


@test
def a_killed_dptipcd_leaves_what_it_knew():
    a, b = pair()
    wait_until(lambda: "link.sent_states" in stat("--name", b.name, "counters"), 10,
               lambda: stat("--name", b.name, "counters"))
    b.kill()
    out = stat("--name", b.name, "show")
    need("DEAD" in out.splitlines()[0], out)
    need(re.search(r"established +up", out), out)
    need("link.sent_states" in stat("--name", b.name, "counters"), "counters")
    need(re.search(r"^ *-?[0-9.]+ +up ", stat("--name", b.name, "flight", "all"), re.M), "flight")
    # The other one says why its link went down, and how to see more.
    line = a.expect(r"^dptipcd: link (\S+) down: peer silent; .*: dptipc-stat (.*)$", 20)
    out = stat(*line[2].split())
    need("peer silent at " in out.splitlines()[0], out)
    need(re.search(r"failure +peer silent; silent", out), out)
    wait_until(lambda: "node.down_tolerance" in stat("--name", a.name, "drops"), 10,
               lambda: stat("--name", a.name, "drops"))
    # The next one of this name takes the file's place.
    b2 = start(name=b.name)
    need(": runs" in stat("--name", b2.name, "show").splitlines()[0], "runs")
    a.stop()
    b2.stop()


@test
def other_users_may_look():
    need_root("changing the user")
    need_tools("setpriv")
    tool = built("app/stat/dptipc-stat")
    d = start()
    out = run([*AS_NOBODY, tool, "--name", d.name, "show"])
    need(": runs" in out, out)
    equal(os.stat(path_of(d.name)).st_mode & 0o777, 0o644)
    need(spawn([*AS_NOBODY, "test", "-w", path_of(d.name)]).wait(5) != 0, "writable")
    d.stop()


@test
def wrong_words_get_one_line():
    for args in (["nonsense"], [], ["show", "x"], ["flight"], ["--nonsense"], ["--watch", "x", "show"],
                 ["--file", "/dev/null", "show"], ["--file", __file__, "show"]):
        out = stat(*args, want=1)
        need(out.startswith("dptipc-stat: "), args, out)
        equal(len(out.splitlines()), 1)
    need("Commands:" in stat("-h"), "help")


if __name__ == "__main__":
    main()
