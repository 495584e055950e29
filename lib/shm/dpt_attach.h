/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_ATTACH_H
#define DPT_ATTACH_H

/*
 * Messages on the attach socket, a Unix SEQPACKET connection between an application
 * process and dptipcd. One request, one answer with the same cookie, in order. Fixed size,
 * host byte order; descriptors travel as SCM_RIGHTS. Attach name:
 *
 *     "\0dptipc/<name>"   abstract (default name "default"), or a path given with --socket
 *
 *   application                                   dptipcd
 *     connect           ------------------------>  credentials checked
 *     HELLO             ------------------------>
 *                       <------------------------  HELLO + memfd, doorbell eventfd
 *     SOCKET            ------------------------>
 *                       <------------------------  SOCKET: index, port + our end of a socket pair
 *     BIND, UNBIND, SHUTDOWN, RCVBUF, INFO  ---->  answered with result
 *     (end-of-file)     ------------------------>  everything of the process is cleaned up
 *
 * A socket lives until the last copy of its descriptor is closed: dptipcd sees end-of-file on
 * its end of the pair. Nothing needs to be said.
 *
 * HELLO: arg[0] of the answer is dptipcd's version in any case. result: 0; EPROTONOSUPPORT
 * (another version, no descriptors), EACCES (credentials), ENOBUFS (too many processes).
 * The memfd carries F_SEAL_SHRINK and F_SEAL_GROW and is arg[1] octets long.
 *
 * LINK_SET: change properties of links while they live; needs no HELLO, but root or dptipcd's own
 * user (EPERM). Behind the message: arg[4] octets of name, a bearer's ("eth:net_tap0": the
 * bearer and all its links) or a link's, as dumps show it. arg[0 .. 3]: tolerance (ms), priority,
 * window (packets), MTU (octets); 0: stays. Behind the answer: arg[4] octets of text that say
 * what is wrong (EINVAL a value, ENOENT no such name); 0 when nothing is.
 *
 * SHUTDOWN: the messages that were not read are returned to their senders, dptipcd's end of
 * the pair is shut down for writing: the descriptor stays readable. arg[1], arg[2] of the answer:
 * low and high half of the position (lines, dpt_log.pos) in the receive log up to which that was
 * done; the application skips what lies before. It says nothing of messages behind.
 */

#include <stdint.h>

#define DPT_ATTACH_PREFIX	"dptipc/"
#define DPT_ATTACH_NAME_DEFAULT "default"
#define DPT_ATTACH_NAME_BYTES	64

enum dpt_attach_op {
	DPT_ATTACH_HELLO =
		1, /* arg[0] ABI version; answer: arg[0] ABI version, arg[1] region octets */
	DPT_ATTACH_SOCKET =
		2, /* arg[0] type (SOCK_RDM, SOCK_DGRAM); answer: arg[0] index, arg[1] port */
	DPT_ATTACH_BIND = 3,	   /* arg: socket index, type, lower, upper, scope */
	DPT_ATTACH_UNBIND = 4,	   /* the same */
	DPT_ATTACH_UNBIND_ALL = 5, /* arg[0] socket index */
	DPT_ATTACH_SHUTDOWN = 6,   /* arg[0] socket index; answer: arg[1], arg[2] position */
	DPT_ATTACH_RCVBUF = 7,	   /* arg[0] socket index, arg[1] octets */
	DPT_ATTACH_INFO = 8,	 /* text dump: arg[0] enum dpt_info; answer: text, several messages,
				  * the last with arg[0] = 0 octets */
	DPT_ATTACH_LINK_SET = 9, /* arg: tolerance, priority, window, MTU, octets of name */
};

enum dpt_info {
	DPT_INFO_NODE = 0,
	DPT_INFO_NAMES = 1,
	DPT_INFO_LINKS = 2,
	DPT_INFO_SOCKETS = 3,
	DPT_INFO_COUNTERS = 4,
	DPT_INFO_REFUSED = 5,
};

struct dpt_attach_msg {
	uint32_t op;	 /* enum dpt_attach_op */
	uint32_t cookie; /* the requester's, returned */
	int32_t result;	 /* answer: 0 or errno */
	uint32_t arg[5];
};

/* Longest name and longest text of LINK_SET, with room for a NUL. */
#define DPT_ATTACH_NOTE_BYTES 192

/* INFO answers: the message, then arg[0] octets of text. */
#define DPT_ATTACH_TEXT_BYTES 4096

_Static_assert(sizeof(struct dpt_attach_msg) == 32, "attach message");

#endif /* DPT_ATTACH_H */
