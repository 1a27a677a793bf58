/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which results are printed, and how their points are named. Parameters with
 * the same value in every row are printed once.
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
	size_t details;	/* rows left out that mostly repeat another */
	json_t *constant;	/* parameter -> text of its only value */
	bool modes;	/* the rows are of more than one machine mode */
	bool exact, timed;	/* tiers among the rows */
};

/*
 * @all: include equal rows, every overlapping one, and sums of other rows. Free
 * with view_free().
 */
struct view view_of(const struct comparison *c, bool all);
/* The same for several comparisons with one base: all of their rows. */
struct view view_merge(struct comparison *const *c, size_t nr, bool all);
void view_free(struct view *v);

/*
 * Returns "gup.pin_fast folio=64k pages=16", with "(race)" if modes differ. The
 * caller frees.
 */
char *view_point(const struct view *v, const struct side_point *p);

/*
 * Returns the point in words, and the parameters that differ among points of
 * @all with the same words, except for the folio size; "(race)" if modes
 * differ. The caller frees.
 */
char *point_in_words(const struct side_point *const *all, size_t nr,
		  const struct side_point *p);

/*
 * Returns the result of @c for the same point and metric as @r; NULL if there
 * is none.
 */
const struct result *result_like(const struct comparison *c,
				 const struct result *r);

/*
 * Returns "metric", or "metric (unit)" if the name does not contain the unit.
 * The caller frees.
 */
char *metric_label(const char *metric, const char *unit);

#endif
