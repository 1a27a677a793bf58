// SPDX-License-Identifier: GPL-2.0
/* Rows over all results: a page for each benchmark, and what the search reads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/site/site_page.h"

void site_add_row(struct site *s, const char *id, const char *bench,
		  const char *point, const char *metric, size_t item,
		  const char *text, const char *verdict)
{
	json_t *row = json_object_get(s->rows, id);

	if (!row) {
		row = json_pack("{s:s, s:s, s:s, s:[]}", "bench", bench, "point",
				point, "metric", metric, "at");
		json_object_set_new(s->rows, id, row);
	}
	json_array_append_new(json_object_get(row, "at"),
			      json_pack("[I, s, s]", (json_int_t)item, text, verdict));
}

static void put_row(const struct site *s, const char *id, const json_t *row,
		    FILE *f)
{
	json_t *at;
	size_t i;

	fprintf(f, "<h3 id=\"%s\">", row_place(id));
	put_markup(f, json_text(row, "point"));
	fputc(' ', f);
	put_markup(f, json_text(row, "metric"));
	fputs("</h3>\n<div class=\"wide\"><table><tbody>\n", f);
	json_array_foreach(json_object_get(row, "at"), i, at) {
		const struct item *item = &s->item[json_integer_value(json_array_get(at, 0))];
		const char *verdict = json_string_value(json_array_get(at, 2));

		fprintf(f, "<tr><td><a href=\"../%s/%s.html#%s\">",
			item->is_trend ? "t" : "c", item->page, row_place(id));
		put_markup(f, item->name);
		fputs("</a></td>", f);
		put_cell(f, NULL, json_string_value(json_array_get(at, 1)));
		put_cell(f, verdict, verdict);
		fputs("</tr>\n", f);
	}
	fputs("</tbody></table></div>\n", f);
}

static int put_bench(const struct site *s, const char *bench)
{
	char *word = site_word(bench);
	char *path = xasprintf("rows/%s.html", word);
	char *title = xasprintf("Rows of %s", bench);
	FILE *f = page_open(s, path, "../", title);
	int ret = f ? 0 : -EIO;
	const char *id;
	json_t *row;

	if (f) {
		json_object_foreach(s->rows, id, row)
			if (!strcmp(json_text(row, "bench"), bench))
				put_row(s, id, row, f);
		if (page_close(f, path))
			ret = -errno;
	}
	free(title);
	free(path);
	free(word);
	return ret;
}

/* [[id, name, page, where], ...] */
static int put_search(const struct site *s)
{
	char *path = xasprintf("%s/rows.js", s->out);
	FILE *f = fopen(path, "we");
	json_t *all = json_array(), *row;
	const char *id;
	int ret;

	json_object_foreach(s->rows, id, row) {
		char *word = site_word(json_text(row, "bench"));
		char *name = xasprintf("%s %s", json_text(row, "point"),
				       json_text(row, "metric"));
		size_t nr = json_array_size(json_object_get(row, "at"));
		char *where = xasprintf("differs in %zu result%s", nr, plural(nr));

		json_array_append_new(all, json_pack("[s, s, s, s]", row_place(id), name,
						     word, where));
		free(where);
		free(name);
		free(word);
	}
	if (f) {
		fputs("\"use strict\";\nconst ROWS = ", f);
		json_dumpf(all, f, JSON_COMPACT | JSON_ENSURE_ASCII);
		fputs(";\n", f);
		ret = close_file(f, path);
	} else {
		ret = fail(errno, "%s: %s", path, strerror(errno));
	}
	json_decref(all);
	free(path);
	return ret;
}

int site_put_rows(const struct site *s)
{
	FILE *f = page_open(s, "rows.html", "", "Rows, by benchmark");
	json_t *benches = json_object(), *row, *count;
	const char *id, *bench;
	int ret = f ? 0 : -EIO;

	json_object_foreach(s->rows, id, row) {
		json_int_t nr;

		bench = json_text(row, "bench");
		nr = json_integer_value(json_object_get(benches, bench));
		json_object_set_new(benches, bench, json_integer(nr + 1));
	}
	if (f) {
		fputs("<p class=\"note\">Each row that differs in a result, and in which.</p>\n<ul>\n", f);
		json_object_foreach(benches, bench, count) {
			char *word = site_word(bench);

			fprintf(f, "<li><a href=\"rows/%s.html\">", word);
			put_markup(f, bench);
			fprintf(f, "</a> %" JSON_INTEGER_FORMAT "</li>\n",
				json_integer_value(count));
			free(word);
		}
		fputs("</ul>\n", f);
		if (page_close(f, "rows.html"))
			ret = -errno;
	}
	json_object_foreach(benches, bench, count)
		if (!ret)
			ret = put_bench(s, bench);
	json_decref(benches);
	return ret ? ret : put_search(s);
}
