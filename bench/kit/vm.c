// SPDX-License-Identifier: GPL-2.0
/*
 * See vm.h.
 *
 * The guest is an endless loop around a command block in its first memslot: it
 * reads operation, count, offset and value, processes the list, stores the sum
 * to an address without memory, and so exits. The next KVM_RUN completes that
 * exit and the guest reads the block again, so no register needs to be set
 * between two passes.
 */
#include "bench/kit/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/kit/stop.h"
#include "bench/kit/subscribers.h"
#include "bench/kit/vm_impl.h"
#include "lib/util.h"

enum { CMD_READ, CMD_WRITE, CMD_LIST };

/* What the guest's code below reads at BLOCK; that code has these offsets. */
struct vm_command {
	uint32_t op;
	uint32_t count;
	uint32_t offset;
	uint32_t value;
	uint32_t sum;
};

struct vm {
	struct kvm_vm k;
	void *code;		/* CODE_SIZE bytes */
	struct vm_command *cmd;
	uint32_t *list;		/* guest-physical page addresses */
	size_t list_size;	/* bytes */
	size_t max_pages, nr;
	size_t len;
};

extern const char vm_guest_start[], vm_guest_end[];

#ifdef __aarch64__
/*
 * With its MMU off the guest's accesses are Device and bypass the caches, while
 * the host's are cacheable. So each word is touched once to map it, then its
 * line is cleaned and invalidated to the point of coherency, and only then it
 * is read or written. The first touch precedes DC CIVAC because KVM would take
 * a fault of the latter for a write (ESR.WnR is 1).
 */
asm(
"	.pushsection .rodata\n"
"	.balign 8\n"
"	.global vm_guest_start, vm_guest_end\n"
"vm_guest_start:\n"
"	movz	x20, #0x1, lsl #16\n"		/* CODE_GPA */
"	add	x20, x20, #0x1, lsl #12\n"	/* + BLOCK_OFFSET */
"	movz	x21, #0x10, lsl #16\n"		/* LIST_GPA */
"	movz	x22, #0x800, lsl #16\n"		/* EXIT_GPA */
"1:	ldr	w0, [x20]\n"			/* op */
"	ldr	w1, [x20, #4]\n"		/* count */
"	ldr	w2, [x20, #8]\n"		/* offset */
"	ldr	w3, [x20, #12]\n"		/* value */
"	mov	x4, x21\n"
"	mov	w5, #0\n"			/* sum */
"	cbz	w1, 5f\n"
"	cmp	w0, #1\n"
"	b.eq	3f\n"
"	b.hi	4f\n"
"2:	ldr	w6, [x4], #4\n"
"	add	x6, x6, x2\n"
"	ldr	w7, [x6]\n"
"	dc	civac, x6\n"
"	dsb	sy\n"
"	ldr	w7, [x6]\n"
"	add	w5, w5, w7\n"
"	subs	w1, w1, #1\n"
"	b.ne	2b\n"
"	b	5f\n"
"3:	ldr	w6, [x4], #4\n"
"	add	x6, x6, x2\n"
"	str	w3, [x6]\n"
"	dc	civac, x6\n"
"	dsb	sy\n"
"	str	w3, [x6]\n"
"	subs	w1, w1, #1\n"
"	b.ne	3b\n"
"	b	5f\n"
"4:	ldr	w6, [x4], #4\n"
"	add	w5, w5, w6\n"
"	subs	w1, w1, #1\n"
"	b.ne	4b\n"
"5:	dsb	sy\n"
"	str	w5, [x22]\n"			/* exit, with the sum */
"	b	1b\n"
"vm_guest_end:\n"
"	.popsection\n"
);
#else
/*
 * 64-bit user mode, with everything mapped 1:1 by the guest's own page tables.
 * A KVM without hardware support runs only this mode directly. It emulates
 * other modes instruction by instruction, without stage-2 mappings. CMD_LIST
 * also reads the page directories, because the guest's page walks need them
 * mapped.
 */
asm(
"	.pushsection .rodata\n"
"	.global vm_guest_start, vm_guest_end\n"
"vm_guest_start:\n"
"1:	movl	$0x11000, %ebx\n"		/* CODE_GPA + BLOCK_OFFSET */
"	movl	(%rbx), %eax\n"			/* op */
"	movl	4(%rbx), %ecx\n"		/* count */
"	movl	8(%rbx), %edx\n"		/* offset */
"	movl	12(%rbx), %edi\n"		/* value */
"	movl	$0x100000, %esi\n"		/* LIST_GPA */
"	xorl	%ebp, %ebp\n"			/* sum */
"	testl	%ecx, %ecx\n"
"	jz	5f\n"
"	cmpl	$1, %eax\n"
"	je	3f\n"
"	ja	4f\n"
"2:	movl	(%rsi), %eax\n"
"	addq	$4, %rsi\n"
"	addl	(%rax,%rdx), %ebp\n"
"	decl	%ecx\n"
"	jnz	2b\n"
"	jmp	5f\n"
"3:	movl	(%rsi), %eax\n"
"	addq	$4, %rsi\n"
"	movl	%edi, (%rax,%rdx)\n"
"	decl	%ecx\n"
"	jnz	3b\n"
"	jmp	5f\n"
"4:	movl	0x4000(%rbx), %eax\n"		/* page directories 1 to 3 */
"	movl	0x5000(%rbx), %eax\n"
"	movl	0x6000(%rbx), %eax\n"
"6:	addl	(%rsi), %ebp\n"
"	addq	$4, %rsi\n"
"	decl	%ecx\n"
"	jnz	6b\n"
"5:	movl	$0x8000000, %ebx\n"		/* EXIT_GPA */
"	movl	%ebp, (%rbx)\n"			/* exit, with the sum */
"	jmp	1b\n"
"vm_guest_end:\n"
"	.popsection\n"
);
#endif

const char *vm_unavailable(void)
{
	static __thread char why[128];
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), version;

	if (fd < 0) {
		snprintf(why, sizeof(why), "/dev/kvm: %s%s", strerror(errno),
			 errno == ENOENT ?
			 "; this kernel or CPU has no KVM" :
			 errno == EACCES ? "; join the group kvm or use root" :
			 "");
		return why;
	}
	version = ioctl(fd, KVM_GET_API_VERSION, 0);
	close(fd);
	if (version < 0)
		return "/dev/kvm is not KVM's device";
	if (version != KVM_API_VERSION) {
		snprintf(why, sizeof(why), "/dev/kvm speaks API version %d, not %d",
			 version, KVM_API_VERSION);
		return why;
	}
	return NULL;
}

int kvm_vm_create(struct kvm_vm *v)
{
	v->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (v->kvm < 0)
		return fail(errno, "%s", vm_unavailable());
	subscribers_note();
	v->vm = ioctl(v->kvm, KVM_CREATE_VM, 0);
	if (v->vm < 0)
		return fail(errno, "KVM_CREATE_VM: %s", strerror(errno));
	return 0;
}

int kvm_vm_create_vcpu(struct kvm_vm *v)
{
	int size = ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (size < (int)sizeof(*v->run))
		return fail(EPROTO, "KVM_GET_VCPU_MMAP_SIZE returned %d", size);
	v->run_size = size;
	v->vcpu = ioctl(v->vm, KVM_CREATE_VCPU, 0);
	if (v->vcpu < 0)
		return fail(errno, "KVM_CREATE_VCPU: %s", strerror(errno));
	v->run = mmap(NULL, v->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->vcpu, 0);
	if (v->run == MAP_FAILED) {
		v->run = NULL;
		return fail(errno, "KVM vCPU: %s", strerror(errno));
	}
	return 0;
}

void kvm_vm_destroy(struct kvm_vm *v)
{
	if (v->run)
		munmap(v->run, v->run_size);
	if (v->vcpu >= 0)
		close(v->vcpu);
	if (v->vm >= 0)
		close(v->vm);
	if (v->kvm >= 0)
		close(v->kvm);
}

int kvm_vm_slot(struct kvm_vm *v, unsigned int slot, uint64_t gpa, void *mem,
		size_t len)
{
	struct kvm_userspace_memory_region r = {
		.slot = slot,
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)mem,
	};

	if (ioctl(v->vm, KVM_SET_USER_MEMORY_REGION, &r))
		return fail(errno, "KVM memslot of %zu bytes: %s", len,
			    strerror(errno));
	return 0;
}

int kvm_vm_run(struct kvm_vm *v)
{
	for (;;) {
		if (!ioctl(v->vcpu, KVM_RUN, 0))
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return fail(EPROTO, "KVM_RUN: %s", strerror(errno));
		if (bench_stop)
			return -EINTR;
	}
}

void *kvm_vm_memory(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/*
	 * A fork would write-protect this memory, and the guest's next pass
	 * would have to map it again.
	 */
	madvise(p, len, MADV_DONTFORK);
	return p;
}

#ifdef __aarch64__

/* core register id: KVM_REG_ARM64 | size u64 | core | offset in u32 units */
#define CORE_REG(offset) \
	(KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE | ((offset) / 4))

int kvm_vcpu_set(struct kvm_vm *v, uint64_t id, uint64_t value)
{
	struct kvm_one_reg reg = { .id = id, .addr = (uintptr_t)&value };

	if (ioctl(v->vcpu, KVM_SET_ONE_REG, &reg))
		return fail(errno, "KVM vCPU registers: %s", strerror(errno));
	return 0;
}

int kvm_vcpu_reset(struct kvm_vm *v, uint64_t pc)
{
	struct kvm_vcpu_init init;

	if (ioctl(v->vm, KVM_ARM_PREFERRED_TARGET, &init) ||
	    ioctl(v->vcpu, KVM_ARM_VCPU_INIT, &init))
		return fail(errno, "KVM vCPU: %s", strerror(errno));
	return kvm_vcpu_set(v, CORE_REG(offsetof(struct kvm_regs, regs.pc)),
			    pc);
}

static int vcpu_init(struct vm *vm)
{
	return kvm_vcpu_reset(&vm->k, CODE_GPA);
}

#else

#define TABLE_OFFSET	0x2000UL	/* of the page tables, after CODE_GPA */
#define NR_DIRECTORIES	4		/* of 1 GiB each */

#define PTE_TABLE	0x27UL		/* present, writable, user, accessed */
#define PTE_2M		0xe7UL		/* dirty and a leaf as well */

/* Identity: 4 GiB with leaves of 2 MiB, so that few tables are needed. */
static void map_all(struct vm *vm)
{
	uint64_t *pml4 = (void *)((char *)vm->code + TABLE_OFFSET);
	uint64_t *pdpt = pml4 + 512, *pd = pdpt + 512;
	uint64_t gpa = CODE_GPA + TABLE_OFFSET, i;

	pml4[0] = (gpa + 4096) | PTE_TABLE;
	for (i = 0; i < NR_DIRECTORIES; i++)
		pdpt[i] = (gpa + (2 + i) * 4096) | PTE_TABLE;
	for (i = 0; i < NR_DIRECTORIES * 512; i++)
		pd[i] = i << 21 | PTE_2M;
}

static int vcpu_init(struct vm *vm)
{
	struct kvm_segment flat = {
		.base = 0, .limit = 0xffffffff, .present = 1, .s = 1, .g = 1,
		.dpl = 3,
	};
	struct kvm_regs regs = { .rip = CODE_GPA, .rflags = 0x3202 };
	struct kvm_sregs s;

	/* Intel without unrestricted guest mode needs memory for this. */
	ioctl(vm->k.vm, KVM_SET_TSS_ADDR, 0xfffbd000UL);

	if (ioctl(vm->k.vcpu, KVM_GET_SREGS, &s))
		return fail(errno, "KVM vCPU: %s", strerror(errno));
	map_all(vm);
	s.cs = s.ds = s.es = s.fs = s.gs = s.ss = flat;
	s.cs.type = 0xb;	/* execute, read, accessed */
	s.cs.l = 1;
	s.ds.type = s.es.type = s.fs.type = s.gs.type = s.ss.type = 0x3;
	s.ds.db = s.es.db = s.fs.db = s.gs.db = s.ss.db = 1;
	s.cs.selector = 0x33;
	s.ds.selector = s.es.selector = s.fs.selector = s.gs.selector =
		s.ss.selector = 0x2b;
	s.cr3 = CODE_GPA + TABLE_OFFSET;
	s.cr4 |= 1 << 5;	/* PAE */
	s.efer |= 1 << 8 | 1 << 10;	/* LME, LMA */
	s.cr0 |= 1U << 31 | 1 << 16 | 1;	/* PG, WP, PE */
	if (ioctl(vm->k.vcpu, KVM_SET_SREGS, &s) ||
	    ioctl(vm->k.vcpu, KVM_SET_REGS, &regs))
		return fail(errno, "KVM vCPU registers: %s", strerror(errno));
	return 0;
}

#endif

static bool is_exit(const struct kvm_run *run, uint32_t *sum)
{
	if (run->exit_reason != KVM_EXIT_MMIO || !run->mmio.is_write ||
	    run->mmio.phys_addr != EXIT_GPA || run->mmio.len != 4)
		return false;
	memcpy(sum, run->mmio.data, 4);
	return true;
}

static int vm_setup(struct vm *vm, void *mem, size_t len)
{
	size_t code_len = vm_guest_end - vm_guest_start;

	/* Before there is a VM: later mappings may call its notifiers. */
	vm->code = kvm_vm_memory(CODE_SIZE);
	vm->list_size = (vm->max_pages * sizeof(*vm->list) + 0xffff) & ~0xffffUL;
	vm->list = kvm_vm_memory(vm->list_size);
	if (!vm->code || !vm->list)
		return fail(ENOMEM, "no memory for the VM");
	if (kvm_vm_create(&vm->k))
		return -1;
	memcpy(vm->code, vm_guest_start, code_len);
	vm->cmd = (void *)((char *)vm->code + BLOCK_OFFSET);

	if (kvm_vm_slot(&vm->k, 0, CODE_GPA, vm->code, CODE_SIZE) ||
	    kvm_vm_slot(&vm->k, 1, LIST_GPA, vm->list, vm->list_size) ||
	    kvm_vm_slot(&vm->k, 2, DATA_GPA, mem, len) ||
	    kvm_vm_create_vcpu(&vm->k))
		return -1;
	return vcpu_init(vm);
}

struct vm *vm_new(void *mem, size_t len, size_t max_pages)
{
	struct vm *vm = xcalloc(1, sizeof(*vm));

	vm->k.kvm = vm->k.vm = vm->k.vcpu = -1;
	vm->max_pages = max_pages;
	vm->len = len;
	/* the list lies below the exit address, the data below 4 GiB */
	if (max_pages > (EXIT_GPA - LIST_GPA) / 4 ||
	    len > VM_MAX_BYTES) {
		fail(E2BIG, "%zu MiB in %zu pages do not fit the VM",
		     len >> 20, max_pages);
	} else if (!vm_setup(vm, mem, len)) {
		return vm;
	}
	vm_free(vm);
	return NULL;
}

void vm_free(struct vm *vm)
{
	if (!vm)
		return;
	kvm_vm_destroy(&vm->k);
	if (vm->code)
		munmap(vm->code, CODE_SIZE);
	if (vm->list)
		munmap(vm->list, vm->list_size);
	free(vm);
}

/*
 * The guest bypasses the caches, so what it reads must be in memory: clean and
 * invalidate to the point of coherency, which Linux allows at EL0. Steps of 16
 * bytes work for any line size (CTR_EL0.DminLine is at least that).
 */
static void to_memory(const void *start, size_t len)
{
#ifdef __aarch64__
	const char *p;

	for (p = start; p < (const char *)start + len; p += 16)
		asm volatile("dc civac, %0" : : "r" (p) : "memory");
	asm volatile("dsb sy" : : : "memory");
#else
	(void)start;
	(void)len;
#endif
}

int vm_list(struct vm *vm, size_t nr, size_t stride)
{
	return vm_list_spans(vm, nr, nr, stride, 0, 0);
}

int vm_list_spans(struct vm *vm, size_t nr, size_t per_span, size_t step,
		  size_t start, size_t stride)
{
	size_t i, last = nr - 1;

	if (nr > vm->max_pages ||
	    (nr && start + last / per_span * stride +
	     (last < per_span ? last : per_span - 1) * step >= vm->len))
		return fail(E2BIG, "%zu pages %zu bytes apart do not fit the VM",
			    nr, step);
	for (i = 0; i < nr; i++)
		vm->list[i] = DATA_GPA + start + i / per_span * stride +
			      i % per_span * step;
	to_memory(vm->list, nr * sizeof(*vm->list));
	vm->nr = nr;
	return 0;
}

static int pass(struct vm *vm, uint32_t op, unsigned int offset,
		uint32_t value, uint32_t *sum)
{
	int ret;

	*vm->cmd = (struct vm_command){ .op = op, .count = vm->nr,
				     .offset = offset, .value = value };
	to_memory(vm->cmd, sizeof(*vm->cmd));
	ret = kvm_vm_run(&vm->k);
	if (ret)
		return ret;
	if (!is_exit(vm->k.run, sum))
		return fail(EPROTO, "the guest ended with exit reason %u, not by its own exit",
			    vm->k.run->exit_reason);
	return 0;
}

int vm_read_pass(struct vm *vm, unsigned int offset, uint32_t *sum)
{
	return pass(vm, CMD_READ, offset, 0, sum);
}

int vm_write_pass(struct vm *vm, unsigned int offset, uint32_t value)
{
	uint32_t unused;

	return pass(vm, CMD_WRITE, offset, value, &unused);
}

int vm_warm(struct vm *vm)
{
	uint32_t sum = 0, want = 0;
	size_t i;
	int ret;

	for (i = 0; i < vm->nr; i++)
		want += vm->list[i];
	ret = pass(vm, CMD_LIST, 0, 0, &sum);
	if (!ret && sum != want)
		ret = fail(EPROTO, "the guest does not see its list of pages");
	return ret;
}

/* Gets the value of one statistic from a KVM statistics descriptor. */
static bool stat_of(int owner, const char *name, uint64_t *value)
{
	struct kvm_stats_header h;
	bool found = false;
	size_t size, i;
	char *desc;
	int fd;

	fd = ioctl(owner, KVM_GET_STATS_FD, NULL);
	if (fd < 0)
		return false;
	if (pread(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h)) {
		close(fd);
		return false;
	}
	size = sizeof(struct kvm_stats_desc) + h.name_size;
	desc = xcalloc(h.num_desc, size);
	if (pread(fd, desc, h.num_desc * size, h.desc_offset) ==
	    (ssize_t)(h.num_desc * size)) {
		for (i = 0; i < h.num_desc && !found; i++) {
			struct kvm_stats_desc *d = (void *)(desc + i * size);

			if (!strcmp(d->name, name))
				found = pread(fd, value, 8, h.data_offset +
					      d->offset) == 8;
		}
	}
	free(desc);
	close(fd);
	return found;
}

bool vm_stat(struct vm *vm, const char *name, uint64_t *value)
{
	return stat_of(vm->k.vcpu, name, value) ||
	       stat_of(vm->k.vm, name, value);
}
