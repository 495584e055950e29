/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine: a capture, our stack in the place of one node. See replay.h. */
#include "replay.h"

#include <stdlib.h>
#include <string.h>

/* The contact that a capture begins with is made so long before it. */
#define CONTACT_NS (400 * DPT_NS_PER_MS)

static struct replay replay;

/* The first frame from idx on of the real node (is_own) or its peer, of that user. */
static const struct replay_frame *
find_frame(const struct replay *rp, uint32_t idx, bool is_own, enum dpt_user user)
{
	uint8_t peer = (uint8_t)(3 - rp->cfg->place);

	for (; idx < rp->frames_cnt; idx++) {
		const struct replay_frame *f = &rp->frames[idx];

		if (f->src[4] == (is_own ? rp->cfg->place : peer) && dpt_msg_user(f->msg) == user)
			return f;
	}
	return NULL;
}

/* Session of a link that is made, or was there, before frame idx. */
static uint16_t
session_before(const struct replay *rp, uint32_t idx, bool is_own)
{
	const struct replay_frame *f = find_frame(rp, idx, is_own, DPT_USER_LINK_PROTOCOL);

	if (f == NULL)
		return 0;
	/* The message by which a link says that it goes down has the next number already. */
	return (uint16_t)(dpt_msg_session(f->msg) - dpt_msg_peer_stopping(f->msg));
}

/* The next link that is made takes this session: the first number of its generator + 1. */
static void
session_seed(struct replay *rp, uint16_t session)
{
	uint64_t seed = 0;

	for (;; seed++) {
		struct dpt_rng rng;

		dpt_rng_seed(&rng, seed);
		if ((uint16_t)(dpt_rng_u32(&rng) + 1) == session)
			break;
	}
	dpt_rng_seed(&rp->rng, seed);
}

static bool
load(struct replay *rp)
{
	static struct pcap_frame in;
	FILE *file = pcap_open(rp->cfg->file);
	uint64_t start_ns = 0;

	CU_NOT_NULL(file);
	if (file == NULL)
		return false;
	while (rp->frames_cnt < REPLAY_FRAMES_MAX && pcap_next(file, &in)) {
		struct replay_frame *f = &rp->frames[rp->frames_cnt++];

		if (rp->frames_cnt == 1)
			start_ns = in.time_ns;
		f->time_ns = in.time_ns - start_ns;
		f->bytes = in.bytes;
		memcpy(f->dst, in.dst, sizeof(f->dst));
		memcpy(f->src, in.src, sizeof(f->src));
		CU_TRUE(in.bytes <= sizeof(f->msg));
		memcpy(f->msg, in.msg, RTE_MIN(in.bytes, sizeof(f->msg)));
		/* Real traffic: lib/wire has to take every frame of it. */
		CU_EQ_U64(dpt_msg_check(f->msg, f->bytes, f->bytes, DPT_PLACE_FRAME), DPT_MSG_OK);
	}
	fclose(file);
	CU_TRUE(rp->frames_cnt > 0 && rp->frames_cnt < REPLAY_FRAMES_MAX);
	return rp->frames_cnt > 0;
}

static void
take_events(struct replay *rp)
{
	uint16_t i;

	for (i = 0; i < rp->out.events_cnt; i++) {
		const struct dpt_event *event = &rp->out.events[i];

		rp->ups += event->type == DPT_EVENT_NODE_UP;
		if (event->type != DPT_EVENT_NODE_DOWN)
			continue;
		rp->names_cnt = 0;
		replay_names_check(rp);
		CU_TRUE(rp->downs_cnt < REPLAY_DOWNS_MAX);
		if (rp->downs_cnt == REPLAY_DOWNS_MAX)
			continue;
		rp->silent_ns[rp->downs_cnt] = rp->now_ns - rp->heard_ns;
		rp->downs[rp->downs_cnt++] = event->reason;
	}
	rp->out.events_cnt = 0;
}

/* What we say, and are told. */
static void
take_out(struct replay *rp)
{
	struct rte_mbuf *m;

	while ((m = dpt_bufq_pop(&rp->out.tx)) != NULL) {
		struct replay_frame *f = &rp->said[rp->said_cnt];

		CU_EQ_U64(dpt_msg_check(dpt_buf_hdr(m), dpt_buf_head_bytes(m), dpt_buf_bytes(m),
					DPT_PLACE_FRAME),
			  DPT_MSG_OK);
		CU_TRUE(dpt_buf_bytes(m) <= sizeof(f->msg));
		CU_TRUE(rp->said_cnt < REPLAY_FRAMES_MAX - 1);
		if (dpt_buf_bytes(m) <= sizeof(f->msg) && rp->said_cnt < REPLAY_FRAMES_MAX - 1) {
			f->time_ns = rp->now_ns >= REPLAY_BASE_NS ? rp->now_ns - REPLAY_BASE_NS
								  : DPT_NEVER_NS;
			f->bytes = dpt_buf_bytes(m);
			memset(f->dst, 0xff, sizeof(f->dst));
			if (!dpt_buf(m)->dst.is_bcast)
				memcpy(f->dst, dpt_buf(m)->dst.bytes, sizeof(f->dst));
			dpt_buf_read(m, 0, f->msg, f->bytes);
			rp->said_cnt++;
		}
		rte_pktmbuf_free(m);
	}
	take_events(rp);
}

static void
bearer_up(struct replay *rp)
{
	const uint8_t mac[6] = {0x02, 0x4b, 0, 0, rp->cfg->place, 1};
	struct dpt_stack_bearer bearer = {.priority = 10,
					  .tolerance_ms = REPLAY_TOLERANCE_MS,
					  .window_min = 50,
					  .window_max = 256,
					  .mtu = 1500,
					  .has_bcast = true,
					  .maddr = dpt_maddr_eth(mac),
					  .if_name = "eth0"};

	CU_EQ_I64(dpt_stack_bearer_up(rp->stack, &bearer, rp->now_ns, &rp->out), 0);
	take_out(rp);
}

/* Power on. idx: the next frame of the capture. Who we are is read from what b said then. */
static bool
start(struct replay *rp, uint32_t idx)
{
	const struct replay_frame *f = find_frame(rp, idx, true, DPT_USER_LINK_CONFIG);
	struct dpt_stack_cfg cfg = {.env = {.rng = &rp->rng, .pool = test_pool()},
				    .shards_cnt = 1,
				    .nodes_max = 4,
				    .sockets_max = 512,
				    .bindings_max = REPLAY_NAMES_MAX,
				    .link_ring_pkts = 256,
				    .rcvbuf_bytes = 2097152};
	const char *what = "";
	size_t size;

	CU_NOT_NULL(f);
	if (f == NULL)
		return false;
	cfg.net_id = dpt_msg_net_id(f->msg);
	cfg.random = dpt_msg_peer_net_hash(f->msg);
	if (rp->cfg->has_addr)
		cfg.addr = dpt_node_addr(dpt_msg_prevnode(f->msg));
	if (rp->cfg->id_text != NULL)
		CU_EQ_I64(dpt_node_id_parse(&cfg.id, rp->cfg->id_text), 0);
	size = (dpt_stack_size(&cfg) + 63) & ~(size_t)63;
	rp->stack = aligned_alloc(64, size);
	CU_NOT_NULL(rp->stack);
	if (rp->stack == NULL)
		return false;
	memset(rp->stack, 0, size);
	CU_EQ_I64(dpt_stack_init(rp->stack, &cfg, rp->now_ns, &what), 0);
	rp->starts++;
	bearer_up(rp);
	return true;
}

void
replay_end(struct replay *rp)
{
	if (rp->stack == NULL)
		return;
	replay_counters_add(rp);
	dpt_stack_fini(rp->stack);
	free(rp->stack);
	rp->stack = NULL;
	rp->names_cnt = 0;
}

static void
advance(struct replay *rp, uint64_t to_ns)
{
	while (rp->stack != NULL && dpt_stack_deadline_ns(rp->stack) <= to_ns) {
		rp->now_ns = RTE_MAX(rp->now_ns, dpt_stack_deadline_ns(rp->stack));
		dpt_stack_timeout(rp->stack, rp->now_ns, &rp->out);
		take_out(rp);
	}
	rp->now_ns = RTE_MAX(rp->now_ns, to_ns);
}

/* idx: of the frame in the capture, or of the one that comes next. */
static void
feed(struct replay *rp, const struct replay_frame *f, uint32_t idx)
{
	struct rte_mbuf *m = test_buf(f->msg, f->bytes);

	if (dpt_msg_user(f->msg) == DPT_USER_LINK_CONFIG)
		session_seed(rp, session_before(rp, idx, true));
	dpt_stack_rx_burst(rp->stack, 0, &m, 1, rp->now_ns, &rp->out);
	take_out(rp);
	if (dpt_msg_user(f->msg) != DPT_USER_LINK_CONFIG)
		rp->heard_ns = rp->now_ns;
	if (dpt_msg_user(f->msg) == DPT_USER_NAME_DISTRIBUTOR)
		replay_names_heard(rp, f);
}

static void
frame_init(const struct replay *rp, struct replay_frame *f, enum dpt_user user, uint32_t type,
	   uint32_t payload_bytes)
{
	memset(f, 0, sizeof(*f));
	dpt_msg_init(f->msg, user, type, DPT_HDR_INTERNAL, rp->peer, rp->own);
	f->bytes = DPT_HDR_INTERNAL + payload_bytes;
	dpt_msg_set_size(f->msg, f->bytes);
	/* Nothing has been acknowledged yet; the first number is 1. */
	dpt_msg_set_bc_ack_invalid(f->msg, 1);
	dpt_msg_set_seqno(f->msg, 1);
}

static void
contact_state(struct replay *rp, uint16_t session, uint16_t number, uint16_t ack)
{
	struct replay_frame f;

	frame_init(rp, &f, DPT_USER_LINK_PROTOCOL, DPT_TYPE_STATE, 4);
	dpt_msg_set_seqno(f.msg, number);
	dpt_msg_set_ack(f.msg, ack);
	dpt_msg_set_next_sent(f.msg, ack + 1);
	dpt_msg_set_session(f.msg, session);
	dpt_msg_set_bc_ack_invalid(f.msg, ack == 0);
	dpt_msg_set_redundant_link(f.msg, ack != 0);
	f.msg[DPT_HDR_INTERNAL + 1] = 4; /* a record without gap blocks */
	feed(rp, &f, 0);
}

/* The peer's packets 1 and 2. */
static void
contact_packets(struct replay *rp)
{
	struct dpt_name_item item = {
		.lower = rp->peer.value, .upper = rp->peer.value, .key = rp->peer.value};
	struct replay_frame f;

	frame_init(rp, &f, DPT_USER_BCAST_PROTOCOL, 0, 0);
	feed(rp, &f, 0);
	frame_init(rp, &f, DPT_USER_NAME_DISTRIBUTOR, DPT_TYPE_PUBLICATION, DPT_NAME_ITEM_BYTES);
	dpt_msg_set_seqno(f.msg, 2);
	/* Names may be broadcast once the peer has acknowledged our bulk. */
	if (rp->cfg->binds_cnt > 0)
		dpt_msg_set_ack(f.msg, 2);
	dpt_msg_set_bulk(f.msg, 1);
	dpt_msg_set_last_bulk(f.msg, 1);
	dpt_msg_set_non_legacy(f.msg, 1);
	dpt_msg_set_named_seqno(f.msg, 1);
	dpt_name_item_encode(&item, f.msg + DPT_HDR_INTERNAL);
	feed(rp, &f, 0);
}

static void
contact_frames(struct replay *rp, uint16_t session)
{
	const struct replay_frame *next = find_frame(rp, 0, false, DPT_USER_LINK_PROTOCOL);
	struct replay_frame f;

	frame_init(rp, &f, DPT_USER_LINK_PROTOCOL, DPT_TYPE_ACTIVATE, DPT_IF_NAME_BYTES);
	dpt_msg_set_seqno(f.msg, 0x8000);
	dpt_msg_set_next_sent(f.msg, 1);
	dpt_msg_set_session(f.msg, session);
	dpt_msg_set_dest_session_valid(f.msg, 1);
	dpt_msg_set_dest_session(f.msg, session_before(rp, 0, true));
	dpt_msg_set_max_pkt(f.msg, 1500 / 4);
	memcpy(f.msg + DPT_HDR_INTERNAL, "eth0", 4);
	feed(rp, &f, 0);
	contact_state(rp, session, 1, 0);
	contact_packets(rp);
	/* Does the capture begin after the STATE that acknowledged our first packets? */
	if (dpt_msg_type(next->msg) == DPT_TYPE_STATE && dpt_msg_seqno(next->msg) > 2)
		contact_state(rp, session, 2, 2);
}

/* What the node told all before the capture; the port is nobody's in the capture. */
static void
bind_names(struct replay *rp)
{
	struct dpt_port port;
	uint32_t i;

	if (rp->cfg->binds_cnt == 0)
		return;
	CU_EQ_I64(dpt_stack_socket(rp->stack, DPT_SOCK_RDM, 0, &port), 0);
	for (i = 0; i < rp->cfg->binds_cnt; i++) {
		struct dpt_bind_req req = {.range = {.type = 1000, .lower = i, .upper = i},
					   .scope = DPT_SCOPE_CLUSTER};

		CU_EQ_I64(dpt_stack_bind(rp->stack, port, &req, rp->now_ns, &rp->out), 0);
		take_out(rp);
	}
}

static void
contact(struct replay *rp)
{
	const struct replay_frame *req = find_frame(rp, 0, false, DPT_USER_LINK_CONFIG);

	CU_NOT_NULL(req);
	if (req == NULL)
		return;
	CU_EQ_U64(dpt_msg_type(req->msg), DPT_TYPE_DSC_REQ);
	feed(rp, req, 0);
	contact_frames(rp, session_before(rp, 0, false));
	CU_EQ_U64(rp->ups, 1);
	CU_EQ_U64(rp->downs_cnt, 0);
	bind_names(rp);
}

/* The power went off at some time after the frame before idx, unseen. */
static void
stop_before(struct replay *rp, uint32_t idx)
{
	const struct replay_step *step = &rp->cfg->steps[rp->steps_done];

	if (rp->steps_done == REPLAY_STEPS_MAX || step->what != REPLAY_STOP || step->frame != idx)
		return;
	rp->steps_done++;
	replay_end(rp);
}

static void
steps_before(struct replay *rp, uint32_t idx)
{
	while (rp->steps_done < REPLAY_STEPS_MAX) {
		const struct replay_step *step = &rp->cfg->steps[rp->steps_done];

		if (step->what == 0 || step->frame > idx)
			return;
		rp->steps_done++;
		switch (step->what) {
		case REPLAY_BEARER_DOWN:
			dpt_stack_bearer_down(rp->stack, 0, rp->now_ns, &rp->out);
			take_out(rp);
			break;
		case REPLAY_BEARER_UP:
			bearer_up(rp);
			break;
		case REPLAY_STOP: /* stop_before() */
			return;
		case REPLAY_SET:
			CU_EQ_I64(dpt_stack_link_props_set(rp->stack, 0, rp->peer, &step->props,
							   rp->now_ns, &rp->out),
				  0);
			take_out(rp);
			break;
		case REPLAY_START:
			start(rp, idx);
			break;
		}
	}
}

static bool
is_heard(const struct replay *rp, uint32_t idx)
{
	const struct replay_frame *f = &rp->frames[idx];

	return rp->stack != NULL && !replay_is_own(rp, f) &&
	       (f->dst[0] == 0xff || f->dst[4] == rp->cfg->place) &&
	       (idx < rp->cfg->lost_from || idx >= rp->cfg->lost_to);
}

/* The last word of each of them: addresses may change in a trial. */
static void
find_addrs(struct replay *rp)
{
	uint32_t i;

	for (i = 0; i < rp->frames_cnt; i++) {
		uint32_t prevnode = dpt_msg_prevnode(rp->frames[i].msg);

		if (replay_is_own(rp, &rp->frames[i]))
			rp->own = dpt_node_addr(prevnode);
		else if (rp->frames[i].src[4] == 3 - rp->cfg->place)
			rp->peer = dpt_node_addr(prevnode);
	}
}

struct replay *
replay_run(const struct replay_cfg *cfg)
{
	struct replay *rp = &replay;
	uint32_t idx;

	memset(rp, 0, sizeof(*rp));
	rp->cfg = cfg;
	dpt_out_init(&rp->out);
	dpt_rng_seed(&rp->rng, 1);
	if (!load(rp))
		return NULL;
	find_addrs(rp);
	rp->now_ns = REPLAY_BASE_NS - (cfg->is_linked ? CONTACT_NS : 0);
	if (cfg->is_linked) {
		if (!start(rp, 0))
			return NULL;
		contact(rp);
	}
	if (cfg->frames_max > 0)
		rp->frames_cnt = RTE_MIN(rp->frames_cnt, cfg->frames_max);
	for (idx = 0; idx < rp->frames_cnt; idx++) {
		const struct replay_frame *f = &rp->frames[idx];

		stop_before(rp, idx);
		advance(rp, REPLAY_BASE_NS + f->time_ns);
		/* The first frame of the node: its bearer is enabled. */
		if (rp->stack == NULL && rp->steps_done == 0 && replay_is_own(rp, f) &&
		    !start(rp, idx))
			return NULL;
		steps_before(rp, idx);
		if (is_heard(rp, idx))
			feed(rp, f, idx);
	}
	return rp;
}
