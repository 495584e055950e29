/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CU_H
#define CU_H

/*
 * The harness of every unit test: a table of tests, checks that print both
 * values, and a main function with --list, --filter and --seed. On top of CUnit,
 * which keeps the score.
 *
 *     static void
 *     sum_is_commutative(void)
 *     {
 *             CU_EQ_U64(1 + 2, 2 + 1);
 *     }
 *
 *     static const struct cu_test tests[] = {
 *             CU_TEST(sum_is_commutative),
 *     };
 *
 *     int
 *     main(int argc, char **argv)
 *     {
 *             return cu_main(argc, argv, "sum", tests, CU_CNT(tests));
 *     }
 *
 * Several files of one test program: each exports its table in a struct
 * cu_suite, main calls cu_main_suites().
 *
 * A check that fails is counted and the test goes on; the forms that end in
 * _FATAL leave the test function (no clean-up is run then). Checks may be used
 * in functions that a test calls. Single thread.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cu_test {
	const char *name;
	void (*fn)(void);
};

struct cu_suite {
	const char *name;
	const struct cu_test *tests;
	size_t cnt;
};

/* CUnit's header is not included here: some of its macros would clash with ours. */
#define CU_CNT(array) (sizeof(array) / sizeof((array)[0]))
#define CU_TEST(fn)                                                                                \
	{                                                                                          \
#fn, fn                                                                            \
	}
#define CU_TEST_SUITE(name, tests)                                                                 \
	{                                                                                          \
		name, tests, CU_CNT(tests)                                                         \
	}

/*
 * Run the tests. Arguments: --list names them; --filter SUBSTR runs those whose
 * "suite.test" contains it; --seed N is what cu_seed() returns. Ends with CUnit's
 * summary. Returns the exit status: 0, 1 when a check failed, 2 for bad arguments
 * or when the filter matches nothing.
 */
int cu_main(int argc, char **argv, const char *suite, const struct cu_test *tests, size_t cnt);
int cu_main_suites(int argc, char **argv, const struct cu_suite *suites, size_t cnt);

/*
 * Seed for tests with random operations: --seed N, else a constant, so that two
 * runs are alike. A failing test prints the command that repeats it, seed included.
 */
uint64_t cu_seed(void);

/* Text that is printed with every failure until it is set anew or the test ends. */
void cu_context(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Used by the macros only. They return whether the check holds. */
bool cu_check(bool is_ok, bool is_fatal, const char *file, int line, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
bool
cu_check_u64(uint64_t a, uint64_t b, const char *text, bool is_fatal, const char *file, int line);
bool
cu_check_i64(int64_t a, int64_t b, const char *text, bool is_fatal, const char *file, int line);
bool cu_check_ptr(const void *a, const void *b, const char *text, bool is_fatal, const char *file,
		  int line);
bool cu_check_str(const char *a, const char *b, const char *text, bool is_fatal, const char *file,
		  int line);
bool cu_check_mem(const void *a, const void *b, size_t len, const char *text, bool is_fatal,
		  const char *at);

#define CU_STR__(x) #x
#define CU_STR_(x)  CU_STR__(x)
#define CU_AT_	    __FILE__ ":" CU_STR_(__LINE__)

/* Both are unsigned numbers, ids, sizes. Printed in decimal and hexadecimal. */
#define CU_EQ_U64(a, b)                                                                            \
	cu_check_u64((uint64_t)(a), (uint64_t)(b), #a " == " #b, false, __FILE__, __LINE__)
#define CU_EQ_U64_FATAL(a, b)                                                                      \
	cu_check_u64((uint64_t)(a), (uint64_t)(b), #a " == " #b, true, __FILE__, __LINE__)
/* Signed numbers: error codes. */
#define CU_EQ_I64(a, b)                                                                            \
	cu_check_i64((int64_t)(a), (int64_t)(b), #a " == " #b, false, __FILE__, __LINE__)
#define CU_EQ_I64_FATAL(a, b)                                                                      \
	cu_check_i64((int64_t)(a), (int64_t)(b), #a " == " #b, true, __FILE__, __LINE__)
/* Pointers. */
#define CU_EQ_PTR(a, b)	      cu_check_ptr(a, b, #a " == " #b, false, __FILE__, __LINE__)
#define CU_EQ_PTR_FATAL(a, b) cu_check_ptr(a, b, #a " == " #b, true, __FILE__, __LINE__)
#define CU_NOT_NULL(a)	      cu_check((a) != NULL, false, __FILE__, __LINE__, "%s", #a " != NULL")
#define CU_NOT_NULL_FATAL(a)  cu_check((a) != NULL, true, __FILE__, __LINE__, "%s", #a " != NULL")
#define CU_IS_NULL(a)	      cu_check_ptr(a, NULL, #a " == NULL", false, __FILE__, __LINE__)
/* Zero-terminated text. */
#define CU_EQ_STR(a, b)	      cu_check_str(a, b, #a " == " #b, false, __FILE__, __LINE__)
#define CU_EQ_STR_FATAL(a, b) cu_check_str(a, b, #a " == " #b, true, __FILE__, __LINE__)
/* len octets; the first octets that differ are printed. */
#define CU_EQ_MEM(a, b, len)	   cu_check_mem(a, b, len, #a " == " #b, false, CU_AT_)
#define CU_EQ_MEM_FATAL(a, b, len) cu_check_mem(a, b, len, #a " == " #b, true, CU_AT_)
/* A condition without two values. */
#define CU_TRUE(expr)	    cu_check((expr), false, __FILE__, __LINE__, "%s", #expr)
#define CU_TRUE_FATAL(expr) cu_check((expr), true, __FILE__, __LINE__, "%s", #expr)
#define CU_FALSE(expr)	    cu_check(!(expr), false, __FILE__, __LINE__, "%s", "!(" #expr ")")

#endif /* CU_H */
