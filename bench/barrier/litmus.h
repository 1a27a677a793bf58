/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Runs litmus tests in user space: millions of instances of a test in shared
 * memory, with each process of the test on its own CPU.
 */
#ifndef PTELAB_LITMUS_H
#define PTELAB_LITMUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/litmus/litmus_test.h"

/* How the processes of an instance start together. */
enum litmus_start {
	START_USER,	/* when all have arrived, after a random delay */
	START_TIMEBASE,	/* at an agreed reading of the CPUs' common counter */
	START_NONE,	/* once for every LITMUS_SIZE instances */
};

/* For a parameter's choices, in the order of the enum. */
extern const char *const litmus_starts[];

/* Instances that are in memory at the same time. */
#define LITMUS_SIZE	1024

struct litmus_options {
	enum litmus_start start;
	/* Lines from one instance to the next; odd. */
	unsigned int stride;
	/*
	 * Before every LITMUS_SIZE instances: move the variables relative to
	 * each other, and choose the CPU in whose cache each starts.
	 */
	bool shuffle;
	uint64_t seed;
};

struct litmus;

/*
 * Starts the threads; the caller, which is on cpus[0], is the first process.
 * The processes change CPUs. Returns NULL with fail() text on failure.
 */
struct litmus *litmus_new(const struct litmus_test *t, const int *cpus,
			  const struct litmus_options *o);
/* Adds @outcomes outcomes to @state, by the observed state. */
void litmus_run(struct litmus *l, uint64_t outcomes,
		uint64_t state[LITMUS_STATES]);
void litmus_free(struct litmus *l);
/* Returns the empty turns of a loop that take a line's round trip. */
unsigned int litmus_spread(const struct litmus *l);

extern const struct litmus_test *const litmus_tests;
extern const size_t litmus_tests_nr;

/* Finds "MP+wmb+rmb"; NULL if there is none. */
const struct litmus_test *litmus_find(const char *name);
/* Finds "mp", "wmb+rmb"; "none" is the test without barriers. */
const struct litmus_test *litmus_find_variant(const char *shape,
					      const char *barriers);
/* The variants of each shape, NULL at the end; for a parameter's choices. */
extern const char *const litmus_choices_mp[], *const litmus_choices_sb[],
	*const litmus_choices_lb[], *const litmus_choices_s[],
	*const litmus_choices_r[], *const litmus_choices_2_2w[],
	*const litmus_choices_wrc[], *const litmus_choices_iriw[];

/* Returns "1:r0=1; 1:r1=0;", as litmus7 writes a state. */
const char *litmus_state_text(const struct litmus_test *t, unsigned int state,
			      char text[128]);
const char *litmus_verdict_name(enum litmus_verdict v);
const char *litmus_model_name(enum litmus_model m);

#endif
