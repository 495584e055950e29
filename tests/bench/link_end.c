/* SPDX-License-Identifier: BSD-3-Clause */
/* An end: node, link and bearer in the caller's thread. Contract: link_bench.h. */
#include "link_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_mempool.h>

#include "../../app/dataplane/clock.h"
#include "bearer_counters.h"
#include "dpt_msg.h"

#define END_RING_PKTS 1024
#define END_NET_ID    4711
#define END_CAPS      0x0fff
/* Raw frames are LINK_CONFIG messages: no link takes them for its own. */
#define RAW_USER DPT_USER_LINK_CONFIG

static struct clock the_clock;
static uint8_t payload[DPT_PAYLOAD_BYTES_MAX];

void
end_die(const char *what, const char *why)
{
	fprintf(stderr, "bench_link: %s: %s\n", what, why);
	exit(1);
}

void
end_eal(const char *prefix, const char *vdev)
{
	char *argv[16] = {"bench_link", "--no-huge",	  "--no-pci",	       "--no-shconf", "-m",
			  "512",	"--no-telemetry", "--log-level=error", "-l",	      "0"};
	int argc = 10;
	char file_prefix[64], dev[256];

	snprintf(file_prefix, sizeof(file_prefix), "--file-prefix=%s", prefix);
	argv[argc++] = file_prefix;
	if (vdev != NULL) {
		snprintf(dev, sizeof(dev), "--vdev=%s", vdev);
		argv[argc++] = dev;
	}
	if (rte_eal_init(argc, argv) < 0)
		end_die("EAL", rte_strerror(rte_errno));
	clock_init(&the_clock);
	for (uint32_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + 1);
}

struct rte_mempool *
end_pool(uint32_t bufs)
{
	struct rte_mempool *pool =
		rte_pktmbuf_pool_create("bench", bufs, 256, DPT_BUF_PRIV_BYTES,
					2048 + DPT_BUF_HEADROOM_BYTES, SOCKET_ID_ANY);

	if (pool == NULL)
		end_die("pool", rte_strerror(rte_errno));
	return pool;
}

void
end_open(struct end *end, const struct end_cfg *cfg)
{
	struct dpt_bearer_cfg bearer = {
		.device = cfg->device,
		.queues_cnt = 1,
		.pool = cfg->pool,
		.mtu_max = cfg->mtu_max,
		.net_id = END_NET_ID,
	};
	struct dpt_node_cfg node = {
		.own = dpt_node_addr(1u << 24 | 1u << 12 | cfg->number),
		.peer = dpt_node_addr(1u << 24 | 1u << 12 | (3 - cfg->number)),
		.net_id = END_NET_ID,
		.caps = END_CAPS,
		.ring_pkts = END_RING_PKTS,
		.expiry_ns = 300 * UINT64_C(1000000000),
	};
	char error[256] = "";

	memset(end, 0, sizeof(*end));
	if (cfg->ops->open(&bearer, &end->bearer, error, sizeof(error)) != 0)
		end_die("bearer", error);
	end->bearer->ops->info(end->bearer, &end->info);
	end->pool = cfg->pool;
	end->window = cfg->window;
	end->own = node.own;
	end->peer = node.peer;
	dpt_rng_seed(&end->rng, cfg->number);
	dpt_out_init(&end->out);
	node.env.rng = &end->rng;
	node.env.pool = cfg->pool;
	node.link_counters = &end->link_counters;
	node.node_counters = &end->node_counters;
	node.bcast_counters = &end->bcast_counters;
	end->node = aligned_alloc(64, dpt_node_size(&node));
	if (end->node == NULL)
		end_die("node", "no memory");
	end->now_ns = clock_ns(&the_clock);
	dpt_node_init(end->node, &node, end->now_ns);
}

void
end_connect(struct end *end, const struct dpt_maddr *peer_maddr)
{
	struct dpt_link_setup setup = {
		.priority = 10,
		.tolerance_ms = 1500,
		.mtu = end->info.mtu,
		.window_min = 50,
		.window_max = end->window,
		.dst = *peer_maddr,
	};

	snprintf(setup.if_name, sizeof(setup.if_name), "%s", end->info.if_name);
	end->now_ns = clock_ns(&the_clock);
	dpt_node_link_setup(end->node, &setup, end->now_ns, &end->out);
	end_flush(end);
}

static void
take_events(struct end *end)
{
	for (uint16_t i = 0; i < end->out.events_cnt; i++) {
		const struct dpt_event *event = &end->out.events[i];

		if (event->type == DPT_EVENT_NODE_UP)
			dpt_node_open(end->node, 0, end->now_ns, &end->out);
		else if (event->type == DPT_EVENT_LINK_ROOM)
			end->is_blocked = false;
		else if (event->type == DPT_EVENT_NODE_DOWN)
			end->is_down_seen = true;
	}
	end->out.events_cnt = 0;
}

void
end_flush(struct end *end)
{
	struct rte_mbuf *bufs[END_BURST], *m;
	uint16_t cnt = 0;

	if (end->out.events_cnt > 0)
		take_events(end);
	while ((m = dpt_bufq_pop(&end->out.tx)) != NULL) {
		bufs[cnt++] = m;
		if (cnt == END_BURST) {
			end->bearer->ops->tx_burst(end->bearer, 0, bufs, cnt);
			cnt = 0;
		}
	}
	if (cnt > 0)
		end->bearer->ops->tx_burst(end->bearer, 0, bufs, cnt);
	dpt_bufq_free(&end->out.bcast);
}

static void
take_messages(struct end *end)
{
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&end->out.up)) != NULL) {
		end->received++;
		if (end->is_echo)
			end_send(end, dpt_msg_payload_bytes(dpt_buf_hdr(m)));
		rte_pktmbuf_free(m);
	}
}

void
end_timers(struct end *end)
{
	end->now_ns = clock_ns(&the_clock);
	if (dpt_node_deadline_ns(end->node) <= end->now_ns)
		dpt_node_timeout(end->node, end->now_ns, &end->out);
}

uint32_t
end_poll(struct end *end)
{
	struct rte_mbuf *bufs[END_BURST];
	uint16_t cnt = end->bearer->ops->rx_burst(end->bearer, 0, bufs, END_BURST);

	end_timers(end);
	for (uint16_t i = 0; i < cnt; i++) {
		if (dpt_msg_check_buf(bufs[i], DPT_PLACE_FRAME) != DPT_MSG_OK ||
		    dpt_msg_user(dpt_buf_hdr(bufs[i])) == RAW_USER) {
			rte_pktmbuf_free(bufs[i]);
			continue;
		}
		dpt_node_rx(end->node, 0, bufs[i], end->now_ns, &end->out);
	}
	take_messages(end);
	end_flush(end);
	return cnt;
}

bool
end_is_open(const struct end *end)
{
	return dpt_node_is_open(end->node) && dpt_node_state(end->node) == DPT_NODE_UP_UP;
}

/* A direct message for a socket of the peer, the payload copied in. */
static struct rte_mbuf *
make(struct end *end, enum dpt_user user, uint32_t hdr_bytes, uint32_t bytes)
{
	struct rte_mbuf *m = dpt_msg_alloc(end->pool, user, DPT_TYPE_DIRECT, hdr_bytes, bytes,
					   end->own, end->peer);

	if (m == NULL)
		end_die("pool", "empty");
	dpt_buf_write(m, hdr_bytes, payload, bytes);
	return m;
}

bool
end_send(struct end *end, uint32_t bytes)
{
	int rc;

	if (end->is_blocked)
		return false;
	rc = dpt_node_tx(end->node, make(end, DPT_USER_LOW, DPT_HDR_BASIC, bytes), 0, end->now_ns,
			 &end->out);
	if (rc < 0)
		end_die("dpt_node_tx", rte_strerror(-rc));
	end->is_blocked = rc == 1;
	return true;
}

void
end_raw_send(struct end *end, const struct dpt_maddr *to, uint32_t bytes, uint32_t cnt)
{
	struct rte_mbuf *bufs[END_BURST];

	for (uint32_t i = 0; i < cnt; i++) {
		bufs[i] = make(end, RAW_USER, DPT_HDR_BASIC, bytes);
		dpt_msg_set_non_seq(dpt_buf_hdr(bufs[i]), 1);
		dpt_buf(bufs[i])->dst = *to;
	}
	end->bearer->ops->tx_burst(end->bearer, 0, bufs, (uint16_t)cnt);
}

uint32_t
end_raw_poll(struct end *end)
{
	struct rte_mbuf *bufs[END_BURST];
	uint16_t cnt = end->bearer->ops->rx_burst(end->bearer, 0, bufs, END_BURST);
	uint32_t raws = 0;

	for (uint16_t i = 0; i < cnt; i++) {
		if (dpt_msg_user(dpt_buf_hdr(bufs[i])) == RAW_USER) {
			raws++;
			rte_pktmbuf_free(bufs[i]);
		} else if (dpt_msg_check_buf(bufs[i], DPT_PLACE_FRAME) == DPT_MSG_OK) {
			dpt_node_rx(end->node, 0, bufs[i], end->now_ns, &end->out);
		} else {
			rte_pktmbuf_free(bufs[i]);
		}
	}
	if (raws < cnt) {
		take_messages(end);
		end_flush(end);
	}
	end->raws += raws;
	return raws;
}

uint64_t
end_tx_frames(const struct end *end)
{
	uint64_t values[DPT_BEARER_COUNTERS_CNT] = {0};

	end->bearer->ops->counters(end->bearer, values, DPT_BEARER_COUNTERS_CNT);
	return values[offsetof(struct dpt_bearer_counters, tx_frames) / sizeof(uint64_t)];
}

void
end_close(struct end *end)
{
	dpt_node_fini(end->node);
	free(end->node);
	end->bearer->ops->close(end->bearer);
}
