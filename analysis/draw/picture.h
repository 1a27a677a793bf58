/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A picture under way: a gnuplot script that holds its own data, and what it
 * takes to run it.
 */
#ifndef PTELAB_PICTURE_H
#define PTELAB_PICTURE_H

#include <stdbool.h>
#include <stdio.h>

#include "analysis/load/select.h"

struct plot_options {
	const char *dir;	/* made if need be; unused for the terminal */
	const char **formats;	/* of plot_formats */
	size_t nr_formats;
	/* Metrics to draw; none: the one that says best what a point costs. */
	struct selection select;
	bool keep;		/* leave the gnuplot scripts, data included */
	bool quiet;		/* do not print the names of files */
};

struct picture {
	char *name;		/* without folder and ending */
	const char *template;	/* text of a .gp file */
	FILE *script;		/* settings and data, in front of it */
	char *text;
	size_t len;
};

/* Starts a picture of so many points; @name may hold anything. */
struct picture *picture_begin(const char *name, const char *template,
			      int width, int height);
/* The line "NAME = 'text'", cleaned. */
void picture_text(struct picture *p, const char *name, const char *text);
/* The text under the title, in up to three lines of @most characters; what does
 * not fit even so is cut. */
void picture_subtitle(struct picture *p, const char *text, size_t most);
/* The text as picture_text() quotes it. The caller frees. */
char *picture_quote(const char *text);
/* Draws it in each format and frees it. Returns 0 or -errno, fail() text. */
int picture_end(struct picture *p, const struct plot_options *options);

/* 0, or -ENOENT with fail() text that says what to install. */
int gnuplot_available(void);

#endif
