// SPDX-License-Identifier: GPL-2.0
/* See answer.h; its rows are in answer_rows.c, its sentences in answer_text.c. */
#include "analysis/report/answer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/view.h"
#include "analysis/report/answer_alike.h"
#include "lib/metric.h"
#include "lib/util.h"

/* Events printed below a line. */
#define EVENTS_SHOWN	6

/* --- points --- */

/* A point with its results. */
struct point_results {
	const struct side_point *point;
	const struct result **r;
	size_t nr;
};

struct answer_points {
	struct point_results *v;
	size_t nr;
};

/* All points that have results, in the order in which they were measured. */
static struct answer_points answer_points_of(const struct comparison *c)
{
	struct answer_points l = {
		.v = xcalloc(c->base->nr_points + 1, sizeof(*l.v)),
	};
	size_t i, k;

	for (i = 0; i < c->base->nr_points; i++) {
		struct point_results p = { .point = &c->base->points[i] };

		if (!strcmp(p.point->bench, "harness.empty"))
			continue;
		for (k = 0; k < c->nr_results; k++) {
			if (c->results[k].point != p.point)
				continue;
			p.r = grow(p.r, p.nr, sizeof(*p.r));
			p.r[p.nr++] = &c->results[k];
		}
		if (p.nr)
			l.v[l.nr++] = p;
	}
	return l;
}

static void answer_points_free(struct answer_points *l)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		free(l->v[i].r);
	free(l->v);
}

static const struct result *find_metric(const struct point_results *p,
					const char *metric)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (!strcmp(p->r[i]->metric, metric))
			return p->r[i];
	return NULL;
}

static const struct result *cost_of(const struct point_results *p)
{
	const struct result *r;
	const char *metric;
	unsigned int rank;

	for (rank = 1; (metric = metric_cost(rank)); rank++) {
		r = find_metric(p, metric);
		if (r)
			return r;
	}
	return NULL;
}

static bool differs(const struct point_results *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (is_difference(p->r[i]))
			return true;
	return false;
}

static bool is_wrong(const struct comparison *c, const struct side_point *p)
{
	size_t i;

	for (i = 0; i < c->nr_findings; i++)
		if (c->findings[i].point == p &&
		    c->findings[i].severity == SEVERITY_ERROR)
			return true;
	return false;
}

/* What a point is: worse, better, or neither, by its cost if that differs. */
static enum verdict point_verdict(const struct point_results *p)
{
	const struct result *cost = cost_of(p);
	enum verdict v = VERDICT_CHANGED;
	size_t i;

	if (cost && is_difference(cost))
		return cost->verdict;
	for (i = 0; i < p->nr; i++) {
		if (p->r[i]->verdict == VERDICT_REGRESSION)
			return VERDICT_REGRESSION;
		if (p->r[i]->verdict == VERDICT_IMPROVEMENT)
			v = VERDICT_IMPROVEMENT;
	}
	return v;
}

/* --- events --- */

static bool has_word(const char *metric)
{
	const struct metric *m = metric_find(metric);

	return m && m->word &&
	       (!strcmp(m->name, metric) || strchr(m->word, '*'));
}

/*
 * kvm_refaults.other says again what kvm_refaults does, if it moved alike; so
 * does an event that is neither good nor bad (s2_maps.normal) of one that is.
 */
static bool says_again(const struct point_results *p, const struct result *r)
{
	size_t i, n;

	for (i = 0; i < p->nr; i++) {
		const struct result *o = p->r[i];

		n = strlen(o->metric);
		if (o == r || o->base.median != r->base.median ||
		    o->new.median != r->new.median)
			continue;
		if (strlen(r->metric) > n && strchr("._", r->metric[n]) &&
		    !strncmp(o->metric, r->metric, n))
			return true;
		if (r->facts.better == BETTER_NONE && has_word(o->metric) &&
		    o->facts.better != BETTER_NONE)
			return true;
	}
	return false;
}

/*
 * The metric in words, its name where it has none: "KVM zap"; "stage-2 nc page"
 * of s2_maps.nc. The caller frees.
 */
static char *word_of(const char *metric)
{
	const struct metric *m = metric_find(metric);
	const char *star, *rest;

	if (!has_word(metric))
		return xstrdup(metric);
	star = strchr(m->word, '*');
	if (!star)
		return xstrdup(m->word);
	rest = metric + strlen(m->name) - 1;
	return xasprintf("%.*s%s%s", (int)(star - m->word), m->word, rest,
			 star + 1);
}

enum event_move event_move(const struct result *r)
{
	double was = r->base.median, is = r->new.median;

	if (was < .1 * is)
		return EVENT_NEW;
	if (is < .1 * was)
		return EVENT_GONE;
	return is > was ? EVENT_MORE : EVENT_LESS;
}

/* Events by what became of them. */
struct events {
	char *new, *gone, *moved;
};

char *answer_plural(const char *word)
{
	size_t n = strlen(word);

	if (n && strchr("yI", word[n - 1]))	/* TLBI stays */
		return word[n - 1] == 'I' ? xstrdup(word) :
		       xasprintf("%.*sies", (int)n - 1, word);
	return xasprintf("%ss", word);
}

static void add_event(struct events *e, const char *word,
		      const struct result *r)
{
	enum event_move move = event_move(r);
	char base[NUMBER_SIZE], new[NUMBER_SIZE], *many;
	double most = fmax(r->base.median, r->new.median);

	if (move == EVENT_MORE || move == EVENT_LESS) {
		append_text(&e->moved, ", ", "%s %s -> %s", word,
			    format_brief(r->base.median, false, base),
			    format_brief(r->new.median, false, new));
		return;
	}
	format_brief(most, false, new);
	many = has_word(r->metric) && strcmp(new, "1") ? answer_plural(word) :
		xstrdup(word);
	append_text(move == EVENT_NEW ? &e->new : &e->gone, ", ", "%s %s", new,
		    many);
	free(many);
}

/* "new: 1 notifier start; TLBI 1 -> 3"; NULL: none. Frees what @e has. */
static char *events_text(struct events *e)
{
	char *text = xstrdup("");

	if (*e->new)
		append_text(&text, "; ", "new: %s", e->new);
	if (*e->gone)
		append_text(&text, "; ", "gone: %s", e->gone);
	if (*e->moved)
		append_text(&text, "; ", "%s", e->moved);
	free(e->new);
	free(e->gone);
	free(e->moved);
	if (*text)
		return text;
	free(text);
	return NULL;
}

static int by_metric_table(const void *a, const void *b)
{
	const struct result *x = *(const struct result *const *)a;
	const struct result *y = *(const struct result *const *)b;
	const struct metric *m = metric_find(x->metric);
	const struct metric *n = metric_find(y->metric);

	return m < n ? -1 : m > n;
}

/* --- lines --- */

static struct answer_line *line_get(struct answer *a, const char *label)
{
	size_t i;

	for (i = 0; i < a->nr; i++)
		if (!strcmp(a->lines[i].label, label))
			return &a->lines[i];
	a->lines = grow(a->lines, a->nr, sizeof(*a->lines));
	a->lines[a->nr] = (struct answer_line){ .label = xstrdup(label) };
	return &a->lines[a->nr++];
}

static double folio_size(const char *folio)
{
	uint64_t size;

	return parse_size(folio, &size) ? 0 : size;
}

static int by_folio(const void *a, const void *b)
{
	const struct answer_cell *x = a, *y = b;
	double d = folio_size(x->folio) - folio_size(y->folio);

	return d < 0 ? -1 : d > 0;
}

/* By how much the cost of a line changes, 0 if it does not. */
static double cost_change(const struct answer_line *l)
{
	const struct result *cost = l->shown ? l->shown->cost : NULL;

	return cost && is_difference(cost) ? fabs(cost->delta) : 0;
}

/*
 * Lines that differ first; of these those with events of their own, as others
 * follow from them; then by what they change in cost, as a ratio to a small base
 * would say nothing.
 */
static int by_weight(const void *a, const void *b)
{
	const struct answer_line *x = a, *y = b;
	int d = (y->shown != NULL) - (x->shown != NULL);
	double more = cost_change(y) - cost_change(x);

	if (!d && x->shown)
		d = !!y->shown->events - !!x->shown->events;
	if (!d)
		d = more < 0 ? -1 : more > 0;
	if (!d)
		d = (y->nr > x->nr) - (y->nr < x->nr);
	return d ? d : strcmp(x->label, y->label);
}

/* The cell whose cost changes most, or else the first that differs. */
static const struct answer_cell *shown_of(const struct answer_line *l)
{
	const struct answer_cell *shown = NULL;
	double most = -1;
	size_t i;

	for (i = 0; i < l->nr; i++) {
		const struct answer_cell *cell = &l->cells[i];
		double change = cell->cost && is_difference(cell->cost) ?
				fabs(cell->cost->delta) : 0;

		if (!cell->differs || change <= most)
			continue;
		shown = cell;
		most = change;
	}
	return shown;
}

static double steepness(const struct result *r)
{
	return r->ratio > 0 ? fabs(log(r->ratio)) : INFINITY;
}

static void add_effect(struct answer_effect *e, const struct result *cost)
{
	e->points++;
	if (!cost || !is_difference(cost))
		return;
	if (!e->priced++) {
		e->least = e->most = e->steepest = cost;
		return;
	}
	if (fabs(cost->delta) < fabs(e->least->delta))
		e->least = cost;
	if (fabs(cost->delta) > fabs(e->most->delta))
		e->most = cost;
	if (steepness(cost) > steepness(e->steepest))
		e->steepest = cost;
}

static void count_point(struct answer *a, const struct comparison *c,
			const struct point_results *p)
{
	enum verdict v;

	a->points++;
	if (!differs(p))
		return;
	v = point_verdict(p);
	add_effect(is_wrong(c, p->point) ? &a->wrong :	/* at any cost */
		   v == VERDICT_REGRESSION ? &a->worse :
		   v == VERDICT_IMPROVEMENT ? &a->better : &a->other,
		   cost_of(p));
}

static void count_event(struct answer *a, const char *word,
			const struct result *r)
{
	size_t i;

	if (!has_word(r->metric))
		return;
	for (i = 0; i < a->nr_moves; i++)
		if (a->moves[i].move == event_move(r) &&
		    !strcmp(a->moves[i].word, word))
			break;
	if (i == a->nr_moves) {
		a->moves = grow(a->moves, i, sizeof(*a->moves));
		a->moves[a->nr_moves++] = (struct answer_move){
			.word = xstrdup(word), .move = event_move(r),
		};
	}
	a->moves[i].points++;
}

/* A difference that an answer names, and that no other of the point says. */
static bool is_event(const struct point_results *p, const struct result *r,
		     bool words)
{
	return is_difference(r) && has_word(r->metric) == words &&
	       (words || r->facts.kind == METRIC_EVENT) && !says_again(p, r);
}

/* Whether @r and @end are the two halves of one thing, alike in number. */
static bool is_pair(const struct result *r, const struct result *end)
{
	return !strcmp(r->metric, "notifier_start") &&
	       !strcmp(end->metric, "notifier_end") &&
	       r->base.median == end->base.median &&
	       r->new.median == end->new.median;
}

/*
 * Whether @r gained what another value of the same metric lost: its page is of
 * another memory type.
 */
static bool is_move(const struct result *lost, const struct result *r)
{
	return r != lost && has_word(r->metric) &&
	       metric_find(lost->metric) == metric_find(r->metric) &&
	       strchr(metric_find(r->metric)->word, '*') && lost->delta < 0 &&
	       fabs(lost->delta + r->delta) < 1e-6 * r->delta;
}

/* "1 stage-2 nc -> device page" */
static void add_move(struct events *e, const struct result *lost,
		     const struct result *r)
{
	const struct metric *m = metric_find(r->metric);
	size_t name = strlen(m->name) - 1;
	const char *star = strchr(m->word, '*');
	char number[NUMBER_SIZE];

	format_brief(r->delta, false, number);
	append_text(&e->moved, ", ", "%s %.*s%s -> %s%s%s", number,
		    (int)(star - m->word), m->word, lost->metric + name,
		    r->metric + name, star + 1, strcmp(number, "1") ? "s" : "");
}

/* The events that changed: those with a word, or else by name. */
static char *events_of(struct answer *a, const struct point_results *p)
{
	const struct result **r = xcalloc(p->nr, sizeof(*r));
	struct events e = { xstrdup(""), xstrdup(""), xstrdup("") };
	size_t shown, nr, i, k, was;
	bool words = true;

	do {
		for (nr = 0, i = 0; i < p->nr; i++)
			if (is_event(p, p->r[i], words))
				r[nr++] = p->r[i];
		words = !words;
	} while (!nr && !words);
	if (nr)
		qsort(r, nr, sizeof(*r), by_metric_table);
	for (shown = 0, i = 0; i < nr && shown < EVENTS_SHOWN; i++, shown++) {
		bool pair = i + 1 < nr && is_pair(r[i], r[i + 1]);
		char *word = pair ? xstrdup("notifier start/end pair") :
				    word_of(r[i]->metric);

		count_event(a, word, r[i]);
		for (k = 0; k < nr && !is_move(r[i], r[k]); k++)
			;
		for (was = 0; was < nr && !is_move(r[was], r[i]); was++)
			;
		if (k < nr)
			add_move(&e, r[i], r[k]);
		else if (was == nr)
			add_event(&e, word, r[i]);
		free(word);
		i += pair;
	}
	free(r);
	return events_text(&e);
}

static void line_free(struct answer_line *line)
{
	size_t i;

	for (i = 0; i < line->nr; i++)
		free(line->cells[i].events);
	free(line->cells);
	free(line->label);
}

/* Where each value of a parameter ("bar=") does the same, one line says it. */
static void fold_values(struct answer *a)
{
	size_t i, k;

	for (i = 0; i < a->differing; i++) {
		char *label = a->lines[i].label;
		int n = answer_stem(label);

		if (!answer_one_for_all(a, i))
			continue;
		for (k = a->differing - 1; k > i; k--) {
			if (answer_stem(a->lines[k].label) != n ||
			    strncmp(a->lines[k].label, label, n))
				continue;
			line_free(&a->lines[k]);
			memmove(a->lines + k, a->lines + k + 1,
				(a->nr - k - 1) * sizeof(*a->lines));
			a->nr--;
			a->differing--;
		}
		label[n] = 0;
	}
}

struct answer *answer_of(const struct comparison *c)
{
	struct answer *a = xcalloc(1, sizeof(*a));
	struct answer_points l = answer_points_of(c);
	const struct side_point **all = xcalloc(l.nr + 1, sizeof(*all));
	size_t i;

	for (i = 0; i < l.nr; i++)
		all[i] = l.v[i].point;
	for (i = 0; i < l.nr; i++) {
		const struct point_results *p = &l.v[i];
		char *label = point_in_words(all, l.nr, p->point);
		struct answer_line *line = line_get(a, label);
		const struct result *cost = cost_of(p);

		line->cells = grow(line->cells, line->nr,
				   sizeof(*line->cells));
		line->cells[line->nr++] = (struct answer_cell){
			.folio = json_text(p->point->params, "folio"),
			.cost = cost, .differs = differs(p),
			.undecided = cost &&
				     cost->verdict == VERDICT_INCONCLUSIVE,
			.events = events_of(a, p),
		};
		if (!a->cost && cost)
			a->cost = cost->metric;
		count_point(a, c, p);
		free(label);
	}
	for (i = 0; i < a->nr; i++) {
		struct answer_line *line = &a->lines[i];

		qsort(line->cells, line->nr, sizeof(*line->cells), by_folio);
		line->shown = shown_of(line);
		a->differing += line->shown != NULL;
	}
	if (a->nr)
		qsort(a->lines, a->nr, sizeof(*a->lines), by_weight);
	fold_values(a);
	/* Points may have different ones: that of the first line is above all. */
	if (a->differing && a->lines[0].shown->cost)
		a->cost = a->lines[0].shown->cost->metric;
	answer_points_free(&l);
	free(all);
	return a;
}

void answer_free(struct answer *a)
{
	size_t i;

	for (i = 0; i < a->nr; i++)
		line_free(&a->lines[i]);
	for (i = 0; i < a->nr_moves; i++)
		free(a->moves[i].word);
	free(a->moves);
	free(a->lines);
	free(a);
}
