/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_H
#define CONTROL_H

/*
 * The control thread: the main lcore, asleep in epoll. Listens for applications, keeps their
 * attach connections and socket pairs, asks workers (request.h), obeys signals. Everything
 * here is the control thread's.
 *
 * Files: control.c epoll, requests, signals; listen.c who may attach; conn.c a connection of a
 * process, attach.c its region and its requests; sockets.c its sockets; sock_walk.c a
 * walk over all of them; mgmt.c text dumps; nl_*.c netlink;
 * bearers.c bearers enabled and disabled, carrier.c up and down; links.c, link_set.c, steer.c what
 * concerns links; startup.c the start-up file.
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
	bool is_ready;	   /* the workers have it, and it is not being disabled */
	bool is_gone;	   /* its device has gone: it is going to be disabled */
	bool is_resetting; /* down and up again with another MTU: no carrier was lost */
	bool is_up;	   /* told to the stack */
	bool is_asking;	   /* req is with worker 0 */
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
struct sock_walk;
LIST_HEAD(sock_walk_list, sock_walk);

struct listener {
	struct source source;
	struct control *control;
	int fd;
};

/* What bearers of a media get when nothing else is said: `tipc media set`. */
enum media { MEDIA_ETH = 0, MEDIA_IB, MEDIA_UDP, MEDIA_CNT };
struct media_defaults {
	uint32_t priority;
	uint32_t tolerance_ms;
	uint32_t window_pkts;
	uint32_t mtu_bytes; /* udp only */
};

/*
 * bearers.c. Enable or disable a bearer while the node runs. Several steps through the workers:
 * done is called at the end, maybe at once, with rc 0 or negative errno and text (NULL: none), the
 * kernel's where it has one (13-netlink.md, 5.2, 5.3). One at a time: a second one waits for the
 * first.
 */
struct bearer_change {
	STAILQ_ENTRY(bearer_change) link;
	struct control *control;
	/* disable: the name alone, which is "media:device". Numbers that are 0 are those of the
	 * media; so a priority that was given as 0 is passed as 1, the lowest that our links have.
	 */
	struct args_bearer bearer;
	bool is_disable;
	void (*done)(struct bearer_change *change, int rc, const char *text);
	void *owner;
};

/* The changes that wait, in order; the first one is under way. */
struct bearer_changes {
	STAILQ_HEAD(, bearer_change) list;
	struct bearer_slot *slot; /* of the one under way */
	struct request reqs[DPT_SHARDS_MAX];
	uint8_t left; /* requests that are not answered yet */
	bool is_busy;
	bool is_leaving;  /* the slot is being emptied: disabled, or rolled back */
	int rc;		  /* and that is what is told in the end */
	const char *text; /* with this */
};

/* Peers of a bearer above which its monitor forms a ring. Src: 13-netlink.md, 5.18. */
#define NETLINK_MONITOR_THRESHOLD 32

/* What netlink connections did: nl_conn.c. */
struct netlink_counters {
	uint64_t conns; /* now */
	uint64_t requests;
	uint64_t refused;
	uint64_t dumps;
	uint64_t hostile;
};

/* Changes of links that wait: link_set.c. */
struct link_change;
struct link_changes {
	STAILQ_HEAD(, link_change) list;
	struct source timer;
	int timer_fd;
	uint64_t next_ns; /* not before that */
};

struct control {
	const struct args *args;
	uint32_t net_id; /* of the node now: args has that of the beginning */
	uint32_t monitor_threshold;
	struct media_defaults media[MEDIA_CNT];
	struct worker *workers;
	uint8_t workers_cnt;
	struct bearer_slot bearers[DPT_BEARERS_MAX];
	struct bearer_changes changes;
	struct startup *startup; /* NULL: no start-up file */
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
	struct sock_walk_list sock_walks;
	STAILQ_HEAD(, garbage) garbage;
	struct request stop_reqs[DPT_SHARDS_MAX];
	uint32_t refused_attaches; /* by access rule or for lack of room */
	int timeout_ms;		   /* of the loop; negative: nothing has to be looked at */
	bool is_steering;	   /* steer_walk is under way */
	uint32_t steer_gen;	   /* links_gen for which it began */
	struct links_walk *steer_walk;
	struct link_changes link_changes;
	uint64_t link_sets; /* changes of properties */
	struct netlink_counters netlink;
	uint32_t hostile_attaches; /* detached for breaking a rule of the region */
	uint64_t refused_sockets;  /* beyond what a process or the node may have */
	uint64_t adoptions;	   /* connections to attachments of others */
	bool is_stopping;
	bool is_stopped;
	bool is_failed; /* exit status 1 */
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

/* bearers.c. Media defaults from the options; no bearer yet. init. */
void bearers_init(struct control *control);
/* Open a bearer before the workers run: they take it by bearers_give. Returns 0, or -1 with a line
 * in error. init. */
int bearers_start(struct control *control, const struct args_bearer *arg, char *error,
		  size_t error_bytes);
/* Give a worker all open bearers: before it runs. */
void bearers_give(const struct control *control, struct worker *w);
/* Close what is open: the workers have ended. */
void bearers_close(struct control *control);
/* change is the caller's until done. */
void bearers_change(struct control *control, struct bearer_change *change);
/* carrier.c says: worker 0 has answered that the slot's bearer is up, or down. */
void bearers_told(struct bearer_slot *slot, int result);
/* carrier.c says: the device has gone. The bearer is disabled. */
void bearers_gone(struct bearer_slot *slot);

/* carrier.c. Tell the stack of bearers that came or went. After each batch of events. */
int carrier_init(struct control *control);
void carrier_look(struct control *control);
/* A bearer that the workers have from now on, or are about to lose. */
int carrier_begin(struct control *control, struct bearer_slot *slot);
void carrier_end(struct control *control, struct bearer_slot *slot);
/* BEARER_UP or BEARER_DOWN to worker 0, unless one is with it. */
void carrier_tell(struct control *control, struct bearer_slot *slot, bool is_up);
/* All bearers down: the end. */
void carrier_stop(struct control *control);

/* startup_file.c. Read the start-up file: before anything runs. *startup NULL: there is none.
 * Returns 0, or -1 with a line in error. */
int
startup_load(struct startup **startup, const struct args *args, char *error, size_t error_bytes);
void startup_free(struct startup *startup);
/* startup.c. Run its lines one after the other, while the node serves; then say "ready". */
void startup_begin(struct control *control);
/* The end, also in the middle of a line. */
void startup_end(struct control *control);

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
