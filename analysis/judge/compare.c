// SPDX-License-Identifier: GPL-2.0
/*
 * See compare.h.
 *
 * One file though it is long: each step of a comparison takes what the one before
 * has left in the results.
 */
#include "analysis/judge/compare.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/drift.h"
#include "analysis/judge/rules.h"
#include "lib/insn_metrics.h"
#include "lib/util.h"

/*
 * Relabellings of boots: all of them up to 8 against 8 boots, else this many
 * random ones.
 */
#define PERMUTATIONS	20000

const struct compare_options compare_defaults = {
	.margin = .01,
	.alpha = .05,
	.center = stat_median,
	.resamples = 5000,
	.seed = 1,
};

const char *verdict_name(enum verdict v)
{
	static const char *const names[NR_VERDICTS] = {
		[VERDICT_REGRESSION] = "regression",
		[VERDICT_IMPROVEMENT] = "improvement",
		[VERDICT_CHANGED] = "changed",
		[VERDICT_EQUAL] = "equal",
		[VERDICT_IDLE] = "idle",
		[VERDICT_OVERLAP] = "overlap",
		[VERDICT_EQUIVALENT] = "equivalent",
		[VERDICT_INCONCLUSIVE] = "inconclusive",
	};

	return names[v];
}

const char *better_name(enum metric_better b)
{
	static const char *const names[] = { "none", "lower", "higher" };

	return names[b];
}

bool is_difference(const struct result *r)
{
	return r->verdict == VERDICT_REGRESSION ||
	       r->verdict == VERDICT_IMPROVEMENT ||
	       r->verdict == VERDICT_CHANGED;
}

void comparison_note(struct comparison *c, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = xstrdup("");
	va_end(ap);
	c->notes = grow(c->notes, c->nr_notes, sizeof(*c->notes));
	c->notes[c->nr_notes++] = text;
}

/* --- one result --- */

static enum verdict judge(const struct result *r)
{
	if (r->facts.better == BETTER_NONE)
		return VERDICT_CHANGED;
	return (r->delta < 0) == (r->facts.better == BETTER_LOWER) ?
	       VERDICT_IMPROVEMENT : VERDICT_REGRESSION;
}

/*
 * Returns whether every seed that both sides have gives the same *@delta, to a
 * hundredth of it.
 */
static bool one_delta(const struct sample *base, const struct sample *new,
		      double *delta)
{
	size_t pairs = 0, i, j;

	for (i = 0; i < base->nr; i++)
		for (j = 0; j < new->nr; j++) {
			double d = new->v[j] - base->v[i];

			if (new->seed[j] != base->seed[i])
				continue;
			if (pairs++ && fabs(d - *delta) > .01 * fabs(*delta))
				return false;
			*delta = d;
		}
	return pairs;
}

/* Limits p to that of complete separation, which ties could undercut. */
static void rank(struct result *r)
{
	struct stat_rank rank = stat_mann_whitney(r->new.v, r->new.nr,
						  r->base.v, r->base.nr);

	r->u = rank.u;
	r->p = fmax(rank.p, stat_rank_floor(r->new.nr, r->base.nr));
}

/*
 * With one seed both kernels draw the same random numbers, or mostly the same,
 * so a patch's difference is one number. Boots of a race share nothing. If they
 * vary, or if the patch changed what seeds draw, the test for timed rows
 * decides.
 */
static void judge_exact(struct result *r)
{
	bool apart = r->base.max < r->new.min || r->new.max < r->base.min;
	bool constant = sample_is_one(&r->base) && sample_is_one(&r->new);
	double delta = 0;

	r->verdict = VERDICT_OVERLAP;
	if (constant && !apart) {
		r->verdict = r->base.min ? VERDICT_EQUAL : VERDICT_IDLE;
	} else if (strcmp(r->point->mode, "race") &&
		   (one_delta(&r->base, &r->new, &delta) ||
		    (constant && apart))) {
		r->same_by_seed = !apart && !delta;
		if (apart || delta)
			r->verdict = judge(r);
	} else if (r->base.nr >= STAT_MIN_BOOTS &&
		   r->new.nr >= STAT_MIN_BOOTS) {
		rank(r);
	} else if (apart) {
		r->verdict = VERDICT_INCONCLUSIVE;
		r->why = xasprintf("boots vary, and fewer than %d a side can't tell luck from a difference",
				   STAT_MIN_BOOTS);
	}
}

/* Returns the sum of squared deviations, over the square of the mean. */
static double squares(const struct sample *s)
{
	double mean = stat_mean(s->v, s->nr);

	return (s->nr - 1) * stat_variance(s->v, s->nr) / (mean * mean);
}

static double pooled_cv(const struct sample *a, const struct sample *b)
{
	return sqrt((squares(a) + squares(b)) / (a->nr + b->nr - 2));
}

/*
 * Returns a separate seed for each result, so that a filter changes no
 * interval.
 */
static uint64_t seed_of(const struct result *r, uint64_t seed)
{
	uint64_t h = 14695981039346656037ULL ^ seed;
	const char *const part[] = { r->point->key, r->metric };
	const char *s;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(part); i++)
		for (s = part[i]; *s; s++)
			h = (h ^ (unsigned char)*s) * 1099511628211ULL;
	return (h ^ h >> 32) & 0xffffffff;
}

static void ratio_interval(struct result *r, const struct compare_options *opt)
{
	struct stat_bootstrap b = { opt->center, opt->resamples,
				    seed_of(r, opt->seed), .95, true };
	struct stat_interval ci = stat_ratio_ci(r->new.v, r->new.nr,
						r->base.v, r->base.nr, &b);

	r->ci_low = ci.low;
	r->ci_high = ci.high;
}

/*
 * Returns whether all values are positive. Then their logarithms are compared,
 * because a slow-down is a factor.
 */
static bool positive(const struct result *r)
{
	return r->base.min > 0 && r->new.min > 0;
}

/* Returns what is compared of a sample. The caller frees. */
static double *compared(const struct sample *s, bool logs)
{
	double *v = xcalloc(s->nr, sizeof(*v));
	size_t i;

	for (i = 0; i < s->nr; i++)
		v[i] = logs ? log(s->v[i]) : s->v[i];
	return v;
}

/*
 * Returns p of equivalence of the ratio: two one-sided tests on logarithms,
 * within 1/(1+margin) .. 1+margin. NAN if a value is not positive.
 */
static double equivalence(const struct result *r, double margin)
{
	double *x, *y, p;

	if (!positive(r))
		return NAN;
	x = compared(&r->new, true);
	y = compared(&r->base, true);
	p = stat_tost(x, r->new.nr, y, r->base.nr, log1p(margin)).p;
	free(x);
	free(y);
	return p;
}

static double welch(const struct result *r)
{
	double *x = compared(&r->new, positive(r));
	double *y = compared(&r->base, positive(r));
	double p = stat_welch(x, r->new.nr, y, r->base.nr).p;

	free(x);
	free(y);
	return p;
}

static void count_outliers(struct result *r, const struct side_point *p)
{
	size_t i, all;

	for (i = 0; i < p->nr_obs; i++) {
		r->outliers += batch_outliers(&p->obs[i], r->metric, &all);
		r->batches += all;
	}
}

static void measure_timed(struct result *r, const struct side_point *new,
			  const struct compare_options *opt)
{
	struct stat_interval hl;

	count_outliers(r, r->point);
	count_outliers(r, new);
	if (r->base.nr < STAT_MIN_BOOTS || r->new.nr < STAT_MIN_BOOTS) {
		r->why = xasprintf("fewer than %d boots a side: no timed verdict",
				   STAT_MIN_BOOTS);
		return;
	}
	rank(r);
	hl = stat_hodges_lehmann(r->new.v, r->new.nr, r->base.v, r->base.nr,
				 .95);
	r->shift = hl.estimate;
	r->shift_low = hl.low;
	r->shift_high = hl.high;
	ratio_interval(r, opt);
	r->tost_p = equivalence(r, opt->margin);
	r->cv = pooled_cv(&r->base, &r->new);
}

static void measure_change(struct result *r)
{
	r->delta = r->new.median - r->base.median;
	r->ratio = r->base.median ? r->new.median / r->base.median : NAN;
}

static void add_result(struct comparison *c, const struct side_point *base,
		       const struct side_point *new, const char *metric,
		       enum tier tier)
{
	struct result r = {
		.point = base, .metric = xstrdup(metric), .tier = tier,
		.facts = file_metric(base->obs[0].file, metric),
		.base = sample_take(base, metric, tier,
				    c->options->center),
		.new = sample_take(new, metric, tier,
				   c->options->center),
		.verdict = VERDICT_INCONCLUSIVE,
		.ci_low = NAN, .ci_high = NAN, .u = NAN, .p = NAN,
		.p_adjusted = NAN, .shift = NAN, .shift_low = NAN,
		.shift_high = NAN, .tost_p = NAN, .tost_p_adjusted = NAN,
		.cv = NAN,
	};

	measure_change(&r);
	if (tier == TIER_EXACT)
		judge_exact(&r);
	c->results = grow(c->results, c->nr_results, sizeof(*c->results));
	c->results[c->nr_results++] = r;
}

/* --- the points --- */

static void add_one_sided(struct comparison *c, const struct side_point *has,
			  const struct side_point *lacks, const char *metric,
			  bool in_base, enum tier tier)
{
	struct sample s = sample_take(has, metric, tier, NULL);
	const char *why = NULL;
	size_t i;

	for (i = 0; i < lacks->nr_obs && !why; i++)
		why = observation_absent(&lacks->obs[i], metric);
	c->one_sided = grow(c->one_sided, c->nr_one_sided,
			    sizeof(*c->one_sided));
	c->one_sided[c->nr_one_sided++] = (struct one_sided){
		.point = has, .metric = xstrdup(metric), .in_base = in_base,
		.facts = file_metric(has->obs[0].file, metric), .tier = tier,
		.value = s.median,
		.why = xstrdup(why ? why : "the file does not say why"),
	};
	sample_free(&s);
}

static bool has_metric(const struct side_point *p, const char *metric)
{
	size_t i;
	double v;

	for (i = 0; i < p->nr_obs; i++)
		if (observation_value(&p->obs[i], metric, &v))
			return true;
	return false;
}

/* Adds the metrics of a point to @all, as keys in order of appearance. */
static void collect_metrics(json_t *all, const struct side_point *p)
{
	const char *name;
	json_t *value;
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		json_object_foreach(json_object_get(p->obs[i].point,
						    "counters"), name, value)
			if (!json_object_get(all, name))
				json_object_set_new(all, name, json_true());
}

/* Returns whether every boot that has the point has the metric. */
static bool all_have(const struct side_point *p, const char *metric)
{
	size_t i;
	double v;

	for (i = 0; i < p->nr_obs; i++)
		if (p->obs[i].ok && !observation_value(&p->obs[i], metric, &v))
			return false;
	return true;
}

static void compare_metric(struct comparison *c, const struct side_point *base,
			   const struct side_point *new, const char *metric)
{
	enum tier tier = metric_tier(base, metric);
	bool b = has_metric(base, metric), n = has_metric(new, metric);

	if (tier == TIER_NONE || metric_tier(new, metric) == TIER_NONE)
		return;
	/*
	 * A metric that only some boots count, to explain a difference, is no
	 * evidence of one, which takes every seed.
	 */
	if (b && n && counts_metric(metric) &&
	    !(all_have(base, metric) && all_have(new, metric)))
		return;
	/*
	 * use the weaker tier if only one side has icount, which the user
	 * allowed
	 */
	if (metric_tier(new, metric) == TIER_TIMED)
		tier = TIER_TIMED;
	if (b && n)
		add_result(c, base, new, metric, tier);
	else if (b)
		add_one_sided(c, base, new, metric, true, tier);
	else if (n)
		add_one_sided(c, new, base, metric, false, tier);
}

static bool is_selected(const struct comparison *c, const struct side_point *p)
{
	return selected_point(&c->options->select, p->bench, p->params);
}

static void note_operations(struct comparison *c, const struct side_point *b,
			    const struct side_point *n)
{
	json_int_t x = json_integer_value(json_object_get(b->obs[0].point,
							  "operations"));
	json_int_t y = json_integer_value(json_object_get(n->obs[0].point,
							  "operations"));
	char *params;

	if (x == y || !strcmp(b->mode, "timed") || !x || !y ||
	    !is_selected(c, b))
		return;
	params = params_text(b->params, " ");
	comparison_note(c, "%s %s: a batch is %" JSON_INTEGER_FORMAT " operations in base, %"
	     JSON_INTEGER_FORMAT " in new; they share the costs of a batch",
	     b->bench, params, x, y);
	free(params);
}

static void compare_points(struct comparison *c, const struct side_point *base,
			   const struct side_point *new)
{
	json_t *all = json_object(), *value;
	const char *name;

	collect_metrics(all, base);
	collect_metrics(all, new);
	json_object_foreach(all, name, value)
		compare_metric(c, base, new, name);
	json_decref(all);
	note_operations(c, base, new);
}

static void add_missing(struct comparison *c, struct not_compared m,
			const char *status, const char *reason)
{
	size_t i;

	for (i = 0; i < c->nr_missing; i++) {
		struct not_compared *old = &c->missing[i];

		if (strcmp(old->point->key, m.point->key) ||
		    strcmp(old->status, status) || strcmp(old->reason, reason))
			continue;
		if (old->where == m.where)
			old->boots++;
		else
			old->where = BOTH;
		return;
	}
	m.status = xstrdup(status);
	m.reason = xstrdup(reason);
	m.boots = 1;
	c->missing = grow(c->missing, c->nr_missing, sizeof(*c->missing));
	c->missing[c->nr_missing++] = m;
}

/*
 * Adds the observations that are not ok to those not compared. Returns whether
 * any is ok.
 */
static bool take_point(struct comparison *c, const struct side_point *p,
		       int where)
{
	bool any = false;
	size_t i;

	for (i = 0; i < p->nr_obs; i++) {
		const struct observation *o = &p->obs[i];

		if (o->ok)
			any = true;
		else
			add_missing(c, (struct not_compared){
					.point = p, .where = where,
					.of = p->nr_obs,
				    }, observation_status(o),
				    observation_reason(o));
	}
	return any;
}

static void compare_all(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->base->nr_points; i++) {
		const struct side_point *b = &c->base->points[i];
		const struct side_point *n = side_find(c->new, b->key);
		bool ok = take_point(c, b, ONLY_BASE);

		if (!n)
			add_missing(c, (struct not_compared){
					.point = b, .where = ONLY_BASE,
					.of = 1 }, "missing",
				    "only in base");
		else if (take_point(c, n, ONLY_NEW) && ok)
			compare_points(c, b, n);
	}
	for (i = 0; i < c->new->nr_points; i++) {
		const struct side_point *n = &c->new->points[i];

		if (side_find(c->base, n->key))
			continue;
		take_point(c, n, ONLY_NEW);
		add_missing(c, (struct not_compared){
				.point = n, .where = ONLY_NEW, .of = 1 },
			    "missing", "only in new");
	}
}

/* --- what a difference is made of --- */

/*
 * Returns whether the row is exact and has different numbers, which a cause can
 * explain.
 */
static bool wants_cause(const struct result *r)
{
	return r->tier == TIER_EXACT && !strcmp(r->point->mode, "exact") &&
	       r->verdict != VERDICT_EQUAL && r->verdict != VERDICT_IDLE;
}

static void find_causes(struct comparison *c)
{
	struct causes *causes;
	long *row = xcalloc(c->nr_results + 1, sizeof(*row));
	size_t i;

	causes = causes_new(c->changes);
	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		row[i] = !wants_cause(r) ? -1 :
			 causes_add(causes, r->point,
				    side_find(c->new, r->point->key),
				    r->metric);
	}
	causes_settle(causes);
	for (i = 0; i < c->nr_results; i++) {
		if (row[i] < 0)
			continue;
		c->results[i].cause = causes_of(causes, row[i]);
		/*
		 * the cause decides instead of p, unless the changed code
		 * varies itself
		 */
		if (!c->results[i].cause.noise_in_change)
			c->results[i].p = NAN;
	}
	causes_free(causes);
	free(row);
}

/* Returns whether an event count of the row's point differs. */
static bool event_differs(const struct comparison *c, const struct result *of)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		if (r->point == of->point && r->facts.kind == METRIC_EVENT &&
		    is_difference(r))
			return true;
	}
	return false;
}

/*
 * In changed code, a count that repeats in every boot proves a difference,
 * however small; one that varies does if it differs by more than it varies.
 * Unchanged code counts only if an event differs as well, such as a fault that
 * follows from a zap: then the kernel did something else, and the cost of that
 * is part of the figure.
 */
static void judge_cause(const struct comparison *c, struct result *r)
{
	double all = cause_sum(&r->cause) + r->cause.noise_delta;
	bool event = c->exercised != EXERCISED_SAME_CODE &&
		     event_differs(c, r);

	if (r->cause.noise_in_change && is_difference(r))
		return;		/* by what boots or seeds say */
	r->verdict = VERDICT_OVERLAP;
	free(r->why);
	r->why = NULL;
	if (!(event ? all : r->cause.proof))
		return;
	r->delta = event ? all : r->cause.proof;
	r->ratio = r->base.median ? 1 + r->delta / r->base.median : NAN;
	r->verdict = judge(r);
}

/* Runs after judge_family(), because it looks at the verdicts of events. */
static void judge_causes(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		if (c->results[i].cause.known)
			judge_cause(c, &c->results[i]);
}

/* --- the table as a whole --- */

/*
 * Applies Holm to the p-values at offset @from in the results. Stores them at
 * offset @to.
 */
static void adjust(struct comparison *const *c, size_t nr, size_t from,
		   size_t to)
{
	size_t all = 0, at = 0, i, j;
	double *p, *adjusted;

	for (i = 0; i < nr; i++)
		all += c[i]->nr_results;
	p = xcalloc(2 * all, sizeof(*p));
	adjusted = p + all;
	for (i = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++)
			p[at++] = *(double *)((char *)&c[i]->results[j] +
					      from);
	stat_holm(p, all, adjusted);
	for (i = 0, at = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++)
			*(double *)((char *)&c[i]->results[j] + to) =
				adjusted[at++];
	free(p);
}

/*
 * Returns whether a rank test can show anything: whether the smallest p that
 * each row's boots can reach survives Holm. This depends only on the number of
 * boots, not on their values, so the choice of the test does not affect the
 * level.
 */
static bool ranks_reach(struct comparison *const *c, size_t nr)
{
	double floor = 0;
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++) {
			const struct result *r = &c[i]->results[j];

			if (!isnan(r->p))
				floor = fmax(floor, stat_rank_floor(r->base.nr,
								    r->new.nr));
		}
	return floor * c[0]->family < c[0]->options->alpha;
}

/* Returns whether boots of @mode decide about the row. */
static bool is_of(const struct result *r, const char *mode)
{
	return !isnan(r->p) && !strcmp(r->point->mode, mode);
}

/* Numbers the boots of which any such row has a value. Returns their count. */
static size_t number_boots(const struct comparison *c, const char *mode,
			   bool base, size_t *number)
{
	size_t nr = 0, i, j;

	for (i = 0; i < (base ? c->base : c->new)->nr_boots; i++)
		number[i] = SIZE_MAX;
	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];
		const struct sample *s = base ? &r->base : &r->new;

		for (j = 0; is_of(r, mode) && j < s->nr; j++)
			if (number[s->boot[j]] == SIZE_MAX)
				number[s->boot[j]] = nr++;
	}
	return nr;
}

static void put_values(const struct sample *s, bool logs, const size_t *number,
		       double *v)
{
	double *from = compared(s, logs);
	size_t i;

	for (i = 0; i < s->nr; i++)
		v[number[s->boot[i]]] = from[i];
	free(from);
}

static void put_times(const struct side *side, const struct sample *s,
		      const size_t *number, double *at)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		at[number[s->boot[i]]] = boot_started(&side->boots[s->boot[i]]);
}

/* One permutation test for a mode's boots; Bonferroni among @nr of them. */
static void permute_one(struct comparison *c, const char *mode, size_t nr)
{
	size_t *number_base = xcalloc(c->base->nr_boots, sizeof(size_t));
	size_t *number_new = xcalloc(c->new->nr_boots, sizeof(size_t));
	size_t m = number_boots(c, mode, true, number_base);
	size_t n = number_boots(c, mode, false, number_new);
	size_t rows = 0, at = 0, all = (m + n) * c->nr_results, i;
	double *v = xcalloc(2 * all + 1, sizeof(*v)), *when = v + all;
	double *p = xcalloc(c->nr_results + 1, sizeof(*p));

	for (i = 0; i < 2 * all; i++)
		v[i] = NAN;
	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];
		double *row = v + rows * (m + n);

		if (!is_of(r, mode))
			continue;
		put_values(&r->base, positive(r), number_base, row);
		put_values(&r->new, positive(r), number_new, row + m);
		if (r->leveled) {
			put_times(c->base, &r->base, number_base, row + all);
			put_times(c->new, &r->new, number_new, row + all + m);
		}
		rows++;
	}
	stat_max_t(v, when, rows, m, n, PERMUTATIONS, c->options->seed, p);
	for (i = 0; i < c->nr_results; i++)
		if (is_of(&c->results[i], mode))
			c->results[i].p_adjusted = fmin(1, nr * p[at++]);
	free(v);
	free(p);
	free(number_base);
	free(number_new);
}

/* Returns whether boots of @mode decide about any row. */
static bool any_of(const struct comparison *c, const char *mode)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		if (is_of(&c->results[i], mode))
			return true;
	return false;
}

/*
 * Relabelling presumes that the boots of two like kernels vary alike, too. Where
 * those of one vary more, it sees a difference more often than it may, so Welch's
 * test must see it as well. Ranks see little of that.
 */
static void agree(struct comparison *const *c, size_t nr)
{
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++) {
			struct result *r = &c[i]->results[j];

			r->welch_p = isnan(r->p) ? NAN : welch(r);
		}
	adjust(c, nr, offsetof(struct result, welch_p),
	       offsetof(struct result, welch_p_adjusted));
	for (i = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++) {
			struct result *r = &c[i]->results[j];

			r->p_adjusted = fmax(r->p_adjusted,
					     r->welch_p_adjusted);
		}
}

static void permute(struct comparison *const *c, size_t nr)
{
	static const char *const modes[] = { "exact", "race", "timed" };
	size_t tests = 0, i, m;

	for (i = 0; i < nr; i++)
		for (m = 0; m < ARRAY_SIZE(modes); m++)
			tests += any_of(c[i], modes[m]);
	for (i = 0; i < nr; i++) {
		c[i]->permuted = true;
		for (m = 0; m < ARRAY_SIZE(modes); m++)
			if (any_of(c[i], modes[m]))
				permute_one(c[i], modes[m], tests);
	}
	agree(c, nr);
}

/* The family is the whole table, over all new runs. */
static void adjust_all(struct comparison *const *c, size_t nr)
{
	if (ranks_reach(c, nr))
		adjust(c, nr, offsetof(struct result, p),
		       offsetof(struct result, p_adjusted));
	else
		permute(c, nr);
	adjust(c, nr, offsetof(struct result, tost_p),
	       offsetof(struct result, tost_p_adjusted));
}

/*
 * Computes the boots that show a change as large as the margin. About as many
 * show that there is none (Schuirmann's test at no difference). The observed
 * change is no guide, because few boots overstate it. Few boots may also agree
 * by chance, so take the upper limit of their cv, at 80 %.
 */
static void plan_row(struct result *r, const struct compare_options *opt,
		     size_t family)
{
	size_t have = r->base.nr < r->new.nr ? r->base.nr : r->new.nr;
	double cv = r->cv * stat_sd_limit(r->base.nr + r->new.nr - 2, .8);

	if (!isfinite(r->ratio) || !isfinite(cv))
		return;
	r->boots_needed = stat_boots_in_table(cv, log1p(opt->margin),
					      opt->alpha, .8, family);
	if (r->boots_needed > have)
		r->boots_more = r->boots_needed - have;
	else
		/* there are enough boots, so the result was bad luck */
		r->boots_more = 1;
}

/*
 * Returns whether the interval excludes no change. If values near 0 make the
 * ratio meaningless, the shift decides.
 */
static bool interval_excludes_none(const struct result *r)
{
	if (isnan(r->ci_low))
		return r->shift_low > 0 || r->shift_high < 0;
	return r->ci_low > 1 || r->ci_high < 1;
}

/*
 * Equivalence comes first: the margin is the smallest change that matters, so a
 * change within it counts as none, however well it is resolved.
 */
static void judge_timed(const struct comparison *c, struct result *r)
{
	const struct compare_options *opt = c->options;

	if (r->why)
		return;
	if (c->confounded) {
		r->why = xasprintf("confounded: all boots of %s came first, so a drift explains it as well as a change",
				   c->confounded);
		return;
	}
	if (r->tost_p_adjusted < opt->alpha) {
		r->verdict = VERDICT_EQUIVALENT;
	} else if (r->p_adjusted < opt->alpha && interval_excludes_none(r)) {
		r->verdict = judge(r);
	} else if (isnan(r->tost_p)) {
		r->why = xasprintf("no difference is shown, and of values near 0 no %g%% can be equality",
				   100 * opt->margin);
	} else {
		r->why = xasprintf("neither a difference nor equality within %g%% is shown",
				   100 * opt->margin);
	}
	if (r->verdict == VERDICT_INCONCLUSIVE && !isnan(r->tost_p))
		plan_row(r, opt, c->family);
}

static void judge_family(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		struct result *r = &c->results[i];

		if (r->tier == TIER_TIMED)
			judge_timed(c, r);
		else if (r->p_adjusted < c->options->alpha && r->delta)
			r->verdict = judge(r);
	}
	/*
	 * not without timed rows, since exact rows have better evidence than p
	 */
	if (c->permuted && c->family && c->timed)
		comparison_note(c, "ranks of so few boots can't tell a difference among %zu rows that vary, which takes %zu a side: p is from a permutation of boots for the whole table",
				c->family, stat_rank_least(c->family,
							   c->options->alpha));
}

/* Returns the size to sort by. A change from or to 0 is the largest ratio. */
static double change_size(const struct result *r)
{
	if (!r->delta)
		return 0;
	if (isnan(r->ratio) || r->ratio <= 0)
		return INFINITY;
	return fabs(log(r->ratio));
}

static int by_change(const void *a, const void *b)
{
	const struct result *x = a, *y = b;
	double sx = change_size(x), sy = change_size(y);
	double dx = fabs(x->delta), dy = fabs(y->delta);

	if (is_difference(x) != is_difference(y))
		return is_difference(y) - is_difference(x);
	if (sx != sy)
		return sx < sy ? 1 : -1;
	if (dx != dy)
		return dx < dy ? 1 : -1;
	if (x->point != y->point)
		return x->point < y->point ? -1 : 1;
	return strcmp(x->metric, y->metric);
}

static void sort_results(struct comparison *c)
{
	size_t i;

	if (c->nr_results)
		qsort(c->results, c->nr_results, sizeof(*c->results),
		      by_change);
	for (i = 0; i < c->nr_results; i++)
		c->count[c->results[i].verdict]++;
}

/* --- what a reader must know about the runs --- */

static void note_side(struct comparison *c, const char *name,
		      const struct side *s)
{
	size_t i;

	for (i = 0; i < s->nr_notes; i++)
		comparison_note(c, "%s: %s", name, s->notes[i]);
}

/*
 * One boot does not show whether a count repeats, and two seeds agree too often
 * by chance.
 */
static void note_boots(struct comparison *c, const char *mode)
{
	size_t b = side_boots(c->base, mode), n = side_boots(c->new, mode);
	size_t few = strcmp(mode, "exact") ? 1 : 2;

	if (b && n && (b <= few || n <= few))
		comparison_note(c, "%zu %s boot%s of base and %zu of new: too few to show whether a count repeats",
		     b, mode, plural(b), n);
}

static void note_build(struct comparison *c)
{
	const json_t *b = c->base->run->files[0]->header;
	const json_t *n = c->new->run->files[0]->header;
	const char *id = json_text(b, "build_id");

	if (*id && !strcmp(id, json_text(n, "build_id")))
		comparison_note(c, "both sides are the same build");
}

/* On a real machine the same boot on both sides is one observation. */
static void note_shared_boots(struct comparison *c)
{
	size_t i, j;

	for (i = 0; i < c->base->nr_boots; i++) {
		const struct boot *b = &c->base->boots[i];

		for (j = 0; j < c->new->nr_boots; j++) {
			const struct boot *n = &c->new->boots[j];

			if (b->id && n->id && !strcmp(b->id, n->id) &&
			    !strcmp(b->mode, "timed") &&
			    !strcmp(n->mode, "timed"))
				comparison_note(c, "boot %s is on both sides", b->id);
		}
	}
}

static void note_runs(struct comparison *c)
{
	note_build(c);
	note_shared_boots(c);
	note_side(c, "base", c->base);
	note_side(c, "new", c->new);
	note_boots(c, "exact");
	note_boots(c, "race");
	note_boots(c, "timed");
}

/* Returns the length of the digits and dots at the start of a release. */
static int version_length(const char *release)
{
	return strspn(release, "0123456789.");
}

/*
 * Returns a warning that a difference between two releases is not the effect of
 * one change; NULL if the version is the same. The caller frees.
 */
static char *releases_text(const struct comparison *c)
{
	const char *base = json_text(c->base->run->files[0]->header,
				     "kernel_release");
	const char *new = json_text(c->new->run->files[0]->header,
				    "kernel_release");
	int n = version_length(base), m = version_length(new);

	if (!n || !m || (n == m && !strncmp(base, new, n)))
		return NULL;
	return xasprintf("%.*s and %.*s are two releases: everything merged between them differs, thousands of changes from one X.Y to the next. No difference here is the effect of one change.",
			 n, base, m, new);
}

/* Measures the timed rows, after removing a drift from them. */
static void measure_all_timed(struct comparison *c)
{
	size_t i;

	drift_remove(c);
	for (i = 0; i < c->nr_results; i++) {
		struct result *r = &c->results[i];

		if (r->tier != TIER_TIMED)
			continue;
		sample_summarize(&r->base, c->options->center);
		sample_summarize(&r->new, c->options->center);
		measure_change(r);
		measure_timed(r, side_find(c->new, r->point->key), c->options);
	}
}

/*
 * Does everything that does not depend on the other comparisons of the table.
 */
static struct comparison *measure(const struct side *base,
				  const struct side *new,
				  const struct compare_options *options)
{
	struct comparison *c = xcalloc(1, sizeof(*c));
	size_t i;

	c->base = base;
	c->new = new;
	c->options = options;
	c->env = env_compare(base, new, options->allow, options->nr_allow);
	if (env_refused(&c->env))
		return c;
	c->releases = releases_text(c);
	note_runs(c);
	c->manifest = ab_manifest(base, new);
	c->changes = exercised_load(base, new);
	c->exercised = exercised_of(c->changes);
	compare_all(c);
	if (c->changes)
		find_causes(c);
	measure_all_timed(c);
	for (i = 0; i < c->nr_results; i++)
		c->timed += c->results[i].tier == TIER_TIMED;
	return c;
}

static void choose_words(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		struct result *r = &c->results[i];

		r->word = !c->releases || !is_difference(r) ?
			verdict_name(r->verdict) :
			r->delta > 0 ? "more" : "less";
	}
}

static void result_free(struct result *r)
{
	sample_free(&r->base);
	sample_free(&r->new);
	free(r->metric);
	free(r->why);
}

/*
 * Drops what was not selected. This comes last, because a verdict depends on
 * the other rows, and must not depend on what is printed.
 */
static void keep_selected(struct comparison *c)
{
	const struct selection *select = &c->options->select;
	size_t i, nr = 0;

	c->timed = 0;
	for (i = 0; i < c->nr_results; i++) {
		struct result *r = &c->results[i];

		if (!is_selected(c, r->point) ||
		    !selected_metric(select, r->metric)) {
			result_free(r);
			continue;
		}
		c->timed += r->tier == TIER_TIMED;
		c->results[nr++] = *r;
	}
	c->nr_results = nr;
	for (i = nr = 0; i < c->nr_missing; i++) {
		if (is_selected(c, c->missing[i].point)) {
			c->missing[nr++] = c->missing[i];
			continue;
		}
		free(c->missing[i].status);
		free(c->missing[i].reason);
	}
	c->nr_missing = nr;
	for (i = nr = 0; i < c->nr_one_sided; i++) {
		struct one_sided *x = &c->one_sided[i];

		if (is_selected(c, x->point) &&
		    selected_metric(select, x->metric)) {
			c->one_sided[nr++] = *x;
			continue;
		}
		free(x->metric);
		free(x->why);
	}
	c->nr_one_sided = nr;
}

void compare_table(const struct side *base, struct side *const *new, size_t nr,
		   const struct compare_options *options,
		   struct comparison **c)
{
	size_t family = 0, i, j;

	for (i = 0; i < nr; i++) {
		c[i] = measure(base, new[i], options);
		for (j = 0; j < c[i]->nr_results; j++)
			family += !isnan(c[i]->results[j].p);
	}
	for (i = 0; i < nr; i++)
		c[i]->family = family;
	adjust_all(c, nr);
	for (i = 0; i < nr; i++) {
		judge_family(c[i]);
		judge_causes(c[i]);
		keep_selected(c[i]);
		warmup_notes(c[i]);
		find_by_rules(c[i]);	/* needs a point's results together */
		sort_results(c[i]);
		find_exact_differences(c[i]);	/* needs the largest first */
		choose_words(c[i]);
	}
}

struct comparison *compare_sides(const struct side *base,
				 struct side *new,
				 const struct compare_options *options)
{
	struct comparison *c;

	compare_table(base, &new, 1, options, &c);
	return c;
}

void comparison_free(struct comparison *c)
{
	size_t i;

	if (!c)
		return;
	for (i = 0; i < c->nr_results; i++)
		result_free(&c->results[i]);
	for (i = 0; i < c->nr_missing; i++) {
		free(c->missing[i].status);
		free(c->missing[i].reason);
	}
	for (i = 0; i < c->nr_one_sided; i++) {
		free(c->one_sided[i].metric);
		free(c->one_sided[i].why);
	}
	json_decref(c->changes);
	json_decref(c->manifest);
	free(c->releases);
	for (i = 0; i < c->nr_notes; i++)
		free(c->notes[i]);
	findings_free(c);
	env_free(&c->env);
	free(c->results);
	free(c->missing);
	free(c->one_sided);
	free(c->notes);
	free(c);
}
