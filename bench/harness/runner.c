// SPDX-License-Identifier: GPL-2.0
/* See runner.h and the sequence described in bench.h; passes are in passes.c. */
#include "bench/harness/runner.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/harness/pass.h"
#include "bench/kit/clock.h"
#include "bench/kit/mm.h"
#include "bench/kit/stop.h"
#include "bench/kit/subscribers.h"
#include "lib/derive.h"
#include "lib/env.h"
#include "lib/insn_metrics.h"
#include "lib/metric.h"
#include "lib/util.h"
#include "lib/words.h"

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
			events |= pass_events(r, &ctx);
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
 * Chooses the operations per batch: the user's value, else the benchmark's
 * default, which on a real clock is raised until a batch is long enough to be
 * timed.
 */
static int choose_ops(struct runner *r, struct pass *p)
{
	struct bench_ctx *ctx = p->ctx;
	uint64_t def = 1, max = UINT64_MAX;
	double ns, factor;
	int ret;

	ctx->bench->size(ctx, &def, &max);
	/* an empty batch is always empty */
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
		ret = pass_prepare(ctx);
	if (!ret)
		ret = pass_batch(p);
	if (!ret)
		ret = pass_prepare(ctx);
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

enum which_pass { TIMED, COUNTED, SAMPLED, PERF };

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
			      which == PERF ? perf_pass(&p, record) :
			      sampled_pass(&p, record);
		if (!ret && which != COUNTED && b->verify)
			ret = b->verify(ctx, NULL);
		if (b->teardown)
			b->teardown(ctx);
	}
	pass_end(&p);
	return ret > 0 ? 0 : ret;
}

/* A record without figures keeps only the reason. */
static void drop_figures(json_t *record)
{
	json_object_del(record, "batches");
	json_object_del(record, "counted");
	json_object_del(record, "harness");
	json_object_del(record, "regions");
	json_object_del(record, "samples");
	json_object_del(record, "perf");
	json_object_clear(json_object_get(record, "counters"));
	json_object_clear(json_object_get(record, "absent"));
}

/* Runs one pass of a point and adds it to the record. */
static void measure_into(struct runner *r, const struct point *pt,
			 enum which_pass which, json_t *record)
{
	json_int_t operations =
		json_integer_value(json_object_get(record, "operations"));
	struct bench_ctx ctx;
	int ret;

	ctx_init(r, pt, &ctx);
	ctx.ops = operations / ctx.threads;	/* as in the timed pass */
	ctx.proof = json_object_get(record, "proof");
	ctx.own_counts = json_object();
	ctx.own_samples = json_object();
	ctx.own_absent = json_object();
	if (subscribers_had() && !runner_subscribes(r, pt))
		ret = fail(EPROTO, "this process had a VM or the module's shadow TLB, and its mm has called mmu notifiers since: measure this point in a separate run");
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
		pass_put_counter(record, d.metric, d.rate, d.n, d.of, "counted");
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

void runner_perf(struct runner *r, const struct point *pt, json_t *record,
		 bool *stopped)
{
	const char *status =
		json_string_value(json_object_get(record, "status"));

	if (strcmp(status, "ok") || !r->o.perf)
		return;
	measure_into(r, pt, PERF, record);
	*stopped = bench_stop;
}

void runner_without_perf(struct runner *r)
{
	r->o.perf = NULL;
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
	 * Start with the highest number, because CPU 0 has the machine's
	 * housekeeping and, by default, its interrupts.
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
	pin_thread(r->cpu);
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
