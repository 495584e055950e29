/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_H
#define CONTROL_H

/*
 * The control thread: the main lcore, asleep in epoll. Listens for applications, keeps their
 * attach connections and socket pairs, asks workers (request.h), obeys signals. Everything
 * here is the control thread's.
 *
 * Files: control.c epoll, requests, signals; listen.c who may attach; conn.c a connection of a
 * process, attach.c its region and its requests; sockets.c its sockets; mgmt.c text dumps;
 * carrier.c bearers up and
 * down; links.c, link_set.c, steer.c what concerns links.
 */

#include <sys/epoll.h>
#include <sys/queue.h>

#include "args.h"
#include "control_counters.h"
#include "dpt_attach.h"
#include "dpt_bearer.h"
#include "stat_file.h"
#include "worker.h"

/* Attachments, and connections to them, at a time. Our choice: three descriptors each. */
#define CONTROL_ATTACHES_MAX 4096
#define CONTROL_CONNS_MAX    4096
/* Of the table that finds a socket by its cookie. Our choice: some sockets each. */
#define CONTROL_COOKIE_BUCKETS 16384
/* Look at the carriers of bearers in this rhythm. Our choice. */
#define CONTROL_CARRIER_MS 100

/* What epoll watches: the first member of whatever it belongs to. */
struct source {
	void (*event)(struct source *source, uint32_t events);
};

struct bearer_slot {
	struct dpt_bearer *bearer;
	struct dpt_bearer_info info;
	struct dpt_stack_bearer cfg;
	char name[ARGS_BEARER_BYTES];
	bool is_up;	/* told to the stack */
	bool is_asking; /* req is with worker 0 */
	struct request req;
	struct control *control;
	struct source carrier;
	int carrier_fd; /* negative: none */
	uint64_t carrier_losses;
	uint64_t carrier_returns;
	struct steer *steer; /* NULL: nothing steered yet */
};

struct control_worker {
	struct request_list wait; /* not in the ring yet */
	uint32_t under_way;	  /* in the ring or with the worker */
	uint32_t attaches_cnt;
};

/* Memory that events of the present batch may still point to. */
struct garbage {
	STAILQ_ENTRY(garbage) link;
	void *mem;
};

struct attach;
TAILQ_HEAD(attach_list, attach);
struct conn;
TAILQ_HEAD(conn_list, conn);
struct attach_sock;
LIST_HEAD(cookie_bucket, attach_sock);

struct listener {
	struct source source;
	struct control *control;
	int fd;
};

struct control {
	const struct args *args;
	struct worker *workers;
	uint8_t workers_cnt;
	struct bearer_slot bearers[DPT_BEARERS_MAX];
	struct rte_mempool *pool;
	struct clock *clock;
	struct control_worker of[DPT_SHARDS_MAX];
	int epoll_fd;
	int answer_fd; /* eventfd, workers write */
	int signal_fd;
	int spare_fd; /* given up to refuse a connection when descriptors run out */
	struct source answers;
	struct source signals;
	struct listener listeners[2]; /* abstract name, path */
	uint32_t listeners_cnt;
	struct attach_list attaches;
	uint32_t attaches_cnt;
	struct conn_list conns;
	uint32_t conns_cnt;
	uint32_t socks_cnt;
	struct cookie_bucket cookies[CONTROL_COOKIE_BUCKETS];
	STAILQ_HEAD(, garbage) garbage;
	struct request stop_reqs[DPT_SHARDS_MAX];
	uint32_t refused_attaches; /* by access rule or for lack of room */
	int timeout_ms;		   /* of the loop; negative: nothing has to be looked at */
	bool is_steering;	   /* steer_walk is under way */
	uint32_t steer_gen;	   /* links_gen for which it began */
	struct links_walk *steer_walk;
	uint64_t link_sets;	   /* changes of properties */
	uint32_t hostile_attaches; /* detached for breaking a rule of the region */
	uint64_t refused_sockets;  /* beyond what a process or the node may have */
	uint64_t adoptions;	   /* connections to attachments of others */
	bool is_stopping;
	bool is_stopped;
	struct stat_file stat;
	char stat_why[256]; /* why there is no stat file */
};

/* Prepare; the listening sockets are open afterwards. Returns 0, or -1 with a line in error. */
int control_init(struct control *control, char *error, size_t error_bytes);
/* Serve until SIGTERM or SIGINT, then stop the workers. */
void control_run(struct control *control);
void control_fini(struct control *control);

int control_watch(struct control *control, int fd, struct source *source, uint32_t events);
void control_watch_mod(struct control *control, int fd, struct source *source, uint32_t events);
void control_unwatch(struct control *control, int fd);
/* free() when the present batch of events is over. */
void control_free_later(struct control *control, struct garbage *garbage, void *mem);

/* Ask a worker: req->op and its arguments are set, done is called with the answer. */
void control_ask(struct control *control, uint8_t worker, struct request *req);

/* listen.c */
int listen_open(struct control *control, char *error, size_t error_bytes);
void listen_close(struct control *control);

/* carrier.c. Tell the stack of bearers that came or went. After each batch of events. */
int carrier_init(struct control *control);
void carrier_look(struct control *control);
/* All bearers down: the end. */
void carrier_stop(struct control *control);

/*
 * conn.c. fd: a fresh connection; it is taken over. refusal: what its HELLO is answered
 * with, 0: the peer may attach. (An answer before the question could get lost.)
 */
struct ucred;
void conn_new(struct control *control, int fd, const struct ucred *peer, int refusal);
/* attach.c. The dataplane stops: every process sees it at once. */
void attach_stop_all(struct control *control);
void attach_free_all(struct control *control);

#endif /* CONTROL_H */
