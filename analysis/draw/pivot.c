// SPDX-License-Identifier: GPL-2.0
/* See pivot.h. */
#include "analysis/draw/pivot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

const char *names_add(struct names *n, char *text)
{
	n->text = grow(n->text, n->nr, sizeof(*n->text));
	return n->text[n->nr++] = text;
}

static const char *names_find(const struct names *n, const char *text)
{
	size_t i;

	for (i = 0; i < n->nr; i++)
		if (!strcmp(n->text[i], text))
			return n->text[i];
	return NULL;
}

const char *names_once(struct names *n, char *text)
{
	const char *there = names_find(n, text);

	if (!there)
		return names_add(n, text);
	free(text);
	return there;
}

void names_free(struct names *n)
{
	while (n->nr)
		free(n->text[--n->nr]);
	free(n->text);
	n->text = NULL;
}

/* --- pages --- */

static struct pivot_page *page_of(struct pivot *t, char *key)
{
	size_t i;

	for (i = 0; i < t->nr; i++) {
		if (strcmp(t->page[i].key, key))
			continue;
		free(key);
		return &t->page[i];
	}
	t->page = grow(t->page, t->nr, sizeof(*t->page));
	t->page[t->nr] = (struct pivot_page){ .key = key };
	return &t->page[t->nr++];
}

void pivot_add(struct pivot *t, const struct side_point *p, char *page,
	       char *row, char *column)
{
	struct pivot_page *g = page_of(t, page);
	struct pivot_cell cell = { .point = p };

	if (t->most_columns && g->columns.nr == t->most_columns &&
	    !names_find(&g->columns, column)) {
		free(row);
		free(column);
		return;
	}
	cell.row = names_once(&g->rows, row);
	cell.column = names_once(&g->columns, column);
	g->cell = grow(g->cell, g->nr, sizeof(*g->cell));
	g->cell[g->nr++] = cell;
}

static void free_page(struct pivot_page *g)
{
	free(g->key);
	names_free(&g->rows);
	names_free(&g->columns);
	free(g->cell);
}

void pivot_free(struct pivot *t)
{
	while (t->nr)
		free_page(&t->page[--t->nr]);
	free(t->page);
}

static int by_number(const void *a, const void *b)
{
	double x = strtod(*(char *const *)a, NULL);
	double y = strtod(*(char *const *)b, NULL);

	return (x > y) - (x < y);
}

static void sort_numbers(struct names *n)
{
	char *end;
	size_t i;

	for (i = 0; i < n->nr; i++) {
		strtod(n->text[i], &end);
		if (end == n->text[i] || *end)
			return;
	}
	if (n->nr)
		qsort(n->text, n->nr, sizeof(*n->text), by_number);
}

void pivot_sort(struct pivot *t, size_t least)
{
	size_t nr = 0, i;

	for (i = 0; i < t->nr; i++) {
		sort_numbers(&t->page[i].rows);
		sort_numbers(&t->page[i].columns);
		if (t->page[i].rows.nr < least)
			free_page(&t->page[i]);
		else
			t->page[nr++] = t->page[i];
	}
	t->nr = nr;
}

const struct side_point *pivot_at(const struct pivot_page *page,
				  const char *row, const char *column)
{
	size_t i;

	for (i = 0; i < page->nr; i++)
		if (!strcmp(page->cell[i].row, row) &&
		    !strcmp(page->cell[i].column, column))
			return page->cell[i].point;
	return NULL;
}

struct names pivot_columns(const struct pivot *t)
{
	struct names n = { 0 };
	size_t i, j;

	for (i = 0; i < t->nr; i++)
		for (j = 0; j < t->page[i].columns.nr; j++)
			if (!t->most_columns || n.nr < t->most_columns)
				names_once(&n, xstrdup(t->page[i].columns.text[j]));
	return n;
}

struct pivot pivot_part(const struct pivot *t, size_t from, size_t nr)
{
	return (struct pivot){
		.page = t->page + from,
		.nr = t->nr - from < nr ? t->nr - from : nr,
		.most_columns = t->most_columns,
	};
}

/* --- parameters --- */

char *key_without(const struct side_point *p, const char *const *but)
{
	json_t *rest = json_copy(p->params);
	char *key;

	for (; *but; but++)
		json_object_del(rest, *but);
	key = point_key(p->mode, p->bench, rest);
	json_decref(rest);
	return key;
}

double param_number(const struct side_point *p, const char *param)
{
	const json_t *v = json_object_get(p->params, param);
	uint64_t bytes;

	if (json_is_number(v))
		return json_number_value(v);
	if (json_is_string(v) && !parse_size(json_string_value(v), &bytes))
		return bytes;
	return NAN;
}

char *param_number_text(const struct side_point *p, const char *param)
{
	double v = param_number(p, param);

	return isnan(v) ? NULL : xasprintf("%.17g", v);
}

/* Adds a point to @params: name -> text, or name -> null if points differ. */
static void agree(json_t *params, const struct side_point *p)
{
	const char *name;
	json_t *value;

	json_object_foreach(p->params, name, value) {
		char *text = param_value_text(value);
		json_t *old = json_object_get(params, name);

		if (!old)
			json_object_set_new(params, name, json_string(text));
		else if (json_is_string(old) &&
			 strcmp(json_string_value(old), text))
			json_object_set_new(params, name, json_null());
		free(text);
	}
}

static json_t *without_nulls(json_t *params)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(params, next, name, value)
		if (json_is_null(value))
			json_object_del(params, name);
	return params;
}

json_t *constant_params(const struct side_point *const *points, size_t nr)
{
	json_t *params = json_object();
	size_t i;

	for (i = 0; i < nr; i++)
		agree(params, points[i]);
	return without_nulls(params);
}

json_t *pivot_constant(const struct pivot_page *page, size_t nr)
{
	json_t *params = json_object();
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < page[i].nr; j++)
			agree(params, page[i].cell[j].point);
	return without_nulls(params);
}

char *varying_params(const struct side_point *p, const json_t *constant)
{
	json_t *some = json_copy(p->params), *value;
	const char *name;
	char *text;

	json_object_foreach((json_t *)constant, name, value)
		json_object_del(some, name);
	text = params_text(some, " ");
	json_decref(some);
	return text;
}
