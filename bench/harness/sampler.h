/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Samples where the calling thread spends its instructions or its time: by the
 * PMU's instructions if there is a PMU, else by the kernel's cpu-clock. Samples are
 * attributed to functions of the kernel (/proc/kallsyms) and of this program. They
 * skid by some instructions, and code with interrupts off is charged to where they
 * are enabled again.
 */
#ifndef PTELAB_SAMPLER_H
#define PTELAB_SAMPLER_H

#include <jansson.h>

struct sampler;

/* Samples the calling thread. NULL with fail() text that says what to do. */
struct sampler *sampler_open(void);
void sampler_start(struct sampler *s);
/* Stops, and collects the samples since the start. */
void sampler_stop(struct sampler *s);
/*
 * {"event", "metric", "frequency", "count", "lost", "functions": {"kernel
 * NAME": samples...}}; a new reference. metric is what the event samples.
 */
json_t *sampler_json(struct sampler *s);
void sampler_close(struct sampler *s);

#endif
