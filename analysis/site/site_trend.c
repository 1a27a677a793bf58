// SPDX-License-Identifier: GPL-2.0
/* The page of a trend: its picture, what changed at each kernel, all its values. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/pivot.h"
#include "analysis/site/site_page.h"
#include "analysis/trend/trend.h"

#define FUNCTIONS_TOLD	5

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

static char *name_of_row(const json_t *row)
{
	const char *metric = json_text(row, "metric"), *folio = trend_folio(row);

	return xasprintf("%s%s%s%s%s", trend_stem(row), *folio ? " " : "", folio,
			 strcmp(metric, TREND_COST) ? " " : "",
			 strcmp(metric, TREND_COST) ? metric : "");
}

static void put_step(const json_t *row, const json_t *step, FILE *f)
{
	char *functions = trend_functions(step, FUNCTIONS_TOLD);
	char *shares = trend_option_shares(step), *name = name_of_row(row);
	char change[NUMBER_SIZE];
	const char *word = json_text(step, "verdict");

	fprintf(f, "<tr><td><a href=\"#%s\">", row_place(json_text(row, "id")));
	put_markup(f, name);
	fputs("</a></td>", f);
	put_number(f, number(step, "base"));
	put_number(f, number(step, "new"));
	put_cell(f, "n", format_change(number(step, "ratio"), number(step, "delta"),
				       TIER_EXACT, change));
	put_cell(f, word, word);
	fputs("<td>", f);
	put_markup(f, *functions ? functions : json_text(step, "unexplained"));
	if (shares) {
		fputs("<div class=\"note\">by option: ", f);
		put_markup(f, shares);
		fputs("</div>", f);
	}
	fputs("</td></tr>\n", f);
	free(name);
	free(functions);
	free(shares);
}

static void put_steps_at(const json_t *trend, size_t at, FILE *f)
{
	static const char *const names[] = { "row", "#before", "#after", "#change",
					     "verdict", "functions that account for it", NULL };
	json_t *row, *step;
	size_t nr = 0, i, j;

	json_array_foreach(json_object_get(trend, "rows"), i, row)
		json_array_foreach(json_object_get(row, "steps"), j, step) {
			if ((size_t)json_integer_value(json_object_get(step, "at")) != at)
				continue;
			if (!nr++)
				put_columns(f, names);
			put_step(row, step, f);
		}
	fputs(nr ? "</tbody></table></div>\n" : "<p>No row differs.</p>\n", f);
}

static void put_kernel(const json_t *trend, size_t at, const char *before, FILE *f)
{
	json_t *k = json_array_get(json_object_get(trend, "kernels"), at);
	const char *label = json_text(k, "label");
	char *options = trend_options(k), *environment = trend_environment(k);

	fputs("<h2 id=\"kernel-", f);
	put_markup(f, label);
	fputs("\">", f);
	if (before) {
		put_markup(f, before);
		fputs(" to ", f);
	}
	put_markup(f, label);
	fputs("</h2>\n<p class=\"note\">", f);
	put_markup(f, json_text(k, *json_text(k, "subject") ? "subject" : "source"));
	fputs("</p>\n", f);
	if (*json_text(k, "failed")) {
		fputs("<p class=\"hole\">Not measured: ", f);
		put_markup(f, json_text(k, "failed"));
		fputs("</p>\n", f);
	} else if (before) {
		if (options) {
			fputs("<p>Configuration: ", f);
			put_markup(f, options);
			fputs(".</p>\n", f);
		} else if (*json_text(k, "source")) {
			fputs("<p>Configuration: not known, so it may be the cause of a step.</p>\n", f);
		}
		if (environment) {
			fputs("<p>Environment: ", f);
			put_markup(f, environment);
			fputs(".</p>\n", f);
		}
		put_steps_at(trend, at, f);
	}
	free(options);
	free(environment);
}

static void put_values(const json_t *trend, FILE *f)
{
	json_t *kernels = json_object_get(trend, "kernels"), *row, *k;
	size_t i, j;

	fputs("<h2>All values</h2>\n<div class=\"wide\"><table><thead><tr><th>row</th>", f);
	json_array_foreach(kernels, j, k) {
		fputs("<th class=\"n\">", f);
		put_markup(f, json_text(k, "label"));
		fputs("</th>", f);
	}
	fputs("</tr></thead><tbody>\n", f);
	json_array_foreach(json_object_get(trend, "rows"), i, row) {
		char *name = name_of_row(row);

		fprintf(f, "<tr id=\"%s\">", row_place(json_text(row, "id")));
		put_cell(f, NULL, name);
		json_array_foreach(kernels, j, k) {
			double v = trend_value(row, j);
			char n[NUMBER_SIZE];

			if (!isnan(v))
				put_cell(f, "n", format_brief(v, false, n));
			else if (*json_text(k, "failed"))
				put_cell(f, "n hole", "hole");
			else
				put_cell(f, "n", "absent");
		}
		fputs("</tr>\n", f);
		free(name);
	}
	fputs("</tbody></table></div>\n", f);
}

/* A picture for each operation, so that a narrow page has them below each other. */
static void put_pictures(const json_t *trend, FILE *f)
{
	struct names stems = { 0 };
	json_t *row;
	size_t i;

	json_array_foreach(json_object_get(trend, "rows"), i, row)
		if (!strcmp(json_text(row, "metric"), TREND_COST))
			names_once(&stems, xstrdup(trend_stem(row)));
	fputs("<div class=\"pictures\">\n", f);
	for (i = 0; i < stems.nr; i++) {
		fputs("<figure>", f);
		trend_svg_of(trend, stems.text[i], f);
		fputs("</figure>\n", f);
	}
	fputs("</div>\n", f);
	names_free(&stems);
}

int site_put_trend(const struct site *s, const struct item *item)
{
	char *path = xasprintf("t/%s.html", item->page);
	json_t *kernels = json_object_get(item->doc, "kernels"), *k;
	FILE *f = page_open(s, path, "../", json_text(item->doc, "title"));
	const char *before = NULL;
	int ret = f ? 0 : -EIO;
	size_t i;

	if (f) {
		fputs("<p>Kernel instructions for each operation in an emulated machine, relative to the first kernel that has the operation. Instructions are not time.</p>\n", f);
		if (*json_text(json_array_get(kernels, 0), "source"))
			fputs("<p><strong>No step can be attributed to one change.</strong> Between two releases thousands were merged, and the configuration and the compiler differ: each section says in which options. \"By option\" is the cost of an option as far as its code can be identified, so a lower bound.</p>\n", f);
		put_pictures(item->doc, f);
		json_array_foreach(kernels, i, k) {
			put_kernel(item->doc, i, before, f);
			if (!*json_text(k, "failed"))
				before = json_text(k, "label");
		}
		put_values(item->doc, f);
		if (page_close(f, path))
			ret = -errno;
	}
	free(path);
	return ret;
}

void site_add_trend_rows(struct site *s, size_t item)
{
	const json_t *doc = s->item[item].doc, *row, *step;
	json_t *kernels = json_object_get(doc, "kernels");
	size_t i, j;

	json_array_foreach(json_object_get(doc, "rows"), i, row) {
		json_t *steps = json_object_get(row, "steps");

		json_array_foreach(steps, j, step) {
			char change[NUMBER_SIZE], base[NUMBER_SIZE], new[NUMBER_SIZE];
			char *params = params_text(json_object_get(row, "params"), " ");
			char *point = xasprintf("%s %s", json_text(row, "bench"), params);
			char *text = xasprintf("at %s %s -> %s, %s",
				json_text(json_array_get(kernels, json_integer_value(
					json_object_get(step, "at"))), "label"),
				format_brief(number(step, "base"), false, base),
				format_brief(number(step, "new"), false, new),
				format_change(number(step, "ratio"), number(step, "delta"),
					      TIER_EXACT, change));

			site_add_row(s, json_text(row, "id"), json_text(row, "bench"),
				     point, json_text(row, "metric"), item, text,
				     json_text(step, "verdict"));
			free(text);
			free(point);
			free(params);
		}
	}
}
