// SPDX-License-Identifier: GPL-2.0
/*
 * lib/binomial.c. The intervals are checked against what defines them, a sum
 * of exact binomial terms, and against figures that can be had from a formula.
 */
#include "tests/unit/test.h"

#include <math.h>

#include "lib/binomial.h"
#include "lib/util.h"

static void near(double got, double want, double relative)
{
	if (fabs(got - want) > relative * fabs(want))
		fail_msg("got %.15g, want %.15g", got, want);
}

/* P(X <= k) of n tries at rate p, term by term. */
static double at_most(unsigned int k, unsigned int n, double p)
{
	double sum = 0;
	unsigned int i;

	for (i = 0; i <= k; i++)
		sum += exp(lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) +
			   i * log(p) + (n - i) * log1p(-p));
	return sum;
}

static void clopper_pearson(void **state)
{
	static const struct { unsigned int k, n; } cases[] = {
		{ 1, 10 }, { 5, 10 }, { 9, 10 }, { 1, 1000 }, { 27, 1000 },
		{ 500, 1000 },
	};
	struct interval i;
	size_t c;

	(void)state;
	for (c = 0; c < ARRAY_SIZE(cases); c++) {
		unsigned int k = cases[c].k, n = cases[c].n;

		i = binomial_interval(k, n, .95);
		assert_true(i.low < (double)k / n && i.high > (double)k / n);
		/* k or more at the lower end, k or fewer at the upper: 2.5 % */
		near(1 - at_most(k - 1, n, i.low), .025, 1e-9);
		near(at_most(k, n, i.high), .025, 1e-9);
	}
	/* none, and all: closed forms */
	i = binomial_interval(0, 10, .95);
	near(i.low, 0, 0);
	near(i.high, 1 - pow(.025, .1), 1e-12);
	i = binomial_interval(10, 10, .95);
	near(i.low, pow(.025, .1), 1e-12);
	near(i.high, 1, 0);
	i = binomial_interval(0, 0, .95);
	near(i.high, 1, 0);
	near(i.low, 0, 0);
	/* the usual textbook case */
	i = binomial_interval(4, 20, .95);
	near(i.low, .0573340, 1e-5);
	near(i.high, .4366140, 1e-5);
	/* many outcomes: no loss of digits */
	i = binomial_interval(27790, 1000000, .95);
	near(i.low, .0274685, 1e-4);
	near(i.high, .0281140, 1e-4);
	i = binomial_interval(500000000, 1000000000, .95);
	near(i.low, .5 - 1.959964 * .5 / sqrt(1e9), 1e-6);
	near(i.high, .5 + 1.959964 * .5 / sqrt(1e9), 1e-6);
	i = binomial_interval(1, 10000000000ull, .95);
	near(i.low, -log(.975) * 1e-10, 1e-6);
}

static void ruled_out(void **state)
{
	double n;

	(void)state;
	near(binomial_upper_of_none(0, .95), 1, 0);
	near(binomial_upper_of_none(1, .95), .95, 1e-12);
	near(binomial_upper_of_none(1000000, .95), 2.9957e-6, 1e-4);
	near(binomial_upper_of_none(1000000000000ull, .95), 2.995732e-12, 1e-6);
	near(binomial_outcomes_needed(.5, .95), 5, 0);
	near(binomial_outcomes_needed(1e-6, .95), 2995731, 1e-9);
	n = binomial_outcomes_needed(1e-3, .99);
	assert_true(pow(1 - 1e-3, n) <= .01);
	assert_true(pow(1 - 1e-3, n - 1) > .01);
	/* the two are each other's inverse */
	near(binomial_outcomes_needed(binomial_upper_of_none(12345, .95) *
				      (1 + 1e-9), .95), 12345, 1e-9);
}

static void of_median(void **state)
{
	double v[30], few[] = { 5, 1, 3, 2, 4 }, six[] = { 6, 5, 4, 3, 2, 1 };
	struct interval i;
	int n;

	(void)state;
	/* below six, all values leave more than 5 %: 2 * 2^-5 */
	i = median_interval(few, 5, .95);
	assert_true(isinf(i.low) && isinf(i.high));
	i = median_interval(six, 6, .95);
	near(i.low, 1, 0);
	near(i.high, 6, 0);
	for (n = 0; n < 30; n++)
		v[n] = 30 - n;
	/* the sign test's table: 9 at most of 30 at 5 % two-sided */
	i = median_interval(v, 30, .95);
	near(i.low, 10, 0);
	near(i.high, 21, 0);
	near(v[0], 1, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(clopper_pearson),
		cmocka_unit_test(ruled_out),
		cmocka_unit_test(of_median),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
