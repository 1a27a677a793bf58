/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small VM: one vCPU, one memslot over the benchmark's own memory, and a guest
 * that only reads or writes one word of each page of a list, and then exits. It
 * makes KVM a real secondary MMU of the benchmark's mm, with stage-2 entries for
 * exactly the listed pages.
 *
 * arm64: no GIC, stage-1 MMU off. x86-64: 64-bit, everything mapped 1:1.
 */
#ifndef PTELAB_VM_H
#define PTELAB_VM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vm;

/* The most memory of a VM: its addresses must fit into 32 bits. */
#define VM_MAX_BYTES	0xa0000000UL

/*
 * Returns why there can be no VM (no /dev/kvm, no permission); NULL if there can.
 * Opens /dev/kvm once to find out.
 */
const char *vm_unavailable(void);

/*
 * Creates a VM with @len bytes at @mem (both multiples of 2 MiB, so that stage 2 may
 * use blocks) as its memory, and room for a list of @max_pages pages. The caller
 * owns the memory and keeps it mapped until vm_free(). Returns NULL with fail() text
 * on failure.
 */
struct vm *vm_new(void *mem, size_t len, size_t max_pages);
/* Frees the VM and removes every stage-2 mapping. NULL is fine. */
void vm_free(struct vm *vm);

/*
 * Sets the list of pages for the guest: @nr of them (at most max_pages), from the
 * start of the memory, @stride bytes apart.
 */
int vm_list(struct vm *vm, size_t nr, size_t stride);

/*
 * The same for spans of @per_span pages that are @step bytes apart. The first span
 * starts @start bytes into the memory, each other one @stride bytes after the start
 * of the previous one.
 */
int vm_list_spans(struct vm *vm, size_t nr, size_t per_span, size_t step,
		  size_t start, size_t stride);

/*
 * Lets the guest add up the 32-bit words at offset @offset of all listed pages.
 * *sum gets the sum modulo 2^32. Returns 0, -EINTR after a signal to stop, or
 * -EPROTO with fail() text if the guest did not end with its own exit.
 */
int vm_read_pass(struct vm *vm, unsigned int offset, uint32_t *sum);
/* Lets the guest write @value to these words. */
int vm_write_pass(struct vm *vm, unsigned int offset, uint32_t value);
/*
 * Lets the guest walk the list without touching the pages. Its code and the list
 * then have stage-2 entries, even after an invalidation of the whole address space.
 */
int vm_warm(struct vm *vm);

/*
 * Reads one of the VM's binary statistics (KVM_GET_STATS_FD), such as "pf_fixed" of
 * the vCPU on x86-64. Returns false if this kernel does not have it.
 */
bool vm_stat(struct vm *vm, const char *name, uint64_t *value);

#endif
