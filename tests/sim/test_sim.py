#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The cluster simulation: many seeds, determinism, a golden transcript, planted bugs.

    DPT_SIM_SEEDS=1000   how many seeds safety_and_liveness_hold runs, or a range A-B
    DPT_BUILD            build folder (default build)
    DPT_BUILD_MUTANTS    build folder with -Dmutants=true (default build-mutants)
    GOLDEN_UPDATE=1      rewrite golden/cluster3.txt instead of comparing with it
"""
import difflib
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
import dpttest
from dpttest import TOP, Skip, built, equal, main, need, run, test

SIM = "app/sim/dptipc-sim"
GOLDEN = os.path.join(HERE, "golden/cluster3.txt")
# A planted bug that this many seeds do not find means that the oracles are asleep.
MUTANT_SEEDS = 60


def seeds():
    text = os.environ.get("DPT_SIM_SEEDS")
    return text or ("100" if dpttest.quick else "20000" if dpttest.long_run else "1000")


def the_hash(out):
    m = re.search(r"^hash=([0-9a-f]{16})$", out, re.M)
    need(m, "no hash=... in:", out)
    return m[1]


@test(limit_s=6 * 3600)
def safety_and_liveness_hold():
    out = run([built(SIM), "--seeds", seeds(), "--nodes", "8"], timeout_s=6 * 3600, want=None)
    need(re.search(r"^\d+ passed, 0 failed$", out, re.M), "\n" + out)
    return " / ".join(l for l in out.splitlines() if re.match(r"\d+ seeds|contacts", l))


@test
def same_seed_same_hash():
    """P12: also between a process that runs one seed and one that has run others before."""
    for seed in ("7", "8"):
        one, two = (run([built(SIM), "--seed", seed]) for _ in range(2))
        equal(the_hash(one), the_hash(two), "hash of seed %s" % seed)
    both = int(the_hash(run([built(SIM), "--seeds", "7-8", "-j", "1"])), 16)
    single = sum(int(the_hash(run([built(SIM), "--seed", s])), 16) for s in ("7", "8"))
    equal(both, single % 2 ** 64, "sum of the hashes of seeds 7 and 8")


@test
def other_seed_other_hash():
    a, b = (the_hash(run([built(SIM), "--seed", s])) for s in ("7", "8"))
    need(a != b, "seeds 7 and 8 have the same hash", a)


@test
def transcript_of_three_nodes_is_the_golden_one():
    """Forming, a message each way, a multicast, a crash and its discovery, the way back."""
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "cluster3.txt")
        run([built(SIM), "--seed", "3", "--nodes", "3", "--scenario", "cluster3",
             "--trace", path])
        with open(path) as f:
            got = f.read()
    if os.environ.get("GOLDEN_UPDATE") == "1":
        with open(GOLDEN, "w") as f:
            f.write(got)
        return "%d lines written" % got.count("\n")
    with open(GOLDEN) as f:
        wanted = f.read()
    diff = list(difflib.unified_diff(wanted.splitlines(), got.splitlines(), "golden", "now",
                                     lineterm="", n=2))
    need(not diff, "the transcript has changed; GOLDEN_UPDATE=1 accepts it:\n" +
         "\n".join(diff[:40]))


@test
def bad_arguments_are_named():
    for argv, text in ((["--faults", "rain"], "all, none or a list"), (["--nodes", "1"], "2 to 64"),
                       (["--seed", "x"], "a number"), (["--mutant", "nobody"], "--list-mutants")):
        out = run([built(SIM)] + argv, want=1)
        need(text in out and out.count("\n") == 1, argv, "says:", out)


@test(limit_s=900)
def each_planted_bug_is_found_and_repeated():
    folder = os.environ.get("DPT_BUILD_MUTANTS") or os.path.join(TOP, "build-mutants")
    sim = os.path.join(folder, SIM)
    if not os.path.exists(sim):
        raise Skip("no build with planted bugs (./scripts/build --mutants)")
    names = [l.split()[0] for l in run([sim, "--list-mutants"]).splitlines()]
    need(len(names) >= 3, names)
    notes = []
    for name in names:
        out = run([sim, "--seeds", str(MUTANT_SEEDS), "--first", "--mutant", name], timeout_s=300,
                  want=1)
        first = re.search(r"^VIOLATION seed (\d+): (.*)\n  repeat: (\S+) (.*)$", out, re.M)
        need(first, "%s is not found by %d seeds:" % (name, MUTANT_SEEDS), out)
        equal(first[3], "./build-mutants/" + SIM, "program in the command")
        again = run([sim] + first[4].split(), timeout_s=120, want=1)
        need("VIOLATION seed %s: %s" % (first[1], first[2]) in again,
             "the printed command does not repeat", first[0], "but:", again)
        notes.append("%s: seed %s" % (name, first[1]))
    out = run([sim, "--seeds", "5"], want=0)
    return ", ".join(notes)


if __name__ == "__main__":
    main()
