// SPDX-License-Identifier: GPL-2.0
/*
 * See normal.h. Encodings: Arm Architecture Reference Manual, C4.1.
 *
 * One file though it is long: the same bits of an instruction show where it
 * goes and what it leaves in registers.
 */
#include "analysis/code/normal.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

static uint32_t bits(uint32_t w, unsigned int hi, unsigned int lo)
{
	return w >> lo & ((2u << (hi - lo)) - 1);
}

static int64_t sbits(uint32_t w, unsigned int hi, unsigned int lo)
{
	unsigned int n = hi - lo + 1;

	return (int64_t)((uint64_t)bits(w, hi, lo) << (64 - n)) >> (64 - n);
}

static bool is(uint32_t w, uint32_t mask, uint32_t value)
{
	return (w & mask) == value;
}

/* --- branches --- */

/*
 * Returns the bits of a branch that encode its target; 0 for any other
 * instruction.
 */
static uint32_t branch_bits(uint32_t w)
{
	if (is(w, 0x7c000000, 0x14000000))		/* b, bl */
		return 0x03ffffff;
	if (is(w, 0xff000000, 0x54000000) ||		/* b.cond */
	    is(w, 0x7e000000, 0x34000000))		/* cbz, cbnz */
		return 0x00ffffe0;
	if (is(w, 0x7e000000, 0x36000000))		/* tbz, tbnz */
		return 0x0007ffe0;
	return 0;
}

bool insn_branch(uint32_t w, int64_t *offset)
{
	switch (branch_bits(w)) {
	case 0x03ffffff:
		*offset = sbits(w, 25, 0) * 4;
		return true;
	case 0x00ffffe0:
		*offset = sbits(w, 23, 5) * 4;
		return true;
	case 0x0007ffe0:
		*offset = sbits(w, 18, 5) * 4;
		return true;
	}
	return false;
}

static bool is_call(uint32_t w)
{
	return is(w, 0xfc000000, 0x94000000) ||		/* bl */
	       is(w, 0xfffff000, 0xd63f0000);		/* blr, blraa.. */
}

static bool is_indirect(uint32_t w)
{
	return is(w, 0xfefff000, 0xd61f0000) && !is_call(w); /* br, braa.. */
}

#define BUGFLAG_WARNING	1

static bool warns(const struct image *img, uint64_t addr)
{
	size_t i = img ? image_first(img->bugs, img->nr_bugs, addr) : 0;

	return img && i < img->nr_bugs && img->bugs[i].at == addr &&
	       img->bugs[i].flags & BUGFLAG_WARNING;
}

static bool calls_noreturn(const struct image *img, uint64_t addr, uint32_t w)
{
	int64_t off;
	size_t i;

	if (!img || !insn_branch(w, &off))
		return false;
	for (i = 0; i < img->nr_noreturns; i++)
		if (img->noreturns[i] == addr + off)
			return true;
	return false;
}

bool insn_leaves(const struct image *img, uint64_t addr, uint32_t w)
{
	if (is(w, 0xfc000000, 0x14000000) ||		/* b */
	    is(w, 0xff00000e, 0x5400000e))		/* b.al */
		return true;
	if (is(w, 0xfe000000, 0xd6000000))		/* br, ret, eret */
		return !is_call(w);
	if (is(w, 0xffe0001f, 0xd4200000))		/* brk */
		return !warns(img, addr);
	if (is(w, 0xfc000000, 0x94000000))		/* bl */
		return calls_noreturn(img, addr, w);
	return !(w >> 16);				/* udf */
}

/* --- registers --- */

#define NR_REGS		31
#define SP		31
#define SLOT		32	/* first stack slot: 8 bytes each, from SP */
#define NR_SLOTS	32
#define NR_PLACES	(SLOT + NR_SLOTS)

/*
 * The contents of each register, and of each stack slot in which one was saved:
 * an address that the code computes, or unknown. @reached: known code leads
 * here.
 */
struct regs {
	uint64_t value[NR_PLACES];
	uint64_t base[NR_PLACES];	/* address it was computed from; 0: none */
	uint64_t known;		/* a bit each */
	uint64_t several;	/* unknown: one of several addresses */
	bool reached;
};

static bool get(const struct regs *r, unsigned int reg, uint64_t *v)
{
	if (reg >= NR_PLACES || !((r->known & ~r->several) >> reg & 1))
		return false;
	*v = r->value[reg];
	return true;
}

/* Of SP only its changes matter: after one, all stack slots are unknown. */
static void forget_all(struct regs *r, uint64_t mask)
{
	r->known &= ~mask;
	r->several &= ~mask;
}

static void forget_stack(struct regs *r)
{
	forget_all(r, ~0ULL << SLOT);
}

static void forget(struct regs *r, unsigned int reg)
{
	if (reg < NR_REGS)
		forget_all(r, 1ULL << reg);
}

static void set(struct regs *r, unsigned int reg, uint64_t v, uint64_t base)
{
	if (reg >= NR_PLACES || reg == SP)
		return;
	r->value[reg] = v;
	r->base[reg] = base;
	r->known |= 1ULL << reg;
	r->several &= ~(1ULL << reg);
}

/* Saves a register at @disp from SP, or loads it from there. */
static void move_slot(struct regs *r, int64_t disp, unsigned int reg,
		      unsigned int size, bool load)
{
	int64_t slot = disp / 8;
	uint64_t v;

	if (load) {
		if (size == 8 && !(disp & 7) && disp >= 0 &&
		    slot < NR_SLOTS && get(r, SLOT + slot, &v) &&
		    reg < NR_REGS)
			set(r, reg, v, r->base[SLOT + slot]);
		return;
	}
	if (disp < 0 || slot >= NR_SLOTS)
		return;
	forget_all(r, 1ULL << (SLOT + slot));
	if (size == 8 && !(disp & 7) && reg < NR_REGS && get(r, reg, &v))
		set(r, SLOT + slot, v, r->base[reg]);
}

/* Applies loads and stores relative to SP to the known stack slots. */
static void follow_stack(struct regs *r, uint32_t w, bool loads)
{
	unsigned int size, i;
	bool vector = bits(w, 26, 26), load = bits(w, 22, 22);
	int64_t disp;

	if (is(w, 0x3b800000, 0x29000000)) {		/* pairs */
		size = vector ? 4u << bits(w, 31, 30) :
			bits(w, 31, 31) ? 8 : 4;
		disp = sbits(w, 21, 15) * size;
		for (i = 0; i < 2 && load == loads && !(vector && load); i++)
			move_slot(r, disp + i * size, vector ? SP :
				  i ? bits(w, 14, 10) : bits(w, 4, 0), size,
				  load);
	} else if (is(w, 0x3b000000, 0x39000000)) {	/* unsigned offset */
		size = vector ? 16 : 1u << bits(w, 31, 30);
		load = bits(w, 23, 22);
		disp = (int64_t)bits(w, 21, 10) * size;
		if (load == loads && !(vector && load))
			move_slot(r, disp, vector ? SP : bits(w, 4, 0), size,
				  load);
	} else if (is(w, 0x3a000000, 0x28000000) ||
		   is(w, 0x3b200400, 0x38000400)) {	/* SP moves */
		forget_stack(r);
	}
}

/*
 * Merges the state of two ways to an instruction. A value that is known on one
 * way only is assumed for both: the other way may come from a call of panic(),
 * which does not return, or have a pointer of which the code reads the same
 * members. Returns whether @into has changed.
 */
static bool merge(struct regs *into, const struct regs *from)
{
	uint64_t old = into->known, several = into->several, k;
	unsigned int i;

	if (!from->reached)
		return false;
	if (!into->reached) {
		*into = *from;
		return true;
	}
	into->several |= from->several;
	for (k = from->known; k; k &= k - 1) {
		i = __builtin_ctzll(k);
		if (!(into->known >> i & 1)) {
			into->value[i] = from->value[i];
			into->base[i] = from->base[i];
			into->known |= 1ULL << i;
		} else if (into->value[i] != from->value[i] ||
			   into->base[i] != from->base[i]) {
			into->several |= 1ULL << i;
		}
	}
	return into->known != old || into->several != several;
}

/* Forgets the registers that a load, store or atomic writes. */
static void forget_memory(struct regs *r, uint32_t w)
{
	unsigned int rt = bits(w, 4, 0), rn = bits(w, 9, 5);
	bool vector = bits(w, 26, 26);

	if (is(w, 0x3b000000, 0x18000000)) {		/* literal */
		if (!vector)
			forget(r, rt);
	} else if (is(w, 0x3a000000, 0x28000000)) {	/* pairs */
		if (!vector && bits(w, 22, 22)) {
			forget(r, rt);
			forget(r, bits(w, 14, 10));
		}
		if (bits(w, 23, 23))
			forget(r, rn);
	} else if (is(w, 0x3b000000, 0x39000000)) {	/* unsigned offset */
		if (!vector && bits(w, 23, 22))
			forget(r, rt);
	} else if (is(w, 0x3b200000, 0x38000000)) {	/* unscaled, pre, post */
		if (!vector && bits(w, 23, 22))
			forget(r, rt);
		if (bits(w, 10, 10))
			forget(r, rn);
	} else if (is(w, 0x3b200c00, 0x38200800)) {	/* register offset */
		if (!vector && bits(w, 23, 22))
			forget(r, rt);
	} else if (is(w, 0x3b200c00, 0x38200000)) {	/* atomics */
		forget(r, rt);
	} else {	/* exclusives, copies: all that they could write */
		forget(r, rt);
		forget(r, bits(w, 14, 10));
		forget(r, bits(w, 20, 16));
		if (!is(w, 0x3f000000, 0x08000000))
			forget(r, rn);
	}
}

/*
 * Follows one instruction. Returns the bits of it that contain part of an
 * address, the address in *@to, and what it is relative to in *@base; 0 if it
 * has none.
 */
static uint32_t follow(struct regs *r, uint32_t w, uint64_t pc, uint64_t *to,
		       uint64_t *base)
{
	unsigned int rd = bits(w, 4, 0), rn = bits(w, 9, 5);
	uint64_t v;

	if (is(w, 0x1f000000, 0x10000000)) {		/* adr, adrp */
		uint64_t imm = sbits(w, 23, 5) * 4 + bits(w, 30, 29);

		*to = w >> 31 ? (pc & ~0xfffULL) + (imm << 12) : pc + imm;
		*base = 0;
		set(r, rd, *to, w >> 31 ? 0 : *to);
		/* half an address: compare the instruction that completes it */
		if (w >> 31)
			*to = 0;
		return 0x60ffffe0;
	}
	if (is(w, 0xbf800000, 0x91000000)) {		/* add, sub; 64-bit */
		uint64_t imm = bits(w, 21, 10);

		if (bits(w, 22, 22))
			imm <<= 12;
		if (get(r, rn, &v)) {
			*to = bits(w, 30, 30) ? v - imm : v + imm;
			*base = r->base[rn];
			set(r, rd, *to, *base ? *base : *to);
			return 0x407ffc00;
		}
		forget(r, rd);
		if (rd == SP)
			forget_stack(r);
		return 0;
	}
	if (is(w, 0xffe0ffe0, 0xaa0003e0)) {		/* mov */
		if (get(r, bits(w, 20, 16), &v))
			set(r, rd, v, r->base[bits(w, 20, 16)]);
		else
			forget(r, rd);
		return 0;
	}
	if (is(w, 0x0a000000, 0x08000000)) {		/* loads and stores */
		uint32_t where = 0;

		if (is(w, 0x3b000000, 0x18000000)) {
			*to = pc + sbits(w, 23, 5) * 4;
			*base = 0;
			where = 0x00ffffe0;
		} else if (!get(r, rn, &v)) {
			;
		} else if (is(w, 0x3b000000, 0x39000000)) {
			unsigned int size = bits(w, 31, 30);

			if (bits(w, 26, 26) && bits(w, 23, 23))
				size = 4;
			*to = v + ((uint64_t)bits(w, 21, 10) << size);
			where = 0x003ffc00;
		} else if (is(w, 0x3b200c00, 0x38000000)) {
			*to = v + sbits(w, 20, 12);
			where = 0x001ff000;
		} else if (is(w, 0x3b800000, 0x29000000)) {
			unsigned int size = bits(w, 26, 26) ?
				2 + bits(w, 31, 30) : bits(w, 31, 31) ? 3 : 2;

			*to = v + (sbits(w, 21, 15) << size);
			where = 0x003f8000;
		}
		if (where && rn < NR_REGS && !is(w, 0x3b000000, 0x18000000))
			*base = r->base[rn];
		if (rn == SP)
			follow_stack(r, w, false);
		forget_memory(r, w);
		if (rn == SP)
			follow_stack(r, w, true);
		return where;
	}
	if (is(w, 0x1c000000, 0x14000000)) {		/* branches, system */
		if (is_call(w))
			/*
			 * x0 to x18, x30: caller-saved by the procedure call
			 * standard
			 */
			forget_all(r, 0x4007ffff);
		else if (is(w, 0xffe00000, 0xd4000000))
			/* x0 to x3: results by the SMC calling convention */
			forget_all(r, 0xf);
		else if (is(w, 0xffc00000, 0xd5000000) && bits(w, 21, 21))
			forget(r, rd);			/* mrs */
		return 0;
	}
	forget(r, rd);					/* data processing */
	return 0;
}

/* --- functions --- */

struct code_walk {
	struct insns *c;
	const uint32_t *word;
	struct regs *in;	/* before each jump target */
	int32_t *slot;		/* its index in @in; -1: not a jump target */
	size_t nr_in;
};

static bool index_of(const struct code_walk *w, uint64_t addr, size_t *i)
{
	if (addr < w->c->start || (addr - w->c->start) / 4 >= w->c->nr ||
	    addr & 3)
		return false;
	*i = (addr - w->c->start) / 4;
	return true;
}

/*
 * Calls @edge for each instruction to which control may go from instruction @i.
 */
static bool for_edges(struct code_walk *w, size_t i, const struct regs *r,
		      bool (*edge)(struct code_walk *w, size_t to,
				   const struct regs *r))
{
	const struct image *img = w->c->img;
	uint64_t pc = w->c->start + 4 * i;
	bool any = false;
	int64_t off;
	size_t k, to;

	if (insn_branch(w->word[i], &off) && !is_call(w->word[i]) &&
	    index_of(w, pc + off, &to))
		any |= edge(w, to, r);
	k = image_first(img->jumps, img->nr_jumps, pc);
	for (; k < img->nr_jumps && img->jumps[k].at == pc; k++)
		if (index_of(w, img->jumps[k].to, &to))
			any |= edge(w, to, r);
	k = image_first(img->extables, img->nr_extables, pc);
	for (; k < img->nr_extables && img->extables[k].at == pc; k++)
		if (index_of(w, img->extables[k].fixup, &to))
			any |= edge(w, to, r);
	k = image_first(img->alts, img->nr_alts, pc);
	for (; k < img->nr_alts && img->alts[k].at == pc; k++) {
		const struct image_alt *a = &img->alts[k];
		const unsigned char *p = a->callback ? NULL :
			image_bytes(img, a->with, a->with_len);
		unsigned int n;

		/* An alternative may add or remove a branch. */
		if (i + 1 < w->c->nr)
			any |= edge(w, i + 1, r);
		for (n = 0; p && n + 4 <= a->with_len; n += 4) {
			uint32_t word;

			memcpy(&word, p + n, 4);
			if (insn_branch(word, &off) && !is_call(word) &&
			    index_of(w, a->with + n + off, &to))
				any |= edge(w, to, r);
		}
	}
	return any;
}

static bool add_target(struct code_walk *w, size_t to, const struct regs *r)
{
	(void)r;
	if (w->slot[to] < 0)
		w->slot[to] = w->nr_in++;
	return false;
}

static bool merge_target(struct code_walk *w, size_t to, const struct regs *r)
{
	return w->slot[to] >= 0 && merge(&w->in[w->slot[to]], r);
}

/*
 * Makes one pass over the function, in order. Collects in @switches the
 * registers at BR, whose targets are in a table: the state at instructions to
 * which nothing else leads. The last pass (@emit) writes the normal form.
 * Returns whether anything changed.
 */
static bool pass(struct code_walk *w, struct regs *switches, bool emit)
{
	struct regs r = { .reached = true };
	bool again = false;
	uint64_t to = 0, base = 0;
	size_t i;

	for (i = 0; i < w->c->nr; i++) {
		uint32_t word = w->word[i], where;
		struct insn *n = &w->c->insns[i];

		if (w->slot[i] >= 0) {
			again |= merge(&w->in[w->slot[i]], &r);
			r = w->in[w->slot[i]];
		}
		if (!r.reached && switches->reached)
			r = *switches;
		else if (!r.reached && emit)
			r.reached = true, forget_all(&r, ~0ULL);
		/*
		 * an exception's handler sees the state before the instruction
		 */
		again |= for_edges(w, i, &r, merge_target);
		where = follow(&r, word, w->c->start + 4 * i, &to,
			       &base);
		if (emit && where) {
			n->word = word & ~where;
			n->to = to;
			n->base = base;
			n->kind = to ? I_REF : I_PLAIN;
		}
		if (is_indirect(word))
			again |= merge(switches, &r);
		if (insn_leaves(w->c->img, w->c->start + 4 * i, word))
			r.reached = false, forget_all(&r, ~0ULL);
	}
	return again;
}

static bool has_adr(const uint32_t *word, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (is(word[i], 0x1f000000, 0x10000000) ||
		    is(word[i], 0x3b000000, 0x18000000))
			return true;
	return false;
}

static void name_branches(struct insns *c, const uint32_t *word)
{
	uint64_t end = c->start + 4 * c->nr;
	int64_t off;
	size_t i;

	for (i = 0; i < c->nr; i++) {
		struct insn *n = &c->insns[i];

		if (insn_branch(word[i], &off)) {
			n->to = c->start + 4 * i + off;
			n->word = word[i] & ~branch_bits(word[i]);
			n->kind = I_REF;
		}
		if (n->kind == I_REF && n->to >= c->start && n->to < end)
			n->kind = I_LOCAL;
	}
}

/* Marks words that are loaded as literals, so are not instructions. */
static void mark_literals(struct insns *c, const uint32_t *word)
{
	size_t i, k, at;

	for (i = 0; i < c->nr; i++) {
		if (!is(word[i], 0x3b000000, 0x18000000) ||
		    c->insns[i].kind != I_LOCAL)
			continue;
		at = (c->insns[i].to - c->start) / 4;
		for (k = at; k < at + 2 && k < c->nr; k++) {
			uint64_t to;

			c->insns[k] = (struct insn){ .word = word[k], .kind = I_DATA };
			if (k == at && image_pointer(c->img, c->insns[i].to, &to))
				c->insns[k++] = (struct insn){ .kind = I_REF, .to = to };
			if (!bits(word[i], 30, 30))	/* 32 bits */
				break;
		}
	}
}

#define IMAGE_MAGIC	0x644d5241	/* "ARM\x64" */

/*
 * Marks the header of an Image, between two instructions: its size and so on.
 */
static void mark_header(struct insns *c, const uint32_t *word)
{
	size_t i;

	for (i = 2; c->nr > 14 && word[14] == IMAGE_MAGIC && i < 14; i++)
		c->insns[i] = (struct insn){ .kind = I_DATA };
}

struct insns insns_range(const struct image *img, uint64_t start, uint64_t end)
{
	struct insns c = { img, start, NULL, (end - start) / 4 };
	const unsigned char *p = image_bytes(img, start, end - start);
	uint32_t *word = xcalloc(c.nr + 1, 4);
	struct code_walk w = { .c = &c, .word = word };
	struct regs switches = { 0 };
	int rounds = 0;
	size_t i;

	c.insns = xcalloc(c.nr + 1, sizeof(*c.insns));
	if (p)
		memcpy(word, p, c.nr * 4);
	for (i = 0; i < c.nr; i++)
		c.insns[i].word = word[i];
	if (has_adr(word, c.nr)) {
		w.slot = xcalloc(c.nr, sizeof(*w.slot));
		memset(w.slot, 0xff, c.nr * sizeof(*w.slot));
		for (i = 0; i < c.nr; i++)
			for_edges(&w, i, NULL, add_target);
		w.in = xcalloc(w.nr_in + 1, sizeof(*w.in));
		/*
		 * A place only goes from unknown to known to several, so this
		 * ends.
		 */
		while (pass(&w, &switches, false) && ++rounds < 1000)
			;
		pass(&w, &switches, true);
		free(w.in);
		free(w.slot);
	}
	name_branches(&c, word);
	mark_literals(&c, word);
	mark_header(&c, word);
	free(word);
	return c;
}

struct insns insns_of(const struct image *img, const struct image_function *f)
{
	return insns_range(img, f->start, f->end);
}

void insns_free(struct insns *c)
{
	free(c->insns);
	c->insns = NULL;
}

/*
 * A rough shape is enough: it finds partners for instructions that are known to
 * differ.
 */
uint32_t insn_shape(uint32_t w)
{
	switch (bits(w, 28, 25)) {
	case 8:
	case 9:				/* immediates; ADR apart */
		return w & (is(w, 0x1f000000, 0x10000000) ? 0x9f000000 :
			    0xff800000);
	case 10:
	case 11:			/* branches, system */
		return w & ~(branch_bits(w) | 0x1f);
	case 5:
	case 13:			/* registers */
		return w & 0xffe08000;
	default:			/* memory, vectors */
		return w & 0xffc00000;
	}
}
