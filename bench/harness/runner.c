// SPDX-License-Identifier: GPL-2.0
/*
 * See runner.h and the sequence described in bench.h.
 *
 * What stands between START and STOP of a timed batch is the harness's own
 * cost: two reads of the clock, two marks, which are NOPs, and the end of the
 * one and the beginning of the other reading of the counters (pmu.c: from user
 * space, or by system calls). Keep it that way.
 */
#include "bench/harness/runner.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/harness/sampler.h"
#include "bench/kit/clock.h"
#include "bench/kit/mm.h"
#include "bench/kit/sources.h"
#include "bench/kit/stop.h"
#include "bench/kit/subscribers.h"
#include "lib/derive.h"
#include "lib/env.h"
#include "lib/insn_metrics.h"
#include "lib/marks.h"
#include "lib/metric.h"
#include "lib/util.h"
#include "lib/words.h"

#define MAX_THREADS	256
#define MAX_VALUES	96	/* metrics of one source */

struct open_source {
	const struct counter_source *s;
	void *priv;
	struct counter_value value[MAX_VALUES];
	bool lost[MAX_VALUES];	/* in some batch of the point under way */
};

struct runner {
	struct runner_options o;
	struct open_source *source;	/* attached ones, nr_sources of them */
	unsigned int nr_sources;
	int *cpus;
	unsigned int nr_cpus;
	int cpu, racer_cpu;
	/* What the PMU can count here, found once. */
	struct counter_value pmu[MAX_VALUES];
	/* Instructions of harness.empty's batch; 0 before it ran. */
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
	void *pmu;
	struct reading sample;
	char error[512];
};

/* A point under way. */
struct pass {
	struct runner *r;
	struct bench_ctx *ctx;
	struct worker *workers;
	unsigned int nr;
	uint64_t max_ops;	/* that the benchmark takes */
	bool marked;		/* the batch under way is a region */
	struct sampler *sampler;	/* in the place of the PMU; or NULL */
	/* Workers other than the first wait here for the next batch. */
	pthread_barrier_t batch, done;
	unsigned int arrived;	/* the last step to the start is a spin */
	bool quit;
};

static unsigned int nr_metrics(const struct counter_source *s)
{
	unsigned int n = 0;

	while (s->metrics[n])
		n++;
	return n;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Timed region of one thread. */
static void run_batch(struct worker *w)
{
	struct bench_ctx *ctx = w->pass->ctx;
	struct reading *s = &w->sample;

	if (w->pass->nr > 1) {
		/* All threads leave within a few cycles of each other, which
		 * a sleeping barrier does not give. */
		__atomic_add_fetch(&w->pass->arrived, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&w->pass->arrived, __ATOMIC_ACQUIRE) <
		       w->pass->nr)
			;
	}
	if (w->pass->sampler) {
		sampler_start(w->pass->sampler);
		s->start = clock_ticks();
		s->done = ctx->bench->run(ctx, w->nr);
		s->end = clock_ticks();
		sampler_stop(w->pass->sampler);
		goto done;
	}
	if (w->pass->marked) {
		w->pass->r->regions++;
		region_mark(MARK_ARM);
	}
	if (!ctx->bench->own_time)
		pmu_source.start(w->pmu);
	region_mark(MARK_BEGIN);
	s->start = clock_ticks();
	s->done = ctx->bench->run(ctx, w->nr);
	s->end = clock_ticks();
	region_mark(MARK_END);
	if (!ctx->bench->own_time)
		pmu_source.stop(w->pmu, s->pmu);
	region_mark(MARK_DONE);
done:
	if (s->done < 0)
		snprintf(w->error, sizeof(w->error), "%s", fail_text());
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct pass *p = w->pass;

	pin(p->ctx->cpus[w->nr % p->ctx->nr_cpus]);
	pmu_source.open(&w->pmu, 0, w->sample.pmu);
	for (;;) {
		pthread_barrier_wait(&p->batch);
		if (p->quit)
			break;
		run_batch(w);
		pthread_barrier_wait(&p->done);
	}
	pmu_source.close(w->pmu);
	return NULL;
}

static int pass_start(struct pass *p)
{
	unsigned int i;

	p->workers = xcalloc(p->nr, sizeof(*p->workers));
	pthread_barrier_init(&p->batch, NULL, p->nr);
	pthread_barrier_init(&p->done, NULL, p->nr);
	for (i = 0; i < p->nr; i++) {
		p->workers[i].pass = p;
		p->workers[i].nr = i;
	}
	pmu_count_guest(p->ctx->bench->runs_guest &&
			p->ctx->bench->runs_guest(p->ctx));
	pmu_source.open(&p->workers[0].pmu, 0, p->workers[0].sample.pmu);
	pmu_count_guest(false);
	for (i = 1; i < p->nr; i++) {
		int err = pthread_create(&p->workers[i].thread, NULL,
					 worker_main, &p->workers[i]);

		if (err) {
			/* The barrier counts on all of them: no way on. */
			fprintf(stderr, "ptelab: can't start thread %u of %u: %s\n",
				i, p->nr, strerror(err));
			exit(EXIT_COULD_NOT);
		}
	}
	return 0;
}

static void pass_end(struct pass *p)
{
	unsigned int i;

	if (p->nr > 1) {
		p->quit = true;
		pthread_barrier_wait(&p->batch);
		for (i = 1; i < p->nr; i++)
			pthread_join(p->workers[i].thread, NULL);
	}
	pmu_source.close(p->workers[0].pmu);
	pthread_barrier_destroy(&p->batch);
	pthread_barrier_destroy(&p->done);
	free(p->workers);
}

/* One batch on all threads; prepare has been done. */
static int pass_batch(struct pass *p)
{
	unsigned int i;

	p->arrived = 0;
	json_object_clear(p->ctx->own_counts);
	json_object_clear(p->ctx->own_samples);
	if (p->nr > 1)
		pthread_barrier_wait(&p->batch);
	run_batch(&p->workers[0]);
	if (p->nr > 1)
		pthread_barrier_wait(&p->done);
	for (i = 0; i < p->nr; i++) {
		struct worker *w = &p->workers[i];

		if (w->sample.done < 0)
			return fail(-w->sample.done, "%s", w->error);
		if ((uint64_t)w->sample.done != p->ctx->ops)
			return fail(EPROTO, "%" PRId64 " of %" PRIu64 " operations were done",
				    w->sample.done, p->ctx->ops);
	}
	return 0;
}

static int prepare(struct bench_ctx *ctx)
{
	return ctx->bench->prepare ? ctx->bench->prepare(ctx) : 0;
}

void bench_count(struct bench_ctx *ctx, const char *metric, uint64_t count)
{
	json_int_t old = json_integer_value(
			json_object_get(ctx->own_counts, metric));

	json_object_set_new(ctx->own_counts, metric,
			    json_integer(old + (json_int_t)count));
}

void bench_sample(struct bench_ctx *ctx, const char *metric, double per_op)
{
	json_object_set_new(ctx->own_samples, metric,
			    json_real(per_op * ctx->ops * ctx->threads));
}

void bench_absent(struct bench_ctx *ctx, const char *metric, const char *why)
{
	json_object_set_new(ctx->own_absent, metric, json_string(why));
}

/* --- what the batches of a point add up to --- */

struct series {
	const char *metric;
	double *batch;		/* a total for each batch */
	unsigned int nr;
	const char *absent;	/* the metric was lost in some batch */
	bool none;		/* it is none of this point's metrics */
};

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/*
 * One figure for all batches of a point. Under icount nothing disturbs a
 * batch but what adds instructions to it, such as a timer tick or a kworker,
 * so the least batch is the operation. On a real clock noise has two sides.
 */
static double typical(const double *values, unsigned int nr)
{
	double *copy = xcalloc(nr, sizeof(*copy)), m;

	memcpy(copy, values, nr * sizeof(*copy));
	qsort(copy, nr, sizeof(*copy), cmp_double);
	if (machine_get()->icount)
		m = copy[0];
	else
		m = nr % 2 ? copy[nr / 2] :
			(copy[nr / 2 - 1] + copy[nr / 2]) / 2;
	free(copy);
	return m;
}

/* Counts print as whole numbers. */
static json_t *number(double v)
{
	if (v == (double)(json_int_t)v && v < 9e15 && v > -9e15)
		return json_integer((json_int_t)v);
	return json_real(v);
}

static void put_absent(json_t *record, const char *metric, const char *why)
{
	json_t *absent = json_object_get(record, "absent");

	json_object_set_new(absent, metric, json_string(why));
}

static void put_counter(json_t *record, const char *metric, double per_op,
			double total, uint64_t operations, const char *pass)
{
	json_object_set_new(json_object_get(record, "counters"), metric,
			    json_pack("{s:o, s:o, s:I, s:s}",
				      "per_op", number(per_op),
				      "total", number(total),
				      "operations", (json_int_t)operations,
				      "pass", pass));
}

/* A finished series of the timed pass into batches and counters. */
static void put_series(json_t *record, const struct series *s, uint64_t ops)
{
	json_t *list;
	const struct metric *m = metric_find(s->metric);
	double total = 0, one;
	unsigned int i;

	if (s->none)
		return;
	if (s->absent) {
		put_absent(record, s->metric, s->absent);
		return;
	}
	list = json_array();
	for (i = 0; i < s->nr; i++) {
		json_array_append_new(list, number(s->batch[i]));
		total += s->batch[i];
	}
	json_object_set_new(json_object_get(record, "batches"), s->metric,
			    list);
	/* A rare event is in few batches, and the median knows of none. */
	one = m && m->kind == METRIC_EVENT ? total / s->nr :
		typical(s->batch, s->nr);
	put_counter(record, s->metric, one / ops, total, ops * s->nr, "timed");
}

/* --- the timed pass --- */

enum { S_NS, S_INSTRUCTIONS, S_PMU };	/* S_PMU + i: PMU metric i */

static void timed_collect(struct pass *p, struct series *s, unsigned int batch)
{
	unsigned int nr = nr_metrics(&pmu_source), i, t;
	uint64_t start = UINT64_MAX, end = 0;
	double both = 0;

	for (t = 0; t < p->nr; t++) {
		const struct reading *m = &p->workers[t].sample;

		if (m->start < start)
			start = m->start;
		if (m->end > end)
			end = m->end;
	}
	s[S_NS].batch[batch] = clock_ns(end - start);
	for (i = 0; i < nr; i++) {
		double sum = 0;

		for (t = 0; t < p->nr; t++) {
			const struct counter_value *v =
				&p->workers[t].sample.pmu[i];

			if (!v->present)
				s[S_PMU + i].absent = v->absent;
			s[S_PMU + i].none |= !v->present && !v->absent;
			sum += v->present ? v->count : 0;
		}
		s[S_PMU + i].batch[batch] = sum;
		if (!strncmp(s[S_PMU + i].metric, "instructions_", 13)) {
			both += sum;
			if (s[S_PMU + i].absent)
				s[S_INSTRUCTIONS].absent = s[S_PMU + i].absent;
		}
	}
	s[S_INSTRUCTIONS].batch[batch] = both;
}

/* As much of a batch may be the harness's own; beyond, the record says why. */
#define HARNESS_SHARE	0.01

/* The share of a batch's instructions that the harness itself adds. */
static void put_harness_share(struct runner *r, const struct pass *p,
			      const struct series *s, json_t *record)
{
	const struct bench_ctx *ctx = p->ctx;
	json_t *harness;
	double m, share;
	char *why;

	if (s->absent)
		return;
	m = typical(s->batch, s->nr);
	if (!strcmp(ctx->bench->name, "harness.empty"))
		r->empty_instructions = m;
	if (!strcmp(ctx->bench->name, "harness.empty") || m <= 0)
		return;
	share = r->empty_instructions * ctx->threads / m;
	harness = json_pack("{s:f}", "instructions", share);
	if (share > HARNESS_SHARE) {
		double need = share < 1 ? ctx->ops * share / (1 - share) *
					  (1 / HARNESS_SHARE - 1) : INFINITY;

		why = p->max_ops <= ctx->ops ?
			xasprintf("no more than %" PRIu64 " operations fit into a batch here",
				  ctx->ops) :
		      need < p->max_ops ?
			xasprintf("with --ops %.0f it would be 1 %%, if operations cost as much then", need + 1) :
			xasprintf("also with --ops %" PRIu64 ", the most that fit into a batch here, it is above 1 %%",
				  p->max_ops);
		json_object_set_new(harness, "why", json_string(why));
		free(why);
	}
	json_object_set_new(record, "harness", harness);
}

#define EMULATED_TIME	"emulated: time here is the emulator's"

/* What the benchmark measured itself, kept by metric until the last batch. */
static void own_collect(const struct bench_ctx *ctx, json_t *own)
{
	const char *metric;
	json_t *value;

	json_object_foreach(ctx->own_samples, metric, value) {
		if (!json_object_get(own, metric))
			json_object_set_new(own, metric, json_array());
		json_array_append(json_object_get(own, metric), value);
	}
}

static void put_own(const struct bench_ctx *ctx, const json_t *own,
		    uint64_t ops, json_t *record)
{
	const char *metric;
	json_t *values, *why;
	size_t i;

	json_object_foreach((json_t *)own, metric, values) {
		const struct metric *m = metric_find(metric);
		struct series s = { .metric = metric,
				    .nr = json_array_size(values) };

		if (machine_get()->clock_emulated && m &&
		    m->kind == METRIC_TIME)
			s.absent = EMULATED_TIME;
		s.batch = xcalloc(s.nr, sizeof(double));
		for (i = 0; i < s.nr; i++)
			s.batch[i] = json_number_value(json_array_get(values,
								      i));
		put_series(record, &s, ops);
		free(s.batch);
	}
	json_object_foreach(ctx->own_absent, metric, why)
		put_absent(record, metric, json_string_value(why));
}

/*
 * Under icount each timed batch of one thread is a region, and the record says
 * which, so that what the emulator's plugin counted there can be found.
 */
static void put_regions(struct pass *p, json_t *record)
{
	if (!p->marked)
		return;
	json_object_set_new(record, "regions",
			    json_pack("{s:i}", "first",
				      (int)(p->r->regions - p->r->o.batches)));
}

static int timed_pass(struct pass *p, json_t *record)
{
	struct runner *r = p->r;
	bool mark = machine_get()->icount && p->nr == 1 &&
		!p->ctx->bench->own_time;
	unsigned int nr = S_PMU + nr_metrics(&pmu_source), i, b;
	struct series *s = xcalloc(nr, sizeof(*s));
	json_t *own = json_object();
	int ret = 0;

	s[S_NS].metric = "ns";
	s[S_INSTRUCTIONS].metric = "instructions";
	for (i = S_PMU; i < nr; i++)
		s[i].metric = pmu_source.metrics[i - S_PMU];
	for (i = 0; i < nr; i++) {
		s[i].batch = xcalloc(r->o.batches, sizeof(double));
		s[i].nr = r->o.batches;
	}
	if (machine_get()->clock_emulated)
		s[S_NS].absent = EMULATED_TIME;

	for (b = 0; b < r->o.warmup + r->o.batches && !ret; b++) {
		if (bench_stop) {
			ret = -EINTR;
			break;
		}
		p->ctx->warmup = b < r->o.warmup;
		p->marked = mark && !p->ctx->warmup;
		ret = prepare(p->ctx);
		if (!ret)
			ret = pass_batch(p);
		if (!ret && !p->ctx->warmup) {
			timed_collect(p, s, b - r->o.warmup);
			own_collect(p->ctx, own);
		}
	}
	if (!ret) {
		uint64_t ops = p->ctx->ops * p->nr;

		json_object_set_new(record, "batches",
				    json_pack("{s:i, s:i}", "count",
					      (int)r->o.batches, "warmup",
					      (int)r->o.warmup));
		for (i = 0; i < nr && !p->ctx->bench->own_time; i++)
			put_series(record, &s[i], ops);
		if (!p->ctx->bench->own_time)
			put_harness_share(r, p, &s[S_INSTRUCTIONS], record);
		put_own(p->ctx, own, ops, record);
		put_regions(p, record);
	}
	p->marked = false;
	for (i = 0; i < nr; i++)
		free(s[i].batch);
	free(s);
	json_decref(own);
	return ret;
}

/* --- the counted pass --- */

struct counted {
	struct vmstat before, after;
};

static bool delta_of(const struct bench_deltas *d, const char *field,
		     int64_t *delta)
{
	const struct counted *c = d->priv;

	return vmstat_delta(&c->before, &c->after, field, delta);
}

/* Adds @count to the running total of @metric in @totals. */
static void total_add(json_t *totals, const char *metric, json_int_t count)
{
	json_int_t old = json_integer_value(json_object_get(totals, metric));

	json_object_set_new(totals, metric, json_integer(old + count));
}

static void counted_collect(const struct bench_ctx *ctx,
			    const struct bench_deltas *d, json_t *totals)
{
	static const struct { const char *field, *metric; } from_vmstat[] = {
		{ "pgreuse", "faults.reused" },
		{ "nr_foll_pin_acquired", "pages_pinned" },
	};
	const char *metric;
	json_t *count;
	int64_t delta;
	size_t i;

	total_add(totals, "faults.minor", d->minflt);
	total_add(totals, "faults.major", d->majflt);
	for (i = 0; i < ARRAY_SIZE(from_vmstat); i++)
		if (d->vmstat(d, from_vmstat[i].field, &delta))
			total_add(totals, from_vmstat[i].metric, delta);
	json_object_foreach(ctx->own_counts, metric, count)
		total_add(totals, metric, json_integer_value(count));
}

static void sources_collect(struct open_source *o, unsigned int nr,
			    json_t *totals)
{
	unsigned int i, m;

	for (i = 0; i < nr; i++) {
		for (m = 0; o[i].s->metrics[m]; m++) {
			if (o[i].value[m].present)
				total_add(totals, o[i].s->metrics[m],
					  o[i].value[m].count);
			else
				o[i].lost[m] = true;
		}
	}
}

static int counted_batch(struct pass *p, json_t *totals)
{
	struct bench_ctx *ctx = p->ctx;
	struct open_source *o = p->r->source;
	unsigned int nr_sources = p->r->nr_sources;
	struct counted c = { 0 };
	struct faults from, to;
	struct bench_deltas d = {
		.operations = ctx->ops * p->nr,
		.vmstat = delta_of,
		.priv = &c,
	};
	unsigned int i;
	int ret;

	ret = prepare(ctx);
	if (!ret)
		ret = vmstat_take(&c.before);
	for (i = 0; i < nr_sources && !ret; i++)
		ret = o[i].s->start(o[i].priv);
	if (!ret) {
		faults_take(&from);
		ret = pass_batch(p);
		faults_take(&to);
		for (i = nr_sources; i-- > 0;) {
			int err = o[i].s->stop(o[i].priv, o[i].value);

			if (!ret)
				ret = err;
		}
	}
	if (!ret)
		ret = vmstat_take(&c.after);
	if (!ret) {
		d.minflt = to.minor - from.minor;
		d.majflt = to.major - from.major;
		if (ctx->bench->verify)
			ret = ctx->bench->verify(ctx, &d);
	}
	if (!ret) {
		counted_collect(ctx, &d, totals);
		sources_collect(o, nr_sources, totals);
	}
	vmstat_drop(&c.before);
	vmstat_drop(&c.after);
	return ret;
}

static void drop_contradicted(json_t *totals, json_t *record)
{
	const char *why, *metric = derive_contradicted(totals, &why);

	if (!metric)
		return;
	json_object_del(totals, metric);
	put_absent(record, metric, why);
}

/* What of a source's events the point can cause. */
static unsigned int events_of(const struct runner *r,
			      const struct bench_ctx *ctx)
{
	if (r->o.all_events)
		return EVENTS_ALL;
	return ctx->bench->events ? ctx->bench->events(ctx) : EVENTS_MM;
}

/*
 * The others have probes only for the sake of points beside this one. They go
 * in any case, so that what a point's record holds does not depend on those.
 */
static void drop_impossible(struct pass *p, json_t *totals, json_t *record)
{
	unsigned int can = events_of(p->r, p->ctx), i, m;

	for (i = 0; i < p->r->nr_sources; i++) {
		const struct counter_source *s = p->r->source[i].s;

		for (m = 0; s->metrics[m]; m++) {
			if (metric_events(s->metrics[m]) & can)
				continue;
			json_object_del(totals, s->metrics[m]);
			put_absent(record, s->metrics[m],
				   can & EVENTS_MM ?
				   "not counted: the operation has no virtual machine" :
				   "not counted: the operation has no part in the kernel");
		}
	}
}

static int counted_pass(struct pass *p, json_t *record)
{
	struct runner *r = p->r;
	uint64_t ops = p->ctx->ops * p->nr * r->o.counted;
	json_t *totals = json_object(), *count;
	const char *metric;
	unsigned int i, m, b;
	int ret = 0;

	for (i = 0; i < r->nr_sources; i++)
		memset(r->source[i].lost, 0, sizeof(r->source[i].lost));
	for (b = 0; b < r->o.counted && !ret; b++)
		ret = bench_stop ? -EINTR : counted_batch(p, totals);
	if (ret) {
		json_decref(totals);
		return ret;
	}
	for (i = 0; i < r->nr_sources; i++) {
		struct open_source *o = &r->source[i];

		for (m = 0; o->s->metrics[m]; m++) {
			if (!o->lost[m])
				continue;
			json_object_del(totals, o->s->metrics[m]);
			put_absent(record, o->s->metrics[m],
				   o->value[m].absent);
		}
	}
	drop_contradicted(totals, record);
	drop_impossible(p, totals, record);
	json_object_set_new(record, "counted",
			    json_pack("{s:i, s:I}", "batches",
				      (int)r->o.counted, "operations",
				      (json_int_t)ops));
	json_object_foreach(totals, metric, count)
		put_counter(record, metric,
			    (double)json_integer_value(count) / ops,
			    json_integer_value(count), ops, "counted");
	json_decref(totals);
	return 0;
}

/* --- the sampled pass --- */

/* How much longer than what is sampled it may take. */
#define SAMPLE_PATIENCE	20

/* Returns 1 if nothing was run, and so there is nothing to verify. */
static int sampled_pass(struct pass *p, json_t *record)
{
	struct runner *r = p->r;
	double spent = 0;
	uint64_t start;
	const char *why;
	json_t *samples;
	int ret = 0, batches = 0;

	why = p->nr > 1 ? "not sampled: several threads" :
	      p->ctx->bench->own_time ?
	      "not sampled: the benchmark measures parts of a batch itself" :
	      !strcmp(p->ctx->bench->name, "harness.empty") ?
	      "not sampled: there is nothing in it" : NULL;
	if (why) {
		put_absent(record, "samples", why);
		return 1;
	}
	p->sampler = sampler_open();
	if (!p->sampler) {
		put_absent(record, "samples", fail_text());
		return 1;
	}
	start = clock_ticks();
	/* Short batches that take long to prepare end it, too. */
	while (spent < r->o.sample_ns && !ret &&
	       clock_ns(clock_ticks() - start) < SAMPLE_PATIENCE *
					       r->o.sample_ns) {
		ret = bench_stop ? -EINTR : prepare(p->ctx);
		if (!ret)
			ret = pass_batch(p);
		if (ret)
			break;
		spent += clock_ns(p->workers[0].sample.end -
				  p->workers[0].sample.start);
		batches++;
	}
	if (!ret) {
		samples = sampler_json(p->sampler);
		json_object_set_new(samples, "batches", json_integer(batches));
		json_object_set_new(record, "samples", samples);
	}
	sampler_close(p->sampler);
	p->sampler = NULL;
	return ret;
}

/* --- a point --- */

static void ctx_init(struct runner *r, const struct point *pt,
		     struct bench_ctx *ctx)
{
	memset(ctx, 0, sizeof(*ctx));
	ctx->bench = pt->bench;
	memcpy(ctx->value, pt->value, sizeof(ctx->value));
	ctx->threads = param_has(pt->bench, "threads") ?
		param_num(ctx, "threads") : 1;
	ctx->cpu = r->cpu;
	ctx->racer_cpu = r->racer_cpu;
	ctx->cpus = r->cpus;
	ctx->nr_cpus = r->nr_cpus;
	ctx->icount = machine_get()->icount;
	ctx->seed = r->o.seed;
}

const char *runner_unavailable(struct runner *r, const struct point *pt)
{
	static __thread char why[96];
	struct bench_ctx ctx;

	ctx_init(r, pt, &ctx);
	if (pt->bench->needs_root && geteuid())
		return "needs root";
	if (ctx.threads > r->nr_cpus) {
		snprintf(why, sizeof(why), "needs %u CPUs; %u can be used",
			 ctx.threads, r->nr_cpus);
		return why;
	}
	return pt->bench->unavailable ? pt->bench->unavailable(&ctx) : NULL;
}

bool runner_subscribes(struct runner *r, const struct point *pt)
{
	struct bench_ctx ctx;

	ctx_init(r, pt, &ctx);
	return pt->bench->subscribes && pt->bench->subscribes(&ctx);
}

int runner_attach(struct runner *r, const struct point *points,
		  size_t nr_points)
{
	const struct counter_source *const *list = r->o.sources;
	unsigned int nr = 0, events = 0;
	struct bench_ctx ctx;
	size_t i;
	int ret;

	for (i = 0; i < nr_points; i++) {
		ctx_init(r, &points[i], &ctx);
		if (!runner_unavailable(r, &points[i]))
			events |= events_of(r, &ctx);
	}

	while (list && list[nr])
		nr++;
	r->source = xcalloc(nr, sizeof(*r->source));
	for (r->nr_sources = 0; r->nr_sources < nr; r->nr_sources++) {
		struct open_source *o = &r->source[r->nr_sources];

		o->s = list[r->nr_sources];
		if (o->s->choose)
			o->s->choose(events);
		ret = o->s->open(&o->priv, getpid(), o->value);
		if (ret) {
			runner_detach(r);
			return ret;
		}
	}
	return 0;
}

void runner_detach(struct runner *r)
{
	while (r->nr_sources--)
		r->source[r->nr_sources].s->close(r->source[r->nr_sources].priv);
	r->nr_sources = 0;
	free(r->source);
	r->source = NULL;
}

/*
 * Operations a batch: what the user said, else the benchmark's default, which
 * on a real clock is raised until a batch is long enough to be timed.
 */
static int choose_ops(struct runner *r, struct pass *p)
{
	struct bench_ctx *ctx = p->ctx;
	uint64_t def = 1, max = UINT64_MAX;
	double ns, factor;
	int ret;

	ctx->bench->size(ctx, &def, &max);
	/* an empty batch is empty, whatever was asked of the others */
	ctx->ops = r->o.ops && ctx->bench != bench_all()[0] ? r->o.ops : def;
	p->max_ops = max;
	if (r->o.max_ops && !r->o.ops && ctx->ops > r->o.max_ops) {
		ctx->ops = r->o.max_ops;
		return 0;
	}
	if (ctx->ops > max)
		return fail(ERANGE, "--ops %" PRIu64 " is more than the %" PRIu64 " that fit here",
			    ctx->ops, max);
	if (r->o.ops || r->o.min_batch_ns <= 0 ||
	    machine_get()->clock_emulated || ctx->ops >= max)
		return 0;

	ret = ctx->bench->setup ? ctx->bench->setup(ctx) : 0;
	if (!ret)
		ret = prepare(ctx);
	if (!ret)
		ret = pass_batch(p);
	if (!ret)
		ret = prepare(ctx);
	if (!ret)
		ret = pass_batch(p);	/* the first one was cold */
	if (ctx->bench->teardown)
		ctx->bench->teardown(ctx);
	ctx->priv = NULL;
	if (ret)
		return ret;
	ns = clock_ns(p->workers[0].sample.end - p->workers[0].sample.start);
	factor = ns > 0 ? r->o.min_batch_ns / ns : 1;
	if (factor > 1)
		ctx->ops = factor * ctx->ops >= max ? max :
			(uint64_t)(factor * ctx->ops) + 1;
	return 0;
}

enum which_pass { TIMED, COUNTED, SAMPLED };

/* Setup, one pass with its proof, teardown. */
static int measure(struct runner *r, struct bench_ctx *ctx,
		   enum which_pass which, json_t *record)
{
	struct pass p = { .r = r, .ctx = ctx, .nr = ctx->threads };
	const struct bench *b = ctx->bench;
	int ret;

	pass_start(&p);
	ret = which == TIMED ? choose_ops(r, &p) : 0;
	if (!ret) {
		ret = b->setup ? b->setup(ctx) : 0;
		if (!ret)
			ret = which == TIMED ? timed_pass(&p, record) :
			      which == COUNTED ? counted_pass(&p, record) :
			      sampled_pass(&p, record);
		if (!ret && which != COUNTED && b->verify)
			ret = b->verify(ctx, NULL);
		if (b->teardown)
			b->teardown(ctx);
	}
	pass_end(&p);
	return ret > 0 ? 0 : ret;
}

/* A point without figures keeps only what says why. */
static void drop_figures(json_t *record)
{
	json_object_del(record, "batches");
	json_object_del(record, "counted");
	json_object_del(record, "harness");
	json_object_del(record, "regions");
	json_object_del(record, "samples");
	json_object_clear(json_object_get(record, "counters"));
	json_object_clear(json_object_get(record, "absent"));
}

/* One pass of a point into its record. */
static void measure_into(struct runner *r, const struct point *pt,
			 enum which_pass which, json_t *record)
{
	json_int_t operations =
		json_integer_value(json_object_get(record, "operations"));
	struct bench_ctx ctx;
	int ret;

	ctx_init(r, pt, &ctx);
	ctx.ops = operations / ctx.threads;	/* as it was timed */
	ctx.proof = json_object_get(record, "proof");
	ctx.own_counts = json_object();
	ctx.own_samples = json_object();
	ctx.own_absent = json_object();
	if (subscribers_had() && !runner_subscribes(r, pt))
		ret = fail(EPROTO, "this process has had a VM or the module's shadow TLB, and its mm calls mmu notifiers ever since: measure this in a run of its own");
	else
		ret = measure(r, &ctx, which, record);
	json_decref(ctx.own_counts);
	json_decref(ctx.own_samples);
	json_decref(ctx.own_absent);
	if (!ret) {
		json_object_set_new(record, "operations",
				    json_integer(ctx.ops * ctx.threads));
		return;
	}
	drop_figures(record);
	json_object_set_new(record, "status", json_string(
			ret == -EPROTO ? "invalid" :
			ret == -EOPNOTSUPP ? "unavailable" : "failed"));
	json_object_set_new(record, "reason", json_string(fail_text()));
}

json_t *runner_timed(struct runner *r, const struct point *pt, bool *stopped)
{
	json_t *record = json_pack("{s:s, s:o, s:s, s:i, s:{}, s:{}, s:{}}",
				   "bench", pt->bench->name, "params",
				   point_params_json(pt), "status", "ok",
				   "operations", 0, "counters", "absent",
				   "proof");
	char *words = words_fill(pt->bench->words,
			       json_object_get(record, "params"));
	const char *why = runner_unavailable(r, pt);

	json_object_set_new(record, "words", json_string(words));
	free(words);
	if (why) {
		json_object_del(record, "operations");
		json_object_set_new(record, "status",
				    json_string("unavailable"));
		json_object_set_new(record, "reason", json_string(why));
		return record;
	}
	measure_into(r, pt, TIMED, record);
	if (bench_stop) {
		*stopped = true;
		json_decref(record);
		return NULL;
	}
	return record;
}

static void put_rate(json_t *record)
{
	struct derived_rate d;

	if (derive_rate(record, &d))
		put_counter(record, d.metric, d.rate, d.n, d.of, "counted");
}

void runner_counted(struct runner *r, const struct point *pt, json_t *record,
		    bool *stopped)
{
	const char *status =
		json_string_value(json_object_get(record, "status"));

	if (strcmp(status, "ok") || !r->o.counted)
		return;
	measure_into(r, pt, COUNTED, record);
	put_rate(record);
	*stopped = bench_stop;
}

void runner_sampled(struct runner *r, const struct point *pt, json_t *record,
		    bool *stopped)
{
	const char *status =
		json_string_value(json_object_get(record, "status"));

	if (strcmp(status, "ok") || r->o.sample_ns <= 0)
		return;
	measure_into(r, pt, SAMPLED, record);
	*stopped = bench_stop;
}

/* --- the machine --- */

static int choose_cpus(struct runner *r)
{
	cpu_set_t set;
	int cpu, i = 0;

	if (sched_getaffinity(0, sizeof(set), &set))
		return fail(errno, "sched_getaffinity: %s", strerror(errno));
	r->nr_cpus = CPU_COUNT(&set);
	r->cpus = xcalloc(r->nr_cpus, sizeof(*r->cpus));
	if (r->o.cpu >= 0 &&
	    (r->o.cpu >= CPU_SETSIZE || !CPU_ISSET(r->o.cpu, &set)))
		return fail(EINVAL, "--cpu %d: this process may not run there",
			    r->o.cpu);
	/*
	 * Highest number first: CPU 0 gets the machine's housekeeping and, by
	 * default, its interrupts.
	 */
	if (r->o.cpu >= 0)
		r->cpus[i++] = r->o.cpu;
	for (cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET(cpu, &set) && cpu != r->o.cpu)
			r->cpus[i++] = cpu;
	r->cpu = r->cpus[0];
	r->racer_cpu = r->nr_cpus > 1 ? r->cpus[1] : -1;
	return 0;
}

struct runner *runner_new(const struct runner_options *o)
{
	struct runner *r = xcalloc(1, sizeof(*r));
	void *pmu;

	r->o = *o;
	if (choose_cpus(r)) {
		runner_free(r);
		return NULL;
	}
	pin(r->cpu);
	if (machine_get()->icount && mm_hold_frames(o->seed)) {
		runner_free(r);
		return NULL;
	}
	clock_measure();
	pmu_source.open(&pmu, 0, r->pmu);
	pmu_source.close(pmu);
	return r;
}

void runner_free(struct runner *r)
{
	if (!r)
		return;
	free(r->cpus);
	free(r);
}

void runner_describe(const struct runner *r, json_t *header)
{
	const struct clock_info *c = clock_measure();
	json_t *absent = json_object(), *all = json_object();
	bool whole = true;
	size_t i;

	json_object_set_new(header, "clock", json_pack(
			"{s:s, s:f, s:f, s:f}", "source", c->source,
			"frequency_hz", c->frequency_hz, "granularity_ns",
			c->granularity_ns, "cost_ns", c->cost_ns));
	json_object_set_new(json_object_get(header, "cpu"), "measuring",
			    json_pack("[i]", r->cpu));
	for (i = 0; pmu_source.metrics[i]; i++) {
		const char *name = pmu_source.metrics[i];

		if (r->pmu[i].present || !r->pmu[i].absent)
			continue;
		json_object_set_new(absent, name,
				    json_string(r->pmu[i].absent));
		if (whole && !strncmp(name, "instructions_", 13)) {
			json_object_set_new(absent, "instructions",
					    json_string(r->pmu[i].absent));
			whole = false;
		}
	}
	if (machine_get()->clock_emulated)
		json_object_set_new(absent, "ns", json_string(EMULATED_TIME));
	counts_absent(absent, machine_get()->icount);
	json_object_set_new(header, "absent", absent);
	for (i = 0; i < metrics_nr; i++)
		json_object_set_new(all, metrics[i].name,
				    metric_to_json(&metrics[i]));
	json_object_set_new(header, "metrics", all);
}
