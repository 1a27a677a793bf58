// SPDX-License-Identifier: GPL-2.0
/* See by_option.h. */
#include "analysis/trend/by_option.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "lib/util.h"

#define MAX_WORDS	6
#define MAX_NAMES	4

/* An instruction or a function belongs to the first option that it matches. */
static const struct mark {
	const char *option;
	uint32_t word[MAX_WORDS];
	const char *name[MAX_NAMES];
} marks[] = {
	/* PACIASP, AUTIASP, PACIBSP, AUTIBSP, RETAA, RETAB */
	{ "ARM64_PTR_AUTH_KERNEL", { 0xd503233f, 0xd50323bf, 0xd503237f,
				     0xd50323ff, 0xd65f0bff, 0xd65f0fff }, { 0 } },
	/* BTI, BTI c, BTI j, BTI jc */
	{ "ARM64_BTI_KERNEL", { 0xd503241f, 0xd503245f, 0xd503249f, 0xd50324df },
	  { 0 } },
	/* STR x30, [x18], #8; LDR x30, [x18, #-8]! */
	{ "SHADOW_CALL_STACK", { 0xf800865e, 0xf85f8e5e }, { 0 } },
	{ "HARDENED_USERCOPY", { 0 }, { "__check_object_size", "check_stack_object",
				       "__check_heap_object", "check_heap_object" } },
	{ "PAGE_TABLE_CHECK", { 0 }, { "*page_table_check*" } },
	{ "DEBUG_PREEMPT", { 0 }, { "preempt_count_add", "preempt_count_sub",
				   "debug_smp_processor_id",
				   "__this_cpu_preempt_check" } },
	{ "UBSAN", { 0 }, { "__ubsan_*" } },
	{ "KASAN", { 0 }, { "*kasan_*" } },
	{ "KFENCE", { 0 }, { "kfence_*", "__kfence_*" } },
	{ "LIST_HARDENED", { 0 }, { "__list_add_valid*", "__list_del_entry_valid*" } },
	{ "LRU_GEN_ENABLED", { 0 }, { "lru_gen_*" } },
	{ "MEMCG", { 0 }, { "*mem_cgroup*", "*memcg*", "*obj_cgroup*" } },
	{ "RANDOMIZE_KSTACK_OFFSET_DEFAULT", { 0 }, { "choose_random_kstack_offset" } },
	{ "NUMA_BALANCING", { 0 }, { "task_numa_*", "numa_*" } },
	{ "FUNCTION_TRACER", { 0 }, { "ftrace_*", "__fentry__" } },
};

static bool has_name(const struct mark *m, const char *name)
{
	int i;

	for (i = 0; i < MAX_NAMES && m->name[i]; i++)
		if (!fnmatch(m->name[i], name, 0))
			return true;
	return false;
}

static bool has_word(const struct mark *m, uint32_t word)
{
	int i;

	for (i = 0; i < MAX_WORDS && m->word[i]; i++)
		if (m->word[i] == word)
			return true;
	return false;
}

/* How often those of its instructions ran, per operation. */
static double of_words(const struct explanation *e,
		       const struct explained_function *f, int side,
		       const struct mark *m)
{
	const struct insn_function *code = f->code[side];
	uint64_t sum = 0;
	size_t i;

	for (i = 0; code && f->count[side] && i < code->nr; i++)
		if (f->count[side][i] && has_word(m, code->word[i]))
			sum += f->count[side][i];
	return e->operations[side] ? (double)sum / e->operations[side] : 0;
}

/* A load, an addition and a store; to enable preemption again also takes a branch. */
#define PREEMPT_INSNS	3

/*
 * What counting sections without preemption takes: 32-bit stores to the counter,
 * which lies at 8 or 16 of the task that SP_EL0 holds. The word beside it has 64
 * bits, and flags are changed by atomics.
 */
static double of_preempt_count(const struct explained_function *f, double operations,
			       int side)
{
	const struct insn_function *code = f->code[side];
	uint32_t task = 0;	/* registers that hold it, a bit each */
	uint64_t stores = 0;
	size_t i;

	for (i = 0; code && f->count[side] && i < code->nr; i++) {
		uint32_t w = code->word[i], imm = w >> 10 & 0xfff;

		if ((w & 0xffffffe0) == 0xd5384100)	/* MRS Xt, SP_EL0 */
			task |= 1u << (w & 31);
		else if ((w & 0xffc00000) == 0xb9000000 &&	/* STR Wt, [Xn, #imm] */
			 (imm == 2 || imm == 4) && task & 1u << (w >> 5 & 31))
			stores += f->count[side][i];
	}
	return operations ? PREEMPT_INSNS * (double)stores / operations : 0;
}

static void add_option(json_t *all, const char *option, const double *sum)
{
	if (fabs(sum[NEW] - sum[BASE]) > 1e-9)
		json_array_append_new(all, json_pack("[s, f, f]", option,
						     sum[BASE], sum[NEW]));
}

json_t *by_option(const struct explanation *e, const json_t *differing)
{
	double preempt[NR_SIDES] = { 0 };
	json_t *all = json_array();
	size_t i, j, side;

	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		double sum[NR_SIDES] = { 0 };

		if (!json_object_get(differing, marks[i].option))
			continue;
		for (j = 0; j < e->nr; j++) {
			const struct explained_function *f = &e->functions[j];
			bool whole = has_name(&marks[i], f->name);

			if (strcmp(f->space, "kernel"))
				continue;
			for (side = 0; side < NR_SIDES; side++)
				sum[side] += whole ? f->self[side] :
					     of_words(e, f, side, &marks[i]);
		}
		add_option(all, marks[i].option, sum);
	}
	if (!json_object_get(differing, "PREEMPT_COUNT"))
		return all;
	for (j = 0; j < e->nr; j++)
		for (side = 0; side < NR_SIDES && !strcmp(e->functions[j].space, "kernel"); side++)
			preempt[side] += of_preempt_count(&e->functions[j],
						e->operations[side], side);
	add_option(all, "PREEMPT_COUNT", preempt);
	return all;
}
