// SPDX-License-Identifier: GPL-2.0
/* See plot.h. This file chooses which pictures of which metrics to draw. */
#include "analysis/plot/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/family/mmio_results.h"
#include "analysis/family/plot_barrier.h"
#include "analysis/judge/exercised.h"
#include "analysis/plot/plotted.h"
#include "lib/util.h"

/* Returns every metric of a run's points as keys of a new object. */
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

/*
 * Returns the cost metric with the lowest rank that can be drawn; NULL if there
 * is none.
 */
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
	int ret = draw_points(plot, metric);

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

/* Draws the effect of a race: retries if they were counted, else fallbacks. */
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

/* Returns whether any picture is written to the folder. */
static bool needs_folder(const struct plot_options *o)
{
	size_t i;

	for (i = 0; i < o->nr_formats; i++)
		if (strcmp(o->formats[i], "terminal"))
			return true;
	return o->keep;
}

int plot_runs(struct side *const *sides, size_t nr,
	      struct comparison *const *c, const struct plot_options *o)
{
	struct plot plot = { sides, nr, c, o, 0, NULL };
	const char *cost;
	bool timed;
	int ret;

	if (nr > CHART_MAX_LINES)
		return fail(EINVAL, "at most %d runs fit into a picture",
			    CHART_MAX_LINES);
	ret = gnuplot_available();
	if (!ret && needs_folder(o))
		ret = make_dirs(o->dir);
	if (ret)
		return ret;
	if (nr > 1)
		plot.manifest = ab_manifest(sides[0], sides[1]);
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
	json_decref(plot.manifest);
	return ret;
}
