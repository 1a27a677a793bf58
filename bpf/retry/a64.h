/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of an A64 decoder as following a pointer through a function needs:
 * where control goes, what is read from or written to memory and through
 * which register, and which registers an instruction writes. What it does not
 * know, it takes to write its destination field, or says that it is unknown
 * where control could go anywhere.
 */
#ifndef PTELAB_BPF_A64_H
#define PTELAB_BPF_A64_H

#include <stdbool.h>
#include <stdint.h>

enum a64_kind {
	A64_PLAIN,	/* registers in, registers out */
	A64_LOAD,
	A64_STORE,	/* atomics and store-exclusives are both: see loads */
	A64_JUMP,	/* to target, always */
	A64_BRANCH,	/* to target, or on */
	A64_CALL,
	A64_LEAVE,	/* return, jump through a register, trap */
	A64_UNKNOWN,	/* may change the flow of control in a way unknown */
};

#define A64_SP		31	/* register 31, where it stands for sp */
#define A64_NO_REG	32

struct a64 {
	enum a64_kind kind;
	int64_t target;		/* JUMP, BRANCH: relative to the instruction */
	uint32_t writes;	/* bit n: xn; bit 31: sp */
	uint32_t reads;		/* what the written values are computed from */

	/* LOAD, STORE */
	unsigned int base;	/* A64_NO_REG: a literal */
	unsigned int index;	/* A64_NO_REG if there is none */
	int64_t disp;		/* of the access, if there is no index */
	int64_t writeback;	/* added to base */
	unsigned int size;	/* bytes of each register */
	unsigned int rt, rt2;	/* A64_NO_REG: not a general register */

	/* rd = rn + imm, also a plain move: imm is 0 */
	bool is_add;
	unsigned int rd, rn;
	int64_t imm;

	bool load_exclusive, store_exclusive;
};

void a64_decode(uint32_t insn, struct a64 *d);

#endif
