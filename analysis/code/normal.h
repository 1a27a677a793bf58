/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function's instructions in normal form, without the bits that encode where
 * code and data are. It is equal for code that moved. Addresses are kept
 * separately, to be compared by what is there.
 *
 * ADRP leaves half an address in a register. To find the instructions that
 * complete it (ADD, or the offset of a load or store), this follows the
 * registers along the branches of the function.
 */
#ifndef PTELAB_CODE_NORMAL_H
#define PTELAB_CODE_NORMAL_H

#include "analysis/code/image.h"

enum insn_kind {
	I_PLAIN,	/* the word is complete */
	I_LOCAL,	/* refers to an instruction of the same function */
	I_REF,		/* refers to @to, outside of the function */
	I_DATA,		/* a literal, no instruction */
};

struct insn {
	uint32_t word;		/* bits that hold an address are 0 */
	uint8_t kind;
	uint64_t to;
	uint64_t base;		/* address from which @to was computed; 0: none */
};

struct insns {
	const struct image *img;
	uint64_t start;
	struct insn *insns;
	size_t nr;
};

/*
 * Returns a function's instructions; free them with insns_free(). Never fails;
 * missing bytes are read as zeroes.
 */
struct insns insns_of(const struct image *img, const struct image_function *f);
/* The same for @start to @end, such as an alternative. */
struct insns insns_range(const struct image *img, uint64_t start, uint64_t end);
void insns_free(struct insns *c);

/* Returns the word without its registers, for its kind of instruction. */
uint32_t insn_shape(uint32_t word);
/*
 * Gets the target of a branch relative to itself. Returns false for any other
 * instruction.
 */
bool insn_branch(uint32_t word, int64_t *offset);
/*
 * Returns whether execution does not continue after this instruction: B, RET,
 * BR, ERET; BRK, unless it is a WARN() of @img (may be NULL); a call of panic()
 * and the like.
 */
bool insn_leaves(const struct image *img, uint64_t addr, uint32_t word);

#endif
