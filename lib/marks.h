/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Marks that a program under test leaves for the emulator's counting plugin
 * (emu/): HINT instructions of the unallocated space CRm = 0b1110, which every
 * arm64 CPU executes as NOP (Arm ARM, C6.2 HINT). They need no system call and
 * change no register, so a program runs the same, instruction by instruction,
 * whether somebody listens or not.
 *
 * A region is what the PMU counts between two readings of its counters:
 *
 *	MARK_ARM	next the counters will be read, or enabled
 *	MARK_BEGIN	they are: from the last read of a PMEVCNTRn_EL0 in user
 *			mode before this on, instructions count; without such a
 *			read, whenever PMCR_EL0 has them count
 *	MARK_END	next they will be read again, or disabled: the first such
 *			read, or the first such write of PMCR_EL0, ends it
 *	MARK_DONE	they are
 *
 * Without either, because there is no PMU, the region is from MARK_BEGIN to
 * MARK_END. BEGIN, END and DONE without ARM mean nothing.
 */
#ifndef PTELAB_MARKS_H
#define PTELAB_MARKS_H

enum {
	MARK_RUN	= 112,	/* a run's header has been written */
	MARK_WATCH,		/* regions will follow, after a system call or
				 * more: instrument */
	MARK_REST,		/* none will for a while */
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
