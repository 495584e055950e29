/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sending end of the broadcast link: peers, window, backlog, bearers. 06-broadcast.md, 2
 * to 4 and 7.1. Reports of peers are in bcast_report.c.
 *
 *   released | sent; holes are released too | backlog
 *             ^ una                           ^ snd_nxt
 *
 * The window counts the packets that some peer has not acknowledged. A peer that has
 * received nothing behind a loss is therefore never more than the window behind, which is
 * how far it believes announcements.
 *
 * Timer: stall_ns, the next look for peers that do not acknowledge (section 7).
 */
#include "bcast_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include "dpt_seq.h"

#define SND_ALIGN(bytes) RTE_ALIGN_CEIL((bytes), (size_t)RTE_CACHE_LINE_SIZE)

DPT_STATIC_ASSERT((SND_RING_PKTS & SND_RING_MASK) == 0, "ring by mask");
DPT_STATIC_ASSERT(SND_RING_PKTS > DPT_BCAST_WINDOW_PKTS, "the window fits the ring");

/* Backlog limits below system importance, packets. Src: 06-broadcast.md, 4.2. */
static const uint32_t backlog_limits[DPT_IMPORTANCE_SYSTEM] = {100, 200, 300, 400};

static size_t
words_cnt(uint32_t peers_max)
{
	return ((size_t)peers_max + 63) / 64;
}

size_t
dpt_bcast_snd_size(const struct dpt_bcast_snd_cfg *cfg)
{
	return SND_ALIGN(sizeof(struct dpt_bcast_snd)) +
	       SND_ALIGN(cfg->peers_max * sizeof(struct snd_peer)) +
	       SND_ALIGN(snd_slots_cnt(cfg->peers_max) * sizeof(struct snd_slot)) +
	       SND_ALIGN((SND_RING_PKTS + 1) * words_cnt(cfg->peers_max) * sizeof(uint64_t));
}

void
dpt_bcast_snd_init(struct dpt_bcast_snd *snd, const struct dpt_bcast_snd_cfg *cfg)
{
	uint8_t *at = (uint8_t *)snd + SND_ALIGN(sizeof(*snd));
	uint32_t room = rte_pktmbuf_data_room_size(cfg->env.pool);

	memset(snd, 0, dpt_bcast_snd_size(cfg));
	snd->peers = (struct snd_peer *)at;
	at += SND_ALIGN(cfg->peers_max * sizeof(struct snd_peer));
	snd->slots = (struct snd_slot *)at;
	at += SND_ALIGN(snd_slots_cnt(cfg->peers_max) * sizeof(struct snd_slot));
	snd->need = (uint64_t *)at;
	snd->words = (uint32_t)words_cnt(cfg->peers_max);
	snd->added = snd->need + (size_t)SND_RING_PKTS * snd->words;

	snd->env = cfg->env;
	snd->counters = cfg->counters;
	snd->own = cfg->own;
	snd->net_id = cfg->net_id;
	snd->peers_max = cfg->peers_max;
	/* A packet and the room that is left free must fit into one buffer. */
	snd->mtu_max = RTE_MIN((uint32_t)SND_MTU_MAX, room - DPT_BUF_HEADROOM_BYTES);
	snd->mtu = snd->mtu_max;
	snd->snd_nxt = 1;
	snd->una = 1;
	snd->stall_ns = DPT_NEVER_NS;
	snd->tolerance_min_ms = UINT16_MAX;
	snd_peers_init(snd);
}

void
dpt_bcast_snd_own_set(struct dpt_bcast_snd *snd, struct dpt_node_addr own)
{
	snd->own = own;
}

void
dpt_bcast_snd_net_id_set(struct dpt_bcast_snd *snd, uint32_t net_id)
{
	DPT_ASSERT(snd->peers_cnt == 0);
	snd->net_id = net_id;
}

static void
pkt_release(struct dpt_bcast_snd *snd, struct snd_pkt *pkt)
{
	snd->counters->tx_released++;
	snd->unacked_cnt--;
	rte_pktmbuf_free(pkt->m);
	pkt->m = NULL;
	pkt->missing = 0;
}

static uint64_t *
need_row(const struct dpt_bcast_snd *snd, uint16_t seqno)
{
	return &snd->need[(size_t)(seqno & SND_RING_MASK) * snd->words];
}

bool
snd_pkt_is_needed(const struct dpt_bcast_snd *snd, uint32_t peer_idx, uint16_t seqno)
{
	return (need_row(snd, seqno)[peer_idx / 64] >> peer_idx % 64 & 1) != 0;
}

bool
snd_pkt_acked(struct dpt_bcast_snd *snd, uint32_t peer_idx, uint16_t seqno)
{
	struct snd_pkt *pkt = &snd->pkts[seqno & SND_RING_MASK];

	if (!snd_pkt_is_needed(snd, peer_idx, seqno))
		return false;
	need_row(snd, seqno)[peer_idx / 64] &= ~(UINT64_C(1) << peer_idx % 64);
	if (--pkt->missing == 0)
		pkt_release(snd, pkt);
	return true;
}

/*
 * No peer is left: nothing is kept. Numbering goes on, unlike the kernel's, which begins anew
 * (06-broadcast.md, 2): each contact announces the number, and late broadcasts of the old one
 * are not taken for new ones.
 */
static void
snd_reset(struct dpt_bcast_snd *snd)
{
	snd->done_cnt = dpt_bcast_snd_given(snd);
	for (; snd->una != snd->snd_nxt; snd->una++)
		if (snd->pkts[snd->una & SND_RING_MASK].m != NULL)
			pkt_release(snd, &snd->pkts[snd->una & SND_RING_MASK]);
	snd->counters->drop_tx_reset += dpt_bufq_free(&snd->backlog);
	memset(snd->backlog_cnt, 0, sizeof(snd->backlog_cnt));
	memset(snd->need, 0, (size_t)SND_RING_PKTS * snd->words * sizeof(*snd->need));
	snd->mtu = snd->mtu_max;
	snd->stall_ns = DPT_NEVER_NS;
	snd->tolerance_min_ms = UINT16_MAX;
	dpt_bcast_snd_stats_reset(snd);
}

void
dpt_bcast_snd_fini(struct dpt_bcast_snd *snd)
{
	snd_reset(snd);
}

/* Over which bearers: 06-broadcast.md, 4.3. */
static void
bearers_choose(struct dpt_bcast_snd *snd)
{
	uint32_t all = 0, primary = 0;

	for (uint32_t i = 0; i < DPT_BEARERS_MAX && snd->peers_cnt > 0; i++) {
		if (snd->dests[i].links_cnt == 0)
			continue;
		all |= 1u << i;
		snd->mtu = RTE_MIN(snd->mtu, (uint32_t)snd->dests[i].mtu);
		snd->mtu = RTE_MAX(snd->mtu, (uint32_t)SND_MTU_MIN);
		if (snd->dests[i].links_cnt < snd->peers_cnt)
			continue;
		primary = 1u << i;
		/* Of two good bearers half of the nodes take the first, half the second. */
		if (((i ^ snd->own.value) & 1) != 0)
			break;
	}
	snd->bearers = primary != 0 ? primary : all;
}

void
dpt_bcast_snd_dest_add(struct dpt_bcast_snd *snd, uint8_t bearer_id, enum dpt_media media,
		       uint16_t mtu, bool has_bcast)
{
	struct snd_dest *dest = &snd->dests[bearer_id];

	DPT_ASSERT(bearer_id < DPT_BEARERS_MAX);
	dest->links_cnt++;
	dest->media = (uint8_t)media;
	dest->mtu = mtu;
	dest->has_bcast = has_bcast;
	bearers_choose(snd);
}

void
dpt_bcast_snd_dest_del(struct dpt_bcast_snd *snd, uint8_t bearer_id)
{
	DPT_ASSERT(bearer_id < DPT_BEARERS_MAX);
	DPT_ASSERT(snd->dests[bearer_id].links_cnt > 0);
	snd->dests[bearer_id].links_cnt--;
	bearers_choose(snd);
}

static uint64_t
stall_span_ns(uint16_t tolerance_ms)
{
	return SND_STALL_TOLERANCES * tolerance_ms * DPT_NS_PER_MS;
}

int32_t
dpt_bcast_snd_peer_add(struct dpt_bcast_snd *snd, struct dpt_node_addr addr, uint16_t tolerance_ms,
		       uint64_t now_ns)
{
	struct snd_peer *peer;

	if (snd_peer_find(snd, addr) != NULL)
		return -EEXIST;
	peer = snd_peer_create(snd, addr);
	if (peer == NULL)
		return -ENOSPC;
	peer->acked = snd_last(snd);
	peer->tolerance_ms = tolerance_ms;
	peer->has_blocks = true;
	peer->moved_ns = now_ns;
	snd->tolerance_min_ms = RTE_MIN(snd->tolerance_min_ms, tolerance_ms);
	snd->stall_ns = RTE_MIN(snd->stall_ns, now_ns + stall_span_ns(tolerance_ms));
	bearers_choose(snd);
	return snd_last(snd);
}

void
dpt_bcast_snd_caps_set(struct dpt_bcast_snd *snd, struct dpt_node_addr addr, uint16_t caps)
{
	struct snd_peer *peer = snd_peer_find(snd, addr);

	if (peer != NULL)
		peer->has_blocks = (caps & DPT_CAP_GAP_ACK_BLOCK) != 0;
}

void
dpt_bcast_snd_peer_del(struct dpt_bcast_snd *snd, struct dpt_node_addr addr, uint64_t now_ns,
		       struct dpt_out *out)
{
	struct snd_peer *peer = snd_peer_find(snd, addr);
	uint32_t idx;

	if (peer == NULL)
		return;
	idx = snd_peer_idx(snd, peer);
	for (uint16_t seqno = snd->una; seqno != snd->snd_nxt; seqno++)
		snd_pkt_acked(snd, idx, seqno);
	snd_peer_free(snd, peer);
	if (snd->peers_cnt == 0) {
		snd_trace(snd, now_ns, BCAST_TRACE_RESET, snd_last(snd), addr);
		snd_reset(snd);
	}
	bearers_choose(snd);
	snd_advance(snd, now_ns, out);
}

/*
 * The first bearer gets the packet itself by a second reference, if an earlier one is not
 * under way any more and no other bearer's header stands in front; else a copy.
 */
static void
pkt_xmit(struct dpt_bcast_snd *snd, struct rte_mbuf *m, struct dpt_out *out)
{
	for (uint8_t i = 0; i < DPT_BEARERS_MAX; i++) {
		struct dpt_maddr dst = dpt_maddr_bcast(snd->dests[i].media);
		struct rte_mbuf *frame = m;

		if ((snd->bearers & 1u << i) == 0)
			continue;
		if (rte_mbuf_refcnt_read(m) == 1 &&
		    (dpt_buf(m)->l2_bytes == 0 || dpt_buf(m)->bearer_id == i))
			rte_pktmbuf_refcnt_update(m, 1);
		else
			frame = dpt_buf_copy(m, snd->env.pool);
		if (frame != NULL)
			dpt_out_tx(out, frame, i, &dst);
		else
			snd->counters->tx_no_buffer++;
	}
}

void
snd_pkt_retransmit(struct dpt_bcast_snd *snd, uint16_t seqno, uint64_t now_ns, struct dpt_out *out)
{
	struct snd_pkt *pkt = &snd->pkts[seqno & SND_RING_MASK];

	if (pkt->m == NULL || now_ns < pkt->next_ns)
		return;
	pkt->next_ns = now_ns + DPT_BCAST_RETRANSMIT_NS;
	snd->counters->tx_retransmits++;
	pkt_xmit(snd, pkt->m, out);
}

static bool
window_is_open(const struct dpt_bcast_snd *snd)
{
	return snd->unacked_cnt < DPT_BCAST_WINDOW_PKTS &&
	       dpt_seq_dist(snd->una, snd->snd_nxt) < SND_RING_PKTS;
}

/* First transmission: number it, and note who has to acknowledge it. */
static void
pkt_send(struct dpt_bcast_snd *snd, struct rte_mbuf *m, uint64_t now_ns, struct dpt_out *out)
{
	uint16_t seqno = snd->snd_nxt;
	struct snd_pkt *pkt = &snd->pkts[seqno & SND_RING_MASK];
	uint8_t *hdr = dpt_buf_hdr(m);

	dpt_msg_set_non_seq(hdr, 1);
	dpt_msg_set_bcast_ack(hdr, 0);
	dpt_msg_set_ack(hdr, 0);
	dpt_msg_set_seqno(hdr, seqno);
	dpt_msg_set_prevnode(hdr, snd->own.value);
	dpt_msg_set_bcast_net_id(hdr, snd->net_id);
	if (dpt_msg_hdr_bytes(hdr) >= DPT_HDR_BASIC)
		dpt_msg_set_destnode(hdr, 0);
	if (snd->una == snd->snd_nxt)
		snd->stall_ns = now_ns + stall_span_ns(snd->tolerance_min_ms);
	dpt_buf(m)->seqno = seqno;
	*pkt = (struct snd_pkt){
		.m = m,
		.sent_ns = now_ns,
		.next_ns = now_ns + DPT_BCAST_RETRANSMIT_NS,
		.missing = snd->peers_cnt,
	};
	memcpy(need_row(snd, seqno), snd->added, snd->words * sizeof(*snd->added));
	snd->snd_nxt++;
	snd->unacked_cnt++;
	snd->counters->tx_pkts++;
	pkt_xmit(snd, m, out);
}

void
snd_advance(struct dpt_bcast_snd *snd, uint64_t now_ns, struct dpt_out *out)
{
	while (snd->una != snd->snd_nxt && snd->pkts[snd->una & SND_RING_MASK].m == NULL) {
		snd->una++;
		snd->done_cnt++;
	}
	while (snd->backlog.cnt > 0 && window_is_open(snd)) {
		struct rte_mbuf *m = dpt_bufq_pop(&snd->backlog);

		snd->backlog_cnt[dpt_buf(m)->importance]--;
		pkt_send(snd, m, now_ns, out);
	}
}

static uint32_t
backlog_limit(const struct dpt_bcast_snd *snd, uint8_t importance)
{
	if (importance < DPT_IMPORTANCE_SYSTEM)
		return backlog_limits[importance];
	return 65535 / (snd->mtu / 20);
}

/* The message in one segment that nobody else refers to. m is gone; NULL: pool empty. */
static struct rte_mbuf *
linear(struct dpt_bcast_snd *snd, struct rte_mbuf *m)
{
	uint16_t bytes = (uint16_t)dpt_buf_bytes(m);
	struct rte_mbuf *copy;

	if (m->nb_segs == 1 && rte_mbuf_refcnt_read(m) == 1 && dpt_buf(m)->l2_bytes == 0)
		return m;
	copy = dpt_buf_alloc(snd->env.pool);
	if (copy != NULL)
		dpt_buf_read(m, 0, rte_pktmbuf_append(copy, bytes), bytes);
	rte_pktmbuf_free(m);
	return copy;
}

/* The message as packets in q, each in one segment. m is gone. */
static int
packets_make(struct dpt_bcast_snd *snd, struct rte_mbuf *m, struct dpt_bufq *q)
{
	uint32_t mss = snd->mtu - SND_OVERHEAD_BYTES;
	int rc;

	if (dpt_buf_bytes(m) <= mss) {
		m = linear(snd, m);
		if (m == NULL)
			return -ENOBUFS;
		dpt_bufq_push(q, m);
		return 0;
	}
	rc = dpt_link_fragment(m, mss, snd->own, dpt_node_addr(0), snd->env.pool, q);
	if (rc == 0) {
		snd->counters->tx_fragmented++;
		snd->counters->tx_fragments += q->cnt;
	}
	return rc;
}

static int
tx_drop(struct rte_mbuf *m, uint64_t *counter, int rc)
{
	(*counter)++;
	rte_pktmbuf_free(m);
	return rc;
}

int
dpt_bcast_snd_tx(struct dpt_bcast_snd *snd, struct rte_mbuf *m, uint64_t now_ns,
		 struct dpt_out *out)
{
	uint8_t importance = dpt_msg_link_importance(dpt_buf_hdr(m));
	uint32_t limit = backlog_limit(snd, importance);
	uint32_t waiting = snd->backlog_cnt[importance];
	struct dpt_bufq q;

	if (snd->peers_cnt == 0)
		return tx_drop(m, &snd->counters->drop_no_peers, 0);
	if (dpt_buf_bytes(m) > DPT_MSG_BYTES_MAX)
		return tx_drop(m, &snd->counters->drop_tx_size, -EMSGSIZE);
	/* A source that was told to wait and does not is cut off at twice the limit. */
	if (waiting >= limit && (importance == DPT_IMPORTANCE_SYSTEM || waiting >= 2 * limit))
		return tx_drop(m, &snd->counters->drop_tx_backlog, -ENOBUFS);
	dpt_bufq_init(&q);
	if (packets_make(snd, m, &q) != 0) {
		snd->counters->drop_tx_no_buffer++;
		return -ENOBUFS;
	}
	while ((m = dpt_bufq_pop(&q)) != NULL) {
		if (snd->backlog.cnt == 0 && window_is_open(snd)) {
			pkt_send(snd, m, now_ns, out);
			continue;
		}
		dpt_buf(m)->importance = importance;
		dpt_bufq_push(&snd->backlog, m);
		snd->backlog_cnt[importance]++;
	}
	if (waiting < limit)
		return 0;
	snd->counters->tx_congested++;
	return 1;
}

struct dpt_node_addr
dpt_bcast_snd_stalled(struct dpt_bcast_snd *snd, uint64_t now_ns)
{
	uint64_t next_ns = now_ns + stall_span_ns(snd->tolerance_min_ms);

	if (now_ns < dpt_bcast_snd_deadline_ns(snd))
		return dpt_node_addr(0);
	for (uint32_t i = 0; i < snd->peers_max; i++) {
		struct snd_peer *peer = &snd->peers[i];
		uint16_t wanted = (uint16_t)(peer->acked + 1);
		uint64_t since_ns;

		/* Peers that have all; a packet that one lacks is still in the window. */
		if (peer->addr.value == 0 || wanted == snd->snd_nxt)
			continue;
		since_ns = RTE_MAX(peer->moved_ns, snd->pkts[wanted & SND_RING_MASK].sent_ns);
		if (now_ns - since_ns < stall_span_ns(peer->tolerance_ms)) {
			next_ns = RTE_MIN(next_ns, since_ns + stall_span_ns(peer->tolerance_ms));
			continue;
		}
		/* Not named again before another span has passed. */
		peer->moved_ns = now_ns;
		snd->counters->tx_stalled++;
		snd_trace(snd, now_ns, BCAST_TRACE_STALLED, peer->acked, peer->addr);
		return peer->addr;
	}
	snd->stall_ns = next_ns;
	return dpt_node_addr(0);
}

uint64_t
dpt_bcast_snd_deadline_ns(const struct dpt_bcast_snd *snd)
{
	return snd->una != snd->snd_nxt ? snd->stall_ns : DPT_NEVER_NS;
}

uint64_t
dpt_bcast_snd_given(const struct dpt_bcast_snd *snd)
{
	return snd->done_cnt + dpt_seq_dist(snd->una, snd->snd_nxt) + snd->backlog.cnt;
}

uint64_t
dpt_bcast_snd_done(const struct dpt_bcast_snd *snd)
{
	return snd->done_cnt;
}

uint16_t
dpt_bcast_snd_last(const struct dpt_bcast_snd *snd)
{
	return snd_last(snd);
}

uint32_t
dpt_bcast_snd_peers_cnt(const struct dpt_bcast_snd *snd)
{
	return snd->peers_cnt;
}

uint32_t
dpt_bcast_snd_room(const struct dpt_bcast_snd *snd)
{
	uint32_t mask = 0;

	for (uint8_t i = 0; i < DPT_IMPORTANCE_CNT; i++)
		if (snd->backlog_cnt[i] < backlog_limit(snd, i))
			mask |= 1u << i;
	return mask;
}

int
dpt_bcast_snd_print(const struct dpt_bcast_snd *snd, char *text, size_t text_size)
{
	return snprintf(
		text, text_size,
		"bcast own %08x peers %u window %u..%u unacked %u backlog %u mtu %u bearers %x",
		snd->own.value, snd->peers_cnt, snd->una, snd_last(snd), snd->unacked_cnt,
		snd->backlog.cnt, snd->mtu, snd->bearers);
}
