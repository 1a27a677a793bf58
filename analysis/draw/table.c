// SPDX-License-Identifier: GPL-2.0
/* See table.h. */
#include "analysis/draw/table.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/load/select.h"
#include "lib/util.h"

/* A left-aligned column shrinks down to this width. */
#define MIN_WIDTH	6

struct table_row {
	char *cell[TABLE_MAX_COLUMNS];
	size_t nr;
	char *line;	/* instead of cells */
	int indent;
};

struct table {
	struct {
		char *heading;
		bool right;
	} column[TABLE_MAX_COLUMNS];
	size_t nr_columns;
	struct table_row *rows;
	size_t nr_rows;
};

struct table *table_new(void)
{
	return xcalloc(1, sizeof(struct table));
}

void table_free(struct table *t)
{
	size_t i, j;

	if (!t)
		return;
	for (i = 0; i < t->nr_rows; i++) {
		for (j = 0; j < t->rows[i].nr; j++)
			free(t->rows[i].cell[j]);
		free(t->rows[i].line);
	}
	for (i = 0; i < t->nr_columns; i++)
		free(t->column[i].heading);
	free(t->rows);
	free(t);
}

void table_column(struct table *t, const char *heading, bool right)
{
	if (t->nr_columns == TABLE_MAX_COLUMNS)
		return;
	t->column[t->nr_columns].heading = clean_text(heading);
	t->column[t->nr_columns++].right = right;
}

void table_row(struct table *t)
{
	t->rows = grow(t->rows, t->nr_rows, sizeof(*t->rows));
	memset(&t->rows[t->nr_rows++], 0, sizeof(*t->rows));
}

void table_cell(struct table *t, const char *fmt, ...)
{
	struct table_row *r = &t->rows[t->nr_rows - 1];
	va_list ap;

	if (r->nr == t->nr_columns)
		return;
	va_start(ap, fmt);
	r->cell[r->nr++] = clean_vformat(fmt, ap);
	va_end(ap);
}

void table_line(struct table *t, int indent, const char *fmt, ...)
{
	struct table_row *r;
	va_list ap;

	table_row(t);
	r = &t->rows[t->nr_rows - 1];
	va_start(ap, fmt);
	r->line = clean_vformat(fmt, ap);
	va_end(ap);
	r->indent = indent;
}

static const char *cell_text(const struct table_row *r, size_t column)
{
	return column < r->nr ? r->cell[column] : "";
}

/*
 * Returns the widest left-aligned column that can shrink; SIZE_MAX if none can.
 */
static size_t widest_left(const struct table *t, const int *width)
{
	size_t widest = SIZE_MAX, i;

	for (i = 0; i < t->nr_columns; i++)
		if (!t->column[i].right && width[i] > MIN_WIDTH &&
		    (widest == SIZE_MAX || width[i] > width[widest]))
			widest = i;
	return widest;
}

/*
 * Computes the width of each column. @spare: width of a line without
 * separators.
 */
static void find_widths(const struct table *t, int spare, int *width)
{
	int total = 0;
	size_t i, j;

	for (i = 0; i < t->nr_columns; i++) {
		width[i] = strlen(t->column[i].heading);
		for (j = 0; j < t->nr_rows; j++) {
			int n = strlen(cell_text(&t->rows[j], i));

			if (n > width[i])
				width[i] = n;
		}
		total += width[i];
	}
	while (total > spare) {
		i = widest_left(t, width);
		if (i == SIZE_MAX)
			break;
		width[i]--;
		total--;
	}
}

/* Returns the width of the cells alone after every column has shrunk. */
static int least_cells(const struct table *t)
{
	int width[TABLE_MAX_COLUMNS], total = 0;
	size_t i;

	find_widths(t, 0, width);
	for (i = 0; i < t->nr_columns; i++)
		total += width[i];
	return total;
}

int table_least_mail(const struct table *t, int indent)
{
	return indent + least_cells(t) + 2 * ((int)t->nr_columns - 1);
}

int table_least_grid(const struct table *t)
{
	return 1 + least_cells(t) + 3 * (int)t->nr_columns;
}

/*
 * Returns how many characters of @text fit on a line of @width: whole words and
 * numbers if possible.
 */
static int line_part(const char *text, int width)
{
	int len = strlen(text), i;

	if (len <= width)
		return len;
	for (i = width; i > 0; i--) {
		if (text[i] == ' ')
			return i;
		/* Not within a number */
		if (i > 1 && strchr(",._/", text[i - 1]) && !isdigit((unsigned char)text[i]))
			return i;
	}
	return width;
}

typedef void (*print_cell)(FILE *f, const char *text, int len, int width,
			   bool right, bool last);

struct style {
	const char *start, *end;	/* of each line */
	print_cell cell;
};

static void cell_mail(FILE *f, const char *text, int len, int width,
		      bool right, bool last)
{
	int pad = width - len > 0 ? width - len : 0;

	if (right)
		fprintf(f, "%*s%.*s", pad, "", len, text);
	else
		fprintf(f, "%.*s%*s", len, text, last ? 0 : pad, "");
	if (!last)
		fputs("  ", f);
}

static void cell_grid(FILE *f, const char *text, int len, int width,
		      bool right, bool last)
{
	(void)last;
	if (right)
		fprintf(f, " %*s%.*s |", width - len, "", len, text);
	else
		fprintf(f, " %.*s%*s |", len, text, width - len, "");
}

/*
 * Prints a row, in as many lines as its fullest cell needs. Numbers are on the
 * first line. Drops the empty cells after the last full one of a line, so that
 * lines don't end with blanks.
 */
static void print_cells(const struct table *t, const char *const *cell,
			const int *width, FILE *f, int indent,
			const struct style *style)
{
	const char *rest[TABLE_MAX_COLUMNS];
	bool more = true, whole = style->cell == cell_grid;
	size_t i, last;

	for (i = 0; i < t->nr_columns; i++)
		rest[i] = cell[i];
	while (more) {
		more = false;
		last = 0;
		for (i = 0; i < t->nr_columns; i++)
			if (*rest[i] || whole)
				last = i;
		fprintf(f, "%*s%s", indent, "", style->start);
		for (i = 0; i <= last; i++) {
			int len = line_part(rest[i], width[i]);

			style->cell(f, rest[i], len, width[i],
				    t->column[i].right, i == last);
			rest[i] += len;
			rest[i] += strspn(rest[i], " ");
			more = more || *rest[i];
		}
		fprintf(f, "%s\n", style->end);
	}
}

static void row_cells(const struct table *t, const struct table_row *r,
		      const char **cell)
{
	size_t i;

	for (i = 0; i < t->nr_columns; i++)
		cell[i] = cell_text(r, i);
}

static void heading_cells(const struct table *t, const char **cell)
{
	size_t i;

	for (i = 0; i < t->nr_columns; i++)
		cell[i] = t->column[i].heading;
}

void table_print_mail(const struct table *t, FILE *f, int indent, int width)
{
	static const struct style style = { "", "", cell_mail };
	const char *cell[TABLE_MAX_COLUMNS];
	int w[TABLE_MAX_COLUMNS];
	size_t i;

	find_widths(t, width - indent - 2 * ((int)t->nr_columns - 1), w);
	heading_cells(t, cell);
	print_cells(t, cell, w, f, indent, &style);
	for (i = 0; i < t->nr_rows; i++) {
		const struct table_row *r = &t->rows[i];

		if (r->line) {
			print_wrapped(f, r->line, r->indent, r->indent + 2,
				      width);
			continue;
		}
		row_cells(t, r, cell);
		print_cells(t, cell, w, f, indent, &style);
	}
}

static void grid_rule(const struct table *t, const int *width, FILE *f, char c)
{
	size_t i;
	int j;

	fputc('+', f);
	for (i = 0; i < t->nr_columns; i++) {
		for (j = 0; j < width[i] + 2; j++)
			fputc(c, f);
		fputc('+', f);
	}
	fputc('\n', f);
}

void table_print_grid(const struct table *t, FILE *f, int width)
{
	static const struct style style = { "|", "", cell_grid };
	const char *cell[TABLE_MAX_COLUMNS];
	int w[TABLE_MAX_COLUMNS];
	size_t i;

	find_widths(t, width - 1 - 3 * (int)t->nr_columns, w);
	grid_rule(t, w, f, '-');
	heading_cells(t, cell);
	print_cells(t, cell, w, f, 0, &style);
	grid_rule(t, w, f, '=');
	for (i = 0; i < t->nr_rows; i++) {
		if (t->rows[i].line)
			continue;
		row_cells(t, &t->rows[i], cell);
		print_cells(t, cell, w, f, 0, &style);
		/* a rule before a row that starts another benchmark */
		if (i + 1 == t->nr_rows || *cell_text(&t->rows[i + 1], 0))
			grid_rule(t, w, f, '-');
	}
}

static void markdown_cell(FILE *f, const char *text)
{
	fputc(' ', f);
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', f);
		fputc(*text, f);
	}
	fputs(" |", f);
}

static void markdown_row(const struct table *t, const char **cell, FILE *f)
{
	size_t i;

	fputc('|', f);
	for (i = 0; i < t->nr_columns; i++)
		markdown_cell(f, cell[i]);
	fputc('\n', f);
}

void table_print_markdown(const struct table *t, FILE *f)
{
	const char *cell[TABLE_MAX_COLUMNS];
	size_t i;

	heading_cells(t, cell);
	markdown_row(t, cell, f);
	fputc('|', f);
	for (i = 0; i < t->nr_columns; i++)
		fputs(t->column[i].right ? "---:|" : "---|", f);
	fputc('\n', f);
	for (i = 0; i < t->nr_rows; i++) {
		if (t->rows[i].line)
			continue;
		row_cells(t, &t->rows[i], cell);
		markdown_row(t, cell, f);
	}
}
