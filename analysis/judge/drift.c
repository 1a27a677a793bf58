// SPDX-License-Identifier: GPL-2.0
/* See drift.h. */
#include "analysis/judge/drift.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/* Only what is very unlikely by luck is worth a reader's time. */
#define DRIFT_ALPHA	.01
#define WARMUP_ALPHA	.01
/* Batches, from where on the start of a boot can be told from the rest. */
#define WARMUP_BATCHES	12

/* A boot of either side at its place in the session. */
struct turn {
	double started;		/* seconds since 1970 */
	bool new;
	double value;		/* over the center of its side */
};

static double started(const struct run_file *f)
{
	const json_t *at = json_object_get(f->header, "started");

	return json_is_number(at) ? json_number_value(at) : NAN;
}

static int by_start(const void *a, const void *b)
{
	double x = ((const struct turn *)a)->started;
	double y = ((const struct turn *)b)->started;

	return (x > y) - (x < y);
}

/* The timed boots of both sides in order; 0 if one has no time. */
static size_t take_turns(const struct comparison *c, struct turn *t)
{
	const struct side *side[] = { c->base, c->new };
	size_t nr = 0, i, s;

	for (s = 0; s < 2; s++)
		for (i = 0; i < side[s]->nr_boots; i++) {
			const struct boot *b = &side[s]->boots[i];

			if (strcmp(b->mode, "timed"))
				continue;
			t[nr] = (struct turn){ started(b->file), s == 1, 0 };
			if (isnan(t[nr++].started))
				return 0;
		}
	qsort(t, nr, sizeof(*t), by_start);
	return nr;
}

static void note_order(struct comparison *c)
{
	struct turn *t = xcalloc(c->base->nr_boots + c->new->nr_boots,
				 sizeof(*t));
	size_t nr = take_turns(c, t), i, changes = 0, news = 0;

	for (i = 0; i < nr; i++) {
		news += t[i].new;
		changes += i && t[i].new != t[i - 1].new;
	}
	if (changes == 1 && news > 1 && nr - news > 1)
		comparison_note(c, "all boots of %s came before those of %s: a drift of the machine would look like a change; boot the kernels in turn",
				t[0].new ? "new" : "base",
				t[0].new ? "base" : "new");
	free(t);
}

/* --- drift --- */

static void add_turns(struct turn *t, size_t *nr, const struct side *side,
		      const struct side_point *p, const struct sample *s,
		      bool new)
{
	json_t *seen = json_object();
	size_t i, boot = 0;
	double v;

	/* the order of the values is that of the boots' first observations */
	for (i = 0; i < p->nr_obs && boot < s->nr; i++) {
		const char *id = side->boots[p->obs[i].boot].id;

		if (!p->obs[i].ok || (id && json_object_get(seen, id)))
			continue;
		v = s->v[boot++];
		if (id)
			json_object_set_new(seen, id, json_true());
		t[(*nr)++] = (struct turn){ started(p->obs[i].file), new,
					    v / s->median };
	}
	json_decref(seen);
}

/*
 * Kendall's tau of a row's boots against time, each over its side's center;
 * that center takes a part of a drift away, so this says too little rather
 * than too much.
 */
static struct stat_trend drift_of(const struct comparison *c,
				  const struct result *r)
{
	const struct side_point *n = side_find(c->new, r->point->key);
	struct turn *t = xcalloc(r->base.nr + r->new.nr, sizeof(*t));
	double *y = xcalloc(r->base.nr + r->new.nr, sizeof(*y));
	struct stat_trend trend = { NAN, NAN };
	size_t nr = 0, i;

	add_turns(t, &nr, c->base, r->point, &r->base, false);
	if (n)
		add_turns(t, &nr, c->new, n, &r->new, true);
	qsort(t, nr, sizeof(*t), by_start);
	for (i = 0; i < nr && !isnan(t[i].started); i++)
		y[i] = t[i].value;
	if (i == nr && nr >= 2 * STAT_MIN_BOOTS)
		trend = stat_kendall(y, nr);
	free(t);
	free(y);
	return trend;
}

static void note_drift(struct comparison *c)
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
	for (i = 0; i < c->nr_results; i++)
		if (p[c->nr_results + i] < DRIFT_ALPHA)
			comparison_note(c, "drift: %s %s %s over the session (Kendall's tau %.2f, p %.2g): look for heat, a growing page cache, or another load",
					c->results[i].point->bench,
					c->results[i].metric,
					tau[i] > 0 ? "rises" : "falls", tau[i],
					p[i]);
	free(p);
	free(tau);
}

/* --- warm-up --- */

/*
 * Whether the first batches of a file are off: the first tenth, at least 4,
 * against the second half. Returns the ratio of the medians, 1 if they are
 * not off.
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

/* Where half of the boots start slowly by more than the margin. */
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
		comparison_note(c, "warm-up: the first batches of %s %s are up to %.1f%% above the later ones in %zu of %zu files: more --warmup",
				r->point->bench, r->metric,
				100 * (largest - 1), off, all);
}

void drift_notes(struct comparison *c)
{
	size_t i;

	if (!c->timed)
		return;
	note_order(c);
	note_drift(c);
	for (i = 0; i < c->nr_results; i++)
		if (c->results[i].tier == TIER_TIMED &&
		    c->results[i].facts.better != BETTER_HIGHER)
			note_warmup(c, &c->results[i]);
}
