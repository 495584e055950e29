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

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "dpt_attach.h"
#include "dpt_shm.h"
#include "dptipc.h"

/* In dpt_shm_hdr.client. */
struct client_hdr {
	pthread_mutex_t ctl;
	_Atomic uint32_t is_shared; /* 1 for ever once a process of the region has forked */
	uint32_t cookie;	    /* last one used; under ctl */
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
	uint32_t seq;		    /* of the last send */
	uint32_t gen;		    /* route_gen under which sent_to was accepted */
	struct client_dest sent_to; /* last destination accepted */
};

/* In dpt_shm_sock.opt_client. dest: under tx. */
struct client_opt {
	struct client_dest dest;     /* default destination */
	_Atomic int64_t rcvtimeo_ns; /* 0: none */
	_Atomic int64_t sndtimeo_ns;
	_Atomic uint32_t busy_poll_us;
	_Atomic uint32_t rcvbuf_bytes;
	_Atomic uint16_t conn_timeout_ms;
	_Atomic uint8_t importance;
	_Atomic uint8_t is_src_droppable;
	_Atomic uint8_t is_dest_droppable;
	_Atomic uint8_t is_nonblock; /* O_NONBLOCK as last seen */
	_Atomic uint8_t is_shut;     /* shutdown() was called */
};

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
	uint32_t fds_cnt; /* descriptors of the table; under table_lock */
	_Atomic bool is_dead;
	_Atomic int64_t alive_ns; /* when that was last seen, see attach_is_alive_cached */
};

/* A socket as a call sees it. */
struct sock {
	int fd;
	uint32_t idx;
	struct attach *att;
	struct dpt_shm_sock *shm;
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
	LOCK_SKIPPED, /* single thread, no fork: nobody else is there */
	LOCK_TAKEN,
	LOCK_OWNER_DIED, /* taken from a process that died with it: repair what it guards */
};
enum lock_state lock_take(const struct attach *att, pthread_mutex_t *mutex);
void lock_release(pthread_mutex_t *mutex, enum lock_state state);

/* client_attach.c */
/* The attachment for new sockets, made if there is none alive. NULL and errno. */
struct attach *attach_current(void);
/* Has dptipcd ended? One poll(2). */
bool attach_is_dead(struct attach *att);
/* The same, asking the kernel at most every 4 ms. */
bool attach_is_dead_cached(struct attach *att);
void attach_fork_prepare(void);
/*
 * One request. msg: op and arg are the caller's; becomes the answer. fd: receives the
 * descriptor of the answer, or NULL. Returns 0, or -1 and errno: the answer's, ENETDOWN.
 */
int attach_request(struct attach *att, struct dpt_attach_msg *msg, int *fd);
/* An INFO request: its text goes to a stream. */
int attach_info(struct attach *att, uint32_t what, FILE *to);

/* client_table.c */
/* The socket behind fd. Returns 0, or -1 and errno: EBADF, ENOTSOCK. */
int table_get(int fd, struct sock *s);
/* Remember fd. Returns 0, or -1 and ENOMEM, EMFILE. */
int table_add(int fd, struct attach *att, uint32_t idx);
void table_del(int fd);
extern pthread_mutex_t table_lock;

/* client_wait.c */
/* Wait on a word of the region while it holds value, for at most 100 ms or max_ns. */
int futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t max_ns);
/* O_NONBLOCK of the descriptor now; remembers it. */
bool fd_is_nonblock(const struct sock *s);

/* client_send.c */
int send_signal(const struct sock *s);
/* Check an address as 2.3 asks for and take it apart. Returns 0 or EINVAL. */
int dest_parse(const struct sockaddr *addr, socklen_t addrlen, struct client_dest *dest);

/* client_recv.c */
/* After the answer to SHUTDOWN: skip what dptipcd has returned. Called with rx taken. */
void recv_skip(const struct sock *s, uint64_t pos);
/* Messages and octets in the receive log. */
void recv_queue(const struct sock *s, uint32_t *msgs, uint32_t *bytes);
/* All that was read is published. Called with rx taken. */
void recv_publish(const struct sock *s);

#endif /* CLIENT_PRIV_H */
