/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the order of measurement says about timed results: whether the kernels
 * took turns, whether the machine drifted meanwhile, and whether batches were
 * still warming up.
 */
#ifndef PTELAB_SESSION_H
#define PTELAB_SESSION_H

#include "analysis/compare.h"

/* Adds notes; the results must be judged. Changes no verdict. */
void session_notes(struct comparison *c);

#endif
