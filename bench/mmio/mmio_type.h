/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory types of arm64: what stage 1 asks for, what stage 2 says, and what
 * comes of the two. Pure functions; nothing here looks at a machine.
 */
#ifndef PTELAB_MMIO_TYPE_H
#define PTELAB_MMIO_TYPE_H

#include <stdbool.h>
#include <stdint.h>

/* From the strongest to the weakest: of two the smaller one wins. */
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

/* The type behind a byte of MAIR_EL1, or of PAR_EL1.ATTR: those of the seven
 * types above that are alike in inner and outer domain, else MEM_UNKNOWN. */
enum mem_type mem_type_of_mair(uint8_t byte);
/* The other way round; write-back and write-through allocate on both. */
uint8_t mair_of_mem_type(enum mem_type t);

/* The type behind MemAttr[3:0] of a stage-2 leaf, PTE[5:2], where HCR_EL2.FWB
 * is @fwb. With it 0b0111 takes over what stage 1 says: MEM_UNKNOWN. */
enum mem_type mem_type_of_stage2(unsigned int memattr, bool fwb);

/*
 * What is in force where stage 1 says @s1 and stage 2 says @s2. Without FWB
 * the stronger of the two (Arm ARM, D8.6.5.1 and 2). With FWB (D8.6.6) the same
 * where stage 2 is Device or NC, but write-back in stage 2 is write-back
 * whatever stage 1 says.
 */
enum mem_type mem_type_combine(enum mem_type s1, enum mem_type s2, bool fwb);

#endif
