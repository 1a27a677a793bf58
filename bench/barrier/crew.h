/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crew: threads, one a CPU, that do a piece of work together again and again
 * and meet in between without sleeping. The caller is the first of them.
 */
#ifndef PTELAB_CREW_H
#define PTELAB_CREW_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define CREW_MAX	4
/* What no two CPUs' private data may share: two lines, since some CPUs fetch
 * them in pairs, and 128 bytes is the longest line that arm64 has. */
#define CREW_LINE	128

struct crew_member {
	uint64_t met;	/* how often it has come to crew_meet() */
} __attribute__((aligned(CREW_LINE)));

struct crew;

struct crew_shared {
	struct crew_member member[CREW_MAX];
	unsigned int nr;
};

/*
 * Starts @nr - 1 threads on @cpus[1..]; the caller is on cpus[0] already.
 * They sleep between calls of crew_run(). NULL with fail() text.
 */
struct crew *crew_new(const int *cpus, unsigned int nr);
/* @fn(arg, id) on all of them, id 0 on the caller; returns when all are done. */
void crew_run(struct crew *c, void (*fn)(void *arg, unsigned int id),
	      void *arg);
void crew_free(struct crew *c);
struct crew_shared *crew_shared(struct crew *c);
/*
 * Median time of a line's way from the first CPU to the second and back, in
 * ns. It says what a hypervisor's topology may hide: whether the two are
 * threads of one core. For a crew of two at least.
 */
double crew_round_trip_ns(struct crew *c);

static inline void crew_relax(void)
{
#ifdef __aarch64__
	asm volatile("yield" : : : "memory");
#else
	asm volatile("pause" : : : "memory");
#endif
}

/* One turn of a wait that normally takes less than a microsecond: a member
 * whose CPU somebody else has must get it back. */
static inline void crew_wait(unsigned int *turns)
{
	if (++*turns < 20000) {
		crew_relax();
		return;
	}
	*turns = 0;
	sched_yield();
}

/*
 * Waits for all members of the work under way. What any of them did before is
 * seen by all of them afterwards.
 */
static inline void crew_meet(struct crew_shared *s, unsigned int id)
{
	uint64_t met = s->member[id].met + 1;
	unsigned int i, turns = 0;

	__atomic_store_n(&s->member[id].met, met, __ATOMIC_SEQ_CST);
	for (i = 0; i < s->nr; i++)
		while (__atomic_load_n(&s->member[i].met, __ATOMIC_SEQ_CST) <
		       met)
			crew_wait(&turns);
}

#endif
