/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Builds a picture for the templates (*.gp): lines, in panels beside each other
 * or as marks in rows, with titles, axes and data. Only this file writes the
 * variables that templates read.
 *
 * Rows, tics and other settings come before the data. Data follow block by
 * block in the order that the template expects.
 */
#ifndef PTELAB_CHART_H
#define PTELAB_CHART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/draw/picture.h"
#include "analysis/draw/pivot.h"
#include "lib/util.h"

#define CHART_MAX_LINES		6	/* common.gp has as many styles */
#define CHART_MAX_PANELS	8
/* Ratio of largest to smallest value above which an axis is logarithmic. */
#define CHART_LOG_ABOVE		20

enum chart_kind {
	CHART_PANELS, CHART_DUMBBELL, CHART_FOREST, CHART_SPREAD, CHART_TREND,
};

struct extent {
	double min, max;	/* NAN: no value yet */
};

struct chart_axis {
	double low, high;
	int log;	/* 1: few decades, tics at 1, 2, 5; 2: many */
};

struct chart {
	enum chart_kind kind;
	char *file;		/* name without folder and suffix */
	/* Allocated; NULL if the template has none. */
	char *title, *subtitle, *xname, *yname, *legend;
	size_t subtitle_width;	/* characters; 0: any number in one line */
	struct names lines, panels;	/* their titles */
	struct chart_axis y[CHART_MAX_PANELS];	/* of each panel */
	struct extent x, value[CHART_MAX_PANELS];	/* of marks and tics */
	size_t panel;		/* panel of the next marks */
	size_t rows, name_width, change_width;
	bool cloud;		/* panels have marks, no lines and no bars */
	bool tics, data;
	char *x_axis;		/* settings */
	FILE *body;		/* further settings, then data */
	char *text;
	size_t len;
};

/*
 * Returns a new chart. @fmt gives the name of its file. chart_draw() frees it.
 */
struct chart *chart_new(enum chart_kind kind, const char *fmt, ...)
	__printf(2, 3);
/* Adds a named tic. @axis: 'x' or 'y', the same for all tics of a chart. */
void chart_tic(struct chart *c, char axis, const char *text, double at);
/*
 * Adds a row, with its name on the left, and its change on the right unless
 * NULL.
 */
void chart_row(struct chart *c, const char *name, const char *change);

/*
 * Starts a block of data. A block that may be empty needs a first line of
 * @columns columns; 0: none.
 */
void chart_block(struct chart *c, unsigned int columns);
/* Adds a mark without a bar, as in a cloud. */
void chart_point(struct chart *c, double x, double y);
/* Adds a mark with a bar. */
void chart_mark(struct chart *c, double x, double middle, double low,
		double high);
void chart_block_end(struct chart *c);
/*
 * Draws the panels of CHART_PANELS, one for each page: a block for each column,
 * in which @put draws the rows. The columns become the titles of lines, unless
 * lines have been added.
 */
void chart_pivot(struct chart *c, const struct pivot *t, unsigned int columns,
		 void (*put)(struct chart *c, const struct side_point *p,
			     const void *arg), const void *arg);

/*
 * Set the axes: logarithmic if values differ by more than @log_above, else from
 * 0, so that lengths and heights can be compared. Either all panels are
 * logarithmic or none.
 */
void chart_y(struct chart *c, double log_above);
void chart_x(struct chart *c, struct extent e, double log_above);
/*
 * Makes the x axis logarithmic to base 2. Does nothing if @low is not above 0.
 */
void chart_x_log2(struct chart *c, double low, double high);

void extend(struct extent *e, double v);
/* Truncates a text to @most characters. */
void shorten(char *text, size_t most);
/*
 * Returns 1, 2 or 5 times a power of ten, which makes about four tics per
 * panel.
 */
double tic_step(double range);

/*
 * Draws and frees the chart, and increments *@drawn. Returns 0, or -errno with
 * fail() text.
 */
int chart_draw(struct chart *c, const struct plot_options *o, size_t *drawn);

#endif
