/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops that barrier.cost times: stores, a barrier, a store to a flag and
 * a load. All are the same but for the barrier, or for the store or the load
 * that takes its place.
 */
#ifndef PTELAB_BARRIER_COST_H
#define PTELAB_BARRIER_COST_H

#include <stdbool.h>
#include <stdint.h>

/* How far apart stores go, whichever lines the CPU has. */
#define COST_LINE	64

struct cost_loop {
	char *base;		/* where the stores go */
	uint64_t mask;		/* lines there, a power of two, less 1 */
	uint64_t k;		/* stores an operation */
	uint64_t ops;
	uint64_t from;		/* number of the first store */
	uint64_t *flag;		/* this CPU's own lines */
	uint64_t *word;
};

/* The line that store number @n goes to: each of them once, in an order that
 * no prefetcher follows. */
static inline uint64_t cost_line(uint64_t n, uint64_t mask)
{
	return (n * 1237) & mask;
}

struct cost_barrier {
	const char *name;	/* as in the parameter */
	const char *arch;	/* "arm64", "x86-64"; NULL: any */
	void (*loop)(const struct cost_loop *l);	/* NULL: not here */
	/* In the kernel, by the module: enum ptelab_barrier_kind; 0: not so */
	unsigned int kernel;
};

/* By name; NULL if there is none. */
const struct cost_barrier *cost_barrier_find(const char *name);
/* All names, NULL at the end; for a parameter's choices. */
extern const char *const cost_barrier_names[];
/* The loop without a barrier, and a second copy of it. */
void cost_loop_plain(const struct cost_loop *l);
void cost_loop_copy(const struct cost_loop *l);

#endif
