// SPDX-License-Identifier: GPL-2.0
/*
 * See walk.h.
 *
 * One file though it is long: one state machine.
 */
#include "emu/walk.h"

#include <stdlib.h>
#include <string.h>

#include "emu/need.h"
#include "lib/a64class.h"
#include "lib/marks.h"

#define NONE		UINT32_MAX
#define MAX_DEPTH	512
#define MAX_TASKS	32
#define MAX_VECTORS	16
#define LINE_SHIFT	6

struct frame {
	uint32_t node;
	uint64_t ret;		/* where a return from it goes */
	uint64_t resume;	/* N_EXCEPTION: the address interrupted */
	/*
	 * N_EXCEPTION, if it seems to be a fault: the instruction that did not
	 * retire; NONE if it is no fault
	 */
	uint32_t node_then, block, insn;
};

struct stack {
	uint64_t task;		/* 0: of the task that armed the region */
	unsigned int depth;
	struct frame frame[MAX_DEPTH];
};

/* Open addressing; an entry is its own key. */
struct hash_table {
	uint32_t *slot;		/* number of the entry + 1; 0: free */
	size_t mask;
};

struct walk {
	FILE *out;
	struct walk_symbols sym;
	enum { IDLE, ARMED, RUNNING, ENDED } state;
	bool counting;		/* the PMU counts now */
	bool by_pmu;		/* the PMU has counted in this region */
	bool by_read, open;	/* by user mode reads; between them now */
	bool read;		/* the current instruction reads a counter */
	uint32_t counters;	/* programmed; bit n: PMEVTYPERn_EL0 */
	unsigned int unnamed;	/* writes of PMXEVTYPER_EL0 */
	enum { PMCR_NONE, PMCR_ON, PMCR_OFF } pmcr;	/* being written */
	uint32_t nr_region, nr_block, all_regions;

	struct stack *stack, *task[MAX_TASKS];
	unsigned int nr_tasks;
	uint64_t vectors[MAX_VECTORS];
	unsigned int nr_vectors;

	struct region_node *nodes;
	struct region_cell *cells;
	struct region_single *singles;
	size_t nr_nodes, nr_cells, nr_singles;
	size_t max_nodes, max_cells, max_singles;
	struct hash_table by_node, by_cell;

	/* the current block, and the first of its instructions that counts */
	struct walk_block *last;
	uint64_t begun;
	uint32_t from;
	/* in cpu_switch_to(): its first store and its first load */
	uint64_t switch_from, switch_to;

	uint64_t *lines;	/* line << 16 | stay */
	size_t lines_mask, lines_used;
	uint64_t stay, last_line;
	bool count_lines;
	struct region sum;
};

/* Room for one more element. */
#define ROOM(v, nr, max) do {						\
	if ((nr) == (max)) {						\
		(max) = (max) ? 2 * (max) : 256;			\
		(v) = need(realloc(v, (max) * sizeof(*(v))));		\
	}								\
} while (0)

static uint64_t mix(uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t h = a * 0x9e3779b97f4a7c15ULL ^ b;

	h = (h ^ h >> 29) * 0xbf58476d1ce4e5b9ULL ^ c;
	return (h ^ h >> 32) * 0x94d049bb133111ebULL;
}

static uint64_t hash_node(const struct region_node *n)
{
	return mix((uint64_t)n->parent << 8 | n->kind, n->site, n->entry);
}

static uint64_t hash_cell(const struct region_cell *c)
{
	return mix(c->node, c->block, 0);
}

static bool same_node(const struct region_node *a, const struct region_node *b)
{
	return a->parent == b->parent && a->kind == b->kind &&
	       a->site == b->site && a->entry == b->entry;
}

static void table_clear(struct hash_table *t, size_t size)
{
	if (t->mask + 1 != size) {
		free(t->slot);
		t->slot = need(malloc(size * sizeof(*t->slot)));
		t->mask = size - 1;
	}
	memset(t->slot, 0, size * sizeof(*t->slot));
}

static void put(struct hash_table *t, uint64_t hash, uint32_t nr)
{
	size_t at = hash & t->mask;

	while (t->slot[at])
		at = (at + 1) & t->mask;
	t->slot[at] = nr + 1;
}

static uint32_t node_get(struct walk *w, uint32_t parent, uint32_t kind,
			 uint64_t site, uint64_t entry)
{
	struct region_node n = { parent, kind, site, entry };
	size_t at = hash_node(&n) & w->by_node.mask, i;

	for (; w->by_node.slot[at]; at = (at + 1) & w->by_node.mask)
		if (same_node(&w->nodes[w->by_node.slot[at] - 1], &n))
			return w->by_node.slot[at] - 1;
	ROOM(w->nodes, w->nr_nodes, w->max_nodes);
	if (2 * w->nr_nodes > w->by_node.mask) {
		table_clear(&w->by_node, 2 * (w->by_node.mask + 1));
		for (i = 0; i < w->nr_nodes; i++)
			put(&w->by_node, hash_node(&w->nodes[i]), i);
	}
	put(&w->by_node, hash_node(&n), w->nr_nodes);
	w->nodes[w->nr_nodes] = n;
	return w->nr_nodes++;
}

static struct region_cell *cell_get(struct walk *w, uint32_t node,
				    uint32_t block)
{
	struct region_cell c = { node, block, 0 };
	size_t at = hash_cell(&c) & w->by_cell.mask, i;

	for (; w->by_cell.slot[at]; at = (at + 1) & w->by_cell.mask) {
		struct region_cell *have =
			&w->cells[w->by_cell.slot[at] - 1];

		if (have->node == node && have->block == block)
			return have;
	}
	ROOM(w->cells, w->nr_cells, w->max_cells);
	if (2 * w->nr_cells > w->by_cell.mask) {
		table_clear(&w->by_cell, 2 * (w->by_cell.mask + 1));
		for (i = 0; i < w->nr_cells; i++)
			put(&w->by_cell, hash_cell(&w->cells[i]), i);
	}
	put(&w->by_cell, hash_cell(&c), w->nr_cells);
	w->cells[w->nr_cells] = c;
	return &w->cells[w->nr_cells++];
}

static void single_add(struct walk *w, uint32_t node, uint32_t block,
		       uint32_t insn, int64_t count)
{
	struct region_single s = { node, block, insn, 0, count };
	size_t i;

	for (i = w->nr_singles; i-- > 0;) {
		struct region_single *have = &w->singles[i];

		if (have->node == node && have->block == block &&
		    have->insn == insn) {
			have->count += count;
			return;
		}
	}
	ROOM(w->singles, w->nr_singles, w->max_singles);
	w->singles[w->nr_singles++] = s;
}

static void record(struct walk *w, uint32_t type, size_t bytes)
{
	struct regions_record r = { type, bytes };

	fwrite(&r, sizeof(r), 1, w->out);
}

/* A block gets its number when it first counts. */
static uint32_t block_id(struct walk *w, struct walk_block *b)
{
	struct region_block head = { b->pc, b->nr, 0 };
	uint32_t i;

	if (b->id != NONE)
		return b->id;
	record(w, REC_BLOCK, sizeof(head) + b->nr * sizeof(uint32_t));
	fwrite(&head, sizeof(head), 1, w->out);
	for (i = 0; i < b->nr; i++)
		fwrite(&b->insn[i].word, sizeof(uint32_t), 1, w->out);
	return b->id = w->nr_block++;
}

/* --- stacks --- */

static struct frame *top(struct walk *w)
{
	return &w->stack->frame[w->stack->depth - 1];
}

static void push(struct walk *w, uint32_t kind, uint64_t site, uint64_t entry,
		 uint64_t ret)
{
	struct frame *f;

	/* Deeper than any kernel stack: drop the newest frame. */
	if (w->stack->depth == MAX_DEPTH) {
		w->sum.unmatched++;
		w->stack->depth--;
	}
	f = &w->stack->frame[w->stack->depth];
	f->node = node_get(w, top(w)->node, kind, site, entry);
	f->ret = ret;
	f->resume = site;
	f->block = NONE;
	w->stack->depth++;
}

static uint32_t kind_of(const struct walk *w, unsigned int depth)
{
	return w->nodes[w->stack->frame[depth].node].kind;
}

static bool is_kernel(uint64_t pc)
{
	return pc >> 55 & 1;
}

static struct stack *stack_new(struct walk *w, uint64_t task)
{
	struct stack *s = need(calloc(1, sizeof(*s)));

	s->task = task;
	if (w->nr_tasks == MAX_TASKS) {
		/*
		 * drop the oldest one, except for the first, which armed the
		 * region, and the current one
		 */
		unsigned int i = w->task[1] == w->stack ? 2 : 1;

		free(w->task[i]);
		memmove(&w->task[i], &w->task[i + 1],
			(MAX_TASKS - i - 1) * sizeof(w->task[0]));
		w->nr_tasks--;
	}
	w->task[w->nr_tasks++] = s;
	return s;
}

static void stacks_clear(struct walk *w)
{
	while (w->nr_tasks)
		free(w->task[--w->nr_tasks]);
	w->stack = NULL;
}

/* cpu_switch_to() returns, on another task's stack from here on. */
static void switch_task(struct walk *w, uint64_t site, uint64_t pc)
{
	uint64_t to = w->switch_to;
	struct stack *s = NULL;
	unsigned int i;

	w->sum.switches++;
	w->stack->task = w->switch_from;
	w->switch_from = w->switch_to = 0;
	for (i = 0; i < w->nr_tasks; i++)
		if (w->task[i]->task == to)
			s = w->task[i];
	if (!s) {
		s = stack_new(w, to);
		s->frame[0].node = node_get(w, 0, N_TASK, site, pc);
		s->frame[0].ret = s->frame[0].resume = 0;
		s->depth = 1;
		w->stack = s;
		return;
	}
	w->stack = s;
	/* switched away in cpu_switch_to() itself */
	while (s->depth > 1 && top(w)->ret != pc)
		s->depth--;
	if (s->depth > 1)
		s->depth--;
}

/* A return to @pc: leaves as many frames as it takes to find the caller. */
static void do_return(struct walk *w, uint64_t site, uint64_t pc)
{
	unsigned int d;

	for (d = w->stack->depth; d-- > 1;) {
		if (kind_of(w, d) == N_EXCEPTION)
			break;
		if (w->stack->frame[d].ret == pc) {
			w->stack->depth = d;
			return;
		}
	}
	w->sum.unmatched++;
	push(w, N_LOST, site, pc, 0);
}

/*
 * Decides whether the memory access before a synchronous exception retired. If
 * the access faulted, it will be retried, or abandoned for another address. If
 * the fetch of the next instruction faulted, the access retired, and that
 * instruction is next.
 */
static void settle(struct walk *w, struct frame *f, uint64_t pc)
{
	if (f->block != NONE && pc == f->resume + 4)
		single_add(w, f->node_then, f->block, f->insn, 1);
	f->block = NONE;
}

static void exception_return(struct walk *w, uint64_t site, uint64_t pc)
{
	unsigned int d;

	if (site >= w->sym.guest_start && site < w->sym.guest_end) {
		push(w, N_GUEST, site, pc, 0);
		return;
	}
	/* Return to what was interrupted, or from a signal handler. */
	for (d = w->stack->depth; d-- > 1;) {
		if (kind_of(w, d) != N_EXCEPTION)
			continue;
		w->stack->depth = d;
		settle(w, &w->stack->frame[d], pc);
		/* skip the kernel's own exceptions, to reach user mode */
		if (is_kernel(pc) || !is_kernel(w->stack->frame[d].resume))
			break;
	}
	if (d == 0) {
		w->sum.unmatched++;
		push(w, N_LOST, site, pc, 0);
	}
}

/* --- exceptions --- */

static bool is_vector(struct walk *w, uint64_t pc)
{
	unsigned int i;

	if (pc & 0x7f)
		return false;
	for (i = 0; i < w->nr_vectors; i++)
		if (w->vectors[i] == (pc & ~0x7ffULL))
			return true;
	return false;
}

static void learn_vector(struct walk *w, uint64_t pc)
{
	if (!is_vector(w, pc) && w->nr_vectors < MAX_VECTORS)
		w->vectors[w->nr_vectors++] = pc & ~0x7ffULL;
}

#define MEMORY	(1ULL << C_LOAD | 1ULL << C_STORE | 1ULL << C_CACHE_OP)

/* Taken after instruction @i of @b, which has retired unless it @faulted. */
static void do_exception(struct walk *w, struct walk_block *b, uint32_t i,
			 uint64_t pc, bool faulted)
{
	const struct walk_insn *last = &b->insn[i];
	bool irq = (pc & 0x180) != 0, guest;
	uint32_t node = top(w)->node;
	uint64_t site = b->pc + 4 * i;
	enum region_exception x;

	guest = kind_of(w, w->stack->depth - 1) == N_GUEST;
	if (guest)
		x = irq ? X_GUEST_IRQ : X_GUEST_SYNC;
	else if (!is_kernel(site))
		x = irq ? X_USER_IRQ :
		    A64_IS(last->classes, C_SVC) ? X_USER_SVC :
		    A64_IS(last->classes, C_TRAP) ? X_USER_OTHER :
		    X_USER_ABORT;
	else
		x = irq ? X_KERNEL_IRQ : faulted ? X_KERNEL_ABORT :
		    X_KERNEL_OTHER;
	w->sum.exceptions[x] += w->counting;
	if (!is_kernel(site)) {
		w->stay++;
		w->last_line = 0;
	}
	if (guest) {
		/* continue in the function that entered the guest */
		w->stack->depth--;
		return;
	}
	push(w, N_EXCEPTION, site, pc, 0);
	if (faulted && w->counting) {
		top(w)->node_then = node;
		top(w)->block = b->id;
		top(w)->insn = i;
	}
}

/* --- blocks --- */

/*
 * Accounts for the current block: @done of its instructions were started, and
 * the last of them did not retire if it @faulted.
 */
static void finish(struct walk *w, uint32_t done, bool faulted)
{
	struct walk_block *b = w->last;
	uint32_t node = top(w)->node, id = block_id(w, b), i;

	if (done == b->nr && !w->from) {
		cell_get(w, node, id)->count++;
		if (faulted)
			single_add(w, node, id, done - 1, -1);
		return;
	}
	for (i = w->from; i < done - faulted; i++)
		single_add(w, node, id, i, 1);
}

/* Determines what led from instruction @l at @site to @pc. */
static void step(struct walk *w, const struct walk_insn *l, uint64_t site,
		 uint64_t pc)
{
	if (A64_IS(l->classes, C_CALL))
		push(w, N_CALL, site, pc, site + 4);
	else if (A64_IS(l->classes, C_RETURN) &&
		 site >= w->sym.switch_start && site < w->sym.switch_end)
		switch_task(w, site, pc);
	else if (A64_IS(l->classes, C_RETURN))
		do_return(w, site, pc);
	else if (A64_IS(l->classes, C_ERET))
		exception_return(w, site, pc);
}

/*
 * Returns whether the second counter, that of the kernel's instructions, has been
 * programmed. The kernel then programs the first one again, so with
 * PMXEVTYPER_EL0, which does not name its counter, it is the third write.
 */
static bool programmed(const struct walk *w)
{
	return w->counters & (w->counters - 1) || w->unnamed >= 3;
}

static void forget_counts(struct walk *w)
{
	w->nr_cells = w->nr_singles = 0;
	table_clear(&w->by_cell, w->by_cell.mask + 1);
	memset(&w->sum, 0, sizeof(w->sum));
	w->stay++;
	w->last_line = 0;
}

/* Call it after a write of PMCR_EL0, or a read of a counter. */
static void set_counting(struct walk *w)
{
	if (w->pmcr) {
		w->counting = w->pmcr == PMCR_ON && programmed(w) &&
			(!w->by_read || w->open);
		w->pmcr = PMCR_NONE;
	} else if (w->state == ARMED) {
		/* the last read before the mark begins the region */
		forget_counts(w);
		w->by_read = w->open = w->counting = true;
	} else if (w->state == ENDED && w->by_read) {
		w->open = w->counting = false;
	}
	w->read = false;
	w->by_pmu |= w->counting;
}

void walk_block(struct walk *w, struct walk_block *b, uint64_t begun)
{
	struct walk_block *p = w->last;

	if (p && begun > w->begun && begun - w->begun <= p->nr) {
		uint32_t done = begun - w->begun;
		const struct walk_insn *l = &p->insn[done - 1];
		uint64_t site = p->pc + 4 * (done - 1);
		bool entered = is_kernel(b->pc) &&
			(!is_kernel(site) || is_vector(w, b->pc)) &&
			b->pc != site + 4;
		/*
		 * KVM decides whether to repeat a guest's access; see
		 * do_exception()
		 */
		bool faulted = entered && !(b->pc & 0x180) &&
			(l->classes & MEMORY);

		if (entered && !is_kernel(site))
			learn_vector(w, b->pc);
		if (w->counting)
			finish(w, done, faulted);
		if (entered)
			do_exception(w, p, done - 1, b->pc, faulted);
		else
			step(w, l, site, b->pc);
		w->from = 0;
	}
	if (w->pmcr || w->read)
		set_counting(w);
	w->last = b;
	w->begun = begun;
}

static void touch(struct walk *w, uint64_t line)
{
	uint64_t key = line << 16 | (w->stay & 0xffff);
	size_t at;

	if (key == w->last_line)
		return;
	w->last_line = key;
	/* Half full, or the number of stays overflowed: start anew. */
	if (2 * w->lines_used > w->lines_mask || w->stay >> 16) {
		memset(w->lines, 0, (w->lines_mask + 1) * sizeof(*w->lines));
		w->lines_used = 0;
		w->stay &= 0xffff;
	}
	for (at = mix(key, 0, 0) & w->lines_mask; w->lines[at];
	     at = (at + 1) & w->lines_mask)
		if (w->lines[at] == key)
			return;
	w->lines[at] = key;
	w->lines_used++;
	w->sum.lines++;
}

void walk_access(struct walk *w, uint64_t vaddr, unsigned int size, bool store)
{
	uint64_t line = vaddr >> LINE_SHIFT, end = (vaddr + size - 1) >> LINE_SHIFT;

	if (!w->last)
		return;
	for (; w->counting && w->count_lines && line <= end; line++)
		touch(w, line);
	if (w->last->pc >= w->sym.switch_start &&
	    w->last->pc < w->sym.switch_end) {
		if (store && !w->switch_from)
			w->switch_from = vaddr;
		else if (!store && !w->switch_to)
			w->switch_to = vaddr;
	} else {
		w->switch_from = w->switch_to = 0;
	}
}

/* --- regions --- */

static void arm(struct walk *w)
{
	stacks_clear(w);
	w->nr_nodes = 0;
	table_clear(&w->by_node, w->by_node.mask + 1);
	forget_counts(w);
	w->counters = w->unnamed = 0;
	w->stack = stack_new(w, 0);
	w->stack->frame[0].node = node_get(w, 0, N_ROOT, 0, 0);
	w->stack->depth = 1;
	w->last = NULL;
	w->counting = w->by_pmu = false;
	w->by_read = w->open = w->read = false;
	w->pmcr = PMCR_NONE;
	w->switch_from = w->switch_to = 0;
	w->from = 0;
	w->state = ARMED;
}

static void put_list(struct walk *w, const void *list, size_t size, size_t nr)
{
	if (nr)
		fwrite(list, size, nr, w->out);
}

static void write_region(struct walk *w)
{
	struct region r = w->sum;

	r.nr = w->nr_region++;
	w->all_regions++;
	r.by_pmu = w->by_pmu;
	r.has_lines = w->count_lines;
	r.nr_nodes = w->nr_nodes;
	r.nr_cells = w->nr_cells;
	r.nr_singles = w->nr_singles;
	record(w, REC_REGION, sizeof(r) + r.nr_nodes * sizeof(*w->nodes) +
	       r.nr_cells * sizeof(*w->cells) +
	       r.nr_singles * sizeof(*w->singles));
	fwrite(&r, sizeof(r), 1, w->out);
	put_list(w, w->nodes, sizeof(*w->nodes), r.nr_nodes);
	put_list(w, w->cells, sizeof(*w->cells), r.nr_cells);
	put_list(w, w->singles, sizeof(*w->singles), r.nr_singles);
}

bool walk_mark(struct walk *w, unsigned int mark, uint32_t done,
	       struct walk_block *b, uint64_t begun)
{
	switch (mark) {
	case MARK_RUN:
		record(w, REC_RUN, 0);
		w->nr_region = 0;
		break;
	case MARK_WATCH:
		return true;
	case MARK_REST:
		return false;
	case MARK_ARM:
		arm(w);
		w->last = b;
		w->begun = begun;
		w->from = done;
		break;
	case MARK_BEGIN:
		if (w->state != ARMED)
			break;
		w->state = RUNNING;
		if (!w->by_pmu && w->last) {
			w->counting = true;
			w->from = done;	/* count what follows the mark */
		}
		break;
	case MARK_END:
		if (w->state != RUNNING)
			break;
		w->state = ENDED;
		if (!w->by_pmu && w->last) {
			finish(w, done, false);
			w->counting = false;
		}
		break;
	case MARK_DONE:
		if (w->state == ENDED)
			write_region(w);
		w->state = IDLE;
		break;
	}
	return true;
}

void walk_pmcr(struct walk *w, uint64_t pc)
{
	w->pmcr = pc >= w->sym.pmu_start && pc < w->sym.pmu_end ? PMCR_ON :
		PMCR_OFF;
}

void walk_pmevcntr(struct walk *w, uint64_t pc)
{
	w->read = !is_kernel(pc);
}

void walk_pmevtyper(struct walk *w, uint32_t word)
{
	/* PMEVTYPERn_EL0: n is CRm<1:0>:op2; 31 is the cycle counter's */
	unsigned int n = word >> 5 & 0x1f;

	if ((word & 0xfffffc00) != 0xd51bec00)
		w->unnamed++;
	else if (n != 31)
		w->counters |= 1u << n;
}

uint32_t walk_regions(const struct walk *w)
{
	return w->all_regions;
}

bool walk_active(const struct walk *w)
{
	return w->state != IDLE;
}

struct walk *walk_new(FILE *out, const struct walk_symbols *symbols,
		      bool lines)
{
	struct regions_header h = { REGIONS_MAGIC };
	struct walk *w = need(calloc(1, sizeof(*w)));

	w->out = out;
	w->sym = *symbols;
	w->count_lines = lines;
	table_clear(&w->by_node, 1024);
	table_clear(&w->by_cell, 4096);
	w->lines_mask = (1 << 18) - 1;
	w->lines = need(calloc(w->lines_mask + 1, sizeof(*w->lines)));
	fwrite(&h, sizeof(h), 1, out);
	return w;
}

void walk_free(struct walk *w)
{
	stacks_clear(w);
	free(w->nodes);
	free(w->cells);
	free(w->singles);
	free(w->by_node.slot);
	free(w->by_cell.slot);
	free(w->lines);
	free(w);
}
