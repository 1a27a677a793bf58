/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's types, reduced to what the programs use. libbpf relocates every
 * access, so offsets, sizes and enumerators are those of the running kernel.
 * "___x" is a flavour: another declaration of the same type for kernels where
 * it differs.
 */
#ifndef PTELAB_BPF_TYPES_H
#define PTELAB_BPF_TYPES_H

#include <linux/types.h>

typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
typedef _Bool bool;

enum { false, true };

#ifndef NULL
#define NULL ((void *)0)
#endif

/* A kprobe's registers. The ABI fixes them, so they are not relocated. */
#if defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31];
	u64 sp;
	u64 pc;
	u64 pstate;
};
#elif defined(__TARGET_ARCH_x86)
struct pt_regs {
	u64 r15, r14, r13, r12, rbp, rbx;
	u64 r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 orig_rax, rip, cs, eflags, rsp, ss;
};
#endif

#pragma clang attribute push(__attribute__((preserve_access_index)), \
			     apply_to = record)

struct mm_struct {
	void *pgd;
	unsigned long task_size;
};

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct signal_struct {
	struct {
		int counter;
	} live;
};

struct task_struct {
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct pid *thread_pid;
	struct signal_struct *signal;
};

enum mmu_notifier_event {
	MMU_NOTIFY_UNMAP,
};

struct mmu_notifier_range {
	struct mm_struct *mm;
	enum mmu_notifier_event event;
};

struct kvm_pgtable;
struct kvm_arch;

struct kvm_s2_mmu {
	u64 pgd_phys;
	struct kvm_pgtable *pgt;
	struct kvm_arch *arch;
};

struct kvm_arch {
	struct kvm_s2_mmu mmu;
};

struct kvm {
	struct mm_struct *mm;
	struct kvm_arch arch;
};

struct kvm_memory_slot {
	u64 base_gfn;
	unsigned long userspace_addr;
};

struct kvm_gfn_range {
	struct kvm_memory_slot *slot;
	u64 start;
	u64 end;
};

struct kvm_pgtable {
	void *pgd;
	struct kvm_s2_mmu *mmu;
};

/* From 6.3; s8 level since 6.8, u32 before. */
struct kvm_pgtable_visit_ctx {
	u64 old;
	void *arg;
	u64 addr;
	s8 level;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

#pragma clang attribute pop

enum kvm_pgtable_prot {
	KVM_PGTABLE_PROT_W = 1 << 1,
	KVM_PGTABLE_PROT_R = 1 << 2,
	KVM_PGTABLE_PROT_DEVICE = 1 << 3,
	KVM_PGTABLE_PROT_NORMAL_NC = 1 << 4,
};

#endif
