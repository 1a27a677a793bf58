// SPDX-License-Identifier: GPL-2.0
/* Numbers, wrapped text and tables: what people paste into mail. */
#include "tests/unit/analysis_test.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/table.h"

static const char *number(double v, int decimals)
{
	static char buf[NUMBER_SIZE];

	return format_number(v, decimals, buf);
}

static const char *change(double ratio, double delta, enum tier tier)
{
	static char buf[NUMBER_SIZE];

	return format_change(ratio, delta, tier, buf);
}

TEST(numbers)
{
	char buf[NUMBER_SIZE];

	assert_string_equal(number(16, 0), "16");
	assert_string_equal(number(331.5, 2), "331.50");
	assert_string_equal(number(0, 5), "0");
	assert_string_equal(number(NAN, 2), "-");
	assert_string_equal(number(1e15, 0), "1e+15");
	assert_string_equal(number(123456789012., 0), "123456789012");
	assert_string_equal(number(-1e300, 3), "-1e+300");
	assert_string_equal(format_delta(0, 2, buf), "0");
	assert_string_equal(format_delta(1.5, 1, buf), "+1.5");
	assert_string_equal(format_delta(-1.5, 1, buf), "-1.5");
	assert_string_equal(format_p(.0004, buf), "p < 0.001");
	assert_string_equal(format_p(.0285714, buf), "p 0.029");
	assert_string_equal(format_p(.5, buf), "p 0.50");
}

static int decimals(double a, double b, enum tier tier)
{
	const double v[] = { a, b };

	return decimals_for(v, 2, b - a, tier);
}

/* As many digits as it takes to see the difference, and no more. */
TEST(enough_digits)
{
	assert_int_equal(decimals(16, 0, TIER_EXACT), 0);
	assert_int_equal(decimals(331.5, 120, TIER_EXACT), 1);
	assert_int_equal(decimals(331.5, 331.5009765625, TIER_EXACT), 5);
	assert_int_equal(decimals(223857.25, 60561.5, TIER_EXACT), 1);
	assert_int_equal(decimals(1. / 3, 2. / 3, TIER_EXACT), 3);
	assert_int_equal(decimals(0, .0078125, TIER_EXACT), 5);
	assert_int_equal(decimals(.25, .25, TIER_EXACT), 2);
	assert_int_equal(decimals(1238.6041, 831.77, TIER_TIMED), 1);
	assert_int_equal(decimals(123860.41, 83177.3, TIER_TIMED), 0);
	assert_int_equal(decimals(NAN, 2, TIER_EXACT), 0);
}

TEST(changes)
{
	assert_string_equal(change(.365, -6, TIER_EXACT), "-63.5%");
	assert_string_equal(change(1, 0, TIER_EXACT), "same");
	assert_string_equal(change(NAN, 0, TIER_EXACT), "same");
	assert_string_equal(change(NAN, 3, TIER_EXACT), "from 0");
	assert_string_equal(change(0, -3, TIER_EXACT), "-100.0%");
	assert_string_equal(change(12.5, 3, TIER_EXACT), "+3.0");
	assert_string_equal(change(1.00004, 3, TIER_EXACT), "+0.004%");
	assert_string_equal(change(1.00004, 3, TIER_TIMED), "+0.0%");
	assert_string_equal(change(1 + 1e-12, 1, TIER_EXACT), "+~0%");
}

/* What @print writes, freed by the caller. */
#define PRINTED(call) ({						\
	char *text_;							\
	size_t len_;							\
	FILE *f = open_memstream(&text_, &len_);			\
									\
	call;								\
	fclose(f);							\
	text_;								\
})

static size_t widest(const char *text)
{
	size_t most = 0, n;

	for (; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		most = n > most ? n : most;
	}
	return most;
}

TEST(wrapping)
{
	char *s = PRINTED(print_wrapped(f, "aa bb  cc ddddddddddddd e", 0, 2, 8));

	assert_string_equal(s, "aa bb cc\n  dddddd\n  dddddd\n  d e\n");
	free(s);
	s = PRINTED(print_wrapped(f, "", 2, 2, 8));
	assert_string_equal(s, "  \n");
	free(s);
	s = PRINTED(print_labelled(f, "ab", 4, "%s", "x y"));
	assert_string_equal(s, "ab    x y\n");
	free(s);
	s = PRINTED(print_line(f, 0, 2, "%0200d %s", 7, "tail"));
	assert_true(widest(s) <= MAIL_WIDTH);
	assert_non_null(strstr(s, "tail"));
	free(s);
}

TEST(cleaning)
{
	static const char *const of[][2] = {
		{ "a\033[31mb\n\tc\x7f", "a?[31mb  c?" },
		/* letters of two, three and four bytes */
		{ "J\xc3\xbcrgen \xe6\x97\xa5 \xf0\x9f\x98\x80",
		  "J\xc3\xbcrgen \xe6\x97\xa5 \xf0\x9f\x98\x80" },
		/* a control character, one that turns the direction */
		{ "a\302\233b\342\200\256c", "a??b???c" },
		/* cut short, too long for what it is, half of a pair, no start */
		{ "\xc3", "?" }, { "\xe6\x97", "??" },
		{ "\xc0\xaf", "??" }, { "\xe0\x82\xa9", "???" },
		{ "\xed\xa0\x80", "???" }, { "\x80", "?" },
		{ "\xf4\x90\x80\x80", "????" }, { "\xff", "?" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(of); i++) {
		char *s = clean_text(of[i][0]);

		assert_string_equal(s, of[i][1]);
		free(s);
	}
}

static struct table *two_rows(const char *name)
{
	struct table *t = table_new();

	table_column(t, "name", false);
	table_column(t, "n", true);
	table_line(t, 0, "heading");
	table_row(t);
	table_cell(t, "%s", name);
	table_cell(t, "%d", 7);
	table_row(t);
	table_cell(t, "b|c");
	table_cell(t, "%d", 123);
	return t;
}

TEST(tables)
{
	struct table *t = two_rows("a");
	char *s = PRINTED(table_print_mail(t, f, 2, 75));

	assert_string_equal(s, "  name    n\nheading\n  a       7\n  b|c   123\n");
	free(s);
	s = PRINTED(table_print_grid(t, f, 75));
	assert_string_equal(s, "+------+-----+\n| name |   n |\n+======+=====+\n"
			    "| a    |   7 |\n+------+-----+\n"
			    "| b|c  | 123 |\n+------+-----+\n");
	free(s);
	s = PRINTED(table_print_markdown(t, f));
	assert_string_equal(s, "| name | n |\n|---|---:|\n| a | 7 |\n| b\\|c | 123 |\n");
	free(s);
	table_free(t);
}

static size_t count_char(const char *text, char c)
{
	size_t nr = 0;

	while (*text)
		nr += *text++ == c;
	return nr;
}

/* Nothing is cut off, whatever the width. */
TEST(narrow_tables)
{
	struct table *t = two_rows("zzzzzzzzzz_zzzzzzzzzz.zzzzzzzzzz zz");
	char *s;
	int width;

	for (width = 16; width < 60; width++) {
		s = PRINTED(table_print_mail(t, f, 2, width));
		assert_true(widest(s) <= (size_t)width);
		assert_int_equal(count_char(s, 'z'), 32);
		free(s);
		s = PRINTED(table_print_grid(t, f, width + 8));
		assert_true(widest(s) <= (size_t)width + 8);
		assert_int_equal(count_char(s, 'z'), 32);
		free(s);
	}
	assert_int_equal(table_least_mail(t, 2), 2 + 6 + 2 + 3);
	assert_int_equal(table_least_grid(t), 1 + 6 + 3 + 3 + 3);
	table_free(t);
}

/* Rows may be short, columns too many; neither is an error. */
TEST(uneven_tables)
{
	struct table *t = table_new();
	char *s;
	int i;

	for (i = 0; i < TABLE_MAX_COLUMNS + 3; i++)
		table_column(t, "c", i % 2);
	table_row(t);
	for (i = 0; i < TABLE_MAX_COLUMNS + 3; i++)
		table_cell(t, "%d", i);
	table_row(t);
	s = PRINTED(table_print_grid(t, f, 75));
	assert_true(widest(s) <= 75);
	free(s);
	table_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(enough_digits),
		cmocka_unit_test(changes),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(cleaning),
		cmocka_unit_test(tables),
		cmocka_unit_test(narrow_tables),
		cmocka_unit_test(uneven_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
