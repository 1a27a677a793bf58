// SPDX-License-Identifier: GPL-2.0
/* Long lists of batches: what is kept of them, and how they leave the JSON. */
#include "tests/unit/analysis_test.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <stdlib.h>
#include <string.h>

#include "lib/batches.h"
#include "lib/stat.h"

static double *values(size_t nr, unsigned long seed)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double *v = xcalloc(nr, sizeof(*v));
	size_t i;

	gsl_rng_set(rng, seed);
	for (i = 0; i < nr; i++)	/* whole numbers, so there are ties */
		v[i] = rint(1000 + gsl_ran_gaussian(rng, 20));
	gsl_rng_free(rng);
	return v;
}

static double *copy_of(const double *v, size_t nr)
{
	double *c = xcalloc(nr, sizeof(*c));

	memcpy(c, v, nr * sizeof(*c));
	return c;
}

TEST(ranks)
{
	size_t nr, k;

	for (nr = 1; nr < 40; nr++)
		for (k = 0; k < nr; k++) {
			double *v = values(nr, nr), *s = copy_of(v, nr);

			stat_sort(s, nr);
			select_rank(v, nr, k);
			near(v[k], s[k], 0);
			free(v);
			free(s);
		}
}

/* Sorted, reversed and constant lists are what quickselect is known to fear. */
TEST(ranks_of_hard_lists)
{
	enum { NR = 200000 };
	double *v = xcalloc(NR, sizeof(*v));
	size_t i;

	for (i = 0; i < NR; i++)
		v[i] = i;
	select_rank(v, NR, NR / 3);
	near(v[NR / 3], NR / 3, 0);
	for (i = 0; i < NR; i++)
		v[i] = NR - i;
	select_rank(v, NR, 5);
	near(v[5], 6, 0);
	for (i = 0; i < NR; i++)
		v[i] = 7;
	select_rank(v, NR, NR - 1);
	near(v[NR - 1], 7, 0);
	free(v);
}

static void kept(size_t nr)
{
	double *v = values(nr, 3), *s = copy_of(v, nr);
	struct batch_list *b = batches_take(s, nr);
	size_t i;

	assert_int_equal(b->nr, nr);
	near(b->mean, stat_mean(v, nr), 1e-12);
	near(b->variance, nr > 1 ? stat_variance(v, nr) : 0, 1e-9);
	for (i = 0; i < b->nr_sample; i++)
		near(b->sample[i], v[i * nr / b->nr_sample], 0);
	stat_sort(s, nr);
	near(b->min, s[0], 0);
	near(b->max, s[nr - 1], 0);
	near(b->low_quartile, s[nr / 4], 0);
	near(b->high_quartile, s[nr - 1 - nr / 4], 0);
	for (i = 0; i < b->nr_middle; i++)
		near(b->middle[i], s[b->first + i], 0);
	assert_true(b->first <= (nr - 1) / 2);
	assert_true(b->first + b->nr_middle > nr / 2);
	batches_free(b);
	free(v);
	free(s);
}

TEST(what_is_kept)
{
	static const size_t nr[] = { 1, 2, 3, 7, 60, 90, 1024, 4097, 100000 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(nr); i++)
		kept(nr[i]);
}

TEST(outliers_are_counted)
{
	double *v = values(5000, 4);
	struct batch_list *b;

	v[7] = 9000;
	v[8] = 1;
	b = batches_take(v, 5000);
	assert_int_equal(b->outliers, 2);
	batches_free(b);
	free(v);
}

struct taken {
	double *v;
	size_t nr, calls;
};

static size_t take(void *ctx, double *v, size_t nr)
{
	struct taken *t = ctx;

	free(t->v);
	t->v = copy_of(v, nr);
	t->nr = nr;
	return t->calls++;
}

/* A text with a list of @nr numbers, of which @odd is the last. */
static char *text_of(size_t nr, const char *odd)
{
	char *text = xcalloc(nr * 8 + 200, 1);
	size_t at, i;

	at = sprintf(text, "{\"a\\\"[1,2\":[1,2],\"ns\":[");
	for (i = 0; i + 1 < nr; i++)
		at += sprintf(text + at, "%zu,", i);
	sprintf(text + at, " %s ],\"b\":\"x\"}", odd);
	return text;
}

static char *extract(const char *text, struct taken *t)
{
	char *out = xcalloc(strlen(text) + 1, 1);
	size_t len;

	memset(t, 0, sizeof(*t));
	len = batches_extract(text, strlen(text), out, take, t);
	assert_int_equal(len, strlen(out));
	return out;
}

TEST(lists_leave_the_text)
{
	static const struct { const char *text; double value; } number[] = {
		{ "12.5", 12.5 }, { "-0", 0 }, { "1e3", 1e3 },
		{ "0.1", .1 }, { "123456789.123456789", 123456789.123456789 },
		{ "9007199254740993", 9007199254740993. },
		{ "-2.5E-3", -2.5e-3 }, { "17976931348623157e292", 1.7976931348623157e308 },
	};
	struct taken t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(number); i++) {
		char *text = text_of(BATCHES_MIN, number[i].text);
		char *out = extract(text, &t);

		assert_string_equal(out, "{\"a\\\"[1,2\":[1,2],\"ns\":{\"list\":0},\"b\":\"x\"}");
		assert_int_equal(t.nr, BATCHES_MIN);
		near(t.v[t.nr - 1], number[i].value, 0);
		near(t.v[1022], 1022, 0);
		free(t.v);
		free(out);
		free(text);
	}
}

/* What is no list of numbers, or a short one, is left for the parser. */
TEST(other_lists_stay)
{
	static const char *const odd[] = { "x", "1.", ".5", "+1", "01", "1e",
					   "1e999", "\"1\"", "null", "[1]",
					   "", "1 2" };
	struct taken t;
	char *text, *out;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		text = text_of(BATCHES_MIN, odd[i]);
		out = extract(text, &t);
		assert_string_equal(out, text);
		assert_int_equal(t.calls, 0);
		free(out);
		free(text);
	}
	text = text_of(BATCHES_MIN - 1, "5");
	out = extract(text, &t);
	assert_string_equal(out, text);
	free(out);
	/* cut short anywhere, also within a string or a number */
	for (i = 0; i < strlen(text); i += 37) {
		char *part = strndup(text, i);

		out = extract(part, &t);
		assert_string_equal(out, part);
		free(out);
		free(part);
	}
	free(text);
}

/* The center of a list's middle is that of the list. */
TEST(center_of_the_middle)
{
	size_t nr;

	for (nr = 2000; nr <= 2001; nr++) {
		double *v = values(nr, nr), *copy = copy_of(v, nr);
		struct batch_list *b = batches_take(copy, nr);
		struct stat_group all = { .v = v, .nr = nr };
		struct stat_group middle = { .v = b->middle,
			.nr = b->nr_middle, .of = nr, .first = b->first,
			.mean = b->mean, .sd = sqrt(b->variance) };
		struct stat_boot whole = { &all, 1 }, part = { &middle, 1 };

		near(stat_nested(&part, 1, stat_median),
		     stat_nested(&whole, 1, stat_median), 0);
		near(stat_nested(&part, 1, stat_mean),
		     stat_nested(&whole, 1, stat_mean), 1e-12);
		batches_free(b);
		free(copy);
		free(v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks),
		cmocka_unit_test(ranks_of_hard_lists),
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(outliers_are_counted),
		cmocka_unit_test(lists_leave_the_text),
		cmocka_unit_test(other_lists_stay),
		cmocka_unit_test(center_of_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
