/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The attributes of a nest, checked against its rules. Both ways of checking, the liberal one
 * and the strict one, are those of 13-netlink.md, 4.6. The walk trusts no length.
 */
#include "nl_priv.h"

#include <errno.h>
#include <string.h>

#define TEXT_POLICY   "Attribute failed policy validation"
#define TEXT_UNKNOWN  "Unknown attribute type"
#define TEXT_UNUSED   "Unsupported attribute"
#define TEXT_NESTED   "NLA_F_NESTED is missing"
#define TEXT_PLAIN    "NLA_F_NESTED not expected"
#define TEXT_LENGTH   "invalid attribute length"
#define TEXT_TRAILING "bytes leftover after parsing attributes"

static int
fail(struct nl_fault *fault, const struct nlattr *attr, const char *text, int rc)
{
	if (fault != NULL) {
		fault->text = text;
		fault->attr = attr;
	}
	return rc;
}

/* A NUL must be among the first max + 1 octets, and what it ends must be all there is. */
static int
name_check(const struct nlattr *attr, uint32_t max)
{
	const char *name = mnl_attr_get_payload(attr);
	uint32_t bytes = mnl_attr_get_payload_len(attr);

	if (memchr(name, '\0', bytes < max + 1 ? bytes : max + 1) == NULL)
		return -EINVAL;
	if (name[bytes - 1] == '\0')
		bytes--;
	return bytes > max ? -ERANGE : 0;
}

/* What both ways check of the payload. */
static int
payload_check(const struct nlattr *attr, const struct nl_rule *rule)
{
	const uint32_t bytes = mnl_attr_get_payload_len(attr);

	switch (rule->kind) {
	case NL_ANY:
		return 0;
	case NL_U32:
		if (bytes < sizeof(uint32_t))
			return -ERANGE;
		return rule->max != 0 && mnl_attr_get_u32(attr) > rule->max ? -ERANGE : 0;
	case NL_U64:
		return bytes < sizeof(uint64_t) ? -ERANGE : 0;
	case NL_FLAG:
		return bytes > 0 ? -ERANGE : 0;
	case NL_NEST:
		return bytes > 0 && bytes < NLA_HDRLEN ? -ERANGE : 0;
	case NL_NAME:
		return name_check(attr, rule->max);
	case NL_STRING:
		return bytes < 1 ? -ERANGE : 0;
	case NL_BINARY:
		return bytes > rule->max ? -ERANGE : 0;
	}
	return -EINVAL;
}

/* What only the strict way checks. Returns the text of what is wrong, or NULL. */
static const char *
strict_fault(const struct nlattr *attr, const struct nl_rule *rule)
{
	const bool is_nest = (attr->nla_type & NLA_F_NESTED) != 0;
	const uint32_t bytes = mnl_attr_get_payload_len(attr);

	if ((rule->kind == NL_U32 && bytes != sizeof(uint32_t)) ||
	    (rule->kind == NL_U64 && bytes != sizeof(uint64_t)))
		return TEXT_LENGTH;
	if (rule->kind == NL_ANY)
		return TEXT_UNUSED;
	if (rule->kind == NL_NEST && !is_nest)
		return TEXT_NESTED;
	if (rule->kind != NL_NEST && is_nest)
		return TEXT_PLAIN;
	return NULL;
}

static int
attr_check(const struct nlattr *attr, const struct nl_rules *rules, struct nl_fault *fault)
{
	const struct nl_rule *rule = &rules->by_type[mnl_attr_get_type(attr)];
	const char *text = rules->is_strict ? strict_fault(attr, rule) : NULL;
	int rc;

	if (text != NULL)
		return fail(fault, attr, text, -EINVAL);
	rc = payload_check(attr, rule);
	return rc < 0 ? fail(fault, attr, TEXT_POLICY, rc) : 0;
}

int
nl_attrs_read(const void *first, uint32_t bytes, const struct nl_rules *rules,
	      struct nl_attrs *attrs, struct nl_fault *fault)
{
	const struct nlattr *attr = first;
	/* The padding of the last one may be missing: goes below 0 then. */
	int left = (int)bytes;

	memset(attrs, 0, sizeof(*attrs));
	for (; mnl_attr_ok(attr, left); attr = mnl_attr_next(attr)) {
		const uint16_t type = mnl_attr_get_type(attr);

		left -= (int)MNL_ALIGN(mnl_attr_get_len(attr));
		if (type == 0 || type > rules->type_max) {
			if (rules->is_strict)
				return fail(fault, attr, TEXT_UNKNOWN, -EINVAL);
			continue;
		}
		int rc = attr_check(attr, rules, fault);

		if (rc < 0)
			return rc;
		attrs->by_type[type] = attr;
	}
	if (left > 0 && rules->is_strict)
		return fail(fault, NULL, TEXT_TRAILING, -EINVAL);
	return 0;
}

int
nl_nest_read(const struct nlattr *nest, const struct nl_rules *rules, struct nl_attrs *attrs,
	     struct nl_fault *fault)
{
	if (rules->is_strict && (nest->nla_type & NLA_F_NESTED) == 0)
		return fail(fault, nest, TEXT_NESTED, -EINVAL);
	return nl_attrs_read(mnl_attr_get_payload(nest), mnl_attr_get_payload_len(nest), rules,
			     attrs, fault);
}

int
nl_own_nest_read(struct nl_request *r, uint16_t type, const struct nl_rules *rules,
		 struct nl_attrs *attrs)
{
	const struct nlattr *nest = r->top.by_type[type];

	if (nest == NULL)
		return -EINVAL;
	r->req->has |= DPT_NL_HAS_NEST;
	return nl_nest_read(nest, rules, attrs, &r->fault);
}

void
nl_name_read(struct dpt_nl_req *req, const struct nlattr *attr)
{
	size_t bytes = strnlen(mnl_attr_get_payload(attr), mnl_attr_get_payload_len(attr));

	if (bytes > sizeof(req->name) - 1)
		bytes = sizeof(req->name) - 1;
	memcpy(req->name, mnl_attr_get_payload(attr), bytes);
	req->name[bytes] = '\0';
	req->has |= DPT_NL_HAS_NAME;
}

bool
nl_u32_read(struct dpt_nl_req *req, enum dpt_nl_has has, const struct nl_attrs *attrs,
	    uint16_t type, uint32_t *value)
{
	if (attrs->by_type[type] == NULL)
		return false;
	*value = mnl_attr_get_u32(attrs->by_type[type]);
	req->has |= (uint32_t)has;
	return true;
}
