// SPDX-License-Identifier: GPL-2.0
/* See select.h. */
#include "select.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/util.h"

void select_bench(struct selection *s, const char *text)
{
	s->benches = grow(s->benches, s->nr_benches, sizeof(*s->benches));
	s->benches[s->nr_benches++] = text;
}

void select_metric(struct selection *s, const char *text)
{
	s->metrics = grow(s->metrics, s->nr_metrics, sizeof(*s->metrics));
	s->metrics[s->nr_metrics++] = text;
}

void selection_free(struct selection *s)
{
	free(s->benches);
	free(s->metrics);
	memset(s, 0, sizeof(*s));
}

char *param_value_text(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return xstrdup(json_string_value(value));
	case JSON_INTEGER:
		return xasprintf("%" JSON_INTEGER_FORMAT,
				 json_integer_value(value));
	case JSON_REAL:
		return xasprintf("%.17g", json_real_value(value));
	case JSON_TRUE:
		return xstrdup("1");
	case JSON_FALSE:
		return xstrdup("0");
	default:
		return xstrdup("?");
	}
}

/* Whether @text is one of the comma-separated @list, which ends at @len. */
static bool in_list(const char *text, const char *list, size_t len)
{
	size_t n = strlen(text), i = 0;

	while (i <= len) {
		const char *comma = memchr(list + i, ',', len - i);
		size_t part = comma ? (size_t)(comma - list) - i : len - i;

		if (part == n && !memcmp(list + i, text, n))
			return true;
		i += part + 1;
	}
	return false;
}

/* One "k=v,v" of a selector. */
static bool param_matches(const json_t *params, const char *cond, size_t len)
{
	const char *eq = memchr(cond, '=', len);
	char *name, *text;
	json_t *value;
	bool match;

	if (!eq)
		return false;
	name = xstrndup(cond, eq - cond);
	value = json_object_get(params, name);
	free(name);
	if (!value)
		return false;
	text = param_value_text(value);
	match = in_list(text, eq + 1, len - (eq + 1 - cond));
	free(text);
	return match;
}

static bool selector_matches(const char *selector, const char *bench,
			     const json_t *params)
{
	const char *end = strchrnul(selector, ':');
	char *glob = xstrndup(selector, end - selector);
	bool match = !fnmatch(glob, bench, 0);

	free(glob);
	while (match && *end == ':') {
		const char *cond = end + 1;

		end = strchrnul(cond, ':');
		match = param_matches(params, cond, end - cond);
	}
	return match;
}

bool selected_point(const struct selection *s, const char *bench,
		    const json_t *params)
{
	size_t i;

	if (!s || !s->nr_benches)
		return true;
	for (i = 0; i < s->nr_benches; i++)
		if (selector_matches(s->benches[i], bench, params))
			return true;
	return false;
}

bool selected_metric(const struct selection *s, const char *metric)
{
	size_t i;

	if (!s || !s->nr_metrics)
		return true;
	for (i = 0; i < s->nr_metrics; i++)
		if (!fnmatch(s->metrics[i], metric, 0))
			return true;
	return false;
}

static char *join_param(char *text, const char *name, const json_t *value,
			const char *between)
{
	char *v = param_value_text(value);
	char *more = xasprintf("%s%s%s=%s", text, *text ? between : "", name,
			       v);

	free(v);
	free(text);
	return more;
}

char *params_text(const json_t *params, const char *between)
{
	char *text = xstrdup("");
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)params, name, value)
		text = join_param(text, name, value, between);
	return text;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

char *point_key(const char *mode, const char *bench, const json_t *params)
{
	const char **names = xcalloc(json_object_size(params), sizeof(*names));
	char *key = xasprintf("%s %s", mode, bench);
	size_t nr = 0, i;
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)params, name, value)
		names[nr++] = name;
	qsort(names, nr, sizeof(*names), by_name);
	for (i = 0; i < nr; i++)
		key = join_param(key, names[i],
				 json_object_get(params, names[i]), " ");
	free(names);
	return key;
}
