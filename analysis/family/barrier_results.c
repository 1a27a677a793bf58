// SPDX-License-Identifier: GPL-2.0
/* See barrier_results.h. */
#include "analysis/family/barrier_results.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/pivot.h"
#include "analysis/draw/table.h"
#include "analysis/load/sample.h"
#include "lib/binomial.h"
#include "lib/util.h"

#define CONFIDENCE	.95
#define MAX_STORES	9	/* columns of costs */

static const json_t *proof_of(const struct side_point *p)
{
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (p->obs[i].ok)
			return json_object_get(p->obs[i].point, "proof");
	return NULL;
}

static bool is_bench(const struct side_point *p, const char *name)
{
	return !strcmp(p->bench, name);
}

static bool has_param(const struct side_point *p, const char *name)
{
	return json_object_get(p->params, name) != NULL;
}

/* --- costs --- */

/*
 * Adds a cost: "4.1", "~0" if it does not differ from none, "-" if it was not
 * measured.
 */
static void cost_cell(struct table *t, const struct side_point *p)
{
	enum tier tier = p ? metric_tier(p, "barrier_ns") : TIER_NONE;
	const json_t *proof = p ? proof_of(p) : NULL;
	char number[NUMBER_SIZE];
	struct sample v;

	if (!proof || tier == TIER_NONE) {
		table_cell(t, "-");
		return;
	}
	v = sample_take(p, "barrier_ns", tier, NULL);
	if (json_is_false(json_object_get(proof, "told")))
		table_cell(t, "~0");
	else
		table_cell(t, "%s", format_number(v.median,
				fabs(v.median) < 10 ? 2 :
				fabs(v.median) < 100 ? 1 : 0, number));
	sample_free(&v);
}

static void print_costs(const struct pivot_page *m, FILE *f)
{
	const json_t *params = m->cell->point->params;
	struct table *t = table_new();
	size_t i, j;

	fputc('\n', f);
	print_line(f, 0, 2, "barrier.cost state=%s place=%s: ns added, by stores before it",
		   json_text(params, "state"), json_text(params, "place"));
	table_column(t, "barrier", false);
	for (i = 0; i < m->columns.nr; i++)
		table_column(t, m->columns.text[i], true);
	for (j = 0; j < m->rows.nr; j++) {
		table_row(t);
		table_cell(t, "%s", m->rows.text[j]);
		for (i = 0; i < m->columns.nr; i++)
			cost_cell(t, pivot_at(m, m->rows.text[j],
					      m->columns.text[i]));
	}
	table_print_mail(t, f, 2, SHOW_WIDTH);
	table_free(t);
}

static void print_all_costs(const struct side *s, FILE *f)
{
	static const char *const but[] = { "barrier", "stores", NULL };
	struct pivot t = { .most_columns = MAX_STORES };
	size_t i;

	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];

		if (is_bench(p, "barrier.cost") && proof_of(p) &&
		    metric_tier(p, "barrier_ns") != TIER_NONE)
			pivot_add(&t, p, key_without(p, but),
				  xstrdup(json_text(p->params, "barrier")),
				  param_value_text(json_object_get(p->params,
								   "stores")));
	}
	pivot_sort(&t, 0);
	for (i = 0; i < t.nr; i++)
		print_costs(&t.page[i], f);
	pivot_free(&t);
}

/* --- the publish pattern --- */

static void metric_cell(struct table *t, const struct side_point *p,
			const char *metric)
{
	enum tier tier = p ? metric_tier(p, metric) : TIER_NONE;
	struct sample v = { 0 };

	if (tier != TIER_NONE)
		v = sample_take(p, metric, tier, NULL);
	if (v.nr)
		table_cell(t, "%.0f", v.median);
	else
		table_cell(t, "-");
	sample_free(&v);
}

static const char *short_verdict(const json_t *proof, const char *model)
{
	const char *v = json_text(json_object_get(proof, "models"), model);

	return !strcmp(v, "Never") ? "never" : *v ? "may" : "-";
}

/*
 * Adds the verdicts of the kernel's model and of arm64's, one word if they
 * agree.
 */
static void models_cell(struct table *t, const json_t *proof)
{
	const char *lkmm = short_verdict(proof, "LKMM");
	const char *arm = short_verdict(proof, "AArch64");

	if (strcmp(lkmm, arm))
		table_cell(t, "%s/%s", lkmm, arm);
	else
		table_cell(t, "%s", lkmm);
}

static void later_cell(struct table *t, const struct side_point *p)
{
	const json_t *later = p ? json_object_get(proof_of(p), "later_ns") :
		NULL;

	if (!later)
		table_cell(t, "-");
	else if (!json_is_true(json_object_get(later, "told")))
		table_cell(t, "~0");
	else
		table_cell(t, "%+.1f", json_number_value(
				json_object_get(later, "median")));
}

/* Adds how often the outcome was seen, "0/3M". */
static void seen_cell(struct table *t, const struct litmus_result *r)
{
	uint64_t all = r->positive + r->negative;

	if (!r->test)
		table_cell(t, "-");
	else if (all >= 1000000)
		table_cell(t, "%" PRIu64 "/%.3gM", r->positive, all / 1e6);
	else
		table_cell(t, "%" PRIu64 "/%.3gk", r->positive, all / 1e3);
}

static void publish_row(struct table *t, const struct pivot_page *m,
			const char *row)
{
	static const char *const costs[] = { "writer", "reader", "bail" };
	const struct side_point *latency = pivot_at(m, row, "latency");
	const struct side_point *order = pivot_at(m, row, "order"), *p = NULL;
	struct litmus_result r = { 0 };
	size_t i;

	for (i = 0; !p; i++)
		if (!strcmp(m->cell[i].row, row))
			p = m->cell[i].point;
	if (order)
		litmus_result_of(order, &r);
	table_row(t);
	table_cell(t, "%s", json_text(p->params, "writer"));
	table_cell(t, "%s", json_text(p->params, "reader"));
	table_cell(t, "%s", !strcmp(json_text(p->params, "watch"),
				    "initialised") ? "init" : "flag");
	models_cell(t, proof_of(p));
	seen_cell(t, &r);
	for (i = 0; i < ARRAY_SIZE(costs); i++)
		cost_cell(t, pivot_at(m, row, costs[i]));
	metric_cell(t, latency, "latency_ns.p50");
	later_cell(t, latency);
	metric_cell(t, latency, "usable_ns.p50");
	litmus_result_free(&r);
}

static void print_publish(const struct side *s, FILE *f)
{
	static const char *const but[] = { "measure", NULL };
	static const char *const heads[] = {
		"writer", "reader", "tests",
		"models", "old", "wr", "rd", "bail", "seen", "later", "used"
	};
	struct pivot all = { 0 };
	struct table *t;
	size_t i;

	for (i = 0; i < s->nr_points; i++)
		if (is_bench(&s->points[i], "barrier.publish"))
			pivot_add(&all, &s->points[i], xstrdup(""),
				  key_without(&s->points[i], but),
				  xstrdup(json_text(s->points[i].params,
						    "measure")));
	if (!all.nr)
		return;
	fputs("\nbarrier.publish: may the reader see an old context? did it?\n", f);
	t = table_new();
	for (i = 0; i < ARRAY_SIZE(heads); i++)
		table_column(t, heads[i], i >= 3);
	for (i = 0; i < all.page->rows.nr; i++)
		publish_row(t, all.page, all.page->rows.text[i]);
	table_print_mail(t, f, 1, SHOW_WIDTH);
	print_line(f, 1, 1, "tests: the word that the reader tests, the down flag or is_initialised. models: whether the kernel's and arm64's allow an old context. old: old contexts of all. wr, rd, bail: ns that the barriers add for the writer, for a reader that finds the word set, and for one that does not. seen, used: median ns from the store to that word until the reader has seen it, and until it has read the context. later: ns by which the reader's barrier delays seeing the store, compared with a reader without barrier.");
	table_free(t);
	pivot_free(&all);
}

/* --- litmus tests --- */

/* Returns @text with a rate, "6.9e-2". */
static const char *short_rate(double v, char text[NUMBER_SIZE])
{
	char *e;

	snprintf(text, NUMBER_SIZE, "%.1e", v);
	e = strchr(text, 'e');
	/* an exponent has at least two digits, the first of which is often 0 */
	if (e && e[1] && e[2] == '0')
		memmove(e + 2, e + 3, strlen(e + 3) + 1);
	return text;
}

static void rate_cells(struct table *t, const struct litmus_result *r)
{
	uint64_t n = r->positive + r->negative;
	struct interval i = binomial_interval(r->positive, n, CONFIDENCE);
	char low[NUMBER_SIZE], high[NUMBER_SIZE];

	seen_cell(t, r);
	if (r->positive)
		table_cell(t, "%s..%s", short_rate(i.low, low),
			   short_rate(i.high, high));
	else
		table_cell(t, "< %s", short_rate(
			   binomial_upper_of_none(n, CONFIDENCE), high));
	if (isnan(r->seconds) || r->seconds <= 0)
		table_cell(t, "-");
	else
		table_cell(t, "%.1f", n / r->seconds / 1e6);
}

static void litmus_row(struct table *t, const struct side_point *p,
		       const struct litmus_result *r,
		       const struct litmus_result *beside, size_t nr)
{
	const json_t *proof = proof_of(p);
	size_t i;

	table_row(t);
	table_cell(t, "%s", r->test);
	table_cell(t, "%s", short_verdict(proof, "LKMM"));
	table_cell(t, "%s", short_verdict(proof, "AArch64"));
	table_cell(t, "%s", short_verdict(proof, "x86-TSO"));
	rate_cells(t, r);
	table_cell(t, "%s", json_text(proof, "evidence"));
	for (i = 0; i < nr; i++) {
		if (strcmp(beside[i].test, r->test))
			continue;
		table_row(t);
		table_cell(t, " (other)");
		table_cell(t, " ");
		table_cell(t, " ");
		table_cell(t, " ");
		rate_cells(t, &beside[i]);
	}
}

static void print_litmus(const struct side *s,
			 const struct litmus_result *beside, size_t nr,
			 FILE *f)
{
	static const struct {
		const char *name;
		bool right;
	} columns[] = {
		{ "test", false }, { "LKMM", true }, { "Arm", true },
		{ "TSO", true }, { "seen", true }, { "rate, 95%", true },
		{ "M/s", true }, { "proof", false },
	};
	struct table *t = NULL;
	size_t i, j;

	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];
		struct litmus_result r;

		if (!has_param(p, "barriers") || !litmus_result_of(p, &r))
			continue;
		if (!t) {
			fputs("\nlitmus: what the models say, and what was seen\n", f);
			t = table_new();
			for (j = 0; j < ARRAY_SIZE(columns); j++)
				table_column(t, columns[j].name,
					     columns[j].right);
		}
		litmus_row(t, p, &r, beside, nr);
		litmus_result_free(&r);
	}
	if (!t)
		return;
	table_print_mail(t, f, 1, SHOW_WIDTH);
	print_line(f, 1, 1, "proof: seen; control: not seen, but store buffering without barriers was, on the same CPUs in the same run; none: not seen, and that is no evidence. For an outcome that was not seen, the rate that this excludes.");
	table_free(t);
}

/* --- remarks --- */

/* Prints each different text of a proof's member once. */
static void remark(const struct side *s, const char *member, FILE *f)
{
	json_t *seen = json_object();
	size_t i;

	for (i = 0; i < s->nr_points; i++) {
		const char *text = json_text(proof_of(&s->points[i]), member);

		if (!*text || json_object_get(seen, text))
			continue;
		json_object_set_new(seen, text, json_true());
		print_line(f, 0, 2, "* %s", text);
	}
	json_decref(seen);
}

static void forbidden_remark(const struct side *s, FILE *f)
{
	size_t i;
	double v;

	for (i = 0; i < s->nr_points; i++) {
		const struct side_point *p = &s->points[i];
		char *params;
		size_t j;

		for (j = 0; j < p->nr_obs; j++)
			if (observation_value(&p->obs[j], "forbidden_outcomes",
					      &v) && v > 0)
				break;
		if (j == p->nr_obs)
			continue;
		params = params_text(p->params, " ");
		print_line(f, 0, 2, "* forbidden-outcome: %s %s: an outcome was seen that a model in force forbids",
			   p->bench, params);
		free(params);
	}
}

/*
 * Prints the range of round trips between the CPUs during the run. A hypervisor
 * may move vCPUs, and then figures of different points can't be compared.
 */
static void distance_remark(const struct side *s, FILE *f)
{
	double low = INFINITY, high = 0;
	size_t i;

	for (i = 0; i < s->nr_points; i++) {
		const json_t *ns = json_object_get(proof_of(&s->points[i]),
						   "round_trip_ns");

		if (!ns)
			continue;
		low = fmin(low, json_number_value(ns));
		high = fmax(high, json_number_value(ns));
	}
	if (high)
		print_line(f, 0, 2, "* round trip of a cache line to the other CPU: %.0f to %.0f ns%s",
			   low, high, high > 1.5 * low ?
			   ". This varies too much to compare points with each other: the CPUs were busy, or a hypervisor moved them. The proof of each point has its own (round_trip_ns)" : "");
}

void show_barriers(const struct side *s, const struct litmus_result *beside,
		   size_t nr, FILE *f)
{
	const json_t *h = s->run->files[0]->header;
	const char *arch = json_text(h, "arch");

	print_line(f, 0, 2, "%s, %s%s", arch,
		   json_text(json_object_get(h, "cpu"), "model"),
		   file_clock_emulated(s->run->files[0]) ?
		   ", emulated: counts only" : "");
	print_all_costs(s, f);
	print_publish(s, f);
	print_litmus(s, beside, nr, f);
	fputc('\n', f);
	print_line(f, 0, 2, "~0: no more than the difference of two copies of the loop without a barrier. -: not measured. The costs hold only for this machine: on other CPUs the ranking may be different.");
	distance_remark(s, f);
	remark(s, "cannot_exhibit", f);
	forbidden_remark(s, f);
}

void show_litmus(const struct side *s, FILE *f)
{
	struct litmus_result r;
	size_t i;

	for (i = 0; i < s->nr_points; i++) {
		if (!litmus_result_of(&s->points[i], &r))
			continue;
		litmus_print(&r, f);
		litmus_result_free(&r);
	}
}
