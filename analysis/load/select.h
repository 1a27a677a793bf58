/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Selects points and metrics of a run, by the arguments of -b GLOB[:k=v,v...] and
 * --metric GLOB. Parameters are text.
 */
#ifndef PTELAB_SELECT_H
#define PTELAB_SELECT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/selector.h"

struct selection {
	const char **benches;	/* texts; none: every benchmark */
	struct selector *parsed;
	size_t nr_benches;
	const char **metrics;	/* none: every metric */
	size_t nr_metrics;
};

/*
 * Adds a selector; the text is borrowed. Returns 0, or -EINVAL with fail()
 * text.
 */
int select_bench(struct selection *s, const char *text);
/* Adds a glob of metrics; the text is borrowed. */
void select_metric(struct selection *s, const char *text);
void selection_free(struct selection *s);

/* Return whether a point or a metric is selected. NULL selects everything. */
bool selected_point(const struct selection *s, const char *bench,
		    const json_t *params);
bool selected_metric(const struct selection *s, const char *metric);

/* Returns "folio=64k pages=16", in the order of the file. The caller frees. */
char *params_text(const json_t *params, const char *between);
/*
 * Returns the identity of a point: mode, benchmark, and parameters sorted by name, so
 * that their order in the file does not matter. The caller frees.
 */
char *point_key(const char *mode, const char *bench, const json_t *params);

#endif
