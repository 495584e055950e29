/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ATTACH_H
#define ATTACH_H

/*
 * An attached process, on control's side. One request at a time: while it is with a worker
 * the connection is not read. Lives until its connection and all its sockets are closed,
 * which after fork() other processes may hold.
 *
 *   connected --HELLO--> attached --EOF--> connection closed --last socket--> DETACH --> freed
 */

#include "control.h"

enum attach_state {
	ATTACH_CONNECTED = 0, /* no region yet */
	ATTACH_SERVED = 1,
	ATTACH_LEAVING = 2, /* DETACH asked */
};

struct attach_sock {
	struct source source;
	struct attach *attach;
	struct request req; /* CLOSE */
	uint32_t idx;
	int fd; /* our end; -1: index is free */
	struct dpt_port port;
	bool is_open; /* the worker knows it */
	bool is_closing;
};

struct attach {
	struct source source;
	TAILQ_ENTRY(attach) link;
	struct garbage garbage, socks_garbage;
	struct control *control;
	enum attach_state state;
	uint8_t worker;
	uint32_t pid;
	bool is_admin;	  /* root, or dptipcd's own user */
	int refusal;	  /* errno that HELLO is answered with, 0: none */
	char program[16]; /* as ps shows it */
	int fd;		  /* connection; -1: closed */
	int memfd;
	int doorbell;
	uint64_t region_bytes;
	struct served served;
	struct attach_sock *socks; /* [served.layout.socks_cnt] */
	uint32_t socks_cnt;
	uint32_t idx_next; /* where the search for a free index begins */

	/* The request under way, and its answer when the connection is full. */
	bool is_asking;
	bool is_thrown_out; /* hostile: no socket may open any more */
	struct dpt_attach_msg msg;
	char note[DPT_ATTACH_NOTE_BYTES]; /* what stands behind msg: LINK_SET */
	struct request req;
	int peer_end;	 /* SOCKET: the application's end of the pair, to be sent */
	bool has_answer; /* msg (and text) could not be sent yet */
	char *text;	 /* INFO */
	size_t text_bytes;
	size_t text_sent;
	struct mgmt *mgmt;
};

/* Answer the request under way: attach->msg with result. fds: sent along, not taken over. */
void attach_answer(struct attach *a, int result, const int *fds, uint32_t fds_cnt);
/* The same for LINK_SET: text is sent along. */
void attach_answer_note(struct attach *a, int result, const char *text);
/* The same for INFO: a->text is sent, then freed. */
void attach_answer_text(struct attach *a);
/* Free what can be freed: call after a socket or the connection has gone. */
void attach_check_end(struct attach *a);

/* sockets.c */
void sockets_open(struct attach *a);
void sockets_close(struct attach_sock *sock);
void sockets_close_all(struct attach *a);

/* link_set.c. Do what a->msg and a->note ask for; attach_answer_note follows. */
void link_set_begin(struct attach *a);

/* mgmt.c. Begin the dump that a->msg asks for; attach_answer_text follows. */
void mgmt_begin(struct attach *a);

#endif /* ATTACH_H */
