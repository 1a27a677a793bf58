// SPDX-License-Identifier: GPL-2.0
/* The tiny VM as the notifier family uses it: lists in spans, warming up, and
 * nothing of the VM's own in the way of a fork. */
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/runner.h"
#include "bench/kit/subscribers.h"
#include "bench/kit/vm.h"
#include "lib/util.h"

#define LEN	(8 * MIB)
#define PAGES	(LEN / 4096)

static char *mem;
static struct vm *vm;

static int setup(void **state)
{
	(void)state;
	if (vm_unavailable())
		return 0;
	mem = mmap(NULL, 2 * LEN, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return -1;
	mem = (char *)(((uintptr_t)mem + LEN - 1) & ~(uintptr_t)(LEN - 1));
	vm = vm_new(mem, LEN, PAGES);
	return vm ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	vm_free(vm);
	vm = NULL;
	return 0;
}

static void need_kvm(void)
{
	if (!vm)
		skip_for(vm_unavailable());
}

static uint32_t *word(size_t offset)
{
	return (uint32_t *)(mem + offset);
}

static void spans(void **state)
{
	uint32_t sum;
	size_t i;

	(void)state;
	need_kvm();
	/* 3 pages of every 2 MiB from 64 KiB on, the last span short */
	for (i = 0; i < 8; i++)
		*word(64 * KIB + i / 3 * 2 * MIB + i % 3 * 4096 + 16) = 1u << i;
	assert_int_equal(vm_list_spans(vm, 8, 3, 4096, 64 * KIB, 2 * MIB), 0);
	assert_int_equal(vm_read_pass(vm, 16, &sum), 0);
	assert_int_equal(sum, 255);
	assert_int_equal(vm_write_pass(vm, 20, 7), 0);
	for (i = 0; i < 8; i++)
		assert_int_equal(*word(64 * KIB + i / 3 * 2 * MIB +
				       i % 3 * 4096 + 20), 7);
	assert_int_equal(*word(64 * KIB + 3 * 4096 + 20), 0);
}

static void spans_that_do_not_fit(void **state)
{
	(void)state;
	need_kvm();
	assert_int_equal(vm_list_spans(vm, 13, 3, 4096, 0, 2 * MIB), -E2BIG);
	assert_int_equal(vm_list_spans(vm, 12, 3, 4096, 2 * MIB, 2 * MIB),
			 -E2BIG);
	assert_int_equal(vm_list_spans(vm, 12, 3, 4096, 0, 2 * MIB), 0);
	assert_int_equal(vm_list_spans(vm, 0, 1, 4096, 0, 0), 0);
}

/* Going through the list leaves the pages alone. */
static void warm(void **state)
{
	unsigned char there[PAGES];
	uint32_t sum = 1;
	size_t i;

	(void)state;
	need_kvm();
	assert_int_equal(madvise(mem, LEN, MADV_DONTNEED), 0);
	assert_int_equal(vm_list(vm, PAGES, 4096), 0);
	assert_int_equal(vm_warm(vm), 0);
	assert_int_equal(mincore(mem, LEN, there), 0);
	for (i = 0; i < PAGES; i++)
		assert_int_equal(there[i] & 1, 0);
	assert_int_equal(vm_read_pass(vm, 0, &sum), 0);
	assert_int_equal(sum, 0);
	assert_int_equal(vm_warm(vm), 0);
	assert_int_equal(vm_list(vm, 0, 4096), 0);
	assert_int_equal(vm_warm(vm), 0);
}

/* The VM survives a fork, and a child that has nothing of it. */
static void fork_beside_it(void **state)
{
	uint32_t sum;
	int status;
	pid_t pid;

	(void)state;
	need_kvm();
	*word(0) = 41;
	assert_int_equal(vm_list(vm, 1, 4096), 0);
	assert_int_equal(vm_read_pass(vm, 0, &sum), 0);
	pid = fork();
	if (!pid) {
		*word(0) = 0;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(vm_read_pass(vm, 0, &sum), 0);
	assert_int_equal(sum, 41);
	*word(0) = 42;
	assert_int_equal(vm_read_pass(vm, 0, &sum), 0);
	assert_int_equal(sum, 42);
}

static void remembered(void **state)
{
	(void)state;
	need_kvm();
	vm_free(vm);
	vm = NULL;
	assert_true(subscribers_had());
}

/* The mm has subscriptions for ever: nothing that must have none is measured. */
static void refused_afterwards(void **state)
{
	const struct runner_options o = { .batches = 1, .cpu = -1 };
	bool stopped = false;
	struct point_list list;
	struct runner *r;
	json_t *record;

	(void)state;
	need_kvm();
	assert_int_equal(points_expand(NULL, 0, NULL, 0, &list), 0);
	r = runner_new(&o);
	assert_non_null(r);
	assert_false(runner_subscribes(r, &list.points[0]));
	record = runner_timed(r, &list.points[0], &stopped);
	assert_string_equal(json_string_value(json_object_get(record,
							      "status")),
			    "invalid");
	assert_non_null(strstr(json_string_value(json_object_get(record,
								 "reason")),
			       "in a separate run"));
	json_decref(record);
	runner_free(r);
	points_free(&list);
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(spans), T(spans_that_do_not_fit), T(warm), T(fork_beside_it),
		T(remembered), T(refused_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
