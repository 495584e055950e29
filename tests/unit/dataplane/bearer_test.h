/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BEARER_TEST_H
#define BEARER_TEST_H

#include "cu.h"
#include "dpt_bearers.h"

/* Ends on one wire of a medium that a test opens at most. */
#define ENDS_MAX 3

struct wire {
	const char *media;
	uint32_t ends_cnt; /* that the medium can have */
	struct dpt_bearer *ends[ENDS_MAX];
	struct dpt_bearer_info info[ENDS_MAX];
};

/* Open all ends of a wire; the test is over when that fails. */
void wire_open(struct wire *wire, const char *media);
/* Close them; checks that all buffers are back. */
void wire_close(struct wire *wire);
uint64_t wire_counter(const struct wire *wire, uint32_t end, const char *name);

#endif /* BEARER_TEST_H */
