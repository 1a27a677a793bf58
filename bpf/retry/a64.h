/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A partial A64 decoder, sufficient to follow a pointer through a function: control
 * flow, memory accesses and their registers, and which registers an instruction
 * writes. An instruction that it does not know is assumed to write its destination
 * field, or is A64_UNKNOWN if it might change the flow of control.
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
