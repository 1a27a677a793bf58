/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Internal to the small VMs: what vm.c, whose guest visits pages, and
 * vm_mmio.c, whose guest stores to a BAR, have in common.
 */
#ifndef PTELAB_VM_IMPL_H
#define PTELAB_VM_IMPL_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#define CODE_GPA	0x10000UL
#define CODE_SIZE	0x10000UL	/* code, command block, page tables */
#define BLOCK_OFFSET	0x1000UL
#define LIST_GPA	0x100000UL
#define DATA_GPA	0x40000000UL	/* 1 GiB: aligned for any block */
#define EXIT_GPA	0x8000000UL	/* no memslot there */

struct kvm_vm {
	int kvm, vm, vcpu;
	struct kvm_run *run;
	size_t run_size;
};

/* All return 0 or -errno with fail() text. The vCPU is not initialised. */
int kvm_vm_create(struct kvm_vm *v);
int kvm_vm_create_vcpu(struct kvm_vm *v);
/* Accepts what was never created: all zero, with file descriptors of -1. */
void kvm_vm_destroy(struct kvm_vm *v);
/* @len 0 removes the slot, and with it all its stage-2 mappings. */
int kvm_vm_slot(struct kvm_vm *v, unsigned int slot, uint64_t gpa, void *mem,
		size_t len);
/* Runs until the next exit. Returns -EINTR if a signal asked to stop. */
int kvm_vm_run(struct kvm_vm *v);
#ifdef __aarch64__
/* Sets the reset state and then this program counter. */
int kvm_vcpu_reset(struct kvm_vm *v, uint64_t pc);
int kvm_vcpu_set(struct kvm_vm *v, uint64_t id, uint64_t value);
#endif
/* Returns populated anonymous memory, or NULL. */
void *kvm_vm_memory(size_t len);

#endif
