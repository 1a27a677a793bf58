/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many boots, and how many batches in each, detect an effect: computed from
 * the variance of a run at each level, and from the cost of a boot and of a
 * batch.
 */
#ifndef PTELAB_PLAN_H
#define PTELAB_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/load/load.h"
#include "analysis/load/sample.h"

struct plan_options {
	struct selection select;
	double effect;		/* to detect, .01 is 1 % */
	double power, alpha;
	size_t rows;		/* timed rows of the table; 0: those of the run */
	double boot_s;		/* seconds that a boot costs before it measures */
	double batch_s;		/* a batch; NAN: as long as the run's took */
};

/* 1 %, power .8, level .05, a boot of 5 minutes. */
extern const struct plan_options plan_defaults;

struct plan_row {
	const struct side_point *point;
	char *metric;
	double mean;
	size_t boots, processes, batches;	/* the run's, the fewest of each */
	/*
	 * Variance that each level adds, T_i^2 of Kalibera and Jones, over
	 * mean^2; NAN without repetitions. Not positive: repeating this level
	 * does not help.
	 */
	double batch_var, process_var, boot_var;
	double batch_s;		/* cost of a batch */
	/* The most economical number of batches; 0: the more the better */
	size_t best_batches;
	size_t boots_needed;	/* a side, with as many batches as the run had */
};

struct plan {
	const struct side *side;
	const struct plan_options *options;
	struct plan_row *row;
	size_t nr;
	size_t rows;		/* the family that is planned for */
	size_t processes;	/* a boot */
	/* The cheapest plan: boots a side, batches a point, seconds in all. */
	size_t boots, batches;
	double seconds;
	/* The same with the run's own number of batches. */
	size_t now_boots, now_batches;
	double now_seconds;
};

/*
 * Fills in the variances of a row. Returns false if there are fewer than two
 * boots, or if the mean is not positive.
 */
bool plan_levels(struct plan_row *r, const struct nest *n);

/*
 * Returns a plan; free it with plan_free(). NULL with fail() text if there are
 * no timed values, or only one boot.
 */
struct plan *plan_make(const struct side *side, const struct plan_options *o);
void plan_free(struct plan *p);

/*
 * Returns the boots a side that a row needs for @effect with @batches batches;
 * 0 on overflow.
 */
size_t plan_boots(const struct plan *p, const struct plan_row *r,
		  double effect, size_t batches);
/* Returns the most boots that any row needs. */
size_t plan_boots_all(const struct plan *p, double effect, size_t batches);
/*
 * Returns the order in which to boot the two kernels, @boots of each: random
 * blocks of four, ABBA or BAAB, so that a drift affects both equally; two at
 * the end are AB or BA. The letters 'A' and 'B'; the caller frees.
 */
char *plan_order(size_t boots, unsigned long seed);

/* Returns the seconds for both sides. */
double plan_seconds(const struct plan *p, size_t boots, size_t batches);

#endif
