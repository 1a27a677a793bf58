// SPDX-License-Identifier: GPL-2.0
/*
 * The differential flame graph. What changed is told by shape, not by colour
 * alone: what became less is hatched, what became more is plain, and both are
 * the darker the more of the frame it is; so it reads in grey, and whichever
 * colours one can tell apart.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/explain.h"
#include "analysis/draw/format.h"
#include "lib/util.h"

#define WIDTH		1200
#define MARGIN		10
#define ROW		17
#define HEAD		78	/* above the frames */
#define MIN_WIDTH	0.5	/* narrower frames are left out */
#define CHAR_WIDTH	6.7	/* of 11 px monospace */

struct canvas {
	const struct explanation *e;
	FILE *f;
	double scale;		/* pixels an instruction */
	int bottom;
	size_t left_out;
};

/* A frame is as wide as the larger of its sides, and holds its children. */
static double width_of(const struct flame *n)
{
	double w = fmax(n->self[BASE], n->self[NEW]);
	size_t i;

	for (i = 0; i < n->nr; i++)
		w += width_of(n->child[i]);
	return w;
}

static int depth_of(const struct flame *n, double scale)
{
	int deepest = 0;
	size_t i;

	if (width_of(n) * scale < MIN_WIDTH)
		return 0;
	for (i = 0; i < n->nr; i++) {
		int d = depth_of(n->child[i], scale);

		deepest = d > deepest ? d : deepest;
	}
	return deepest + 1;
}

/* White to @full by @share. */
static void put_mix(FILE *f, const int *full, double share)
{
	int i, c[3];

	for (i = 0; i < 3; i++)
		c[i] = 255 - share * (255 - full[i]) + .5;
	fprintf(f, "#%02x%02x%02x", c[0], c[1], c[2]);
}

/* How much of a frame changed: -1 all of it went, 1 all of it came. */
static double change_of(const struct flame *n)
{
	double larger = fmax(n->all[BASE], n->all[NEW]);

	return larger > 0 ? (n->all[NEW] - n->all[BASE]) / larger : 0;
}

static void put_rect(const struct canvas *c, double x, double y, double w,
		     double change)
{
	static const int more[] = { 0xf0, 0x8f, 0x2c }, less[] = { 0x7f, 0xb3, 0xe0 };
	FILE *f = c->f;

	fprintf(f, "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" fill=\"",
		x, y, w, ROW - 1);
	if (fabs(change) < 1e-9)
		fputs("#ececec", f);
	else
		put_mix(f, change > 0 ? more : less,
			.25 + .75 * fabs(change));
	fputs("\"/>\n", f);
	if (change <= -1e-9)
		fprintf(f, "<rect x=\"%.1f\" y=\"%.0f\" width=\"%.1f\" height=\"%d\" fill=\"url(#less)\" opacity=\"%.2f\"/>\n",
			x, y, w, ROW - 1, .2 + .3 * fabs(change));
}

static void put_frame(struct canvas *c, const struct flame *n, double x,
		      int level)
{
	double w = width_of(n) * c->scale, change = change_of(n);
	double y = c->bottom - (level + 1) * ROW;
	char a[NUMBER_SIZE], b[NUMBER_SIZE], d[NUMBER_SIZE];
	double delta = n->all[NEW] - n->all[BASE];
	size_t room = w > 8 ? (w - 6) / CHAR_WIDTH : 0;
	char *label;

	format_number(n->all[BASE], 2, a);
	format_number(n->all[NEW], 2, b);
	format_delta(delta, fabs(delta) < 10 ? 2 : 0, d);
	fputs("<g><title>", c->f);
	put_markup(c->f, n->name);
	fprintf(c->f, ": %s -&gt; %s per operation (%s), of it itself %.2f -&gt; %.2f</title>\n",
		a, b, d, n->self[BASE], n->self[NEW]);
	put_rect(c, x, y, w - (w > 2 ? .5 : 0), change);
	label = fabs(delta) > 1e-9 ? xasprintf("%s %s", n->name, d) :
		xstrdup(n->name);
	if (strlen(label) > room && strlen(n->name) <= room)
		label[strlen(n->name)] = 0;
	if (room >= 3) {
		fprintf(c->f, "<text x=\"%.1f\" y=\"%.0f\">", x + 3, y + ROW - 5);
		if (strlen(label) > room)
			strcpy(label + room - 2, "..");
		put_markup(c->f, label);
		fputs("</text>\n", c->f);
	}
	free(label);
	fputs("</g>\n", c->f);
}

static int by_width(const void *a, const void *b)
{
	const struct flame *x = *(struct flame *const *)a;
	const struct flame *y = *(struct flame *const *)b;
	double wx = width_of(x), wy = width_of(y);

	if (wx != wy)
		return wx > wy ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void put_frames(struct canvas *c, const struct flame *n, double x,
		       int level)
{
	size_t i;

	if (width_of(n) * c->scale < MIN_WIDTH) {
		c->left_out++;
		return;
	}
	put_frame(c, n, x, level);
	if (n->nr)
		qsort(n->child, n->nr, sizeof(*n->child), by_width);
	for (i = 0; i < n->nr; i++) {
		put_frames(c, n->child[i], x, level + 1);
		x += width_of(n->child[i]) * c->scale;
	}
}

static void put_head(const struct canvas *c, int height)
{
	const struct explanation *e = c->e;
	char a[NUMBER_SIZE], b[NUMBER_SIZE], d[NUMBER_SIZE];
	char *params = params_text(e->point->params, " ");

	fprintf(c->f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
		WIDTH, height, WIDTH, height);
	fputs("<defs><pattern id=\"less\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"1.4\" height=\"5\" fill=\"#2b5c8a\"/></pattern></defs>\n", c->f);
	fprintf(c->f, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n<g font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\" font-size=\"11\" fill=\"#000000\">\n",
		WIDTH, height);
	fprintf(c->f, "<text x=\"%d\" y=\"20\" font-size=\"14\" font-weight=\"bold\">",
		MARGIN);
	put_markup(c->f, e->point->bench);
	fprintf(c->f, ": %s per operation, %s -&gt; %s (%s)</text>\n<text x=\"%d\" y=\"38\">",
		e->metric, format_value(e->figure[BASE], TIER_EXACT, a),
		format_value(e->figure[NEW], TIER_EXACT, b),
		format_delta(explained_delta(e), 2, d), MARGIN);
	put_markup(c->f, params);
	fputs("</text>\n", c->f);
	free(params);
	put_rect(c, MARGIN, 48, 26, 1);
	fprintf(c->f, "<text x=\"%d\" y=\"60\">more on new</text>\n", MARGIN + 32);
	put_rect(c, MARGIN + 130, 48, 26, -1);
	fprintf(c->f, "<text x=\"%d\" y=\"60\">less on new, hatched</text>\n", MARGIN + 162);
	put_rect(c, MARGIN + 320, 48, 26, 0);
	fprintf(c->f, "<text x=\"%d\" y=\"60\">the same</text>\n", MARGIN + 352);
	fprintf(c->f, "<text x=\"%d\" y=\"60\">the darker, the larger a part of the frame; width: the larger side, frame by frame</text>\n",
		MARGIN + 440);
}

void explain_svg(const struct explanation *e, FILE *f)
{
	struct canvas c = { .e = e, .f = f };
	double all = width_of(e->flame);
	int height;

	c.scale = all > 0 ? (WIDTH - 2 * MARGIN) / all : 0;
	c.bottom = HEAD + depth_of(e->flame, c.scale) * ROW;
	height = c.bottom + 24;
	put_head(&c, height);
	put_frames(&c, e->flame, MARGIN, 0);
	fprintf(f, "<text x=\"%d\" y=\"%d\">%zu frames too narrow to draw left out. A frame stands on what called it; what no frame covers is its own.</text>\n",
		MARGIN, c.bottom + 16, c.left_out);
	fputs("</g>\n</svg>\n", f);
}
