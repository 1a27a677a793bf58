// SPDX-License-Identifier: GPL-2.0
/*
 * The figures of the new kernel for what tracks them over time (Bencher,
 * github-action-benchmark), and the answer as b4 review shows it.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/report/machine.h"
#include "lib/util.h"

/* --- Bencher Metric Format --- */

#define BENCHMARK_MAX	1024
#define MEASURE_MAX	64

static void add_measure(json_t *all, const char *benchmark,
			const struct result *r)
{
	char *measure = cut_name(xstrdup(r->metric), MEASURE_MAX);
	json_t *measures = json_object_get(all, benchmark);

	if (!measures) {
		measures = json_object();
		json_object_set_new(all, benchmark, measures);
	}
	json_object_set_new(measures, measure, json_pack(
		"{s:o, s:o, s:o}", "value", number_json(r->new.median),
		"lower_value", number_json(r->new.min),
		"upper_value", number_json(r->new.max)));
	free(measure);
}

void report_bmf(const struct report *r, FILE *f)
{
	json_t *all = json_object();
	size_t i, k;

	for (i = 0; i < r->nr; i++)
		for (k = 0; k < r->c[i]->nr_results; k++) {
			const struct result *x = &r->c[i]->results[k];
			char *name = cut_name(point_name(r, i, x->point),
					     BENCHMARK_MAX);

			add_measure(all, name, x);
			free(name);
		}
	put_document(all, f);
}

/* --- github-action-benchmark --- */

static json_t *entry_of(const struct report *r, size_t nr,
			const struct result *x)
{
	char *point = point_name(r, nr, x->point), *text = row_text(x);
	char *name = xasprintf("%s: %s", point, x->metric);
	char number[NUMBER_SIZE], *range;
	json_t *entry = json_pack("{s:s, s:s, s:o, s:s}", "name", name,
				  "unit", x->facts.unit, "value",
				  number_json(x->new.median), "extra", text);

	if (!sample_is_one(&x->new)) {
		exact_number((x->new.max - x->new.min) / 2, number);
		range = xasprintf("± %s", number);
		json_object_set_new(entry, "range", json_string(range));
		free(range);
	}
	free(point);
	free(name);
	free(text);
	return entry;
}

void report_gha(const struct report *r, FILE *f)
{
	json_t *all = json_array();
	size_t i, k;

	for (i = 0; i < r->nr; i++)
		for (k = 0; k < r->c[i]->nr_results; k++) {
			const struct result *x = &r->c[i]->results[k];

			/* customSmallerIsBetter is of a whole file. */
			if (x->facts.better == BETTER_LOWER)
				json_array_append_new(all, entry_of(r, i, x));
		}
	put_document(all, f);
}

/* --- b4 review --- */

static const char *status_of(const struct comparison *c)
{
	if (c->count[VERDICT_REGRESSION])
		return "fail";
	if (c->count[VERDICT_CHANGED] || c->count[VERDICT_INCONCLUSIVE] ||
	    c->exercised == EXERCISED_NEVER)
		return "warn";
	return "pass";
}

static json_t *check_of(const struct report *r, size_t nr)
{
	const struct report one = { .c = r->c + nr, .nr = 1, .all = r->all };
	char *summary = counts_text(r->c[nr]), *details;
	json_t *check;
	size_t len;
	FILE *f = open_memstream(&details, &len);

	report_answer(&one, f);
	fclose(f);
	check = json_pack("{s:s, s:s, s:s, s:s}", "tool", "ptelab",
			  "status", status_of(r->c[nr]), "summary", summary,
			  "details", details);
	free(summary);
	free(details);
	return check;
}

void report_b4(const struct report *r, FILE *f)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < r->nr; i++)
		json_array_append_new(all, check_of(r, i));
	put_document(all, f);
}
