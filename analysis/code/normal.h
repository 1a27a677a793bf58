/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A function's instructions without what only says where code and data are:
 * what is left is equal for code that was moved, and addresses are kept apart,
 * to be compared by what is there.
 *
 * ADRP leaves half an address in a register; the instructions that complete it
 * (ADD, or the offset of a load or store) are found by following the registers
 * along the branches of the function.
 */
#ifndef PTELAB_CODE_NORMAL_H
#define PTELAB_CODE_NORMAL_H

#include "analysis/code/image.h"

enum insn_kind {
	I_PLAIN,	/* the word is all there is to it */
	I_LOCAL,	/* refers to an instruction of the same function */
	I_REF,		/* refers to @to, anywhere else */
	I_DATA,		/* a literal, no instruction */
};

struct insn {
	uint32_t word;		/* bits that hold an address are 0 */
	uint8_t kind;
	uint64_t to;
	uint64_t base;		/* that @to was computed from; 0: from nothing */
};

struct insns {
	const struct image *img;
	uint64_t start;
	struct insn *insns;
	size_t nr;
};

/* Never fails; bytes that are not there are zeroes. */
struct insns insns_of(const struct image *img, const struct image_function *f);
/* The @len bytes at @start, seen as if they stood at @at: an alternative. */
struct insns insns_range(const struct image *img, uint64_t start, uint64_t end);
void insns_free(struct insns *c);

/* The word without its registers: what kind of instruction it is. */
uint32_t insn_shape(uint32_t word);
/* Where a branch goes to, relative to itself; false for any other. */
bool insn_branch(uint32_t word, int64_t *offset);
/* Whether what follows is not reached from here: B, RET, BR, ERET; BRK, unless
 * @img (may be NULL) has it for a WARN(); a call of panic() and its like. */
bool insn_leaves(const struct image *img, uint64_t addr, uint32_t word);

#endif
