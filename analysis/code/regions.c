// SPDX-License-Identifier: GPL-2.0
/* See regions.h. */
#include "analysis/code/regions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/load/select.h"
#include "lib/util.h"

/* Copies, because bodies of records are not aligned. */
static void *copy(const char **at, size_t nr, size_t size)
{
	void *p = xcalloc(nr ? nr : 1, size);

	memcpy(p, *at, nr * size);
	*at += nr * size;
	return p;
}

static int take_region(struct regions *r, const char *body, size_t bytes)
{
	struct region_run *run = r->nr_runs ? &r->runs[r->nr_runs - 1] : NULL;
	struct region_view v;
	uint32_t i;

	if (!run || bytes < sizeof(v.head))
		return -EBADMSG;
	memcpy(&v.head, body, sizeof(v.head));
	if (bytes != sizeof(v.head) +
	    (size_t)v.head.nr_nodes * sizeof(*v.nodes) +
	    (size_t)v.head.nr_cells * sizeof(*v.cells) +
	    (size_t)v.head.nr_singles * sizeof(*v.singles))
		return -EBADMSG;
	body += sizeof(v.head);
	v.nodes = copy(&body, v.head.nr_nodes, sizeof(*v.nodes));
	v.cells = copy(&body, v.head.nr_cells, sizeof(*v.cells));
	v.singles = copy(&body, v.head.nr_singles, sizeof(*v.singles));
	run->regions = grow(run->regions, run->nr, sizeof(*run->regions));
	run->regions[run->nr++] = v;
	for (i = 0; i < v.head.nr_nodes; i++)
		if (v.nodes[i].parent > i)
			return -EBADMSG;
	for (i = 0; i < v.head.nr_cells; i++)
		if (v.cells[i].node >= v.head.nr_nodes ||
		    v.cells[i].block >= r->nr_blocks)
			return -EBADMSG;
	for (i = 0; i < v.head.nr_singles; i++)
		if (v.singles[i].node >= v.head.nr_nodes ||
		    v.singles[i].block >= r->nr_blocks ||
		    v.singles[i].insn >= r->blocks[v.singles[i].block].nr)
			return -EBADMSG;
	return 0;
}

static int take_block(struct regions *r, const char *body, size_t bytes)
{
	struct region_block b;

	if (bytes < sizeof(b))
		return -EBADMSG;
	memcpy(&b, body, sizeof(b));
	if (bytes != sizeof(b) + b.nr * sizeof(uint32_t))
		return -EBADMSG;
	body += sizeof(b);
	r->blocks = grow(r->blocks, r->nr_blocks, sizeof(*r->blocks));
	r->blocks[r->nr_blocks++] = (struct region_code){
		b.pc, b.nr, copy(&body, b.nr, sizeof(uint32_t)) };
	return 0;
}

static int take_seen(struct regions *r, const char *body, size_t bytes)
{
	if (r->seen || bytes % sizeof(*r->seen))
		return -EBADMSG;
	r->nr_seen = bytes / sizeof(*r->seen);
	r->seen = copy(&body, r->nr_seen, sizeof(*r->seen));
	return 0;
}

static int take(struct regions *r, const char *data, size_t len)
{
	struct regions_record rec;
	size_t at = sizeof(struct regions_header);
	int ret = 0;

	while (at < len && !ret) {
		if (len - at < sizeof(rec))
			return -EBADMSG;
		memcpy(&rec, data + at, sizeof(rec));
		at += sizeof(rec);
		if (rec.bytes > len - at)
			return -EBADMSG;
		if (rec.type == REC_RUN) {
			r->runs = grow(r->runs, r->nr_runs, sizeof(*r->runs));
			r->runs[r->nr_runs++] = (struct region_run){ 0 };
		} else if (rec.type == REC_BLOCK) {
			ret = take_block(r, data + at, rec.bytes);
		} else if (rec.type == REC_REGION) {
			ret = take_region(r, data + at, rec.bytes);
		} else if (rec.type == REC_SEEN) {
			ret = take_seen(r, data + at, rec.bytes);
		} else {
			ret = -EBADMSG;
		}
		at += rec.bytes;
	}
	return ret;
}

struct regions *regions_load(const char *path)
{
	struct regions *r;
	uint64_t magic = 0;
	size_t len;
	char *data = read_file(path, &len);

	if (!data)
		return NULL;
	r = xcalloc(1, sizeof(*r));
	if (len >= sizeof(magic))
		memcpy(&magic, data, sizeof(magic));
	if (magic != REGIONS_MAGIC || take(r, data, len)) {
		fail(EBADMSG, "%s: not what the counting plugin writes, or cut short: the emulator was killed?",
		     path);
		regions_free(r);
		r = NULL;
	}
	free(data);
	return r;
}

void regions_free(struct regions *r)
{
	size_t i, k;

	if (!r)
		return;
	for (i = 0; i < r->nr_runs; i++) {
		for (k = 0; k < r->runs[i].nr; k++) {
			free((void *)r->runs[i].regions[k].nodes);
			free((void *)r->runs[i].regions[k].cells);
			free((void *)r->runs[i].regions[k].singles);
		}
		free(r->runs[i].regions);
	}
	free(r->runs);
	for (i = 0; i < r->nr_blocks; i++)
		free((void *)r->blocks[i].words);
	free(r->blocks);
	free(r->seen);
	free(r);
}

static int by_place(const void *a, const void *b)
{
	const struct region_count *x = a, *y = b;

	if (x->node != y->node)
		return x->node < y->node ? -1 : 1;
	if (x->pc != y->pc)
		return x->pc < y->pc ? -1 : 1;
	return x->word < y->word ? -1 : x->word > y->word;
}

struct region_count *region_counts(const struct regions *r,
				   const struct region_view *v, size_t *nr)
{
	size_t all = v->head.nr_singles, n = 0, i, k;
	struct region_count *c;

	for (i = 0; i < v->head.nr_cells; i++)
		all += r->blocks[v->cells[i].block].nr;
	c = xcalloc(all ? all : 1, sizeof(*c));
	for (i = 0; i < v->head.nr_cells; i++) {
		const struct region_cell *cell = &v->cells[i];
		const struct region_code *b = &r->blocks[cell->block];

		for (k = 0; k < b->nr; k++)
			c[n++] = (struct region_count){ cell->node,
				b->words[k], b->pc + 4 * k, cell->count };
	}
	for (i = 0; i < v->head.nr_singles; i++) {
		const struct region_single *s = &v->singles[i];
		const struct region_code *b = &r->blocks[s->block];

		/* a negative count is cancelled by that of its block */
		c[n++] = (struct region_count){ s->node, b->words[s->insn],
			b->pc + 4 * s->insn, s->count };
	}
	qsort(c, n, sizeof(*c), by_place);
	for (i = 0, *nr = 0; i < n; i++) {
		if (*nr && !by_place(&c[*nr - 1], &c[i]))
			c[*nr - 1].count += c[i].count;
		else
			c[(*nr)++] = c[i];
	}
	for (i = 0, n = 0; i < *nr; i++)
		if (c[i].count)
			c[n++] = c[i];
	*nr = n;
	return c;
}
