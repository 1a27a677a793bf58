/* SPDX-License-Identifier: GPL-2.0 */
/* The ways that execution may take through a function of an image. */
#ifndef PTELAB_CODE_FLOW_H
#define PTELAB_CODE_FLOW_H

#include "analysis/code/image.h"

/* A way into instruction @to, and what decides about it. */
struct edge {
	size_t from, to;
	const struct image_alt *alt;
	const struct image_jump *jump;
	bool taken;	/* the way of a branch, and not past it */
};

struct edges {
	struct edge *v;
	size_t nr;
};

/* The caller frees ->v. */
struct edges flow_edges(const struct image *img,
			const struct image_function *f);

/*
 * Numbers the basic blocks of @f from 0: @block gets that of each instruction.
 * A call does not end one. Returns how many there are.
 */
size_t flow_blocks(const struct image *img, const struct image_function *f,
		   uint32_t *block);

/* The instruction at @addr as it was linked; 0 if there is none. */
uint32_t flow_word(const struct image *img, uint64_t addr);
/* The alternative for what stands at @pc; NULL: it has none. */
const struct image_alt *flow_alt(const struct image *img, uint64_t pc);

#endif
