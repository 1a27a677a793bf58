// SPDX-License-Identifier: GPL-2.0
/*
 * See pass.h.
 *
 * Everything between START and STOP of a timed batch is overhead of the
 * harness: two reads of the clock, two marks (NOPs), the end of the first
 * reading of the counters and the start of the second one (pmu.c: from user
 * space, or by system calls). Keep it that way.
 */
#include "bench/harness/pass.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/kit/clock.h"
#include "lib/marks.h"
#include "lib/util.h"

unsigned int source_metrics(const struct counter_source *s)
{
	unsigned int n = 0;

	while (s->metrics[n])
		n++;
	return n;
}

void pin_thread(int cpu)
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
		/*
		 * With this spin all threads start within a few cycles of each
		 * other; a sleeping barrier is less precise.
		 */
		__atomic_add_fetch(&w->pass->arrived, 1, __ATOMIC_ACQ_REL);
		while (__atomic_load_n(&w->pass->arrived, __ATOMIC_ACQUIRE) <
		       w->pass->nr)
			;
	}
	if (w->pass->sampler || w->pass->perf) {
		if (w->pass->sampler)
			sampler_start(w->pass->sampler);
		s->start = clock_ticks();
		s->done = ctx->bench->run(ctx, w->nr);
		s->end = clock_ticks();
		if (w->pass->sampler)
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

	__atomic_store_n(&w->tid, gettid(), __ATOMIC_RELEASE);
	pin_thread(p->ctx->cpus[w->nr % p->ctx->nr_cpus]);
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

int pass_start(struct pass *p)
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
	p->workers[0].tid = gettid();
	pmu_source.open(&p->workers[0].pmu, 0, p->workers[0].sample.pmu);
	pmu_count_guest(false);
	for (i = 1; i < p->nr; i++) {
		int err = pthread_create(&p->workers[i].thread, NULL,
					 worker_main, &p->workers[i]);

		if (err) {
			/* The barrier waits for all threads. */
			fprintf(stderr, "ptelab: can't start thread %u of %u: %s\n",
				i, p->nr, strerror(err));
			exit(EXIT_COULD_NOT);
		}
	}
	return 0;
}

void pass_end(struct pass *p)
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

/* Runs one batch on all threads. The caller has done prepare. */
int pass_batch(struct pass *p)
{
	unsigned int i;
	int ret = 0;

	p->arrived = 0;
	json_object_clear(p->ctx->own_counts);
	json_object_clear(p->ctx->own_samples);
	if (p->perf)
		ret = perf_enable(p->perf, true);
	if (ret)
		return ret;
	if (p->nr > 1)
		pthread_barrier_wait(&p->batch);
	run_batch(&p->workers[0]);
	if (p->nr > 1)
		pthread_barrier_wait(&p->done);
	if (p->perf)
		ret = perf_enable(p->perf, false);
	for (i = 0; i < p->nr; i++) {
		struct worker *w = &p->workers[i];

		if (w->sample.done < 0)
			return fail(-w->sample.done, "%s", w->error);
		if ((uint64_t)w->sample.done != p->ctx->ops)
			return fail(EPROTO, "only %" PRId64 " of %" PRIu64 " operations were done",
				    w->sample.done, p->ctx->ops);
	}
	return ret;
}

int pass_prepare(struct bench_ctx *ctx)
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
