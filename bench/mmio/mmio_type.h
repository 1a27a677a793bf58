/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory types of arm64: what stage 1 requests, what stage 2 allows, and the
 * combination. Pure functions, which do not look at the machine.
 */
#ifndef PTELAB_MMIO_TYPE_H
#define PTELAB_MMIO_TYPE_H

#include <stdbool.h>
#include <stdint.h>

/* From the strongest to the weakest: of two types the smaller one wins. */
enum mem_type {
	MEM_NGNRNE,
	MEM_NGNRE,
	MEM_NGRE,
	MEM_GRE,
	MEM_NC,		/* Normal, non-cacheable in both domains */
	MEM_WT,
	MEM_WB,
	MEM_TYPES,
	MEM_UNKNOWN = MEM_TYPES,
};

/* "Device-nGnRE"; "unknown" for anything else. */
const char *mem_type_name(enum mem_type t);
static inline bool mem_is_device(enum mem_type t)
{
	return t <= MEM_GRE;
}

/*
 * Returns the type for a byte of MAIR_EL1, or of PAR_EL1.ATTR. MEM_UNKNOWN for
 * types that are not listed above, or that differ between the inner and the
 * outer domain.
 */
enum mem_type mem_type_of_mair(uint8_t byte);
/* The inverse; write-back and write-through allocate on reads and writes. */
uint8_t mair_of_mem_type(enum mem_type t);

/*
 * Returns the type for MemAttr[3:0] of a stage-2 leaf, PTE[5:2], with
 * HCR_EL2.FWB as @fwb. With FWB 0b0111 keeps the type of stage 1: MEM_UNKNOWN.
 */
enum mem_type mem_type_of_stage2(unsigned int memattr, bool fwb);

/*
 * Returns the type in force if stage 1 has @s1 and stage 2 has @s2. Without FWB
 * it is the stronger of the two (Arm ARM, D8.6.5.1 and 2). With FWB (D8.6.6) it
 * is the same if stage 2 is Device or NC, but write-back in stage 2 overrides
 * stage 1.
 */
enum mem_type mem_type_combine(enum mem_type s1, enum mem_type s2, bool fwb);

#endif
