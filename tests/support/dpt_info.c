/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * dpt_info [--name NAME] node|names|links|sockets|counters|refused
 *
 * Prints what a dptipcd says of itself.
 */

#include <stdio.h>
#include <string.h>

#include "dptipc.h"

int
main(int argc, char **argv)
{
	static const char *const words[] = {
		[DPTIPC_INFO_NODE] = "node",	     [DPTIPC_INFO_NAMES] = "names",
		[DPTIPC_INFO_LINKS] = "links",	     [DPTIPC_INFO_SOCKETS] = "sockets",
		[DPTIPC_INFO_COUNTERS] = "counters", [DPTIPC_INFO_REFUSED] = "refused",
	};
	const char *name = NULL, *word;
	size_t i;

	if (argc == 4 && strcmp(argv[1], "--name") == 0)
		name = argv[2];
	word = argc == 2 || name ? argv[argc - 1] : "";
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i]) == 0)
			break;
	if (i == sizeof(words) / sizeof(words[0])) {
		fprintf(stderr, "usage: dpt_info [--name NAME] "
				"node|names|links|sockets|counters|refused\n");
		return 2;
	}
	if (dptipc_attach(name) < 0 || dptipc_info((enum dptipc_info_what)i, stdout) < 0) {
		fprintf(stderr, "dpt_info: %s\n", *dptipc_error() ? dptipc_error() : "refused");
		return 1;
	}
	return 0;
}
