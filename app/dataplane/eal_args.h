/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EAL_ARGS_H
#define EAL_ARGS_H

/*
 * EAL's command line: what the user gave, and what a sensible user would have added. Goal:
 * `dptipcd` with no argument runs anywhere, without root, hugepages, NIC or leftovers.
 */

#include <stdint.h>

#include "args.h"

#define EAL_ARGS_MAX	    128
#define EAL_ARGS_TEXT_BYTES 8192

struct eal_args {
	int argc;
	char *argv[EAL_ARGS_MAX + 1];  /* EAL reorders it */
	char *saved[EAL_ARGS_MAX + 1]; /* as built, for messages */
	bool has_lcores;	       /* the user chose lcores */
	/* private */
	char text[EAL_ARGS_TEXT_BYTES];
	size_t text_bytes;
};

/*
 * Build: argv[0 .. argc - 1] are the user's EAL arguments (no program name; may be none).
 * memory_mib: what buffers and tables need. Returns 0 or -E2BIG. init.
 */
int eal_args_build(struct eal_args *eal, const struct args *args, int argc, char **argv,
		   uint32_t memory_mib);

#endif /* EAL_ARGS_H */
