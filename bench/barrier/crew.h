/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A crew: threads, one per CPU, that repeatedly do a piece of work together,
 * and meet in between without sleeping. The caller is the first of them.
 */
#ifndef PTELAB_CREW_H
#define PTELAB_CREW_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>

#define CREW_MAX	4
/*
 * Alignment of data that is private to a CPU: two lines, since some CPUs fetch
 * them in pairs, and 128 bytes is the longest line of arm64.
 */
#define CREW_LINE	128

struct crew_member {
	uint64_t met;	/* how often it has called crew_meet() */
} __attribute__((aligned(CREW_LINE)));

struct crew;

struct crew_shared {
	struct crew_member member[CREW_MAX];
	unsigned int nr;
};

/*
 * Starts @nr - 1 threads on @cpus[1..]; the caller is already on cpus[0]. They
 * sleep between calls of crew_run(). Returns NULL with fail() text on failure.
 */
struct crew *crew_new(const int *cpus, unsigned int nr);
/* Calls @fn(arg, id) on all, id 0 on the caller; returns when all are done. */
void crew_run(struct crew *c, void (*fn)(void *arg, unsigned int id),
	      void *arg);
void crew_free(struct crew *c);
struct crew_shared *crew_shared(struct crew *c);
/*
 * Returns the median round trip of a line between the first two CPUs, in ns. It
 * shows what a hypervisor's topology may hide: whether the two are threads of
 * one core. The crew must have at least two members.
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

/*
 * One turn of a wait that normally takes less than a microsecond. Yields now
 * and then, in case another member needs this CPU.
 */
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
 * Waits for all members of the current work. All that any of them did before is
 * visible to all of them afterwards.
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
