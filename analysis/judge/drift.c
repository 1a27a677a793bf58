// SPDX-License-Identifier: GPL-2.0
/* See drift.h. */
#include "analysis/judge/drift.h"

#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* Report a drift only if it is very unlikely by chance. */
#define DRIFT_ALPHA	.01
#define WARMUP_ALPHA	.01
/* Fewest batches that show whether the start of a boot differs. */
#define WARMUP_BATCHES	12

/* A boot of either side at its place in the session. */
struct turn {
	double started;		/* seconds since 1970 */
	bool new;
	double value;		/* divided by the center of its side */
};

double boot_started(const struct boot *b)
{
	const json_t *at = json_object_get(b->file->header, "started");

	return json_is_number(at) ? json_number_value(at) : NAN;
}

static int by_start(const void *a, const void *b)
{
	double x = ((const struct turn *)a)->started;
	double y = ((const struct turn *)b)->started;

	return (x > y) - (x < y);
}

/*
 * Collects the timed boots of both sides in order. Returns their number; 0 if
 * one has no time.
 */
static size_t take_turns(const struct comparison *c, struct turn *t)
{
	const struct side *side[] = { c->base, c->new };
	size_t nr = 0, i, s;

	for (s = 0; s < 2; s++)
		for (i = 0; i < side[s]->nr_boots; i++) {
			const struct boot *b = &side[s]->boots[i];

			if (strcmp(b->mode, "timed"))
				continue;
			t[nr] = (struct turn){ boot_started(b), s == 1, 0 };
			if (isnan(t[nr++].started))
				return 0;
		}
	qsort(t, nr, sizeof(*t), by_start);
	return nr;
}

/*
 * Sets @c->confounded if all boots of one side ran before those of the other.
 */
static void find_order(struct comparison *c)
{
	struct turn *t = xcalloc(c->base->nr_boots + c->new->nr_boots,
				 sizeof(*t));
	size_t nr = take_turns(c, t), i, changes = 0, news = 0;

	for (i = 0; i < nr; i++) {
		news += t[i].new;
		changes += i && t[i].new != t[i - 1].new;
	}
	if (changes == 1 && news > 1 && nr - news > 1)
		c->confounded = t[0].new ? "new" : "base";
	free(t);
}

/* --- drift --- */

/* Collects a row's boots, base's first. Returns false if one has no time. */
static bool row_turns(const struct comparison *c, const struct result *r,
		      struct turn *t)
{
	const struct side *side[] = { c->base, c->new };
	const struct sample *s[] = { &r->base, &r->new };
	size_t i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < s[k]->nr; i++, t++) {
			*t = (struct turn){
				boot_started(&side[k]->boots[s[k]->boot[i]]), k == 1,
				s[k]->v[i] / s[k]->median };
			if (isnan(t->started))
				return false;
		}
	return true;
}

/*
 * Returns Kendall's tau of a row's boots against time, each divided by its
 * side's center.
 */
static struct stat_trend drift_of(const struct comparison *c,
				  const struct result *r)
{
	size_t nr = r->base.nr + r->new.nr, i;
	struct turn *t = xcalloc(nr, sizeof(*t));
	double *y = xcalloc(nr, sizeof(*y));
	struct stat_trend trend = { NAN, NAN };

	if (nr >= 2 * STAT_MIN_BOOTS && row_turns(c, r, t)) {
		qsort(t, nr, sizeof(*t), by_start);
		for (i = 0; i < nr; i++)
			y[i] = t[i].value;
		trend = stat_kendall(y, nr);
	}
	free(t);
	free(y);
	return trend;
}

/*
 * Removes the trend of all boots of both kernels from a row, as a factor. If
 * the kernels took turns, it contains nothing of the difference between them.
 * If the turns were uneven, removing it reduces the difference rather than
 * adding to it.
 */
static void level_row(const struct comparison *c, struct result *r)
{
	size_t nr = r->base.nr + r->new.nr, i;
	struct turn *t = xcalloc(nr, sizeof(*t));
	double *x = xcalloc(2 * nr, sizeof(*x)), *y = x + nr, slope, mean, other;

	row_turns(c, r, t);
	for (i = 0; i < nr; i++) {
		x[i] = t[i].started - t[0].started;
		y[i] = log(i < r->base.nr ? r->base.v[i] :
			   r->new.v[i - r->base.nr]);
	}
	mean = stat_mean(x, nr);
	gsl_fit_linear(x, 1, y, 1, nr, &other, &slope, &other, &other, &other,
		       &other);
	for (i = 0; i < nr; i++) {
		double *v = i < r->base.nr ? &r->base.v[i] :
			    &r->new.v[i - r->base.nr];

		*v = exp(y[i] - slope * (x[i] - mean));
	}
	r->leveled = true;
	free(t);
	free(x);
}

static void find_drift(struct comparison *c)
{
	double *p = xcalloc(2 * c->nr_results, sizeof(*p));
	double *tau = xcalloc(c->nr_results, sizeof(*tau));
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		struct stat_trend t = { NAN, NAN };

		if (c->results[i].tier == TIER_TIMED)
			t = drift_of(c, &c->results[i]);
		p[i] = t.p;
		tau[i] = t.tau;
	}
	stat_holm(p, c->nr_results, p + c->nr_results);
	for (i = 0; i < c->nr_results; i++) {
		struct result *r = &c->results[i];
		bool level = r->base.min > 0 && r->new.min > 0;

		if (!(p[c->nr_results + i] < DRIFT_ALPHA))
			continue;
		comparison_note(c, "drift: %s %s %s over the session (Kendall's tau %.2f, p %.2g)%s: look for heat, a growing page cache, or another load",
				r->point->bench, r->metric,
				tau[i] > 0 ? "rises" : "falls", tau[i], p[i],
				level ? "; the trend is removed" : "");
		if (level)
			level_row(c, r);
	}
	free(p);
	free(tau);
}

void drift_remove(struct comparison *c)
{
	find_order(c);
	if (c->confounded)
		comparison_note(c, "all boots of %s came before those of %s: a drift of the machine would look like a change; boot the kernels in turn",
				c->confounded,
				strcmp(c->confounded, "new") ? "new" : "base");
	else
		find_drift(c);
}

/* --- warm-up --- */

/*
 * Compares the first batches of a file, a tenth but at least 4, with its second
 * half. Returns the ratio of the medians, 1 if they do not differ.
 */
static double warmup_of(const struct observation *o, const char *metric)
{
	size_t nr, first, half;
	double *v, ratio = 1;

	nr = batches_in_order(o, metric, &v);
	if (nr >= WARMUP_BATCHES) {
		first = nr / 10 > 4 ? nr / 10 : 4;
		half = nr / 2;
		if (stat_mann_whitney(v, first, v + half, nr - half).p <
		    WARMUP_ALPHA)
			ratio = stat_median(v, first) /
				stat_median(v + half, nr - half);
	}
	free(v);
	return ratio;
}

static void count_warmups(const struct side_point *p, const char *metric,
			  double margin, size_t *off, size_t *all,
			  double *largest)
{
	size_t i;

	for (i = 0; i < p->nr_obs; i++) {
		double ratio;

		if (!p->obs[i].ok)
			continue;
		++*all;
		ratio = warmup_of(&p->obs[i], metric);
		if (!(ratio > 1 + margin))
			continue;
		++*off;
		*largest = fmax(*largest, ratio);
	}
}

/*
 * Adds a note if at least half of the files, and two, start slower by more than
 * the margin.
 */
static void note_warmup(struct comparison *c, const struct result *r)
{
	const struct side_point *n = side_find(c->new, r->point->key);
	size_t off = 0, all = 0;
	double largest = 1;

	count_warmups(r->point, r->metric, c->options->margin, &off, &all,
		      &largest);
	if (n)
		count_warmups(n, r->metric, c->options->margin, &off, &all,
			      &largest);
	if (off >= 2 && 2 * off >= all)
		comparison_note(c, "warm-up: the first batches of %s %s are up to %.1f%% above the later ones in %zu of %zu files: increase --warmup",
				r->point->bench, r->metric,
				100 * (largest - 1), off, all);
}

void warmup_notes(struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		if (c->results[i].tier == TIER_TIMED &&
		    c->results[i].facts.better != BETTER_HIGHER)
			note_warmup(c, &c->results[i]);
}
