/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_SUITES_H
#define WIRE_SUITES_H

/* The suites of this test program, one file each, and the octets of doc/protocol. */

#include "cu.h"

extern const struct cu_suite wire_buf_suite;
extern const struct cu_suite wire_bundle_suite;
extern const struct cu_suite wire_capture_suite;
extern const struct cu_suite wire_check_suite;
extern const struct cu_suite wire_env_suite;
extern const struct cu_suite wire_example_suite;
extern const struct cu_suite wire_config_suite;
extern const struct cu_suite wire_records_suite;
extern const struct cu_suite wire_reverse_suite;

/* A worked example of the specification. */
struct wire_example {
	const char *id;	  /* document-section, a letter for the second dump and so on */
	const char *hex;  /* octets of the message */
	const char *line; /* what dpt_msg_print makes of it */
};

extern const struct wire_example wire_examples[];
extern const size_t wire_examples_cnt;

/* Octets of the example with that id; ends the program when there is none. */
const char *wire_example_hex(const char *id);

#endif /* WIRE_SUITES_H */
