/* SPDX-License-Identifier: GPL-2.0 */
/* The mmio family's own table and pictures: sequences against size. */
#ifndef PTELAB_MMIO_RESULTS_H
#define PTELAB_MMIO_RESULTS_H

#include <stdio.h>

#include "analysis/load/load.h"
#include "analysis/draw/picture.h"

/*
 * Markdown, a table for each mapping, with what it was measured on and which
 * memory type was in force: a row a size, a column a sequence, time a group and
 * its spread; where time is an emulator's, instructions, and why.
 */
void show_mmio(const struct side *s, FILE *f);

/*
 * A picture of @metric against the size of a group, for each run: a panel for
 * each mapping, in it a line for each sequence. MMIO_INSTRUCTIONS is not a metric
 * but whichever counts those of the code that stores: user space's, a guest's or
 * the kernel's. Adds to *drawn; nothing if no point has the metric at two sizes.
 * Returns 0 or -errno with fail() text.
 */
#define MMIO_INSTRUCTIONS "stores' instructions"
int plot_mmio(struct side *const *sides, size_t nr,
	      const struct plot_options *o, const char *metric, size_t *drawn);

#endif
