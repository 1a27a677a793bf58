/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The metrics that the emulator's counting plugin has, beside those of
 * a64class.h, and what a run says of them that has none.
 */
#ifndef PTELAB_INSN_METRICS_H
#define PTELAB_INSN_METRICS_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/insn_counts.h"

extern const char *const region_exception_metric[NR_EXCEPTIONS];

/* Names every one of them in @absent, an object, with why it is absent. */
void counts_absent(json_t *absent, bool icount);
/* Whether it is one of them. */
bool counts_metric(const char *metric);
/* Whether it says little that the count of instructions does not, or the count
 * that it is a part of: left out of a table that nobody asked to be whole. */
bool counts_detail(const char *metric);

#endif
