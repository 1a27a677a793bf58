// SPDX-License-Identifier: GPL-2.0
/*
 * See plot.h. This file chooses what belongs into each picture and writes it
 * down for gnuplot; picture.c draws.
 */
#include "analysis/plot/plot.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/picture.h"
#include "analysis/family/mmio_results.h"
#include "analysis/family/plot_barrier.h"
#include "analysis/judge/view.h"
#include "analysis/load/sample.h"
#include "analysis_gp.h"
#include "lib/record.h"
#include "lib/util.h"

#define MAX_RUNS	6	/* as many line styles as common.gp has */
#define MAX_ROWS	24
#define MAX_TITLE	72	/* characters that fit, by and large */
#define MAX_SUBTITLE	98
#define MAX_NAME	56
#define MAX_PANELS	6
/* Largest to smallest value, from where on an axis is logarithmic. */
#define LOG_ABOVE	20
#define LOG_ROWS	5	/* ratios are what rows are looked at for */

/* What all pictures of a call are made from. */
struct plot {
	struct side *const *sides;
	size_t nr;
	const struct plot_options *options;
	size_t drawn;
};

/* The points of one picture or panel. */
struct drawn_points {
	const struct side_point **p;
	size_t nr;
};

static void list_add(struct drawn_points *l, const struct side_point *p)
{
	l->p = grow(l->p, l->nr, sizeof(*l->p));
	l->p[l->nr++] = p;
}

/* --- values and how they are called --- */

/* A point's value in a run; nr is 0 if it has none there. */
static struct sample value_in(const struct side *s, const struct side_point *p,
			      const char *metric)
{
	const struct side_point *there = side_find(s, p->key);

	if (!there || metric_tier(there, metric) == TIER_NONE)
		return (struct sample){ 0 };
	return sample_take(there, metric, metric_tier(there, metric), NULL);
}

static bool has_value(const struct side *s, const struct side_point *p,
		      const char *metric)
{
	struct sample v = value_in(s, p, metric);
	bool has = v.nr > 0;

	sample_free(&v);
	return has;
}

static bool in_all_runs(const struct plot *plot, const struct side_point *p,
			const char *metric)
{
	size_t i;

	for (i = 0; i < plot->nr; i++)
		if (!has_value(plot->sides[i], p, metric))
			return false;
	return true;
}

static bool has_racer(const struct side_point *p)
{
	const char *racer = json_text(p->params, "racer");

	return *racer && strcmp(racer, "none");
}

/* "kernel instructions per operation, exact (icount)" */
static char *axis_text(const struct side_point *p, const char *metric)
{
	struct metric_facts m = file_metric(p->obs[0].file, metric);
	bool exact = metric_tier(p, metric) == TIER_EXACT;
	const char *what = metric;
	char *label, *text;

	if (!strcmp(metric, "instructions_kernel"))
		what = "kernel instructions";
	else if (!strcmp(metric, "instructions_user"))
		what = "user instructions";
	if (m.kind == METRIC_INSTRUCTIONS)
		return xasprintf("%s per operation%s", what,
				 exact ? ", exact (icount)" : "");
	if (!strcmp(metric, "retries_per_1000_gathers"))
		return xstrdup("retries per 1,000 gathers");
	label = metric_label(metric, m.unit);
	text = xasprintf("%s per operation", label);
	free(label);
	return text;
}

static const char *release_of(const struct side *s)
{
	return json_text(s->run->files[0]->header, "kernel_release");
}

/* Whether another run is of a kernel with the same release. */
static bool release_is_shared(const struct plot *plot, size_t nr)
{
	size_t i;

	for (i = 0; i < plot->nr; i++)
		if (i != nr && !strcmp(release_of(plot->sides[i]),
				       release_of(plot->sides[nr])))
			return true;
	return false;
}

/* "base: 6.12.117", with the start of the build id where that is not enough. */
static char *run_title(const struct plot *plot, size_t nr)
{
	const struct side *s = plot->sides[nr];
	const char *id = json_text(s->run->files[0]->header, "build_id");

	if (*id && release_is_shared(plot, nr))
		return xasprintf("%s: %s (build %.8s)", s->label,
				 release_of(s), id);
	return xasprintf("%s: %s", s->label, release_of(s));
}

/* "6.12.117 and 6.12.117-range" */
static char *kernels_text(const struct plot *plot)
{
	char *text = xstrdup(release_of(plot->sides[0])), *more;
	size_t i;

	for (i = 1; i < plot->nr; i++) {
		if (strstr(text, release_of(plot->sides[i])) &&
		    release_is_shared(plot, i))
			continue;
		more = xasprintf("%s%s%s", text,
				 i + 1 == plot->nr ? " and " : ", ",
				 release_of(plot->sides[i]));
		free(text);
		text = more;
	}
	return text;
}

/* How many boots, and what marks and bars are of them. */
static char *boots_text(const struct plot *plot, const struct side_point *p)
{
	size_t boots = side_boots(plot->sides[0], p->mode);

	if (has_racer(p))
		return xasprintf("%zu boot%s a run, a mark for each", boots,
				 plural(boots));
	if (boots < 2)
		return xstrdup("1 boot a run");
	return xasprintf("%zu boots a run: median and range", boots);
}

/* --- what goes into every script --- */

static void put_runs(struct picture *pic, const struct plot *plot)
{
	size_t i;

	fprintf(pic->script, "runs = %zu\narray run_title[%zu]\n", plot->nr,
		plot->nr);
	for (i = 0; i < plot->nr; i++) {
		char *name = xasprintf("run_title[%zu]", i + 1);
		char *title = run_title(plot, i);

		picture_text(pic, name, title);
		free(title);
		free(name);
	}
}

/* Cuts a text that would not fit. */
static void shorten(char *text, size_t most)
{
	if (strlen(text) > most)
		strcpy(text + most - 2, "..");
}

/* The kernels are in the legend as well, where there is room for long names. */
static void put_titles(struct picture *pic, const char *what,
		       const struct plot *plot, const char *constant,
		       const struct side_point *p)
{
	char *kernels = kernels_text(plot), *bars = boots_text(plot, p);
	char *title = xasprintf("%s: %s", what, kernels);
	char *sub = xasprintf("%s%s%s", bars, *constant ? "; " : "", constant);

	picture_text(pic, "title", strlen(title) > MAX_TITLE ? what : title);
	picture_subtitle(pic, sub, MAX_SUBTITLE);
	free(kernels);
	free(bars);
	free(title);
	free(sub);
}

struct extent {
	double min, max;
};

static void extend(struct extent *e, double v)
{
	e->min = fmin(e->min, v);
	e->max = fmax(e->max, v);
}

static void put_sample(struct picture *pic, double x, const struct sample *s,
		       struct extent *e)
{
	if (!s->nr) {
		fprintf(pic->script, "%.17g NaN NaN NaN\n", x);
		return;
	}
	fprintf(pic->script, "%.17g %.17g %.17g %.17g\n", x, s->median, s->min,
		s->max);
	extend(e, s->min);
	extend(e, s->max);
}

/*
 * An axis: logarithmic where values differ much, else from 0, so that lengths
 * and heights compare.
 */
struct axis {
	double low, high;
	int log;	/* 1: few decades, tics at 1, 2, 5; 2: many */
};

static struct axis axis_for(struct extent e, double log_above)
{
	if (e.min > 0 && e.max / e.min > log_above)
		return (struct axis){ e.min / 1.4, e.max * 1.4,
				      e.max / e.min > 500 ? 2 : 1 };
	return (struct axis){ 0, e.max > 0 ? e.max * 1.06 : 1, 0 };
}

static void put_x_range(struct picture *pic, struct extent e, double log_above)
{
	struct axis a = axis_for(e, log_above);

	fprintf(pic->script, "set xrange [%.17g:%.17g]\nset format x '%s'\n",
		a.low, a.high, a.high >= 1e4 ? "%.0s%c" : "%g");
	fprintf(pic->script, "x_log = %d\n%s", a.log,
		a.log ? "set logscale x 10\n" : "");
}

/* --- every point: dumbbells --- */

/* Largest change first, as the table sorts. */
static double change_of(const struct plot *plot, const struct side_point *p,
			const char *metric)
{
	struct sample a = value_in(plot->sides[0], p, metric);
	struct sample b = value_in(plot->sides[plot->nr - 1], p, metric);
	double r = b.median / a.median;

	sample_free(&a);
	sample_free(&b);
	return r > 0 && isfinite(r) ? fabs(log(r)) : r == 1 ? 0 : INFINITY;
}

/* Of each benchmark only the point that changed most. */
static struct drawn_points one_a_bench(const struct plot *plot,
				       const struct drawn_points *all,
				       const char *metric)
{
	struct drawn_points some = { 0 };
	size_t i, j;

	for (i = 0; i < all->nr; i++) {
		for (j = 0; j < some.nr; j++)
			if (!strcmp(some.p[j]->bench, all->p[i]->bench))
				break;
		if (j == some.nr)
			list_add(&some, all->p[i]);
		else if (change_of(plot, all->p[i], metric) >
			 change_of(plot, some.p[j], metric))
			some.p[j] = all->p[i];
	}
	return some;
}

static struct drawn_points points_with(const struct plot *plot,
				       const char *metric, bool racing)
{
	const struct side *base = plot->sides[0];
	struct drawn_points l = { 0 };
	size_t i;

	for (i = 0; i < base->nr_points; i++) {
		const struct side_point *p = &base->points[i];

		if (strcmp(p->bench, "harness.empty") &&
		    has_racer(p) == racing && in_all_runs(plot, p, metric) &&
		    (!l.nr || !strcmp(p->mode, l.p[0]->mode)))
			list_add(&l, p);
	}
	return l;
}

/* "-53.4%" for each new run, joined. */
static char *changed_by(const struct plot *plot, const struct side_point *p,
			const char *metric)
{
	struct sample base = value_in(plot->sides[0], p, metric);
	char *text = xstrdup(""), *more, change[NUMBER_SIZE];
	size_t i;

	for (i = 1; i < plot->nr; i++) {
		struct sample s = value_in(plot->sides[i], p, metric);

		more = xasprintf("%s%s%s", text, *text ? " / " : "",
				 format_change(base.median ? s.median /
					       base.median : NAN,
					       s.median - base.median,
					       metric_tier(p, metric), change));
		free(text);
		text = more;
		sample_free(&s);
	}
	sample_free(&base);
	return text;
}

void drop_keys(char *params)
{
	char *from = params, *to = params, *eq;

	while (*from) {
		eq = strchr(from, '=');
		if (eq && eq < strchrnul(from, ' '))
			from = eq + 1;
		while (*from && *from != ' ')
			*to++ = *from++;
		while (*from == ' ')
			*to++ = *from++;
	}
	*to = '\0';
}

/* Names on the left, changes on the right. */
static void put_rows(struct picture *pic, const struct plot *plot,
		     const struct drawn_points *l, const json_t *constant,
		     const char *metric)
{
	size_t i, left = 10, right = 2;

	fprintf(pic->script, "rows = %zu\nset ytics ()\n", l->nr);
	for (i = 0; i < l->nr; i++) {
		char *params = varying_params(l->p[i], constant), *name;
		char *change = changed_by(plot, l->p[i], metric);
		char *label = picture_quote(change), *quoted;

		if (strlen(l->p[i]->bench) + strlen(params) > 40)
			drop_keys(params);
		name = xasprintf("%s%s%s", l->p[i]->bench, *params ? " " : "",
				 params);
		shorten(name, MAX_NAME);
		quoted = picture_quote(name);
		fprintf(pic->script, "set ytics add (%s %zu)\n", quoted, i + 1);
		fprintf(pic->script,
			"if (format ne 'terminal') { set label %zu %s at graph 1.015, first %zu left }\n",
			100 + i, label, i + 1);
		left = strlen(name) > left ? strlen(name) : left;
		right = strlen(change) > right ? strlen(change) : right;
		free(quoted);
		free(label);
		free(change);
		free(params);
		free(name);
	}
	fprintf(pic->script, "label_width = %zu\nchange_width = %zu\n",
		left + 3, right + 3);
}

static struct extent put_dumbbells(struct picture *pic,
				   const struct plot *plot,
				   const struct drawn_points *l,
				   const char *metric)
{
	struct extent e = { NAN, NAN };
	size_t i, j;

	fputs("$data << EOD\n", pic->script);
	for (j = 0; j < plot->nr; j++) {
		for (i = 0; i < l->nr; i++) {
			struct sample s = value_in(plot->sides[j], l->p[i],
						   metric);

			put_sample(pic, i + 1, &s, &e);
			sample_free(&s);
		}
		fputs("\n\n", pic->script);
	}
	for (i = 0; i < l->nr; i++) {
		struct extent join = { NAN, NAN };

		for (j = 0; j < plot->nr; j++) {
			struct sample s = value_in(plot->sides[j], l->p[i],
						   metric);

			extend(&join, s.median);
			sample_free(&s);
		}
		fprintf(pic->script, "%zu %.17g %.17g\n", i + 1, join.min,
			join.max);
	}
	fputs("EOD\n", pic->script);
	return e;
}

static int draw_dumbbell(struct plot *plot, const char *metric)
{
	struct drawn_points all = points_with(plot, metric, false), some = all;
	json_t *constant;
	struct picture *pic;
	char *name, *axis, *same;
	int ret = 0;

	if (!all.nr)
		goto out;
	if (all.nr > MAX_ROWS)
		some = one_a_bench(plot, &all, metric);
	constant = constant_params(some.p, some.nr);
	same = params_text(constant, " ");
	axis = axis_text(some.p[0], metric);
	name = xasprintf("points-%s", metric);
	pic = picture_begin(name, dumbbell_gp, 1000,
			    158 + 30 * (some.nr < 4 ? 4 : some.nr) +
			    20 * plot->nr);
	put_runs(pic, plot);
	put_titles(pic, some.nr < all.nr ?
		   "The most changed point of each benchmark" :
		   "Every point", plot, same, some.p[0]);
	picture_text(pic, "xname", axis);
	put_rows(pic, plot, &some, constant, metric);
	put_x_range(pic, put_dumbbells(pic, plot, &some, metric), LOG_ROWS);
	ret = picture_end(pic, plot->options);
	plot->drawn++;
	json_decref(constant);
	free(name);
	free(axis);
	free(same);
	if (some.p != all.p)
		free(some.p);
out:
	free(all.p);
	return ret;
}

/* --- panels --- */

struct panel {
	char *key;	/* what its points have in common */
	struct drawn_points l;
};

struct panels {
	struct panel *p;
	size_t nr;
};

static void panels_free(struct panels *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		free(s->p[i].key);
		free(s->p[i].l.p);
	}
	free(s->p);
}

/* The point's identity without one of its parameters. The caller frees. */
static char *key_without(const struct side_point *p, const char *param)
{
	json_t *rest = json_copy(p->params);
	char *key;

	json_object_del(rest, param);
	key = point_key(p->mode, p->bench, rest);
	json_decref(rest);
	return key;
}

static struct panel *panel_for(struct panels *s, char *key)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		if (strcmp(s->p[i].key, key))
			continue;
		free(key);
		return &s->p[i];
	}
	s->p = grow(s->p, s->nr, sizeof(*s->p));
	s->p[s->nr] = (struct panel){ .key = key };
	return &s->p[s->nr++];
}

/* A parameter's value as a number: "64k" is 65536. NAN if it is none. */
static double param_number(const struct side_point *p, const char *param)
{
	json_t *v = json_object_get(p->params, param);
	uint64_t bytes;

	if (json_is_number(v))
		return json_number_value(v);
	if (json_is_string(v) && !parse_size(json_string_value(v), &bytes))
		return bytes;
	return NAN;
}

static const char *sort_param;	/* for qsort() only */

static int by_param(const void *a, const void *b)
{
	double x = param_number(*(const struct side_point *const *)a,
				sort_param);
	double y = param_number(*(const struct side_point *const *)b,
				sort_param);

	return (x > y) - (x < y);
}

/* Leaves out panels of fewer than three points, and sorts the others'. */
static void keep_sweeps(struct panels *s, const char *param)
{
	size_t i, nr = 0;

	for (i = 0; i < s->nr; i++) {
		if (s->p[i].l.nr < 3) {
			free(s->p[i].key);
			free(s->p[i].l.p);
			continue;
		}
		sort_param = param;
		qsort(s->p[i].l.p, s->p[i].l.nr, sizeof(*s->p[i].l.p),
		      by_param);
		s->p[nr++] = s->p[i];
	}
	s->nr = nr;
}

/* How long the family in a benchmark's name is: 3 in gup.pin_fast. */
static int family_len(const char *bench)
{
	return strcspn(bench, ".");
}

/* A family's points by everything but @param. */
static struct panels sweeps_of(const struct drawn_points *l, const char *family,
			       const char *param)
{
	struct panels s = { 0 };
	size_t i;

	for (i = 0; i < l->nr; i++) {
		const struct side_point *p = l->p[i];
		int len = family_len(p->bench);

		if (len == family_len(family) &&
		    !strncmp(p->bench, family, len) &&
		    !isnan(param_number(p, param)))
			list_add(&panel_for(&s, key_without(p, param))->l, p);
	}
	keep_sweeps(&s, param);
	return s;
}

static struct drawn_points all_points(const struct panels *s)
{
	struct drawn_points all = { 0 };
	size_t i, j;

	for (i = 0; i < s->nr; i++)
		for (j = 0; j < s->p[i].l.nr; j++)
			list_add(&all, s->p[i].l.p[j]);
	return all;
}

static bool one_bench(const struct panels *s)
{
	size_t i;

	for (i = 1; i < s->nr; i++)
		if (strcmp(s->p[i].l.p[0]->bench, s->p[0].l.p[0]->bench))
			return false;
	return true;
}

/* What a panel's points have in common, but not all panels have. */
static char *panel_title(const struct panel *panel, const json_t *constant,
			 bool bench)
{
	json_t *here = constant_params(panel->l.p, panel->l.nr), *value;
	char *params, *text;
	const char *param;

	json_object_foreach((json_t *)constant, param, value)
		json_object_del(here, param);
	params = params_text(here, " ");
	text = xasprintf("%s%s%s", bench ? panel->l.p[0]->bench : "",
			 bench && *params ? " " : "", params);
	json_decref(here);
	free(params);
	return text;
}

static void put_panels(struct picture *pic, const struct panels *s,
		       const json_t *constant)
{
	bool bench = !one_bench(s);
	size_t i;

	fprintf(pic->script,
		"panels = %zu\nrows = %zu\ncols = %d\narray panel_title[%zu]\n"
		"array y_low[%zu]\narray y_high[%zu]\narray y_log[%zu]\n",
		s->nr, (s->nr + 1) / 2, s->nr > 1 ? 2 : 1, s->nr, s->nr, s->nr,
		s->nr);
	for (i = 0; i < s->nr; i++) {
		char *name = xasprintf("panel_title[%zu]", i + 1);
		char *text = panel_title(&s->p[i], constant, bench);

		picture_text(pic, name, text);
		free(text);
		free(name);
	}
}

/* Panels of one picture are all logarithmic or none. */
static void put_y_ranges(struct picture *pic, const struct extent *e, size_t nr)
{
	double log_above = LOG_ABOVE;
	size_t i;

	for (i = 0; i < nr; i++)
		if (axis_for(e[i], LOG_ABOVE).log)
			log_above = 0;
	for (i = 0; i < nr; i++)
		if (!(e[i].min > 0))
			log_above = INFINITY;
	for (i = 0; i < nr; i++) {
		struct axis a = axis_for(e[i], log_above);

		fprintf(pic->script,
			"y_low[%zu] = %.17g\ny_high[%zu] = %.17g\ny_log[%zu] = %d\n",
			i + 1, a.low, i + 1, a.high, i + 1, a.log);
	}
}

/* A tic at every value that was measured, named as it was. */
static void put_tics(struct picture *pic, const struct panels *s,
		     const char *param)
{
	struct extent e = { NAN, NAN };
	size_t i, j;

	fputs("set xtics ()\n", pic->script);
	for (i = 0; i < s->nr; i++)
		for (j = 0; j < s->p[i].l.nr; j++) {
			const struct side_point *p = s->p[i].l.p[j];
			double x = param_number(p, param);
			char *text = param_value_text(json_object_get(
					p->params, param));
			char *quoted = picture_quote(text);

			fprintf(pic->script, "set xtics add (%s %.17g)\n",
				quoted, x);
			extend(&e, x);
			free(quoted);
			free(text);
		}
	if (e.min > 0)
		fprintf(pic->script,
			"set logscale x 2\nset xrange [%.17g:%.17g]\n",
			e.min / 1.4, e.max * 1.4);
}

/* One panel: a block for each run. */
static void put_sweep(struct picture *pic, const struct plot *plot,
		      const struct panel *panel, const char *param,
		      const char *metric, struct extent *e)
{
	size_t i, j;

	for (i = 0; i < plot->nr; i++) {
		for (j = 0; j < panel->l.nr; j++) {
			const struct side_point *p = panel->l.p[j];
			struct sample v = value_in(plot->sides[i], p, metric);

			put_sample(pic, param_number(p, param), &v, e);
			sample_free(&v);
		}
		fputs("\n\n", pic->script);
	}
}

static void put_sweeps(struct picture *pic, const struct plot *plot,
		       const struct panels *s, const char *param,
		       const char *metric)
{
	struct extent e[MAX_PANELS];
	size_t i;

	fputs("joined = 1\n$data << EOD\n", pic->script);
	for (i = 0; i < s->nr; i++) {
		e[i] = (struct extent){ NAN, NAN };
		put_sweep(pic, plot, &s->p[i], param, metric, &e[i]);
	}
	fputs("EOD\n", pic->script);
	put_y_ranges(pic, e, s->nr);
}

/* The picture but for its data: sizes, titles, panels. */
static struct picture *begin_panels(const struct plot *plot,
				    const struct panels *s, const char *file,
				    const char *what, const char *xname,
				    const char *metric)
{
	const size_t rows = (s->nr + 1) / 2;
	struct picture *pic = picture_begin(file, panels_gp,
					    s->nr > 1 ? 1000 : 760,
					    140 + 340 * rows + 20 * plot->nr);
	const struct side_point *any = s->p[0].l.p[0];
	struct drawn_points all = all_points(s);
	json_t *constant = constant_params(all.p, all.nr);
	char *same = params_text(constant, " ");
	char *axis = axis_text(any, metric);

	put_runs(pic, plot);
	put_titles(pic, what, plot, same, any);
	picture_text(pic, "xname", xname);
	picture_text(pic, "yname", axis);
	/* The racer's pause is what moves the marks along. */
	json_object_set_new(constant, "racer_pause", json_null());
	put_panels(pic, s, constant);
	json_decref(constant);
	free(all.p);
	free(same);
	free(axis);
	return pic;
}

static int draw_page(struct plot *plot, const struct panels *page,
		     const char *file, const char *metric, const char *param,
		     const char *xname)
{
	const char *bench = page->p[0].l.p[0]->bench;
	char *what = one_bench(page) ?
		     xasprintf("%s against %s", bench, xname) :
		     xasprintf("%.*s: cost against %s", family_len(bench),
			       bench, xname);
	struct picture *pic = begin_panels(plot, page, file, what, xname,
					   metric);

	put_tics(pic, page, param);
	put_sweeps(pic, plot, page, param, metric);
	plot->drawn++;
	free(what);
	return picture_end(pic, plot->options);
}

static int draw_family(struct plot *plot, const struct drawn_points *l,
		       const char *family, const char *metric,
		       const char *param, const char *xname)
{
	struct panels s = sweeps_of(l, family, param);
	size_t i, nr = 0;
	int ret = 0;

	for (i = 0; i < s.nr && !ret; i += MAX_PANELS) {
		struct panels page = { s.p + i, s.nr - i < MAX_PANELS ?
						s.nr - i : MAX_PANELS };
		char *number = nr++ ? xasprintf("-%zu", nr) : xstrdup("");
		char *file = xasprintf("%s-%.*s-%s%s", param,
				       family_len(family), family, metric,
				       number);

		ret = draw_page(plot, &page, file, metric, param, xname);
		free(file);
		free(number);
	}
	panels_free(&s);
	return ret;
}

static bool family_seen(const struct drawn_points *l, size_t nr)
{
	int len = family_len(l->p[nr]->bench);
	size_t i;

	for (i = 0; i < nr; i++)
		if (family_len(l->p[i]->bench) == len &&
		    !strncmp(l->p[i]->bench, l->p[nr]->bench, len))
			return true;
	return false;
}

/* Parameters that any point has as a number or a size, as keys. */
static json_t *numeric_params(const struct drawn_points *l)
{
	json_t *all = json_object(), *value;
	const char *name;
	size_t i;

	for (i = 0; i < l->nr; i++)
		json_object_foreach(l->p[i]->params, name, value)
			if (!isnan(param_number(l->p[i], name)))
				json_object_set_new(all, name, json_true());
	return all;
}

/* How an axis calls a parameter. */
static const char *param_axis(const char *param)
{
	if (!strcmp(param, "folio"))
		return "folio size";
	return strcmp(param, "pages") ? param : "pages a call";
}

static int draw_sweeps(struct plot *plot, const char *metric)
{
	struct drawn_points l = points_with(plot, metric, false);
	json_t *params = numeric_params(&l), *value;
	const char *param;
	int ret = 0;
	size_t i;

	for (i = 0; i < l.nr && !ret; i++) {
		if (family_seen(&l, i))
			continue;
		json_object_foreach(params, param, value)
			if (!ret)
				ret = draw_family(plot, &l, l.p[i]->bench,
						  metric, param,
						  param_axis(param));
	}
	json_decref(params);
	free(l.p);
	return ret;
}

/* --- the racer --- */

/* A mark for each boot's file that has both figures. */
static void put_marks(struct picture *pic, const struct side_point *p,
		      const char *metric, struct extent *x, struct extent *y)
{
	double rounds, v;
	size_t i;

	for (i = 0; p && i < p->nr_obs; i++) {
		if (!observation_value(&p->obs[i], metric, &v) ||
		    !observation_value(&p->obs[i], "racer_rounds", &rounds))
			continue;
		fprintf(pic->script, "%.17g %.17g\n", rounds, v);
		extend(x, rounds);
		extend(y, v);
	}
}

static struct extent put_cloud(struct picture *pic, const struct plot *plot,
			       const struct panel *panel, const char *metric,
			       struct extent *x)
{
	struct extent y = { NAN, NAN };
	size_t i, j;

	for (i = 0; i < plot->nr; i++) {
		/* a block must not be empty, or it would not be counted */
		fputs("NaN NaN\n", pic->script);
		for (j = 0; j < panel->l.nr; j++)
			put_marks(pic, side_find(plot->sides[i],
						 panel->l.p[j]->key),
				  metric, x, &y);
		fputs("\n\n", pic->script);
	}
	return y;
}

static int draw_clouds(struct plot *plot, const struct panels *s,
		       const char *metric)
{
	struct extent x = { NAN, NAN }, y[MAX_PANELS];
	char *file = xasprintf("racer-%s", metric);
	char *what = xasprintf("%s against a racing CPU", metric);
	struct picture *pic = begin_panels(plot, s, file, what,
		"racer rounds per operation", metric);
	size_t i;

	fputs("joined = 0\n$data << EOD\n", pic->script);
	for (i = 0; i < s->nr; i++)
		y[i] = put_cloud(pic, plot, &s->p[i], metric, &x);
	fputs("EOD\n", pic->script);
	put_y_ranges(pic, y, s->nr);
	put_x_range(pic, x, LOG_ABOVE);
	plot->drawn++;
	free(what);
	free(file);
	return picture_end(pic, plot->options);
}

/* A panel for each benchmark and kind of racer. */
static int draw_racer(struct plot *plot, const char *metric)
{
	struct drawn_points l = points_with(plot, metric, true);
	struct panels s = { 0 }, page;
	int ret = 0;
	size_t i;

	for (i = 0; i < l.nr; i++) {
		const struct side_point *p = l.p[i];

		if (in_all_runs(plot, p, "racer_rounds"))
			list_add(&panel_for(&s, xasprintf("%s %s", p->bench,
					json_text(p->params, "racer")))->l, p);
	}
	free(l.p);
	if (s.nr > MAX_PANELS)
		warn("%s: %d of %zu racers are drawn; choose others with -b",
		     metric, MAX_PANELS, s.nr);
	page = (struct panels){ s.p, s.nr < MAX_PANELS ? s.nr : MAX_PANELS };
	if (s.nr)
		ret = draw_clouds(plot, &page, metric);
	panels_free(&s);
	return ret;
}

/* --- which metrics --- */

/* Every metric that a run's points have, as keys; a new object. */
static json_t *metrics_in(const struct side *s)
{
	json_t *all = json_object(), *value;
	const char *name;
	size_t i, j;

	for (i = 0; i < s->nr_points; i++)
		for (j = 0; j < s->points[i].nr_obs; j++)
			json_object_foreach(json_object_get(
					s->points[i].obs[j].point, "counters"),
					name, value)
				if (!json_object_get(all, name))
					json_object_set_new(all, name,
							    json_true());
	return all;
}

static bool is_drawable(const struct plot *plot, const char *metric)
{
	struct drawn_points l = points_with(plot, metric, false);
	bool any = l.nr > 0;

	free(l.p);
	return any;
}

/* Time if there is time; else what the kernel executed. */
static const char *cost_metric(const struct plot *plot)
{
	const char *metric;
	unsigned int rank;

	for (rank = 1; (metric = metric_cost(rank)); rank++)
		if (is_drawable(plot, metric))
			return metric;
	return NULL;
}

static int draw_cost(struct plot *plot, const char *metric)
{
	int ret = draw_dumbbell(plot, metric);

	return ret ? ret : draw_sweeps(plot, metric);
}

static int draw_metric(struct plot *plot, const char *metric)
{
	int ret = draw_cost(plot, metric);

	if (!ret)
		ret = plot_mmio(plot->sides, plot->nr, plot->options, metric,
				&plot->drawn);
	return ret;
}

/* What a race causes: retries where they can be counted, else fallbacks. */
static int draw_race(struct plot *plot)
{
	static const char *const caused[] = { "retries_per_1000_gathers",
					      "lockless_retries",
					      "gup_slow_pages" };
	size_t before = plot->drawn, i;
	int ret = 0;

	for (i = 0; i < ARRAY_SIZE(caused) && !ret; i++)
		if (plot->drawn == before)
			ret = draw_racer(plot, caused[i]);
	return ret;
}

static int draw_chosen(struct plot *plot)
{
	json_t *all = metrics_in(plot->sides[0]), *value;
	const char *name;
	int ret = 0;

	json_object_foreach(all, name, value) {
		if (!selected_metric(&plot->options->select, name))
			continue;
		ret = draw_metric(plot, name);
		if (!ret)
			ret = draw_racer(plot, name);
		if (ret)
			break;
	}
	json_decref(all);
	return ret;
}

static const struct choice formats[] = {
	{ "svg", NULL }, { "png", NULL }, { "pdf", NULL }, { "terminal", NULL },
};

const struct choices plot_formats = CHOICES(formats);

/* Whether anything at all is written to the folder. */
static bool needs_folder(const struct plot_options *o)
{
	size_t i;

	for (i = 0; i < o->nr_formats; i++)
		if (strcmp(o->formats[i], "terminal"))
			return true;
	return o->keep;
}

int plot_runs(struct side *const *sides, size_t nr,
	      const struct plot_options *o)
{
	struct plot plot = { sides, nr, o, 0 };
	const char *cost;
	bool timed;
	int ret;

	if (nr > MAX_RUNS)
		return fail(EINVAL, "at most %d runs fit into a picture",
			    MAX_RUNS);
	ret = gnuplot_available();
	if (!ret && needs_folder(o))
		ret = make_dirs(o->dir);
	if (ret)
		return ret;
	if (o->select.nr_metrics) {
		ret = draw_chosen(&plot);
	} else {
		cost = cost_metric(&plot);
		timed = cost && !strcmp(cost, "ns");
		if (cost)
			ret = draw_cost(&plot, cost);
		if (!ret)
			ret = plot_mmio(sides, nr, o, timed ? "ns" :
					MMIO_INSTRUCTIONS, &plot.drawn);
		if (!ret && timed)
			ret = plot_mmio(sides, nr, o, "mb_per_s", &plot.drawn);
		if (!ret)
			ret = plot_barriers(sides, nr, o, &plot.drawn);
		if (!ret)
			ret = draw_race(&plot);
	}
	if (!ret && !plot.drawn)
		ret = fail(ENOENT, "nothing to draw: no %s is in every run",
			   o->select.nr_metrics ?
			   "point with the metric asked for" :
			   "measured point");
	return ret;
}
