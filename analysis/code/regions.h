/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads the output of the emulator's counting plugin (lib/insn_counts.h): the
 * instructions of a region by calling context and address.
 */
#ifndef PTELAB_ANALYSIS_REGIONS_H
#define PTELAB_ANALYSIS_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/insn_counts.h"

/* One instruction in one calling context, executed @count times. */
struct region_count {
	uint32_t node, word;
	uint64_t pc, count;
};

/* A region as in the stream. */
struct region_view {
	struct region head;
	const struct region_node *nodes;
	const struct region_cell *cells;
	const struct region_single *singles;
};

struct region_run {
	struct region_view *regions;
	size_t nr;
};

struct region_code {
	uint64_t pc;
	uint32_t nr;
	const uint32_t *words;
};

struct regions {
	struct region_run *runs;
	size_t nr_runs;
	struct region_code *blocks;
	size_t nr_blocks;
	struct region_seen *seen;	/* all kernel code that ran */
	size_t nr_seen;
};

/*
 * Loads the stream; free it with regions_free(). Returns NULL with fail() text.
 */
struct regions *regions_load(const char *path);
void regions_free(struct regions *r);

/*
 * Returns the region's counts, sorted by node and address, without zeroes; the
 * caller frees.
 */
struct region_count *region_counts(const struct regions *r,
				   const struct region_view *v, size_t *nr);

#endif
