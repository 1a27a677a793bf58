/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Prints the barrier family of a run in three tables: the cost of each barrier by the
 * stores before it, the variants of the publish pattern, and litmus tests with the
 * verdicts of the models.
 */
#ifndef PTELAB_BARRIER_RESULTS_H
#define PTELAB_BARRIER_RESULTS_H

#include <stdio.h>

#include "analysis/family/litmus_log.h"
#include "analysis/load/load.h"

/*
 * Prints the tables in at most SHOW_WIDTH columns. @beside (may be NULL):
 * results of another tool for @nr tests, printed below the test of the same
 * name.
 */
void show_barriers(const struct side *s, const struct litmus_result *beside,
		   size_t nr, FILE *f);
/* Prints every test as litmus7 does. */
void show_litmus(const struct side *s, FILE *f);

#endif
