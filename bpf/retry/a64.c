// SPDX-License-Identifier: GPL-2.0
/* See a64.h. The encodings are those of the Arm Architecture Reference Manual. */
#include "bpf/retry/a64.h"

#include <string.h>

static uint32_t bits(uint32_t insn, unsigned int hi, unsigned int lo)
{
	return insn >> lo & ((2u << (hi - lo)) - 1);
}

static int64_t sbits(uint32_t insn, unsigned int hi, unsigned int lo)
{
	unsigned int n = hi - lo + 1;

	return (int64_t)((uint64_t)bits(insn, hi, lo) << (64 - n)) >> (64 - n);
}

/* Returns the mask bit of a register field in which 31 is xzr. */
static uint32_t reg(unsigned int r)
{
	return r == 31 ? 0 : 1u << r;
}

/* ... in which 31 is sp. */
static uint32_t reg_sp(unsigned int r)
{
	return 1u << r;
}

static bool is(uint32_t insn, uint32_t mask, uint32_t value)
{
	return (insn & mask) == value;
}

/* Data processing with an immediate. */
static void decode_immediate(uint32_t insn, struct a64 *d)
{
	unsigned int rd = bits(insn, 4, 0), rn = bits(insn, 9, 5);

	d->kind = A64_PLAIN;
	switch (bits(insn, 25, 23)) {
	case 0:
	case 1:		/* adr, adrp */
		d->writes = reg(rd);
		return;
	case 2:		/* add, sub */
		/* "adds" and "subs" write xzr where the others write sp */
		d->writes = bits(insn, 29, 29) ? reg(rd) : reg_sp(rd);
		d->reads = reg_sp(rn);
		if (!bits(insn, 31, 31) || bits(insn, 29, 29))
			return;
		d->is_add = true;
		d->rd = rd;
		d->rn = rn;
		d->imm = bits(insn, 21, 10);
		if (bits(insn, 22, 22))
			d->imm <<= 12;
		if (bits(insn, 30, 30))
			d->imm = -d->imm;
		return;
	case 4:		/* and, orr, eor, ands */
		d->writes = bits(insn, 30, 29) == 3 ? reg(rd) : reg_sp(rd);
		d->reads = reg(rn);
		return;
	case 5:		/* movn, movz, movk */
		d->writes = reg(rd);
		if (bits(insn, 30, 29) == 3)
			d->reads = reg(rd);
		return;
	case 6:		/* bfm leaves part of the destination */
		d->writes = reg(rd);
		d->reads = reg(rn);
		if (bits(insn, 30, 29) == 1)
			d->reads |= reg(rd);
		return;
	case 7:		/* extr */
		d->writes = reg(rd);
		d->reads = reg(rn) | reg(bits(insn, 20, 16));
		return;
	default:	/* tagged add, and what came later */
		d->writes = reg_sp(rd);
		d->reads = reg_sp(rn);
	}
}

static void decode_branch(uint32_t insn, struct a64 *d)
{
	if (is(insn, 0xfc000000, 0x14000000)) {			/* b */
		d->kind = A64_JUMP;
		d->target = sbits(insn, 25, 0) * 4;
	} else if (is(insn, 0xfc000000, 0x94000000)) {		/* bl */
		d->kind = A64_CALL;
	} else if (is(insn, 0xff000000, 0x54000000)) {		/* b.cond, bc */
		d->kind = A64_BRANCH;
		d->target = sbits(insn, 23, 5) * 4;
		/* "always" has two condition codes */
		if (bits(insn, 3, 1) == 7)
			d->kind = A64_JUMP;
	} else if (is(insn, 0x7e000000, 0x34000000)) {		/* cbz, cbnz */
		d->kind = A64_BRANCH;
		d->target = sbits(insn, 23, 5) * 4;
	} else if (is(insn, 0x7e000000, 0x36000000)) {		/* tbz, tbnz */
		d->kind = A64_BRANCH;
		d->target = sbits(insn, 18, 5) * 4;
	} else if (is(insn, 0xfe000000, 0xd6000000)) {		/* br, blr, ret */
		/* bit 21 and not 22: a call, authenticated or not */
		d->kind = bits(insn, 22, 21) == 1 ? A64_CALL : A64_LEAVE;
	} else if (is(insn, 0xff000000, 0xd4000000)) {
		/* svc, hvc and smc come back; brk and hlt do not */
		d->kind = bits(insn, 23, 21) ? A64_LEAVE : A64_CALL;
	} else if (is(insn, 0xffc00000, 0xd5000000)) {
		/* hints, barriers, msr, mrs, sys: few write a register */
		d->kind = A64_PLAIN;
		if (bits(insn, 21, 21))
			d->writes = reg(bits(insn, 4, 0));
	} else {
		d->kind = A64_UNKNOWN;
	}
}

static void decode_pair(uint32_t insn, struct a64 *d)
{
	unsigned int opc = bits(insn, 31, 30), mode = bits(insn, 24, 23);
	bool vector = bits(insn, 26, 26), load = bits(insn, 22, 22);
	int64_t imm;

	d->kind = load ? A64_LOAD : A64_STORE;
	d->base = bits(insn, 9, 5);
	d->size = vector ? 4u << opc : opc & 2 ? 8 : 4;
	imm = sbits(insn, 21, 15) * d->size;
	if (mode != 1)
		d->disp = imm;
	if (mode & 1) {
		d->writeback = imm;
		d->writes |= reg_sp(d->base);
	}
	if (vector)
		return;
	d->rt = bits(insn, 4, 0);
	d->rt2 = bits(insn, 14, 10);
	if (load)
		d->writes |= reg(d->rt) | reg(d->rt2);
}

static void decode_single(uint32_t insn, struct a64 *d)
{
	bool vector = bits(insn, 26, 26);
	unsigned int size = bits(insn, 31, 30), opc = bits(insn, 23, 22);

	d->base = bits(insn, 9, 5);
	if (vector) {
		d->kind = opc & 1 ? A64_LOAD : A64_STORE;
		d->size = opc & 2 ? 16 : 1u << size;
	} else {
		d->size = 1u << size;
		d->kind = opc ? A64_LOAD : A64_STORE;
		if (size == 3 && opc == 2)	/* prefetch */
			d->kind = A64_PLAIN;
		else
			d->rt = bits(insn, 4, 0);
	}
	if (bits(insn, 24, 24)) {
		d->disp = (int64_t)bits(insn, 21, 10) * d->size;
	} else if (bits(insn, 21, 21)) {
		d->index = bits(insn, 20, 16);
	} else {
		unsigned int mode = bits(insn, 11, 10);

		if (mode != 1)
			d->disp = sbits(insn, 20, 12);
		if (mode & 1) {
			d->writeback = sbits(insn, 20, 12);
			d->writes |= reg_sp(d->base);
		}
	}
	if (d->kind == A64_LOAD && !vector)
		d->writes |= reg(d->rt);
}

/* ldxr, stxr, ldar, stlr, cas and their pairs */
static void decode_exclusive(uint32_t insn, struct a64 *d)
{
	bool ordered = bits(insn, 23, 23), load = bits(insn, 22, 22);
	bool o1 = bits(insn, 21, 21);

	d->base = bits(insn, 9, 5);
	d->size = 1u << bits(insn, 31, 30);
	d->rt = bits(insn, 4, 0);
	d->kind = load ? A64_LOAD : A64_STORE;
	if (o1 && ordered) {		/* cas: its comparand is its result */
		d->kind = A64_LOAD;
		d->writes = reg(bits(insn, 20, 16));
		d->rt = bits(insn, 20, 16);
	} else if (o1 && !bits(insn, 31, 31)) {	/* casp */
		d->kind = A64_LOAD;
		d->writes = reg(bits(insn, 20, 16)) |
			    reg(bits(insn, 20, 16) + 1);
	} else if (load) {
		d->writes = reg(d->rt);
		if (o1) {
			d->rt2 = bits(insn, 14, 10);
			d->writes |= reg(d->rt2);
		}
		d->load_exclusive = !ordered;
	} else if (!ordered) {
		d->writes = reg(bits(insn, 20, 16));	/* the status */
		d->store_exclusive = true;
	}
}

static void decode_memory(uint32_t insn, struct a64 *d)
{
	d->base = d->index = d->rt = d->rt2 = A64_NO_REG;
	if (is(insn, 0x3b000000, 0x18000000)) {		/* literal */
		d->kind = A64_LOAD;
		d->size = bits(insn, 30, 30) ? 8 : 4;
		if (!bits(insn, 26, 26) && bits(insn, 31, 30) != 3) {
			d->rt = bits(insn, 4, 0);
			d->writes = reg(d->rt);
		}
	} else if (is(insn, 0x3a000000, 0x28000000)) {
		decode_pair(insn, d);
	} else if (is(insn, 0x3b000000, 0x39000000) ||
		   is(insn, 0x3b200000, 0x38000000) ||
		   is(insn, 0x3b200c00, 0x38200800)) {
		decode_single(insn, d);
	} else if (is(insn, 0x3b200c00, 0x38200000)) {
		/* atomics, and ldapr among them */
		d->kind = A64_LOAD;
		d->base = bits(insn, 9, 5);
		d->size = 1u << bits(insn, 31, 30);
		d->rt = bits(insn, 4, 0);
		d->writes = reg(d->rt);
	} else if (is(insn, 0x3f200c00, 0x19000000)) {	/* ldapur, stlur */
		d->kind = bits(insn, 23, 22) ? A64_LOAD : A64_STORE;
		d->base = bits(insn, 9, 5);
		d->size = 1u << bits(insn, 31, 30);
		d->disp = sbits(insn, 20, 12);
		d->rt = bits(insn, 4, 0);
		if (d->kind == A64_LOAD)
			d->writes = reg(d->rt);
	} else if (is(insn, 0x3f000000, 0x08000000)) {
		decode_exclusive(insn, d);
	} else {
		/* tags, vectors, copies: every register it could write */
		d->kind = A64_PLAIN;
		d->writes = reg_sp(bits(insn, 9, 5)) | reg(bits(insn, 4, 0)) |
			    reg(bits(insn, 20, 16));
	}
}

static void decode_register(uint32_t insn, struct a64 *d)
{
	unsigned int rd = bits(insn, 4, 0), rm = bits(insn, 20, 16);

	d->kind = A64_PLAIN;
	d->writes = reg(rd);
	d->reads = reg(bits(insn, 9, 5)) | reg(rm);
	if (is(insn, 0x1f000000, 0x1b000000))		/* madd and others */
		d->reads |= reg(bits(insn, 14, 10));
	/* ccmp and setf have flags in the field of a register */
	if (is(insn, 0x1fe00000, 0x1a400000) ||
	    is(insn, 0x1fe03fff, 0x1a00000d))
		d->writes = 0;
	if (is(insn, 0x1f200000, 0x0b200000))	/* add, sub: extended register */
		d->writes = bits(insn, 29, 29) ? reg(rd) : reg_sp(rd);
	if (is(insn, 0xffe0ffe0, 0xaa0003e0)) {		/* mov */
		d->is_add = true;
		d->rd = rd == 31 ? A64_NO_REG : rd;
		d->rn = rm == 31 ? A64_NO_REG : rm;
	}
}

void a64_decode(uint32_t insn, struct a64 *d)
{
	memset(d, 0, sizeof(*d));
	d->base = d->index = d->rt = d->rt2 = A64_NO_REG;
	d->rd = d->rn = A64_NO_REG;
	switch (bits(insn, 28, 25)) {
	case 8:
	case 9:
		decode_immediate(insn, d);
		break;
	case 10:
	case 11:
		decode_branch(insn, d);
		break;
	case 4:
	case 6:
	case 12:
	case 14:
		decode_memory(insn, d);
		break;
	case 5:
	case 13:
		decode_register(insn, d);
		break;
	case 7:
	case 15:	/* floating point and vectors; some write a register */
		d->kind = A64_PLAIN;
		d->writes = reg(bits(insn, 4, 0));
		break;
	case 0:		/* udf; and matrices, which no kernel function uses */
		d->kind = insn >> 16 ? A64_UNKNOWN : A64_LEAVE;
		break;
	default:
		d->kind = A64_UNKNOWN;
	}
}
