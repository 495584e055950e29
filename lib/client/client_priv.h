/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLIENT_PRIV_H
#define CLIENT_PRIV_H

/*
 * What the sources of libdptipc share.
 *
 * State that forks share lies in the region, in the parts that dpt_shm.h leaves to the
 * application; the structs below say what is in them. State of one process: attachments
 * and the table of descriptors.
 *
 * Locks, taken in this order, each robust and shared between processes. The fast path of a
 * process with one thread that never forked takes none of them:
 *
 *     rx (a socket's receive log)  or  tx (a socket's sends)
 *       channel (a submission log)
 *     ctl (one request on the attach socket)
 *
 * None is held in a sleep, but for the short wait for dptipcd's answer to a send or request.
 */

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "client_hooks.h"
#include "dpt_attach.h"
#include "dpt_shm.h"
#include "dptipc.h"

/* In dpt_shm_hdr.client. */
struct client_hdr {
	pthread_mutex_t ctl;
	_Atomic uint32_t is_shared; /* 1 for ever once a second process knows the region */
	uint32_t cookie;	    /* last one used; under ctl */
	/* Of the process that attached: how deep it is inside locks that it has skipped. An adopter
	 * waits until it is 0, see adopt_settle. */
	_Atomic uint32_t unlocked_depth;
	uint32_t owner_pid;
};

/* In dpt_shm_channel.client. */
struct client_channel {
	pthread_mutex_t lock;
	uint64_t limit; /* of the log, so that consumed is read once per round */
};

/* A destination: as in sockaddr_tipc; addrtype 0: none. */
struct client_dest {
	uint32_t addrtype;
	uint32_t addr[3];
};

/* In dpt_shm_sock.tx_client. */
struct client_tx {
	pthread_mutex_t lock;
	uint32_t seq; /* of the last send */
	uint32_t gen; /* route_gen under which sent_to was accepted */
	union {
		struct client_dest sent_to; /* last destination accepted */
		uint32_t cost;		    /* connection types: of all that was sent on it */
	};
};

/* In dpt_shm_sock.opt_client. dest: under tx. */
struct client_opt {
	struct client_dest dest;     /* default destination */
	_Atomic int64_t rcvtimeo_ns; /* 0: none */
	_Atomic int64_t sndtimeo_ns;
	_Atomic uint32_t busy_poll_us;
	_Atomic uint32_t rcvbuf_bytes;
	_Atomic uint32_t rcvlowat;
	_Atomic uint16_t conn_timeout_ms;
	_Atomic uint8_t importance;
	_Atomic uint8_t is_src_droppable;
	_Atomic uint8_t is_dest_droppable;
	_Atomic uint8_t is_nonblock;   /* O_NONBLOCK as last seen */
	_Atomic uint8_t is_shut;       /* shutdown() was called */
	_Atomic uint8_t is_bind_sync;  /* DPTIPC_BIND_SYNC */
	_Atomic uint8_t is_bound;      /* it was once: its names have to go when it is closed */
	_Atomic uint8_t is_rcvbuf_set; /* SO_RCVBUF was changed */
	/* The importance of the connection was taken over: 8.2, 9.2. */
	_Atomic uint8_t has_conn_importance;
	uint8_t type; /* as dpt_shm_sock.type, which lies in a line that the dataplane writes */
};

/* Bits of dpt_shm_sock.rx_flags, under rx. */
#define CLIENT_RX_END 1 /* the end of the connection was read */

_Static_assert(sizeof(struct client_hdr) <= sizeof(((struct dpt_shm_hdr *)0)->client), "hdr");
_Static_assert(sizeof(struct client_channel) <= sizeof(((struct dpt_shm_channel *)0)->client),
	       "channel");
_Static_assert(sizeof(pthread_mutex_t) <= sizeof(((struct dpt_shm_sock *)0)->rx_client), "rx");
_Static_assert(sizeof(struct client_tx) <= sizeof(((struct dpt_shm_sock *)0)->tx_client), "tx");
_Static_assert(sizeof(struct client_opt) <= sizeof(((struct dpt_shm_sock *)0)->opt_client), "opt");
_Static_assert(offsetof(struct dpt_shm_hdr, client) % 8 == 0, "mutex alignment");
_Static_assert(offsetof(struct dpt_shm_channel, client) % 8 == 0, "mutex alignment");
_Static_assert(offsetof(struct dpt_shm_sock, rx_client) % 8 == 0, "mutex alignment");

/* One attachment: this process's way to one life of one dptipcd. Never freed, see
 * attach_retire. */
struct attach {
	struct attach *next;
	char name[DPT_ATTACH_NAME_BYTES + 64]; /* as the user gave it; a path may be longer */
	int fd;
	int doorbell;
	void *region;
	struct dpt_shm_hdr *hdr;
	struct dpt_shm_layout layout;
	uint32_t life;	     /* counts from 1 */
	uint64_t region_ino; /* of its memory: tells one region from another */
	uint32_t fds_cnt;    /* descriptors of the table; under table_lock */
	_Atomic bool is_dead;
	_Atomic int64_t alive_ns; /* when that was last seen, see attach_is_alive_cached */
};

/* A socket as a call sees it. */
struct sock {
	int fd;
	uint32_t idx;
	struct attach *att;
	struct dpt_shm_sock *shm;
	uint32_t gen; /* of the table's entry */
	bool is_held; /* fd is a copy of our own: sock_hold */
};

static inline struct client_hdr *
client_hdr(const struct attach *att)
{
	return (struct client_hdr *)att->hdr->client;
}

static inline pthread_mutex_t *
client_rx_lock(const struct sock *s)
{
	return (pthread_mutex_t *)s->shm->rx_client;
}

static inline struct client_tx *
client_tx(const struct sock *s)
{
	return (struct client_tx *)s->shm->tx_client;
}

static inline struct client_opt *
client_opt(const struct sock *s)
{
	return (struct client_opt *)s->shm->opt_client;
}

/* STREAM and SEQPACKET are odd, DGRAM and RDM even. */
static inline bool
sock_is_conn_type(const struct sock *s)
{
	return client_opt(s)->type & 1;
}

/* DPT_CONN_ESTABLISHED and so on; 0: connectionless. Pairs with the dataplane's release. */
static inline uint32_t
sock_state(const struct sock *s)
{
	return atomic_load_explicit(&s->shm->conn_state, memory_order_acquire) &
	       DPT_CONN_STATE_MASK;
}

static inline void
cpu_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* client_error.c: set errno and the text of dptipc_error; returns -1. */
int fail(int error, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same without a text. */
int fail_errno(int error);
/* ENETDOWN, with a text; the attachment counts as dead from now on. */
int fail_dead(struct attach *att);
int64_t clock_ns(void);

/* client_lock.c */
void lock_init(pthread_mutex_t *mutex);
enum lock_state {
	LOCK_SKIPPED, /* single thread, no other process: nobody else is there */
	LOCK_TAKEN,
	LOCK_OWNER_DIED, /* taken from a process that died with it: repair what it guards */
};
enum lock_state lock_take(const struct attach *att, pthread_mutex_t *mutex);
void lock_release(const struct attach *att, pthread_mutex_t *mutex, enum lock_state state);

/* client_attach.c */
/* The attachment for new sockets, made if there is none alive. NULL and errno. */
struct attach *attach_current(void);
/* For another one of an adopted socket: a connection that has said nothing yet. NULL and errno.
 * Called with table_lock taken. */
struct attach *attach_begin(const char *name);
/* The answer to HELLO or ADOPT: its memory is mapped. Returns 0, or -1 and errno. */
int attach_first(struct attach *att, struct dpt_attach_msg *msg, int send_fd);
void attach_drop(struct attach *att);
/* Into the list of all. */
void attach_keep(struct attach *att);
struct attach *attach_of_region(uint64_t ino, const struct attach *not_this);
/* The name that sockets of this process come from. */
const char *attach_name(void);
/* Has dptipcd ended? One poll(2). */
bool attach_is_dead(struct attach *att);
/* The same, asking the kernel at most every 4 ms. */
bool attach_is_dead_cached(struct attach *att);

/* client_request.c */
/*
 * One request. msg: op and arg are the caller's; becomes the answer. fd: receives the
 * descriptor of the answer, or NULL. Returns 0, or -1 and errno: the answer's, ENETDOWN.
 */
int attach_request(struct attach *att, struct dpt_attach_msg *msg, int *fd);
/* dptipc_sync of one attachment. */
int attach_sync(struct attach *att);
/* The same with up to fds_cnt descriptors; those that did not come are -1. */
int attach_request_fds(struct attach *att, struct dpt_attach_msg *msg, int *fds, uint32_t fds_cnt);
/* The same for an answer with text behind it, NUL-terminated here. */
int
attach_request_text(struct attach *att, struct dpt_attach_msg *msg, char *text, size_t text_size);
/* An INFO request: its text goes to a stream. */
int attach_info(struct attach *att, uint32_t what, FILE *to);
/*
 * Receive one message with up to fds_max descriptors (*fds_cnt of them came). Returns its
 * size, 0 at end-of-file, -1 and errno.
 */
ssize_t recv_fds(int sock, struct iovec *iov, int *fds, uint32_t fds_max, uint32_t *fds_cnt);

/* client_adopt.c */
/* fd, unknown to the table, may be a socket of dptipcd that came over exec or a Unix socket.
 * Returns 0 and the socket, or -1: it is none, errno untouched. */
int adopt(int fd, struct sock *s);

/* client_table.c */
/* The socket behind fd. Returns 0, or -1 and errno: EBADF, ENOTSOCK. */
int table_get(int fd, struct sock *s);
/* The same, but -1 without a word when it is a foreign one. */
int table_find(int fd, struct sock *s);
/* Remember fd. Returns 0, or -1 and ENOMEM, EMFILE. */
int table_add(int fd, struct attach *att, uint32_t idx);
void table_del(int fd);
/* Does fd still mean what it did when s was made? */
bool table_is_current(const struct sock *s);
/* A foreign Unix socket by its SO_COOKIE: not asked for again. */
void table_foreign_set(int fd, uint64_t cookie);
bool table_is_foreign(int fd, uint64_t cookie);
extern pthread_mutex_t table_lock;

/* client_wait.c */
/* Wait on a word of the region while it holds value, for at most 100 ms or max_ns. */
int futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t max_ns);
/* Sleep until a word is not `value` any more, somebody wakes us, or a while is over. 0, EINTR. */
int word_sleep(const struct sock *s, _Atomic uint32_t *word, uint32_t value, int64_t max_ns);
/* O_NONBLOCK of the descriptor now; remembers it. */
bool fd_is_nonblock(const struct sock *s);
/* The socket was closed by dptipcd, or that has ended. */
bool is_gone(const struct sock *s);
/*
 * Before a sleep: the descriptor is ours until sock_release, whatever other threads close: as the
 * kernel does, the sleeper goes on. A process with one thread needs none.
 */
void sock_hold(struct sock *s);
void sock_release(struct sock *s);
/* In a fork's child: the copies are not its own. */
void holds_drop(void);
/* INT64_MAX for none. */
int64_t deadline_of(int64_t timeo_ns);

/* client_channel.c */
/* A record with a struct dpt_rec_send. */
struct record {
	uint8_t kind;
	uint8_t flags; /* DPT_REC_F_WANT_RESULT; the droppable ones are the socket's */
	const struct client_dest *dest;
	const struct iovec *iov;
	size_t iov_cnt;
	size_t skip;	/* octets of iov that are left out */
	uint32_t bytes; /* of payload */
};
/* false: the log is full. Called with tx taken, client_tx.seq set. */
bool record_put(const struct sock *s, const struct record *rec);
/* A record of the header only: SIGNAL, ROOM. Returns 0, -EAGAIN. */
int record_put_word(const struct sock *s, uint8_t kind);
/* Wake the worker if it sleeps. It looks at the log once more before it does. */
void doorbell_ring(const struct attach *att);

/* A channel opened for writing, until channel_close. */
struct channel {
	struct dpt_shm_channel *shm;
	struct client_channel *mine;
	struct dpt_log log;
	enum lock_state lock;
};
void channel_open(const struct sock *s, struct channel *ch);
void channel_close(const struct sock *s, struct channel *ch);
/* Fill in the head of a record that was reserved. */
void record_head(const struct sock *s, struct dpt_rec_send *to, const struct record *rec);

/* client_send.c */
/* Check an address as 2.3 asks for and take it apart. Returns 0 or EINVAL. */
int dest_parse(const struct sockaddr *addr, socklen_t addrlen, struct client_dest *dest);
/* A message to send. */
struct send_req {
	const struct iovec *iov;
	size_t iov_cnt;
	size_t skip;
	uint32_t bytes; /* of this message */
	bool is_nonblock;
	const struct client_dest *dest; /* NULL: the socket's default */
};
/* One message, until it is accepted. Returns 0 or errno. */
int send_req(const struct sock *s, const struct send_req *req, int64_t timeo_ns);
/* A record whose result is waited for. Returns it (0, errno), SEND_LOG_FULL. */
int send_asked(const struct sock *s, uint8_t kind, const struct send_req *req);
int wait_done(const struct sock *s, uint32_t seq);
/* The worker is behind. Returns 0: try again; EAGAIN, EINTR, ENETDOWN. */
int wait_log(const struct sock *s, bool is_nonblock, uint32_t try_no, int64_t deadline_ns);
#define SEND_LOG_FULL (-1000)

/* client_conn_send.c */
ssize_t conn_send_msg(struct sock *s, struct send_req *req, size_t total,
		      const struct sockaddr *addr, socklen_t addrlen);
/* May a message be sent on the connection now? Called with tx taken. */
bool conn_may_send(const struct sock *s);
/* Why it may not, as an errno; 0: it has to wait. is_later: the error stays pending. */
int conn_why_not(const struct sock *s, bool is_later);
/* What a message of that many octets costs of the credit. */
uint32_t conn_cost(const struct sock *s, uint32_t bytes);
/* The pending error, taken. */
int conn_error_take(const struct sock *s);
/* Wait for the end of a connection's set-up. Returns 0, the pending error, ETIMEDOUT, EINTR,
 * ENETDOWN. */
int conn_wait_up(struct sock *s, int64_t deadline_ns);
/* The importance of the connection becomes the socket's, once. */
void conn_importance_sync(const struct sock *s);

/* client_room.c */
/* Not writable for poll(2) on the raw descriptor until the socket may send. */
void room_ask(const struct sock *s);
/* Wait for credit and uncongested links. Returns 0: try again; EAGAIN, EINTR, ENETDOWN. */
int room_wait(struct sock *s, int64_t deadline_ns);
/* Column OUT of 18. */
bool room_is_there(const struct sock *s);

/* client_socket.c */
/* The application's part of a fresh socket's entry. */
void sock_init(const struct sock *s, int type, bool is_nonblock);
/* A descriptor that came from dptipcd becomes a socket. Returns it, or -1 and errno (closed). */
int sock_make(struct attach *att, uint32_t idx, int fd, int type, int flags);
int sockaddr_out(struct sockaddr *addr, socklen_t *addrlen, uint32_t ref, uint32_t node);

#include "client_rx_priv.h"

#endif /* CLIENT_PRIV_H */
