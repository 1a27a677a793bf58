// SPDX-License-Identifier: GPL-2.0
/* See mmio_results.h. */
#include "analysis/family/mmio_results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/chart.h"
#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/load/sample.h"
#include "lib/util.h"

#define BENCH		"mmio.store"
#define MAX_PANELS	6
#define MAX_SUBTITLE	105	/* in characters */

/*
 * Returns a description of the mapping, "map=guest guest=nc backing=vfio". The
 * caller frees.
 */
static char *mapping_key(const struct side_point *p)
{
	static const char *const names[] = {
		"map", "guest", "backing", "pattern", "flush", "offset",
		"window", "bar"
	};
	bool guest = !strcmp(json_text(p->params, "map"), "guest");
	char *text = xstrdup(""), *more;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = json_text(p->params, names[i]);

		if (!*value || (!guest && (i == 1 || i == 2)))
			continue;
		more = xasprintf("%s%s%s=%s", text, *text ? " " : "", names[i],
				 value);
		free(text);
		text = more;
	}
	return text;
}

/* Returns the metric that @what stands for at this point. */
static const char *metric_at(const struct side_point *p, const char *what)
{
	const char *map = json_text(p->params, "map");

	if (!what || strcmp(what, MMIO_INSTRUCTIONS))
		return what;
	return !strcmp(map, "guest") ? "instructions_guest" :
	       !strncmp(map, "ioremap", 7) ? "instructions_kernel" :
	       "instructions_user";
}

/*
 * Returns whether a picture or table of @what (NULL: of all points that are ok)
 * includes the point.
 */
static bool belongs(const struct side_point *p, const char *what)
{
	const char *metric = metric_at(p, what);
	double v;

	return !strcmp(p->bench, BENCH) &&
	       (!metric || (p->nr_obs &&
			    observation_value(&p->obs[0], metric, &v) &&
			    metric_tier(p, metric) != TIER_NONE));
}

/*
 * Returns a pivot with a page for each mapping: a row for each size, a column
 * for each sequence.
 */
static struct pivot mappings_of(const struct side *s, const char *what,
				size_t most)
{
	struct pivot t = { .most_columns = most };
	size_t i;

	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];
		char *size = param_number_text(p, "size");

		if (size && belongs(p, what))
			pivot_add(&t, p, mapping_key(p), size,
				  xstrdup(json_text(p->params, "sequence")));
		else
			free(size);
	}
	pivot_sort(&t, 0);
	return t;
}

struct figure {
	double middle, low, high;
	size_t n;		/* 0: it has none */
	bool boots;		/* over boots; false: over the batches of one */
};

/*
 * Returns median and range over boots; with a single boot, unless it is a
 * count, median and quartiles over its batches.
 */
static struct figure figure_of(const struct side_point *p, const char *metric)
{
	struct figure f = { NAN, NAN, NAN, 0, true };
	struct sample s;
	double *v;
	size_t n;

	if (!p || metric_tier(p, metric) == TIER_NONE)
		return f;
	s = sample_take(p, metric, metric_tier(p, metric), NULL);
	f = (struct figure){ s.median, s.min, s.max, s.nr, true };
	if (s.boots == 1 && s.nr == 1 &&
	    metric_tier(p, metric) == TIER_TIMED) {
		n = batches_in_order(&p->obs[0], metric, &v);
		if (n > 1) {
			stat_sort(v, n);
			f.low = stat_quantile(v, n, .25);
			f.high = stat_quantile(v, n, .75);
			f.n = n;
			f.boots = false;
		}
		free(v);
	}
	sample_free(&s);
	return f;
}

/* Returns an observation that is ok; NULL if none is. */
static const struct observation *good(const struct pivot_page *m)
{
	size_t i, j;

	for (i = 0; i < m->nr; i++) {
		const struct side_point *p = m->cell[i].point;

		for (j = 0; j < p->nr_obs; j++)
			if (p->obs[j].ok)
				return &p->obs[j];
	}
	return NULL;
}

/* --- the table --- */

static const char *type_of(const json_t *proof, const char *what)
{
	return json_text(json_object_get(proof, what), "type");
}

/*
 * Prints the memory types, "in force Normal-NC (stage 1 Normal-NC, stage 2
 * Normal-NC)".
 */
static void print_types(const json_t *proof, FILE *f)
{
	const char *s1 = type_of(proof, "stage1"), *s2 = type_of(proof, "stage2");
	const char *force = json_text(proof, "in_force");
	json_t *pages = json_object_get(proof, "in_force_pages"), *n;
	const char *name;

	if (*force)
		print_line(f, 0, 2, "memory type in force: %s (stage 1 %s%s%s)",
			   force, *s1 ? s1 : "not known", *s2 ? ", stage 2 " : "",
			   s2);
	else if (*s1)
		print_line(f, 0, 2, "memory type: %s", s1);
	else if (pages)
		json_object_foreach(pages, name, n)
			print_line(f, 0, 2, "memory type in force: %s on %"
				   JSON_INTEGER_FORMAT " pages", name,
				   json_integer_value(n));
}

static void print_caption(const struct side *s, const struct pivot_page *m,
			  FILE *f)
{
	const json_t *h = s->run->files[0]->header;
	const struct observation *o = good(m);
	const json_t *proof, *bar;

	print_line(f, 0, 2, "%s", m->key);
	if (!o)
		return;
	proof = json_object_get(o->point, "proof");
	bar = json_object_get(proof, "bar");
	if (bar)
		print_line(f, 0, 2, "BAR %" JSON_INTEGER_FORMAT " of %s, %"
			   JSON_INTEGER_FORMAT " KiB, %sprefetchable",
			   json_integer_value(json_object_get(bar, "nr")),
			   json_text(bar, "address"),
			   json_integer_value(json_object_get(bar, "size")) /
			   1024, json_is_true(json_object_get(bar,
							"prefetchable")) ?
			   "" : "not ");
	print_types(proof, f);
	print_line(f, 0, 2, "%s; Linux %s; pinned to one CPU",
		   json_text(json_object_get(h, "cpu"), "model"),
		   json_text(h, "kernel_release"));
}

static bool has_metric(const struct pivot_page *m, const char *metric)
{
	size_t i;

	for (i = 0; i < m->nr; i++)
		if (figure_of(m->cell[i].point, metric).n)
			return true;
	return false;
}

static void cell(struct table *t, const struct figure *g, const char *unit)
{
	double v[] = { g->low, g->middle, g->high };
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE];
	int d = fabs(g->middle) >= 1000 ? 0 : fabs(g->middle) >= 10 ? 1 : 2;

	if (!g->n) {
		table_cell(t, "-");
		return;
	}
	if (v[0] == v[2])
		table_cell(t, "%s %s", format_number(v[1], d, a), unit);
	else
		table_cell(t, "%s %s (%s to %s)", format_number(v[1], d, a),
			   unit, format_number(v[0], d, b),
			   format_number(v[2], d, c));
}

/*
 * Prints what the spread in the cells is, and over how many boots or batches.
 */
static void print_n(const struct figure *g, FILE *f)
{
	if (!g->n)
		return;
	if (g->boots)
		print_line(f, 0, 0, "Median%s of %zu boot%s.",
			   g->n > 1 ? " and range" : "", g->n, plural(g->n));
	else
		print_line(f, 0, 0, "Median and quartiles of %zu batches of one boot.",
			   g->n);
}

static void print_table(const struct pivot_page *m, const char *metric,
			const char *unit, FILE *f)
{
	struct table *t = table_new();
	struct figure least = { 0 };
	char size[24];
	size_t i, j;

	table_column(t, "size", true);
	for (i = 0; i < m->columns.nr; i++)
		table_column(t, m->columns.text[i], true);
	for (j = 0; j < m->rows.nr; j++) {
		const char *row = m->rows.text[j];

		table_row(t);
		table_cell(t, "%sB", format_size(strtod(row, NULL), size));
		for (i = 0; i < m->columns.nr; i++) {
			struct figure g = figure_of(pivot_at(m, row,
						m->columns.text[i]), metric);

			cell(t, &g, unit);
			if (g.n && (!least.n || g.n < least.n))
				least = g;
		}
	}
	table_print_markdown(t, f);
	fputc('\n', f);
	print_n(&least, f);
	table_free(t);
}

/* Prints the points without figures, with the reason. */
static void print_left_out(const struct pivot_page *m, FILE *f)
{
	size_t i;

	for (i = 0; i < m->nr; i++) {
		const struct side_point *p = m->cell[i].point;

		if (p->nr_obs && !p->obs[0].ok)
			print_line(f, 0, 2, "%s size=%s: %s",
				   m->cell[i].column,
				   json_text(p->params, "size"),
				   observation_reason(&p->obs[0]));
	}
}

static void print_mapping(const struct side *s, const struct pivot_page *m,
			  FILE *f)
{
	static const char *const counts[] = {
		"instructions_user", "instructions_guest", "instructions_kernel"
	};
	const struct observation *o = good(m);
	const char *why;
	size_t i;

	print_caption(s, m, f);
	fputc('\n', f);
	if (has_metric(m, "ns")) {
		print_table(m, "ns", "ns", f);
		fputc('\n', f);
		print_table(m, "mb_per_s", "MB/s", f);
	} else {
		for (i = 0; i < ARRAY_SIZE(counts); i++)
			if (has_metric(m, counts[i]))
				print_table(m, counts[i], i == 1 ?
					    "guest instr" : i == 2 ?
					    "kernel instr" : "instr", f);
		why = o ? observation_absent(o, "ns") : NULL;
		if (why)
			print_line(f, 0, 0, "No time: %s.", why);
		why = o ? json_text(json_object_get(o->point, "proof"),
				    "no_speed") : "";
		if (*why)
			print_line(f, 0, 0, "No speed: %s.", why);
	}
	print_left_out(m, f);
	fputc('\n', f);
}

void show_mmio(const struct side *s, FILE *f)
{
	struct pivot all = mappings_of(s, NULL, TABLE_MAX_COLUMNS - 1);
	size_t i;

	for (i = 0; i < all.nr; i++)
		print_mapping(s, &all.page[i], f);
	if (!all.nr)
		print_line(f, 0, 0, "no point of " BENCH " is in this run");
	pivot_free(&all);
}

/* --- pictures --- */

/*
 * Returns whether all mappings of the picture have this word of @len
 * characters.
 */
static bool in_all(const struct pivot *some, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < some->nr; i++) {
		const char *at = some->page[i].key;

		while (strncmp(at, word, len) || (at[len] && at[len] != ' ')) {
			at = strchr(at, ' ');
			if (!at)
				return false;
			at++;
		}
	}
	return true;
}

/*
 * Returns the words of a key that all mappings of the picture share, or those
 * that distinguish this one. The caller frees.
 */
static char *words_of(const struct pivot *some, const char *key, bool shared)
{
	char *text = xcalloc(1, strlen(key) + 2), *to = text;
	const char *end;

	for (; *key; key = *end ? end + 1 : end) {
		end = key + strcspn(key, " ");
		if (in_all(some, key, end - key) != shared)
			continue;
		if (to != text)
			*to++ = ' ';
		memcpy(to, key, end - key);
		to += end - key;
	}
	return text;
}

/*
 * Returns what distinguishes a mapping from the others, and the memory type in
 * force. The caller frees.
 */
static char *panel_title(const struct pivot *some, const struct pivot_page *m)
{
	char *words = words_of(some, m->key, some->nr == 1), *text;
	const struct observation *o = good(m);
	const char *force = o ? json_text(json_object_get(o->point, "proof"),
					  "in_force") : "";

	/* Leave out "map=guest", which "guest=nc" implies. */
	text = xasprintf("%s%s%s", words +
			 (strncmp(words, "map=guest guest", 15) ? 0 : 10),
			 *force ? ": " : "", force);
	shorten(text, 56);
	free(words);
	return text;
}

static char *subtitle_of(const struct side *s, const struct pivot *some,
			 bool counted)
{
	char *shared = some->nr > 1 ? words_of(some, some->page->key, true) :
		       xstrdup("");
	char *text = xasprintf("%s%s%s%s", side_boots(s, NULL) > 1 ?
		"median and range over boots" :
		"one boot: median and quartiles of its batches", counted ?
		"; counted (icount), because emulation has no real clock and does not combine writes" :
		"", *shared ? "; " : "", shared);

	free(shared);
	return text;
}

static void put_figure(struct chart *c, const struct side_point *p,
		       const void *what)
{
	struct figure g = figure_of(p, metric_at(p, what));

	if (g.n)
		chart_mark(c, param_number(p, "size"), g.middle, g.low, g.high);
}

static int draw_mappings(const struct side *s, const struct plot_options *o,
			 const struct pivot *some, const char *metric,
			 struct chart *c, size_t *drawn)
{
	bool counted = !strcmp(metric, MMIO_INSTRUCTIONS);
	struct metric_facts facts = file_metric(s->run->files[0],
			metric_at(some->page->cell->point, metric));
	size_t i;

	for (i = 0; i < some->nr; i++)
		names_add(&c->panels, panel_title(some, &some->page[i]));
	c->title = xasprintf(BENCH ": %s against size, %s", counted ?
			     "instructions" : metric, s->label);
	c->subtitle = subtitle_of(s, some, counted);
	c->subtitle_width = some->nr > 1 ? MAX_SUBTITLE : MAX_SUBTITLE * 3 / 4;
	c->xname = xstrdup("bytes of a group");
	c->yname = xasprintf("%s%s", !strcmp(facts.unit, "MB/s") ? "" :
			     "a group: ", facts.unit);
	chart_pivot(c, some, 4, put_figure, metric);
	chart_x_log2(c, c->x.min / 1.4, c->x.max * 1.4);
	/* Times and rates of different sizes span decades. */
	chart_y(c, 0);
	return chart_draw(c, o, drawn);
}

static int plot_side(const struct side *s, const struct plot_options *o,
		     const char *metric, const char *label, size_t *drawn)
{
	struct pivot all = mappings_of(s, metric, CHART_MAX_LINES);
	char number[24] = "";
	size_t i;
	int ret = 0;

	/* A line needs two sizes. */
	pivot_sort(&all, 2);
	for (i = 0; i < all.nr && !ret; i += MAX_PANELS) {
		struct pivot some = pivot_part(&all, i, MAX_PANELS);

		if (i)
			snprintf(number, sizeof(number), "-%zu",
				 i / MAX_PANELS + 1);
		ret = draw_mappings(s, o, &some, metric, chart_new(CHART_PANELS,
				"size-mmio-%s%s%s%s",
				strcmp(metric, MMIO_INSTRUCTIONS) ? metric :
				"instructions", *label ? "-" : "", label,
				number), drawn);
	}
	pivot_free(&all);
	return ret;
}

int plot_mmio(struct side *const *sides, size_t nr,
	      const struct plot_options *o, const char *metric, size_t *drawn)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = plot_side(sides[i], o, metric, nr > 1 ? sides[i]->label :
				"", drawn);
	return ret;
}
