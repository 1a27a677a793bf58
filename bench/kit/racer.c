// SPDX-License-Identifier: GPL-2.0
/* See racer.h. */
#include "bench/kit/racer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/util.h"

const char *const racer_choices[] = {
	"none", "mprotect", "dontneed", "fork", NULL
};

struct racer {
	enum racer_kind kind;
	struct mm_region *region;
	uint64_t pause_us;
	int cpu;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum { STAND, RUN, QUIT } want;
	bool running;
	int error;		/* -errno of the round that failed */
	char text[512];
	/* The benchmark reads it while the racer writes: own cache lines. */
	uint64_t rounds __attribute__((aligned(128)));
	int stop __attribute__((aligned(128)));
};

enum racer_kind racer_kind(const char *text)
{
	int i;

	for (i = 0; racer_choices[i]; i++)
		if (!strcmp(text, racer_choices[i]))
			return i;
	return RACER_NONE;
}

const char *racer_conflict(enum racer_kind kind, enum racer_victim victim)
{
	bool reads = victim == VICTIM_READ || victim == VICTIM_READ_PIN;

	switch (kind) {
	case RACER_MPROTECT:
		if (victim == VICTIM_WRITE)
			return "racer=mprotect: the slow path for a write finds the mapping read-only and fails (EFAULT)";
		break;
	case RACER_DONTNEED:
		if (reads)
			return "racer=dontneed: a read of a zapped page maps the zero page instead of the folio";
		break;
	case RACER_FORK:
		if (!reads)
			return "racer=fork: a write after a fork copies single pages, so the folio is lost";
		if (victim == VICTIM_READ_PIN)
			return "racer=fork: a pin after a fork copies single pages, so the folio is lost";
		break;
	case RACER_NONE:
		break;
	}
	return NULL;
}

const char *racer_unavailable(const struct bench_ctx *ctx,
			      enum racer_kind kind, enum racer_victim victim)
{
	const char *why = racer_conflict(kind, victim);

	if (kind == RACER_NONE)
		return NULL;
	if (why)
		return why;
	if (ctx->racer_cpu < 0)
		return "a racer needs a second CPU";
	if (ctx->threads >= ctx->nr_cpus)
		return "a racer needs a CPU in addition to those of the threads";
	return NULL;
}

static int protect(struct mm_region *r, int prot)
{
	unsigned int i;

	for (i = 0; i < r->nr; i++)
		if (mprotect(mm_region_at(r, i), r->bytes, prot))
			return fail(errno, "mprotect: %s", strerror(errno));
	return 0;
}

static int one_round(struct racer *r)
{
	int ret;

	switch (r->kind) {
	case RACER_MPROTECT:
		ret = protect(r->region, PROT_READ);
		return ret ? ret : protect(r->region, PROT_READ | PROT_WRITE);
	case RACER_DONTNEED:
		ret = mm_region_drop(r->region);
		return ret ? ret : mm_region_populate(r->region);
	case RACER_FORK:
		ret = mm_fork_exit(r->region);
		return ret ? ret : mm_region_renew(r->region);
	case RACER_NONE:
		break;
	}
	return 0;
}

static bool stopped(struct racer *r)
{
	return __atomic_load_n(&r->stop, __ATOMIC_RELAXED);
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* Spins: short pauses are then precise, and the CPU's load constant. */
static void pause_round(struct racer *r)
{
	uint64_t until = r->pause_us ? now_us() + r->pause_us : 0;

	while (until && !stopped(r) && now_us() < until)
		;
}

static void *racer_main(void *arg)
{
	struct racer *r = arg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(r->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);

	pthread_mutex_lock(&r->lock);
	while (r->want != QUIT) {
		if (r->want == STAND || r->error) {
			pthread_cond_wait(&r->changed, &r->lock);
			continue;
		}
		r->running = true;
		pthread_mutex_unlock(&r->lock);
		while (!stopped(r)) {
			int ret = one_round(r);

			if (ret) {
				snprintf(r->text, sizeof(r->text), "%s",
					 fail_text());
				__atomic_store_n(&r->error, ret,
						 __ATOMIC_RELEASE);
				break;
			}
			__atomic_fetch_add(&r->rounds, 1, __ATOMIC_RELAXED);
			pause_round(r);
		}
		pthread_mutex_lock(&r->lock);
		r->running = false;
		pthread_cond_broadcast(&r->changed);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

struct racer *racer_new(const struct bench_ctx *ctx, enum racer_kind kind,
			uint64_t pause_us, struct mm_region *region)
{
	struct racer *r = aligned_alloc(128, (sizeof(*r) + 127) / 128 * 128);
	int err;

	if (!r)
		return fail_null(ENOMEM, "out of memory");
	memset(r, 0, sizeof(*r));
	r->kind = kind;
	r->region = region;
	r->pause_us = pause_us;
	r->cpu = ctx->racer_cpu;
	/* The runner's threads use cpus[0], cpus[1] and so on. */
	if (kind != RACER_NONE && ctx->threads > 1)
		r->cpu = ctx->cpus[ctx->threads];
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	if (kind == RACER_NONE)
		return r;
	err = pthread_create(&r->thread, NULL, racer_main, r);
	if (err) {
		free(r);
		return fail_null(err, "can't start a racer: %s", strerror(err));
	}
	r->started = true;
	return r;
}

uint64_t racer_rounds(const struct racer *r)
{
	return __atomic_load_n(&r->rounds, __ATOMIC_RELAXED);
}

static int racer_error(struct racer *r)
{
	return r->error ? fail(-r->error, "racer: %s", r->text) : 0;
}

int racer_start(struct racer *r)
{
	uint64_t before = racer_rounds(r);
	int ret;

	if (!r->started)
		return 0;
	pthread_mutex_lock(&r->lock);
	if (r->want != RUN) {
		__atomic_store_n(&r->stop, 0, __ATOMIC_RELAXED);
		r->want = RUN;
		pthread_cond_broadcast(&r->changed);
		pthread_mutex_unlock(&r->lock);
		while (racer_rounds(r) == before &&
		       !__atomic_load_n(&r->error, __ATOMIC_ACQUIRE))
			sched_yield();
		pthread_mutex_lock(&r->lock);
	}
	ret = racer_error(r);
	pthread_mutex_unlock(&r->lock);
	return ret;
}

int racer_stop(struct racer *r)
{
	int ret;

	if (!r || !r->started)
		return 0;
	pthread_mutex_lock(&r->lock);
	if (r->want == RUN)
		r->want = STAND;
	__atomic_store_n(&r->stop, 1, __ATOMIC_RELAXED);
	while (r->running)
		pthread_cond_wait(&r->changed, &r->lock);
	ret = racer_error(r);
	pthread_mutex_unlock(&r->lock);
	return ret;
}

void racer_free(struct racer *r)
{
	if (!r)
		return;
	if (r->started) {
		racer_stop(r);
		pthread_mutex_lock(&r->lock);
		r->want = QUIT;
		pthread_cond_broadcast(&r->changed);
		pthread_mutex_unlock(&r->lock);
		pthread_join(r->thread, NULL);
	}
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->changed);
	free(r);
}
