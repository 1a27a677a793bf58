/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks for the emulator's counting plugin (emu/): HINT instructions of the
 * unallocated space CRm = 0b1110, which every arm64 CPU executes as NOP (Arm ARM,
 * C6.2 HINT). They need no system call and change no register, so a program
 * executes the same instructions with and without the plugin.
 *
 * A region is what the PMU counts between two readings of its counters:
 *
 *	MARK_ARM	the counters will be read or enabled next
 *	MARK_BEGIN	they have been: the region starts at the last read of a
 *			PMEVCNTRn_EL0 in user mode before this mark; without such
 *			a read, when PMCR_EL0 enabled them
 *	MARK_END	they will be read or disabled next: the first such read,
 *			or the first such write of PMCR_EL0, ends the region
 *	MARK_DONE	they have been
 *
 * Without a PMU there is neither, and the region is from MARK_BEGIN to MARK_END.
 * BEGIN, END and DONE without ARM are ignored.
 */
#ifndef PTELAB_MARKS_H
#define PTELAB_MARKS_H

enum {
	MARK_RUN	= 112,	/* the header of a run has been written */
	MARK_WATCH,		/* start to instrument: regions will follow, after
				 * at least one system call */
	MARK_REST,		/* stop: no region for a while */
	MARK_ARM,
	MARK_BEGIN,
	MARK_END,
	MARK_DONE,
	MARK_LAST	= MARK_DONE,
};

/* HINT #n is this word with n in bits 11:5. */
#define MARK_WORD	0xd503201fu
#define MARK_MASK	0xfffff01fu

#ifdef __aarch64__
#define region_mark(n)	asm volatile("hint	%0" : : "i" (n) : "memory")
#else
#define region_mark(n)	((void)(n))
#endif

#endif
