// SPDX-License-Identifier: GPL-2.0
/* See match.h. */
#include "analysis/code/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/align.h"
#include "analysis/code/normal.h"
#include "lib/util.h"

/* --- names --- */

size_t plain_name(const char *name)
{
	static const char *const clone[] = {
		".isra.", ".constprop.", ".part.", ".cold", ".llvm.",
	};
	const char *dot = name;
	size_t i;

	while ((dot = strchr(dot + 1, '.')))
		for (i = 0; i < ARRAY_SIZE(clone); i++)
			if (!strncmp(dot, clone[i], strlen(clone[i])))
				return dot - name;
	return strlen(name);
}

/*
 * The compiler numbers statics of functions (__func__.12) and the kernel what
 * has to be unique (__UNIQUE_ID_x12), through all of a file: the number says
 * nothing.
 */
static size_t unnumbered(const char *name)
{
	size_t len = strlen(name), n = len;

	if (!strncmp(name, "__UNIQUE_ID_", 12)) {
		while (n && (isdigit((unsigned char)name[n - 1]) ||
			     name[n - 1] == '.'))
			n--;
		return n;
	}
	for (;;) {
		while (n && isdigit((unsigned char)name[n - 1]))
			n--;
		if (n < 2 || n == len || name[n - 1] != '.')
			return len;
		len = --n;
	}
}

static bool numbered(const char *name)
{
	return name[unnumbered(name)];
}

static bool same_name(const char *a, const char *b)
{
	size_t n = unnumbered(a), m = unnumbered(b);

	return n == m && !memcmp(a, b, n);
}

static bool same_symbol(const struct image_symbol *a,
			const struct image_symbol *b)
{
	/* not every image names the files of its local symbols */
	return same_name(a->name, b->name) &&
	       (!*a->file || !*b->file || !strcmp(a->file, b->file));
}

/* --- unnamed data that is referred to --- */

/*
 * Nothing says how long an unnamed object is. It ends at the latest where
 * another is referred to.
 */
struct match_refs {
	uint64_t *at[NR_IMAGES];
	size_t nr[NR_IMAGES];
	/* references into the midst of functions, looked at in the end */
	struct inner_ref {
		long function[NR_IMAGES];
		uint32_t insn[NR_IMAGES];
		uint64_t to[NR_IMAGES];
	} *inner;
	size_t nr_inner;
	bool files;		/* both images name files */
};

static void add_ref(struct match *m, int s, uint64_t to)
{
	const struct image_section *sec = image_section(m->image[s], to);
	struct match_refs *r = m->refs;

	if (!sec || sec->code)
		return;
	r->at[s] = grow(r->at[s], r->nr[s], sizeof(uint64_t));
	r->at[s][r->nr[s]++] = to;
}

static void collect_refs(struct match *m, int s)
{
	const struct image *img = m->image[s];
	struct match_refs *r = m->refs;
	size_t i, k, n = 0;

	for (i = 0; i < img->nr_functions; i++) {
		struct insns c = insns_of(img, &img->functions[i]);

		for (k = 0; k < c.nr; k++)
			if (c.insns[k].kind == I_REF)
				add_ref(m, s, c.insns[k].to);
		insns_free(&c);
	}
	for (i = 0; i < img->nr_relocs; i++)
		add_ref(m, s, img->relocs[i].to);
	for (i = 0; i < img->nr_bugs; i++)
		add_ref(m, s, img->bugs[i].file);
	for (i = 0; i < img->nr_symbols; i++)
		add_ref(m, s, img->symbols[i].start);
	if (!r->nr[s])
		return;
	qsort(r->at[s], r->nr[s], sizeof(uint64_t), cmp_u64);
	for (i = 0; i < r->nr[s]; i++)
		if (!n || r->at[s][n - 1] != r->at[s][i])
			r->at[s][n++] = r->at[s][i];
	r->nr[s] = n;
}

#define UNNAMED_MAX	4096	/* bytes */

static size_t unnamed_length(const struct match *m, int s, uint64_t at)
{
	const struct match_refs *r = m->refs;
	const struct image_section *sec = image_section(m->image[s], at);
	size_t i = image_first(r->at[s], r->nr[s], at + 1);
	uint64_t end = sec->end;

	if (i < r->nr[s] && r->at[s][i] < end)
		end = r->at[s][i];
	return end - at < UNNAMED_MAX ? end - at : UNNAMED_MAX;
}

/* --- references --- */

#define MAX_DEPTH	4

static bool same_ref(struct match *m, const uint64_t to[], unsigned int depth);

static uint64_t mask_of(const char *name, uint64_t offset);

static bool has_name(const struct image *img, uint64_t addr)
{
	return image_object(img, addr) || image_function(img, addr) >= 0;
}

/* Offsets from where they stand, to something of the same name. */
static bool same_offset(struct match *m, const uint64_t at[],
			const int64_t off[], unsigned int depth)
{
	uint64_t to[NR_IMAGES];
	int s;

	for (s = 0; s < NR_IMAGES; s++) {
		to[s] = at[s] + off[s];
		if (!has_name(m->image[s], to[s]))
			return false;
	}
	return same_ref(m, to, depth + 1);
}

/*
 * Two words of data that differ: are they place-relative, one of 64 bits or two
 * of 32, as the kernel has them where pointers would take relocations?
 */
static bool same_offsets(struct match *m, const uint64_t at[], uint64_t i,
			 const uint64_t word[], unsigned int depth)
{
	const uint64_t low[NR_IMAGES] = { at[CODE_BASE] + i, at[CODE_NEW] + i };
	const uint64_t high[NR_IMAGES] = { low[CODE_BASE] + 4,
		low[CODE_NEW] + 4 };
	int64_t whole[NR_IMAGES], first[NR_IMAGES], second[NR_IMAGES];
	int s;

	for (s = 0; s < NR_IMAGES; s++) {
		whole[s] = word[s];
		first[s] = (int32_t)word[s];
		second[s] = (int32_t)(word[s] >> 32);
	}
	return same_offset(m, low, whole, depth) ||
	       ((first[CODE_BASE] == first[CODE_NEW] ||
		 same_offset(m, low, first, depth)) &&
		(second[CODE_BASE] == second[CODE_NEW] ||
		 same_offset(m, high, second, depth)));
}

/* The first difference of two stretches of data, pointers by what they are to;
 * @len if there is none. */
static uint64_t data_differs(struct match *m, const uint64_t at[],
			     uint64_t len, const char *name,
			     unsigned int depth)
{
	const unsigned char *p[NR_IMAGES];
	uint64_t i, to[NR_IMAGES], word[NR_IMAGES];
	int s;

	for (s = 0; s < NR_IMAGES; s++)
		p[s] = image_bytes(m->image[s], at[s], len);
	if (!p[CODE_BASE] || !p[CODE_NEW])
		return !p[CODE_BASE] == !p[CODE_NEW] ? len : 0;
	for (i = 0; i < len;) {
		bool pointer[NR_IMAGES];
		size_t n = len - i < 8 ? len - i : 8;
		uint64_t mask;

		if ((at[CODE_BASE] + i) & 7)
			n = 1;
		for (s = 0; s < NR_IMAGES; s++) {
			pointer[s] = n == 8 && image_pointer(m->image[s],
							     at[s] + i, &to[s]);
			word[s] = 0;
			memcpy(&word[s], p[s] + i, n);
		}
		if (pointer[CODE_BASE] != pointer[CODE_NEW])
			return i;
		mask = n == 8 && name ? mask_of(name, i) : ~0ULL;
		if (pointer[CODE_BASE]) {
			if (!same_ref(m, to, depth + 1))
				return i;
		} else if ((word[CODE_BASE] ^ word[CODE_NEW]) & mask) {
			if (n < 8 || !same_offsets(m, at, i, word, depth))
				return i;
		}
		i += n;
	}
	return len;
}

/* Any name that both have for exactly this place. */
static bool same_label(struct match *m, const uint64_t to[])
{
	const struct image *a = m->image[CODE_BASE], *b = m->image[CODE_NEW];
	size_t i = image_symbols_from(a, to[CODE_BASE]), k;

	for (; i < a->nr_symbols && a->symbols[i].start == to[CODE_BASE]; i++) {
		/* one of several, unless it is empty: a lock class's key */
		if (numbered(a->symbols[i].name) &&
		    a->symbols[i].end > a->symbols[i].start)
			continue;
		k = image_symbols_from(b, to[CODE_NEW]);
		for (; k < b->nr_symbols && b->symbols[k].start == to[CODE_NEW];
		     k++)
			if (same_symbol(&a->symbols[i], &b->symbols[k]))
				return true;
	}
	return false;
}

/* In, or right behind (@back 1), the same object? 1 yes, 0 no, -1 in none. */
static int in_same_object(struct match *m, const uint64_t to[],
			  uint64_t back, unsigned int depth)
{
	const struct image_symbol *o[NR_IMAGES];
	uint64_t at[NR_IMAGES], size;
	int s;

	for (s = 0; s < NR_IMAGES; s++) {
		o[s] = image_object(m->image[s], to[s] - back);
		if (!o[s] || (back && o[s]->end != to[s]))
			return -1;
		at[s] = o[s]->start;
	}
	if (!same_symbol(o[CODE_BASE], o[CODE_NEW]) ||
	    (!back && to[CODE_BASE] - at[CODE_BASE] !=
	     to[CODE_NEW] - at[CODE_NEW]))
		return 0;
	if (!numbered(o[CODE_BASE]->name) || depth >= MAX_DEPTH)
		return 1;
	/* one of several: told apart by contents */
	size = o[CODE_BASE]->end - at[CODE_BASE];
	return size == o[CODE_NEW]->end - at[CODE_NEW] &&
	       data_differs(m, at, size, o[CODE_BASE]->name, depth) == size;
}

static size_t text_length(const struct image *img, uint64_t at)
{
	const struct image_section *sec = image_section(img, at);
	const unsigned char *p = image_bytes(img, at, 1);
	size_t i, max;

	if (!p)
		return 0;
	max = sec->end - at;
	/* \001 begins the level of a printk() */
	for (i = 0; i < max && p[i]; i++)
		if (!isprint(p[i]) && !isspace(p[i]) && p[i] != 1 &&
		    p[i] < 0x80)
			return 0;
	return i < max ? i : 0;
}

/* "__start_x" if @addr is in that table, before "__stop_x"; NULL. */
static const struct image_symbol *table_of(const struct image *img,
					   uint64_t addr)
{
	size_t i = image_symbols_from(img, addr + 1);
	const struct image_symbol *s = i ? &img->symbols[i - 1] : NULL, *stop;
	char *name;

	if (!s || strncmp(s->name, "__start_", 8))
		return NULL;
	name = xasprintf("__stop_%s", s->name + 8);
	stop = image_named(img, name);
	free(name);
	return stop && addr < stop->start ? s : NULL;
}

/* The same place of a table, whose entries are compared with the code. */
static bool same_entry_of_table(struct match *m, const uint64_t to[])
{
	const struct image_symbol *a = table_of(m->image[CODE_BASE],
						to[CODE_BASE]);
	const struct image_symbol *b = table_of(m->image[CODE_NEW],
						to[CODE_NEW]);

	return a && b && same_symbol(a, b) &&
	       to[CODE_BASE] - a->start == to[CODE_NEW] - b->start;
}

static bool same_unnamed(struct match *m, const uint64_t to[],
			 unsigned int depth)
{
	size_t len[NR_IMAGES], n;
	int s;

	for (s = 0; s < NR_IMAGES; s++)
		len[s] = text_length(m->image[s], to[s]);
	if (len[CODE_BASE] || len[CODE_NEW])
		return len[CODE_BASE] == len[CODE_NEW] &&
		       !memcmp(image_bytes(m->image[CODE_BASE], to[CODE_BASE], 1),
			       image_bytes(m->image[CODE_NEW], to[CODE_NEW], 1),
			       len[CODE_BASE]);
	for (s = 0; s < NR_IMAGES; s++)
		len[s] = unnamed_length(m, s, to[s]);
	if (same_entry_of_table(m, to))
		return true;
	n = len[CODE_BASE] < len[CODE_NEW] ? len[CODE_BASE] : len[CODE_NEW];
	return depth >= MAX_DEPTH || data_differs(m, to, n, NULL, depth) == n;
}

static bool same_code_ref(struct match *m, const uint64_t to[])
{
	long f[NR_IMAGES];
	int s;

	for (s = 0; s < NR_IMAGES; s++)
		f[s] = image_function(m->image[s], to[s]);
	/* instructions of an alternative, say: nothing tells what they are */
	if (f[CODE_BASE] < 0 || f[CODE_NEW] < 0)
		return f[CODE_BASE] == f[CODE_NEW];
	return m->partner[CODE_BASE][f[CODE_BASE]] == f[CODE_NEW] &&
	       (to[CODE_BASE] == m->image[CODE_BASE]->functions[f[CODE_BASE]].start) ==
	       (to[CODE_NEW] == m->image[CODE_NEW]->functions[f[CODE_NEW]].start);
}

/* PAGE_ALIGN(_end) has the address _end + 0xfff, a range's last byte _end - 1. */
static bool same_beside(struct match *m, const uint64_t to[])
{
	static const int64_t beside[] = { -0xfff, 1 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(beside); i++) {
		const uint64_t at[NR_IMAGES] = { to[CODE_BASE] + beside[i],
			to[CODE_NEW] + beside[i] };

		if (same_label(m, at))
			return true;
	}
	return false;
}

static bool same_ref(struct match *m, const uint64_t to[], unsigned int depth)
{
	const struct image_section *sec[NR_IMAGES];
	int s, in;

	if (same_label(m, to) || same_beside(m, to))
		return true;
	for (s = 0; s < NR_IMAGES; s++)
		sec[s] = image_section(m->image[s], to[s]);
	if (sec[CODE_BASE] && sec[CODE_NEW] &&
	    sec[CODE_BASE]->code != sec[CODE_NEW]->code)
		return false;
	if (sec[CODE_BASE] && sec[CODE_NEW] && sec[CODE_BASE]->code)
		return same_code_ref(m, to);
	in = in_same_object(m, to, 0, depth);
	if (in == 1 || in_same_object(m, to, 1, depth) == 1)
		return true;
	if (!in)
		return false;
	if (!sec[CODE_BASE] || !sec[CODE_NEW])
		return !sec[CODE_BASE] && !sec[CODE_NEW] &&
		       to[CODE_BASE] == to[CODE_NEW];
	/* one side's has a name and the other's has none */
	if (image_object(m->image[CODE_BASE], to[CODE_BASE]) ||
	    image_object(m->image[CODE_NEW], to[CODE_NEW]))
		return false;
	return same_unnamed(m, to, depth);
}

/* --- instructions --- */

struct both {
	struct match *m;
	struct insns code[NR_IMAGES];
	long function[NR_IMAGES];
	bool annotated;		/* the kernel's tables know of it */
	/* NULL: targets in the function are not compared */
	bool (*local)(struct both *b, size_t i, size_t k);
	const int32_t *map;
};

static bool own(const struct insns *c, uint64_t to, size_t *i)
{
	*i = (to - c->start) / 4;
	return to >= c->start && *i < c->nr;
}

/* Two targets of instructions @at of the two sides. */
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

/* Not its line: that changes with what stands above it. */
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

/* The entries of a table for instructions @at: as many, and the same. */
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

/* "The end of a table, less one" is no address of anything. */
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

/* In two functions that are the same so far. */
static bool local_equal(struct both *b, size_t i, size_t k)
{
	(void)b;
	return i == k;
}

/*
 * In two that are not: the counterpart of the target, or instructions that are
 * new right before it.
 */
static bool mapped(const int32_t *map, size_t nr, size_t i, size_t k)
{
	if (i < nr && map[i] == (int32_t)k)
		return true;
	/* the next one that has a counterpart, and the last before it */
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

static struct code_change *add_code(struct match *m, enum change_kind kind,
				    long base, long new)
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

	/* where control goes to is looked at once both are aligned */
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

static void compare_code(struct match *m, long base, long new)
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

/* --- which function is which --- */

struct named {
	const char *name, *file;
	size_t len;		/* of the name, as far as it counts */
	long index;
	uint64_t weight;	/* its size, and words that are never addresses */
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	size_t n = x->len < y->len ? x->len : y->len;
	int c = memcmp(x->name, y->name, n);

	if (!c)
		c = x->len < y->len ? -1 : x->len > y->len;
	if (!c)
		c = strcmp(x->file, y->file);
	if (!c)
		c = x->index < y->index ? -1 : x->index > y->index;
	return c;
}

static int by_group(const struct named *x, const struct named *y)
{
	struct named a = *x, b = *y;

	a.index = b.index = 0;
	return by_name(&a, &b);
}

/* What two functions of one name and file are told apart by. */
static uint64_t weigh(const struct image *img, const struct image_function *f)
{
	const unsigned char *p = image_bytes(img, f->start, f->end - f->start);
	uint64_t h = f->end - f->start, i;
	uint32_t w;

	for (i = 0; p && i + 4 <= f->end - f->start; i += 4) {
		memcpy(&w, p + i, 4);
		h = h * 31 + insn_shape(w);
	}
	return h;
}

/* Pairs up a group of one name: alike ones first, then in their order. */
static void pair_group(struct match *m, struct named *a, size_t na,
		       struct named *b, size_t nb)
{
	size_t i, k;
	int alike;

	for (alike = na > 1 || nb > 1; alike >= 0; alike--) {
		for (i = 0; i < na; i++) {
			if (m->partner[CODE_BASE][a[i].index] >= 0)
				continue;
			for (k = 0; k < nb; k++)
				if (m->partner[CODE_NEW][b[k].index] < 0 &&
				    (!alike || a[i].weight == b[k].weight))
					break;
			if (k == nb)
				continue;
			m->partner[CODE_BASE][a[i].index] = b[k].index;
			m->partner[CODE_NEW][b[k].index] = a[i].index;
		}
	}
}

enum { BY_ALL, BY_WHOLE_NAME, BY_PLAIN_NAME, NR_ROUNDS };

static struct named *left_over(const struct match *m, int s, int round,
			       size_t *nr)
{
	const struct image *img = m->image[s];
	struct named *v = xcalloc(img->nr_functions + 1, sizeof(*v));
	size_t i;

	*nr = 0;
	for (i = 0; i < img->nr_functions; i++) {
		const struct image_function *f = &img->functions[i];

		if (m->partner[s][i] >= 0)
			continue;
		v[(*nr)++] = (struct named){ f->name,
			round == BY_WHOLE_NAME || !m->refs->files ? "" : f->file,
			round == BY_PLAIN_NAME ? plain_name(f->name) :
			strlen(f->name), i, weigh(img, f) };
	}
	qsort(v, *nr, sizeof(*v), by_name);
	return v;
}

static void pair_functions(struct match *m, int round)
{
	size_t na, nb, i = 0, k = 0;
	struct named *a = left_over(m, CODE_BASE, round, &na);
	struct named *b = left_over(m, CODE_NEW, round, &nb);

	while (i < na && k < nb) {
		int c = by_group(&a[i], &b[k]);
		size_t ie = i, ke = k;

		while (ie < na && !by_group(&a[i], &a[ie]))
			ie++;
		while (ke < nb && !by_group(&b[k], &b[ke]))
			ke++;
		if (!c)
			pair_group(m, a + i, ie - i, b + k, ke - k);
		if (c <= 0)
			i = ie;
		if (c >= 0)
			k = ke;
	}
	free(a);
	free(b);
}

/* --- references into the midst of other functions --- */

/* The change of each of base's functions, as its number and 1; 0: none. */
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

/* foo.cold goes back into foo: to where it went before? */
static void check_inner(struct match *m)
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

/* --- data --- */

/*
 * What is different in every build, or says where in a file something stands:
 * line numbers of pr_debug() and of the index of printk formats.
 */
static const struct {
	const char *name;
	uint64_t offset, mask;	/* of a word; offset ~0: all of it */
} ignored[] = {
	{ "linux_banner", ~0ULL, 0 },
	{ "linux_proc_banner", ~0ULL, 0 },
	{ "init_uts_ns", ~0ULL, 0 },
	{ "vermagic", ~0ULL, 0 },
	{ "__UNIQUE_ID_ddebug", 32, ~0x3ffffULL },
	{ "_entry", 24, ~0xffffffffULL },
};

static uint64_t mask_of(const char *name, uint64_t offset)
{
	size_t i, len = unnumbered(name);

	for (i = 0; i < ARRAY_SIZE(ignored); i++)
		if (strlen(ignored[i].name) == len &&
		    !memcmp(ignored[i].name, name, len) &&
		    (ignored[i].offset == ~0ULL ||
		     ignored[i].offset == offset))
			return ignored[i].mask;
	return ~0ULL;
}

/* Sections that say where code is, or describe types. */
static bool data_section(const struct image_section *s)
{
	static const char *const not[] = {
		".BTF", ".altinstr", "__jump_table", "__ex_table",
		"__bug_table", ".hyp.reloc", ".rela", ".relr", ".notes",
		".modinfo", "__mcount_loc", ".dyn", ".got",
	};
	size_t i;

	if (!s || s->code)
		return false;
	for (i = 0; i < ARRAY_SIZE(not); i++)
		if (!strncmp(s->name, not[i], strlen(not[i])))
			return false;
	return true;
}

static struct named *objects_of(const struct match *m, int s, size_t *nr)
{
	const struct image *img = m->image[s];
	struct named *v = xcalloc(img->nr_symbols + 1, sizeof(*v));
	size_t i;

	*nr = 0;
	for (i = 0; i < img->nr_symbols; i++) {
		const struct image_symbol *o = &img->symbols[i];

		if (o->object && o->end > o->start &&
		    data_section(image_section(img, o->start)))
			v[(*nr)++] = (struct named){ o->name,
				m->refs->files ? o->file : "",
				unnumbered(o->name), i, o->end - o->start };
	}
	qsort(v, *nr, sizeof(*v), by_name);
	return v;
}

static void add_data(struct match *m, enum change_kind kind, long base,
		     long new, uint64_t offset)
{
	m->data = grow(m->data, m->nr_data, sizeof(*m->data));
	m->data[m->nr_data++] = (struct data_change){ kind, {
		base < 0 ? NULL : &m->image[CODE_BASE]->symbols[base],
		new < 0 ? NULL : &m->image[CODE_NEW]->symbols[new] }, offset };
}

/* The offset at which two objects differ; their size if they do not. */
static uint64_t object_differs(struct match *m, const struct named *a,
			       const struct named *b)
{
	const uint64_t at[NR_IMAGES] = {
		m->image[CODE_BASE]->symbols[a->index].start,
		m->image[CODE_NEW]->symbols[b->index].start,
	};
	uint64_t len = a->weight < b->weight ? a->weight : b->weight;

	return data_differs(m, at, len, a->name, 0);
}

static bool object_same(struct match *m, const struct named *a,
			const struct named *b)
{
	return a->weight == b->weight && object_differs(m, a, b) == a->weight;
}

/* Of one name: equal ones are the same, the others are paired in order. */
static void compare_objects(struct match *m, struct named *a, size_t na,
			    struct named *b, size_t nb)
{
	bool *taken = xcalloc(nb + 1, sizeof(*taken));
	size_t i, k, n = 0;

	for (i = 0; i < na; i++) {
		for (k = 0; k < nb; k++)
			if (!taken[k] && object_same(m, &a[i], &b[k]))
				break;
		if (k < nb)
			taken[k] = true;
		else
			a[n++] = a[i];
	}
	for (i = 0, k = 0; i < n; i++) {
		while (k < nb && taken[k])
			k++;
		if (k == nb) {
			add_data(m, GONE, a[i].index, -1, 0);
			continue;
		}
		taken[k] = true;
		add_data(m, CHANGED, a[i].index, b[k].index,
			 object_differs(m, &a[i], &b[k]));
	}
	for (k = 0; k < nb; k++)
		if (!taken[k])
			add_data(m, ADDED, -1, b[k].index, 0);
	free(taken);
}

static void compare_data(struct match *m)
{
	size_t na, nb, i = 0, k = 0;
	struct named *a = objects_of(m, CODE_BASE, &na);
	struct named *b = objects_of(m, CODE_NEW, &nb);

	while (i < na || k < nb) {
		int c = i == na ? 1 : k == nb ? -1 : by_group(&a[i], &b[k]);
		size_t ie = i, ke = k;

		while (c <= 0 && ie < na && !by_group(&a[i], &a[ie]))
			ie++;
		while (c >= 0 && ke < nb && !by_group(&b[k], &b[ke]))
			ke++;
		compare_objects(m, a + i, ie - i, b + k, ke - k);
		i = ie;
		k = ke;
	}
	free(a);
	free(b);
}

/* Tables whose entries have no size: 32-bit offsets to functions. */
static const struct {
	const char *from, *to;
} tables[] = {
	{ "__initcall_start", "__initcall_end" },
	{ "__start___tracepoints_ptrs", "__stop___tracepoints_ptrs" },
};

static bool same_table_entry(struct match *m, const uint64_t at[], uint64_t i)
{
	uint64_t to[NR_IMAGES];
	int s;

	for (s = 0; s < NR_IMAGES; s++) {
		const unsigned char *p = image_bytes(m->image[s], at[s] + i, 4);
		int32_t off;

		if (!p)
			return true;
		memcpy(&off, p, 4);
		to[s] = at[s] + i + off;
	}
	return same_ref(m, to, 0);
}

static void match_table(struct match *m, const char *from, const char *to)
{
	const struct image_symbol *a, *b[NR_IMAGES];
	uint64_t at[NR_IMAGES], len[NR_IMAGES], least, i;
	int s;

	for (s = 0; s < NR_IMAGES; s++) {
		b[s] = image_named(m->image[s], from);
		a = image_named(m->image[s], to);
		if (!a || !b[s] || a->start < b[s]->start)
			return;
		at[s] = b[s]->start;
		len[s] = a->start - at[s];
	}
	least = len[CODE_BASE] < len[CODE_NEW] ? len[CODE_BASE] : len[CODE_NEW];
	for (i = 0; i + 4 <= least && same_table_entry(m, at, i); i += 4)
		;
	if (i + 4 <= least || len[CODE_BASE] != len[CODE_NEW])
		add_data(m, CHANGED, b[CODE_BASE] - m->image[CODE_BASE]->symbols,
			 b[CODE_NEW] - m->image[CODE_NEW]->symbols, i);
}

/* --- all of it --- */

static int by_address(const void *a, const void *b)
{
	const struct code_change *x = a, *y = b;
	long i = x->function[CODE_NEW], k = y->function[CODE_NEW];

	if ((i < 0) != (k < 0))
		return i < 0 ? 1 : -1;
	if (i < 0) {
		i = x->function[CODE_BASE];
		k = y->function[CODE_BASE];
	}
	return i < k ? -1 : i > k;
}

static bool names_files(const struct image *img)
{
	size_t i;

	for (i = 0; i < img->nr_symbols; i++)
		if (*img->symbols[i].file)
			return true;
	return false;
}

struct match *match_images(const struct image *base, const struct image *new)
{
	struct match *m = xcalloc(1, sizeof(*m));
	size_t i;
	int s;

	m->image[CODE_BASE] = base;
	m->image[CODE_NEW] = new;
	m->refs = xcalloc(1, sizeof(*m->refs));
	m->refs->files = names_files(base) && names_files(new);
	for (s = 0; s < NR_IMAGES; s++) {
		const struct image *img = m->image[s];

		m->partner[s] = xcalloc(img->nr_functions, sizeof(long));
		memset(m->partner[s], 0xff, img->nr_functions * sizeof(long));
		collect_refs(m, s);
	}
	for (s = 0; s < NR_ROUNDS; s++)
		pair_functions(m, s);
	for (i = 0; i < base->nr_functions; i++)
		if (m->partner[CODE_BASE][i] >= 0)
			compare_code(m, i, m->partner[CODE_BASE][i]);
	check_inner(m);
	for (i = 0; i < base->nr_functions; i++)
		if (m->partner[CODE_BASE][i] < 0)
			add_code(m, GONE, i, -1);
	for (i = 0; i < new->nr_functions; i++)
		if (m->partner[CODE_NEW][i] < 0)
			add_code(m, ADDED, -1, i);
	m->nr_functions = new->nr_functions;
	for (i = 0; i < base->nr_functions; i++)
		m->nr_moved += m->partner[CODE_BASE][i] >= 0 &&
			base->functions[i].start !=
			new->functions[m->partner[CODE_BASE][i]].start;
	if (m->nr_code)
		qsort(m->code, m->nr_code, sizeof(*m->code), by_address);
	compare_data(m);
	for (i = 0; i < ARRAY_SIZE(tables); i++)
		match_table(m, tables[i].from, tables[i].to);
	return m;
}

void match_free(struct match *m)
{
	size_t i;
	int s;

	if (!m)
		return;
	for (i = 0; i < m->nr_code; i++) {
		free(m->code[i].state[CODE_BASE]);
		free(m->code[i].state[CODE_NEW]);
		free(m->code[i].map);
	}
	for (s = 0; s < NR_IMAGES; s++) {
		free(m->refs->at[s]);
		free(m->partner[s]);
	}
	free(m->refs->inner);
	free(m->refs);
	free(m->code);
	free(m->data);
	free(m);
}
