// SPDX-License-Identifier: GPL-2.0
/* See sweep.h. Computes the order of boots, and how long a sweep takes. */
#include "cli/sweep.h"

#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

#include "analysis/judge/plan.h"
#include "lib/util.h"

/* Fills one round of @n kernels in random order. */
static void shuffle(gsl_rng *rng, size_t *round, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		round[i] = i;
	gsl_ran_shuffle(rng, round, n, sizeof(*round));
}

struct sweep_cell *sweep_cells(const struct sweep *s, size_t *nr)
{
	size_t n = s->nr_kernels, i, b, at = 0;
	struct sweep_cell *cells;
	size_t *round;
	gsl_rng *rng;
	char *letters;

	*nr = n * s->boots;
	cells = xcalloc(*nr + 1, sizeof(*cells));
	if (n == 2 && s->order == ORDER_ABBA) {
		unsigned int boot[2] = { 0, 0 };

		letters = plan_order(s->boots, s->seed);
		for (i = 0; i < *nr; i++) {
			cells[i].kernel = letters[i] - 'A';
			cells[i].boot = ++boot[cells[i].kernel];
		}
		free(letters);
		return cells;
	}
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	gsl_rng_set(rng, s->seed);
	round = xcalloc(n + 1, sizeof(*round));
	for (b = 0; b < s->boots; b++) {
		bool back = s->order == ORDER_ABBA && b % 2;

		if (!back)
			shuffle(rng, round, n);
		for (i = 0; i < n; i++, at++) {
			cells[at].kernel = round[back ? n - 1 - i : i];
			cells[at].boot = b + 1;
		}
	}
	free(round);
	gsl_rng_free(rng);
	return cells;
}

/*
 * Returns the cost of a point. If it is not given, guess: the batches at their
 * minimum duration, the same again for set-up and proof, and a quarter of a second
 * to attach the counters. A run of the machine in question gives a better value.
 */
static double point_seconds(const struct sweep *s)
{
	unsigned int batches = s->batches + s->warmup + s->counted;
	double ms = s->min_batch_ms;

	return s->point_seconds > 0 ? s->point_seconds :
		.25 + 2 * batches * (ms > 0 ? ms : .1) / 1000;
}

double sweep_seconds(const struct sweep *s, size_t boots)
{
	return boots * (s->boot_seconds + s->points.nr * point_seconds(s));
}

int sweep_fit(struct sweep *s)
{
	unsigned int boots = s->boots;

	if (!s->minutes || !s->nr_kernels)
		return 0;
	while (boots && sweep_seconds(s, boots * s->nr_kernels) >
			60 * s->minutes)
		boots--;
	if (boots < 2 && boots < s->boots)
		return fail(ETIME, "%s: minutes: %g is too few: 2 boots of each kernel take %.0f",
			    s->path, s->minutes,
			    ceil(sweep_seconds(s, 2 * s->nr_kernels) / 60));
	s->boots = boots;
	return 0;
}
