/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef OUT_H
#define OUT_H

/*
 * Output as aligned text or as one JSON object of tables: {"links": [{"link": "...", ...}]}.
 * A cell is text; columns of numbers are right-aligned, and numbers in JSON.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define OUT_COLUMNS_MAX 16

struct out_column {
	const char *title; /* text; the key of JSON, in lower case with _ for blanks */
	bool is_number;
};

struct out {
	FILE *to;
	bool is_json;
	bool has_tables;
	/* the present table */
	const struct out_column *columns;
	int columns_cnt;
	char ***rows;
	size_t rows_cnt, rows_max;
};

void out_begin(struct out *out, FILE *to, bool is_json);
/* A table called name (JSON) and, unless NULL, headed by title (text). */
void out_table(struct out *out, const char *name, const char *title,
	       const struct out_column *columns, int columns_cnt);
/* The next cell of the present row; a row ends with its last cell. */
void out_cell(struct out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The table is complete. Text: nothing when it has no rows, but `none` if that is not NULL. */
void out_table_end(struct out *out, const char *none);
/* A line that only the text form has. */
void out_line(struct out *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void out_end(struct out *out);

#endif /* OUT_H */
