// SPDX-License-Identifier: GPL-2.0
/*
 * Exact differences that luck would show, too. A count may depend on something
 * that a boot draws, such as which page frames are free, and then few boots can
 * all draw one thing on one side and another on the other. Nothing in such a
 * row tells that; the other rows of the metric do: for each that came out so
 * there are many that are seen to vary.
 */
#include "analysis/judge/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"

/*
 * Of a race, all rows vary; how far apart is judged by their own spread. Where
 * the cause is known there is nothing to ask.
 */
static bool in_question(const struct result *r)
{
	return r->tier == TIER_EXACT && strcmp(r->point->mode, "race") &&
	       !r->cause.known;
}

static int by_metric(const void *a, const void *b)
{
	const struct result *x = *(struct result *const *)a;
	const struct result *y = *(struct result *const *)b;
	int d = strcmp(x->point->mode, y->point->mode);

	return d ? d : strcmp(x->metric, y->metric);
}

/* Of the largest to the smallest value: what a difference would be, by luck. */
static double row_size(const struct result *r)
{
	double low = fmin(r->base.min, r->new.min);
	double high = fmax(r->base.max, r->new.max);

	return low > 0 ? log(high / low) : INFINITY;
}

/* All rows of one metric. The differences that may be luck are none. */
static void judge_metric(struct result *const *r, size_t nr, double alpha)
{
	double *size = xcalloc(nr, sizeof(*size)), odds = 0;
	double *share = xcalloc(nr, sizeof(*share));
	size_t differ = 0, vary = 0, i;

	/* The differences first, what varies from the end. */
	for (i = 0; i < nr; i++) {
		if (is_difference(r[i]))
			size[differ++] = row_size(r[i]);
		else if (r[i]->verdict == VERDICT_OVERLAP)
			size[nr - ++vary] = row_size(r[i]);
		else
			continue;
		odds = fmax(odds, stat_split_odds(r[i]->base.nr,
						  r[i]->new.nr));
	}
	if (vary && differ) {
		stat_lucky_share(size, differ, size + nr - vary, vary, odds,
				 share);
		for (i = differ = 0; i < nr; i++) {
			if (!is_difference(r[i]))
				continue;
			r[i]->lucky = share[differ++];
			if (r[i]->lucky >= alpha)
				r[i]->verdict = VERDICT_OVERLAP;
		}
	}
	free(share);
	free(size);
}

bool is_doubtful(const struct result *r)
{
	return r->verdict == VERDICT_OVERLAP && !isnan(r->lucky);
}

void judge_luck(struct comparison *c)
{
	struct result **r = xcalloc(c->nr_results + 1, sizeof(struct result *));
	size_t nr = 0, doubtful = 0, i, j;

	for (i = 0; i < c->nr_results; i++)
		if (in_question(&c->results[i]))
			r[nr++] = &c->results[i];
	if (nr)
		qsort(r, nr, sizeof(struct result *), by_metric);
	for (i = 0; i < nr; i = j) {
		for (j = i + 1; j < nr && !by_metric(&r[i], &r[j]); j++)
			;
		judge_metric(r + i, j - i, c->options->alpha);
	}
	for (i = 0; i < nr; i++)
		doubtful += is_doubtful(r[i]);
	free(r);
	if (doubtful)
		comparison_note(c, "%zu row%s that no boot contradicts may differ by luck, as other rows of the metric vary as much: more boots or seeds can tell",
				doubtful, plural(doubtful));
}
