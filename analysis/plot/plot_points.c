// SPDX-License-Identifier: GPL-2.0
/*
 * draw_points(): a row for each point, with its values in all runs joined by a
 * line.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/plot/plotted.h"
#include "lib/util.h"

#define MAX_ROWS	24
#define LOG_ROWS	5	/* as CHART_LOG_ABOVE; rows show ratios */

/* What compare says of a point in run @nr; NULL: there is no comparison. */
static const struct result *result_in(const struct plot *plot, size_t nr,
				      const struct side_point *p,
				      const char *metric)
{
	const struct comparison *c = nr && plot->c ? plot->c[nr - 1] : NULL;
	size_t i;

	for (i = 0; c && i < c->nr_results; i++)
		if (c->results[i].point == p &&
		    !strcmp(c->results[i].metric, metric))
			return &c->results[i];
	return NULL;
}

struct difference {
	double delta, ratio;
};

/*
 * What the table says: of the changed code alone, if that is known. Else of the
 * medians.
 */
static struct difference difference_in(const struct plot *plot, size_t nr,
				       const struct side_point *p,
				       const char *metric)
{
	const struct result *r = result_in(plot, nr, p, metric);
	struct sample base = value_in(plot->sides[0], p, metric);
	struct sample new = value_in(plot->sides[nr], p, metric);
	struct difference d = {
		.delta = r ? r->delta : new.median - base.median,
		.ratio = r ? r->ratio :
			 base.median ? new.median / base.median : NAN,
	};

	sample_free(&base);
	sample_free(&new);
	return d;
}

/* Whether run @nr differs from the first by the rule that the table goes by. */
static bool differs_in(const struct plot *plot, size_t nr,
		       const struct side_point *p, const char *metric)
{
	const struct result *r = result_in(plot, nr, p, metric);

	return !r || is_difference(r);
}

static bool differs(const struct plot *plot, const struct side_point *p,
		    const char *metric)
{
	size_t i;

	for (i = 1; i < plot->nr; i++)
		if (differs_in(plot, i, p, metric))
			return true;
	return false;
}

/*
 * By how much the last run differs from the first; as a ratio, its logarithm.
 * Less than nothing where no run does.
 */
static double change_of(const struct plot *plot, const struct side_point *p,
			const char *metric, bool ratio)
{
	struct difference d = difference_in(plot, plot->nr - 1, p, metric);

	if (!differs(plot, p, metric))
		return -1;
	if (!ratio)
		return fabs(d.delta);
	return d.ratio > 0 && isfinite(d.ratio) ? fabs(log(d.ratio)) :
	       d.ratio == 1 ? 0 : INFINITY;
}

/*
 * Sorts by change, the largest first, because the order of measurement means
 * nothing.
 */
static void sort_points(const struct plot *plot, struct drawn_points *l,
			const char *metric)
{
	double *change = xcalloc(l->nr, sizeof(*change));
	size_t i, k;

	for (i = 0; i < l->nr; i++) {
		const struct side_point *p = l->p[i];
		double c = change_of(plot, p, metric, false);

		for (k = i; k && change[k - 1] < c; k--) {
			change[k] = change[k - 1];
			l->p[k] = l->p[k - 1];
		}
		change[k] = c;
		l->p[k] = p;
	}
	free(change);
}

/* Keeps only the most changed point of each benchmark. */
static size_t one_a_bench(const struct plot *plot,
			  const struct drawn_points *l, const char *metric)
{
	size_t nr = 0, i, j;

	for (i = 0; i < l->nr; i++) {
		for (j = 0; j < nr; j++)
			if (!strcmp(l->p[j]->bench, l->p[i]->bench))
				break;
		if (j == nr)
			l->p[nr++] = l->p[i];
		else if (change_of(plot, l->p[i], metric, true) >
			 change_of(plot, l->p[j], metric, true))
			l->p[j] = l->p[i];
	}
	return nr;
}

/* Returns whether a point has so small a base that its ratio means nothing. */
static bool small_base(const struct plot *plot, const struct drawn_points *l,
		       const char *metric)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		if (difference_in(plot, plot->nr - 1, l->p[i], metric).ratio >=
		    SMALL_BASE && differs(plot, l->p[i], metric))
			return true;
	return false;
}

/* "-53.4%", "-320", or "overlap", for each new run, joined. */
static char *changed_by(const struct plot *plot, const struct side_point *p,
			const char *metric, bool deltas)
{
	char *text = xstrdup(""), change[NUMBER_SIZE];
	size_t i;

	for (i = 1; i < plot->nr; i++) {
		const struct result *r = result_in(plot, i, p, metric);
		struct difference d = difference_in(plot, i, p, metric);

		if (r && !is_difference(r) && r->verdict != VERDICT_EQUAL)
			snprintf(change, sizeof(change), "%s", r->word);
		else if (deltas && d.delta)
			format_brief(d.delta, true, change);
		else
			format_change(d.ratio, d.delta, metric_tier(p, metric),
				      change);
		append_text(&text, " / ", "%s", change);
	}
	return text;
}

static void put_values(struct chart *c, const struct plot *plot,
		       const struct drawn_points *l, const char *metric)
{
	struct extent *join = xcalloc(l->nr, sizeof(*join));
	size_t i, j;

	for (j = 0; j < plot->nr; j++) {
		chart_block(c, 0);
		for (i = 0; i < l->nr; i++) {
			struct sample s = value_in(plot->sides[j], l->p[i],
						   metric);

			chart_mark(c, i + 1, s.median, s.min, s.max);
			if (!j)
				join[i] = (struct extent){ NAN, NAN };
			extend(&join[i], s.median);
			sample_free(&s);
		}
		chart_block_end(c);
	}
	/* No line joins what does not differ. */
	for (i = 0; i < l->nr; i++)
		if (plot->nr == 1 || differs(plot, l->p[i], metric))
			fprintf(c->body, "%zu %.17g %.17g\n", i + 1,
				join[i].min, join[i].max);
		else
			fprintf(c->body, "%zu NaN NaN\n", i + 1);
	free(join);
}

int draw_points(struct plot *plot, const char *metric)
{
	struct drawn_points l = points_with(plot, metric, false), whole;
	size_t all = l.nr, i;
	struct chart *c;
	json_t *constant;
	bool deltas;
	char *same;

	if (!all)
		return 0;
	whole.p = xcalloc(all, sizeof(*whole.p));
	memcpy(whole.p, l.p, all * sizeof(*whole.p));
	whole.nr = all;
	if (all > MAX_ROWS)
		l.nr = one_a_bench(plot, &l, metric);
	if (plot->nr > 1)
		sort_points(plot, &l, metric);
	deltas = small_base(plot, &l, metric);
	constant = constant_params(l.p, l.nr);
	same = params_text(constant, " ");
	c = plot_chart(plot, CHART_DUMBBELL, xasprintf("points-%s", metric),
		       l.nr < all ? "The most changed point of each benchmark" :
		       "Every point", same, l.p[0]);
	c->xname = axis_text(l.p[0], metric);
	c->change_width = 2;
	for (i = 0; i < l.nr; i++) {
		char *name = row_words(&whole, l.p[i], constant, "");
		char *change = changed_by(plot, l.p[i], metric, deltas);

		chart_row(c, name, change);
		free(change);
		free(name);
	}
	put_values(c, plot, &l, metric);
	chart_x(c, c->value[0], LOG_ROWS);
	json_decref(constant);
	free(same);
	free(l.p);
	free(whole.p);
	return chart_draw(c, plot->options, &plot->drawn);
}
