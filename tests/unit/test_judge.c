// SPDX-License-Identifier: GPL-2.0
/*
 * What compare says of made-up runs, of which the truth is known: how often it
 * is wrong, and how often it sees what is there.
 */
#include "tests/unit/analysis_test.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/judge/compare.h"
#include "tests/analysis/fixture.h"
#include "tests/analysis/made_side.h"

/* Two sides of the same mode and metric, compared. */
static struct comparison *compare_made(const struct made *base,
				       const struct made *new,
				       struct side *side[2])
{
	side[0] = made_side(base);
	side[1] = made_side(new);
	return compare_sides(side[0], side[1], &compare_defaults);
}

static void free_made(struct comparison *c, struct side *side[2])
{
	comparison_free(c);
	side_free(side[0]);
	side_free(side[1]);
}

/*
 * Null: of 200 tables of two like races, 12 rows of 5 boots, whose counts have
 * one of two values with some jitter, at most 5 % have a difference.
 */
TEST(race_alarms)
{
	double v[2][12 * 5];
	struct made m[2] = { { "base", "race", "faults.minor", 12, 5, v[0],
			       NULL },
			     { "new", "race", "faults.minor", 12, 5, v[1],
			       NULL } };
	unsigned int round, alarms = 0, i;
	struct side *side[2];

	srand48(1);
	for (round = 0; round < 200; round++) {
		struct comparison *c;

		for (i = 0; i < 2 * 12 * 5; i++)
			v[i / 60][i % 60] = (drand48() < .5 ? 1 : 100) +
					    drand48() / 100;
		c = compare_made(&m[0], &m[1], side);
		alarms += c->count[VERDICT_REGRESSION] ||
			  c->count[VERDICT_IMPROVEMENT] || c->nr_findings;
		free_made(c, side);
	}
	print_message("%u of 200 tables of races raise a false alarm\n", alarms);
	assert_true(alarms <= 20);
}

/* From 0 to 20: there is no ratio, and yet a difference. */
TEST(near_zero)
{
	static const double base[] = { -.2, .1, 0, -.1, .2, .05, -.05, .15 };
	static const double new[] = { 20, 19, 21, 20.5, 19.5, 20.2, 19.8, 20.1 };
	struct side *side[2];
	struct comparison *c = compare_made(
		&(struct made){ "base", "timed", "barrier_ns", 1, 8, base, NULL },
		&(struct made){ "new", "timed", "barrier_ns", 1, 8, new, NULL },
		side);

	assert_true(isnan(c->results[0].ci_low));
	assert_int_equal(c->results[0].verdict, VERDICT_REGRESSION);
	free_made(c, side);
	/* Nor is there a margin of it: no number of boots shows that it is equal. */
	c = compare_made(
		&(struct made){ "base", "timed", "barrier_ns", 1, 8, base, NULL },
		&(struct made){ "new", "timed", "barrier_ns", 1, 8, base, NULL },
		side);
	assert_int_equal(c->results[0].verdict, VERDICT_INCONCLUSIVE);
	assert_non_null(strstr(c->results[0].why, "near 0"));
	assert_int_equal(c->results[0].boots_needed, 0);
	free_made(c, side);
}

/*
 * Tables of 4 rows of @boots a side, a drift of @drift over the session, in the
 * order ABBA BAAB or base first: how many have any verdict but "inconclusive".
 */
static unsigned int drifted(size_t boots, double drift, double effect,
			    bool in_turn)
{
	double v[2][4 * 16], at[2][16];
	struct made m[2] = { { "base", "timed", "ns", 4, boots, v[0], at[0] },
			     { "new", "timed", "ns", 4, boots, v[1], at[1] } };
	unsigned int round, seen = 0;
	struct side *side[2];
	size_t i, k, row;

	for (round = 0; round < 100; round++) {
		struct comparison *c;

		for (i = 0; i < boots; i++)
			for (k = 0; k < 2; k++)
				at[k][i] = in_turn ? 2 * i + ((i & 1) ^ k) :
						     k * boots + i;
		for (k = 0; k < 2; k++)
			for (row = 0; row < 4; row++)
				for (i = 0; i < boots; i++)
					v[k][row * boots + i] = 100 *
						(1 + effect * k +
						 drift * at[k][i] / (2 * boots) +
						 .005 * fixture_noise(100 * round + row,
							2 * i + k, "drift"));
		c = compare_made(&m[0], &m[1], side);
		seen += c->count[VERDICT_REGRESSION] ||
			c->count[VERDICT_IMPROVEMENT];
		free_made(c, side);
	}
	return seen;
}

TEST(drifts)
{
	unsigned int level = drifted(8, .05, 0, true);
	unsigned int power = drifted(8, .05, .02, true);

	print_message("drift of 5 %%: %u of 100 tables false, 2 %% seen in %u\n",
		      level, power);
	assert_true(level <= 10);
	assert_true(power >= 90);
	/* of few boots the line costs more */
	level = drifted(5, .05, 0, true);
	print_message("of 5 boots: %u false\n", level);
	assert_true(level <= 10);
	/* nothing is told of kernels that did not take turns */
	assert_int_equal(drifted(8, .02, 0, false), 0);
}

/*
 * Tables of 8 rows of 5 boots a side, of which those of new vary four times as
 * much: how many of 200 have a difference. Relabelling alone sees one in 37.
 */
TEST(noisier)
{
	double v[2][8 * 5];
	unsigned int round, alarms = 0, i, k;
	struct side *side[2];

	for (round = 0; round < 200; round++) {
		struct comparison *c;

		for (k = 0; k < 2; k++)
			for (i = 0; i < 8 * 5; i++)
				v[k][i] = 100 + (k ? 2 : .5) *
					  fixture_noise(round, 2 * i + k, "noisier");
		c = compare_made(
			&(struct made){ "base", "timed", "ns", 8, 5, v[0], NULL },
			&(struct made){ "new", "timed", "ns", 8, 5, v[1], NULL },
			side);
		alarms += c->count[VERDICT_REGRESSION] ||
			  c->count[VERDICT_IMPROVEMENT];
		free_made(c, side);
	}
	print_message("new is noisier: %u of 200 tables false\n", alarms);
	assert_true(alarms <= 20);
}

/* A comparison of @boots a side that differ by 1 %, as do the kernels. */
static enum verdict one_percent(size_t boots, unsigned int round,
				size_t *needed)
{
	double *v = xcalloc(2 * boots, sizeof(*v));
	struct side *side[2];
	struct comparison *c;
	enum verdict verdict;
	size_t i;

	for (i = 0; i < 2 * boots; i++)
		v[i] = 100 * exp(.01 * fixture_noise(round, i, "noise") +
				 (i < boots ? 0 : .01));
	c = compare_made(&(struct made){ "base", "timed", "ns", 1, boots, v,
					 NULL },
			 &(struct made){ "new", "timed", "ns", 1, boots,
					 v + boots, NULL }, side);
	verdict = c->results[0].verdict;
	*needed = c->results[0].boots_needed;
	free_made(c, side);
	free(v);
	return verdict;
}

/* What an inconclusive run says would settle it does so, in four of five. */
TEST(boots_needed_settle)
{
	unsigned int pilots = 0, seen = 0, round;
	size_t needed, ignored;

	for (round = 0; round < 150; round++) {
		if (one_percent(5, round, &needed) != VERDICT_INCONCLUSIVE)
			continue;
		pilots++;
		seen += one_percent(needed, 1000 + round, &ignored) ==
			VERDICT_REGRESSION;
	}
	print_message("a change of 1 %% is seen in %u of %u\n", seen, pilots);
	assert_true(5 * seen >= 4 * pilots - pilots / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(race_alarms),
		cmocka_unit_test(near_zero),
		cmocka_unit_test(drifts),
		cmocka_unit_test(noisier),
		cmocka_unit_test(boots_needed_settle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
