/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRELOAD_MESSAGE_H
#define PRELOAD_MESSAGE_H

/* One piece of memory over a netlink socket, for send, write, recv and read. */

#include <stdbool.h>
#include <sys/types.h>

ssize_t message_send_nl(int fd, const void *buf, size_t len, int flags, bool *is_ours);
ssize_t message_recv_nl(int fd, void *buf, size_t len, int flags);

#endif /* PRELOAD_MESSAGE_H */
