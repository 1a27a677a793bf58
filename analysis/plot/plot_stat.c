// SPDX-License-Identifier: GPL-2.0
/* See plot_stat.h. */
#include "analysis/plot/plot_stat.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/picture.h"
#include "analysis/judge/view.h"
#include "analysis_gp.h"
#include "lib/util.h"

#define MAX_RUNS	5	/* new runs; common.gp has six styles */
#define MAX_ROWS	40
#define MAX_SPREADS	4	/* pictures */
#define MAX_BOOTS	40	/* rows of one */
#define MAX_PANELS	8
#define MAX_LABELS	24	/* on the axis of a trend */
#define MAX_NAME	46
#define MAX_SUBTITLE	94
/* Change points: level and number of permutations of each test. */
#define CHANGE_ALPHA	.01
#define CHANGE_PERMUTATIONS	499
#define MAX_VALUES	160

static void shorten(char *text, size_t most)
{
	if (strlen(text) > most)
		strcpy(text + most - 2, "..");
}

static void put_indexed(struct picture *pic, const char *array, size_t nr,
			const char *text)
{
	char *name = xasprintf("%s[%zu]", array, nr);

	picture_text(pic, name, text);
	free(name);
}

static void put_tic(struct picture *pic, const char *axis, const char *text,
		    double at)
{
	char *quoted = picture_quote(text);

	fprintf(pic->script, "set %stics add (%s %.17g)\n", axis, quoted, at);
	free(quoted);
}

static const char *release_of(const struct side *s)
{
	return json_text(s->run->files[0]->header, "kernel_release");
}

static char *run_title(const struct side *s)
{
	const char *id = json_text(s->run->files[0]->header, "build_id");

	return xasprintf("%s: %s%s%.8s%s", s->label, release_of(s),
			 *id ? " (build " : "", id, *id ? ")" : "");
}

/* 1, 2 or 5 times a power of ten: about four to a panel. */
static double tic_step(double range)
{
	double unit = pow(10, floor(log10(range / 4)));
	double rest = range / 4 / unit;

	return unit * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

/* --- forest --- */

static bool in_forest(const struct result *r, enum tier tier)
{
	if (r->tier != tier || !(r->ratio > 0) ||
	    !strcmp(r->point->bench, "harness.empty"))
		return false;
	if (tier == TIER_TIMED)
		return !isnan(r->ci_low);
	return r->facts.kind == METRIC_INSTRUCTIONS;
}

/*
 * The rows: those of the first comparison, which is sorted by size. Of
 * instructions, user and kernel ones only where their sum is not.
 */
static size_t forest_rows(const struct comparison *c, enum tier tier,
			  const struct result **row, size_t *all)
{
	size_t nr = 0, i;

	*all = 0;
	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		if (!in_forest(r, tier) ||
		    (tier == TIER_EXACT && strcmp(r->metric,
						  "instructions_kernel")))
			continue;
		if (nr < MAX_ROWS)
			row[nr++] = r;
		++*all;
	}
	return nr;
}

/* Change in percent of a ratio, or its logarithm to base 2 if they are large. */
static double position(double ratio, bool large)
{
	return large ? log2(ratio) : 100 * (ratio - 1);
}

static void interval_of(const struct result *r, double *low, double *high)
{
	if (r->tier == TIER_TIMED) {
		*low = r->ci_low;
		*high = r->ci_high;
	} else {
		*low = r->new.min / r->base.max;
		*high = r->base.min > 0 ? r->new.max / r->base.min : r->ratio;
	}
}

static void put_forest_block(struct picture *pic, const struct comparison *c,
			     const struct result *const *row, size_t nr,
			     bool differ, bool large, double shift)
{
	size_t i;

	/* a block must not be empty, or it would not be counted */
	fputs("NaN NaN NaN NaN\n", pic->script);
	for (i = 0; i < nr; i++) {
		const struct result *r = result_like(c, row[i]);
		double low, high;

		if (!r || !in_forest(r, row[i]->tier) ||
		    is_difference(r) != differ)
			continue;
		interval_of(r, &low, &high);
		fprintf(pic->script, "%.17g %.17g %.17g %.17g\n",
			i + 1 + shift, position(r->ratio, large),
			position(low, large), position(high, large));
	}
	fputs("\n\n", pic->script);
}

static void put_forest_names(struct picture *pic,
			     const struct result *const *row, size_t nr,
			     const json_t *constant)
{
	size_t left = 10, i;

	fputs("set ytics ()\n", pic->script);
	for (i = 0; i < nr; i++) {
		char *params = varying_params(row[i]->point, constant);
		const char *metric = row[i]->metric;
		bool plain = !strcmp(metric, "ns") ||
			     !strcmp(metric, "instructions_kernel");
		char change[NUMBER_SIZE], *text, *quoted, *name;

		if (strlen(row[i]->point->bench) + strlen(params) > 34)
			drop_keys(params);
		name = xasprintf("%s%s%s%s%s", row[i]->point->bench,
				 *params ? " " : "", params, plain ? "" : " ",
				 plain ? "" : metric);
		shorten(name, MAX_NAME);
		put_tic(pic, "y", name, i + 1);
		left = strlen(name) > left ? strlen(name) : left;
		format_change(row[i]->ratio, row[i]->delta, row[i]->tier,
			      change);
		text = xasprintf("%s%s%s", row[i]->delta ? change : "",
				 row[i]->delta ? " " : "",
				 row[i]->word);
		quoted = picture_quote(text);
		fprintf(pic->script,
			"if (format ne 'terminal') { set label %zu %s at graph 1.015, first %zu left }\n",
			100 + i, quoted, i + 1);
		free(quoted);
		free(text);
		free(name);
		free(params);
	}
	fprintf(pic->script, "label_width = %zu\nchange_width = 23\n",
		left + 3);
}

static bool is_large(struct comparison *const *c, size_t nr, enum tier tier)
{
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++) {
			const struct result *r = &c[i]->results[j];

			if (in_forest(r, tier) &&
			    (r->ratio > 3 || r->ratio < 1 / 3.))
				return true;
		}
	return false;
}

/* From the smallest to the largest, with 0: few tics, as their names are long. */
static double forest_span(struct comparison *const *c, size_t nr,
			  const struct result *const *row, size_t rows)
{
	double least = 0, most = 0, low, high;
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < rows; j++) {
			const struct result *r = result_like(c[i], row[j]);

			if (!r || !in_forest(r, row[j]->tier))
				continue;
			interval_of(r, &low, &high);
			least = fmin(least, position(low, false));
			most = fmax(most, position(high, false));
		}
	return most - least;
}

static void put_forest_axis(struct picture *pic, bool large, enum tier tier,
			    double span)
{
	picture_text(pic, "xname", large ?
		     "new / base (logarithmic)" : "change against base, %");
	if (large)
		fputs("set xtics (\"1/64\" -6, \"1/16\" -4, \"1/4\" -2, \"1/2\" -1, \"1\" 0, \"2\" 1, \"4\" 2, \"16\" 4, \"64\" 6, \"256\" 8, \"1024\" 10, \"4096\" 12)\n",
		      pic->script);
	else
		fprintf(pic->script, "set format x '%%+g%%%%'\n");
	if (!large && span > 0)
		fprintf(pic->script, "set xtics %.17g\n", tic_step(span));
	picture_text(pic, "legend", tier == TIER_TIMED ?
		     "hollow: no difference is shown (full: it is)" :
		     "hollow: equal, or no farther apart than by luck");
}

static int draw_forest(struct comparison *const *c, size_t nr, enum tier tier,
		       const struct plot_options *o, size_t *drawn)
{
	const struct result *row[MAX_ROWS];
	const struct side_point *p[MAX_ROWS];
	size_t all, rows = forest_rows(c[0], tier, row, &all), i;
	bool large = is_large(c, nr, tier);
	struct picture *pic;
	json_t *constant;
	char *sub, *same;

	if (!rows)
		return 0;
	for (i = 0; i < rows; i++)
		p[i] = row[i]->point;
	constant = constant_params(p, rows);
	same = params_text(constant, " ");
	pic = picture_begin(tier == TIER_TIMED ? "forest-timed" :
			    "forest-exact", forest_gp, 1000,
			    180 + 26 * rows + 20 * nr);
	fprintf(pic->script, "rows = %zu\nruns = %zu\narray run_title[%zu]\nmargin = %.17g\n",
		rows, nr, nr, tier == TIER_TIMED ?
		position(1 + c[0]->options->margin, large) : 0.);
	for (i = 0; i < nr; i++) {
		char *title = run_title(c[i]->new);

		put_indexed(pic, "run_title", i + 1, title);
		free(title);
	}
	picture_text(pic, "title", tier == TIER_TIMED ?
		     "Time and cycles: change and 95 % interval" :
		     "Kernel instructions: change and range over seeds");
	sub = xasprintf("against %s: %s; %zu of %zu rows%s%s%s%s",
			c[0]->base->label, release_of(c[0]->base), rows, all,
			tier == TIER_TIMED ? "; grey: the margin" : "",
			rows < all ? ", the largest changes" : "",
			*same ? "; " : "", same);
	picture_subtitle(pic, sub, MAX_SUBTITLE);
	put_forest_axis(pic, large, tier, forest_span(c, nr, row, rows));
	put_forest_names(pic, row, rows, constant);
	fputs("$data << EOD\n", pic->script);
	for (i = 0; i < nr; i++) {
		double shift = nr > 1 ? .5 * i / nr - .2 : 0;

		put_forest_block(pic, c[i], row, rows, true, large, shift);
		put_forest_block(pic, c[i], row, rows, false, large, shift);
	}
	fputs("EOD\n", pic->script);
	free(sub);
	free(same);
	json_decref(constant);
	++*drawn;
	return picture_end(pic, o);
}

/* --- spread --- */

static void put_spread_rows(struct picture *pic, const struct side *s,
			    const struct side_point *point, const char *metric,
			    size_t *row, bool outliers)
{
	size_t i, j, nr;
	double *v;

	fputs("NaN NaN NaN NaN NaN NaN\n", pic->script);
	for (i = 0; point && i < point->nr_obs && *row < MAX_BOOTS; i++) {
		double reach, low, high;

		nr = batches_in_order(&point->obs[i], metric, &v);
		if (!nr)
			continue;
		++*row;
		stat_sort(v, nr);
		low = stat_quantile(v, nr, .25);
		high = stat_quantile(v, nr, .75);
		reach = 3 * (high - low);
		if (!outliers) {
			char *name = xasprintf("%s %zu", s->label, i + 1);

			shorten(name, 14);
			fprintf(pic->script, "%zu %.17g %.17g %.17g %.17g %.17g\n",
				*row, stat_quantile(v, nr, .5),
				stat_quantile(v, nr, .05), low, high,
				stat_quantile(v, nr, .95));
			free(name);
		}
		for (j = 0; outliers && j < nr; j++)
			if (v[j] < low - reach || v[j] > high + reach)
				fprintf(pic->script, "%zu %.17g\n", *row,
					v[j]);
		free(v);
	}
	fputs("\n\n", pic->script);
}

static size_t put_boot_names(struct picture *pic, const struct side *s,
			     const struct side_point *p, size_t row)
{
	size_t i;

	for (i = 0; p && i < p->nr_obs && row < MAX_BOOTS; i++) {
		char *name;

		if (!p->obs[i].ok)
			continue;
		name = xasprintf("%s %zu", s->label, i + 1);
		shorten(name, 14);
		put_tic(pic, "y", name, ++row);
		free(name);
	}
	return row;
}

static int draw_spread(struct comparison *const *c, size_t nr,
		       const struct result *r, const struct plot_options *o,
		       size_t number)
{
	char *file = xasprintf("spread-%zu-%s-%s", number, r->point->bench,
			       r->metric);
	char *params = params_text(r->point->params, " "), *title, *label;
	const struct side *side[MAX_RUNS + 1] = { c[0]->base };
	size_t i, pass, row = 0, rows = 0;
	struct picture *pic;

	for (i = 0; i < nr; i++)
		side[i + 1] = c[i]->new;
	for (i = 0; i <= nr; i++) {
		const struct side_point *p = side_find(side[i], r->point->key);

		rows += p ? p->nr_obs : 0;
	}
	rows = rows < MAX_BOOTS ? rows : MAX_BOOTS;
	pic = picture_begin(file, spread_gp, 1000,
			    180 + 22 * rows + 20 * (nr + 1));
	fprintf(pic->script, "rows = %zu\nruns = %zu\narray run_title[%zu]\nset ytics ()\n",
		rows, nr + 1, nr + 1);
	for (i = 0; i <= nr; i++) {
		title = run_title(side[i]);
		put_indexed(pic, "run_title", i + 1, title);
		free(title);
		row = put_boot_names(pic, side[i],
				     side_find(side[i], r->point->key), row);
	}
	title = xasprintf("%s %s", r->point->bench, params);
	shorten(title, 90);
	picture_text(pic, "title", title);
	picture_text(pic, "subtitle", "each boot: median, middle half and middle nine tenths of its batches");
	label = metric_label(r->metric, r->facts.unit);
	free(title);
	title = xasprintf("%s per operation", label);
	picture_text(pic, "xname", title);
	picture_text(pic, "legend", "crosses: batches more than 3 interquartile ranges off, which count as well");
	fputs("$data << EOD\n", pic->script);
	for (pass = 0; pass < 2; pass++)
		for (i = 0, row = 0; i <= nr; i++)
			put_spread_rows(pic, side[i],
					side_find(side[i], r->point->key),
					r->metric, &row, pass);
	fputs("EOD\n", pic->script);
	free(label);
	free(title);
	free(params);
	free(file);
	return picture_end(pic, o);
}

int plot_comparisons(struct comparison *const *c, size_t nr,
		     const struct plot_options *o, size_t *drawn)
{
	size_t spreads = 0, i;
	int ret;

	if (!nr)
		return 0;
	nr = nr < MAX_RUNS ? nr : MAX_RUNS;
	ret = draw_forest(c, nr, TIER_TIMED, o, drawn);
	if (!ret)
		ret = draw_forest(c, nr, TIER_EXACT, o, drawn);
	for (i = 0; i < c[0]->nr_results && !ret && spreads < MAX_SPREADS; i++) {
		const struct result *r = &c[0]->results[i];

		/* the largest first; of a point its time */
		if (r->tier != TIER_TIMED || strcmp(r->metric, "ns") ||
		    !strcmp(r->point->bench, "harness.empty"))
			continue;
		ret = draw_spread(c, nr, r, o, ++spreads);
		++*drawn;
	}
	return ret;
}

/* --- trend --- */

/* One panel: every boot's value, in the order of the runs. */
struct trend {
	const struct side_point *point;
	const char *metric;
	double *v;
	size_t *run;
	size_t nr;
	size_t *change;		/* first values of new segments */
	size_t nr_changes;
};

static void trend_take(struct trend *t, struct side *const *sides, size_t nr)
{
	size_t i, j;

	t->nr = 0;
	for (i = 0; i < nr; i++) {
		const struct side_point *p = side_find(sides[i],
						       t->point->key);
		struct sample s;

		if (!p || metric_tier(p, t->metric) == TIER_NONE)
			continue;
		s = sample_take(p, t->metric, metric_tier(p, t->metric), NULL);
		t->v = xrealloc(t->v, (t->nr + s.nr + 1) * sizeof(*t->v));
		t->run = xrealloc(t->run, (t->nr + s.nr + 1) *
					  sizeof(*t->run));
		for (j = 0; j < s.nr; j++) {
			t->v[t->nr] = s.v[j];
			t->run[t->nr++] = i;
		}
		sample_free(&s);
	}
}

static void trend_free(struct trend *t)
{
	free(t->v);
	free(t->run);
	free(t->change);
}

/* The median of the values @from to @to. */
static double level_of(const struct trend *t, size_t from, size_t to)
{
	return stat_median(t->v + from, to - from);
}

/*
 * On every boot's value; where there are so many that this would take minutes,
 * on the medians of the runs.
 */
static void trend_changes(struct trend *t)
{
	size_t *first = xcalloc(t->nr, sizeof(*first)), nr = 0, i, from;
	double *v = xcalloc(t->nr, sizeof(*v));
	bool whole = t->nr <= MAX_VALUES;

	for (from = 0; from < t->nr; from = i) {
		for (i = from + 1; i < t->nr && !whole &&
			    t->run[i] == t->run[from]; i++)
			;
		first[nr] = from;
		v[nr++] = level_of(t, from, i);
	}
	t->change = xcalloc(t->nr + 1, sizeof(*t->change));
	t->nr_changes = stat_e_divisive(v, nr, 2, CHANGE_ALPHA,
					CHANGE_PERMUTATIONS, 1, t->change);
	for (i = 0; i < t->nr_changes; i++)
		t->change[i] = first[t->change[i]];
	free(first);
	free(v);
}

static void print_changes(const struct trend *t, struct side *const *sides)
{
	char *params = params_text(t->point->params, " ");
	char a[NUMBER_SIZE], b[NUMBER_SIZE], change[NUMBER_SIZE];
	size_t i;

	for (i = 0; i < t->nr_changes; i++) {
		size_t at = t->change[i];
		double before = level_of(t, i ? t->change[i - 1] : 0, at);
		double after = level_of(t, at, i + 1 < t->nr_changes ?
					t->change[i + 1] : t->nr);
		enum tier tier = metric_tier(t->point, t->metric);

		print_line(stdout, 0, 2, "change at %s: %s%s%s %s %s -> %s, %s",
			   sides[t->run[at]]->label, t->point->bench,
			   *params ? " " : "", params, t->metric,
			   format_value(before, tier, a),
			   format_value(after, tier, b),
			   format_change(before ? after / before : NAN,
					 after - before, tier, change));
	}
	free(params);
}

static void put_trend_data(struct picture *pic, const struct trend *t)
{
	size_t i, from;

	for (i = 0; i < t->nr; i++)
		fprintf(pic->script, "%zu %.17g\n", t->run[i] + 1, t->v[i]);
	fputs("\n\n", pic->script);
	for (from = 0; from < t->nr; from = i) {
		for (i = from; i < t->nr && t->run[i] == t->run[from]; i++)
			;
		fprintf(pic->script, "%zu %.17g\n", t->run[from] + 1,
			level_of(t, from, i));
	}
	fputs("\n\n", pic->script);
}

/* Gnuplot commands for a panel's upright lines, in place of the last one's. */
static char *change_commands(const struct trend *t)
{
	char *text = xstrdup("unset arrow"), *more;
	size_t i;

	for (i = 0; i < t->nr_changes; i++) {
		more = xasprintf("%s; set arrow %zu from first %g,graph 0 to first %g,graph 1 nohead lc rgb \"#d55e00\" lw 1.5 dt (6,4)",
				 text, i + 1, t->run[t->change[i]] + .5,
				 t->run[t->change[i]] + .5);
		free(text);
		text = more;
	}
	return text;
}

/* The runs' names, as commands for the lowest panel and for the others. */
static void put_run_tics(struct picture *pic, struct side *const *sides,
			 size_t nr)
{
	size_t every = (nr + MAX_LABELS - 1) / MAX_LABELS, i;
	char *named = xstrdup("set xtics ("), *blank = xstrdup(named), *more;

	for (i = 0; i < nr; i += every) {
		char *label = clean_text(sides[i]->label), *c;

		for (c = label; *c; c++)
			if (*c == '"' || *c == '\\')
				*c = '?';
		shorten(label, 14);
		more = xasprintf("%s%s\"%s\" %zu", named, i ? ", " : "",
				 label, i + 1);
		free(named);
		named = more;
		more = xasprintf("%s%s\"\" %zu", blank, i ? ", " : "", i + 1);
		free(blank);
		blank = more;
		free(label);
	}
	more = xasprintf("%s) rotate by -35", named);
	picture_text(pic, "named_tics", more);
	free(more);
	more = xasprintf("%s)", blank);
	picture_text(pic, "blank_tics", more);
	free(more);
	free(named);
	free(blank);
}

static int draw_trend(const struct trend *t, size_t panels,
		      struct side *const *sides, size_t nr,
		      const struct plot_options *o)
{
	const struct side_point *p[MAX_PANELS];
	size_t i, j;
	char *name = xasprintf("trend-%s", t[0].metric), *same, *sub;
	struct picture *pic;
	json_t *constant;

	for (i = 0; i < panels; i++)
		p[i] = t[i].point;
	constant = constant_params(p, panels);
	pic = picture_begin(name, trend_gp, 1000, 222 + 170 * panels);
	fprintf(pic->script, "panels = %zu\narray panel_title[%zu]\narray y_low[%zu]\narray y_high[%zu]\narray y_step[%zu]\narray change_lines[%zu]\nset xrange [0.4:%zu.6]\nset xtics () rotate by -35\n",
		panels, panels, panels, panels, panels, panels, nr);
	put_run_tics(pic, sides, nr);
	for (i = 0; i < panels; i++) {
		char *params = varying_params(p[i], constant);
		char *title = xasprintf("%s%s%s", p[i]->bench,
					*params ? " " : "", params);
		char *lines = change_commands(&t[i]);
		double low = INFINITY, high = -INFINITY;

		for (j = 0; j < t[i].nr; j++) {
			low = fmin(low, t[i].v[j]);
			high = fmax(high, t[i].v[j]);
		}
		put_indexed(pic, "panel_title", i + 1, title);
		put_indexed(pic, "change_lines", i + 1, lines);
		/* from 0, unless what happens is small beside that */
		if (high - low < .2 * high)
			low -= .3 * (high - low) + 1e-9 * fabs(high) + 1e-9;
		else
			low = fmin(0, low);
		high += .1 * (high - low) + 1e-9;
		fprintf(pic->script, "y_low[%zu] = %.17g\ny_high[%zu] = %.17g\ny_step[%zu] = %.17g\n",
			i + 1, low, i + 1, high, i + 1, tic_step(high - low));
		free(lines);
		free(title);
		free(params);
	}
	sub = xasprintf("%zu runs in order, a mark for each boot; dashed: change points (E-divisive, p < %g)",
			nr, CHANGE_ALPHA);
	picture_text(pic, "title", "Cost over kernels");
	picture_subtitle(pic, sub, MAX_SUBTITLE);
	same = metric_label(t[0].metric, file_metric(p[0]->obs[0].file,
						     t[0].metric).unit);
	free(sub);
	sub = xasprintf("%s per operation", same);
	picture_text(pic, "yname", sub);
	picture_text(pic, "xname", "run");
	fputs("$data << EOD\n", pic->script);
	for (i = 0; i < panels; i++)
		put_trend_data(pic, &t[i]);
	fputs("EOD\n", pic->script);
	json_decref(constant);
	free(name);
	free(same);
	free(sub);
	return picture_end(pic, o);
}

/* Points of the first run that every run has, most change points first. */
static size_t collect_trends(struct trend **trends, struct side *const *sides,
			     size_t nr, const char *metric)
{
	size_t found = 0, i, j;

	for (i = 0; i < sides[0]->nr_points; i++) {
		struct trend t = { .point = &sides[0]->points[i],
				   .metric = metric };

		if (!strcmp(t.point->bench, "harness.empty"))
			continue;
		trend_take(&t, sides, nr);
		for (j = 0; j < nr; j++)
			if (!side_find(sides[j], t.point->key))
				break;
		if (j < nr || t.nr < nr) {
			trend_free(&t);
			continue;
		}
		trend_changes(&t);
		*trends = grow(*trends, found, sizeof(**trends));
		(*trends)[found++] = t;
	}
	return found;
}

static int by_changes(const void *a, const void *b)
{
	const struct trend *x = a, *y = b;

	if (x->nr_changes != y->nr_changes)
		return x->nr_changes < y->nr_changes ? 1 : -1;
	return x->point < y->point ? -1 : x->point > y->point;
}

static int trend_of(struct side *const *sides, size_t nr, const char *metric,
		    const struct plot_options *o, size_t *drawn)
{
	struct trend *t = NULL;
	size_t found = collect_trends(&t, sides, nr, metric), i;
	int ret = 0;

	if (found)
		qsort(t, found, sizeof(*t), by_changes);
	for (i = 0; i < found; i++)
		print_changes(&t[i], sides);
	if (found) {
		ret = draw_trend(t, found < MAX_PANELS ? found : MAX_PANELS,
				 sides, nr, o);
		++*drawn;
	}
	for (i = 0; i < found; i++)
		trend_free(&t[i]);
	free(t);
	return ret;
}

int plot_trend(struct side *const *sides, size_t nr,
	       const struct plot_options *o)
{
	const char *cost;
	size_t drawn = 0, i;
	int ret = 0;

	if (nr < 4)
		return fail(EINVAL, "a trend takes at least 4 runs in order, not %zu",
			    nr);
	ret = gnuplot_available();
	if (!ret)
		ret = make_dirs(o->dir);
	for (i = 0; i < o->select.nr_metrics && !ret; i++)
		ret = trend_of(sides, nr, o->select.metrics[i], o, &drawn);
	for (i = 1; !o->select.nr_metrics && !ret && !drawn &&
		    (cost = metric_cost(i)); i++)
		ret = trend_of(sides, nr, cost, o, &drawn);
	if (!ret && !drawn)
		ret = fail(ENOENT, "nothing to draw: no point with a cost is in every run");
	return ret;
}
