/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a benchmark is. One constant struct says everything about it; a new
 * benchmark is a new struct and BENCH() under it, in its family's file or, as
 * skeleton.c, in a file of its own.
 *
 * The runner measures a point (a benchmark with one value for each of its
 * parameters) like this:
 *
 *	setup
 *	timed pass:    [prepare, START run STOP] x (warm-up + batches)
 *	verify(NULL)   is the state still what was asked for?
 *	counted pass:  [prepare, START run STOP, verify(deltas)] x batches
 *	teardown
 *
 * With threads=N, prepare runs once a batch on the first thread while the
 * others wait; run is called by all N at the same moment.
 */
#ifndef PTELAB_BENCH_H
#define PTELAB_BENCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/counter.h"

#define BENCH_MAX_PARAMS	12

enum param_type {
	PARAM_INT,	/* whole number within min..max */
	PARAM_SIZE,	/* bytes, written 4k, 64k, 2m; within min..max */
	PARAM_ENUM,	/* one of choices */
	PARAM_STRING,	/* anything, such as a file's name */
};

struct bench_param {
	const char *name;
	enum param_type type;
	const char *unit;	/* "pages", "bytes"; NULL if it has none */
	/*
	 * Default; "contpte" in a PARAM_SIZE means this machine's contpte
	 * block (64k on 4K pages) and is resolved before it is recorded.
	 */
	const char *def;
	uint64_t min, max;
	bool power_of_two;
	const char *const *choices;	/* PARAM_ENUM, NULL at the end */
	const char *help;
};

struct param_value {
	char *text;		/* canonical form, as recorded */
	uint64_t num;		/* PARAM_INT, PARAM_SIZE */
};

struct bench;

/*
 * Everything about the point under way. The benchmark owns priv and writes
 * proof; the rest is the runner's.
 */
struct bench_ctx {
	const struct bench *bench;
	struct param_value value[BENCH_MAX_PARAMS]; /* in bench->params order */
	uint64_t ops;		/* operations a batch asked of each thread */
	unsigned int threads;	/* of param "threads"; 1 if it has none */
	int cpu;		/* first measuring CPU */
	int racer_cpu;		/* another CPU, for a racer; -1: there is none */
	const int *cpus;	/* all CPUs that may be used, nr_cpus of them */
	unsigned int nr_cpus;
	bool icount;		/* counts are exact here, and time is not time */
	bool warmup;		/* the batch under way is thrown away */
	uint64_t seed;
	void *priv;
	json_t *proof;		/* object; verify adds what it saw */
	/*
	 * Extra counted metrics that the benchmark itself knows exactly, such
	 * as racer_rounds: set by bench_count(), cleared before each run.
	 */
	json_t *own_counts;
	/*
	 * What run() measured itself in this batch of the timed pass, and
	 * what it could not: bench_sample(), bench_absent().
	 */
	json_t *own_samples, *own_absent;
};

/* What happened during one counted batch. */
struct bench_deltas {
	uint64_t operations;	/* of all threads */
	uint64_t minflt, majflt;	/* this process, getrusage */
	/* Change of a /proc/vmstat field; false if this kernel has none. */
	bool (*vmstat)(const struct bench_deltas *d, const char *field,
		       int64_t *delta);
	const void *priv;
};

struct bench {
	const char *name;	/* "family.op" */
	const char *op;		/* what one operation is, one line */
	/*
	 * A point in a few words, as words_fill() takes them: everything but
	 * folio, and parameters that are rarely set.
	 */
	const char *words;
	const char *measures;	/* what the figure means */
	const char *may_lie;	/* how it can mislead; never empty */
	const struct bench_param *params;
	unsigned int nr_params;
	bool needs_root;
	/*
	 * run() times parts of a batch itself and tells them by bench_sample();
	 * the runner then records neither time nor PMU counts of its own.
	 */
	bool own_time;
	/* Only where it is asked for by its whole name. */
	bool hidden;
	/* Of its family: what tells benchmarks apart that share functions. */
	const void *data;

	/*
	 * Why this machine, or this combination of parameters, can not run
	 * it: a static or thread-local string that fail() may have made; NULL
	 * if it can. Must not change anything. Called before setup.
	 */
	const char *(*unavailable)(const struct bench_ctx *ctx);
	/* Default operations a batch, and the most that make sense (memory). */
	void (*size)(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max);
	/*
	 * Whether the point gives this process mmu notifier subscriptions (a
	 * VM, the module). An mm never forgets that it had some: the kernel
	 * calls the notifiers' functions from then on, to find nobody there.
	 * So such points are measured after all others. May be NULL: never.
	 */
	bool (*subscribes)(const struct bench_ctx *ctx);
	/*
	 * Whether run() runs a guest on the calling thread, whose instructions
	 * are part of the operation. May be NULL: never.
	 */
	bool (*runs_guest)(const struct bench_ctx *ctx);
	/*
	 * The kernel events (enum events, in lib/counter.h) that run() can
	 * cause; the others are not counted, and the record says so. May be
	 * NULL: EVENTS_MM.
	 */
	unsigned int (*events)(const struct bench_ctx *ctx);
	/*
	 * All return 0 or -errno with fail() text. -EOPNOTSUPP: this machine
	 * turned out not to be able to; the point is then unavailable.
	 */
	int (*setup)(struct bench_ctx *ctx);
	int (*prepare)(struct bench_ctx *ctx);
	/*
	 * Does ctx->ops operations on thread @thread (0..threads-1) and
	 * returns how many it did, or -errno. Nothing else may be in here.
	 */
	int64_t (*run)(struct bench_ctx *ctx, unsigned int thread);
	/*
	 * The proof that what was asked for is what happened. @d is NULL after
	 * the timed pass. Returns 0, or -EPROTO with fail() text that says
	 * what was not as it should be: the point is then invalid. Facts worth
	 * recording go into ctx->proof.
	 */
	int (*verify)(struct bench_ctx *ctx, const struct bench_deltas *d);
	void (*teardown)(struct bench_ctx *ctx);
};

/* In a struct bench: its parameters, an array. */
#define BENCH_PARAMS(array) \
	.params = array, .nr_params = sizeof(array) / sizeof((array)[0])

/*
 * Registers a benchmark. @place, unique among all, is where it stands in
 * ptelab list, and in a run of several: a family has a hundred.
 */
#define BENCH(place, bench) \
	static const struct bench_entry bench_entry_##place = \
		{ place, &(bench) }; \
	static const struct bench_entry *const bench_entry_ptr_##place \
	__attribute__((used, section("ptelab_benches"))) = &bench_entry_##place

struct bench_entry {
	int place;
	const struct bench *bench;
};

/* All benchmarks by place, NULL at the end: harness.empty first. */
const struct bench *const *bench_all(void);
const struct bench *bench_find(const char *name);

/* Values of the point's parameters. The name must be the benchmark's. */
uint64_t param_num(const struct bench_ctx *ctx, const char *name);
const char *param_text(const struct bench_ctx *ctx, const char *name);
bool param_is(const struct bench_ctx *ctx, const char *name, const char *text);
/* Whether the benchmark has such a parameter. */
bool param_has(const struct bench *b, const char *name);

/* A member of struct bench: run() does nothing that the kernel has a part in. */
unsigned int bench_no_events(const struct bench_ctx *ctx);

/* From run() or verify(): the batch did @count of @metric, known exactly. */
void bench_count(struct bench_ctx *ctx, const char *metric, uint64_t count);

/*
 * From run(), on the first thread: in this batch @metric was @per_op for each
 * operation. Of time the median of all batches is the point's figure; of
 * counts it is all of them, over all operations.
 */
void bench_sample(struct bench_ctx *ctx, const char *metric, double per_op);
/* From run(): this machine has no @metric; @why is copied. */
void bench_absent(struct bench_ctx *ctx, const char *metric, const char *why);

/*
 * The contpte block of this machine's page size in bytes (64k on 4K pages,
 * 2m on 16K and 64K pages), also where the architecture has no contpte.
 */
uint64_t contpte_size(void);

#endif
