// SPDX-License-Identifier: GPL-2.0
/* See site_page.h. */
#include "analysis/site/site_page.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "lib/version.h"

#define WORD_CHECKSUM	8
#define WORD_MAX	120
#define PLACE_DIGITS	10

char *site_word(const char *text)
{
	char *word = xstrndup(text, WORD_MAX), *c, hex[65];
	bool same = strlen(text) <= WORD_MAX && *text;

	for (c = word; *c; c++) {
		if (isalnum((unsigned char)*c) || *c == '_' || *c == '-' ||
		    (*c == '.' && c > word))
			continue;
		*c = '_';
		same = false;
	}
	if (!same) {
		sha256_hex(text, strlen(text), hex);
		append_text(&word, "-", "%.*s", WORD_CHECKSUM, hex);
	}
	return word;
}

const char *row_place(const char *id)
{
	static char place[PLACE_DIGITS + 2];
	char hex[65];

	sha256_hex(id, strlen(id), hex);
	snprintf(place, sizeof(place), "r%.*s", PLACE_DIGITS, hex);
	return place;
}

FILE *page_open(const struct site *s, const char *path, const char *up,
		const char *title)
{
	char *file = xasprintf("%s/%s", s->out, path);
	FILE *f = fopen(file, "we");

	if (!f) {
		fail(errno, "%s: %s", file, strerror(errno));
		free(file);
		return NULL;
	}
	free(file);
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'\">\n"
	      "<title>", f);
	put_markup(f, title);
	fprintf(f, "</title>\n<link rel=\"stylesheet\" href=\"%ssite.css\">\n</head>\n<body>\n", up);
	fprintf(f, "<nav><a href=\"%sindex.html\">All results</a> <a href=\"%srows.html\">Rows</a></nav>\n<h1>",
		up, up);
	put_markup(f, title);
	fputs("</h1>\n", f);
	return f;
}

int page_close(FILE *f, const char *path)
{
	fputs("<p class=\"note\">ptelab " PTELAB_VERSION "</p>\n</body>\n</html>\n", f);
	return close_file(f, path);
}

void put_cell(FILE *f, const char *class, const char *text)
{
	fputs("<td", f);
	if (class) {
		fputs(" class=\"", f);
		put_markup(f, class);
		fputc('"', f);
	}
	fputc('>', f);
	put_markup(f, text);
	fputs("</td>", f);
}

void put_number(FILE *f, double v)
{
	char n[NUMBER_SIZE];

	put_cell(f, "n", format_value(v, TIER_EXACT, n));
}

void put_columns(FILE *f, const char *const *names)
{
	fputs("<div class=\"wide\"><table><thead><tr>", f);
	for (; *names; names++) {
		fputs(**names == '#' ? "<th class=\"n\">" : "<th>", f);
		put_markup(f, *names + (**names == '#'));
		fputs("</th>", f);
	}
	fputs("</tr></thead><tbody>\n", f);
}

void put_lines(FILE *f, const char *text)
{
	const char *end;

	fputs("<pre>", f);
	for (; *text; text = *end ? end + 1 : end) {
		char *line;

		end = text + strcspn(text, "\n");
		line = xstrndup(text, end - text);
		put_markup(f, line);
		fputc('\n', f);
		free(line);
	}
	fputs("</pre>\n", f);
}
