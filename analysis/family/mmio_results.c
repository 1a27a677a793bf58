// SPDX-License-Identifier: GPL-2.0
/* See mmio_results.h. */
#include "analysis/family/mmio_results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/picture.h"
#include "analysis/draw/table.h"
#include "analysis/load/sample.h"
#include "analysis_gp.h"
#include "lib/util.h"

#define BENCH		"mmio.store"
#define MAX_SEQUENCES	6	/* as many line styles as common.gp has */
#define MAX_PANELS	6
#define MAX_SUBTITLE	105	/* characters beside each other */

/* The points of one mapping: all alike but for sequence and size. */
struct mapping {
	char *key;
	const struct side_point **p;
	size_t nr;
	char *sequence[TABLE_MAX_COLUMNS];
	size_t nr_sequences;
	double *size;
	size_t nr_sizes;
};

struct mappings {
	struct mapping *m;
	size_t nr;
};

static double size_of(const struct side_point *p)
{
	const json_t *v = json_object_get(p->params, "size");
	uint64_t bytes;

	if (json_is_number(v))
		return json_number_value(v);
	return parse_size(json_text(p->params, "size"), &bytes) ? NAN :
		(double)bytes;
}

/* What a reader has to know of a mapping: "map=guest guest=nc backing=vfio". */
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

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void add_point(struct mapping *m, const struct side_point *p,
		      size_t most)
{
	const char *sequence = json_text(p->params, "sequence");
	double size = size_of(p);
	size_t i;

	for (i = 0; i < m->nr_sequences; i++)
		if (!strcmp(m->sequence[i], sequence))
			break;
	if (i == m->nr_sequences) {
		if (i == most)
			return;
		m->sequence[m->nr_sequences++] = xstrdup(sequence);
	}
	for (i = 0; i < m->nr_sizes; i++)
		if (m->size[i] == size)
			break;
	if (i == m->nr_sizes) {
		m->size = grow(m->size, m->nr_sizes, sizeof(*m->size));
		m->size[m->nr_sizes++] = size;
	}
	m->p = grow(m->p, m->nr, sizeof(*m->p));
	m->p[m->nr++] = p;
}

/* The metric that @what stands for at this point. */
static const char *metric_at(const struct side_point *p, const char *what)
{
	const char *map = json_text(p->params, "map");

	if (!what || strcmp(what, MMIO_INSTRUCTIONS))
		return what;
	return !strcmp(map, "guest") ? "instructions_guest" :
	       !strncmp(map, "ioremap", 7) ? "instructions_kernel" :
	       "instructions_user";
}

/* All mappings of which points have @what (NULL: that are ok). */
static struct mappings mappings_of(const struct side *s, const char *what,
				   size_t most)
{
	struct mappings all = { 0 };
	size_t i, j;

	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];
		const char *metric = metric_at(p, what);
		double v;
		char *key;

		if (strcmp(p->bench, BENCH) || isnan(size_of(p)) ||
		    (metric && (!p->nr_obs ||
				!observation_value(&p->obs[0], metric, &v) ||
				metric_tier(p, metric) == TIER_NONE)))
			continue;
		key = mapping_key(p);
		for (j = 0; j < all.nr; j++)
			if (!strcmp(all.m[j].key, key))
				break;
		if (j == all.nr) {
			all.m = grow(all.m, all.nr, sizeof(*all.m));
			all.m[all.nr++] = (struct mapping){ .key = xstrdup(key) };
		}
		add_point(&all.m[j], p, most);
		free(key);
	}
	for (j = 0; j < all.nr; j++)
		qsort(all.m[j].size, all.m[j].nr_sizes, sizeof(double),
		      cmp_double);
	return all;
}

static void mappings_free(struct mappings *all)
{
	size_t i, j;

	for (i = 0; i < all->nr; i++) {
		for (j = 0; j < all->m[i].nr_sequences; j++)
			free(all->m[i].sequence[j]);
		free(all->m[i].key);
		free(all->m[i].p);
		free(all->m[i].size);
	}
	free(all->m);
}

static const struct side_point *point_at(const struct mapping *m,
					 const char *sequence, double size)
{
	size_t i;

	for (i = 0; i < m->nr; i++)
		if (size_of(m->p[i]) == size &&
		    !strcmp(json_text(m->p[i]->params, "sequence"), sequence))
			return m->p[i];
	return NULL;
}

/* --- figures --- */

struct figure {
	double middle, low, high;
	size_t n;
	bool boots;		/* of boots, else of one boot's batches */
};

/* Of several boots median and range; of one, if it is no count, its batches'
 * median and quartiles. */
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
			qsort(v, n, sizeof(*v), cmp_double);
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

/* --- the table --- */

static const struct observation *good(const struct mapping *m)
{
	size_t i, j;

	for (i = 0; i < m->nr; i++)
		for (j = 0; j < m->p[i]->nr_obs; j++)
			if (m->p[i]->obs[j].ok)
				return &m->p[i]->obs[j];
	return NULL;
}

static const char *type_of(const json_t *proof, const char *what)
{
	return json_text(json_object_get(proof, what), "type");
}

/* "in force Normal-NC (stage 1 Normal-NC, stage 2 Normal-NC)" */
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

static void print_caption(const struct side *s, const struct mapping *m,
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

static bool has_metric(const struct mapping *m, const char *metric)
{
	size_t i;

	for (i = 0; i < m->nr; i++)
		if (figure_of(m->p[i], metric).n)
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

/* What the spread in the cells is, and of how many. */
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

static void print_table(const struct mapping *m, const char *metric,
			const char *unit, FILE *f)
{
	struct table *t = table_new();
	struct figure least = { 0 };
	char size[24];
	size_t i, j;

	table_column(t, "size", true);
	for (i = 0; i < m->nr_sequences; i++)
		table_column(t, m->sequence[i], true);
	for (j = 0; j < m->nr_sizes; j++) {
		table_row(t);
		table_cell(t, "%sB", format_size(m->size[j], size));
		for (i = 0; i < m->nr_sequences; i++) {
			struct figure g = figure_of(point_at(m, m->sequence[i],
							m->size[j]), metric);

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

/* Points that have no figures at all, and why. */
static void print_left_out(const struct mapping *m, FILE *f)
{
	size_t i;

	for (i = 0; i < m->nr; i++)
		if (m->p[i]->nr_obs && !m->p[i]->obs[0].ok)
			print_line(f, 0, 2, "%s size=%s: %s",
				   json_text(m->p[i]->params, "sequence"),
				   json_text(m->p[i]->params, "size"),
				   observation_reason(&m->p[i]->obs[0]));
}

static void print_mapping(const struct side *s, const struct mapping *m,
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
	struct mappings all = mappings_of(s, NULL, TABLE_MAX_COLUMNS - 1);
	size_t i;

	for (i = 0; i < all.nr; i++)
		print_mapping(s, &all.m[i], f);
	if (!all.nr)
		print_line(f, 0, 0, "no point of " BENCH " is in this run");
	mappings_free(&all);
}

/* --- pictures --- */

static void put_line(struct picture *pic, const struct mapping *m,
		     const char *sequence, const char *what, double range[2])
{
	size_t i;

	/* a block must not be empty, or it would not be counted */
	fputs("NaN NaN NaN NaN\n", pic->script);
	for (i = 0; i < m->nr_sizes && sequence; i++) {
		const struct side_point *p = point_at(m, sequence, m->size[i]);
		struct figure g = figure_of(p, p ? metric_at(p, what) : NULL);

		if (!g.n)
			continue;
		fprintf(pic->script, "%.17g %.17g %.17g %.17g\n", m->size[i],
			g.middle, g.low, g.high);
		range[0] = fmin(range[0], g.low);
		range[1] = fmax(range[1], g.high);
	}
	fputs("\n\n", pic->script);
}

/* Every sequence of any mapping, so that a line means the same everywhere. */
static size_t all_sequences(const struct mappings *all, const char **name)
{
	size_t nr = 0, i, j, k;

	for (i = 0; i < all->nr; i++)
		for (j = 0; j < all->m[i].nr_sequences; j++) {
			for (k = 0; k < nr; k++)
				if (!strcmp(name[k], all->m[i].sequence[j]))
					break;
			if (k == nr && nr < MAX_SEQUENCES)
				name[nr++] = all->m[i].sequence[j];
		}
	return nr;
}

/* Whether all mappings of the page have this word of @len characters. */
static bool in_all(const struct mappings *page, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < page->nr; i++) {
		const char *at = page->m[i].key;

		while (strncmp(at, word, len) || (at[len] && at[len] != ' ')) {
			at = strchr(at, ' ');
			if (!at)
				return false;
			at++;
		}
	}
	return true;
}

/* The words of a key that all mappings of the page have, or those that tell
 * this one from others. The caller frees. */
static char *words_of(const struct mappings *page, const char *key, bool shared)
{
	char *text = xcalloc(1, strlen(key) + 2), *to = text;
	const char *end;

	for (; *key; key = *end ? end + 1 : end) {
		end = key + strcspn(key, " ");
		if (in_all(page, key, end - key) != shared)
			continue;
		if (to != text)
			*to++ = ' ';
		memcpy(to, key, end - key);
		to += end - key;
	}
	return text;
}

static void put_arrays(struct picture *pic, const struct mappings *page,
		       const char *const *name, size_t lines)
{
	size_t i;

	fprintf(pic->script, "runs = %zu\narray run_title[%zu]\n", lines,
		lines);
	for (i = 0; i < lines; i++) {
		char *to = xasprintf("run_title[%zu]", i + 1);

		picture_text(pic, to, name[i]);
		free(to);
	}
	fprintf(pic->script,
		"panels = %zu\nrows = %zu\ncols = %d\narray panel_title[%zu]\n"
		"array y_low[%zu]\narray y_high[%zu]\narray y_log[%zu]\n",
		page->nr, (page->nr + 1) / 2, page->nr > 1 ? 2 : 1, page->nr,
		page->nr, page->nr, page->nr);
	for (i = 0; i < page->nr; i++) {
		char *to = xasprintf("panel_title[%zu]", i + 1), *text;
		char *words = words_of(page, page->m[i].key, page->nr == 1);
		const struct observation *o = good(&page->m[i]);
		const char *force = o ? json_text(json_object_get(o->point,
						"proof"), "in_force") : "";

		/* "guest=nc" says that it is a guest's. */
		text = xasprintf("%s%s%s", words +
				 (strncmp(words, "map=guest guest", 15) ? 0 : 10),
				 *force ? ": " : "", force);
		if (strlen(text) > 56)
			strcpy(text + 54, "..");
		free(words);
		picture_text(pic, to, text);
		free(text);
		free(to);
	}
}

static int draw_page(const struct side *s, const struct plot_options *o,
		     const struct mappings *page, const char *metric,
		     const char *file)
{
	const char *name[MAX_SEQUENCES];
	size_t lines = all_sequences(page, name), i, j;
	struct picture *pic = picture_begin(file, panels_gp,
					    page->nr > 1 ? 1000 : 760,
					    140 + 340 * ((page->nr + 1) / 2) +
					    20 * lines);
	bool counted = !strcmp(metric, MMIO_INSTRUCTIONS);
	struct metric_facts facts = file_metric(s->run->files[0],
				metric_at(page->m[0].p[0], metric));
	double range[MAX_PANELS][2], x[2] = { INFINITY, 0 };
	char *title, *axis, *sub, *shared;

	put_arrays(pic, page, name, lines);
	for (i = 0; i < page->nr; i++) {
		x[0] = fmin(x[0], page->m[i].size[0]);
		x[1] = fmax(x[1], page->m[i].size[page->m[i].nr_sizes - 1]);
	}
	title = xasprintf("mmio.store: %s against size, %s", counted ?
			  "instructions" : metric, s->label);
	shared = page->nr > 1 ? words_of(page, page->m[0].key, true) :
		 xstrdup("");
	sub = xasprintf("%s%s%s%s", side_boots(s, NULL) > 1 ?
			"median and range over boots" :
			"one boot: median and quartiles of its batches",
			counted ? "; counted (icount), for there is no time under emulation, and nothing that combines writes" :
			"", *shared ? "; " : "", shared);
	free(shared);
	axis = xasprintf("%s%s", !strcmp(facts.unit, "MB/s") ? "" :
			 "a group: ", facts.unit);
	picture_text(pic, "title", title);
	picture_subtitle(pic, sub, page->nr > 1 ? MAX_SUBTITLE :
			 MAX_SUBTITLE * 3 / 4);
	free(sub);
	picture_text(pic, "xname", "bytes of a group");
	picture_text(pic, "yname", axis);
	fprintf(pic->script, "set logscale x 2\nset xrange [%.17g:%.17g]\n",
		x[0] / 1.4, x[1] * 1.4);
	fputs("joined = 1\n$data << EOD\n", pic->script);
	for (i = 0; i < page->nr; i++) {
		range[i][0] = INFINITY;
		range[i][1] = 0;
		for (j = 0; j < lines; j++)
			put_line(pic, &page->m[i], name[j], metric, range[i]);
	}
	fputs("EOD\n", pic->script);
	/* Times and rates of different sizes lie decades apart. */
	for (i = 0; i < page->nr; i++)
		fprintf(pic->script,
			"y_low[%zu] = %.17g\ny_high[%zu] = %.17g\ny_log[%zu] = %d\n",
			i + 1, range[i][0] > 0 ? range[i][0] / 1.4 : 0, i + 1,
			range[i][1] * 1.4, i + 1,
			range[i][0] <= 0 ? 0 :
			range[i][1] / range[i][0] > 500 ? 2 : 1);
	free(title);
	free(axis);
	return picture_end(pic, o);
}

/* Only mappings with a line that is one. */
static void keep_lines(struct mappings *all)
{
	size_t i, nr = 0;

	for (i = 0; i < all->nr; i++) {
		if (all->m[i].nr_sizes > 1) {
			struct mapping keep = all->m[nr];

			all->m[nr++] = all->m[i];
			all->m[i] = keep;
		}
	}
	for (i = nr; i < all->nr; i++) {
		struct mappings one = { xcalloc(1, sizeof(*one.m)), 1 };

		*one.m = all->m[i];
		mappings_free(&one);
	}
	all->nr = nr;
}

static int plot_side(const struct side *s, const struct plot_options *o,
		     const char *metric, bool label, size_t *drawn)
{
	struct mappings all = mappings_of(s, metric, MAX_SEQUENCES);
	size_t i, page = 0;
	int ret = 0;

	keep_lines(&all);
	for (i = 0; i < all.nr && !ret; i += MAX_PANELS) {
		struct mappings some = { all.m + i, all.nr - i < MAX_PANELS ?
						all.nr - i : MAX_PANELS };
		char *number = page++ ? xasprintf("-%zu", page) : xstrdup("");
		char *file = xasprintf("size-mmio-%s%s%s%s",
				       strcmp(metric, MMIO_INSTRUCTIONS) ?
				       metric : "instructions",
				       label ? "-" : "", label ? s->label : "",
				       number);

		ret = draw_page(s, o, &some, metric, file);
		++*drawn;
		free(file);
		free(number);
	}
	mappings_free(&all);
	return ret;
}

int plot_mmio(struct side *const *sides, size_t nr,
	      const struct plot_options *o, const char *metric, size_t *drawn)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = plot_side(sides[i], o, metric, nr > 1, drawn);
	return ret;
}
