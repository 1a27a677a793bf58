/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A compact form of long lists of batches. It keeps the middle of the sorted list
 * in full, so that the median, and every median that a bootstrap can draw, is exact.
 * Of all values it keeps mean, variance, quartiles and outliers, and a few thousand
 * values in the order of measurement, for drift and pictures. Ten million values
 * take no more memory than ten thousand.
 */
#ifndef PTELAB_BATCHES_H
#define PTELAB_BATCHES_H

#include <stddef.h>

/* Lists shorter than this stay JSON. */
#define BATCHES_MIN	1024
/* Values in the order of measurement that are kept, evenly spaced. */
#define BATCHES_SAMPLE	4096

struct batch_list {
	size_t nr;			/* number of values in the full list */
	double mean, variance;		/* variance: n - 1 */
	double min, max;
	double low_quartile, high_quartile;	/* order statistics */
	/* The values of ranks first .. first + nr_middle - 1, ascending. */
	double *middle;
	size_t first, nr_middle;
	double *sample;			/* every stride-th, in order */
	size_t nr_sample;
	/* Values more than three interquartile ranges beyond a quartile. */
	size_t outliers;
};

/* Takes @nr >= 1 finite values and reorders @v. Free with batches_free(). */
struct batch_list *batches_take(double *v, size_t nr);
void batches_free(struct batch_list *b);

/*
 * Moves the value of rank @k to v[k], lower values before it, higher ones
 * behind it.
 */
void select_rank(double *v, size_t nr, size_t k);

/*
 * Copies a JSON text of @len bytes to @out (room for @len + 1), with every
 * array of BATCHES_MIN numbers or more replaced by {"list":N}, where N counts
 * the calls of @take. Returns the new length. Invalid JSON is copied unchanged, so
 * that the parser reports the error.
 */
size_t batches_extract(const char *text, size_t len, char *out,
		       size_t (*take)(void *ctx, double *v, size_t nr),
		       void *ctx);

#endif
