/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The barrier family of a run in three tables: what each barrier costs by what
 * came before it, the publish pattern in its variants, and litmus tests with
 * what the models say of them.
 */
#ifndef PTELAB_BARRIER_RESULTS_H
#define PTELAB_BARRIER_RESULTS_H

#include <stdio.h>

#include "analysis/family/litmus_log.h"
#include "analysis/load/load.h"

/*
 * @beside, may be NULL: what another tool saw, @nr tests, shown under the
 * test of the same name. At most SHOW_WIDTH columns.
 */
void show_barriers(const struct side *s, const struct litmus_result *beside,
		   size_t nr, FILE *f);
/* Every test as litmus7 prints it. */
void show_litmus(const struct side *s, FILE *f);

#endif
