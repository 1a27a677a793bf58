/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The perf tool around timed batches: ptelab run --perf. Each point starts perf
 * once and attaches it to the threads that run the batches. Its events are enabled
 * before each batch and disabled after it.
 */
#ifndef PTELAB_PERF_H
#define PTELAB_PERF_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct perf;

/*
 * @text: "record" or "stat", and options of it, between blanks. Refuses those that
 * choose what is measured, write elsewhere or run something. NULL with fail() text.
 */
struct perf *perf_new(const char *text);
void perf_free(struct perf *p);
bool perf_records(const struct perf *p);

/*
 * Starts perf once on the calling thread. Adds the metrics that it counts to
 * "metrics" of the run's header, and those that it can't count here to "absent".
 * @better: as in struct metric. Returns 0; -ENODEV with fail() text if there is no
 * perf or no such event; or -EINVAL with fail() text.
 */
int perf_try(struct perf *p, const char *better, json_t *header);
/* Later files are beside this boot file, and named like it. */
void perf_beside(struct perf *p, const char *boot);

/* Starts perf for a point with these threads. Returns 0, or -errno as below. */
int perf_start(struct perf *p, const pid_t *tid, unsigned int nr);
/* Enables or disables the events. */
int perf_enable(struct perf *p, bool on);
/* Ends perf, and removes its file. Does nothing if it has ended. */
void perf_drop(struct perf *p);
/*
 * Ends perf. Adds to @point, of @ops operations in all, its counts, and the member
 * "perf" with what else is known.
 *
 * These return 0, or -errno with fail() text. perf_lost() then is that text, and
 * perf can't be started again.
 */
int perf_stop(struct perf *p, json_t *point, uint64_t ops);
const char *perf_lost(const struct perf *p);

/* The mean time that enabling and disabling takes, in ns. */
double perf_control_ns(const struct perf *p);

/* The cost of perf as text, which the runner sets; "" if it is unknown. */
void perf_set_cost(struct perf *p, char *text);
const char *perf_cost(const struct perf *p);

#endif
