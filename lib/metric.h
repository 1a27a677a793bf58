/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The metrics by name: unit, which direction is better, and the kind of evidence.
 * A new metric is one entry in the table of metric.c. Every run file contains the
 * entries that it uses, so readers need no table of their own.
 */
#ifndef PTELAB_METRIC_H
#define PTELAB_METRIC_H

#include <jansson.h>

enum metric_kind {
	METRIC_TIME,		/* depends on the machine's speed: ns, cycles */
	METRIC_INSTRUCTIONS,	/* instructions and what is counted with each:
				 * exact under icount, a sample elsewhere */
	METRIC_EVENT,		/* a count of kernel events */
	METRIC_TOOL,		/* of a program around the batches, and of that */
};

enum metric_better {
	BETTER_NONE,		/* report a change, but do not judge it */
	BETTER_LOWER,
	BETTER_HIGHER,
};

struct metric {
	const char *name;	/* "family.*" stands for every "family.x" */
	const char *unit;
	enum metric_kind kind;
	enum metric_better better;
	const char *help;
	unsigned int cost_rank;	/* the cost of a point is its metric with the
				 * lowest rank; 0: not a cost */
	const char *word;	/* for a sentence: "KVM zap"; NULL: its name */
};

extern const struct metric metrics[];
extern const size_t metrics_nr;

/* Returns the entry for a metric's name; NULL if there is none. */
const struct metric *metric_find(const char *name);
/* Returns the cost metric with this @rank, from 1; NULL at the end. */
const char *metric_cost(unsigned int rank);
/*
 * Appends @key to a name in @size bytes: "comm,pid" as "comm.pid", and what no
 * metric's name has as "_".
 */
void metric_name_add(char *name, size_t size, const char *key);
const char *metric_kind_name(enum metric_kind kind);
const char *metric_better_name(enum metric_better better);
/* {"unit", "kind": "time|instructions|event|tool", "better": "lower|higher|none"} */
json_t *metric_to_json(const struct metric *m);

#endif
