/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the calling thread spends its instructions, or its time, by sampling:
 * the PMU's instructions where there is one, else the kernel's cpu-clock.
 * Samples are put to functions of the kernel (/proc/kallsyms) and of this
 * program. They stand where the interrupt was taken, which may be some
 * instructions late, and for what ran with interrupts off at its end.
 */
#ifndef PTELAB_SAMPLER_H
#define PTELAB_SAMPLER_H

#include <jansson.h>

struct sampler;

/* For the calling thread. NULL with fail() text that says what to do. */
struct sampler *sampler_open(void);
void sampler_start(struct sampler *s);
/* Stops, and takes what was sampled since. */
void sampler_stop(struct sampler *s);
/*
 * {"event", "metric", "frequency", "count", "lost", "functions": {"kernel
 * NAME": samples...}}; a new reference. metric is what the event samples.
 */
json_t *sampler_json(struct sampler *s);
void sampler_close(struct sampler *s);

#endif
