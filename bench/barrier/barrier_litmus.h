/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the litmus benchmarks and barrier.publish share: whether a machine can
 * show reordering at all, and whether it does on the selected CPUs.
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
 * Measured by the first call for these CPUs, then remembered. With more than
 * two CPUs: the worst pair of the first with another. @kernel: in kernel
 * threads, by the module. Returns 0, or -errno with fail() text.
 */
int control_get(const int *cpus, unsigned int nr, bool kernel,
		struct control *c);

/*
 * Returns why this machine can't show any outcome of @t's shape that requires
 * reordering, even without barriers: the memory model of the CPU that executes
 * it forbids that. NULL if it can, or if this is unknown. The text is
 * thread-local.
 */
const char *machine_cannot(const struct litmus_test *t);

/* Returns whether a model that holds here forbids the test's state. */
bool forbidden_here(const struct litmus_test *t);

/* Adds "models" to @proof, and "forbidden_by" with those that hold here. */
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
