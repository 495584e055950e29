/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys: the checks of 13-netlink.md, 5.23, all behind "own identity set". */
#include "nl_priv.h"

#include <errno.h>
#include <string.h>

#include <linux/tipc.h>

#define TEXT_NO_ALGORITHM "unable to load the algorithm (module existed?)"
#define TEXT_ALGORITHM	  "not supported yet the algorithm"
#define TEXT_KEY_LENGTH	  "incorrect key length (20, 28 or 36 octets?)"

#define KEY_HEAD_BYTES sizeof(struct tipc_aead_key)

_Static_assert(TIPC_AEAD_KEYLEN_MAX == DPT_NL_KEY_BYTES, "the largest key");

static const struct nl_rules node_rules = {
	.type_max = TIPC_NLA_NODE_MAX,
	.is_strict = true,
	.by_type =
		{
			[TIPC_NLA_NODE_ADDR] = {NL_U32, 0},
			[TIPC_NLA_NODE_UP] = {NL_FLAG, 0},
			[TIPC_NLA_NODE_ID] = {NL_BINARY, sizeof(struct dpt_node_id)},
			[TIPC_NLA_NODE_KEY] = {NL_BINARY, TIPC_AEAD_KEY_SIZE_MAX},
			[TIPC_NLA_NODE_KEY_MASTER] = {NL_FLAG, 0},
			[TIPC_NLA_NODE_REKEYING] = {NL_U32, 0},
		},
};

/* The name may fill its 32 octets without NUL. */
static bool
is_named(const struct tipc_aead_key *key, const char *name)
{
	return strncmp(key->alg_name, name, sizeof(key->alg_name)) == 0;
}

/* Whether it is one of those that a Linux host commonly has: then it is known, yet not ours. */
static bool
is_known(const struct tipc_aead_key *key)
{
	static const char *const known[] = {
		"aes",
		"ecb(aes)",
		"cbc(aes)",
		"ctr(aes)",
		"xts(aes)",
		"ccm(aes)",
		"rfc4106(gcm(aes))",
		"rfc7539(chacha20,poly1305)",
		"ghash",
		"md5",
		"sha1",
		"sha224",
		"sha256",
		"sha384",
		"sha512",
		"hmac(sha1)",
		"hmac(sha256)",
		"hmac(sha512)",
		"crc32c",
		"chacha20",
	};

	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (is_named(key, known[i]))
			return true;
	}
	return false;
}

static void
key_read(struct dpt_nl_req *req, const struct nlattr *attr)
{
	const struct tipc_aead_key *key = mnl_attr_get_payload(attr);
	const uint32_t bytes = mnl_attr_get_payload_len(attr);

	if (bytes < KEY_HEAD_BYTES || key->keylen > DPT_NL_KEY_BYTES ||
	    bytes < KEY_HEAD_BYTES + key->keylen) {
		nl_later(req, -EINVAL, NULL);
		return;
	}
	if (!is_named(key, "gcm(aes)")) {
		if (is_known(key))
			nl_later(req, -DPT_NL_ENOTSUPP, TEXT_ALGORITHM);
		else
			nl_later(req, -ENODEV, TEXT_NO_ALGORITHM);
		return;
	}
	if (key->keylen != 20 && key->keylen != 28 && key->keylen != 36) {
		nl_later(req, -EKEYREJECTED, TEXT_KEY_LENGTH);
		return;
	}
	memcpy(req->key, key->key, key->keylen);
	req->key_bytes = key->keylen;
	req->has |= DPT_NL_HAS_KEY;
}

static void
owner_read(struct dpt_nl_req *req, const struct nl_attrs *attrs)
{
	const struct nlattr *id = attrs->by_type[TIPC_NLA_NODE_ID];

	if (id == NULL) {
		if (attrs->by_type[TIPC_NLA_NODE_KEY_MASTER] != NULL)
			req->has |= DPT_NL_HAS_KEY_MASTER;
		return;
	}
	if (mnl_attr_get_payload_len(id) < sizeof(req->node_id)) {
		nl_later(req, -EINVAL, NULL);
		return;
	}
	memcpy(req->node_id.bytes, mnl_attr_get_payload(id), sizeof(req->node_id));
	req->has |= DPT_NL_HAS_NODE_ID;
}

int
nl_key_set_check(struct nl_request *r)
{
	struct dpt_nl_req *req = r->req;
	struct nl_attrs attrs;
	int rc = nl_own_nest_read(r, TIPC_NLA_NODE, &node_rules, &attrs);

	if (rc < 0)
		return rc;
	(void)nl_u32_read(req, DPT_NL_HAS_REKEYING, &attrs, TIPC_NLA_NODE_REKEYING, &req->rekeying);
	if (attrs.by_type[TIPC_NLA_NODE_KEY] == NULL) {
		/* Only the interval; an identity beside it means nothing. */
		if ((req->has & DPT_NL_HAS_REKEYING) == 0)
			nl_later(req, -ENODATA, NULL);
		return 0;
	}
	key_read(req, attrs.by_type[TIPC_NLA_NODE_KEY]);
	owner_read(req, &attrs);
	return 0;
}
