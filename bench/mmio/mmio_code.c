// SPDX-License-Identifier: GPL-2.0
/*
 * See mmio_code.h. Encodings: Arm ARM, C6.2 and C7.2; Intel SDM, volume 2.
 *
 * arm64: x0 base, x1 blocks left, x2 data, x3 blocks to a wrap, x4..x8 and
 * x13..x15 data, x9 the address, x10 blocks to the wrap, x12 the value read back.
 * No callee-saved register changes. x86-64: rdi, rsi, rdx, rcx; rax the
 * address, r11 blocks to the wrap, r15 scratch.
 */
#include "bench/mmio/mmio_code.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/util.h"

/* Minimum of stores per block, so that the branch is negligible. */
#define BLOCK_STORES	256
#define MIN_GROUPS	8
/* Larger blocks would not fit into an L1 instruction cache. */
#define MAX_STORES	8192

const struct mmio_seq mmio_seqs[] = {
	{ "str1", MMIO_ARM64, 1, 1, false, false, NULL },
	{ "str2", MMIO_ARM64, 2, 2, false, false, NULL },
	{ "str4", MMIO_ARM64, 4, 4, false, false, NULL },
	{ "str8", MMIO_ARM64, 8, 8, false, false, NULL },
	{ "stp", MMIO_ARM64, 16, 8, false, true, NULL },
	{ "neon64", MMIO_ARM64, 64, 1, false, true, "asimd" },
	{ "st64b", MMIO_ARM64, 64, 64, false, true, "ls64" },
	{ "copy", MMIO_ARM64, 8, 8, true, false, NULL },
	{ "mov1", MMIO_X86, 1, 1, false, false, NULL },
	{ "mov2", MMIO_X86, 2, 1, false, false, NULL },
	{ "mov4", MMIO_X86, 4, 1, false, false, NULL },
	{ "mov8", MMIO_X86, 8, 1, false, false, NULL },
	{ "movnti", MMIO_X86, 8, 1, false, false, "sse2" },
	{ "avx", MMIO_X86, 32, 1, false, true, "avx" },
	{ "movdir64b", MMIO_X86, 64, 64, false, true, "movdir64b" },
	{ "copy", MMIO_X86, 8, 1, true, false, NULL },
};
const size_t mmio_nr_seqs = ARRAY_SIZE(mmio_seqs);

const struct mmio_seq *mmio_seq_find(const char *name, enum mmio_arch arch)
{
	size_t i;

	for (i = 0; i < mmio_nr_seqs; i++)
		if (mmio_seqs[i].arch == arch &&
		    !strcmp(mmio_seqs[i].name, name))
			return &mmio_seqs[i];
	return NULL;
}

uint8_t mmio_image(const struct mmio_seq *seq, const void *data,
		   uint32_t offset)
{
	const uint8_t *d = data;

	if (seq->copies)
		return d[offset];
	if (seq->width >= 8)
		return d[offset % MMIO_LINE];
	/*
	 * The store's number selects the word, of which it stores the low end.
	 * Both architectures are little-endian here.
	 */
	return d[offset / seq->width % 8 * 8 + offset % seq->width];
}

static uint32_t stride_of(const struct mmio_spec *spec)
{
	return spec->stride ? spec->stride : spec->size;
}

uint64_t mmio_reach(const struct mmio_spec *spec, uint64_t groups)
{
	switch (spec->pattern) {
	case MMIO_STREAM:
		return groups * stride_of(spec);
	case MMIO_PINGPONG:
		return mmio_pingpong_step(spec->size) + spec->size;
	default:
		return spec->size;
	}
}

/* --- what both architectures share --- */

struct emitter {
	const struct mmio_spec *spec;
	struct mmio_code *out;
	size_t room;
	uint32_t at;		/* where the address register points to */
	bool counting;		/* within the block */
	bool wanted;		/* the instructions now emitted are requested */
};

static void put(struct emitter *e, const void *bytes, size_t len)
{
	struct mmio_code *c = e->out;

	if (c->len + len > e->room) {
		e->room = 2 * (c->len + len);
		c->bytes = xrealloc(c->bytes, e->room);
	}
	memcpy(c->bytes + c->len, bytes, len);
	c->len += len;
	if (e->counting) {
		c->instructions++;
		c->overhead += !e->wanted;
	}
}

/* --- arm64 --- */

enum { X_BASE, X_BLOCKS, X_DATA, X_WRAP, X_AT = 9, X_LEFT, X_BACK = 12,
       X_COPY = 4 };
enum { EQ = 0, NE = 1, LO = 3 };

/* ST64B needs x4 to x11, so then x16 and x17 are address and counter. */
struct a64_regs {
	unsigned int at, left, back, data[8];
};

static const struct a64_regs a64_usual = {
	X_AT, X_LEFT, X_BACK, { 4, 5, 6, 7, 8, 13, 14, 15 }
};
static const struct a64_regs a64_row = {
	16, 17, X_BACK, { 4, 5, 6, 7, 8, 9, 10, 11 }
};

static const struct a64_regs *a64_regs(const struct emitter *e)
{
	return e->spec->seq->width == 64 ? &a64_row : &a64_usual;
}

static void a64(struct emitter *e, uint32_t insn)
{
	put(e, &insn, sizeof(insn));
}

static void a64_add(struct emitter *e, unsigned int reg, int64_t n)
{
	uint32_t op = n < 0 ? 0xd1000000 : 0x91000000;
	uint64_t v = n < 0 ? -n : n;

	if (v >> 12)
		a64(e, op | 1 << 22 | (v >> 12 & 0xfff) << 10 | reg << 5 | reg);
	if (v & 0xfff)
		a64(e, op | (v & 0xfff) << 10 | reg << 5 | reg);
}

static void a64_goto(struct emitter *e, uint32_t to)
{
	if (to != e->at)
		a64_add(e, a64_regs(e)->at, (int64_t)to - e->at);
	e->at = to;
}

/* Load or store of one register of 1, 2, 4 or 8 bytes, scaled offset */
static void a64_single(struct emitter *e, bool load, unsigned int width,
		       unsigned int reg, unsigned int base, uint32_t offset)
{
	unsigned int log = __builtin_ctz(width);

	a64(e, 0x39000000 | log << 30 | load << 22 | offset / width << 10 |
	    base << 5 | reg);
}

static void a64_store(struct emitter *e, unsigned int number, uint32_t offset)
{
	const struct a64_regs *r = a64_regs(e);
	const struct mmio_seq *s = e->spec->seq;
	int32_t from;

	if (s->width <= 8) {
		/* 12 bits, in units of the width */
		if (offset < e->at || offset - e->at > 4095 * s->width)
			a64_goto(e, offset);
		e->wanted = true;
		if (s->copies)
			a64_single(e, true, 8, X_COPY, X_DATA, number * 8);
		a64_single(e, false, s->width,
			   s->copies ? X_COPY : r->data[number % 8], r->at,
			   offset - e->at);
	} else if (s->width == 16) {
		/* 7 bits with a sign, in units of 8 */
		from = (int32_t)(offset - e->at);
		if (from < -512 || from > 504)
			a64_goto(e, offset + 512);
		from = (int32_t)(offset - e->at) / 8;
		e->wanted = true;
		/* The last store within reach also moves the address. */
		a64(e, (from * 8 > 504 - 16 ? 0xa9800000 : 0xa9000000) |
		    (from & 0x7f) << 15 | r->data[2 * number % 8 + 1] << 10 |
		    r->at << 5 | r->data[2 * number % 8]);
		if (from * 8 > 504 - 16)
			e->at = offset;
	} else {
		a64_goto(e, offset);
		e->wanted = true;
		if (!strcmp(s->name, "st64b")) {
			a64(e, 0xf83f9000 | r->at << 5 | r->data[0]);
		} else {
			/* st1 {v0.16b-v3.16b}, [at], #64 */
			a64(e, 0x4c9f2000 | r->at << 5);
			e->at += 64;
		}
	}
	e->wanted = false;
}

static void a64_flush(struct emitter *e, uint32_t group)
{
	const struct a64_regs *r = a64_regs(e);
	uint32_t width = e->spec->readback, from;

	switch (e->spec->flush) {
	case MMIO_NONE:
		return;
	case MMIO_BARRIER:
		e->wanted = true;
		a64(e, 0xd5033e9f);	/* dsb st */
		break;
	case MMIO_DGH:
		e->wanted = true;
		a64(e, 0xd50320df);
		break;
	case MMIO_READBACK:
		/* Without this dependency the load could be overtaken. */
		if (group < e->at || (group - e->at) / width > 4095)
			a64_goto(e, group);
		from = group - e->at;
		e->wanted = true;
		a64_single(e, true, width, r->back, r->at, from);
		a64(e, 0xca000000 | r->back << 16 | r->back << 5 | r->back);
		a64(e, 0x8b000000 | r->back << 16 | r->at << 5 | r->at);
		break;
	}
	e->wanted = false;
}

static void a64_load_data(struct emitter *e)
{
	const struct a64_regs *r = a64_regs(e);
	unsigned int i;

	if (e->spec->seq->copies)
		return;
	for (i = 0; i < 8; i++)
		a64_single(e, true, 8, r->data[i], X_DATA, 8 * i);
	/* ld1 {v0.16b-v3.16b}, [x2] */
	if (!strcmp(e->spec->seq->name, "neon64"))
		a64(e, 0x4c402000 | X_DATA << 5);
}

/* Returns the words from the current instruction back to @to. */
static uint32_t a64_back(const struct emitter *e, size_t to)
{
	return (((int64_t)to - (int64_t)e->out->len) / 4) & 0x7ffff;
}

/* --- x86-64 --- */

static const unsigned int x86_data[8] = { 8, 9, 10, 3, 5, 12, 13, 14 };

#define X86(e, ...) do {						\
	const uint8_t code_[] = { __VA_ARGS__ };			\
	put(e, code_, sizeof(code_));					\
} while (0)

#define LE32(v)	(uint8_t)(v), (uint8_t)((v) >> 8), (uint8_t)((v) >> 16), \
		(uint8_t)((v) >> 24)

/* [rax + offset], or [rdx + offset] for a load of data */
#define AT_RAX(reg)	(0x80 | ((reg) & 7) << 3)
#define AT_RDX(reg)	(0x82 | ((reg) & 7) << 3)

static void x86_store(struct emitter *e, unsigned int number, uint32_t offset)
{
	const struct mmio_seq *s = e->spec->seq;
	unsigned int reg = x86_data[number % 8], rex = 0x40 | reg >> 3 << 2;

	e->wanted = true;
	if (!strcmp(s->name, "movnti")) {
		X86(e, rex | 8, 0x0f, 0xc3, AT_RAX(reg), LE32(offset));
	} else if (s->width == 32) {
		reg = number % 2;
		X86(e, 0xc5, 0xfe, 0x7f, AT_RAX(reg), LE32(offset));
	} else if (s->width == 64) {
		e->wanted = false;
		/* lea r15, [rax + offset]; movdir64b r15, [rdx] */
		X86(e, 0x4c, 0x8d, AT_RAX(15), LE32(offset));
		e->wanted = true;
		X86(e, 0x66, 0x44, 0x0f, 0x38, 0xf8, 0x3a);
	} else if (s->copies) {
		X86(e, 0x4c, 0x8b, AT_RDX(15), LE32(number * 8));
		X86(e, 0x4c, 0x89, AT_RAX(15), LE32(offset));
	} else if (s->width == 1) {
		X86(e, rex, 0x88, AT_RAX(reg), LE32(offset));
	} else if (s->width == 2) {
		X86(e, 0x66, rex, 0x89, AT_RAX(reg), LE32(offset));
	} else {
		X86(e, rex | (s->width == 8) << 3, 0x89, AT_RAX(reg),
		    LE32(offset));
	}
	e->wanted = false;
}

static void x86_flush(struct emitter *e, uint32_t group)
{
	e->wanted = true;
	if (e->spec->flush == MMIO_BARRIER) {
		X86(e, 0x0f, 0xae, 0xf8);	/* sfence */
	} else if (e->spec->flush == MMIO_READBACK) {
		if (e->spec->readback == 8)
			X86(e, 0x4c, 0x8b, AT_RAX(15), LE32(group));
		else if (e->spec->readback == 4)
			X86(e, 0x44, 0x8b, AT_RAX(15), LE32(group));
		else	/* movzx r15d, byte */
			X86(e, 0x44, 0x0f, 0xb6, AT_RAX(15), LE32(group));
		X86(e, 0x49, 0x83, 0xe7, 0);	/* and r15, 0: depends */
		X86(e, 0x4c, 0x01, 0xf8);	/* add rax, r15 */
	}
	e->wanted = false;
}

static void x86_begin(struct emitter *e)
{
	unsigned int i;

	/* push rbx, rbp, r12 to r15 */
	X86(e, 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57);
	if (e->spec->seq->copies)
		return;
	for (i = 0; i < 8; i++)
		X86(e, 0x48 | x86_data[i] >> 3 << 2, 0x8b, AT_RDX(x86_data[i]),
		    LE32(8 * i));
	if (e->spec->seq->width == 32) {
		X86(e, 0xc5, 0xfe, 0x6f, AT_RDX(0), LE32(0));
		X86(e, 0xc5, 0xfe, 0x6f, AT_RDX(1), LE32(32));
	}
}

static void x86_end(struct emitter *e)
{
	if (e->spec->seq->width == 32)
		X86(e, 0xc5, 0xf8, 0x77);	/* vzeroupper */
	X86(e, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b,
	    0xc3);
}

/* --- the loop --- */

/* Returns where group @i of a block begins. */
static uint32_t group_at(const struct mmio_spec *s, unsigned int i)
{
	switch (s->pattern) {
	case MMIO_STREAM:
		return i * stride_of(s);
	case MMIO_PINGPONG:
		return i % 2 * mmio_pingpong_step(s->size);
	default:
		return 0;
	}
}

static void emit_block(struct emitter *e)
{
	const struct mmio_spec *s = e->spec;
	bool arm = s->seq->arch == MMIO_ARM64;
	struct mmio_code *c = e->out;
	unsigned int i, j;

	e->at = 0;
	for (i = 0; i < c->groups && !s->empty; i++) {
		for (j = 0; j < c->stores; j++)
			(arm ? a64_store : x86_store)(e, j, group_at(s, i) +
						     j * s->seq->width);
		(arm ? a64_flush : x86_flush)(e, group_at(s, i));
	}
}

static void emit_a64(struct emitter *e)
{
	const struct a64_regs *r = a64_regs(e);
	struct mmio_code *c = e->out;
	size_t outer, inner;

	a64_load_data(e);
	outer = c->len;
	a64(e, 0xeb00001f | X_WRAP << 16 | X_BLOCKS << 5);	/* cmp */
	a64(e, 0x9a800000 | X_WRAP << 16 | LO << 12 | X_BLOCKS << 5 | r->left);
	a64(e, 0xcb000000 | r->left << 16 | X_BLOCKS << 5 | X_BLOCKS);
	a64(e, 0xaa0003e0 | X_BASE << 16 | r->at);
	inner = c->len;
	e->counting = true;
	emit_block(e);
	a64_goto(e, c->step);
	a64(e, 0xf1000000 | 1 << 10 | r->left << 5 | r->left);	/* subs */
	a64(e, 0x54000000 | a64_back(e, inner) << 5 | NE);
	e->counting = false;
	a64(e, 0xb5000000 | a64_back(e, outer) << 5 | X_BLOCKS); /* cbnz */
	a64(e, 0xd65f03c0);
}

static void emit_x86(struct emitter *e)
{
	struct mmio_code *c = e->out;
	size_t outer, inner;

	x86_begin(e);
	outer = c->len;
	X86(e, 0x48, 0x39, 0xce);		/* cmp rsi, rcx */
	X86(e, 0x49, 0x89, 0xf3);		/* mov r11, rsi */
	X86(e, 0x4c, 0x0f, 0x47, 0xd9);		/* cmova r11, rcx */
	X86(e, 0x4c, 0x29, 0xde);		/* sub rsi, r11 */
	X86(e, 0x48, 0x89, 0xf8);		/* mov rax, rdi */
	inner = c->len;
	e->counting = true;
	emit_block(e);
	if (c->step)
		X86(e, 0x48, 0x05, LE32(c->step));
	X86(e, 0x49, 0xff, 0xcb);		/* dec r11 */
	X86(e, 0x0f, 0x85, LE32(inner - (c->len + 6)));
	e->counting = false;
	X86(e, 0x48, 0x85, 0xf6);		/* test rsi, rsi */
	X86(e, 0x0f, 0x85, LE32(outer - (c->len + 6)));
	x86_end(e);
}

void mmio_emit(const struct mmio_spec *spec, unsigned int groups,
	       struct mmio_code *out)
{
	struct emitter e = { .spec = spec, .out = out };

	memset(out, 0, sizeof(*out));
	out->stores = spec->size / spec->seq->width;
	out->groups = groups;
	if (!groups) {
		out->groups = BLOCK_STORES / out->stores;
		if (out->groups < MIN_GROUPS)
			out->groups = MIN_GROUPS;
		while (out->groups > 4 && out->groups * out->stores > MAX_STORES)
			out->groups /= 2;
	}
	/* cmp, csel, sub, mov, cbnz; cmp, mov, cmova, sub, mov, test, jnz */
	out->wrap_cost = spec->seq->arch == MMIO_ARM64 ? 5 : 7;
	if (spec->pattern == MMIO_STREAM)
		out->step = (uint64_t)out->groups * stride_of(spec);
	if (spec->seq->arch == MMIO_ARM64)
		emit_a64(&e);
	else
		emit_x86(&e);
}

mmio_fn mmio_map_code(const struct mmio_code *c)
{
	void *p = mmap(NULL, c->len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return fail_null(errno, "mmap: %s", strerror(errno));
	memcpy(p, c->bytes, c->len);
	__builtin___clear_cache((char *)p, (char *)p + c->len);
	if (mprotect(p, c->len, PROT_READ | PROT_EXEC)) {
		fail(errno, "this system does not let programs create code (mprotect: %s)",
		     strerror(errno));
		munmap(p, c->len);
		return NULL;
	}
	return (mmio_fn)p;
}

void mmio_unmap_code(mmio_fn fn, const struct mmio_code *c)
{
	if (fn)
		munmap((void *)fn, c->len);
}
