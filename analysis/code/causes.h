/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Explains why an instruction count differs, if the instructions of every boot
 * were counted and the functions that the patch changed are known. The count is
 * split by function and by its caller. A part that differs between boots of the
 * same kernel is noise: it depends on what the boot happens to have, such as
 * which page frames are free. A few boots may not show this, because all boots
 * of one kernel may have one value by chance and all of the other another one.
 * So unchanged code proves nothing by itself, unless changed code calls it and
 * it is noise at no point. Changed code that is not noise is proof, however
 * small the difference.
 */
#ifndef PTELAB_CODE_CAUSES_H
#define PTELAB_CODE_CAUSES_H

#include <stdbool.h>

#include "analysis/code/counted.h"
#include "analysis/code/explain.h"

enum cause_part {
	CAUSE_CHANGED,		/* in functions that the patch changed */
	CAUSE_CALLED,		/* in unchanged code that they called */
	CAUSE_ELSEWHERE,	/* in other unchanged code */
	NR_CAUSE_PARTS
};

/* All numbers are per operation. */
struct cause {
	bool known;
	double part[NR_CAUSE_PARTS];	/* new less base; without noise */
	/*
	 * the part that proves a difference: changed code, and code that it
	 * calls and that is noise at no point; and the noise in changed code,
	 * if its ranges are further apart than they are wide
	 */
	double proof;
	bool noise;			/* there is noise in this row */
	bool noise_in_change;		/* in changed code, or code it calls */
	double low[NR_SIDES], high[NR_SIDES];	/* of the noise, over boots */
	/*
	 * new less base of the noise's medians, if its ranges are apart; else
	 * 0
	 */
	double noise_delta;
};

struct causes;

/*
 * @changed: the document of changes_json(), borrowed for the call. Free with
 * causes_free().
 */
struct causes *causes_new(const json_t *changed);
void causes_free(struct causes *c);

/*
 * Adds a row. Returns its number, or -1 if the metric is not a sum over
 * instructions, or if a boot has no counts for the point.
 */
long causes_add(struct causes *c, const struct side_point *base,
		const struct side_point *new, const char *metric);

/*
 * Call it after all rows were added, because only then is it known what is
 * noise at any point.
 */
void causes_settle(struct causes *c);
struct cause causes_of(const struct causes *c, long row);

/*
 * Returns the sum of the parts, which is the difference that every boot shows.
 */
double cause_sum(const struct cause *c);

#endif
