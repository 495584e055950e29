/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_H
#define FUZZ_H

/*
 * A fuzz target is one file fuzz_<name>.c that defines this function. It is linked
 * twice: with libFuzzer (meson option fuzz, clang), and with fuzz_main.c, which runs
 * the files of a corpus, as a test, with any compiler.
 */

#include <stddef.h>
#include <stdint.h>

/* One input. Returns 0. What must not happen ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* FUZZ_H */
