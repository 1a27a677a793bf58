// SPDX-License-Identifier: GPL-2.0
/*
 * See retry_sites.h.
 *
 * For every instruction two things are computed, by following the code until
 * nothing changes any more: which registers and stack slots hold exactly the
 * argument (on all paths), and which may hold an address computed from it (on
 * some path). Then:
 *
 *	a target read	is a load through the argument itself
 *	a scan read	is a load through an address computed from it
 *	a try starts	at a target read from which a scan read can be
 *			reached without passing another target read
 *
 * So a target read that only compares, and then leaves or goes back to another
 * one, does not start a try. The number of retries is that of the starts minus
 * one per call. If no instruction is both the first start of a call and a later
 * one, the later ones are probed and their hits are the retries. If one is
 * both, as at the top of a loop that was not rotated, all starts are probed and
 * the calls are subtracted.
 */
#include "bpf/retry/retry_sites.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/retry/code.h"
#include "bpf/retry/retry_impl.h"
#include "lib/util.h"

#define MAX_INSNS	4096

static int __printf(3, 4) give_up(struct func *f, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->out->why_not, sizeof(f->out->why_not), fmt, ap);
	va_end(ap);
	f->out->nr = 0;
	return -err;
}

/* --- decoding --- */

static int index_of(const struct func *f, uint64_t addr)
{
	unsigned int p, base = 0;

	for (p = 0; p < f->code->nr_parts; p++) {
		const struct code_part *c = &f->code->part[p];

		if (addr >= c->start && addr < c->start + c->size)
			return base + (addr - c->start) / 4;
		base += c->size / 4;
	}
	return -1;
}

#define INSN_NOP		0xd503201f
#define INSN_MOV_X9_LR		0xaa1e03e9
#define INSN_BRK_KPROBE		0xd4200080
#define INSN_BRK_KPROBE_SS	0xd42000c0

/*
 * The first instructions may be patched: ftrace makes two of them "mov x9, lr;
 * bl", and a kprobe at the entry is a trap. This does not change what the
 * function does, so undo it.
 */
static void undo_entry_patches(uint32_t *word, unsigned int n,
			       const struct func *f)
{
	if (n < 4 && *word == INSN_BRK_KPROBE)
		*word = INSN_NOP;
	if (n > 0 && n < 4 && f->i[n - 1].word == INSN_MOV_X9_LR &&
	    *word >> 26 == 0x25)
		*word = INSN_NOP;
}

static int decode(struct func *f)
{
	unsigned int p, k, n = 0;

	for (p = 0; p < f->code->nr_parts; p++)
		f->nr += f->code->part[p].size / 4;
	if (!f->nr || f->nr > MAX_INSNS)
		return give_up(f, E2BIG, "a function of %u instructions is not supported",
			       f->nr);
	f->i = xcalloc(f->nr, sizeof(*f->i));
	for (p = 0; p < f->code->nr_parts; p++) {
		const struct code_part *c = &f->code->part[p];

		for (k = 0; k < c->size / 4; k++, n++) {
			struct retry_insn *i = &f->i[n];

			memcpy(&i->word, c->bytes + k * 4, 4);
			i->addr = c->start + k * 4;
			if (!p)
				undo_entry_patches(&i->word, n, f);
			a64_decode(i->word, &i->d);
		}
	}
	for (n = 0; n < f->nr; n++) {
		struct retry_insn *i = &f->i[n];

		i->next = i->target = -1;
		if (i->d.kind == A64_JUMP || i->d.kind == A64_BRANCH)
			i->target = index_of(f, i->addr + i->d.target);
		if (i->d.kind != A64_JUMP && i->d.kind != A64_LEAVE)
			i->next = index_of(f, i->addr + 4);
	}
	return 0;
}

/* --- where the argument is --- */

static uint64_t slot_bit(int64_t at)
{
	if (at == NO_OFFSET || at >= 0 || at < -512 || at % 8)
		return 0;
	return 1ULL << (-at / 8 - 1);
}

/* Returns the address of an access on the stack, or NO_OFFSET. */
static int64_t stack_address(const struct path_state *s, const struct a64 *d)
{
	int64_t base = NO_OFFSET;

	if (d->base == A64_SP)
		base = s->sp;
	else if (d->base == 29)
		base = s->fp;
	if (base == NO_OFFSET || d->index != A64_NO_REG)
		return NO_OFFSET;
	return base + d->disp;
}

static void store_place(struct places *p, unsigned int rt, uint64_t slot)
{
	bool holds = rt < 31 && (p->regs >> rt & 1);

	p->slots = holds ? p->slots | slot : p->slots & ~slot;
}

static void load_place(struct places *p, unsigned int rt, uint64_t slot)
{
	if (rt < 31 && (p->slots & slot))
		p->regs |= 1u << rt;
}

static void step_store(struct path_state *s, const struct a64 *d)
{
	int64_t at = stack_address(s, d);
	unsigned int k;

	if (at == NO_OFFSET) {
		/* An unknown address relative to sp may overwrite any slot. */
		if (d->base == A64_SP)
			s->exact.slots = 0;
		return;
	}
	for (k = 0; k < (d->rt2 == A64_NO_REG ? 1 : 2); k++) {
		unsigned int rt = d->size == 8 ? (k ? d->rt2 : d->rt) :
						 A64_NO_REG;
		uint64_t slot = slot_bit((at + k * d->size) & ~7LL);

		store_place(&s->exact, rt, slot);
		store_place(&s->derived, rt, slot);
	}
}

static void step_load(struct path_state *s, const struct a64 *d)
{
	int64_t at = stack_address(s, d);
	unsigned int k;

	if (at == NO_OFFSET || d->size != 8)
		return;
	for (k = 0; k < 2; k++) {
		unsigned int rt = k ? d->rt2 : d->rt;

		load_place(&s->exact, rt, slot_bit(at + k * 8));
		load_place(&s->derived, rt, slot_bit(at + k * 8));
	}
}

static void step_stack(struct path_state *s, const struct a64 *d)
{
	int64_t from = NO_OFFSET;

	if (d->base == A64_SP && d->writeback) {
		if (s->sp != NO_OFFSET)
			s->sp += d->writeback;
		return;
	}
	if (d->is_add && (d->rn == A64_SP || d->rn == 29)) {
		from = d->rn == 29 ? s->fp : s->sp;
		if (from != NO_OFFSET)
			from += d->imm;
	}
	if (d->writes >> 31)
		s->sp = from;
	if (d->writes >> 29 & 1)
		s->fp = from;
}

/*
 * What a call is assumed to change: the result, the linker's scratch registers
 * and the link register. A compiler that sees the callee knows which other
 * registers keep their value, and relies on it. If one is read again without
 * having been written, it kept its value.
 */
#define CALL_CHANGES	(1u << 0 | 1u << 1 | 1u << 16 | 1u << 17 | 1u << 30)

/* Computes the state after an instruction. */
static void step(struct path_state *s, const struct a64 *d)
{
	bool moves = d->is_add && d->imm == 0 && d->rn < 31 && d->rd < 31;
	bool exact = moves && (s->exact.regs >> d->rn & 1);
	bool derived = d->reads & s->derived.regs & ~(1u << 31);

	if (d->kind == A64_CALL) {
		s->exact.regs &= ~CALL_CHANGES;
		s->derived.regs &= ~CALL_CHANGES;
		return;
	}
	/* A base with writeback is still an address. */
	if (d->base < 31 && d->writeback &&
	    (s->derived.regs >> d->base & 1)) {
		s->exact.regs &= ~(1u << d->base);
		s->derived.regs &= ~(d->writes & ~(1u << d->base));
	} else {
		s->derived.regs &= ~d->writes;
	}
	s->exact.regs &= ~d->writes;
	if (d->kind == A64_PLAIN && derived)
		s->derived.regs |= d->writes & ~(1u << 31);
	if (exact) {
		s->exact.regs |= 1u << d->rd;
		s->derived.regs |= 1u << d->rd;
	}
	if (d->kind == A64_STORE)
		step_store(s, d);
	else if (d->kind == A64_LOAD)
		step_load(s, d);
	step_stack(s, d);
}

/* Merges a path into what is known; returns whether that changed. */
static bool join(struct path_state *to, const struct path_state *from)
{
	struct path_state was = *to;

	if (!to->reached) {
		*to = *from;
		to->reached = true;
		return true;
	}
	to->exact.regs &= from->exact.regs;
	to->exact.slots &= from->exact.slots;
	to->derived.regs |= from->derived.regs;
	to->derived.slots |= from->derived.slots;
	if (to->sp != from->sp)
		to->sp = NO_OFFSET;
	if (to->fp != from->fp)
		to->fp = NO_OFFSET;
	return memcmp(&was, to, sizeof(was));
}

static int follow_argument(struct func *f)
{
	bool changed = true;
	unsigned int n;

	f->i[0].in = (struct path_state) {
		.reached = true,
		.exact = { .regs = 1 },
		.derived = { .regs = 1 },
		.fp = NO_OFFSET,
	};
	while (changed) {
		changed = false;
		for (n = 0; n < f->nr; n++) {
			struct retry_insn *i = &f->i[n];
			struct path_state s = i->in;

			if (!s.reached)
				continue;
			if (i->word == INSN_BRK_KPROBE ||
			    i->word == INSN_BRK_KPROBE_SS)
				return give_up(f, EBUSY, "another tracer has a kprobe at +%#" PRIx64 ", which hides the instruction; stop it first",
					       offset_of(f, n));
			if (i->d.kind == A64_UNKNOWN)
				return give_up(f, EINVAL, "unknown instruction %08x at +%#" PRIx64,
					       i->word, offset_of(f, n));
			step(&s, &i->d);
			if (i->next >= 0)
				changed |= join(&f->i[i->next].in, &s);
			if (i->target >= 0)
				changed |= join(&f->i[i->target].in, &s);
		}
	}
	return 0;
}

/* --- reads and tries --- */

static void find_reads(struct func *f)
{
	unsigned int n;

	for (n = 0; n < f->nr; n++) {
		struct retry_insn *i = &f->i[n];
		const struct a64 *d = &i->d;
		uint32_t via = 0;

		if (!i->in.reached || d->kind != A64_LOAD)
			continue;
		if (d->base < 31)
			via |= 1u << d->base;
		if (d->index < 31)
			via |= 1u << d->index;
		if (d->base < 31 && (i->in.exact.regs >> d->base & 1) &&
		    d->index == A64_NO_REG && !d->disp && d->size == 8)
			i->target_read = true;
		else if (via & i->in.derived.regs)
			i->scan_read = true;
	}
}

/*
 * Follows the code from after @from (-1: from the entry), and marks in @seen
 * what can be reached. Does not continue after an instruction for which @stop
 * is true.
 */
static void walk(const struct func *f, int from,
		 bool (*stop)(const struct retry_insn *), bool *seen)
{
	int *todo = xcalloc(2 * f->nr + 2, sizeof(*todo));
	unsigned int nr = 0;

	memset(seen, 0, f->nr * sizeof(*seen));
	if (from < 0) {
		todo[nr++] = 0;
	} else {
		todo[nr++] = f->i[from].next;
		todo[nr++] = f->i[from].target;
	}
	while (nr) {
		int n = todo[--nr];

		if (n < 0 || seen[n])
			continue;
		seen[n] = true;
		if (stop(&f->i[n]))
			continue;
		todo[nr++] = f->i[n].next;
		todo[nr++] = f->i[n].target;
	}
	free(todo);
}

static bool is_target_read(const struct retry_insn *i)
{
	return i->target_read;
}

static bool is_start(const struct retry_insn *i)
{
	return i->starts;
}

/* Finds the starts. Returns false if a call may pass none. */
static bool find_starts(struct func *f)
{
	bool *seen = xcalloc(f->nr, sizeof(*seen));
	bool always = true;
	unsigned int n, k;

	for (n = 0; n < f->nr; n++) {
		if (!f->i[n].target_read)
			continue;
		walk(f, n, is_target_read, seen);
		for (k = 0; k < f->nr; k++)
			if (seen[k] && f->i[k].scan_read)
				f->i[n].starts = true;
	}
	walk(f, -1, is_start, seen);
	for (n = 0; n < f->nr; n++) {
		if (seen[n] && f->i[n].starts)
			f->i[n].first = true;
		else if (seen[n] && leaves(&f->i[n]) &&
			 f->i[n].d.kind != A64_CALL)
			always = false;
	}
	for (n = 0; n < f->nr; n++) {
		if (!f->i[n].starts)
			continue;
		walk(f, n, is_start, seen);
		for (k = 0; k < f->nr; k++)
			if (seen[k] && f->i[k].starts)
				f->i[k].later = true;
	}
	free(seen);
	return always;
}

/* --- where a kprobe can stand --- */

static void find_blocks(struct func *f)
{
	unsigned int n;

	f->i[0].leader = true;
	for (n = 0; n < f->nr; n++) {
		const struct retry_insn *i = &f->i[n];

		if (i->target >= 0)
			f->i[i->target].leader = true;
		if ((i->d.kind == A64_JUMP || i->d.kind == A64_BRANCH ||
		     i->d.kind == A64_LEAVE) && n + 1 < f->nr)
			f->i[n + 1].leader = true;
	}
}

/*
 * The kernel refuses kprobes between a load-exclusive and its store-exclusive.
 * It looks for the former in the preceding 32 instructions.
 */
static bool in_exclusive_sequence(const struct func *f, unsigned int n)
{
	unsigned int k;

	if (f->i[n].d.load_exclusive || f->i[n].d.store_exclusive)
		return true;
	for (k = n; k-- > 0 && n - k <= 32;) {
		if (f->i[k].d.store_exclusive)
			return false;
		if (f->i[k].d.load_exclusive)
			return true;
	}
	return false;
}

static bool can_probe(const struct func *f, unsigned int n)
{
	const struct retry_insn *i = &f->i[n];

	/* the two instructions that ftrace patches */
	if (n < 4 && (i->word == INSN_NOP || i->word == INSN_MOV_X9_LR))
		return false;
	return !in_exclusive_sequence(f, n);
}

/* Returns the start, or an instruction that runs as often; -1: none. */
static int probe_for(const struct func *f, unsigned int n)
{
	unsigned int k;

	if (can_probe(f, n))
		return n;
	for (k = n + 1; k < f->nr && !f->i[k].leader; k++)
		if (can_probe(f, k))
			return k;
	for (k = n; k > 0 && !f->i[k].leader; k--)
		if (can_probe(f, k - 1))
			return k - 1;
	return -1;
}

static int choose_sites(struct func *f, bool always)
{
	unsigned int n, starts = 0, later = 0, both = 0;

	for (n = 0; n < f->nr; n++) {
		starts += f->i[n].starts;
		later += f->i[n].later;
		both += f->i[n].first && f->i[n].later;
	}
	if (!starts)
		return give_up(f, ENOENT, "it never reads the entry before the block, so no try starts in it");
	if (!later)
		return give_up(f, ENOENT, "it reads the block once and never retries");
	f->out->first_counts = both;
	if (both && !always)
		return give_up(f, EINVAL, "can't tell the first try from later ones: some calls make no try");
	for (n = 0; n < f->nr; n++) {
		int at;

		if (!f->i[n].later && !(both && f->i[n].first))
			continue;
		at = probe_for(f, n);
		if (at < 0)
			return give_up(f, EINVAL, "can't place a kprobe where a try starts at +%#" PRIx64 ": exclusive accesses, or ftrace's location",
				       offset_of(f, n));
		if (f->out->nr == MAX_RETRY_SITES)
			return give_up(f, E2BIG, "a try starts at more than %d places",
				       MAX_RETRY_SITES);
		f->out->offset[f->out->nr++] = offset_of(f, at);
	}
	return 0;
}

int retry_sites_find(const struct code *code, struct retry_sites *sites,
		     FILE *explain)
{
	struct func f = { .code = code, .out = sites };
	bool always;
	int ret;

	memset(sites, 0, sizeof(*sites));
	ret = decode(&f);
	if (!ret) {
		find_blocks(&f);
		ret = follow_argument(&f);
	}
	if (!ret) {
		find_reads(&f);
		always = find_starts(&f);
		ret = choose_sites(&f, always);
	}
	if (explain && f.i)
		retry_explain(explain, &f);
	free(f.i);
	return ret;
}

static int find_in(int ret, const char *function, const char *from,
		   struct code *code, struct retry_sites *sites, FILE *explain)
{
	char why[sizeof(sites->why_not)];

	if (ret)
		return ret;
	if (explain)
		fprintf(explain, "%s, %zu bytes%s, from %s\n", function,
			code->part[0].size,
			code->nr_parts > 1 ? " and a cold part" : "", from);
	ret = retry_sites_find(code, sites, explain);
	code_free(code);
	if (ret) {
		memcpy(why, sites->why_not, sizeof(why));
		snprintf(sites->why_not, sizeof(sites->why_not), "%s: %.160s",
			 function, why);
	}
	return ret;
}

int retry_sites_running(const char *function, struct retry_sites *sites,
			FILE *explain)
{
	struct code code;

	memset(sites, 0, sizeof(*sites));
	return find_in(code_running(function, &code, sites->why_not), function,
		       "/proc/kcore", &code, sites, explain);
}

int retry_sites_elf(const char *path, const char *function,
		    struct retry_sites *sites, FILE *explain)
{
	struct code code;

	memset(sites, 0, sizeof(*sites));
	return find_in(code_elf(path, function, &code, sites->why_not),
		       function, path, &code, sites, explain);
}
