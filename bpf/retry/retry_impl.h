/* SPDX-License-Identifier: GPL-2.0 */
/* Results of retry_sites.c that retry_explain.c prints. */
#ifndef PTELAB_BPF_RETRY_IMPL_H
#define PTELAB_BPF_RETRY_IMPL_H

#include "bpf/retry/a64.h"
#include "bpf/retry/retry_sites.h"

#define NO_OFFSET	INT64_MIN

/* Where the argument, or a value computed from it, is. */
struct places {
	uint32_t regs;
	uint64_t slots;		/* bit n: 8 bytes at entry sp - 8 * (n + 1) */
};

struct path_state {
	bool reached;
	struct places exact, derived;
	int64_t sp, fp;		/* less sp at entry; NO_OFFSET: unknown */
};

struct retry_insn {
	uint64_t addr;
	uint32_t word;
	struct a64 d;
	int next, target;	/* indices; -1: leaves the function */
	struct path_state in;
	bool target_read, scan_read, starts;
	bool first, later;	/* as a start: of a call, after another */
	bool leader;		/* of a block */
};

struct func {
	const struct code *code;
	struct retry_insn *i;
	unsigned int nr;
	struct retry_sites *out;
};

static inline uint64_t offset_of(const struct func *f, unsigned int n)
{
	return f->i[n].addr - f->code->part[0].start;
}

/* Control may leave the function here. */
static inline bool leaves(const struct retry_insn *i)
{
	return i->d.kind == A64_LEAVE || (i->next < 0 && i->target < 0) ||
	       (i->d.kind == A64_BRANCH && i->target < 0);
}

void retry_explain(FILE *to, const struct func *f);

#endif
