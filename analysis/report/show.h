/* SPDX-License-Identifier: GPL-2.0 */
/* One run by itself: every point with its figures, or why it has none. */
#ifndef PTELAB_SHOW_H
#define PTELAB_SHOW_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis/load/load.h"

/*
 * At most SHOW_WIDTH columns. @select is for metrics; may be NULL. @all: also
 * metrics that are 0, the proofs, and which metrics each point lacks.
 */
void show_text(const struct side *s, const struct selection *select, bool all,
	       FILE *f);
void show_csv(const struct side *s, const struct selection *select, FILE *f);
void show_json(const struct side *s, const struct selection *select, FILE *f);
/* The cost of the first @most points that have one, a line each. */
void show_figures(const struct side *s, size_t most, FILE *f);

#endif
