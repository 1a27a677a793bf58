// SPDX-License-Identifier: GPL-2.0
/* Selectors become points; what can't be one is refused with a useful line. */
#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness/point.h"
#include "lib/util.h"

static size_t expand(const char *b1, const char *b2, const char *p1,
		     struct point_list *list)
{
	const char *b[] = { b1, b2 };

	assert_int_equal(points_expand(b, (b1 != NULL) + (b2 != NULL), &p1,
				       p1 != NULL, list), 0);
	return list->nr;
}

static void refused(const char *b, const char *p, const char *why)
{
	struct point_list list;

	assert_int_equal(points_expand(&b, b != NULL, &p, p != NULL, &list),
			 -EINVAL);
	if (!strstr(fail_text(), why))
		fail_msg("'%s' does not say '%s'", fail_text(), why);
}

static void empty_comes_first(void **state)
{
	struct point_list list;

	(void)state;
	assert_int_equal(expand("gup.futex", NULL, NULL, &list), 2);
	assert_string_equal(list.points[0].bench->name, "harness.empty");
	assert_string_equal(list.points[1].bench->name, "gup.futex");
	points_free(&list);
}

static void lists_multiply(void **state)
{
	struct point_list list;

	(void)state;
	assert_int_equal(expand("gup.pin_fast:pages=1,16:folio=4k,64k,2m",
				NULL, NULL, &list), 1 + 6);
	points_free(&list);
	assert_int_equal(expand("gup.pin_fast", NULL, "pages=1,2,3", &list),
			 1 + 3);
	points_free(&list);
}

static void each_is_all_names(void **state)
{
	struct point_list list;

	(void)state;
	/* the empty benchmark, and 5 writers x 5 readers x 2 words */
	assert_int_equal(expand("barrier.publish:writer=each:reader=each:watch=each",
				NULL, NULL, &list), 1 + 5 * 5 * 2);
	points_free(&list);
	/* numbers have no names */
	refused("barrier.publish:words=each", NULL, "words");
}

/* A PCI address has colons of its own. */
static void colons_in_values(void **state)
{
	struct point_list list;
	const struct point *p;
	unsigned int i;

	(void)state;
	assert_int_equal(expand("mmio.map:bar=0000:00:03.0/2,1b36:0010:guest=nc,ngnre",
				NULL, NULL, &list), 1 + 4);
	p = &list.points[1];
	for (i = 0; strcmp(p->bench->params[i].name, "bar"); i++)
		;
	assert_string_equal(p->value[i].text, "0000:00:03.0/2");
	assert_string_equal(list.points[3].value[i].text, "1b36:0010");
	points_free(&list);
	refused("mmio.map:bar", NULL, "'bar' is not a parameter");
	refused("mmio.map:00:03.0", NULL, "is not a parameter");
	refused("gup.pin_fast:pages=1:16", NULL, "pages=1:16: it takes");
	refused("mmio.map:bar=00:03.0:nosuch=1", NULL, "nosuch");
}

static void doubles_go(void **state)
{
	struct point_list list;

	(void)state;
	assert_int_equal(expand("gup.pin_fast:folio=64k,65536,64K",
				"gup.pin_fast:folio=64k", NULL, &list), 2);
	points_free(&list);
}

/* A selector's own value wins over -p. */
static void own_value_wins(void **state)
{
	struct point_list list;
	char *label;

	(void)state;
	assert_int_equal(expand("gup.pin_fast:pages=7", NULL, "pages=1,2",
				&list), 2);
	label = point_label(&list.points[1]);
	assert_non_null(strstr(label, "pages=7"));
	free(label);
	points_free(&list);
}

static void contpte_is_resolved(void **state)
{
	struct point_list list;
	json_t *params;
	char buf[24];

	(void)state;
	expand("gup.pin_fast", NULL, NULL, &list);
	params = point_params_json(&list.points[1]);
	assert_string_equal(json_string_value(json_object_get(params, "folio")),
			    format_size(contpte_size(), buf));
	assert_true(json_is_integer(json_object_get(params, "pages")));
	json_decref(params);
	points_free(&list);
}

static void refusals(void **state)
{
	(void)state;
	refused("gup.pin_fats", NULL, "did you mean gup.pin_fast?");
	refused("pin_fast", NULL, "did you mean gup.pin_fast?");
	refused("nothing.like.it", NULL, "see ptelab list");
	refused("gup.pin_fast:page=1", NULL, "did you mean pages?");
	refused("gup.pin_fast", "page=1", "did you mean pages?");
	refused("gup.pin_fast:pages=0", NULL, "it takes 1 to");
	refused("gup.pin_fast:pages=many", NULL, "it takes");
	refused("gup.pin_fast:folio=5k", NULL, "powers of two");
	refused("gup.pin_fast:folio=1t", NULL, "it takes");
	refused("gup.pin_fast:pages", NULL, "is not a parameter");
	refused("gup.pin_fast:pages=", NULL, "is not a parameter");
	refused("gup.pin_fast:pages=1,,2", NULL, "empty value");
	refused("gup.pin_fast", "=1", "is not a parameter");
}

/* What every benchmark must say of itself. */
static void every_bench_is_whole(void **state)
{
	const struct bench *const *b, *const *c;
	unsigned int i, j;

	(void)state;
	for (b = bench_all(); *b; b++) {
		assert_non_null(strchr((*b)->name, '.'));
		assert_non_null((*b)->op);
		assert_non_null((*b)->measures);
		assert_non_null((*b)->may_lie);
		assert_non_null((*b)->size);
		assert_non_null((*b)->run);
		assert_true((*b)->nr_params <= BENCH_MAX_PARAMS);
		if (b != bench_all())
			assert_non_null((*b)->verify);
		for (c = bench_all(); c < b; c++)
			assert_string_not_equal((*b)->name, (*c)->name);
		for (i = 0; i < (*b)->nr_params; i++) {
			assert_non_null((*b)->params[i].help);
			assert_non_null((*b)->params[i].def);
			for (j = 0; j < i; j++)
				assert_string_not_equal((*b)->params[i].name,
							(*b)->params[j].name);
		}
	}
}

/* Each default is within its own range. */
static void defaults_are_valid(void **state)
{
	struct point_list list;

	(void)state;
	assert_true(expand(NULL, NULL, NULL, &list) > 10);
	points_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_comes_first),
		cmocka_unit_test(lists_multiply),
		cmocka_unit_test(each_is_all_names),
		cmocka_unit_test(colons_in_values),
		cmocka_unit_test(doubles_go),
		cmocka_unit_test(own_value_wins),
		cmocka_unit_test(contpte_is_resolved),
		cmocka_unit_test(refusals),
		cmocka_unit_test(every_bench_is_whole),
		cmocka_unit_test(defaults_are_valid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
