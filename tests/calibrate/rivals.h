/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How other tools decide that two samples differ, from their published
 * definitions. Each gives a p-value or the like, so that they can also be
 * compared at levels other than their own; a difference is p < RIVAL_ALPHA.
 */
#ifndef PTELAB_RIVALS_H
#define PTELAB_RIVALS_H

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "lib/stat.h"

#define RIVAL_ALPHA	.05

/*
 * ministat(1): Student's t with a pooled standard deviation and n1 + n2 - 2
 * degrees of freedom. @error gets what it prints behind +/- at @confidence.
 */
static inline double rival_student(const double *x, size_t m, const double *y,
				   size_t n, double confidence, double *error)
{
	double df = m + n - 2, s, t;

	s = sqrt(((m - 1) * stat_variance(x, m) +
		  (n - 1) * stat_variance(y, n)) / df * (1. / m + 1. / n));
	if (error)
		*error = gsl_cdf_tdist_Pinv((1 + confidence) / 2, df) * s;
	t = fabs(stat_mean(x, m) - stat_mean(y, n)) / s;
	return isfinite(t) ? 2 * gsl_cdf_tdist_Q(t, df) : 1;
}

/* hyperfine's scripts/welch_ttest.py: Welch's t test of all runs. */
static inline double rival_welch(const double *x, size_t m, const double *y,
				 size_t n)
{
	return stat_welch(x, m, y, n).p;
}

static inline double half_interval(const double *x, size_t n, double alpha)
{
	return gsl_cdf_tdist_Qinv(alpha / 2, n - 1) *
	       sqrt(stat_variance(x, n) / n);
}

/*
 * fastpath: the t intervals of both means do not overlap. The level at which
 * they would just touch stands for a p-value.
 */
static inline double rival_overlap(const double *x, size_t m, const double *y,
				   size_t n)
{
	double apart = fabs(stat_mean(x, m) - stat_mean(y, n));
	double low = 1e-12, high = 1;
	int i;

	for (i = 0; i < 50; i++) {
		double mid = sqrt(low * high);

		if (half_interval(x, m, mid) + half_interval(y, n, mid) <
		    apart)
			high = mid;
		else
			low = mid;
	}
	return high;
}

/*
 * lkp: the ranges of the two sides do not overlap. Apart from that it has no
 * level; 0 for apart, 1 for not.
 */
static inline double rival_ranges(const double *x, size_t m, const double *y,
				  size_t n)
{
	double min[2] = { INFINITY, INFINITY };
	double max[2] = { -INFINITY, -INFINITY };
	size_t i;

	for (i = 0; i < m; i++) {
		min[0] = fmin(min[0], x[i]);
		max[0] = fmax(max[0], x[i]);
	}
	for (i = 0; i < n; i++) {
		min[1] = fmin(min[1], y[i]);
		max[1] = fmax(max[1], y[i]);
	}
	return max[0] < min[1] || max[1] < min[0] ? 0 : 1;
}

#endif
