// SPDX-License-Identifier: GPL-2.0
/*
 * Prints what the retry-site finder found: the blocks, where the argument is in
 * each, the loops, the reads and their classification.
 */
#include <capstone/capstone.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/retry/retry_impl.h"
#include "lib/util.h"

static void print_places(FILE *to, const struct path_state *s)
{
	const char *sep = "";
	unsigned int r;

	fputs("the argument is in", to);
	for (r = 0; r < 31; r++) {
		if (s->exact.regs >> r & 1) {
			fprintf(to, "%s x%u", sep, r);
			sep = ",";
		}
	}
	for (r = 0; r < 64; r++) {
		if (s->exact.slots >> r & 1) {
			fprintf(to, "%s [entry sp - %u]", sep, 8 * (r + 1));
			sep = ",";
		}
	}
	fputs(*sep ? "" : " no register", to);
}

static const char *role(const struct retry_insn *i, const struct retry_sites *s)
{
	if (i->scan_read)
		return "reads the block";
	if (!i->target_read)
		return NULL;
	if (!i->starts)
		return "reads the entry, only to compare";
	if (i->first && i->later)
		return "reads the entry: starts every try";
	if (i->later)
		return "reads the entry: starts a new try";
	return s->first_counts ? "reads the entry: starts a first try, counted too" :
				 "reads the entry: starts the first try";
}

/* Returns the number of the block that starts at or contains instruction @n. */
static unsigned int block_of(const struct func *f, int n)
{
	unsigned int b = 0;
	int k;

	for (k = 1; k <= n; k++)
		b += f->i[k].leader;
	return b;
}

static void print_block_head(FILE *to, const struct func *f, unsigned int n)
{
	unsigned int last = n;
	const struct retry_insn *i;
	const char *sep = " -> ";

	while (last + 1 < f->nr && !f->i[last + 1].leader)
		last++;
	i = &f->i[last];
	fprintf(to, "\nblock %u", block_of(f, n));
	if (!f->i[n].in.reached) {
		fputs(", never reached\n", to);
		return;
	}
	if (i->next >= 0) {
		fprintf(to, "%s%u", sep, block_of(f, i->next));
		sep = ", ";
	}
	if (i->target >= 0)
		fprintf(to, "%s%u%s", sep, block_of(f, i->target),
			i->target <= (int)last ? " (back)" : "");
	if (leaves(i))
		fprintf(to, "%sout", i->next >= 0 ? ", " : " -> ");
	fputs("; ", to);
	print_places(to, &f->i[n].in);
	fputc('\n', to);
}

static void print_insn(FILE *to, const struct func *f, unsigned int n,
		       csh disassembler)
{
	const struct retry_insn *i = &f->i[n];
	const char *what = role(i, f->out);
	char text[256];
	cs_insn *d;

	if (disassembler &&
	    cs_disasm(disassembler, (const uint8_t *)&i->word, 4,
		      offset_of(f, n), 1, &d) == 1) {
		snprintf(text, sizeof(text), "%-7s %s", d->mnemonic,
			 d->op_str);
		cs_free(d, 1);
	} else {
		snprintf(text, sizeof(text), ".word   %#010x", i->word);
	}
	fprintf(to, "  +0x%04" PRIx64 "  %-36s", offset_of(f, n), text);
	if (what)
		fprintf(to, " ; %s", what);
	if (i->target >= 0)
		fprintf(to, " ; to block %u", block_of(f, i->target));
	fputc('\n', to);
}

static void print_function(FILE *to, const struct func *f)
{
	csh disassembler = 0;
	unsigned int n;

	if (cs_open(CS_ARCH_ARM64, CS_MODE_ARM, &disassembler))
		disassembler = 0;
	for (n = 0; n < f->nr; n++) {
		if (f->i[n].leader)
			print_block_head(to, f, n);
		print_insn(to, f, n, disassembler);
	}
	if (disassembler)
		cs_close(&disassembler);
}

/* --- loops --- */

/* The blocks as a graph with at most two successors each. */
struct graph {
	unsigned int nr;
	int (*to)[2];
	bool *dom;		/* dom[b * nr + a]: every path to b contains a */
};

static void build_graph(const struct func *f, struct graph *g)
{
	unsigned int n, b;

	g->nr = block_of(f, f->nr - 1) + 1;
	g->to = xcalloc(g->nr, sizeof(*g->to));
	for (n = 0, b = 0; n < f->nr; n++) {
		const struct retry_insn *i = &f->i[n];

		if (n + 1 < f->nr && !f->i[n + 1].leader)
			continue;
		g->to[b][0] = i->in.reached && i->next >= 0 ?
			(int)block_of(f, i->next) : -1;
		g->to[b][1] = i->in.reached && i->target >= 0 ?
			(int)block_of(f, i->target) : -1;
		b++;
	}
}

/* b is dominated by itself, and by what dominates all of its predecessors. */
static void find_dominators(struct graph *g)
{
	unsigned int a, b, p, k, nr = g->nr;
	bool changed = true;

	g->dom = xcalloc(nr * nr, sizeof(*g->dom));
	memset(g->dom, 1, nr * nr);
	for (a = 1; a < nr; a++)
		g->dom[a] = false;
	while (changed) {
		changed = false;
		for (p = 0; p < nr; p++) {
			for (k = 0; k < 2; k++) {
				if (g->to[p][k] < 0)
					continue;
				b = g->to[p][k];
				for (a = 0; a < nr; a++) {
					bool *d = &g->dom[b * nr + a];

					if (a == b || !*d ||
					    g->dom[p * nr + a])
						continue;
					*d = false;
					changed = true;
				}
			}
		}
	}
}

/* Marks what can reach the back edge's source without passing its target. */
static void loop_body(const struct graph *g, unsigned int from,
		      unsigned int head, bool *in)
{
	bool changed = true;
	unsigned int b;

	in[head] = in[from] = true;
	while (changed) {
		changed = false;
		for (b = 0; b < g->nr; b++) {
			unsigned int k;

			for (k = 0; k < 2 && !in[b]; k++)
				if (g->to[b][k] >= 0 && in[g->to[b][k]] &&
				    g->to[b][k] != (int)head)
					in[b] = changed = true;
		}
	}
}

static void print_loops(FILE *to, const struct func *f)
{
	struct graph g = { 0 };
	unsigned int head, b, k;

	build_graph(f, &g);
	find_dominators(&g);
	for (head = 0; head < g.nr; head++) {
		bool *in = xcalloc(g.nr, sizeof(*in)), any = false;

		for (b = 0; b < g.nr; b++) {
			for (k = 0; k < 2; k++) {
				if (g.to[b][k] != (int)head ||
				    !g.dom[b * g.nr + head])
					continue;
				loop_body(&g, b, head, in);
				any = true;
			}
		}
		if (any) {
			fprintf(to, "loop from block %u:", head);
			for (b = 0; b < g.nr; b++)
				if (in[b])
					fprintf(to, " %u", b);
			fputc('\n', to);
		}
		free(in);
	}
	free(g.to);
	free(g.dom);
}

static void print_verdict(FILE *to, const struct func *f)
{
	const struct retry_sites *s = f->out;
	unsigned int k;

	if (!s->nr) {
		fprintf(to, "retries can't be counted in this kernel: %s\n",
			s->why_not);
		return;
	}
	fputs("retries = hits of", to);
	for (k = 0; k < s->nr; k++)
		fprintf(to, "%s +%#" PRIx64, k ? " and" : "", s->offset[k]);
	fputs(s->first_counts ? ", less the calls of the function\n" : "\n",
	      to);
}

void retry_explain(FILE *to, const struct func *f)
{
	print_function(to, f);
	fputc('\n', to);
	print_loops(to, f);
	print_verdict(to, f);
}
