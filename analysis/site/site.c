// SPDX-License-Identifier: GPL-2.0
/* See site.h. The pages are written beside an older site, and replace it when whole. */
#include "analysis/site/site.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analysis/draw/format.h"
#include "analysis/site/site_page.h"
#include "analysis/trend/trend.h"
#include "analysis_gp.h"

#define COMPARE_SCHEMA	"ptelab-compare-1"
#define MARK		".ptelab-site"	/* says that a folder is one of ours */

/* --- results --- */

static bool has_file(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name);
	bool yes = !access(path, F_OK);

	free(path);
	return yes;
}

static json_t *load(const char *dir, const char *name, char **path)
{
	json_error_t e;
	json_t *j;

	*path = xasprintf("%s/%s", dir, name);
	j = json_load_file(*path, 0, &e);
	if (!j)
		fail(EINVAL, "%s: %s (line %d)", *path, e.text, e.line);
	return j;
}

static int check_compare(const json_t *doc, const char *path)
{
	if (json_is_array(doc))
		return fail(EINVAL, "%s: compares several runs with one; give a result of make ab", path);
	if (strcmp(json_text(doc, "schema"), COMPARE_SCHEMA) ||
	    !json_is_array(json_object_get(doc, "results")))
		return fail(EINVAL, "%s: is no comparison of ptelab: its schema is not " COMPARE_SCHEMA,
			    path);
	return 0;
}

static char *folder_name(const char *dir)
{
	char *path = realpath(dir, NULL), *slash, *name;

	slash = path ? strrchr(path, '/') : NULL;
	name = xstrdup(slash && slash[1] ? slash + 1 : "results");
	free(path);
	return name;
}

/* The line of an answer that says what came of it. */
static char *answer_line(const char *dir)
{
	char *path = xasprintf("%s/answer.txt", dir), *save, *line, *found = NULL;
	char *text = readable(path) ? read_file(path, NULL) : NULL;
	static const char *const said[] = { "WORSE", "BETTER", "MIXED", "CHANGED", "NO ",
					    "NOT ", "SAME", "UNCHANGED", "NOTHING" };
	size_t i;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !found;
	     line = strtok_r(NULL, "\n", &save))
		for (i = 0; i < ARRAY_SIZE(said) && !found; i++)
			if (!strncmp(line, said[i], strlen(said[i])))
				found = xstrdup(line);
	free(text);
	free(path);
	return found;
}

static void summarize(struct item *item)
{
	json_t *counts = json_object_get(item->doc, "counts"), *kernels;
	char lost[48] = "";
	size_t holes = 0, i;
	json_t *k;

	if (item->is_trend) {
		kernels = json_object_get(item->doc, "kernels");
		json_array_foreach(kernels, i, k)
			holes += *json_text(k, "failed") != 0;
		if (holes)
			snprintf(lost, sizeof(lost), ", %zu of them not measured", holes);
		item->summary = xasprintf("%zu kernels%s, %zu rows",
					  json_array_size(kernels), lost,
					  json_array_size(json_object_get(item->doc, "rows")));
		return;
	}
	item->summary = answer_line(item->dir);
	if (!item->summary)
		item->summary = xasprintf("%" JSON_INTEGER_FORMAT " regressions, %" JSON_INTEGER_FORMAT " improvements",
			json_integer_value(json_object_get(counts, "regression")),
			json_integer_value(json_object_get(counts, "improvement")));
}

static void add_item(struct site *s, const char *dir)
{
	struct item item = { .dir = xstrdup(dir), .name = folder_name(dir),
			     .is_trend = has_file(dir, "trend.json") };

	item.page = site_word(item.name);
	s->item = grow(s->item, s->nr, sizeof(*s->item));
	s->item[s->nr++] = item;
}

static int load_item(struct item *item)
{
	const char *series;
	char *path;
	int ret;

	item->doc = load(item->dir, item->is_trend ? "trend.json" : "compare.json",
			 &path);
	ret = !item->doc ? -EINVAL : item->is_trend ? trend_check(item->doc, path) :
	      check_compare(item->doc, path);
	free(path);
	if (!ret && !item->is_trend && has_file(item->dir, "manifest.json")) {
		item->manifest = load(item->dir, "manifest.json", &path);
		ret = item->manifest ? 0 : -EINVAL;
		free(path);
	}
	if (ret)
		return ret;
	series = json_text(item->manifest, "series");
	item->series = xstrdup(*series ? series : item->name);
	item->title = xstrdup(json_text(item->is_trend ? item->doc : item->manifest,
					"title"));
	item->kernel = xstrdup(json_text(json_object_get(item->doc, "new"),
					 "kernel_release"));
	summarize(item);
	return 0;
}

static bool is_result(const char *dir)
{
	return has_file(dir, "trend.json") || has_file(dir, "compare.json");
}

/* A folder of results, or one. */
static int add_results(struct site *s, const char *dir)
{
	struct dirent **names;
	size_t before = s->nr;
	int nr, ret = 0, i;

	if (is_result(dir)) {
		add_item(s, dir);
		return 0;
	}
	nr = scandir(dir, &names, NULL, versionsort);
	if (nr < 0)
		return fail(errno, "%s: %s", dir, strerror(errno));
	for (i = 0; i < nr; i++) {
		char *path = xasprintf("%s/%s", dir, names[i]->d_name);

		if (*names[i]->d_name != '.' && is_result(path))
			add_item(s, path);
		free(path);
		free(names[i]);
	}
	free(names);
	if (!ret && s->nr == before)
		ret = fail(EINVAL, "%s: has neither compare.json nor trend.json, and no folder in it has: give results of make ab or make trend",
			   dir);
	return ret;
}

static int by_page(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return x->is_trend != y->is_trend ? y->is_trend - x->is_trend :
	       strcmp(x->page, y->page);
}

static int check_names(const struct site *s)
{
	size_t i;

	for (i = 1; i < s->nr; i++)
		if (!by_page(&s->item[i - 1], &s->item[i]))
			return fail(EEXIST, "%s and %s have one name, which is their address: rename one",
				    s->item[i - 1].dir, s->item[i].dir);
	return 0;
}

/* --- the index --- */

static void put_trends(const struct site *s, FILE *f)
{
	size_t i;

	for (i = 0; i < s->nr && s->item[i].is_trend; i++) {
		const struct item *item = &s->item[i];

		if (!i)
			fputs("<h2 id=\"trends\">Trends</h2>\n<ul>\n", f);
		fprintf(f, "<li><a href=\"t/%s.html\">", item->page);
		put_markup(f, *item->title ? item->title : item->name);
		fputs("</a>: ", f);
		put_markup(f, item->summary);
		fputs("</li>\n", f);
	}
	if (i)
		fputs("</ul>\n", f);
}

static void put_comparison_row(const struct item *item, FILE *f)
{
	char *series = site_word(item->series);

	fprintf(f, "<tr><td><a href=\"c/%s.html\">", item->page);
	put_markup(f, item->name);
	fputs("</a></td><td>", f);
	fprintf(f, "<a href=\"series/%s.html\">", series);
	put_markup(f, item->series);
	fputs("</a></td>", f);
	put_cell(f, NULL, item->kernel);
	put_cell(f, NULL, item->summary);
	fputs("</tr>\n", f);
	free(series);
}

static int put_index(const struct site *s)
{
	static const char *const names[] = { "result", "series", "kernel", "what came of it", NULL };
	FILE *f = page_open(s, "index.html", "", "What ptelab measured");
	bool any = false;
	size_t i;

	if (!f)
		return -EIO;
	fputs("<div id=\"search-here\"></div>\n<noscript><p class=\"note\">The search needs JavaScript; <a href=\"rows.html\">the rows by benchmark</a> do not.</p></noscript>\n", f);
	put_trends(s, f);
	for (i = 0; i < s->nr; i++) {
		if (s->item[i].is_trend)
			continue;
		if (!any) {
			fputs("<h2 id=\"comparisons\">Comparisons</h2>\n", f);
			put_columns(f, names);
		}
		any = true;
		put_comparison_row(&s->item[i], f);
	}
	if (any)
		fputs("</tbody></table></div>\n", f);
	fputs("<script src=\"rows.js\"></script>\n<script src=\"site.js\"></script>\n", f);
	return page_close(f, "index.html") ? -errno : 0;
}

/* --- the folder --- */

static int put_file(const struct site *s, const char *name, const char *text)
{
	char *path = xasprintf("%s/%s", s->out, name);
	FILE *f = fopen(path, "we");
	int ret;

	if (f) {
		fputs(text, f);
		ret = close_file(f, path);
	} else {
		ret = fail(errno, "%s: %s", path, strerror(errno));
	}
	free(path);
	return ret;
}

/* Its page, and what others say of it; a document may have megabytes, so it goes. */
static int put_item(struct site *s, size_t i)
{
	struct item *item = &s->item[i];
	int ret = load_item(item);

	if (!ret && item->is_trend) {
		site_add_trend_rows(s, i);
		ret = site_put_trend(s, item);
	} else if (!ret) {
		site_add_comparison_rows(s, i);
		ret = site_put_comparison(s, item);
	}
	json_decref(item->doc);
	item->doc = NULL;
	return ret;
}

static int put_all(struct site *s)
{
	static const char *const folders[] = { "c", "t", "series", "rows" };
	int ret = 0;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(folders) && !ret; i++) {
		char *path = xasprintf("%s/%s", s->out, folders[i]);

		ret = make_dirs(path);
		free(path);
	}
	if (!ret)
		ret = put_file(s, "site.css", site_css);
	if (!ret)
		ret = put_file(s, "site.js", site_js);
	for (i = 0; i < s->nr && !ret; i++)
		ret = put_item(s, i);
	if (!ret)
		ret = site_put_series(s);
	if (!ret)
		ret = site_put_rows(s);
	if (!ret)
		ret = put_index(s);
	return ret ? ret : put_file(s, MARK, "made by ptelab site; replaced by it as a whole\n");
}

static int remove_one(const char *path, const struct stat *st __attribute__((unused)),
		      int type __attribute__((unused)), struct FTW *ftw __attribute__((unused)))
{
	return remove(path);
}

static void remove_all(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A folder that is not there, is empty, or was made here. */
static int may_replace(const char *out)
{
	struct stat st;

	if (lstat(out, &st) || has_file(out, MARK) || !rmdir(out))
		return 0;
	return fail(EEXIST, "%s: was not made by ptelab site, so it stays as it is; give another --output", out);
}

static int exchange(const char *made, const char *out)
{
	char *old = xasprintf("%s.old", out);
	int ret = 0;

	remove_all(old);
	if (rename(out, old) && errno != ENOENT)
		ret = fail(errno, "%s: %s", out, strerror(errno));
	else if (rename(made, out))
		ret = fail(errno, "%s: %s", out, strerror(errno));
	remove_all(old);
	free(old);
	return ret;
}

static void site_free(struct site *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		json_decref(s->item[i].doc);
		json_decref(s->item[i].manifest);
		free(s->item[i].dir);
		free(s->item[i].name);
		free(s->item[i].page);
		free(s->item[i].series);
		free(s->item[i].title);
		free(s->item[i].kernel);
		free(s->item[i].summary);
	}
	free(s->item);
	json_decref(s->rows);
}

int site_make(const char *const *dir, size_t nr, const char *out)
{
	struct site s = { .rows = json_object() };
	char *target = xstrdup(out), *made;
	int ret = 0;
	size_t i;

	while (strlen(target) > 1 && target[strlen(target) - 1] == '/')
		target[strlen(target) - 1] = 0;
	made = xasprintf("%s.new", target);
	s.out = made;
	for (i = 0; i < nr && !ret; i++)
		ret = add_results(&s, dir[i]);
	if (!ret) {
		qsort(s.item, s.nr, sizeof(*s.item), by_page);
		ret = check_names(&s);
	}
	if (!ret)
		ret = may_replace(target);
	if (!ret) {
		remove_all(made);
		ret = make_dirs(made);
	}
	if (!ret) {
		ret = put_all(&s);
		if (!ret)
			ret = exchange(made, target);
		if (ret)
			remove_all(made);
	}
	site_free(&s);
	free(made);
	free(target);
	return ret;
}
