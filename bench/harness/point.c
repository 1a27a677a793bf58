// SPDX-License-Identifier: GPL-2.0
/* See point.h. */
#include "bench/harness/point.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/selector.h"
#include "lib/util.h"

uint64_t contpte_size(void)
{
	/* Arm ARM, D8.7: 16 entries of 4K, 128 of 16K, 32 of 64K */
	return sysconf(_SC_PAGESIZE) == 4096 ? 64 * KIB : 2 * MIB;
}

static int param_index(const struct bench *b, const char *name)
{
	unsigned int i;

	for (i = 0; i < b->nr_params; i++)
		if (!strcmp(b->params[i].name, name))
			return i;
	return -1;
}

bool param_has(const struct bench *b, const char *name)
{
	return param_index(b, name) >= 0;
}

static const struct param_value *param_value(const struct bench_ctx *ctx,
					     const char *name)
{
	int i = param_index(ctx->bench, name);

	if (i < 0) {
		fprintf(stderr, "ptelab: %s has no parameter %s\n",
			ctx->bench->name, name);
		abort();	/* a mistake in the benchmark */
	}
	return &ctx->value[i];
}

uint64_t param_num(const struct bench_ctx *ctx, const char *name)
{
	return param_value(ctx, name)->num;
}

const char *param_text(const struct bench_ctx *ctx, const char *name)
{
	return param_value(ctx, name)->text;
}

bool param_is(const struct bench_ctx *ctx, const char *name, const char *text)
{
	return !strcmp(param_text(ctx, name), text);
}

char *param_range_text(const struct bench_param *p)
{
	char lo[24], hi[24], *s, *t;
	unsigned int i;

	switch (p->type) {
	case PARAM_INT:
		return xasprintf("%" PRIu64 " to %" PRIu64 "%s", p->min, p->max,
				 p->power_of_two ? ", powers of two" : "");
	case PARAM_SIZE:
		return xasprintf("%s to %s%s", format_size(p->min, lo),
				 format_size(p->max, hi),
				 p->power_of_two ? ", powers of two" : "");
	case PARAM_ENUM:
		s = xstrdup(p->choices[0]);
		for (i = 1; p->choices[i]; i++) {
			t = xasprintf("%s|%s", s, p->choices[i]);
			free(s);
			s = t;
		}
		return s;
	default:
		return xstrdup("text");
	}
}

/* Stores @text in canonical form in @v, or says why it is no value of @p. */
static int parse_value(const struct bench *b, const struct bench_param *p,
		       const char *text, struct param_value *v)
{
	char buf[24], *range;
	unsigned int i;
	int ret = 0;

	if (p->type == PARAM_STRING) {
		v->text = xstrdup(text);
		return 0;
	}
	if (p->type == PARAM_ENUM) {
		for (i = 0; p->choices[i]; i++)
			if (!strcmp(p->choices[i], text))
				break;
		if (!p->choices[i])
			ret = -EINVAL;
		v->num = i;
	} else if (p->type == PARAM_SIZE && !strcmp(text, "contpte")) {
		v->num = contpte_size();
	} else {
		ret = p->type == PARAM_SIZE ? parse_size(text, &v->num) :
			parse_u64(text, &v->num);
		if (!ret && (v->num < p->min || v->num > p->max ||
			     (p->power_of_two && (v->num & (v->num - 1)))))
			ret = -ERANGE;
	}
	if (ret) {
		range = param_range_text(p);
		ret = fail(EINVAL, "%s: %s=%s: it takes %s%s%s", b->name,
			   p->name, text, range, p->unit ? " " : "",
			   p->unit ? p->unit : "");
		free(range);
		return ret;
	}
	if (p->type == PARAM_SIZE)
		v->text = xstrdup(format_size(v->num, buf));
	else if (p->type == PARAM_INT)
		v->text = xasprintf("%" PRIu64, v->num);
	else
		v->text = xstrdup(text);
	return 0;
}

static bool same_point(const struct point *a, const struct point *b)
{
	unsigned int i;

	if (a->bench != b->bench)
		return false;
	for (i = 0; i < a->bench->nr_params; i++)
		if (strcmp(a->value[i].text, b->value[i].text))
			return false;
	return true;
}

static void point_drop(struct point *p)
{
	unsigned int i;

	for (i = 0; i < p->bench->nr_params; i++)
		free(p->value[i].text);
}

static void list_add(struct point_list *list, struct point *p)
{
	size_t i;

	for (i = 0; i < list->nr; i++) {
		if (same_point(&list->points[i], p)) {
			point_drop(p);
			return;
		}
	}
	list->points = xrealloc(list->points,
				(list->nr + 1) * sizeof(*list->points));
	list->points[list->nr++] = *p;
}

/* Adds all combinations of parameter @at and the following ones. */
static int expand_params(const struct bench *b, struct selector_param *asked,
			 size_t nr_asked, unsigned int at, struct point *p,
			 struct point_list *list)
{
	const struct bench_param *param;
	const char *const *values;
	bool each = false;
	size_t i, nr = 1;
	int ret = 0;

	if (at == b->nr_params) {
		struct point copy = { .bench = b };

		for (i = 0; i < at; i++) {
			copy.value[i].num = p->value[i].num;
			copy.value[i].text = xstrdup(p->value[i].text);
		}
		list_add(list, &copy);
		return 0;
	}
	param = &b->params[at];
	values = &param->def;
	/* the last value given wins, as with any option */
	for (i = 0; i < nr_asked; i++) {
		if (!strcmp(asked[i].name, param->name)) {
			asked[i].used = true;
			values = (const char *const *)asked[i].values;
			nr = asked[i].nr;
			each = selector_each(&asked[i]);
		}
	}
	if (param->type == PARAM_ENUM && each) {
		values = param->choices;
		for (nr = 0; values[nr];)
			nr++;
	}
	for (i = 0; i < nr && !ret; i++) {
		ret = parse_value(b, param, values[i], &p->value[at]);
		if (ret)
			break;
		ret = expand_params(b, asked, nr_asked, at + 1, p, list);
		free(p->value[at].text);
	}
	return ret;
}

static int unknown_bench(const char *glob)
{
	const struct bench *const *all = bench_all();
	const char **names, *near;
	size_t nr = 0;

	while (all[nr])
		nr++;
	names = xcalloc(nr, sizeof(*names));
	while (nr--)
		names[nr] = all[nr]->name;
	for (nr = 0; all[nr]; nr++)
		;
	near = nearest_name(glob, names, nr);
	free(names);
	if (near)
		return fail(EINVAL, "no benchmark '%s'; did you mean %s?",
			    glob, near);
	return fail(EINVAL, "no benchmark '%s'; see ptelab list",
		    glob);
}

/* No selected benchmark has the parameter; suggests one that may be meant. */
static int unknown_param(const char *name, const char *glob)
{
	const struct bench *const *b;
	const char *names[64], *near;
	size_t nr = 0;
	unsigned int i;

	for (b = bench_all(); *b; b++)
		for (i = 0; i < (*b)->nr_params && nr < ARRAY_SIZE(names); i++)
			if (!fnmatch(glob, (*b)->name, 0))
				names[nr++] = (*b)->params[i].name;
	near = nearest_name(name, names, nr);
	if (near)
		return fail(EINVAL, "%s has no parameter '%s'; did you mean %s?",
			    glob, name, near);
	return fail(EINVAL, "%s has no parameter '%s'; see ptelab list -b '%s'",
		    glob, name, glob);
}

/* Applies @common, then the selector's own values. */
static int expand_selector(const char *text, struct selector_param *common,
			   size_t nr_common, struct point_list *list)
{
	size_t nr = nr_common, i;
	struct selector_param *params;
	const struct bench *const *b;
	struct point p = { 0 };
	struct selector s;
	bool any = false;
	int ret = selector_parse(text, &s);

	if (ret)
		return ret;
	params = xcalloc(nr_common + s.nr + 1, sizeof(*params));
	for (i = 0; i < nr_common; i++)
		params[i] = common[i];
	for (i = 0; i < s.nr; i++)
		params[nr++] = s.params[i];
	for (b = bench_all(); !ret && *b; b++) {
		if (fnmatch(s.glob, (*b)->name, 0) ||
		    ((*b)->hidden && strcmp(s.glob, (*b)->name)))
			continue;
		any = true;
		ret = expand_params(*b, params, nr, 0, &p, list);
	}
	if (!ret && !any)
		ret = unknown_bench(s.glob);
	for (i = nr_common; i < nr && !ret; i++)
		if (!params[i].used)
			ret = unknown_param(params[i].name, s.glob);
	for (i = 0; i < nr_common; i++)
		common[i].used |= params[i].used;
	free(params);
	selector_free(&s);
	return ret;
}

int points_expand(const char *const *selectors, size_t nr_selectors,
		  const char *const *params, size_t nr_params,
		  struct point_list *list)
{
	static const char *const everything[] = { "*" };
	struct selector_param *common = xcalloc(nr_params, sizeof(*common));
	size_t i, parsed = 0;
	int ret;

	memset(list, 0, sizeof(*list));
	if (!nr_selectors) {
		selectors = everything;
		nr_selectors = 1;
	}
	ret = expand_selector("harness.empty", NULL, 0, list);
	for (i = 0; i < nr_params && !ret; i++) {
		ret = selector_param_parse(params[i], &common[i]);
		if (!ret)
			parsed++;
	}
	for (i = 0; i < nr_selectors && !ret; i++)
		ret = expand_selector(selectors[i], common, parsed, list);
	for (i = 0; i < parsed; i++) {
		if (!ret && !common[i].used)
			ret = nr_selectors == 1 ?
				unknown_param(common[i].name, selectors[0]) :
				fail(EINVAL, "no selected benchmark has the parameter '%s'",
				     common[i].name);
		selector_param_free(&common[i]);
	}
	free(common);
	if (ret)
		points_free(list);
	return ret;
}

void points_free(struct point_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		point_drop(&list->points[i]);
	free(list->points);
	memset(list, 0, sizeof(*list));
}

json_t *point_params_json(const struct point *p)
{
	json_t *o = json_object();
	unsigned int i;

	for (i = 0; i < p->bench->nr_params; i++) {
		const struct param_value *v = &p->value[i];

		json_object_set_new(o, p->bench->params[i].name,
				    p->bench->params[i].type == PARAM_INT ?
				    json_integer(v->num) :
				    json_string(v->text));
	}
	return o;
}

char *point_label(const struct point *p)
{
	char *s = xstrdup(p->bench->name), *t;
	unsigned int i;

	for (i = 0; i < p->bench->nr_params; i++) {
		t = xasprintf("%s %s=%s", s, p->bench->params[i].name,
			      p->value[i].text);
		free(s);
		s = t;
	}
	return s;
}
