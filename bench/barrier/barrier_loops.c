// SPDX-License-Identifier: GPL-2.0
/* See barrier_cost.h. Each loop is a function, with the same alignment. */
#include "bench/barrier/barrier_cost.h"

#include <stddef.h>
#include <string.h>

#include "bench/barrier/barrier_asm.h"
#include "kmod/ptelab_uapi.h"

/* @NOTE keeps the compiler from merging two identical functions. */
#define LOOP(FN, NOTE, BARRIER, STORE, LOAD)				\
	__attribute__((noinline, aligned(64)))				\
	void FN(const struct cost_loop *l)				\
	{								\
		const uint64_t mask = l->mask, k = l->k, ops = l->ops;	\
		uint64_t *flag = l->flag, *word = l->word;		\
		uint64_t n = l->from, i, j;				\
		char *base = l->base;					\
									\
		asm volatile("/* " NOTE " */");				\
		for (i = 0; i < ops; i++) {				\
			for (j = 0; j < k; j++, n++)			\
				plain_store((uint64_t *)(base +		\
					cost_line(n, mask) * COST_LINE), n); \
			BARRIER;					\
			STORE(flag, i);					\
			LOAD(word);					\
		}							\
	}

#define NOTHING		do { } while (0)
#define STATIC_LOOP(FN, BARRIER, STORE, LOAD)				\
	static void FN(const struct cost_loop *l);			\
	LOOP(FN, #FN, BARRIER, STORE, LOAD)

LOOP(cost_loop_plain, "plain", NOTHING, plain_store, plain_load)
LOOP(cost_loop_copy, "copy", NOTHING, plain_store, plain_load)

#ifdef __aarch64__
STATIC_LOOP(loop_dmb_ishst, insn("dmb ishst"), plain_store, plain_load)
STATIC_LOOP(loop_dmb_ishld, insn("dmb ishld"), plain_store, plain_load)
STATIC_LOOP(loop_dmb_ish, insn("dmb ish"), plain_store, plain_load)
STATIC_LOOP(loop_dmb_oshst, insn("dmb oshst"), plain_store, plain_load)
STATIC_LOOP(loop_dsb_st, insn("dsb st"), plain_store, plain_load)
STATIC_LOOP(loop_dsb_sy, insn("dsb sy"), plain_store, plain_load)
STATIC_LOOP(loop_stlr, NOTHING, stlr, plain_load)
STATIC_LOOP(loop_ldar, NOTHING, plain_store, ldar)
STATIC_LOOP(loop_ldapr, NOTHING, plain_store, ldapr)
STATIC_LOOP(loop_isb, insn("isb"), plain_store, plain_load)
#define ARM64(fn)	fn
#define X86(fn)		NULL
#else
STATIC_LOOP(loop_sfence, insn("sfence"), plain_store, plain_load)
STATIC_LOOP(loop_lfence, insn("lfence"), plain_store, plain_load)
STATIC_LOOP(loop_mfence, insn("mfence"), plain_store, plain_load)
STATIC_LOOP(loop_lock_add, smp_mb(), plain_store, plain_load)
#define ARM64(fn)	NULL
#define X86(fn)		fn
#endif

/* For a new barrier add a loop above, an entry here and its name below. */
static const struct cost_barrier barriers[] = {
	{ "none", NULL, cost_loop_copy, 0 },
	{ "dmb.ishst", "arm64", ARM64(loop_dmb_ishst), 0 },
	{ "dmb.ishld", "arm64", ARM64(loop_dmb_ishld), 0 },
	{ "dmb.ish", "arm64", ARM64(loop_dmb_ish), 0 },
	{ "dmb.oshst", "arm64", ARM64(loop_dmb_oshst), 0 },
	{ "dsb.st", "arm64", ARM64(loop_dsb_st), 0 },
	{ "dsb.sy", "arm64", ARM64(loop_dsb_sy), 0 },
	{ "stlr", "arm64", ARM64(loop_stlr), 0 },
	{ "ldar", "arm64", ARM64(loop_ldar), 0 },
	{ "ldapr", "arm64", ARM64(loop_ldapr), 0 },
	{ "isb", "arm64", ARM64(loop_isb), 0 },
	{ "sfence", "x86-64", X86(loop_sfence), 0 },
	{ "lfence", "x86-64", X86(loop_lfence), 0 },
	{ "mfence", "x86-64", X86(loop_mfence), 0 },
	{ "lock.add", "x86-64", X86(loop_lock_add), 0 },
	{ "smp_mb", NULL, NULL, PTELAB_BARRIER_MB },
	{ "smp_wmb", NULL, NULL, PTELAB_BARRIER_WMB },
	{ "smp_rmb", NULL, NULL, PTELAB_BARRIER_RMB },
	{ "smp_store_release", NULL, NULL, PTELAB_BARRIER_RELEASE },
	{ "smp_load_acquire", NULL, NULL, PTELAB_BARRIER_ACQUIRE },
	{ "mb", NULL, NULL, PTELAB_BARRIER_FULL_MB },
	{ "wmb", NULL, NULL, PTELAB_BARRIER_FULL_WMB },
	{ "rmb", NULL, NULL, PTELAB_BARRIER_FULL_RMB },
	{ "dma_wmb", NULL, NULL, PTELAB_BARRIER_DMA_WMB },
	{ "dma_rmb", NULL, NULL, PTELAB_BARRIER_DMA_RMB },
	{ "kernel.isb", "arm64", NULL, PTELAB_BARRIER_ISB },
};

const char *const cost_barrier_names[] = {
	"none", "dmb.ishst", "dmb.ishld", "dmb.ish", "dmb.oshst", "dsb.st",
	"dsb.sy", "stlr", "ldar", "ldapr", "isb", "sfence", "lfence", "mfence",
	"lock.add", "smp_mb", "smp_wmb", "smp_rmb", "smp_store_release",
	"smp_load_acquire", "mb", "wmb", "rmb", "dma_wmb", "dma_rmb",
	"kernel.isb", NULL
};

const struct cost_barrier *cost_barrier_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(barriers) / sizeof(barriers[0]); i++)
		if (!strcmp(barriers[i].name, name))
			return &barriers[i];
	return NULL;
}
