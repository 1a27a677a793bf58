/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the difference of a metric went: the counts of two boots, instruction
 * by instruction, added up by function and by call stack. Of functions what
 * GCC made of them (.isra.0, .constprop.0) counts as the function.
 */
#ifndef PTELAB_EXPLAIN_H
#define PTELAB_EXPLAIN_H

#include <jansson.h>
#include <stdio.h>

#include "analysis/code/counted.h"
#include "analysis/code/insns.h"
#include "analysis/load/load.h"

enum { BASE, NEW, NR_SIDES };

/* One function of the two kernels, or of the program, or a guest's. */
struct explained_function {
	char *name;
	const char *space;
	double self[NR_SIDES];	/* per operation, without what it calls */
	double calls[NR_SIDES];	/* times its first instruction ran */
	/* its code and how often each instruction ran; NULL, where it did
	 * not run */
	const struct insn_function *code[NR_SIDES];
	uint64_t *count[NR_SIDES];
	/* sampled: the 95 % interval of self, for sampling alone (binomial) */
	double low[NR_SIDES], high[NR_SIDES];
};

/* A call stack's last function, and those that it called. */
struct flame {
	char *name;
	const char *space;
	double self[NR_SIDES], all[NR_SIDES];
	/* as the larger of its sides, and holds its children */
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
	uint64_t unmatched[NR_SIDES];	/* returns to nowhere known */
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
 * Explains @metric of a point that both sides have, in the boots of @seed, or
 * of the first seed that both have (-1), instruction by instruction; or, where
 * it was sampled (ptelab run --sample), by the samples of all boots, which know
 * functions only. NULL with fail() text.
 */
struct explanation *explain(const struct side_point *base,
			    const struct side_point *new, const char *metric,
			    json_int_t seed, struct insn_store *store);
void explanation_free(struct explanation *e);

/* A point that both sides have with a figure of the metric. */
struct explain_pair {
	const struct side_point *base, *new;
	double delta;
};

/* All of them, the largest difference first; the caller frees. */
struct explain_pair *explain_pairs(const struct side *base,
				   const struct side *new, const char *metric,
				   size_t *nr);

/* The interval of a function's difference, from those of its sides. */
void explained_interval(const struct explained_function *f, double *low,
			double *high);

/* What a run can be explained by if nobody says: instructions, if they were
 * counted; else what was sampled. */
const char *explain_default_metric(const struct side *s);

/* New less base, of the figures; and how much of it functions account for, as
 * a share; 1 where there is none and functions agree. */
double explained_delta(const struct explanation *e);
double explained_share(const struct explanation *e);

/*
 * A table of at most MAIL_WIDTH columns with @rows functions, and the
 * instructions of the first @listings of them.
 */
void explain_text(const struct explanation *e, size_t rows, size_t listings,
		  FILE *f);
json_t *explain_json(const struct explanation *e);
/*
 * Whether functions differ in @b as they do in @a, for the most part: both have
 * one cause, and to explain one is to explain the other.
 */
bool explain_alike(const struct explanation *a, const struct explanation *b);
/*
 * A flame graph of both sides in one, self-contained SVG: a frame is as wide
 * as the larger of its two sides, frame by frame, and says how they differ. It
 * begins with the first function that branches. @title may be NULL.
 */
void explain_svg(const struct explanation *e, const char *title, FILE *f);

#endif
