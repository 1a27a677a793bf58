/* SPDX-License-Identifier: GPL-2.0 */
/* Table and pictures of the mmio family: store sequences against size. */
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
 * Draws a picture of @metric against the size of a group for each run: a panel
 * for each mapping, with a line for each sequence. MMIO_INSTRUCTIONS is not a
 * metric, but stands for the instruction count of the code that stores, in user
 * space, a guest or the kernel. Adds the number of pictures to *drawn; draws
 * none if no point has the metric at two sizes. Returns 0, or -errno with
 * fail() text.
 */
#define MMIO_INSTRUCTIONS "stores' instructions"
int plot_mmio(struct side *const *sides, size_t nr,
	      const struct plot_options *o, const char *metric, size_t *drawn);

#endif
