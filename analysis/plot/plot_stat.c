// SPDX-License-Identifier: GPL-2.0
/* See plot_stat.h; plot_trend() is in plot_trend.c. */
#include "analysis/plot/plot_stat.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/view.h"
#include "analysis/plot/plotted.h"
#include "lib/util.h"

#define MAX_RUNS	(CHART_MAX_LINES - 1)	/* new runs */
#define MAX_ROWS	40
#define MAX_SPREADS	4	/* pictures */
#define MAX_BOOTS	40	/* rows of one picture */
#define MAX_SUBTITLE	94

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
 * Collects the rows of the first comparison, which is sorted by size. Of exact
 * results, takes only instructions_kernel.
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

/*
 * The scale of the axis: percent; the logarithm of the ratio to base 2 if
 * changes are large; new less base if base is so small that a ratio means
 * nothing.
 */
enum scale { PERCENT, RATIO, DELTA };

static double position(double ratio, enum scale scale)
{
	return scale == RATIO ? log2(ratio) : 100 * (ratio - 1);
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

static void put_mark(struct chart *c, double row, const struct result *r,
		     enum scale scale)
{
	double low, high;

	if (scale == DELTA) {
		chart_mark(c, row, r->delta, r->new.min - r->base.max,
			   r->new.max - r->base.min);
		return;
	}
	interval_of(r, &low, &high);
	chart_mark(c, row, position(r->ratio, scale), position(low, scale),
		   position(high, scale));
}

static int by_delta(const void *a, const void *b)
{
	const struct result *x = *(const struct result *const *)a;
	const struct result *y = *(const struct result *const *)b;
	double d = fabs(y->delta) - fabs(x->delta);

	return d < 0 ? -1 : d > 0;
}

static void put_forest_block(struct chart *chart, const struct comparison *c,
			     const struct result *const *row, size_t nr,
			     bool differ, enum scale scale, double shift)
{
	size_t i;

	chart_block(chart, 4);
	for (i = 0; i < nr; i++) {
		const struct result *r = result_like(c, row[i]);

		if (!r || !in_forest(r, row[i]->tier) ||
		    is_difference(r) != differ)
			continue;
		put_mark(chart, i + 1 + shift, r, scale);
	}
	chart_block_end(chart);
}

static void put_forest_rows(struct chart *c, const struct result *const *row,
			    const struct drawn_points *points,
			    const json_t *constant, enum scale scale)
{
	size_t i;

	for (i = 0; i < points->nr; i++) {
		const char *metric = row[i]->metric;
		bool plain = !strcmp(metric, "ns") ||
			     !strcmp(metric, "instructions_kernel");
		char *name = row_words(points, row[i]->point, constant,
				       plain ? "" : metric);
		char change[NUMBER_SIZE], *text;

		if (scale == DELTA)
			format_brief(row[i]->delta, true, change);
		else
			format_change(row[i]->ratio, row[i]->delta,
				      row[i]->tier, change);
		text = xasprintf("%s%s%s", row[i]->delta ? change : "",
				 row[i]->delta ? " " : "", row[i]->word);
		chart_row(c, name, text);
		free(text);
		free(name);
	}
}

static enum scale scale_of(struct comparison *const *c, size_t nr,
			   enum tier tier)
{
	enum scale scale = PERCENT;
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++) {
			const struct result *r = &c[i]->results[j];

			if (!in_forest(r, tier))
				continue;
			if (tier == TIER_EXACT && r->ratio >= SMALL_BASE)
				return DELTA;
			if (r->ratio > 3 || r->ratio < 1 / 3.)
				scale = RATIO;
		}
	return scale;
}

static void put_forest_axis(struct chart *c, enum scale scale)
{
	double span = fmax(0, c->value[0].max) - fmin(0, c->value[0].min);

	c->xname = xstrdup(scale == RATIO ? "new / base (logarithmic)" :
			   scale == DELTA ? "new less base, per operation" :
					    "change against base, %");
	if (scale == RATIO)
		c->x_axis = xstrdup("set xtics (\"1/64\" -6, \"1/16\" -4, \"1/4\" -2, \"1/2\" -1, \"1\" 0, \"2\" 1, \"4\" 2, \"16\" 4, \"64\" 6, \"256\" 8, \"1024\" 10, \"4096\" 12)\n");
	else if (scale == DELTA && span > 0)
		c->x_axis = xasprintf("set format x '%%+g'\nset xtics %.17g\nset xrange [%.17g:%.17g]\n",
				      tic_step(span),
				      fmin(0, c->value[0].min) - .03 * span,
				      fmax(0, c->value[0].max) + .03 * span);
	else if (span > 0)
		/* few tics, because their names are long */
		c->x_axis = xasprintf("set format x '%%+g%%%%'\nset xtics %.17g\n",
				      tic_step(span));
	else
		c->x_axis = xstrdup("set format x '%+g%%'\n");
}

static int draw_forest(struct comparison *const *c, size_t nr, enum tier tier,
		       const struct plot_options *o, size_t *drawn)
{
	const struct side_point *p[MAX_ROWS];
	const struct result *row[MAX_ROWS];
	size_t all, rows = forest_rows(c[0], tier, row, &all), i;
	struct drawn_points points = { p, rows };
	enum scale scale = scale_of(c, nr, tier);
	bool timed = tier == TIER_TIMED;
	struct chart *chart;
	json_t *constant;
	char *same;

	if (!rows)
		return 0;
	if (scale == DELTA)
		qsort(row, rows, sizeof(*row), by_delta);
	for (i = 0; i < rows; i++)
		p[i] = row[i]->point;
	constant = constant_params(p, rows);
	same = params_text(constant, " ");
	chart = chart_new(CHART_FOREST, "forest-%s", tier_name(tier));
	fprintf(chart->body, "margin = %.17g\n", timed ?
		position(1 + c[0]->options->margin, scale) : 0.);
	for (i = 0; i < nr; i++)
		names_add(&chart->lines, run_title(c[i]->new, true));
	chart_titles(chart, c[0]->manifest, xstrdup(timed ?
			"Time and cycles: change and 95 % interval" :
			"Kernel instructions: change and range over seeds"),
		     xasprintf("against %s: %s; %zu of %zu rows%s%s%s%s",
			c[0]->base->label, release_of(c[0]->base), rows, all,
			timed ? "; grey: the margin" : "",
			rows < all ? ", the largest changes" : "",
			*same ? "; " : "", same));
	chart->subtitle_width = MAX_SUBTITLE;
	chart->legend = xstrdup(timed ?
			"hollow: no difference is shown (full: it is)" :
			"hollow: equal, or no farther apart than by luck");
	chart->change_width = 20;
	put_forest_rows(chart, row, &points, constant, scale);
	for (i = 0; i < nr; i++) {
		double shift = nr > 1 ? .5 * i / nr - .2 : 0;

		put_forest_block(chart, c[i], row, rows, true, scale, shift);
		put_forest_block(chart, c[i], row, rows, false, scale, shift);
	}
	put_forest_axis(chart, scale);
	free(same);
	json_decref(constant);
	return chart_draw(chart, o, drawn);
}

/* --- spread --- */

static void put_boots(struct chart *c, const struct side *s,
		      const struct side_point *point)
{
	size_t i;

	for (i = 0; point && i < point->nr_obs && c->rows < MAX_BOOTS; i++) {
		char *name;

		if (!point->obs[i].ok)
			continue;
		name = xasprintf("%s %zu", s->label, i + 1);
		shorten(name, 14);
		chart_row(c, name, NULL);
		free(name);
	}
}

static void put_spread(struct chart *c, const struct side_point *point,
		       const char *metric, size_t *row, bool outliers)
{
	size_t i, j, nr;
	double *v;

	chart_block(c, 6);
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
		if (!outliers)
			fprintf(c->body, "%zu %.17g %.17g %.17g %.17g %.17g\n",
				*row, stat_quantile(v, nr, .5),
				stat_quantile(v, nr, .05), low, high,
				stat_quantile(v, nr, .95));
		for (j = 0; outliers && j < nr; j++)
			if (v[j] < low - reach || v[j] > high + reach)
				fprintf(c->body, "%zu %.17g\n", *row, v[j]);
		free(v);
	}
	chart_block_end(c);
}

static int draw_spread(struct comparison *const *c, size_t nr,
		       const struct result *r, const struct plot_options *o,
		       size_t number, size_t *drawn)
{
	struct chart *chart = chart_new(CHART_SPREAD, "spread-%zu-%s-%s",
					number, r->point->bench, r->metric);
	char *params = params_text(r->point->params, " "), *label;
	const struct side_point *p[MAX_RUNS + 1];
	bool processes = false;
	size_t i, pass, row;

	for (i = 0; i <= nr; i++) {
		const struct side *s = i ? c[i - 1]->new : c[0]->base;

		processes = processes || s->run->nr_files > s->nr_boots;
		p[i] = side_find(s, r->point->key);
		names_add(&chart->lines, run_title(s, true));
		put_boots(chart, s, p[i]);
	}
	chart->title = xasprintf("%s %s", r->point->bench, params);
	shorten(chart->title, 90);
	chart->subtitle = xasprintf("each %s: median, middle half and middle nine tenths of its batches",
				    processes ? "process" : "boot");
	label = metric_label(r->metric, r->facts.unit);
	chart->xname = xasprintf("%s per operation", label);
	chart->legend = xstrdup("crosses: batches more than 3 interquartile ranges off, which count as well");
	for (pass = 0; pass < 2; pass++)
		for (i = 0, row = 0; i <= nr; i++)
			put_spread(chart, p[i], r->metric, &row, pass);
	free(label);
	free(params);
	return chart_draw(chart, o, drawn);
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

		/* the largest first; only the time of each point */
		if (r->tier != TIER_TIMED || strcmp(r->metric, "ns") ||
		    !strcmp(r->point->bench, "harness.empty"))
			continue;
		ret = draw_spread(c, nr, r, o, ++spreads, drawn);
	}
	return ret;
}
