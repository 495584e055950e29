# SPDX-License-Identifier: BSD-3-Clause
"""examples/hello on the kernel's AF_TIPC sockets: Python's socket module, no dptipc.

    python3 hello.py server TYPE INSTANCE
    python3 hello.py client TYPE INSTANCE TEXT [COUNT]

The server prints each message and echoes it. The client sends TEXT, prints the answer,
and with COUNT measures that many more round trips: "rtt MIN/P50/P99 us"."""
import socket
import sys
import time


def main():
    role, type_, instance = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    s = socket.socket(socket.AF_TIPC, socket.SOCK_RDM)
    if role == "server":
        s.bind((socket.TIPC_ADDR_NAMESEQ, type_, instance, instance, socket.TIPC_CLUSTER_SCOPE))
        print("bound %d:%d" % (type_, instance), flush=True)
        shown = 0
        while True:
            data, sender = s.recvfrom(66000)
            s.sendto(data, sender)
            if shown < 3:
                print("received \"%s\"" % data.decode("utf-8", "replace"), flush=True)
                shown += 1
    to, text = (socket.TIPC_ADDR_NAME, type_, instance, 0), sys.argv[4].encode()
    s.settimeout(5)
    s.sendto(text, to)
    print("answer \"%s\"" % s.recvfrom(66000)[0].decode("utf-8", "replace"), flush=True)
    took = []
    for _ in range(int(sys.argv[5]) if len(sys.argv) > 5 else 0):
        t0 = time.perf_counter_ns()
        s.sendto(text, to)
        s.recvfrom(66000)
        took.append((time.perf_counter_ns() - t0) / 1e3)
    if took:
        took.sort()
        print("rtt %.1f/%.1f/%.1f us" % (took[0], took[len(took) // 2], took[len(took) * 99 // 100]))


if __name__ == "__main__":
    main()
