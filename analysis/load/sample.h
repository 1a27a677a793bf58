/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The values of a run for one metric of one point, per operation, and their tier.
 *
 * There are two tiers, which are never mixed. Exact: event counts, and instruction
 * counts under icount; a difference must hold with every seed. Timed: everything
 * else; the boot is the unit of replication, and a verdict needs statistics.
 */
#ifndef PTELAB_SAMPLE_H
#define PTELAB_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/load/load.h"
#include "lib/stat.h"

enum tier {
	TIER_EXACT,
	TIER_TIMED,
	TIER_NONE,	/* time under emulation: no evidence */
};

/* Returns the tier of a metric of a point. */
enum tier metric_tier(const struct side_point *p, const char *metric);
/* Returns "exact" or "timed". */
const char *tier_name(enum tier t);

struct sample {
	double *v;		/* one per boot; in the exact mode one per seed */
	json_int_t *seed;	/* of each value's (first) file */
	size_t *boot;		/* of each value: index into the side's boots */
	double *ops;		/* of each value: its operations */
	size_t nr;
	size_t boots;		/* different boots among them */
	/* NAN if there are none; median: the mean with --center mean */
	double min, max, median;
	double total, operations;	/* as recorded, summed over all files */
};

/*
 * Collects all values of a metric; nr is 0 if there are none. A timed value is
 * the center of a boot's batches (of the centers of its processes). @center:
 * NULL for the median. Free with sample_free().
 */
struct sample sample_take(const struct side_point *p, const char *metric,
			  enum tier tier, stat_center center);
/* Computes min, max and median again after values have changed. */
void sample_summarize(struct sample *s, stat_center center);
void sample_free(struct sample *s);

/* Returns whether every value is the same number. */
bool sample_is_one(const struct sample *s);

/*
 * Returns a number if all values are equal, else {"min", "max", "median", "values":
 * [...]}; a new reference.
 */
json_t *sample_json(const struct sample *s);
/*
 * Returns an integer if @v is whole, null if it is not finite. A new reference.
 */
json_t *number_json(double v);

/* Boots, processes and batches of a metric. */
struct nest {
	struct stat_boot *boots;
	size_t nr;
	struct stat_group *groups;
	size_t nr_groups;
};

/*
 * Gets the batches of one file per operation, in the order of measurement: all
 * of them, or a few thousand, evenly spaced. Returns their number; the caller
 * frees *@v. 0 and NULL if there are none.
 */
size_t batches_in_order(const struct observation *o, const char *metric,
			double **v);
/*
 * Returns how many of a file's *all batches are more than three interquartile ranges
 * beyond a quartile.
 */
size_t batch_outliers(const struct observation *o, const char *metric,
		      size_t *all);

struct nest nest_take(const struct side_point *p, const char *metric);
void nest_free(struct nest *n);

#endif
