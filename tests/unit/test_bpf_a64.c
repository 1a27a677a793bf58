// SPDX-License-Identifier: GPL-2.0
/* The A64 decoder, by hand and against a disassembler on random words. */
#include "tests/unit/test.h"

#include <capstone/capstone.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/retry/a64.h"
#include "lib/util.h"

static void flow(void **state)
{
	static const struct {
		uint32_t insn;
		enum a64_kind kind;
		int64_t target;
	} t[] = {
		{ 0x14000001, A64_JUMP, 4 },
		{ 0x17ffffff, A64_JUMP, -4 },
		{ 0x54000040, A64_BRANCH, 8 },		/* b.eq */
		{ 0x5400004e, A64_JUMP, 8 },		/* b.al */
		{ 0xb4ffffe0, A64_BRANCH, -4 },		/* cbz */
		{ 0x3707ffe0, A64_BRANCH, -4 },		/* tbnz w0, #0 */
		{ 0xb6f80020, A64_BRANCH, 4 },		/* tbz x0, #63 */
		{ 0x94000000, A64_CALL, 0 },
		{ 0xd63f0020, A64_CALL, 0 },		/* blr x1 */
		{ 0xd63f083f, A64_CALL, 0 },		/* blraaz x1 */
		{ 0xd61f0020, A64_LEAVE, 0 },		/* br x1 */
		{ 0xd65f03c0, A64_LEAVE, 0 },		/* ret */
		{ 0xd65f0bff, A64_LEAVE, 0 },		/* retaa */
		{ 0xd4210000, A64_LEAVE, 0 },		/* brk #0x800 */
		{ 0x00000000, A64_LEAVE, 0 },		/* udf */
		{ 0xd503201f, A64_PLAIN, 0 },		/* nop */
		{ 0xd503245f, A64_PLAIN, 0 },		/* bti c */
		{ 0xd503233f, A64_PLAIN, 0 },		/* paciasp */
		{ 0x74000000, A64_UNKNOWN, 0 },
	};
	struct a64 d;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		a64_decode(t[i].insn, &d);
		if (d.kind != t[i].kind || d.target != t[i].target)
			fail_msg("%08x: kind %d, target %lld", t[i].insn,
				 d.kind, (long long)d.target);
	}
}

static void memory(void **state)
{
	static const struct {
		uint32_t insn;
		enum a64_kind kind;
		unsigned int base, size, rt, rt2, index;
		int64_t disp, writeback;
	} t[] = {
#define N A64_NO_REG
		{ 0xf9400001, A64_LOAD, 0, 8, 1, N, N, 0, 0 },
		{ 0xf94007e1, A64_LOAD, 31, 8, 1, N, N, 8, 0 },
		{ 0xb9400401, A64_LOAD, 0, 4, 1, N, N, 4, 0 },
		{ 0xf85f8041, A64_LOAD, 2, 8, 1, N, N, -8, 0 },	   /* ldur */
		{ 0xf8408441, A64_LOAD, 2, 8, 1, N, N, 0, 8 },	   /* post */
		{ 0xf8408c41, A64_LOAD, 2, 8, 1, N, N, 8, 8 },	   /* pre */
		{ 0xf8637841, A64_LOAD, 2, 8, 1, N, 3, 0, 0 },	   /* lsl #3 */
		{ 0xa9400c41, A64_LOAD, 2, 8, 1, 3, N, 0, 0 },	   /* ldp */
		{ 0xa8c20c41, A64_LOAD, 2, 8, 1, 3, N, 0, 32 },	   /* post */
		{ 0xa9bf7bfd, A64_STORE, 31, 8, 29, 30, N, -16, -16 },
		{ 0xc8dffc41, A64_LOAD, 2, 8, 1, N, N, 0, 0 },	   /* ldar */
		{ 0xf8bfc041, A64_LOAD, 2, 8, 1, N, N, 0, 0 },	   /* ldapr */
		{ 0xd9400041, A64_LOAD, 2, 8, 1, N, N, 0, 0 },	   /* ldapur */
		{ 0x58000041, A64_LOAD, N, 8, 1, N, N, 0, 0 },	   /* literal */
		{ 0xf9000001, A64_STORE, 0, 8, 1, N, N, 0, 0 },
		{ 0x3dc00001, A64_LOAD, 0, 16, N, N, N, 0, 0 },	   /* ldr q1 */
		{ 0xf9800000, A64_PLAIN, 0, 8, N, N, N, 0, 0 },	   /* prfm */
#undef N
	};
	struct a64 d;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		a64_decode(t[i].insn, &d);
		if (d.kind != t[i].kind || d.base != t[i].base ||
		    d.size != t[i].size || d.rt != t[i].rt ||
		    d.rt2 != t[i].rt2 || d.index != t[i].index ||
		    d.disp != t[i].disp || d.writeback != t[i].writeback)
			fail_msg("%08x: kind %d base %u size %u rt %u,%u index %u disp %lld writeback %lld",
				 t[i].insn, d.kind, d.base, d.size, d.rt,
				 d.rt2, d.index, (long long)d.disp,
				 (long long)d.writeback);
	}
	a64_decode(0xc85f7ca5, &d);	/* ldxr */
	assert_true(d.load_exclusive && !d.store_exclusive);
	a64_decode(0xc8067ca5, &d);	/* stxr */
	assert_true(d.store_exclusive && !d.load_exclusive);
	assert_int_equal(d.writes, 1u << 6);
	a64_decode(0xc8dffc41, &d);	/* ldar */
	assert_false(d.load_exclusive);
}

static void moves(void **state)
{
	struct a64 d;

	(void)state;
	a64_decode(0xaa0003f1, &d);	/* mov x17, x0 */
	assert_true(d.is_add && d.rd == 17 && d.rn == 0 && !d.imm);
	a64_decode(0x910003fd, &d);	/* mov x29, sp */
	assert_true(d.is_add && d.rd == 29 && d.rn == A64_SP && !d.imm);
	a64_decode(0xd10083ff, &d);	/* sub sp, sp, #32 */
	assert_true(d.is_add && d.rd == A64_SP && d.imm == -32);
	assert_int_equal(d.writes, 1u << 31);
	a64_decode(0x2a0003f1, &d);	/* mov w17, w0: half of it is gone */
	assert_false(d.is_add);
	a64_decode(0xf100041f, &d);	/* cmp x0, #1 */
	assert_false(d.is_add);
	assert_int_equal(d.writes, 0);
}

/* Capstone's number of a register, or -1; w registers count as theirs. */
static int number_of(unsigned int reg)
{
	if (reg >= ARM64_REG_X0 && reg <= ARM64_REG_X28)
		return reg - ARM64_REG_X0;
	if (reg >= ARM64_REG_W0 && reg <= ARM64_REG_W30)
		return reg - ARM64_REG_W0;
	if (reg == ARM64_REG_X29)
		return 29;
	if (reg == ARM64_REG_X30)
		return 30;
	return -1;
}

static bool is_branch_to_label(unsigned int id)
{
	return id == ARM64_INS_B || id == ARM64_INS_CBZ ||
	       id == ARM64_INS_CBNZ || id == ARM64_INS_TBZ ||
	       id == ARM64_INS_TBNZ;
}

static bool is_plain_load(unsigned int id)
{
	return id == ARM64_INS_LDR || id == ARM64_INS_LDP ||
	       id == ARM64_INS_LDUR;
}

/* Capstone 4 takes what these only read for written. */
static bool only_sets_flags(unsigned int id)
{
	return id == ARM64_INS_CMP || id == ARM64_INS_CMN ||
	       id == ARM64_INS_TST || id == ARM64_INS_CCMP ||
	       id == ARM64_INS_CCMN || id == ARM64_INS_FCMP ||
	       id == ARM64_INS_PRFM || id == ARM64_INS_PRFUM;
}

static void compare(const cs_insn *c, uint32_t word)
{
	const cs_arm64 *a = &c->detail->arm64;
	struct a64 d;
	int i;

	a64_decode(word, &d);
	if (is_branch_to_label(c->id)) {
		int64_t to = a->operands[a->op_count - 1].imm - 0x100000000;

		if ((d.kind != A64_JUMP && d.kind != A64_BRANCH) ||
		    d.target != to)
			fail_msg("%08x %s %s: target %lld", word, c->mnemonic,
				 c->op_str, (long long)d.target);
		return;
	}
	if ((c->id == ARM64_INS_BL) != (word >> 26 == 0x25))
		fail_msg("%08x: bl?", word);
	if (is_plain_load(c->id) && d.kind != A64_LOAD)
		fail_msg("%08x %s %s: no load", word, c->mnemonic, c->op_str);
	for (i = 0; i < a->op_count; i++) {
		const cs_arm64_op *op = &a->operands[i];
		int r = number_of(op->reg);

		if (op->type == ARM64_OP_MEM && is_plain_load(c->id) &&
		    (int)d.base != (op->mem.base == ARM64_REG_SP ? 31 :
				    number_of(op->mem.base)))
			fail_msg("%08x %s %s: base %u", word, c->mnemonic,
				 c->op_str, d.base);
		if (op->type == ARM64_OP_MEM && a->writeback &&
		    is_plain_load(c->id) && !(d.writes >> d.base & 1))
			fail_msg("%08x %s %s: writeback lost", word,
				 c->mnemonic, c->op_str);
		if (op->type == ARM64_OP_REG && i == 1 && r >= 0 &&
		    c->id == ARM64_INS_LDP && !(d.writes >> r & 1) &&
		    d.rt2 != A64_NO_REG && d.rt2 != 31)
			fail_msg("%08x %s %s: second register lost", word,
				 c->mnemonic, c->op_str);
		if (op->type == ARM64_OP_REG && i == 0 && r >= 0 &&
		    !only_sets_flags(c->id) &&
		    (op->access & CS_AC_WRITE) && d.kind != A64_CALL &&
		    d.kind != A64_LEAVE && d.kind != A64_UNKNOWN &&
		    !(d.writes >> r & 1) && d.kind != A64_STORE)
			fail_msg("%08x %s %s: writes %08x", word, c->mnemonic,
				 c->op_str, d.writes);
	}
}

static void random_words(void **state)
{
	unsigned int i, compared = 0;
	csh handle;

	(void)state;
	assert_int_equal(cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &handle), 0);
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	srandom(1);
	for (i = 0; i < 400000; i++) {
		uint32_t word = random() ^ (uint32_t)random() << 16;
		cs_insn *c;

		if (cs_disasm(handle, (uint8_t *)&word, 4, 0x100000000, 1,
			      &c) != 1)
			continue;
		compare(c, word);
		compared++;
		cs_free(c, 1);
	}
	cs_close(&handle);
	assert_in_range(compared, 100000, 400000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flow),
		cmocka_unit_test(memory),
		cmocka_unit_test(moves),
		cmocka_unit_test(random_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
