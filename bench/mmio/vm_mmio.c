// SPDX-License-Identifier: GPL-2.0
/*
 * See vm_mmio.h. Guest-physical memory: code, command block and page tables in
 * the first slot, the generated code and its data in the second, the BAR in the
 * third. Everything is mapped 1:1.
 */
#include "bench/mmio/vm_mmio.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/kit/vm.h"
#include "bench/kit/vm_impl.h"
#include "lib/util.h"

#define VECTORS_OFFSET	0x800UL
#define TABLES_OFFSET	0x2000UL
#define MADE_SIZE	0x100000UL	/* of the second slot */
#define DATA_OFFSET	(MADE_SIZE - 0x1000)
#define SAMPLE_OFFSET	(DATA_OFFSET - VM_MMIO_MAX_LOADS * sizeof(uint64_t))
#define PAGE		4096UL
#define NR_BAR_TABLES	(VM_MMIO_MAX_BYTES >> 21)
/* Where the guest stores, relative to the exit address, after an exception. */
#define FAULT_OFFSET	8

#ifdef __aarch64__

/* What the guest's code below reads at BLOCK; that code has these offsets. */
struct mmio_command {
	uint64_t code, base, blocks, data, wrap;
	uint64_t tail, tail_base, tails;
	uint64_t ticks;
	uint64_t touch, touch_base, value;
	uint64_t loads, load_base, step, window, sample, load_offset;
};

struct vm_mmio {
	struct kvm_vm k;
	char *code;		/* CODE_SIZE bytes */
	char *made;		/* MADE_SIZE bytes */
	struct mmio_command *cmd;
	uint64_t *bar_table;	/* of the BAR's pages */
	void *mem;
	size_t len;
	uint64_t code_gpa, tail_gpa;
};

extern const char vm_mmio_start[], vm_mmio_vectors[], vm_mmio_end[];

/* An exception exits with ESR_EL1. All 16 vectors are the same. */
asm(
"	.pushsection .rodata\n"
"	.balign 8\n"
"	.global vm_mmio_start, vm_mmio_vectors, vm_mmio_end\n"
"vm_mmio_start:\n"
"	movz	x19, #0x1, lsl #16\n"		/* CODE_GPA */
"	add	x19, x19, #0x1, lsl #12\n"	/* + BLOCK_OFFSET */
"	movz	x22, #0x800, lsl #16\n"		/* EXIT_GPA */
"1:	ldr	x20, [x19]\n"			/* code */
"	ldp	x0, x1, [x19, #8]\n"		/* base, blocks */
"	ldp	x2, x3, [x19, #24]\n"		/* data, wrap */
"	isb\n"
"	mrs	x23, cntvct_el0\n"
"	cbz	x1, 2f\n"
"	blr	x20\n"
"2:	ldp	x20, x0, [x19, #40]\n"		/* tail, its base */
"	ldr	x1, [x19, #56]\n"		/* tails */
"	ldr	x2, [x19, #24]\n"
"	mov	x3, #1\n"
"	cbz	x1, 3f\n"
"	blr	x20\n"
"3:	isb\n"
"	mrs	x24, cntvct_el0\n"
"	sub	x24, x24, x23\n"
"	str	x24, [x19, #64]\n"
"	ldp	x20, x0, [x19, #72]\n"		/* touch, where */
"	ldr	x1, [x19, #88]\n"
"	cbz	x20, 5f\n"
"4:	str	x1, [x0]\n"
"	add	x0, x0, #1, lsl #12\n"
"	add	x1, x1, #1\n"
"	subs	x20, x20, #1\n"
"	b.ne	4b\n"
"5:	ldp	x20, x21, [x19, #96]\n"	/* loads, where */
"	cbz	x20, 8f\n"
"	ldp	x25, x26, [x19, #112]\n"	/* step, window */
"	ldp	x27, x28, [x19, #128]\n"	/* samples, offset */
"6:	add	x0, x21, x28\n"
"	mov	x1, #1\n"
"	ldr	x2, [x19, #24]\n"
"	mov	x3, #1\n"
"	ldr	x23, [x19, #40]\n"
"	blr	x23\n"
"	add	x0, x21, x28\n"
"	isb\n"
"	mrs	x23, cntvct_el0\n"
"	ldrb	w24, [x0]\n"
"	cbz	w24, 7f\n"			/* waits for the value */
"7:	isb\n"
"	mrs	x24, cntvct_el0\n"
"	sub	x24, x24, x23\n"
"	str	x24, [x27], #8\n"
"	add	x28, x28, x25\n"
"	cmp	x28, x26\n"
"	csel	x28, xzr, x28, hs\n"
"	subs	x20, x20, #1\n"
"	b.ne	6b\n"
"8:	dsb	sy\n"
"	str	x20, [x22]\n"			/* exit */
"	b	1b\n"
"vm_mmio_vectors:\n"
"	.rept	16\n"
"	movz	x22, #0x800, lsl #16\n"
"	mrs	x20, esr_el1\n"
"	str	x20, [x22, #8]\n"		/* FAULT_OFFSET */
"	b	.\n"
"	.skip	112\n"
"	.endr\n"
"vm_mmio_end:\n"
"	.popsection\n"
);

const char *vm_mmio_unavailable(void)
{
	return vm_unavailable();
}

/* --- the guest's page tables: 4K pages, 4 GiB, from level 1 on --- */

#define DESC_TABLE	3UL
#define DESC_PAGE	3UL
#define DESC_BLOCK	1UL
#define DESC_AF		(1UL << 10)
#define DESC_SH_INNER	(3UL << 8)
#define DESC_NO_EXEC	(3UL << 53)
#define DESC_ATTR(t)	((uint64_t)(t) << 2)
#define DESC_ADDR	0xfffffffff000UL

static uint64_t table_gpa(const struct vm_mmio *vm, const uint64_t *table)
{
	return CODE_GPA + ((const char *)table - vm->code);
}

static uint64_t leaf(uint64_t gpa, enum mem_type t)
{
	return gpa | DESC_ATTR(t) | DESC_AF | DESC_SH_INNER;
}

static void make_tables(struct vm_mmio *vm)
{
	uint64_t *l1 = (uint64_t *)(vm->code + TABLES_OFFSET);
	uint64_t *low = l1 + 512, *bar = low + 512, *pages = bar + 512;
	uint64_t i;

	vm->bar_table = pages + 512;
	l1[0] = table_gpa(vm, low) | DESC_TABLE;
	l1[DATA_GPA >> 30] = table_gpa(vm, bar) | DESC_TABLE;
	low[0] = table_gpa(vm, pages) | DESC_TABLE;
	low[EXIT_GPA >> 21] = leaf(EXIT_GPA, MEM_NGNRE) | DESC_BLOCK |
			      DESC_NO_EXEC;
	for (i = CODE_GPA; i < CODE_GPA + CODE_SIZE; i += PAGE)
		pages[i / PAGE] = leaf(i, MEM_WB) | DESC_PAGE;
	for (i = LIST_GPA; i < LIST_GPA + MADE_SIZE; i += PAGE)
		pages[i / PAGE] = leaf(i, MEM_WB) | DESC_PAGE;
	for (i = 0; i < NR_BAR_TABLES; i++)
		bar[i] = table_gpa(vm, vm->bar_table + 512 * i) | DESC_TABLE;
}

void vm_mmio_type(struct vm_mmio *vm, size_t page, size_t nr, enum mem_type t)
{
	for (; nr--; page++)
		vm->bar_table[page] = leaf(DATA_GPA + page * PAGE, t) |
				      DESC_PAGE | DESC_NO_EXEC;
}

/* The index of a type is its number. */
static uint64_t mair(void)
{
	uint64_t v = 0;
	unsigned int t;

	for (t = 0; t < MEM_TYPES; t++)
		v |= (uint64_t)mair_of_mem_type(t) << (8 * t);
	return v;
}

enum mem_type vm_mmio_stage1(const struct vm_mmio *vm, size_t page)
{
	uint64_t pte = vm->bar_table[page];

	if ((pte & 3) != DESC_PAGE)
		return MEM_UNKNOWN;
	return mem_type_of_mair(mair() >> (8 * (pte >> 2 & 7)));
}

/* --- the machine --- */

#define SYSREG(op0, op1, crn, crm, op2)	ARM64_SYS_REG(op0, op1, crn, crm, op2)

static int set_registers(struct vm_mmio *vm)
{
	static const struct {
		uint64_t id, value;
	} fixed[] = {
		/* RES1 bits, and M, C, I */
		{ SYSREG(3, 0, 1, 0, 0), 0x30d00800 | 1 << 0 | 1 << 2 |
					 1 << 12 },
		/* Don't trap Advanced SIMD. */
		{ SYSREG(3, 0, 1, 0, 2), 3 << 20 },
		/* T0SZ 32, write-back inner shareable walks, no TTBR1 */
		{ SYSREG(3, 0, 2, 0, 2), 32 | 1 << 8 | 1 << 10 | 3 << 12 |
					 1 << 23 },
		{ SYSREG(3, 0, 2, 0, 0), CODE_GPA + TABLES_OFFSET },
		{ SYSREG(3, 0, 12, 0, 0), CODE_GPA + VECTORS_OFFSET },
	};
	size_t i;
	int ret;

	ret = kvm_vcpu_reset(&vm->k, CODE_GPA);
	if (!ret)
		ret = kvm_vcpu_set(&vm->k, SYSREG(3, 0, 10, 2, 0), mair());
	for (i = 0; i < ARRAY_SIZE(fixed) && !ret; i++)
		ret = kvm_vcpu_set(&vm->k, fixed[i].id, fixed[i].value);
	return ret;
}

static int setup(struct vm_mmio *vm)
{
	_Static_assert(TABLES_OFFSET + (4 + NR_BAR_TABLES) * PAGE <= CODE_SIZE,
		       "the page tables fit");
	int ret;

	vm->code = kvm_vm_memory(CODE_SIZE);
	vm->made = kvm_vm_memory(MADE_SIZE);
	if (!vm->code || !vm->made)
		return fail(ENOMEM, "no memory for the VM");
	ret = kvm_vm_create(&vm->k);
	if (ret)
		return ret;
	memcpy(vm->code, vm_mmio_start, vm_mmio_vectors - vm_mmio_start);
	memcpy(vm->code + VECTORS_OFFSET, vm_mmio_vectors,
	       vm_mmio_end - vm_mmio_vectors);
	__builtin___clear_cache(vm->code, vm->code + TABLES_OFFSET);
	vm->cmd = (struct mmio_command *)(vm->code + BLOCK_OFFSET);
	make_tables(vm);
	ret = kvm_vm_slot(&vm->k, 0, CODE_GPA, vm->code, CODE_SIZE);
	if (!ret)
		ret = kvm_vm_slot(&vm->k, 1, LIST_GPA, vm->made, MADE_SIZE);
	if (!ret)
		ret = kvm_vm_slot(&vm->k, 2, DATA_GPA, vm->mem, vm->len);
	if (!ret)
		ret = kvm_vm_create_vcpu(&vm->k);
	return ret ? ret : set_registers(vm);
}

struct vm_mmio *vm_mmio_new(void *mem, size_t len)
{
	struct vm_mmio *vm;

	if (len > VM_MMIO_MAX_BYTES)
		return fail_null(E2BIG, "the guest's page tables cover %lu MiB, not %zu",
				 VM_MMIO_MAX_BYTES >> 20, len >> 20);
	vm = xcalloc(1, sizeof(*vm));
	vm->k.kvm = vm->k.vm = vm->k.vcpu = -1;
	vm->mem = mem;
	vm->len = len;
	if (!setup(vm))
		return vm;
	vm_mmio_free(vm);
	return NULL;
}

void vm_mmio_free(struct vm_mmio *vm)
{
	if (!vm)
		return;
	kvm_vm_destroy(&vm->k);
	if (vm->code)
		munmap(vm->code, CODE_SIZE);
	if (vm->made)
		munmap(vm->made, MADE_SIZE);
	free(vm);
}

int vm_mmio_code(struct vm_mmio *vm, const struct mmio_code *code,
		 const struct mmio_code *tail)
{
	size_t at = (code->len + 63) & ~63UL;

	if (at + (tail ? tail->len : 0) > SAMPLE_OFFSET)
		return fail(E2BIG, "the guest has no room for %zu bytes of code",
			    at + (tail ? tail->len : 0));
	memcpy(vm->made, code->bytes, code->len);
	if (tail)
		memcpy(vm->made + at, tail->bytes, tail->len);
	__builtin___clear_cache(vm->made, vm->made + SAMPLE_OFFSET);
	vm->code_gpa = LIST_GPA;
	vm->tail_gpa = LIST_GPA + at;
	return 0;
}

/* Reports instruction and data aborts, and exceptions without a class. */
static int say_fault(uint64_t esr)
{
	unsigned int class = esr >> 26 & 0x3f, fault = esr & 0x3f;

	if (class == 0)
		return fail(EOPNOTSUPP, "the guest's CPU does not have this instruction (ESR_EL1 %#" PRIx64 ")",
			    esr);
	if ((class == 0x24 || class == 0x25) && fault == 0x21)
		return fail(EPROTO, "the guest took an alignment fault (ESR_EL1 %#" PRIx64 ")",
			    esr);
	return fail(EPROTO, "the guest took an exception (ESR_EL1 %#" PRIx64 ")",
		    esr);
}

int vm_mmio_run(struct vm_mmio *vm, const struct vm_mmio_pass *p,
		const void *data, size_t len, uint64_t *ticks)
{
	const struct kvm_run *run = vm->k.run;
	uint64_t esr;
	int ret;

	if (len)
		memcpy(vm->made + DATA_OFFSET, data, len);
	*vm->cmd = (struct mmio_command){
		.code = vm->code_gpa,
		.base = DATA_GPA + p->offset,
		.blocks = p->blocks,
		.data = LIST_GPA + DATA_OFFSET,
		.wrap = p->wrap,
		.tail = vm->tail_gpa,
		.tail_base = DATA_GPA + p->tail_offset,
		.tails = p->tails,
		.touch = p->touch,
		.touch_base = DATA_GPA,
		.value = p->value,
		.loads = p->loads,
		.load_base = DATA_GPA,
		.step = p->step,
		.window = p->window,
		.sample = LIST_GPA + SAMPLE_OFFSET,
		.load_offset = p->load_offset,
	};
	ret = kvm_vm_run(&vm->k);
	if (ret)
		return ret;
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.len != 8 || (run->mmio.phys_addr != EXIT_GPA &&
				   run->mmio.phys_addr != EXIT_GPA +
							  FAULT_OFFSET))
		return fail(EPROTO, "the guest ended with exit reason %u, not by its own exit",
			    run->exit_reason);
	memcpy(&esr, run->mmio.data, sizeof(esr));
	if (run->mmio.phys_addr != EXIT_GPA)
		return say_fault(esr);
	if (ticks)
		*ticks = vm->cmd->ticks;
	if (p->loads)
		memcpy(p->sample, vm->made + SAMPLE_OFFSET,
		       p->loads * sizeof(*p->sample));
	return 0;
}

int vm_mmio_forget(struct vm_mmio *vm)
{
	int ret = kvm_vm_slot(&vm->k, 2, DATA_GPA, vm->mem, 0);

	return ret ? ret : kvm_vm_slot(&vm->k, 2, DATA_GPA, vm->mem, vm->len);
}

int vm_mmio_fd(const struct vm_mmio *vm)
{
	return vm->k.vm;
}

uint64_t vm_mmio_gpa(void)
{
	return DATA_GPA;
}

#else

static const char *const arm64_only =
	"map=guest needs arm64, where stage 2 is combined with the guest's choice of Device or Normal-NC";

const char *vm_mmio_unavailable(void)
{
	return arm64_only;
}

struct vm_mmio *vm_mmio_new(void *mem, size_t len)
{
	(void)mem;
	(void)len;
	return fail_null(EOPNOTSUPP, "%s", arm64_only);
}

void vm_mmio_free(struct vm_mmio *vm)
{
	(void)vm;
}

void vm_mmio_type(struct vm_mmio *vm, size_t page, size_t nr, enum mem_type t)
{
	(void)vm;
	(void)page;
	(void)nr;
	(void)t;
}

enum mem_type vm_mmio_stage1(const struct vm_mmio *vm, size_t page)
{
	(void)vm;
	(void)page;
	return MEM_UNKNOWN;
}

int vm_mmio_code(struct vm_mmio *vm, const struct mmio_code *code,
		 const struct mmio_code *tail)
{
	(void)vm;
	(void)code;
	(void)tail;
	return fail(EOPNOTSUPP, "%s", arm64_only);
}

int vm_mmio_run(struct vm_mmio *vm, const struct vm_mmio_pass *p,
		const void *data, size_t len, uint64_t *ticks)
{
	(void)vm;
	(void)p;
	(void)data;
	(void)len;
	(void)ticks;
	return fail(EOPNOTSUPP, "%s", arm64_only);
}

int vm_mmio_forget(struct vm_mmio *vm)
{
	(void)vm;
	return fail(EOPNOTSUPP, "%s", arm64_only);
}

int vm_mmio_fd(const struct vm_mmio *vm)
{
	(void)vm;
	return -1;
}

uint64_t vm_mmio_gpa(void)
{
	return 0;
}

#endif
