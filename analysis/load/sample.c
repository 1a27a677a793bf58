// SPDX-License-Identifier: GPL-2.0
/* See sample.h. */
#include "analysis/load/sample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

enum tier metric_tier(const struct side_point *p, const char *metric)
{
	const struct run_file *f = p->obs[0].file;

	switch (file_metric(f, metric).kind) {
	case METRIC_EVENT:
		return TIER_EXACT;
	case METRIC_TOOL:
		return TIER_TIMED;
	case METRIC_INSTRUCTIONS:
		return file_icount(f) ? TIER_EXACT : TIER_TIMED;
	default:
		return file_clock_emulated(f) ? TIER_NONE : TIER_TIMED;
	}
}

const char *tier_name(enum tier t)
{
	return t == TIER_EXACT ? "exact" : "timed";
}

/*
 * Adds the observation to the totals. @ops: operations of the value that it is
 * part of.
 */
static void add_totals(struct sample *s, double *ops,
		       const struct observation *o, const char *metric)
{
	const json_t *counter = json_object_get(json_object_get(o->point,
						"counters"), metric);
	double nr = json_number_value(json_object_get(counter, "operations"));

	s->total += json_number_value(json_object_get(counter, "total"));
	s->operations += nr;
	*ops += nr;
}

static json_int_t seed_of(const struct observation *o)
{
	return json_integer_value(json_object_get(o->file->header, "seed"));
}

static void add_value(struct sample *s, double v, const struct observation *o)
{
	s->v[s->nr] = v;
	s->boot[s->nr] = o->boot;
	s->seed[s->nr++] = seed_of(o);
}

static bool same_boot(const struct side_point *p, size_t a, size_t b)
{
	return p->obs[a].boot == p->obs[b].boot;
}

/*
 * Returns whether two observations are one value: of one boot, or in the exact
 * mode of one seed, since such boots are the same to the last instruction.
 */
static bool same_unit(const struct side_point *p, size_t a, size_t b)
{
	return strcmp(p->mode, "exact") ? same_boot(p, a, b) :
	       seed_of(&p->obs[a]) == seed_of(&p->obs[b]);
}

/*
 * Returns whether the observation has a value and is the first of its kind that
 * has one.
 */
static bool is_first(const struct side_point *p, const char *metric, size_t nr,
		     bool (*same)(const struct side_point *p, size_t a,
				  size_t b))
{
	size_t i;
	double v;

	if (!observation_value(&p->obs[nr], metric, &v))
		return false;
	for (i = 0; i < nr; i++)
		if (same(p, i, nr) && observation_value(&p->obs[i], metric, &v))
			return false;
	return true;
}

/* Returns the number of the value that an observation is part of. */
static size_t value_of(const struct sample *s, const struct side_point *p,
		       enum tier tier, const struct observation *o)
{
	bool by_seed = tier == TIER_EXACT && !strcmp(p->mode, "exact");
	size_t i = 0;

	while (by_seed ? s->seed[i] != seed_of(o) : s->boot[i] != o->boot)
		i++;
	return i;
}

/*
 * Takes one value for each boot, or in the exact mode for each seed: the median
 * of its files.
 */
static void take_exact(struct sample *s, const struct side_point *p,
		       const char *metric)
{
	double *v = xcalloc(p->nr_obs, sizeof(*v));
	size_t i, j, nr;

	for (i = 0; i < p->nr_obs; i++) {
		s->boots += is_first(p, metric, i, same_boot);
		if (!is_first(p, metric, i, same_unit))
			continue;
		for (nr = 0, j = i; j < p->nr_obs; j++)
			nr += same_unit(p, i, j) &&
			      observation_value(&p->obs[j], metric, &v[nr]);
		add_value(s, stat_median(v, nr), &p->obs[i]);
	}
	free(v);
}

static void take_timed(struct sample *s, const struct side_point *p,
		       const char *metric, stat_center center)
{
	struct nest n = nest_take(p, metric);
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (is_first(p, metric, i, same_boot))
			add_value(s, stat_nested(&n.boots[s->boots++], 1,
						 center), &p->obs[i]);
	nest_free(&n);
}

void sample_summarize(struct sample *s, stat_center center)
{
	size_t i;

	s->min = s->max = s->median = NAN;
	for (i = 0; i < s->nr; i++) {
		s->min = fmin(s->min, s->v[i]);
		s->max = fmax(s->max, s->v[i]);
	}
	s->median = center(s->v, s->nr);
}

struct sample sample_take(const struct side_point *p, const char *metric,
			  enum tier tier, stat_center center)
{
	struct sample s = {
		.v = xcalloc(p->nr_obs, sizeof(*s.v)),
		.seed = xcalloc(p->nr_obs, sizeof(*s.seed)),
		.boot = xcalloc(p->nr_obs, sizeof(*s.boot)),
		.ops = xcalloc(p->nr_obs, sizeof(*s.ops)),
	};
	size_t i;
	double v;

	if (!center || tier == TIER_EXACT)
		center = stat_median;
	if (tier == TIER_EXACT)
		take_exact(&s, p, metric);
	else
		take_timed(&s, p, metric, center);
	for (i = 0; i < p->nr_obs; i++) {
		const struct observation *o = &p->obs[i];

		if (observation_value(o, metric, &v))
			add_totals(&s, &s.ops[value_of(&s, p, tier, o)], o,
				   metric);
	}
	sample_summarize(&s, center);
	return s;
}

void sample_free(struct sample *s)
{
	free(s->v);
	free(s->seed);
	free(s->boot);
	free(s->ops);
	memset(s, 0, sizeof(*s));
}

bool sample_is_one(const struct sample *s)
{
	return s->nr && s->min == s->max;
}

json_t *number_json(double v)
{
	if (!isfinite(v))
		return json_null();
	if (v == round(v) && fabs(v) < 9e15)
		return json_integer((json_int_t)v);
	return json_real(v);
}

json_t *sample_json(const struct sample *s)
{
	json_t *values;
	size_t i;

	if (sample_is_one(s))
		return number_json(s->min);
	values = json_array();
	for (i = 0; i < s->nr; i++)
		json_array_append_new(values, number_json(s->v[i]));
	return json_pack("{s:o, s:o, s:o, s:o}", "min", number_json(s->min),
			 "max", number_json(s->max), "median",
			 number_json(s->median), "values", values);
}

static struct stat_group group_of_many(const struct batch_list *all,
				       double ops)
{
	double *v = xcalloc(all->nr_middle, sizeof(*v));
	size_t i;

	for (i = 0; i < all->nr_middle; i++)
		v[i] = all->middle[i] / ops;
	return (struct stat_group){
		.v = v, .nr = all->nr_middle, .of = all->nr,
		.first = all->first, .mean = all->mean / ops,
		.sd = sqrt(all->variance) / ops,
	};
}

/*
 * Returns the batches of one process per operation; its single value if it has
 * no batches.
 */
static struct stat_group group_of(const struct observation *o,
				  const char *metric, double per_op)
{
	const json_t *list = json_object_get(json_object_get(o->point,
					     "batches"), metric);
	double ops = json_number_value(json_object_get(o->point,
						       "operations"));
	const struct batch_list *all = run_file_batches(o->file, o->point,
							metric);
	size_t nr = ops > 0 ? json_array_size(list) : 0, i;
	double *v;

	if (all && ops > 0)
		return group_of_many(all, ops);
	v = xcalloc(nr + 1, sizeof(*v));

	for (i = 0; i < nr; i++) {
		const json_t *batch = json_array_get(list, i);

		if (!json_is_number(batch))
			break;
		v[i] = json_number_value(batch) / ops;
	}
	if (!nr || i < nr) {
		v[0] = per_op;
		nr = 1;
	}
	return (struct stat_group){ .v = v, .nr = nr };
}

static void nest_boot(struct nest *n, const struct side_point *p,
		      const char *metric, size_t first)
{
	struct stat_boot *b = &n->boots[n->nr++];
	size_t i;
	double v;

	b->processes = &n->groups[n->nr_groups];
	for (i = first; i < p->nr_obs; i++) {
		if (p->obs[i].boot != p->obs[first].boot ||
		    !observation_value(&p->obs[i], metric, &v))
			continue;
		n->groups[n->nr_groups++] = group_of(&p->obs[i], metric, v);
		b->nr++;
	}
}

struct nest nest_take(const struct side_point *p, const char *metric)
{
	struct nest n = {
		.boots = xcalloc(p->nr_obs, sizeof(*n.boots)),
		.groups = xcalloc(p->nr_obs, sizeof(*n.groups)),
	};
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (is_first(p, metric, i, same_boot))
			nest_boot(&n, p, metric, i);
	return n;
}

void nest_free(struct nest *n)
{
	size_t i;

	for (i = 0; i < n->nr_groups; i++)
		free((double *)n->groups[i].v);
	free(n->groups);
	free(n->boots);
	memset(n, 0, sizeof(*n));
}

size_t batches_in_order(const struct observation *o, const char *metric,
			double **v)
{
	const json_t *list = json_object_get(json_object_get(o->point,
					     "batches"), metric);
	const struct batch_list *all = run_file_batches(o->file, o->point,
							metric);
	double ops = json_number_value(json_object_get(o->point,
						       "operations"));
	size_t nr = all ? all->nr_sample : json_array_size(list), i;

	*v = NULL;
	if (!o->ok || ops <= 0 || !nr)
		return 0;
	*v = xcalloc(nr, sizeof(**v));
	for (i = 0; i < nr; i++)
		(*v)[i] = (all ? all->sample[i] :
			   json_number_value(json_array_get(list, i))) / ops;
	return nr;
}

size_t batch_outliers(const struct observation *o, const char *metric,
		      size_t *all)
{
	const struct batch_list *l = run_file_batches(o->file, o->point,
						      metric);
	double *v, low, high, reach;
	size_t nr, i, out = 0;

	if (l && o->ok) {
		*all = l->nr;
		return l->outliers;
	}
	nr = *all = batches_in_order(o, metric, &v);
	if (!nr)
		return 0;
	stat_sort(v, nr);
	low = stat_quantile(v, nr, .25);
	high = stat_quantile(v, nr, .75);
	reach = 3 * (high - low);
	/* fewer batches have no meaningful quartiles */
	for (i = 0; nr >= 8 && i < nr; i++)
		out += v[i] < low - reach || v[i] > high + reach;
	free(v);
	return out;
}
