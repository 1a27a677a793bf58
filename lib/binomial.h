/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Intervals for a rate, given a number of successes, and for a median, without
 * assumptions about the distribution.
 */
#ifndef PTELAB_BINOMIAL_H
#define PTELAB_BINOMIAL_H

#include <stddef.h>
#include <stdint.h>

struct interval {
	double low, high;
};

/*
 * Returns the exact interval for the rate of which @k of @n were seen (Clopper
 * and Pearson 1934): the rates that neither of two one-sided tests at (1 -
 * @confidence) / 2 rejects. [0, 1] for n = 0. Needs k <= n.
 */
struct interval binomial_interval(uint64_t k, uint64_t n, double confidence);

/*
 * Returns the highest rate that is compatible with 0 of @n outcomes at
 * @confidence, one-sided: 1 - (1 - confidence)^(1/n); 1 for n = 0.
 */
double binomial_upper_of_none(uint64_t n, double confidence);

/*
 * Returns the number of outcomes, none of them a success, that excludes @rate
 * at @confidence, one-sided: the smallest n with (1 - rate)^n <= 1 -
 * confidence. 0 < rate < 1.
 */
double binomial_outcomes_needed(double rate, double confidence);

/*
 * Returns an interval between order statistics that contains the median of the
 * distribution of @v with at least @confidence (David and Nagaraja 2003, 7.1).
 * @v: @n values in any order; the function sorts it. Infinite on both sides if
 * @n is too small.
 */
struct interval median_interval(double *v, size_t n, double confidence);

#endif
