// SPDX-License-Identifier: GPL-2.0
/*
 * What settings a folio size needs, which sizes there are, and which leaf
 * should map them, on kernels of all three page sizes, with and without mTHP.
 */
#include "tests/unit/test.h"

#include <string.h>

#include "bench/kit/mm.h"
#include "bench/kit/racer.h"
#include "lib/util.h"

/* As hugepages-*kB of 6.12 on arm64 with 4K pages: orders 2..9, shmem 1..9. */
static const struct mm_caps arm4k = {
	.page = 4 * KIB, .pmd = 2 * MIB, .contpte = true,
	.anon_orders = 0x3fc, .shmem_orders = 0x3fe, .shmem_enabled = true,
};
static const struct mm_caps arm16k = {
	.page = 16 * KIB, .pmd = 32 * MIB, .contpte = true,
	.anon_orders = 0xffc, .shmem_orders = 0xffe, .shmem_enabled = true,
};
static const struct mm_caps arm64k = {
	.page = 64 * KIB, .pmd = 512 * MIB, .contpte = true,
	.anon_orders = 0x3ffc, .shmem_orders = 0x3ffe, .shmem_enabled = true,
};
static const struct mm_caps x86 = {
	.page = 4 * KIB, .pmd = 2 * MIB,
	.anon_orders = 0x3fc, .shmem_orders = 0x3fe, .shmem_enabled = true,
};
/* Before 6.8: one switch. */
static const struct mm_caps old = {
	.page = 4 * KIB, .pmd = 2 * MIB, .contpte = true,
	.shmem_enabled = true,
};
static const struct mm_caps no_thp = { .page = 4 * KIB, .contpte = true };

static const char *value_of(const struct mm_setting *plan, size_t nr,
			    const char *path)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!strcmp(plan[i].path, path))
			return plan[i].value;
	return NULL;
}

static void base_pages_need_nothing(void **state)
{
	struct mm_setting plan[MM_PLAN_MAX];

	(void)state;
	assert_int_equal(mm_plan(&arm4k, MM_ANON, 4 * KIB, plan), 0);
	assert_int_equal(mm_plan(&arm64k, MM_SHMEM, 64 * KIB, plan), 0);
	assert_int_equal(mm_plan(&no_thp, MM_ANON, 4 * KIB, plan), 0);
}

/* Exactly one size is on, all the others are off. */
static void one_size_is_on(void **state)
{
	static const struct mm_caps *const all[] = { &arm4k, &arm16k, &arm64k };
	struct mm_setting plan[MM_PLAN_MAX];
	size_t c, nr, i, on, sizes;
	uint64_t folio;

	(void)state;
	for (c = 0; c < ARRAY_SIZE(all); c++) {
		for (folio = 4 * all[c]->page; folio <= all[c]->pmd;
		     folio *= 2) {
			nr = mm_plan(all[c], MM_ANON, folio, plan);
			assert_in_range(nr, 1, MM_PLAN_MAX);
			on = sizes = 0;
			for (i = 0; i < nr; i++) {
				char mine[64];

				if (strncmp(plan[i].path, "hugepages-", 10))
					continue;
				sizes++;
				snprintf(mine, sizeof(mine),
					 "hugepages-%zukB/enabled",
					 (size_t)(folio / KIB));
				if (!strcmp(plan[i].value, "madvise")) {
					assert_string_equal(plan[i].path, mine);
					on++;
				} else {
					assert_string_equal(plan[i].value,
							    "never");
				}
			}
			assert_int_equal(on, 1);
			assert_int_equal(sizes, __builtin_popcount(
						all[c]->anon_orders));
			assert_null(value_of(plan, nr, "enabled"));
			assert_string_equal(value_of(plan, nr, "defrag"),
					    "madvise");
		}
	}
}

static void khugepaged_only_for_a_pmd(void **state)
{
	struct mm_setting plan[MM_PLAN_MAX];
	size_t nr;

	(void)state;
	nr = mm_plan(&arm4k, MM_ANON, 64 * KIB, plan);
	assert_null(value_of(plan, nr, "khugepaged/max_ptes_none"));
	nr = mm_plan(&arm4k, MM_ANON, 2 * MIB, plan);
	assert_string_equal(value_of(plan, nr, "khugepaged/max_ptes_none"),
			    "0");
}

static void shmem_calls_it_advise(void **state)
{
	struct mm_setting plan[MM_PLAN_MAX];
	size_t nr;

	(void)state;
	nr = mm_plan(&arm4k, MM_SHMEM, 64 * KIB, plan);
	assert_string_equal(value_of(plan, nr, "hugepages-64kB/shmem_enabled"),
			    "advise");
	assert_string_equal(value_of(plan, nr, "hugepages-8kB/shmem_enabled"),
			    "never");
	/* "deny" or "force" there would override the sizes */
	assert_string_equal(value_of(plan, nr, "shmem_enabled"), "never");
	assert_null(value_of(plan, nr, "hugepages-64kB/enabled"));
}

static void before_mthp(void **state)
{
	struct mm_setting plan[MM_PLAN_MAX];
	size_t nr;

	(void)state;
	nr = mm_plan(&old, MM_ANON, 2 * MIB, plan);
	assert_string_equal(value_of(plan, nr, "enabled"), "madvise");
	nr = mm_plan(&old, MM_SHMEM, 2 * MIB, plan);
	assert_string_equal(value_of(plan, nr, "shmem_enabled"), "advise");
}

static void refused(const struct mm_caps *caps, enum mm_backing backing,
		    uint64_t folio, const char *why)
{
	const char *said = mm_folio_refused(caps, backing, folio);

	assert_non_null(said);
	if (!strstr(said, why))
		fail_msg("said '%s', not '%s'", said, why);
}

static void sizes_there_are(void **state)
{
	(void)state;
	assert_null(mm_folio_refused(&arm4k, MM_ANON, 4 * KIB));
	assert_null(mm_folio_refused(&arm4k, MM_ANON, 64 * KIB));
	assert_null(mm_folio_refused(&arm4k, MM_ANON, 2 * MIB));
	assert_null(mm_folio_refused(&arm16k, MM_ANON, 2 * MIB));
	assert_null(mm_folio_refused(&arm64k, MM_ANON, 512 * MIB));
	assert_null(mm_folio_refused(&old, MM_ANON, 2 * MIB));
	assert_null(mm_folio_refused(&old, MM_SHMEM, 2 * MIB));
	assert_null(mm_folio_refused(&no_thp, MM_ANON, 4 * KIB));
	/* order 1 exists in the page cache only */
	assert_null(mm_folio_refused(&arm4k, MM_SHMEM, 8 * KIB));
}

static void sizes_there_are_not(void **state)
{
	(void)state;
	refused(&arm4k, MM_ANON, 8 * KIB, "order 1");
	refused(&arm16k, MM_ANON, 32 * KIB, "order 1");
	refused(&old, MM_ANON, 8 * KIB, "order 1");
	refused(&arm4k, MM_ANON, 4 * MIB, "more than the 2m");
	refused(&arm16k, MM_ANON, 4 * KIB, "pages are 16k");
	refused(&arm64k, MM_SHMEM, 16 * KIB, "pages are 64k");
	refused(&old, MM_ANON, 64 * KIB, "no hugepages-64kB/enabled");
	refused(&old, MM_SHMEM, 64 * KIB, "no hugepages-64kB/shmem_enabled");
	refused(&no_thp, MM_ANON, 64 * KIB, "no transparent huge pages");
}

static void leaves(void **state)
{
	(void)state;
	assert_int_equal(mm_leaf_expected(&arm4k, 4 * KIB), 4 * KIB);
	assert_int_equal(mm_leaf_expected(&arm4k, 32 * KIB), 4 * KIB);
	assert_int_equal(mm_leaf_expected(&arm4k, 64 * KIB), 64 * KIB);
	assert_int_equal(mm_leaf_expected(&arm4k, MIB), 64 * KIB);
	assert_int_equal(mm_leaf_expected(&arm4k, 2 * MIB), 2 * MIB);
	assert_int_equal(mm_leaf_expected(&arm16k, MIB), 16 * KIB);
	assert_int_equal(mm_leaf_expected(&arm16k, 2 * MIB), 2 * MIB);
	assert_int_equal(mm_leaf_expected(&arm16k, 16 * MIB), 2 * MIB);
	assert_int_equal(mm_leaf_expected(&arm16k, 32 * MIB), 32 * MIB);
	assert_int_equal(mm_leaf_expected(&arm64k, MIB), 64 * KIB);
	assert_int_equal(mm_leaf_expected(&arm64k, 4 * MIB), 2 * MIB);
	assert_int_equal(mm_leaf_expected(&x86, 64 * KIB), 4 * KIB);
	assert_int_equal(mm_leaf_expected(&x86, MIB), 4 * KIB);
	assert_int_equal(mm_leaf_expected(&x86, 2 * MIB), 2 * MIB);
}

/* A racer must leave the operation the one that was asked for. */
static void racers(void **state)
{
	(void)state;
	assert_int_equal(racer_kind("none"), RACER_NONE);
	assert_int_equal(racer_kind("mprotect"), RACER_MPROTECT);
	assert_int_equal(racer_kind("dontneed"), RACER_DONTNEED);
	assert_int_equal(racer_kind("fork"), RACER_FORK);
	assert_null(racer_conflict(RACER_NONE, VICTIM_WRITE));
	assert_null(racer_conflict(RACER_MPROTECT, VICTIM_READ));
	assert_null(racer_conflict(RACER_MPROTECT, VICTIM_READ_PIN));
	assert_non_null(racer_conflict(RACER_MPROTECT, VICTIM_WRITE));
	assert_null(racer_conflict(RACER_DONTNEED, VICTIM_WRITE));
	assert_non_null(racer_conflict(RACER_DONTNEED, VICTIM_READ));
	assert_non_null(racer_conflict(RACER_DONTNEED, VICTIM_READ_PIN));
	assert_null(racer_conflict(RACER_FORK, VICTIM_READ));
	assert_non_null(racer_conflict(RACER_FORK, VICTIM_READ_PIN));
	assert_non_null(racer_conflict(RACER_FORK, VICTIM_WRITE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base_pages_need_nothing),
		cmocka_unit_test(one_size_is_on),
		cmocka_unit_test(khugepaged_only_for_a_pmd),
		cmocka_unit_test(shmem_calls_it_advise),
		cmocka_unit_test(before_mthp),
		cmocka_unit_test(sizes_there_are),
		cmocka_unit_test(sizes_there_are_not),
		cmocka_unit_test(leaves),
		cmocka_unit_test(racers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
