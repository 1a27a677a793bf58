/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How many boots, and how many batches in each, it takes to see an effect:
 * from the variance that a run shows at each level, and what a boot and a
 * batch cost.
 */
#ifndef PTELAB_PLAN_H
#define PTELAB_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/load/load.h"
#include "analysis/load/sample.h"

struct plan_options {
	struct selection select;
	double effect;		/* to be seen, .01 is 1 % */
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
	size_t boots, processes, batches;	/* there are; of each the fewest */
	/*
	 * Variance that each level adds, T_i^2 of Kalibera and Jones, over
	 * mean^2; NAN where there is one repetition only. Not positive: the
	 * level adds nothing that its repetition could take away.
	 */
	double batch_var, process_var, boot_var;
	double batch_s;		/* cost of a batch */
	/* Batches that make the most of a boot's cost, 0: as many as one likes */
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
	/* What costs least: boots a side, batches a point, seconds in all. */
	size_t boots, batches;
	double seconds;
	/* The same with the run's own number of batches. */
	size_t now_boots, now_batches;
	double now_seconds;
};

/*
 * The members of a row that say how its levels vary; false if there are not
 * two boots, or the mean is not positive.
 */
bool plan_levels(struct plan_row *r, const struct nest *n);

/* NULL with fail() text: no timed values, or a single boot. */
struct plan *plan_make(const struct side *side, const struct plan_options *o);
void plan_free(struct plan *p);

/* Boots a side that a row needs for @effect with so many batches; 0: beyond counting. */
size_t plan_boots(const struct plan *p, const struct plan_row *r,
		  double effect, size_t batches);
/* The most that a row needs. */
size_t plan_boots_all(const struct plan *p, double effect, size_t batches);
/*
 * The order in which to boot the two kernels, @boots of each: blocks of four,
 * ABBA or BAAB by lot, so that a drift falls on both alike; a rest of two is
 * AB or BA. The letters 'A' and 'B'; the caller frees.
 */
char *plan_order(size_t boots, unsigned long seed);

/* Seconds for both sides. */
double plan_seconds(const struct plan *p, size_t boots, size_t batches);

#endif
