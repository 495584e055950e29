/* SPDX-License-Identifier: BSD-3-Clause */
/* The start-up file's lines: how they are cut into words. */
#include <errno.h>
#include <string.h>

#include "cu.h"
#include "startup.h"

/* The words of a line, each in <>; or the error. */
static const char *
split(const char *line)
{
	static char shown[512];
	char text[512], *words[STARTUP_WORDS_MAX];
	const char *error = NULL;
	int cnt;

	strcpy(text, line);
	shown[0] = '\0';
	cnt = startup_split(text, words, &error);
	for (int i = 0; i < cnt; i++)
		snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "<%s>", words[i]);
	return cnt < 0 ? error : shown;
}

static void
words_stand_between_spaces(void)
{
	CU_EQ_STR(split(""), "");
	CU_EQ_STR(split(" \t \r"), "");
	CU_EQ_STR(split("bearer list"), "<bearer><list>");
	CU_EQ_STR(split("  bearer\t list \r"), "<bearer><list>");
	CU_EQ_STR(split("a"), "<a>");
}

static void
quotes_keep_words_together(void)
{
	CU_EQ_STR(split("'a b' \"c d\""), "<a b><c d>");
	CU_EQ_STR(split("x'a b'y"), "<xa by>");
	CU_EQ_STR(split("'' a \"\""), "<><a><>");
	CU_EQ_STR(split("'\"' \"'\""), "<\"><'>");
	CU_EQ_STR(split("'a\\b' \"a\\\"b\" a\\ b \\\\"), "<a\\b><a\"b><a b><\\>");
	CU_EQ_STR(split("\\' \\\" \\#"), "<'><\"><#>");
}

static void
comment_begins_where_a_word_could(void)
{
	CU_EQ_STR(split("# bearer list"), "");
	CU_EQ_STR(split("bearer #list"), "<bearer>");
	CU_EQ_STR(split("bearer#list"), "<bearer#list>");
	CU_EQ_STR(split("'#' a"), "<#><a>");
}

static void
line_that_does_not_end_is_an_error(void)
{
	CU_EQ_STR(split("bearer 'a b"), "' is not closed");
	CU_EQ_STR(split("bearer \"a' b"), "\" is not closed");
	CU_EQ_STR(split("bearer \\"), "nothing behind the last \\");
	CU_EQ_STR(split("\"\\"), "nothing behind the last \\");
}

static void
words_are_bounded(void)
{
	char line[3 * STARTUP_WORDS_MAX] = "", *words[STARTUP_WORDS_MAX];
	const char *error = NULL;

	for (int i = 0; i < STARTUP_WORDS_MAX; i++)
		strcat(line, "w ");
	CU_EQ_I64(startup_split(line, words, &error), STARTUP_WORDS_MAX);
	memset(line, ' ', 2 * STARTUP_WORDS_MAX);
	for (int i = 0; i < STARTUP_WORDS_MAX; i++)
		line[2 * i] = 'w';
	strcpy(line + 2 * STARTUP_WORDS_MAX, "w");
	CU_EQ_I64(startup_split(line, words, &error), -EINVAL);
	CU_EQ_STR(error, "too many words");
}

static const struct cu_test tests[] = {
	CU_TEST(words_stand_between_spaces),
	CU_TEST(quotes_keep_words_together),
	CU_TEST(comment_begins_where_a_word_could),
	CU_TEST(line_that_does_not_end_is_an_error),
	CU_TEST(words_are_bounded),
};

int
main(int argc, char **argv)
{
	return cu_main(argc, argv, "startup_file", tests, CU_CNT(tests));
}
