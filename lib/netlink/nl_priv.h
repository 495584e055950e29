/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef NL_PRIV_H
#define NL_PRIV_H

/* What the files of this folder share: reading attributes, the table of commands, writing. */

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/tipc_netlink.h>

#include "dpt_nl.h"

#define NL_BCAST_LINK_NAME "broadcast-link"
/* Message type of sock_diag's requests and answers. Src: 13-netlink.md, 6. */
#define NL_DIAG_BY_FAMILY 20

/* ---- reading: nl_attr.c ---- */

enum nl_kind {
	NL_ANY = 0, /* strict: refused */
	NL_U32,	    /* max: largest value; 0: any */
	NL_U64,
	NL_FLAG,
	NL_NEST,
	NL_NAME,   /* text with NUL; max: octets without it */
	NL_STRING, /* text, perhaps without NUL; one octet at least */
	NL_BINARY, /* max: octets */
};

struct nl_rule {
	enum nl_kind kind;
	uint32_t max;
};

/* Highest attribute of all nests that we read: that of SOCK. */
#define NL_TYPE_MAX TIPC_NLA_SOCK_MAX

/* The attributes that one nest may hold, by number. */
struct nl_rules {
	uint16_t type_max;
	bool is_strict; /* 13-netlink.md, 4.6, "Strict cases" */
	struct nl_rule by_type[NL_TYPE_MAX + 1];
};

/* What a nest held, by number; NULL: not there. Of those that came twice, the last. */
struct nl_attrs {
	const struct nlattr *by_type[NL_TYPE_MAX + 1];
};

/* Why a request was refused, beside the number. */
struct nl_fault {
	const char *text;	   /* NULL: none */
	const struct nlattr *attr; /* the bad one, in the request; NULL: none */
};

/* A request being read. */
struct nl_request {
	const struct dpt_nl_peer *peer;
	struct dpt_nl_req *req;
	struct nl_attrs top;
	struct nl_fault fault;
};

/* fault: NULL where no text is given. Returns 0, -ERANGE or -EINVAL. */
int nl_attrs_read(const void *first, uint32_t bytes, const struct nl_rules *rules,
		  struct nl_attrs *attrs, struct nl_fault *fault);
int nl_nest_read(const struct nlattr *nest, const struct nl_rules *rules, struct nl_attrs *attrs,
		 struct nl_fault *fault);
/* The same of the nest `type` at the top, which must be there: else -EINVAL. */
int nl_own_nest_read(struct nl_request *r, uint16_t type, const struct nl_rules *rules,
		     struct nl_attrs *attrs);
/* Takes over a text that may lack its NUL. What is too long is cut: no name of ours is so long. */
void nl_name_read(struct dpt_nl_req *req, const struct nlattr *attr);
/* Takes over attribute `type` and notes that it was there. Returns whether it was. */
bool nl_u32_read(struct dpt_nl_req *req, enum dpt_nl_has has, const struct nl_attrs *attrs,
		 uint16_t type, uint32_t *value);

/* ---- commands: nl_check.c, nl_check_*.c ---- */

/* Reads the values of one command and checks them. 0, or negative errno with r->fault. */
typedef int (*nl_check_fn)(struct nl_request *r);

struct nl_command {
	uint8_t cmd;
	uint8_t flags; /* as the family tells them: GENL_CMD_CAP_*, GENL_UNS_ADMIN_PERM */
	bool is_dump_strict;
	nl_check_fn check_do;	/* NULL: it has no attributes */
	nl_check_fn check_dump; /* NULL: attributes are not looked at */
};

#define NL_COMMANDS_CNT 24
/* In the order that the family tells them. Src: 13-netlink.md, 5.0. */
extern const struct nl_command nl_commands[NL_COMMANDS_CNT];

enum dpt_nl_result nl_command_read(struct nl_request *r, struct dpt_nl_out *out);

int nl_bearer_name_check(struct nl_request *r);
int nl_bearer_enable_check(struct nl_request *r);
int nl_bearer_set_check(struct nl_request *r);
int nl_bearer_add_check(struct nl_request *r);
int nl_media_get_check(struct nl_request *r);
int nl_media_set_check(struct nl_request *r);
int nl_link_name_check(struct nl_request *r);
int nl_link_set_check(struct nl_request *r);
int nl_link_dump_check(struct nl_request *r);
int nl_net_set_check(struct nl_request *r);
int nl_peer_remove_check(struct nl_request *r);
int nl_publ_dump_check(struct nl_request *r);
int nl_mon_set_check(struct nl_request *r);
int nl_mon_peer_dump_check(struct nl_request *r);
int nl_key_set_check(struct nl_request *r);

/*
 * The PROP nest: each member that is there is in range, or none is taken over. Returns 0, -EINVAL
 * or -ERANGE. Src: 13-netlink.md, 5.0.
 */
int nl_props_read(struct dpt_nl_req *req, const struct nlattr *nest);
/* Notes the outcome of a check that comes after one that needs state. The first one counts. */
void nl_later(struct dpt_nl_req *req, int rc, const char *text);

/* The controller's answers: nl_family.c. */
enum dpt_nl_result nl_family_answer(struct nl_request *r, struct dpt_nl_out *out);

/* NLMSG_ERROR: nl_error.c. Returns as dpt_nl_put_error() does. */
bool nl_error_put(struct dpt_nl_out *out, const struct dpt_nl_peer *peer,
		  const struct dpt_nl_req *req, int rc, const struct nl_fault *fault);
/* The end of a request that dpt_nl_next() answers itself. */
enum dpt_nl_result nl_refuse(const struct nl_request *r, struct dpt_nl_out *out, int rc);

/* ---- writing: nl_write.c ---- */

/* One message behind those that are in `out`. Once it does not fit, nothing more is written. */
struct nl_writer {
	struct dpt_nl_out *out;
	struct nlmsghdr *msg;
	uint32_t room; /* octets from msg on */
	bool is_full;
};

void nl_begin(struct nl_writer *w, struct dpt_nl_out *out, const struct dpt_nl_req *req,
	      uint16_t type, uint16_t flags);
/* An answer of the family: with genetlink header, MULTI in a dump. */
void nl_begin_answer(struct nl_writer *w, struct dpt_nl_out *out, const struct dpt_nl_req *req,
		     uint8_t cmd);
/* Payload that is no attribute, zeroed. NULL: does not fit. */
void *nl_extra(struct nl_writer *w, uint32_t bytes);
void nl_put(struct nl_writer *w, uint16_t type, const void *data, uint32_t bytes);
void nl_put_u32(struct nl_writer *w, uint16_t type, uint32_t value);
void nl_put_u64(struct nl_writer *w, uint16_t type, uint64_t value);
void nl_put_text(struct nl_writer *w, uint16_t type, const char *text);
void nl_put_flag(struct nl_writer *w, uint16_t type, bool is_set);
/* Without NLA_F_NESTED, unless it is in `type`. */
struct nlattr *nl_nest(struct nl_writer *w, uint16_t type);
void nl_nest_end(struct nl_writer *w, struct nlattr *nest);
/* Adds the message to the datagram. false: it did not fit. */
bool nl_end(struct nl_writer *w);

#endif /* NL_PRIV_H */
