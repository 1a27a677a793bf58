// SPDX-License-Identifier: GPL-2.0
/*
 * The loops that store: those of this machine are run; those of arm64 are
 * decoded by somebody else's disassembler and followed, step by step.
 */
#include "tests/unit/test.h"

#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mmio/mmio_code.h"
#include "lib/util.h"

#define MEMORY	(256 * KIB)
#define BASE	0x100000
#define DATA	0x900000

/* movdir64b faults on an address that is no multiple of its 64 bytes. */
static uint8_t memory[MEMORY + 64] __attribute__((aligned(MMIO_LINE)));
static uint8_t touched[MEMORY + 64];
static uint8_t data[MMIO_MAX_GROUP];

/* What one store did, for the order. */
static struct {
	uint64_t at;
	unsigned int size;
} log_of[1 << 17];
static size_t logged;

static void store(uint64_t at, const void *bytes, unsigned int size)
{
	assert_true(at >= BASE && at + size <= BASE + MEMORY);
	memcpy(memory + (at - BASE), bytes, size);
	memset(touched + (at - BASE), 1, size);
	assert_true(logged < ARRAY_SIZE(log_of));
	log_of[logged].at = at - BASE;
	log_of[logged++].size = size;
}

/* --- as much of an arm64 as the loops need --- */

struct cpu {
	uint64_t x[31];
	uint8_t v[64];
	bool zero, carry;
	uint64_t steps, stores, loads, barriers, hints;
};

static unsigned int reg_nr(csh h, unsigned int reg)
{
	const char *name = cs_reg_name(h, reg);

	if (!strcmp(name, "xzr") || !strcmp(name, "wzr"))
		return 31;
	assert_true(*name == 'x' || *name == 'w');
	return atoi(name + 1);
}

static uint64_t get(const struct cpu *c, unsigned int r)
{
	return r == 31 ? 0 : c->x[r];
}

static uint64_t operand(csh h, const struct cpu *c, const cs_arm64_op *op)
{
	uint64_t v = op->type == ARM64_OP_IMM ? (uint64_t)op->imm :
		     get(c, reg_nr(h, op->reg));

	return op->shift.type == ARM64_SFT_LSL ? v << op->shift.value : v;
}

static uint64_t read_at(uint64_t at, unsigned int size)
{
	uint64_t v = 0;

	if (at >= DATA && at + size <= DATA + sizeof(data))
		memcpy(&v, data + (at - DATA), size);
	else if (at >= BASE && at + size <= BASE + MEMORY)
		memcpy(&v, memory + (at - BASE), size);
	else
		fail_msg("load from %" PRIx64, at);
	return v;
}

/* One instruction; where to go on. */
static uint64_t step(csh h, struct cpu *c, const cs_insn *i)
{
	const cs_arm64 *d = &i->detail->arm64;
	const cs_arm64_op *op = d->operands;
	unsigned int n = d->op_count, size, k;
	const char *m = i->mnemonic;
	uint64_t v, at;

	c->steps++;
	if (!strncmp(m, "str", 3) || !strcmp(m, "stp")) {
		k = reg_nr(h, op[n - 1].mem.base);
		at = get(c, k) + op[n - 1].mem.disp;
		if (d->writeback)
			c->x[k] = at;
		size = m[3] == 'b' ? 1 : m[3] == 'h' ? 2 :
		       *cs_reg_name(h, op[0].reg) == 'w' ? 4 : 8;
		uint64_t pair[2] = { get(c, reg_nr(h, op[0].reg)) };

		if (!strcmp(m, "stp"))
			pair[1] = get(c, reg_nr(h, op[1].reg));
		store(at, pair, !strcmp(m, "stp") ? 16 : size);
		c->stores++;
	} else if (!strcmp(m, "st1")) {
		assert_int_equal(n, 6);
		k = reg_nr(h, op[4].mem.base);
		store(get(c, k), c->v, 64);
		assert_int_equal(op[5].imm, 64);
		c->x[k] += 64;
		c->stores++;
	} else if (!strcmp(m, "ld1")) {
		memcpy(c->v, data, 64);
	} else if (!strncmp(m, "ldr", 3)) {
		at = get(c, reg_nr(h, op[1].mem.base)) + op[1].mem.disp;
		size = m[3] == 'b' ? 1 : m[3] == 'h' ? 2 :
		       *cs_reg_name(h, op[0].reg) == 'w' ? 4 : 8;
		c->x[reg_nr(h, op[0].reg)] = read_at(at, size);
		c->loads++;
	} else if (!strcmp(m, "add")) {
		c->x[reg_nr(h, op[0].reg)] = operand(h, c, &op[1]) +
					     operand(h, c, &op[2]);
	} else if (!strcmp(m, "sub")) {
		c->x[reg_nr(h, op[0].reg)] = operand(h, c, &op[1]) -
					     operand(h, c, &op[2]);
	} else if (!strcmp(m, "subs")) {
		v = operand(h, c, &op[1]) - operand(h, c, &op[2]);
		c->x[reg_nr(h, op[0].reg)] = v;
		c->zero = !v;
	} else if (!strcmp(m, "cmp")) {
		c->carry = operand(h, c, &op[0]) >= operand(h, c, &op[1]);
	} else if (!strcmp(m, "csel")) {
		assert_int_equal(d->cc, ARM64_CC_LO);
		c->x[reg_nr(h, op[0].reg)] = get(c, reg_nr(h, op[!c->carry ?
							1 : 2].reg));
	} else if (!strcmp(m, "mov")) {
		c->x[reg_nr(h, op[0].reg)] = operand(h, c, &op[1]);
	} else if (!strcmp(m, "eor")) {
		c->x[reg_nr(h, op[0].reg)] = operand(h, c, &op[1]) ^
					     operand(h, c, &op[2]);
	} else if (!strcmp(m, "dsb")) {
		assert_string_equal(i->op_str, "st");
		c->barriers++;
	} else if (!strcmp(m, "hint") || !strcmp(m, "dgh")) {
		assert_true(!strcmp(m, "dgh") || op[0].imm == 6);
		c->hints++;
	} else if (!strcmp(m, "b.ne")) {
		if (!c->zero)
			return op[0].imm;
	} else if (!strcmp(m, "cbnz")) {
		if (get(c, reg_nr(h, op[0].reg)))
			return op[1].imm;
	} else if (!strcmp(m, "ret")) {
		return 0;
	} else {
		fail_msg("the loop has no business with %s %s", m, i->op_str);
	}
	return i->address + 4;
}

static void follow(const struct mmio_code *code, struct cpu *c, uint64_t blocks,
		   uint64_t wrap)
{
	uint64_t pc = 0x1000;
	cs_insn *insn;
	csh h;

	assert_int_equal(cs_open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &h), 0);
	cs_option(h, CS_OPT_DETAIL, CS_OPT_ON);
	memset(c, 0, sizeof(*c));
	c->x[0] = BASE;
	c->x[1] = blocks;
	c->x[2] = DATA;
	c->x[3] = wrap;
	while (pc) {
		assert_true(pc - 0x1000 < code->len);
		assert_int_equal(cs_disasm(h, code->bytes + (pc - 0x1000), 4,
					   pc, 1, &insn), 1);
		pc = step(h, c, insn);
		cs_free(insn, 1);
	}
	cs_close(&h);
}

/* --- what must come out, of either --- */

static void fresh(void)
{
	size_t i;

	for (i = 0; i < sizeof(data); i++)
		data[i] = 37 * i + i / 64 + 1;
	memset(memory, 0xee, sizeof(memory));
	memset(touched, 0, sizeof(touched));
	logged = 0;
}

/* @groups groups are there, and nothing else was touched. */
static void check_memory(const struct mmio_spec *s, uint64_t groups,
			 uint64_t window)
{
	uint64_t reach = s->pattern == MMIO_STREAM && groups * s->size > window ?
			 window : mmio_reach(s, groups), i, in;
	uint32_t step_of = mmio_pingpong_step(s->size);

	for (i = 0; i < MEMORY; i++) {
		bool want = i < reach;

		in = i % s->size;
		if (s->pattern == MMIO_PINGPONG) {
			want = want && i % step_of < s->size;
			in = i % step_of;
		}
		if (want && memory[i] != mmio_image(s->seq, data, in))
			fail_msg("%s size %u pattern %d: byte %" PRIu64 " is %#x",
				 s->seq->name, s->size, s->pattern, i,
				 memory[i]);
		if (!want && memory[i] != 0xee)
			fail_msg("%s size %u pattern %d: byte %" PRIu64 " was touched",
				 s->seq->name, s->size, s->pattern, i);
	}
}

static const uint32_t sizes[] = { 1, 8, 64, 128, 512, 1024, 4096 };

static void try_one(const struct mmio_spec *s, unsigned int groups)
{
	const uint64_t window = 64 * KIB;
	uint64_t blocks, wrap, n;
	struct mmio_code code;
	mmio_fn fn;

	mmio_emit(s, groups, &code);
	wrap = code.step ? window / code.step : UINT64_MAX;
	/* Once round, and a bit further. */
	blocks = code.step ? wrap + 1 : 3;
	n = blocks * code.groups;
	fresh();
	if (s->seq->arch == MMIO_ARM64) {
		struct cpu c;

		follow(&code, &c, blocks, wrap);
		assert_int_equal(c.stores, n * code.stores);
		assert_int_equal(c.barriers, s->flush == MMIO_BARRIER ? n : 0);
		assert_int_equal(c.hints, s->flush == MMIO_DGH ? n : 0);
	} else if (MMIO_ARCH == MMIO_X86) {
		fn = mmio_map_code(&code);
		assert_non_null(fn);
		fn(memory, blocks, data, wrap);
		mmio_unmap_code(fn, &code);
	}
	if (s->seq->arch == MMIO_ARM64 || MMIO_ARCH == MMIO_X86)
		check_memory(s, n, window);
	free(code.bytes);
}

static bool can_run(const struct mmio_seq *s)
{
	if (s->arch == MMIO_ARM64)
		return strcmp(s->name, "st64b");	/* capstone 4 lacks it */
#ifdef __x86_64__
	if (!strcmp(s->name, "avx"))
		return __builtin_cpu_supports("avx");
	/* the flag is younger than some compilers */
	if (!strcmp(s->name, "movdir64b")) {
		char *text = read_file("/proc/cpuinfo", NULL);
		bool has = text && strstr(text, " movdir64b");

		free(text);
		return has;
	}
#endif
	return true;
}

static void memory_is_right(void **state)
{
	struct mmio_spec s = { 0 };
	size_t q, z;

	(void)state;
	for (q = 0; q < mmio_nr_seqs; q++) {
		s.seq = &mmio_seqs[q];
		if (!can_run(s.seq))
			continue;
		for (z = 0; z < ARRAY_SIZE(sizes); z++) {
			s.size = sizes[z];
			if (s.size < s.seq->width)
				continue;
			s.readback = s.size >= 8 ? 8 : 1;
			for (s.pattern = 0; s.pattern <= MMIO_SAME; s.pattern++)
				try_one(&s, 0);
			s.pattern = MMIO_STREAM;
		}
		s.size = 64;
		s.readback = 8;
		for (s.flush = MMIO_BARRIER; s.flush <= MMIO_READBACK;
		     s.flush++)
			if (s.flush != MMIO_DGH || s.seq->arch == MMIO_ARM64)
				try_one(&s, 0);
		s.flush = MMIO_NONE;
		try_one(&s, 1);
	}
}

/* Stores of a stream go up by their width, and begin again after a window. */
static void order(void **state)
{
	struct mmio_spec s = { .size = 64 };
	struct mmio_code code;
	struct cpu c;
	size_t q, i;

	(void)state;
	for (q = 0; q < mmio_nr_seqs; q++) {
		s.seq = &mmio_seqs[q];
		if (s.seq->arch != MMIO_ARM64 || !can_run(s.seq))
			continue;
		fresh();
		mmio_emit(&s, 0, &code);
		follow(&code, &c, 5, 2);
		assert_int_equal(logged, 5 * code.groups * code.stores);
		for (i = 0; i < logged; i++) {
			assert_int_equal(log_of[i].size, s.seq->width);
			assert_int_equal(log_of[i].at, i * s.seq->width %
					 (2 * code.step));
		}
		free(code.bytes);
	}
}

/* No more than one instruction a group beside eight stores or more; and what
 * is said of a block is what is executed. */
static void overhead(void **state)
{
	struct mmio_spec s = { 0 };
	struct mmio_code code;
	struct cpu one, two;
	size_t q, z;

	(void)state;
	for (q = 0; q < mmio_nr_seqs; q++) {
		s.seq = &mmio_seqs[q];
		for (z = 0; z < ARRAY_SIZE(sizes); z++) {
			s.size = sizes[z];
			if (s.size / s.seq->width < 8)
				continue;
			mmio_emit(&s, 0, &code);
			/* They have no way to say an offset; and that of
			 * STRB and STRH is too short for so many of them. */
			if (strcmp(s.seq->name, "st64b") &&
			    strcmp(s.seq->name, "movdir64b") &&
			    code.stores <= 1024)
				assert_true(code.overhead + code.wrap_cost /
					    (65536. / code.step) <=
					    code.groups);
			if (s.seq->arch == MMIO_ARM64 && can_run(s.seq)) {
				fresh();
				follow(&code, &one, 1, UINT64_MAX);
				logged = 0;
				follow(&code, &two, 2, UINT64_MAX);
				assert_int_equal(two.steps - one.steps,
						 code.instructions);
			}
			free(code.bytes);
		}
	}
}

/* The loop without stores is the loop without stores. */
static void empty(void **state)
{
	struct mmio_spec s = { .size = 64, .empty = true };
	struct mmio_code code;
	struct cpu c;

	(void)state;
	s.seq = mmio_seq_find("str8", MMIO_ARM64);
	mmio_emit(&s, 0, &code);
	fresh();
	follow(&code, &c, 100, 10);
	assert_int_equal(logged, 0);
	assert_int_equal(code.instructions, code.overhead);
	free(code.bytes);
}

/* ST64B, which the disassembler may not know: DDI 0487, C6.2.396: 11111 000 0 01
 * 11111 1 001 00 Rn Rt, Rt the first of eight. */
static void st64b(void **state)
{
	struct mmio_spec s = { .size = 64 };
	struct mmio_code code;
	unsigned int found = 0;
	uint32_t insn;
	size_t i;

	(void)state;
	s.seq = mmio_seq_find("st64b", MMIO_ARM64);
	assert_non_null(s.seq);
	assert_null(mmio_seq_find("st64b", MMIO_X86));
	mmio_emit(&s, 4, &code);
	for (i = 0; i < code.len; i += 4) {
		memcpy(&insn, code.bytes + i, 4);
		if ((insn & 0xfffffc00) != 0xf83f9000)
			continue;
		found++;
		assert_int_equal(insn & 31, 4);
		assert_int_equal(insn >> 5 & 31, 16);
	}
	assert_int_equal(found, 4);
	free(code.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_right),
		cmocka_unit_test(order),
		cmocka_unit_test(overhead),
		cmocka_unit_test(empty),
		cmocka_unit_test(st64b),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
