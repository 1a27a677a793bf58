/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the order of measurement shows about timed results: whether the kernels
 * took turns, whether the machine drifted, and whether batches were still
 * warming up.
 */
#ifndef PTELAB_DRIFT_H
#define PTELAB_DRIFT_H

#include "analysis/judge/compare.h"

/* Seconds since 1970; NAN where the boot does not say. */
double boot_started(const struct boot *b);
/*
 * Sets @c->confounded, or removes a drift from the values of timed rows; adds a
 * note in either case. Call it before these rows are judged.
 */
void drift_remove(struct comparison *c);
/* Adds notes about batches that were still warming up. */
void warmup_notes(struct comparison *c);

#endif
