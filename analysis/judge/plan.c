// SPDX-License-Identifier: GPL-2.0
/* See plan.h. */
#include "analysis/judge/plan.h"

#include <errno.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/load/sample.h"
#include "lib/stat.h"
#include "lib/util.h"

/* Most batches to try: 1, 2, 3, ... in steps of a tenth. */
#define MAX_BATCHES	100000

const struct plan_options plan_defaults = {
	.effect = .01,
	.power = .8,
	.alpha = .05,
	.boot_s = 300,
	.batch_s = NAN,
};

static double group_mean(const struct stat_group *g)
{
	return g->of ? g->mean : stat_mean(g->v, g->nr);
}

static double group_variance(const struct stat_group *g)
{
	return g->of ? g->sd * g->sd : stat_variance(g->v, g->nr);
}

static size_t group_batches(const struct stat_group *g)
{
	return g->of ? g->of : g->nr;
}

static void count_levels(struct plan_row *r, const struct nest *n)
{
	size_t i, j;

	r->boots = n->nr;
	r->processes = r->batches = SIZE_MAX;
	for (i = 0; i < n->nr; i++) {
		if (n->boots[i].nr < r->processes)
			r->processes = n->boots[i].nr;
		for (j = 0; j < n->boots[i].nr; j++) {
			size_t nr = group_batches(&n->boots[i].processes[j]);

			if (nr < r->batches)
				r->batches = nr;
		}
	}
}

/*
 * S_1^2 is the mean of the variances within processes; the levels above are the
 * variances of their means. Uses only the first processes of boots that have
 * more than others, since the estimate needs balanced data.
 */
static void take_variance(struct plan_row *r, const struct nest *n)
{
	double *mean = xcalloc(r->boots * r->processes, sizeof(*mean));
	double within = 0, s2[2], t2[2], square;
	size_t reps[2], levels = 0, i, j;

	for (i = 0; i < r->boots; i++)
		for (j = 0; j < r->processes; j++) {
			const struct stat_group *g = &n->boots[i].processes[j];

			mean[i * r->processes + j] = group_mean(g);
			within += group_variance(g);
		}
	within /= r->boots * r->processes;
	if (r->processes > 1)
		reps[levels++] = r->processes;
	reps[levels++] = r->boots;
	r->mean = stat_kj(mean, reps, levels, s2, t2);
	square = r->mean * r->mean;
	r->batch_var = r->batches > 1 ? within / square : NAN;
	r->process_var = NAN;
	r->boot_var = t2[levels - 1] / square;
	/* the lowest level's S^2 includes a share of the batches' variance */
	if (r->batches > 1 && levels == 1)
		r->boot_var -= within / r->batches / square;
	if (levels == 2)
		r->process_var = (s2[0] - (r->batches > 1 ?
					   within / r->batches : 0)) / square;
	free(mean);
}

bool plan_levels(struct plan_row *r, const struct nest *n)
{
	if (n->nr < 2)
		return false;
	count_levels(r, n);
	take_variance(r, n);
	return r->mean > 0;
}

static double positive(double v)
{
	return v > 0 ? v : 0;
}

/* Returns r_1 = sqrt(c_2/c_1 * T_1^2/T_2^2) (Kalibera and Jones 2013, 6). */
static size_t best_batches(const struct plan_row *r, const struct plan *p)
{
	double above = r->processes > 1 ? r->process_var : r->boot_var;
	double nr;

	if (!(r->batch_var > 0))
		return 1;
	if (!(above > 0))
		return 0;
	nr = ceil(sqrt(p->options->boot_s / r->batch_s / r->processes *
		       r->batch_var / above));
	return nr < 1 ? 1 : nr < MAX_BATCHES ? nr : MAX_BATCHES;
}

static double batch_seconds(const struct side_point *point, const char *metric,
			    const struct plan_row *r,
			    const struct plan_options *o)
{
	double ops = json_number_value(json_object_get(point->obs[0].point,
						       "operations"));
	struct sample ns;
	double s;

	if (!isnan(o->batch_s))
		return o->batch_s;
	if (!strcmp(metric, "ns"))
		return r->mean * ops / 1e9;
	ns = sample_take(point, "ns", TIER_TIMED, stat_mean);
	s = ns.nr ? ns.median * ops / 1e9 : 0;
	sample_free(&ns);
	return s;
}

static void add_row(struct plan *p, const struct side_point *point,
		    const char *metric)
{
	struct plan_row r = { .point = point };
	struct nest n = nest_take(point, metric);

	bool known = plan_levels(&r, &n);

	nest_free(&n);
	if (!known)
		return;
	r.metric = xstrdup(metric);
	r.batch_s = batch_seconds(point, metric, &r, p->options);
	p->row = grow(p->row, p->nr, sizeof(*p->row));
	p->row[p->nr++] = r;
}

static void add_point(struct plan *p, const struct side_point *point)
{
	json_t *seen = json_object(), *value;
	const char *metric;
	size_t i;

	for (i = 0; i < point->nr_obs; i++)
		json_object_foreach(json_object_get(point->obs[i].point,
						    "counters"), metric, value)
			if (point->obs[i].ok && !json_object_get(seen, metric) &&
			    selected_metric(&p->options->select, metric) &&
			    metric_tier(point, metric) == TIER_TIMED) {
				json_object_set_new(seen, metric, json_true());
				add_row(p, point, metric);
			}
	json_decref(seen);
}

/* What processes and batches add to the variance of a boot's mean. */
static double within_boot(double process_var, double batch_var,
			  size_t processes, size_t batches)
{
	return (isnan(process_var) ? 0 : process_var) / processes +
	       (isnan(batch_var) ? 0 : batch_var) / processes / batches;
}

/*
 * Few boots may agree by luck: the variance of their means is taken at the upper
 * limit of what it may be, at 80 %, as compare does. What is within a boot is known
 * from many batches.
 */
static double boot_var_limit(const struct plan_row *r)
{
	double within = within_boot(r->process_var, r->batch_var, r->processes,
				    r->batches);
	double limit = stat_sd_limit(r->boots - 1, .8);

	return positive((r->boot_var + within) * limit * limit - within);
}

size_t plan_boots(const struct plan *p, const struct plan_row *r,
		  double effect, size_t batches)
{
	double var = boot_var_limit(r) +
		     within_boot(positive(r->process_var),
				 positive(r->batch_var), p->processes, batches);

	return stat_boots_in_table(sqrt(var), effect, p->options->alpha,
				   p->options->power, p->rows);
}

size_t plan_boots_all(const struct plan *p, double effect, size_t batches)
{
	size_t most = 0, i;

	for (i = 0; i < p->nr; i++) {
		size_t n = plan_boots(p, &p->row[i], effect, batches);

		if (!n)
			return 0;
		most = n > most ? n : most;
	}
	return most;
}

double plan_seconds(const struct plan *p, size_t boots, size_t batches)
{
	double measuring = 0;
	size_t i;

	/* metrics of a point are measured together */
	for (i = 0; i < p->nr; i++)
		if (!i || p->row[i].point != p->row[i - 1].point)
			measuring += p->row[i].batch_s;
	return 2. * boots * (p->options->boot_s +
			     p->processes * batches * measuring);
}

/* Finds the cheapest number of batches for all rows together. */
static void find_cheapest(struct plan *p)
{
	size_t batches, boots;
	double s;

	for (batches = 1; batches <= MAX_BATCHES;
	     batches += 1 + batches / 10) {
		boots = plan_boots_all(p, p->options->effect, batches);
		if (!boots)
			continue;
		s = plan_seconds(p, boots, batches);
		if (!p->boots || s < p->seconds) {
			p->boots = boots;
			p->batches = batches;
			p->seconds = s;
		}
	}
}

static void fill(struct plan *p)
{
	size_t i;

	p->rows = p->options->rows ? p->options->rows : p->nr;
	p->processes = p->row[0].processes;
	p->now_batches = p->row[0].batches;
	for (i = 0; i < p->nr; i++) {
		struct plan_row *r = &p->row[i];

		if (r->processes < p->processes)
			p->processes = r->processes;
		if (r->batches < p->now_batches)
			p->now_batches = r->batches;
	}
	for (i = 0; i < p->nr; i++) {
		struct plan_row *r = &p->row[i];

		r->best_batches = best_batches(r, p);
		r->boots_needed = plan_boots(p, r, p->options->effect,
					     r->batches);
	}
	p->now_boots = plan_boots_all(p, p->options->effect, p->now_batches);
	p->now_seconds = plan_seconds(p, p->now_boots, p->now_batches);
	find_cheapest(p);
}

char *plan_order(size_t boots, unsigned long seed)
{
	static const char *const block[] = { "ABBA", "BAAB" };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	char *order = xcalloc(2 * boots + 1, 1);
	size_t i;

	gsl_rng_set(rng, seed);
	for (i = 0; i < 2 * boots; i += 4)
		memcpy(order + i, block[gsl_rng_uniform_int(rng, 2)],
		       2 * boots - i < 4 ? 2 * boots - i : 4);
	gsl_rng_free(rng);
	return order;
}

struct plan *plan_make(const struct side *side, const struct plan_options *o)
{
	size_t boots = side_boots(side, "timed"), i;
	struct plan *p;

	if (!boots)
		return fail_null(ENOENT, "%s: no boot with a real clock: counts that repeat need no plan",
				 side->run->path);
	if (boots < 2)
		return fail_null(ENOENT, "%s: one boot does not tell how boots differ; measure at least 2, better %d",
				 side->run->path, STAT_MIN_BOOTS);
	p = xcalloc(1, sizeof(*p));
	p->side = side;
	p->options = o;
	for (i = 0; i < side->nr_points; i++)
		if (!strcmp(side->points[i].mode, "timed") &&
		    strcmp(side->points[i].bench, "harness.empty"))
			add_point(p, &side->points[i]);
	if (!p->nr) {
		plan_free(p);
		return fail_null(ENOENT, "%s: no timed value that two boots have%s",
				 side->run->path,
				 o->select.nr_benches || o->select.nr_metrics ?
				 ", of what was asked for" : "");
	}
	fill(p);
	return p;
}

void plan_free(struct plan *p)
{
	size_t i;

	if (!p)
		return;
	for (i = 0; i < p->nr; i++)
		free(p->row[i].metric);
	free(p->row);
	free(p);
}
