/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops that store. They are generated at run time, so that any combination
 * of sequence, size and pattern is straight-line code with almost no overhead,
 * and so that the same code runs in this process and in a guest.
 *
 * A group is what one operation stores: @size contiguous bytes. A block is the
 * groups between two branches.
 */
#ifndef PTELAB_MMIO_CODE_H
#define PTELAB_MMIO_CODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mmio_arch { MMIO_ARM64, MMIO_X86 };
#ifdef __aarch64__
#define MMIO_ARCH	MMIO_ARM64
#else
#define MMIO_ARCH	MMIO_X86
#endif

struct mmio_seq {
	const char *name;
	enum mmio_arch arch;
	unsigned int width;	/* bytes per store */
	/*
	 * Required alignment if the memory is Device. For ST1 that is only the
	 * element, for ST64B and similar always the whole.
	 */
	unsigned int align;
	bool copies;		/* from memory, not from registers */
	/* If such a store traps, a VMM lacks the syndrome to emulate it. */
	bool no_trap;
	const char *needs;	/* CPU feature, as in /proc/cpuinfo; NULL */
};

extern const struct mmio_seq mmio_seqs[];
extern const size_t mmio_nr_seqs;
/* Returns NULL if this architecture has no sequence of that name. */
const struct mmio_seq *mmio_seq_find(const char *name, enum mmio_arch arch);

enum mmio_pattern { MMIO_STREAM, MMIO_PINGPONG, MMIO_SAME };
enum mmio_flush { MMIO_NONE, MMIO_BARRIER, MMIO_DGH, MMIO_READBACK };

#define MMIO_LINE	64	/* the burst that suits devices best */
#define MMIO_MAX_GROUP	4096

struct mmio_spec {
	const struct mmio_seq *seq;
	uint32_t size;		/* of a group: a power of two */
	enum mmio_pattern pattern;
	enum mmio_flush flush;	/* after each group */
	uint32_t readback;	/* bytes of the load of MMIO_READBACK */
	bool empty;		/* the loop without stores and flush */
	/* MMIO_STREAM: bytes from one group to the next; 0: @size */
	uint32_t stride;
};

struct mmio_code {
	uint8_t *bytes;
	size_t len;
	unsigned int groups;	/* per block */
	uint64_t step;		/* bytes from one block to the next; 0: none */
	unsigned int stores;	/* per group */
	/*
	 * Instructions of a block: all, and the overhead, that is, all except
	 * stores, loads of a copy, and the flush after each group.
	 */
	unsigned int instructions, overhead;
	unsigned int wrap_cost;		/* the overhead of starting again at the beginning */
};

/*
 * void f(void *base, uint64_t blocks, const void *data, uint64_t wrap)
 *
 * Does @blocks (at least 1) blocks from @base on, and starts again at @base
 * after each @wrap blocks. @data: 64 bytes, or @size bytes if the sequence
 * copies.
 */
typedef void (*mmio_fn)(void *base, uint64_t blocks, const void *data,
			uint64_t wrap);

/*
 * Generates position-independent code into out->bytes, which the caller frees.
 * @groups: how many a block has; 0: a default.
 */
void mmio_emit(const struct mmio_spec *spec, unsigned int groups,
	       struct mmio_code *out);

/* Makes the code callable; NULL with fail() text. */
mmio_fn mmio_map_code(const struct mmio_code *c);
void mmio_unmap_code(mmio_fn fn, const struct mmio_code *c);

/* Returns the distance of MMIO_PINGPONG's two buffers in bytes. */
static inline uint32_t mmio_pingpong_step(uint32_t size)
{
	return size > MMIO_LINE ? size : MMIO_LINE;
}
/* Returns the bytes that @groups groups cover, from the first byte on. */
uint64_t mmio_reach(const struct mmio_spec *spec, uint64_t groups);

/* Returns the byte that each group has at @offset. */
uint8_t mmio_image(const struct mmio_seq *seq, const void *data,
		   uint32_t offset);

#endif
