/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A comparison, or several of one base, in the forms that people post: text
 * and grid of at most MAIL_WIDTH columns, markdown, CSV, JSON.
 */
#ifndef PTELAB_REPORT_H
#define PTELAB_REPORT_H

#include <stdio.h>

#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/judge/compare.h"
#include "analysis/judge/view.h"
#include "lib/choice.h"

struct report {
	struct comparison *const *c;	/* all with the same base */
	size_t nr;			/* >= 1 */
	bool all;			/* equal rows as well */
	const char *origin;		/* who submits, for report_kcidb() */
};

/* What compare --format takes: a table in report_forms.c. */
struct report_format {
	struct choice choice;
	void (*print)(const struct report *r, FILE *f);
};

extern const struct choices report_formats;

/*
 * The answer in a few lines; of several new runs, or with all rows, the same
 * as report_rows().
 */
void report_text(const struct report *r, FILE *f);
void report_answer(const struct report *r, FILE *f);
/* The same as a reply to the patch. */
void report_mail(const struct report *r, FILE *f);
/* A line for each metric that differs. */
void report_rows(const struct report *r, FILE *f);
void report_csv(const struct report *r, FILE *f);
/* One document (compare.json), or an array of them if there are several. */
void report_json(const struct report *r, FILE *f);

/* For other programs, always with all rows; docs/formats.md has what each is. */
void report_gobench(const struct report *r, FILE *f);
void report_ktap(const struct report *r, FILE *f);
void report_lava(const struct report *r, FILE *f);
void report_kcidb(const struct report *r, FILE *f);
void report_bmf(const struct report *r, FILE *f);
void report_gha(const struct report *r, FILE *f);
void report_b4(const struct report *r, FILE *f);

/* What the page for a browser has beyond the comparison. */
struct report_page {
	char *title;
	char **pictures;	/* SVG texts */
	size_t nr_pictures;
	char *no_pictures;	/* why there are none */
	/*
	 * where the instructions of the largest differences went, and a
	 * flame graph of each
	 */
	char *explained[2], *flame[2];
	size_t nr_explained;
	char *where;		/* the functions that differ most; NULL */
	char *manifest;		/* text; may be NULL */
	const char *again;	/* command that does it all again; may be NULL */
};

void report_html(const struct report *r, const struct report_page *page,
		 FILE *f);

/* The document of one comparison, and of one row; a new reference. */
json_t *comparison_json(const struct comparison *c);
json_t *result_json(const struct result *r);

/*
 * Whether the environments stand in the way. If so, the differences are
 * printed on standard error, one a line, and fail() text names them.
 */
bool report_refusal(const struct env_differences *e, const struct side *base,
		    const struct side *new);

/*
 * Names for the columns of base (0) and each new run (1...): the last part of
 * the path if that is short and tells them apart, else "base", "new", "new2".
 * The caller frees.
 */
char *report_label(const struct report *r, size_t nr);

/* --- the parts that several forms share --- */

/* A row's figures as people see them, with as many decimals as they need. */
struct row_numbers {
	char base[NUMBER_SIZE], new[NUMBER_SIZE], delta[NUMBER_SIZE];
	char change[NUMBER_SIZE];
};

struct row_numbers report_numbers(const struct result *r);
/* The columns of these and of the verdict, and their cells. */
void report_columns(struct table *t, const struct report *r, size_t nr);
void report_cells(struct table *t, const struct result *r);

/* One run: kernel under @label, machine, command. */
void report_side(const struct side *s, const char *label, FILE *f);
/* Path, kernel, and every header of a run; a new reference. */
json_t *side_json(const struct side *s);
/* A cell of CSV (RFC 4180) and what is behind it, ',' or a newline. */
void csv_text(FILE *f, const char *text, char end);
/* Empty where there is none: never 0. */
void csv_number(FILE *f, double v, char end);

/* Which kernels, builds, boots, seeds, machine, command. */
void report_runs(const struct report *r, FILE *f);
/* The parameters that rows do not repeat. */
void report_constant(const struct view *v, FILE *f);
/* "1 regression, 2 equal"; the caller frees. */
char *counts_text(const struct comparison *c);
/* A timed row's interval, of the shift where there is no ratio; free it. */
char *ci_text(const struct result *r);
/* What seeds or boots say of an exact row that varies, or NULL; free it. */
char *agreement_text(const struct result *r);
/* Environments that differ and were allowed to. */
void report_environment(const struct comparison *c, FILE *f);
void report_notes(const struct comparison *c, FILE *f);
/* Timed: why rows are inconclusive, and how many boots would settle them. */
void report_reasons(const struct comparison *c, FILE *f);
void report_power(const struct comparison *c, FILE *f);
/* What was not compared, why; notes; what the words mean. */
void report_rest(const struct report *r, const struct view *v, FILE *f);

#endif
