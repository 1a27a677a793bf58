// SPDX-License-Identifier: GPL-2.0
/* plot_trend(): many runs in order, with the points where the cost changed. */
#include <errno.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/view.h"
#include "analysis/plot/plot_stat.h"
#include "analysis/plot/plotted.h"
#include "lib/util.h"

#define MAX_LABELS	24	/* on the axis */
#define MAX_SUBTITLE	94
#define CHANGE_ALPHA	.05	/* for all change points of a picture */

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

/* Returns the median of the values @from to @to. */
static double level_of(const struct trend *t, size_t from, size_t to)
{
	return stat_median(t->v + from, to - from);
}

/* Returns the first value of the run after the one that starts at @from. */
static size_t next_run(const struct trend *t, size_t from)
{
	size_t i = from;

	while (i < t->nr && t->run[i] == t->run[from])
		i++;
	return i;
}

/*
 * Returns whether two runs of an exact row, which start at @from and @at, have
 * separate ranges.
 */
static bool apart(const struct trend *t, size_t from, size_t at)
{
	double low[2], high[2];

	gsl_stats_minmax(&low[0], &high[0], t->v + from, 1, at - from);
	gsl_stats_minmax(&low[1], &high[1], t->v + at, 1, next_run(t, at) - at);
	return high[0] < low[1] || high[1] < low[0];
}

/*
 * Finds the change points. Exact: every change from one run to the next,
 * including the last run; no test is needed. Timed: by one value per run,
 * because boots of a run have common effects, and at a level that accounts for
 * all @rows.
 */
static void trend_changes(struct trend *t, size_t rows)
{
	size_t *first = xcalloc(t->nr, sizeof(*first)), nr = 0, i, at;
	double *v = xcalloc(t->nr, sizeof(*v));

	t->change = xcalloc(t->nr + 1, sizeof(*t->change));
	for (at = 0; at < t->nr; at = next_run(t, at)) {
		first[nr] = at;
		v[nr++] = level_of(t, at, next_run(t, at));
	}
	if (metric_tier(t->point, t->metric) == TIER_EXACT) {
		for (i = 1; i < nr; i++)
			if (apart(t, first[i - 1], first[i]))
				t->change[t->nr_changes++] = first[i];
	} else {
		t->nr_changes = stat_e_divisive(v, nr, 2, CHANGE_ALPHA / rows,
				4 * rows / CHANGE_ALPHA, 1, t->change);
		for (i = 0; i < t->nr_changes; i++)
			t->change[i] = first[t->change[i]];
	}
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

static void put_trend_data(struct chart *c, const struct trend *t)
{
	size_t i, from;

	chart_block(c, 0);
	for (i = 0; i < t->nr; i++)
		chart_point(c, t->run[i] + 1, t->v[i]);
	chart_block_end(c);
	chart_block(c, 0);
	for (from = 0; from < t->nr; from = i) {
		for (i = from; i < t->nr && t->run[i] == t->run[from]; i++)
			;
		chart_point(c, t->run[from] + 1, level_of(t, from, i));
	}
	chart_block_end(c);
}

/*
 * Writes commands that draw a panel's vertical lines, and remove those of the
 * previous panel.
 */
static void put_changes(struct chart *c, size_t panel, const struct trend *t)
{
	size_t i;

	fprintf(c->body, "change_lines[%zu] = 'unset arrow", panel + 1);
	for (i = 0; i < t->nr_changes; i++)
		fprintf(c->body, "; set arrow %zu from first %g,graph 0 to first %g,graph 1 nohead lc rgb \"#d55e00\" lw 1.5 dt (6,4)",
			i + 1, t->run[t->change[i]] + .5,
			t->run[t->change[i]] + .5);
	fputs("'\n", c->body);
}

/* Writes the runs' names and positions, for the lowest panel. */
static void put_run_names(struct chart *c, struct side *const *sides, size_t nr)
{
	size_t every = (nr + MAX_LABELS - 1) / MAX_LABELS, i;

	fprintf(c->body, "array run_name[%zu]\nrun_step = %zu\n",
		(nr + every - 1) / every, every);
	for (i = 0; i < nr; i += every) {
		char *label = xstrdup(sides[i]->label), *quoted;

		shorten(label, 14);
		quoted = picture_quote(label, true);
		fprintf(c->body, "run_name[%zu] = %s\n", i / every + 1, quoted);
		free(quoted);
		free(label);
	}
}

/* Returns an axis from 0, unless changes are small compared with that. */
static struct chart_axis trend_axis(struct extent e)
{
	double low = fmin(0, e.min);

	if (e.max - e.min < .2 * e.max)
		low = e.min - (.3 * (e.max - e.min) + 1e-9 * fabs(e.max) +
			       1e-9);
	return (struct chart_axis){ low, e.max + (.1 * (e.max - low) + 1e-9),
				    0 };
}

static int draw_trend(const struct trend *t, size_t panels,
		      struct side *const *sides, size_t nr,
		      const struct plot_options *o, size_t *drawn)
{
	struct chart *c = chart_new(CHART_TREND, "trend-%s", t[0].metric);
	const struct side_point *p[CHART_MAX_PANELS];
	json_t *constant;
	char *label;
	size_t i;

	for (i = 0; i < panels; i++)
		p[i] = t[i].point;
	constant = constant_params(p, panels);
	fprintf(c->body, "array change_lines[%zu]\nset xrange [0.4:%zu.6]\nset xtics () rotate by -35\n",
		panels, nr);
	put_run_names(c, sides, nr);
	for (i = 0; i < panels; i++) {
		names_add(&c->panels, row_name(p[i], constant, "", SIZE_MAX,
					       SIZE_MAX));
		put_changes(c, i, &t[i]);
	}
	c->title = xstrdup("Cost over kernels");
	c->subtitle = metric_tier(p[0], t[0].metric) == TIER_EXACT ?
		xasprintf("%zu runs in order, a mark for each boot; dashed: changes",
			  nr) :
		xasprintf("%zu runs in order, a mark for each boot; dashed: change points (E-divisive over runs, p < %g for all rows)",
			  nr, CHANGE_ALPHA);
	c->subtitle_width = MAX_SUBTITLE;
	label = metric_label(t[0].metric, file_metric(p[0]->obs[0].file,
						      t[0].metric).unit);
	c->yname = xasprintf("%s per operation", label);
	c->xname = xstrdup("run");
	for (i = 0; i < panels; i++) {
		c->panel = i;
		put_trend_data(c, &t[i]);
		c->y[i] = trend_axis(c->value[i]);
	}
	json_decref(constant);
	free(label);
	return chart_draw(c, o, drawn);
}

/*
 * Collects the points of the first run that every run has, those with most
 * change points first.
 */
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
		*trends = grow(*trends, found, sizeof(**trends));
		(*trends)[found++] = t;
	}
	for (i = 0; i < found; i++)
		trend_changes(&(*trends)[i], found);
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
	if (found)
		ret = draw_trend(t, found < CHART_MAX_PANELS ? found :
				 CHART_MAX_PANELS, sides, nr, o, drawn);
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
