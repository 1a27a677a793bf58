// SPDX-License-Identifier: GPL-2.0
/* See paired.h. */
#include "bench/barrier/paired.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/barrier/crew.h"
#include "bench/kit/clock.h"
#include "bench/kit/place.h"
#include "bench/kit/sources.h"
#include "lib/binomial.h"
#include "lib/env.h"
#include "lib/util.h"

#define CONFIDENCE	.95
#define MAX_PMU		8	/* metrics of pmu_source */

enum { CYCLES, INSTRUCTIONS, IN_KERNEL, NR_COUNTS };

static const struct {
	const char *pmu, *with, *added;
} count_names[NR_COUNTS] = {
	[CYCLES] = { "cycles", "cycles", "barrier_cycles" },
	[INSTRUCTIONS] = { "instructions_user", "instructions_user",
			   "barrier_instructions" },
	[IN_KERNEL] = { "instructions_kernel", NULL, NULL },	/* within a turn */
};

/* What the two CPUs exchange. */
struct hand_over {
	uint64_t want __attribute__((aligned(CREW_LINE)));
	uint64_t from, ops;	/* ops 0: no more */
	uint64_t done __attribute__((aligned(CREW_LINE)));
};

struct paired {
	struct hand_over hand;
	const struct paired_work *work;
	void *arg;
	int cpus[2];
	struct crew *crew;
	double round_trip_ns;
	uint64_t segment;
	uint64_t next;		/* number of the operation */
	uint64_t segments;	/* so far; determines the order of turns */
	void *pmu;
	struct counter_value pmu_value[MAX_PMU];
	int pmu_at[NR_COUNTS];	/* index of the metric */
	/* of the current batch */
	uint64_t ops;
	int error;
	double ticks[NR_TURNS];
	uint64_t count[NR_TURNS][NR_COUNTS];
	/* In the kernel, for each turn of a whole segment so far */
	uint64_t *turn[NR_TURNS];
	size_t turns[NR_TURNS];
	/* ns per operation, of each batch that counts */
	double *diff, *floor;
	size_t nr;
};

struct paired *paired_new(const struct paired_work *w, void *arg,
			  const int *cpus, uint64_t segment)
{
	struct paired *p = aligned_alloc(CREW_LINE, sizeof(*p));
	unsigned int i, j;

	if (!p)
		return fail_null(ENOMEM, "out of memory");
	memset(p, 0, sizeof(*p));
	p->work = w;
	p->arg = arg;
	p->segment = segment;
	p->cpus[0] = cpus[0];
	p->cpus[1] = w->other ? cpus[1] : -1;
	pmu_source.open(&p->pmu, 0, p->pmu_value);
	for (i = 0; i < NR_COUNTS; i++)
		for (j = 0; pmu_source.metrics[j]; j++)
			if (!strcmp(pmu_source.metrics[j], count_names[i].pmu))
				p->pmu_at[i] = j;
	p->crew = crew_new(p->cpus, w->other ? 2 : 1);
	if (!p->crew) {
		paired_free(p);
		return NULL;
	}
	if (w->other)
		p->round_trip_ns = crew_round_trip_ns(p->crew);
	return p;
}

void paired_free(struct paired *p)
{
	unsigned int i;

	if (!p)
		return;
	crew_free(p->crew);
	pmu_source.close(p->pmu);
	for (i = 0; i < NR_TURNS; i++)
		free(p->turn[i]);
	free(p->diff);
	free(p->floor);
	free(p);
}

uint64_t paired_next(const struct paired *p)
{
	return p->next;
}

/* --- a batch --- */

/* The other CPU: does its part before each turn. */
static void serve(struct paired *p)
{
	struct hand_over *h = &p->hand;
	uint64_t done = h->done, ops;
	unsigned int turns = 0;

	do {
		while (__atomic_load_n(&h->want, __ATOMIC_ACQUIRE) == done)
			crew_wait(&turns);
		done = h->want;
		ops = h->ops;
		if (ops)
			p->work->other(p->arg, h->from, ops);
		/*
		 * All lines must be in this CPU's cache before the other goes
		 * on.
		 */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		__atomic_store_n(&h->done, done, __ATOMIC_RELEASE);
	} while (ops);
}

static void hand_over(struct paired *p, uint64_t ops)
{
	struct hand_over *h = &p->hand;
	unsigned int turns = 0;
	uint64_t want = h->want + 1;

	h->from = p->next;
	h->ops = ops;
	__atomic_store_n(&h->want, want, __ATOMIC_RELEASE);
	while (__atomic_load_n(&h->done, __ATOMIC_ACQUIRE) != want)
		crew_wait(&turns);
}

static void one_turn(struct paired *p, enum paired_turn t, uint64_t ops)
{
	struct counter_value v[MAX_PMU];
	uint64_t start, end;
	unsigned int i;
	int64_t ticks;

	if (p->work->other)
		hand_over(p, ops);
	memcpy(v, p->pmu_value, sizeof(v));
	pmu_source.start(p->pmu);
	start = clock_ticks();
	ticks = p->work->turn(p->arg, t, p->next, ops);
	end = clock_ticks();
	pmu_source.stop(p->pmu, v);
	if (ticks < 0)
		p->error = ticks;
	p->next += ops;
	p->ticks[t] += ticks > 0 ? ticks : (int64_t)(end - start);
	for (i = 0; i < NR_COUNTS; i++) {
		const struct counter_value *got = &v[p->pmu_at[i]];

		if (!got->present)
			p->pmu_value[p->pmu_at[i]] = *got;
		p->count[t][i] += got->count;
	}
	if (p->work->within && ops == p->segment) {
		p->turn[t] = xrealloc(p->turn[t], (p->turns[t] + 1) *
				      sizeof(*p->turn[t]));
		p->turn[t][p->turns[t]++] = v[p->pmu_at[IN_KERNEL]].count;
	}
}

/* Each of the loops is first, second and last equally often. */
static void all_turns(void *arg, unsigned int id)
{
	struct paired *p = arg;
	uint64_t left = p->ops;
	unsigned int i;

	if (id) {
		serve(p);
		return;
	}
	while (left && !p->error) {
		uint64_t ops = left < p->segment ? left : p->segment;

		for (i = 0; i < NR_TURNS; i++)
			one_turn(p, (p->segments + i) % NR_TURNS, ops);
		p->segments++;
		left -= ops;
	}
	if (p->work->other)
		hand_over(p, 0);
}

/*
 * Returns the median, which is a count that was actually seen: the code around
 * a loop mostly takes the same number of instructions, but not always.
 */
static double usual_turn(const struct paired *p, enum paired_turn t)
{
	qsort(p->turn[t], p->turns[t], sizeof(*p->turn[t]), cmp_u64);
	return p->turn[t][(p->turns[t] - 1) / 2];
}

/* The turns differ only in their loops. */
static void give_within(const struct paired *p, struct bench_ctx *ctx)
{
	static const char *const why =
		"the kernel times the loop; its events are not counted separately";
	const struct counter_value *v = &p->pmu_value[p->pmu_at[IN_KERNEL]];

	bench_absent(ctx, "cycles", why);
	bench_absent(ctx, "barrier_cycles", why);
	bench_absent(ctx, "instructions_kernel", why);
	if (!v->present)
		bench_absent(ctx, "barrier_instructions", v->absent);
	else if (!p->turns[TURN_PLAIN])
		bench_absent(ctx, "barrier_instructions",
			     "too few operations for a whole segment");
	else
		bench_sample(ctx, "barrier_instructions",
			     (usual_turn(p, TURN_WITH) -
			      usual_turn(p, TURN_PLAIN)) / p->segment);
}

static void give_counts(const struct paired *p, struct bench_ctx *ctx)
{
	unsigned int i;

	for (i = 0; i < IN_KERNEL; i++) {
		const struct counter_value *v = &p->pmu_value[p->pmu_at[i]];
		double with = p->count[TURN_WITH][i];
		double plain = p->count[TURN_PLAIN][i];

		if (!v->present) {
			bench_absent(ctx, count_names[i].with, v->absent);
			bench_absent(ctx, count_names[i].added, v->absent);
			continue;
		}
		bench_sample(ctx, count_names[i].with, with / ctx->ops);
		bench_sample(ctx, count_names[i].added,
			     (with - plain) / ctx->ops);
	}
}

int paired_batch(struct paired *p, struct bench_ctx *ctx)
{
	double ns[NR_TURNS];
	unsigned int i;

	memset(p->ticks, 0, sizeof(p->ticks));
	memset(p->count, 0, sizeof(p->count));
	p->ops = ctx->ops;
	p->error = 0;
	crew_run(p->crew, all_turns, p);
	if (p->error)
		return p->error;

	for (i = 0; i < NR_TURNS; i++)
		ns[i] = p->ticks[i] * 1e9 / clock_measure()->frequency_hz /
			ctx->ops;
	bench_sample(ctx, "ns", ns[TURN_WITH]);
	bench_sample(ctx, "plain_ns", ns[TURN_PLAIN]);
	bench_sample(ctx, "barrier_ns", ns[TURN_WITH] - ns[TURN_PLAIN]);
	if (p->work->within)
		give_within(p, ctx);
	else
		give_counts(p, ctx);
	if (ctx->warmup)
		return 0;
	p->diff = xrealloc(p->diff, (p->nr + 1) * sizeof(*p->diff));
	p->floor = xrealloc(p->floor, (p->nr + 1) * sizeof(*p->floor));
	p->diff[p->nr] = ns[TURN_WITH] - ns[TURN_PLAIN];
	p->floor[p->nr++] = ns[TURN_COPY] - ns[TURN_PLAIN];
	return 0;
}

/* --- the verdict --- */

static void judge(struct paired *p, json_t *proof)
{
	struct interval d = median_interval(p->diff, p->nr, CONFIDENCE);
	struct interval f = median_interval(p->floor, p->nr, CONFIDENCE);
	double floor = fmax(fabs(f.low), fabs(f.high));
	double step = clock_measure()->granularity_ns / p->segment;
	const char *why = NULL;

	if (isinf(d.low))
		why = "too few batches for an interval: 6 are needed";
	else if (d.low <= floor && d.high >= -floor)
		why = "within the difference of two copies of the loop without a barrier";
	else if (fmin(fabs(d.low), fabs(d.high)) < step)
		why = "below the granularity of the clock";
	json_object_set_new(proof, "told", json_boolean(!why));
	if (why)
		json_object_set_new(proof, "not_told", json_string(why));
	if (!isinf(d.low))
		json_object_set_new(proof, "barrier_ns", json_pack(
				"{s:f, s:f, s:f, s:f}", "low", d.low, "high",
				d.high, "confidence", CONFIDENCE, "floor",
				floor));
}

void paired_prove(struct paired *p, struct bench_ctx *ctx)
{
	bool real = !machine_get()->clock_emulated;

	place_prove(ctx->proof, p->cpus, p->work->other ? 2 : 1);
	if (p->work->other && real)
		json_object_set_new(ctx->proof, "round_trip_ns",
				    json_real(p->round_trip_ns));
	if (real)
		judge(p, ctx->proof);
}
