/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRELOAD_NETLINK_H
#define PRELOAD_NETLINK_H

/*
 * Netlink sockets of the TIPC family. 13-netlink.md, 2.3. A socket of NETLINK_GENERIC or
 * NETLINK_SOCK_DIAG is the kernel's until its first message: that tells whom it is for.
 * Arguments and results as those of the calls.
 */

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

/* Could a socket be one? */
bool nl_is_candidate(int family, int protocol);
/* A new one, noted as NL_NEW. Returns fd. */
int nl_made(int fd, int protocol);
/* fd leaves, copy is a copy of fd that leads to dptipcd. */
void nl_forget(int fd);
void nl_copied(int fd, int copy);

/* *is_ours false: it is the kernel's message, and nothing was done. */
ssize_t nl_send(int fd, const struct msghdr *msg, int flags, bool *is_ours);
ssize_t nl_recv(int fd, struct msghdr *msg, int flags);
int nl_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int nl_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
/* Of SOL_NETLINK, and what tells a netlink socket from others; *is_ours false: another option. */
int nl_setsockopt(int fd, int name, const void *val, socklen_t len);
int nl_getsockopt(int fd, int level, int name, void *val, socklen_t *len, bool *is_ours);

#endif /* PRELOAD_NETLINK_H */
