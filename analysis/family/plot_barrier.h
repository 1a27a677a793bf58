/* SPDX-License-Identifier: GPL-2.0 */
/* Pictures of the barrier family. */
#ifndef PTELAB_PLOT_BARRIER_H
#define PTELAB_PLOT_BARRIER_H

#include "analysis/draw/picture.h"
#include "analysis/load/load.h"

/*
 * Draws two pictures for each run: the cost of barriers against the stores
 * before them, a panel for each state, a line for each barrier; and how long it
 * takes until another CPU sees a store, and uses it, a line for each variant of
 * the publish pattern. Adds the number of pictures to *drawn; draws none for
 * runs without such points. Returns 0, or -errno with fail() text.
 */
int plot_barriers(struct side *const *sides, size_t nr,
		  const struct plot_options *o, size_t *drawn);

#endif
