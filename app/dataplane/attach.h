/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ATTACH_H
#define ATTACH_H

/*
 * On control's side: connections to the attach socket, and attachments, regions with their
 * sockets. A process has one connection, made with HELLO, and its own attachment; who was
 * handed one of its sockets (exec, SCM_RIGHTS) makes one more to it, with ADOPT.
 *
 *   struct conn --+
 *   struct conn --+--> struct attach --> struct attach_sock [], one descriptor each
 *
 * One request of a connection at a time: while it is with a worker the connection is not
 * read. An attachment lives until its last connection and its last socket are closed, which
 * after fork() other processes may hold:
 *
 *   HELLO --> served --last connection, last socket--> DETACH --> freed
 */

#include "control.h"

enum attach_state {
	ATTACH_STARTING = 0, /* ATTACH asked */
	ATTACH_SERVED = 1,
	ATTACH_LEAVING = 2, /* DETACH asked */
};

struct attach;
struct netlink;

struct attach_sock {
	struct source source;
	struct attach *attach;
	LIST_ENTRY(attach_sock) by_cookie;
	struct request req; /* CLOSE */
	uint64_t cookie;    /* SO_COOKIE of the application's end */
	uint32_t inode;	    /* of that end, as /proc/PID/fd shows it */
	uint32_t idx;
	int fd; /* our end */
	struct dpt_port port;
	bool is_used; /* index and fd */
	bool is_open; /* the worker knows it */
	bool is_closing;
	bool is_hung_seen; /* the hang-up that we made was reported */
};

struct attach {
	TAILQ_ENTRY(attach) link;
	struct garbage garbage, socks_garbage;
	struct control *control;
	enum attach_state state;
	uint8_t worker;
	uint32_t uid;
	uint32_t pid;	  /* whose sockets they are: of the first connection that is left */
	char program[16]; /* as ps shows it */
	int memfd;
	int doorbell;
	uint64_t region_bytes;
	struct served served;
	struct attach_sock *socks; /* [served.layout.socks_cnt] */
	uint32_t socks_cnt;
	uint32_t conns_cnt;
	uint32_t idx_next;  /* where the search for a free index begins */
	bool is_thrown_out; /* hostile: no socket may open any more */
	struct request req; /* ATTACH, DETACH */
};

struct conn {
	struct source source;
	TAILQ_ENTRY(conn) link;
	struct garbage garbage;
	struct control *control;
	struct attach *attach; /* NULL: neither HELLO nor ADOPT yet */
	uint32_t uid;
	uint32_t pid;
	bool is_admin;	  /* root, or dptipcd's own user */
	int refusal;	  /* errno that HELLO is answered with, 0: none */
	char program[16]; /* as ps shows it */
	int fd;		  /* -1: closed */

	/* The request under way, and its answer when the connection is full. */
	bool is_asking;
	struct dpt_attach_msg msg;
	int msg_fd;			  /* came with msg; -1: none */
	char note[DPT_ATTACH_NOTE_BYTES]; /* what stands behind msg: LINK_SET */
	struct request req;
	int ends[2];	 /* the application's ends of new pairs, to be sent */
	bool has_answer; /* msg (and text) could not be sent yet */
	char *text;	 /* INFO */
	size_t text_bytes;
	size_t text_sent;
	struct netlink *nl; /* a netlink connection; else NULL */
};

/* Answer the request under way: conn->msg with result. fds: sent along, not taken over. */
void conn_answer(struct conn *conn, int result, const int *fds, uint32_t fds_cnt);
/* The same, text is sent along: LINK_SET, LINK_NAME. */
void conn_answer_note(struct conn *conn, int result, const char *text);
/* The same for INFO: conn->text is sent, then freed. */
void conn_answer_text(struct conn *conn);
/* Nobody is there, or shall be, any more. */
void conn_close(struct conn *conn);
/* Free it when it is closed and no answer is owed. */
void conn_check_end(struct conn *conn);

/* attach.c. Do what conn->msg asks for. */
void attach_request(struct conn *conn);
/* Free what can be freed: call after a socket or a connection has gone. */
void attach_check_end(struct attach *a);

/* sockets.c */
void sockets_open(struct conn *conn);
void sockets_accept(struct conn *conn);
void sockets_pair(struct conn *conn);
void sockets_close(struct attach_sock *sock);
void sockets_close_all(struct attach *a);
/* The socket whose application's end fd is, or NULL. */
struct attach_sock *sockets_of_fd(struct control *control, int fd);

/* link_set.c. Do what conn->msg and conn->note ask for; conn_answer_note follows. */
void link_set_begin(struct conn *conn);

/* mgmt.c. Begin the dump that conn->msg asks for; conn_answer_text follows. */
void mgmt_begin(struct conn *conn);

/*
 * sock_walk.c. A walk over the sockets of the attachments that there are at its beginning;
 * attachments may come and go meanwhile. The next sockets go into the chunk, of one worker;
 * false: the end. sock_walk_end belongs to every beginning.
 */
struct sock_walk {
	LIST_ENTRY(sock_walk) link;
	struct attach *at; /* NULL: at the end */
	struct attach *last;
	uint32_t idx; /* of its next socket */
};
void sock_walk_begin(struct control *control, struct sock_walk *walk);
bool sock_walk_next(struct sock_walk *walk, struct chunk *chunk, uint8_t *worker);
void sock_walk_end(struct sock_walk *walk);
/* The attachment goes: no walk may look at it any more. */
void sock_walk_attach_gone(struct control *control, struct attach *a);

/* nl_conn.c. The connection carries netlink from now on (DPT_ATTACH_NETLINK). */
void netlink_begin(struct conn *conn);
/* With its connection. */
void netlink_free(struct netlink *nl);

#endif /* ATTACH_H */
