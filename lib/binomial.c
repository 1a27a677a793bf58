// SPDX-License-Identifier: GPL-2.0
/* See binomial.h. */
#include "lib/binomial.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

/*
 * Returns the point at which the beta distribution reaches @tail, from below or
 * from above (@upper). Bisects the logarithm of the rate, because GSL's inverse
 * fails for the parameters of millions of outcomes.
 */
static double beta_inverse(double tail, double a, double b, bool upper)
{
	double low = log(1e-300), high = 0;
	int i;

	for (i = 0; i < 200; i++) {
		double mid = (low + high) / 2, x = exp(mid);
		bool beyond = upper ? gsl_cdf_beta_Q(x, a, b) < tail :
				      gsl_cdf_beta_P(x, a, b) > tail;

		if (beyond)
			high = mid;
		else
			low = mid;
	}
	return exp((low + high) / 2);
}

struct interval binomial_interval(uint64_t k, uint64_t n, double confidence)
{
	double tail = (1 - confidence) / 2;

	return (struct interval){
		k ? beta_inverse(tail, k, n - k + 1., false) : 0,
		k < n ? beta_inverse(tail, k + 1., n - k, true) : 1,
	};
}

double binomial_upper_of_none(uint64_t n, double confidence)
{
	/* 1 - x^(1/n) by expm1(), since the power is too close to 1 to subtract */
	return n ? -expm1(log(1 - confidence) / n) : 1;
}

double binomial_outcomes_needed(double rate, double confidence)
{
	return ceil(log(1 - confidence) / log1p(-rate));
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

struct interval median_interval(double *v, size_t n, double confidence)
{
	size_t below = 0;

	qsort(v, n, sizeof(*v), cmp_double);
	/* number of values that may be cut off at each end */
	while (below < n / 2 &&
	       gsl_cdf_binomial_P(below, .5, n) <= (1 - confidence) / 2)
		below++;
	if (!below)
		return (struct interval){ -INFINITY, INFINITY };
	return (struct interval){ v[below - 1], v[n - below] };
}
