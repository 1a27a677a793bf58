/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results that follow from several metrics of a point: counts that others
 * contradict, and rates. They are here so that the runner need not know metrics by
 * name.
 */
#ifndef PTELAB_DERIVE_H
#define PTELAB_DERIVE_H

#include <jansson.h>
#include <stdbool.h>

/*
 * Returns the metric of @totals (an object of counts) that another metric
 * contradicts, with the reason in *@why; NULL if there is none.
 */
const char *derive_contradicted(const json_t *totals, const char **why);

struct derived_rate {
	const char *metric;
	double rate, n, of;	/* @n of @of */
};

/* Computes a rate of two counters of a finished record; false if it has none. */
bool derive_rate(const json_t *record, struct derived_rate *d);

#endif
