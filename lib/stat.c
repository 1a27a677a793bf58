// SPDX-License-Identifier: GPL-2.0
/*
 * See stat.h. GSL supplies distributions and random numbers.
 *
 * One file though it is long: its functions are independent and share no state.
 */
#include "lib/stat.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* With more values a side than this the normal approximation is as good. */
#define EXACT_MAX	50

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void stat_sort(double *v, size_t n)
{
	if (n)
		qsort(v, n, sizeof(*v), by_value);
}

static double *sorted_copy(const double *v, size_t n)
{
	double *s = xcalloc(n, sizeof(*s));

	if (n)
		memcpy(s, v, n * sizeof(*s));
	stat_sort(s, n);
	return s;
}

double stat_mean(const double *v, size_t n)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += v[i];
	return n ? sum / n : NAN;
}

static double median_sorted(const double *v, size_t n)
{
	if (!n)
		return NAN;
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

double stat_median(const double *v, size_t n)
{
	double *s = sorted_copy(v, n), median = median_sorted(s, n);

	free(s);
	return median;
}

double stat_variance(const double *v, size_t n)
{
	double mean = stat_mean(v, n), sum = 0;
	size_t i;

	if (n < 2)
		return NAN;
	for (i = 0; i < n; i++)
		sum += (v[i] - mean) * (v[i] - mean);
	return sum / (n - 1);
}

double stat_quantile(const double *sorted, size_t n, double q)
{
	double at = q * (n - 1), low = floor(at);
	size_t i = low;

	if (!n)
		return NAN;
	if (i + 1 >= n)
		return sorted[n - 1];
	return sorted[i] + (at - low) * (sorted[i + 1] - sorted[i]);
}

/*
 * Returns the exact null distribution of U: P(U <= u) for u = 0..m*n; the
 * caller frees it. Row i of the recursion has the counts of (i, 0..n); only the
 * last row is kept. Counts are doubles, and sums of positive terms, so nothing
 * cancels.
 */
static double *u_cumulative(size_t m, size_t n)
{
	size_t len = m * n + 1, i, j, u;
	double *row = xcalloc((n + 1) * len, sizeof(*row)), *cum, total = 0;

	for (j = 0; j <= n; j++)
		row[j * len] = 1;
	for (i = 1; i <= m; i++) {
		/* c(i, 0, u) is the same as c(i - 1, 0, u) */
		for (j = 1; j <= n; j++) {
			double *c = row + j * len, *left = c - len;

			/* downwards, so that c[u - j] still is of row i - 1 */
			for (u = i * j + 1; u-- > 0; )
				c[u] = (u >= j ? c[u - j] : 0) + left[u];
		}
	}
	cum = xcalloc(len, sizeof(*cum));
	for (u = 0; u < len; u++) {
		total += row[n * len + u];
		cum[u] = total;
	}
	for (u = 0; u < len; u++)
		cum[u] /= total;
	free(row);
	return cum;
}

static double u_statistic(const double *x, size_t m, const double *y, size_t n)
{
	double u = 0;
	size_t i, j;

	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++)
			u += x[i] > y[j] ? 1 : x[i] == y[j] ? .5 : 0;
	return u;
}

/*
 * Returns the sum of t^3 - t over the groups of t equal values among both
 * samples.
 */
static double tie_term(const double *x, size_t m, const double *y, size_t n)
{
	double *all = xcalloc(m + n, sizeof(*all)), sum = 0;
	size_t i, t = 1;

	memcpy(all, x, m * sizeof(*x));
	memcpy(all + m, y, n * sizeof(*y));
	stat_sort(all, m + n);
	for (i = 1; i <= m + n; i++) {
		if (i < m + n && all[i] == all[i - 1]) {
			t++;
			continue;
		}
		sum += (double)t * t * t - t;
		t = 1;
	}
	free(all);
	return sum;
}

static double exact_p(double u, size_t m, size_t n)
{
	double *cum = u_cumulative(m, n), mn = (double)m * n, p;

	p = 2 * cum[(size_t)(u < mn - u ? u : mn - u)];
	free(cum);
	return fmin(p, 1);
}

static double normal_p(double u, size_t m, size_t n, double ties)
{
	double total = m + n, mn = (double)m * n, var, z;

	var = mn / 12 * (total + 1 - ties / (total * (total - 1)));
	if (var <= 0)
		return 1;	/* every value is the same */
	z = fmax(fabs(u - mn / 2) - .5, 0) / sqrt(var);
	return fmin(2 * gsl_cdf_ugaussian_Q(z), 1);
}

struct stat_rank stat_mann_whitney(const double *x, size_t m, const double *y,
				   size_t n)
{
	double ties = tie_term(x, m, y, n);
	struct stat_rank r = { .u = u_statistic(x, m, y, n) };

	r.exact = !ties && m <= EXACT_MAX && n <= EXACT_MAX;
	r.p = r.exact ? exact_p(r.u, m, n) : normal_p(r.u, m, n, ties);
	return r;
}

double stat_rank_floor(size_t m, size_t n)
{
	double ways = 1;
	size_t i;

	/* every step is a whole number, as long as it fits into a double */
	for (i = 1; i <= n; i++)
		ways = ways * (m + i) / i;
	return fmin(2 / ways, 1);
}

size_t stat_rank_least(size_t family, double alpha)
{
	size_t n = STAT_MIN_BOOTS;

	while (stat_rank_floor(n, n) * family >= alpha)
		n++;
	return n;
}

/* Returns the smallest u with P(U <= u) >= p. */
static size_t u_quantile(double p, size_t m, size_t n)
{
	double mn = (double)m * n, q, *cum;
	size_t u = 0;

	if (m > EXACT_MAX || n > EXACT_MAX) {
		q = mn / 2 + gsl_cdf_ugaussian_Pinv(p) *
			     sqrt(mn * (m + n + 1) / 12);
		return q > 0 ? q : 0;
	}
	cum = u_cumulative(m, n);
	/*
	 * like R: don't go one too far because of a rounding error of the sum
	 */
	while (u < m * n && cum[u] < p * (1 - 1e-12))
		u++;
	free(cum);
	return u;
}

struct stat_interval stat_hodges_lehmann(const double *x, size_t m,
					 const double *y, size_t n,
					 double confidence)
{
	double *d = xcalloc(m * n, sizeof(*d));
	struct stat_interval r;
	size_t i, j, c;

	for (i = 0; i < m; i++)
		for (j = 0; j < n; j++)
			d[i * n + j] = x[i] - y[j];
	stat_sort(d, m * n);
	c = u_quantile((1 - confidence) / 2, m, n);
	if (!c)
		c = 1;
	r.estimate = median_sorted(d, m * n);
	r.low = d[c - 1];
	r.high = d[m * n - c];
	free(d);
	return r;
}

struct stat_welch stat_welch(const double *x, size_t m, const double *y,
			     size_t n)
{
	double vx = stat_variance(x, m) / m, vy = stat_variance(y, n) / n;
	struct stat_welch w = {
		.difference = stat_mean(x, m) - stat_mean(y, n),
		.se = sqrt(vx + vy),
	};

	if (w.se <= 0) {
		w.t = w.difference ? copysign(INFINITY, w.difference) : 0;
		w.df = INFINITY;
		w.p = w.difference ? 0 : 1;
		return w;
	}
	w.t = w.difference / w.se;
	w.df = (vx + vy) * (vx + vy) /
	       (vx * vx / (m - 1) + vy * vy / (n - 1));
	w.p = 2 * gsl_cdf_tdist_Q(fabs(w.t), w.df);
	return w;
}

struct stat_tost stat_tost(const double *x, size_t m, const double *y,
			   size_t n, double margin)
{
	struct stat_welch w = stat_welch(x, m, y, n);
	struct stat_tost r;

	if (w.se <= 0) {
		/* a rounding error of the logarithm must not put it inside */
		r.low = w.difference > -margin * (1 - 1e-12) ? 0 : 1;
		r.high = w.difference < margin * (1 - 1e-12) ? 0 : 1;
	} else {
		r.low = gsl_cdf_tdist_Q((w.difference + margin) / w.se, w.df);
		r.high = gsl_cdf_tdist_P((w.difference - margin) / w.se, w.df);
	}
	r.p = fmax(r.low, r.high);
	return r;
}

struct ranked_p {
	double p;
	size_t at;
};

static int by_p(const void *a, const void *b)
{
	return by_value(&((const struct ranked_p *)a)->p,
			&((const struct ranked_p *)b)->p);
}

void stat_holm(const double *p, size_t nr, double *adjusted)
{
	struct ranked_p *r = xcalloc(nr, sizeof(*r));
	double worst = 0;
	size_t i, family = 0;

	for (i = 0; i < nr; i++) {
		adjusted[i] = NAN;
		if (!isnan(p[i]))
			r[family++] = (struct ranked_p){ p[i], i };
	}
	if (family)
		qsort(r, family, sizeof(*r), by_p);
	for (i = 0; i < family; i++) {
		worst = fmax(worst, (family - i) * r[i].p);
		adjusted[r[i].at] = fmin(worst, 1);
	}
	free(r);
}

/* --- a permutation test of a whole table --- */

/* Returns |t| of Welch's test; 0 if a side has fewer than two values. */
static double abs_welch(const double *v, const bool *first, size_t nr)
{
	double sum[2] = { 0 }, mean[2], dev[2] = { 0 }, d, se;
	size_t count[2] = { 0 }, i;

	for (i = 0; i < nr; i++) {
		if (isnan(v[i]))
			continue;
		sum[first[i]] += v[i];
		count[first[i]]++;
	}
	if (count[0] < 2 || count[1] < 2)
		return 0;
	mean[0] = sum[0] / count[0];
	mean[1] = sum[1] / count[1];
	for (i = 0; i < nr; i++) {
		if (isnan(v[i]))
			continue;
		d = v[i] - mean[first[i]];
		dev[first[i]] += d * d;
	}
	d = fabs(mean[1] - mean[0]);
	se = sqrt(dev[0] / (count[0] - 1) / count[0] +
		  dev[1] / (count[1] - 1) / count[1]);
	/* ignore a variance that comes from rounding of equal values */
	if (d <= 1e-12 * fabs(mean[0]))
		return 0;
	return d / se;
}

/*
 * Takes the line over time that both sides have in common off @v, as an analysis of
 * covariance does. Returns the factor of t for what of a difference the line may
 * stand for: 1 where the sides took turns.
 */
static double take_line_off(const double *v, const double *at, const bool *first,
			    size_t nr, double *to)
{
	double sum_v[2] = { 0 }, sum_at[2] = { 0 }, xx = 0, xy = 0, x, gap, mean;
	size_t n[2] = { 0 }, i;

	for (i = 0; i < nr; i++) {
		to[i] = v[i];
		if (isnan(v[i]))
			continue;
		sum_v[first[i]] += v[i];
		sum_at[first[i]] += at[i];
		n[first[i]]++;
	}
	for (i = 0; i < nr; i++) {
		if (isnan(v[i]))
			continue;
		x = at[i] - sum_at[first[i]] / n[first[i]];
		xx += x * x;
		xy += x * (v[i] - sum_v[first[i]] / n[first[i]]);
	}
	if (!n[0] || !n[1] || !(xx > 0))
		return 1;
	mean = (sum_at[0] + sum_at[1]) / (n[0] + n[1]);
	for (i = 0; i < nr; i++)
		to[i] -= xy / xx * (at[i] - mean);
	gap = sum_at[0] / n[0] - sum_at[1] / n[1];
	return sqrt(xx / (xx + gap * gap * n[0] * n[1] / (n[0] + n[1])));
}

/* A table of rows of @nr values; @at as in stat_max_t(); @line: room for a row. */
struct max_t {
	const double *v, *at;
	size_t nr;
	double *line;
};

static double row_statistic(const struct max_t *m, size_t row, const bool *first)
{
	const double *v = m->v + row * m->nr;
	const double *at = m->at ? m->at + row * m->nr : NULL;
	double factor;
	size_t i = 0;

	while (i < m->nr && isnan(v[i]))
		i++;
	if (!at || i == m->nr || isnan(at[i]))
		return abs_welch(v, first, m->nr);
	factor = take_line_off(v, at, first, m->nr, m->line);
	return factor * abs_welch(m->line, first, m->nr);
}

/* Advances to the next combination in lexicographic order; false after the last. */
static bool next_choice(bool *chosen, size_t nr)
{
	size_t i, at = nr, after = 0;

	/* Advance the last element that can move; reset those behind it. */
	while (at-- > 0) {
		if (chosen[at] && at + 1 < nr && !chosen[at + 1])
			break;
		after += chosen[at];
	}
	if (at == SIZE_MAX)
		return false;
	chosen[at] = false;
	for (i = at + 1; i < nr; i++)
		chosen[i] = i <= at + 1 + after;
	return true;
}

struct row_t {
	double t;
	size_t row;
};

static int by_t(const void *a, const void *b)
{
	return by_value(&((const struct row_t *)b)->t,
			&((const struct row_t *)a)->t);
}

static double choices(size_t nr, size_t of)
{
	return exp(lgamma(of + 1.) - lgamma(nr + 1.) - lgamma(of - nr + 1.));
}

/* For each row, largest |t| first, counts the relabelling if it is as extreme. */
static void count_extreme(const struct max_t *m, const bool *first,
			  const struct row_t *r, size_t rows, size_t *extreme)
{
	double most = 0;
	size_t i;

	for (i = rows; i-- > 0;) {
		most = fmax(most, row_statistic(m, r[i].row, first));
		/* tolerate rounding: swapped sides must count as equal */
		extreme[i] += most >= r[i].t * (1 - 1e-9);
	}
}

void stat_max_t(const double *v, const double *at, size_t rows, size_t m,
		size_t n, size_t most, uint64_t seed, double *p)
{
	struct row_t *r = xcalloc(rows + 1, sizeof(*r));
	size_t *extreme = xcalloc(rows + 1, sizeof(*extreme)), all = 0, i, b;
	size_t nr = m + n, usable = 0;
	bool *first = xcalloc(nr + 1, sizeof(*first));
	struct max_t table = { v, at, nr, xcalloc(nr + 1, sizeof(*v)) };
	double worst = 0;

	for (i = 0; i < nr; i++)
		first[i] = i < m;
	for (i = 0; i < rows; i++) {
		const double *x = v + i * nr;
		size_t have[2] = { 0 };

		for (b = 0; b < nr; b++)
			have[b < m] += !isnan(x[b]);
		p[i] = NAN;
		if (have[0] >= 2 && have[1] >= 2)
			r[usable++] = (struct row_t){
				row_statistic(&table, i, first), i };
	}
	qsort(r, usable, sizeof(*r), by_t);
	if (choices(m, nr) <= most + .5) {
		do {
			count_extreme(&table, first, r, usable, extreme);
			all++;
		} while (next_choice(first, nr));
	} else {
		gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

		gsl_rng_set(rng, seed);
		/* The actual labels count as one relabelling, so p is never 0. */
		for (all = 0; all < most; all++) {
			count_extreme(&table, first, r, usable, extreme);
			gsl_ran_shuffle(rng, first, nr, sizeof(*first));
		}
		gsl_rng_free(rng);
	}
	for (i = 0; i < usable; i++) {
		worst = fmax(worst, (double)extreme[i] / all);
		p[r[i].row] = worst;
	}
	free(table.line);
	free(first);
	free(extreme);
	free(r);
}

/* Sorting a few values in place beats copying them for qsort(). */
static double center_of(double *v, size_t n, stat_center center)
{
	size_t i, j;

	if (center != stat_median || n > 32)
		return center(v, n);
	for (i = 1; i < n; i++) {
		double x = v[i];

		for (j = i; j && v[j - 1] > x; j--)
			v[j] = v[j - 1];
		v[j] = x;
	}
	return median_sorted(v, n);
}

/*
 * Returns an index below @nr: drawn with replacement with @rng (32 bits), or @i
 * if @rng is NULL. The upper half of the product is uniform to within nr /
 * 2^32.
 */
static size_t pick(gsl_rng *rng, size_t i, size_t nr)
{
	return rng && nr > 1 ? (uint64_t)gsl_rng_get(rng) * nr >> 32 : i;
}

/*
 * Returns the value of a rank in a sorted group, of which v[] is only the
 * middle.
 */
static double at_rank(const struct stat_group *g, size_t rank)
{
	size_t i = rank > g->first ? rank - g->first : 0;

	return g->v[i < g->nr ? i : g->nr - 1];
}

static double group_center(const struct stat_group *g, stat_center center)
{
	if (!g->of)
		return center(g->v, g->nr);
	if (center != stat_median)
		return g->mean;
	return (at_rank(g, (g->of - 1) / 2) + at_rank(g, g->of / 2)) / 2;
}

double stat_nested(const struct stat_boot *boots, size_t nr, stat_center center)
{
	double *boot = xcalloc(nr + 1, sizeof(*boot)), r;
	size_t i, j;

	for (i = 0; i < nr; i++) {
		double *v = xcalloc(boots[i].nr + 1, sizeof(*v));

		for (j = 0; j < boots[i].nr; j++)
			v[j] = group_center(&boots[i].processes[j], center);
		boot[i] = center(v, boots[i].nr);
		free(v);
	}
	r = center(boot, nr);
	free(boot);
	return r;
}

/*
 * Returns the lower tail to cut for a two-sided interval over @n boots of two
 * sides.
 */
static double tail_of(const struct stat_bootstrap *opt, size_t n)
{
	double tail = (1 - opt->confidence) / 2, t;

	if (!opt->expanded || n < 3)
		return tail;
	t = gsl_cdf_tdist_Qinv(tail, n - 2);
	return gsl_cdf_ugaussian_P(-sqrt(n / (n - 2.)) * t);
}

/* Returns the center of @n values that are drawn from @v with replacement. */
static double draw_center(const double *v, size_t n, stat_center center,
			  gsl_rng *rng, double *draw)
{
	size_t i;

	for (i = 0; i < n; i++)
		draw[i] = v[pick(rng, i, n)];
	return center_of(draw, n, center);
}

struct stat_interval stat_ratio_ci(const double *x, size_t m, const double *y,
				   size_t n, const struct stat_bootstrap *opt)
{
	double *draw = xcalloc(m + n, sizeof(*draw)), below, tail;
	double *r = xcalloc(opt->resamples, sizeof(*r));
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct stat_interval ci = { opt->center(x, m) / opt->center(y, n), NAN,
				    NAN };
	size_t i;

	gsl_rng_set(rng, opt->seed);
	for (i = 0; i < opt->resamples; i++) {
		below = draw_center(y, n, opt->center, rng, draw);
		if (!(below > 0))
			break;
		r[i] = draw_center(x, m, opt->center, rng, draw) / below;
	}
	if (i == opt->resamples) {
		stat_sort(r, opt->resamples);
		tail = tail_of(opt, m + n);
		ci.low = stat_quantile(r, opt->resamples, tail);
		ci.high = stat_quantile(r, opt->resamples, 1 - tail);
	}
	gsl_rng_free(rng);
	free(draw);
	free(r);
	return ci;
}

/* Returns the acceleration by the jackknife: sum d^3 / 6 (sum d^2)^1.5. */
static double acceleration(const double *v, size_t n, stat_center center)
{
	double *some = xcalloc(n, sizeof(*some)), *left = xcalloc(n,
							sizeof(*left));
	double mean, cube = 0, square = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		memcpy(some, v, i * sizeof(*v));
		memcpy(some + i, v + i + 1, (n - 1 - i) * sizeof(*v));
		left[i] = center(some, n - 1);
	}
	mean = stat_mean(left, n);
	for (i = 0; i < n; i++) {
		double d = mean - left[i];

		square += d * d;
		cube += d * d * d;
	}
	free(some);
	free(left);
	return square > 0 ? cube / (6 * pow(square, 1.5)) : 0;
}

struct stat_interval stat_bca(const double *v, size_t n,
			      const struct stat_bootstrap *opt)
{
	double *r = xcalloc(opt->resamples, sizeof(*r)), bias, a, z[2];
	double *draw = xcalloc(n, sizeof(*draw)), below = 0;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct stat_interval ci = { .estimate = opt->center(v, n) };
	size_t i;

	gsl_rng_set(rng, opt->seed);
	for (i = 0; i < opt->resamples; i++) {
		r[i] = draw_center(v, n, opt->center, rng, draw);
		below += r[i] < ci.estimate ? 1 : r[i] == ci.estimate ? .5 : 0;
	}
	stat_sort(r, opt->resamples);
	bias = gsl_cdf_ugaussian_Pinv(fmin(fmax(below / opt->resamples, 1e-9),
					   1 - 1e-9));
	a = acceleration(v, n, opt->center);
	z[0] = bias + gsl_cdf_ugaussian_Pinv((1 - opt->confidence) / 2);
	z[1] = bias - gsl_cdf_ugaussian_Pinv((1 - opt->confidence) / 2);
	ci.low = stat_quantile(r, opt->resamples,
			       gsl_cdf_ugaussian_P(bias + z[0] / (1 - a * z[0])));
	ci.high = stat_quantile(r, opt->resamples,
				gsl_cdf_ugaussian_P(bias + z[1] / (1 - a * z[1])));
	gsl_rng_free(rng);
	free(draw);
	free(r);
	return ci;
}

double stat_kj(const double *v, const size_t *r, size_t levels, double *s2,
	       double *t2)
{
	size_t total = 1, i, parent, child;
	double *mean, up;

	for (i = 0; i < levels; i++)
		total *= r[i];
	mean = xcalloc(total, sizeof(*mean));
	memcpy(mean, v, total * sizeof(*mean));
	for (i = 0; i < levels; i++) {
		double sum = 0;

		/* total: nodes of this level; they become their parents */
		for (parent = 0; parent < total / r[i]; parent++) {
			const double *c = mean + parent * r[i];

			up = stat_mean(c, r[i]);
			for (child = 0; child < r[i]; child++)
				sum += (c[child] - up) * (c[child] - up);
			mean[parent] = up;
		}
		total /= r[i];
		s2[i] = sum / (total * (r[i] - 1));
		t2[i] = i ? s2[i] - s2[i - 1] / r[i - 1] : s2[i];
	}
	up = mean[0];
	free(mean);
	return up;
}

double stat_sd_limit(double df, double confidence)
{
	return sqrt(df / gsl_cdf_chisq_Pinv(1 - confidence, df));
}

size_t stat_boots_for(double cv, double effect, double alpha, double power)
{
	double z = gsl_cdf_ugaussian_Qinv(alpha / 2) +
		   gsl_cdf_ugaussian_Pinv(power);
	double n = ceil(2 * z * z * (cv / effect) * (cv / effect) / .955);

	return effect > 0 && n < 1e9 ? n : 0;
}

/*
 * Returns whether @n boots a side are enough, with the quantiles of Student's t
 * for @n boots.
 */
static bool t_is_enough(size_t n, double ratio, double alpha, double power)
{
	double t = gsl_cdf_tdist_Qinv(alpha / 2, 2. * n - 2) +
		   gsl_cdf_tdist_Pinv(power, 2. * n - 2);

	return n >= 2 * t * t * ratio * ratio;
}

static size_t boots_for_t(double cv, double effect, double alpha, double power)
{
	size_t low = 1, high = 2, mid;

	if (!(effect > 0))
		return 0;
	for (; !t_is_enough(high, cv / effect, alpha, power); high *= 2) {
		low = high;
		if (high > 1e9)
			return 0;
	}
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (t_is_enough(mid, cv / effect, alpha, power))
			high = mid;
		else
			low = mid;
	}
	return high;
}

size_t stat_boots_in_table(double cv, double effect, double alpha,
			   double power, size_t family)
{
	size_t least = stat_rank_least(family, alpha);
	size_t n = boots_for_t(cv, effect, alpha / family, power);

	if (n && n < least)
		return n > stat_rank_least(1, alpha) ? n :
						       stat_rank_least(1, alpha);
	n = stat_boots_for(cv, effect, alpha / family, power);
	if (!n && cv > 0)
		return 0;
	return n > least ? n : least;
}

struct stat_trend stat_kendall(const double *y, size_t n)
{
	double s = 0, tied = 0, pairs = n * (n - 1.) / 2, ties, var, z;
	struct stat_trend t = { NAN, NAN };
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++) {
			s += (y[i] > y[j]) - (y[i] < y[j]);
			tied += y[i] == y[j];
		}
	if (n < 3 || tied == pairs)
		return t;
	t.tau = s / sqrt(pairs * (pairs - tied));
	/* sum over groups of t equal values of t(t-1)(2t+5) */
	ties = 0;
	for (i = 0; i < n; i++) {
		double same = 0;

		for (j = 0; j < n; j++)
			same += y[j] == y[i];
		ties += (same - 1) * (2 * same + 5);
	}
	var = (n * (n - 1.) * (2. * n + 5) - ties) / 18;
	z = fmax(fabs(s) - 1, 0) / sqrt(var);
	t.p = fmin(2 * gsl_cdf_ugaussian_Q(z), 1);
	return t;
}

/* --- change points --- */

/*
 * Finds the largest energy statistic of a split of y[0..n-1], and where. With A the
 * sum of distances across, B and C those within, it is mn/(m+n) times
 * 2A/mn - 2B/m(m-1) - 2C/n(n-1). The sums are updated as the split moves.
 */
static double best_split(const double *y, size_t n, size_t min, size_t *at)
{
	double across = 0, left = 0, right = 0, best = -INFINITY;
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < i; k++)
			right += fabs(y[i] - y[k]);
	for (k = 1; k < n; k++) {
		double to_left = 0, to_right = 0, a = k, b = n - k, q;

		/* y[k - 1] moves from the right part to the left one */
		for (i = 0; i + 1 < k; i++)
			to_left += fabs(y[k - 1] - y[i]);
		for (i = k; i < n; i++)
			to_right += fabs(y[k - 1] - y[i]);
		left += to_left;
		right -= to_right;
		across += to_right - to_left;
		if (k < min || n - k < min)
			continue;
		q = a * b / (a + b) * (2 * across / (a * b) -
				       2 * left / (a * (a - 1)) -
				       2 * right / (b * (b - 1)));
		if (q > best) {
			best = q;
			*at = k;
		}
	}
	return best;
}

static void shuffle(double *v, size_t n, gsl_rng *rng)
{
	while (n > 1) {
		size_t j = pick(rng, 0, n--);
		double t = v[n];

		v[n] = v[j];
		v[j] = t;
	}
}

struct e_divisive {
	const double *y;
	size_t min, permutations;
	double alpha;
	gsl_rng *rng;
	double *scratch;
	size_t *at, nr;
};

static void divide(struct e_divisive *e, size_t from, size_t to)
{
	size_t n = to - from, at = 0, ignored, worse = 0, i;
	double q;

	if (n < 2 * e->min)
		return;
	q = best_split(e->y + from, n, e->min, &at);
	memcpy(e->scratch, e->y + from, n * sizeof(*e->scratch));
	for (i = 0; i < e->permutations; i++) {
		if ((worse + 1.) / (e->permutations + 1.) > e->alpha)
			return;
		shuffle(e->scratch, n, e->rng);
		worse += best_split(e->scratch, n, e->min, &ignored) >=
			 q * (1 - 1e-9);
	}
	if ((worse + 1.) / (e->permutations + 1.) > e->alpha)
		return;
	divide(e, from, from + at);
	e->at[e->nr++] = from + at;
	divide(e, from + at, to);
}

size_t stat_e_divisive(const double *y, size_t n, size_t min, double alpha,
		       size_t permutations, uint64_t seed, size_t *at)
{
	struct e_divisive e = {
		.y = y, .min = min, .permutations = permutations,
		.alpha = alpha, .rng = gsl_rng_alloc(gsl_rng_mt19937),
		.scratch = xcalloc(n, sizeof(double)), .at = at,
	};

	gsl_rng_set(e.rng, seed);
	divide(&e, 0, n);
	gsl_rng_free(e.rng);
	free(e.scratch);
	return e.nr;
}
