// SPDX-License-Identifier: GPL-2.0
/* The tiny VM on this machine's KVM: it reads and writes what it should, and
 * says so when it does not come to its exit. */
#include "tests/unit/test.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/kit/vm.h"
#include "lib/util.h"

#define LEN	(4 * MIB)
#define PAGES	(LEN / 4096)

static char *mem;
static struct vm *vm;

static int setup(void **state)
{
	(void)state;
	if (vm_unavailable())
		return 0;
	/* aligned as the interface asks */
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

static uint32_t *word(size_t page, size_t offset)
{
	return (uint32_t *)(mem + page * 4096 + offset);
}

static void reads(void **state)
{
	uint32_t sum, want = 0;
	size_t i;

	(void)state;
	need_kvm();
	for (i = 0; i < PAGES; i++) {
		*word(i, 64) = 2654435761u * (i + 1);
		want += *word(i, 64);
	}
	assert_int_equal(vm_list(vm, PAGES, 4096), 0);
	assert_int_equal(vm_read_pass(vm, 64, &sum), 0);
	assert_int_equal(sum, want);
	/* the host changes one page; the guest sees it */
	*word(17, 64) += 5;
	assert_int_equal(vm_read_pass(vm, 64, &sum), 0);
	assert_int_equal(sum, want + 5);
}

static void writes(void **state)
{
	size_t i;

	(void)state;
	need_kvm();
	assert_int_equal(vm_list(vm, PAGES / 16, 65536), 0);
	assert_int_equal(vm_write_pass(vm, 8, 0xabcd1234), 0);
	for (i = 0; i < PAGES; i++)
		assert_int_equal(*word(i, 8), i % 16 ? 0 : 0xabcd1234);
	*word(16, 8) = 1;
	assert_int_equal(vm_write_pass(vm, 8, 0x55), 0);
	assert_int_equal(*word(16, 8), 0x55);
}

static void empty_list(void **state)
{
	uint32_t sum = 1;

	(void)state;
	need_kvm();
	assert_int_equal(vm_list(vm, 0, 4096), 0);
	assert_int_equal(vm_read_pass(vm, 0, &sum), 0);
	assert_int_equal(sum, 0);
}

static void too_long_a_list(void **state)
{
	(void)state;
	need_kvm();
	assert_int_equal(vm_list(vm, PAGES + 1, 4096), -E2BIG);
	assert_int_equal(vm_list(vm, 3, LEN), -E2BIG);
}

/* Memory taken away under the guest ends the pass with a reason. */
static void memory_gone(void **state)
{
	uint32_t sum;

	(void)state;
	need_kvm();
	assert_int_equal(vm_list(vm, PAGES, 4096), 0);
	assert_int_equal(mprotect(mem, LEN, PROT_NONE), 0);
	assert_int_equal(vm_read_pass(vm, 0, &sum), -EPROTO);
	assert_true(strstr(fail_text(), "KVM_RUN") ||
		    strstr(fail_text(), "exit reason"));
}

static void too_much(void **state)
{
	(void)state;
	need_kvm();
	assert_null(vm_new(mem, 8 * GIB, 1));
	assert_null(vm_new(mem, LEN, 1UL << 30));
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reads), T(writes), T(empty_list), T(too_long_a_list),
		T(memory_gone), T(too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
