/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NL_H
#define NL_H

/*
 * Netlink, as the programs `tipc` and `ss` speak it (13-netlink.md): a connection to the attach
 * socket that DPT_ATTACH_NETLINK has turned into one. lib/netlink reads and writes the messages;
 * what they do is here.
 *
 *   record --> dpt_nl_next --> DO   --> get or set --> netlink_answer: data, then ACK or error
 *                         \--> DUMP --> struct netlink_dump: step, step, ... one datagram each
 *                                       time the client has read the one before --> DONE
 *
 * One command of a connection at a time: while a worker is asked nothing is read. While a dump is
 * open another dump is refused (-EBUSY) and a DO waits for its end. A connection holds one record,
 * one datagram of answers and one struct netlink_job, and the kernel one datagram of a dump for it:
 * so what a client asks for and never reads is bounded.
 *
 * Files: nl_conn.c connections; nl_get.c small gets and dumps, nl_get_link.c nodes, links and
 * monitors, nl_get_sock.c names and sockets; nl_diag.c what `ss` asks; nl_set.c what changes
 * something, nl_set_link.c bearers and links.
 */

#include "attach.h"
#include "dpt_nl.h"
#include "links.h"

/* Largest record that we take. Our choice: the tool's own buffer is as large. */
#define NETLINK_RECORD_BYTES 4096
/* Answers to a DO: an error may carry the request. */
#define NETLINK_OUT_BYTES (2 * DPT_NL_DATAGRAM_BYTES)

enum netlink_step {
	NETLINK_STEP_END,   /* all is said: DONE with job->rc follows */
	NETLINK_STEP_FULL,  /* the next message does not fit: again when the datagram is out */
	NETLINK_STEP_ASKED, /* a worker is asked: again with its answer */
};

struct netlink_job;

/* What a dump is made of. step appends what fits to job->out. */
struct netlink_dump {
	enum netlink_step (*step)(struct netlink_job *job);
	void (*end)(struct netlink_job *job); /* NULL: nothing to undo */
};

/* A peer as a job has seen it. */
struct netlink_node {
	uint32_t addr;
	uint8_t links_mask; /* bearers */
	uint8_t up_mask;
};

/* The command under way: lives as long as it. */
struct netlink_job {
	struct netlink *nl;
	struct dpt_nl_req req;
	uint8_t worker; /* that is asked */
	struct request ask;
	struct chunk chunk;

	/* DO. */
	void (*answered)(struct netlink_job *job); /* by the worker */
	void (*found)(struct netlink_job *job, const struct chunk_link *link);
	struct bearer_change bearer;
	struct link_change link;

	/* Dump. */
	const struct netlink_dump *dump; /* NULL: a DO */
	int rc;
	bool is_over;	/* DONE is what is left to say */
	uint32_t phase; /* step's own, as are the next */
	uint32_t pos;	/* entries of the chunk that are said */
	uint32_t idx;	/* of bearers, of nodes */
	struct sock_walk socks;
	struct netlink_node *nodes; /* ascending by address */
	uint32_t nodes_cnt;
	struct dpt_nl_out out;
	_Alignas(8) uint8_t data[DPT_NL_DATAGRAM_BYTES];
};

struct netlink {
	struct garbage garbage;
	struct conn *conn;
	struct dpt_nl_peer peer; /* is_admin: of the record's sender */
	struct netlink_job *job; /* NULL: none */
	bool is_running;	 /* netlink_run is at work */
	bool is_deaf;		 /* nobody reads any more */
	bool has_req;		 /* a DO that waits for the end of the dump */
	struct dpt_nl_req req;
	uint32_t record_bytes;
	uint32_t record_pos;
	struct dpt_nl_out out;
	_Alignas(8) uint8_t record[NETLINK_RECORD_BYTES];
	_Alignas(8) uint8_t data[NETLINK_OUT_BYTES];
};

/* ---- nl_conn.c ---- */

/* The end of a DO; its data, if any, is in nl->out. text: NULL for none. The job is gone. */
void netlink_answer(struct netlink_job *job, int rc, const char *text);
/* Something else than a worker does it; netlink_answer follows, maybe at once. */
void netlink_wait(struct netlink_job *job);
/* job->ask is filled but for done and owner. answered: of a DO; a dump's step comes again. */
void
netlink_ask(struct netlink_job *job, uint8_t worker, void (*answered)(struct netlink_job *job));
/* The same to have job->chunk filled; its cursor and what else goes in is set. */
void netlink_ask_chunk(struct netlink_job *job, uint8_t worker, enum chunk_kind kind,
		       void (*answered)(struct netlink_job *job));

/* The next piece of what goes over all workers: is_more: of this one, else of the one behind it.
 * Returns false when there is none. */
bool netlink_ask_next(struct netlink_job *job, bool is_more, enum chunk_kind kind,
		      void (*answered)(struct netlink_job *job));

/* ---- nl_get.c ---- */

/* NULL: no such dump. */
const struct netlink_dump *netlink_dump_of(uint8_t cmd);
/* Do a GET. Returns false when it is none. */
bool netlink_get(struct netlink_job *job);
/* The bearer of that name, or NULL. */
struct bearer_slot *netlink_bearer(struct control *control, const char *name);
/* Media by name; MEDIA_CNT: none. */
enum media netlink_media(const char *name);

/* ---- nl_get_link.c ---- */

#define NETLINK_BCAST_LINK "broadcast-link"

extern const struct netlink_dump netlink_dump_nodes;
extern const struct netlink_dump netlink_dump_links;
extern const struct netlink_dump netlink_dump_monitors;
extern const struct netlink_dump netlink_dump_monitor_peers;
void netlink_get_link(struct netlink_job *job);
/* found is called with the link of that name, in job->chunk; none: -EINVAL is the answer. */
void netlink_find_link(struct netlink_job *job,
		       void (*found)(struct netlink_job *job, const struct chunk_link *link));
/* A piece of CHUNK_PEERS is not the last one of its worker. */
bool netlink_peers_is_more(const struct chunk *chunk);
/* Name of what is received of a peer's broadcasts. Src: 11-management.md, C2. */
void netlink_bcast_name(struct dpt_node_addr peer, const struct dpt_node_id *id,
			char name[DPT_LINK_NAME_BYTES]);

/* ---- nl_get_sock.c ---- */

extern const struct netlink_dump netlink_dump_names;
extern const struct netlink_dump netlink_dump_socks;
extern const struct netlink_dump netlink_dump_publs;
/* A dump of sockets: put appends what it has to say of one, false: does not fit. */
enum netlink_step
netlink_socks_step(struct netlink_job *job,
		   bool (*put)(struct netlink_job *job, const struct chunk_socket *copy));
void netlink_socks_end(struct netlink_job *job);
/* What all dumps tell of a socket. */
void netlink_sock_fill(const struct netlink_job *job, const struct chunk_socket *copy,
		       struct dpt_nl_sock *sock);

/* ---- nl_diag.c ---- */

extern const struct netlink_dump netlink_dump_diag;

/* ---- nl_set.c, nl_set_link.c ---- */

/* Do what changes something. */
void netlink_set(struct netlink_job *job);
void netlink_set_bearer_enable(struct netlink_job *job);
void netlink_set_bearer_disable(struct netlink_job *job);
void netlink_set_bearer(struct netlink_job *job);
void netlink_set_bearer_add(struct netlink_job *job);
void netlink_set_link(struct netlink_job *job);
void netlink_set_stats_reset(struct netlink_job *job);

#endif /* NL_H */
