/* SPDX-License-Identifier: GPL-2.0 */
/* For code that must meet another CPU within nanoseconds. */
#ifndef PTELAB_RACE_H
#define PTELAB_RACE_H

#include <stdint.h>

#include "bench/barrier/crew.h"
#include "bench/kit/clock.h"

/* The next of a sequence of numbers (xorshift64); *state must not be 0. */
static inline uint64_t race_draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Reads the counter without ordering, which would order the race. */
static inline uint64_t race_ticks(void)
{
#ifdef __aarch64__
	uint64_t t;

	asm volatile("mrs %0, cntvct_el0" : "=r" (t) : : "memory");
	return t;
#else
	return __rdtsc();
#endif
}

/*
 * One turn of a wait without a pause, which would delay this CPU. If it takes
 * long, yields, because the other thread may need this CPU.
 */
static inline void race_spin(unsigned int *turns)
{
	if (++*turns > 5000)
		crew_wait(turns);
}

/* An empty loop; a turn takes about a cycle. */
static inline void race_idle(unsigned int turns)
{
	for (; turns; turns--)
		asm volatile("");
}

/*
 * Returns the empty turns of a loop that a line takes to another CPU and back.
 */
static inline unsigned int race_spread(double round_trip_ns)
{
	const unsigned int turns = 20000;
	uint64_t start = clock_ticks();
	double turn;

	race_idle(turns);
	turn = clock_ns(clock_ticks() - start) / turns;
	return turn > 0 && round_trip_ns / turn < 100000 ?
		round_trip_ns / turn + 1 : 100;
}

#endif
