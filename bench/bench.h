/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A benchmark is one constant struct. To add one, write a new struct and BENCH()
 * below it, in its family's file or in a file of its own, like skeleton.c.
 *
 * The runner measures a point (a benchmark with one value for each parameter) in
 * these steps:
 *
 *	setup
 *	timed pass:    [prepare, START run STOP] x (warm-up + batches)
 *	verify(NULL)   checks that the state is still as requested
 *	counted pass:  [prepare, START run STOP, verify(deltas)] x batches
 *	teardown
 *
 * With threads=N, prepare runs once per batch on the first thread while the others
 * wait; then all N call run at the same time.
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
	PARAM_STRING,	/* any text, such as a file name */
};

struct bench_param {
	const char *name;
	enum param_type type;
	const char *unit;	/* "pages", "bytes" or NULL */
	/*
	 * Default. "contpte" in a PARAM_SIZE is this machine's contpte block
	 * (64k on 4K pages); it is resolved before it is recorded.
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
 * The state of the point being measured. The benchmark owns priv and writes proof;
 * everything else belongs to the runner.
 */
struct bench_ctx {
	const struct bench *bench;
	struct param_value value[BENCH_MAX_PARAMS]; /* in bench->params order */
	uint64_t ops;		/* operations per batch and thread */
	unsigned int threads;	/* param "threads"; 1 if there is none */
	int cpu;		/* first measuring CPU */
	int racer_cpu;		/* another CPU, for a racer; -1: none */
	const int *cpus;	/* all nr_cpus CPUs that may be used */
	unsigned int nr_cpus;
	bool icount;		/* counts are exact, and the clock is emulated */
	bool warmup;		/* this batch will be discarded */
	uint64_t seed;
	void *priv;
	json_t *proof;		/* object; verify adds what it found */
	/*
	 * Counts that the benchmark itself knows exactly, such as
	 * racer_rounds: set by bench_count(), cleared before each run.
	 */
	json_t *own_counts;
	/*
	 * What run() measured itself in this batch of the timed pass, and
	 * what is unavailable: bench_sample(), bench_absent().
	 */
	json_t *own_samples, *own_absent;
};

/* The events of one counted batch. */
struct bench_deltas {
	uint64_t operations;	/* of all threads */
	uint64_t minflt, majflt;	/* this process, getrusage */
	/* Gets the change of a /proc/vmstat field; false if there is none. */
	bool (*vmstat)(const struct bench_deltas *d, const char *field,
		       int64_t *delta);
	const void *priv;
};

struct bench {
	const char *name;	/* "family.op" */
	const char *op;		/* one operation, in one line */
	/*
	 * A point in a few words, as words_fill() takes them: everything but
	 * folio, and parameters that are rarely set.
	 */
	const char *words;
	const char *measures;	/* the meaning of the figure */
	const char *may_lie;	/* how it can mislead; never empty */
	const struct bench_param *params;
	unsigned int nr_params;
	bool needs_root;
	/*
	 * run() times parts of a batch itself and reports them with
	 * bench_sample(); the runner then records no time or PMU counts.
	 */
	bool own_time;
	/* Measured only if it is selected by its full name. */
	bool hidden;
	/* For the family: distinguishes benchmarks that share functions. */
	const void *data;

	/*
	 * Returns the reason why this machine or these parameters can't be
	 * measured (a static or thread-local string, such as fail_text()), or
	 * NULL. Called before setup. Must not change anything.
	 */
	const char *(*unavailable)(const struct bench_ctx *ctx);
	/*
	 * Sets the default operations per batch, and the most that make sense
	 * (memory).
	 */
	void (*size)(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max);
	/*
	 * Returns whether the point adds mmu notifier subscriptions to this
	 * process (a VM, the module). Once an mm had some, the kernel calls
	 * the notifier functions for ever, even if nobody subscribes any more.
	 * So such points are measured last. NULL: it never does.
	 */
	bool (*subscribes)(const struct bench_ctx *ctx);
	/*
	 * Returns whether run() runs a guest on the calling thread, whose
	 * instructions are part of the operation. NULL: it never does.
	 */
	bool (*runs_guest)(const struct bench_ctx *ctx);
	/*
	 * Returns the kernel events (enum events, in lib/counter.h) that run()
	 * can cause. Others are not counted, and the record says so. NULL:
	 * EVENTS_MM.
	 */
	unsigned int (*events)(const struct bench_ctx *ctx);
	/*
	 * All return 0 or -errno with fail() text. -EOPNOTSUPP makes the point
	 * unavailable: the machine turned out not to support it.
	 */
	int (*setup)(struct bench_ctx *ctx);
	int (*prepare)(struct bench_ctx *ctx);
	/*
	 * Does ctx->ops operations on thread @thread (0..threads-1), and
	 * nothing else. Returns how many it did, or -errno.
	 */
	int64_t (*run)(struct bench_ctx *ctx, unsigned int thread);
	/*
	 * Proves that the requested operations happened. @d is NULL after the
	 * timed pass. Returns 0, or -EPROTO with fail() text that says what
	 * was wrong, which makes the point invalid. Adds facts worth recording
	 * to ctx->proof.
	 */
	int (*verify)(struct bench_ctx *ctx, const struct bench_deltas *d);
	void (*teardown)(struct bench_ctx *ctx);
};

/* Initializes the parameters of a struct bench from an array. */
#define BENCH_PARAMS(array) \
	.params = array, .nr_params = sizeof(array) / sizeof((array)[0])

/*
 * Registers a benchmark. @place is its unique position in ptelab list and in a run
 * of several benchmarks. Each family has a hundred places.
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

/* Returns all benchmarks by place, harness.empty first; NULL at the end. */
const struct bench *const *bench_all(void);
const struct bench *bench_find(const char *name);

/* Return values of the point's parameters. The benchmark must have @name. */
uint64_t param_num(const struct bench_ctx *ctx, const char *name);
const char *param_text(const struct bench_ctx *ctx, const char *name);
bool param_is(const struct bench_ctx *ctx, const char *name, const char *text);
/* Returns whether the benchmark has the parameter. */
bool param_has(const struct bench *b, const char *name);

/* For bench->events if run() never enters the kernel. */
unsigned int bench_no_events(const struct bench_ctx *ctx);

/* For run() or verify(): reports that the batch did exactly @count of @metric. */
void bench_count(struct bench_ctx *ctx, const char *metric, uint64_t count);

/*
 * For run() on the first thread: reports that @metric was @per_op per operation in
 * this batch. The point's figure is the median of all batches for times, and the
 * total over all operations for counts.
 */
void bench_sample(struct bench_ctx *ctx, const char *metric, double per_op);
/* For run(): reports that this machine has no @metric; copies @why. */
void bench_absent(struct bench_ctx *ctx, const char *metric, const char *why);

/*
 * Returns the size of a contpte block for this machine's page size in bytes (64k on
 * 4K pages, 2m on 16K and 64K pages), even if the architecture has no contpte.
 */
uint64_t contpte_size(void);

#endif
