/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which results a reader is shown, and how their points are named: parameters
 * that are the same in every row are said once.
 */
#ifndef PTELAB_VIEW_H
#define PTELAB_VIEW_H

#include "analysis/draw/pivot.h"
#include "analysis/judge/compare.h"

struct view {
	const struct result **row;	/* grouped by point, largest first */
	size_t nr;
	size_t hidden;	/* overlapping rows left out, beyond the first ones */
	size_t sums;	/* rows left out that are the sum of two others */
	size_t details;	/* rows left out that say little more than another */
	json_t *constant;	/* parameter -> its one value's text */
	bool modes;	/* the rows are of more than one machine mode */
	bool exact, timed;	/* tiers among the rows */
};

/*
 * @all: equal rows, every overlapping one, and sums of others as well.
 * Free with view_free().
 */
struct view view_of(const struct comparison *c, bool all);
/* The same for several comparisons with one base: their rows together. */
struct view view_merge(struct comparison *const *c, size_t nr, bool all);
void view_free(struct view *v);

/* "gup.pin_fast folio=64k pages=16", with "(race)" if modes differ. */
char *view_point(const struct view *v, const struct side_point *p);

/*
 * The point in words, and with them the parameters that they leave open: those
 * that differ among points of @all with the same words. Not the folio's size;
 * "(race)" if modes differ. The caller frees.
 */
char *point_in_words(const struct side_point *const *all, size_t nr,
		  const struct side_point *p);

/* The result of @c for the same point and metric as @r; NULL if none. */
const struct result *result_like(const struct comparison *c,
				 const struct result *r);

/* "metric", or "metric (unit)" where the name does not say the unit. */
char *metric_label(const char *metric, const char *unit);

#endif
