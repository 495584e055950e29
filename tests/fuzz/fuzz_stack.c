/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target "stack": a stack with one established peer and bound sockets is fed frames.
 *
 *   goal    no input makes it crash, leak or miscount
 *   method  a second stack plays the peer until contact is open; then the input's records
 *           arrive in its place:  flags(1) delay(1) bytes(2, little endian) frame(bytes)
 *
 * The flags ask for what a fuzzer would hardly guess, so that frames get deep: the peer's
 * address, ours, the peer's session, the next sequence number, a true size field.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "dpt_stack.h"
#include "test_msg.h"
#include "test_pool.h"

#define FUZZ_PREVNODE 0x01
#define FUZZ_DESTNODE 0x02
#define FUZZ_SESSION  0x04
#define FUZZ_SEQNO    0x08
#define FUZZ_SIZE     0x10
#define FUZZ_DESTPORT 0x20

#define FUZZ_FRAMES_MAX	  64
#define FUZZ_FRAME_BYTES  1500
#define FUZZ_STEP_NS	  (20 * DPT_NS_PER_MS)
#define FUZZ_HANDSHAKE_NS (5 * DPT_NS_PER_S)
#define FUZZ_AFTERMATH_NS (3 * DPT_NS_PER_S)
#define FUZZ_SERVICE	  1000

struct end {
	struct dpt_stack *stack;
	struct dpt_rng rng;
	struct dpt_maddr maddr;
	struct dpt_node_addr addr;
};

static struct end own, peer;
static struct dpt_out out;
static struct dpt_port port;
static uint64_t now_ns;
static uint64_t fed_cnt; /* frames given to own */
static uint16_t peer_session;
static uint16_t peer_seqno; /* next of the peer's */

static void
end_cfg(struct end *end, struct dpt_stack_cfg *cfg, uint8_t nr)
{
	const uint8_t mac[6] = {0x02, 0, 0, 0, 0, nr};

	memset(cfg, 0, sizeof(*cfg));
	end->maddr = dpt_maddr_eth(mac);
	end->addr = dpt_node_addr(0x01001000u | nr);
	dpt_rng_seed(&end->rng, nr);
	cfg->env.rng = &end->rng;
	cfg->env.pool = test_pool();
	cfg->shards_cnt = 1;
	cfg->net_id = 4711;
	cfg->random = 0x1234u * nr;
	cfg->addr = end->addr;
	cfg->nodes_max = 4;
	cfg->sockets_max = 8;
	cfg->bindings_max = 128;
	cfg->link_ring_pkts = 64;
	cfg->rcvbuf_bytes = 100000;
}

static void
end_start(struct end *end, uint8_t nr)
{
	struct dpt_stack_bearer bearer = {.priority = 10,
					  .tolerance_ms = 1500,
					  .window_min = 50,
					  .window_max = 50,
					  .mtu = FUZZ_FRAME_BYTES,
					  .has_bcast = true,
					  .if_name = "fuzz"};
	struct dpt_stack_cfg cfg;
	const char *what = "";
	size_t size;

	end_cfg(end, &cfg, nr);
	size = (dpt_stack_size(&cfg) + 63) & ~(size_t)63;
	/* Of its own size each time, so that a sanitizer sees the first octet too many. */
	end->stack = aligned_alloc(64, size);
	DPT_ASSERT(end->stack != NULL);
	memset(end->stack, 0, size);
	DPT_ASSERT(dpt_stack_init(end->stack, &cfg, now_ns, &what) == 0);
	bearer.maddr = end->maddr;
	DPT_ASSERT(dpt_stack_bearer_up(end->stack, &bearer, now_ns, &out) == 0);
}

static void
end_stop(struct end *end)
{
	dpt_stack_fini(end->stack);
	free(end->stack);
	end->stack = NULL;
}

/* Remember what the peer's frames say of its side of the link. */
static void
peer_learn(struct rte_mbuf *m)
{
	const uint8_t *hdr = dpt_buf_hdr(m);

	if (dpt_msg_user(hdr) == DPT_USER_LINK_PROTOCOL)
		peer_session = (uint16_t)dpt_msg_session(hdr);
	else if (dpt_msg_user(hdr) != DPT_USER_LINK_CONFIG && !dpt_msg_non_seq(hdr))
		peer_seqno = (uint16_t)(dpt_msg_seqno(hdr) + 1);
}

static void
own_feed(struct rte_mbuf *m)
{
	fed_cnt++;
	dpt_stack_rx_burst(own.stack, 0, &m, 1, now_ns, &out);
}

/* The application reads at once; events are of no interest here. */
static void
own_read(void)
{
	struct dpt_socks *socks = dpt_stack_socks(own.stack);
	struct dpt_port ready;
	uint64_t cookie;

	while (dpt_sock_ready_pop(socks, &ready, &cookie)) {
		while (dpt_sock_recv_next(socks, ready) != NULL)
			dpt_sock_recv_done(socks, ready, 1);
	}
	out.events_cnt = 0;
}

/* Frames of out go to the other end, as copies; without one they are lost. */
static void
carry(struct end *from, struct end *to)
{
	struct dpt_bufq frames = out.tx;
	struct rte_mbuf *m;

	dpt_bufq_init(&out.tx);
	out.events_cnt = 0;
	while ((m = dpt_bufq_pop(&frames)) != NULL) {
		struct rte_mbuf *copy = to->stack != NULL ? dpt_buf_copy(m, test_pool()) : NULL;

		if (from == &peer)
			peer_learn(m);
		rte_pktmbuf_free(m);
		if (copy == NULL)
			continue;
		if (to == &own)
			own_feed(copy);
		else
			dpt_stack_rx_burst(to->stack, 0, &copy, 1, now_ns, &out);
		carry(to, from);
	}
}

static bool
is_open(const struct end *end)
{
	const struct dpt_node *node = dpt_stack_node(end->stack, 0);

	return node != NULL && dpt_node_is_open(node);
}

static void
handshake(void)
{
	uint64_t end_ns = now_ns + FUZZ_HANDSHAKE_NS;

	end_start(&own, 1);
	carry(&own, &peer);
	end_start(&peer, 2);
	carry(&peer, &own);
	for (; now_ns < end_ns && !(is_open(&own) && is_open(&peer)); now_ns += FUZZ_STEP_NS) {
		dpt_stack_timeout(own.stack, now_ns, &out);
		carry(&own, &peer);
		dpt_stack_timeout(peer.stack, now_ns, &out);
		carry(&peer, &own);
	}
	DPT_ASSERT(is_open(&own) && is_open(&peer));
	end_stop(&peer);
}

static void
bind_socket(void)
{
	const struct dpt_bind_req req = {
		.range = {.type = FUZZ_SERVICE, .lower = 0, .upper = 99},
		.scope = DPT_SCOPE_CLUSTER,
		.cookie = 1,
	};

	DPT_ASSERT(dpt_stack_socket(own.stack, DPT_SOCK_RDM, 1, &port) == 0);
	DPT_ASSERT(dpt_stack_bind(own.stack, port, &req, now_ns, &out) == 0);
	carry(&own, &peer);
}

static void
frame_fix(uint8_t *frame, uint32_t bytes, uint8_t flags)
{
	uint32_t user;

	if (bytes < DPT_HDR_SHORT)
		return;
	user = dpt_msg_user(frame);
	if (flags & FUZZ_SIZE) {
		dpt_msg_set_version(frame, DPT_MSG_VERSION);
		dpt_msg_set_size(frame, bytes);
	}
	if (flags & FUZZ_PREVNODE)
		dpt_msg_set_prevnode(frame, peer.addr.value);
	if (flags & FUZZ_DESTPORT)
		dpt_msg_set_destport(frame, port.ref);
	if ((flags & FUZZ_SESSION) && user == DPT_USER_LINK_PROTOCOL)
		dpt_msg_set_session(frame, peer_session);
	if ((flags & FUZZ_SEQNO) && user != DPT_USER_LINK_PROTOCOL && user != DPT_USER_LINK_CONFIG)
		dpt_msg_set_seqno(frame, peer_seqno++);
	if ((flags & FUZZ_DESTNODE) && bytes >= DPT_HDR_BASIC && user != DPT_USER_LINK_CONFIG) {
		dpt_msg_set_orignode(frame, peer.addr.value);
		dpt_msg_set_destnode(frame, own.addr.value);
	}
}

/* Returns the octets used, 0 at the end of the input. */
static size_t
record(const uint8_t *data, size_t size)
{
	uint8_t frame[FUZZ_FRAME_BYTES];
	uint32_t bytes;

	if (size < 4)
		return 0;
	bytes = data[2] | (uint32_t)data[3] << 8;
	if (bytes == 0 || bytes > size - 4 || bytes > sizeof(frame))
		return 0;
	memcpy(frame, data + 4, bytes);
	frame_fix(frame, bytes, data[0]);
	now_ns += data[1] * DPT_NS_PER_MS;
	if (dpt_stack_deadline_ns(own.stack) <= now_ns)
		dpt_stack_timeout(own.stack, now_ns, &out);
	own_feed(test_buf(frame, bytes));
	carry(&own, &peer);
	own_read();
	return 4 + bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t end_ns;
	size_t used;
	int i;

	dpt_out_init(&out);
	now_ns = DPT_NS_PER_S;
	fed_cnt = 0;
	handshake();
	bind_socket();
	for (i = 0; i < FUZZ_FRAMES_MAX && (used = record(data, size)) > 0; i++) {
		data += used;
		size -= used;
	}
	for (end_ns = now_ns + FUZZ_AFTERMATH_NS; now_ns < end_ns; now_ns += 10 * FUZZ_STEP_NS) {
		dpt_stack_timeout(own.stack, now_ns, &out);
		carry(&own, &peer);
		own_read();
	}
	DPT_ASSERT(dpt_stack_counters(own.stack)->stack.rx_frames == fed_cnt);
	DPT_ASSERT(out.up.cnt == 0 && out.bcast.cnt == 0 && out.shard.cnt == 0);
	end_stop(&own);
	DPT_ASSERT(test_pool_is_full());
	return 0;
}
