/* SPDX-License-Identifier: GPL-2.0 */
/* A run of groups of stores; internal to the module's MMIO code. */
#ifndef PTELAB_MMIO_RUN_H
#define PTELAB_MMIO_RUN_H

#include <linux/io.h>

#include "ptelab_uapi.h"

struct mmio_run {
	u8 __iomem *base;
	const u64 *data;
	u32 group;		/* bytes of a group */
	u32 flush;		/* enum ptelab_mmio_flush */
	u64 step;		/* from one group to the next; 0: no step */
	u64 wrap;		/* where to start again; at least 1 */
	u64 at;			/* where the next group goes */
};

/*
 * Stores up to @groups groups of stores of @width bytes with straight-line code
 * that has almost no overhead. It stores whole blocks only, and only groups for
 * which there is such code. Returns how many groups it stored; the caller
 * stores the rest.
 */
#ifdef CONFIG_ARM64
u64 ptelab_mmio_unrolled(struct mmio_run *r, u32 width, u64 groups);
#else
static inline u64 ptelab_mmio_unrolled(struct mmio_run *r, u32 width,
				       u64 groups)
{
	return 0;
}
#endif

/* These are in mmio_arm64.S, which describes them. */

/* By the logarithms of the width and of the number of stores in a group */
#define MMIO_NR_WIDTHS	4
#define MMIO_NR_STORES	10

struct ptelab_mmio_block {
	u32 groups;		/* in a block; 0: there is no such code */
	u32 code[PTELAB_MMIO_READBACK + 1];	/* by enum ptelab_mmio_flush */
};

/* First the blocks for streams, then those that alternate between two places */
extern const struct ptelab_mmio_block
	ptelab_mmio_blocks[2][MMIO_NR_WIDTHS][MMIO_NR_STORES];
void ptelab_mmio_block(u8 __iomem *base, u8 __iomem *other, u64 blocks,
		       u64 wrap, const u64 *data, u32 code);

#endif
