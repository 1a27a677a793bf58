// SPDX-License-Identifier: GPL-2.0
/*
 * See match.h. Finds the counterpart of each function and object, and what
 * differs.
 */
#include "analysis/code/match.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/code/match_parts.h"
#include "analysis/code/normal.h"
#include "lib/util.h"

/* --- which function is which --- */

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

struct named {
	const char *name, *file;
	size_t len;		/* of the name without its suffix or number */
	long index;
	uint64_t weight;	/* hash of its size and masked words */
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

/* Returns a weight that distinguishes functions of the same name and file. */
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

/*
 * Pairs the functions or objects of one name: equal ones first, then in their
 * order.
 */
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

/* --- data --- */

/*
 * Returns whether a section contains data, rather than locations of code or
 * descriptions of types.
 */
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

/*
 * Returns the offset of the first difference of two objects; their size if they
 * are equal.
 */
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

/* Compares objects of one name: pairs equal ones, and the others in order. */
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

/* Tables whose entries have no size: 32-bit offsets of functions. */
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
