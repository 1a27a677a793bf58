// SPDX-License-Identifier: GPL-2.0
/*
 * The picture of a trend: a panel for each operation, in it the cost relative to
 * the first kernel that has it, a line for each size of folio. Lines differ by dash
 * and mark as well as by colour. A kernel without a value is a gap.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/pivot.h"
#include "analysis/trend/trend.h"
#include "lib/util.h"

#define PANEL_WIDTH	380
#define PANEL_HEIGHT	150
#define COLUMNS		3
#define LEFT		44	/* of a panel, for its axis */
#define TOP		24	/* for its name */
#define NAMES		56	/* below the lowest, for kernels */
#define KEY		26
#define CHAR_WIDTH	6.2
#define STYLES		4

static const struct line_style {
	const char *colour, *dash, *mark;
} styles[STYLES] = {
	{ "#0072b2", "", "M-3 0a3 3 0 1 0 6 0a3 3 0 1 0 -6 0" },
	{ "#d55e00", "7 3", "M-3 -3h6v6h-6z" },
	{ "#009e73", "2 3", "M0 -4l4 7h-8z" },
	{ "#5b3f8c", "7 3 2 3", "M0 -4l4 4l-4 4l-4 -4z" },
};

struct sheet {
	const json_t *trend;
	FILE *f;
	size_t kernels;
	struct names stems, folios;
};

static bool is_drawn(const json_t *row, const char *stem)
{
	return !strcmp(json_text(row, "metric"), TREND_COST) &&
	       (!*stem || !strcmp(trend_stem(row), stem));
}

static double first_value(const struct sheet *s, const json_t *row)
{
	size_t i;

	for (i = 0; i < s->kernels; i++)
		if (trend_value(row, i) > 0)
			return trend_value(row, i);
	return NAN;
}

static double x_of(const struct sheet *s, size_t kernel)
{
	double room = PANEL_WIDTH - LEFT - 14;

	return LEFT + (s->kernels > 1 ? room * kernel / (s->kernels - 1) :
		       room / 2);
}

/* Around 1, the range that the lines of a panel need. */
static void range_of(const struct sheet *s, const char *stem, double *low,
		     double *high)
{
	json_t *row;
	size_t i, k;

	*low = .9;
	*high = 1.1;
	json_array_foreach(json_object_get(s->trend, "rows"), i, row) {
		double first = first_value(s, row);

		if (!is_drawn(row, stem) || isnan(first))
			continue;
		for (k = 0; k < s->kernels; k++) {
			double v = trend_value(row, k) / first;

			if (isnan(v))
				continue;
			*low = fmin(*low, v);
			*high = fmax(*high, v);
		}
	}
	*low = floor(*low * 10 - .001) / 10;
	*high = ceil(*high * 10 + .001) / 10;
}

static double y_of(double v, double low, double high)
{
	return TOP + (PANEL_HEIGHT - TOP - 8) * (high - v) / (high - low);
}

static void put_axis(const struct sheet *s, double low, double high)
{
	double step = .1, v;

	while ((high - low) / step > 4.01)
		step += step < .2 ? .1 : step < .5 ? .3 : .5;
	for (v = ceil(low / step - 1e-6) * step; v < high + 1e-6; v += step) {
		double y = y_of(v, low, high);

		fprintf(s->f, "<path d=\"M%d %.1fH%d\" stroke=\"%s\"/>\n", LEFT,
			y, PANEL_WIDTH - 10, fabs(v - 1) < 1e-6 ? "#888" : "#ddd");
		fprintf(s->f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f%%</text>\n",
			LEFT - 5, y + 4, 100 * v);
	}
}

static void put_line(const struct sheet *s, const json_t *row, double low,
		     double high)
{
	double first = first_value(s, row);
	size_t style = 0, k;
	bool pen = false;

	while (style + 1 < s->folios.nr &&
	       strcmp(s->folios.text[style], trend_folio(row)))
		style++;
	style %= STYLES;
	fprintf(s->f, "<path fill=\"none\" stroke=\"%s\" stroke-width=\"1.8\" stroke-dasharray=\"%s\" d=\"",
		styles[style].colour, styles[style].dash);
	for (k = 0; k < s->kernels; k++) {
		double v = trend_value(row, k) / first;

		if (!isnan(v))
			fprintf(s->f, "%c%.1f %.1f", pen ? 'L' : 'M', x_of(s, k),
				y_of(v, low, high));
		pen = !isnan(v);
	}
	fputs("\"/>\n", s->f);
	for (k = 0; k < s->kernels; k++) {
		double v = trend_value(row, k);
		char n[NUMBER_SIZE];

		if (isnan(v) || isnan(first))
			continue;
		fprintf(s->f, "<path transform=\"translate(%.1f %.1f)\" fill=\"%s\" d=\"%s\"><title>",
			x_of(s, k), y_of(v / first, low, high),
			styles[style].colour, styles[style].mark);
		put_markup(s->f, json_text(json_array_get(
				json_object_get(s->trend, "kernels"), k), "label"));
		fputc(' ', s->f);
		put_markup(s->f, trend_folio(row));
		fprintf(s->f, ": %s</title></path>\n", format_brief(v, false, n));
	}
}

static void put_kernels(const struct sheet *s)
{
	size_t every = 1 + (s->kernels - 1) / 14, k;
	json_t *kernel;

	json_array_foreach(json_object_get(s->trend, "kernels"), k, kernel) {
		bool hole = *json_text(kernel, "failed");
		char *label = xstrndup(json_text(kernel, "label"), 12);

		if (k % every && !hole) {
			free(label);
			continue;
		}
		fprintf(s->f, "<text transform=\"translate(%.1f %d) rotate(-45)\" text-anchor=\"end\"%s>",
			x_of(s, k) + 4, PANEL_HEIGHT + 6,
			hole ? " fill=\"#b03a00\"" : "");
		put_markup(s->f, label);
		fprintf(s->f, "%s</text>\n", hole ? " \303\227" : "");
		free(label);
	}
}

static void put_panel(const struct sheet *s, const char *stem)
{
	double low, high;
	json_t *row;
	char *name = xstrndup(stem, (PANEL_WIDTH - LEFT) / CHAR_WIDTH);
	size_t i;

	range_of(s, stem, &low, &high);
	fprintf(s->f, "<text x=\"%d\" y=\"14\" font-weight=\"bold\">", LEFT);
	put_markup(s->f, name);
	fputs("</text>\n", s->f);
	put_axis(s, low, high);
	json_array_foreach(json_object_get(s->trend, "rows"), i, row)
		if (is_drawn(row, stem))
			put_line(s, row, low, high);
	put_kernels(s);
	free(name);
}

static void put_key(const struct sheet *s)
{
	double x = LEFT;
	size_t i;

	for (i = 0; i < s->folios.nr; i++) {
		const struct line_style *style = &styles[i % STYLES];

		fprintf(s->f, "<path d=\"M%.0f 14h26\" stroke=\"%s\" stroke-width=\"1.8\" stroke-dasharray=\"%s\"/><path transform=\"translate(%.0f 14)\" fill=\"%s\" d=\"%s\"/>",
			x, style->colour, style->dash, x + 13, style->colour,
			style->mark);
		fprintf(s->f, "<text x=\"%.0f\" y=\"18\">", x + 32);
		put_markup(s->f, *s->folios.text[i] ? s->folios.text[i] :
			   "no folio");
		fputs("</text>\n", s->f);
		x += 40 + CHAR_WIDTH * (strlen(s->folios.text[i]) + 4);
	}
}

void trend_svg_of(const json_t *trend, const char *stem, FILE *f)
{
	struct sheet s = { .trend = trend, .f = f, .kernels = json_array_size(
				json_object_get(trend, "kernels")) };
	size_t columns, lines, i;
	json_t *row;

	json_array_foreach(json_object_get(trend, "rows"), i, row) {
		if (!is_drawn(row, ""))
			continue;
		/* a folio looks the same in each picture of a trend */
		names_once(&s.folios, xstrdup(trend_folio(row)));
		if (is_drawn(row, stem))
			names_once(&s.stems, xstrdup(trend_stem(row)));
	}
	columns = s.stems.nr < COLUMNS ? s.stems.nr : COLUMNS;
	lines = columns ? (s.stems.nr + columns - 1) / columns : 0;
	fprintf(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %zu %zu\" width=\"%zu\" font-family=\"sans-serif\" font-size=\"11\" role=\"img\"><title>",
		columns * PANEL_WIDTH, KEY + lines * (PANEL_HEIGHT + NAMES),
		columns * PANEL_WIDTH);
	put_markup(f, json_text(trend, "title"));
	fputs(": kernel instructions relative to the first kernel</title>\n", f);
	put_key(&s);
	for (i = 0; i < s.stems.nr; i++) {
		fprintf(f, "<g transform=\"translate(%zu %zu)\">\n",
			i % columns * PANEL_WIDTH,
			KEY + i / columns * (PANEL_HEIGHT + NAMES));
		put_panel(&s, s.stems.text[i]);
		fputs("</g>\n", f);
	}
	fputs("</svg>\n", f);
	names_free(&s.stems);
	names_free(&s.folios);
}

void trend_svg(const json_t *trend, FILE *f)
{
	trend_svg_of(trend, "", f);
}
