// SPDX-License-Identifier: GPL-2.0
/* See view.h. */
#include "analysis/judge/view.h"

#include <stdlib.h>
#include <string.h>

#include "lib/insn_metrics.h"
#include "lib/record.h"
#include "lib/util.h"

/* Overlapping rows that are printed without --all. */
#define MAX_OVERLAP	20

char *view_point(const struct view *v, const struct side_point *p)
{
	char *params = varying_params(p, v->constant), *text;

	text = xasprintf("%s%s%s%s%s%s", p->bench, *params ? " " : "", params,
			 v->modes ? " (" : "", v->modes ? p->mode : "",
			 v->modes ? ")" : "");
	free(params);
	return text;
}

static char *params_without_folio(const struct side_point *p, json_t *constant)
{
	json_t *without = json_copy(constant);
	char *text;

	json_object_set_new(without, "folio", json_null());
	text = varying_params(p, without);
	json_decref(without);
	return text;
}

static const char *words_or_bench(const struct side_point *p)
{
	const char *words = json_text(p->obs[0].point, "words");

	return *words ? words : p->bench;
}

char *point_in_words(const struct side_point *const *all, size_t nr,
		  const struct side_point *p)
{
	const struct side_point **same = xcalloc(nr + 1, sizeof(*same));
	const char *words = words_or_bench(p);
	bool plain = !strcmp(p->mode, "exact"), one = true;
	char *params, *text;
	json_t *constant;
	size_t nr_same = 0, i;

	for (i = 0; i < nr; i++) {
		one = one && !strcmp(all[i]->mode, p->mode);
		if (!strcmp(words_or_bench(all[i]), words))
			same[nr_same++] = all[i];
	}
	plain = plain || one;
	constant = constant_params(same, nr_same);
	params = params_without_folio(p, constant);
	text = xasprintf("%s%s%s%s%s%s", words, *params ? ", " : "", params,
			 plain ? "" : " (", plain ? "" : p->mode,
			 plain ? "" : ")");
	json_decref(constant);
	free(params);
	free(same);
	return text;
}

char *metric_label(const char *metric, const char *unit)
{
	if (!*unit || strstr(metric, unit))
		return xstrdup(metric);
	return xasprintf("%s (%s)", metric, unit);
}

/*
 * Returns whether the row is instructions, and the sum of the rows
 * instructions_user and instructions_kernel. With a guest, only the sum is the
 * total of the operation.
 */
static bool is_sum(const struct comparison *c, const struct result *r)
{
	unsigned int parts = 0;
	size_t i;

	if (strcmp(r->metric, "instructions") || r->tier != TIER_EXACT)
		return false;
	for (i = 0; i < c->nr_results; i++) {
		const char *metric = c->results[i].metric;

		if (c->results[i].point != r->point)
			continue;
		if (!strcmp(metric, "instructions_guest"))
			return false;
		parts += !strcmp(metric, "instructions_user") ||
			 !strcmp(metric, "instructions_kernel");
	}
	return parts == 2;
}

static bool wanted(const struct comparison *c, const struct result *r,
		   struct view *v, size_t *overlaps)
{
	if (r->verdict == VERDICT_EQUAL || r->verdict == VERDICT_IDLE ||
	    r->same_by_seed)
		return false;
	if (!c->options->select.nr_metrics && is_sum(c, r)) {
		v->sums++;
		return false;
	}
	if (!c->options->select.nr_metrics && counts_detail(r->metric)) {
		v->details++;
		return false;
	}
	if (r->verdict != VERDICT_OVERLAP || ++*overlaps <= MAX_OVERLAP)
		return true;
	v->hidden++;
	return false;
}

static void add_row(struct view *v, const struct result *r)
{
	v->row = grow(v->row, v->nr, sizeof(*v->row));
	v->row[v->nr++] = r;
}

static bool has_row(const struct view *v, const struct result *r)
{
	size_t i;

	for (i = 0; i < v->nr; i++)
		if (!strcmp(v->row[i]->point->key, r->point->key) &&
		    !strcmp(v->row[i]->metric, r->metric))
			return true;
	return false;
}

/*
 * Sorts rows so that those of a point are adjacent; points are in the order of
 * their first row.
 */
static void group_rows(struct view *v)
{
	const struct result **sorted = xcalloc(v->nr, sizeof(*sorted));
	bool *done = xcalloc(v->nr, sizeof(*done));
	size_t nr = 0, i, j;

	for (i = 0; i < v->nr; i++) {
		if (done[i])
			continue;
		for (j = i; j < v->nr; j++) {
			if (v->row[j]->point != v->row[i]->point)
				continue;
			sorted[nr++] = v->row[j];
			done[j] = true;
		}
	}
	free(done);
	free(v->row);
	v->row = sorted;
}

static void describe(struct view *v)
{
	const struct side_point **p = xcalloc(v->nr, sizeof(*p));
	size_t i;

	for (i = 0; i < v->nr; i++) {
		p[i] = v->row[i]->point;
		v->modes = v->modes || strcmp(p[i]->mode, p[0]->mode);
		v->exact = v->exact || v->row[i]->tier == TIER_EXACT;
		v->timed = v->timed || v->row[i]->tier == TIER_TIMED;
	}
	v->constant = constant_params(p, v->nr);
	free(p);
}

struct view view_merge(struct comparison *const *c, size_t nr, bool all)
{
	struct view v = { 0 };
	size_t i, j, overlaps;

	for (i = 0; i < nr; i++) {
		overlaps = 0;
		for (j = 0; j < c[i]->nr_results; j++) {
			const struct result *r = &c[i]->results[j];

			if (!all && !wanted(c[i], r, &v, &overlaps))
				continue;
			if (!i || !has_row(&v, r))
				add_row(&v, r);
		}
	}
	group_rows(&v);
	describe(&v);
	return v;
}

struct view view_of(const struct comparison *c, bool all)
{
	struct comparison *one = (struct comparison *)c;

	return view_merge(&one, 1, all);
}

void view_free(struct view *v)
{
	json_decref(v->constant);
	free(v->row);
	memset(v, 0, sizeof(*v));
}

const struct result *result_like(const struct comparison *c,
				 const struct result *r)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		if (!strcmp(c->results[i].metric, r->metric) &&
		    !strcmp(c->results[i].point->key, r->point->key))
			return &c->results[i];
	return NULL;
}
