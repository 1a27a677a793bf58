// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU TCG plugin that counts, exactly, what runs in the regions that a
 * program in the machine has marked (lib/marks.h): each instruction by
 * address and calling context, exceptions, lines touched. One vCPU, arm64,
 * under icount.
 *
 *	-plugin count.so,out=FILE,switch=START-END,guest=START-END,pmu=START-END
 *		[,lines=on]
 *
 * FILE gets the stream of lib/insn_counts.h. switch, guest and pmu are the addresses
 * of cpu_switch_to(), __guest_enter() and armv8pmu_start(), in hexadecimal, if
 * the kernel has them; see walk.h.
 *
 * Besides, what of the kernel ran at all (seen.h).
 *
 * What it costs: between MARK_WATCH and MARK_REST a call for each block, with
 * lines=on also one for each access of memory, and an addition for each
 * instruction that may be the last of its block to run; elsewhere only a look at
 * each instruction when it is translated. Nothing of this is seen in the machine:
 * its clock is its instruction count.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "emu/need.h"
#include "emu/qemu.h"
#include "emu/seen.h"
#include "emu/walk.h"
#include "lib/a64class.h"
#include "lib/marks.h"

int qemu_plugin_version = 1;

static struct walk *walk;
static struct seen *seen;
static FILE *out;
static struct walk_symbols sym;
static bool lines;		/* count cache lines */
static bool watching;		/* instrument blocks when they are translated */
static uint64_t begun;		/* instructions begun in instrumented blocks */
static struct walk_block *block;	/* current, and begun before it */
static uint64_t block_begun;

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
static void on_end(qemu_plugin_id_t id, void *unused);

static void listen(qemu_plugin_id_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_end, NULL);
}

static qemu_plugin_id_t self;

static void on_mark(unsigned int cpu, void *udata)
{
	uintptr_t what = (uintptr_t)udata;
	bool watch = walk_mark(walk, what & 0x7f, what >> 7,
			       watching ? block : NULL, block_begun);

	(void)cpu;
	/* Blocks that are already translated must be translated again. */
	if (watch != watching && ((what & 0x7f) == MARK_WATCH ||
				  (what & 0x7f) == MARK_REST)) {
		watching = watch;
		block = NULL;
		qemu_plugin_reset(self, listen);
	}
}

static void on_pmcr(unsigned int cpu, void *udata)
{
	(void)cpu;
	if (walk_active(walk))
		walk_pmcr(walk, (uintptr_t)udata);
}

static void on_pmevcntr(unsigned int cpu, void *udata)
{
	(void)cpu;
	if (walk_active(walk))
		walk_pmevcntr(walk, (uintptr_t)udata);
}

static void on_pmevtyper(unsigned int cpu, void *udata)
{
	(void)cpu;
	if (walk_active(walk))
		walk_pmevtyper(walk, (uintptr_t)udata);
}

static void on_block(unsigned int cpu, void *udata)
{
	(void)cpu;
	block = udata;
	block_begun = begun;
	if (walk_active(walk))
		walk_block(walk, udata, begun);
}

static void on_access(unsigned int cpu, qemu_plugin_meminfo_t info,
		      uint64_t vaddr, void *udata)
{
	(void)cpu;
	(void)udata;
	if (walk_active(walk))
		walk_access(walk, vaddr,
			    1u << qemu_plugin_mem_size_shift(info),
			    qemu_plugin_mem_is_store(info));
}

static uint32_t word_of(const struct qemu_plugin_insn *insn)
{
	uint32_t word;

	memcpy(&word, qemu_plugin_insn_data(insn), sizeof(word));
	return word;
}

static void mark(struct qemu_plugin_insn *insn, uint32_t word, size_t i)
{
	unsigned int n = (word & ~MARK_MASK) >> 5;

	if ((word & MARK_MASK) == MARK_WORD && n >= MARK_RUN && n <= MARK_LAST)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on_mark,
				QEMU_PLUGIN_CB_NO_REGS,
				(void *)(uintptr_t)((i + 1) << 7 | n));
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t nr = qemu_plugin_tb_n_insns(tb), i, begins = 0;
	struct walk_block *b;

	(void)id;
	seen_add(seen, qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0)),
		 nr, walk_regions(walk));
	if (!watching) {
		for (i = 0; i < nr; i++) {
			struct qemu_plugin_insn *insn =
				qemu_plugin_tb_get_insn(tb, i);

			mark(insn, word_of(insn), i);
		}
		return;
	}
	/*
	 * Never freed: code may be translated more than once, and a count may
	 * refer to any of its blocks.
	 */
	b = need(malloc(sizeof(*b) + nr * sizeof(b->insn[0])));
	b->pc = qemu_plugin_insn_vaddr(qemu_plugin_tb_get_insn(tb, 0));
	b->nr = nr;
	b->id = UINT32_MAX;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block,
					     QEMU_PLUGIN_CB_NO_REGS, b);
	for (i = 0; i < nr; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint32_t word = word_of(insn);

		b->insn[i].word = word;
		b->insn[i].classes = a64_classes(word);
		begins++;
		if (i + 1 == nr || a64_may_fault(word)) {
			qemu_plugin_register_vcpu_insn_exec_inline(insn,
					QEMU_PLUGIN_INLINE_ADD_U64, &begun,
					begins);
			begins = 0;
		}
		if (lines || (b->pc >= sym.switch_start &&
			      b->pc < sym.switch_end))
			qemu_plugin_register_vcpu_mem_cb(insn, on_access,
					QEMU_PLUGIN_CB_NO_REGS,
					QEMU_PLUGIN_MEM_RW, NULL);
		mark(insn, word, i);
		if (A64_IS(b->insn[i].classes, C_PMCR))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_pmcr,
					QEMU_PLUGIN_CB_NO_REGS,
					(void *)(uintptr_t)(b->pc + 4 * i));
		if (A64_IS(b->insn[i].classes, C_PMEVCNTR))
			qemu_plugin_register_vcpu_insn_exec_cb(insn,
					on_pmevcntr, QEMU_PLUGIN_CB_NO_REGS,
					(void *)(uintptr_t)(b->pc + 4 * i));
		if (A64_IS(b->insn[i].classes, C_PMEVTYPER))
			qemu_plugin_register_vcpu_insn_exec_cb(insn,
					on_pmevtyper, QEMU_PLUGIN_CB_NO_REGS,
					(void *)(uintptr_t)word);
	}
}

static void on_end(qemu_plugin_id_t id, void *unused)
{
	(void)id;
	(void)unused;
	seen_write(seen, out);
	if (ferror(out) | fclose(out))
		perror("ptelab plugin: writing the counts");
}

/* Parses "START-END" in hexadecimal. Returns whether it is that. */
static bool range(const char *text, uint64_t *start, uint64_t *end)
{
	char *dash;

	*start = strtoull(text, &dash, 16);
	if (*dash != '-')
		return false;
	*end = strtoull(dash + 1, &dash, 16);
	return !*dash && *start < *end;
}

static int bad(const char *what)
{
	fprintf(stderr, "ptelab plugin: %s\n", what);
	return 1;
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
			int argc, char **argv)
{
	int i;

	self = id;
	if (strcmp(info->target_name, "aarch64") || !info->system_emulation ||
	    info->system.smp_vcpus != 1)
		return bad("supports only an arm64 machine with one CPU");
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = fopen(argv[i] + 4, "we");
		else if (!strcmp(argv[i], "lines=on"))
			lines = true;
		else if (!strncmp(argv[i], "switch=", 7) &&
			 range(argv[i] + 7, &sym.switch_start, &sym.switch_end))
			continue;
		else if (!strncmp(argv[i], "guest=", 6) &&
			 range(argv[i] + 6, &sym.guest_start, &sym.guest_end))
			continue;
		else if (!strncmp(argv[i], "pmu=", 4) &&
			 range(argv[i] + 4, &sym.pmu_start, &sym.pmu_end))
			continue;
		else
			return bad(argv[i]);
	}
	if (!out)
		return bad("out=FILE is missing, or can't be written");
	walk = walk_new(out, &sym, lines);
	seen = seen_new();
	listen(id);
	return 0;
}
