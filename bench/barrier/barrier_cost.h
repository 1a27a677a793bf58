/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops that barrier.cost times: stores, a barrier, a store to a flag and a
 * load. They differ only in the barrier, or in the store or load that replaces
 * it.
 */
#ifndef PTELAB_BARRIER_COST_H
#define PTELAB_BARRIER_COST_H

#include <stdbool.h>
#include <stdint.h>

/* Distance of stores, whatever the CPU's line size. */
#define COST_LINE	64

struct cost_loop {
	char *base;		/* where the stores go */
	uint64_t mask;		/* number of lines, a power of two, minus 1 */
	uint64_t k;		/* stores per operation */
	uint64_t ops;
	uint64_t from;		/* number of the first store */
	uint64_t *flag;		/* in this CPU's own lines */
	uint64_t *word;
};

/*
 * Returns the line of store number @n. Uses each line once, in an order that a
 * prefetcher can't follow.
 */
static inline uint64_t cost_line(uint64_t n, uint64_t mask)
{
	return (n * 1237) & mask;
}

struct cost_barrier {
	const char *name;	/* as in the parameter */
	const char *arch;	/* "arm64", "x86-64"; NULL: any */
	void (*loop)(const struct cost_loop *l);	/* NULL: not on this architecture */
	/* enum ptelab_barrier_kind, if the module has the loop; or 0 */
	unsigned int kernel;
};

/* Returns NULL if there is none of that name. */
const struct cost_barrier *cost_barrier_find(const char *name);
/* All names, NULL at the end; for a parameter's choices. */
extern const char *const cost_barrier_names[];
/* The loop without a barrier, and a second copy of it. */
void cost_loop_plain(const struct cost_loop *l);
void cost_loop_copy(const struct cost_loop *l);

#endif
