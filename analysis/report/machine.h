/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the forms for other programs share: names of points that those programs
 * accept, what a verdict is to a program that knows pass and fail, and a point as
 * one test.
 */
#ifndef PTELAB_MACHINE_H
#define PTELAB_MACHINE_H

#include "analysis/report/report.h"

enum outcome {
	OUTCOME_SKIP,	/* says nothing of the change */
	OUTCOME_PASS,
	OUTCOME_FAIL,	/* worse */
};

/*
 * Worse is a failure. A row that is inconclusive is skipped, and so is one that is
 * not worse where no point ran the changed code.
 */
enum outcome row_outcome(const struct comparison *c, const struct result *r);
/* "regression: 16 -> 20 (+25%)", with the reason if it has one; the caller frees. */
char *row_text(const struct result *r);

/* A point that base or new has. */
struct point_test {
	const struct side_point *point;
	const struct result **rows;	/* in the order of the comparison */
	size_t nr;
	enum outcome outcome;	/* the worst of its rows */
	char *why;		/* it is skipped; NULL: it is not */
};

/* Each point once, in the order of the files. Free with point_tests_free(). */
struct point_test *point_tests(const struct comparison *c, size_t *nr);
void point_tests_free(struct point_test *t, size_t nr);
/* "1 of 3 boots: invalid: REASON"; the caller frees. */
char *not_compared_text(const struct not_compared *m);
/* "only base has it: REASON"; the caller frees. */
char *one_sided_text(const struct one_sided *x);
bool points_match(const struct side_point *a, const struct side_point *b);

/*
 * Names of a point in the comparison with new run @nr. If there are several new
 * runs, its label comes first. The caller frees.
 */

/* "gup.pin_fast folio=64k mode=exact" */
char *point_name(const struct report *r, size_t nr, const struct side_point *p);
/*
 * "exact.gup.pin_fast.folio-64k": parts of letters, digits, '_' and '-', with '.'
 * between them, at most PATH_WIDTH bytes. A name that needs other characters gets
 * others in their place, and a checksum, so that two points never have one path.
 * @metric: one part more; may be NULL.
 */
#define PATH_WIDTH	200
char *point_path(const struct report *r, size_t nr, const struct side_point *p,
		 const char *metric);

/* Frees @text, and returns it cut to @max bytes, the last of them a checksum. */
char *cut_name(char *text, size_t max);
/* Every byte but letters, digits and those of @keep as %XX; the caller frees. */
char *percent_encode(const char *text, const char *keep);
/* A number with as many digits as it takes to read the same number back. */
const char *exact_number(double v, char buf[NUMBER_SIZE]);
/* Prints a document, and drops its reference. */
void put_document(json_t *j, FILE *f);

#endif
