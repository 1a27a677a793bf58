// SPDX-License-Identifier: GPL-2.0
/*
 * A comparison as tests that pass, fail or are skipped: KTAP
 * (Documentation/dev-tools/ktap.rst of the kernel) and test cases of LAVA.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/report/machine.h"
#include "lib/util.h"

/* --- KTAP: a test for each point, within it one for each metric --- */

/* A description can't have '#', and '\' is an escape in TAP. */
#define KTAP_KEEPS	" !\"$&'()*+,-./:;<=>?@[]^_`{|}~"

/* "@indent[not ]ok NR NAME[ # WHAT]", with SKIP before what is no verdict */
static void put_test(const char *indent, enum outcome o, size_t nr,
		     const char *name, const char *what, FILE *f)
{
	char *description = percent_encode(name, KTAP_KEEPS);
	char *clean = what ? clean_text(what) : NULL;

	fprintf(f, "%s%s %zu %s%s%s%s\n", indent,
		o == OUTCOME_FAIL ? "not ok" : "ok", nr, description,
		clean ? " # " : "", o == OUTCOME_SKIP ? "SKIP " : "",
		clean ? clean : "");
	free(description);
	free(clean);
}

/* What of the point is no row. */
static void put_gaps(const struct comparison *c, const struct side_point *p,
		     FILE *f)
{
	size_t i;

	for (i = 0; i < c->nr_missing; i++) {
		char *text = not_compared_text(&c->missing[i]);

		if (points_match(c->missing[i].point, p))
			fprintf(f, "# %s\n", text);
		free(text);
	}
	for (i = 0; i < c->nr_one_sided; i++) {
		char *text = one_sided_text(&c->one_sided[i]);
		char *metric = clean_text(c->one_sided[i].metric);

		if (points_match(c->one_sided[i].point, p))
			fprintf(f, "# %s: %s\n", metric, text);
		free(metric);
		free(text);
	}
}

static void put_point(const struct comparison *c, const struct point_test *t,
		      const char *name, size_t nr, FILE *f)
{
	size_t i;

	if (t->nr)
		fprintf(f, "  KTAP version 1\n  1..%zu\n", t->nr);
	for (i = 0; i < t->nr; i++) {
		char *text = row_text(t->rows[i]);

		put_test("  ", row_outcome(c, t->rows[i]), i + 1,
			 t->rows[i]->metric, text, f);
		free(text);
	}
	put_gaps(c, t->point, f);
	put_test("", t->outcome, nr, name, t->why, f);
}

void report_ktap(const struct report *r, FILE *f)
{
	struct point_test **t = xcalloc(r->nr, sizeof(*t));
	size_t *nr = xcalloc(r->nr, sizeof(*nr)), all = 0, done = 0, i, k;

	for (i = 0; i < r->nr; i++) {
		t[i] = point_tests(r->c[i], &nr[i]);
		all += nr[i];
	}
	fprintf(f, "KTAP version 1\n1..%zu\n", all);
	for (i = 0; i < r->nr; i++) {
		for (k = 0; k < nr[i]; k++) {
			char *name = point_name(r, i, t[i][k].point);

			put_point(r->c[i], &t[i][k], name, ++done, f);
			free(name);
		}
		point_tests_free(t[i], nr[i]);
	}
	free(nr);
	free(t);
}

/* --- LAVA: a case for each row, by the helper of its test definitions --- */

static void put_case(const char *path, enum outcome o, FILE *f)
{
	static const char *const result[] = { "skip", "pass", "fail" };

	fprintf(f, "lava-test-case %s --result %s", path, result[o]);
}

static void put_measured(const struct report *r, size_t nr,
			 const struct result *x, FILE *f)
{
	char *path = point_path(r, nr, x->point, x->metric);
	char *units = percent_encode(x->facts.unit, "_.%/-");
	char number[NUMBER_SIZE];

	put_case(path, row_outcome(r->c[nr], x), f);
	fprintf(f, " --measurement %s", exact_number(x->new.median, number));
	if (*units)
		fprintf(f, " --units %s", units);
	fputc('\n', f);
	free(units);
	free(path);
}

static void put_unmeasured(const struct report *r, size_t nr,
			   const struct side_point *p, const char *metric,
			   FILE *f)
{
	char *path = point_path(r, nr, p, metric);

	put_case(path, OUTCOME_SKIP, f);
	fputc('\n', f);
	free(path);
}

static void put_cases(const struct report *r, size_t nr, FILE *f)
{
	const struct comparison *c = r->c[nr];
	struct point_test *t;
	size_t points, i, k;

	t = point_tests(c, &points);
	for (i = 0; i < points; i++) {
		for (k = 0; k < t[i].nr; k++)
			put_measured(r, nr, t[i].rows[k], f);
		if (!t[i].nr)
			put_unmeasured(r, nr, t[i].point, NULL, f);
	}
	for (i = 0; i < c->nr_one_sided; i++)
		put_unmeasured(r, nr, c->one_sided[i].point,
			       c->one_sided[i].metric, f);
	point_tests_free(t, points);
}

void report_lava(const struct report *r, FILE *f)
{
	size_t i;

	for (i = 0; i < r->nr; i++)
		put_cases(r, i, f);
}
