/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the litmus benchmarks and barrier.publish share: whether a machine can
 * show reordering at all, and whether it does on the CPUs in question.
 */
#ifndef PTELAB_BARRIER_LITMUS_H
#define PTELAB_BARRIER_LITMUS_H

#include "bench/barrier/litmus.h"
#include "bench/bench.h"

/* Store buffering without barriers on the same CPUs in the same run. */
struct control {
	uint64_t outcomes, witnesses;
};

/*
 * Measured at the first call for these CPUs, then remembered. @nr CPUs: for
 * more than two, the worst pair of the first with another. @kernel: in kernel
 * threads, by the module. 0, or -errno with fail() text.
 */
int control_get(const int *cpus, unsigned int nr, bool kernel,
		struct control *c);

/*
 * Why no outcome of @t's shape that needs reordering can be seen on this
 * machine, not even without barriers: the memory model of what executes it
 * forbids that. NULL if it can, or if that is not known. Thread-local text.
 */
const char *machine_cannot(const struct litmus_test *t);

/* Whether a model that holds on this machine forbids the test's state. */
bool forbidden_here(const struct litmus_test *t);

/*
 * Adds to @proof what the models say: "models", and "forbidden_by" with those
 * that hold here.
 */
void put_models(json_t *proof, const struct litmus_test *t);

/*
 * Adds "control", "rate" with its exact interval and, if nothing was seen, what
 * rates that rules out, "observation" (Never, Sometimes, Always), "evidence"
 * and, where it is "none", "no_evidence" with the reason.
 */
void put_evidence(json_t *proof, const struct litmus_test *t,
		  const struct control *c, uint64_t witnesses,
		  uint64_t outcomes);
#endif
