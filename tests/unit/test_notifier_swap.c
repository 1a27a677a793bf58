// SPDX-License-Identifier: GPL-2.0
/* The swap device's header, as the kernel wants it. */
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "bench/notifier/notifier_swap.h"
#include "lib/util.h"

static void header(void **state)
{
	static const uint64_t pages[] = { 4096, 16384, 65536 };
	unsigned char *h = xcalloc(1, 65536);
	uint32_t word;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		uint64_t page = pages[i];

		memset(h, 0xff, page);
		swap_header(h, page, 100 * page);
		assert_memory_equal(h + page - 10, "SWAPSPACE2", 10);
		memcpy(&word, h + 1024, 4);
		assert_int_equal(word, 1);
		/* the last page, not how many */
		memcpy(&word, h + 1028, 4);
		assert_int_equal(word, 99);
		/* no bad pages, no UUID, no label */
		memcpy(&word, h + 1032, 4);
		assert_int_equal(word, 0);
		assert_int_equal(h[1036], 0);
		assert_int_equal(h[0], 0);
	}
	free(h);
}

static void says_why_not(void **state)
{
	const char *why = zram_unavailable();

	(void)state;
	if (why)
		assert_true(strlen(why) > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header), cmocka_unit_test(says_why_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
