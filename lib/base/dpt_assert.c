/* SPDX-License-Identifier: BSD-3-Clause */
/* What happens when we find a mistake of our own. Contract: dpt_assert.h. */
#include "dpt_assert.h"

#include <stdio.h>
#include <stdlib.h>

void
dpt_assert_fail(const char *expr, const char *file, int line)
{
	fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expr);
	abort();
}
