/* SPDX-License-Identifier: BSD-3-Clause */
/* Identity of a node: address, text. Contract: dpt_records.h. Src: 02-discovery.md, 1. */
#include "dpt_records.h"

#include <errno.h>
#include <stdio.h>

#define ID_BYTES (sizeof(((struct dpt_node_id *)0)->bytes))

struct dpt_node_addr
dpt_node_id_to_addr(const struct dpt_node_id *id)
{
	uint32_t xored = 0, ored = 0;

	for (unsigned int i = 0; i < ID_BYTES / 4; i++) {
		xored ^= dpt_msg_word(id->bytes, i);
		ored |= dpt_msg_word(id->bytes, i);
	}
	return dpt_node_addr(xored != 0 ? xored : ored);
}

struct dpt_node_id
dpt_node_id_from_addr(struct dpt_node_addr addr)
{
	char text[ID_BYTES + 1] = "";
	struct dpt_node_id id;

	snprintf(text, sizeof(text), "%x", addr.value);
	memcpy(id.bytes, text, ID_BYTES);
	return id;
}

static bool
id_is_text(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c != '\0' && strchr(".:_-@", c) != NULL);
}

/* Value of a hexadecimal digit, -1 for another character. */
static int
id_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
dpt_node_id_parse(struct dpt_node_id *id, const char *text)
{
	size_t len = strlen(text);

	*id = (struct dpt_node_id){0};
	if (len == 0 || (len > ID_BYTES && len != 2 * ID_BYTES))
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		int digit = id_digit(text[i]);

		if (len <= ID_BYTES) {
			if (!id_is_text(text[i]))
				return -EINVAL;
			id->bytes[i] = (uint8_t)text[i];
		} else {
			if (digit < 0)
				return -EINVAL;
			id->bytes[i / 2] = (uint8_t)(id->bytes[i / 2] << 4 | digit);
		}
	}
	return dpt_node_id_is_zero(id) ? -EINVAL : 0;
}

void
dpt_node_id_print(const struct dpt_node_id *id, char text[DPT_NODE_ID_TEXT_BYTES])
{
	bool is_text = true;
	int len;

	for (unsigned int i = 0; i < ID_BYTES; i++)
		is_text = is_text && (id->bytes[i] == 0 || id_is_text((char)id->bytes[i]));
	if (is_text) {
		memcpy(text, id->bytes, ID_BYTES);
		text[ID_BYTES] = '\0';
		return;
	}
	for (unsigned int i = 0; i < ID_BYTES; i++)
		snprintf(text + 2 * i, 3, "%02x", id->bytes[i]);
	for (len = 2 * (int)ID_BYTES; len > 0 && text[len - 1] == '0'; len--)
		text[len - 1] = '\0';
}
