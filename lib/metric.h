/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The metrics by name: unit, which direction is better, and what kind of
 * evidence a value is. A new metric is one entry in the table of metric.c.
 * Every run file carries the entries that it uses, so that a reader needs no
 * table of its own.
 */
#ifndef PTELAB_METRIC_H
#define PTELAB_METRIC_H

#include <jansson.h>

enum metric_kind {
	METRIC_TIME,		/* depends on the machine's speed: ns, cycles */
	METRIC_INSTRUCTIONS,	/* exact under icount, a sample elsewhere; what
				 * goes with each run of an instruction as well */
	METRIC_EVENT,		/* a count of things the kernel did */
};

enum metric_better {
	BETTER_NONE,		/* a change is worth telling, not judging */
	BETTER_LOWER,
	BETTER_HIGHER,
};

struct metric {
	const char *name;	/* "family.*" stands for every "family.x" */
	const char *unit;
	enum metric_kind kind;
	enum metric_better better;
	const char *help;
	unsigned int cost_rank;	/* what a point costs: 1 if it has this, else
				 * 2, ...; 0: no cost */
	/* One of it, for a sentence: "KVM zap". NULL: only by its name. */
	const char *word;
};

extern const struct metric metrics[];
extern const size_t metrics_nr;

/* The entry for a metric's name; NULL if there is none. */
const struct metric *metric_find(const char *name);
/* The metric that says what a point costs, best first: @rank from 1; NULL at
 * the end. */
const char *metric_cost(unsigned int rank);
const char *metric_kind_name(enum metric_kind kind);
const char *metric_better_name(enum metric_better better);
/* {"unit", "kind": "time|instructions|event", "better": "lower|higher|none"} */
json_t *metric_to_json(const struct metric *m);

#endif
