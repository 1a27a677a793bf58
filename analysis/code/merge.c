// SPDX-License-Identifier: GPL-2.0
/* See merge.h. */
#include "analysis/code/merge.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "analysis/code/insns.h"
#include "analysis/load/load.h"
#include "analysis/load/sample.h"
#include "lib/a64class.h"
#include "lib/insn_metrics.h"
#include "lib/record.h"
#include "lib/util.h"

/*
 * QEMU reports no access to the plugin for DC ZVA. On the emulated CPU (-cpu
 * max) it clears a block of 512 bytes, which is assumed not to be touched
 * otherwise.
 */
#define ZVA_LINES	(512 / 64)

/*
 * A function of which instructions were executed, or a page of an unknown one.
 */
struct place {
	uint64_t start, end;
	char *name;
	const char *space;	/* kernel, user, guest */
	uint32_t *word;		/* of each instruction; 0: never executed */
	size_t nr;
};

/* Where a point's regions begin: in the stream, and in the output. */
struct point_start {
	size_t seen, written;
};

struct merge {
	const struct regions *r;
	struct symbols *sym;
	FILE *out;
	gzFile insns;
	const char *insns_name;
	bool has_lines;
	SHA2_CTX in_sum, out_sum;
	size_t run;		/* results so far */
	size_t earlier;		/* regions of the runs before this one */
	size_t written;		/* regions */
	struct point_start *starts;
	size_t nr_starts;
	struct place *places;
	size_t nr_places;
	uint32_t last;		/* the last one found */
	json_t *index;		/* "space start" -> number of the place */
};

static uint32_t insn_place_of(struct merge *m, uint64_t pc, bool guest)
{
	const char *space = guest ? "guest" : pc >> 55 & 1 ? "kernel" : "user";
	const struct symbol *s;
	uint64_t start;
	char key[40];
	json_t *have;
	struct place p = { .space = space };

	if (m->last < m->nr_places && pc >= m->places[m->last].start &&
	    pc < m->places[m->last].end &&
	    !strcmp(m->places[m->last].space, space))
		return m->last;
	s = guest ? NULL : symbols_find(m->sym, pc);
	p.start = start = s ? s->start : pc & ~0xfffULL;
	p.end = s ? s->end : start + 0x1000;
	snprintf(key, sizeof(key), "%s %" PRIx64, space, start);
	have = json_object_get(m->index, key);
	if (have)
		return m->last = json_integer_value(have);
	p.name = s ? xstrdup(s->name) :
		xasprintf("[%s %#" PRIx64 "]", space, start);
	m->places = grow(m->places, m->nr_places, sizeof(*m->places));
	m->places[m->nr_places] = p;
	json_object_set_new(m->index, key, json_integer(m->nr_places));
	return m->last = m->nr_places++;
}

static void place_word(struct place *p, uint64_t pc, uint32_t word)
{
	size_t at = (pc - p->start) / 4;

	if (at >= p->nr) {
		p->word = xrealloc(p->word, (at + 1) * sizeof(*p->word));
		memset(p->word + p->nr, 0,
		       (at + 1 - p->nr) * sizeof(*p->word));
		p->nr = at + 1;
	}
	if (!p->word[at])
		p->word[at] = word;
}

/* --- the file of instructions --- */

/*
 * Returns new numbers for the nodes that have counts, or lead to such nodes.
 * The caller frees.
 */
static uint32_t *renumber(const struct region_view *v,
			  const struct region_count *c, size_t nr)
{
	uint32_t *to = xcalloc(v->head.nr_nodes ? v->head.nr_nodes : 1,
			       sizeof(*to));
	uint32_t next = 0, n;
	size_t i;

	for (i = 0; i < nr; i++)
		for (n = c[i].node; !to[n]; n = v->nodes[n].parent)
			to[n] = 1;
	for (n = 0; n < v->head.nr_nodes; n++)
		to[n] = to[n] ? next++ : UINT32_MAX;
	return to;
}

static bool in_guest(const struct region_view *v, uint32_t node)
{
	return v->nodes[node].kind == N_GUEST;
}

static void put_nodes(struct merge *m, const struct region_view *v,
		      const uint32_t *to)
{
	const char *comma = "";
	uint32_t n;

	gzputs(m->insns, "\"nodes\":[");
	for (n = 0; n < v->head.nr_nodes; n++) {
		const struct region_node *d = &v->nodes[n];
		uint32_t site, entry;

		if (to[n] == UINT32_MAX)
			continue;
		site = d->site ? insn_place_of(m, d->site, false) : 0;
		entry = d->entry ? insn_place_of(m, d->entry, in_guest(v, n)) : 0;
		gzprintf(m->insns, "%s%u,%u,%d,%" PRIu64 ",%d", comma,
			 to[d->parent], d->kind, d->site ? (int)site : -1,
			 d->site ? d->site - m->places[site].start : 0,
			 d->entry ? (int)entry : -1);
		comma = ",";
	}
	gzputs(m->insns, "]");
}

/*
 * Writes the counts. Consecutive instructions with the same count are one
 * entry.
 */
static void put_counts(struct merge *m, const struct region_view *v,
		       const struct region_count *c, size_t nr,
		       const uint32_t *to)
{
	const char *comma = "";
	size_t i, k;

	gzputs(m->insns, "\"counts\":[");
	for (i = 0; i < nr; i = k) {
		uint32_t p = insn_place_of(m, c[i].pc, in_guest(v, c[i].node));

		for (k = i; k < nr && c[k].node == c[i].node &&
		     c[k].count == c[i].count &&
		     c[k].pc == c[i].pc + 4 * (k - i) &&
		     insn_place_of(m, c[k].pc, in_guest(v, c[k].node)) == p; k++)
			place_word(&m->places[p], c[k].pc, c[k].word);
		gzprintf(m->insns, "%s%u,%u,%" PRIu64 ",%zu,%" PRIu64, comma,
			 to[c[i].node], p, c[i].pc - m->places[p].start, k - i,
			 c[i].count);
		comma = ",";
	}
	gzputs(m->insns, "]");
}

static void put_region(struct merge *m, const json_t *point,
		       const struct region_view *v, size_t batch,
		       const struct region_count *c, size_t nr)
{
	json_t *head = json_pack("{s:s, s:i, s:i, s:O, s:O, s:O, s:I, s:I}",
			"type", "region", "run", (int)m->run - 1, "batch",
			(int)batch, "bench", json_object_get(point, "bench"),
			"params", json_object_get(point, "params"),
			"operations", json_object_get(point, "operations"),
			"unmatched_returns", (json_int_t)v->head.unmatched,
			"task_switches", (json_int_t)v->head.switches);
	char *text = json_dumps(head, JSON_COMPACT);
	uint32_t *to = renumber(v, c, nr);

	gzwrite(m->insns, text, strlen(text) - 1);	/* without the } */
	gzputs(m->insns, ",");
	put_nodes(m, v, to);
	gzputs(m->insns, ",");
	put_counts(m, v, c, nr, to);
	gzputs(m->insns, "}\n");
	m->written++;
	free(to);
	free(text);
	json_decref(head);
}

/*
 * Writes all code that ran, with the number of the first written region of a
 * point. The code first ran in the set-up or measurement of that point, or
 * after the measurement of the point before it.
 */
static void put_seen(struct merge *m)
{
	const struct regions *r = m->r;
	uint64_t base = r->nr_seen ? r->seen[0].pc : 0;
	const char *comma = "";
	size_t i, k;

	gzprintf(m->insns, "{\"type\":\"seen\",\"base\":\"%#" PRIx64 "\",\"ranges\":[",
		 base);
	for (i = 0; i < r->nr_seen; i++) {
		const struct region_seen *s = &r->seen[i];
		size_t low = 0, high = m->nr_starts;

		while (low < high) {
			k = (low + high) / 2;
			if (m->starts[k].seen <= s->regions)
				low = k + 1;
			else
				high = k;
		}
		gzprintf(m->insns, "%s%" PRIu64 ",%u,%zu", comma,
			 (s->pc - base) / 4, s->nr,
			 low ? m->starts[low - 1].written : 0);
		comma = ",";
	}
	gzputs(m->insns, "]}\n");
}

static void put_places(struct merge *m)
{
	size_t i, k;

	for (i = 0; i < m->nr_places; i++) {
		const struct place *p = &m->places[i];

		gzprintf(m->insns, "{\"type\":\"function\",\"name\":\"%s\",\"space\":\"%s\",\"start\":\"%#" PRIx64 "\",\"words\":\"",
			 p->name, p->space, p->start);
		for (k = 0; k < p->nr; k++)
			gzprintf(m->insns, "%08x", p->word[k]);
		gzputs(m->insns, "\"}\n");
	}
}

static json_t *hex_json(uint64_t v)
{
	return json_sprintf("%#" PRIx64, v);
}

/* Which files the functions of programs and modules are of. */
static void put_images(struct merge *m)
{
	const struct symbols_image *v;
	size_t nr, i;

	v = symbols_images(m->sym, &nr);
	for (i = 0; i < nr; i++) {
		json_t *o = json_pack("{s:s, s:s, s:o, s:I, s:s}", "type",
				"image", "file", v[i].file, "start",
				hex_json(v[i].start), "size",
				(json_int_t)v[i].size, "build_id",
				v[i].build_id);
		char *text = json_dumps(o, JSON_COMPACT);

		gzputs(m->insns, text);
		gzputs(m->insns, "\n");
		free(text);
		json_decref(o);
	}
}

/* --- the points --- */

static void put_metric(json_t *point, const char *metric, double count,
		       json_int_t operations)
{
	json_object_set_new(json_object_get(point, "counters"), metric,
			    json_pack("{s:o, s:I, s:I, s:s}", "per_op",
				      number_json(count / operations), "total",
				      (json_int_t)count, "operations",
				      operations, "pass", "region"));
}

static void put_metrics(json_t *point, const struct region_view *v,
			const struct region_count *c, size_t nr)
{
	json_int_t ops = json_integer_value(json_object_get(point,
							    "operations"));
	uint64_t sum[NR_CLASSES] = { 0 };
	size_t i, k;

	for (i = 0; i < nr; i++) {
		uint64_t classes = a64_classes(c[i].word);

		for (k = 0; classes >> k; k++)
			if (A64_IS(classes, k))
				sum[k] += c[i].count;
	}
	for (k = 0; k < NR_COUNTED_CLASSES; k++)
		if (a64_class_metric[k])
			put_metric(point, a64_class_metric[k], sum[k], ops);
	for (k = 0; k < NR_EXCEPTIONS; k++)
		put_metric(point, region_exception_metric[k],
			   v->head.exceptions[k], ops);
	if (v->head.has_lines)
		put_metric(point, "lines_touched", v->head.lines +
			   ZVA_LINES * sum[C_DC_ZVA], ops);
}

static void all_absent(json_t *point, const char *why)
{
	json_t *names = json_object(), *value;
	const char *name;

	counts_absent(names, true);
	json_object_foreach(names, name, value)
		json_object_set_new(json_object_get(point, "absent"), name,
				    json_string(why));
	json_decref(names);
}

static const char *const explained[] = {
	"instructions", "instructions_kernel", "instructions_user",
	"instructions_guest"
};

static void add_start(struct merge *m, size_t seen)
{
	m->starts = grow(m->starts, m->nr_starts, sizeof(*m->starts));
	m->starts[m->nr_starts++] = (struct point_start){ seen, m->written };
}

static int merge_point(struct merge *m, json_t *point)
{
	const json_t *mark = json_object_get(point, "regions");
	size_t first = json_integer_value(json_object_get(mark, "first")), i, k;
	int done[ARRAY_SIZE(explained)];
	const struct region_run *run;

	if (strcmp(json_text(point, "status"), "ok"))
		return 0;
	if (!mark) {
		all_absent(point, "not counted: several threads, or the benchmark measures parts of a batch itself");
		return 0;
	}
	if (m->run > m->r->nr_runs)
		return fail(EPROTO, "the plugin did not see all of the boot");
	run = &m->r->runs[m->run - 1];
	add_start(m, m->earlier + first);
	for (i = 0; i < ARRAY_SIZE(explained); i++) {
		const struct region_view *v;
		struct region_count *c;
		uint64_t sum = 0, pmu;
		size_t nr;

		done[i] = insn_figure_batch(point, explained[i]);
		for (k = 0; k < i && done[k] != done[i];)
			k++;
		if (done[i] < 0 || k < i)
			continue;
		if (first + done[i] >= run->nr)
			return fail(EPROTO, "the plugin did not see region %zu",
				    first + done[i]);
		v = &run->regions[first + done[i]];
		c = region_counts(m->r, v, &nr);
		for (k = 0; k < nr; k++)
			sum += c[k].count;
		pmu = json_number_value(json_array_get(json_object_get(
			json_object_get(point, "batches"), "instructions"),
			done[i]));
		put_region(m, point, v, done[i], c, nr);
		if (!i && sum == pmu) {
			put_metrics(point, v, c, nr);
		} else if (!i) {
			char *why = xasprintf("the plugin saw %" PRIu64 " instructions where the PMU counted %" PRIu64,
					      sum, pmu);

			all_absent(point, why);
			free(why);
		}
		free(c);
	}
	return 0;
}

/* --- lines --- */

static void merge_header(struct merge *m, json_t *o)
{
	json_t *absent = json_object_get(o, "absent"), *value;
	const char *name;
	void *next;

	json_object_foreach_safe(absent, next, name, value)
		if (counts_metric(name) &&
		    (m->has_lines || strcmp(name, "lines_touched")))
			json_object_del(absent, name);
	json_object_set_new(o, "insns", json_pack("{s:s, s:i}", "file",
						  m->insns_name, "run",
						  (int)m->run));
	if (m->run && m->run <= m->r->nr_runs)
		m->earlier += m->r->runs[m->run - 1].nr;
	m->run++;
	SHA256Init(&m->in_sum);
	SHA256Init(&m->out_sum);
}

static int merge_footer(struct merge *m, json_t *o)
{
	char hex[SHA256_DIGEST_STRING_LENGTH], sum[80];

	SHA256End(&m->in_sum, hex);
	snprintf(sum, sizeof(sum), "sha256:%s", hex);
	if (strcmp(json_text(o, "checksum"), sum))
		return fail(EBADMSG, "a checksum does not match: the file was damaged");
	SHA256End(&m->out_sum, hex);
	snprintf(sum, sizeof(sum), "sha256:%s", hex);
	json_object_set_new(o, "checksum", json_string(sum));
	return 0;
}

static int merge_line(struct merge *m, const char *line, size_t len)
{
	json_t *o = json_loadb(line, len, JSON_REJECT_DUPLICATES, NULL);
	const char *type = json_text(o, "type");
	char *text = NULL;
	int ret = 0;

	if (!strcmp(type, "header"))
		merge_header(m, o);
	else if (!m->run)
		ret = fail(EINVAL, "its first line is not a header");
	else if (!strcmp(type, "point"))
		ret = merge_point(m, o);
	else if (!strcmp(type, "footer"))
		ret = merge_footer(m, o);
	else
		ret = fail(EINVAL, "a line is not a record of a run");
	if (!ret) {
		text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17));
		text = xrealloc(text, strlen(text) + 2);
		strcat(text, "\n");
		SHA256Update(&m->in_sum, (const uint8_t *)line, len + 1);
		SHA256Update(&m->out_sum, (uint8_t *)text, strlen(text));
		if (fputs(text, m->out) < 0)
			ret = fail(errno, "%s", strerror(errno));
	}
	free(text);
	json_decref(o);
	return ret;
}

static int merge_lines(struct merge *m, const char *in)
{
	size_t len, at = 0;
	char *text = read_file(in, &len), *end;
	int ret = 0;

	if (!text)
		return -errno;
	gzprintf(m->insns, "{\"schema\":\"%s\",\"type\":\"header\"}\n",
		 INSNS_SCHEMA);
	/* a last line without its end was cut short: drop it */
	while (!ret && (end = memchr(text + at, '\n', len - at))) {
		ret = merge_line(m, text + at, end - text - at);
		at = end - text + 1;
	}
	if (ret)
		fail_prefix(ret, "%s", in);
	put_places(m);
	put_images(m);
	if (m->run && m->run <= m->r->nr_runs)
		add_start(m, m->earlier + m->r->runs[m->run - 1].nr);
	put_seen(m);
	free(text);
	return ret;
}

int merge_counts(const char *in, const struct regions *r, struct symbols *sym,
		 const char *out)
{
	struct merge m = { .r = r, .sym = sym };
	size_t stem = strlen(out) - strlen(".jsonl"), i;
	char *insns;
	int ret = 0;

	if (strlen(out) < strlen("x.jsonl") || strcmp(out + stem, ".jsonl"))
		return fail(EINVAL, "%s does not end in .jsonl", out);
	insns = xasprintf("%.*s" INSNS_SUFFIX, (int)stem, out);
	m.insns_name = strrchr(insns, '/') ? strrchr(insns, '/') + 1 : insns;
	m.index = json_object();
	m.has_lines = r->nr_runs && r->runs[0].nr &&
		r->runs[0].regions[0].head.has_lines;
	m.out = fopen(out, "wxe");
	if (!m.out)
		ret = fail(errno, "%s: %s", out, strerror(errno));
	/*
	 * level 1, because the boot waits for this, and the file shrinks
	 * tenfold even so
	 */
	m.insns = ret ? NULL : gzopen(insns, "wxe1");
	if (!ret && !m.insns)
		ret = fail(errno, "%s: %s", insns, strerror(errno));
	if (!ret)
		ret = merge_lines(&m, in);
	if (m.insns && gzclose(m.insns) != Z_OK && !ret)
		ret = fail(EIO, "%s: could not be written", insns);
	if (m.out && close_file(m.out, out) && !ret)
		ret = -errno;
	if (ret && m.out)
		unlink(out);
	if (ret && m.insns)
		unlink(insns);
	for (i = 0; i < m.nr_places; i++) {
		free(m.places[i].name);
		free(m.places[i].word);
	}
	free(m.places);
	free(m.starts);
	json_decref(m.index);
	free(insns);
	return ret;
}
