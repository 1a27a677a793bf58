/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pictures of one run or of several, drawn by gnuplot: every point of base
 * against the others; cost against folio size and against pages a call; and
 * what a racing CPU caused.
 */
#ifndef PTELAB_PLOT_H
#define PTELAB_PLOT_H

#include "analysis/draw/picture.h"
#include "analysis/load/load.h"
#include "lib/choice.h"

extern const struct choices plot_formats;

/*
 * Draws sides[0] as base and the others against it; prints the name of each
 * file that it leaves. 0, or -errno with fail() text: gnuplot is missing
 * (-ENOENT) or failed, or there is nothing to draw.
 */
int plot_runs(struct side *const *sides, size_t nr,
	      const struct plot_options *options);

#endif
