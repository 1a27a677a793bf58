// SPDX-License-Identifier: GPL-2.0
/*
 * The proofs: what counts as one folio, what is read from a perf ring and
 * from BTF, and that the prober agrees with this machine's page tables.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <linux/btf.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/kit/kbtf.h"
#include "bench/kit/mm.h"
#include "lib/util.h"

#define H MM_KPF_HEAD
#define T MM_KPF_TAIL

static const uint64_t four[] = { 64, 65, 66, 67 };

static void says(const char *got, const char *want)
{
	if (!got || !strstr(got, want))
		fail_msg("said '%s', not '%s'", got ? got : "nothing", want);
}

static void folio_of_four(void **state)
{
	static const uint64_t good[] = { H, T, H };
	static const uint64_t last[] = { H, T, 0 };

	(void)state;
	assert_null(mm_folio_check(four, good, 4));
	/* beyond the end of memory, or a page that is free */
	assert_null(mm_folio_check(four, last, 4));
}

static void not_a_folio_of_four(void **state)
{
	static const uint64_t small[] = { H, H, 0 };
	static const uint64_t pair[] = { H, 0, 0 };
	static const uint64_t large[] = { H, T, T };
	static const uint64_t within[] = { T, T, T };
	static const uint64_t none[] = { 0, 0, 0 };
	static const uint64_t good[] = { H, T, 0 };
	static const uint64_t gap[] = { 64, 65, 67, 68 };
	static const uint64_t absent[] = { 64, 65, 0, 67 };
	static const uint64_t nothing[] = { 0, 0, 0, 0 };
	static const uint64_t crooked[] = { 66, 67, 68, 69 };

	(void)state;
	says(mm_folio_check(four, small, 4), "smaller");
	says(mm_folio_check(four, pair, 4), "smaller");
	says(mm_folio_check(four, large, 4), "larger");
	says(mm_folio_check(four, within, 4), "part of a larger");
	says(mm_folio_check(four, none, 4), "not part of a large");
	says(mm_folio_check(gap, good, 4), "contiguous");
	says(mm_folio_check(absent, good, 4), "not mapped");
	says(mm_folio_check(nothing, good, 4), "not mapped");
	says(mm_folio_check(crooked, good, 4), "aligned");
}

static void single_page(void **state)
{
	static const uint64_t pfn[] = { 77 };
	static const uint64_t plain[] = { 0, 0, 0 };
	static const uint64_t head[] = { H, 0, 0 };
	static const uint64_t tail[] = { T, 0, 0 };

	(void)state;
	assert_null(mm_folio_check(pfn, plain, 1));
	says(mm_folio_check(pfn, head, 1), "larger folio");
	says(mm_folio_check(pfn, tail, 1), "larger folio");
}

/* --- the ring --- */

#define RING	4096

struct sample {
	struct perf_event_header h;
	uint64_t addr, size;
};

static unsigned char ring[RING];

static void put(uint64_t at, const void *what, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		ring[(at + i) % RING] = ((const unsigned char *)what)[i];
}

static void put_sample(uint64_t at, uint64_t addr, uint64_t size)
{
	struct sample s = {
		.h.type = PERF_RECORD_SAMPLE, .h.size = sizeof(s),
		.addr = addr, .size = size,
	};

	put(at, &s, sizeof(s));
}

static void samples(void **state)
{
	uint64_t size = 0;

	(void)state;
	assert_int_equal(mm_samples(ring, RING, 0, 0, 0x1000, &size), 0);
	put_sample(0, 0x1000, 65536);
	assert_int_equal(mm_samples(ring, RING, 0, 24, 0x1000, &size), 1);
	assert_int_equal(size, 65536);
	/* the last of two, and none of another address */
	put_sample(24, 0x1000, 4096);
	put_sample(48, 0x2000, 2 * MIB);
	assert_int_equal(mm_samples(ring, RING, 0, 72, 0x1000, &size), 2);
	assert_int_equal(size, 4096);
	assert_int_equal(mm_samples(ring, RING, 0, 72, 0x1008, &size), 0);
}

/* The ring wraps within a record, at each of its bytes. */
static void samples_wrap(void **state)
{
	uint64_t size, tail, at;

	(void)state;
	for (at = RING - 30; at <= RING; at++) {
		tail = 7 * RING + at;
		put_sample(tail, 0xabc000 + at, 2 * MIB);
		size = 0;
		assert_int_equal(mm_samples(ring, RING, tail, tail + 24,
					    0xabc000 + at, &size), 1);
		assert_int_equal(size, 2 * MIB);
	}
}

static void other_records(void **state)
{
	struct perf_event_header lost = {
		.type = PERF_RECORD_LOST, .size = 32,
	};
	struct perf_event_header zero = { .type = PERF_RECORD_SAMPLE };
	struct perf_event_header far = {
		.type = PERF_RECORD_SAMPLE, .size = 0xffff,
	};
	uint64_t size = 0;

	(void)state;
	memset(ring, 0, sizeof(ring));
	put(0, &lost, sizeof(lost));
	put_sample(32, 0x3000, 4096);
	assert_int_equal(mm_samples(ring, RING, 0, 56, 0x3000, &size), 1);
	assert_int_equal(size, 4096);
	/* neither of these may go round for ever, or read past the head */
	put(0, &zero, sizeof(zero));
	assert_int_equal(mm_samples(ring, RING, 0, 56, 0x3000, &size), 0);
	put(0, &far, sizeof(far));
	assert_int_equal(mm_samples(ring, RING, 0, 56, 0x3000, &size), 0);
	/* a torn end */
	put_sample(0, 0x4000, 4096);
	assert_int_equal(mm_samples(ring, RING, 0, 20, 0x4000, &size), 0);
}

/* --- the real thing --- */

static void prober_here(void **state)
{
	struct mm_prober *p = mm_prober_open();
	struct sigaction before, after;
	uint64_t leaf = 0;
	char *page;
	int i;

	(void)state;
	if (!p)
		skip_for(fail_text());
	page = mmap(NULL, 4 * mm_caps()->page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(page, MAP_FAILED);
	madvise(page, 4 * mm_caps()->page, MADV_NOHUGEPAGE);
	memset(page, 1, 4 * mm_caps()->page);
	sigaction(SIGSEGV, NULL, &before);
	/* more often than the ring has room for samples */
	for (i = 0; i < 1000; i++) {
		assert_int_equal(mm_probe(p, page + i % 4 * mm_caps()->page +
					  i % 100, &leaf), 0);
		assert_int_equal(leaf, mm_caps()->page);
	}
	sigaction(SIGSEGV, NULL, &after);
	assert_ptr_equal(after.sa_handler, before.sa_handler);
	munmap(page, 4 * mm_caps()->page);
	mm_prober_close(p);
}

/* A PMD, before and after it is split. */
static void prober_of_a_pmd(void **state)
{
	uint64_t pmd = mm_caps()->pmd, leaf = 0, i;
	struct mm_prober *p = mm_prober_open();
	char *map, *at;

	(void)state;
	if (!p)
		skip_for(fail_text());
	map = pmd ? mmap(NULL, 2 * pmd, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;
	at = (char *)(((uintptr_t)map + pmd - 1) & -pmd);
	if (map != MAP_FAILED && !madvise(at, pmd, MADV_HUGEPAGE)) {
		memset(at, 1, pmd);
		for (i = 0; i < 8; i++) {
			assert_int_equal(mm_probe(p, at + i * pmd / 8 + i,
						  &leaf), 0);
			if (leaf != pmd)
				break;
		}
	}
	if (leaf != pmd) {
		mm_prober_close(p);
		skip_for("no huge page was to be had");
	}
	assert_int_equal(mprotect(at, mm_caps()->page, PROT_READ), 0);
	assert_int_equal(mm_probe(p, at + pmd - 1, &leaf), 0);
	assert_true(leaf < pmd);	/* contpte, where there is such a thing */
	munmap(map, 2 * pmd);
	mm_prober_close(p);
}

/* --- BTF --- */

/* int x; enum { ALPHA = 1, OMEGA = -2 }; enum64 { WIDE = 1 << 40 } */
static const char strings[] = "\0int\0ALPHA\0OMEGA\0WIDE\0MEGA";

static struct {
	struct btf_header h;
	struct btf_type integer;
	uint32_t encoding;
	struct btf_type small;
	struct btf_enum two[2];
	struct btf_type wide;
	uint32_t word[3];
	char strings[sizeof(strings)];
} __attribute__((packed)) btf;

static uint32_t name(const char *s)
{
	size_t i;

	for (i = 1; i < sizeof(strings); i += strlen(strings + i) + 1)
		if (!strcmp(strings + i, s))
			return i;
	return 0;
}

static void make_btf(void)
{
	memset(&btf, 0, sizeof(btf));
	btf.h.magic = BTF_MAGIC;
	btf.h.version = 1;
	btf.h.hdr_len = sizeof(btf.h);
	btf.h.type_len = offsetof(typeof(btf), strings) - sizeof(btf.h);
	btf.h.str_off = btf.h.type_len;
	btf.h.str_len = sizeof(strings);
	btf.integer.name_off = name("int");
	btf.integer.info = BTF_KIND_INT << 24;
	btf.small.info = BTF_KIND_ENUM << 24 | 2;
	btf.two[0] = (struct btf_enum){ name("ALPHA"), 1 };
	btf.two[1] = (struct btf_enum){ name("OMEGA"), -2 };
	btf.wide.info = 19U << 24 | 1;
	btf.word[0] = name("WIDE");
	btf.word[2] = 1 << 8;
	memcpy(btf.strings, strings, sizeof(strings));
}

static void btf_values(void **state)
{
	int64_t v = 0;

	(void)state;
	make_btf();
	assert_int_equal(kbtf_enum_in(&btf, sizeof(btf), "ALPHA", &v), 0);
	assert_int_equal(v, 1);
	assert_int_equal(kbtf_enum_in(&btf, sizeof(btf), "OMEGA", &v), 0);
	assert_int_equal(v, -2);
	assert_int_equal(kbtf_enum_in(&btf, sizeof(btf), "WIDE", &v), 0);
	assert_int_equal(v, 1LL << 40);
	/* the end of another name; a name that no enumerator has */
	assert_int_equal(kbtf_enum_in(&btf, sizeof(btf), "MEGA", &v), -ENOENT);
	assert_int_equal(kbtf_enum_in(&btf, sizeof(btf), "int", &v), -ENOENT);
	assert_int_equal(kbtf_enum_in(&btf, sizeof(btf), "EGA", &v), -ENOENT);
	assert_int_equal(kbtf_has_in(&btf, sizeof(btf), "MEGA"), 1);
	assert_int_equal(kbtf_has_in(&btf, sizeof(btf), "EGA"), 0);
	assert_int_equal(kbtf_has_in(&btf, sizeof(btf), "ALPHAX"), 0);
}

/* Whatever is cut off or changed, nothing outside is read. */
static void btf_broken(void **state)
{
	unsigned char *copy;
	int64_t v;
	size_t i;
	int ret;

	(void)state;
	make_btf();
	for (i = 0; i < sizeof(btf); i++) {
		copy = xcalloc(1, i ? i : 1);
		memcpy(copy, &btf, i);
		assert_true(kbtf_enum_in(copy, i, "WIDE", &v) < 0);
		free(copy);
	}
	for (i = 0; i < sizeof(btf); i++) {
		copy = xcalloc(1, sizeof(btf));
		memcpy(copy, &btf, sizeof(btf));
		copy[i] ^= 0xff;
		ret = kbtf_enum_in(copy, sizeof(btf), "WIDE", &v);
		assert_true(!ret || ret == -EINVAL || ret == -ENOENT);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(folio_of_four),
		cmocka_unit_test(not_a_folio_of_four),
		cmocka_unit_test(single_page),
		cmocka_unit_test(samples),
		cmocka_unit_test(samples_wrap),
		cmocka_unit_test(other_records),
		cmocka_unit_test(prober_here),
		cmocka_unit_test(prober_of_a_pmd),
		cmocka_unit_test(btf_values),
		cmocka_unit_test(btf_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
