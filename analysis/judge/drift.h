/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the order of measurement says about timed results: whether the kernels
 * took turns, whether the machine drifted meanwhile, and whether batches were
 * still warming up.
 */
#ifndef PTELAB_DRIFT_H
#define PTELAB_DRIFT_H

#include "analysis/judge/compare.h"

/* Seconds since 1970; NAN where the boot does not say. */
double boot_started(const struct boot *b);
/*
 * Sets @c->confounded, or takes a drift off the values of timed rows, and notes
 * both. Before these are judged.
 */
void drift_remove(struct comparison *c);
/* Notes batches that were still warming up. */
void warmup_notes(struct comparison *c);

#endif
