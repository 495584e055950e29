/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef _TIPCC_H_
#define _TIPCC_H_

/*
 * libtipc's interface (tipcc.h, 0.9.81) over libdptipc: link with -ldptipc-tipcc -ldptipc.
 * Facts: doc/protocol/12-libtipc-and-bindings.md, section 1; the defects of its 1.8 are not
 * copied. Programs written for libtipc compile unmodified.
 *
 * Unless said otherwise a function returns what the call behind it returns: -1 and errno, or 0,
 * a count, a descriptor. Pointers for results may be NULL; a destination that is NULL gives -1
 * (EINVAL). All functions may be called by any thread; none has a static buffer.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <linux/tipc.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Socket address: type 0, instance the port, node. Service address: type, instance, node: where
 * to look (0: anywhere), 0 when it names a member.
 */
struct tipc_addr {
	uint32_t type;
	uint32_t instance;
	uint32_t node;
};

/* ---- addresses ---- */

/* 0 while the node has none; what is not 0 is remembered until another dptipcd is attached to. */
uint32_t tipc_own_node(void);
/* "TYPE:INSTANCE@NODE", "0:REF@NODE" (REF with ten digits), "TYPE:LOWER:UPPER@NODE"; node in
 * hexadecimal. Cut to len - 1 characters and a NUL; len 0 or buf NULL: nothing is written. */
char *tipc_ntoa(const struct tipc_addr *addr, char *buf, size_t len);
char *
tipc_rtoa(uint32_t type, uint32_t lower, uint32_t upper, uint32_t node, char *buf, size_t len);

/* ---- sockets ---- */

int tipc_socket(int sk_type);
int tipc_sock_non_block(int sd); /* returns sd */
/* Undeliverable messages come back. */
int tipc_sock_rejectable(int sd);
int tipc_sock_importance(int sd, uint32_t priority);
int tipc_close(int sd);
int tipc_sockaddr(int sd, struct tipc_addr *addr);
/* node_or_scope: 1, 2, 3 are scopes; the own node: node scope; anything else: cluster scope. */
int tipc_bind(int sd, uint32_t type, uint32_t lower, uint32_t upper, uint32_t node_or_scope);
/* Of either scope: the cluster's first. */
int tipc_unbind(int sd, uint32_t type, uint32_t lower, uint32_t upper);
int tipc_connect(int sd, const struct tipc_addr *dst);
int tipc_listen(int sd, int backlog);
int tipc_accept(int sd, struct tipc_addr *src);
/* Communication groups are not there yet: ENOPROTOOPT. */
int tipc_join(int sd, struct tipc_addr *member, bool events, bool loopback);
int tipc_leave(int sd);

/* ---- messages ---- */

/*
 * One message. *err: 0; the code of an own message that came back, whose octets (those that fit)
 * are in buf then; -1: a member has left. See 1.5 for what the others hold.
 */
int tipc_recvfrom(int sd, void *buf, size_t len, struct tipc_addr *socket, struct tipc_addr *member,
		  int *err);
int tipc_recv(int sd, void *buf, size_t len, bool waitall);
int tipc_sendmsg(int sd, const struct msghdr *msg);
int tipc_sendto(int sd, const void *msg, size_t len, const struct tipc_addr *dst);
int tipc_send(int sd, const void *msg, size_t len);
/* To all that are bound to the instance. */
int tipc_mcast(int sd, const void *msg, size_t len, const struct tipc_addr *dst);

/* ---- topology ---- */

/* A connection to the topology service of a node, 0: the own. */
int tipc_topsrv_conn(uint32_t topsrv_node);
/* all: each publication; else only the first and the last. expire: ms, less than 0: never. */
int tipc_srv_subscr(int sd, uint32_t type, uint32_t lower, uint32_t upper, bool all, int expire);
int tipc_srv_evt(int sd, struct tipc_addr *srv, struct tipc_addr *addr, bool *up, bool *expired);
/* Until the service is there (on srv->node, if that is not 0): true. */
bool tipc_srv_wait(const struct tipc_addr *srv, int expire);
int tipc_neigh_subscr(uint32_t topsrv_node);
int tipc_neigh_evt(int sd, uint32_t *neigh_node, bool *up);
int tipc_link_subscr(uint32_t topsrv_node);
int
tipc_link_evt(int sd, uint32_t *neigh_node, bool *up, int *local_bearerid, int *remote_bearerid);
/* Name of the link to a node on a bearer, "" when there is none. */
char *tipc_linkname(char *buf, size_t len, uint32_t peer, int bearerid);

#ifdef __cplusplus
}
#endif

#endif /* _TIPCC_H_ */
