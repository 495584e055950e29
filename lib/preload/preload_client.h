/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PRELOAD_CLIENT_H
#define PRELOAD_CLIENT_H

/*
 * In front of each source of libdptipc when it is compiled for the preload library: its calls of
 * the C library go to the C library, past the names that are taken over. The headers come first,
 * so that only calls are renamed. Then its hooks, see client_hooks.h.
 */

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "preload_fd.h"
#include "preload_real.h"

#define socket(...)	 dpt_real.socket(__VA_ARGS__)
#define connect(...)	 dpt_real.connect(__VA_ARGS__)
#define getsockname(...) dpt_real.getsockname(__VA_ARGS__)
#define setsockopt(...)	 dpt_real.setsockopt(__VA_ARGS__)
#define getsockopt(...)	 dpt_real.getsockopt(__VA_ARGS__)
#define send(...)	 dpt_real.send(__VA_ARGS__)
#define sendmsg(...)	 dpt_real.sendmsg(__VA_ARGS__)
#define recv(...)	 dpt_real.recv(__VA_ARGS__)
#define recvmsg(...)	 dpt_real.recvmsg(__VA_ARGS__)
#define read(...)	 dpt_real.read(__VA_ARGS__)
#define write(...)	 dpt_real.write(__VA_ARGS__)
#define readv(...)	 dpt_real.readv(__VA_ARGS__)
#define writev(...)	 dpt_real.writev(__VA_ARGS__)
#define poll(...)	 dpt_real.poll(__VA_ARGS__)
#define ppoll(...)	 dpt_real.ppoll(__VA_ARGS__)
#define fcntl(...)	 dpt_real.fcntl(__VA_ARGS__)
#define ioctl(...)	 dpt_real.ioctl(__VA_ARGS__)
#define dup(...)	 dpt_real.dup(__VA_ARGS__)
#define close(...)	 preload_fd_close(__VA_ARGS__)
#define dup2(...)	 preload_fd_dup2(__VA_ARGS__)
#define dup3(...)	 preload_fd_dup3(__VA_ARGS__)

#define CLIENT_IS_PRELOAD     1
#define CLIENT_IS_FOREIGN(fd) preload_is_foreign(fd)
#define CLIENT_FD_STALE(fd)   preload_fd_stale(fd)
#define CLIENT_FD_KEEP(fd)    preload_fd_keep(fd)
#define CLIENT_FD_MIN	      preload_fd_min()

#endif /* PRELOAD_CLIENT_H */
