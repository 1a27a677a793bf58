// SPDX-License-Identifier: GPL-2.0
/* See insns.h. */
#include "analysis/code/insns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "analysis/load/load.h"
#include "lib/util.h"

/* Nested calls: code that follows them recursively needs stack. */
#define MAX_DEPTH	4096

static json_int_t number(const json_t *list, size_t i)
{
	return json_integer_value(json_array_get(list, i));
}

static int take_region(struct insn_file *f, json_t *o)
{
	const json_t *nodes = json_object_get(o, "nodes");
	const json_t *counts = json_object_get(o, "counts");
	struct insn_region r = {
		.run = json_integer_value(json_object_get(o, "run")),
		.batch = json_integer_value(json_object_get(o, "batch")),
		.nr_nodes = json_array_size(nodes) / 5,
		.nr_counts = json_array_size(counts) / 5,
	};
	unsigned int *depth = xcalloc(r.nr_nodes + 1, sizeof(*depth));
	size_t i;

	r.nodes = xcalloc(r.nr_nodes + 1, sizeof(*r.nodes));
	r.counts = xcalloc(r.nr_counts + 1, sizeof(*r.counts));
	for (i = 0; i < r.nr_nodes; i++) {
		r.nodes[i] = (struct insn_node){ number(nodes, 5 * i),
			number(nodes, 5 * i + 1), number(nodes, 5 * i + 2),
			number(nodes, 5 * i + 3), number(nodes, 5 * i + 4) };
		if (r.nodes[i].parent > i ||
		    (i && r.nodes[i].parent == i && r.nodes[i].kind == N_CALL))
			r.nr_nodes = 0;
		else if (i)
			depth[i] = depth[r.nodes[i].parent] + 1;
		if (depth[i] > MAX_DEPTH)
			r.nr_nodes = 0;
	}
	free(depth);
	for (i = 0; i < r.nr_counts; i++)
		r.counts[i] = (struct insn_count){ number(counts, 5 * i),
			number(counts, 5 * i + 1), number(counts, 5 * i + 2),
			number(counts, 5 * i + 3), number(counts, 5 * i + 4) };
	json_object_del(o, "nodes");
	json_object_del(o, "counts");
	r.head = json_incref(o);
	f->regions = grow(f->regions, f->nr_regions, sizeof(*f->regions));
	f->regions[f->nr_regions++] = r;
	return r.nr_nodes ? 0 : -EBADMSG;
}

static int take_function(struct insn_file *f, const json_t *o)
{
	const char *words = json_text(o, "words");
	struct insn_function n = {
		.name = xstrdup(json_text(o, "name")),
		.space = xstrdup(json_text(o, "space")),
		.start = strtoull(json_text(o, "start"), NULL, 16),
		.nr = strlen(words) / 8,
	};
	char hex[9] = "";
	size_t i;

	n.word = xcalloc(n.nr + 1, sizeof(*n.word));
	for (i = 0; i < n.nr; i++) {
		memcpy(hex, words + 8 * i, 8);
		n.word[i] = strtoul(hex, NULL, 16);
	}
	f->functions = grow(f->functions, f->nr_functions,
			    sizeof(*f->functions));
	f->functions[f->nr_functions++] = n;
	return *n.name ? 0 : -EBADMSG;
}

static int take_seen(struct insn_file *f, const json_t *o)
{
	const json_t *ranges = json_object_get(o, "ranges");
	uint64_t base = strtoull(json_text(o, "base"), NULL, 16), end = 0;
	size_t i;

	if (f->seen || json_array_size(ranges) % 3)
		return -EBADMSG;
	f->nr_seen = json_array_size(ranges) / 3;
	f->seen = xcalloc(f->nr_seen + 1, sizeof(*f->seen));
	for (i = 0; i < f->nr_seen; i++) {
		struct insn_seen *s = &f->seen[i];

		s->start = base + 4 * number(ranges, 3 * i);
		s->nr = number(ranges, 3 * i + 1);
		s->region = number(ranges, 3 * i + 2);
		if (s->start < end)
			return -EBADMSG;
		end = s->start + 4ULL * s->nr;
	}
	return 0;
}

static int take_image(struct insn_file *f, const json_t *o)
{
	struct insn_image i = {
		.file = xstrdup(json_text(o, "file")),
		.build_id = xstrdup(json_text(o, "build_id")),
		.start = strtoull(json_text(o, "start"), NULL, 16),
		.size = json_integer_value(json_object_get(o, "size")),
	};

	f->images = grow(f->images, f->nr_images, sizeof(*f->images));
	f->images[f->nr_images++] = i;
	return *i.file && i.size <= UINT64_MAX - i.start ? 0 : -EBADMSG;
}

static int take_line(struct insn_file *f, const char *line, size_t len,
		     bool first)
{
	json_t *o = len > max_bytes() / 16 ? NULL :
		json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_text(o, "type");
	int ret = -EBADMSG;

	if (first)
		ret = strcmp(json_text(o, "schema"), INSNS_SCHEMA) ? -EBADMSG : 0;
	else if (!strcmp(type, "region"))
		ret = take_region(f, o);
	else if (!strcmp(type, "function"))
		ret = take_function(f, o);
	else if (!strcmp(type, "seen"))
		ret = take_seen(f, o);
	else if (!strcmp(type, "image"))
		ret = take_image(f, o);
	json_decref(o);
	return ret;
}

/* Checks that regions refer only to existing nodes and functions. */
static int check(const struct insn_file *f)
{
	int nr = f->nr_functions;
	size_t i, k;

	for (i = 0; i < f->nr_regions; i++) {
		const struct insn_region *r = &f->regions[i];

		for (k = 0; k < r->nr_nodes; k++)
			if (r->nodes[k].site < -1 || r->nodes[k].site >= nr ||
			    r->nodes[k].entry < -1 || r->nodes[k].entry >= nr)
				return -EBADMSG;
		for (k = 0; k < r->nr_counts; k++) {
			const struct insn_count *c = &r->counts[k];

			if (c->node >= r->nr_nodes ||
			    c->function >= f->nr_functions ||
			    c->offset / 4 + c->nr >
			    f->functions[c->function].nr)
				return -EBADMSG;
		}
	}
	return 0;
}

static char *read_gz(const char *path, size_t *len)
{
	gzFile z = gzopen(path, "re");
	size_t room = 1 << 16;
	char *text;
	int n = 1;

	*len = 0;
	if (!z)
		return fail_null(errno, "%s: %s", path, strerror(errno));
	text = xcalloc(room, 1);
	gzbuffer(z, 1 << 16);
	while (n > 0) {
		if (*len == room)
			text = xrealloc(text, room *= 2);
		n = gzread(z, text + *len, room - *len);
		*len += n > 0 ? n : 0;
		if (*len > max_bytes())
			break;
	}
	if (n > 0) {
		gzclose(z);
		free(text);
		too_large(path);
		return NULL;
	}
	if (n < 0 || gzclose(z) != Z_OK) {
		free(text);
		return fail_null(EBADMSG, "%s: damaged", path);
	}
	return text;
}

struct insn_file *insn_file_load(const char *path)
{
	size_t len, at = 0;
	char *text = read_gz(path, &len), *end;
	struct insn_file *f;
	int ret = 0;

	if (!text)
		return NULL;
	f = xcalloc(1, sizeof(*f));
	while (!ret && (end = memchr(text + at, '\n', len - at))) {
		ret = take_line(f, text + at, end - text - at, !at);
		at = end - text + 1;
	}
	free(text);
	if (ret || at < len || !at || check(f)) {
		insn_file_free(f);
		return fail_null(EBADMSG, "%s: not what ptelab merge writes, or damaged",
				 path);
	}
	return f;
}

void insn_file_free(struct insn_file *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->nr_functions; i++) {
		free(f->functions[i].name);
		free(f->functions[i].space);
		free(f->functions[i].word);
	}
	for (i = 0; i < f->nr_regions; i++) {
		free(f->regions[i].nodes);
		free(f->regions[i].counts);
		json_decref(f->regions[i].head);
	}
	for (i = 0; i < f->nr_images; i++) {
		free(f->images[i].file);
		free(f->images[i].build_id);
	}
	free(f->images);
	free(f->functions);
	free(f->regions);
	free(f->seen);
	free(f);
}

const struct insn_seen *insn_seen_at(const struct insn_file *f, uint64_t addr)
{
	size_t low = 0, high = f->nr_seen;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (f->seen[mid].start <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr - f->seen[low - 1].start >= 4ULL * f->seen[low - 1].nr)
		return NULL;
	return &f->seen[low - 1];
}

int insn_figure_batch(const json_t *point, const char *metric)
{
	const json_t *b = json_object_get(json_object_get(point, "batches"),
					  metric);
	size_t i, least = 0;

	if (!json_array_size(b))
		return -1;
	for (i = 1; i < json_array_size(b); i++)
		if (json_number_value(json_array_get(b, i)) <
		    json_number_value(json_array_get(b, least)))
			least = i;
	return least;
}

const struct insn_region *insn_region_find(const struct insn_file *f,
				    unsigned int run, const json_t *point,
				    unsigned int batch)
{
	size_t i;

	for (i = 0; i < f->nr_regions; i++) {
		const struct insn_region *r = &f->regions[i];

		if (r->run == run && r->batch == batch &&
		    !strcmp(json_text(r->head, "bench"),
			    json_text(point, "bench")) &&
		    json_equal(json_object_get(r->head, "params"),
			       json_object_get(point, "params")))
			return r;
	}
	return NULL;
}
