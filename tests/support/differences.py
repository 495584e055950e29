# SPDX-License-Identifier: BSD-3-Clause
"""What ours prints beside what a kernel's did, and lists of the differences that are wanted:

    == NAME            one or more of these lines
    reason: TEXT
    - LINE             of the kernel
    + LINE             of ours instead
"""
import difflib


def difference(kernel, ours):
    """[line with - or + in front]"""
    out = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, kernel, ours, False).get_opcodes():
        if tag != "equal":
            out += ["- " + l for l in kernel[a:b]] + ["+ " + l for l in ours[c:d]]
    return out


def wanted_differences(path):
    """{name: (reason, [line with - or + in front])} of such a list"""
    wanted, names, reason, body = {}, [], "", []
    with open(path) as f:
        for l in f.read().splitlines() + ["== "]:
            if l.startswith("== "):
                if body:
                    wanted.update({n: (reason, body) for n in names})
                    names, reason, body = [], "", []
                names.append(l[3:])
            elif l.startswith("reason: "):
                reason = l[8:]
            elif l.startswith(("- ", "+ ")) or l in ("-", "+"):
                body.append(l + " " * (len(l) == 1))
    return wanted
