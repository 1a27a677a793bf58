// SPDX-License-Identifier: GPL-2.0
/* See mmio_type.h. */
#include "bench/mmio/mmio_type.h"

#include "lib/util.h"

static const struct {
	const char *name;
	uint8_t mair;
} types[MEM_TYPES] = {
	[MEM_NGNRNE]	= { "Device-nGnRnE", 0x00 },
	[MEM_NGNRE]	= { "Device-nGnRE", 0x04 },
	[MEM_NGRE]	= { "Device-nGRE", 0x08 },
	[MEM_GRE]	= { "Device-GRE", 0x0c },
	[MEM_NC]	= { "Normal-NC", 0x44 },
	[MEM_WT]	= { "Normal-WT", 0xbb },
	[MEM_WB]	= { "Normal-WB", 0xff },
};

const char *mem_type_name(enum mem_type t)
{
	return t < MEM_TYPES ? types[t].name : "unknown";
}

uint8_t mair_of_mem_type(enum mem_type t)
{
	return types[t].mair;
}

/* Inner or outer nibble: 0b0100 NC, 0bX0RW WT, 0bX1RW WB (RW not 00). */
static enum mem_type normal_nibble(unsigned int n)
{
	if (n == 4)
		return MEM_NC;
	if (!(n & 3))
		return MEM_UNKNOWN;
	return n & 4 ? MEM_WB : MEM_WT;
}

enum mem_type mem_type_of_mair(uint8_t byte)
{
	enum mem_type outer;
	unsigned int i;

	if (!(byte & 0xf0)) {
		for (i = MEM_NGNRNE; i <= MEM_GRE; i++)
			if (types[i].mair == byte)
				return i;
		return MEM_UNKNOWN;
	}
	/* Tagged Normal write-back (FEAT_MTE2) */
	if (byte == 0xf0)
		return MEM_WB;
	outer = normal_nibble(byte >> 4);
	return outer == normal_nibble(byte & 15) ? outer : MEM_UNKNOWN;
}

enum mem_type mem_type_of_stage2(unsigned int memattr, bool fwb)
{
	static const enum mem_type inner[] = {
		MEM_UNKNOWN, MEM_NC, MEM_WT, MEM_WB
	};

	if (fwb) {
		/* Bit 3 is RES0, or concerns tags. */
		switch (memattr & 7) {
		case 5: return MEM_NC;
		case 6: return MEM_WB;
		case 4: case 7: return MEM_UNKNOWN;
		}
		return MEM_NGNRNE + (memattr & 3);
	}
	if (!(memattr & 0xc))
		return MEM_NGNRNE + (memattr & 3);
	/* Outer in the upper half, inner in the lower */
	return (memattr >> 2 & 3) == (memattr & 3) ? inner[memattr & 3] :
		MEM_UNKNOWN;
}

enum mem_type mem_type_combine(enum mem_type s1, enum mem_type s2, bool fwb)
{
	if (s1 >= MEM_TYPES || s2 >= MEM_TYPES)
		return MEM_UNKNOWN;
	if (fwb && s2 == MEM_WB)
		return MEM_WB;
	return s1 < s2 ? s1 : s2;
}
