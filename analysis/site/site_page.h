/* SPDX-License-Identifier: GPL-2.0 */
/* What the pages of a site share. */
#ifndef PTELAB_SITE_PAGE_H
#define PTELAB_SITE_PAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/util.h"

/* One result, and its page. */
struct item {
	char *dir;
	char *name;		/* of the folder; for people */
	char *page;		/* the same for an address; no character is special */
	json_t *doc;		/* compare.json or trend.json, while its page is made */
	json_t *manifest;	/* of make ab; NULL */
	char *series;		/* of a comparison */
	char *title, *kernel;	/* "" if it has none */
	bool is_trend;
	char *summary;		/* in a line */
};

struct site {
	const char *out;
	struct item *item;
	size_t nr;
	/* id -> {"point", "metric", "bench", "at": [[item, text, verdict], ...]} */
	json_t *rows;
};

/*
 * The place of a row in a page: as short as it can be, as there are thousands, and made
 * of its path (@id) alone. In a static buffer.
 */
const char *row_place(const char *id);

/* @text as part of an address or a file name; the caller frees. */
char *site_word(const char *text);

/* Opens OUT/PATH with everything up to the heading; @up leads to the index. NULL
 * with fail() text. */
FILE *page_open(const struct site *s, const char *path, const char *up,
		const char *title);
/* 0 or -errno. */
int page_close(FILE *f, const char *path);

void put_cell(FILE *f, const char *class, const char *text);
void put_number(FILE *f, double v);
/* The head of a table: names, those of numbers with a '#' before them; then NULL. */
void put_columns(FILE *f, const char *const *names);
/* Text as it is, escaped line by line. */
void put_lines(FILE *f, const char *text);

int site_put_comparison(const struct site *s, const struct item *item);
int site_put_series(const struct site *s);
int site_put_trend(const struct site *s, const struct item *item);
int site_put_rows(const struct site *s);

/* Adds what a result has of each row to the site's. */
void site_add_comparison_rows(struct site *s, size_t item);
void site_add_trend_rows(struct site *s, size_t item);
void site_add_row(struct site *s, const char *id, const char *bench,
		  const char *point, const char *metric, size_t item,
		  const char *text, const char *verdict);

#endif
