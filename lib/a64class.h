/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Classifies A64 instructions for counting: memory reads and writes, atomics,
 * barriers, TLB maintenance, control flow. An instruction may be in several
 * classes: LDADD is a load, a store and an atomic; LDXR is a load and an exclusive.
 * LDP is one load. PRFM is in no class. Nor are SVE, SME, and CPYx/SETx, which
 * QEMU 7.2 does not have.
 */
#ifndef PTELAB_A64CLASS_H
#define PTELAB_A64CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum a64_class {
	C_LOAD,
	C_STORE,
	C_ATOMIC,		/* LSE: CAS, SWP, LDADD and so on, but not LD64B */
	C_EXCLUSIVE,		/* LDXR, STXR and similar */
	C_DSB,
	C_DMB,
	C_ISB,
	C_SYSREG_WRITE,		/* MSR, register or immediate */
	C_SYSREG_READ,
	C_CACHE_OP,		/* DC, IC */
	C_DC_ZVA,		/* also in C_CACHE_OP; stores zeroes */
	C_TLBI,
	/* each C_TLBI is also in one of: */
	C_TLBI_LOCAL_PAGE, C_TLBI_LOCAL_RANGE, C_TLBI_LOCAL_ASID,
	C_TLBI_LOCAL_ALL,
	C_TLBI_BROADCAST_PAGE, C_TLBI_BROADCAST_RANGE, C_TLBI_BROADCAST_ASID,
	C_TLBI_BROADCAST_ALL,
	NR_COUNTED_CLASSES,

	/* control flow, and accesses to the PMU */
	C_CALL = NR_COUNTED_CLASSES,	/* BL, BLR */
	C_RETURN,
	C_JUMP,			/* any other branch, taken or not */
	C_ERET,
	C_SVC,
	C_TRAP,			/* HVC, SMC, BRK, HLT, UDF */
	C_PMCR,			/* a write of PMCR_EL0: counters on or off */
	C_PMEVTYPER,		/* a write of PMEVTYPERn_EL0 or PMXEVTYPER_EL0 */
	C_PMEVCNTR,		/* a read of PMEVCNTRn_EL0 */
	NR_CLASSES
};

#define A64_IS(classes, c)	((classes) >> (c) & 1)

/* Returns the classes of an instruction word, bit C_x for class x. */
uint64_t a64_classes(uint32_t word);

/*
 * Returns false if the instruction always retires, as arithmetic on general
 * registers does. The result for undefined instructions is arbitrary.
 */
bool a64_may_fault(uint32_t word);

/*
 * "loads", "tlbi.broadcast_page"...: the metric of a counted class; NULL for
 * C_DC_ZVA, which has no metric of its own.
 */
extern const char *const a64_class_metric[NR_COUNTED_CLASSES];

#endif
