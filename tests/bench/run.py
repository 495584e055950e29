#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""run.py [--quick]: measures dptipc and its peers side by side; ./scripts/bench builds first.

Starts dptipcd and bench_rdm in each setting in turn, several times, and folds the SAMPLE
lines into tables: printed, as JSON (--json), and between the markers of doc/performance.md.
--quick: some seconds in all, the page stays as it is; shows only that everything runs.
"""
import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
import callbench
import dpttest
import linkbench
from dpttest import Failure, Skip, built, cleanup, need, session, spawn

PAGE = os.path.join(dpttest.TOP, "doc/performance.md")
CLASSES = ("smt", "near", "far")
SLICES_MIN = 5          # of a class in a run, or the class does not count there
NAME = "bench%d" % os.getpid()


# ------------------------------------------------------------------- what is started

def daemon(name, eal, options, netns=None):
    argv = [built("app/dataplane/dptipcd"), *eal, "--", "--name", name, *options]
    p = spawn(["ip", "netns", "exec", netns, *argv] if netns else argv)
    p.expect(r"dptipcd: ready", 20)
    return p


def bench(mode, seconds, options, netns=None):
    """one bench_rdm: its samples"""
    argv = [built("tests/bench/bench_rdm"), mode, "--seconds", "%g" % seconds, *options]
    p = spawn(["ip", "netns", "exec", netns, *argv] if netns else argv)
    p.wait(seconds + 60, 0)
    samples = []
    for l in p.out.splitlines():
        if l.startswith("SAMPLE "):
            s = dict(w.split("=", 1) for w in l.split()[1:])
            samples.append({k: v if k in ("item", "op", "class") else float(v) for k, v in s.items()})
    need(samples, "bench_rdm measured nothing:\n" + p.out)
    return samples


def ip(*words):
    r = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20)
    need(r.returncode == 0, "ip %s: %s" % (" ".join(words), r.stderr.strip()))


class Wires:
    """Two network namespaces, two equal veth pairs: d for dptipcd, k for the kernel alone.
    dptipcd's packet sockets slow all that passes on their wire, so UDP gets one of its own."""

    def __init__(self):
        pid = os.getpid()
        self.ns = ["dptbench%da" % pid, "dptbench%db" % pid]
        for n in self.ns:
            ip("netns", "add", n)
            cleanup(lambda n=n: subprocess.run(["ip", "netns", "del", n], timeout=20))
            ip("-n", n, "link", "set", "lo", "up")
            subprocess.run(["ip", "netns", "exec", n, "sysctl", "-qw",
                            "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"],
                           timeout=20)
        for i, wire in enumerate("kd"):
            ip("link", "add", "bv%s0" % wire, "netns", self.ns[0], "type", "veth",
               "peer", "name", "bv%s1" % wire, "netns", self.ns[1])
            for side, n in enumerate(self.ns):
                dev = "bv%s%d" % (wire, side)
                ip("-n", n, "addr", "add", "10.99.%d.%d/24" % (i, side + 1), "dev", dev)
                ip("-n", n, "link", "set", dev, "up")
        self.udp = "10.99.0.2,10.99.1.2"


def node_poll(seconds, cpus):
    own, worker = cpus[1], cpus[0]
    daemon(NAME, ["--lcores=0@%d,1@%d" % (own, worker)], ["--idle", "poll"])
    return bench("poll", seconds, ["--name", NAME, "--cpus", "%d,%d" % (own, worker)])


def node_block(seconds, cpus):
    daemon(NAME, [], ["--idle", "adaptive"])
    return bench("block", seconds, ["--name", NAME, "--slice-ms", "50"])


def net(seconds, idle, eals):
    w = Wires()
    both = []
    for side, n in enumerate(w.ns):
        eal = eals[side] + ["--vdev=net_af_packet0,iface=bvd%d,blocksz=65536,framesz=2048,framecnt=1024,qpairs=1"
                            % side]
        both.append(daemon(NAME + "ab"[side], eal, ["--idle", idle, "--node-addr", "1.1.%d" % (side + 1),
                                                    "--bearer", "eth:net_af_packet0"], n))
    options = ["--name", NAME + "a", "--peer-name", NAME + "b", "--peer-netns", "/run/netns/" + w.ns[1],
               "--udp", w.udp, "--slice-ms", "100"]
    if idle == "poll":
        # A client that looks before it sleeps only takes the CPU from the worker here.
        options += ["--stop", "%d,%d" % (both[0].pid, both[1].pid), "--items", "rdm-sleep,udp,udp-tapped"]
    return bench("net", seconds, options, w.ns[0])


def net_adaptive(seconds, cpus):
    return net(seconds, "adaptive", [[], []])


def net_poll(seconds, cpus):
    """a polling worker on each CPU; what sleeps and wakes preempts them"""
    both = "(%d,%d)" % tuple(cpus)
    return net(seconds, "poll", [["--lcores=0@%s,1@%d" % (both, c)] for c in cpus])


SETTINGS = {"node-poll": node_poll, "node-block": node_block, "net-adaptive": net_adaptive,
            "net-poll": net_poll, "link-loop": linkbench.link_loop, "link-memif": linkbench.link_memif}
# two CPUs whose distance is looked at; and the link layer alone
CLASSED = ("node-poll", "link-memif")
LINKS = ("link-loop", "link-memif")


# ------------------------------------------------------------------- figures

def median(values):
    values = list(values)
    return statistics.median(values) if values else None


def fold(runs, item, op, size, cls, peers):
    """One figure: the median over runs of each run's median, with the spread over runs, and
    the ratio to each peer within the same run and class. None when no run has it."""
    field = "p50" if op == "rtt" else "mps"

    def of(run, name, what):
        got = [s[what] for s in run if (s["item"], s["op"], s["bytes"], s["class"]) == (name, op, size, cls)]
        return median(got) if len(got) >= min(SLICES_MIN, longest) else None

    def slices(run):
        return sum((s["item"], s["op"], s["bytes"], s["class"]) == (item, op, size, cls) for s in run)
    longest = max([slices(r) for r in runs] + [1])
    per_run = [(r, of(r, item, field)) for r in runs]
    per_run = [(r, v) for r, v in per_run if v]
    if not per_run:
        return None
    values = [v for _, v in per_run]
    figure = {"item": item, "op": op, "bytes": size, "class": cls, "runs": len(values),
              "slices": sum(slices(r) for r, _ in per_run),
              "median": median(values), "low": min(values), "high": max(values), "ratio": {}}
    if op == "rtt":
        figure["p99"] = median(of(r, item, "p99") for r, _ in per_run)
    figure["frames"] = median(s["frames"] for r, _ in per_run for s in r if op == "rate" and "frames" in s
                              and (s["item"], s["op"], s["bytes"], s["class"]) == (item, op, size, cls))
    pp = median(v for v in (of(r, item, "pp") for r, _ in per_run) if v)
    if pp:
        figure["pp"] = pp
        if op == "rtt":
            figure["ratio"]["pp"] = figure["median"] / pp
    for peer in peers:
        ratios = [v / p for v, p in ((v, of(r, peer, field)) for r, v in per_run) if p]
        if ratios and peer != item:
            figure["ratio"][peer] = median(ratios)
    return figure


def figures(runs, peers):
    keys = []
    for s in (s for r in runs for s in r):
        k = (s["item"], s["op"], s["bytes"])
        if k not in keys:
            keys.append(k)
    keys.sort(key=lambda k: (k[1] != "rtt", k[2]))
    out = [fold(runs, *k, c, peers) for k in keys for c in CLASSES + ("none",)]
    return [f for f in out if f]


# ------------------------------------------------------------------- tables

LABELS = {
    "node-poll": {"rdm": "**dptipc RDM**, over a worker", "unix": "Unix SEQPACKET, polling"},
    "node-block": {"rdm": "**dptipc RDM**, looks for 50 µs, then sleeps (default)",
                   "rdm-sleep": "**dptipc RDM**, sleeps at once", "unix": "Unix SEQPACKET, blocking",
                   "futex": "futex, no data"},
    "net-adaptive": {"rdm": "**dptipc RDM**, looks for 50 µs (default)", "rdm-sleep": "**dptipc RDM**, sleeps at once",
                     "udp": "kernel UDP, blocking, wire of its own",
                     "udp-tapped": "kernel UDP, blocking, dptipcd's wire",
                     "udp-poll": "kernel UDP, polling, wire of its own"},
}
LABELS["net-poll"] = LABELS["net-adaptive"]
LABELS["link-loop"] = LABELS["link-memif"] = {"link": "**link**", "raw": "raw frames"}
PEERS = {"node-poll": ["unix"], "node-block": ["unix", "futex"], "net-adaptive": ["udp", "udp-tapped"],
         "net-poll": ["udp", "udp-tapped"], "link-loop": ["raw"], "link-memif": ["raw"]}


def figure_text(f, v):
    if f["op"] == "rate" and v < 1:
        return "%.4f M/s" % v
    return "%.2f M/s" % v if f["op"] == "rate" else "%.2f µs" % (v / 1e3)


def table(setting, found):
    peers = PEERS[setting]
    heads = ["", "", "median", "spread over runs", "p99"]
    if setting in CLASSED:
        heads += ["class", "ping-pong", "÷ ping-pong"]
    if setting in LINKS:
        heads += ["Gbit/s of payload", "frames a message"]
    heads += ["÷ " + p.replace("unix", "Unix").replace("udp", "UDP") for p in peers] + ["runs / slices"]
    rows = [heads, ["---"] * len(heads)]
    for f in found:
        row = ["%s %d B" % ("round trip" if f["op"] == "rtt" else "one way", f["bytes"]),
               LABELS[setting][f["item"]], figure_text(f, f["median"]),
               "%s – %s" % (figure_text(f, f["low"]).split()[0], figure_text(f, f["high"])),
               figure_text(f, f["p99"]) if "p99" in f else ""]
        if setting in CLASSED:
            pp = f["ratio"].get("pp")
            row += [f["class"], "%.0f ns" % f["pp"], "%.2f" % pp if pp else ""]
        if setting in LINKS:
            row += ["%.1f" % (f["median"] * f["bytes"] * 8e-3) if f["op"] == "rate" else "",
                    "%.3f" % f["frames"] if f["frames"] else ""]
        row += ["%.3g" % f["ratio"][p] if p in f["ratio"] else "" for p in peers]
        rows.append(row + ["%d / %d" % (f["runs"], f["slices"])])
    return "\n".join("| %s |" % " | ".join(r) for r in rows)


def page_put(page, name, text):
    """text between the markers of that name"""
    with open(page, encoding="utf-8") as f:
        old = f.read()
    begin, end = "<!-- bench: %s -->" % name, "<!-- /bench: %s -->" % name
    need(old.count(begin) == 1 and old.count(end) == 1, "%s has no marker %s" % (page, begin))
    new = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda m: "%s\n%s\n%s" % (begin, text, end), old,
                 flags=re.S)
    with open(page + ".new", "w", encoding="utf-8") as f:
        f.write(new)
    os.rename(page + ".new", page)


def machine():
    cpu = "unknown CPU"
    with open("/proc/cpuinfo") as f:
        for l in f:
            if l.startswith("model name"):
                cpu = l.split(":", 1)[1].strip()
                break
    commit = subprocess.run(["git", "-C", dpttest.TOP, "rev-parse", "--short", "HEAD"], capture_output=True,
                            text=True).stdout.strip()
    changed = subprocess.run(["git", "-C", dpttest.TOP, "status", "--porcelain"], capture_output=True,
                             text=True).stdout.strip()
    return {"cpu": cpu, "cpus": len(os.sched_getaffinity(0)), "kernel": platform.release(),
            "commit": (commit or "no git") + (" and uncommitted changes" if changed else "")}


def other_load(seconds=1.0):
    """share of this machine's CPUs that others use, nothing of ours running"""
    def busy():
        with open("/proc/stat") as f:
            t = [int(w) for w in f.readline().split()[1:9]]
        return sum(t) - t[3] - t[4], sum(t)
    b0, t0 = busy()
    time.sleep(seconds)
    b1, t1 = busy()
    return (b1 - b0) / max(t1 - t0, 1)


# ------------------------------------------------------------------- the run

def measure(args, settings, cpus):
    """{setting: [samples of a run]}; settings take turns, and each start is a fresh one"""
    got = {s: [] for s in settings}
    for run in range(args.runs):
        for s in settings:
            print("run %d of %d: %s" % (run + 1, args.runs, s), flush=True)
            with session():
                got[s].append(SETTINGS[s](args.seconds, cpus))
    return got


def count_instructions(result, page):
    """a table that does not depend on the machine's mood"""
    try:
        with session():
            found = linkbench.instructions()
    except Skip as e:
        print("\nskip link-instructions: %s" % e)
        return
    text = linkbench.instructions_table(found)
    result["instructions"] = {str(k): v for k, v in found.items()}
    print("\nlink-instructions\n\n%s" % text)
    if page:
        page_put(page, "link-instructions", text)


def count_calls(args, result, page, about):
    """libdptipc and its preload, call by call"""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) < 2:
        print("\nskip calls: needs 2 CPUs")
        return
    runs = []
    for _ in range(args.runs):
        with session():
            runs.append(callbench.calls(args.seconds, cpus))
    result["calls"] = callbench.fold(runs)
    text = callbench.table(result["calls"])
    print("\ncalls\n\n%s" % text)
    if page:
        page_put(page, "calls", "%s\n\n%s" % (about, text))


def settings_here(wanted):
    cpus = sorted(os.sched_getaffinity(0))
    out = []
    for s in wanted:
        if s.startswith("net") and os.geteuid() != 0:
            print("skip %s: network namespaces need root" % s)
        elif s not in ("node-block", "link-loop") and len(cpus) < 2:
            print("skip %s: needs 2 CPUs" % s)
        else:
            out.append(s)
    return out, cpus


def stopped(number, frame):
    raise KeyboardInterrupt


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--quick", action="store_true", help="one short run; the page is not written")
    ap.add_argument("--runs", type=int, metavar="N", help="fresh starts of each setting (default 3; quick 1)")
    ap.add_argument("--seconds", type=float, metavar="S", help="measuring of a start (default 10; quick 1)")
    ap.add_argument("--only", action="append", choices=[*SETTINGS, "calls"],
                    help="this setting; repeatable")
    ap.add_argument("--json", metavar="FILE", help="default: bench.json in the build folder")
    ap.add_argument("--page", metavar="FILE", help="write the tables there (default: doc/performance.md; quick: none)")
    args = ap.parse_args()
    args.runs = args.runs or (1 if args.quick else 3)
    args.seconds = args.seconds or (1 if args.quick else 10)
    page = args.page or (None if args.quick else PAGE)
    settings, cpus = settings_here([s for s in args.only or SETTINGS if s != "calls"])

    head = dict(machine(), date=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
                runs=args.runs, seconds=args.seconds, load_before=other_load(),
                command=" ".join(["./scripts/bench"] + sys.argv[1:]))
    samples = measure(args, settings, cpus)
    head["load_behind"] = other_load()
    result = {"machine": head, "settings": {s: figures(r, PEERS[s]) for s, r in samples.items()}}

    about = "%(cpu)s, %(cpus)d CPUs, Linux %(kernel)s; %(date)s; commit %(commit)s; `%(command)s`: " \
            "%(runs)d runs of %(seconds)g s each setting." % head
    load = "Load by others, before and behind: %.0f %% and %.0f %% of all CPUs." % (
        100 * head["load_before"], 100 * head["load_behind"])
    if max(head["load_before"], head["load_behind"]) > 0.05:
        load += " **Not a quiet machine: the figures are provisional.**"
    print("\n%s\n%s" % (about, load))
    for s, f in result["settings"].items():
        print("\n%s\n\n%s" % (s, table(s, f)))
        if page:
            page_put(page, s, "%s\n%s\n\n%s" % (about, load, table(s, f)))
    if not args.only or set(args.only) & set(LINKS):
        count_instructions(result, page)
    if not args.only or "calls" in args.only:
        count_calls(args, result, page, about + "\n" + load)
    path = args.json or os.path.join(dpttest.BUILD, "bench.json")
    with open(path, "w") as f:
        json.dump(result, f, indent=1)
    print("\nwritten: %s%s" % (path, " and " + os.path.relpath(page) if page else ""))
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, stopped)
    try:
        status = main()
    except (Failure, Skip) as e:
        print("bench: %s" % e)
        status = 1
    except KeyboardInterrupt:
        print("interrupted")
        status = 130
    sys.stdout.flush()
    os._exit(status)
