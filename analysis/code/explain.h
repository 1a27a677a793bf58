/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Explains the difference of a metric: the counts of two boots, instruction by
 * instruction, summed by function and by call stack. GCC's variants of a
 * function (.isra.0, .constprop.0) count as the function.
 */
#ifndef PTELAB_EXPLAIN_H
#define PTELAB_EXPLAIN_H

#include <jansson.h>
#include <stdio.h>

#include "analysis/code/counted.h"
#include "analysis/code/insns.h"
#include "analysis/load/load.h"

enum { BASE, NEW, NR_SIDES };

/* A function of the two kernels, of the program, or of a guest. */
struct explained_function {
	char *name;
	const char *space;
	double self[NR_SIDES];	/* per operation, without its callees */
	double calls[NR_SIDES];	/* times its first instruction ran */
	/*
	 * its code, and how often each instruction ran; NULL if it did not run
	 */
	const struct insn_function *code[NR_SIDES];
	uint64_t *count[NR_SIDES];
	/* sampled: the 95 % interval of self, for sampling alone (binomial) */
	double low[NR_SIDES], high[NR_SIDES];
};

/* The last function of a call stack, and the functions that it called. */
struct flame {
	char *name;
	const char *space;
	double self[NR_SIDES], all[NR_SIDES];
	/* that of the larger side, and at least the sum of its children */
	double width;
	struct flame **child;
	size_t nr;
};

struct explanation {
	const struct side_point *point;	/* as base has it */
	const char *metric;
	json_int_t seed;		/* of the two boots */
	double figure[NR_SIDES];	/* per operation, as the boot files say */
	double counted[NR_SIDES];	/* the sum over all functions */
	uint64_t operations[NR_SIDES];
	uint64_t unmatched[NR_SIDES];	/* returns to unknown callers */
	struct explained_function *functions;	/* largest change first */
	size_t nr;
	struct flame *flame;
	json_t *record[NR_SIDES];	/* of the boots, borrowed */
	/* what was counted, and the boot's header; the store's. NULL: sampled */
	const struct insn_file *file[NR_SIDES];
	const struct insn_region *region[NR_SIDES];
	const json_t *header[NR_SIDES];
	/* NULL: counted. Else what was sampled, of all boots, and how often */
	const char *event;
	uint64_t samples[NR_SIDES], lost[NR_SIDES];
	size_t boots[NR_SIDES];
};

/*
 * Explains @metric of a point that both sides have. If its instructions were
 * counted: in the boots of @seed, or of the first seed that both sides have
 * (-1), instruction by instruction. If it was sampled (ptelab run --sample): by
 * the samples of all boots, for functions only. Free with explanation_free().
 * NULL with fail() text.
 */
struct explanation *explain(const struct side_point *base,
			    const struct side_point *new, const char *metric,
			    json_int_t seed, struct insn_store *store);
void explanation_free(struct explanation *e);

/* A point for which both sides have the metric. */
struct explain_pair {
	const struct side_point *base, *new;
	double delta;
};

/* Returns all such points, the largest difference first; the caller frees. */
struct explain_pair *explain_pairs(const struct side *base,
				   const struct side *new, const char *metric,
				   size_t *nr);

/* Computes the interval of a function's difference from those of its sides. */
void explained_interval(const struct explained_function *f, double *low,
			double *high);

/*
 * Returns the metric to explain by default: instructions if they were counted,
 * else the sampled event.
 */
const char *explain_default_metric(const struct side *s);

/*
 * Return the difference of the figures, new less base; and the share of it that
 * functions account for, which is 1 if there is no difference and the functions
 * agree.
 */
double explained_delta(const struct explanation *e);
double explained_share(const struct explanation *e);

/*
 * Prints a table of at most MAIL_WIDTH columns with @rows functions, and the
 * instructions of the first @listings of them.
 */
void explain_text(const struct explanation *e, size_t rows, size_t listings,
		  FILE *f);
json_t *explain_json(const struct explanation *e);
/*
 * Returns whether functions differ in @b mostly as they do in @a: then both
 * have the same cause, and the explanation of one also explains the other.
 */
bool explain_alike(const struct explanation *a, const struct explanation *b);
/*
 * Writes a flame graph of both sides as a self-contained SVG. A frame is as
 * wide as the larger of its two sides, and shows how they differ. The graph
 * begins with the first function that branches. @title may be NULL.
 */
void explain_svg(const struct explanation *e, const char *title, FILE *f);

#endif
