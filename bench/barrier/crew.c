// SPDX-License-Identifier: GPL-2.0
/* See crew.h. */
#include "bench/barrier/crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench/barrier/race.h"
#include "bench/kit/clock.h"
#include "lib/util.h"

struct hand {
	struct crew *crew;
	pthread_t thread;
	unsigned int id;
	int cpu;
};

struct crew {
	struct crew_shared shared;
	struct hand hand[CREW_MAX];
	unsigned int started;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t piece;		/* of work; each thread does each one once */
	unsigned int busy;
	bool quit;
	void (*fn)(void *arg, unsigned int id);
	void *arg;
};

static void *hand_main(void *arg)
{
	struct hand *h = arg;
	struct crew *c = h->crew;
	uint64_t done = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(h->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);

	pthread_mutex_lock(&c->lock);
	for (;;) {
		while (!c->quit && c->piece == done)
			pthread_cond_wait(&c->changed, &c->lock);
		if (c->quit)
			break;
		done = c->piece;
		pthread_mutex_unlock(&c->lock);
		c->fn(c->arg, h->id);
		pthread_mutex_lock(&c->lock);
		if (!--c->busy)
			pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

struct crew *crew_new(const int *cpus, unsigned int nr)
{
	struct crew *c = aligned_alloc(CREW_LINE, (sizeof(*c) + CREW_LINE - 1) /
				       CREW_LINE * CREW_LINE);
	unsigned int i;
	int err;

	if (!c)
		return fail_null(ENOMEM, "out of memory");
	memset(c, 0, sizeof(*c));
	c->shared.nr = nr;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	for (i = 1; i < nr; i++) {
		struct hand *h = &c->hand[i];

		*h = (struct hand){ .crew = c, .id = i, .cpu = cpus[i] };
		err = pthread_create(&h->thread, NULL, hand_main, h);
		if (err) {
			crew_free(c);
			return fail_null(err, "can't start a thread for CPU %d: %s",
					 cpus[i], strerror(err));
		}
		c->started = i;
	}
	return c;
}

void crew_run(struct crew *c, void (*fn)(void *arg, unsigned int id), void *arg)
{
	pthread_mutex_lock(&c->lock);
	c->fn = fn;
	c->arg = arg;
	c->busy = c->started;
	c->piece++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);

	fn(arg, 0);

	pthread_mutex_lock(&c->lock);
	while (c->busy)
		pthread_cond_wait(&c->changed, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void crew_free(struct crew *c)
{
	unsigned int i;

	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->quit = true;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	for (i = 1; i <= c->started; i++)
		pthread_join(c->hand[i].thread, NULL);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->changed);
	free(c);
}

#define ROUND_TRIPS	2001

struct ping {
	uint64_t there __attribute__((aligned(CREW_LINE)));
	uint64_t back __attribute__((aligned(CREW_LINE)));
	uint64_t ticks[ROUND_TRIPS] __attribute__((aligned(CREW_LINE)));
};

static void ping(void *arg, unsigned int id)
{
	struct ping *p = arg;
	unsigned int turns = 0;
	uint64_t i, start;

	for (i = 1; i <= ROUND_TRIPS && id < 2; i++) {
		if (id) {
			while (__atomic_load_n(&p->there, __ATOMIC_ACQUIRE) != i)
				race_spin(&turns);
			__atomic_store_n(&p->back, i, __ATOMIC_RELEASE);
			continue;
		}
		start = clock_ticks();
		__atomic_store_n(&p->there, i, __ATOMIC_RELEASE);
		while (__atomic_load_n(&p->back, __ATOMIC_ACQUIRE) != i)
			race_spin(&turns);
		p->ticks[i - 1] = clock_ticks() - start;
	}
}

double crew_round_trip_ns(struct crew *c)
{
	static struct ping p;

	memset(&p, 0, sizeof(p));
	crew_run(c, ping, &p);
	qsort(p.ticks, ROUND_TRIPS, sizeof(p.ticks[0]), cmp_u64);
	return clock_ns(p.ticks[ROUND_TRIPS / 2]);
}

struct crew_shared *crew_shared(struct crew *c)
{
	return &c->shared;
}
