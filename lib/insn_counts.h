/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The output of the counting plugin: a stream of records in the host's byte order,
 * deleted once ptelab has merged it. It starts with struct regions_header. Each
 * record is a struct regions_record and its body.
 */
#ifndef PTELAB_INSN_COUNTS_H
#define PTELAB_INSN_COUNTS_H

#include <stdint.h>

#define REGIONS_MAGIC	0x31534e4745525450ULL	/* "PTREGNS1" */

/*
 * Origin and cause of an exception, derived from its vector and the instruction
 * before it.
 */
enum region_exception {
	X_USER_SVC, X_USER_ABORT, X_USER_IRQ, X_USER_OTHER,
	X_KERNEL_ABORT, X_KERNEL_IRQ, X_KERNEL_OTHER,
	X_GUEST_SYNC, X_GUEST_IRQ,
	NR_EXCEPTIONS
};

enum region_node_kind {
	N_ROOT,		/* the function that armed the region */
	N_CALL,		/* by BL or BLR at @site */
	N_EXCEPTION,	/* taken at @site */
	N_GUEST,	/* entered by the ERET at @site */
	N_TASK,		/* another task, switched to at @site */
	N_LOST,		/* returned to, without a known call from there */
};

struct regions_header {
	uint64_t magic;
};

struct regions_record {
	uint32_t type;		/* REC_* */
	uint32_t bytes;		/* of the body */
};

enum {
	REC_RUN,	/* no body: MARK_RUN was passed */
	REC_BLOCK,	/* struct region_block, then its instruction words */
	REC_REGION,	/* struct region, nodes, cells, singles */
	REC_SEEN,	/* struct region_seen, as many as there are; the last */
};

/* A translation block; blocks are numbered from 0 in the order of the stream. */
struct region_block {
	uint64_t pc;
	uint32_t nr;
	uint32_t pad;
};

struct region_node {
	uint32_t parent;	/* its own number for a root */
	uint32_t kind;
	uint64_t site;		/* address of the instruction that entered it; 0: unknown */
	uint64_t entry;		/* address of its first instruction */
};

/* The whole @block ran @count times in calls of @node. */
struct region_cell {
	uint32_t node, block;
	uint64_t count;
};

/*
 * The same for one instruction of a block that did not run to its end, or whose
 * last instruction faulted. Negative: the instruction started but did not
 * retire.
 */
struct region_single {
	uint32_t node, block, insn, pad;
	int64_t count;
};

/*
 * @nr instructions of the kernel from @pc on that ran, in a region or outside.
 * When they first ran, @regions regions of the boot had ended.
 */
struct region_seen {
	uint64_t pc;
	uint32_t nr, regions;
};

struct region {
	uint32_t nr;		/* within its run, from 0 */
	uint32_t by_pmu;	/* delimited by the PMU's counts */
	uint64_t exceptions[NR_EXCEPTIONS];
	/*
	 * sum of the distinct 64-byte lines between one entry into the kernel
	 * (from user mode or a guest) and the next
	 */
	uint64_t lines;
	uint64_t unmatched;	/* returns without a known call */
	uint64_t switches;	/* between tasks */
	uint32_t nr_nodes, nr_cells, nr_singles;
	uint32_t has_lines;	/* lines were counted */
};

#endif
