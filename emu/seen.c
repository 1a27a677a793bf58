// SPDX-License-Identifier: GPL-2.0
/* See seen.h. */
#include "emu/seen.h"

#include <stdlib.h>
#include <string.h>

#include "emu/need.h"
#include "lib/insn_counts.h"

#define PAGE_INSNS	1024

/*
 * For each instruction of the page: 1 + the number of regions that had ended
 * when it first ran; 0 if it never ran.
 */
struct page {
	uint64_t start;
	uint32_t first[PAGE_INSNS];
};

struct seen {
	struct page **pages;	/* by start */
	size_t nr, max, last;
};

struct seen *seen_new(void)
{
	return need(calloc(1, sizeof(struct seen)));
}

void seen_free(struct seen *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		free(s->pages[i]);
	free(s->pages);
	free(s);
}

static struct page *page_get(struct seen *s, uint64_t start)
{
	size_t low = 0, high = s->nr;

	if (s->last < s->nr && s->pages[s->last]->start == start)
		return s->pages[s->last];
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (s->pages[mid]->start < start)
			low = mid + 1;
		else
			high = mid;
	}
	s->last = low;
	if (low < s->nr && s->pages[low]->start == start)
		return s->pages[low];
	if (s->nr == s->max) {
		s->max = s->max ? 2 * s->max : 1024;
		s->pages = need(realloc(s->pages,
					s->max * sizeof(*s->pages)));
	}
	memmove(s->pages + low + 1, s->pages + low,
		(s->nr++ - low) * sizeof(*s->pages));
	s->pages[low] = need(calloc(1, sizeof(struct page)));
	s->pages[low]->start = start;
	return s->pages[low];
}

void seen_add(struct seen *s, uint64_t pc, uint32_t nr, uint32_t regions)
{
	struct page *p;
	uint32_t i;

	if (!(pc >> 55 & 1))
		return;
	for (i = 0; i < nr; i++, pc += 4) {
		uint32_t *first;

		p = page_get(s, pc & ~(4ULL * PAGE_INSNS - 1));
		first = &p->first[pc / 4 % PAGE_INSNS];
		if (!*first)
			*first = regions + 1;
	}
}

/*
 * Calls @f, unless it is NULL, with each range of instructions that first ran
 * at the same time. Returns the number of ranges.
 */
static uint32_t ranges(const struct seen *s,
		       void (*f)(const struct region_seen *range, FILE *out),
		       FILE *out)
{
	struct region_seen r = { 0 };
	uint32_t nr = 0, k;
	size_t i;

	for (i = 0; i < s->nr; i++)
		for (k = 0; k < PAGE_INSNS; k++) {
			const struct page *p = s->pages[i];
			uint64_t pc = p->start + 4 * k;

			if (!p->first[k])
				continue;
			if (r.nr && r.pc + 4ULL * r.nr == pc &&
			    r.regions == p->first[k] - 1) {
				r.nr++;
				continue;
			}
			if (r.nr && f)
				f(&r, out);
			r = (struct region_seen){ pc, 1, p->first[k] - 1 };
			nr++;
		}
	if (r.nr && f)
		f(&r, out);
	return nr;
}

static void put_range(const struct region_seen *r, FILE *out)
{
	fwrite(r, sizeof(*r), 1, out);
}

void seen_write(const struct seen *s, FILE *out)
{
	struct regions_record head = { REC_SEEN, 0 };

	head.bytes = ranges(s, NULL, out) * sizeof(struct region_seen);
	fwrite(&head, sizeof(head), 1, out);
	ranges(s, put_range, out);
}
