// SPDX-License-Identifier: GPL-2.0
/* draw_points(): a row a point, its value in each run joined by a line. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/plot/plotted.h"
#include "lib/util.h"

#define MAX_ROWS	24
#define LOG_ROWS	5	/* ratios are what rows are looked at for */

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
		else if (change_of(plot, l->p[i], metric) >
			 change_of(plot, l->p[j], metric))
			l->p[j] = l->p[i];
	}
	return nr;
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
	for (i = 0; i < l->nr; i++)
		fprintf(c->body, "%zu %.17g %.17g\n", i + 1, join[i].min,
			join[i].max);
	free(join);
}

int draw_points(struct plot *plot, const char *metric)
{
	struct drawn_points l = points_with(plot, metric, false);
	size_t all = l.nr, i;
	struct chart *c;
	json_t *constant;
	char *same;

	if (!all)
		return 0;
	if (all > MAX_ROWS)
		l.nr = one_a_bench(plot, &l, metric);
	constant = constant_params(l.p, l.nr);
	same = params_text(constant, " ");
	c = plot_chart(plot, CHART_DUMBBELL, xasprintf("points-%s", metric),
		       l.nr < all ? "The most changed point of each benchmark" :
		       "Every point", same, l.p[0]);
	c->xname = axis_text(l.p[0], metric);
	c->change_width = 2;
	for (i = 0; i < l.nr; i++) {
		char *name = row_name(l.p[i], constant, "", 40, 56);
		char *change = changed_by(plot, l.p[i], metric);

		chart_row(c, name, change);
		free(change);
		free(name);
	}
	put_values(c, plot, &l, metric);
	chart_x(c, c->value[0], LOG_ROWS);
	json_decref(constant);
	free(same);
	free(l.p);
	return chart_draw(c, plot->options, &plot->drawn);
}
