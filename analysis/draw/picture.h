/* SPDX-License-Identifier: GPL-2.0 */
/* Runs gnuplot on a script that contains its data. */
#ifndef PTELAB_PICTURE_H
#define PTELAB_PICTURE_H

#include <stdbool.h>

#include "analysis/load/select.h"

struct plot_options {
	const char *dir;	/* created if needed; unused for the terminal */
	const char **formats;	/* of plot_formats */
	size_t nr_formats;
	/* Metrics to draw; none: the best cost metric. */
	struct selection select;
	bool keep;		/* keep the gnuplot scripts, with their data */
	bool quiet;		/* do not print the names of files */
};

/*
 * Returns the text, cleaned and quoted, for a script. @tic: for the label of a
 * tic. Don't put it into text that a script evaluates. The caller frees.
 */
char *picture_quote(const char *text, bool tic);
/*
 * Draws a picture of this size in each format. @name may contain any
 * characters; @template is the text of a .gp file, and @body the settings and
 * data in front of it. Returns 0, or -errno with fail() text.
 */
int picture_draw(const char *name, const char *template, int width, int height,
		 const char *body, const struct plot_options *options);

/* Returns 0, or -ENOENT with fail() text that says what to install. */
int gnuplot_available(void);

#endif
