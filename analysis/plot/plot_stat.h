/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pictures of a comparison: every ratio with its interval (forest plot), the
 * distribution of batches of a point, and many runs in order with change points.
 */
#ifndef PTELAB_PLOT_STAT_H
#define PTELAB_PLOT_STAT_H

#include "analysis/judge/compare.h"
#include "analysis/plot/plot.h"

/*
 * Draws forest plots, one of timed results and one of exact instruction counts, and
 * the distributions of the timed points that differ most. Adds the number of
 * pictures to @drawn. Returns 0 or -errno with fail() text.
 */
int plot_comparisons(struct comparison *const *c, size_t nr,
		     const struct plot_options *o, size_t *drawn);

/*
 * Draws runs in order, and prints each change point with its size. Returns 0,
 * or -errno with fail() text.
 */
int plot_trend(struct side *const *sides, size_t nr,
	       const struct plot_options *o);

#endif
