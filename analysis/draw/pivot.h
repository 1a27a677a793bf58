/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sorts points of a run by their parameters into pages; each has a row and a
 * column on its page. The caller gives page, row and column as texts. A page
 * becomes a table, or a panel of a picture.
 */
#ifndef PTELAB_PIVOT_H
#define PTELAB_PIVOT_H

#include <jansson.h>
#include <stddef.h>

#include "analysis/load/load.h"

/* Texts in the order in which they were added. */
struct names {
	char **text;
	size_t nr;
};

/* Adds a text, and frees it later. Returns it. */
const char *names_add(struct names *n, char *text);
/* The same, but frees the text and returns the equal one if there is one. */
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
	size_t most_columns;	/* of a page, others are dropped; 0: no limit */
};

/* Adds a point. The pivot frees the texts. */
void pivot_add(struct pivot *t, const struct side_point *p, char *page,
	       char *row, char *column);
/*
 * Drops pages of fewer than @least rows. Sorts rows and columns that are
 * numbers ascending; others stay in the order in which they were added.
 */
void pivot_sort(struct pivot *t, size_t least);
/* Returns the point of a row and a column; NULL if there is none. */
const struct side_point *pivot_at(const struct pivot_page *page,
				  const char *row, const char *column);
/* Returns the columns of all pages, but at most as many as a page may have. */
struct names pivot_columns(const struct pivot *t);
/* Returns at most @nr of its pages, from page @from on; borrowed. */
struct pivot pivot_part(const struct pivot *t, size_t from, size_t nr);
void pivot_free(struct pivot *t);

/*
 * Returns a point's identity without the parameters @but, which ends with NULL.
 * The caller frees.
 */
char *key_without(const struct side_point *p, const char *const *but);
/* Returns a parameter as a number: "64k" is 65536. NAN if it is none. */
double param_number(const struct side_point *p, const char *param);
/*
 * The same as a text that pivot_sort() sorts as a number; NULL if it is none.
 * The caller frees.
 */
char *param_number_text(const struct side_point *p, const char *param);

/*
 * Returns the parameters whose value is the same in all @points that have them:
 * a new object of name to text.
 */
json_t *constant_params(const struct side_point *const *points, size_t nr);
/* The same for all points of @nr pages. */
json_t *pivot_constant(const struct pivot_page *page, size_t nr);
/* Returns "folio=64k pages=16", without the constant ones. The caller frees. */
char *varying_params(const struct side_point *p, const json_t *constant);

#endif
