// SPDX-License-Identifier: GPL-2.0
/* See select.h. */
#include "analysis/load/select.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record.h"
#include "lib/util.h"

int select_bench(struct selection *s, const char *text)
{
	struct selector one;
	int ret = selector_parse(text, &one);

	if (ret)
		return ret;
	s->benches = grow(s->benches, s->nr_benches, sizeof(*s->benches));
	s->parsed = grow(s->parsed, s->nr_benches, sizeof(*s->parsed));
	s->parsed[s->nr_benches] = one;
	s->benches[s->nr_benches++] = text;
	return 0;
}

void select_metric(struct selection *s, const char *text)
{
	s->metrics = grow(s->metrics, s->nr_metrics, sizeof(*s->metrics));
	s->metrics[s->nr_metrics++] = text;
}

void selection_free(struct selection *s)
{
	size_t i;

	for (i = 0; i < s->nr_benches; i++)
		selector_free(&s->parsed[i]);
	free(s->parsed);
	free(s->benches);
	free(s->metrics);
	memset(s, 0, sizeof(*s));
}

static bool selector_matches(const struct selector *s, const char *bench,
			     const json_t *params)
{
	bool match = !fnmatch(s->glob, bench, 0);
	size_t i;

	for (i = 0; match && i < s->nr; i++) {
		const json_t *value = json_object_get(params,
						      s->params[i].name);
		char *text = value ? param_value_text(value) : NULL;

		match = text && selector_param_has(&s->params[i], text);
		free(text);
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
		if (selector_matches(&s->parsed[i], bench, params))
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
