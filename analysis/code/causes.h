/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Why an instruction count differs, where the instructions of every boot were
 * counted and it is known which functions the patch changed. The count is
 * split by function and by the function that called it. A part that differs
 * between boots of one and the same kernel is noise: what the boot drew, such
 * as which page frames were free, decides about it. A few boots need not show
 * that: all of one kernel may draw one thing, and all of the other another. So
 * code that the patch did not change proves nothing by itself, unless changed
 * code calls it and it is noise nowhere. Changed code that is no noise is
 * proof, however small the difference.
 */
#ifndef PTELAB_CODE_CAUSES_H
#define PTELAB_CODE_CAUSES_H

#include <stdbool.h>

#include "analysis/code/counted.h"
#include "analysis/code/explain.h"

enum cause_part {
	CAUSE_CHANGED,		/* in functions that the patch changed */
	CAUSE_CALLED,		/* in unchanged code that these called */
	CAUSE_ELSEWHERE,	/* in other unchanged code */
	NR_CAUSE_PARTS
};

/* All of it per operation. */
struct cause {
	bool known;
	double part[NR_CAUSE_PARTS];	/* new less base; without noise */
	/*
	 * what proves a difference: of these parts changed code, and code that
	 * it calls and that is noise at no point; and the noise in changed
	 * code, if its ranges are further apart than they are wide
	 */
	double proof;
	bool noise;			/* whether there is any here */
	bool noise_in_change;		/* in changed code, or what it calls */
	double low[NR_SIDES], high[NR_SIDES];	/* of the noise, over boots */
	/*
	 * new less base of the noise's medians, if its ranges are apart; else
	 * 0
	 */
	double noise_delta;
};

struct causes;

/* @changed: the document of changes_json(); borrowed for the call. */
struct causes *causes_new(const json_t *changed);
void causes_free(struct causes *c);

/*
 * Takes one row. Its number, or -1: the metric is nothing that instructions
 * make up, or a boot has no counts of the point.
 */
long causes_add(struct causes *c, const struct side_point *base,
		const struct side_point *new, const char *metric);

/* When all rows are added: what is noise at any point is known then. */
void causes_settle(struct causes *c);
struct cause causes_of(const struct causes *c, long row);

/* The sum of its parts: what differs alike in every boot. */
double cause_sum(const struct cause *c);

#endif
