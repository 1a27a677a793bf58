/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the order of measurement says about timed results: whether the kernels
 * took turns, whether the machine drifted meanwhile, and whether batches were
 * still warming up.
 */
#ifndef PTELAB_DRIFT_H
#define PTELAB_DRIFT_H

#include "analysis/judge/compare.h"

/* Adds notes; the results must be judged. Changes no verdict. */
void drift_notes(struct comparison *c);

#endif
