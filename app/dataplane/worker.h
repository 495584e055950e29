/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WORKER_H
#define WORKER_H

/*
 * A worker: one lcore, one shard of the stack, the attachments that it serves. Everything
 * in here is the worker's own after worker_start, but what says [any] or [ctl].
 *
 *   bearers --rx--> stack --+--> applications (deliver.c)
 *   shards ------->         +--> bearers (worker.c)
 *   applications -->        +--> other shards (shards.c)
 *   (submit.c)
 *
 * Files: worker.c the loop; submit.c, deliver.c the two directions of shared memory; publish.c
 * what an application sees of a connection; shards.c the rings; idle.c what happens without
 * work; answer.c control's requests, answer_sock.c those on sockets.
 */

#include <stdatomic.h>

#include <rte_ring.h>

#include "args.h"
#include "clock.h"
#include "dpt_shm.h"
#include "request.h"
#include "stat_file.h"

/* Frames, submissions, messages of one turn from one source. Our choice: amortises a turn
 * without making it long; the stack's rx burst is bounded by 32 (dpt_stack.h). */
#define WORKER_BURST 32
/* Rings between shards, and to and from control. Our choice. */
#define WORKER_SHARD_RING   1024
#define WORKER_REQUEST_RING 4096
#define WORKER_ANSWER_RING  16384
/* Closed connections that wait for their peers' windows, of a worker. Our choice: far below
 * the requests that may be under way, so that others get through. */
#define WORKER_LINGER_MAX 512

/* Worker's side of a socket. */
struct served_sock {
	TAILQ_ENTRY(served_sock) busy_link;
	struct served *served;
	struct dpt_shm_sock *shm;
	struct dpt_log log;    /* receive log, we write */
	struct rte_mbuf *held; /* given out by the stack, no room in the log yet; the stack's */
	uint64_t given;	       /* messages written into the log */
	uint64_t done;	       /* of them, told to the stack as read */
	uint64_t returned;     /* of those given: up to here shutdown() has returned them */
	uint64_t drops;	       /* as last shown to the application */
	uint64_t unread_ns;    /* since when the reader has not moved; 0: nothing unread */
	uint64_t consumed;     /* rx_consumed as last seen */
	struct dpt_port port;
	uint32_t idx;
	int fd;
	enum dpt_sock_type type;
	enum dpt_sock_state state; /* as last published */
	uint32_t bindings_cnt;	   /* as last counted for the process */
	uint32_t tx_cost;	   /* of what was sent on the connection, modulo 2^32 */
	uint32_t credit_max;	   /* largest credit that was published */
	uint32_t held_cnt;	   /* requests in worker.held */
	uint32_t held_pass;	   /* worker.held_pass when one of them was looked at last */
	bool is_block_flow;	   /* as last published */
	bool is_open;
	bool is_busy;	    /* on the worker's busy list */
	bool is_more;	    /* the stack has messages that the log does not hold yet */
	bool is_ended;	    /* hang up when all has been delivered */
	bool is_room_asked; /* the application has filled the pair: empty it when it may send */
	/* We have hung up [ctl reads]: the next hang-up is the application's. */
	_Atomic bool is_hung;
};

static inline bool
served_sock_is_conn(const struct served_sock *sock)
{
	return sock->type == DPT_SOCK_STREAM || sock->type == DPT_SOCK_SEQPACKET;
}

struct served_channel {
	struct dpt_log log; /* submission log, we read */
	uint32_t socks_cnt; /* open sockets that use it */
	bool is_blocked;    /* its first record could not be taken */
	uint64_t retry_ns;  /* when it is tried again */
};

/* Worker's side of an attached process. Allocated by control, lent by ATTACH to DETACH. */
struct served {
	TAILQ_ENTRY(served) link;
	void *region;
	struct dpt_shm_hdr *hdr;
	struct dpt_shm_layout layout;
	struct served_channel channels[DPT_SHM_CHANNELS];
	struct served_sock *socks; /* [layout.socks_cnt] */
	uint32_t bindings_cnt;
	uint32_t bindings_max;
	struct dpt_sock_account account; /* memory of all that its sockets have queued */
	uint64_t refused_seen;		 /* account.refused as counted */
	bool is_attached;
	bool is_hostile;
	struct request hostile; /* told to control, once */
	void *attach;		/* control's */
};

TAILQ_HEAD(served_list, served);
TAILQ_HEAD(served_sock_list, served_sock);

/* A bearer as a worker sees it. */
struct worker_bearer {
	struct dpt_bearer *bearer; /* NULL: not open */
	uint16_t queue;
	bool has_queue; /* else worker 0 sends for us */
	bool is_up;	/* given to the stack: frames are wanted */
	int wait_fd;	/* negative: polled at intervals */
	struct rte_mbuf *tx[WORKER_BURST];
	uint16_t tx_cnt;
};

struct worker {
	struct dpt_stack *stack;
	struct dpt_socks *socks;
	uint64_t now_ns;
	uint32_t route_gen; /* as last told to the regions */
	uint32_t own_node;
	struct served_list served;
	struct served_sock_list busy; /* messages unread, or more to come */
	uint64_t scan_ns;	      /* when the busy ones are looked at again */
	bool is_stopped;
	bool has_answers;	     /* given in this turn: wake control at its end */
	bool is_more;		     /* delivery stopped at its bound: no sleep */
	struct request_list waiting; /* bind, unbind: for BIND_DONE */
	struct request_list held;    /* until what was sent before has gone out */
	uint32_t held_pass;	     /* number of the present look at them */
	uint32_t lingering_cnt;	     /* of them, closed ones that wait for a window */
	uint64_t request_id;
	_Atomic uint32_t links_gen; /* worker 0: grows when links come and go [ctl reads] */
	uint64_t idle_ns;	    /* since when without work; 0: working */
	uint64_t room_ns;	    /* present sleep while something waits for room */
	uint64_t poll_ns;	    /* present sleep while a bearer has to be polled */
	uint64_t idle_seen_ns;	    /* up to when idle time is counted */
	struct worker_bearer bearers[DPT_BEARERS_MAX];
	struct stat_worker stat;
	struct dpt_out out;

	uint8_t idx;
	uint8_t workers_cnt;
	enum args_idle idle;
	const struct clock *clock;
	struct worker *workers; /* all of them */
	struct rte_mempool *pool;
	struct dpt_rng rng;
	struct dpt_trace *trace;
	int epoll_fd;  /* [ctl adds and removes doorbells] */
	int wake_fd;   /* [any writes] */
	int answer_fd; /* control's */
	unsigned int lcore;

	/* Messages for other shards: rings[from] of the receiver; what did not fit. */
	struct rte_ring *shard_in[DPT_SHARDS_MAX];
	struct dpt_bufq shard_wait[DPT_SHARDS_MAX];
	struct rte_ring *tx_in[DPT_SHARDS_MAX]; /* worker 0: frames to send for others */
	struct rte_ring *requests;
	struct rte_ring *answers;

	/* 1: asleep or about to be: write wake_fd after putting something into a ring [any] */
	_Alignas(64) _Atomic uint32_t is_sleeping;
	/* The worker's alone to write [any reads]. */
	_Alignas(64) struct worker_counters counters;
};

/* rte_eal_remote_launch's function. arg: struct worker. */
int worker_main(void *arg);

/* Wake w when it sleeps: after a ring of its has been filled. Any thread. */
void worker_wake(struct worker *w);

/* After each call into the stack: events to control. */
void worker_events(struct worker *w);

/* Poll a bearer, and send by it, from now on: queue pair w->idx of it, where there is one. */
void
worker_bearer_add(struct worker *w, uint8_t id, struct dpt_bearer *bearer, uint16_t queues_cnt);
/*
 * Let go of a bearer that the stack has been told is down. What other shards said before, and
 * what waits to be sent (the last words of its links) goes out first. The other workers do that
 * before worker 0, which sends for those that have no queue.
 */
void worker_bearer_del(struct worker *w, uint8_t id);

/* submit.c. Take submissions of all attachments. Returns how many records. */
uint32_t submit_poll(struct worker *w);
/* Take what a process has submitted until now, but what has to wait for room. */
void submit_take(struct worker *w, struct served *s);
/* Up to where what a socket has submitted until now can reach in its channel's log. */
uint64_t submit_mark(const struct served_sock *sock);
/* Take it. false: congestion or no buffer, some of it has to wait; to be called again. */
bool submit_drain(struct worker *w, struct served_sock *sock, uint64_t mark);
/* A socket of congested ones may send again. */
void submit_writable(struct worker *w);
/* The socket may have become writable: empty its pair if it is filled. */
void submit_room(struct worker *w, struct served_sock *sock);
/* Wake whoever sleeps on one of two words of the socket that have been changed. */
void submit_wake(struct dpt_shm_sock *shm, _Atomic uint32_t *a, _Atomic uint32_t *b);
/* Is there a submission in any log? For going to sleep. */
bool submit_is_pending(const struct worker *w);
bool submit_is_blocked(const struct worker *w);

/* deliver.c. New messages, receipts, signals. Returns how many messages were written. */
uint32_t deliver_poll(struct worker *w);
/* Signal every socket with unread messages at once: before sleeping. */
void deliver_settle(struct worker *w);
/* The application asked: SIGNAL record. */
void deliver_signal_now(struct worker *w, struct served_sock *sock);
/* Receipts: rx_msgs, read once. Returns false when it cannot be true. */
bool deliver_receipts(struct worker *w, struct served_sock *sock);
/* Once everything is delivered: the descriptor shows hang-up from then on. */
void deliver_hang_up(struct worker *w, struct served_sock *sock);
/* shutdown(): the stack has returned all that was given out or held. Returns the position of
 * the receive log up to which that is so. */
uint64_t deliver_shut(struct served_sock *sock);
/* Receipts for the last time: what the application has read, told or not. */
void deliver_last(struct worker *w, struct served_sock *sock);
/* The same, and take the socket off the lists. */
void deliver_close(struct worker *w, struct served_sock *sock);
bool deliver_is_blocked(const struct worker *w);

/* publish.c. Connections that have changed. */
void publish_poll(struct worker *w);
/* One socket, now: before an answer after which the application looks. */
void publish_sock(struct worker *w, struct served_sock *sock);

/* shards.c. */
uint32_t shards_rx(struct worker *w);
void shards_tx(struct worker *w);
bool shards_is_pending(const struct worker *w);
/* A frame for a bearer of which this worker has no queue. */
void shards_forward(struct worker *w, struct rte_mbuf *m);

/* idle.c. work: what the turn did. */
void idle_turn(struct worker *w, uint32_t work);

/* answer.c. */
uint32_t answer_poll(struct worker *w);
/* Give a request back, done. */
void answer_give(struct worker *w, struct request *req, int rc);
/* The process behind s broke a rule of the region: stop serving it, tell control. */
void answer_hostile(struct worker *w, struct served *s);
/* answer_sock.c. Requests on sockets. Returns the result; 1: it is given later. */
int answer_sock(struct worker *w, struct request *req);
void answer_bind_done(struct worker *w, const struct dpt_event *event);
/* Those that wait for what was submitted before, once more. */
void answer_held(struct worker *w);
/* dump.c: fill a chunk. */
void dump_chunk(struct worker *w, struct chunk *chunk);

#endif /* WORKER_H */
