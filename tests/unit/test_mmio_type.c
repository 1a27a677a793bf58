// SPDX-License-Identifier: GPL-2.0
/* Stage 1 x stage 2, each cell written out, not computed. */
#include "tests/unit/test.h"

#include "bench/mmio/mmio_type.h"
#include "lib/util.h"

/* What KVM puts into stage 2: Device-nGnRE, Normal-NC, Normal-WB. */
static const enum mem_type stage2[] = { MEM_NGNRE, MEM_NC, MEM_WB };

static const struct {
	enum mem_type s1;
	enum mem_type plain[3];	/* without FWB, by stage2[] */
	enum mem_type fwb[3];
} table[] = {
	{ MEM_NGNRNE, { MEM_NGNRNE, MEM_NGNRNE, MEM_NGNRNE },
		      { MEM_NGNRNE, MEM_NGNRNE, MEM_WB } },
	{ MEM_NGNRE,  { MEM_NGNRE, MEM_NGNRE, MEM_NGNRE },
		      { MEM_NGNRE, MEM_NGNRE, MEM_WB } },
	{ MEM_NGRE,   { MEM_NGNRE, MEM_NGRE, MEM_NGRE },
		      { MEM_NGNRE, MEM_NGRE, MEM_WB } },
	{ MEM_GRE,    { MEM_NGNRE, MEM_GRE, MEM_GRE },
		      { MEM_NGNRE, MEM_GRE, MEM_WB } },
	{ MEM_NC,     { MEM_NGNRE, MEM_NC, MEM_NC },
		      { MEM_NGNRE, MEM_NC, MEM_WB } },
	{ MEM_WT,     { MEM_NGNRE, MEM_NC, MEM_WT },
		      { MEM_NGNRE, MEM_NC, MEM_WB } },
	{ MEM_WB,     { MEM_NGNRE, MEM_NC, MEM_WB },
		      { MEM_NGNRE, MEM_NC, MEM_WB } },
};

static void every_cell(void **state)
{
	size_t i, j;

	(void)state;
	assert_int_equal(ARRAY_SIZE(table), MEM_TYPES);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		assert_int_equal(table[i].s1, i);
		for (j = 0; j < ARRAY_SIZE(stage2); j++) {
			assert_int_equal(mem_type_combine(table[i].s1,
							  stage2[j], false),
					 table[i].plain[j]);
			assert_int_equal(mem_type_combine(table[i].s1,
							  stage2[j], true),
					 table[i].fwb[j]);
		}
	}
}

/* Among Devices, too, the stronger one wins, in whichever stage it stands. */
static void devices(void **state)
{
	(void)state;
	assert_int_equal(mem_type_combine(MEM_NGNRE, MEM_NGNRNE, false),
			 MEM_NGNRNE);
	assert_int_equal(mem_type_combine(MEM_GRE, MEM_NGRE, true), MEM_NGRE);
	assert_int_equal(mem_type_combine(MEM_NC, MEM_GRE, true), MEM_GRE);
	assert_int_equal(mem_type_combine(MEM_UNKNOWN, MEM_NC, false),
			 MEM_UNKNOWN);
	assert_int_equal(mem_type_combine(MEM_NC, MEM_UNKNOWN, true),
			 MEM_UNKNOWN);
}

/* The encodings that KVM uses, both ways of the feature. */
static void stage2_leaves(void **state)
{
	(void)state;
	assert_int_equal(mem_type_of_stage2(0xf, false), MEM_WB);
	assert_int_equal(mem_type_of_stage2(0x5, false), MEM_NC);
	assert_int_equal(mem_type_of_stage2(0x1, false), MEM_NGNRE);
	assert_int_equal(mem_type_of_stage2(6, true), MEM_WB);
	assert_int_equal(mem_type_of_stage2(5, true), MEM_NC);
	assert_int_equal(mem_type_of_stage2(1, true), MEM_NGNRE);
	/* the rest of both tables */
	assert_int_equal(mem_type_of_stage2(0, false), MEM_NGNRNE);
	assert_int_equal(mem_type_of_stage2(2, true), MEM_NGRE);
	assert_int_equal(mem_type_of_stage2(3, false), MEM_GRE);
	assert_int_equal(mem_type_of_stage2(0xa, false), MEM_WT);
	assert_int_equal(mem_type_of_stage2(0x6, false), MEM_UNKNOWN);
	assert_int_equal(mem_type_of_stage2(4, false), MEM_UNKNOWN);
	assert_int_equal(mem_type_of_stage2(4, true), MEM_UNKNOWN);
	assert_int_equal(mem_type_of_stage2(7, true), MEM_UNKNOWN);
}

static void mair_bytes(void **state)
{
	unsigned int t;

	(void)state;
	for (t = 0; t < MEM_TYPES; t++)
		assert_int_equal(mem_type_of_mair(mair_of_mem_type(t)), t);
	assert_int_equal(mem_type_of_mair(0xf0), MEM_WB);
	assert_int_equal(mem_type_of_mair(0x4f), MEM_UNKNOWN);
	assert_int_equal(mem_type_of_mair(0x01), MEM_UNKNOWN);
	assert_int_equal(mem_type_of_mair(0x40), MEM_UNKNOWN);
	assert_string_equal(mem_type_name(MEM_NGNRE), "Device-nGnRE");
	assert_string_equal(mem_type_name(MEM_UNKNOWN), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell),
		cmocka_unit_test(devices),
		cmocka_unit_test(stage2_leaves),
		cmocka_unit_test(mair_bytes),
	};

	return cmocka_run_group_tests_name("mmio_type", tests, NULL, NULL);
}
