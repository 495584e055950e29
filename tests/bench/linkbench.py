# SPDX-License-Identifier: BSD-3-Clause
"""The link layer alone (bench_link): settings link-loop and link-memif of run.py, and
instructions per message, which Valgrind counts."""
import os
import re
import shutil
import tempfile

from dpttest import Skip, built, need, spawn

SIZES = "64,1380,65000"
COUNTED_MSGS = 20000


def link_samples(mode, seconds, options):
    """one bench_link: its samples, those of rates with frames sent per message"""
    p = spawn([built("tests/bench/bench_link"), mode, "--seconds", "%g" % seconds, "--bytes", SIZES,
               *options])
    p.wait(seconds + 90, 0)
    samples, frames = [], {}
    for l in p.out.splitlines():
        words = dict(w.split("=", 1) for w in l.split()[1:] if "=" in w)
        if l.startswith("FRAMES "):
            frames[words["item"], words["bytes"]] = float(words["per_message"])
        if l.startswith("SAMPLE "):
            s = {k: v if k in ("item", "op", "class") else float(v) for k, v in words.items()}
            if s["op"] == "rate":
                s["frames"] = frames[words["item"], words["bytes"]]
            samples.append(s)
    need(samples, "bench_link measured nothing:\n" + p.out)
    return samples


def link_loop(seconds, cpus):
    return link_samples("loop", seconds, [])


def link_memif(seconds, cpus):
    return link_samples("pair", seconds, ["--cpus", "%d,%d" % tuple(cpus[:2])])


def count(function, size, tmp):
    """instructions per message in function and what it calls"""
    out = os.path.join(tmp, "out")
    p = spawn(["valgrind", "--tool=callgrind", "--callgrind-out-file=" + out,
               "--toggle-collect=%s*" % function, built("tests/bench/bench_link"), "loop",
               "--bytes", str(size), "--messages", str(COUNTED_MSGS)])
    p.wait(300, 0)
    msgs = re.search(r"^MSGS (\d+)$", p.out, re.M)
    refs = re.search(r"I\s+refs:\s+([\d,]+)", p.out)
    need(msgs and refs, "valgrind counted nothing:\n" + p.out)
    own = 0
    with open(out) as f:
        for l in f:
            m = re.match(r"(?:totals|summary): (\d+)", l)
            if m:
                own = int(m[1])
    need(own == int(refs[1].replace(",", "")), "valgrind says two things")
    return own / int(msgs[1])


def instructions():
    """{size: (send, receive)}"""
    if not shutil.which("valgrind"):
        raise Skip("valgrind is not installed")
    with tempfile.TemporaryDirectory() as tmp:
        return {size: tuple(count(f, size, tmp) for f in ("link_loop_send", "link_loop_receive"))
                for size in (64, 1380)}


def instructions_table(found):
    rows = ["| payload | to send one message | to receive one and acknowledge it |", "| --- | --- | --- |"]
    rows += ["| %d B | %.0f | %.0f |" % (size, *both) for size, both in found.items()]
    return "\n".join(rows)
