// SPDX-License-Identifier: GPL-2.0
/*
 * The differential flame graph. Its colours are not needed to read it: frames
 * that became smaller are hatched, frames that became larger are plain. Both
 * are darker the larger the changed part of the frame is.
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
#define KEY		66	/* top of the legend */
#define HEAD		94	/* space above the frames */
#define FOOT_CHARS	160	/* for the names of removed callers */
#define MIN_WIDTH	0.5	/* narrower frames are left out */
#define CHAR_WIDTH	6.7	/* of 11 px monospace */
#define TRUNK		.95	/* of a frame, covered by an only child */

struct canvas {
	const struct explanation *e;
	FILE *f;
	double scale;		/* pixels an instruction */
	int bottom;
	size_t left_out;
};

static int depth_of(const struct flame *n, double scale)
{
	int deepest = 0;
	size_t i;

	if (n->width * scale < MIN_WIDTH)
		return 0;
	for (i = 0; i < n->nr; i++) {
		int d = depth_of(n->child[i], scale);

		deepest = d > deepest ? d : deepest;
	}
	return deepest + 1;
}

/* Prints a colour between white (0) and @full (1). */
static void put_mix(FILE *f, const int *full, double share)
{
	int i, c[3];

	for (i = 0; i < 3; i++)
		c[i] = 255 - share * (255 - full[i]) + .5;
	fprintf(f, "#%02x%02x%02x", c[0], c[1], c[2]);
}

/*
 * Returns the part of a frame that changed: -1 all of it is gone, 1 all of it
 * is new.
 */
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
	double w = n->width * c->scale, change = change_of(n);
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

/* Returns by how much a frame and its callees differ. */
static double change_in(const struct flame *n)
{
	double d = fabs(n->self[NEW] - n->self[BASE]);
	size_t i;

	for (i = 0; i < n->nr; i++)
		d += change_in(n->child[i]);
	return d;
}

/*
 * Returns the single frame below @n if @n can be left out: if the rest of @n is
 * negligible, or, in a program, does not differ. NULL if the graph begins with
 * @n.
 */
static const struct flame *only_child(const struct flame *n)
{
	bool kernel = !strcmp(n->space, "kernel");
	size_t i;

	for (i = 0; i < n->nr; i++) {
		const struct flame *child = n->child[i];

		if (child->width >= TRUNK * n->width ||
		    (!kernel && change_in(child) &&
		     change_in(child) >= TRUNK * change_in(n)))
			return child;
	}
	return NULL;
}

/*
 * Moves *@root to the first frame that branches. Returns its callers, "caller <
 * its caller < all"; the caller frees.
 */
static char *find_trunk(const struct flame **root)
{
	const struct flame *child;
	char *names = xstrdup(""), *more;

	while ((child = only_child(*root))) {
		more = xasprintf("%s%s%s", (*root)->name, *names ? " < " : "",
				 names);
		free(names);
		names = more;
		*root = child;
	}
	return names;
}

static int by_width(const void *a, const void *b)
{
	const struct flame *x = *(struct flame *const *)a;
	const struct flame *y = *(struct flame *const *)b;
	double wx = x->width, wy = y->width;

	if (wx != wy)
		return wx > wy ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void put_frames(struct canvas *c, const struct flame *n, double x,
		       int level)
{
	size_t i;

	if (n->width * c->scale < MIN_WIDTH) {
		c->left_out++;
		return;
	}
	put_frame(c, n, x, level);
	if (n->nr)
		qsort(n->child, n->nr, sizeof(*n->child), by_width);
	for (i = 0; i < n->nr; i++) {
		put_frames(c, n->child[i], x, level + 1);
		x += n->child[i]->width * c->scale;
	}
}

static void put_head(const struct canvas *c, const char *title, int height)
{
	const struct explanation *e = c->e;
	const char *words = json_text(e->point->obs[0].point, "words");
	char a[NUMBER_SIZE], b[NUMBER_SIZE], d[NUMBER_SIZE];
	char *params = params_text(e->point->params, " ");

	words = *words ? words : e->point->bench;
	fprintf(c->f, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\">\n",
		WIDTH, height, WIDTH, height);
	fputs("<defs><pattern id=\"less\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect width=\"1.4\" height=\"5\" fill=\"#2b5c8a\"/></pattern></defs>\n", c->f);
	fprintf(c->f, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n<g font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\" font-size=\"11\" fill=\"#000000\">\n",
		WIDTH, height);
	fprintf(c->f, "<text x=\"%d\" y=\"20\" font-size=\"14\" font-weight=\"bold\">",
		MARGIN);
	put_markup(c->f, *title ? title : words);
	fprintf(c->f, "</text>\n<text x=\"%d\" y=\"40\" font-size=\"13\">",
		MARGIN);
	put_markup(c->f, *title ? words : "");
	fputs(*title ? ": " : "", c->f);
	put_markup(c->f, e->metric);
	fprintf(c->f, " %s -&gt; %s (%s) per operation</text>\n<text x=\"%d\" y=\"57\">",
		format_brief(e->figure[BASE], false, a),
		format_brief(e->figure[NEW], false, b),
		format_brief(explained_delta(e), true, d), MARGIN);
	put_markup(c->f, e->point->bench);
	fputc(' ', c->f);
	put_markup(c->f, params);
	fputs("</text>\n", c->f);
	free(params);
	put_rect(c, MARGIN, KEY, 26, 1);
	fprintf(c->f, "<text x=\"%d\" y=\"%d\">more on new</text>\n",
		MARGIN + 32, KEY + 12);
	put_rect(c, MARGIN + 130, KEY, 26, -1);
	fprintf(c->f, "<text x=\"%d\" y=\"%d\">less on new, hatched</text>\n",
		MARGIN + 162, KEY + 12);
	put_rect(c, MARGIN + 320, KEY, 26, 0);
	fprintf(c->f, "<text x=\"%d\" y=\"%d\">the same</text>\n",
		MARGIN + 352, KEY + 12);
	fprintf(c->f, "<text x=\"%d\" y=\"%d\">the darker, the larger a part of the frame; width: the larger side, frame by frame</text>\n",
		MARGIN + 440, KEY + 12);
}

void explain_svg(const struct explanation *e, const char *title, FILE *f)
{
	struct canvas c = { .e = e, .f = f };
	const struct flame *root = e->flame;
	char *trunk = find_trunk(&root);
	double all = root->width;
	int height;

	if (strlen(trunk) > FOOT_CHARS)
		memcpy(trunk + FOOT_CHARS - 2, "..", 3);
	c.scale = all > 0 ? (WIDTH - 2 * MARGIN) / all : 0;
	c.bottom = HEAD + depth_of(root, c.scale) * ROW;
	height = c.bottom + 40;
	put_head(&c, title ? title : "", height);
	put_frames(&c, root, MARGIN, 0);
	fprintf(f, "<text x=\"%d\" y=\"%d\">A frame stands on what called it; what no frame covers is its own. %zu frames too narrow to draw left out.</text>\n",
		MARGIN, c.bottom + 16, c.left_out);
	if (*trunk) {
		fprintf(f, "<text x=\"%d\" y=\"%d\">Called by: ",
			MARGIN, c.bottom + 32);
		put_markup(f, trunk);
		fputs("</text>\n", f);
	}
	free(trunk);
	fputs("</g>\n</svg>\n", f);
}
