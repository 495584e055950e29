/* SPDX-License-Identifier: BSD-3-Clause */
/* Text or JSON. Contract: out.h. */
#include "out.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int cell_idx(const struct out *out);

void
out_begin(struct out *out, FILE *to, bool is_json)
{
	*out = (struct out){.to = to, .is_json = is_json};
	if (is_json)
		fprintf(to, "{");
}

static void
json_string(FILE *to, const char *text)
{
	fputc('"', to);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(to, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			fprintf(to, "\\u%04x", c);
		else
			fputc(c, to);
	}
	fputc('"', to);
}

static void
json_key(FILE *to, const char *title)
{
	char key[64];
	size_t n = 0;

	for (; title[n] != '\0' && n < sizeof(key) - 1; n++)
		key[n] = isalnum((unsigned char)title[n]) ? (char)tolower((unsigned char)title[n])
							  : '_';
	key[n] = '\0';
	json_string(to, key);
}

static bool
is_number(const char *text)
{
	char *end;

	if (!isdigit((unsigned char)text[0]) && text[0] != '-')
		return false;
	if (text[0] == '0' && isdigit((unsigned char)text[1]))
		return false;
	strtod(text, &end);
	return *end == '\0' && end != text && strpbrk(text, "xXnNiI") == NULL;
}

void
out_table(struct out *out, const char *name, const char *title, const struct out_column *columns,
	  int columns_cnt)
{
	out->columns = columns;
	out->columns_cnt = columns_cnt;
	if (out->is_json) {
		fprintf(out->to, out->has_tables ? ",\n" : "\n");
		json_string(out->to, name);
		fprintf(out->to, ": [");
	} else if (title != NULL) {
		fprintf(out->to, "%s%s\n", out->has_tables ? "\n" : "", title);
	}
	out->has_tables = true;
}

/* The last row, or a new one when that is full. NULL: no memory, the cell is left out. */
static char **
row_now(struct out *out)
{
	char ***rows;

	if (out->rows_cnt > 0 && cell_idx(out) < out->columns_cnt)
		return out->rows[out->rows_cnt - 1];
	if (out->rows_cnt == out->rows_max) {
		out->rows_max = out->rows_max * 2 + 16;
		rows = realloc(out->rows, out->rows_max * sizeof(*rows));
		if (rows == NULL)
			return NULL;
		out->rows = rows;
	}
	out->rows[out->rows_cnt] = calloc((size_t)out->columns_cnt, sizeof(char *));
	if (out->rows[out->rows_cnt] == NULL)
		return NULL;
	return out->rows[out->rows_cnt++];
}

/* Cells that the last row has. */
static int
cell_idx(const struct out *out)
{
	int i = 0;

	while (i < out->columns_cnt && out->rows[out->rows_cnt - 1][i] != NULL)
		i++;
	return i;
}

void
out_cell(struct out *out, const char *fmt, ...)
{
	char **row = row_now(out), *text = NULL;
	va_list args;

	if (row == NULL)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	row[cell_idx(out)] = text;
}

static void
json_rows(struct out *out)
{
	for (size_t r = 0; r < out->rows_cnt; r++) {
		fprintf(out->to, "%s\n  {", r > 0 ? "," : "");
		for (int c = 0; c < out->columns_cnt; c++) {
			const char *cell = out->rows[r][c] != NULL ? out->rows[r][c] : "";

			fprintf(out->to, "%s", c > 0 ? ", " : "");
			json_key(out->to, out->columns[c].title);
			fprintf(out->to, ": ");
			if (out->columns[c].is_number && is_number(cell))
				fprintf(out->to, "%s", cell);
			else
				json_string(out->to, cell);
		}
		fprintf(out->to, "}");
	}
	fprintf(out->to, "]");
}

static void
text_row(struct out *out, char *const *row, const int *widths)
{
	for (int c = 0; c < out->columns_cnt; c++) {
		const char *cell = row[c] != NULL ? row[c] : "";

		if (out->columns[c].is_number)
			fprintf(out->to, "%*s", widths[c], cell);
		else if (c + 1 < out->columns_cnt)
			fprintf(out->to, "%-*s", widths[c], cell);
		else
			fprintf(out->to, "%s", cell);
		fprintf(out->to, c + 1 < out->columns_cnt ? "  " : "\n");
	}
}

static void
text_rows(struct out *out)
{
	char *head[OUT_COLUMNS_MAX];
	int widths[OUT_COLUMNS_MAX];

	for (int c = 0; c < out->columns_cnt; c++) {
		head[c] = (char *)(uintptr_t)out->columns[c].title;
		widths[c] = (int)strlen(head[c]);
		for (size_t r = 0; r < out->rows_cnt; r++) {
			int len = out->rows[r][c] != NULL ? (int)strlen(out->rows[r][c]) : 0;

			widths[c] = len > widths[c] ? len : widths[c];
		}
	}
	text_row(out, head, widths);
	for (size_t r = 0; r < out->rows_cnt; r++)
		text_row(out, out->rows[r], widths);
}

void
out_table_end(struct out *out, const char *none)
{
	if (out->is_json)
		json_rows(out);
	else if (out->rows_cnt > 0)
		text_rows(out);
	else if (none != NULL)
		fprintf(out->to, "%s\n", none);
	for (size_t r = 0; r < out->rows_cnt; r++) {
		for (int c = 0; c < out->columns_cnt; c++)
			free(out->rows[r][c]);
		free(out->rows[r]);
	}
	free(out->rows);
	out->rows = NULL;
	out->rows_cnt = out->rows_max = 0;
}

void
out_line(struct out *out, const char *fmt, ...)
{
	va_list args;

	if (out->is_json)
		return;
	va_start(args, fmt);
	vfprintf(out->to, fmt, args);
	va_end(args);
	fputc('\n', out->to);
	out->has_tables = true;
}

void
out_end(struct out *out)
{
	if (out->is_json)
		fprintf(out->to, "\n}\n");
	fflush(out->to);
}
