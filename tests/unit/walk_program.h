/* SPDX-License-Identifier: GPL-2.0 */
/* A made-up machine that runs blocks of A64 words past the walker, as the
 * plugin does in QEMU. */
#ifndef PTELAB_WALK_PROGRAM_H
#define PTELAB_WALK_PROGRAM_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "emu/seen.h"
#include "emu/walk.h"
#include "lib/a64class.h"
#include "lib/marks.h"

#define NOP	0xd503201f
#define LDR	0xf9400020
#define STR	0xf9000020
#define BL	0x94000000
#define B_	0x14000000
#define RET	0xd65f03c0
#define SVC	0xd4000001
#define ERET	0xd69f03e0
#define READ(n)	(0xd53be800 | (n) << 5)		/* mrs x0, pmevcntrN_el0 */
#define PMCR	0xd51b9c00
#define TYPE(n)	(0xd51bec00 | (n) << 5)		/* msr pmevtyperN_el0, x0 */
#define MARK(n)	(MARK_WORD | (n) << 5)

#define KERNEL	0xffff800080000000ULL
#define VECTORS	(KERNEL + 0x10000)
#define SWITCH	(KERNEL + 0x20000)		/* cpu_switch_to */
#define ENTER	(KERNEL + 0x30000)		/* __guest_enter */
#define START	(KERNEL + 0x40000)		/* armv8pmu_start */

struct program {
	struct walk *w;
	struct seen *seen;
	uint64_t begun;
	FILE *f;
	char path[64];
	struct walk_block *blocks[256];
	unsigned int nr;
};

static inline void program_begin(struct program *p, bool lines)
{
	static const struct walk_symbols sym = {
		SWITCH, SWITCH + 0x100, ENTER, ENTER + 0x100, START,
		START + 0x100
	};

	p->begun = p->nr = 0;
	strcpy(p->path, "/tmp/ptelab-walk.XXXXXX");
	p->f = fdopen(mkstemp(p->path), "w");
	p->w = walk_new(p->f, &sym, lines);
	p->seen = seen_new();
}

/* Closes the stream, which stays at p->path. */
static inline void program_end(struct program *p)
{
	seen_write(p->seen, p->f);
	seen_free(p->seen);
	walk_free(p->w);
	fclose(p->f);
	while (p->nr)
		free(p->blocks[--p->nr]);
}

static inline struct walk_block *program_block(struct program *p, uint64_t pc,
					       const uint32_t *word,
					       uint32_t nr)
{
	struct walk_block *b;
	unsigned int i;

	for (i = 0; i < p->nr; i++)
		if (p->blocks[i]->pc == pc && p->blocks[i]->nr == nr)
			return p->blocks[i];
	b = calloc(1, sizeof(*b) + nr * sizeof(b->insn[0]));
	b->pc = pc;
	b->nr = nr;
	b->id = UINT32_MAX;
	for (i = 0; i < nr; i++) {
		b->insn[i].word = word[i];
		b->insn[i].classes = a64_classes(word[i]);
	}
	return p->blocks[p->nr++] = b;
}

/* Runs @done of the block's @nr instructions. */
static inline void program_run(struct program *p, uint64_t pc,
			       const uint32_t *word, uint32_t nr, uint32_t done)
{
	struct walk_block *b = program_block(p, pc, word, nr);
	uint64_t before = p->begun;
	uint32_t i;

	seen_add(p->seen, pc, nr, walk_regions(p->w));
	if (walk_active(p->w))
		walk_block(p->w, b, p->begun);
	for (i = 0; i < done; i++) {
		unsigned int mark = (word[i] & ~MARK_MASK) >> 5;

		if ((word[i] & MARK_MASK) == MARK_WORD && mark >= MARK_RUN)
			walk_mark(p->w, mark, i + 1, b, before);
		if (A64_IS(b->insn[i].classes, C_PMCR))
			walk_pmcr(p->w, pc + 4 * i);
		if (A64_IS(b->insn[i].classes, C_PMEVCNTR))
			walk_pmevcntr(p->w, pc + 4 * i);
		if (A64_IS(b->insn[i].classes, C_PMEVTYPER))
			walk_pmevtyper(p->w, word[i]);
		p->begun++;
	}
}

#define RUN_PART(p, done, pc, ...)					\
	program_run(p, pc, (const uint32_t[]){ __VA_ARGS__ },		\
		    sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4, done)
#define RUN(p, pc, ...)							\
	RUN_PART(p, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4, pc,	\
		 __VA_ARGS__)

#endif
