// SPDX-License-Identifier: GPL-2.0
/* A trend as text: where each row came from and went to, then kernel by kernel. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/trend/trend.h"
#include "lib/util.h"

#define STEPS_IN_ROW	2	/* the largest, printed beside a row */
#define FUNCTIONS_TOLD	4

/* --- parts of the document --- */

double trend_value(const json_t *row, size_t kernel)
{
	const json_t *v = json_array_get(json_object_get(row, "values"), kernel);

	if (json_is_object(v))
		v = json_object_get(v, "median");
	return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *trend_folio(const json_t *row)
{
	return json_text(json_object_get(row, "params"), "folio");
}

const char *trend_stem(const json_t *row)
{
	return json_text(row, "words");
}

static bool is_cost(const json_t *row)
{
	return !strcmp(json_text(row, "metric"), TREND_COST);
}

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

static const char *label_of(const json_t *trend, const json_t *step,
			    const char *key)
{
	return json_text(json_array_get(json_object_get(trend, "kernels"),
			 json_integer_value(json_object_get(step, key))),
			 "label");
}

char *trend_functions(const json_t *step, size_t most)
{
	json_t *others = json_object_get(step, "others"), *f;
	double rest = json_number_value(json_array_get(others, 1));
	size_t more = json_integer_value(json_array_get(others, 0)), i;
	char *text = xstrdup(""), n[NUMBER_SIZE];

	json_array_foreach(json_object_get(step, "functions"), i, f) {
		double delta = json_number_value(json_array_get(f, 2)) -
			       json_number_value(json_array_get(f, 1));

		if (i < most) {
			append_text(&text, ", ", "%s %s",
				    json_string_value(json_array_get(f, 0)),
				    format_brief(delta, true, n));
		} else {
			more++;
			rest += delta;
		}
	}
	if (more)
		append_text(&text, ", ", "%zu other%s %s", more, plural(more),
			    format_brief(rest, true, n));
	return text;
}

char *trend_option_shares(const json_t *step)
{
	char *text = NULL, n[NUMBER_SIZE];
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(step, "by_option"), i, o) {
		if (!text)
			text = xstrdup("");
		append_text(&text, ", ", "%s %s",
			    json_string_value(json_array_get(o, 0)),
			    format_brief(json_number_value(json_array_get(o, 2)) -
					 json_number_value(json_array_get(o, 1)),
					 true, n));
	}
	return text;
}

char *trend_options(const json_t *kernel)
{
	json_t *o = json_object_get(kernel, "options"), *each;
	json_int_t nr = json_integer_value(json_object_get(o, "differ"));
	char *text;
	size_t i;

	if (!o)
		return NULL;
	text = xasprintf("%" JSON_INTEGER_FORMAT " option%s differ%s%s", nr,
			 plural(nr), *json_text(o, "against") ? " from " : "",
			 json_text(o, "against"));
	json_array_foreach(json_object_get(o, "everywhere"), i, each)
		append_text(&text, i ? ", " : "; nearly every path meets: ",
			    "%s %s -> %s",
			    json_string_value(json_array_get(each, 0)),
			    json_string_value(json_array_get(each, 1)),
			    json_string_value(json_array_get(each, 2)));
	return text;
}

char *trend_environment(const json_t *kernel)
{
	char *text = NULL;
	json_t *each;
	size_t i;

	json_array_foreach(json_object_get(kernel, "environment"), i, each) {
		if (!text)
			text = xstrdup("");
		append_text(&text, "; ", "%s", json_is_string(each) ?
			    json_string_value(each) : "");
	}
	return text;
}

/* --- a table of all --- */

static double step_size(const json_t *step)
{
	double ratio = number(step, "ratio");

	return isfinite(ratio) && ratio > 0 ? fabs(log(ratio)) : INFINITY;
}

static int by_size(const void *a, const void *b)
{
	double x = step_size(*(json_t *const *)a);
	double y = step_size(*(json_t *const *)b);

	return x < y ? 1 : x > y ? -1 : 0;
}

static const char *change_text(const json_t *o, char *buf)
{
	return format_change(number(o, "ratio"), number(o, "delta"), TIER_EXACT,
			     buf);
}

/* The largest steps of a row: "7.1 +12.3%, 6.16 -3%"; the caller frees. */
static char *steps_text(const json_t *trend, const json_t *row)
{
	json_t *steps = json_object_get(row, "steps"), *s;
	size_t nr = json_array_size(steps), i;
	json_t **v = xcalloc(nr, sizeof(*v));
	char *text = xstrdup(""), change[NUMBER_SIZE];

	json_array_foreach(steps, i, s)
		v[i] = s;
	if (nr)
		qsort(v, nr, sizeof(*v), by_size);
	for (i = 0; i < nr && i < STEPS_IN_ROW; i++)
		append_text(&text, ", ", "%s %s", label_of(trend, v[i], "at"),
			    change_text(v[i], change));
	free(v);
	return text;
}

/* The first and the last kernel that have the row. */
static bool ends_of(const json_t *row, size_t *first, size_t *last)
{
	size_t nr = json_array_size(json_object_get(row, "values"));

	for (*first = 0; *first < nr && isnan(trend_value(row, *first)); ++*first)
		;
	if (*first == nr)
		return false;
	for (*last = nr - 1; isnan(trend_value(row, *last)); --*last)
		;
	return true;
}

static void put_row(struct table *t, const json_t *trend, const json_t *row)
{
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE], *steps;
	size_t first, last;
	double from, to;

	if (!ends_of(row, &first, &last))
		return;
	from = trend_value(row, first);
	to = trend_value(row, last);
	steps = steps_text(trend, row);
	table_row(t);
	table_cell(t, "%s %s", trend_stem(row), trend_folio(row));
	table_cell(t, "%s", format_brief(from, false, a));
	table_cell(t, "%s", format_brief(to, false, b));
	table_cell(t, "%s", format_change(from ? to / from : NAN, to - from,
					  TIER_EXACT, c));
	table_cell(t, "%s", steps);
	free(steps);
}

static void print_rows(const json_t *trend, FILE *f)
{
	struct table *t = table_new();
	json_t *row;
	size_t i;

	table_column(t, "kernel instructions", false);
	table_column(t, "first", true);
	table_column(t, "last", true);
	table_column(t, "change", true);
	table_column(t, "largest steps", false);
	json_array_foreach(json_object_get(trend, "rows"), i, row)
		if (is_cost(row))
			put_row(t, trend, row);
	table_print_mail(t, f, 0, MAIL_WIDTH);
	table_free(t);
}

/* --- kernel by kernel --- */

struct found {
	const json_t *row, *step;
};

static int found_by_size(const void *a, const void *b)
{
	double x = step_size(((const struct found *)a)->step);
	double y = step_size(((const struct found *)b)->step);

	return x < y ? 1 : x > y ? -1 : 0;
}

/* The steps at a kernel, of costs or of all else, the largest first. */
static size_t steps_at(const json_t *trend, size_t at, bool cost,
		       struct found **found)
{
	json_t *row, *step;
	size_t nr = 0, i, j;

	*found = NULL;
	json_array_foreach(json_object_get(trend, "rows"), i, row) {
		if (is_cost(row) != cost)
			continue;
		json_array_foreach(json_object_get(row, "steps"), j, step) {
			if ((size_t)json_integer_value(json_object_get(step, "at")) != at)
				continue;
			*found = grow(*found, nr, sizeof(**found));
			(*found)[nr++] = (struct found){ row, step };
		}
	}
	if (nr)
		qsort(*found, nr, sizeof(**found), found_by_size);
	return nr;
}

static void print_step(const struct found *s, FILE *f)
{
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE];
	char *functions = trend_functions(s->step, FUNCTIONS_TOLD);
	char *shares = trend_option_shares(s->step);

	print_line(f, 2, 4, "%s %s%s%s: %s -> %s, %s", trend_stem(s->row),
		   trend_folio(s->row), is_cost(s->row) ? "" : " ",
		   is_cost(s->row) ? "" : json_text(s->row, "metric"),
		   format_brief(number(s->step, "base"), false, a),
		   format_brief(number(s->step, "new"), false, b),
		   change_text(s->step, c));
	if (*functions)
		print_line(f, 6, 6, "%s", functions);
	if (shares)
		print_line(f, 6, 6, "by option: %s", shares);
	free(functions);
	free(shares);
}

/* Returns how many steps there are. */
static size_t print_steps(const json_t *trend, size_t at, bool cost, size_t most,
			FILE *f)
{
	struct found *found;
	size_t nr = steps_at(trend, at, cost, &found), more = 0, i;

	for (i = 0; i < nr; i++)
		more += number(found[i].step, "delta") > 0;
	if (nr)
		print_line(f, 0, 2, "%s: more in %zu row%s, less in %zu%s",
			   cost ? "kernel instructions" : "other counts", more,
			   plural(more), nr - more,
			   nr > most ? "; the largest:" : ":");
	for (i = 0; i < nr && i < most; i++)
		print_step(&found[i], f);
	free(found);
	return nr;
}

static int wrong(const char *path, const char *what)
{
	return fail(EINVAL, "%s: is no trend of ptelab: %s", path, what);
}

/* As point_path() makes them: pages use them as they are. */
static bool is_id(const char *id)
{
	return *id && !id[strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")];
}

static bool is_row(const json_t *row, size_t kernels)
{
	const json_t *step;
	size_t i;

	if (!json_is_object(json_object_get(row, "params")) ||
	    json_array_size(json_object_get(row, "values")) != kernels ||
	    !is_id(json_text(row, "id")) || !*json_text(row, "metric"))
		return false;
	json_array_foreach(json_object_get(row, "steps"), i, step)
		if ((size_t)json_integer_value(json_object_get(step, "at")) >= kernels ||
		    (size_t)json_integer_value(json_object_get(step, "from")) >= kernels)
			return false;
	return true;
}

int trend_check(const json_t *trend, const char *path)
{
	json_t *kernels = json_object_get(trend, "kernels"), *row;
	size_t i;

	if (strcmp(json_text(trend, "schema"), TREND_SCHEMA))
		return wrong(path, "its schema is not " TREND_SCHEMA);
	if (!json_array_size(kernels))
		return wrong(path, "it has no kernels");
	json_array_foreach(json_object_get(trend, "rows"), i, row)
		if (!is_row(row, json_array_size(kernels)))
			return wrong(path, "a row has no path, or not one value for each kernel");
	return 0;
}

void trend_text(const json_t *trend, size_t most, FILE *f)
{
	json_t *kernels = json_object_get(trend, "kernels"), *k;
	const char *before = NULL;
	size_t i;

	print_line(f, 0, 0, "%s", json_text(trend, "title"));
	fputc('\n', f);
	print_rows(trend, f);
	json_array_foreach(kernels, i, k) {
		const char *label = json_text(k, "label");
		char *options = trend_options(k);
		char *environment = trend_environment(k);

		if (*json_text(k, "failed")) {
			fputc('\n', f);
			print_line(f, 0, 2, "%s: not measured: %s", label,
				   json_text(k, "failed"));
		} else if (before) {
			fputc('\n', f);
			print_line(f, 0, 2, "%s -> %s%s%s", before, label,
				   *json_text(k, "subject") ? " " : "",
				   json_text(k, "subject"));
			if (*json_text(k, "source"))
				print_line(f, 0, 2, "configuration: %s", options ?
					   options : "not known, so it may be the cause of a step");
			if (environment)
				print_line(f, 0, 2, "environment: %s", environment);
			if (!(print_steps(trend, i, true, most, f) +
			      print_steps(trend, i, false, most, f)))
				fputs("no row differs\n", f);
			before = label;
		} else {
			before = label;
		}
		free(options);
		free(environment);
	}
	if (*json_text(json_array_get(kernels, 0), "source")) {
		fputc('\n', f);
		print_line(f, 0, 0, "Between two releases thousands of changes were merged, and the configuration and the compiler differ. No step can be attributed to one change. \"by option\" is the cost of an option as far as its code can be identified, so a lower bound.");
	}
}
