/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What pictures of runs have in common: which points are drawn, their values,
 * and how runs, points and axes are called.
 */
#ifndef PTELAB_PLOTTED_H
#define PTELAB_PLOTTED_H

#include "analysis/draw/chart.h"
#include "analysis/judge/compare.h"
#include "analysis/load/load.h"
#include "analysis/load/sample.h"

/* What all pictures of a call are made from. */
struct plot {
	struct side *const *sides;
	size_t nr;
	struct comparison *const *c;	/* of each side but the first */
	const struct plot_options *options;
	size_t drawn;
	json_t *manifest;	/* of make ab; NULL */
};

struct drawn_points {
	const struct side_point **p;
	size_t nr;
};

/*
 * Points of the first run that have the metric in every run, with a racer or
 * without. Free p.
 */
struct drawn_points points_with(const struct plot *plot, const char *metric,
				bool racing);
bool in_all_runs(const struct plot *plot, const struct side_point *p,
		 const char *metric);
/* A point's value in a run; nr is 0 if it has none there. */
struct sample value_in(const struct side *s, const struct side_point *p,
		       const char *metric);

/* "kernel instructions per operation, exact (icount)"; the caller frees. */
char *axis_text(const struct side_point *p, const char *metric);
const char *release_of(const struct side *s);
/* "base: 6.12.117", with the start of the build id if asked for. */
char *run_title(const struct side *s, bool build);
/*
 * A row's name: the benchmark, parameters that vary, and the metric, which may
 * be "". Above @keys characters without the names of parameters, and never more
 * than @most. The caller frees.
 */
char *row_name(const struct side_point *p, const json_t *constant,
	       const char *metric, size_t keys, size_t most);
/* The same in words, where the run has them: "copy-on-write fault, 4k". */
char *row_words(const struct drawn_points *all, const struct side_point *p,
		const json_t *constant, const char *metric);
/*
 * The title of a picture: what was asked, if make ab says it. @what is what is
 * drawn, and comes first in the subtitle then. Both are taken over.
 */
void chart_titles(struct chart *c, const json_t *manifest, char *what,
		  char *subtitle);

/*
 * A chart with a line for each run, titled "WHAT: kernels" or what was asked, and
 * under it what marks are of, and what is the same for all points. @file is freed.
 */
struct chart *plot_chart(const struct plot *plot, enum chart_kind kind,
			 char *file, const char *what, const char *constant,
			 const struct side_point *p);

/* Every point in a row: the most changed of each benchmark if they are many. */
int draw_points(struct plot *plot, const char *metric);
/* For each family and parameter that is a number, @metric against it. */
int draw_sweeps(struct plot *plot, const char *metric);
/* @metric against the rounds of a racing CPU. */
int draw_racer(struct plot *plot, const char *metric);

#endif
