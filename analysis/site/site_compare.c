// SPDX-License-Identifier: GPL-2.0
/* The pages of comparisons and of series. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/report/machine.h"
#include "analysis/site/picture_safe.h"
#include "analysis/site/site_page.h"
#include "lib/insn_metrics.h"

#define PICTURE_MAX	(64 * KIB)

/* --- parts of compare.json, which a stranger may have written --- */

static double value_of(const json_t *v)
{
	if (json_is_object(v))
		v = json_object_get(v, "median");
	return json_is_number(v) ? json_number_value(v) : NAN;
}

static bool is_difference_named(const char *verdict)
{
	return !strcmp(verdict, "regression") || !strcmp(verdict, "improvement") ||
	       !strcmp(verdict, "changed");
}

/* As in the table of a comparison, no row that says little more than another. */
static bool is_sound(const json_t *r)
{
	return !counts_detail(json_text(r, "metric")) && *json_text(r, "bench") && *json_text(r, "metric") &&
	       json_is_object(json_object_get(r, "params"));
}

static char *id_of(const json_t *r)
{
	struct report one = { .nr = 1 };
	struct side_point p = { .bench = json_text(r, "bench"),
				.mode = json_text(r, "mode"),
				.params = json_object_get(r, "params") };

	return point_path(&one, 0, &p, json_text(r, "metric"));
}

static char *point_of(const json_t *r)
{
	char *params = params_text(json_object_get(r, "params"), " ");
	char *text = xasprintf("%s%s%s", json_text(r, "bench"),
			       *params ? " " : "", params);

	free(params);
	return text;
}

/* Between two releases no difference is called a regression. */
static const char *word_of(const json_t *doc, const json_t *r)
{
	const char *verdict = json_text(r, "verdict");

	if (!json_object_get(doc, "two_releases") || !is_difference_named(verdict))
		return verdict;
	return value_of(json_object_get(r, "delta")) > 0 ? "more" : "less";
}

static char *change_of(const json_t *r)
{
	const json_t *ratio = json_object_get(r, "ratio");
	enum tier tier = strcmp(json_text(r, "tier"), "timed") ? TIER_EXACT : TIER_TIMED;
	char n[NUMBER_SIZE];

	return xstrdup(format_change(json_is_number(ratio) ? json_number_value(ratio) : NAN,
				     value_of(json_object_get(r, "delta")), tier, n));
}

/* --- a comparison --- */

/* A text file of a result; NULL if it has none. */
static char *text_of(const struct item *item, const char *name)
{
	char *path = xasprintf("%s/%s", item->dir, name);
	char *text = readable(path) ? read_file(path, NULL) : NULL;

	free(path);
	return text;
}

static void put_text(const struct item *item, const char *name,
		     const char *summary, FILE *f)
{
	char *text = text_of(item, name);

	if (!text)
		return;
	if (summary)
		fprintf(f, "<details><summary>%s</summary>\n", summary);
	put_lines(f, text);
	if (summary)
		fputs("</details>\n", f);
	free(text);
}

static void put_findings(const json_t *doc, FILE *f)
{
	json_t *findings = json_object_get(doc, "findings"), *each;
	size_t i;

	if (!json_array_size(findings))
		return;
	fputs("<h2>Findings</h2>\n<ul>\n", f);
	json_array_foreach(findings, i, each) {
		fputs("<li>", f);
		put_markup(f, json_text(each, "severity"));
		fputc(' ', f);
		put_markup(f, json_text(each, "rule"));
		fputs(": ", f);
		put_markup(f, json_text(each, "text"));
		fputs("</li>\n", f);
	}
	fputs("</ul>\n", f);
}

static void put_row(const json_t *doc, const json_t *r, FILE *f)
{
	char *id = id_of(r), *point = point_of(r), *change = change_of(r);
	char *bench = site_word(json_text(r, "bench"));
	const char *word = word_of(doc, r);

	fprintf(f, "<tr id=\"%s\"><td>", row_place(id));
	fprintf(f, "<a href=\"../rows/%s.html#%s\">", bench, row_place(id));
	put_markup(f, point);
	fputs("</a></td>", f);
	put_cell(f, NULL, json_text(r, "metric"));
	put_number(f, value_of(json_object_get(r, "base")));
	put_number(f, value_of(json_object_get(r, "new")));
	put_cell(f, "n", change);
	/* a class of the style sheet, or none */
	put_cell(f, is_difference_named(json_text(r, "verdict")) ||
		 !strcmp(word, "more") || !strcmp(word, "less") ? word : NULL, word);
	fputs("</tr>\n", f);
	free(bench);
	free(change);
	free(point);
	free(id);
}

static void put_rows(const json_t *doc, FILE *f)
{
	static const char *const names[] = { "point", "metric", "#base", "#new",
					     "#change", "verdict", NULL };
	json_t *results = json_object_get(doc, "results"), *r;
	size_t same = 0, i;

	fputs("<h2>What differs</h2>\n", f);
	put_columns(f, names);
	json_array_foreach(results, i, r) {
		if (!is_sound(r))
			continue;
		if (is_difference_named(json_text(r, "verdict")))
			put_row(doc, r, f);
		else
			same++;
	}
	fprintf(f, "</tbody></table></div>\n<p class=\"note\">%zu other rows do not differ, or nothing is claimed of them.</p>\n",
		same);
}

/* points.svg of make ab, in its folder or in plots/. */
static int put_picture(const struct site *s, const struct item *item, FILE *f)
{
	static const char *const places[] = { "points.svg", "plots/points.svg",
					      "plots/points-instructions_kernel.svg" };
	char *text = NULL, *path;
	const char *unsafe;
	int ret = 0;
	FILE *copy;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places) && !text; i++)
		text = text_of(item, places[i]);
	if (!text)
		return 0;
	unsafe = strlen(text) > PICTURE_MAX ? "is large" : picture_unsafe(text);
	if (unsafe) {
		fprintf(f, "<p class=\"note\">Without its picture, which %s.</p>\n",
			unsafe);
		free(text);
		return 0;
	}
	path = xasprintf("%s/c/%s.svg", s->out, item->page);
	copy = fopen(path, "we");
	if (copy) {
		fputs(text, copy);
		ret = close_file(copy, path);
	} else {
		ret = fail(errno, "%s: %s", path, strerror(errno));
	}
	fprintf(f, "<figure><div class=\"wide\"><img src=\"%s.svg\" alt=\"every point on both kernels\" loading=\"lazy\"></div></figure>\n",
		item->page);
	free(path);
	free(text);
	return ret;
}

static void put_again(const struct item *item, FILE *f)
{
	const char *hash = json_text(item->manifest, "hash");

	fputs("<h2>Again</h2>\n", f);
	if (*hash) {
		char *line = xasprintf("make reproduce HASH=%s", hash);

		put_lines(f, line);
		free(line);
	}
	if (item->manifest) {
		char *text = json_dumps(item->manifest, JSON_INDENT(1));

		fputs("<details><summary>Kernels, patches, job and emulator</summary>\n", f);
		put_lines(f, text ? text : "");
		fputs("</details>\n", f);
		free(text);
	}
}

static const char *title_of(const struct item *item)
{
	const char *title = json_text(item->manifest, "title");

	return *title ? title : item->name;
}

int site_put_comparison(const struct site *s, const struct item *item)
{
	char *path = xasprintf("c/%s.html", item->page), *series;
	FILE *f = page_open(s, path, "../", title_of(item));
	int ret = f ? 0 : -EIO;

	if (f) {
		series = site_word(item->series);
		fprintf(f, "<p class=\"note\">Series <a href=\"../series/%s.html\">",
			series);
		put_markup(f, item->series);
		fputs("</a>, result ", f);
		put_markup(f, item->name);
		fputs("</p>\n", f);
		free(series);
		put_text(item, "answer.txt", NULL, f);
		ret = put_picture(s, item, f);
		put_findings(item->doc, f);
		put_text(item, "table.txt", "Where the largest differences went", f);
		put_rows(item->doc, f);
		put_again(item, f);
		if (page_close(f, path))
			ret = -errno;
	}
	free(path);
	return ret;
}

void site_add_comparison_rows(struct site *s, size_t item)
{
	const json_t *doc = s->item[item].doc, *r;
	size_t i;

	json_array_foreach(json_object_get(doc, "results"), i, r) {
		char *id, *point, *change, *text;
		char base[NUMBER_SIZE], new[NUMBER_SIZE];
		const char *verdict = json_text(r, "verdict");

		if (!is_sound(r) || !is_difference_named(verdict))
			continue;
		id = id_of(r);
		point = point_of(r);
		change = change_of(r);
		text = xasprintf("%s -> %s, %s",
			format_brief(value_of(json_object_get(r, "base")), false, base),
			format_brief(value_of(json_object_get(r, "new")), false, new),
			change);
		site_add_row(s, id, json_text(r, "bench"), point,
			     json_text(r, "metric"), item, text, word_of(doc, r));
		free(text);
		free(change);
		free(point);
		free(id);
	}
}

/* --- series --- */

static int put_one_series(const struct site *s, const char *series)
{
	char *word = site_word(series);
	char *path = xasprintf("series/%s.html", word);
	char *title = xasprintf("Series %s", series);
	FILE *f = page_open(s, path, "../", title);
	int ret = f ? 0 : -EIO;
	size_t i;

	for (i = 0; f && i < s->nr; i++) {
		const struct item *item = &s->item[i];

		if (item->is_trend || strcmp(item->series, series))
			continue;
		fprintf(f, "<h2 id=\"%s\"><a href=\"../c/%s.html\">", item->page,
			item->page);
		put_markup(f, item->name);
		fputs("</a></h2>\n", f);
		put_text(item, "answer.txt", NULL, f);
	}
	if (f && page_close(f, path))
		ret = -errno;
	free(title);
	free(path);
	free(word);
	return ret;
}

int site_put_series(const struct site *s)
{
	json_t *done = json_object();
	int ret = 0;
	size_t i;

	for (i = 0; i < s->nr && !ret; i++) {
		const struct item *item = &s->item[i];

		if (item->is_trend || json_object_get(done, item->series))
			continue;
		json_object_set_new(done, item->series, json_true());
		ret = put_one_series(s, item->series);
	}
	json_decref(done);
	return ret;
}
