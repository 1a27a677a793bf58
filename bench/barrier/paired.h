/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Measures what something adds to a loop. Three loops take turns within every
 * batch: without it, with it, and a second copy of the one without. The
 * difference between the two copies, which are the same code at other
 * addresses, is the smallest that can be resolved.
 */
#ifndef PTELAB_PAIRED_H
#define PTELAB_PAIRED_H

#include "bench/bench.h"

enum paired_turn { TURN_PLAIN, TURN_WITH, TURN_COPY, NR_TURNS };

struct paired_work {
	/*
	 * Runs on the measuring CPU, and is timed: @ops operations, from number
	 * @from. Returns 0, or the ticks that they took if it knows better;
	 * -errno with fail() text.
	 */
	int64_t (*turn)(void *arg, enum paired_turn t, uint64_t from,
			uint64_t ops);
	/*
	 * Runs on another CPU before each turn, and is not timed: brings the
	 * data of these operations into that CPU's cache. NULL: no other CPU.
	 */
	void (*other)(void *arg, uint64_t from, uint64_t ops);
	/*
	 * The loop is only a part of a turn, in the kernel: count only the
	 * difference between turns.
	 */
	bool within;
};

struct paired;

/*
 * @cpus: the measuring one, on which the caller runs, and another one if there
 * is w->other. At most @segment operations are timed at a time. Returns NULL
 * with fail() text on failure.
 */
struct paired *paired_new(const struct paired_work *w, void *arg,
			  const int *cpus, uint64_t segment);
/*
 * Runs a batch of ctx->ops operations. Returns 0, or what a turn returned.
 * Reports the samples ns, plain_ns, barrier_ns and, if there is a PMU, cycles,
 * barrier_cycles, instructions_user and barrier_instructions. For a loop within
 * a turn it reports only the last, from the median turns, because interrupts
 * are not part of it.
 */
int paired_batch(struct paired *p, struct bench_ctx *ctx);
/*
 * After the timed pass: adds the CPUs to the proof and, on a real clock,
 * whether the difference is significant ("told", "not_told" with the reason,
 * "barrier_ns" with its interval).
 */
void paired_prove(struct paired *p, struct bench_ctx *ctx);
void paired_free(struct paired *p);
/* Returns the number after the last operation so far. */
uint64_t paired_next(const struct paired *p);

#endif
