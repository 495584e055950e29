/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFORM_H
#define CONFORM_H

/*
 * The conformance suite: cases against the plain AF_TIPC calls. Each prints what the calls
 * gave; the same sources run on the kernel and, with -include over_dptipc.h, on libdptipc, and
 * the two transcripts are compared.
 *
 * A case is named after the rule it tries: 09_5_1_row3_... is row 3 of the table of
 * doc/protocol/09-socket-api.md, 5.1. It runs in a process of its own, with a time limit.
 * A transcript names nothing that may differ from run to run: ports and nodes have names
 * (KNOW), service types are printed as T, T+1 ..., and there are no times.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/tipc.h>

#ifndef SOL_TIPC
#define SOL_TIPC 271
#endif
#ifndef AF_TIPC
#define AF_TIPC 30
#endif

#define MSG_MAX 66000

/* ---- cases ---- */

enum case_kind { ALONE, PAIR };

void conform_add(const char *name, const char *suffix, void (*function)(int), int arg, int limit_s,
		 enum case_kind kind);

#define CASE_FULL(id, kind, limit_s, add, arg_name)                                                \
	static void case_##id(int arg_name);                                                       \
	__attribute__((constructor)) static void add_##id(void)                                    \
	{                                                                                          \
		const char *const name = #id;                                                      \
		void (*const f)(int) = case_##id;                                                  \
		const int limit = limit_s;                                                         \
		const enum case_kind k = kind;                                                     \
                                                                                                   \
		add                                                                                \
	}                                                                                          \
	static void case_##id(__attribute__((unused)) int arg_name)
#define ADD_ONE conform_add(name, "", f, 0, limit, k);
#define ADD_CONN                                                                                   \
	conform_add(name, "_seqpacket", f, SOCK_SEQPACKET, limit, k);                              \
	conform_add(name, "_stream", f, SOCK_STREAM, limit, k);
#define ADD_LESS                                                                                   \
	conform_add(name, "_rdm", f, SOCK_RDM, limit, k);                                          \
	conform_add(name, "_dgram", f, SOCK_DGRAM, limit, k);
#define ADD_TYPES                                                                                  \
	ADD_CONN                                                                                   \
	ADD_LESS

/* One case; one per connection type; per connectionless type; per type. */
#define CASE(id)		   CASE_FULL(id, ALONE, 6, ADD_ONE, arg)
#define CASE_LIMIT(id, limit_s)	   CASE_FULL(id, ALONE, limit_s, ADD_ONE, arg)
#define CASE_CONN(id)		   CASE_FULL(id, ALONE, 6, ADD_CONN, type)
#define CASE_LESS(id)		   CASE_FULL(id, ALONE, 6, ADD_LESS, type)
#define CASE_TYPES(id)		   CASE_FULL(id, ALONE, 6, ADD_TYPES, type)
#define CASE_CONN_LIMIT(id, limit) CASE_FULL(id, ALONE, limit, ADD_CONN, type)
/* One per row of a table whose entries begin with their name. */
#define CASE_ROWS(id, rows) CASE_ROWS_LIMIT(id, rows, 6)
#define CASE_ROWS_LIMIT(id, rows, limit_s)                                                         \
	CASE_FULL(id, ALONE, limit_s,                                                              \
		  for (size_t i = 0; i < sizeof(rows) / sizeof((rows)[0]); i++)                    \
			  conform_add(name, (rows)[i].name, f, (int)i, limit, k);                  \
		  , row)

/* What the program does when a case has it executed anew: --exec WHAT FD (case_09_25.c). */
int conform_exec(int argc, char **argv);

/* ---- the transcript (say.c) ---- */

void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
long say_result(const char *call, long value);
int say_fd(const char *call, long value);
const char *errno_name(int number);

/* A call as it stands in the source, and what it gave. FD: a descriptor's number is not told. */
#define DO(call) say_result(#call, (errno = 0, (long)(call)))
#define FD(call) say_fd(#call, (errno = 0, (long)(call)))

void know(int fd, const char *name);
void know_ref(uint32_t ref, uint32_t node, const char *name);
#define KNOW(fd) know(fd, #fd)
const char *addr_text(const struct sockaddr_tipc *addr, socklen_t len);
const char *data_text(const void *data, size_t len);
const char *poll_text(short bits);
const char *flags_text(int flags);

/* recvmsg with room for all, and what came; with NONE only after things have settled, without
 * waiting. RX_FULL: octets of data, flags, octets for the address, octets for control data. */
long rx(const char *who, int fd, size_t len, int flags, size_t name_len, size_t ctl_len);
#define RX(fd)			 rx(#fd, fd, MSG_MAX, 0, 128, 4096)
#define RX_FLAGS(fd, len, flags) rx(#fd " " #len " " #flags, fd, len, flags, 128, 4096)
#define RX_FULL(fd, len, flags, name, ctl)                                                         \
	rx(#fd " " #len " " #flags " name " #name " control " #ctl, fd, len, flags, name, ctl)
#define NONE(fd) (settle(), rx(#fd " MSG_DONTWAIT", fd, MSG_MAX, MSG_DONTWAIT, 128, 4096))

/* recv, without control data, and what came. */
long rd(const char *who, int fd, size_t len, int flags);
#define RD(fd, len, flags) rd(#fd ", " #len ", " #flags, fd, len, flags)

/* Poll bits now, after things have settled; or wait (silently) until some of them are there. */
void bits(const char *who, int fd);
#define BITS(fd) bits(#fd, fd)
void await(int fd, short events);

long option_get(const char *what, int fd, int level, int name);
#define GETOPT(fd, level, name) option_get(#fd ", " #level ", " #name, fd, level, name)
#define SETOPT(fd, level, name, value)                                                             \
	say_result("setsockopt(" #fd ", " #level ", " #name ", " #value ")",                       \
		   (errno = 0, set_u32(fd, level, name, value)))

/* ---- sockets (help.c) ---- */

/* The case's own service type; T + 1 .. T + 9 are its too. */
extern uint32_t T;

/* What must work, silently; else the case ends and says so. */
int must(const char *what, long value);
#define MUST(call) must(#call, (errno = 0, (long)(call)))

uint32_t own_node(void);
uint32_t ref_of(int fd);
/* Addresses, in storage of a ring: valid for a dozen more calls of the thread. */
struct sockaddr_tipc *new_addr(int addrtype);
const struct sockaddr *svc(uint32_t type, uint32_t instance);
const struct sockaddr *svc_at(uint32_t type, uint32_t instance, uint32_t domain);
const struct sockaddr *svc_scope(uint32_t type, uint32_t instance, int scope);
const struct sockaddr *rng(uint32_t type, uint32_t lower, uint32_t upper);
const struct sockaddr *rng_scope(uint32_t type, uint32_t lower, uint32_t upper, int scope);
const struct sockaddr *at(uint32_t ref, uint32_t node);
const struct sockaddr *at_fd(int fd);
#define ALEN ((socklen_t)sizeof(struct sockaddr_tipc))

int sk(int type);
int bound(int type, uint32_t instance);
int listener(int type, uint32_t instance);
int set_u32(int fd, int level, int name, uint32_t value);
int set_time(int fd, int name, int ms);
void nonblock(int fd, bool is_on);
/* TIPC_DEST_DROPPABLE off: what cannot be delivered comes back. */
int returning(int type);

/* Listener, client and accepted socket of a connection; their names are known. */
struct trio {
	int l, c, s;
};
struct trio connected(int type);
struct trio connected_types(int listener_type, int client_type, bool is_by_name);
int start_connect(int type, const struct sockaddr *to);

/* Until messages that were sent inside the node have arrived. The kernel has delivered them when
 * the send returns, so there is nothing to do. */
void settle(void);
/* As settle, and where something happens by itself: timers, the topology server. */
void quiet(void);
/* Read what is queued: an end whose window is exhausted would be closed 8 seconds late. */
void drain(int fd);
void nap(int ms);

/* Octet i of a pattern. */
void fill(void *data, size_t len, uint32_t seed);
uint32_t sum_of(const void *data, size_t len);
extern uint8_t big[1 << 20];

/* Send messages of len octets without waiting until it cannot; how many went. */
int fill_up(int fd, size_t len);
int fill_up_to(int fd, size_t len, const struct sockaddr *to, int most);

pthread_t begin(void *(*function)(void *), void *arg);
void finish(pthread_t thread);
/* SIGALRM again and again, so that one meets the call that it is for; until calm(). flags: of the
 * handler, which does nothing. */
void alarms(int flags);
void calm(void);
/* Since alarms() one has come. */
void until_signalled(void);
/* The other threads of the process sleep in their calls. */
void until_others_sleep(void);

/* ---- two nodes (pair.c) ---- */

#define PAIR_CASE(id)		      CASE_FULL(id, PAIR, 20, ADD_ONE, arg)
#define PAIR_TYPES(id)		      CASE_FULL(id, PAIR, 20, ADD_TYPES, type)
#define PAIR_CONN(id)		      CASE_FULL(id, PAIR, 20, ADD_CONN, type)
#define PAIR_LESS(id)		      CASE_FULL(id, PAIR, 20, ADD_LESS, type)
#define PAIR_CASE_LIMIT(id, limit_s)  CASE_FULL(id, PAIR, limit_s, ADD_ONE, arg)
#define PAIR_CONN_LIMIT(id, limit_s)  CASE_FULL(id, PAIR, limit_s, ADD_CONN, type)
#define PAIR_TYPES_LIMIT(id, limit_s) CASE_FULL(id, PAIR, limit_s, ADD_TYPES, type)

/* 0 or 1: which of the two programs this is. */
extern int role;
extern const char *case_name;
/* Give the other program a number and take its; both wait for each other. */
uint32_t swap(uint32_t mine);
/* Have the runner do something: "cut" the wire, "heal" it. */
void runner(const char *what);
extern uint32_t peer_node;
/* As fill_up, but not stopped by a congested link. */
int fill_window(int fd, size_t len);
/* Wait until a binding of the other node is known here (or is not any more). */
void await_name(uint32_t type, uint32_t instance, bool is_wanted);

/* Subscriptions, for both. */
struct tipc_subscr
subscription(uint32_t type, uint32_t lower, uint32_t upper, uint32_t timeout, uint32_t filter);
int topology(int type);
void subscribe(int fd, uint32_t type, uint32_t lower, uint32_t upper, uint32_t filter);
long event(const char *who, int fd, bool is_waiting);
#define EVENT(fd)    event(#fd, fd, true)
#define NO_EVENT(fd) (quiet(), event(#fd, fd, false))

#endif /* CONFORM_H */
