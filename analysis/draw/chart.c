// SPDX-License-Identifier: GPL-2.0
/* See chart.h. */
#include "analysis/draw/chart.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis_gp.h"

#define MAX_SUB_LINES	3
/* Characters of a row's name that fit beside a picture of the usual width. */
#define NAME_FITS	42
#define NAME_PIXELS	9.5	/* width of a character, a safe guess */

/* Templates, with their height: the fixed part, and that of each row. */
static const struct {
	const char *template;
	int height, row;
	size_t least_rows;
} kinds[] = {
	[CHART_PANELS]	= { panels_gp, 140, 340, 1 },
	[CHART_DUMBBELL] = { dumbbell_gp, 158, 30, 4 },
	[CHART_FOREST]	= { forest_gp, 180, 26, 1 },
	[CHART_SPREAD]	= { spread_gp, 180, 22, 0 },
	[CHART_TREND]	= { trend_gp, 222, 170, 1 },
};

static FILE *memory(char **text, size_t *len)
{
	FILE *f = open_memstream(text, len);

	if (f)
		return f;
	fputs("ptelab: out of memory\n", stderr);
	exit(EXIT_COULD_NOT);
}

struct chart *chart_new(enum chart_kind kind, const char *fmt, ...)
{
	struct chart *c = xcalloc(1, sizeof(*c));
	va_list ap;
	size_t i;

	c->kind = kind;
	va_start(ap, fmt);
	if (vasprintf(&c->file, fmt, ap) < 0)
		c->file = xstrdup("chart");
	va_end(ap);
	c->x = (struct extent){ NAN, NAN };
	for (i = 0; i < CHART_MAX_PANELS; i++)
		c->value[i] = c->x;
	c->body = memory(&c->text, &c->len);
	return c;
}

/* --- small helpers --- */

void extend(struct extent *e, double v)
{
	e->min = fmin(e->min, v);
	e->max = fmax(e->max, v);
}

void shorten(char *text, size_t most)
{
	if (strlen(text) > most)
		memcpy(text + most - 2, "..", 3);
}

double tic_step(double range)
{
	double unit = pow(10, floor(log10(range / 4)));
	double rest = range / 4 / unit;

	return unit * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

/* --- rows and tics --- */

void chart_tic(struct chart *c, char axis, const char *text, double at)
{
	char *quoted = picture_quote(text, true);

	if (!c->tics)
		fprintf(c->body, "set %ctics ()\n", axis);
	c->tics = true;
	fprintf(c->body, "set %ctics add (%s %.17g)\n", axis, quoted, at);
	if (axis == 'x')
		extend(&c->x, at);
	free(quoted);
}

void chart_row(struct chart *c, const char *name, const char *change)
{
	char *quoted;

	chart_tic(c, 'y', name, ++c->rows);
	if (strlen(name) > c->name_width)
		c->name_width = strlen(name);
	if (!change)
		return;
	quoted = picture_quote(change, false);
	fprintf(c->body,
		"if (format ne 'terminal') { set label %zu %s at graph 1.015, first %zu left }\n",
		99 + c->rows, quoted, c->rows);
	if (strlen(change) > c->change_width)
		c->change_width = strlen(change);
	free(quoted);
}

/* --- data --- */

void chart_block(struct chart *c, unsigned int columns)
{
	if (!c->data)
		fputs("$data << EOD\n", c->body);
	c->data = true;
	while (columns--)
		fprintf(c->body, "NaN%c", columns ? ' ' : '\n');
}

static void seen(struct chart *c, double x, double low, double high)
{
	extend(&c->x, x);
	extend(&c->value[c->panel], low);
	extend(&c->value[c->panel], high);
}

void chart_point(struct chart *c, double x, double y)
{
	fprintf(c->body, "%.17g %.17g\n", x, y);
	seen(c, x, y, y);
}

void chart_mark(struct chart *c, double x, double middle, double low,
		double high)
{
	fprintf(c->body, "%.17g %.17g %.17g %.17g\n", x, middle, low, high);
	seen(c, x, low, high);
}

void chart_block_end(struct chart *c)
{
	fputs("\n\n", c->body);
}

void chart_pivot(struct chart *c, const struct pivot *t, unsigned int columns,
		 void (*put)(struct chart *c, const struct side_point *p,
			     const void *arg), const void *arg)
{
	struct names column = pivot_columns(t);
	size_t i, j, k;

	for (i = 0; i < t->nr; i++)
		for (j = 0; j < column.nr; j++) {
			const struct pivot_page *page = &t->page[i];

			c->panel = i;
			chart_block(c, columns);
			for (k = 0; k < page->rows.nr; k++) {
				const struct side_point *p = pivot_at(page,
					page->rows.text[k], column.text[j]);

				if (p)
					put(c, p, arg);
			}
			chart_block_end(c);
		}
	if (c->lines.nr)
		names_free(&column);
	else
		c->lines = column;
}

/* --- axes --- */

static struct chart_axis axis_for(struct extent e, double log_above)
{
	if (e.min > 0 && e.max / e.min > log_above)
		return (struct chart_axis){ e.min / 1.4, e.max * 1.4,
					    e.max / e.min > 500 ? 2 : 1 };
	return (struct chart_axis){ 0, e.max > 0 ? e.max * 1.06 : 1, 0 };
}

void chart_y(struct chart *c, double log_above)
{
	size_t i;

	for (i = 0; i < c->panels.nr; i++)
		if (axis_for(c->value[i], log_above).log)
			log_above = 0;
	for (i = 0; i < c->panels.nr; i++)
		if (!(c->value[i].min > 0))
			log_above = INFINITY;
	for (i = 0; i < c->panels.nr; i++)
		c->y[i] = axis_for(c->value[i], log_above);
}

void chart_x(struct chart *c, struct extent e, double log_above)
{
	struct chart_axis a = axis_for(e, log_above);

	c->x_axis = xasprintf("set xrange [%.17g:%.17g]\nset format x '%s'\nx_log = %d\n%s",
			      a.low, a.high, a.high >= 1e4 ? "%.0s%c" : "%g",
			      a.log, a.log ? "set logscale x 10\n" : "");
}

void chart_x_log2(struct chart *c, double low, double high)
{
	if (low > 0)
		c->x_axis = xasprintf("set logscale x 2\nset xrange [%.17g:%.17g]\n",
				      low, high);
}

/* --- the script --- */

static void put_text(FILE *f, const char *name, const char *text)
{
	char *quoted = picture_quote(text, false);

	fprintf(f, "%s = %s\n", name, quoted);
	free(quoted);
}

static void put_array(FILE *f, const char *name, const struct names *n)
{
	size_t i;

	fprintf(f, "array %s[%zu]\n", name, n->nr);
	for (i = 0; i < n->nr; i++) {
		char *quoted = picture_quote(n->text[i], false);

		fprintf(f, "%s[%zu] = %s\n", name, i + 1, quoted);
		free(quoted);
	}
}

/* Writes the subtitle in up to three lines, and truncates the rest. */
static void put_subtitle(FILE *f, const char *subtitle, size_t most)
{
	char *rest = xstrdup(subtitle), *line = rest, *end, name[16];
	unsigned int nr = 0;

	do {
		bool last = ++nr == MAX_SUB_LINES;

		end = line + strlen(line);
		if (last)
			shorten(line, most);
		else if (strlen(line) > most)
			for (end = line + most; end > line && *end != ' '; end--)
				;
		if (end == line && *line)
			end = line + most;
		subtitle = *end ? end + 1 : end;
		*end = '\0';
		snprintf(name, sizeof(name), nr > 1 ? "subtitle_%u" :
			 "subtitle", nr);
		put_text(f, name, line);
		line = (char *)subtitle;
	} while (*line && nr < MAX_SUB_LINES);
	fprintf(f, "sub_lines = %u\n", nr);
	free(rest);
}

static void put_titles(FILE *f, const struct chart *c)
{
	const struct { const char *name, *text; } titles[] = {
		{ "title", c->title }, { "xname", c->xname },
		{ "yname", c->yname }, { "legend", c->legend },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(titles); i++)
		if (titles[i].text)
			put_text(f, titles[i].name, titles[i].text);
	if (c->subtitle_width)
		put_subtitle(f, c->subtitle, c->subtitle_width);
	else
		put_text(f, "subtitle", c->subtitle);
}

static void put_panels(FILE *f, const struct chart *c)
{
	size_t nr = c->panels.nr, i;

	if (!nr)
		return;
	fprintf(f, "panels = %zu\narray y_low[%zu]\narray y_high[%zu]\n", nr,
		nr, nr);
	put_array(f, "panel_title", &c->panels);
	for (i = 0; i < nr; i++)
		fprintf(f, "y_low[%zu] = %.17g\ny_high[%zu] = %.17g\n", i + 1,
			c->y[i].low, i + 1, c->y[i].high);
	if (c->kind == CHART_TREND) {
		fprintf(f, "array y_step[%zu]\n", nr);
		for (i = 0; i < nr; i++)
			fprintf(f, "y_step[%zu] = %.17g\n", i + 1,
				tic_step(c->y[i].high - c->y[i].low));
		return;
	}
	fprintf(f, "cols = %d\njoined = %d\narray y_log[%zu]\n",
		nr > 1 ? 2 : 1, !c->cloud, nr);
	for (i = 0; i < nr; i++)
		fprintf(f, "y_log[%zu] = %d\n", i + 1, c->y[i].log);
}

static char *script_of(const struct chart *c, size_t rows)
{
	char *text;
	size_t len;
	FILE *f = memory(&text, &len);

	if (c->lines.nr) {
		fprintf(f, "runs = %zu\n", c->lines.nr);
		put_array(f, "run_title", &c->lines);
	}
	put_titles(f, c);
	put_panels(f, c);
	if (c->kind != CHART_TREND)
		fprintf(f, "rows = %zu\n", rows);
	if (c->change_width)
		fprintf(f, "label_pixels = %.1f\nchange_width = %zu\n",
			NAME_PIXELS * (fmax(10, c->name_width) + 3),
			c->change_width + 3);
	fprintf(f, "%s%sEOD\n", c->x_axis ? c->x_axis : "", c->text);
	fclose(f);
	return text;
}

int chart_draw(struct chart *c, const struct plot_options *o, size_t *drawn)
{
	size_t rows = c->kind == CHART_PANELS ? (c->panels.nr + 1) / 2 :
		      c->kind == CHART_TREND ? c->panels.nr : c->rows;
	size_t high = rows < kinds[c->kind].least_rows ?
		      kinds[c->kind].least_rows : rows;
	double wider = c->name_width > NAME_FITS ?
		       NAME_PIXELS * (c->name_width - NAME_FITS) : 0;
	char *script;
	int ret;

	fclose(c->body);
	script = script_of(c, rows);
	ret = picture_draw(c->file, kinds[c->kind].template,
			   c->kind == CHART_PANELS && c->panels.nr < 2 ? 760 :
			   1000 + wider, kinds[c->kind].height +
			   kinds[c->kind].row * high + 20 * c->lines.nr,
			   script, o);
	++*drawn;
	names_free(&c->lines);
	names_free(&c->panels);
	free(script);
	free(c->text);
	free(c->file);
	free(c->title);
	free(c->subtitle);
	free(c->xname);
	free(c->yname);
	free(c->legend);
	free(c->x_axis);
	free(c);
	return ret;
}
