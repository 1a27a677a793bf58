// SPDX-License-Identifier: GPL-2.0
/*
 * See a64class.h. The encodings are from the Arm ARM, C4.1 "A64 instruction set
 * encoding". The first row that matches gives the classes of an instruction.
 */
#include "lib/a64class.h"

#include "lib/util.h"

#define B(c)	(1ULL << (c))
#define LD	B(C_LOAD)
#define ST	B(C_STORE)
#define LDST	(LD | ST | B(C_ATOMIC))

static const struct encoding {
	uint32_t mask, value;
	uint64_t classes;
} rows[] = {
	/* --- branches, exceptions, system (C4.1.94) --- */
	{ 0xfc000000, 0x94000000, B(C_CALL) },			/* BL */
	{ 0xfc000000, 0x14000000, B(C_JUMP) },			/* B */
	{ 0xff000000, 0x54000000, B(C_JUMP) },			/* B.cond, BC.cond */
	{ 0x7c000000, 0x34000000, B(C_JUMP) },			/* CBZ to TBNZ */
	{ 0xfee00000, 0xd6200000, B(C_CALL) },			/* BLR, BLRAA.. */
	{ 0xffe00000, 0xd6400000, B(C_RETURN) },		/* RET, RETAA.. */
	{ 0xffe00000, 0xd6800000, B(C_ERET) },			/* ERET, ERETAA.. */
	{ 0xfee00000, 0xd6000000, B(C_JUMP) },			/* BR, BRAA.. */
	{ 0xffe0001f, 0xd4000001, B(C_SVC) },
	{ 0xff000000, 0xd4000000, B(C_TRAP) },			/* HVC SMC BRK HLT */
	{ 0xffff0000, 0x00000000, B(C_TRAP) },			/* UDF */
	{ 0xffffffff, 0xd503309f, 0 },				/* SSBB */
	{ 0xffffffff, 0xd503349f, 0 },				/* PSSBB */
	{ 0xfffff0ff, 0xd503309f, B(C_DSB) },
	{ 0xfffff3ff, 0xd503323f, B(C_DSB) },			/* DSB nXS */
	{ 0xfffff0ff, 0xd50330bf, B(C_DMB) },
	{ 0xfffff0ff, 0xd50330df, B(C_ISB) },
	{ 0xfff8f01f, 0xd500401f, B(C_SYSREG_WRITE) },		/* MSR imm */
	{ 0xffffffe0, 0xd51b9c00, B(C_SYSREG_WRITE) | B(C_PMCR) },
	{ 0xfffffc00, 0xd51bec00, B(C_SYSREG_WRITE) | B(C_PMEVTYPER) },
	{ 0xffffffe0, 0xd51b9d20, B(C_SYSREG_WRITE) | B(C_PMEVTYPER) },
	{ 0xfff00000, 0xd5100000, B(C_SYSREG_WRITE) },		/* MSR */
	{ 0xfffffc00, 0xd53be800, B(C_SYSREG_READ) | B(C_PMEVCNTR) },
	{ 0xfff00000, 0xd5300000, B(C_SYSREG_READ) },		/* MRS */
	{ 0xffffffe0, 0xd50b7420, B(C_CACHE_OP) | B(C_DC_ZVA) },
	{ 0xffffff00, 0xd5087800, 0 },				/* AT S1.. */
	{ 0xffffff00, 0xd50c7800, 0 },
	{ 0xffffff00, 0xd5087900, 0 },				/* AT S1E1RP.. */
	{ 0xfff8f000, 0xd5087000, B(C_CACHE_OP) },		/* DC, IC */

	/* --- loads and stores (C4.1.94, op0 = x1x0), by groups --- */
	/* exclusives, ordered, compare and swap: 29:24 = 001000 */
	{ 0xbfa07c00, 0x08207c00, LDST },			/* CASP */
	{ 0x3fa07c00, 0x08a07c00, LDST },			/* CAS */
	{ 0x3fc00000, 0x08000000, ST | B(C_EXCLUSIVE) },	/* STXR STXP.. */
	{ 0x3fc00000, 0x08400000, LD | B(C_EXCLUSIVE) },
	{ 0x3fc00000, 0x08800000, ST },				/* STLR, STLLR */
	{ 0x3fc00000, 0x08c00000, LD },				/* LDAR, LDLAR */
	/* SIMD structures: 0 Q 00110x, L is bit 22 */
	{ 0xbe400000, 0x0c000000, ST },
	{ 0xbe400000, 0x0c400000, LD },
	/* memory tags: 31:24 = 11011001, bit 21 */
	{ 0xffe00c00, 0xd9600000, LD },				/* LDG */
	{ 0xffe00c00, 0xd9e00000, LD },				/* LDGM */
	{ 0xff200000, 0xd9200000, ST },				/* STG.. */
	/* LDAPUR, STLUR: 29:24 = 011001, bit 21 = 0, 11:10 = 00 */
	{ 0x3fe00c00, 0x19000000, ST },
	{ 0x3f200c00, 0x19000000, LD },
	/* literal: 29:27 = 011, 25:24 = 00 */
	{ 0xff000000, 0xd8000000, 0 },				/* PRFM */
	{ 0x3b000000, 0x18000000, LD },
	/* pairs: 29:27 = 101, L is bit 22 */
	{ 0x3a400000, 0x28000000, ST },
	{ 0x3a400000, 0x28400000, LD },
	/* atomics: 29:24 = 111000, bit 21, 11:10 = 00 */
	{ 0x3fe0fc00, 0x38a0c000, LD },				/* LDAPR */
	{ 0xfffffc00, 0xf83fd000, LD },				/* LD64B */
	{ 0xffe0fc00, 0xf820b000, ST },				/* ST64BV */
	{ 0xffe0fc00, 0xf820a000, ST },				/* ST64BV0 */
	{ 0xfffffc00, 0xf83f9000, ST },				/* ST64B */
	{ 0x3f200c00, 0x38200000, LDST },
	/* LDRAA, LDRAB: size 11, bit 21, bit 10 */
	{ 0xff200400, 0xf8200400, LD },
	/* one register: 29:27 = 111; general, 23:22 = 00 is a store */
	{ 0xffe00c00, 0xf8800000, 0 },				/* PRFUM */
	{ 0xffe00c00, 0xf8a00800, 0 },				/* PRFM reg */
	{ 0xffc00000, 0xf9800000, 0 },				/* PRFM imm */
	{ 0x3ec00000, 0x38000000, ST },
	{ 0x3e000000, 0x38000000, LD },
	/* SIMD, bit 22 is L */
	{ 0x3e400000, 0x3c000000, ST },
	{ 0x3e400000, 0x3c400000, LD },
};

/*
 * Returns the classes of a TLBI by its op1, CRm and op2 (Arm ARM, D19.1 "TLB
 * maintenance instructions").
 */
static uint64_t tlbi(uint32_t word)
{
	unsigned int op1 = word >> 16 & 7, crm = word >> 8 & 15;
	unsigned int op2 = word >> 5 & 7;
	enum { PAGE, RANGE, ASID, ALL } what = PAGE;
	bool local = crm == 4 || crm == 6 || crm == 7;

	if (crm == 0 || crm == 4) {
		/* stage 2 by address: R* are ranges, odd OS forms broadcast */
		if (op2 == 2 || op2 == 3 || op2 == 6 || op2 == 7)
			what = RANGE;
		if (crm == 4 && (op2 == 0 || op2 == 3 || op2 == 4 || op2 == 7))
			local = false;
	} else if (crm == 2 || crm == 5 || crm == 6) {
		what = RANGE;
	} else if (op2 == 0 || op2 == 4 || op2 == 6) {
		what = ALL;	/* VMALLE1, ALLE1, VMALLS12E1 */
	} else if (op1 == 0 && op2 == 2) {
		what = ASID;
	}
	return B(C_TLBI) | B((local ? C_TLBI_LOCAL_PAGE :
			      C_TLBI_BROADCAST_PAGE) + what);
}

uint64_t a64_classes(uint32_t word)
{
	size_t i;

	/* SYS with CRn = 8, or 9: the same with nXS */
	if ((word & 0xfff8e000) == 0xd5088000)
		return tlbi(word);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if ((word & rows[i].mask) == rows[i].value)
			return rows[i].classes;
	return 0;
}

bool a64_may_fault(uint32_t word)
{
	if ((word & 0x1c000000) == 0x10000000)	/* arithmetic, immediate */
		return false;
	/* register: some with one or two sources authenticate pointers */
	return (word & 0x0e000000) != 0x0a000000 ||
	       (word & 0x1fe00000) == 0x1ac00000;
}

const char *const a64_class_metric[NR_COUNTED_CLASSES] = {
	[C_LOAD] = "loads",
	[C_STORE] = "stores",
	[C_ATOMIC] = "atomics",
	[C_EXCLUSIVE] = "exclusives",
	[C_DSB] = "dsb",
	[C_DMB] = "dmb",
	[C_ISB] = "isb",
	[C_SYSREG_WRITE] = "sysreg_writes",
	[C_SYSREG_READ] = "sysreg_reads",
	[C_CACHE_OP] = "cache_ops",
	[C_TLBI] = "tlbi",
	[C_TLBI_LOCAL_PAGE] = "tlbi.local_page",
	[C_TLBI_LOCAL_RANGE] = "tlbi.local_range",
	[C_TLBI_LOCAL_ASID] = "tlbi.local_asid",
	[C_TLBI_LOCAL_ALL] = "tlbi.local_all",
	[C_TLBI_BROADCAST_PAGE] = "tlbi.broadcast_page",
	[C_TLBI_BROADCAST_RANGE] = "tlbi.broadcast_range",
	[C_TLBI_BROADCAST_ASID] = "tlbi.broadcast_asid",
	[C_TLBI_BROADCAST_ALL] = "tlbi.broadcast_all",
};
