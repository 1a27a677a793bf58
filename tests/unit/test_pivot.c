// SPDX-License-Identifier: GPL-2.0
/* Points as pages of rows and columns, and panels drawn of them. */
#include "tests/unit/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/draw/chart.h"
#include "analysis/draw/pivot.h"
#include "lib/util.h"

#define NR	5

static struct side_point points[NR];

static int make_points(void **state)
{
	static const char *const params[NR] = {
		"{\"map\": \"wc\", \"size\": \"64k\", \"how\": \"a\"}",
		"{\"map\": \"wc\", \"size\": 512, \"how\": \"a\"}",
		"{\"map\": \"wc\", \"size\": 512, \"how\": \"b\"}",
		"{\"map\": \"nc\", \"size\": 512, \"how\": \"b\"}",
		"{\"map\": \"nc\", \"size\": \"all\", \"how\": \"c\"}",
	};
	size_t i;

	(void)state;
	for (i = 0; i < NR; i++) {
		points[i].mode = "timed";
		points[i].bench = "x.y";
		points[i].params = json_loads(params[i], 0, NULL);
	}
	return 0;
}

static int free_points(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < NR; i++)
		json_decref(points[i].params);
	return 0;
}

/* The first @nr points, a page for each map. */
static struct pivot pivot_of(size_t nr, size_t most_columns)
{
	static const char *const but[] = { "size", "how", NULL };
	struct pivot t = { .most_columns = most_columns };
	size_t i;

	for (i = 0; i < nr; i++)
		pivot_add(&t, &points[i], key_without(&points[i], but),
			  param_value_text(json_object_get(points[i].params,
							   "size")),
			  xstrdup(json_text(points[i].params, "how")));
	return t;
}

static void groups(void **state)
{
	struct pivot t = pivot_of(NR, 0);

	(void)state;
	assert_int_equal(t.nr, 2);
	assert_string_equal(t.page[0].key, "timed x.y map=wc");
	assert_int_equal(t.page[0].rows.nr, 2);
	assert_ptr_equal(pivot_at(t.page, "64k", "a"), &points[0]);
	assert_ptr_equal(pivot_at(t.page, "512", "b"), &points[2]);
	assert_null(pivot_at(t.page, "64k", "b"));
	assert_ptr_equal(pivot_at(t.page + 1, "512", "b"), &points[3]);
	pivot_free(&t);
}

static void leaves_out_columns(void **state)
{
	struct pivot t = pivot_of(NR, 1);

	(void)state;
	assert_int_equal(t.page[0].nr, 2);
	assert_null(pivot_at(t.page, "512", "b"));
	assert_string_equal(t.page[1].columns.text[0], "b");
	assert_null(pivot_at(t.page + 1, "all", "c"));
	pivot_free(&t);
}

static void sorts_numbers_only(void **state)
{
	struct pivot t = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < NR; i++)
		pivot_add(&t, &points[i], xstrdup(i < 3 ? "few" : "many"),
			  xasprintf("%zu", 12 - 4 * i % 12), xstrdup("b"));
	pivot_add(&t, &points[0], xstrdup("many"), xstrdup("4"), xstrdup("a"));
	pivot_sort(&t, 3);
	assert_int_equal(t.nr, 2);
	assert_string_equal(t.page[0].rows.text[0], "4");
	assert_string_equal(t.page[0].rows.text[1], "8");
	assert_string_equal(t.page[0].rows.text[2], "12");
	assert_string_equal(t.page[1].columns.text[0], "b");
	pivot_sort(&t, 4);
	assert_int_equal(t.nr, 0);
	pivot_free(&t);
}

static void numbers_of_parameters(void **state)
{
	char *text = param_number_text(&points[0], "size");

	(void)state;
	assert_string_equal(text, "65536");
	free(text);
	assert_true(param_number(&points[1], "size") == 512);
	assert_null(param_number_text(&points[4], "size"));
	assert_true(isnan(param_number(&points[0], "none")));
}

static void what_is_constant(void **state)
{
	struct pivot t = pivot_of(3, 0);
	json_t *constant = pivot_constant(t.page, t.nr);
	char *all = params_text(constant, " ");
	char *rest = varying_params(&points[2], constant);

	(void)state;
	assert_string_equal(all, "map=wc");
	assert_string_equal(rest, "size=512 how=b");
	free(all);
	free(rest);
	json_decref(constant);
	pivot_free(&t);
}

static void put(struct chart *c, const struct side_point *p, const void *arg)
{
	const double *scale = arg;
	double x = param_number(p, "size");

	chart_mark(c, x, *scale * x, *scale * x - 1, *scale * x + 1);
}

static void panels_of_pages(void **state)
{
	char dir[] = "/tmp/ptelab-chart-XXXXXX";
	const struct plot_options o = { .dir = dir, .keep = true,
					.quiet = true };
	struct chart *c = chart_new(CHART_PANELS, "a %s", "chart");
	struct pivot t = pivot_of(4, 0);
	char *path, *text;
	size_t drawn = 2, i;

	(void)state;
	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/a-chart.gp", dir);
	c->title = xstrdup("it's");
	c->subtitle = xstrdup("one two three four");
	c->subtitle_width = 8;
	for (i = 0; i < t.nr; i++)
		names_add(&c->panels, xstrdup(t.page[i].key));
	chart_pivot(c, &t, 4, put, &(double){ 2 });
	assert_int_equal(c->lines.nr, 2);
	assert_true(c->x.min == 512 && c->x.max == 65536);
	assert_true(c->value[0].min == 1023 && c->value[0].max == 131073);
	assert_true(c->value[1].max == 1025);
	chart_y(c, 20);
	assert_int_equal(c->y[0].log, 1);
	assert_int_equal(c->y[1].log, 1);	/* as the other panel */
	assert_int_equal(chart_draw(c, &o, &drawn), 0);
	assert_int_equal(drawn, 3);
	text = read_file(path, NULL);
	assert_non_null(text);
	assert_non_null(strstr(text, "\ntitle = \"it\\047s\"\n"));
	assert_non_null(strstr(text, "\nsubtitle_3 = 'four'\n"));
	assert_non_null(strstr(text, "\nsub_lines = 3\n"));
	assert_non_null(strstr(text, "\npanel_title[2] = 'timed x.y map=nc'\n"));
	assert_non_null(strstr(text, "\n512 1024 1023 1025\n\n\n"));
	unlink(path);
	rmdir(dir);
	free(text);
	free(path);
	pivot_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups),
		cmocka_unit_test(leaves_out_columns),
		cmocka_unit_test(sorts_numbers_only),
		cmocka_unit_test(numbers_of_parameters),
		cmocka_unit_test(what_is_constant),
		cmocka_unit_test(panels_of_pages),
	};

	return cmocka_run_group_tests(tests, make_points, free_points);
}
