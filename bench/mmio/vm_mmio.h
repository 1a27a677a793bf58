/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tiny VM whose guest stores to a BAR, or to any other memory of this
 * process, with its stage-1 MMU on: so it is the guest that says, page by page,
 * which memory type it wants. arm64 only: on other architectures its functions
 * say so.
 */
#ifndef PTELAB_VM_MMIO_H
#define PTELAB_VM_MMIO_H

#include <stddef.h>
#include <stdint.h>

#include "bench/mmio/mmio_code.h"
#include "bench/mmio/mmio_type.h"

struct vm_mmio;

/* The most memory that the guest's page tables reach. */
#define VM_MMIO_MAX_BYTES	(16UL << 20)

/* Why there can be none here; NULL if there can. */
const char *vm_mmio_unavailable(void);

/* A VM over @len bytes at @mem, whole pages, which stay the caller's. All
 * functions that return int: 0, or -errno with fail() text. */
struct vm_mmio *vm_mmio_new(void *mem, size_t len);
void vm_mmio_free(struct vm_mmio *vm);

/* What the guest asks for in stage 1, for @nr pages from @page on. Before the
 * guest first runs. */
void vm_mmio_type(struct vm_mmio *vm, size_t page, size_t nr, enum mem_type t);
/* What its page table and its MAIR_EL1 say of a page, decoded. */
enum mem_type vm_mmio_stage1(const struct vm_mmio *vm, size_t page);

/* The guest's code; @tail may be NULL. */
int vm_mmio_code(struct vm_mmio *vm, const struct mmio_code *code,
		 const struct mmio_code *tail);

struct vm_mmio_pass {
	uint64_t offset;	/* into the memory, where the code begins */
	uint64_t blocks, wrap;	/* of the code; 0 blocks: not at all */
	uint64_t tail_offset;
	uint64_t tails;		/* blocks of the tail */
	/* Then 8 bytes to the start of each of so many pages: value, value + 1,
	 * and so on. */
	uint64_t touch, value;
	/*
	 * Then so many blocks of the tail, @step bytes from one to the next,
	 * from @load_offset on, and from 0 again at @window; after each a load
	 * of its first byte. @sample gets the ticks that each load took.
	 */
	uint64_t loads, step, window, load_offset;
	uint64_t *sample;
};

#define VM_MMIO_MAX_LOADS	4096

/*
 * Lets the guest do that. @data as for mmio_fn, @len bytes, 4096 at most.
 * *ticks: of CNTVCT_EL0, from before the first store until after the last one,
 * without a barrier. -EPROTO: the guest took an exception, or left otherwise.
 */
int vm_mmio_run(struct vm_mmio *vm, const struct vm_mmio_pass *p,
		const void *data, size_t len, uint64_t *ticks);

/* Takes the memory away from the guest and gives it back: stage 2 maps
 * nothing of it any more. */
int vm_mmio_forget(struct vm_mmio *vm);

/* The VM's file descriptor, and where in it the memory is. */
int vm_mmio_fd(const struct vm_mmio *vm);
uint64_t vm_mmio_gpa(void);

#endif
