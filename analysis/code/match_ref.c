// SPDX-License-Identifier: GPL-2.0
/* Compares references of two images. See match_parts.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/match_parts.h"
#include "analysis/code/normal.h"
#include "lib/util.h"

/* --- names --- */

size_t unnumbered(const char *name)
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
	/* not every image has the file names of its local symbols */
	return same_name(a->name, b->name) &&
	       (!*a->file || !*b->file || !strcmp(a->file, b->file));
}

/* --- what is referred to --- */

static void add_ref(struct match *m, int s, uint64_t to)
{
	const struct image_section *sec = image_section(m->image[s], to);
	struct match_refs *r = m->refs;

	if (!sec || sec->code)
		return;
	r->at[s] = grow(r->at[s], r->nr[s], sizeof(uint64_t));
	r->at[s][r->nr[s]++] = to;
}

void collect_refs(struct match *m, int s)
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

/*
 * Returns the most bytes that an unnamed object can have. Its size is not
 * recorded, but it ends before the next object that is referred to.
 */
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

/*
 * Data that differ in every build, or contain positions in a file: line numbers
 * of pr_debug() and of the index of printk formats.
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

/* --- references --- */

#define MAX_DEPTH	4

static bool has_name(const struct image *img, uint64_t addr)
{
	return image_object(img, addr) || image_function(img, addr) >= 0;
}

/* Returns whether two place-relative offsets refer to the same named object. */
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
 * Returns whether two words of data that differ are place-relative offsets to
 * the same objects: one of 64 bits or two of 32, which the kernel uses where
 * pointers would need relocations.
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

uint64_t data_differs(struct match *m, const uint64_t at[], uint64_t len,
		      const char *name, unsigned int depth)
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

/* Returns whether both sides have the same name for exactly this address. */
static bool same_label(struct match *m, const uint64_t to[])
{
	const struct image *a = m->image[CODE_BASE], *b = m->image[CODE_NEW];
	size_t i = image_symbols_from(a, to[CODE_BASE]), k;

	for (; i < a->nr_symbols && a->symbols[i].start == to[CODE_BASE]; i++) {
		/*
		 * a numbered name is one of several, unless the object is
		 * empty, as a lock class's key
		 */
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

/*
 * Returns 1 if both addresses are in, or right behind (@back 1), the same
 * object, 0 if they are in different ones, and -1 if they are in none.
 */
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
	/* one of several of that name: compare contents */
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

/*
 * Returns "__start_x" if @addr is in that table, before "__stop_x"; else NULL.
 */
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

/*
 * Returns whether both are the same position in a table. Its entries are
 * compared with the code.
 */
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
	/* code outside of functions, such as alternatives: can't be compared */
	if (f[CODE_BASE] < 0 || f[CODE_NEW] < 0)
		return f[CODE_BASE] == f[CODE_NEW];
	return m->partner[CODE_BASE][f[CODE_BASE]] == f[CODE_NEW] &&
	       (to[CODE_BASE] == m->image[CODE_BASE]->functions[f[CODE_BASE]].start) ==
	       (to[CODE_NEW] == m->image[CODE_NEW]->functions[f[CODE_NEW]].start);
}

/*
 * Accepts addresses next to a symbol: PAGE_ALIGN(_end) has the address _end +
 * 0xfff, the last byte of a range _end - 1.
 */
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

bool same_ref(struct match *m, const uint64_t to[], unsigned int depth)
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
	/* only one side's object has a name */
	if (image_object(m->image[CODE_BASE], to[CODE_BASE]) ||
	    image_object(m->image[CODE_NEW], to[CODE_NEW]))
		return false;
	return same_unnamed(m, to, depth);
}
