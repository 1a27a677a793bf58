// SPDX-License-Identifier: GPL-2.0
/* Sizes, numbers, near names, the error line. */
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>

#include "lib/metric.h"
#include "lib/util.h"

static void sizes(void **state)
{
	static const struct { const char *text; uint64_t bytes; } good[] = {
		{ "4k", 4096 }, { "64K", 65536 }, { "2m", 2 << 20 },
		{ "2MiB", 2 << 20 }, { "1g", 1 << 30 }, { "17", 17 },
		{ "64kb", 65536 }, { "0", 0 },
	};
	static const char *const bad[] = {
		"", "k", "4x", "-4k", "4 k", "4kk", "99999999999999999999",
		"99999999999999g", "4.5k",
	};
	char buf[24];
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(parse_size(good[i].text, &v), 0);
		assert_int_equal(v, good[i].bytes);
		assert_int_equal(parse_size(format_size(v, buf), &v), 0);
		assert_int_equal(v, good[i].bytes);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_size(bad[i], &v), -EINVAL);
	assert_string_equal(format_size(65536, buf), "64k");
	assert_string_equal(format_size(65537, buf), "65537");
	assert_string_equal(format_size(3 << 20, buf), "3m");
}

static void numbers(void **state)
{
	uint64_t v;

	(void)state;
	assert_int_equal(parse_u64("18446744073709551615", &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(parse_u64("18446744073709551616", &v), -ERANGE);
	assert_int_equal(parse_u64("-1", &v), -EINVAL);
	assert_int_equal(parse_u64("1x", &v), -EINVAL);
	assert_int_equal(parse_u64("", &v), -EINVAL);
}

static void near_names(void **state)
{
	static const char *const names[] = { "gup.fast", "gup.pin_fast",
					     "fault.cow" };

	(void)state;
	assert_string_equal(nearest_name("gup.fats", names, 3), "gup.fast");
	assert_string_equal(nearest_name("pin_fast", names, 3),
			    "gup.pin_fast");
	assert_string_equal(nearest_name("fault.crow", names, 3), "fault.cow");
	assert_null(nearest_name("xyzzy.plugh", names, 3));
}

static void error_lines(void **state)
{
	(void)state;
	assert_int_equal(fail(ENOSPC, "disk %d", 3), -ENOSPC);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(fail_prefix(-5, "point %s", "x"), -5);
	assert_string_equal(fail_text(), "point x: disk 3");
}

static void sha256(void **state)
{
	char hex[65];

	(void)state;
	/* FIPS 180-4, example of one block */
	sha256_hex("abc", 3, hex);
	assert_string_equal(hex,
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void metric_names(void **state)
{
	size_t i, j;

	(void)state;
	assert_string_equal(metric_find("notifier_start.clear")->name,
			    "notifier_start.*");
	assert_null(metric_find("notifier_start."));
	assert_null(metric_find("no_such_metric"));
	for (i = 0; i < metrics_nr; i++)
		for (j = 0; j < i; j++)
			assert_string_not_equal(metrics[i].name,
						metrics[j].name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes), cmocka_unit_test(numbers),
		cmocka_unit_test(near_names), cmocka_unit_test(error_lines),
		cmocka_unit_test(sha256), cmocka_unit_test(metric_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
