// SPDX-License-Identifier: GPL-2.0
/* See plot_barrier.h. */
#include "analysis/family/plot_barrier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/chart.h"
#include "analysis/load/sample.h"
#include "lib/util.h"

#define MAX_LINES	16
#define MAX_PANELS	4
/* the picture shows smaller costs, in ns, as this one */
#define FLOOR		.05

static const json_t *proof_of(const struct side_point *p)
{
	return p->nr_obs && p->obs[0].ok ?
		json_object_get(p->obs[0].point, "proof") : NULL;
}

/* Starts a picture of a run's @bench, with a panel for each page. */
static struct chart *begin(const struct side *s, const char *bench,
			   const struct pivot *t, const char *label)
{
	const json_t *h = s->run->files[0]->header;
	struct chart *c = chart_new(CHART_PANELS, "barrier-%s%s%s",
				    !strcmp(bench, "barrier.cost") ? "cost" :
				    "latency", *label ? "-" : "", label);
	size_t i;

	c->title = xasprintf("%s: %s, %s", bench, json_text(h, "arch"),
			     json_text(json_object_get(h, "cpu"), "model"));
	for (i = 0; i < t->nr; i++)
		names_add(&c->panels, xstrdup(t->page[i].key));
	return c;
}

/* --- costs --- */

static struct pivot costs_of(const struct side *s)
{
	struct pivot t = { .most_columns = MAX_LINES };
	size_t i;

	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];

		if (strcmp(p->bench, "barrier.cost") || !proof_of(p) ||
		    metric_tier(p, "barrier_ns") == TIER_NONE)
			continue;
		pivot_add(&t, p, xasprintf("state=%s place=%s",
					   json_text(p->params, "state"),
					   json_text(p->params, "place")),
			  param_value_text(json_object_get(p->params,
							   "stores")),
			  xstrdup(json_text(p->params, "barrier")));
	}
	return t;
}

/* Returns the x of a point: stores + 1, because the axis is logarithmic. */
static double after_stores(const struct side_point *p)
{
	return param_number(p, "stores") + 1;
}

/* Draws the median, with its interval if there is only one boot. */
static void put_cost(struct chart *c, const struct side_point *p,
		     const void *metric)
{
	struct sample v = sample_take(p, metric, metric_tier(p, metric), NULL);
	const json_t *i = json_object_get(proof_of(p), metric);
	double low = v.min, up = v.max, median = v.median;

	if (json_is_false(json_object_get(proof_of(p), "told")))
		median = FLOOR;
	if (v.boots == 1 && i) {
		low = json_number_value(json_object_get(i, "low"));
		up = json_number_value(json_object_get(i, "high"));
	}
	chart_mark(c, after_stores(p), fmax(median, FLOOR), fmax(low, FLOOR),
		   fmax(up, FLOOR));
	sample_free(&v);
}

static int draw_costs(const struct side *s, const struct plot_options *o,
		      const char *label, size_t *drawn)
{
	struct pivot all = costs_of(s), t = pivot_part(&all, 0, MAX_PANELS);
	struct chart *c;
	size_t i, j;

	if (!t.nr)
		return 0;
	c = begin(s, "barrier.cost", &t, label);
	c->subtitle = xstrdup("median and 95% interval; at the bottom: 0.05 ns or less, or not to be told from 0");
	c->xname = xstrdup("stores before the barrier");
	c->yname = xstrdup("ns that the barrier adds to the loop without it");
	for (i = 0; i < t.nr; i++)
		for (j = 0; j < t.page[i].nr; j++)
			chart_tic(c, 'x', t.page[i].cell[j].row,
				  after_stores(t.page[i].cell[j].point));
	fprintf(c->body, "set logscale x 2\nset xrange [0.8:%g]\n",
		c->x.max * 1.25);
	chart_pivot(c, &t, 4, put_cost, "barrier_ns");
	for (i = 0; i < t.nr; i++)
		c->y[i] = (struct chart_axis){
			FLOOR, fmax(c->value[i].max, 1) * 1.5, 1
		};
	pivot_free(&all);
	return chart_draw(c, o, drawn);
}

/* --- latency --- */

static const json_t *histogram_of(const struct side_point *p, const char *which)
{
	return strcmp(p->bench, "barrier.publish") ? NULL :
		json_object_get(proof_of(p), which);
}

/*
 * Returns "writer wmb, reader rmb" and the tested word unless it is the flag.
 * The caller frees.
 */
static char *latency_line(const struct side_point *p)
{
	const char *watch = json_text(p->params, "watch");

	return xasprintf("writer %s, reader %s%s%s",
			 json_text(p->params, "writer"),
			 json_text(p->params, "reader"),
			 strcmp(watch, "flag") ? ", tests " : "",
			 strcmp(watch, "flag") ? watch : "");
}

/* Draws the cumulative share, bucket by bucket. */
static void put_shares(struct chart *c, const struct side_point *p,
		       const void *histograms)
{
	const char *const *which = histograms;
	const json_t *h = histogram_of(p, which[c->panel]);
	double all = 0, so_far = 0;
	json_t *bucket;
	size_t i;

	json_array_foreach((json_t *)h, i, bucket)
		all += json_number_value(json_array_get(bucket, 1));
	json_array_foreach((json_t *)h, i, bucket) {
		double ns = json_number_value(json_array_get(bucket, 0));
		double share;

		so_far += json_number_value(json_array_get(bucket, 1));
		share = 100 * so_far / all;
		fprintf(c->body, "%.17g %.17g %.17g %.17g\n", ns, share, share,
			share);
		/*
		 * leave out the last few of a thousand, which other tasks
		 * delayed
		 */
		if (share > .1)
			c->x.min = fmin(c->x.min, ns);
		if (share < 99.5)
			c->x.max = fmax(c->x.max, ns);
	}
}

static int draw_latency(const struct side *s, const struct plot_options *o,
			const char *label, size_t *drawn)
{
	static const char *const which[] = {
		"latency_histogram", "usable_histogram"
	};
	static const char *const panel[] = {
		"until the reader has seen it", "until it has read the context"
	};
	struct pivot t = { .most_columns = MAX_LINES };
	struct chart *c;
	size_t i, j;

	for (i = 0; i < s->nr_points; i++)
		for (j = 0; j < ARRAY_SIZE(panel); j++)
			if (histogram_of(&s->points[i], which[0]))
				pivot_add(&t, &s->points[i], xstrdup(panel[j]),
					  xstrdup(s->points[i].key),
					  latency_line(&s->points[i]));
	if (!t.nr)
		return 0;
	c = begin(s, "barrier.publish", &t, label);
	c->subtitle = xstrdup("from just before the store to the word that the reader tests");
	c->xname = xstrdup("ns");
	c->yname = xstrdup("% of publications");
	chart_pivot(c, &t, 4, put_shares, which);
	for (i = 0; i < t.nr; i++)
		c->y[i] = (struct chart_axis){ 0, 100, 0 };
	chart_x_log2(c, c->x.min / 1.2, fmax(c->x.max, c->x.min) * 1.2);
	pivot_free(&t);
	return chart_draw(c, o, drawn);
}

int plot_barriers(struct side *const *sides, size_t nr,
		  const struct plot_options *o, size_t *drawn)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		const char *label = nr > 1 ? sides[i]->label : "";

		ret = draw_costs(sides[i], o, label, drawn);
		if (!ret)
			ret = draw_latency(sides[i], o, label, drawn);
	}
	return ret;
}
