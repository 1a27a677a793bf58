/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What something adds to a loop, against the same loop without it. Three loops
 * take turns within every batch: without, with, and a second copy of the one
 * without. What the two copies differ by, though they are the same code at
 * another address, is what no difference here can be told from.
 */
#ifndef PTELAB_PAIRED_H
#define PTELAB_PAIRED_H

#include "bench/bench.h"

enum paired_turn { TURN_PLAIN, TURN_WITH, TURN_COPY, NR_TURNS };

struct paired_work {
	/*
	 * On the measuring CPU, timed: @ops operations, from number @from.
	 * 0, or how many ticks of the clock they took if it knows better;
	 * -errno with fail() text.
	 */
	int64_t (*turn)(void *arg, enum paired_turn t, uint64_t from,
			uint64_t ops);
	/* On another CPU, before each turn and not timed: brings what these
	 * operations work on into that CPU's cache. NULL: no other CPU. */
	void (*other)(void *arg, uint64_t from, uint64_t ops);
	/* The loop is only a part of what a turn does, in the kernel: only
	 * what it has more than the other one is counted. */
	bool within;
};

struct paired;

/*
 * @cpus: the measuring one, which the caller is on, and, for @w->other,
 * another. At most @segment operations are timed at a time. NULL with fail()
 * text.
 */
struct paired *paired_new(const struct paired_work *w, void *arg,
			  const int *cpus, uint64_t segment);
/*
 * A batch of ctx->ops operations. 0 or what a turn said. Gives the samples ns,
 * plain_ns, barrier_ns and, where there is a PMU, cycles, barrier_cycles,
 * instructions_user and barrier_instructions; of a loop within a turn the last
 * alone, by the median turns, as interrupts are no part of it.
 */
int paired_batch(struct paired *p, struct bench_ctx *ctx);
/*
 * After the timed pass: adds the CPUs to the proof and, on a real clock,
 * whether the difference can be told from none ("told", "not_told" with the
 * reason, "barrier_ns" with its interval).
 */
void paired_prove(struct paired *p, struct bench_ctx *ctx);
void paired_free(struct paired *p);
/* One behind the last operation so far */
uint64_t paired_next(const struct paired *p);

#endif
