/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A comparison in a few lines: points in words, folio sizes side by side, the
 * cost of an operation, and the events that changed with it. Counts points, not
 * rows.
 */
#ifndef PTELAB_ANSWER_H
#define PTELAB_ANSWER_H

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
	const struct answer_cell *shown;	/* the first that differs */
};

struct answer {
	struct answer_line *lines;	/* those that differ first, worst first */
	size_t nr, differing;		/* lines */
	size_t points, worse, better, other;	/* of points */
	const char *cost;		/* the metric that most points have */
};

struct answer *answer_of(const struct comparison *c);
void answer_free(struct answer *a);

/* "BETTER: 3 of 23 points; ...": the caller frees. */
char *answer_verdict(const struct comparison *c, const struct answer *a);
/* "a; b; c", the labels of the lines that do not differ; NULL: none. */
char *answer_unchanged(const struct answer *a);
/* The same of those that are inconclusive. */
char *answer_undecided(const struct answer *a);
/* What could not be measured; NULL: nothing. The caller frees. */
char *answer_not_measured(const struct comparison *c);
/* The patch's subject; NULL: not a run of make ab. The caller frees. */
char *answer_subject(const struct comparison *c);
/* "on Linux 6.12, arm64, config small, gcc 12.2"; the caller frees. */
char *answer_kernel(const struct comparison *c);
/* "Counted in QEMU 7.2: ...", "Timed on ...". The caller frees. */
char *answer_how(const struct comparison *c);
/* The lines that differ, as a table of at most MAIL_WIDTH columns. */
void answer_table(const struct comparison *c, const struct answer *a, FILE *f);

#endif
