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
 * The memfd carries F_SEAL_SHRINK and F_SEAL_GROW; arg[1], arg[3]: low and high half of its size.
 *
 * LINK_SET: change properties of links while they live; needs no HELLO, but root or dptipcd's own
 * user (EPERM). Behind the message: arg[4] octets of name, a bearer's ("eth:net_tap0": the
 * bearer and all its links) or a link's, as dumps show it. arg[0 .. 3]: tolerance (ms), priority,
 * window (packets), MTU (octets); 0: stays. Behind the answer: arg[4] octets of text that say
 * what is wrong (EINVAL a value, ENOENT no such name); 0 when nothing is.
 *
 * ADOPT: on a new connection, arg[0] the ABI version, a descriptor along: the sender holds a socket
 * (after exec, or received over a Unix socket) and asks for the region that it lives in. dptipcd
 * knows the socket by the kernel's SO_COOKIE of that end, and answers as to HELLO (version, size,
 * memfd, doorbell), arg[2] the socket's index. The connection is then one more of that attachment:
 * requests name its sockets. ENOENT: no socket of ours; EACCES: another user than the one who
 * attached (the whole region would be his): decision 0016.
 *
 * SHUTDOWN: the messages that were not read are returned to their senders, and dptipcd hangs up:
 * poll on the descriptor says IN, RDHUP and HUP from then on, as it does when a connection has
 * ended (octets that belong to nobody are left in it: dptipcd knows the last close by them).
 * arg[1], arg[2] of the answer: low and high half of the position (lines, dpt_log.pos) in the
 * receive log up to which that was done; the application skips what lies before. It says nothing
 * of messages behind. A connection whose window is used up is answered after at most 8 s, and
 * requests of the same process wait meanwhile.
 */

#include <stdint.h>

#define DPT_ATTACH_PREFIX	"dptipc/"
#define DPT_ATTACH_NAME_DEFAULT "default"
#define DPT_ATTACH_NAME_BYTES	64

enum dpt_attach_op {
	DPT_ATTACH_HELLO = 1,  /* arg[0] ABI version; answer: arg[0] ABI version, arg[1] and arg[3]
				  region octets */
	DPT_ATTACH_SOCKET = 2, /* arg[0] type (SOCK_RDM ...); answer: arg[0] index, arg[1] port */
	DPT_ATTACH_BIND = 3,   /* arg: socket index, type, lower, upper, scope */
	DPT_ATTACH_UNBIND = 4, /* the same */
	DPT_ATTACH_UNBIND_ALL = 5, /* arg[0] socket index */
	DPT_ATTACH_SHUTDOWN = 6,   /* arg[0] socket index, arg[1] 1: do not wait for room;
				    * answer: arg[1], arg[2] position */
	DPT_ATTACH_RCVBUF = 7,	   /* arg[0] socket index, arg[1] octets */
	DPT_ATTACH_INFO = 8,	 /* text dump: arg[0] enum dpt_info; answer: text, several messages,
				  * the last with arg[0] = 0 octets */
	DPT_ATTACH_LINK_SET = 9, /* arg: tolerance, priority, window, MTU, octets of name */
	DPT_ATTACH_LISTEN = 10,	 /* arg[0] socket index */
	DPT_ATTACH_ACCEPT = 11, /* arg[0] listener's index; answer: index, port, peer's port, peer's
				 * node, importance + our end of a pair */
	DPT_ATTACH_PAIR = 12, /* arg[0] type; answer: index, port, index, port + two descriptors */
	DPT_ATTACH_NODELAY = 13,   /* arg[0] socket index, arg[1] 0 or 1 */
	DPT_ATTACH_ADOPT = 14,	   /* instead of HELLO: see above */
	DPT_ATTACH_LINK_NAME = 15, /* arg[0] peer, arg[1] bearer; answer: arg[4] octets of text */
	/* arg[0] socket index; answer: arg[0] messages queued, arg[1] what they are charged,
	 * octets; of receipts that the application has published nothing is counted any more */
	DPT_ATTACH_RECVQ = 17,
	/* Answered when what the process did before, submissions and closed descriptors, has been
	 * done, as far as no congestion is in its way. */
	DPT_ATTACH_SYNC = 18,
	DPT_ATTACH_NODE_ID = 16, /* arg[0] node; answer: arg[0..3] the 16 octets */
	/* Instead of HELLO: after the answer the connection carries netlink datagrams, one each
	 * record, as 13-netlink.md has them. arg[0] NETLINK_GENERIC or NETLINK_SOCK_DIAG, arg[1]
	 * DPT_ATTACH_NL_*: options of the socket it stands for. */
	DPT_ATTACH_NETLINK = 19,
};

#define DPT_ATTACH_NL_CAP_ACK 1u
#define DPT_ATTACH_NL_EXT_ACK 2u

/* In arg[4] of BIND beside the scope: answer when all nodes that are up have the binding. */
#define DPT_ATTACH_BIND_SYNC 0x100u

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
