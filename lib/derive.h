/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What follows from several metrics of one point: counts that others contradict,
 * and rates. Here, so that who measures knows no metric by name.
 */
#ifndef PTELAB_DERIVE_H
#define PTELAB_DERIVE_H

#include <jansson.h>
#include <stdbool.h>

/*
 * The metric of @totals, an object of counts, that another one contradicts, with
 * the reason in *@why; NULL if there is none.
 */
const char *derive_contradicted(const json_t *totals, const char **why);

struct derived_rate {
	const char *metric;
	double rate, n, of;	/* @n of @of */
};

/* A rate between two counters of a finished record; false if it has none. */
bool derive_rate(const json_t *record, struct derived_rate *d);

#endif
