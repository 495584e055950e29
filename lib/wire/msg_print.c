/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line of text per message. Contract: dpt_msg.h.
 *
 *     LINK_PROTOCOL/STATE 44 02010000>02020000 ack=5 seq=7 ... probe
 *
 * user/type, size, previous node > destination node, then fields in the order of the
 * words. Flags are named when they are set. Numbers are decimal, addresses, ports and
 * service types hexadecimal. Any octets can be printed, valid or not.
 */
#include "dpt_msg.h"

#include <stdarg.h>
#include <stdio.h>

#include "dpt_records.h"

/* Text that grows; counts on when the room is used up, as snprintf does. */
struct line {
	char *text;
	size_t size;
	size_t len;
};

static void line_add(struct line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void
line_add(struct line *line, const char *fmt, ...)
{
	size_t used = line->len < line->size ? line->len : line->size;
	char *at = line->text == NULL ? NULL : line->text + used;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(at, line->size - used, fmt, args);
	va_end(args);
	if (len > 0)
		line->len += (size_t)len;
}

static void
line_flag(struct line *line, const char *name, uint32_t is_set)
{
	if (is_set)
		line_add(line, " %s", name);
}

const char *
dpt_user_name(uint32_t user)
{
	static const char *const names[] = {
		[DPT_USER_LOW] = "LOW",
		[DPT_USER_MEDIUM] = "MEDIUM",
		[DPT_USER_HIGH] = "HIGH",
		[DPT_USER_CRITICAL] = "CRITICAL",
		[DPT_USER_SYSTEM] = "SYSTEM",
		[DPT_USER_BCAST_PROTOCOL] = "BCAST_PROTOCOL",
		[DPT_USER_BUNDLER] = "MSG_BUNDLER",
		[DPT_USER_LINK_PROTOCOL] = "LINK_PROTOCOL",
		[DPT_USER_CONN_MANAGER] = "CONN_MANAGER",
		[DPT_USER_GROUP_PROTOCOL] = "GROUP_PROTOCOL",
		[DPT_USER_TUNNEL] = "TUNNEL_PROTOCOL",
		[DPT_USER_NAME_DISTRIBUTOR] = "NAME_DISTRIBUTOR",
		[DPT_USER_FRAGMENTER] = "MSG_FRAGMENTER",
		[DPT_USER_LINK_CONFIG] = "LINK_CONFIG",
		[DPT_USER_CRYPTO] = "MSG_CRYPTO",
	};

	return user < sizeof(names) / sizeof(names[0]) ? names[user] : "UNKNOWN";
}

const char *
dpt_type_name(uint32_t user, uint32_t type)
{
	static const char *const data[8] = {"CONN",	 "MCAST",	   "NAMED",
					    "DIRECT",	 "GRP_MEMBER_EVT", "GRP_BCAST",
					    "GRP_MCAST", "GRP_UCAST"};
	static const char *const names[16][8] = {
		[DPT_USER_BCAST_PROTOCOL] = {"STATE"},
		[DPT_USER_BUNDLER] = {"BUNDLE"},
		[DPT_USER_LINK_PROTOCOL] = {"STATE", "RESET", "ACTIVATE"},
		[DPT_USER_CONN_MANAGER] = {"PROBE", "PROBE_REPLY", "ACK"},
		[DPT_USER_GROUP_PROTOCOL] = {"JOIN", "LEAVE", "ADV", "ACK", "RECLAIM", "REMIT"},
		[DPT_USER_TUNNEL] = {"SYNCH", "FAILOVER"},
		[DPT_USER_NAME_DISTRIBUTOR] = {"PUBLICATION", "WITHDRAWAL"},
		[DPT_USER_FRAGMENTER] = {"FIRST", "FRAGMENT", "LAST"},
		[DPT_USER_LINK_CONFIG] = {"REQ", "RESP", "TRIAL", "TRIAL_FAIL"},
		[DPT_USER_CRYPTO] = {"KEY_DISTR"},
	};
	const char *name;

	if (user > 15 || type > 7)
		return "UNKNOWN";
	name = user <= DPT_USER_CRITICAL ? data[type] : names[user][type];
	return name != NULL ? name : "UNKNOWN";
}

static void
print_ports(struct line *line, const uint8_t *hdr)
{
	/* On the broadcast link the network id is in the place of the destination port. */
	if (dpt_msg_non_seq(hdr))
		line_add(line, " port=%08x net=%u", dpt_msg_origport(hdr),
			 dpt_msg_bcast_net_id(hdr));
	else
		line_add(line, " port=%08x>%08x", dpt_msg_origport(hdr), dpt_msg_destport(hdr));
}

static void
print_data(struct line *line, const uint8_t *hdr, uint32_t type)
{
	print_ports(line, hdr);
	if (type == DPT_TYPE_NAMED)
		line_add(line, " name=%x,%x", dpt_msg_nametype(hdr), dpt_msg_nameinst(hdr));
	else if (type == DPT_TYPE_MCAST)
		line_add(line, " name=%x,%x-%x", dpt_msg_nametype(hdr), dpt_msg_namelower(hdr),
			 dpt_msg_nameupper(hdr));
	else if (type >= DPT_TYPE_GRP_BCAST)
		line_add(line, " group=%x,%x grp_bc_seq=%u", dpt_msg_nametype(hdr),
			 dpt_msg_nameinst(hdr), dpt_msg_grp_bc_seqno(hdr));
	if (dpt_msg_lookup_scope(hdr) != 0)
		line_add(line, " scope=%u", dpt_msg_lookup_scope(hdr));
	if (dpt_msg_reroute_cnt(hdr) != 0)
		line_add(line, " reroute=%u", dpt_msg_reroute_cnt(hdr));
	if (dpt_msg_errcode(hdr) != 0)
		line_add(line, " err=%u", dpt_msg_errcode(hdr));
	line_flag(line, "syn", dpt_msg_syn(hdr));
	line_flag(line, type == DPT_TYPE_CONN ? "ack_required" : "src_droppable",
		  dpt_msg_src_droppable(hdr));
	line_flag(line, "dest_droppable", dpt_msg_dest_droppable(hdr));
}

static void
print_link_protocol(struct line *line, const uint8_t *hdr, uint32_t type)
{
	line_add(line, " next=%u last_bc=%u session=%04x", dpt_msg_next_sent(hdr),
		 dpt_msg_last_bcast(hdr), dpt_msg_session(hdr));
	if (type == DPT_TYPE_STATE && dpt_msg_seq_gap(hdr) != 0)
		line_add(line, " gap=%u", dpt_msg_seq_gap(hdr));
	if (type == DPT_TYPE_STATE && dpt_msg_bc_gap(hdr) != 0)
		line_add(line, " bc_gap=%u", dpt_msg_bc_gap(hdr));
	if (type == DPT_TYPE_ACTIVATE && dpt_msg_dest_session_valid(hdr))
		line_add(line, " dest_session=%04x", dpt_msg_dest_session(hdr));
	if (type != DPT_TYPE_STATE)
		line_add(line, " mtu=%u", dpt_msg_max_pkt(hdr) * 4);
	line_add(line, " bearer=%u plane=%c", dpt_msg_bearer_id(hdr),
		 'A' + (int)dpt_msg_net_plane(hdr));
	if (dpt_msg_linkprio(hdr) != 0)
		line_add(line, " prio=%u", dpt_msg_linkprio(hdr));
	if (dpt_msg_link_tolerance(hdr) != 0)
		line_add(line, " tol=%u", dpt_msg_link_tolerance(hdr));
	line_flag(line, "bc_ack_invalid", dpt_msg_bc_ack_invalid(hdr));
	line_flag(line, "stopping", dpt_msg_peer_stopping(hdr));
	line_flag(line, "redundant", dpt_msg_redundant_link(hdr));
	line_flag(line, "probe", dpt_msg_probe(hdr));
	line_flag(line, "keepalive", dpt_msg_is_keepalive(hdr));
}

static void
print_names(struct line *line, const uint8_t *hdr)
{
	line_add(line, " items=%u named_seq=%u", dpt_msg_payload_bytes(hdr) / DPT_NAME_ITEM_BYTES,
		 dpt_msg_named_seqno(hdr));
	line_flag(line, "bulk", dpt_msg_bulk(hdr));
	line_flag(line, "last_bulk", dpt_msg_last_bulk(hdr));
	line_flag(line, "legacy", !dpt_msg_non_legacy(hdr));
}

static void
print_link_config(struct line *line, const uint8_t *hdr, uint32_t bytes)
{
	char text[DPT_NODE_ID_TEXT_BYTES];
	struct dpt_node_id id;

	line_add(line, " domain=%08x net=%u caps=%04x sig=%04x", dpt_msg_dest_domain(hdr),
		 dpt_msg_net_id(hdr), dpt_msg_caps(hdr), dpt_msg_node_sig(hdr));
	if (dpt_msg_suggested_addr(hdr) != 0)
		line_add(line, " suggested=%08x", dpt_msg_suggested_addr(hdr));
	if (bytes < dpt_msg_hdr_bytes(hdr) + sizeof(id.bytes))
		return;
	memcpy(id.bytes, hdr + dpt_msg_hdr_bytes(hdr), sizeof(id.bytes));
	dpt_node_id_print(&id, text);
	line_add(line, " id=%s", text);
}

/* The words that a link fills in; an ACTIVATE has no broadcast acknowledge. */
static void
print_sequence(struct line *line, const uint8_t *hdr)
{
	uint32_t user = dpt_msg_user(hdr);

	if (user == DPT_USER_LINK_CONFIG)
		return;
	line_add(line, " ack=%u seq=%u", dpt_msg_ack(hdr), dpt_msg_seqno(hdr));
	if (user != DPT_USER_LINK_PROTOCOL || dpt_msg_type(hdr) != DPT_TYPE_ACTIVATE)
		line_add(line, " bc_ack=%u", dpt_msg_bcast_ack(hdr));
	line_flag(line, "bcast", dpt_msg_non_seq(hdr));
}

static void
print_by_user(struct line *line, const uint8_t *hdr, uint32_t bytes)
{
	uint32_t user = dpt_msg_user(hdr), type = dpt_msg_type(hdr);

	switch (user) {
	case DPT_USER_LOW:
	case DPT_USER_MEDIUM:
	case DPT_USER_HIGH:
	case DPT_USER_CRITICAL:
		print_data(line, hdr, type);
		break;
	case DPT_USER_BCAST_PROTOCOL:
		line_add(line, " last_bc=%u", dpt_msg_last_bcast(hdr));
		line_flag(line, "bc_ack_invalid", dpt_msg_bc_ack_invalid(hdr));
		break;
	case DPT_USER_BUNDLER:
		line_add(line, " msgs=%u imp=%u", dpt_msg_msgcnt(hdr), dpt_msg_importance(hdr));
		break;
	case DPT_USER_LINK_PROTOCOL:
		print_link_protocol(line, hdr, type);
		break;
	case DPT_USER_CONN_MANAGER:
		print_ports(line, hdr);
		line_add(line, " conn_ack=%u win=%u err=%u", dpt_msg_conn_ack(hdr),
			 dpt_msg_adv_win(hdr), dpt_msg_errcode(hdr));
		break;
	case DPT_USER_GROUP_PROTOCOL:
		print_ports(line, hdr);
		line_add(line, " sync=%u win=%u", dpt_msg_grp_bc_syncpt(hdr), dpt_msg_adv_win(hdr));
		break;
	case DPT_USER_TUNNEL:
		line_add(line, " frag=%u/%u bearer=%u %s=%u", dpt_msg_fragm_no(hdr),
			 dpt_msg_nof_fragms(hdr), dpt_msg_bearer_id(hdr),
			 type == DPT_TYPE_SYNCH ? "syncpt" : "msgs", dpt_msg_syncpt(hdr));
		break;
	case DPT_USER_NAME_DISTRIBUTOR:
		print_names(line, hdr);
		break;
	case DPT_USER_FRAGMENTER:
		line_add(line, " frag=%u imp=%u", dpt_msg_fragm_no(hdr), dpt_msg_importance(hdr));
		break;
	case DPT_USER_LINK_CONFIG:
		print_link_config(line, hdr, bytes);
		break;
	default:
		break;
	}
}

int
dpt_msg_print(const uint8_t *hdr, uint32_t bytes, char *text, size_t text_size)
{
	uint32_t head_bytes = bytes < DPT_HDR_BYTES_MAX ? bytes : DPT_HDR_BYTES_MAX;
	struct line line = {.text = text, .size = text_size};
	enum dpt_msg_verdict verdict;
	uint32_t user;

	/* The payload may lie in other segments: only the header has to be at hand. */
	verdict = dpt_msg_check(hdr, head_bytes, UINT32_MAX, DPT_PLACE_FRAME);
	if (verdict == DPT_MSG_BAD_USER || verdict == DPT_MSG_BAD_TYPE)
		verdict = dpt_msg_check(hdr, head_bytes, UINT32_MAX, DPT_PLACE_TUNNEL);
	if (verdict != DPT_MSG_OK && verdict != DPT_MSG_BAD_NODE) {
		line_add(&line, "(%s, %u octets)", dpt_msg_verdict_name(verdict), bytes);
		return (int)line.len;
	}
	user = dpt_msg_user(hdr);
	line_add(&line, "%s/%s %u %08x", dpt_user_name(user),
		 dpt_type_name(user, dpt_msg_type(hdr)), dpt_msg_size(hdr), dpt_msg_prevnode(hdr));
	if (dpt_msg_hdr_bytes(hdr) > DPT_HDR_SHORT && user != DPT_USER_LINK_CONFIG)
		line_add(&line, ">%08x", dpt_msg_destnode(hdr));
	print_sequence(&line, hdr);
	print_by_user(&line, hdr, bytes);
	return (int)line.len;
}
