/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small VM whose guest stores to a BAR, or to other memory of this process,
 * with its stage-1 MMU on, so that the guest requests a memory type for each
 * page. Only for arm64: on other architectures its functions fail with that
 * reason.
 */
#ifndef PTELAB_VM_MMIO_H
#define PTELAB_VM_MMIO_H

#include <stddef.h>
#include <stdint.h>

#include "bench/mmio/mmio_code.h"
#include "bench/mmio/mmio_type.h"

struct vm_mmio;

/* The most memory that the guest's page tables can map. */
#define VM_MMIO_MAX_BYTES	(16UL << 20)

/* Returns why there can be no such VM; NULL if there can. */
const char *vm_mmio_unavailable(void);

/*
 * Creates a VM over @len bytes at @mem, whole pages, which the caller owns. All
 * functions that return int return 0, or -errno with fail() text.
 */
struct vm_mmio *vm_mmio_new(void *mem, size_t len);
void vm_mmio_free(struct vm_mmio *vm);

/* Sets the stage-1 type of @nr pages from @page on, before the guest runs. */
void vm_mmio_type(struct vm_mmio *vm, size_t page, size_t nr, enum mem_type t);
/* Returns what its page table and its MAIR_EL1 say about a page, decoded. */
enum mem_type vm_mmio_stage1(const struct vm_mmio *vm, size_t page);

/* Sets the guest's code; @tail may be NULL. */
int vm_mmio_code(struct vm_mmio *vm, const struct mmio_code *code,
		 const struct mmio_code *tail);

struct vm_mmio_pass {
	uint64_t offset;	/* in the memory, where the code starts */
	uint64_t blocks, wrap;	/* of the code; 0 blocks: don't run it */
	uint64_t tail_offset;
	uint64_t tails;		/* blocks of the tail */
	/*
	 * Then 8 bytes to the start of each of @touch pages: value, value +
	 * 1...
	 */
	uint64_t touch, value;
	/*
	 * Then run @loads blocks of the tail, @step bytes apart, from
	 * @load_offset on, wrapping around at @window; after each load its
	 * first byte. @sample gets the ticks of each load.
	 */
	uint64_t loads, step, window, load_offset;
	uint64_t *sample;
};

#define VM_MMIO_MAX_LOADS	4096

/*
 * Runs the guest. @data as for mmio_fn, @len bytes, at most 4096. *ticks: of
 * CNTVCT_EL0, from before the first store until after the last one, without a
 * barrier. Returns -EPROTO if the guest took an exception or exited otherwise.
 */
int vm_mmio_run(struct vm_mmio *vm, const struct vm_mmio_pass *p,
		const void *data, size_t len, uint64_t *ticks);

/*
 * Removes the memory from the guest and adds it again, which leaves stage 2
 * without any of its mappings.
 */
int vm_mmio_forget(struct vm_mmio *vm);

/* Return the VM's file descriptor, and the memory's guest-physical address. */
int vm_mmio_fd(const struct vm_mmio *vm);
uint64_t vm_mmio_gpa(void);

#endif
