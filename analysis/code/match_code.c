// SPDX-License-Identifier: GPL-2.0
/* Compares two functions instruction by instruction. See match_parts.h. */
#include <stdlib.h>
#include <string.h>

#include "analysis/code/align.h"
#include "analysis/code/match_parts.h"
#include "analysis/code/normal.h"
#include "lib/util.h"

/* --- instructions --- */

struct both {
	struct match *m;
	struct insns code[NR_IMAGES];
	long function[NR_IMAGES];
	bool annotated;		/* the kernel's tables have entries for it */
	/* compares targets in the function; NULL: don't */
	bool (*local)(struct both *b, size_t i, size_t k);
	const int32_t *map;
};

static bool own(const struct insns *c, uint64_t to, size_t *i)
{
	*i = (to - c->start) / 4;
	return to >= c->start && *i < c->nr;
}

/* Compares the targets of instructions @at of the two sides. */
static bool same_target(struct both *b, const uint64_t to[],
			const size_t at[])
{
	const struct insns *c = b->code;
	size_t i[NR_IMAGES], n;
	bool in[NR_IMAGES];
	int s;

	for (s = 0; s < NR_IMAGES; s++)
		in[s] = own(&c[s], to[s], &i[s]);
	if (in[CODE_BASE] != in[CODE_NEW])
		return false;
	if (in[CODE_BASE])
		return !b->local || b->local(b, i[CODE_BASE], i[CODE_NEW]);
	if (!same_ref(b->m, to, 0))
		return false;
	for (s = 0; s < NR_IMAGES; s++) {
		long f = image_function(b->m->image[s], to[s]);

		if (f < 0 || to[s] == b->m->image[s]->functions[f].start)
			return true;
	}
	if (b->local) {
		struct match_refs *r = b->m->refs;
		struct inner_ref *ref;

		r->inner = grow(r->inner, r->nr_inner, sizeof(*r->inner));
		ref = &r->inner[r->nr_inner++];
		for (n = 0; n < NR_IMAGES; n++) {
			ref->function[n] = b->function[n];
			ref->insn[n] = at[n];
			ref->to[n] = to[n];
		}
	}
	return true;
}

static bool same_pair(struct both *b, uint64_t x, uint64_t y,
		      const size_t at[])
{
	const uint64_t to[NR_IMAGES] = { x, y };

	return same_target(b, to, at);
}

/* --- what the kernel's tables say about an instruction --- */

typedef bool (*same_entry)(struct both *b, const void *x, const void *y,
			   const size_t at[]);

static bool same_alt(struct both *b, const void *x, const void *y,
		     const size_t at[])
{
	const struct image_alt *p = x, *q = y;
	struct insns c[NR_IMAGES];
	bool same = true;
	size_t i;

	if (p->cap != q->cap || p->len != q->len ||
	    p->with_len != q->with_len || p->callback != q->callback)
		return false;
	if (p->callback)
		return same_pair(b, p->with, q->with, at);
	c[CODE_BASE] = insns_range(b->m->image[CODE_BASE], p->with,
				  p->with + p->with_len);
	c[CODE_NEW] = insns_range(b->m->image[CODE_NEW], q->with,
				 q->with + q->with_len);
	for (i = 0; i < c[CODE_BASE].nr && same; i++) {
		const struct insn *n = &c[CODE_BASE].insns[i];
		const struct insn *o = &c[CODE_NEW].insns[i];

		same = n->word == o->word && n->kind == o->kind;
		if (same && n->kind == I_LOCAL)
			same = n->to - p->with == o->to - q->with;
		else if (same && n->kind == I_REF)
			same = same_pair(b, n->to, o->to, at);
	}
	insns_free(&c[CODE_BASE]);
	insns_free(&c[CODE_NEW]);
	return same;
}

static bool same_jump(struct both *b, const void *x, const void *y,
		      const size_t at[])
{
	const struct image_jump *p = x, *q = y;

	return p->inverted == q->inverted && same_pair(b, p->key, q->key, at) &&
	       same_pair(b, p->to, q->to, at);
}

/* Ignores the line, which changes with the code above it. */
static bool same_bug(struct both *b, const void *x, const void *y,
		     const size_t at[])
{
	const struct image_bug *p = x, *q = y;

	return p->flags == q->flags && !p->file == !q->file &&
	       (!p->file || same_pair(b, p->file, q->file, at));
}

static bool same_extable(struct both *b, const void *x, const void *y,
			 const size_t at[])
{
	const struct image_extable *p = x, *q = y;

	return p->type == q->type && p->data == q->data &&
	       same_pair(b, p->fixup, q->fixup, at);
}

/*
 * Compares the entries of a table for instructions @at: there must be as many,
 * and equal ones.
 */
static bool same_entries(struct both *b, const void *const table[],
			 const size_t nr[], size_t size, const size_t at[],
			 same_entry same)
{
	const char *e[NR_IMAGES];
	size_t left[NR_IMAGES];
	bool has[NR_IMAGES];
	int s;

	for (s = 0; s < NR_IMAGES; s++) {
		size_t i = image_lower_bound(table[s], nr[s], size,
				b->code[s].start + 4 * at[s]);

		e[s] = (const char *)table[s] + i * size;
		left[s] = nr[s] - i;
	}
	for (;;) {
		for (s = 0; s < NR_IMAGES; s++)
			has[s] = left[s] && *(const uint64_t *)e[s] ==
				b->code[s].start + 4 * at[s];
		if (!has[CODE_BASE] || !has[CODE_NEW])
			return has[CODE_BASE] == has[CODE_NEW];
		if (!same(b, e[CODE_BASE], e[CODE_NEW], at))
			return false;
		for (s = 0; s < NR_IMAGES; s++) {
			e[s] += size;
			left[s]--;
		}
	}
}

static bool same_annotations(struct both *b, const size_t at[])
{
	const struct image *x = b->m->image[CODE_BASE];
	const struct image *y = b->m->image[CODE_NEW];

#define SAME(table, nr_table, same)					\
	same_entries(b, (const void *const []){ x->table, y->table },	\
		     (const size_t []){ x->nr_table, y->nr_table },	\
		     sizeof(*x->table), at, same)
	return SAME(alts, nr_alts, same_alt) &&
	       SAME(jumps, nr_jumps, same_jump) &&
	       SAME(bugs, nr_bugs, same_bug) &&
	       SAME(extables, nr_extables, same_extable);
#undef SAME
}

/*
 * Compares the base of a computed address, for addresses such as "the end of a
 * table, less one", which are in no object.
 */
static bool same_base(struct both *b, const struct insn *x,
		      const struct insn *y, const size_t at[])
{
	return x->base && y->base && x->to - x->base == y->to - y->base &&
	       same_pair(b, x->base, y->base, at);
}

static bool same_insn(void *data, size_t i, size_t k)
{
	struct both *b = data;
	const size_t at[NR_IMAGES] = { i, k };
	const struct insn *x = &b->code[CODE_BASE].insns[i];
	const struct insn *y = &b->code[CODE_NEW].insns[k];
	const uint64_t to[NR_IMAGES] = { x->to, y->to };

	if (x->word != y->word || x->kind != y->kind)
		return false;
	if ((x->kind == I_REF || x->kind == I_LOCAL) &&
	    !same_target(b, to, at) && !same_base(b, x, y, at))
		return false;
	return !b->annotated || same_annotations(b, at);
}

static bool same_shape(void *data, size_t i, size_t k)
{
	struct both *b = data;
	const struct insn *x = &b->code[CODE_BASE].insns[i];
	const struct insn *y = &b->code[CODE_NEW].insns[k];

	return insn_shape(x->word) == insn_shape(y->word);
}

/* For two functions that are equal so far. */
static bool local_equal(struct both *b, size_t i, size_t k)
{
	(void)b;
	return i == k;
}

/*
 * For two that are not: accepts the counterpart of the target, or new
 * instructions right before it.
 */
static bool mapped(const int32_t *map, size_t nr, size_t i, size_t k)
{
	if (i < nr && map[i] == (int32_t)k)
		return true;
	/* find the next one with a counterpart, and the last one before it */
	for (; i < nr && map[i] < 0; i++)
		;
	if (i == nr || (size_t)map[i] < k)
		return i == nr;
	while (i && map[i - 1] < 0)
		i--;
	return !i || (size_t)map[i - 1] < k;
}

static bool local_mapped(struct both *b, size_t i, size_t k)
{
	return mapped(b->map, b->code[CODE_BASE].nr, i, k);
}

static bool has_annotations(const struct image *img, uint64_t from, uint64_t to)
{
#define ANY(t, n) (image_first(img->t, img->n, from) != \
		   image_first(img->t, img->n, to))
	return ANY(alts, nr_alts) || ANY(jumps, nr_jumps) ||
	       ANY(bugs, nr_bugs) || ANY(extables, nr_extables);
#undef ANY
}

struct code_change *add_code(struct match *m, enum change_kind kind, long base,
			     long new)
{
	struct code_change *c;
	int s;

	m->code = grow(m->code, m->nr_code, sizeof(*c));
	c = &m->code[m->nr_code++];
	*c = (struct code_change){ .kind = kind, .function = { base, new } };
	for (s = 0; s < NR_IMAGES; s++) {
		const struct image_function *f;

		if (c->function[s] < 0)
			continue;
		f = &m->image[s]->functions[c->function[s]];
		c->nr[s] = (f->end - f->start) / 4;
		c->state[s] = xcalloc(c->nr[s] + 1, 1);
		if (kind != CHANGED) {
			memset(c->state[s], INSN_ALONE, c->nr[s]);
			c->alone[s] = c->nr[s];
		}
	}
	if (kind == CHANGED) {
		c->map = xcalloc(c->nr[CODE_BASE] + 1, sizeof(*c->map));
		memset(c->map, 0xff, c->nr[CODE_BASE] * sizeof(*c->map));
	}
	return c;
}

static void count_states(struct code_change *c)
{
	size_t i;
	int s;

	c->altered = 0;
	for (s = 0; s < NR_IMAGES; s++) {
		c->alone[s] = 0;
		for (i = 0; i < c->nr[s]; i++) {
			c->alone[s] += c->state[s][i] == INSN_ALONE;
			if (s == CODE_NEW)
				c->altered += c->state[s][i] == INSN_ALTERED;
		}
	}
}

static void align_code(struct both *b, struct code_change *c)
{
	const size_t *nr = c->nr;
	int32_t *rough;
	size_t i;

	/* branch targets are compared after both are aligned */
	b->local = NULL;
	align(nr[CODE_BASE], nr[CODE_NEW], same_insn, b, c->map);
	memset(c->state[CODE_BASE], INSN_ALONE, nr[CODE_BASE]);
	memset(c->state[CODE_NEW], INSN_ALONE, nr[CODE_NEW]);
	rough = xcalloc(nr[CODE_BASE] + 1, sizeof(*rough));
	memcpy(rough, c->map, nr[CODE_BASE] * sizeof(*rough));
	align_gaps(nr[CODE_BASE], nr[CODE_NEW], same_shape, b, rough);
	b->local = local_mapped;
	b->map = rough;
	for (i = 0; i < nr[CODE_BASE]; i++) {
		uint8_t state = INSN_ALTERED;

		if (rough[i] < 0)
			continue;
		if (c->map[i] >= 0 && same_insn(b, i, rough[i]))
			state = INSN_SAME;
		c->state[CODE_BASE][i] = state;
		c->state[CODE_NEW][rough[i]] = state;
	}
	free(c->map);
	c->map = rough;
	count_states(c);
}

void compare_code(struct match *m, long base, long new)
{
	const struct image_function *f[NR_IMAGES] = {
		&m->image[CODE_BASE]->functions[base],
		&m->image[CODE_NEW]->functions[new],
	};
	struct both b = { .m = m, .function = { base, new },
			  .local = local_equal };
	size_t i, inner = m->refs->nr_inner;
	bool same;
	int s;

	for (s = 0; s < NR_IMAGES; s++) {
		b.code[s] = insns_of(m->image[s], f[s]);
		b.annotated |= has_annotations(m->image[s], f[s]->start,
					       f[s]->end);
	}
	same = b.code[CODE_BASE].nr == b.code[CODE_NEW].nr;
	for (i = 0; same && i < b.code[CODE_BASE].nr; i++)
		same = same_insn(&b, i, i);
	if (!same) {
		m->refs->nr_inner = inner;
		align_code(&b, add_code(m, CHANGED, base, new));
	}
	for (s = 0; s < NR_IMAGES; s++)
		insns_free(&b.code[s]);
}

/* --- references into the midst of other functions --- */

/*
 * Returns the change of a function of base; NULL if there is none. @change: the
 * number of each function's change + 1; 0: none.
 */
static struct code_change *change_of(struct match *m, const size_t *change,
				     long base)
{
	return change[base] ? &m->code[change[base] - 1] : NULL;
}

static bool same_inner(struct match *m, const size_t *change,
		       const struct inner_ref *r)
{
	long f = image_function(m->image[CODE_BASE], r->to[CODE_BASE]);
	long g = m->partner[CODE_BASE][f];
	uint64_t i = (r->to[CODE_BASE] -
		      m->image[CODE_BASE]->functions[f].start) / 4;
	uint64_t k = (r->to[CODE_NEW] -
		      m->image[CODE_NEW]->functions[g].start) / 4;
	const struct code_change *c = change_of(m, change, f);

	return c ? mapped(c->map, c->nr[CODE_BASE], i, k) : i == k;
}

void check_inner(struct match *m)
{
	size_t *change = xcalloc(m->image[CODE_BASE]->nr_functions,
				 sizeof(*change));
	size_t i, k;

	for (i = 0; i < m->nr_code; i++)
		change[m->code[i].function[CODE_BASE]] = i + 1;
	for (i = 0; i < m->refs->nr_inner; i++) {
		const struct inner_ref *r = &m->refs->inner[i];
		struct code_change *c;
		int s;

		if (same_inner(m, change, r))
			continue;
		c = change_of(m, change, r->function[CODE_BASE]);
		if (!c) {
			c = add_code(m, CHANGED, r->function[CODE_BASE],
				     r->function[CODE_NEW]);
			change[r->function[CODE_BASE]] = m->nr_code;
			for (k = 0; k < c->nr[CODE_BASE]; k++)
				c->map[k] = k;
		}
		for (s = 0; s < NR_IMAGES; s++)
			c->state[s][r->insn[s]] = INSN_ALTERED;
	}
	for (i = 0; i < m->nr_code; i++)
		count_states(&m->code[i]);
	free(change);
}
