/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIXED_H
#define MIXED_H

/*
 * mixed: channels of all kinds in one epoll set that many threads wait on.
 *
 *     sender's end --- messages 0, 1, 2 ... of a generation ---> receiver's end --> its file
 *
 * An end is armed with EPOLLONESHOT, so one thread at a time works on it. When a generation is
 * over, both ends are closed and the next one is opened: descriptors' numbers wander between TCP,
 * pipes, files and TIPC all the time. RDM has acknowledgements, as nothing else limits a sender.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/tipc.h>

#define BYTES_MAX    3000
#define RDM_WINDOW   64
#define RDM_ACKED_BY 16

enum kind {
	KIND_TCP,
	KIND_PIPE,
	KIND_UNIX,
	KIND_SEQPACKET,
	KIND_STREAM,
	KIND_PAIR,
	KIND_RDM,
	KINDS
};

/* On the way; octets of a pattern follow. */
struct head {
	uint32_t channel, generation;
	uint32_t seq;
	uint32_t bytes; /* all of it, this head included */
};

struct end;

struct channel {
	uint32_t id;
	enum kind kind;
	uint32_t generation;
	uint32_t limit;		    /* messages of this generation */
	_Atomic uint32_t ends_left; /* of this generation, not closed yet */
	uint64_t messages, octets, generations;
	struct sockaddr_tipc rdm; /* the receiver's */
};

enum role { ROLE_SEND, ROLE_RECV, ROLE_LISTEN };

struct end {
	enum role role;
	enum kind kind;
	int fd;
	struct channel *channel; /* NULL: accepted, its first message will tell */
	uint32_t next;		 /* seq */
	uint32_t acked;		 /* RDM sender */
	int file;		 /* receiver: the seqs of what came, as a file */
	bool is_connected;
	size_t begin, part; /* sender: to send; receiver: had */
	uint8_t buf[2 * BYTES_MAX];
	struct sockaddr_tipc from; /* RDM receiver: of the last message */
};

/* ---- mixed.c ---- */

__attribute__((noreturn)) void mixed_die(const char *what, const char *file, int line);
#define MUST(call)                                                                                 \
	do {                                                                                       \
		if ((long)(call) < 0)                                                              \
			mixed_die(#call, __FILE__, __LINE__);                                      \
	} while (0)

/* Arm an end for these events; add: it is new in the set. */
void mixed_arm(struct end *end, uint32_t events, bool is_new);
/* Its file and descriptor are closed, and it is freed; the last of a channel begins anew. */
void mixed_close(struct end *end);
bool mixed_is_over(void);
struct channel *mixed_channel(uint32_t id);

/* ---- mixed_open.c ---- */

/* Listeners of all kinds that have them, armed. */
void mixed_listen(void);
void mixed_unlisten(void);
void mixed_accept(struct end *listener);
/* Both ends of the next generation, armed; of those with a listener the sender's. */
void mixed_open(struct channel *channel);

/* ---- mixed_move.c ---- */

void mixed_pattern(uint8_t *octets, const struct head *head);
void mixed_send(struct end *end, uint32_t events);
void mixed_recv(struct end *end);

#endif /* MIXED_H */
