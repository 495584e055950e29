/* SPDX-License-Identifier: BSD-3-Clause */

/* Addresses, sockets and messages of libtipc. 12-libtipc-and-bindings.md, 1.1 to 1.5. */

#include "tipcc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "dptipc.h"
#include "tipcc_priv.h"

#define RETDATA_BYTES 1024 /* Src: 09-socket-api.md, 1 */

/* ---- addresses ---- */

uint32_t
tipc_own_node(void)
{
	/*
	 * Life of dptipcd in the high half, so that another life's address is not taken for this
	 * one's. 0 is never remembered: a node may get its address late.
	 */
	static _Atomic uint64_t cache;
	uint64_t cached = atomic_load_explicit(&cache, memory_order_relaxed);
	uint32_t life = dptipc_life();
	struct tipc_addr self = {0};
	int fd;

	if ((uint32_t)cached && life && (uint32_t)(cached >> 32) == life)
		return (uint32_t)cached;
	fd = tipc_socket(SOCK_RDM);
	if (fd < 0)
		return 0;
	if (tipc_sockaddr(fd, &self) < 0)
		self.node = 0;
	dptipc_close(fd);
	if (self.node)
		atomic_store_explicit(&cache, (uint64_t)dptipc_life() << 32 | self.node,
				      memory_order_relaxed);
	return self.node;
}

char *
tipc_ntoa(const struct tipc_addr *addr, char *buf, size_t len)
{
	if (!buf || !len)
		return buf;
	buf[0] = '\0';
	if (!addr)
		return buf;
	if (addr->type)
		snprintf(buf, len, "%u:%u@%x", addr->type, addr->instance, addr->node);
	else
		snprintf(buf, len, "0:%010u@%x", addr->instance, addr->node);
	return buf;
}

char *
tipc_rtoa(uint32_t type, uint32_t lower, uint32_t upper, uint32_t node, char *buf, size_t len)
{
	if (buf && len)
		snprintf(buf, len, "%u:%u:%u@%x", type, lower, upper, node);
	return buf;
}

void
tipcc_range(struct sockaddr_tipc *sa, uint32_t type, uint32_t lower, uint32_t upper, int scope)
{
	memset(sa, 0, sizeof(*sa));
	sa->family = AF_TIPC;
	sa->addrtype = TIPC_SERVICE_RANGE;
	sa->scope = (signed char)scope;
	sa->addr.nameseq.type = type;
	sa->addr.nameseq.lower = lower;
	sa->addr.nameseq.upper = upper;
}

void
tipcc_service(struct sockaddr_tipc *sa, uint32_t type, uint32_t instance, uint32_t domain)
{
	memset(sa, 0, sizeof(*sa));
	sa->family = AF_TIPC;
	sa->addrtype = TIPC_SERVICE_ADDR;
	sa->addr.name.name.type = type;
	sa->addr.name.name.instance = instance;
	sa->addr.name.domain = domain;
}

static void
addr_to_sock(const struct tipc_addr *addr, struct sockaddr_tipc *sa)
{
	tipcc_service(sa, addr->type, addr->instance, addr->node);
	if (addr->type)
		return;
	sa->addrtype = TIPC_SOCKET_ADDR;
	sa->addr.name.domain = 0;
	sa->addr.id.ref = addr->instance;
	sa->addr.id.node = addr->node;
}

static void
addr_of_id(struct tipc_addr *addr, const struct sockaddr_tipc *sa)
{
	if (!addr)
		return;
	addr->type = 0;
	addr->instance = sa->addr.id.ref;
	addr->node = sa->addr.id.node;
}

static int
refuse(int error)
{
	errno = error;
	return -1;
}

/* ---- sockets ---- */

int
tipc_socket(int sk_type)
{
	return dptipc_socket(AF_TIPC, sk_type, 0);
}

int
tipc_sock_non_block(int sd)
{
	int flags = dptipc_fcntl(sd, F_GETFL);

	return flags < 0 || dptipc_fcntl(sd, F_SETFL, flags | O_NONBLOCK) < 0 ? -1 : sd;
}

int
tipc_sock_rejectable(int sd)
{
	uint32_t value = 0;

	return dptipc_setsockopt(sd, SOL_TIPC, TIPC_DEST_DROPPABLE, &value, sizeof(value));
}

int
tipc_sock_importance(int sd, uint32_t priority)
{
	return dptipc_setsockopt(sd, SOL_TIPC, TIPC_IMPORTANCE, &priority, sizeof(priority));
}

int
tipc_close(int sd)
{
	return dptipc_close(sd);
}

int
tipc_sockaddr(int sd, struct tipc_addr *addr)
{
	struct sockaddr_tipc sa;
	socklen_t len = sizeof(sa);

	if (dptipc_getsockname(sd, (struct sockaddr *)&sa, &len) < 0)
		return -1;
	addr_of_id(addr, &sa);
	return 0;
}

int
tipc_bind(int sd, uint32_t type, uint32_t lower, uint32_t upper, uint32_t node_or_scope)
{
	struct sockaddr_tipc sa;
	int scope = TIPC_CLUSTER_SCOPE;

	if (node_or_scope >= TIPC_ZONE_SCOPE && node_or_scope <= TIPC_NODE_SCOPE)
		scope = (int)node_or_scope;
	else if (node_or_scope && node_or_scope == tipc_own_node())
		scope = TIPC_NODE_SCOPE;
	tipcc_range(&sa, type, lower, upper, scope);
	return dptipc_bind(sd, (struct sockaddr *)&sa, sizeof(sa));
}

int
tipc_unbind(int sd, uint32_t type, uint32_t lower, uint32_t upper)
{
	struct sockaddr_tipc sa;
	int rc;

	tipcc_range(&sa, type, lower, upper, -TIPC_CLUSTER_SCOPE);
	rc = dptipc_bind(sd, (struct sockaddr *)&sa, sizeof(sa));
	if (rc == 0 || errno != EINVAL)
		return rc;
	tipcc_range(&sa, type, lower, upper, -TIPC_NODE_SCOPE);
	return dptipc_bind(sd, (struct sockaddr *)&sa, sizeof(sa));
}

int
tipc_connect(int sd, const struct tipc_addr *dst)
{
	struct sockaddr_tipc sa;

	if (!dst)
		return refuse(EINVAL);
	tipcc_service(&sa, dst->type, dst->instance, dst->node);
	return dptipc_connect(sd, (struct sockaddr *)&sa, sizeof(sa));
}

int
tipc_listen(int sd, int backlog)
{
	return dptipc_listen(sd, backlog);
}

int
tipc_accept(int sd, struct tipc_addr *src)
{
	struct sockaddr_tipc sa = {0};
	socklen_t len = sizeof(sa);
	int fd = dptipc_accept(sd, (struct sockaddr *)&sa, &len);

	if (fd >= 0)
		addr_of_id(src, &sa);
	return fd;
}

int
tipc_join(int sd, struct tipc_addr *member, bool events, bool loopback)
{
	struct tipc_group_req req = {0};

	if (!member || (member->node && member->node != tipc_own_node()))
		return refuse(EINVAL);
	req.type = member->type;
	req.instance = member->instance;
	req.scope = member->node ? TIPC_NODE_SCOPE : TIPC_CLUSTER_SCOPE;
	req.flags = (events ? TIPC_GROUP_MEMBER_EVTS : 0) | (loopback ? TIPC_GROUP_LOOPBACK : 0);
	return dptipc_setsockopt(sd, SOL_TIPC, TIPC_GROUP_JOIN, &req, sizeof(req));
}

int
tipc_leave(int sd)
{
	return dptipc_setsockopt(sd, SOL_TIPC, TIPC_GROUP_LEAVE, NULL, 0);
}

/* ---- messages ---- */

/* What came beside a message. */
struct beside {
	uint32_t errinfo[2];
	const uint8_t *retdata;
	size_t retdata_bytes;
};

/* In whatever order, and whatever is missing. */
static void
beside_read(struct msghdr *msg, struct beside *beside)
{
	struct cmsghdr *cmsg;

	memset(beside, 0, sizeof(*beside));
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		size_t bytes = cmsg->cmsg_len - CMSG_LEN(0);

		if (cmsg->cmsg_level != SOL_TIPC)
			continue;
		if (cmsg->cmsg_type == TIPC_ERRINFO && bytes >= sizeof(beside->errinfo))
			memcpy(beside->errinfo, CMSG_DATA(cmsg), sizeof(beside->errinfo));
		if (cmsg->cmsg_type == TIPC_RETDATA) {
			beside->retdata = CMSG_DATA(cmsg);
			beside->retdata_bytes = bytes;
		}
	}
}

/* An own message came back: 1.5. */
static int
returned(int sd, void *buf, size_t len, struct tipc_addr *socket, const struct beside *beside)
{
	size_t bytes = beside->retdata_bytes < len ? beside->retdata_bytes : len;

	if (buf && bytes)
		memcpy(buf, beside->retdata, bytes);
	if (socket)
		tipc_sockaddr(sd, socket);
	return (int)bytes;
}

int
tipc_recvfrom(int sd, void *buf, size_t len, struct tipc_addr *socket, struct tipc_addr *member,
	      int *err)
{
	union {
		char bytes[CMSG_SPACE(8) + CMSG_SPACE(RETDATA_BYTES) + CMSG_SPACE(12)];
		struct cmsghdr align;
	} control;
	struct sockaddr_tipc from[2] = {0};
	struct iovec iov = {buf, len};
	struct msghdr msg = {.msg_name = from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct beside beside;
	ssize_t got = dptipc_recvmsg(sd, &msg, 0);

	if (got < 0)
		return -1;
	beside_read(&msg, &beside);
	if (err)
		*err = (int)beside.errinfo[0];
	if (member)
		memset(member, 0, sizeof(*member));
	if (beside.errinfo[0]) {
		int bytes = returned(sd, buf, len, socket, &beside);

		return err ? bytes : 0;
	}
	addr_of_id(socket, &from[0]);
	if (msg.msg_namelen < sizeof(from))
		return (int)got;
	if (member) {
		member->type = from[1].addr.name.name.type;
		member->instance = from[1].addr.name.name.instance;
	}
	/* A member's event: empty, MSG_OOB; with MSG_EOR it has left. Src: 10-groups. */
	if (err && got == 0 && (msg.msg_flags & MSG_EOR))
		*err = -1;
	return (int)got;
}

int
tipc_recv(int sd, void *buf, size_t len, bool waitall)
{
	return (int)dptipc_recv(sd, buf, len, waitall ? MSG_WAITALL : 0);
}

int
tipc_sendmsg(int sd, const struct msghdr *msg)
{
	return (int)dptipc_sendmsg(sd, msg, 0);
}

int
tipc_sendto(int sd, const void *msg, size_t len, const struct tipc_addr *dst)
{
	struct sockaddr_tipc sa;

	if (!dst)
		return refuse(EINVAL);
	addr_to_sock(dst, &sa);
	return (int)dptipc_sendto(sd, msg, len, 0, (struct sockaddr *)&sa, sizeof(sa));
}

int
tipc_send(int sd, const void *msg, size_t len)
{
	return (int)dptipc_send(sd, msg, len, 0);
}

int
tipc_mcast(int sd, const void *msg, size_t len, const struct tipc_addr *dst)
{
	struct sockaddr_tipc sa;

	if (!dst)
		return refuse(EINVAL);
	tipcc_range(&sa, dst->type, dst->instance, dst->instance, 0);
	return (int)dptipc_sendto(sd, msg, len, 0, (struct sockaddr *)&sa, sizeof(sa));
}

char *
tipc_linkname(char *buf, size_t len, uint32_t peer, int bearerid)
{
	struct tipc_sioc_ln_req req = {.peer = peer, .bearer_id = (uint32_t)bearerid};
	int fd;

	if (!buf || !len)
		return buf;
	buf[0] = '\0';
	fd = tipc_socket(SOCK_RDM);
	if (fd < 0)
		return buf;
	if (dptipc_ioctl(fd, SIOCGETLINKNAME, &req) == 0)
		snprintf(buf, len, "%.*s", (int)sizeof(req.linkname), req.linkname);
	dptipc_close(fd);
	return buf;
}
