// SPDX-License-Identifier: GPL-2.0
/*
 * Regions and the children that share them, on this machine, with base pages:
 * these need neither root nor settings.
 */
#include "tests/unit/test.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/kit/mm.h"
#include "bench/kit/racer.h"
#include "lib/util.h"

#define MAPS	2
#define PAGES	16

static struct mm_region r;
static uint64_t page;

static int open_region(void **state)
{
	(void)state;
	page = mm_caps()->page;
	return mm_region_open(&r, MM_ANON, false, page, MAPS, PAGES * page);
}

static int close_region(void **state)
{
	(void)state;
	mm_region_close(&r);
	mm_fork_done();
	return 0;
}

static uint64_t *word(unsigned int map, unsigned int i)
{
	return (uint64_t *)(mm_region_at(&r, map) + i * page);
}

static void write_pattern(void)
{
	unsigned int m, i;

	for (m = 0; m < MAPS; m++)
		for (i = 0; i < PAGES; i++)
			*word(m, i) = MM_PATTERN(word(m, i));
}

static void regions_stand_apart(void **state)
{
	unsigned char there[PAGES];
	unsigned int i;

	(void)state;
	assert_int_equal((uintptr_t)r.base % (mm_caps()->pmd ? : page), 0);
	assert_true(r.stride > r.bytes);
	assert_int_equal(mm_region_populate(&r), 0);
	assert_int_equal(mincore(mm_region_at(&r, 1), r.bytes, there), 0);
	for (i = 0; i < PAGES; i++)
		assert_true(there[i] & 1);
	*word(1, 3) = 5;
	assert_int_equal(mm_region_drop(&r), 0);
	assert_int_equal(*word(1, 3), 0);
	*word(1, 3) = 5;
	assert_int_equal(mm_region_remap(&r), 0);
	assert_int_equal(*word(1, 3), 0);
	*word(1, 3) = 5;
	assert_int_equal(mm_region_renew(&r), 0);
	assert_int_equal(*word(1, 3), 0);
	/* where the new pages came from nobody else may map */
	assert_int_equal(mincore(r.spare, page, there), 0);
}

static void child_keeps_its_copy(void **state)
{
	struct mm_child *c;
	unsigned int i;

	(void)state;
	write_pattern();
	c = mm_fork(&r);
	if (!c)
		fail_msg("%s", fail_text());
	assert_int_equal(mm_child_check(c, &r, page, r.bytes), 0);
	for (i = 0; i < PAGES; i++)
		*word(0, i) = i;
	assert_int_equal(mm_child_check(c, &r, page, r.bytes), 0);
	mm_child_end(c);
	/* a child that never saw the pattern finds that */
	*word(1, 7) = 1;
	c = mm_fork(&r);
	assert_non_null(c);
	assert_int_equal(mm_child_check(c, &r, page, r.bytes), PAGES + 1);
	assert_int_equal(mm_child_check(c, &r, page, 1), 1);
	mm_child_end(c);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Faults of this process so far. */
static long faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt;
}

#define HEAP_PAGES	64

/* What the parent writes after the fork takes faults in the region only. */
static void only_the_region_is_shared(void **state)
{
	static char bss[16 * 4096];
	char *heap = xcalloc(HEAP_PAGES, page), stack[3 * 4096];
	struct mm_child *c;
	unsigned int i;
	long before;

	(void)state;
	memset(heap, 1, HEAP_PAGES * page);
	memset(stack, 1, sizeof(stack));
	memset(bss, 1, sizeof(bss));
	write_pattern();
	c = mm_fork(&r);
	assert_non_null(c);
	before = faults();
	for (i = 0; i < HEAP_PAGES; i++)
		((volatile char *)heap)[i * page] = 2;
	for (i = 0; i < sizeof(bss); i += 4096)
		((volatile char *)bss)[i] = 2;
	for (i = 0; i < sizeof(stack); i += 4096)
		((volatile char *)stack)[i] = 2;
	assert_int_equal(faults() - before, 0);
	for (i = 0; i < PAGES; i++)
		*word(1, i) = 2;
	assert_int_equal(faults() - before, PAGES);
	mm_child_end(c);
	free(heap);
}

/* The child's only page tables that a fork had to copy are the region's. */
static void nothing_else_is_copied(void **state)
{
	char path[64], *pids, *text, *line, *next;
	uintptr_t from, to, at = 0;
	struct mm_child *c;
	unsigned long kib;
	char perms[5];

	(void)state;
	write_pattern();
	c = mm_fork(&r);
	assert_non_null(c);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	pids = read_file(path, NULL);
	if (!pids) {
		mm_child_end(c);
		skip_for("this kernel has no /proc/.../children");
	}
	snprintf(path, sizeof(path), "/proc/%d/smaps", atoi(pids));
	text = read_file(path, NULL);
	assert_non_null(text);
	for (line = text; line && *line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = 0;
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to,
			   perms) == 3)
			at = perms[3] == 'p' &&
			     (from < (uintptr_t)r.map ||
			      from >= (uintptr_t)r.map + r.map_bytes) ? from : 0;
		else if (at && sscanf(line, "Anonymous: %lu kB", &kib) == 1 &&
			 kib)
			fail_msg("the child has %lu KiB of its own at %#lx",
				 kib, (unsigned long)at);
	}
	mm_child_end(c);
	free(text);
	free(pids);
}

static void a_dead_child_is_noticed(void **state)
{
	struct mm_child *c;
	char path[64];
	FILE *f;
	int pid = 0;

	(void)state;
	write_pattern();
	c = mm_fork(&r);
	assert_non_null(c);
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	if (!f || fscanf(f, "%d", &pid) != 1)
		skip_for("this kernel has no /proc/.../children");
	fclose(f);
	kill(pid, SIGKILL);
	assert_true(mm_child_check(c, &r, page, r.bytes) < 0);
	assert_non_null(strstr(fail_text(), "died"));
	mm_child_end(c);
}

static void short_children(void **state)
{
	int i;

	(void)state;
	write_pattern();
	for (i = 0; i < 20; i++)
		if (mm_fork_exit(&r))
			fail_msg("%s", fail_text());
	/* the C library's rseq is back: it would refuse a second time */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

/*
 * A racer runs when it should, stands when it should, and leaves the region
 * populated and writable.
 */
static void racers_run_and_stand(void **state)
{
	static const int cpus[] = { 0, 1 };
	struct bench_ctx ctx = {
		.threads = 1, .racer_cpu = 0, .cpus = cpus, .nr_cpus = 2,
	};
	enum racer_kind kind;

	(void)state;
	for (kind = RACER_NONE; kind <= RACER_FORK; kind++) {
		struct racer *racer = racer_new(&ctx, kind, 0, &r);
		uint64_t rounds;

		assert_non_null(racer);
		assert_int_equal(mm_region_populate(&r), 0);
		assert_int_equal(racer_start(racer), 0);
		assert_int_equal(racer_start(racer), 0);
		rounds = racer_rounds(racer);
		if (kind == RACER_NONE)
			assert_int_equal(rounds, 0);
		else
			assert_true(rounds > 0);
		assert_int_equal(racer_stop(racer), 0);
		rounds = racer_rounds(racer);
		*word(0, 0) = 1;
		*word(1, PAGES - 1) = 1;
		usleep(2000);
		assert_int_equal(racer_rounds(racer), rounds);
		assert_int_equal(racer_start(racer), 0);
		racer_free(racer);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(regions_stand_apart,
						open_region, close_region),
		cmocka_unit_test_setup_teardown(child_keeps_its_copy,
						open_region, close_region),
		cmocka_unit_test_setup_teardown(only_the_region_is_shared,
						open_region, close_region),
		cmocka_unit_test_setup_teardown(nothing_else_is_copied,
						open_region, close_region),
		cmocka_unit_test_setup_teardown(a_dead_child_is_noticed,
						open_region, close_region),
		cmocka_unit_test_setup_teardown(short_children,
						open_region, close_region),
		cmocka_unit_test_setup_teardown(racers_run_and_stand,
						open_region, close_region),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
