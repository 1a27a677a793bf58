/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shared by all pictures of runs: which points are drawn, their values, and the
 * names of runs, points and axes.
 */
#ifndef PTELAB_PLOTTED_H
#define PTELAB_PLOTTED_H

#include "analysis/draw/chart.h"
#include "analysis/judge/compare.h"
#include "analysis/load/load.h"
#include "analysis/load/sample.h"

/* The input of all pictures of a call. */
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
 * Returns the points of the first run that have the metric in every run, with a
 * racer or without. The caller frees ->p.
 */
struct drawn_points points_with(const struct plot *plot, const char *metric,
				bool racing);
bool in_all_runs(const struct plot *plot, const struct side_point *p,
		 const char *metric);
/* Returns a point's value in a run; nr is 0 if it has none. */
struct sample value_in(const struct side *s, const struct side_point *p,
		       const char *metric);

/*
 * Returns "kernel instructions per operation, exact (icount)"; the caller
 * frees.
 */
char *axis_text(const struct side_point *p, const char *metric);
const char *release_of(const struct side *s);
/*
 * Returns "base: 6.12.117", with @build also the start of the build id. The
 * caller frees.
 */
char *run_title(const struct side *s, bool build);
/*
 * Returns a row's name: the benchmark, parameters that vary, and the metric,
 * which may be "". Without parameter names if it is longer than @keys, and
 * truncated to @most. The caller frees.
 */
char *row_name(const struct side_point *p, const json_t *constant,
	       const char *metric, size_t keys, size_t most);
/* The same in words if the run has them: "copy-on-write fault, 4k". */
char *row_words(const struct drawn_points *all, const struct side_point *p,
		const json_t *constant, const char *metric);
/*
 * Sets the titles of a picture. If make ab recorded a question, it is the
 * title, and @what begins the subtitle. Both texts are freed.
 */
void chart_titles(struct chart *c, const json_t *manifest, char *what,
		  char *subtitle);

/*
 * Returns a chart with a line for each run, titled "WHAT: kernels" or by the
 * question. The subtitle says what marks show, and what is the same for all
 * points. @file is freed.
 */
struct chart *plot_chart(const struct plot *plot, enum chart_kind kind,
			 char *file, const char *what, const char *constant,
			 const struct side_point *p);

/*
 * Draws a row for each point; only the most changed of each benchmark if there
 * are many.
 */
int draw_points(struct plot *plot, const char *metric);
/* Draws @metric against each parameter that is a number, for each family. */
int draw_sweeps(struct plot *plot, const char *metric);
/* Draws @metric against the rounds of a racing CPU. */
int draw_racer(struct plot *plot, const char *metric);

#endif
