/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Statistics for small samples of boots. Pure functions over arrays of double:
 * no units, no files, no global state. Values must be finite.
 *
 * The unit of replication is the boot. More batches within a boot improve the
 * estimate of that boot, but are not more observations.
 */
#ifndef PTELAB_STAT_H
#define PTELAB_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Fewer boots a side can not reach p < .05 in a two-sided rank test (3 against
 * 3: .1; 4 against 4: .0286), so they carry no timed verdict.
 */
#define STAT_MIN_BOOTS	4

/* NAN for an empty array. */
double stat_mean(const double *v, size_t n);
double stat_median(const double *v, size_t n);
/* Sample variance (n - 1); NAN for n < 2. */
double stat_variance(const double *v, size_t n);
/*
 * Returns the quantile of an ascending array, interpolated between order
 * statistics (Hyndman-Fan type 7).
 */
double stat_quantile(const double *sorted, size_t n, double q);
/* Sorts in place, ascending. */
void stat_sort(double *v, size_t n);

struct stat_rank {
	double u;	/* pairs with x > y, ties counting one half */
	double p;	/* two-sided */
	bool exact;	/* p from the exact null, not the normal approximation */
};

/*
 * Mann-Whitney U test of x (m values) against y (n values), m and n >= 1.
 * Exact without ties up to 50 values a side, by the recursion
 * c(m,n,u) = c(m-1,n,u-n) + c(m,n-1,u) (Mann and Whitney 1947); else the
 * normal approximation with continuity and tie correction (Lehmann 1975, 1.4).
 */
struct stat_rank stat_mann_whitney(const double *x, size_t m, const double *y,
				   size_t n);

/*
 * Returns the smallest two-sided p that a rank test of m against n values can
 * give, 2/C(m+n,n). It is also the probability that two samples of one
 * distribution are completely separated.
 */
double stat_rank_floor(size_t m, size_t n);
/*
 * Returns the fewest values a side whose floor, times @family, is below @alpha.
 */
size_t stat_rank_least(size_t family, double alpha);

struct stat_interval {
	double estimate, low, high;
};

/*
 * Returns the Hodges-Lehmann shift x - y, the median of all m*n differences D,
 * and the interval [D(C), D(mn+1-C)], C = max(1, qwilcox(alpha/2)) (Hollander
 * and Wolfe 1973, 4.2; as R's wilcox.test).
 */
struct stat_interval stat_hodges_lehmann(const double *x, size_t m,
					 const double *y, size_t n,
					 double confidence);

struct stat_welch {
	double t, df, p;	/* two-sided p */
	double difference;	/* mean(x) - mean(y) */
	double se;		/* standard error of the difference */
};

/*
 * Welch's unequal-variances t test (Welch 1947), m and n >= 2. Without any
 * spread on either side se is 0, df is INFINITY, and p is 0 or 1.
 */
struct stat_welch stat_welch(const double *x, size_t m, const double *y,
			     size_t n);

/*
 * Two one-sided Welch tests of -margin < mean(x) - mean(y) < margin
 * (Schuirmann 1987). Equivalence at level alpha: p = max(low, high) < alpha.
 */
struct stat_tost {
	double low;	/* p against "the difference is <= -margin" */
	double high;	/* p against "the difference is >= margin" */
	double p;
};

struct stat_tost stat_tost(const double *x, size_t m, const double *y,
			   size_t n, double margin);

/*
 * Holm's step-down adjustment (Holm 1979) of nr p-values; @adjusted in the
 * order of @p, at most 1. NANs are no part of the family and stay NAN.
 */
void stat_holm(const double *p, size_t nr, double *adjusted);

/*
 * One permutation test for a whole table (Westfall and Young 1993; step-down
 * maxT as in Ge, Dudoit and Speed 2003, box 4). Relabels boots, all rows of a
 * boot together. p is the share of relabellings in which the largest Welch t,
 * over this row and the less significant ones, is at least as large. The test
 * accounts for the correlation of rows. With n boots a side it reaches
 * 2/C(2n,n) for any number of rows; Holm multiplies that by the number of rows.
 *
 * @v: rows of @m values of one side and @n of the other, NAN if a boot has none.
 * @at: when each was measured, or NULL; a row of NANs if its values do not drift.
 * Else t is that of an analysis of covariance: each relabelling has its own line
 * over time, and pays for it.
 * @p: one for each row; NAN if a side has fewer than two values. Uses every
 * relabelling if there are at most @most, else @most of them, drawn with @seed.
 */
void stat_max_t(const double *v, const double *at, size_t rows, size_t m,
		size_t n, size_t most, uint64_t seed, double *p);

/*
 * Samples nested in groups: boots, in which there are processes, in which
 * there are batches. All pointers are borrowed.
 */
struct stat_group {
	const double *v;
	size_t nr;
	/*
	 * If v[] is only the middle of a longer, sorted list: the length of
	 * that list (0: v[] is complete), the rank of v[0] in it, its mean and
	 * standard deviation.
	 */
	size_t of, first;
	double mean, sd;
};

struct stat_boot {
	const struct stat_group *processes;
	size_t nr;
};

typedef double (*stat_center)(const double *v, size_t n);

/* Returns the center of boots, each the center of processes, each of batches. */
double stat_nested(const struct stat_boot *boots, size_t nr, stat_center center);

struct stat_bootstrap {
	stat_center center;
	size_t resamples;
	uint64_t seed;		/* of a Mersenne twister; the same seed gives the same CI */
	double confidence;
	/*
	 * Widen the percentiles for few boots, to
	 * Phi(-sqrt(N/(N-2)) * t(1-alpha/2, N-2)) for N boots in all: the
	 * "expanded percentile interval" of Hesterberg 2015 with the degrees
	 * of freedom of two samples. The plain one covers too rarely at four
	 * boots a side.
	 */
	bool expanded;
};

/*
 * Bootstrap interval of the ratio of two sides' centers: boots are drawn with
 * replacement. A boot's value has the noise of its batches in it, so drawing
 * these, too, would count it twice. low and high are NAN if a resample's
 * denominator was not positive.
 */
struct stat_interval stat_ratio_ci(const double *x, size_t m, const double *y,
				   size_t n, const struct stat_bootstrap *opt);

/*
 * One sample's bootstrap interval of @opt->center, bias-corrected and
 * accelerated (Efron 1987), with the acceleration from the jackknife; n >= 2. For
 * the boots of one kernel, which has no ratio. @opt->expanded is ignored. All three
 * are v[0] if every value is the same.
 */
struct stat_interval stat_bca(const double *v, size_t n,
			      const struct stat_bootstrap *opt);

#define STAT_KJ_LEVELS	4

/*
 * Variance by level (Kalibera and Jones 2013, 6; with the 2013 print's
 * T_i^2 corrected): level 0 is the innermost (batches), levels-1 the top
 * (boots).
 * @v: balanced, innermost level fastest; @r: repetitions of each level, all
 * >= 2; 1 <= levels <= STAT_KJ_LEVELS.
 * @s2: biased estimates S_i^2, @t2: unbiased T_i^2. T_i^2 <= 0 means that
 * repeating level i does not help. Returns the mean.
 */
double stat_kj(const double *v, const size_t *r, size_t levels, double *s2,
	       double *t2);

/*
 * Returns the factor for a standard deviation of @df degrees of freedom such
 * that the true one is below the product with probability @confidence.
 */
double stat_sd_limit(double df, double confidence);

/*
 * Returns the boots per side that detect a relative change @effect at the
 * two-sided level @alpha with @power, by the normal approximation: 2 *
 * (z(1-alpha/2) + z(power))^2 * (cv/effect)^2, over .955, the efficiency of a
 * rank test on normal data (Lehmann 1975, 2.4). @cv: the standard deviation
 * between boots over their mean. Rounded up; the caller applies the lower bound
 * STAT_MIN_BOOTS. 0 if @effect is not positive, or on overflow.
 */
size_t stat_boots_for(double cv, double effect, double alpha, double power);

/*
 * The same for a table with @family timed rows: by ranks if that many boots are
 * enough for ranks (stat_rank_least()), else by stat_max_t(), which is assumed
 * to be as good as a t test at @alpha / @family. 0 on overflow.
 */
size_t stat_boots_in_table(double cv, double effect, double alpha,
			   double power, size_t family);

/*
 * Kendall's tau-b of y against the order of its values, with the normal
 * approximation of its two-sided p (Kendall 1970, 4 and 5); ties in y are
 * corrected for. NAN for n < 3 or constant y.
 */
struct stat_trend {
	double tau, p;
};

struct stat_trend stat_kendall(const double *y, size_t n);

/*
 * Finds E-divisive change points (Matteson and James 2014) of an ordered series:
 * the split that maximises the energy distance between its two parts is kept if its
 * permutation p is below @alpha, and the parts are split in the same way. @at: room
 * for n; gets the first index of each new segment, ascending. @min: fewest values
 * in a segment, >= 2. Returns the number of change points.
 */
size_t stat_e_divisive(const double *y, size_t n, size_t min, double alpha,
		       size_t permutations, uint64_t seed, size_t *at);

#endif
