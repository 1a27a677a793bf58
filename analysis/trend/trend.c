// SPDX-License-Identifier: GPL-2.0
/* trend_make(): runs of many kernels as one document. */
#include "analysis/trend/trend.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/explain.h"
#include "analysis/report/machine.h"
#include "analysis/trend/by_option.h"
#include "lib/insn_metrics.h"
#include "lib/util.h"

#define FUNCTIONS_TOLD	6	/* of a step; the rest is summed up */

struct kernel {
	struct side *side;	/* NULL: a hole */
	json_t *entry;		/* in the document */
	json_t *differing;	/* names of options, as keys */
	/* against each kernel before it, loaded on demand */
	struct comparison **against;
};

struct maker {
	struct kernel *kernel;
	size_t nr;
	const struct compare_options *options;
	struct insn_store *store;
	const struct side_point **points;	/* each once, for their words */
	size_t nr_points;
	json_t *rows;
};

/* --- kernels --- */

static json_t *text_json(const char *text)
{
	char *clean = clean_text(text);
	json_t *j = json_string(clean);

	free(clean);
	return j;
}

static char *path_in(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static json_t *manifest_of(const char *dir)
{
	char *path = path_in(dir, "manifest.json");
	json_t *m = json_load_file(path, 0, NULL);

	free(path);
	return m;
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(o, key, text_json(text));
}

/* "# against LABEL", then lines "NAME<tab>OLD<tab>NEW[<tab>everywhere]". */
static json_t *options_of(const char *dir, json_t *differing)
{
	char *path = path_in(dir, "options"), *save, *line, *text = NULL;
	static const char against[] = "# against ";
	json_t *o = json_object(), *everywhere = json_array();
	json_int_t nr = 0;

	if (readable(path))
		text = read_file(path, NULL);
	free(path);
	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *old = strchr(line, '\t'), *new, *mark;

		if (!strncmp(line, against, strlen(against)))
			set_text(o, "against", line + strlen(against));
		new = old ? strchr(old + 1, '\t') : NULL;
		if (!new)
			continue;
		nr++;
		mark = strchr(new + 1, '\t');
		*old = *new = 0;
		json_object_set_new(differing, line, json_true());
		if (!mark)
			continue;
		*mark = 0;
		json_array_append_new(everywhere, json_pack("[o, o, o]",
				text_json(line), text_json(old + 1),
				text_json(new + 1)));
	}
	json_object_set_new(o, "differ", json_integer(nr));
	json_object_set_new(o, "everywhere", everywhere);
	if (!text) {
		json_decref(o);
		o = NULL;
	}
	free(text);
	return o;
}

static json_t *seeds_of(const struct side *s)
{
	json_t *seeds = json_array();
	size_t i;

	for (i = 0; i < s->run->nr_files; i++) {
		json_t *seed = json_object_get(s->run->files[i]->header, "seed");

		if (json_is_integer(seed))
			json_array_append(seeds, seed);
	}
	return seeds;
}

static json_t *kernel_json(const char *dir, const struct side *s, json_t *differing)
{
	const char *slash = strrchr(dir, '/');
	json_t *m = manifest_of(dir), *o = json_object(), *options;

	set_text(o, "label", slash ? slash + 1 : dir);
	set_text(o, "source", json_text(m, "source"));
	set_text(o, "subject", json_text(m, "subject"));
	set_text(o, "hash", json_text(m, *json_text(m, "hash") ? "hash" :
				      "image_sha256"));
	json_decref(m);
	options = options_of(dir, differing);
	if (options)
		json_object_set_new(o, "options", options);
	if (!s)
		return o;
	set_text(o, "release", json_text(s->run->files[0]->header,
					 "kernel_release"));
	json_object_set_new(o, "boots", json_integer(s->nr_boots));
	json_object_set_new(o, "seeds", seeds_of(s));
	return o;
}

/* The reason in DIR/failed; NULL: there is none. */
static char *failed_text(const char *dir)
{
	char *path = path_in(dir, "failed"), *text = NULL;

	if (readable(path))
		text = read_line("%s", path);
	free(path);
	return text;
}

static int load_kernel(struct maker *m, const char *dir)
{
	struct kernel *k = &m->kernel[m->nr];
	char *path = xstrdup(dir), *failed;

	while (strlen(path) > 1 && path[strlen(path) - 1] == '/')
		path[strlen(path) - 1] = 0;
	failed = failed_text(path);
	if (!failed) {
		k->side = side_load(path, &m->options->select);
		if (!k->side) {
			free(path);
			return -EINVAL;
		}
	}
	k->differing = json_object();
	k->entry = kernel_json(path, k->side, k->differing);
	if (failed)
		set_text(k->entry, "failed", *failed ? failed : "it did not boot");
	k->against = xcalloc(m->nr + 1, sizeof(*k->against));
	m->nr++;
	free(failed);
	free(path);
	return 0;
}

/* --- rows --- */

static const struct comparison *comparison_of(struct maker *m, size_t from,
					      size_t at)
{
	struct comparison **c = &m->kernel[at].against[from];

	if (!*c)
		*c = compare_sides(m->kernel[from].side, m->kernel[at].side,
				   m->options);
	return *c;
}

static const struct result *result_of(const struct comparison *c,
				      const struct side_point *p,
				      const char *metric)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		if (!strcmp(c->results[i].metric, metric) &&
		    !strcmp(c->results[i].point->key, p->key))
			return &c->results[i];
	return NULL;
}

static json_t *number_pair(const char *name, double base, double new)
{
	return json_pack("[s, o, o]", name, number_json(base), number_json(new));
}

/* The functions that differ most; what is left is one sum. */
static void set_functions(json_t *step, const struct explanation *e,
			  const json_t *differing)
{
	json_t *list = json_array();
	double rest = 0;
	size_t others = 0, i;

	for (i = 0; i < e->nr; i++) {
		const struct explained_function *f = &e->functions[i];
		double delta = f->self[NEW] - f->self[BASE];

		if (fabs(delta) < 1e-9)
			continue;
		if (json_array_size(list) < FUNCTIONS_TOLD) {
			json_array_append_new(list, number_pair(f->name,
						f->self[BASE], f->self[NEW]));
		} else {
			others++;
			rest += delta;
		}
	}
	json_object_set_new(step, "functions", list);
	json_object_set_new(step, "others", json_pack("[I, o]",
				(json_int_t)others, number_json(rest)));
	json_object_set_new(step, "accounted_for",
			    number_json(explained_share(e)));
	json_object_set_new(step, "by_option", by_option(e, differing));
}

static void explain_step(struct maker *m, json_t *step, const struct result *r,
			 size_t at)
{
	const struct side_point *new = side_find(m->kernel[at].side,
						 r->point->key);
	struct explanation *e;

	if (strcmp(r->metric, TREND_COST) || r->tier != TIER_EXACT)
		return;
	e = explain(r->point, new, r->metric, -1, m->store);
	if (e) {
		set_functions(step, e, m->kernel[at].differing);
		explanation_free(e);
	} else {
		json_object_set_new(step, "unexplained", text_json(fail_text()));
	}
}

static json_t *step_json(struct maker *m, const struct result *r, size_t from,
			 size_t at)
{
	json_t *step = json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:s}",
				 "from", (json_int_t)from, "at", (json_int_t)at,
				 "base", number_json(r->base.median),
				 "new", number_json(r->new.median),
				 "delta", number_json(r->delta),
				 "ratio", number_json(r->ratio),
				 "verdict", r->word);

	explain_step(m, step, r, at);
	return step;
}

static const char *why_absent(const struct side_point *p, const char *metric)
{
	const char *why = NULL;
	size_t i;

	for (i = 0; p && i < p->nr_obs && !why; i++)
		why = p->obs[i].ok ? observation_absent(&p->obs[i], metric) :
		      observation_reason(&p->obs[i]);
	return why;
}

/* The row's values and steps, kernel by kernel. */
static void fill_row(struct maker *m, json_t *row, const struct side_point *p,
		     const char *metric, enum tier tier)
{
	json_t *values = json_array(), *steps = json_array();
	json_t *absent = json_object();
	size_t last = SIZE_MAX, varies = 0, i;

	for (i = 0; i < m->nr; i++) {
		const struct side_point *q = m->kernel[i].side ?
			side_find(m->kernel[i].side, p->key) : NULL;
		struct sample s = { 0 };

		if (q)
			s = sample_take(q, metric, tier, NULL);
		if (!s.nr) {
			const char *why = why_absent(q, metric);
			char *key = xasprintf("%zu", i);

			json_array_append_new(values, json_null());
			if (why && m->kernel[i].side)
				json_object_set_new(absent, key, text_json(why));
			free(key);
			sample_free(&s);
			continue;
		}
		json_array_append_new(values, sample_json(&s));
		varies += !sample_is_one(&s);
		sample_free(&s);
		if (last != SIZE_MAX) {
			const struct result *r =
				result_of(comparison_of(m, last, i), p, metric);

			if (r && is_difference(r))
				json_array_append_new(steps,
						step_json(m, r, last, i));
		}
		last = i;
	}
	json_object_set_new(row, "values", values);
	json_object_set_new(row, "varies", json_boolean(varies));
	json_object_set_new(row, "steps", steps);
	if (json_object_size(absent))
		json_object_set(row, "absent", absent);
	json_decref(absent);
}

/* Of any kernel, an event happened or something was counted. */
static bool is_idle(const json_t *row)
{
	json_t *v;
	size_t i;

	json_array_foreach(json_object_get(row, "values"), i, v)
		if (!json_is_null(v) && (!json_is_number(v) ||
					 json_number_value(v)))
			return false;
	return true;
}

static bool has_value(const struct maker *m, const struct side_point *p,
		      const char *metric)
{
	size_t i, j;
	double v;

	for (i = 0; i < m->nr; i++) {
		const struct side_point *q = m->kernel[i].side ?
			side_find(m->kernel[i].side, p->key) : NULL;

		for (j = 0; q && j < q->nr_obs; j++)
			if (observation_value(&q->obs[j], metric, &v))
				return true;
	}
	return false;
}

/*
 * Rows that say little more than another are left out, as in a comparison:
 * details, and the sum of kernel and user instructions.
 */
static bool is_wanted(const struct maker *m, const struct side_point *p,
		      const char *metric)
{
	if (m->options->select.nr_metrics)
		return selected_metric(&m->options->select, metric);
	if (counts_detail(metric))
		return false;
	return strcmp(metric, "instructions") ||
	       has_value(m, p, "instructions_guest") ||
	       !has_value(m, p, TREND_COST);
}

static void add_row(struct maker *m, const struct side_point *p,
		    const char *metric)
{
	struct report one = { .nr = 1 };
	enum tier tier = metric_tier(p, metric);
	struct metric_facts facts = file_metric(p->obs[0].file, metric);
	char *id, *words;
	json_t *row;

	if (tier == TIER_NONE || !is_wanted(m, p, metric))
		return;
	id = point_path(&one, 0, p, metric);
	words = point_in_words(m->points, m->nr_points, p);
	row = json_pack("{s:s, s:s, s:O, s:s, s:o, s:s, s:s, s:s, s:s}",
			"id", id, "bench", p->bench, "params", p->params,
			"mode", p->mode, "words", text_json(words),
			"metric", metric, "unit", facts.unit,
			"tier", tier_name(tier),
			"better", better_name(facts.better));
	free(id);
	free(words);
	fill_row(m, row, p, metric, tier);
	if (!is_idle(row))
		json_array_append(m->rows, row);
	json_decref(row);
}

static void add_rows(struct maker *m, const struct side_point *p)
{
	json_t *seen = json_object(), *value;
	const char *metric;
	void *next;
	size_t i, j;

	for (i = 0; i < m->nr; i++) {
		const struct side_point *q = m->kernel[i].side ?
			side_find(m->kernel[i].side, p->key) : NULL;

		for (j = 0; q && j < q->nr_obs; j++)
			json_object_update_missing(seen, json_object_get(
					q->obs[j].point, "counters"));
	}
	json_object_foreach_safe(seen, next, metric, value)
		add_row(m, p, metric);
	json_decref(seen);
}

static void collect_points(struct maker *m)
{
	json_t *seen = json_object();
	size_t i, j;

	for (i = 0; i < m->nr; i++)
		for (j = 0; m->kernel[i].side &&
			    j < m->kernel[i].side->nr_points; j++) {
			const struct side_point *p =
				&m->kernel[i].side->points[j];

			if (!strcmp(p->bench, "harness.empty") ||
			    json_object_get(seen, p->key))
				continue;
			json_object_set_new(seen, p->key, json_true());
			m->points = grow(m->points, m->nr_points,
					 sizeof(*m->points));
			m->points[m->nr_points++] = p;
		}
	json_decref(seen);
}

static bool is_known(const char *value)
{
	return *value && strcmp(value, "(none)") && strcmp(value, "(null)");
}

/*
 * Settings that differ and matter, such as the compiler. One that only one of the
 * kernels knows is part of what was merged.
 */
static json_t *environment_of(const struct env_differences *e)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < e->nr; i++) {
		char *text;

		if (!e->d[i].matters || env_said_before(e, i) ||
		    !is_known(e->d[i].base) || !is_known(e->d[i].new))
			continue;
		text = env_difference_text(&e->d[i]);
		json_array_append_new(all, text_json(text));
		free(text);
	}
	return all;
}

/* Neighbours that compare would refuse are no trend. */
static int check_neighbours(struct maker *m)
{
	size_t last = SIZE_MAX, i;

	for (i = 0; i < m->nr; i++) {
		const struct env_differences *e;

		if (!m->kernel[i].side)
			continue;
		if (last != SIZE_MAX) {
			e = &comparison_of(m, last, i)->env;
			if (report_refusal(e, m->kernel[last].side,
					   m->kernel[i].side))
				return -EINVAL;
			json_object_set_new(m->kernel[i].entry, "environment",
					    environment_of(e));
		}
		last = i;
	}
	return last == SIZE_MAX ?
	       fail(ENOENT, "no kernel of the trend has booted") : 0;
}

static json_t *document(struct maker *m, const char *title)
{
	json_t *kernels = json_array(), *doc;
	size_t i;

	for (i = 0; i < m->nr; i++)
		json_array_append(kernels, m->kernel[i].entry);
	collect_points(m);
	m->rows = json_array();
	for (i = 0; i < m->nr_points; i++)
		add_rows(m, m->points[i]);
	doc = json_pack("{s:s, s:o, s:o, s:o}", "schema", TREND_SCHEMA,
			"title", text_json(title ? title : "A trend"),
			"kernels", kernels, "rows", m->rows);
	if (!json_array_size(m->rows)) {
		json_decref(doc);
		return fail_null(ENOENT, "no kernel has a point with a metric that was asked for");
	}
	return doc;
}

json_t *trend_make(const char *const *dir, size_t nr, const char *title,
		 const struct compare_options *o)
{
	struct maker m = { .kernel = xcalloc(nr, sizeof(*m.kernel)),
			   .options = o };
	json_t *doc = NULL;
	size_t i, j;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		ret = load_kernel(&m, dir[i]);
	m.store = insn_store_new();
	if (!ret && !check_neighbours(&m))
		doc = document(&m, title);
	insn_store_free(m.store);
	for (i = 0; i < m.nr; i++) {
		for (j = 0; j < i; j++)
			if (m.kernel[i].against[j])
				comparison_free(m.kernel[i].against[j]);
		free(m.kernel[i].against);
		json_decref(m.kernel[i].entry);
		json_decref(m.kernel[i].differing);
	}
	for (i = 0; i < m.nr; i++)
		if (m.kernel[i].side)
			side_free(m.kernel[i].side);
	free(m.kernel);
	free(m.points);
	return doc;
}
