// SPDX-License-Identifier: GPL-2.0
/* See pass.h. The timed, the counted and the sampled pass. */
#include "bench/harness/pass.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/kit/clock.h"
#include "bench/kit/stop.h"
#include "lib/derive.h"
#include "lib/env.h"
#include "lib/metric.h"
#include "lib/util.h"

/* --- totals of the batches of a point --- */

struct series {
	const char *metric;
	double *batch;		/* a total for each batch */
	unsigned int nr;
	const char *absent;	/* the metric was lost in some batch */
	bool none;		/* this point does not have the metric */
};

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double pass_typical(const double *values, unsigned int nr)
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

void pass_put_absent(json_t *record, const char *metric, const char *why)
{
	json_t *absent = json_object_get(record, "absent");

	json_object_set_new(absent, metric, json_string(why));
}

void pass_put_counter(json_t *record, const char *metric, double per_op,
		      double total, uint64_t operations, const char *pass)
{
	json_object_set_new(json_object_get(record, "counters"), metric,
			    json_pack("{s:o, s:o, s:I, s:s}",
				      "per_op", number(per_op),
				      "total", number(total),
				      "operations", (json_int_t)operations,
				      "pass", pass));
}

/* Adds a finished series of the timed pass to batches and counters. */
static void put_series(json_t *record, const struct series *s, uint64_t ops)
{
	json_t *list;
	const struct metric *m = metric_find(s->metric);
	double total = 0, one;
	unsigned int i;

	if (s->none)
		return;
	if (s->absent) {
		pass_put_absent(record, s->metric, s->absent);
		return;
	}
	list = json_array();
	for (i = 0; i < s->nr; i++) {
		json_array_append_new(list, number(s->batch[i]));
		total += s->batch[i];
	}
	json_object_set_new(json_object_get(record, "batches"), s->metric,
			    list);
	/* A rare event is only in a few batches, so the median would be 0. */
	one = m && m->kind == METRIC_EVENT ? total / s->nr :
		pass_typical(s->batch, s->nr);
	pass_put_counter(record, s->metric, one / ops, total, ops * s->nr,
			 "timed");
}

/* --- the timed pass --- */

enum { S_NS, S_INSTRUCTIONS, S_PMU };	/* S_PMU + i: PMU metric i */

double pass_batch_ns(const struct pass *p)
{
	uint64_t start = UINT64_MAX, end = 0;
	unsigned int t;

	for (t = 0; t < p->nr; t++) {
		const struct reading *m = &p->workers[t].sample;

		start = m->start < start ? m->start : start;
		end = m->end > end ? m->end : end;
	}
	return clock_ns(end - start);
}

static void timed_collect(struct pass *p, struct series *s, unsigned int batch)
{
	unsigned int nr = source_metrics(&pmu_source), i, t;
	double both = 0;

	s[S_NS].batch[batch] = pass_batch_ns(p);
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

/* Beyond this share of the harness the record says why. */
#define HARNESS_SHARE	0.01

/* Records the share of a batch's instructions that the harness itself adds. */
static void put_harness_share(struct runner *r, const struct pass *p,
			      const struct series *s, json_t *record)
{
	const struct bench_ctx *ctx = p->ctx;
	json_t *harness;
	double m, share;
	char *why;

	if (s->absent)
		return;
	m = pass_typical(s->batch, s->nr);
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
			xasprintf("at most %" PRIu64 " operations fit into a batch here",
				  ctx->ops) :
		      need < p->max_ops ?
			xasprintf("it would be 1 %% with --ops %.0f, if the cost of an operation stays the same",
				  need + 1) :
			xasprintf("it is above 1 %% even with --ops %" PRIu64 ", the most that fit into a batch here",
				  p->max_ops);
		json_object_set_new(harness, "why", json_string(why));
		free(why);
	}
	json_object_set_new(record, "harness", harness);
}

/* Collects what the benchmark measured itself, by metric. */
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
		pass_put_absent(record, metric, json_string_value(why));
}

/*
 * Under icount each timed batch of one thread is a region. The record has their
 * numbers, with which the counts of the emulator's plugin are found.
 */
static void put_regions(struct pass *p, json_t *record)
{
	if (!p->marked)
		return;
	json_object_set_new(record, "regions",
			    json_pack("{s:i}", "first",
				      (int)(p->r->regions - p->r->o.batches)));
}

int timed_pass(struct pass *p, json_t *record)
{
	struct runner *r = p->r;
	bool mark = machine_get()->icount && p->nr == 1 &&
		!p->ctx->bench->own_time;
	unsigned int nr = S_PMU + source_metrics(&pmu_source), i, b;
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
		ret = pass_prepare(p->ctx);
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

static int sources_start(struct runner *r, bool wake_others)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < r->nr_sources && !ret; i++)
		if (r->source[i].s->wakes_others == wake_others)
			ret = r->source[i].s->start(r->source[i].priv);
	return ret;
}

static int sources_stop(struct runner *r, bool wake_others, int ret)
{
	unsigned int i;

	for (i = r->nr_sources; i-- > 0;) {
		struct open_source *o = &r->source[i];
		int err = o->s->wakes_others == wake_others ?
			o->s->stop(o->priv, o->value) : 0;

		if (!ret)
			ret = err;
	}
	return ret;
}

static int counted_batch(struct pass *p, json_t *totals)
{
	struct bench_ctx *ctx = p->ctx;
	struct counted c = { 0 };
	struct faults from, to;
	struct bench_deltas d = {
		.operations = ctx->ops * p->nr,
		.vmstat = delta_of,
		.priv = &c,
	};
	int ret;

	ret = pass_prepare(ctx);
	if (!ret)
		ret = sources_start(p->r, true);
	if (!ret)
		ret = vmstat_take(&c.before);
	if (!ret)
		ret = sources_start(p->r, false);
	if (!ret) {
		faults_take(&from);
		ret = pass_batch(p);
		faults_take(&to);
		ret = sources_stop(p->r, false, ret);
	}
	if (!ret)
		ret = vmstat_take(&c.after);
	if (!ret)
		ret = sources_stop(p->r, true, 0);
	if (!ret) {
		d.minflt = to.minor - from.minor;
		d.majflt = to.major - from.major;
		if (ctx->bench->verify)
			ret = ctx->bench->verify(ctx, &d);
	}
	if (!ret) {
		counted_collect(ctx, &d, totals);
		sources_collect(p->r->source, p->r->nr_sources, totals);
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
	pass_put_absent(record, metric, why);
}

/* Returns which events of a source the point can cause. */
unsigned int pass_events(const struct runner *r, const struct bench_ctx *ctx)
{
	if (r->o.all_events)
		return EVENTS_ALL;
	return ctx->bench->events ? ctx->bench->events(ctx) : EVENTS_MM;
}

/*
 * Other metrics have probes only because of other points in the group. Drop
 * them in any case, so that a record does not depend on the other points.
 */
static void drop_impossible(struct pass *p, json_t *totals, json_t *record)
{
	unsigned int can = pass_events(p->r, p->ctx), i, m;

	for (i = 0; i < p->r->nr_sources; i++) {
		const struct counter_source *s = p->r->source[i].s;

		for (m = 0; s->metrics[m]; m++) {
			if (metric_events(s->metrics[m]) & can)
				continue;
			json_object_del(totals, s->metrics[m]);
			pass_put_absent(record, s->metrics[m],
				   can & EVENTS_MM ?
				   "not counted: the operation has no virtual machine" :
				   "not counted: the operation has no part in the kernel");
		}
	}
}

int counted_pass(struct pass *p, json_t *record)
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
			pass_put_absent(record, o->s->metrics[m],
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
		pass_put_counter(record, metric,
				 (double)json_integer_value(count) / ops,
				 json_integer_value(count), ops, "counted");
	json_decref(totals);
	return 0;
}

/* --- the sampled pass --- */

/* The sampled pass may take this many times the sampled duration. */
#define SAMPLE_PATIENCE	20

/* Returns 1 if nothing was run, so that there is nothing to verify. */
int sampled_pass(struct pass *p, json_t *record)
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
	      "not sampled: the batch is empty" : NULL;
	if (why) {
		pass_put_absent(record, "samples", why);
		return 1;
	}
	p->sampler = sampler_open();
	if (!p->sampler) {
		pass_put_absent(record, "samples", fail_text());
		return 1;
	}
	start = clock_ticks();
	/* Also stop if the batches are short but take long to prepare. */
	while (spent < r->o.sample_ns && !ret &&
	       clock_ns(clock_ticks() - start) < SAMPLE_PATIENCE *
					       r->o.sample_ns) {
		ret = bench_stop ? -EINTR : pass_prepare(p->ctx);
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
