// SPDX-License-Identifier: GPL-2.0
/*
 * levels: how often ptelab compare is wrong of made-up runs, and how often it
 * sees what is there, beside the rule that it had before. Exact counts, races,
 * timed rows with and without a drift, intervals, boots that it asks for, and
 * trends.
 *
 *	levels [TABLES]
 */
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/judge/compare.h"
#include "analysis/judge/plan.h"
#include "tests/analysis/made_side.h"
#include "tests/calibrate/rivals.h"

#define MAX_ROWS	100
#define MAX_BOOTS	2000

static gsl_rng *rng;
static size_t tables = 200;

/* One table: v[side][row * boots + boot], and when each boot started. */
struct table {
	const char *mode, *metric;
	size_t rows, boots;
	double *v[2], *at[2];
};

static struct table table_new(const char *mode, const char *metric, size_t rows,
			      size_t boots)
{
	struct table t = { mode, metric, rows, boots, { NULL }, { NULL } };
	size_t k;

	for (k = 0; k < 2; k++) {
		t.v[k] = xcalloc(rows * boots, sizeof(double));
		t.at[k] = xcalloc(boots, sizeof(double));
	}
	return t;
}

static void table_free(struct table *t)
{
	size_t k;

	for (k = 0; k < 2; k++) {
		free(t->v[k]);
		free(t->at[k]);
	}
}

/* What compare says of a table, and what a test is to look at. */
struct said {
	bool any;	/* a difference, or a finding above "info" */
	bool first;	/* the first row differs, in the right direction */
	bool equivalent;	/* the first row */
	double ratio_low, ratio_high;
	size_t needed, needed_before;
	enum verdict verdict;
};

/* How boots were planned before: for what they seem to show. */
static size_t needed_before(const struct result *r, size_t family)
{
	double cv = fmax(sqrt(stat_variance(r->base.v, r->base.nr)) /
			 stat_mean(r->base.v, r->base.nr),
			 sqrt(stat_variance(r->new.v, r->new.nr)) /
			 stat_mean(r->new.v, r->new.nr));
	size_t n = stat_boots_in_table(cv, fmax(log1p(.01), fabs(log(r->ratio))),
				       .05, .8, family);

	return n > r->base.nr ? n : r->base.nr + 1;
}

static struct said ask(const struct table *t, bool timed)
{
	struct compare_options o = compare_defaults;
	struct side *side[2];
	struct comparison *c;
	struct said said = { 0 };
	size_t i, k;

	o.resamples = 1000;
	for (k = 0; k < 2; k++)
		side[k] = made_side(&(struct made){ k ? "new" : "base", t->mode,
				    t->metric, t->rows, t->boots, t->v[k],
				    timed ? t->at[k] : NULL });
	c = compare_sides(side[0], side[1], &o);
	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		said.any |= is_difference(r);
		if (json_integer_value(json_object_get(r->point->params, "row")))
			continue;
		said.first = is_difference(r) && r->delta > 0;
		said.equivalent = r->verdict == VERDICT_EQUIVALENT;
		said.ratio_low = r->ci_low;
		said.ratio_high = r->ci_high;
		said.verdict = r->verdict;
		said.needed = r->boots_needed;
		if (t->metric[0] == 'n' && t->boots >= STAT_MIN_BOOTS)
			said.needed_before = needed_before(r, c->family);
	}
	for (i = 0; i < c->nr_findings; i++)
		said.any |= c->findings[i].severity > SEVERITY_INFO;
	comparison_free(c);
	side_free(side[0]);
	side_free(side[1]);
	return said;
}

static const double *row_of(const struct table *t, size_t side, size_t row)
{
	return t->v[side] + row * t->boots;
}

/* Any row's ranges are apart: what a finding was made of. */
static bool any_apart(const struct table *t)
{
	size_t row;

	for (row = 0; row < t->rows; row++)
		if (!rival_ranges(row_of(t, 0, row), t->boots,
				  row_of(t, 1, row), t->boots))
			return true;
	return false;
}

static bool first_apart(const struct table *t)
{
	return !rival_ranges(row_of(t, 0, 0), t->boots, row_of(t, 1, 0),
			     t->boots);
}

static double percent(size_t part)
{
	return 100. * part / tables;
}

/* So many times more tables say how many are false than how much is seen. */
#define LIKE	10

/* --- exact --- */

/* A row that varies has a heavy tail; new draws as base, in @shared of seeds. */
static void fill_exact(struct table *t, double shared, double effect,
		       bool varying)
{
	size_t row, i;

	for (row = 0; row < t->rows; row++)
		for (i = 0; i < t->boots; i++) {
			bool varies = row || varying;
			double *b = &t->v[0][row * t->boots + i];
			double *n = &t->v[1][row * t->boots + i];

			*b = 1000 + varies * floor(gsl_ran_lognormal(rng, 1, 2));
			*n = !varies || gsl_rng_uniform(rng) < shared ? *b :
			     1000 + floor(gsl_ran_lognormal(rng, 1, 2));
			*n += row ? 0 : effect;
		}
}

static void exact(void)
{
	static const double effect[] = { 1, 5, 25, 1000 };
	static const size_t seeds[] = { 2, 3, 4, 5 };
	size_t s, e, i, varying;

	puts("\nExact, not judged by code: 75 rows that vary, seeds 80% shared. False tables, and\npower for a row that varies not / that varies, at +1, +5, +25, +1000");
	for (s = 0; s < ARRAY_SIZE(seeds); s++) {
		struct table t = table_new("exact", "faults.minor", 75, seeds[s]);
		size_t level = 0, old = 0, seen[4][2] = { 0 };
		size_t old_seen[4][2] = { 0 };

		for (i = 0; i < tables; i++) {
			fill_exact(&t, .8, 0, true);
			level += ask(&t, false).any;
			old += any_apart(&t);
			for (e = 0; e < 4; e++)
				for (varying = 0; varying < 2; varying++) {
					fill_exact(&t, .8, effect[e], varying);
					seen[e][varying] += ask(&t, false).first;
					old_seen[e][varying] += first_apart(&t);
				}
		}
		printf("  %zu seeds  compare      %5.1f%%  ", seeds[s], percent(level));
		for (e = 0; e < 4; e++)
			printf("  %3.0f/%3.0f", percent(seen[e][0]), percent(seen[e][1]));
		printf("\n           ranges apart %5.1f%%  ", percent(old));
		for (e = 0; e < 4; e++)
			printf("  %3.0f/%3.0f", percent(old_seen[e][0]), percent(old_seen[e][1]));
		putchar('\n');
		table_free(&t);
	}
}

/* --- races --- */

/* The first row of new is @factor times as much. */
static void fill_race(struct table *t, double factor)
{
	size_t row, k, i;

	for (k = 0; k < 2; k++)
		for (row = 0; row < t->rows; row++)
			for (i = 0; i < t->boots; i++)
				t->v[k][row * t->boots + i] = row ?
					gsl_ran_poisson(rng, row * 3) :
					gsl_ran_poisson(rng, 40) *
					(k ? factor : 1);
}

static void race(void)
{
	static const size_t boots[] = { 3, 5, 8 };
	size_t s, i;

	puts("\nRaces: 36 rows. Tables of one kernel with a difference or a warning, and how often\na row that is twice as much is seen");
	for (s = 0; s < ARRAY_SIZE(boots); s++) {
		struct table t = table_new("race", "lockless_retries", 36, boots[s]);
		size_t level = 0, old = 0, seen = 0;

		for (i = 0; i < tables; i++) {
			fill_race(&t, 1);
			level += ask(&t, false).any;
			old += any_apart(&t);
			fill_race(&t, 2);
			seen += ask(&t, false).first;
		}
		printf("  %zu boots  compare %5.1f%%, seen %3.0f%%; findings by ranges %5.1f%%\n",
		       boots[s], percent(level), percent(seen), percent(old));
		table_free(&t);
	}
}

/* --- timed --- */

enum noise { NORMAL, NOISY, TAILS, MODES, SKEWED, UNEQUAL, SHARED, NR_NOISES };

static const char *const noise_name[] = {
	"boots differ by .5%", "boots differ by 1.5%", "heavy tails (t3)",
	"one boot in five 4% slower", "skewed", "new twice as noisy",
	"boots shared by rows",
};

static double draw(enum noise kind, size_t side, double common)
{
	switch (kind) {
	case NOISY:
		return gsl_ran_gaussian(rng, .015);
	case TAILS:
		return .003 * gsl_ran_tdist(rng, 3);
	case MODES:
		return gsl_ran_gaussian(rng, .003) +
		       .04 * (gsl_rng_uniform(rng) < .2);
	case SKEWED:
		return gsl_ran_exponential(rng, .005);
	case UNEQUAL:
		return gsl_ran_gaussian(rng, .005 * (1 + side));
	case SHARED:
		return common + gsl_ran_gaussian(rng, .002);
	default:
		return gsl_ran_gaussian(rng, .005);
	}
}

/* In the order ABBA BAAB, or all of base first; the first row of new slower. */
static void fill_timed(struct table *t, enum noise kind, double effect,
		       double drift, bool turns)
{
	size_t k, i, row;

	for (k = 0; k < 2; k++)
		for (i = 0; i < t->boots; i++) {
			double common = gsl_ran_gaussian(rng, .005);

			t->at[k][i] = turns ? 2 * i + ((i & 1) ^ k) :
					      k * t->boots + i;
			for (row = 0; row < t->rows; row++)
				t->v[k][row * t->boots + i] = 1000 *
					exp(draw(kind, k, common) +
					    (row ? 0 : k * log1p(effect)) +
					    drift * t->at[k][i] / (2 * t->boots));
		}
}

/* The rule without a look at the order: ranks, by Holm. */
static bool ranks_see(const struct table *t, bool any)
{
	double raw[MAX_ROWS], p[MAX_ROWS];
	size_t row;

	for (row = 0; row < t->rows; row++)
		raw[row] = stat_mann_whitney(row_of(t, 1, row), t->boots,
					   row_of(t, 0, row), t->boots).p;
	stat_holm(raw, t->rows, p);
	for (row = 1; any && row < t->rows; row++)
		p[0] = fmin(p[0], p[row]);
	return p[0] < .05;
}

static void timed_line(const char *name, enum noise kind, size_t boots,
		       double drift, bool turns)
{
	struct table t = table_new("timed", "ns", 8, boots);
	size_t level = 0, old = 0, seen = 0, old_seen = 0, covers = 0, i;
	size_t equal = 0;

	for (i = 0; i < LIKE * tables; i++) {
		struct said said;

		fill_timed(&t, kind, 0, drift, turns);
		said = ask(&t, true);
		level += said.any;
		covers += said.ratio_low <= 1 && said.ratio_high >= 1;
		old += ranks_see(&t, true);
	}
	for (i = 0; i < tables; i++) {
		fill_timed(&t, kind, .02, drift, turns);
		seen += ask(&t, true).first;
		old_seen += ranks_see(&t, false);
		fill_timed(&t, kind, .01, drift, turns);
		equal += ask(&t, true).equivalent;
	}
	printf("  %-27s %zu  %5.1f %5.1f   %4.0f %4.0f   %5.1f   %5.1f\n", name,
	       boots, percent(level) / LIKE, percent(old) / LIKE, percent(seen),
	       percent(old_seen), percent(covers) / LIKE, percent(equal));
	fflush(stdout);
	table_free(&t);
}

static void timed(void)
{
	enum noise n;

	puts("\nTimed: 8 rows. compare / ranks and Holm, which ignore the order\n"
	     "                         boots  false tables  2% seen    95% CI   1% called\n"
	     "                                                        covers  equivalent");
	for (n = 0; n < NR_NOISES; n++)
		timed_line(noise_name[n], n, 8, 0, true);
	timed_line(noise_name[NORMAL], NORMAL, 5, 0, true);
	timed_line(noise_name[UNEQUAL], UNEQUAL, 5, 0, true);
	timed_line("drift of 2%, in turn", NORMAL, 8, .02, true);
	timed_line("drift of 5%, in turn", NORMAL, 8, .05, true);
	timed_line("drift of 5%, in turn", NORMAL, 5, .05, true);
	timed_line("drift of 2%, base first", NORMAL, 4, .02, false);
	timed_line("drift of 2%, base first", NORMAL, 8, .02, false);
}

/* --- boots that settle --- */

static bool settles(size_t boots)
{
	struct table t = table_new("timed", "ns", 1, boots);
	bool seen;

	fill_timed(&t, NOISY, .01, 0, true);
	seen = ask(&t, false).first;
	table_free(&t);
	return seen;
}

static void boots_needed(void)
{
	static const size_t pilot[] = { 4, 5, 8 };
	size_t s, i;

	puts("\nA change of 1%, boots differ by 1.5%: of pilots that show none, with how many of\nthe boots that they ask for is it seen (80% is promised)");
	for (s = 0; s < ARRAY_SIZE(pilot); s++) {
		size_t pilots = 0, new = 0, old = 0, sum = 0, old_sum = 0;

		for (i = 0; i < tables; i++) {
			struct table t = table_new("timed", "ns", 1, pilot[s]);
			struct said said;

			fill_timed(&t, NOISY, .01, 0, true);
			said = ask(&t, false);
			table_free(&t);
			if (said.verdict != VERDICT_INCONCLUSIVE ||
			    said.needed > MAX_BOOTS)
				continue;
			pilots++;
			sum += said.needed;
			old_sum += said.needed_before;
			new += settles(said.needed);
			old += settles(said.needed_before);
		}
		printf("  %zu boots: %3.0f%% (%zu boots on average); planned as before: %3.0f%% (%zu)\n",
		       pilot[s], 100. * new / pilots, sum / pilots,
		       100. * old / pilots, old_sum / pilots);
	}
}

/* What plan asks for, of the boots of one kernel. */
static size_t planned(const double *v, size_t boots)
{
	struct stat_group *g = xcalloc(boots, sizeof(*g));
	struct stat_boot *b = xcalloc(boots, sizeof(*b));
	struct plan p = { .options = &plan_defaults, .rows = 1, .processes = 1 };
	struct nest n = { .boots = b, .nr = boots };
	struct plan_row r = { 0 };
	size_t i, needed = 0;

	for (i = 0; i < boots; i++) {
		g[i] = (struct stat_group){ .v = v + i, .nr = 1 };
		b[i] = (struct stat_boot){ &g[i], 1 };
	}
	if (plan_levels(&r, &n))
		needed = plan_boots(&p, &r, plan_defaults.effect, 1);
	free(g);
	free(b);
	return needed;
}

static void plans(void)
{
	static const size_t pilot[] = { 2, 4, 8 };
	size_t s, i;

	puts("\nThe same, of what plan asks for after some boots of one kernel");
	for (s = 0; s < ARRAY_SIZE(pilot); s++) {
		size_t plans = 0, seen = 0, sum = 0;

		for (i = 0; i < tables; i++) {
			struct table t = table_new("timed", "ns", 1, pilot[s]);
			size_t needed;

			fill_timed(&t, NOISY, 0, 0, true);
			needed = planned(t.v[0], pilot[s]);
			table_free(&t);
			if (!needed || needed > MAX_BOOTS)
				continue;
			plans++;
			sum += needed;
			seen += settles(needed);
		}
		printf("  %zu boots: %3.0f%% (%zu boots on average)\n", pilot[s],
		       100. * seen / plans, sum / plans);
	}
}

/* --- trends --- */

/* Whether any of 8 rows of 20 runs of 4 boots has a change point. */
static bool trend(double step, bool before)
{
	enum { ROWS = 8, RUNS = 20, BOOTS = 4 };
	double v[RUNS * BOOTS], median[RUNS];
	size_t at[RUNS * BOOTS], row, i, j;
	bool any = false;

	for (row = 0; row < ROWS; row++) {
		for (i = 0; i < RUNS; i++) {
			double run = gsl_ran_gaussian(rng, .005) +
				     (i >= RUNS / 2 && !row ? step : 0);

			for (j = 0; j < BOOTS; j++)
				v[i * BOOTS + j] = run +
						   gsl_ran_gaussian(rng, .002);
			median[i] = stat_median(v + i * BOOTS, BOOTS);
		}
		any |= before ?
		       stat_e_divisive(v, RUNS * BOOTS, 2, .01, 499, 1, at) :
		       stat_e_divisive(median, RUNS, 2, .05 / ROWS,
				       4 * ROWS / .05, 1, at);
		if (any)
			break;
	}
	return any;
}

static void trends(void)
{
	static const double step[] = { 0, .02 };
	size_t s, i;

	puts("\nTrends of 8 rows over 20 runs of 4 boots, runs differ by .5%, boots by .2%: with a\nchange point");
	for (s = 0; s < ARRAY_SIZE(step); s++) {
		size_t new = 0, old = 0;

		for (i = 0; i < tables; i++) {
			new += trend(step[s], false);
			old += trend(step[s], true);
		}
		printf("  a step of %g%%: %5.1f%%; of boots, as before: %5.1f%%\n",
		       100 * step[s], percent(new), percent(old));
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		tables = strtoul(argv[1], NULL, 10);
	if (tables < 20) {
		fputs("levels: at least 20 tables\n", stderr);
		return 2;
	}
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	exact();
	race();
	timed();
	boots_needed();
	plans();
	trends();
	gsl_rng_free(rng);
	return 0;
}
