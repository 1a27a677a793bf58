// SPDX-License-Identifier: GPL-2.0
/* See plot_barrier.h. */
#include "analysis/family/plot_barrier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/picture.h"
#include "analysis/load/sample.h"
#include "analysis_gp.h"
#include "lib/util.h"

#define MAX_LINES	16
#define MAX_PANELS	4
/* ns below which nothing is told apart in the picture */
#define FLOOR		.05

/* Texts in the order of their first coming. */
struct names {
	char *text[MAX_LINES];
	size_t nr;
};

/* The number of a text, which is kept; nr if there is no room for it. */
static size_t name_of(struct names *n, char *text, size_t most)
{
	size_t i;

	for (i = 0; i < n->nr; i++)
		if (!strcmp(n->text[i], text))
			break;
	if (i < n->nr || i == most)
		free(text);
	else
		n->text[n->nr++] = text;
	return i;
}

static void names_free(struct names *n)
{
	while (n->nr)
		free(n->text[--n->nr]);
}

static const json_t *proof_of(const struct side_point *p)
{
	return p->nr_obs && p->obs[0].ok ?
		json_object_get(p->obs[0].point, "proof") : NULL;
}

static void put_array(struct picture *pic, const char *name,
		      const struct names *n)
{
	size_t i;

	fprintf(pic->script, "array %s[%zu]\n", name, n->nr);
	for (i = 0; i < n->nr; i++) {
		char *to = xasprintf("%s[%zu]", name, i + 1);

		picture_text(pic, to, n->text[i]);
		free(to);
	}
}

/* Everything but the data and the ranges of y. */
static struct picture *begin(const char *file, const char *title,
			     const char *subtitle, const char *xname,
			     const char *yname, const struct names *lines,
			     const struct names *panels)
{
	size_t rows = (panels->nr + 1) / 2;
	struct picture *pic = picture_begin(file, panels_gp,
					    panels->nr > 1 ? 1000 : 760,
					    140 + 340 * rows + 20 * lines->nr);

	picture_text(pic, "title", title);
	picture_text(pic, "subtitle", subtitle);
	picture_text(pic, "xname", xname);
	picture_text(pic, "yname", yname);
	fprintf(pic->script, "runs = %zu\npanels = %zu\nrows = %zu\ncols = %d\njoined = 1\n",
		lines->nr, panels->nr, rows, panels->nr > 1 ? 2 : 1);
	put_array(pic, "run_title", lines);
	put_array(pic, "panel_title", panels);
	fprintf(pic->script,
		"array y_low[%zu]\narray y_high[%zu]\narray y_log[%zu]\n",
		panels->nr, panels->nr, panels->nr);
	return pic;
}

static void put_y(struct picture *pic, size_t panel, double low, double high,
		  int log)
{
	fprintf(pic->script,
		"y_low[%zu] = %.17g\ny_high[%zu] = %.17g\ny_log[%zu] = %d\n",
		panel + 1, low, panel + 1, high, panel + 1, log);
}

static char *machine_text(const struct side *s)
{
	const json_t *h = s->run->files[0]->header;

	return xasprintf("%s, %s", json_text(h, "arch"),
			 json_text(json_object_get(h, "cpu"), "model"));
}

/* --- costs --- */

static bool is_cost(const struct side_point *p)
{
	return !strcmp(p->bench, "barrier.cost") && proof_of(p) &&
	       metric_tier(p, "barrier_ns") != TIER_NONE;
}

static char *cost_panel(const struct side_point *p)
{
	return xasprintf("state=%s place=%s", json_text(p->params, "state"),
			 json_text(p->params, "place"));
}

static char *cost_line(const struct side_point *p)
{
	return xstrdup(json_text(p->params, "barrier"));
}

/* The median, and its interval if there is but one boot. */
static void put_cost(struct picture *pic, const struct side_point *p,
		     double *high)
{
	struct sample v = sample_take(p, "barrier_ns",
				      metric_tier(p, "barrier_ns"), NULL);
	const json_t *i = json_object_get(proof_of(p), "barrier_ns");
	double stores = json_number_value(json_object_get(p->params,
							  "stores"));
	double low = v.min, up = v.max, median = v.median;

	if (json_is_false(json_object_get(proof_of(p), "told")))
		median = FLOOR;
	if (v.boots == 1 && i) {
		low = json_number_value(json_object_get(i, "low"));
		up = json_number_value(json_object_get(i, "high"));
	}
	/* 0 stores have a place on the logarithmic axis too */
	fprintf(pic->script, "%.17g %.17g %.17g %.17g\n", stores + 1,
		fmax(median, FLOOR), fmax(low, FLOOR), fmax(up, FLOOR));
	*high = fmax(*high, up);
	sample_free(&v);
}

static void put_cost_tics(struct picture *pic, const struct side *s)
{
	double most = 0;
	size_t i;

	fputs("set logscale x 2\nset xtics ()\n", pic->script);
	for (i = 0; i < s->nr_points; i++) {
		double k = json_number_value(json_object_get(
				s->points[i].params, "stores"));

		if (!is_cost(&s->points[i]))
			continue;
		fprintf(pic->script, "set xtics add ('%g' %g)\n", k, k + 1);
		most = fmax(most, k);
	}
	fprintf(pic->script, "set xrange [0.8:%g]\n", (most + 1) * 1.25);
}

static bool on_line(const struct side_point *p, const char *panel,
		    const char *line)
{
	char *a, *b;
	bool on;

	if (!is_cost(p))
		return false;
	a = cost_panel(p);
	b = cost_line(p);
	on = !strcmp(a, panel) && !strcmp(b, line);
	free(a);
	free(b);
	return on;
}

static int draw_costs(const struct side *s, const struct plot_options *o,
		      const char *file, size_t *drawn)
{
	struct names lines = { 0 }, panels = { 0 };
	double high[MAX_PANELS] = { 0 };
	char *title, *machine;
	struct picture *pic;
	size_t i, j, k;
	int ret;

	for (i = 0; i < s->nr_points; i++) {
		if (!is_cost(&s->points[i]))
			continue;
		name_of(&lines, cost_line(&s->points[i]), MAX_LINES);
		name_of(&panels, cost_panel(&s->points[i]), MAX_PANELS);
	}
	if (!lines.nr)
		return 0;
	machine = machine_text(s);
	title = xasprintf("barrier.cost: %s", machine);
	pic = begin(file, title,
		    "median and 95% interval; at the bottom: 0.05 ns or less, or not to be told from 0",
		    "stores before the barrier",
		    "ns that the barrier adds to the loop without it", &lines,
		    &panels);
	put_cost_tics(pic, s);
	fputs("$data << EOD\n", pic->script);
	for (i = 0; i < panels.nr; i++)
		for (j = 0; j < lines.nr; j++) {
			/* a block must not be empty, or it is not counted */
			fputs("NaN NaN NaN NaN\n", pic->script);
			for (k = 0; k < s->nr_points; k++)
				if (on_line(&s->points[k], panels.text[i],
					    lines.text[j]))
					put_cost(pic, &s->points[k], &high[i]);
			fputs("\n\n", pic->script);
		}
	fputs("EOD\n", pic->script);
	for (i = 0; i < panels.nr; i++)
		put_y(pic, i, FLOOR, fmax(high[i], 1) * 1.5, 1);
	ret = picture_end(pic, o);
	++*drawn;
	free(title);
	free(machine);
	names_free(&lines);
	names_free(&panels);
	return ret;
}

/* --- latency --- */

static const json_t *histogram_of(const struct side_point *p, const char *which)
{
	return strcmp(p->bench, "barrier.publish") ? NULL :
		json_object_get(proof_of(p), which);
}

/* "writer wmb, reader rmb" and, where it is not the flag, what is tested */
static char *latency_line(const struct side_point *p)
{
	const char *watch = json_text(p->params, "watch");

	return xasprintf("writer %s, reader %s%s%s",
			 json_text(p->params, "writer"),
			 json_text(p->params, "reader"),
			 strcmp(watch, "flag") ? ", tests " : "",
			 strcmp(watch, "flag") ? watch : "");
}

/* The share of all that took no longer, bucket by bucket. */
static void put_shares(struct picture *pic, const json_t *h, double x[2])
{
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
		fprintf(pic->script, "%.17g %.17g %.17g %.17g\n", ns, share,
			share, share);
		/* the last of a thousand belong to somebody else's time */
		if (share > .1)
			x[0] = fmin(x[0], ns);
		if (share < 99.5)
			x[1] = fmax(x[1], ns);
	}
}

static int draw_latency(const struct side *s, const struct plot_options *o,
			const char *file, size_t *drawn)
{
	static const char *const which[] = {
		"latency_histogram", "usable_histogram"
	};
	struct names lines = { 0 }, panels = { 0 };
	double x[2] = { INFINITY, 0 };
	char *title, *machine;
	struct picture *pic;
	size_t i, j, k;
	int ret;

	for (i = 0; i < s->nr_points; i++)
		if (histogram_of(&s->points[i], which[0]))
			name_of(&lines, latency_line(&s->points[i]),
				MAX_LINES);
	if (!lines.nr)
		return 0;
	name_of(&panels, xstrdup("until the reader has seen it"), MAX_PANELS);
	name_of(&panels, xstrdup("until it has read the context"), MAX_PANELS);
	machine = machine_text(s);
	title = xasprintf("barrier.publish: %s", machine);
	pic = begin(file, title, "from just before the store to the word that the reader tests",
		    "ns", "% of publications", &lines, &panels);
	fputs("$data << EOD\n", pic->script);
	for (i = 0; i < panels.nr; i++)
		for (j = 0; j < lines.nr; j++) {
			fputs("NaN NaN NaN NaN\n", pic->script);
			for (k = 0; k < s->nr_points; k++) {
				const struct side_point *p = &s->points[k];
				const json_t *h = histogram_of(p, which[i]);
				char *line;

				if (!h)
					continue;
				line = latency_line(p);
				if (!strcmp(line, lines.text[j]))
					put_shares(pic, h, x);
				free(line);
			}
			fputs("\n\n", pic->script);
		}
	fputs("EOD\n", pic->script);
	for (i = 0; i < panels.nr; i++)
		put_y(pic, i, 0, 100, 0);
	fprintf(pic->script, "set logscale x 2\nset xrange [%.17g:%.17g]\n",
		x[0] / 1.2, fmax(x[1], x[0]) * 1.2);
	ret = picture_end(pic, o);
	++*drawn;
	free(title);
	free(machine);
	names_free(&lines);
	names_free(&panels);
	return ret;
}

int plot_barriers(struct side *const *sides, size_t nr,
		  const struct plot_options *o, size_t *drawn)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++) {
		const char *label = nr > 1 ? sides[i]->label : "";
		char *cost = xasprintf("barrier-cost%s%s", *label ? "-" : "",
				       label);
		char *latency = xasprintf("barrier-latency%s%s",
					  *label ? "-" : "", label);

		ret = draw_costs(sides[i], o, cost, drawn);
		if (!ret)
			ret = draw_latency(sides[i], o, latency, drawn);
		free(cost);
		free(latency);
	}
	return ret;
}
