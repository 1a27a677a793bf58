// SPDX-License-Identifier: GPL-2.0
/*
 * draw_sweeps() and draw_racer(): a metric against a parameter, or against the
 * activity of a racing CPU. The points of a panel differ only in that.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/plot/plotted.h"
#include "lib/util.h"

#define MAX_PANELS	6

/* Returns the length of the family in a benchmark's name: 3 in gup.pin_fast. */
static int family_len(const char *bench)
{
	return strcspn(bench, ".");
}

static bool one_bench(const struct pivot *t)
{
	size_t i;

	for (i = 1; i < t->nr; i++)
		if (strcmp(t->page[i].cell->point->bench,
			   t->page->cell->point->bench))
			return false;
	return true;
}

/*
 * Returns the parameters that are the same for a panel's points, but not for
 * all panels. The caller frees.
 */
static char *panel_title(const struct pivot_page *panel, const json_t *constant,
			 bool bench)
{
	json_t *here = pivot_constant(panel, 1), *value;
	char *params, *text;
	const char *param;

	json_object_foreach((json_t *)constant, param, value)
		json_object_del(here, param);
	params = params_text(here, " ");
	text = xasprintf("%s%s%s", bench ? panel->cell->point->bench : "",
			 bench && *params ? " " : "", params);
	json_decref(here);
	free(params);
	return text;
}

/* Starts a chart with titles and panels, but without data. */
static struct chart *begin_panels(const struct plot *plot,
				  const struct pivot *t, char *file,
				  const char *what, const char *xname,
				  const char *metric)
{
	const struct side_point *any = t->page->cell->point;
	json_t *constant = pivot_constant(t->page, t->nr);
	char *same = params_text(constant, " ");
	struct chart *c = plot_chart(plot, CHART_PANELS, file, what, same, any);
	bool bench = !one_bench(t);
	size_t i;

	c->xname = xstrdup(xname);
	c->yname = axis_text(any, metric);
	/* Leave out the racer's pause, which the x axis reflects. */
	json_object_set_new(constant, "racer_pause", json_null());
	for (i = 0; i < t->nr; i++)
		names_add(&c->panels, panel_title(&t->page[i], constant, bench));
	json_decref(constant);
	free(same);
	return c;
}

/* --- against a parameter --- */

/* Adds a point of each run, so that the columns are the runs. */
static void add_runs(struct pivot *t, const struct plot *plot,
		     const struct side_point *p, const char *page,
		     const char *row)
{
	size_t i;

	for (i = 0; i < plot->nr; i++)
		pivot_add(t, side_find(plot->sides[i], p->key), xstrdup(page),
			  xstrdup(row), xasprintf("%zu", i));
}

/*
 * Returns a family's points, with a page for each combination of the other
 * parameters, if @param has at least three values there.
 */
static struct pivot sweeps_of(const struct plot *plot,
			      const struct drawn_points *l, const char *family,
			      const char *param)
{
	const char *const but[] = { param, NULL };
	int len = family_len(family);
	struct pivot t = { 0 };
	size_t i;

	for (i = 0; i < l->nr; i++) {
		const struct side_point *p = l->p[i];
		char *row = param_number_text(p, param);
		char *page = key_without(p, but);

		if (row && len == family_len(p->bench) &&
		    !strncmp(p->bench, family, len))
			add_runs(&t, plot, p, page, row);
		free(page);
		free(row);
	}
	pivot_sort(&t, 3);
	return t;
}

/* Adds a tic at every measured value, with its name. */
static void put_tics(struct chart *c, const struct pivot *t, const char *param)
{
	size_t i, j;

	for (i = 0; i < t->nr; i++)
		for (j = 0; j < t->page[i].rows.nr; j++) {
			const struct side_point *p = pivot_at(&t->page[i],
						t->page[i].rows.text[j], "0");
			char *text = param_value_text(json_object_get(
					p->params, param));

			chart_tic(c, 'x', text, param_number(p, param));
			free(text);
		}
}

struct sweep_axes {
	const char *metric, *param;
};

static void put_value(struct chart *c, const struct side_point *p,
		      const void *arg)
{
	const struct sweep_axes *a = arg;
	struct sample v = sample_take(p, a->metric, metric_tier(p, a->metric),
				      NULL);

	chart_mark(c, param_number(p, a->param), v.median, v.min, v.max);
	sample_free(&v);
}

static int draw_page(struct plot *plot, const struct pivot *page, char *file,
		     const char *metric, const char *param, const char *xname)
{
	const char *bench = page->page->cell->point->bench;
	char *what = one_bench(page) ?
		     xasprintf("%s against %s", bench, xname) :
		     xasprintf("%.*s: cost against %s", family_len(bench),
			       bench, xname);
	struct chart *c = begin_panels(plot, page, file, what, xname, metric);

	put_tics(c, page, param);
	chart_pivot(c, page, 0, put_value, &(struct sweep_axes){
			metric, param
		    });
	chart_x_log2(c, c->x.min / 1.4, c->x.max * 1.4);
	chart_y(c, CHART_LOG_ABOVE);
	free(what);
	return chart_draw(c, plot->options, &plot->drawn);
}

static int draw_family(struct plot *plot, const struct drawn_points *l,
		       const char *family, const char *metric,
		       const char *param, const char *xname)
{
	struct pivot t = sweeps_of(plot, l, family, param);
	char number[24] = "";
	size_t i;
	int ret = 0;

	for (i = 0; i < t.nr && !ret; i += MAX_PANELS) {
		struct pivot page = pivot_part(&t, i, MAX_PANELS);

		if (i)
			snprintf(number, sizeof(number), "-%zu",
				 i / MAX_PANELS + 1);
		ret = draw_page(plot, &page, xasprintf("%s-%.*s-%s%s", param,
				family_len(family), family, metric, number),
				metric, param, xname);
	}
	pivot_free(&t);
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

/*
 * Returns the parameters that are a number or a size at any point, as keys of a
 * new object.
 */
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

/* Returns the name of a parameter on an axis. */
static const char *param_axis(const char *param)
{
	if (!strcmp(param, "folio"))
		return "folio size";
	return strcmp(param, "pages") ? param : "pages a call";
}

int draw_sweeps(struct plot *plot, const char *metric)
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

/* Draws a mark for each boot file that has both figures. */
static void put_marks(struct chart *c, const struct side_point *p,
		      const void *metric)
{
	double rounds, v;
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (observation_value(&p->obs[i], metric, &v) &&
		    observation_value(&p->obs[i], "racer_rounds", &rounds))
			chart_point(c, rounds, v);
}

static int draw_clouds(struct plot *plot, const struct pivot *t,
		       const char *metric)
{
	char *what = xasprintf("%s against a racing CPU", metric);
	struct chart *c = begin_panels(plot, t, xasprintf("racer-%s", metric),
				       what, "racer rounds per operation",
				       metric);

	c->cloud = true;
	chart_pivot(c, t, 2, put_marks, metric);
	chart_y(c, CHART_LOG_ABOVE);
	chart_x(c, c->x, CHART_LOG_ABOVE);
	free(what);
	return chart_draw(c, plot->options, &plot->drawn);
}

/* Draws a panel for each benchmark and kind of racer. */
int draw_racer(struct plot *plot, const char *metric)
{
	struct drawn_points l = points_with(plot, metric, true);
	struct pivot t = { 0 }, page;
	int ret = 0;
	size_t i;

	for (i = 0; i < l.nr; i++) {
		const struct side_point *p = l.p[i];

		char *key = xasprintf("%s %s", p->bench,
				      json_text(p->params, "racer"));

		if (in_all_runs(plot, p, "racer_rounds"))
			add_runs(&t, plot, p, key, p->key);
		free(key);
	}
	free(l.p);
	if (t.nr > MAX_PANELS)
		warn("%s: %d of %zu racers are drawn; choose others with -b",
		     metric, MAX_PANELS, t.nr);
	page = pivot_part(&t, 0, MAX_PANELS);
	if (t.nr)
		ret = draw_clouds(plot, &page, metric);
	pivot_free(&t);
	return ret;
}
