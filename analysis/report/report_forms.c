// SPDX-License-Identifier: GPL-2.0
/*
 * The other forms for people: fastpath's grid, time and count lines, and
 * markdown.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/report/report.h"
#include "lib/util.h"

/* --- grid --- */

/* "(I) ", "(R) " as fastpath marks; "" where there is nothing to mark. */
static const char *grid_mark(enum verdict v)
{
	switch (v) {
	case VERDICT_IMPROVEMENT:
		return "(I) ";
	case VERDICT_REGRESSION:
		return "(R) ";
	case VERDICT_CHANGED:
		return "(C) ";
	default:
		return "";
	}
}

static void grid_cell(struct table *t, const struct result *r)
{
	char change[NUMBER_SIZE];

	if (!r)
		table_cell(t, "-");
	else if (r->delta && (isnan(r->ratio) || r->ratio >= 10))
		table_cell(t, "%s%s", grid_mark(r->verdict),
			   format_value(r->new.median, r->tier, change));
	else
		table_cell(t, "%s%s", grid_mark(r->verdict),
			   format_percent(r->delta ? r->ratio : 1, 2, change));
}

/* A benchmark's name once for all its rows. */
static const char *bench_cell(const struct view *v, size_t row)
{
	const char *bench = v->row[row]->point->bench;

	if (row && !strcmp(v->row[row - 1]->point->bench, bench))
		return "";
	return bench;
}

static void grid_row(struct table *t, const struct report *r,
		     const struct view *v, size_t row)
{
	const struct result *x = v->row[row];
	char *params = varying_params(x->point, v->constant), *class, *label;
	char number[NUMBER_SIZE];
	size_t i;

	label = metric_label(x->metric, x->facts.unit);
	class = xasprintf("%s%s%s%s%s", params, *params ? " " : "",
			  v->modes ? x->point->mode : "", v->modes ? " " : "",
			  label);
	table_row(t);
	table_cell(t, "%s", bench_cell(v, row));
	table_cell(t, "%s", class);
	table_cell(t, "%s", format_value(x->base.median, x->tier, number));
	for (i = 0; i < r->nr; i++)
		grid_cell(t, result_like(r->c[i], x));
	free(label);
	free(class);
	free(params);
}

/* Columns beside each other; the rest in further grids. */
#define NEWS_A_GRID	3

static struct table *grid_table(const struct report *whole,
				const struct view *v, size_t first, size_t nr)
{
	struct report r = { .c = whole->c + first, .nr = nr };
	struct table *t = table_new();
	char *label = report_label(whole, 0);
	size_t i;

	table_column(t, "Benchmark", false);
	table_column(t, "Result Class", false);
	table_column(t, label, true);
	free(label);
	for (i = 0; i < nr; i++) {
		label = report_label(whole, first + i + 1);
		table_column(t, label, true);
		free(label);
	}
	for (i = 0; i < v->nr; i++)
		grid_row(t, &r, v, i);
	return t;
}

/* Prints as many new runs from @first on as fit; returns how many. */
static size_t print_grid(const struct report *whole, const struct view *v,
			 size_t first, FILE *f)
{
	size_t nr = whole->nr - first < NEWS_A_GRID ? whole->nr - first :
		    NEWS_A_GRID;
	struct table *t = grid_table(whole, v, first, nr);

	while (table_least_grid(t) > MAIL_WIDTH && nr > 1) {
		table_free(t);
		t = grid_table(whole, v, first, --nr);
	}
	table_print_grid(t, f, MAIL_WIDTH);
	table_free(t);
	return nr;
}

/* Rows of a benchmark together, so that its name stands once. */
static void group_benches(struct view *v)
{
	const struct result **sorted = xcalloc(v->nr, sizeof(*sorted));
	size_t nr = 0, i, j;

	for (i = 0; i < v->nr; i++) {
		const char *bench = v->row[i]->point->bench;

		for (j = 0; j < i; j++)
			if (!strcmp(v->row[j]->point->bench, bench))
				break;
		if (j < i)
			continue;
		for (j = i; j < v->nr; j++)
			if (!strcmp(v->row[j]->point->bench, bench))
				sorted[nr++] = v->row[j];
	}
	free(v->row);
	v->row = sorted;
}

static void report_grid(const struct report *r, FILE *f)
{
	struct view v = view_merge(r->c, r->nr, r->all);
	size_t i;

	report_runs(r, f);
	fputc('\n', f);
	group_benches(&v);
	for (i = 0; v.nr && i < r->nr; )
		i += print_grid(r, &v, i, f);
	print_line(f, 0, 2, "(I)/(R): improvement/regression, (C): changed; without a mark no difference is shown. Percent against base; a plain number where base is 0 or it grew tenfold.");
	report_constant(&v, f);
	report_rest(r, &v, f);
	view_free(&v);
}

/* --- markdown --- */

static void markdown_row(struct table *t, const struct result *r,
			 const struct view *v)
{
	char *params = varying_params(r->point, v->constant);
	char *label = metric_label(r->metric, r->facts.unit);

	table_row(t);
	table_cell(t, "%s", r->point->bench);
	table_cell(t, "%s%s%s", params, v->modes ? " " : "",
		   v->modes ? r->point->mode : "");
	table_cell(t, "%s", label);
	report_cells(t, r);
	free(label);
	free(params);
}

static void print_markdown(const struct report *whole, size_t nr, FILE *f)
{
	static const char *const left[] = { "benchmark", "parameters",
					    "metric" };
	struct view v = view_of(whole->c[nr], whole->all);
	struct table *t = table_new();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(left); i++)
		table_column(t, left[i], false);
	report_columns(t, whole, nr);
	for (i = 0; i < v.nr; i++)
		markdown_row(t, v.row[i], &v);
	if (v.nr)
		table_print_markdown(t, f);
	fputc('\n', f);
	report_constant(&v, f);
	table_free(t);
	view_free(&v);
}

/* A code block, which no backticks in the text can end. */
static void print_code(const char *text, FILE *f)
{
	int fence = 3, run = 0, i;
	const char *at;

	for (at = text; *at; at++) {
		run = *at == '`' ? run + 1 : 0;
		fence = run >= fence ? run + 1 : fence;
	}
	for (i = 0; i < fence; i++)
		fputc('`', f);
	fprintf(f, "\n%s", text);
	for (i = 0; i < fence; i++)
		fputc('`', f);
	fputc('\n', f);
}

static void report_markdown(const struct report *r, FILE *f)
{
	struct view v = view_merge(r->c, r->nr, r->all);
	size_t i, len;
	char *text;
	FILE *code;

	for (i = 0; i < r->nr; i++)
		print_markdown(r, i, f);
	code = open_memstream(&text, &len);
	report_runs(r, code);
	report_rest(r, &v, code);
	fclose(code);
	print_code(text, f);
	free(text);
	view_free(&v);
}

/* --- time and count --- */

/* The metric that stands for what a point costs. */
static const struct result *cost_of(const struct result *r, size_t nr)
{
	const char *metric;
	unsigned int rank;
	size_t i;

	for (rank = 1; (metric = metric_cost(rank)); rank++)
		for (i = 0; i < nr; i++)
			if (!strcmp(r[i].metric, metric))
				return &r[i];
	return NULL;
}

static int by_point(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	return strcmp(x->metric, y->metric);
}

static const char *count_value(const struct result *r, bool new,
			       char number[NUMBER_SIZE])
{
	double v[] = { r->base.median, r->new.median };

	return format_number(v[new], decimals_for(v, 2, r->delta, r->tier),
			     number);
}

/* " (16 lockless_gathers, 1 gup_fast_calls)": what either side counted. */
static char *events_text(const struct result *r, size_t nr, bool new)
{
	char *text = xstrdup(""), number[NUMBER_SIZE];
	size_t i;

	for (i = 0; i < nr; i++) {
		char *more;

		if (r[i].facts.kind != METRIC_EVENT ||
		    (!r[i].base.max && !r[i].new.max))
			continue;
		more = xasprintf("%s%s%s %s", text, *text ? ", " : "",
				 count_value(&r[i], new, number), r[i].metric);
		free(text);
		text = more;
	}
	return text;
}

static void count_line(const struct result *r, size_t nr, bool new,
		       const char *what, FILE *f)
{
	const struct result *cost = cost_of(r, nr);
	char *events = events_text(r, nr, new), number[NUMBER_SIZE];
	const char *when = new ? "After:" : "Before:";

	if (cost)
		print_labelled(f, when, 7, "%s: %s %s%s%s%s", what,
			       count_value(cost, new, number),
			       cost->metric, *events ? " (" : "", events,
			       *events ? ")" : "");
	else
		print_labelled(f, when, 7, "%s: %s", what, events);
	free(events);
}

static bool any_difference(const struct result *r, size_t nr)
{
	while (nr--)
		if (is_difference(&r[nr]))
			return true;
	return false;
}

static void print_counts(const struct report *whole, size_t nr, FILE *f)
{
	const struct comparison *c = whole->c[nr];
	struct view v = view_of(c, whole->all);
	struct result *r = xcalloc(c->nr_results, sizeof(*r));
	size_t start, end;

	if (c->nr_results) {
		memcpy(r, c->results, c->nr_results * sizeof(*r));
		qsort(r, c->nr_results, sizeof(*r), by_point);
	}
	for (start = 0; start < c->nr_results; start = end) {
		char *what = view_point(&v, r[start].point);

		for (end = start; end < c->nr_results; end++)
			if (r[end].point != r[start].point)
				break;
		if (whole->all || any_difference(r + start, end - start)) {
			count_line(r + start, end - start, false, what, f);
			count_line(r + start, end - start, true, what, f);
			fputc('\n', f);
		}
		free(what);
	}
	free(r);
	view_free(&v);
}

static void report_count(const struct report *r, FILE *f)
{
	struct view v = view_merge(r->c, r->nr, r->all);
	size_t i;

	report_runs(r, f);
	fputc('\n', f);
	for (i = 0; i < r->nr; i++) {
		char *label = report_label(r, i + 1);

		if (r->nr > 1)
			fprintf(f, "%s\n", label);
		print_counts(r, i, f);
		free(label);
	}
	report_constant(&v, f);
	report_rest(r, &v, f);
	view_free(&v);
}

/* --- the table --- */

static const struct report_format formats[] = {
	{ { "text", "the answer in a few lines" }, report_text },
	{ { "rows", "a line for each metric that differs" }, report_rows },
	{ { "mail", "the answer as a reply to the patch" }, report_mail },
	{ { "grid", NULL }, report_grid },
	{ { "count", NULL }, report_count },
	{ { "markdown", NULL }, report_markdown },
	{ { "csv", NULL }, report_csv },
	{ { "json", NULL }, report_json },
	{ { "gobench", "all values, for benchstat" }, report_gobench },
	{ { "ktap", "tests that pass or fail, for kselftest's tools" },
	  report_ktap },
	{ { "lava", "test cases of LAVA" }, report_lava },
	{ { "kcidb", "a submission to kernelci.org" }, report_kcidb },
	{ { "bmf", "the new figures, for Bencher" }, report_bmf },
	{ { "gha", "the same for github-action-benchmark" }, report_gha },
	{ { "b4", "the answer as a check of b4 review" }, report_b4 },
};

const struct choices report_formats = CHOICES(formats);
