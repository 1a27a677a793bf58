/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A picture as its templates (*.gp) understand it: lines, in panels beside each
 * other or as marks in rows, with titles, axes and data. What the templates read
 * is written here and nowhere else.
 *
 * Rows, tics and other settings come before the data, which are written block by
 * block in the order that the template says.
 */
#ifndef PTELAB_CHART_H
#define PTELAB_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/draw/picture.h"
#include "analysis/draw/pivot.h"
#include "lib/util.h"

#define CHART_MAX_LINES		6	/* as many styles as common.gp has */
#define CHART_MAX_PANELS	8
/* Largest to smallest value, from where on an axis is logarithmic. */
#define CHART_LOG_ABOVE		20

enum chart_kind {
	CHART_PANELS, CHART_DUMBBELL, CHART_FOREST, CHART_SPREAD, CHART_TREND,
};

struct extent {
	double min, max;	/* NAN: of nothing yet */
};

struct chart_axis {
	double low, high;
	int log;	/* 1: few decades, tics at 1, 2, 5; 2: many */
};

struct chart {
	enum chart_kind kind;
	char *file;		/* its name, without folder and ending */
	/* Allocated; NULL where the template has none. */
	char *title, *subtitle, *xname, *yname, *legend;
	size_t subtitle_width;	/* characters; 0: any number in one line */
	struct names lines, panels;	/* their titles */
	struct chart_axis y[CHART_MAX_PANELS];	/* of each panel */
	struct extent x, value[CHART_MAX_PANELS];	/* of marks and tics */
	size_t panel;		/* that the marks are of */
	size_t rows, name_width, change_width;
	bool cloud;		/* of panels: marks, no lines and no bars */
	bool tics, data;
	char *x_axis;		/* settings */
	FILE *body;		/* further settings, then data */
	char *text;
	size_t len;
};

/* A new chart; the name of its file as by printf(). */
struct chart *chart_new(enum chart_kind kind, const char *fmt, ...)
	__printf(2, 3);
/* Named tics, on one axis only: 'x' or 'y'. */
void chart_tic(struct chart *c, char axis, const char *text, double at);
/* A row's name on the left and, may be NULL, its change on the right. */
void chart_row(struct chart *c, const char *name, const char *change);

/* A block may be empty only with a first line of so many columns; 0: without. */
void chart_block(struct chart *c, unsigned int columns);
/* A mark without a bar, as in a cloud. */
void chart_point(struct chart *c, double x, double y);
/* A mark with a bar. */
void chart_mark(struct chart *c, double x, double middle, double low,
		double high);
void chart_block_end(struct chart *c);
/*
 * The panels of CHART_PANELS, one a page: a block for each column, in which @put
 * draws the rows. Columns are the titles of lines, unless lines have been added.
 */
void chart_pivot(struct chart *c, const struct pivot *t, unsigned int columns,
		 void (*put)(struct chart *c, const struct side_point *p,
			     const void *arg), const void *arg);

/*
 * Logarithmic where values differ by more than @log_above, else from 0, so that
 * lengths and heights compare. Panels are all logarithmic or none.
 */
void chart_y(struct chart *c, double log_above);
void chart_x(struct chart *c, struct extent e, double log_above);
/* Doublings at even distances; nothing if not all are above 0. */
void chart_x_log2(struct chart *c, double low, double high);

void extend(struct extent *e, double v);
/* Cuts a text that would not fit. */
void shorten(char *text, size_t most);
/* 1, 2 or 5 times a power of ten: about four to a panel. */
double tic_step(double range);

/* Draws it and frees it; raises *drawn. Returns 0 or -errno, fail() text. */
int chart_draw(struct chart *c, const struct plot_options *o, size_t *drawn);

#endif
