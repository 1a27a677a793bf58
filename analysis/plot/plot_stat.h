/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pictures of what compare says: every ratio with its interval in one picture
 * (forest plot), how the batches of a point are spread, and many runs in order
 * with change points.
 */
#ifndef PTELAB_PLOT_STAT_H
#define PTELAB_PLOT_STAT_H

#include "analysis/judge/compare.h"
#include "analysis/plot/plot.h"

/*
 * Forest plots, one of timed results and one of exact instruction counts,
 * where there are any; and of the timed points that differ most the spread.
 * @drawn is raised by the number of pictures. 0 or -errno with fail() text.
 */
int plot_comparisons(struct comparison *const *c, size_t nr,
		     const struct plot_options *o, size_t *drawn);

/*
 * Runs in order. Prints each change point with its size; 0 or -errno with
 * fail() text.
 */
int plot_trend(struct side *const *sides, size_t nr,
	       const struct plot_options *o);

#endif
