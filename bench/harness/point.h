/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Points: the benchmarks and parameter values that a run measures.
 *
 * Each list of a selector (lib/selector.h) multiplies the points of every
 * benchmark that its glob matches. -p k=v,v does the same for all selectors, for
 * benchmarks with that parameter. k=each stands for all values of a parameter
 * whose values have names.
 */
#ifndef PTELAB_POINT_H
#define PTELAB_POINT_H

#include "bench/bench.h"

struct point {
	const struct bench *bench;
	struct param_value value[BENCH_MAX_PARAMS];
};

struct point_list {
	struct point *points;
	size_t nr;
};

/*
 * Expands the selectors in order, without duplicates, with harness.empty first. No
 * selectors: every benchmark with its defaults. Returns -EINVAL for unknown names,
 * values out of range, and parameters that no selected benchmark has; the fail()
 * text suggests a similar name or gives the range.
 */
int points_expand(const char *const *selectors, size_t nr_selectors,
		  const char *const *params, size_t nr_params,
		  struct point_list *list);
void points_free(struct point_list *list);
/* {"folio": "64k", "pages": 16}; a new reference. */
json_t *point_params_json(const struct point *p);
/* "gup.pin_fast folio=64k pages=16"; the caller frees. */
char *point_label(const struct point *p);
/* Describes the values of a parameter in one line; the caller frees. */
char *param_range_text(const struct bench_param *p);

#endif
