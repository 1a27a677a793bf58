/* SPDX-License-Identifier: GPL-2.0 */
/* Pictures of the barrier family. */
#ifndef PTELAB_PLOT_BARRIER_H
#define PTELAB_PLOT_BARRIER_H

#include "analysis/draw/picture.h"
#include "analysis/load/load.h"

/*
 * For each run: what barriers add against the stores before them, a panel for
 * each state, a line for each barrier; and how long a store takes to be seen by
 * another CPU, and to be used there, a line for each variant of the publish
 * pattern. Adds to *drawn; nothing where a run has no such points. 0, or -errno
 * with fail() text.
 */
int plot_barriers(struct side *const *sides, size_t nr,
		  const struct plot_options *o, size_t *drawn);

#endif
