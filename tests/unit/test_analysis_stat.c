// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors for lib/stat.c. They come from published papers and from R; a
 * comment names what made them where it is not in the facts of the project.
 *
 * One file though it is long: vectors, a test for each function of lib/stat.c.
 */
#include "tests/unit/analysis_test.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <string.h>

#include "lib/stat.h"

/* R: sleep, group 1 and 2. */
static const double sleep1[] = { .7, -1.6, -.2, -1.2, -.1, 3.4, 3.7, .8, 0, 2 };
static const double sleep2[] = { 1.9, .8, 1.1, .1, -.1, 4.4, 5.5, 1.6, 4.6,
				 3.4 };

TEST(moments)
{
	static const double v[] = { 3, 1, 2, 10 };
	static const double sorted[] = { 1, 2, 3, 10 };

	near(stat_mean(N(v)), 4, 0);
	near(stat_median(N(v)), 2.5, 0);
	near(stat_median(v, 3), 2, 0);
	near(stat_variance(N(v)), 50. / 3, 1e-12);
	near(stat_quantile(N(sorted), .25), 1.75, 1e-12);
	near(stat_quantile(N(sorted), 1), 10, 0);
	near(stat_quantile(N(sorted), 0), 1, 0);
	assert_true(isnan(stat_median(v, 0)));
	assert_true(isnan(stat_mean(v, 0)));
	assert_true(isnan(stat_variance(v, 1)));
}

TEST(mann_whitney_exact)
{
	static const double a[] = { 19, 22, 16, 29, 24 };
	static const double b[] = { 20, 11, 17, 12 };
	static const double c[] = { 2, 1, 3, 5 };
	static const double d[] = { 12, 11, 13, 15 };
	static const double e[] = { 0, 4, 6, 7 };
	struct stat_rank r = stat_mann_whitney(N(a), N(b));

	near(r.u, 17, 0);
	near(r.p, 1 / 9., 1e-12);
	assert_true(r.exact);
	r = stat_mann_whitney(N(b), N(a));
	near(r.u, 3, 0);
	near(r.p, 1 / 9., 1e-12);
	r = stat_mann_whitney(N(c), N(d));
	near(r.u, 0, 0);
	near(r.p, .0285714285714, 1e-9);
	r = stat_mann_whitney(N(c), N(e));
	near(r.u, 5, 0);
	near(r.p, .485714285714, 1e-9);
}

/* The exact null summed by hand over all C(m+n,m) orders, against ours. */
TEST(mann_whitney_enumerated)
{
	enum { M = 4, T = 9 };
	unsigned int set, i, j;

	for (set = 0; set < 1U << T; set++) {
		double x[M], y[T - M], want = 0, all = 0;
		unsigned int nx = 0, ny = 0, other;
		struct stat_rank r;

		if (__builtin_popcount(set) != M || set % 7)
			continue;
		for (i = 0; i < T; i++) {
			if (set >> i & 1)
				x[nx++] = i;
			else
				y[ny++] = i;
		}
		r = stat_mann_whitney(x, nx, y, ny);
		for (other = 0; other < 1U << T; other++) {
			double u = 0, mid = nx * ny / 2.;

			if (__builtin_popcount(other) != M)
				continue;
			for (i = 0; i < T; i++)
				for (j = 0; j < i; j++)
					u += (other >> i & 1) &&
					     !(other >> j & 1);
			all++;
			want += fabs(u - mid) >= fabs(r.u - mid);
		}
		near(r.p, want / all, 1e-12);
	}
}

TEST(mann_whitney_ties)
{
	static const double same[] = { 5, 5, 5, 5 };
	struct stat_rank r = stat_mann_whitney(N(sleep1), N(sleep2));

	near(r.u, 25.5, 0);
	near(r.p, .06932758, 1e-6);
	assert_false(r.exact);
	r = stat_mann_whitney(N(same), N(same));
	near(r.p, 1, 0);
}

/* Without ties but too many for the exact null: the normal approximation. */
TEST(mann_whitney_large)
{
	double x[60], y[60];
	struct stat_rank r;
	size_t i;

	for (i = 0; i < 60; i++) {
		x[i] = i;
		y[i] = i + 10.5;
	}
	r = stat_mann_whitney(x, 60, y, 60);
	assert_false(r.exact);
	near(r.u, 1225, 0);
	near(r.p, erfc((575 - .5) / sqrt(3600. / 12 * 121) / sqrt(2)), 1e-9);
}

TEST(rank_floor)
{
	near(stat_rank_floor(3, 3), .1, 1e-9);
	near(stat_rank_floor(4, 4), .0285714, 1e-5);
	near(stat_rank_floor(5, 5), .00793651, 1e-6);
	near(stat_rank_floor(6, 6), .0021645, 1e-5);
	near(stat_rank_floor(1, 1), 1, 0);
}

TEST(hodges_lehmann)
{
	static const double a[] = { 19, 22, 16, 29, 24 };
	static const double b[] = { 20, 11, 17, 12 };
	static const double x[] = { .80, .83, 1.89, 1.04, 1.45, 1.38, 1.91,
				    1.64, .73, 1.46 };
	static const double y[] = { 1.15, .88, .90, .74, 1.21 };
	static const double one[] = { 3 }, two[] = { 5 };
	struct stat_interval r = stat_hodges_lehmann(N(a), N(b), .95);

	near(r.estimate, 7, 0);
	near(r.low, -1, 0);
	near(r.high, 17, 0);
	r = stat_hodges_lehmann(N(y), N(x), .95);
	near(r.estimate, -.305, 1e-9);
	near(r.low, -.76, 1e-9);
	near(r.high, .15, 1e-9);
	near(stat_mann_whitney(N(y), N(x)).p, .2544123, 1e-6);
	r = stat_hodges_lehmann(N(one), N(two), .95);
	near(r.estimate, -2, 0);
	near(r.low, -2, 0);
	near(r.high, -2, 0);
}

TEST(welch)
{
	static const double a[] = { 5, 5, 5 }, b[] = { 6, 6 };
	struct stat_welch w = stat_welch(N(sleep1), N(sleep2));

	near(w.t, -1.8608, 1e-4);
	near(w.df, 17.776, 1e-4);
	near(w.p, .0793941, 1e-5);
	near(stat_welch(N(a), N(b)).p, 0, 0);
	near(stat_welch(N(a), N(a)).p, 1, 0);
}

TEST(tost)
{
	static const double a[] = { 5, 5, 5 }, b[] = { 6, 6 };
	const double at100[] = { log(100), log(100) };
	const double at101[] = { log(101), log(101) };
	struct stat_tost r = stat_tost(N(sleep1), N(sleep2), 4);

	near(r.low, .0053616, 1e-4);
	near(r.high, 1.9004e-6, 1e-4);
	near(r.p, .0053616, 1e-4);
	/* the same as the 90 % interval inside the margin */
	near(stat_tost(N(a), N(b), 2).p, 0, 0);
	near(stat_tost(N(a), N(b), .5).p, 1, 0);
	near(stat_tost(N(a), N(b), 1).p, 1, 0);
	/* 100 against 101 is at a margin of 1 %, and not within it */
	near(stat_tost(N(at101), N(at100), log1p(.01)).p, 1, 0);
}

TEST(max_t)
{
	/* complete separation, 4 against 4: 2 of 70 relabellings, in any table */
	static const double table[][8] = {
		{ 1, 2, 3, 4, 11, 12, 13, 14 },
		{ 1, 5, 2, 6, 3, 4, 2.5, 5.5 },
		{ 3, 3, 3, 3, 3, 3, 3, 3 },
		{ 1, 2, 3, 4, 11, 12, 13, 14 },
	};
	/* 2 against 2: |t| of the six relabellings of 0 1 5 6 is 50 ^.5 for
	 * {0 1}, 0 for {0 6} and {1 5}, and .2 ^ .5 / ... for {0 5}: two of
	 * each, so a row labelled {0 5} has 4 of 6. */
	static const double two[] = { 0, 5, 1, 6 };
	static const double gaps[][9] = {
		{ 1, 2, NAN, 3, 4, 11, 12, 13, 14 },
		{ NAN, NAN, NAN, NAN, 7, 1, 2, 3, 4 },
	};
	double p[4], q[4], v[2][24];
	size_t i;

	stat_max_t(table[0], NULL, 4, 4, 4, 1000, 1, p);
	near(p[0], 2. / 70, 1e-12);
	near(p[3], 2. / 70, 1e-12);
	assert_true(p[1] > .5 && p[1] <= 1);
	near(p[2], 1, 0);
	/* by lot, 2 of 70 is .029 +- .001; the labels as they are count too */
	stat_max_t(table[0], NULL, 4, 4, 4, 69, 1, p);
	assert_true(p[0] >= 1. / 69 && p[0] < .12);
	stat_max_t(table[0], NULL, 1, 4, 4, 70, 1, p);
	near(p[0], 2. / 70, 1e-12);
	stat_max_t(two, NULL, 1, 2, 2, 100, 1, p);
	near(p[0], 4. / 6, 1e-12);
	/* a boot without the row; a row that one side has once */
	stat_max_t(gaps[0], NULL, 2, 5, 4, 1000, 1, p);
	assert_true(p[0] < .05);
	assert_true(isnan(p[1]));
	/* one row: never surer than in a table of two; the same seed, the same p */
	for (i = 0; i < 24; i++) {
		v[0][i] = i * 7 % 24 + (i >= 12 ? 8 : 0);
		v[1][i] = i * 11 % 24;
	}
	stat_max_t(v[0], NULL, 1, 12, 12, 5000, 3, p);
	stat_max_t(v[0], NULL, 2, 12, 12, 5000, 3, q);
	assert_true(p[0] < q[0] && q[0] < 2 * p[0] + .01);
	stat_max_t(v[0], NULL, 2, 12, 12, 5000, 3, p);
	near(p[0], q[0], 0);
	near(p[1], q[1], 0);
	stat_max_t(NULL, NULL, 0, 4, 4, 100, 1, p);
}

/*
 * With a line, t is that of the side in a least-squares fit of v to line and side:
 * 1.5652 here, which 36 of the 252 relabellings of 10 boots in the order ABBA reach.
 */
TEST(max_t_with_a_line)
{
	static const double v[] = { 1.0, 4.1, 5.2, 8.3, 8.9, 2.3, 3.4, 6.2, 7.1, 10.2 };
	static const double at[] = { 0, 3, 4, 7, 8, 1, 2, 5, 6, 9 };
	static const double none[] = { NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
	double with, without, same;

	stat_max_t(v, at, 1, 5, 5, 1000, 1, &with);
	stat_max_t(v, NULL, 1, 5, 5, 1000, 1, &without);
	stat_max_t(v, none, 1, 5, 5, 1000, 1, &same);
	near(with, 36. / 252, 1e-12);
	near(same, without, 0);
	assert_true(without > .5);
}

TEST(boots_in_table)
{
	/* power.t.test(delta = 1, sd = 1, power = .8) in R: 16.7 */
	near(stat_boots_in_table(.01, .01, .05, .8, 1), 17, 1);
	/* among 30 rows ranks take 7 a side, so the t test plans for fewer */
	near(stat_rank_least(30, .05), 7, 0);
	near(stat_rank_least(1, .05), 4, 0);
	near(stat_boots_in_table(.001, .05, .05, .8, 30), 4, 0);
	assert_true(stat_boots_in_table(.01, .02, .05, .8, 30) >= 7);
	near(stat_boots_in_table(0, .01, .05, .8, 30), 4, 0);
	near(stat_boots_in_table(.01, 0, .05, .8, 30), 0, 0);
	near(stat_boots_in_table(1, 1e-9, .05, .8, 1), 0, 0);
}

TEST(holm)
{
	static const double p[] = { .01, .04, .03, .005 };
	static const double gaps[] = { NAN, .02, NAN, .9 };
	double a[4];

	stat_holm(N(p), a);
	near(a[0], .03, 1e-12);
	near(a[1], .06, 1e-12);
	near(a[2], .06, 1e-12);
	near(a[3], .02, 1e-12);
	stat_holm(N(gaps), a);
	assert_true(isnan(a[0]));
	near(a[1], .04, 1e-12);
	assert_true(isnan(a[2]));
	near(a[3], .9, 1e-12);
	stat_holm(p, 0, a);
}

TEST(bootstrap_percentile)
{
	static const double v[] = { 10, 12, 12.5, 12.5, 13.9, 15, 21, 22, 23,
				    34, 50, 81, 89, 121, 134, 213 };
	static const double one = 1;
	struct stat_bootstrap opt = { stat_mean, 1000000, 1, .95, false };
	struct stat_interval ci, again;

	ci = stat_ratio_ci(N(v), &one, 1, &opt);
	near(ci.estimate, stat_mean(N(v)), 1e-12);
	near(ci.low, 28.86, .005);
	near(ci.high, 84.21, .005);

	opt.resamples = 5000;
	ci = stat_ratio_ci(N(v), &one, 1, &opt);
	again = stat_ratio_ci(N(v), &one, 1, &opt);
	near(again.low, ci.low, 0);
	near(again.high, ci.high, 0);
	opt.seed = 2;
	again = stat_ratio_ci(N(v), &one, 1, &opt);
	assert_true(again.low != ci.low);
	/* one boot a side can't be widened, 16 against 16 can */
	opt.expanded = true;
	again = stat_ratio_ci(N(v), N(v), &opt);
	opt.expanded = false;
	ci = stat_ratio_ci(N(v), N(v), &opt);
	assert_true(again.low < ci.low && again.high > ci.high);
}

/* The percentile's numbers, bias-corrected and accelerated. */
TEST(bootstrap_bca)
{
	static const double v[] = { 10, 12, 12.5, 12.5, 13.9, 15, 21, 22, 23,
				    34, 50, 81, 89, 121, 134, 213 };
	static const double same[] = { 7, 7, 7 };
	struct stat_bootstrap opt = { stat_mean, 1000000, 1, .95, false };
	struct stat_interval ci = stat_bca(N(v), &opt);

	near(ci.low, 32.31, .005);
	near(ci.high, 91.43, .005);
	opt.resamples = 1000;
	ci = stat_bca(N(same), &opt);
	near(ci.low, 7, 0);
	near(ci.high, 7, 0);
}

TEST(bootstrap_zero)
{
	static const double zero[] = { 0, 0 }, v[] = { 1, 2 };
	struct stat_bootstrap opt = { stat_median, 100, 1, .95, true };
	struct stat_interval ci = stat_ratio_ci(N(v), N(zero), &opt);

	assert_true(isnan(ci.low) && isnan(ci.high));
}

TEST(nested)
{
	static const double a[] = { 1, 2, 9 }, b[] = { 4, 6 }, c[] = { 100 };
	struct stat_group g[] = { { .v = a, .nr = 3 }, { .v = b, .nr = 2 }, { .v = c, .nr = 1 } };
	struct stat_boot boots[] = { { g, 2 }, { g + 2, 1 } };

	/* medians 2 and 5 in the first boot: 3.5; then with 100 */
	near(stat_nested(boots, 2, stat_median), 51.75, 1e-12);
	near(stat_nested(boots, 1, stat_median), 3.5, 1e-12);
}

/*
 * How often the interval that compare prints covers the true ratio 1, with
 * boots that differ by 1 %. A 95 % interval that covers less than 93 % of the
 * time would claim too much, and one that covers nearly always is too wide.
 */
static double coverage(size_t boots, double batch_sd, size_t rounds)
{
	enum { BATCHES = 5, MAX = 10 };
	struct stat_bootstrap opt = { stat_median, 1000, 7, .95, true };
	double v[2][MAX], batch[BATCHES];
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t round, covered = 0, side, i, j;

	for (round = 0; round < rounds; round++) {
		struct stat_interval ci;

		for (side = 0; side < 2; side++)
			for (i = 0; i < boots; i++) {
				double boot = gsl_ran_gaussian(rng, .01);

				for (j = 0; j < BATCHES; j++)
					batch[j] = exp(boot +
						gsl_ran_gaussian(rng, batch_sd));
				v[side][i] = stat_median(N(batch));
			}
		ci = stat_ratio_ci(v[0], boots, v[1], boots, &opt);
		covered += ci.low <= 1 && 1 <= ci.high;
	}
	gsl_rng_free(rng);
	return (double)covered / rounds;
}

TEST(bootstrap_coverage)
{
	static const size_t boots[] = { 4, 6, 10 };
	static const double batch_sd[] = { .005, .05 };
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(boots); i++)
		for (j = 0; j < ARRAY_SIZE(batch_sd); j++) {
			double c = coverage(boots[i], batch_sd[j], 1000);

			print_message("%zu boots a side, batches differ by %g %%: covers %.1f %%\n",
				      boots[i], 100 * batch_sd[j], 100 * c);
			assert_true(c >= .93 && c < .992);
		}
}

TEST(kalibera_jones)
{
	/* {[9,5],[8,3]}, {[10,6],[7,11]}, {[1,12],[2,4]} */
	static const double v[] = { 9, 5, 8, 3, 10, 6, 7, 11, 1, 12, 2, 4 };
	static const size_t three[] = { 2, 2, 3 }, two[] = { 4, 3 };
	double s2[3], t2[3];

	near(stat_kj(v, three, 3, s2, t2), 6.5, 1e-12);
	near(s2[0], 16.5, 1e-9);
	near(s2[1], 2.583333333, 1e-9);
	near(s2[2], 3.5625, 1e-9);
	near(t2[0], 16.5, 1e-9);
	near(t2[1], -5.666666667, 1e-9);
	near(t2[2], 2.270833333, 1e-9);
	near(stat_kj(v, two, 2, s2, t2), 6.5, 1e-12);
	near(s2[0], 12.7222222, 1e-6);
	near(s2[1], 3.5625, 1e-6);
	near(t2[0], 12.7222222, 1e-6);
	near(t2[1], .3819444, 1e-6);
}

/* The level and power of Lehr's rule give its 16, over a rank test's .955. */
/* Of sds of 6 degrees of freedom, four in five are below their limit. */
TEST(sd_limit)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double limit = stat_sd_limit(6, .8);
	size_t within = 0, i;

	/* 6 / qchisq(.2, 6) in R */
	near(limit * limit, 6 / 3.070088, 1e-6);
	for (i = 0; i < 20000; i++)
		within += sqrt(gsl_ran_chisq(rng, 6) / 6) * limit > 1;
	near(within / 20000., .8, .02);
	gsl_rng_free(rng);
}

TEST(boots_for)
{
	assert_int_equal(stat_boots_for(.02, .01, .05, .8), 66);
	assert_int_equal(stat_boots_for(.02, .05, .05, .8), 3);
	assert_true(stat_boots_for(.02, .01, .05 / 20, .8) > 110);
	assert_int_equal(stat_boots_for(.02, 0, .05, .8), 0);
	assert_int_equal(stat_boots_for(0, .05, .05, .8), 0);
	assert_int_equal(stat_boots_for(NAN, .01, .05, .8), 0);
	assert_int_equal(stat_boots_for(NAN, .01, .05, .8), 0);
}

/* R: cor.test(1:9, x, method = "kendall", exact = FALSE, continuity = TRUE) */
TEST(kendall)
{
	static const double up[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	static const double some[] = { 44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7,
				       45.2, 60.1 };
	static const double same[] = { 2, 2, 2, 2 };
	static const double ties[] = { 1, 1, 2, 2 };
	struct stat_trend t = stat_kendall(N(up));

	near(t.tau, 1, 1e-12);
	near(t.p, 2 * .5 * erfc(35 / sqrt(92) / sqrt(2)), 1e-9);
	t = stat_kendall(N(some));
	near(t.tau, 12 / 36., 1e-12);
	near(t.p, erfc(11 / sqrt(92) / sqrt(2)), 1e-9);
	assert_true(isnan(stat_kendall(N(same)).p));
	/* tau-b: 4 concordant pairs of 6, 2 tied in y */
	near(stat_kendall(N(ties)).tau, 4 / sqrt(6 * 4.), 1e-12);
}

static size_t changes_in(const double *v, size_t n, size_t *at)
{
	return stat_e_divisive(v, n, 3, .05, 199, 1, at);
}

TEST(e_divisive)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	size_t at[60], round, i, wrong = 0;
	double v[60];

	for (i = 0; i < 60; i++)
		v[i] = gsl_ran_gaussian(rng, 1) + (i < 20 ? 0 : i < 40 ? 6 : 2);
	assert_int_equal(changes_in(v, 60, at), 2);
	assert_int_equal(at[0], 20);
	assert_int_equal(at[1], 40);
	assert_int_equal(changes_in(v, 5, at), 0);
	/* no change: the first test's level is what was asked for */
	for (round = 0; round < 200; round++) {
		for (i = 0; i < 20; i++)
			v[i] = gsl_ran_gaussian(rng, 1);
		wrong += changes_in(v, 20, at) > 0;
	}
	print_message("change points where there are none: %zu of 200\n",
		      wrong);
	assert_true(wrong <= 18);
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sd_limit),
		cmocka_unit_test(boots_for),
		cmocka_unit_test(kendall),
		cmocka_unit_test(e_divisive),
		cmocka_unit_test(moments),
		cmocka_unit_test(mann_whitney_exact),
		cmocka_unit_test(mann_whitney_enumerated),
		cmocka_unit_test(mann_whitney_ties),
		cmocka_unit_test(mann_whitney_large),
		cmocka_unit_test(rank_floor),
		cmocka_unit_test(hodges_lehmann),
		cmocka_unit_test(welch),
		cmocka_unit_test(tost),
		cmocka_unit_test(holm),
		cmocka_unit_test(max_t),
		cmocka_unit_test(max_t_with_a_line),
		cmocka_unit_test(boots_in_table),
		cmocka_unit_test(bootstrap_percentile),
		cmocka_unit_test(bootstrap_bca),
		cmocka_unit_test(bootstrap_zero),
		cmocka_unit_test(nested),
		cmocka_unit_test(bootstrap_coverage),
		cmocka_unit_test(kalibera_jones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
