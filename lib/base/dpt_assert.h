/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DPT_ASSERT_H
#define DPT_ASSERT_H

/*
 * Assertions are for our own mistakes. What a peer, an application or a tool
 * can send is checked, counted and dropped instead.
 */

#include <assert.h>

void dpt_assert_fail(const char *expr, const char *file, int line) __attribute__((noreturn, cold));

#define DPT_ASSERT(expr) ((expr) ? (void)0 : dpt_assert_fail(#expr, __FILE__, __LINE__))

#ifdef DPT_DEBUG
#define DPT_DEBUG_ASSERT(expr) DPT_ASSERT(expr)
#else
#define DPT_DEBUG_ASSERT(expr) ((void)sizeof(expr))
#endif

#define DPT_STATIC_ASSERT(expr, text) _Static_assert(expr, text)

#endif /* DPT_ASSERT_H */
