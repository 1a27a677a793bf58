/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The loops that store: made at run time, so that whatever sequence, size and
 * pattern is asked for is straight-line code with next to nothing around it,
 * and the same code runs in this process and in a guest.
 *
 * A group is what one operation stores: @size bytes, in one go. A block is the
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
	unsigned int width;	/* bytes a store */
	/* What has to be aligned where memory is Device: st1 only its
	 * elements, ST64B and the like always all of it. */
	unsigned int align;
	bool copies;		/* from memory, not from registers */
	/* A store like this that traps leaves no syndrome a VMM could use. */
	bool no_trap;
	const char *needs;	/* CPU feature, as in /proc/cpuinfo; NULL */
};

extern const struct mmio_seq mmio_seqs[];
extern const size_t mmio_nr_seqs;
/* NULL: none of that name on this architecture. */
const struct mmio_seq *mmio_seq_find(const char *name, enum mmio_arch arch);

enum mmio_pattern { MMIO_STREAM, MMIO_PINGPONG, MMIO_SAME };
enum mmio_flush { MMIO_NONE, MMIO_BARRIER, MMIO_DGH, MMIO_READBACK };

#define MMIO_LINE	64	/* bytes that a device likes to get at once */
#define MMIO_MAX_GROUP	4096

struct mmio_spec {
	const struct mmio_seq *seq;
	uint32_t size;		/* of a group: a power of two */
	enum mmio_pattern pattern;
	enum mmio_flush flush;	/* after each group */
	uint32_t readback;	/* bytes of the load of MMIO_READBACK */
	bool empty;		/* the loop alone: no stores, no flush */
	/* MMIO_STREAM: bytes from one group to the next; 0: @size */
	uint32_t stride;
};

struct mmio_code {
	uint8_t *bytes;
	size_t len;
	unsigned int groups;	/* a block */
	uint64_t step;		/* a block goes on by so many bytes; 0 */
	unsigned int stores;	/* a group */
	/* Instructions of a block: all, and those that are not asked for:
	 * neither stores, loads of a copy, nor what follows a group. */
	unsigned int instructions, overhead;
	unsigned int wrap_cost;		/* the same, to begin again */
};

/*
 * void f(void *base, uint64_t blocks, const void *data, uint64_t wrap)
 *
 * Does that many blocks (1 at least) from @base on, from @base again after
 * @wrap blocks. @data: 64 bytes, or @size bytes if the sequence copies.
 */
typedef void (*mmio_fn)(void *base, uint64_t blocks, const void *data,
			uint64_t wrap);

/* The code, position independent, in out->bytes, which the caller frees.
 * @groups: how many a block has; 0: as many as make sense. */
void mmio_emit(const struct mmio_spec *spec, unsigned int groups,
	       struct mmio_code *out);

/* Makes it callable here; NULL with fail() text. */
mmio_fn mmio_map_code(const struct mmio_code *c);
void mmio_unmap_code(mmio_fn fn, const struct mmio_code *c);

/* Bytes from one of MMIO_PINGPONG's two buffers to the other. */
static inline uint32_t mmio_pingpong_step(uint32_t size)
{
	return size > MMIO_LINE ? size : MMIO_LINE;
}
/* Bytes that @groups groups touch, from the first byte on. */
uint64_t mmio_reach(const struct mmio_spec *spec, uint64_t groups);

/* The byte that belongs at @offset of every group. */
uint8_t mmio_image(const struct mmio_seq *seq, const void *data,
		   uint32_t offset);

#endif
