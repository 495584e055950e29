# SPDX-License-Identifier: BSD-3-Clause
"""What a call costs through libdptipc-preload, beside libdptipc called directly, and for
descriptors of others beside a program without the preload: bench_calls in three processes that
take turns, some milliseconds each."""
import os
import statistics
import subprocess

from dpttest import built, cleanup, need, spawn

ITEMS = {"rdm": ("direct", "preload"), "seqpacket": ("direct", "preload"), "empty": ("direct", "preload"),
         "pipe": ("bare", "preload")}
LABELS = {"rdm": "RDM round trip, 64 B", "seqpacket": "SEQPACKET round trip, 64 B",
          "empty": "`recv` that finds nothing", "pipe": "`write` and `read` on a pipe, 64 B"}
PEER = {"direct": "libdptipc called directly", "bare": "without the preload"}
SLICE_MS = 10


class Turns:
    """one bench_calls, which does what it is told"""

    def __init__(self, argv, name):
        self.popen = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                      env=dict(os.environ, DPTIPC_NAME=name))
        cleanup(self.end)
        need(self.popen.stdout.readline() == "ready\n", "%s does not start" % " ".join(argv))

    def slice(self, item):
        self.popen.stdin.write("%s %g\n" % (item, SLICE_MS))
        self.popen.stdin.flush()
        words = dict(w.split("=", 1) for w in self.popen.stdout.readline().split()[1:])
        need(words.get("item") == item, "bench_calls has ended (%s)" % item)
        return float(words["ns"])

    def end(self):
        self.popen.kill()
        self.popen.wait()
        self.popen.stdin.close()
        self.popen.stdout.close()


def calls(seconds, cpus):
    """{item: {way: ns}}, and under "ratio" the median of the ratios of neighbouring slices"""
    name, own, worker = "bench%d" % os.getpid(), cpus[1], cpus[0]
    d = spawn([built("app/dataplane/dptipcd"), "--lcores=0@%d,1@%d" % (own, worker), "--", "--name", name,
               "--idle", "poll"])
    d.expect(r"dptipcd: ready", 20)
    plain, direct = built("tests/bench/bench_calls_plain"), built("tests/bench/bench_calls_direct")
    run = [built("app/run/dptipc-run"), "--name", name]
    ways = {"direct": Turns([direct, str(own), "1"], name), "preload": Turns([*run, plain, str(own), "2"], name),
            "bare": Turns([plain, str(own), "-1"], name)}
    out = {}
    for item, (peer, way) in ITEMS.items():
        pairs = []
        for i in range(max(5, int(seconds * 1e3 / len(ITEMS) / 2 / SLICE_MS))):
            # (who is first takes turns too)
            got = {w: ways[w].slice(item) for w in ((peer, way) if i % 2 else (way, peer))}
            pairs.append((got[peer], got[way]))
        out[item] = {peer: statistics.median(p for p, _ in pairs), way: statistics.median(w for _, w in pairs),
                     "ratio": statistics.median(w / p for p, w in pairs), "slices": len(pairs)}
    return out


def fold(runs):
    """the median of each figure over the runs, and the spread of the ratio"""
    out = {}
    for item in ITEMS:
        ratios = [r[item]["ratio"] for r in runs]
        out[item] = {k: statistics.median(r[item][k] for r in runs) for k in runs[0][item]}
        out[item].update(low=min(ratios), high=max(ratios))
    return out


def table(found):
    rows = ["|  | beside | it takes | through the preload | ratio | spread over runs |", "| --- " * 6 + "|"]
    rows += ["| %s | %s | %.0f ns | %.0f ns | **%.3f** | %.3f to %.3f |" % (
        LABELS[item], PEER[ITEMS[item][0]], f[ITEMS[item][0]], f["preload"], f["ratio"], f["low"], f["high"])
        for item, f in found.items()]
    return "\n".join(rows)
