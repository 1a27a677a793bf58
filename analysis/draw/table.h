/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of text cells: collected first, then printed in one of three styles.
 * Columns are as wide as their cells. If the table is too wide, left-aligned columns
 * shrink and their cells wrap, so that nothing is truncated and no line is too wide.
 */
#ifndef PTELAB_TABLE_H
#define PTELAB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/util.h"

#define TABLE_MAX_COLUMNS	12

struct table;

struct table *table_new(void);
void table_free(struct table *t);

/*
 * Adds a column. @right: align right, for numbers; such a column never shrinks, so
 * keep its cells short. The heading is copied.
 */
void table_column(struct table *t, const char *heading, bool right);
/* Starts a row; cells follow in order, missing ones are empty. */
void table_row(struct table *t);
/* Adds a cell; the text is copied and cleaned. */
void table_cell(struct table *t, const char *fmt, ...)
	__printf(2, 3);
/*
 * Adds a wrapped line across all columns: a heading (indent 0) for the rows
 * that follow, or a remark (indented) about the row before. Mail style only.
 */
void table_line(struct table *t, int indent, const char *fmt, ...)
	__printf(3, 4);

/* Return the fewest columns of text in which a style can be printed. */
int table_least_mail(const struct table *t, int indent);
int table_least_grid(const struct table *t);

/* Separates columns by two blanks and indents rows by @indent. */
void table_print_mail(const struct table *t, FILE *f, int indent, int width);
/* Draws +---+ and |, with +===+ under the headings. */
void table_print_grid(const struct table *t, FILE *f, int width);
/* Markdown, as GitHub and kernel documentation render it; of any width. */
void table_print_markdown(const struct table *t, FILE *f);

#endif
