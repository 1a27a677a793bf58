/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A pass over a point: its batches with one set of counters. What runner.c,
 * pass.c and passes.c share.
 */
#ifndef PTELAB_PASS_H
#define PTELAB_PASS_H

#include <pthread.h>

#include "bench/harness/perf.h"
#include "bench/harness/runner.h"
#include "bench/harness/sampler.h"
#include "bench/kit/sources.h"

#define MAX_THREADS	256

struct open_source {
	const struct counter_source *s;
	void *priv;
	struct counter_value value[MAX_VALUES];
	bool lost[MAX_VALUES];	/* in some batch of the current point */
};

struct runner {
	struct runner_options o;
	struct open_source *source;	/* attached ones, nr_sources of them */
	unsigned int nr_sources;
	int *cpus;
	unsigned int nr_cpus;
	int cpu, racer_cpu;
	/* What the PMU can count here; determined once. */
	struct counter_value pmu[MAX_VALUES];
	/* Instructions of a batch of harness.empty; 0 before it ran. */
	double empty_instructions;
	unsigned int regions;	/* marked so far; see lib/marks.h */
};

/* One batch of one thread. */
struct reading {
	uint64_t start, end;	/* clock ticks */
	int64_t done;		/* operations, or -errno */
	struct counter_value pmu[MAX_VALUES];
};

struct worker {
	struct pass *pass;
	unsigned int nr;
	pthread_t thread;
	pid_t tid;		/* 0 until it is known */
	void *pmu;
	struct reading sample;
	char error[512];
};

/* A point that is being measured. */
struct pass {
	struct runner *r;
	struct bench_ctx *ctx;
	struct worker *workers;
	unsigned int nr;
	uint64_t max_ops;	/* that the benchmark accepts */
	bool marked;		/* the current batch is a region */
	/* Instead of the PMU; or NULL. */
	struct sampler *sampler;
	struct perf *perf;
	/* Workers other than the first wait here for the next batch. */
	pthread_barrier_t batch, done;
	unsigned int arrived;	/* the last step before the start is a spin */
	bool quit;
};

/* --- pass.c --- */

/* Returns how many metrics a source has. */
unsigned int source_metrics(const struct counter_source *s);
void pin_thread(int cpu);
/* Starts the threads of a point; runs a batch in all of them; ends them. */
int pass_start(struct pass *p);
int pass_batch(struct pass *p);
void pass_end(struct pass *p);
/* Does what the benchmark needs before each batch. */
int pass_prepare(struct bench_ctx *ctx);

/* The reason why a record has no time. */
#define EMULATED_TIME	"emulated: the clock is the emulator's"

/* --- passes.c, perf_pass.c: each pass adds its counters to the record --- */

int timed_pass(struct pass *p, json_t *record);
int counted_pass(struct pass *p, json_t *record);
int sampled_pass(struct pass *p, json_t *record);
int perf_pass(struct pass *p, json_t *record);
/* Returns which events a point can cause; see bench.h. */
unsigned int pass_events(const struct runner *r, const struct bench_ctx *ctx);
/*
 * Returns one figure for all batches of a point. Under icount a batch is only
 * disturbed by additional instructions, such as a timer tick or a kworker, so
 * the minimum is the operation. On a real clock noise goes both ways.
 */
double pass_typical(const double *values, unsigned int nr);
/* The last batch, from the first start to the last end of its threads. */
double pass_batch_ns(const struct pass *p);
/* Records why the point has no @metric. */
void pass_put_absent(json_t *record, const char *metric, const char *why);
void pass_put_counter(json_t *record, const char *metric, double per_op,
		      double total, uint64_t operations, const char *pass);

#endif
