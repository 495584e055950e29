/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_DPTIPCD_H
#define FAKE_DPTIPCD_H

/*
 * The other side of libdptipc, for its tests: a thread that plays the attach protocol and
 * the rings as dptipcd does, and does what the test says. No TIPC in it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dpt_attach.h"
#include "dpt_shm.h"

struct fake;

/* How it answers HELLO; zeroed: as it should. */
struct fake_cfg {
	uint32_t abi_version; /* 0: ours */
	int hello_result;
	bool is_unsealed;
	bool is_mute;	     /* closes the connection instead of answering */
	bool has_bad_region; /* magic is wrong */
};

/* Listens on the abstract name when this returns. */
struct fake *fake_start(const char *name, const struct fake_cfg *cfg);
/* Gone at once, as killed: every descriptor closed, nothing said. Frees. */
void fake_stop(struct fake *fake);

/* A message for the application. */
struct fake_msg {
	uint32_t port;
	uint32_t node;
	uint32_t type; /* enum dpt_data_type */
	bool has_name;
	uint32_t name[3];
	uint8_t errcode;
	const void *payload;
	uint32_t bytes;
};
/*
 * Write it into the receive log of socket idx of the process that attached last, and make the
 * descriptor readable. false: the log is full.
 */
bool fake_deliver(struct fake *fake, uint32_t idx, const struct fake_msg *msg);
/* The same, but the descriptor is left alone: the dataplane is about to look again. */
bool fake_deliver_quietly(struct fake *fake, uint32_t idx, const struct fake_msg *msg);

/* What it says that a queued message is charged. */
#define FAKE_CHARGE_BYTES 768

/* What the application sent. */
struct fake_send {
	uint32_t idx;
	uint8_t addrtype, importance, flags;
	uint32_t addr[3];
	uint32_t seq;
	uint32_t conn_timeout_ms;
	uint32_t bytes;
	uint8_t head[32]; /* of the payload */
	uint64_t sum;	  /* of the payload's octets */
};
/* Sends seen so far; number i of them. */
uint32_t fake_sends_cnt(struct fake *fake);
struct fake_send fake_send_get(struct fake *fake, uint32_t i);
/* SIGNAL records seen. */
uint32_t fake_signals_cnt(struct fake *fake);

/* Result of sends that want one, from now on: 0 or errno. */
void fake_result_set(struct fake *fake, int result);
/* While held, submission logs are not read. */
void fake_hold(struct fake *fake, bool is_held);
/* Records wait in a submission log. */
bool fake_has_pending(struct fake *fake);
void fake_congested_set(struct fake *fake, uint32_t idx, bool is_congested);
void fake_route_gen_bump(struct fake *fake);
void fake_own_node_set(struct fake *fake, uint32_t node);
/* Requests on the attach socket, answers: the last one, and what it will be told. */
struct dpt_attach_msg fake_request_last(struct fake *fake);
void fake_answer_set(struct fake *fake, int result);
/* A stale answer goes out before each right one. */
void fake_stale_answers(struct fake *fake, bool is_on);

/* The region and its socket entry as dptipcd has it. */
void *fake_region(struct fake *fake, struct dpt_shm_layout *layout);
struct dpt_shm_sock *fake_sock(struct fake *fake, uint32_t idx);
/* The socket's last descriptor was closed. */
bool fake_is_closed(struct fake *fake, uint32_t idx);
/* Every send is delivered to the socket that sent it. */
void fake_echo(struct fake *fake, bool is_on);

#endif /* FAKE_DPTIPCD_H */
