/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLIENT_RX_PRIV_H
#define CLIENT_RX_PRIV_H

/* What the receiving sources of libdptipc share; the end of client_priv.h. */

#include "client_priv.h"

/* client_rx.c */
/* The receive log of a socket, opened for reading, with rx taken. */
struct rx {
	const struct sock *s;
	struct dpt_log log;
	enum lock_state lock;
};
void rx_open(const struct sock *s, struct rx *rx);
void rx_close(struct rx *rx);
/* All that is there has been read: tell, and let the descriptor be quiet. */
void rx_settle(struct rx *rx);
/* Go past a record of that size. */
void rx_consume(struct rx *rx, uint32_t bytes);
/* Is something there? Takes and gives rx. */
bool rx_has(const struct sock *s);
/* After the answer to SHUTDOWN: skip what dptipcd has returned. Called with rx taken. */
void recv_skip(const struct sock *s, uint64_t pos);
/* Messages queued, and what they are charged; dptipcd is asked. Returns 0 or errno. Takes and
 * gives rx. */
int recv_queue(const struct sock *s, uint32_t *msgs, uint32_t *charge);
/* All that was read is published. Called with rx taken. */
void recv_publish(const struct sock *s);

/* A message as it lies in the log. */
struct message {
	const struct dpt_rec_data *rec;
	const uint8_t *payload;
	uint32_t bytes;	    /* of payload */
	uint32_t rec_bytes; /* of the record */
	bool has_name;
	bool is_end; /* of a connection: bears an error code */
};
enum rx_look { RX_NONE, RX_DATA, RX_SYN, RX_BROKEN };
/* What is next; nothing is consumed. */
enum rx_look rx_look(struct rx *rx, struct message *m);

/* client_cmsg.c */
/* 16.5, 16.6 */
void name_put(struct msghdr *msg, const struct message *m);
void cmsgs_put(const struct sock *s, struct msghdr *msg, const struct message *m);
void message_from(const struct message *m, struct sockaddr_tipc *from);
/* Type, lower, upper. false: none. */
bool message_name(const struct sock *s, const struct message *m, uint32_t name[3]);
/* Copy into the vector, skipping its first octets. Returns octets copied. */
uint32_t iov_fill(const struct msghdr *msg, size_t skip, const uint8_t *from, uint32_t bytes);

/* client_recv.c */
/* 16.1, rows 2 and 3: 0 or errno; nothing for connectionless types. Takes the pending error. */
int recv_conn_check(const struct sock *s);

/* client_recv_wait.c */
#define WAIT_END (-1)
/* Nothing there: wait. deadline_ns: 0 on the first call. Returns 0: look again; errno; WAIT_END. */
int wait_message(struct sock *s, const struct dpt_log *log, bool is_nonblock, int64_t *deadline_ns);

#endif /* CLIENT_RX_PRIV_H */
