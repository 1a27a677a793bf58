/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Follows one vCPU through a region, block by block: which function called
 * which, what was taken as an exception, and how often each block ran where.
 * Knows nothing of QEMU; the plugin feeds it.
 *
 * The interface of QEMU 7.2 shows no register, so what it can't see is
 * inferred from addresses:
 *  - an exception is a step to the start of a vector slot. Vector tables are
 *    learnt: user mode reaches the kernel through them only.
 *  - calls and returns are matched by return address; a return to where no
 *    known call came from makes a node of its own (N_LOST), and is counted.
 *  - a task switch is seen by the addresses at which cpu_switch_to() stores
 *    and loads registers, which are those of the two tasks.
 *  - ERET from __guest_enter() is the way into a guest.
 *  - what the PMU counts. Read from user mode, its counters run all the time but
 *    when another task does, and bench/kit/pmu.c reads that of user mode last at the
 *    start and first at the end. Switched on and off, it has that of user mode
 *    enabled first and the kernel's second; so instructions count from where the
 *    second counter is programmed, whenever PMCR_EL0 was written to that end.
 * What it can't tell: which kernel thread another task is; tail calls are part
 * of their caller here, and are told apart later by symbols.
 */
#ifndef PTELAB_EMU_WALK_H
#define PTELAB_EMU_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/insn_counts.h"

/* Kernel addresses that say what code does; 0: this kernel has none. */
struct walk_symbols {
	uint64_t switch_start, switch_end;	/* cpu_switch_to() */
	uint64_t guest_start, guest_end;	/* __guest_enter() */
	/* armv8pmu_start(): its write of PMCR_EL0 has the counters count, any
	 * other write has them stop */
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

/* Writes to @out. @lines: all accesses will be told, so lines are counted. */
struct walk *walk_new(FILE *out, const struct walk_symbols *symbols,
		      bool lines);
void walk_free(struct walk *w);

/* A block is about to run; @begun: instructions begun so far, of all blocks. */
void walk_block(struct walk *w, struct walk_block *b, uint64_t begun);
/* An access was made: all of them matter for the lines touched, those in
 * walk_symbols.switch_start to switch_end always. */
void walk_access(struct walk *w, uint64_t vaddr, unsigned int size, bool store);
/*
 * The instruction that begins is a mark (lib/marks.h). @done: instructions of
 * its block so far, itself included; @b: the block, with @begun from before it,
 * NULL if it has no instruments. Returns whether regions follow soon:
 * instrument, or don't.
 */
bool walk_mark(struct walk *w, unsigned int mark, uint32_t done,
	       struct walk_block *b, uint64_t begun);
/* The instruction at @pc writes PMCR_EL0. */
void walk_pmcr(struct walk *w, uint64_t pc);
/* The instruction at @pc reads an event counter. */
void walk_pmevcntr(struct walk *w, uint64_t pc);
/* The instruction @word programs an event counter. */
void walk_pmevtyper(struct walk *w, uint32_t word);
/* Whether blocks and accesses matter now. */
bool walk_active(const struct walk *w);

#endif
