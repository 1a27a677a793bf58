/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The comparison of two runs: one result for each metric of each point that
 * both have, and everything that could not be compared with its reason.
 */
#ifndef PTELAB_COMPARE_H
#define PTELAB_COMPARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analysis/code/causes.h"
#include "analysis/judge/exercised.h"
#include "analysis/load/environ.h"
#include "analysis/load/load.h"
#include "analysis/load/sample.h"
#include "lib/util.h"

enum verdict {
	VERDICT_REGRESSION,
	VERDICT_IMPROVEMENT,
	VERDICT_CHANGED,	/* exact, of a metric with no better direction */
	VERDICT_EQUAL,		/* exact: one and the same number everywhere */
	VERDICT_IDLE,		/* exact: 0 everywhere, so it never happened */
	VERDICT_OVERLAP,	/* exact: what differs is noise */
	VERDICT_EQUIVALENT,	/* timed: within the margin */
	VERDICT_INCONCLUSIVE,	/* not enough evidence */
	NR_VERDICTS
};

struct result {
	const struct side_point *point;		/* as base has it */
	char *metric;
	struct metric_facts facts;
	enum tier tier;
	struct sample base, new;
	/*
	 * Difference of the medians, new - base; with a known cause, the part
	 * that the change causes: see judge_cause().
	 */
	double delta;
	double ratio;		/* 1 + delta / base; NAN if base is 0 */
	enum verdict verdict;
	/*
	 * For people: the verdict's name; between two releases "more" or
	 * "less".
	 */
	const char *word;
	char *why;		/* an inconclusive verdict's reason, or NULL */
	/* Exact, if both sides' instructions were counted in every boot. */
	struct cause cause;
	/* Exact: every seed gave the same on both sides, though seeds vary. */
	bool same_by_seed;
	/*
	 * Timed, and exact if boots vary. Mann-Whitney; adjusted by Holm, or by
	 * stat_max_t() if ranks can't reach a difference, but then not below
	 * what Welch's test says, by Holm. NAN if unavailable.
	 */
	double u, p, p_adjusted;
	double welch_p, welch_p_adjusted;
	bool leveled;		/* timed: a drift was taken off */
	/* Timed; NAN where they could not be had. */
	double ci_low, ci_high;		/* of the ratio */
	double shift, shift_low, shift_high;	/* Hodges-Lehmann, new - base */
	double tost_p, tost_p_adjusted;
	double cv;		/* between boots of a side */
	/*
	 * Inconclusive: boots a side that would give a verdict, with a power of
	 * 80 %, at this table's size, if boots vary as these do; and how many
	 * more than there are. 0 if unknown.
	 */
	size_t boots_needed, boots_more;
	size_t batches, outliers;	/* on both sides; outliers are kept */
};

/* A point, or some of its boots, that is not compared. */
struct not_compared {
	const struct side_point *point;
	enum { ONLY_BASE, ONLY_NEW, BOTH } where;
	char *status;	/* invalid, unavailable, failed, missing */
	char *reason;
	size_t boots;	/* of @of on that side (both: of base) */
	size_t of;
};

/* A metric that only one side has, with its value there. */
struct one_sided {
	const struct side_point *point;
	char *metric;
	struct metric_facts facts;
	enum tier tier;
	bool in_base;
	double value;	/* the median of its values */
	char *why;	/* why the other side has none */
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

struct finding {
	const char *rule;
	enum severity severity;
	const char *bench;
	const struct side_point *point;	/* the largest if there are several */
	char *text;
	json_t *evidence;	/* array of {params, mode, metric, base, new} */
	char *reproduce;
};

struct compare_options {
	struct selection select;
	const char **allow;
	size_t nr_allow;
	double margin;		/* of equivalence, .01 is 1 % */
	double alpha;
	stat_center center;	/* of batches, processes and boots */
	size_t resamples;	/* bootstrap */
	uint64_t seed;
};

/* margin 1 %, alpha 5 %, medians, 5000 resamples, seed 1. */
extern const struct compare_options compare_defaults;

struct comparison {
	const struct side *base, *new;
	const struct compare_options *options;
	struct env_differences env;
	json_t *manifest;	/* of make ab, if it made these runs; NULL */
	json_t *changes;	/* what the patch changed, what ran; NULL */
	enum exercised exercised;
	/* If base and new are two releases, what this means. Or NULL. */
	char *releases;
	struct result *results;		/* sorted: the largest change first */
	size_t nr_results;
	size_t count[NR_VERDICTS];
	size_t timed;			/* timed results */
	size_t family;	/* rows with a p-value, in all of the table */
	/*
	 * The side whose timed boots all came first, which allows no verdict.
	 * Or NULL.
	 */
	const char *confounded;
	bool permuted;	/* p_adjusted is by stat_max_t(), not Holm */
	struct not_compared *missing;
	size_t nr_missing;
	struct one_sided *one_sided;
	size_t nr_one_sided;
	struct finding *findings;
	size_t nr_findings;
	char **notes;
	size_t nr_notes;
};

/*
 * Compares two sides. Never fails, but check env_refused(&c->env) before using
 * the result. The sides and options are borrowed and must outlive the
 * comparison.
 */
struct comparison *compare_sides(const struct side *base, struct side *new,
				 const struct compare_options *options);
/*
 * The same for @nr new runs in one table: corrections for the number of rows
 * include all of them. @c gets a comparison for each.
 */
void compare_table(const struct side *base, struct side *const *new, size_t nr,
		   const struct compare_options *options,
		   struct comparison **c);
void comparison_free(struct comparison *c);

/* Adds a note for the reader. */
void comparison_note(struct comparison *c, const char *fmt, ...)
	__printf(2, 3);

/* Returns "regression", "improvement", ... */
const char *verdict_name(enum verdict v);
const char *severity_name(enum severity s);
const char *better_name(enum metric_better b);

/* Returns whether the verdict is regression, improvement or changed. */
bool is_difference(const struct result *r);

#endif
