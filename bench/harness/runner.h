/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runner takes points through setup, the timed pass, the counted pass and the
 * proof, and returns a record of each.
 */
#ifndef PTELAB_RUNNER_H
#define PTELAB_RUNNER_H

#include "bench/harness/point.h"

/* The defaults of ptelab run. */
#define RUN_BATCHES		30
#define RUN_BATCHES_EXACT	5	/* where counts repeat to the last one */
#define RUN_COUNTED		2
#define RUN_WARMUP		2
#define RUN_MIN_BATCH_MS	2

struct runner_options {
	unsigned int batches;		/* timed batches per point */
	unsigned int counted;		/* counted batches per point; 0: none */
	unsigned int warmup;		/* discarded batches before them */
	uint64_t ops;			/* operations per batch; 0: default */
	uint64_t max_ops;		/* of a default no more than these; 0: all */
	double sample_ns;		/* time to sample each point; 0: none */
	double min_batch_ns;		/* raise operations to this duration */
	uint64_t seed;
	int cpu;			/* measuring CPU; -1: choose */
	bool all_events;		/* also count what a point can't cause */
	struct perf *perf;		/* around a pass of its own; or NULL */
	/* Sources of the counted pass, NULL at the end; or NULL. */
	const struct counter_source *const *sources;
};

struct runner;

/*
 * Pins the calling thread and detects what can be counted here. Returns NULL with
 * fail() text on failure.
 */
struct runner *runner_new(const struct runner_options *o);
void runner_free(struct runner *r);

/* Sets "clock", "absent", "metrics" and cpu.measuring in the header of the run. */
void runner_describe(const struct runner *r, json_t *header);

/* Returns why the point can't be measured here; NULL if it can. */
const char *runner_unavailable(struct runner *r, const struct point *p);

/*
 * Returns whether the point subscribes to mmu notifiers. Such points, including
 * their counted passes, must follow all others. A point that comes too late is
 * recorded as invalid.
 */
bool runner_subscribes(struct runner *r, const struct point *p);

/*
 * Does the timed pass of a point and its proof. Returns a record (a new reference);
 * if its status is not "ok", it has the reason. If a signal ends the pass early,
 * sets *stopped and returns NULL.
 */
json_t *runner_timed(struct runner *r, const struct point *p, bool *stopped);

/*
 * Does the counted pass, which completes a record of runner_timed() if it is "ok".
 * Call it between runner_attach() and runner_detach().
 */
void runner_counted(struct runner *r, const struct point *p, json_t *record,
		    bool *stopped);

/*
 * Does the sampled pass, while no counter source is attached: samples by function
 * the instructions or the time of --sample seconds.
 */
void runner_sampled(struct runner *r, const struct point *p, json_t *record,
		    bool *stopped);

/*
 * Does the pass with --perf, if there is that option: the timed batches again, with
 * perf's events enabled instead of the CPU's counters.
 */
void runner_perf(struct runner *r, const struct point *p, json_t *record,
		 bool *stopped);
/* From now on measures as if there were no --perf. */
void runner_without_perf(struct runner *r);

/*
 * Attaches the counters that @points can change, for their counted passes. This
 * takes a fifth of a second in the emulated machine, so there several points are
 * timed before it and counted after it. Returns 0 or -errno with fail() text.
 */
int runner_attach(struct runner *r, const struct point *points,
		  size_t nr_points);
void runner_detach(struct runner *r);

#endif
