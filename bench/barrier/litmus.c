// SPDX-License-Identifier: GPL-2.0
/* See litmus.h. The tests are generated from lib/litmus/. */
#include "bench/barrier/litmus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/barrier/barrier_asm.h"
#include "bench/barrier/crew.h"
#include "bench/barrier/race.h"
#include "bench/kit/clock.h"
#include "lib/util.h"

const char *const litmus_starts[] = { "user", "timebase", "none", NULL };

/* One process of a test, for a round of instances. */
struct litmus_loop {
	unsigned int n;
	uint8_t *out;		/* registers of each instance, 2 bits each */
	/* Each variable's lines, and the index of the first instance's line */
	char *var[LITMUS_VARS];
	uint32_t first[LITMUS_VARS];
	uint32_t stride;
	struct litmus *l;
	unsigned int id;	/* of the thread, not of the process */
	uint64_t seq;		/* instances started, in all rounds */
	uint64_t random;
} __attribute__((aligned(CREW_LINE)));

/* What threads exchange at the start of an instance. */
struct arrival {
	uint64_t seq;
	uint64_t at;		/* in agreed[]: the clock reading at which to start */
} __attribute__((aligned(CREW_LINE)));

struct litmus {
	struct arrival arrival[LITMUS_PROCS], agreed[2];
	struct litmus_loop loop[LITMUS_PROCS];
	uint8_t out[LITMUS_PROCS][LITMUS_SIZE];
	const struct litmus_test *test;
	struct litmus_options o;
	struct crew *crew;
	char *memory;
	uint64_t ahead;		/* ticks from the agreement to the start */
	unsigned int spread;	/* empty turns of a loop that take a round trip */
	/* of the current round; set by the first thread */
	unsigned int owner[LITMUS_VARS], turn, n;
	uint32_t first[LITMUS_VARS];
	uint64_t random;
	/* of the current call */
	uint64_t outcomes, *state;
};

static inline void *LITMUS_VAR(const struct litmus_loop *l, int var,
			       unsigned int i)
{
	uint32_t at = (l->first[var] + i * l->stride) % LITMUS_SIZE;

	return l->var[var] + (size_t)at * CREW_LINE;
}

/* Returns whether this one came last. */
static inline bool wait_for_all(struct litmus_loop *l)
{
	struct litmus *s = l->l;
	unsigned int i, nr = s->test->nr_procs, turns = 0;

	__atomic_store_n(&s->arrival[l->id].seq, l->seq, __ATOMIC_RELEASE);
	for (i = 0; i < nr; i++)
		while (__atomic_load_n(&s->arrival[i].seq, __ATOMIC_ACQUIRE) <
		       l->seq)
			race_spin(&turns);
	return !turns;
}

/*
 * The others learn that the last one has arrived only when its line reaches
 * them. So the last one waits for a random time of up to twice that.
 */
static inline void start_user(struct litmus_loop *l)
{
	if (wait_for_all(l))
		race_idle(race_draw(&l->random) % l->l->spread);
}

/* Once all have arrived, one of them sets the time to start. */
static inline void start_timebase(struct litmus_loop *l)
{
	struct litmus *s = l->l;
	struct arrival *a = &s->agreed[l->seq % 2];
	unsigned int turns = 0;

	wait_for_all(l);
	if (l->id == l->seq % s->test->nr_procs) {
		a->at = race_ticks() + s->ahead;
		__atomic_store_n(&a->seq, l->seq, __ATOMIC_RELEASE);
	} else {
		while (__atomic_load_n(&a->seq, __ATOMIC_ACQUIRE) != l->seq)
			race_spin(&turns);
	}
	while ((int64_t)(race_ticks() - a->at) < 0)
		;
	race_idle(race_draw(&l->random) % 16);
}

/* Inlined, because a return would come between the start and the test. */
static inline __attribute__((always_inline))
void LITMUS_SYNC(struct litmus_loop *l, unsigned int i)
{
	(void)i;
	l->seq++;
	switch (l->l->o.start) {
	case START_USER:
		start_user(l);
		break;
	case START_TIMEBASE:
		start_timebase(l);
		break;
	case START_NONE:
		break;
	}
	/* Keep the compiler from moving accesses of the test up here. */
	asm volatile("" : : : "memory");
}

#define LITMUS_CHOICES
#include "litmus_tests.h"

const struct litmus_test *const litmus_tests = litmus_table;
const size_t litmus_tests_nr = ARRAY_SIZE(litmus_table);

/* --- the runner --- */

/* Sets the round's initial state, on the first thread; the others wait. */
static void plan(struct litmus *l)
{
	unsigned int v, nr = l->test->nr_procs;

	l->turn++;
	l->n = l->outcomes < LITMUS_SIZE ? l->outcomes : LITMUS_SIZE;
	for (v = 0; v < LITMUS_VARS; v++) {
		uint64_t r = race_draw(&l->random);

		l->owner[v] = l->o.shuffle ? (r >> 32) % nr : 0;
		l->first[v] = l->o.shuffle ? r % LITMUS_SIZE : 0;
	}
}

/* Zeroes the variables that are to start in this CPU's cache. */
static void fill(struct litmus *l, unsigned int id)
{
	unsigned int v, i;

	for (v = 0; v < LITMUS_VARS; v++)
		for (i = 0; i < LITMUS_SIZE && l->owner[v] == id; i++)
			WRITE_ONCE(*(int *)(l->loop[id].var[v] +
					    (size_t)i * CREW_LINE), 0);
}

static void collect(struct litmus *l)
{
	const struct litmus_test *t = l->test;
	const struct litmus_loop *loop = &l->loop[0];
	unsigned int i, o, key;

	for (i = 0; i < l->n; i++) {
		key = 0;
		for (o = 0; o < (unsigned int)t->nr_observed; o++) {
			const struct litmus_observed *w = &t->observed[o];
			unsigned int value = w->proc < 0 ?
				READ_ONCE(*(int *)LITMUS_VAR(loop, w->slot, i)) :
				l->out[w->proc][i] >> 2 * w->slot;

			key |= (value & 3) << 2 * o;
		}
		l->state[key]++;
	}
	l->outcomes -= l->n;
}

static void rounds(void *arg, unsigned int id)
{
	struct litmus *l = arg;
	struct litmus_loop *loop = &l->loop[id];
	struct crew_shared *crew = crew_shared(l->crew);
	unsigned int proc;

	for (;;) {
		if (!id && l->outcomes)
			plan(l);
		crew_meet(crew, id);
		if (!l->outcomes)
			return;
		fill(l, id);
		memcpy(loop->first, l->first, sizeof(l->first));
		loop->n = l->n;
		proc = (id + l->turn) % l->test->nr_procs;
		loop->out = l->out[proc];
		crew_meet(crew, id);
		l->test->loop[proc](loop);
		crew_meet(crew, id);
		if (!id)
			collect(l);
	}
}

/* Measures the round trip of a line between these CPUs. */
static void calibrate(struct litmus *l)
{
	double trip = crew_round_trip_ns(l->crew);

	l->spread = race_spread(trip);
	l->ahead = trip * clock_measure()->frequency_hz / 1e9 + 1;
}

struct litmus *litmus_new(const struct litmus_test *t, const int *cpus,
			  const struct litmus_options *o)
{
	const size_t bytes = (size_t)LITMUS_SIZE * CREW_LINE;
	struct litmus *l = aligned_alloc(CREW_LINE, sizeof(*l));
	int i, v;

	if (!l)
		return fail_null(ENOMEM, "out of memory");
	memset(l, 0, sizeof(*l));
	l->test = t;
	l->o = *o;
	l->random = o->seed * 0x9e3779b97f4a7c15ULL + 1;
	l->memory = aligned_alloc(4096, LITMUS_VARS * bytes);
	l->crew = l->memory ? crew_new(cpus, t->nr_procs) : NULL;
	if (!l->crew) {
		litmus_free(l);
		return NULL;
	}
	memset(l->memory, 0, LITMUS_VARS * bytes);
	calibrate(l);
	for (i = 0; i < t->nr_procs; i++) {
		l->loop[i].l = l;
		l->loop[i].id = i;
		l->loop[i].stride = o->stride;
		l->loop[i].random = race_draw(&l->random);
		for (v = 0; v < LITMUS_VARS; v++)
			l->loop[i].var[v] = l->memory + v * bytes;
	}
	return l;
}

void litmus_run(struct litmus *l, uint64_t outcomes,
		uint64_t state[LITMUS_STATES])
{
	l->outcomes = outcomes;
	l->state = state;
	crew_run(l->crew, rounds, l);
}

void litmus_free(struct litmus *l)
{
	if (!l)
		return;
	crew_free(l->crew);
	free(l->memory);
	free(l);
}

unsigned int litmus_spread(const struct litmus *l)
{
	return l->spread;
}

/* --- the tests by name --- */

const struct litmus_test *litmus_find(const char *name)
{
	size_t i;

	for (i = 0; i < litmus_tests_nr; i++)
		if (!strcmp(litmus_tests[i].name, name))
			return &litmus_tests[i];
	return NULL;
}

const struct litmus_test *litmus_find_variant(const char *shape,
					      const char *barriers)
{
	size_t i;

	for (i = 0; i < litmus_tests_nr; i++)
		if (!strcmp(litmus_tests[i].shape, shape) &&
		    !strcmp(litmus_tests[i].barriers, barriers))
			return &litmus_tests[i];
	return NULL;
}

const char *litmus_state_text(const struct litmus_test *t, unsigned int state,
			      char text[128])
{
	size_t at = 0;
	int i;

	text[0] = '\0';
	for (i = 0; i < t->nr_observed; i++)
		at += snprintf(text + at, 128 - at, "%s%s=%u;", i ? " " : "",
			       t->observed[i].name, state >> 2 * i & 3);
	return text;
}

const char *litmus_verdict_name(enum litmus_verdict v)
{
	return v == VERDICT_NEVER ? "Never" : "Sometimes";
}

const char *litmus_model_name(enum litmus_model m)
{
	static const char *const names[] = { "LKMM", "AArch64", "x86-TSO" };

	return names[m];
}
