/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The metrics of the emulator's counting plugin besides those of a64class.h, and
 * why a run may not have them.
 */
#ifndef PTELAB_INSN_METRICS_H
#define PTELAB_INSN_METRICS_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/insn_counts.h"

extern const char *const region_exception_metric[NR_EXCEPTIONS];

/* Adds each of these metrics to the object @absent, with the reason. */
void counts_absent(json_t *absent, bool icount);
/* Returns whether @metric is one of them. */
bool counts_metric(const char *metric);
/*
 * True for a detail metric that mostly repeats `instructions` or its parent; it is
 * hidden unless --all is given.
 */
bool counts_detail(const char *metric);

#endif
