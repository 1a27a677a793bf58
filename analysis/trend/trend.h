/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A trend: the same points on kernels in their order, each row with the kernels at
 * which it steps, and the functions that account for a step. A document of JSON,
 * which runs/README.md describes; text, picture and pages are made of that.
 */
#ifndef PTELAB_TREND_H
#define PTELAB_TREND_H

#include <jansson.h>
#include <stdio.h>

#include "analysis/judge/compare.h"

#define TREND_SCHEMA	"ptelab-trend-1"
/* The metric that is drawn, and whose steps are explained by function. */
#define TREND_COST	"instructions_kernel"

/*
 * Of folders of boot files, oldest kernel first. One without boot files but with a
 * file "failed" is a hole, for the reason in that file. Beside boot files may be
 * manifest.json (of the kernel) and options (of scripts/lab/options, against the
 * kernel before). @title may be NULL. A new reference; NULL with fail() text.
 */
json_t *trend_make(const char *const *dir, size_t nr, const char *title,
		 const struct compare_options *o);

/*
 * Checks the form of a document that may come from a stranger; all functions below
 * rely on it. @path is for the message. Returns 0, or -EINVAL with fail() text.
 */
int trend_check(const json_t *trend, const char *path);

/* The rows, and for each kernel what changed; @most steps each. */
void trend_text(const json_t *trend, size_t most, FILE *f);
/*
 * Each operation's cost relative to the first kernel that has it, a panel each,
 * a line for each size of folio. One self-contained SVG.
 */
void trend_svg(const json_t *trend, FILE *f);
/* The same for the rows of one operation; @stem: "" for all. */
void trend_svg_of(const json_t *trend, const char *stem, FILE *f);

/* --- of a document, for those that print it --- */

/* A value of a row: the median if boots vary, NAN if there is none. */
double trend_value(const json_t *row, size_t kernel);
/* What a row is of, without folio and metric: "write fault, anon". Borrowed. */
const char *trend_stem(const json_t *row);
/* The row's folio, "" if it has none; borrowed. */
const char *trend_folio(const json_t *row);
/* "walk +264, mtree_load +133, 12 others -3"; the caller frees. */
char *trend_functions(const json_t *step, size_t most);
/* "ARM64_PTR_AUTH_KERNEL +12"; NULL: no option's code is known. The caller frees. */
char *trend_option_shares(const json_t *step);
/* "compiler: base gcc-12, new gcc-14"; NULL: nothing differs. The caller frees. */
char *trend_environment(const json_t *kernel);
/* "312 options, among them PREEMPT_LAZY n -> y"; NULL: unknown. Caller frees. */
char *trend_options(const json_t *kernel);

#endif
