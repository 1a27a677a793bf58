/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Follows one vCPU through a region, block by block: calls, exceptions, and how often
 * each block ran in which context. It does not depend on QEMU; the plugin feeds it.
 *
 * QEMU 7.2's interface does not show registers, so they are inferred from addresses:
 *  - an exception is a step to the start of a vector slot. Vector tables are
 *    learned: user mode reaches the kernel only through them.
 *  - calls and returns are matched by return address. A return without a known call
 *    creates a separate node (N_LOST), and is counted.
 *  - a task switch is detected by the addresses at which cpu_switch_to() stores and
 *    loads registers, which belong to the two tasks.
 *  - ERET from __guest_enter() is the way into a guest.
 *  - the instructions that the PMU counts. If user mode reads the counters, they run
 *    except while another task runs; bench/kit/pmu.c reads the user mode counter
 *    last at the start and first at the end. If the counters are enabled and disabled
 *    instead, that of user mode is enabled first and that of the kernel second. So
 *    instructions count from where the second counter is programmed, while PMCR_EL0
 *    enables the counters.
 * It does not know which kernel thread another task is. Tail calls are part of their
 * caller here, and are separated later by symbols.
 */
#ifndef PTELAB_EMU_WALK_H
#define PTELAB_EMU_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/insn_counts.h"

/* Addresses of kernel code with a known purpose; 0: this kernel has none. */
struct walk_symbols {
	uint64_t switch_start, switch_end;	/* cpu_switch_to() */
	uint64_t guest_start, guest_end;	/* __guest_enter() */
	/*
	 * armv8pmu_start(): its write of PMCR_EL0 enables the counters, any
	 * other write disables them
	 */
	uint64_t pmu_start, pmu_end;
};

struct walk_insn {
	uint64_t classes;
	uint32_t word;
};

struct walk_block {
	uint64_t pc;
	uint32_t nr;		/* instructions */
	uint32_t id;		/* once written; UINT32_MAX before */
	struct walk_insn insn[];
};

struct walk;

/*
 * Starts a walk that writes to @out. @lines: count lines; the caller then
 * reports all accesses. Free with walk_free().
 */
struct walk *walk_new(FILE *out, const struct walk_symbols *symbols,
		      bool lines);
void walk_free(struct walk *w);

/*
 * Reports that a block is about to run. @begun: instructions started so far, in
 * all blocks.
 */
void walk_block(struct walk *w, struct walk_block *b, uint64_t begun);
/*
 * Reports an access. Those in walk_symbols.switch_start to switch_end are always
 * needed, all others only to count lines.
 */
void walk_access(struct walk *w, uint64_t vaddr, unsigned int size, bool store);
/*
 * Reports that a mark (lib/marks.h) is about to run. @done: instructions of its
 * block so far, including the mark; @b: the block, with @begun from before it;
 * NULL if the block is not instrumented. Returns whether regions follow soon,
 * so that blocks must be instrumented.
 */
bool walk_mark(struct walk *w, unsigned int mark, uint32_t done,
	       struct walk_block *b, uint64_t begun);
/* Reports that the instruction at @pc writes PMCR_EL0. */
void walk_pmcr(struct walk *w, uint64_t pc);
/* Reports that the instruction at @pc reads an event counter. */
void walk_pmevcntr(struct walk *w, uint64_t pc);
/* Reports that the instruction @word programs an event counter. */
void walk_pmevtyper(struct walk *w, uint32_t word);
/* Returns the number of regions that have ended, in all runs. */
uint32_t walk_regions(const struct walk *w);
/* Returns whether blocks and accesses are needed now. */
bool walk_active(const struct walk *w);

#endif
