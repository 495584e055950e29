/* SPDX-License-Identifier: BSD-3-Clause */

/* What comes beside a message's data: sender, ancillary data. 09-socket-api.md, 16.5, 16.6. */

#include "client_priv.h"

#include <string.h>
#include <sys/uio.h>

/* Low bits of dpt_rec_data.msg_type: on a connection. */
#define MSG_TYPE_MASK 0xffu
#define MSG_TYPE_CONN 0

/* Append control data as the kernel does: what fits, MSG_CTRUNC for what does not. */
static void
cmsg_put(struct msghdr *msg, size_t *used, int type, const void *data, size_t bytes)
{
	size_t room = msg->msg_controllen - *used;
	size_t len = CMSG_LEN(bytes);
	struct cmsghdr cmsg = {.cmsg_level = SOL_TIPC, .cmsg_type = type};
	uint8_t *at = (uint8_t *)msg->msg_control + *used;

	if (room < sizeof(cmsg)) {
		msg->msg_flags |= MSG_CTRUNC;
		return;
	}
	if (len > room) {
		msg->msg_flags |= MSG_CTRUNC;
		len = room;
	}
	cmsg.cmsg_len = len;
	memcpy(at, &cmsg, sizeof(cmsg));
	memcpy(at + CMSG_LEN(0), data, len - CMSG_LEN(0));
	*used += CMSG_SPACE(bytes) < room ? CMSG_SPACE(bytes) : room;
}

bool
message_name(const struct sock *s, const struct message *m, uint32_t name[3])
{
	uint32_t word;

	if (m->has_name) {
		memcpy(name, m->rec->name, sizeof(m->rec->name));
		return true;
	}
	if (!sock_is_conn_type(s) || (m->rec->msg_type & MSG_TYPE_MASK) != MSG_TYPE_CONN)
		return false;
	/* The connection's, if it was set up by one. Pairs with the dataplane's release. */
	word = atomic_load_explicit(&s->shm->conn_state, memory_order_acquire);
	name[0] = s->shm->name_type;
	name[1] = name[2] = s->shm->name_instance;
	return word & DPT_CONN_HAS_NAME;
}

void
cmsgs_put(const struct sock *s, struct msghdr *msg, const struct message *m)
{
	uint32_t errinfo[2] = {m->rec->hdr.errcode, m->bytes};
	uint32_t name[3];
	size_t used = 0;

	if (!msg->msg_control || !msg->msg_controllen) {
		msg->msg_controllen = 0;
		return;
	}
	if (errinfo[0])
		cmsg_put(msg, &used, TIPC_ERRINFO, errinfo, sizeof(errinfo));
	if (errinfo[0] && m->bytes)
		cmsg_put(msg, &used, TIPC_RETDATA, m->payload, m->bytes);
	if (!(errinfo[0] && !m->bytes) && message_name(s, m, name))
		cmsg_put(msg, &used, TIPC_DESTNAME, name, sizeof(name));
	msg->msg_controllen = used;
}

void
message_from(const struct message *m, struct sockaddr_tipc *from)
{
	memset(from, 0, sizeof(*from));
	from->family = AF_TIPC;
	from->addrtype = TIPC_SOCKET_ADDR;
	from->addr.id.ref = m->rec->orig_port;
	from->addr.id.node = m->rec->orig_node;
}

void
name_put(struct msghdr *msg, const struct message *m)
{
	struct sockaddr_tipc from;

	if (!msg->msg_name)
		return;
	message_from(m, &from);
	memcpy(msg->msg_name, &from,
	       msg->msg_namelen < sizeof(from) ? msg->msg_namelen : sizeof(from));
	msg->msg_namelen = sizeof(from);
}

uint32_t
iov_fill(const struct msghdr *msg, size_t skip, const uint8_t *from, uint32_t bytes)
{
	uint32_t left = bytes;
	size_t i;

	for (i = 0; i < msg->msg_iovlen && left; i++) {
		const struct iovec *iov = &msg->msg_iov[i];
		size_t room = iov->iov_len;
		uint32_t part;

		if (room <= skip) {
			skip -= room;
			continue;
		}
		room -= skip;
		part = room < left ? (uint32_t)room : left;
		memcpy((uint8_t *)iov->iov_base + skip, from, part);
		skip = 0;
		from += part;
		left -= part;
	}
	return bytes - left;
}
