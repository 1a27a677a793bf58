// SPDX-License-Identifier: GPL-2.0
/* Stores groups with the straight-line code of mmio_arm64.S. */
#include <linux/log2.h>

#include "mmio_run.h"

static const struct ptelab_mmio_block *block_of(const struct mmio_run *r,
						u32 width, bool turns)
{
	u32 stores = r->group / width;
	const struct ptelab_mmio_block *b;

	if (!is_power_of_2(stores) || ilog2(stores) >= MMIO_NR_STORES)
		return NULL;
	b = &ptelab_mmio_blocks[turns][ilog2(width)][ilog2(stores)];
	/* A load from Device memory must be aligned. */
	if (!b->groups || (r->flush == PTELAB_MMIO_READBACK &&
			   !IS_ALIGNED((unsigned long)r->base, 4)))
		return NULL;
	return b;
}

/* After an even number of groups the address is the initial one. */
static u64 by_turns(struct mmio_run *r, const struct ptelab_mmio_block *b,
		    u64 blocks)
{
	if (blocks)
		ptelab_mmio_block(r->base + r->at,
				  r->base + (r->at ? 0 : r->step), blocks, 0,
				  r->data, b->code[r->flush]);
	return blocks;
}

/*
 * If the window ends with a block, one call stores all blocks. Otherwise stop
 * at the end of the window.
 */
static u64 in_a_row(struct mmio_run *r, const struct ptelab_mmio_block *b,
		    u64 blocks)
{
	u64 block = b->groups * r->step, wrap = (r->wrap - r->at) / block;

	if (r->at || r->wrap % block)
		blocks = min(blocks, wrap);
	if (!blocks || !wrap)
		return 0;
	ptelab_mmio_block(r->base + r->at, NULL, blocks, wrap, r->data,
			  b->code[r->flush]);
	r->at = (r->at + blocks * block) % r->wrap;
	return blocks;
}

u64 ptelab_mmio_unrolled(struct mmio_run *r, u32 width, u64 groups)
{
	bool turns = !r->step || r->wrap == 2 * r->step;
	const struct ptelab_mmio_block *b = block_of(r, width, turns);

	if (!b || (!turns && r->step != r->group))
		return 0;
	return b->groups * (turns ? by_turns : in_a_row)(r, b,
							 groups / b->groups);
}
