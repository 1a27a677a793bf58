// SPDX-License-Identifier: GPL-2.0
/* The retry-site finder on known machine code, and on code gone wrong. */
#include "tests/unit/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/retry/code.h"
#include "bpf/retry/retry_sites.h"
#include "lib/util.h"
#include "tests/unit/retry_code.h"

#define START	0xffff800080010000ULL

/* Copied, so that reading past its end is seen. */
static void code_of(struct code *code, const uint32_t *word, size_t nr)
{
	memset(code, 0, sizeof(*code));
	code->nr_parts = 1;
	code->part[0].start = START;
	code->part[0].size = nr * 4;
	code->part[0].bytes = xcalloc(nr ? nr : 1, 4);
	if (nr)
		memcpy(code->part[0].bytes, word, nr * 4);
}

static int find(const uint32_t *word, size_t nr, struct retry_sites *sites)
{
	struct code code;
	int ret;

	code_of(&code, word, nr);
	ret = retry_sites_find(&code, sites, NULL);
	code_free(&code);
	return ret;
}

static void known_functions(void **state)
{
	struct retry_sites s;
	size_t i, k;

	(void)state;
	assert_in_range(ARRAY_SIZE(known), 40, 1000);
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		int ret = find(known[i].word, known[i].nr_words, &s);

		if (s.nr != known[i].nr_sites ||
		    s.first_counts != known[i].first_counts)
			fail_msg("%s: %u sites, first %d: %s", known[i].name,
				 s.nr, s.first_counts, s.why_not);
		assert_int_equal(!ret, s.nr != 0);
		assert_int_equal(!ret, !s.why_not[0]);
		for (k = 0; k < s.nr; k++)
			assert_int_equal(s.offset[k], known[i].site[k]);
	}
}

static const struct known_code *named(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].name, name))
			return &known[i];
	fail_msg("no %s", name);
	return NULL;
}

#define NOP		0xd503201f
#define MOV_X9_LR	0xaa1e03e9
#define BL_SOMEWHERE	0x94001000
#define BRK_KPROBE	0xd4200080
#define RET		0xd65f03c0

/* What ftrace and a kprobe at the entry do to the code of a running kernel. */
static void patched_entry(void **state)
{
	const struct known_code *k = named("gather_all__gcc12_kernel");
	uint32_t *w = xcalloc(k->nr_words, 4);
	struct retry_sites s;

	(void)state;
	memcpy(w, k->word, k->nr_words * 4);
	assert_int_equal(w[0], NOP);
	assert_int_equal(w[1], NOP);
	w[0] = MOV_X9_LR;
	w[1] = BL_SOMEWHERE;
	assert_int_equal(find(w, k->nr_words, &s), 0);
	assert_int_equal(s.offset[0], k->site[0]);
	w[0] = BRK_KPROBE;
	w[1] = NOP;
	assert_int_equal(find(w, k->nr_words, &s), 0);
	assert_int_equal(s.offset[0], k->site[0]);

	/* Anywhere else a kprobe hides the instruction it stands on. */
	w[k->site[0] / 4] = BRK_KPROBE;
	assert_int_equal(find(w, k->nr_words, &s), -EBUSY);
	assert_non_null(strstr(s.why_not, "kprobe"));
	free(w);
}

static void nothing_to_find(void **state)
{
	static const uint32_t empty_function[] = { RET };
	static const uint32_t unknown[] = { 0x74000000, RET };
	static const uint32_t endless[] = { 0x14000000 };	/* b . */
	static const uint32_t off_the_end[] = { NOP, NOP };
	struct retry_sites s;

	(void)state;
	assert_int_equal(find(empty_function, 1, &s), -ENOENT);
	assert_int_equal(find(unknown, 2, &s), -EINVAL);
	assert_non_null(strstr(s.why_not, "unknown instruction"));
	assert_int_equal(find(endless, 1, &s), -ENOENT);
	assert_int_equal(find(off_the_end, 2, &s), -ENOENT);
	assert_int_equal(find(NULL, 0, &s), -E2BIG);
}

/*
 *	0: ldr x1, [x0]		the entry
 *	4: cbz x1, out
 *	8: and x2, x0, #~127
 *	c: ldr x3, [x2]		the block
 *	.: <extra>
 *	.: cbnz x3, 0
 * out: ret
 */
static size_t build(uint32_t *w, const uint32_t *extra, size_t nr)
{
	size_t n = 0;

	w[n++] = 0xf9400001;
	w[n++] = 0xb4000001 | (uint32_t)(nr + 4) << 5;
	w[n++] = 0x9279e002;
	w[n++] = 0xf9400043;
	if (nr)
		memcpy(w + n, extra, nr * 4);
	n += nr;
	w[n] = 0xb5000003 | ((uint32_t)(-(int)n) & 0x7ffff) << 5;
	w[++n] = RET;
	return n + 1;
}

static void top_of_loop(void **state)
{
	struct retry_sites s;
	uint32_t w[16];
	size_t n;

	(void)state;
	n = build(w, NULL, 0);
	assert_int_equal(find(w, n, &s), 0);
	assert_int_equal(s.nr, 1);
	assert_int_equal(s.offset[0], 0);
	assert_true(s.first_counts);
}

/* The argument is what it was, or it is not the argument. */
static void argument_changed(void **state)
{
	static const uint32_t advance[] = { 0x91002000 };  /* add x0, x0, #8 */
	static const uint32_t same[] = { 0xaa0003e4, 0xaa0403e0 };
	static const uint32_t other[] = { 0xaa0203e0 };	   /* mov x0, x2 */
	static const uint32_t call[] = { BL_SOMEWHERE };
	static const uint32_t spill[] = {
		0xf81f0fe0,	/* str x0, [sp, #-16]! */
		0xd2800000,	/* mov x0, #0 */
		0xf84107e0,	/* ldr x0, [sp], #16 */
	};
	static const uint32_t wrong_slot[] = {
		0xd10083ff,	/* sub sp, sp, #32 */
		0xf90003e0,	/* str x0, [sp] */
		0xf94007e0,	/* ldr x0, [sp, #8] */
		0x910083ff,	/* add sp, sp, #32 */
	};
	struct retry_sites s;
	uint32_t w[16];

	(void)state;
	assert_int_equal(find(w, build(w, same, 2), &s), 0);
	assert_int_equal(find(w, build(w, spill, 3), &s), 0);
	assert_int_not_equal(find(w, build(w, advance, 1), &s), 0);
	assert_int_not_equal(find(w, build(w, other, 1), &s), 0);
	/* x0 is where the call's result comes back */
	assert_int_not_equal(find(w, build(w, call, 1), &s), 0);
	assert_int_not_equal(find(w, build(w, wrong_slot, 4), &s), 0);
}

/* No kprobe may stand between ldxr and stxr. */
static void exclusive(void **state)
{
	uint32_t w[16];
	struct retry_sites s;
	size_t n;

	(void)state;
	n = build(w + 1, NULL, 0) + 1;
	w[0] = 0xc85f7ca5;		/* ldxr x5, [x5] */
	assert_int_equal(find(w, n, &s), -EINVAL);
	assert_non_null(strstr(s.why_not, "exclusive"));
}

/* A branch into the cold part and back is a way through the function. */
static void cold_part(void **state)
{
	static const uint32_t hot[] = {
		0xf9400001,	/*  0: ldr x1, [x0] */
		0x9279e002,	/*  4: and x2, x0, #~127 */
		0xf9400043,	/*  8: ldr x3, [x2] */
		0xb5007fa3,	/*  c: cbnz x3, +0x1000 */
		RET,
	};
	uint32_t cold[] = {
		0xf9400001,	/*  ldr x1, [x0] */
		0,		/*  b 4 */
	};
	struct retry_sites s;
	struct code code;

	(void)state;
	cold[1] = 0x14000000 | ((uint32_t)(-(0x1004 - 4) / 4) & 0x3ffffff);
	code_of(&code, hot, ARRAY_SIZE(hot));
	code.nr_parts = 2;
	code.part[1].start = START + 0x1000;
	code.part[1].size = sizeof(cold);
	code.part[1].bytes = xcalloc(1, sizeof(cold));
	memcpy(code.part[1].bytes, cold, sizeof(cold));
	assert_int_equal(retry_sites_find(&code, &s, NULL), 0);
	assert_int_equal(s.nr, 1);
	assert_int_equal(s.offset[0], 0x1000);
	assert_false(s.first_counts);
	code_free(&code);
}

/* Code that is cut off or overwritten must never be more than refused. */
static void mangled(void **state)
{
	unsigned int i, k;
	struct retry_sites s;
	FILE *nowhere = fopen("/dev/null", "we");

	(void)state;
	srandom(42);
	for (i = 0; i < 3000; i++) {
		const struct known_code *from =
			&known[random() % ARRAY_SIZE(known)];
		struct code code;
		uint32_t *w;

		code_of(&code, from->word, from->nr_words);
		w = (uint32_t *)code.part[0].bytes;
		for (k = random() % 6; k > 0; k--)
			w[random() % from->nr_words] ^= 1u << random() % 32;
		if (random() % 4 == 0)
			w[random() % from->nr_words] = random() ^ random() << 1;
		if (random() % 4 == 0)
			code.part[0].size = 4 * (random() % from->nr_words);
		retry_sites_find(&code, &s, i % 16 ? NULL : nowhere);
		assert_in_range(s.nr, 0, MAX_RETRY_SITES);
		for (k = 0; k < s.nr; k++)
			assert_true(s.offset[k] < code.part[0].size);
		assert_int_equal(!s.nr, !!s.why_not[0]);
		code_free(&code);
	}
	fclose(nowhere);
}

static void files(void **state)
{
	struct retry_sites s;

	(void)state;
	assert_int_equal(retry_sites_elf("/nonexistent", "f", &s, NULL),
			 -ENOENT);
	assert_int_equal(retry_sites_elf("/dev/null", "f", &s, NULL), -EINVAL);
	assert_int_equal(retry_sites_elf("/etc/passwd", "f", &s, NULL),
			 -EINVAL);
	assert_non_null(strstr(s.why_not, "vmlinux"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_functions),
		cmocka_unit_test(patched_entry),
		cmocka_unit_test(nothing_to_find),
		cmocka_unit_test(top_of_loop),
		cmocka_unit_test(argument_changed),
		cmocka_unit_test(exclusive),
		cmocka_unit_test(cold_part),
		cmocka_unit_test(mangled),
		cmocka_unit_test(files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
