# SPDX-License-Identifier: BSD-3-Clause
"""Recorded runs of `tipc` and `ss` (tests/data/tipc-tool-golden): read, made comparable, compared.

A run is compared as lines: "exit STATUS", then standard output as it is, standard error with "! " in
front. Names, texts, order and form must be equal; what differs from run to run is replaced first
(comparable(), below). tool_differences.txt lists where ours may be, and then must be, another one: names
in it are SCENARIO/LABEL (tests/support/differences.py).
"""
import os
import re
import shlex

HERE = os.path.dirname(os.path.realpath(__file__))
FOLDER = os.path.join(HERE, "../data/tipc-tool-golden")
DIFFERENCES = os.path.join(HERE, "tool_differences.txt")
NO_NEWLINE = "\\ no newline at end"


class Run:
    """One command: what it was, and what came of it."""

    def __init__(self, scenario, label, argv, status, out, err):
        self.scenario, self.label, self.argv = scenario, label, argv
        self.status, self.out, self.err = status, out, err
        self.name = "%s/%s" % (scenario, label)


def scenarios():
    return sorted(f[:-4] for f in os.listdir(FOLDER) if re.match(r"\d\d", f))


def read(scenario):
    """[Run] of one file"""
    with open(os.path.join(FOLDER, scenario + ".txt")) as f:
        parts = re.split(r"^=== (\S+)\n", f.read(), flags=re.M)
    return [_record(scenario, label, body) for label, body in zip(parts[1::2], parts[2::2])]


def _record(scenario, label, body):
    head, *rest = re.split(r"^--- (stdout|stderr|netlink)\n", body, flags=re.M)
    m = re.match(r"\$ (.*)\nexit (\d+)[^\n]*\n", head)
    texts = dict(zip(rest[::2], rest[1::2]))
    out, err = (texts.get(k, "").replace("\n" + NO_NEWLINE + "\n", "") for k in ("stdout", "stderr"))
    return Run(scenario, label, shlex.split(m[1]), int(m[2]), out, err)


# ------------------------------------------------------------ what varies

# Counters of a unicast link: what is replaced by N, in lines of text and in JSON; "traffic": packets
# of broadcast links too, where names went over them.
_JSON_STATES = "rx states|tx states|probes|acks"
_JSON_ALL = _JSON_STATES + (
    "|rx packets|tx packets|fragments|fragmented|bundles|bundled|tx profile sample|packets average|0-64|-256|"
    "-1024|-4096|-16384|-32768|-66000|naks|defs|dups|retrans|congestion link|send queue max|avg")
COUNTERS = {
    "all": (r"([:/])\d+", r'("(?:%s)": ?)\d+' % _JSON_ALL),
    "states": (r"((?:states|probes|acks):)\d+", r'("(?:%s)": ?)\d+' % _JSON_STATES),
    "none": (r"()(?!)", r"()(?!)"),
}
COUNTERS["traffic"] = COUNTERS["all"]
_PACKETS = (r"(packets:)\d+", r'("(?:rx|tx) packets": ?)\d+')


def _names(text):
    """port numbers of sockets in the name table; 0 and those of links stay"""
    text = re.sub(r"^((?!0 |2 )\d+ +\d+ +\d+ +(?:cluster|node) +)\d+ +", r"\1PORT ", text, flags=re.M)
    return re.sub(r'("type": ?(?!0,|2,)\d+,.*?"port": ?)\d+', r"\1PORT", text, flags=re.S)


def _blocks(lines, is_first):
    """lines in blocks, each begun by a line of which is_first is true"""
    blocks = []
    for l in lines:
        if is_first(l) or not blocks:
            blocks.append([])
        blocks[-1].append(l)
    return blocks


def _sockets(text):
    """`socket list`: no port numbers, and in an order of its own: the kernel's is arbitrary"""
    text = re.sub(r"^socket \d+", "socket PORT", text, flags=re.M)
    text = re.sub(r"(connected to [0-9a-f]+):\d+", r"\1:PORT", text)
    blocks = sorted(_blocks(text.splitlines(), lambda l: l.startswith("socket ")))
    return "".join(l + "\n" for b in blocks for l in b)


def _ss(text):
    """`ss`: as socket list; the widths of columns follow the longest port number"""
    text = re.sub(r"\b(\d+):\d+", r"\1:PORT", text)
    text = re.sub(r"ino:\d+ sk:[0-9a-f]+", "ino:INODE sk:COOKIE", text)
    text = re.sub(r"pid=\d+,fd=\d+", "pid=PID,fd=FD", text)
    # A heading runs into the next one where a column is narrow.
    text = text.replace("Address:PortProcess", "Address:Port Process")
    blocks = _blocks(text.splitlines(), lambda l: not l.startswith((" ", "\t")))
    lines = [re.sub(r"\s+", " ", " ".join(b)).strip() for b in blocks]
    head = lines[:1] if lines and lines[0].startswith("State") else []
    return "".join(l + "\n" for l in head + sorted(lines[len(head):]))


def _statistics(text, counters):
    is_bcast = re.compile(r'(Link <|"link": ?")broadcast-link')
    of_bcast = _PACKETS if counters == "traffic" else COUNTERS["none"]
    parts = re.split(r'(?=^Link <|"link": ?")', text, flags=re.M)
    return "".join(_counters(p, *(of_bcast if is_bcast.match(p) else COUNTERS[counters])) for p in parts)


def _counters(part, in_text, in_json):
    part = re.sub(in_json, r"\1N", part)
    return "\n".join(re.sub(in_text, r"\1N", l) if re.match(r"  (RX|TX|0-64|Congestion)", l) else l
                     for l in part.split("\n"))


def _monitor(text):
    text = re.sub(r'("(?:table_)?generation": ?)\d+', r"\1N", text)
    text = re.sub(r"(table_generation )\d+", r"\1N", text)
    text = re.sub(r"^(\d+\.\d+\.\d+ +(?:up|down) +(?:direct|indirect) +)\d+ *", r"\1N ", text, flags=re.M)
    return re.sub(r"(?<=N) $", "", text, flags=re.M)


def comparable(run, counters="all"):
    """The lines of a run, without what differs from run to run. counters: a key of COUNTERS."""
    words = [w for w in run.argv if not w.startswith("-")]
    out = run.out
    if words[0] == "ss":
        out = _ss(out)
    elif words[1:] == ["socket", "list"]:
        out = _sockets(out)
    elif words[1:2] == ["nametable"]:
        out = _names(out)
    elif words[1:4] == ["link", "stat", "show"]:
        out = _statistics(out, counters)
    elif words[1:3] == ["link", "monitor"]:
        out = _monitor(out)
    # A list of objects in one line is cut between them, so that differences are short.
    out = re.sub(r"(?<=\}),(?=\{)", ",\n", out)
    return ["exit %d" % run.status] + _lines("", out) + _lines("! ", run.err)


def _lines(front, text):
    lines = [front + l for l in text.split("\n")]
    return lines[:-1] if text.endswith("\n") or not text else lines + [front + NO_NEWLINE]
