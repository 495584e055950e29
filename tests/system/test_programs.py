#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Programs in C for plain AF_TIPC, as those of tipcutils are (tests/programs), unmodified, under
dptipc-run: a greeting, a server that forks per connection and its client with select, a
multicast, a watcher of the topology, a storm of connections, and one that mixes all with TCP,
pipes and files.

They know nothing of dptipc: tests/interop/test_programs.py runs the same on a kernel's TIPC.
"""
import os
import re
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(HERE, "../support"), HERE]
import daemon
import dpttest
from dpttest import built, equal, main, need, spawn, test
from preloaded import node, run_under, spawn_under, under


def program(name):
    return built("tests/programs/" + name)


@test
def greetings():
    d = node()
    server = spawn_under(d, [program("greet"), "server", "1000"])
    out = run_under(d, [program("greet"), "client", "1000"])
    server.wait(20, 0)
    equal(out, 'client: 1000 greetings, the last answer was "Uh ?"\n')
    equal(server.out, 'server: up\nserver: 1000 greetings, the last was "Hello World!"\n')


def fork_per_connection(kind, connections, rounds):
    d = node()
    server = spawn_under(d, [program("forkserver"), kind, connections])
    server.expect("up")
    out = run_under(d, [program("selecting"), kind, connections, rounds])
    server.wait(30, 0)
    need(out.startswith("selecting: %d connections, %d rounds each" % (connections, rounds)), out)
    equal(server.out, "forkserver: up\nforkserver: %d children, 0 failed\n" % connections)
    return out.split(", ")[-1].strip()


@test
def a_server_that_forks_and_a_client_with_select_seqpacket():
    return fork_per_connection("seqpacket", 20, 200)


@test
def a_server_that_forks_and_a_client_with_select_stream():
    return fork_per_connection("stream", 20, 200)


@test
def a_server_that_forks_is_used_by_many_programs():
    d = node()
    server = spawn_under(d, [program("forkserver"), "seqpacket", 40])
    server.expect("up")
    clients = [spawn_under(d, [program("selecting"), "seqpacket", 10, 50]) for _ in range(4)]
    for c in clients:
        c.wait(40, 0)
    server.wait(20, 0)
    need("40 children, 0 failed" in server.out, server.out)


@test
def a_multicast_reaches_all_in_order():
    d = node()
    receivers = [spawn_under(d, [program("blast"), "receiver", i]) for i in range(4)]
    out = run_under(d, [program("blast"), "sender", 4, 5000])
    equal(out, "sender: 5000 messages to 4 receivers\n")
    for i, r in enumerate(receivers):
        r.wait(20, 0)
        equal(r.out, "receiver %d: 5000 messages\n" % i)


@test
def the_topology_is_watched():
    d = node()
    watcher = spawn_under(d, [program("watch"), 18888, 0, 100, 4])
    watcher.expect("up")
    for _ in range(2):
        server = spawn_under(d, [program("greet"), "server", "1"])
        watcher.expect(r"^published \{18888, 17, 17\} port set, of \{18888, 0, 100\} watching$")
        # Killed: its name goes all the same.
        server.kill()
        watcher.expect(r"^withdrawn \{18888, 17, 17\} port set, of \{18888, 0, 100\} watching$")
    watcher.wait(20, 0)
    # (of TIPC_NODE_STATE: the own node)
    need(re.search(r"^published \{0, 16781313, 16781313\}", watcher.out, re.M), watcher.out)


@test(limit_s=300)
def a_storm_of_connections():
    threads, each = 8, 2000 if dpttest.long_run else 150
    out = run_under(node(), [program("storm"), threads, each], 280)
    need(out.startswith("storm: %d connections" % (threads * each)), out)
    return out.strip()


@test(limit_s=180)
def tcp_files_pipes_and_tipc_in_one_epoll_set():
    """8 threads, everything at once: tests/programs/mixed.h says how; it judges itself"""
    out = run_under(node(), [program("mixed"), 60 if dpttest.long_run else 10, 8], 150)
    moved = re.findall(r"^(\S+) +(\d+) messages", out, re.M)
    equal(len(moved), 7, "kinds of channels")
    need(all(int(n) for _, n in moved), "a kind without a message:\n" + out)
    fds = re.search(r"^descriptors: (\d+) before, (\d+) after$", out, re.M)
    equal(fds[1], fds[2], "open descriptors")
    return ", ".join("%s %s" % m for m in moved)


@test
def a_program_without_a_dptipcd_is_told():
    p = spawn(under("nobody-here", [program("greet"), "client", "1"]))
    status = p.wait(20)
    need(status != 0, "it ended well:\n" + p.out)
    need(re.search("Address family not supported|no dptipcd", p.out), p.out)


@test
def programs_of_two_nodes_talk():
    """two dptipcd with a link between them, each with programs of its own"""
    wire = "unix:" + daemon.new_name()
    a, b = (daemon.start("--node-addr", "1.1.%d" % n, "--bearer", wire) for n in (1, 2))
    server = spawn_under(a, [program("greet"), "server", "200"])
    run_under(b, [program("greet"), "client", "200"])
    server.wait(20, 0)
    forks = spawn_under(b, [program("forkserver"), "stream", 5])
    forks.expect("up")
    run_under(a, [program("selecting"), "stream", 5, 100])
    forks.wait(20, 0)
    receivers = [spawn_under(d, [program("blast"), "receiver", i]) for i, d in enumerate((a, b, b))]
    run_under(a, [program("blast"), "sender", 3, 1000])
    for r in receivers:
        r.wait(20, 0)


if __name__ == "__main__":
    main()
