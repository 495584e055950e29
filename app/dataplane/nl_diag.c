/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Netlink: what `ss` asks of sockets. 13-netlink.md, 6. Inode and cookie are those of the
 * descriptor that the application holds: control has made it, and `ss -p` finds the process by it.
 */
#include "nl.h"

/* Sockets of the stack's own have no descriptor. Above all cookies that the kernel gives out. */
#define DIAG_COOKIE_INTERNAL (UINT64_C(1) << 63)

static bool
diag_put(struct netlink_job *job, const struct chunk_socket *copy)
{
	const struct dpt_sock_info *info = &copy->info;
	struct dpt_nl_sock sock;

	/* (numbers of states are far below 32) */
	if ((job->req.states >> (uint32_t)info->state & 1) == 0)
		return true;
	netlink_sock_fill(job, copy, &sock);
	sock.sock_type = (uint32_t)info->type;
	sock.state = (uint32_t)info->state;
	sock.inode = copy->inode;
	sock.uid = copy->uid;
	sock.cookie = copy->cookie != 0 ? copy->cookie : DIAG_COOKIE_INTERNAL | copy->port.ref;
	sock.rcvq = info->queued_msgs;
	sock.drops = (uint32_t)info->drops;
	sock.is_link_congested = info->is_link_congested;
	sock.is_conn_congested = info->is_conn_congested;
	return dpt_nl_put_diag(&job->out, &job->req, &sock);
}

static enum netlink_step
diag_step(struct netlink_job *job)
{
	return netlink_socks_step(job, diag_put);
}

const struct netlink_dump netlink_dump_diag = {.step = diag_step, .end = netlink_socks_end};
