/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Statistics for small samples of boots. Pure functions over arrays of double:
 * no units, no files, no global state. Values must be finite.
 *
 * The unit of replication is the boot. Batches within a boot say how well that
 * boot is known, never how many observations there are.
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
/* Of an ascending array, between order statistics (Hyndman-Fan type 7). */
double stat_quantile(const double *sorted, size_t n, double q);
/* Ascending, in place. */
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
 * The smallest two-sided p that a rank test of m against n can give,
 * 2/C(m+n,n): also how often two samples of the same come apart completely.
 */
double stat_rank_floor(size_t m, size_t n);
/* The fewest values a side whose floor, times @family, is below @alpha. */
size_t stat_rank_least(size_t family, double alpha);

/*
 * How often two samples of the same, m and n values spread evenly, come apart
 * completely with a gap of at least k times the wider one's range. The 2n
 * spacings of even values are proportional to independent exponential ones
 * (Pyke 1965), so with A ~ Gamma(m-1), B ~ Gamma(n-1) it is
 * stat_rank_floor(m, n) * E exp(-k max(A, B)). Normal values: less often.
 */
double stat_apart_chance(size_t m, size_t n, double k);

/*
 * Of values drawn by chance from several, whatever the chances: how many times
 * as often two samples of @m and @n are each one value throughout, and not the
 * same one, as one of them is seen to have two; at most. The worst case is two
 * values. Of n against n these have even chances, which gives 2/(4^n - 4); more
 * on one side make it less, but are not credited. Of one against n one value is
 * rare, which gives 1/n. 0 for one against one, where nothing is seen to vary.
 */
double stat_split_odds(size_t m, size_t n);

/*
 * Of @nr differences by size, the share that luck accounts for among those at
 * least as large, given the sizes of @nr_vary rows that are luck, if luck makes
 * a difference at most @odds times as often as such a row: (those rows as large
 * + 1) * @odds / differences as large, or less where more differences are
 * looked at. Taking those with a share below q makes the expected share of luck
 * among what is taken at most q (Barber and Candes 2015, knockoff+, with odds
 * other than 1 as in He et al. 2015, target and decoy).
 */
void stat_lucky_share(const double *size, size_t nr, const double *vary,
		      size_t nr_vary, double odds, double *share);

struct stat_interval {
	double estimate, low, high;
};

/*
 * Hodges-Lehmann shift x - y: the median of all m*n differences D, and the
 * interval [D(C), D(mn+1-C)], C = max(1, qwilcox(alpha/2)) (Hollander and
 * Wolfe 1973, 4.2; as R's wilcox.test).
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
 * maxT as in Ge, Dudoit and Speed 2003, box 4): boots change sides, all rows of
 * a boot together, and p is how often the largest Welch t of the rows that are
 * no surer than this one is as large. So it knows how rows hang together, and
 * with n boots a side reaches 2/C(2n,n) for any number of rows, where Holm
 * multiplies it by them.
 *
 * @v: rows of @m values of the one side and @n of the other, NAN where a boot
 * has none. @p: one for each row; NAN where a side has fewer than two values.
 * Every relabelling if they are at most @most, else @most drawn with @seed.
 */
void stat_max_t(const double *v, size_t rows, size_t m, size_t n, size_t most,
		uint64_t seed, double *p);

/*
 * Samples nested in groups: boots, in which there are processes, in which
 * there are batches. All pointers are borrowed.
 */
struct stat_group {
	const double *v;
	size_t nr;
	/*
	 * Where v[] is only the middle of a longer, sorted list: how long that
	 * is (0: v[] is all there is), the rank of v[0] in it, its mean and
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

/* The center of the boots' centers, each of its processes', each of batches. */
double stat_nested(const struct stat_boot *boots, size_t nr, stat_center center);

struct stat_bootstrap {
	stat_center center;
	size_t resamples;
	uint64_t seed;		/* of a Mersenne twister; same seed, same CI */
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
 * Hierarchical bootstrap (Kalibera and Jones 2013, 9) of the ratio x/y of the
 * two sides' nested centers: boots are drawn with replacement, then processes
 * within, then batches within. low and high are NAN if a resample's
 * denominator was not positive.
 *
 * The median of a resample of many batches is drawn at once, by its rank: the
 * k-th of n uniform draws from a sorted list is at floor(n * U), U of
 * Beta(k, n + 1 - k) (David and Nagaraja 2003, 2.1). This is exact, and takes
 * no longer for a million batches than for a hundred. The mean of a list of
 * which only the middle is known is drawn from its normal limit.
 */
struct stat_interval stat_ratio_ci(const struct stat_boot *x, size_t m,
				   const struct stat_boot *y, size_t n,
				   const struct stat_bootstrap *opt);

/*
 * One sample's bootstrap interval of @opt->center, bias-corrected and
 * accelerated (Efron 1987), the acceleration from the jackknife; n >= 2. For
 * the boots of one kernel, where there is nothing to take a ratio to.
 * @opt->expanded is ignored. All three are v[0] if every value is the same.
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
 * repeating level i is of no use. Returns the mean.
 */
double stat_kj(const double *v, const size_t *r, size_t levels, double *s2,
	       double *t2);

/*
 * Boots a side to see a relative change @effect with 80 % power at 5 %:
 * 16 * (cv/effect)^2 (Lehr 1992), @cv the standard deviation between boots
 * over their mean. Rounded up; a lower bound of STAT_MIN_BOOTS is the
 * caller's to apply. 0 if @effect is not positive or it is beyond counting.
 */
size_t stat_boots_needed(double cv, double effect);

/*
 * The same for any two-sided level @alpha and @power, by the normal
 * approximation: 2 * (z(1-alpha/2) + z(power))^2 * (cv/effect)^2, over .955,
 * the efficiency of a rank test on normal data (Lehmann 1975, 2.4).
 */
size_t stat_boots_for(double cv, double effect, double alpha, double power);

/*
 * The same where compare has @family timed rows: by ranks if it then has boots
 * enough for them (stat_rank_least()), else by stat_max_t(), taken for as good
 * as a t test at @alpha / @family. 0 if that is beyond counting.
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
 * E-divisive change points (Matteson and James 2014) of a series in order:
 * the split that maximises the energy distance between what is before and
 * behind it, kept if its permutation p is below @alpha, then again within the
 * parts. @at: room for n; gets the first index of each new segment, ascending.
 * @min: fewest values in a segment, >= 2. Returns how many there are.
 */
size_t stat_e_divisive(const double *y, size_t n, size_t min, double alpha,
		       size_t permutations, uint64_t seed, size_t *at);

#endif
