// SPDX-License-Identifier: GPL-2.0
/* What the counting plugin makes of the blocks that run. */
#include "tests/unit/test.h"

#include <string.h>

#include "analysis/code/regions.h"
#include "lib/util.h"
#include "tests/unit/walk_program.h"

static uint64_t total(const struct region_count *c, size_t nr)
{
	uint64_t sum = 0;

	while (nr--)
		sum += c[nr].count;
	return sum;
}

static uint64_t at(const struct region_count *c, size_t nr, uint64_t pc)
{
	uint64_t sum = 0;

	while (nr--)
		if (c[nr].pc == pc)
			sum += c[nr].count;
	return sum;
}

/* The kind of the node in which the instruction at @pc ran. */
static int kind(const struct region_view *v, const struct region_count *c,
		size_t nr, uint64_t pc)
{
	while (nr--)
		if (c[nr].pc == pc)
			return v->nodes[c[nr].node].kind;
	return -1;
}

static uint64_t parent_entry(const struct region_view *v,
			     const struct region_count *c, size_t nr,
			     uint64_t pc)
{
	while (nr--)
		if (c[nr].pc == pc)
			return v->nodes[v->nodes[c[nr].node].parent].entry;
	return 0;
}

struct result {
	struct regions *r;
	const struct region_view *v;
	struct region_count *c;
	size_t nr;
};

/* Ends the program and reads its only region. */
static struct result finish(struct program *p)
{
	struct result x;

	program_end(p);
	x.r = regions_load(p->path);
	unlink(p->path);
	assert_non_null(x.r);
	assert_int_equal(x.r->nr_runs, 1);
	assert_int_equal(x.r->runs[0].nr, 1);
	x.v = &x.r->runs[0].regions[0];
	x.c = region_counts(x.r, x.v, &x.nr);
	return x;
}

static void drop(struct result *x)
{
	free(x->c);
	regions_free(x->r);
}

/* Up to where counting begins, by reads from user mode. */
static void start(struct program *p, bool lines)
{
	program_begin(p, lines);
	RUN(p, 0x3ffff0, MARK(MARK_RUN));
	RUN(p, 0x400000, MARK(MARK_ARM), READ(1));
	RUN(p, 0x400008, READ(0));
	RUN(p, 0x40000c, MARK(MARK_BEGIN), NOP, BL);
}

static void stop(struct program *p)
{
	RUN(p, 0x400018, MARK(MARK_END), NOP, READ(0));
	RUN(p, 0x400024, READ(1));
	RUN(p, 0x400028, NOP, MARK(MARK_DONE), NOP);
}

#define ENDS	6	/* instructions of start() and stop() that count */

/* A fault, a system call, calls and returns. */
static void exceptions(void **state)
{
	struct program p;
	struct result x;

	(void)state;
	start(&p, false);
	RUN_PART(&p, 1, 0x400100, LDR, NOP, RET);	/* faults */
	RUN(&p, VECTORS + 0x400, NOP, B_);
	RUN(&p, KERNEL, NOP, BL);
	RUN(&p, KERNEL + 0x100, NOP, RET);
	RUN(&p, KERNEL + 8, ERET);
	RUN(&p, 0x400100, LDR, NOP, RET);
	stop(&p);
	x = finish(&p);
	assert_int_equal(total(x.c, x.nr), ENDS + 7 + 3);
	assert_int_equal(at(x.c, x.nr, 0x400100), 1);
	assert_int_equal(at(x.c, x.nr, 0x400000), 0);
	assert_int_equal(at(x.c, x.nr, 0x400008), 0);
	assert_int_equal(at(x.c, x.nr, 0x400020), 1);
	assert_int_equal(at(x.c, x.nr, 0x400024), 0);
	assert_int_equal(x.v->head.exceptions[X_USER_ABORT], 1);
	assert_int_equal(x.v->head.exceptions[X_USER_SVC], 0);
	assert_int_equal(x.v->head.unmatched, 0);
	assert_true(x.v->head.by_pmu);
	assert_int_equal(kind(x.v, x.c, x.nr, KERNEL), N_EXCEPTION);
	assert_int_equal(kind(x.v, x.c, x.nr, KERNEL + 0x100), N_CALL);
	assert_int_equal(parent_entry(x.v, x.c, x.nr, KERNEL + 0x100),
			 VECTORS + 0x400);
	assert_int_equal(parent_entry(x.v, x.c, x.nr, VECTORS + 0x400),
			 0x400100);
	drop(&x);
}

/* The load retired; what follows it on the next page could not be fetched. */
static void fetch_fault(void **state)
{
	struct program p;
	struct result x;

	(void)state;
	start(&p, false);
	RUN(&p, 0x400ff8, NOP, LDR);
	RUN(&p, VECTORS + 0x400, B_);
	RUN(&p, KERNEL, ERET);
	RUN(&p, 0x401000, NOP, RET);
	stop(&p);
	x = finish(&p);
	assert_int_equal(at(x.c, x.nr, 0x400ffc), 1);
	assert_int_equal(total(x.c, x.nr), ENDS + 2 + 2 + 2);
	assert_int_equal(x.v->head.unmatched, 0);
	drop(&x);
}

/* An interrupt in the kernel, and a fault there that ends elsewhere. */
static void kernel_exceptions(void **state)
{
	struct program p;
	struct result x;

	(void)state;
	start(&p, false);
	RUN(&p, 0x400100, SVC);
	RUN(&p, VECTORS + 0x400, B_);
	RUN(&p, KERNEL, NOP, B_);
	RUN(&p, VECTORS + 0x280, B_);		/* IRQ */
	RUN(&p, KERNEL + 0x200, ERET);
	RUN_PART(&p, 2, KERNEL + 0x20, NOP, STR, NOP, NOP);
	RUN(&p, VECTORS + 0x200, B_);		/* its fault */
	RUN(&p, KERNEL + 0x300, ERET);
	RUN(&p, KERNEL + 0x80, NOP, ERET);	/* a fixup */
	RUN(&p, 0x400104, RET);
	stop(&p);
	x = finish(&p);
	assert_int_equal(at(x.c, x.nr, KERNEL + 0x24), 0);
	assert_int_equal(at(x.c, x.nr, KERNEL + 0x20), 1);
	assert_int_equal(x.v->head.exceptions[X_USER_SVC], 1);
	assert_int_equal(x.v->head.exceptions[X_KERNEL_IRQ], 1);
	assert_int_equal(x.v->head.exceptions[X_KERNEL_ABORT], 1);
	assert_int_equal(total(x.c, x.nr), ENDS + 1 + 1 + 2 + 2 + 1 + 2 + 2 + 1);
	assert_int_equal(x.v->head.unmatched, 0);
	drop(&x);
}

/* Counters that are switched on and off: only the second makes it count. */
static void switched(void **state)
{
	struct program p;
	struct result x;

	(void)state;
	program_begin(&p, false);
	RUN(&p, 0x3ffff0, MARK(MARK_RUN));
	RUN(&p, 0x400000, MARK(MARK_ARM), SVC);
	RUN(&p, VECTORS + 0x400, NOP);
	RUN(&p, KERNEL, TYPE(0), NOP);
	RUN(&p, START, PMCR);			/* one counter */
	RUN(&p, KERNEL + 8, NOP, PMCR);		/* off */
	RUN(&p, KERNEL + 0x10, TYPE(0), TYPE(1), NOP);
	RUN(&p, START, PMCR);			/* both */
	RUN(&p, KERNEL + 0x1c, NOP, ERET);
	RUN(&p, 0x400008, MARK(MARK_BEGIN), NOP, MARK(MARK_END), SVC);
	RUN(&p, VECTORS + 0x400, NOP);
	RUN(&p, KERNEL + 0x400, NOP, PMCR);	/* off */
	RUN(&p, KERNEL + 0x408, NOP, ERET);
	RUN(&p, 0x400018, MARK(MARK_DONE));
	x = finish(&p);
	assert_int_equal(total(x.c, x.nr), 2 + 4 + 1 + 2);
	assert_true(x.v->head.by_pmu);
	assert_int_equal(x.v->head.exceptions[X_USER_SVC], 1);
	drop(&x);
}

/* Without a PMU the marks are all there is. */
static void by_marks(void **state)
{
	struct program p;
	struct result x;

	(void)state;
	program_begin(&p, false);
	RUN(&p, 0x3ffff0, MARK(MARK_RUN));
	RUN(&p, 0x400000, MARK(MARK_ARM), NOP, MARK(MARK_BEGIN), NOP, NOP, B_);
	RUN(&p, 0x400020, NOP, B_);
	RUN(&p, 0x400028, NOP, MARK(MARK_END), NOP, MARK(MARK_DONE));
	x = finish(&p);
	assert_int_equal(total(x.c, x.nr), 3 + 2 + 2);
	assert_false(x.v->head.by_pmu);
	drop(&x);
}

/* Another task runs meanwhile: its instructions do not count, and afterwards
 * returns find their callers again. */
static void tasks(void **state)
{
	struct program p;
	struct result x;

	(void)state;
	start(&p, false);
	RUN(&p, 0x400100, SVC);
	RUN(&p, VECTORS + 0x400, NOP);
	RUN(&p, KERNEL, BL);			/* schedule() */
	RUN(&p, KERNEL + 0x100, PMCR);		/* ours off */
	RUN(&p, KERNEL + 0x104, BL);
	RUN(&p, SWITCH, STR, LDR, RET);
	walk_access(p.w, KERNEL + 0x5000, 8, true);
	walk_access(p.w, KERNEL + 0x6000, 8, false);
	RUN(&p, KERNEL + 0x108, NOP, RET);	/* the other's */
	RUN(&p, KERNEL + 0x700, NOP, BL);
	RUN(&p, KERNEL + 0x100, NOP);
	RUN(&p, KERNEL + 0x104, BL);
	RUN(&p, SWITCH, STR, LDR, RET);
	walk_access(p.w, KERNEL + 0x6000, 8, true);
	walk_access(p.w, KERNEL + 0x5000, 8, false);
	RUN(&p, KERNEL + 0x108, NOP);
	RUN(&p, KERNEL + 0x10c, TYPE(0), TYPE(1));
	RUN(&p, START, PMCR);			/* ours on */
	RUN(&p, KERNEL + 0x114, NOP, RET);
	RUN(&p, KERNEL + 4, ERET);
	RUN(&p, 0x400104, RET);
	stop(&p);
	x = finish(&p);
	/* svc, vector, bl, pmcr; nop, ret, eret, ret */
	assert_int_equal(total(x.c, x.nr), ENDS + 4 + 4);
	assert_int_equal(at(x.c, x.nr, KERNEL + 0x700), 0);
	assert_int_equal(x.v->head.switches, 2);
	/* the other task's return went to nowhere known, ours did not */
	assert_int_equal(x.v->head.unmatched, 1);
	assert_int_equal(kind(x.v, x.c, x.nr, KERNEL + 4), N_EXCEPTION);
	assert_int_equal(kind(x.v, x.c, x.nr, 0x400104), N_CALL);
	drop(&x);
}

static void guest(void **state)
{
	struct program p;
	struct result x;

	(void)state;
	start(&p, false);
	RUN(&p, 0x400100, SVC);
	RUN(&p, VECTORS + 0x400, NOP);
	RUN(&p, KERNEL, BL);
	RUN(&p, ENTER, NOP, ERET);
	RUN(&p, 0x10000, NOP, LDR);		/* exits */
	RUN(&p, VECTORS + 0x1400, NOP, B_);
	RUN(&p, ENTER + 0x80, RET);		/* to the caller of ENTER */
	RUN(&p, KERNEL + 4, ERET);
	RUN(&p, 0x400104, RET);
	stop(&p);
	x = finish(&p);
	assert_int_equal(x.v->head.exceptions[X_GUEST_SYNC], 1);
	assert_int_equal(x.v->head.unmatched, 0);
	assert_int_equal(kind(x.v, x.c, x.nr, 0x10000), N_GUEST);
	assert_int_equal(at(x.c, x.nr, 0x10004), 0);	/* did not retire */
	assert_int_equal(kind(x.v, x.c, x.nr, KERNEL + 4), N_EXCEPTION);
	assert_int_equal(total(x.c, x.nr), ENDS + 3 + 2 + 1 + 2 + 1 + 1 + 1);
	drop(&x);
}

/* A line counts once in each stay in user mode, and once in the kernel. */
static void lines(void **state)
{
	struct program p;
	struct result x;
	int i;

	(void)state;
	start(&p, true);
	RUN(&p, 0x400100, LDR, SVC);
	for (i = 0; i < 3; i++)
		walk_access(p.w, 0x10000 + 8 * i, 8, false);
	walk_access(p.w, 0x1003c, 8, true);	/* two lines, one is new */
	RUN(&p, VECTORS + 0x400, NOP);
	walk_access(p.w, 0x10000, 8, false);
	walk_access(p.w, KERNEL, 64, false);
	RUN(&p, KERNEL, ERET);
	RUN(&p, 0x400108, RET);
	walk_access(p.w, 0x10000, 8, false);
	stop(&p);
	x = finish(&p);
	/* user: 2; kernel: 2; the stay after it counts from its entry on */
	assert_int_equal(x.v->head.lines, 4);
	assert_true(x.v->head.has_lines);
	drop(&x);
}

/* Whatever is cut off, or is another byte, is refused or at least survived. */
static void damaged(void **state)
{
	struct program p;
	struct regions *r;
	char *data;
	size_t len, i;
	FILE *f;

	(void)state;
	start(&p, false);
	RUN(&p, 0x400100, RET);
	stop(&p);
	program_end(&p);
	data = read_file(p.path, &len);
	for (i = 1; i < 2 * len; i++) {
		f = fopen(p.path, "w");
		if (i < len) {
			fwrite(data, i, 1, f);
		} else {
			data[i - len] ^= 0xff;
			fwrite(data, len, 1, f);
			data[i - len] ^= 0xff;
		}
		fclose(f);
		r = regions_load(p.path);
		if (r && r->nr_runs && r->runs[0].nr) {
			size_t nr;

			free(region_counts(r, &r->runs[0].regions[0], &nr));
		}
		if (i < 8)
			assert_null(r);
		regions_free(r);
	}
	unlink(p.path);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exceptions),
		cmocka_unit_test(fetch_fault),
		cmocka_unit_test(kernel_exceptions),
		cmocka_unit_test(switched),
		cmocka_unit_test(by_marks),
		cmocka_unit_test(tasks),
		cmocka_unit_test(guest),
		cmocka_unit_test(lines),
		cmocka_unit_test(damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
