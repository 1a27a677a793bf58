/* SPDX-License-Identifier: GPL-2.0 */
/* Table and pictures of the mmio family: sequences against size. */
#ifndef PTELAB_MMIO_RESULTS_H
#define PTELAB_MMIO_RESULTS_H

#include <stdio.h>

#include "analysis/load/load.h"
#include "analysis/draw/picture.h"

/*
 * Prints a Markdown table for each mapping, with the machine and the memory type in
 * force: a row for each size, a column for each sequence, time per group and its
 * spread; with an emulated clock instructions, and the reason.
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
