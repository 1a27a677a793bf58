/* SPDX-License-Identifier: GPL-2.0 */
/* The control flow of a function of an image. */
#ifndef PTELAB_CODE_FLOW_H
#define PTELAB_CODE_FLOW_H

#include "analysis/code/image.h"

/*
 * A way into instruction @to, and the alternative or static key that decides
 * whether it is taken.
 */
struct edge {
	size_t from, to;
	const struct image_alt *alt;
	const struct image_jump *jump;
	bool taken;	/* the branch is taken; false: falls through */
};

struct edges {
	struct edge *v;
	size_t nr;
};

/* Returns the edges of a function. The caller frees ->v. */
struct edges flow_edges(const struct image *img,
			const struct image_function *f);

/*
 * Numbers the basic blocks of @f from 0: sets @block for each instruction. A
 * call does not end a block. Returns the number of blocks.
 */
size_t flow_blocks(const struct image *img, const struct image_function *f,
		   uint32_t *block);

/* Returns the instruction at @addr as it was linked; 0 if there is none. */
uint32_t flow_word(const struct image *img, uint64_t addr);
/* Returns the alternative for the instruction at @pc; NULL if there is none. */
const struct image_alt *flow_alt(const struct image *img, uint64_t pc);

#endif
