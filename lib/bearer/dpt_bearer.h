/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_BEARER_H
#define DPT_BEARER_H

/*
 * The contract of a bearer driver: how TIPC frames enter and leave. A driver knows media and
 * queues, nothing of links. drivers/bearers/README.md tells how to write one.
 *
 * A bearer has queue pairs 0 .. queues_cnt - 1. One worker polls a queue pair; calls on
 * different pairs may run at the same time, calls on one pair never do.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dpt_buf.h"
#include "dpt_limits.h"
#include "dpt_maddr.h"

struct dpt_bearer;

/* What a driver tells after open. */
struct dpt_bearer_info {
	enum dpt_media media;
	struct dpt_maddr maddr;		 /* own media address */
	uint16_t mtu;			 /* octets of TIPC in a frame */
	uint16_t queues_cnt;		 /* queue pairs that can be polled, at least 1 */
	bool has_bcast;			 /* real broadcast: 06-broadcast.md, 9 */
	bool has_carrier;		 /* it comes and goes; else is_up always says true */
	uint32_t if_index;		 /* of the kernel's interface below, 0: none */
	char if_name[DPT_IF_NAME_BYTES]; /* for link names: at most 15 octets */
};

struct dpt_bearer_cfg {
	const char *device; /* text behind "media:" of the bearer's name */
	uint8_t bearer_id;
	uint16_t queues_cnt; /* wanted; the driver may give fewer */
	int numa_socket;
	struct rte_mempool *pool; /* frames come from here */
	uint16_t mtu_max;	  /* what the pool's buffers hold */
	uint32_t net_id;
};

/* Counters of one queue pair; its poller writes. DROP kinds as everywhere. */
#define DPT_BEARER_COUNTERS(X)                                                                     \
	X(rx_frames, INFO, "frames received and handed to the stack")                              \
	X(rx_bytes, INFO, "octets of them, L2 header included")                                    \
	X(tx_frames, INFO, "frames given to the device")                                           \
	X(tx_bytes, INFO, "octets of them, L2 header included")                                    \
	X(drop_rx_not_tipc, DROP, "frame of another ethertype")                                    \
	X(drop_rx_other_host, DROP, "frame for another host")                                      \
	X(drop_rx_short, DROP, "frame without a whole L2 header")                                  \
	X(drop_rx_no_buffer, DROP, "frame lost for lack of a buffer")                              \
	X(drop_tx_full, DROP, "device queue full")                                                 \
	X(drop_tx_no_buffer, DROP, "no buffer for the frame's L2 header or copy")

struct dpt_bearer_ops {
	const char *media_name; /* "eth", "unix", "loop": what stands before ':' */

	/*
	 * Open the device. Returns 0 and *bearer, or negative errno with a line in error that
	 * names the device and says what to do. control.
	 */
	int (*open)(const struct dpt_bearer_cfg *cfg, struct dpt_bearer **bearer, char *error,
		    size_t error_bytes);
	void (*info)(const struct dpt_bearer *bearer, struct dpt_bearer_info *info);
	void (*close)(struct dpt_bearer *bearer);

	/*
	 * Up to cnt frames as TIPC messages: mtod is the first octet of the TIPC message,
	 * dpt_buf.l2_bytes 0, private area zeroed. Frames that are not TIPC's or not for us
	 * are freed and counted. Returns how many. Poller of the queue pair.
	 */
	uint16_t (*rx_burst)(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs,
			     uint16_t cnt);

	/*
	 * Send to dpt_buf.dst. A buffer whose l2_bytes is 0 gets its L2 header (which stays, for
	 * retransmission); one that has it is sent as it is. All cnt are gone: what the device
	 * does not take is freed and counted. Poller of the queue pair.
	 */
	void (*tx_burst)(struct dpt_bearer *bearer, uint16_t queue, struct rte_mbuf **bufs,
			 uint16_t cnt);

	/*
	 * For idle workers: a descriptor that becomes readable when a frame has arrived, or
	 * -ENOTSUP: the worker polls at intervals instead. arm: called before sleeping; returns
	 * false when a frame may be waiting already.
	 */
	int (*wait_fd)(struct dpt_bearer *bearer, uint16_t queue);
	bool (*wait_arm)(struct dpt_bearer *bearer, uint16_t queue);
	void (*wait_disarm)(struct dpt_bearer *bearer, uint16_t queue);

	/* Carrier now. control. */
	bool (*is_up)(struct dpt_bearer *bearer);
	/*
	 * A descriptor that becomes readable when the carrier may have changed (read it, then
	 * ask is_up), or -ENOTSUP: control looks at intervals. NULL: no carrier. control.
	 */
	int (*carrier_fd)(struct dpt_bearer *bearer);

	/*
	 * What has become of the device: *mtu, what info told last, becomes what it is now. Returns
	 * 0, or -ENODEV: it has gone for good (what is left to do is to close the bearer). Cheap:
	 * asked as often as is_up. NULL: nothing ever changes. control.
	 */
	int (*look)(struct dpt_bearer *bearer, uint16_t *mtu);

	/*
	 * Have the device put the frames of peer into this queue; where it cannot, they come in
	 * some queue, and the workers hand them on. What changes in the middle of a stream may
	 * come out of order: links restore it. Returns 0 and *rule, -ENOTSUP: the device cannot
	 * do that at all, or another negative errno: not this one. May take milliseconds.
	 * NULL: cannot. control.
	 */
	int (*steer)(struct dpt_bearer *bearer, const struct dpt_maddr *peer, uint16_t queue,
		     void **rule);
	void (*unsteer)(struct dpt_bearer *bearer, void *rule);

	/* Add up the counters of all queue pairs. Any thread; values may be a little old. */
	void (*counters)(const struct dpt_bearer *bearer, uint64_t *values, uint32_t cnt);
};

/* Each driver begins its object with this. */
struct dpt_bearer {
	const struct dpt_bearer_ops *ops;
};

/* The registry: a table handed in by the program, no constructors. */
const struct dpt_bearer_ops *dpt_bearer_find(const struct dpt_bearer_ops *const *table,
					     uint32_t cnt, const char *name, const char **device);

#endif /* DPT_BEARER_H */
