/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzz target "stack": a stack with one established peer and bound sockets is fed frames.
 *
 *   goal    no input makes it crash, leak or miscount
 *   method  a second stack plays the peer until contact is open (two_ends.h); then the
 *           input's records arrive in its place:
 *
 *           options(1)  { flags(1) delay(1) bytes and more flags(2, little endian) frame }
 *
 * The flags ask for what a fuzzer would hardly guess, so that frames get deep: the peer's
 * address, ours, the peer's session, the next sequence number, a true size field, the other
 * bearer, and the same for what is inside bundles, fragments and tunnel packets. Some do
 * what no frame can: let time pass, make us send, empty the pool.
 */
#include "fuzz.h"

#include <string.h>

#include "dpt_msg.h"
#include "test_msg.h"
#include "test_pool.h"
#include "two_ends.h"

#define FUZZ_PREVNODE 0x01
#define FUZZ_DESTNODE 0x02
#define FUZZ_SESSION  0x04 /* and number of a STATE, new session of a RESET */
#define FUZZ_SEQNO    0x08
#define FUZZ_SIZE     0x10
#define FUZZ_DESTPORT 0x20
#define FUZZ_BEARER_1 0x40
#define FUZZ_INNER    0x80 /* all of that for what is wrapped */
/* Above the octets of the frame. */
#define FUZZ_BYTES_MASK 0x07ff
#define FUZZ_ACK	0x0800 /* acknowledges all that we have sent */
#define FUZZ_AHEAD	0x1000 /* with FUZZ_SEQNO: leaves a number out, to be used next */
#define FUZZ_STARVE	0x2000 /* when it arrives the pool has delay buffers left */
#define FUZZ_SEND	0x4000 /* we send delay * 256 octets before it arrives; from 128: see below */
#define FUZZ_LATE	0x8000 /* delay * 16 */

/* With FUZZ_SEND: delay & 0x7f is what we do with a connection, and no time passes. */
#define FUZZ_ACT 0x80

#define FUZZ_FRAMES_MAX	  64
#define FUZZ_STARVE_MAX	  2
#define FUZZ_AFTERMATH_NS (3 * DPT_NS_PER_S)

struct record {
	uint8_t frame[ENDS_FRAME_BYTES];
	uint32_t bytes;
	uint8_t flags;
	uint16_t more; /* flags above FUZZ_BYTES_MASK */
	uint8_t delay;
	uint8_t bearer_id;
};

static struct ends ends;
static unsigned int starve_cnt;
static bool is_gap_open[ENDS_BEARERS]; /* by FUZZ_AHEAD */

/* Messages of connections: to a socket in the state that the frame's port says, of its peer. */
static void
fix_ports(uint8_t *hdr)
{
	uint32_t which = dpt_msg_destport(hdr) % ENDS_CONNS_CNT;

	if (dpt_msg_user(hdr) != DPT_USER_CONN_MANAGER && !dpt_msg_syn(hdr) &&
	    !(dpt_msg_is_data(hdr) && dpt_msg_type(hdr) == DPT_TYPE_CONN)) {
		dpt_msg_set_destport(hdr, ends.port.ref);
		return;
	}
	dpt_msg_set_destport(hdr, ends.conns.ports[which].ref);
	if ((dpt_msg_origport(hdr) & 1) == 0)
		dpt_msg_set_origport(hdr, ENDS_PEER_PORT);
}

static void
fix_nodes(uint8_t *hdr, uint32_t bytes, uint8_t flags)
{
	if (flags & FUZZ_PREVNODE)
		dpt_msg_set_prevnode(hdr, ends.peer_addr.value);
	if (flags & FUZZ_DESTPORT)
		fix_ports(hdr);
	if ((flags & FUZZ_DESTNODE) && bytes >= DPT_HDR_BASIC) {
		dpt_msg_set_orignode(hdr, ends.peer_addr.value);
		dpt_msg_set_destnode(hdr, ends.own_addr.value);
	}
}

static void
fix_protocol(uint8_t *hdr, struct ends_link *link, uint32_t bytes)
{
	uint32_t type = dpt_msg_type(hdr);

	if (type == DPT_TYPE_STATE)
		dpt_msg_set_seqno(hdr, link->state_no++);
	if (type == DPT_TYPE_RESET) {
		/* A peer that has restarted the link: all begins anew. */
		link->session++;
		link->seqno = 1;
		link->state_no = 1;
	}
	if (type == DPT_TYPE_ACTIVATE) {
		dpt_msg_set_dest_session_valid(hdr, 1);
		dpt_msg_set_dest_session(hdr, link->own_session);
	}
	if (bytes >= DPT_HDR_SHORT)
		dpt_msg_set_session(hdr, link->session);
}

/* The next number, or the one after it: then the next frame gets the one left out. */
static void
fix_seqno(uint8_t *hdr, struct ends_link *link, bool is_ahead)
{
	bool *is_gap = &is_gap_open[link - ends.link];

	dpt_msg_set_seqno(hdr, (uint16_t)(link->seqno + is_ahead));
	if (!is_ahead)
		link->seqno = link->inner_no = (uint16_t)(link->seqno + 1 + *is_gap);
	*is_gap = is_ahead;
}

static void
fix_inner(const struct record *rec, uint8_t *hdr, uint32_t room, bool is_last)
{
	if (room < DPT_HDR_SHORT)
		return;
	if (is_last) {
		dpt_msg_set_version(hdr, DPT_MSG_VERSION);
		dpt_msg_set_size(hdr, room);
	}
	fix_nodes(hdr, room, rec->flags);
}

static void
fix_bundle(const struct record *rec, uint8_t *hdr, uint32_t room)
{
	while (room >= DPT_HDR_SHORT) {
		uint32_t used = (dpt_msg_size(hdr) + 3) & ~3u;

		fix_inner(rec, hdr, room, used >= room);
		if (used < DPT_HDR_SHORT || used > room)
			break;
		hdr += used;
		room -= used;
	}
}

/* What is inside bundles, first fragments and tunnel packets seems to be the peer's too. */
static void
fix_wrapped(struct record *rec)
{
	uint8_t *hdr = rec->frame, *inner = hdr + DPT_HDR_INTERNAL;
	uint32_t room = rec->bytes > DPT_HDR_INTERNAL ? rec->bytes - DPT_HDR_INTERNAL : 0;
	uint32_t type = dpt_msg_type(hdr);

	switch (dpt_msg_user(hdr)) {
	case DPT_USER_BUNDLER:
		fix_bundle(rec, inner, room);
		break;
	case DPT_USER_FRAGMENTER:
		fix_inner(rec, inner, type == DPT_TYPE_FIRST_FRAGMENT ? room : 0, false);
		break;
	case DPT_USER_TUNNEL:
		if (room < DPT_HDR_SHORT || dpt_msg_fragm_no(hdr) > 1)
			break;
		fix_inner(rec, inner, room, dpt_msg_nof_fragms(hdr) == 0);
		if (dpt_msg_user(inner) == DPT_USER_BUNDLER && room > DPT_HDR_INTERNAL)
			fix_bundle(rec, inner + DPT_HDR_INTERNAL, room - DPT_HDR_INTERNAL);
		if (rec->flags & FUZZ_SEQNO)
			dpt_msg_set_seqno(inner, ends.link[!rec->bearer_id].inner_no++);
		break;
	default:
		break;
	}
}

static void
record_fix(struct record *rec)
{
	struct ends_link *link = &ends.link[rec->bearer_id];
	uint8_t *hdr = rec->frame;
	uint32_t user;

	if (rec->bytes < DPT_HDR_SHORT)
		return;
	user = dpt_msg_user(hdr);
	if (rec->flags & FUZZ_SIZE) {
		dpt_msg_set_version(hdr, DPT_MSG_VERSION);
		dpt_msg_set_size(hdr, rec->bytes);
	}
	if (user == DPT_USER_LINK_CONFIG) {
		fix_nodes(hdr, rec->bytes, rec->flags & FUZZ_PREVNODE);
		return;
	}
	if (rec->more & FUZZ_ACK)
		dpt_msg_set_ack(hdr, link->own_seqno);
	if (rec->flags & FUZZ_INNER)
		fix_wrapped(rec);
	fix_nodes(hdr, rec->bytes, rec->flags);
	if (user == DPT_USER_LINK_PROTOCOL) {
		if (rec->flags & FUZZ_SESSION)
			fix_protocol(hdr, link, rec->bytes);
	} else if (rec->flags & FUZZ_SEQNO) {
		fix_seqno(hdr, link, (rec->more & FUZZ_AHEAD) != 0);
	}
}

/* Returns the octets used, 0 at the end of the input. */
static size_t
record_read(struct record *rec, const uint8_t *data, size_t size)
{
	uint16_t more;

	if (size < 4)
		return 0;
	more = (uint16_t)(data[2] | data[3] << 8);
	rec->bytes = more & FUZZ_BYTES_MASK;
	if (rec->bytes == 0 || rec->bytes > size - 4 || rec->bytes > sizeof(rec->frame))
		return 0;
	rec->flags = data[0];
	rec->more = (uint16_t)(more & ~FUZZ_BYTES_MASK);
	rec->delay = data[1];
	rec->bearer_id = (data[0] & FUZZ_BEARER_1) != 0;
	memcpy(rec->frame, data + 4, rec->bytes);
	return 4 + rec->bytes;
}

static void
record_play(struct record *rec)
{
	bool is_starved = (rec->more & FUZZ_STARVE) != 0 && starve_cnt < FUZZ_STARVE_MAX;
	uint64_t delay_ns = rec->delay * DPT_NS_PER_MS;
	struct rte_mbuf *m;

	if (rec->more & FUZZ_SEND && rec->delay & FUZZ_ACT) {
		ends_act(&ends, rec->delay & 0x7f);
		delay_ns = 0;
	} else if (rec->more & FUZZ_SEND) {
		ends_send(&ends, rec->delay * 256u, rec->delay % 4);
	}
	if (is_starved)
		delay_ns = 0;
	ends_run(&ends, rec->more & FUZZ_LATE ? 16 * delay_ns : delay_ns);
	record_fix(rec);
	m = test_buf(rec->frame, rec->bytes);
	if (is_starved) {
		starve_cnt++;
		test_pool_exhaust(rec->delay);
	}
	ends_feed(&ends, rec->bearer_id, m);
	test_pool_release();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record rec;
	size_t used;

	if (size == 0)
		return 0;
	starve_cnt = 0;
	memset(is_gap_open, 0, sizeof(is_gap_open));
	ends_start(&ends, data[0]);
	data++;
	size--;
	for (int i = 0; i < FUZZ_FRAMES_MAX && (used = record_read(&rec, data, size)) > 0; i++) {
		record_play(&rec);
		data += used;
		size -= used;
	}
	ends_run(&ends, FUZZ_AFTERMATH_NS);
	ends_finish(&ends);
	return 0;
}
