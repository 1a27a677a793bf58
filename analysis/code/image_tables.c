// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's tables about its code: what it patches, where it warns, and
 * where it may fault.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/code/image.h"
#include "lib/util.h"

static const struct image_section *section_named(const struct image *img,
						 const char *name)
{
	size_t i;

	for (i = 0; i < img->nr_sections; i++)
		if (!strcmp(img->sections[i].name, name))
			return &img->sections[i];
	return NULL;
}

static int32_t s32_at(const unsigned char *p)
{
	int32_t v;

	memcpy(&v, p, 4);
	return v;
}

static unsigned int u16_at(const unsigned char *p)
{
	return p[0] | p[1] << 8;
}

/*
 * Returns the number of entries of @size bytes in a section, or between two
 * labels.
 */
static size_t entries(const struct image *img, const char *section,
		      const char *from, const char *to, size_t size,
		      uint64_t *start, const unsigned char **p)
{
	const struct image_section *s = section_named(img, section);
	const struct image_symbol *a, *b;
	uint64_t end;

	if (s) {
		*start = s->start;
		end = s->end;
	} else {
		a = image_named(img, from);
		b = image_named(img, to);
		if (!a || !b || b->start <= a->start)
			return 0;
		*start = a->start;
		end = b->start;
	}
	*p = image_bytes(img, *start, end - *start);
	return *p ? (end - *start) / size : 0;
}

static bool in_code(const struct image *img, uint64_t addr)
{
	const struct image_section *s = image_section(img, addr);

	return s && s->code && !(addr & 3);
}

#define ALT_SIZE	12
#define ALT_CALLBACK	0x8000	/* ARM64_CB_BIT */

static void take_alts(struct image *img)
{
	const unsigned char *p;
	uint64_t at;
	size_t nr = entries(img, ".altinstructions", "__alt_instructions",
			    "__alt_instructions_end", ALT_SIZE, &at, &p);

	for (; nr; nr--, p += ALT_SIZE, at += ALT_SIZE) {
		struct image_alt a = {
			.at = at + s32_at(p),
			.with = at + 4 + s32_at(p + 4),
			.cap = u16_at(p + 8) & ~ALT_CALLBACK,
			.callback = u16_at(p + 8) & ALT_CALLBACK,
			.len = p[10],
			.with_len = p[11],
		};

		/* skip those of the vdso and of the hypervisor */
		if (!in_code(img, a.at) || !in_code(img, a.with))
			continue;
		img->alts = grow(img->alts, img->nr_alts, sizeof(a));
		img->alts[img->nr_alts++] = a;
	}
	if (img->nr_alts)
		qsort(img->alts, img->nr_alts, sizeof(*img->alts), cmp_u64);
}

#define JUMP_SIZE	16

static void take_jumps(struct image *img)
{
	const unsigned char *p;
	uint64_t at;
	size_t nr = entries(img, "__jump_table", "__start___jump_table",
			    "__stop___jump_table", JUMP_SIZE, &at, &p);

	for (; nr; nr--, p += JUMP_SIZE, at += JUMP_SIZE) {
		int64_t key;
		struct image_jump j = {
			.at = at + s32_at(p),
			.to = at + 4 + s32_at(p + 4),
		};

		memcpy(&key, p + 8, 8);
		j.key = (at + 8 + key) & ~3ULL;
		j.inverted = (at + 8 + key) & 1;
		if (!in_code(img, j.at))
			continue;
		img->jumps = grow(img->jumps, img->nr_jumps, sizeof(j));
		img->jumps[img->nr_jumps++] = j;
	}
	if (img->nr_jumps)
		qsort(img->jumps, img->nr_jumps, sizeof(*img->jumps), cmp_u64);
}

/* With CONFIG_DEBUG_BUGVERBOSE an entry is 12 bytes, else 8. */
static void take_bugs(struct image *img)
{
	size_t size = 12, nr, i;
	const unsigned char *p;
	uint64_t at;

	nr = entries(img, "__bug_table", "__start___bug_table",
		     "__stop___bug_table", 1, &at, &p);
	for (i = 0; i + 12 <= nr; i += 12)
		if (!in_code(img, at + i + s32_at(p + i)))
			size = 8;
	for (i = 0; i + size <= nr; i += size) {
		struct image_bug b = { .at = at + i + s32_at(p + i) };

		if (size == 12) {
			b.file = at + i + 4 + s32_at(p + i + 4);
			b.line = u16_at(p + i + 8);
		}
		b.flags = u16_at(p + i + size - (size == 12 ? 2 : 4));
		if (!in_code(img, b.at))
			continue;
		img->bugs = grow(img->bugs, img->nr_bugs, sizeof(b));
		img->bugs[img->nr_bugs++] = b;
	}
	if (img->nr_bugs)
		qsort(img->bugs, img->nr_bugs, sizeof(*img->bugs), cmp_u64);
}

#define EX_SIZE		12

static void take_extables(struct image *img)
{
	const unsigned char *p;
	uint64_t at;
	size_t nr = entries(img, "__ex_table", "__start___ex_table",
			    "__stop___ex_table", EX_SIZE, &at, &p);

	for (; nr; nr--, p += EX_SIZE, at += EX_SIZE) {
		struct image_extable e = {
			.at = at + s32_at(p),
			.fixup = at + 4 + s32_at(p + 4),
			.type = u16_at(p + 8),
			.data = u16_at(p + 10),
		};

		if (!in_code(img, e.at))
			continue;
		img->extables = grow(img->extables, img->nr_extables,
				     sizeof(e));
		img->extables[img->nr_extables++] = e;
	}
	if (img->nr_extables)
		qsort(img->extables, img->nr_extables, sizeof(*img->extables),
		      cmp_u64);
}

void image_take_tables(struct image *img)
{
	take_alts(img);
	take_jumps(img);
	take_bugs(img);
	take_extables(img);
}
