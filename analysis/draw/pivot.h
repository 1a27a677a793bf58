/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Points of a run by their parameters: those that belong together share a page,
 * and on it each has a row and a column. Whoever asks says which by texts; a
 * table is printed of a page, a panel of a picture is drawn of one.
 */
#ifndef PTELAB_PIVOT_H
#define PTELAB_PIVOT_H

#include <jansson.h>
#include <stddef.h>

#include "analysis/load/load.h"

/* Texts in the order in which they came. */
struct names {
	char **text;
	size_t nr;
};

/* Adds a text, which is taken over. Returns it. */
const char *names_add(struct names *n, char *text);
/* The same, or the one that is there already. */
const char *names_once(struct names *n, char *text);
void names_free(struct names *n);

struct pivot_page {
	char *key;
	struct names rows, columns;	/* see pivot_sort() */
	struct pivot_cell {
		const struct side_point *point;
		const char *row, *column;	/* of the names above */
	} *cell;
	size_t nr;
};

struct pivot {
	struct pivot_page *page;
	size_t nr;
	size_t most_columns;	/* of a page; 0: any number. Others are left out */
};

/* Adds a point; the texts are taken over. */
void pivot_add(struct pivot *t, const struct side_point *p, char *page,
	       char *row, char *column);
/*
 * Pages of at least @least rows remain. Rows and columns that are numbers
 * ascend; others stay in the order in which they came.
 */
void pivot_sort(struct pivot *t, size_t least);
/* The point there, NULL if there is none. */
const struct side_point *pivot_at(const struct pivot_page *page,
				  const char *row, const char *column);
/* The columns of all pages, at most as many as one may have. */
struct names pivot_columns(const struct pivot *t);
/* Some of its pages, borrowed: at most @nr, from page @from on. */
struct pivot pivot_part(const struct pivot *t, size_t from, size_t nr);
void pivot_free(struct pivot *t);

/* A point's identity without parameters; @but ends with NULL. Caller frees. */
char *key_without(const struct side_point *p, const char *const *but);
/* A parameter as a number: "64k" is 65536. NAN if it is none. */
double param_number(const struct side_point *p, const char *param);
/* The same as a text that pivot_sort() takes for a number; NULL if it is none. */
char *param_number_text(const struct side_point *p, const char *param);

/*
 * Parameters that all of @points that have them agree on: a new object of name
 * to text.
 */
json_t *constant_params(const struct side_point *const *points, size_t nr);
/* The same of all points of @nr pages. */
json_t *pivot_constant(const struct pivot_page *page, size_t nr);
/* "folio=64k pages=16", without the constant ones. The caller frees. */
char *varying_params(const struct side_point *p, const json_t *constant);

#endif
