/* SPDX-License-Identifier: BSD-3-Clause */

/* Topology service of libtipc. 12-libtipc-and-bindings.md, 1.6, 1.7; 05-topology-service.md. */

#include "tipcc.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "dptipc.h"
#include "tipcc_priv.h"

static int
close_failed(int fd)
{
	int error = errno;

	dptipc_close(fd);
	errno = error;
	return -1;
}

int
tipc_topsrv_conn(uint32_t topsrv_node)
{
	struct sockaddr_tipc sa;
	int fd = tipc_socket(SOCK_SEQPACKET);

	if (fd < 0)
		return -1;
	tipcc_service(&sa, TIPC_TOP_SRV, TIPC_TOP_SRV, topsrv_node);
	if (dptipc_connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return close_failed(fd);
	return fd;
}

int
tipc_srv_subscr(int sd, uint32_t type, uint32_t lower, uint32_t upper, bool all, int expire)
{
	struct tipc_subscr subscr = {0};

	subscr.seq.type = type;
	subscr.seq.lower = lower;
	subscr.seq.upper = upper;
	subscr.timeout = expire < 0 ? (uint32_t)TIPC_WAIT_FOREVER : (uint32_t)expire;
	subscr.filter = all ? TIPC_SUB_PORTS : TIPC_SUB_SERVICE;
	return dptipc_send(sd, &subscr, sizeof(subscr), 0) == sizeof(subscr) ? 0 : -1;
}

/*
 * One whole event, of a stream too. Each kind of socket hands it out in one piece or waits for
 * the rest; a peer that ends in the middle, or sends something else, gives -1.
 */
static int
event_read(int sd, struct tipc_event *event)
{
	ssize_t got = dptipc_recv(sd, event, sizeof(*event), MSG_WAITALL);

	if (got == sizeof(*event))
		return 0;
	if (got >= 0)
		errno = got ? EPROTO : ECONNRESET;
	return -1;
}

int
tipc_srv_evt(int sd, struct tipc_addr *srv, struct tipc_addr *addr, bool *up, bool *expired)
{
	struct tipc_event event;

	if (event_read(sd, &event) < 0)
		return -1;
	if (expired)
		*expired = event.event == TIPC_SUBSCR_TIMEOUT;
	if (event.event == TIPC_SUBSCR_TIMEOUT)
		return 0;
	if (srv) {
		srv->type = event.s.seq.type;
		srv->instance = event.found_lower;
		srv->node = event.port.node;
	}
	if (addr) {
		addr->type = 0;
		addr->instance = event.port.ref;
		addr->node = event.port.node;
	}
	if (up)
		*up = event.event == TIPC_PUBLISHED;
	return 0;
}

bool
tipc_srv_wait(const struct tipc_addr *srv, int expire)
{
	struct tipc_addr found = {0};
	bool is_up = false, is_expired = false, is_there = false;
	int fd;

	if (!srv)
		return false;
	fd = tipc_topsrv_conn(0);
	if (fd < 0)
		return false;
	/* With a node: each publication, as the first one may be another node's. */
	if (tipc_srv_subscr(fd, srv->type, srv->instance, srv->instance, srv->node != 0, expire) ==
	    0)
		while (!is_there && tipc_srv_evt(fd, &found, NULL, &is_up, &is_expired) == 0 &&
		       !is_expired)
			is_there = is_up && (!srv->node || srv->node == found.node);
	dptipc_close(fd);
	return is_there;
}

/* A connection with one subscription to all of a type, for ever. */
static int
subscribed(uint32_t topsrv_node, uint32_t type)
{
	int fd = tipc_topsrv_conn(topsrv_node);

	if (fd < 0)
		return -1;
	if (tipc_srv_subscr(fd, type, 0, UINT32_MAX, true, -1) < 0)
		return close_failed(fd);
	return fd;
}

int
tipc_neigh_subscr(uint32_t topsrv_node)
{
	return subscribed(topsrv_node, TIPC_NODE_STATE);
}

int
tipc_neigh_evt(int sd, uint32_t *neigh_node, bool *up)
{
	struct tipc_addr srv = {0};

	if (tipc_srv_evt(sd, &srv, NULL, up, NULL) < 0)
		return -1;
	if (neigh_node)
		*neigh_node = srv.instance;
	return 0;
}

int
tipc_link_subscr(uint32_t topsrv_node)
{
	return subscribed(topsrv_node, TIPC_LINK_STATE);
}

int
tipc_link_evt(int sd, uint32_t *neigh_node, bool *up, int *local_bearerid, int *remote_bearerid)
{
	struct tipc_addr srv = {0}, addr = {0};

	if (tipc_srv_evt(sd, &srv, &addr, up, NULL) < 0)
		return -1;
	if (neigh_node)
		*neigh_node = srv.instance;
	if (local_bearerid)
		*local_bearerid = (int)(addr.instance & 0xffff);
	if (remote_bearerid)
		*remote_bearerid = (int)(addr.instance >> 16);
	return 0;
}
