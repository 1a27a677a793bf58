/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runner: takes points through setup, the timed pass, the counted pass and
 * the proof, and hands each finished record on.
 */
#ifndef PTELAB_RUNNER_H
#define PTELAB_RUNNER_H

#include "bench/harness/point.h"

/* What ptelab run does unless told otherwise. */
#define RUN_BATCHES		30
#define RUN_BATCHES_EXACT	5	/* where counts repeat to the last one */
#define RUN_COUNTED		2
#define RUN_WARMUP		2
#define RUN_MIN_BATCH_MS	2

struct runner_options {
	unsigned int batches;		/* timed batches a point */
	unsigned int counted;		/* counted batches a point; 0: none */
	unsigned int warmup;		/* untimed batches before them */
	uint64_t ops;			/* operations a batch; 0: default */
	uint64_t max_ops;		/* of a default no more than these; 0: all */
	double sample_ns;		/* of sampled batches a point; 0: none */
	double min_batch_ns;		/* scale operations up to this long */
	uint64_t seed;
	int cpu;			/* measuring CPU; -1: choose */
	bool all_events;		/* count what a point can't cause, too */
	/* Sources of the counted pass, NULL at the end; may be NULL. */
	const struct counter_source *const *sources;
};

struct runner;

/*
 * Pins the calling thread and looks at what can be counted here.
 * Returns NULL with fail() text.
 */
struct runner *runner_new(const struct runner_options *o);
void runner_free(struct runner *r);

/* What the header of the run should say of it: "clock", "absent", "metrics"
 * and cpu.measuring are set in @header. */
void runner_describe(const struct runner *r, json_t *header);

/* Why the point can't be measured here, NULL if it can. */
const char *runner_unavailable(struct runner *r, const struct point *p);

/*
 * Whether the point subscribes to mmu notifiers: then it must come after all
 * that do not, counted passes included. A point that comes too late is recorded
 * as invalid.
 */
bool runner_subscribes(struct runner *r, const struct point *p);

/*
 * The timed pass of one point, ending in its proof. Always returns a record (a
 * new reference): one whose status is not "ok" says why. *stopped is set if a
 * signal ended it early; the record is then NULL.
 */
json_t *runner_timed(struct runner *r, const struct point *p, bool *stopped);

/*
 * The counted pass, which completes a record of runner_timed() that is "ok"
 * and leaves any other alone. Between runner_attach() and runner_detach().
 */
void runner_counted(struct runner *r, const struct point *p, json_t *record,
		    bool *stopped);

/*
 * The sampled pass, likewise, while no counter source is attached: where the
 * instructions or the time of --sample seconds went, by function.
 */
void runner_sampled(struct runner *r, const struct point *p, json_t *record,
		    bool *stopped);

/*
 * Attaches the counter sources for the counted passes of @points, as far as
 * these can move them. This takes a fifth of a second in the emulated machine,
 * so there several points are timed before it and counted after it. Returns 0 or
 * -errno with fail() text.
 */
int runner_attach(struct runner *r, const struct point *points,
		  size_t nr_points);
void runner_detach(struct runner *r);

#endif
