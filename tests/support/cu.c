/* SPDX-License-Identifier: BSD-3-Clause */
/* Test harness: runs tables of tests through CUnit. Contract: cu.h. */
#include "cu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <CUnit/Automated.h>
#include <CUnit/Basic.h>

#define CU_SEED_DEFAULT	 UINT64_C(20240229)
#define CU_CONTEXT_BYTES 256
#define CU_DETAIL_BYTES	 1024

static struct {
	uint64_t seed;
	const char *filter;
	const char *program;
	bool is_list;
	unsigned int failed_cnt; /* checks of the running test */
	char context[CU_CONTEXT_BYTES];
} cu;

uint64_t
cu_seed(void)
{
	return cu.seed;
}

void
cu_context(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(cu.context, sizeof(cu.context), fmt, args);
	va_end(args);
}

bool
cu_check(bool is_ok, bool is_fatal, const char *file, int line, const char *fmt, ...)
{
	char detail[CU_DETAIL_BYTES];
	va_list args;

	if (!is_ok) {
		va_start(args, fmt);
		vsnprintf(detail, sizeof(detail), fmt, args);
		va_end(args);
		if (cu.context[0] != '\0') {
			size_t used = strlen(detail);

			snprintf(detail + used, sizeof(detail) - used, " [%s]", cu.context);
		}
		cu.failed_cnt++;
	} else {
		snprintf(detail, sizeof(detail), "%s", "ok");
	}
	CU_assertImplementation(is_ok, (unsigned int)line, detail, file, "", is_fatal);
	return is_ok;
}

bool
cu_check_u64(uint64_t a, uint64_t b, const char *text, bool is_fatal, const char *file, int line)
{
	return cu_check(a == b, is_fatal, file, line,
			"%s: %" PRIu64 " (0x%" PRIx64 "), %" PRIu64 " (0x%" PRIx64 ")", text, a, a,
			b, b);
}

bool
cu_check_i64(int64_t a, int64_t b, const char *text, bool is_fatal, const char *file, int line)
{
	return cu_check(a == b, is_fatal, file, line, "%s: %" PRId64 ", %" PRId64, text, a, b);
}

bool
cu_check_ptr(const void *a, const void *b, const char *text, bool is_fatal, const char *file,
	     int line)
{
	return cu_check(a == b, is_fatal, file, line, "%s: %p, %p", text, a, b);
}

bool
cu_check_str(const char *a, const char *b, const char *text, bool is_fatal, const char *file,
	     int line)
{
	return cu_check(a != NULL && b != NULL && strcmp(a, b) == 0, is_fatal, file, line,
			"%s:\n          \"%s\"\n          \"%s\"", text, a != NULL ? a : "(null)",
			b != NULL ? b : "(null)");
}

/* "at" is "file:line" in one, to keep within six parameters. */
bool
cu_check_mem(const void *a, const void *b, size_t len, const char *text, bool is_fatal,
	     const char *at)
{
	const uint8_t *x = a, *y = b;
	const char *colon = strrchr(at, ':');
	char left[3 * 16 + 1] = "", right[3 * 16 + 1] = "";
	size_t first = 0, cnt;

	while (first < len && x[first] == y[first])
		first++;
	cnt = len - first < 16 ? len - first : 16;
	for (size_t i = 0; i < cnt; i++) {
		snprintf(left + 3 * i, 4, " %02x", x[first + i]);
		snprintf(right + 3 * i, 4, " %02x", y[first + i]);
	}
	return cu_check(first == len, is_fatal, at, colon != NULL ? atoi(colon + 1) : 0,
			"%s: differ from octet %zu of %zu on:\n         %s\n         %s", text,
			first, len, left, right);
}

static void
cu_on_test_start(const CU_pTest test, const CU_pSuite suite)
{
	(void)test;
	(void)suite;
	cu.failed_cnt = 0;
	cu.context[0] = '\0';
}

static void
cu_on_test_done(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failure)
{
	bool has_failed = failure != NULL;

	printf("%s %s.%s\n", has_failed ? "FAIL" : "ok  ", suite->pName, test->pName);
	if (!has_failed)
		return;
	for (CU_pFailureRecord rec = failure; rec != NULL; rec = rec->pNext) {
		if (rec->pSuite == suite && rec->pTest == test)
			printf("     %s:%u: %s\n", rec->strFileName, rec->uiLineNumber,
			       rec->strCondition);
	}
	printf("     repeat: %s --filter %s.%s --seed %" PRIu64 "\n", cu.program, suite->pName,
	       test->pName, cu.seed);
	fflush(stdout);
}

static int
cu_parse(int argc, char **argv)
{
	cu.seed = CU_SEED_DEFAULT;
	cu.program = argc > 0 ? argv[0] : "test";
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--list") == 0) {
			cu.is_list = true;
		} else if (strcmp(argv[i], "--filter") == 0 && i + 1 < argc) {
			cu.filter = argv[++i];
		} else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
			cu.seed = strtoull(argv[++i], NULL, 0);
		} else {
			fprintf(stderr, "usage: %s [--list] [--filter SUBSTR] [--seed N]\n",
				cu.program);
			return -1;
		}
	}
	return 0;
}

/* Register what the filter lets through. Returns how many tests, -1 without memory. */
static int
cu_register(const struct cu_suite *suite)
{
	CU_pSuite registered = NULL;
	char full[256];
	int cnt = 0;

	for (size_t i = 0; i < suite->cnt; i++) {
		snprintf(full, sizeof(full), "%s.%s", suite->name, suite->tests[i].name);
		if (cu.filter != NULL && strstr(full, cu.filter) == NULL)
			continue;
		cnt++;
		if (cu.is_list) {
			puts(full);
			continue;
		}
		if (registered == NULL)
			registered = CU_add_suite(suite->name, NULL, NULL);
		if (registered == NULL ||
		    CU_add_test(registered, suite->tests[i].name, suite->tests[i].fn) == NULL)
			return -1;
	}
	return cnt;
}

int
cu_main_suites(int argc, char **argv, const struct cu_suite *suites, size_t cnt)
{
	unsigned int failed_cnt;
	char *summary;
	int total = 0;

	if (cu_parse(argc, argv) < 0 || CU_initialize_registry() != CUE_SUCCESS)
		return 2;
	for (size_t i = 0; i < cnt; i++) {
		int added = cu_register(&suites[i]);

		if (added < 0) {
			fprintf(stderr, "%s: CUnit: %s\n", cu.program, CU_get_error_msg());
			return 2;
		}
		total += added;
	}
	if (total == 0) {
		fprintf(stderr, "%s: no test matches --filter %s\n", cu.program,
			cu.filter != NULL ? cu.filter : "");
		return 2;
	}
	if (cu.is_list)
		return 0;
	CU_set_test_start_handler(cu_on_test_start);
	CU_set_test_complete_handler(cu_on_test_done);
	CU_run_all_tests();
	CU_basic_set_mode(CU_BRM_SILENT);
	summary = CU_get_run_results_string();
	puts(summary != NULL ? summary : "");
	free(summary);
	failed_cnt = CU_get_number_of_failures();
	CU_cleanup_registry();
	return failed_cnt == 0 ? 0 : 1;
}

int
cu_main(int argc, char **argv, const char *suite, const struct cu_test *tests, size_t cnt)
{
	const struct cu_suite one = {.name = suite, .tests = tests, .cnt = cnt};

	return cu_main_suites(argc, argv, &one, 1);
}
