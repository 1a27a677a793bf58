// SPDX-License-Identifier: GPL-2.0
/*
 * The form for mail: a verdict first, then the table, a heading for each
 * point and a line for each metric that differs.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/report/report.h"
#include "lib/util.h"

/* More new runs than this do not fit beside each other. */
#define NEWS_A_BLOCK	2

/* --- the verdict --- */

static void print_verdict(const struct report *whole, size_t nr, FILE *f)
{
	const struct comparison *c = whole->c[nr];
	char *label = report_label(whole, nr + 1);
	char *base = report_label(whole, 0);
	char *against = xasprintf("%s against %s", label, base);
	char *counts = counts_text(c), *changed, change[NUMBER_SIZE];
	const struct result *r = c->nr_results ? &c->results[0] : NULL;

	if (r && is_difference(r))
		print_line(f, 0, 2, "%s: %s; largest: %s %s, %s.", against,
			   counts, r->point->bench, r->metric,
			   format_change(r->ratio, r->delta, r->tier,
					 change));
	else
		print_line(f, 0, 2, "%s: %s: %s.", against,
			   c->exercised == EXERCISED_NEVER ||
			   c->exercised == EXERCISED_OUTSIDE ? "not exercised" :
			   c->exercised == EXERCISED_PART ?
			   "no difference is shown in what ran of the changed code" :
			   "no difference is shown", counts);
	changed = exercised_text(c->changes);
	if (changed)
		print_line(f, 0, 2, "%s", changed);
	free(changed);
	if (c->releases)
		print_line(f, 0, 2, "%s", c->releases);
	free(counts);
	free(against);
	free(label);
	free(base);
}

/* --- one line of the table --- */

struct row_numbers report_numbers(const struct result *r)
{
	double v[] = { r->base.median, r->new.median };
	int d = decimals_for(v, 2, r->delta, r->tier);
	struct row_numbers n;

	format_number(v[0], d, n.base);
	format_number(v[1], d, n.new);
	format_delta(r->delta, d, n.delta);
	format_change(r->ratio, r->delta, r->tier, n.change);
	return n;
}

void report_columns(struct table *t, const struct report *r, size_t nr)
{
	char *base = report_label(r, 0), *new = report_label(r, nr + 1);

	table_column(t, base, true);
	table_column(t, new, true);
	table_column(t, "delta", true);
	table_column(t, "change", true);
	table_column(t, "verdict", false);
	free(base);
	free(new);
}

void report_cells(struct table *t, const struct result *r)
{
	struct row_numbers n = report_numbers(r);

	table_cell(t, "%s", n.base);
	table_cell(t, "%s", n.new);
	table_cell(t, "%s", n.delta);
	table_cell(t, "%s", n.change);
	table_cell(t, "%s", r->word);
}

static char *range_text(const struct sample *s, int decimals)
{
	char low[NUMBER_SIZE], high[NUMBER_SIZE];

	if (sample_is_one(s))
		return xstrdup(format_number(s->min, decimals, low));
	return xasprintf("%s..%s", format_number(s->min, decimals, low),
			 format_number(s->max, decimals, high));
}

/* What of a row that varies is no noise; NULL: not known, or nothing. */
static char *cause_text(const struct result *r)
{
	static const char *const where[] = {
		"in changed code", "in what it calls", "elsewhere",
	};
	char number[NUMBER_SIZE], *text = NULL, *more;
	int i;

	if (!r->cause.known)
		return NULL;
	if (!is_difference(r))
		return xstrdup(r->cause.noise_in_change ?
			       "; the changed code varies as well" :
			       "; none of it in changed code");
	for (i = 0; i < NR_CAUSE_PARTS; i++) {
		double v = r->cause.part[i];

		if (!v)
			continue;
		format_delta(v, decimals_for(&v, 1, v, r->tier), number);
		more = xasprintf("%s%s%s %s", text ? text : "",
				 text ? ", " : "; in every boot ", number,
				 where[i]);
		free(text);
		text = more;
	}
	return text;
}

/* An exact value that varies is shown with its range. */
static void range_line(struct table *t, const struct result *r)
{
	double v[] = { r->base.min, r->base.max, r->new.min, r->new.max };
	double spread = fmax(v[1], v[3]) - fmin(v[0], v[2]);
	int d = decimals_for(v, 4, spread, r->tier);
	const char *what = strcmp(r->point->mode, "exact") ? "boots" : "seeds";
	char *base, *new, *boots, *cause;

	if (sample_is_one(&r->base) && sample_is_one(&r->new))
		return;
	cause = cause_text(r);
	base = range_text(&r->base, d);
	new = range_text(&r->new, d);
	boots = agreement_text(r);
	table_line(t, 4, "%s -> %s over %s%s", base, new, what,
		   cause ? cause : boots ? boots : "");
	free(cause);
	free(boots);
	free(base);
	free(new);
}

static void interval_line(struct table *t, const struct result *r)
{
	char p[NUMBER_SIZE], adjusted[NUMBER_SIZE], *more = NULL, *interval;

	if (isnan(r->p) || r->tier == TIER_EXACT)
		return;
	if (r->boots_more)
		more = xasprintf("; about %zu more a side would settle it",
				 r->boots_more);
	interval = ci_text(r);
	table_line(t, 4, "CI %s, %s, adjusted %s; %zu and %zu boots%s",
		   interval, format_p(r->p, p),
		   format_p(r->p_adjusted, adjusted) + 2, r->base.boots,
		   r->new.boots, more ? more : "");
	free(interval);
	free(more);
}

static void point_heading(struct table *t, const struct view *v, size_t row)
{
	char *text;

	if (row && v->row[row - 1]->point == v->row[row]->point)
		return;
	text = view_point(v, v->row[row]->point);
	table_line(t, 0, "%s", text);
	free(text);
}

static void result_row(struct table *t, const struct result *r)
{
	table_row(t);
	table_cell(t, "%s", r->metric);
	report_cells(t, r);
	if (r->tier == TIER_EXACT)
		range_line(t, r);
	else
		interval_line(t, r);
}

static void print_table(const struct report *r, const struct view *v, FILE *f)
{
	struct table *t = table_new();
	size_t i;

	table_column(t, "per operation", false);
	report_columns(t, r, 0);
	for (i = 0; i < v->nr; i++) {
		point_heading(t, v, i);
		result_row(t, v->row[i]);
	}
	if (v->nr)
		table_print_mail(t, f, 1, MAIL_WIDTH);
	table_free(t);
}

/* --- several new runs beside each other --- */

static char verdict_mark(enum verdict v)
{
	static const char marks[] = { 'R', 'I', 'C', '=', '=', '~', 'E', '?' };

	return marks[v];
}

static void matrix_cell(struct table *t, const struct result *r)
{
	struct row_numbers n;

	if (!r) {
		table_cell(t, "-");
		table_cell(t, "%s", "");
		return;
	}
	n = report_numbers(r);
	table_cell(t, "%s", n.new);
	table_cell(t, "%s (%c)", n.change, verdict_mark(r->verdict));
}

static void matrix_row(struct table *t, const struct report *r, size_t first,
		       size_t last, const struct result *any)
{
	struct row_numbers n = report_numbers(any);
	size_t i;

	table_row(t);
	table_cell(t, "%s", any->metric);
	table_cell(t, "%s", n.base);
	for (i = first; i < last; i++)
		matrix_cell(t, result_like(r->c[i], any));
}

static struct table *matrix_table(const struct report *r, const struct view *v,
				  size_t first, size_t last)
{
	struct table *t = table_new();
	char *label = report_label(r, 0);
	size_t i;

	table_column(t, "per operation", false);
	table_column(t, label, true);
	free(label);
	for (i = first; i < last; i++) {
		label = report_label(r, i + 1);
		table_column(t, label, true);
		table_column(t, "change", true);
		free(label);
	}
	for (i = 0; i < v->nr; i++) {
		point_heading(t, v, i);
		matrix_row(t, r, first, last, v->row[i]);
	}
	return t;
}

/* Prints as many new runs from @first on as fit; returns the next. */
static size_t print_block(const struct report *r, const struct view *v,
			  size_t first, FILE *f)
{
	size_t last = first + NEWS_A_BLOCK < r->nr ? first + NEWS_A_BLOCK :
		      r->nr;
	struct table *t = matrix_table(r, v, first, last);

	while (table_least_mail(t, 2) > MAIL_WIDTH && last > first + 1) {
		table_free(t);
		t = matrix_table(r, v, first, --last);
	}
	table_print_mail(t, f, 2, MAIL_WIDTH);
	table_free(t);
	return last;
}

static void print_matrix(const struct report *r, const struct view *v, FILE *f)
{
	size_t next = 0;

	if (!v->nr)
		return;
	while (next < r->nr) {
		if (next)
			fputc('\n', f);
		next = print_block(r, v, next, f);
	}
	fputc('\n', f);
	print_line(f, 0, 2, "(R) regression, (I) improvement, (C) changed, (=) equal, (~) overlapping, (E) equivalent, (?) inconclusive.");
}

void report_rows(const struct report *r, FILE *f)
{
	struct view v = view_merge(r->c, r->nr, r->all);
	size_t i;

	for (i = 0; i < r->nr; i++)
		print_verdict(r, i, f);
	fputc('\n', f);
	report_runs(r, f);
	report_constant(&v, f);
	if (v.nr)
		fputc('\n', f);
	if (r->nr == 1)
		print_table(r, &v, f);
	else
		print_matrix(r, &v, f);
	report_rest(r, &v, f);
	view_free(&v);
}

void report_text(const struct report *r, FILE *f)
{
	if (r->nr == 1 && !r->all)
		report_answer(r, f);
	else
		report_rows(r, f);
}
