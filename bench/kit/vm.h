/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tiny VM: one vCPU, one memslot over the benchmark's own memory, and a
 * guest that does nothing but read or write one word of each page of a list
 * and then exit. It exists so that KVM is a real secondary MMU of the
 * benchmark's mm, with stage-2 entries for exactly the pages that were listed.
 *
 * arm64: no GIC, stage-1 MMU off. x86-64: 64-bit, everything mapped 1:1.
 */
#ifndef PTELAB_VM_H
#define PTELAB_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;

/* The most memory that a VM takes: what lies below 4 GiB is 32 bits wide. */
#define VM_MAX_BYTES	0xa0000000UL

/* Why a VM can't be had here (no /dev/kvm, no permission); NULL if it can.
 * Opens /dev/kvm once to see. */
const char *vm_unavailable(void);

/*
 * A VM with @len bytes at @mem (both multiples of 2 MiB, so that stage 2 may
 * use blocks) as its memory, and a list of at most @max_pages pages. The memory
 * stays the caller's and must stay mapped until vm_free().
 * Returns NULL with fail() text.
 */
struct vm *vm_new(void *mem, size_t len, size_t max_pages);
/* Also removes every stage-2 mapping. NULL is fine. */
void vm_free(struct vm *vm);

/*
 * Which pages the guest goes through: @nr of them, from the start of the
 * memory, @stride bytes apart. At most max_pages.
 */
int vm_list(struct vm *vm, size_t nr, size_t stride);

/*
 * The same for pages in spans of @per_span pages, @step bytes apart; the first
 * span starts @start bytes into the memory, the others @stride bytes each
 * after the one before.
 */
int vm_list_spans(struct vm *vm, size_t nr, size_t per_span, size_t step,
		  size_t start, size_t stride);

/*
 * Lets the guest read the 32-bit word at offset @offset of each listed page
 * and add them up. *sum gets the sum modulo 2^32.
 * Returns 0, -EINTR if a signal asked to stop, or -EPROTO with fail() text if
 * the guest ended in any other way than by its own exit.
 */
int vm_read_pass(struct vm *vm, unsigned int offset, uint32_t *sum);
/* Lets the guest write @value there. */
int vm_write_pass(struct vm *vm, unsigned int offset, uint32_t value);
/*
 * Lets the guest go through the list without touching the pages: its code and
 * the list then have stage-2 entries, whatever an invalidation of the whole
 * address space took away.
 */
int vm_warm(struct vm *vm);

/* One of the VM's binary statistics (KVM_GET_STATS_FD), such as "pf_fixed" of
 * the vCPU on x86-64. false if this kernel has no such statistic. */
bool vm_stat(struct vm *vm, const char *name, uint64_t *value);

#endif
