/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Draws one run or several with gnuplot: every point of base against the others, cost
 * against folio size and pages per call, and the events that a racing CPU caused.
 */
#ifndef PTELAB_PLOT_H
#define PTELAB_PLOT_H

#include "analysis/draw/picture.h"
#include "analysis/judge/compare.h"
#include "analysis/load/load.h"
#include "lib/choice.h"

extern const struct choices plot_formats;

/*
 * Draws sides[0] as base and the others against it, and prints the name of each file.
 * @c has the comparison of each of the others, and says what is a difference; NULL: of
 * one run alone.
 * Returns 0, or -errno with fail() text: gnuplot is missing (-ENOENT) or failed, or
 * there is nothing to draw.
 */
int plot_runs(struct side *const *sides, size_t nr,
	      struct comparison *const *c, const struct plot_options *options);

#endif
