/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_LIMITS_H
#define DPT_LIMITS_H

/*
 * Every bound of the project, with where it comes from. What can be chosen at
 * start-up (nodes, sockets, bindings) has its ceiling here and its default in
 * the dataplane's option table.
 */

/* Largest payload of one message, octets. Src: 01-wire-format.md, 14. */
#define DPT_PAYLOAD_BYTES_MAX 66000
/* Largest header, octets. Src: 01-wire-format.md, 1. */
#define DPT_HDR_BYTES_MAX 60
#define DPT_HDR_BYTES_MIN 24
/* Largest message. Src: 01-wire-format.md, 14. */
#define DPT_MSG_BYTES_MAX (DPT_PAYLOAD_BYTES_MAX + DPT_HDR_BYTES_MAX)

/* Bearers of a node, links to a peer. Src: 02-discovery.md, 7.1. */
#define DPT_BEARERS_MAX	       3
#define DPT_LINKS_PER_NODE_MAX 2

/* Bearer and link name sizes with their NUL. Src: 02-discovery.md, 7.1; 03-link-node.md, 1. */
#define DPT_IF_NAME_BYTES     16
#define DPT_BEARER_NAME_BYTES 32
#define DPT_LINK_NAME_BYTES   68

/* Receive window of a link beyond the next expected packet. Src: 03-link-node.md, 1. */
#define DPT_LINK_RCV_WINDOW_PKTS 8191
/* Gap ack blocks of one kind in one STATE. Src: 01-wire-format.md, 9.2. */
#define DPT_GAP_BLOCKS_MAX 64

/* Smallest link MTU that we accept from a peer. Src: 03-link-node.md, hazard 9. */
#define DPT_LINK_MTU_MIN 576

/* Workers of one dptipcd; 4 bits of a port reference name the shard. Our choice. */
#define DPT_SHARDS_MAX 16

/* Bindings of one node, types 0 to 2 included. Src: 04-name-table.md, 3 (measured). */
#define DPT_OWN_BINDINGS_MAX 65535

/* Octets of returned data in a rejected message. Src: 01-wire-format.md, 11. */
#define DPT_RETURN_BYTES_MAX 1024

/* Lowest service type that an application may bind. Src: 04-name-table.md, 1.1. */
#define DPT_TYPE_USER_MIN 64

#endif /* DPT_LIMITS_H */
