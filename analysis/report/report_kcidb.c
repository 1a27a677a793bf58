// SPDX-License-Identifier: GPL-2.0
/*
 * KCIDB, the report schema of kernelci.org, version 5.3. A row is two tests of one
 * path: DONE on the base build, a measurement, and on the new build the verdict.
 * Each has its figure, and in "misc" the row as compare.json has it.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/report/answer.h"
#include "analysis/report/machine.h"
#include "lib/util.h"

#define SCHEMA_MAJOR	5
#define SCHEMA_MINOR	3

/* What is the same in all objects of a comparison. */
struct submission {
	const struct report *r;
	size_t nr;
	json_t *builds, *checkouts, *tests;
	char *id;	/* of the boots that are compared */
	char *how;	/* they were measured */
};

/* "ptelab:WHAT": ids begin with who submits them. */
static json_t *id_of(const struct submission *s, const char *what)
{
	char *id = xasprintf("%s:%s", s->r->origin, what);
	json_t *j = json_string(id);

	free(id);
	return j;
}

static const json_t *header_of(const struct side *s)
{
	return s->run->files[0]->header;
}

/* The build ID of the kernel, or where that is not known its release. */
static const char *kernel_of(const struct side *s)
{
	const char *id = json_text(header_of(s), "build_id");

	return *id ? id : json_text(header_of(s), "kernel_release");
}

/* The schema has no null. */
static json_t *without_nulls(json_t *o)
{
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(o, next, key, value)
		if (json_is_null(value))
			json_object_del(o, key);
	return o;
}

static json_t *text_json(const char *text)
{
	char *clean = clean_text(text);
	json_t *j = json_string(clean);

	free(clean);
	return j;
}

static bool is_known(const json_t *all, const json_t *id)
{
	json_t *o;
	size_t i;

	json_array_foreach(all, i, o)
		if (json_equal(json_object_get(o, "id"), id))
			return true;
	return false;
}

/* A kernel as checkout and build, once. */
static void add_kernel(struct submission *s, const struct side *side)
{
	const json_t *h = header_of(side);
	json_t *id = id_of(s, kernel_of(side));

	if (!is_known(s->builds, id)) {
		json_array_append_new(s->checkouts, json_pack(
			"{s:O, s:s, s:o}", "id", id, "origin", s->r->origin,
			"comment", text_json(json_text(h, "kernel_release"))));
		json_array_append_new(s->builds, json_pack(
			"{s:O, s:O, s:s, s:o, s:s, s:{s:s, s:s}}",
			"checkout_id", id, "id", id, "origin", s->r->origin,
			"architecture", text_json(json_text(h, "arch")),
			"status", "PASS", "misc", "kernel_release",
			json_text(h, "kernel_release"), "config_hash",
			json_text(h, "config_hash")));
	}
	json_decref(id);
}

/* A test on one side; returns it, borrowed. */
static json_t *add_test(struct submission *s, bool new,
			const struct side_point *p, const char *metric,
			const char *status)
{
	const struct comparison *c = s->r->c[s->nr];
	char *point = point_path(s->r, s->nr, p, metric);
	char *path = xasprintf("ptelab.%s", point);
	char *id = xasprintf("%s:%s:%s", s->id, new ? "new" : "base", path);
	json_t *test = json_pack("{s:o, s:o, s:s, s:s, s:s, s:{s:s}}",
				 "build_id",
				 id_of(s, kernel_of(new ? c->new : c->base)),
				 "id", id_of(s, id), "origin", s->r->origin,
				 "path", path, "status", status,
				 "environment", "comment", s->how);

	json_array_append_new(s->tests, test);
	free(point);
	free(path);
	free(id);
	return test;
}

static void set_figure(json_t *test, double v, const char *unit)
{
	json_object_set_new(test, "number", json_pack("{s:o, s:s}", "value",
						      number_json(v), "unit",
						      unit));
}

static const char *status_of(enum outcome o)
{
	/* A row that is skipped was measured all the same. */
	return o == OUTCOME_FAIL ? "FAIL" : o == OUTCOME_PASS ? "PASS" : "DONE";
}

static void add_row(struct submission *s, const struct result *r)
{
	char *text = row_text(r);
	json_t *test;

	test = add_test(s, false, r->point, r->metric, "DONE");
	set_figure(test, r->base.median, r->facts.unit);
	test = add_test(s, true, r->point, r->metric,
			status_of(row_outcome(s->r->c[s->nr], r)));
	set_figure(test, r->new.median, r->facts.unit);
	json_object_set_new(test, "comment", text_json(text));
	json_object_set_new(test, "misc", without_nulls(result_json(r)));
	free(text);
}

/* A point that was to be measured, and a proof or a boot failed, is no skip. */
static void add_unmeasured(struct submission *s, const struct point_test *t)
{
	const struct comparison *c = s->r->c[s->nr];
	const char *status = "SKIP";
	size_t i;

	for (i = 0; i < c->nr_missing; i++)
		if (points_match(c->missing[i].point, t->point) &&
		    (!strcmp(c->missing[i].status, "invalid") ||
		     !strcmp(c->missing[i].status, "failed")))
			status = "ERROR";
	json_object_set_new(add_test(s, true, t->point, NULL, status),
			    "comment", text_json(t->why));
}

static void add_one_sided(struct submission *s, const struct one_sided *x)
{
	char *text = one_sided_text(x);
	json_t *test = add_test(s, !x->in_base, x->point, x->metric, "DONE");

	set_figure(test, x->value, x->facts.unit);
	json_object_set_new(test, "comment", text_json(text));
	free(text);
}

/* The same boots have the same id when they are compared again. */
static char *id_of_boots(const struct comparison *c)
{
	const struct side *side[] = { c->base, c->new };
	char *all = xstrdup(""), hex[65];
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(side); i++)
		for (k = 0; k < side[i]->nr_boots; k++)
			append_text(&all, " ", "%s %s", kernel_of(side[i]),
				    side[i]->boots[k].id ? side[i]->boots[k].id :
				    side[i]->boots[k].file->path);
	sha256_hex(all, strlen(all), hex);
	free(all);
	return xstrndup(hex, 16);
}

static void add_comparison(struct submission *s)
{
	const struct comparison *c = s->r->c[s->nr];
	struct point_test *t;
	size_t points, i, k;

	s->id = id_of_boots(c);
	s->how = answer_where(c);
	add_kernel(s, c->base);
	add_kernel(s, c->new);
	t = point_tests(c, &points);
	for (i = 0; i < points; i++) {
		for (k = 0; k < t[i].nr; k++)
			add_row(s, t[i].rows[k]);
		if (!t[i].nr)
			add_unmeasured(s, &t[i]);
	}
	for (i = 0; i < c->nr_one_sided; i++)
		add_one_sided(s, &c->one_sided[i]);
	point_tests_free(t, points);
	free(s->id);
	free(s->how);
}

void report_kcidb(const struct report *r, FILE *f)
{
	struct submission s = {
		.r = r, .builds = json_array(), .checkouts = json_array(),
		.tests = json_array(),
	};

	for (s.nr = 0; s.nr < r->nr; s.nr++)
		add_comparison(&s);
	put_document(json_pack("{s:{s:i, s:i}, s:o, s:o, s:o}", "version",
			   "major", SCHEMA_MAJOR, "minor", SCHEMA_MINOR,
			   "checkouts", s.checkouts, "builds", s.builds,
			   "tests", s.tests), f);
}
