/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A comparison in a few lines: points in words, folio sizes side by side, the
 * cost of an operation, and the events that changed with it. Counts points, not
 * rows.
 */
#ifndef PTELAB_ANSWER_H
#define PTELAB_ANSWER_H

#include "analysis/draw/format.h"
#include "analysis/judge/compare.h"

/* One folio size of a line; or the only one, where there is none. */
struct answer_cell {
	const char *folio;		/* "4k"; "" */
	const struct result *cost;	/* NULL: the point has no cost */
	bool differs;
	bool undecided;			/* timed, and inconclusive */
	char *events;			/* in words; NULL: none changed */
};

/* Points that are the same but for their folio size. */
struct answer_line {
	char *label;
	struct answer_cell *cells;	/* smallest folio first */
	size_t nr;
	/* the one that differs most; NULL: none */
	const struct answer_cell *shown;
};

/* Points of one verdict, and the smallest and largest change of their cost. */
struct answer_effect {
	size_t points, priced;	/* @priced of them differ in cost */
	const struct result *least, *most, *steepest;	/* steepest: by ratio */
};

enum event_move { EVENT_NEW, EVENT_GONE, EVENT_MORE, EVENT_LESS };

/* An event that changed, and at how many points. */
struct answer_move {
	char *word;
	enum event_move move;
	size_t points;
};

struct answer {
	struct answer_line *lines;	/* those that differ first, worst first */
	size_t nr, differing;		/* lines */
	size_t points;
	struct answer_effect wrong;	/* a finding is an error */
	struct answer_effect worse, better, other;
	struct answer_move *moves;
	size_t nr_moves;
	const char *cost;		/* the metric that most points have */
};

struct answer *answer_of(const struct comparison *c);
void answer_free(struct answer *a);

/* What one side hardly has is new, or gone. */
enum event_move event_move(const struct result *r);
/* "retries"; the caller frees. */
char *answer_plural(const char *word);
/* "kernel instructions" */
const char *answer_cost_name(const char *metric);
/* The length of a label up to its last comma: what it shares with others. */
int answer_stem(const char *label);

/* "WORSE at 3 of 23 points, ...: why." The caller frees. */
char *answer_verdict(const struct comparison *c, const struct answer *a);
/* "a; b; c", the labels of the lines that do not differ; NULL: none. */
char *answer_unchanged(const struct answer *a);
/* The same of those that are inconclusive. */
char *answer_undecided(const struct answer *a);
/* What could not be measured; NULL: nothing. The caller frees. */
char *answer_not_measured(const struct comparison *c);
/* The patch's subject; NULL: not a run of make ab. The caller frees. */
char *answer_subject(const struct comparison *c);
/* "Linux 6.12 arm64, config small, gcc 12.2, QEMU 7.2; 3 boots a side" */
char *answer_where(const struct comparison *c);
/* Whether these are counts of an emulated machine, which has no time. */
bool answer_emulated(const struct comparison *c);
/* Columns of deltas beside the first. */
#define ANSWER_COLUMNS	3

/* A row of the answer's table. */
struct answer_row {
	char *stem;		/* what stands above it; NULL: nothing new */
	bool grouped;		/* it belongs to a stem */
	char *label;
	const struct result *cost;	/* NULL: it has none */
	char *delta[ANSWER_COLUMNS];	/* "", "+24", "same" */
	char *events;		/* in words; NULL: none */
	char *values;		/* "pages=4: -2540; 1: -632"; NULL: none */
	char *same;		/* other lines that change as this one does */
};

struct answer_rows {
	char *heading;		/* "kernel instructions, 4k" */
	char *column[ANSWER_COLUMNS];	/* "2m", "hugetlb 2m" */
	size_t nr_columns;
	struct answer_row *v;
	size_t nr;
	char *others;		/* "+24: a; b": lines without a row */
};

/* Lines of text of an answer's table where nothing else limits them. */
#define ANSWER_LINES	8

/* Of the lines that differ the few that a reader wants to see first, in @lines. */
struct answer_rows *answer_rows_of(const struct answer *a, size_t lines);
void answer_rows_free(struct answer_rows *r);
/* A side's name if it is short enough for a column, else @other. Free it. */
char *answer_side(const struct side *s, const char *other);

#endif
