// SPDX-License-Identifier: GPL-2.0
/* See flow.h. */
#include "analysis/code/flow.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/code/normal.h"
#include "lib/util.h"

static void add_edge(struct edges *e, size_t nr, struct edge edge)
{
	if (edge.to >= nr)
		return;
	e->v = grow(e->v, e->nr, sizeof(*e->v));
	e->v[e->nr++] = edge;
}

uint32_t flow_word(const struct image *img, uint64_t addr)
{
	const unsigned char *p = image_bytes(img, addr, 4);
	uint32_t w = 0;

	if (p)
		memcpy(&w, p, 4);
	return w;
}

/* Finds the branch at @pc, or the one that an alternative puts there. */
static bool branch_at(const struct image *img, uint64_t pc,
		      const struct image_alt *alt, int64_t *off)
{
	if (insn_branch(flow_word(img, pc), off))
		return (flow_word(img, pc) & 0xfc000000) != 0x94000000;
	if (!alt || alt->callback || pc - alt->at >= alt->with_len ||
	    !insn_branch(flow_word(img, alt->with + (pc - alt->at)), off))
		return false;
	*off += alt->with - alt->at;
	return true;
}

const struct image_alt *flow_alt(const struct image *img, uint64_t pc)
{
	size_t i = image_first(img->alts, img->nr_alts, pc + 1), back = 0;

	for (; i-- && back < 8; back++)
		if (pc < img->alts[i].at + img->alts[i].len)
			return &img->alts[i];
	return NULL;
}

struct edges flow_edges(const struct image *img,
			const struct image_function *f)
{
	size_t nr = (f->end - f->start) / 4, i, k;
	struct edges e = { 0 };
	int64_t off;

	for (i = 0; i < nr; i++) {
		uint64_t pc = f->start + 4 * i;
		const struct image_alt *alt = flow_alt(img, pc);
		const struct image_jump *jump = NULL;
		bool branch;

		k = image_first(img->jumps, img->nr_jumps, pc);
		if (k < img->nr_jumps && img->jumps[k].at == pc) {
			jump = &img->jumps[k];
			add_edge(&e, nr, (struct edge){ i,
				(jump->to - f->start) / 4, NULL, jump, true });
		}
		branch = !jump && branch_at(img, pc, alt, &off);
		if (branch)
			add_edge(&e, nr, (struct edge){ i,
				(pc + off - f->start) / 4, alt, NULL, true });
		if (jump || alt || !insn_leaves(img, pc, flow_word(img, pc)))
			add_edge(&e, nr, (struct edge){ i, i + 1,
				branch ? alt : NULL, jump, false });
	}
	return e;
}

size_t flow_blocks(const struct image *img, const struct image_function *f,
		   uint32_t *block)
{
	size_t nr = (f->end - f->start) / 4, i, blocks = 0;
	struct edges e = flow_edges(img, f);
	bool *first = xcalloc(nr + 1, sizeof(*first));

	for (i = 0; i < nr; i++)
		first[i + 1] = insn_leaves(img, f->start + 4 * i,
					   flow_word(img, f->start + 4 * i));
	/*
	 * A branch out of the function ends no block: it is a call, or it
	 * leaves.
	 */
	for (i = 0; i < e.nr; i++)
		if (e.v[i].taken)
			first[e.v[i].to] = first[e.v[i].from + 1] = true;
	for (i = 0; i < nr; i++) {
		blocks += !i || first[i];
		block[i] = blocks - 1;
	}
	free(first);
	free(e.v);
	return blocks;
}
