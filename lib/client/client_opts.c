/* SPDX-License-Identifier: BSD-3-Clause */

/* Socket options. 09-socket-api.md, 19. */

#include "client_priv.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>

/* SO_RCVBUF after doubling: least is the kernel's SOCK_MIN_RCVBUF, most our choice. */
#define RCVBUF_BYTES_MIN 2304
#define RCVBUF_BYTES_MAX (32 << 20)
#define BUSY_POLL_US_MAX 1000000
/* SO_SNDBUF: of no effect; what the kernel shows by default. Src: net.core.wmem_default. */
#define SNDBUF_BYTES 212992

/* Aggregation, 12: only streams have it. */
static int
set_nodelay(const struct sock *s, uint32_t v)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_NODELAY, .arg = {s->idx, v != 0}};

	if (client_opt(s)->type != SOCK_STREAM)
		return 0;
	return attach_request(s->att, &msg, NULL) < 0 ? errno : 0;
}

static int
set_tipc_u32(const struct sock *s, int name, uint32_t v)
{
	struct client_opt *opt = client_opt(s);

	switch (name) {
	case TIPC_IMPORTANCE:
		if (v > TIPC_CRITICAL_IMPORTANCE)
			return EINVAL;
		conn_importance_sync(s);
		opt->importance = (uint8_t)v;
		return 0;
	case TIPC_SRC_DROPPABLE:
		if (opt->type == SOCK_STREAM)
			return ENOPROTOOPT;
		opt->is_src_droppable = v != 0;
		return 0;
	case TIPC_DEST_DROPPABLE:
		opt->is_dest_droppable = v != 0;
		return 0;
	case TIPC_CONN_TIMEOUT:
		/* Kept in 16 bits: 19.1. */
		opt->conn_timeout_ms = (uint16_t)v;
		return 0;
	default:
		return set_nodelay(s, v);
	}
}

static int
set_tipc(const struct sock *s, int name, const void *val, socklen_t len)
{
	uint32_t v;

	switch (name) {
	case TIPC_IMPORTANCE:
	case TIPC_SRC_DROPPABLE:
	case TIPC_DEST_DROPPABLE:
	case TIPC_CONN_TIMEOUT:
	case TIPC_NODELAY:
		if (len < sizeof(v))
			return EINVAL;
		if (!val)
			return EFAULT;
		memcpy(&v, val, sizeof(v));
		return set_tipc_u32(s, name, v);
	case TIPC_GROUP_JOIN:
		return len < sizeof(struct tipc_group_req) ? EINVAL : ENOPROTOOPT;
	case TIPC_MCAST_BROADCAST:
	case TIPC_MCAST_REPLICAST:
		/* A preference; the node is free to overrule it (10.3), and does. */
		return val || len ? EINVAL : 0;
	default:
		/* GROUP_LEAVE too: never a member. */
		return EINVAL;
	}
}

static int
set_timeo(_Atomic int64_t *timeo_ns, const void *val, socklen_t len)
{
	struct timeval tv;

	if (len < sizeof(tv))
		return EINVAL;
	if (!val)
		return EFAULT;
	memcpy(&tv, val, sizeof(tv));
	if (tv.tv_usec < 0 || tv.tv_usec >= 1000000)
		return EDOM;
	/* As the kernel: a negative time is over at once; 0 is none; too long is none. */
	if (tv.tv_sec < 0)
		*timeo_ns = 1;
	else if (tv.tv_sec > INT64_MAX / 2000000000)
		*timeo_ns = 0;
	else
		*timeo_ns = (int64_t)tv.tv_sec * 1000000000 + tv.tv_usec * 1000;
	return 0;
}

static int
set_rcvbuf(const struct sock *s, int v)
{
	struct dpt_attach_msg msg = {.op = DPT_ATTACH_RCVBUF, .arg = {s->idx}};
	int64_t bytes = 2 * (int64_t)v;

	if (bytes < RCVBUF_BYTES_MIN)
		bytes = RCVBUF_BYTES_MIN;
	if (bytes > RCVBUF_BYTES_MAX)
		bytes = RCVBUF_BYTES_MAX;
	msg.arg[1] = (uint32_t)bytes;
	if (attach_request(s->att, &msg, NULL) < 0)
		return errno;
	client_opt(s)->rcvbuf_bytes = (uint32_t)bytes;
	client_opt(s)->is_rcvbuf_set = 1;
	return 0;
}

static int
set_generic(const struct sock *s, int name, const void *val, socklen_t len)
{
	int v;

	if (name == SO_RCVTIMEO)
		return set_timeo(&client_opt(s)->rcvtimeo_ns, val, len);
	if (name == SO_SNDTIMEO)
		return set_timeo(&client_opt(s)->sndtimeo_ns, val, len);
	if (len < sizeof(v))
		return EINVAL;
	if (!val)
		return EFAULT;
	memcpy(&v, val, sizeof(v));
	switch (name) {
	case SO_RCVBUF:
		return set_rcvbuf(s, v);
	case SO_RCVLOWAT:
		/* As the kernel: 0 is 1, a negative number the most. */
		client_opt(s)->rcvlowat = v < 0 ? INT_MAX : v ? (uint32_t)v : 1;
		return 0;
	case SO_SNDBUF:
	case SO_LINGER:
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
	case SO_PRIORITY:
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

static int
set_own(struct client_opt *opt, int name, const void *val, socklen_t len)
{
	uint32_t v;

	if (name != DPTIPC_BUSY_POLL_US && name != DPTIPC_BIND_SYNC)
		return ENOPROTOOPT;
	if (len < sizeof(v))
		return EINVAL;
	if (!val)
		return EFAULT;
	memcpy(&v, val, sizeof(v));
	if (name == DPTIPC_BIND_SYNC) {
		opt->is_bind_sync = v != 0;
		return 0;
	}
	if (v > BUSY_POLL_US_MAX)
		return EINVAL;
	opt->busy_poll_us = v;
	return 0;
}

int
dptipc_setsockopt(int fd, int level, int name, const void *val, socklen_t len)
{
	struct sock s;
	int rc;

	if (table_get(fd, &s) < 0)
		return -1;
	if ((int)len < 0)
		return fail_errno(EINVAL);
	if (level == SOL_TIPC)
		rc = set_tipc(&s, name, val, len);
	else if (level == SOL_SOCKET)
		rc = set_generic(&s, name, val, len);
	else if (level == SOL_DPTIPC)
		rc = set_own(client_opt(&s), name, val, len);
	else if (level == IPPROTO_TCP && client_opt(&s)->type == SOCK_STREAM)
		rc = 0; /* 19: does nothing */
	else
		rc = ENOPROTOOPT;
	return rc == ENETDOWN ? fail_dead(s.att) : rc ? fail_errno(rc) : 0;
}

static int
get_tipc(const struct sock *s, int name, uint32_t *v)
{
	const struct client_opt *opt = client_opt(s);
	uint32_t msgs, bytes;
	int rc;

	switch (name) {
	case TIPC_IMPORTANCE:
		conn_importance_sync(s);
		*v = opt->importance;
		return 0;
	case TIPC_SRC_DROPPABLE:
		*v = opt->is_src_droppable;
		return 0;
	case TIPC_DEST_DROPPABLE:
		*v = opt->is_dest_droppable;
		return 0;
	case TIPC_CONN_TIMEOUT:
		*v = opt->conn_timeout_ms;
		return 0;
	case TIPC_NODE_RECVQ_DEPTH:
	case TIPC_GROUP_JOIN: /* no member */
		*v = 0;
		return 0;
	case TIPC_SOCK_RECVQ_DEPTH:
	case TIPC_SOCK_RECVQ_USED:
		rc = recv_queue(s, &msgs, &bytes);
		*v = name == TIPC_SOCK_RECVQ_DEPTH ? msgs : bytes;
		return rc;
	default:
		return EINVAL;
	}
}

static int
get_generic(const struct sock *s, int name, uint32_t *v)
{
	const struct client_opt *opt = client_opt(s);

	switch (name) {
	case SO_TYPE:
		*v = s->shm->type;
		return 0;
	case SO_DOMAIN:
		*v = AF_TIPC;
		return 0;
	case SO_ERROR:
		*v = attach_is_dead(s->att) ? ENETDOWN : (uint32_t)conn_error_take(s);
		return 0;
	case SO_ACCEPTCONN:
		*v = sock_state(s) == DPT_CONN_LISTEN;
		return 0;
	case SO_RCVLOWAT:
		*v = opt->rcvlowat;
		return 0;
	case SO_SNDBUF:
		*v = SNDBUF_BYTES;
		return 0;
	case SO_RCVBUF:
		*v = opt->rcvbuf_bytes;
		return 0;
	case SO_PROTOCOL:
	case SO_LINGER:
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
	case SO_PRIORITY:
		*v = 0;
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

static int
get_own(const struct sock *s, int name, uint32_t *v)
{
	switch (name) {
	case DPTIPC_BUSY_POLL_US:
		*v = client_opt(s)->busy_poll_us;
		return 0;
	case DPTIPC_BIND_SYNC:
		*v = client_opt(s)->is_bind_sync;
		return 0;
	case DPTIPC_RX_DROPS:
		/* Alone: pairs with nothing, a value a little old is good enough. */
		*v = (uint32_t)atomic_load_explicit(&s->shm->rx_drops, memory_order_relaxed);
		return 0;
	default:
		return ENOPROTOOPT;
	}
}

static int
get_timeo(int64_t timeo_ns, void *val, socklen_t *len)
{
	struct timeval tv = {.tv_sec = timeo_ns / 1000000000,
			     .tv_usec = timeo_ns % 1000000000 / 1000};

	if ((int)*len < 0)
		return EINVAL;
	if (!val)
		return EFAULT;
	if (*len > sizeof(tv))
		*len = sizeof(tv);
	memcpy(val, &tv, *len);
	return 0;
}

/* SOL_SOCKET cuts short, SOL_TIPC refuses: 19.2. */
static int
get_u32(const struct sock *s, int level, int name, void *val, socklen_t *len)
{
	uint32_t v = 0;
	int rc;

	if (level == SOL_TIPC)
		rc = get_tipc(s, name, &v);
	else if (level == SOL_SOCKET)
		rc = get_generic(s, name, &v);
	else if (level == SOL_DPTIPC)
		rc = get_own(s, name, &v);
	else
		rc = ENOPROTOOPT;
	if (rc)
		return rc;
	/* Others than SOL_SOCKET take a negative length for a long one. */
	if (level == SOL_SOCKET ? (int)*len < 0 : *len < sizeof(v))
		return EINVAL;
	if (*len > sizeof(v))
		*len = sizeof(v);
	if (!val)
		return EFAULT;
	memcpy(val, &v, *len);
	return 0;
}

int
dptipc_getsockopt(int fd, int level, int name, void *val, socklen_t *len)
{
	struct sock s;
	int rc;

	if (table_get(fd, &s) < 0)
		return -1;
	if (!len)
		return fail_errno(EFAULT);
	if (level == SOL_SOCKET && name == SO_RCVTIMEO)
		rc = get_timeo(client_opt(&s)->rcvtimeo_ns, val, len);
	else if (level == SOL_SOCKET && name == SO_SNDTIMEO)
		rc = get_timeo(client_opt(&s)->sndtimeo_ns, val, len);
	else if (level == IPPROTO_TCP && client_opt(&s)->type == SOCK_STREAM)
		rc = (int)(*len = 0); /* 19 */
	else
		rc = get_u32(&s, level, name, val, len);
	return rc ? fail_errno(rc) : 0;
}
