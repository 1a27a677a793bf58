// SPDX-License-Identifier: GPL-2.0
/* See explain.h. */
#include "analysis/code/explain.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/counted.h"
#include "analysis/load/sample.h"
#include "analysis/load/select.h"
#include "lib/binomial.h"
#include "lib/stat.h"
#include "lib/util.h"

/* --- functions --- */

static struct explained_function *function_get(struct explanation *e,
					       json_t *index,
					       const struct insn_function *n)
{
	size_t len = function_plain_length(n->name);
	char *key = xasprintf("%s %.*s", n->space, (int)len, n->name);
	json_t *have = json_object_get(index, key);
	size_t at = have ? (size_t)json_integer_value(have) : e->nr;

	if (!have) {
		e->functions = grow(e->functions, e->nr, sizeof(*e->functions));
		memset(&e->functions[e->nr], 0, sizeof(*e->functions));
		e->functions[e->nr].name = xstrndup(n->name, len);
		e->functions[e->nr].space = n->space;
		json_object_set_new(index, key, json_integer(e->nr++));
	}
	free(key);
	return &e->functions[at];
}

static void add_function(struct explanation *e, json_t *index, int side,
			 const struct insn_file *file,
			 const struct insn_count *c, const struct insn_weight *w)
{
	const struct insn_function *n = &file->functions[c->function];
	struct explained_function *f = function_get(e, index, n);
	double ops = e->operations[side];
	uint32_t i;

	/* list the first of two variants of a function */
	if (!f->code[side]) {
		f->code[side] = n;
		f->count[side] = xcalloc(n->nr, sizeof(uint64_t));
	}
	for (i = 0; i < c->nr; i++) {
		uint64_t at = c->offset / 4 + i;

		if (f->code[side] == n)
			f->count[side][at] += c->count;
		f->self[side] += insn_weigh(w, n, at) * c->count / ops;
	}
	if (!c->offset)
		f->calls[side] += c->count / ops;
}

/* --- stacks --- */

static struct flame *flame_child(struct flame *f, const char *name, size_t len,
				 const char *space)
{
	struct flame *n;
	size_t i;

	for (i = 0; i < f->nr; i++)
		if (!strncmp(f->child[i]->name, name, len) &&
		    !f->child[i]->name[len] &&
		    !strcmp(f->child[i]->space, space))
			return f->child[i];
	n = xcalloc(1, sizeof(*n));
	n->name = xstrndup(name, len);
	n->space = space;
	f->child = grow(f->child, f->nr, sizeof(*f->child));
	return f->child[f->nr++] = n;
}

static struct flame *flame_function(struct flame *f,
				    const struct insn_function *n)
{
	return flame_child(f, n->name, function_plain_length(n->name), n->space);
}

/*
 * Returns the frame of each node. A function that was entered by a jump has no
 * node of its own: if it contains a call or a count, put a frame of its own in
 * between. The caller frees.
 */
static struct flame **node_frames(struct explanation *e,
				  const struct insn_file *file,
				  const struct insn_region *r)
{
	struct flame **frame = xcalloc(r->nr_nodes, sizeof(*frame));
	size_t i;

	for (i = 0; i < r->nr_nodes; i++) {
		const struct insn_node *n = &r->nodes[i];
		struct flame *f = n->parent == i ? e->flame : frame[n->parent];

		if (n->kind == N_TASK)
			f = flame_child(e->flame, "[another task]", 14,
					"kernel");
		else if (n->kind == N_LOST)
			f = flame_child(e->flame, "[return to an unknown caller]",
					29, "kernel");
		else if (n->site >= 0 && n->parent != i &&
			 r->nodes[n->parent].entry != n->site)
			f = flame_function(f, &file->functions[n->site]);
		if (n->entry >= 0)
			f = flame_function(f, &file->functions[n->entry]);
		frame[i] = f;
	}
	return frame;
}

static void flame_sum(struct flame *f)
{
	size_t i;
	int s;

	for (s = 0; s < NR_SIDES; s++)
		f->all[s] = f->self[s];
	f->width = fmax(f->self[BASE], f->self[NEW]);
	for (i = 0; i < f->nr; i++) {
		flame_sum(f->child[i]);
		f->width += f->child[i]->width;
		for (s = 0; s < NR_SIDES; s++)
			f->all[s] += f->child[i]->all[s];
	}
}

static void flame_free(struct flame *f)
{
	size_t i;

	if (!f)
		return;
	for (i = 0; i < f->nr; i++)
		flame_free(f->child[i]);
	free(f->child);
	free(f->name);
	free(f);
}

/* --- both --- */

static void add_side(struct explanation *e, json_t *index, int side,
		     const struct insn_file *file, const struct insn_region *r,
		     const struct insn_weight *w)
{
	struct flame **frame = node_frames(e, file, r);
	double ops = e->operations[side];
	size_t i;
	uint32_t k;

	for (i = 0; i < r->nr_counts; i++) {
		const struct insn_count *c = &r->counts[i];
		const struct insn_function *n = &file->functions[c->function];
		struct flame *f = frame[c->node];
		uint64_t sum = 0;

		add_function(e, index, side, file, c, w);
		for (k = 0; k < c->nr; k++)
			sum += insn_weigh(w, n, c->offset / 4 + k) * c->count;
		if (!sum)
			continue;
		if (r->nodes[c->node].entry != (int)c->function)
			f = flame_function(f, n);
		f->self[side] += sum / ops;
		e->counted[side] += sum;
	}
	e->counted[side] /= ops;
	free(frame);
}

static int by_change(const void *a, const void *b)
{
	const struct explained_function *x = a, *y = b;
	double dx = fabs(x->self[NEW] - x->self[BASE]);
	double dy = fabs(y->self[NEW] - y->self[BASE]);

	if (dx != dy)
		return dx > dy ? -1 : 1;
	if (x->self[BASE] != y->self[BASE])
		return x->self[BASE] > y->self[BASE] ? -1 : 1;
	return strcmp(x->name, y->name);
}

static json_int_t seed_of(const struct observation *o)
{
	return json_integer_value(json_object_get(o->file->header, "seed"));
}

static bool counted(const struct observation *o)
{
	return o->ok && json_object_get(o->file->header, "insns");
}

/*
 * Returns a boot of this seed, any seed with -1, whose instructions were
 * counted; NULL if there is none.
 */
static const struct observation *pick(const struct side_point *p,
				      json_int_t seed)
{
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (counted(&p->obs[i]) &&
		    (seed < 0 || seed_of(&p->obs[i]) == seed))
			return &p->obs[i];
	return NULL;
}

static int pick_both(const struct side_point *base,
		     const struct side_point *new, json_int_t seed,
		     const struct observation **o)
{
	size_t i;

	for (i = 0; i < base->nr_obs; i++) {
		o[BASE] = &base->obs[i];
		if (!counted(o[BASE]) || (seed >= 0 && seed_of(o[BASE]) != seed))
			continue;
		o[NEW] = pick(new, seed_of(o[BASE]));
		if (o[NEW])
			return 0;
	}
	if (!pick(base, -1) || !pick(new, -1))
		return fail(ENOENT, "%s: %s has no instructions to explain: boot with scripts/lab/boot --count",
			    base->bench, pick(base, -1) ? "new" : "base");
	return seed >= 0 ?
		fail(ENOENT, "%s: no boot of seed %lld on both sides",
		     base->bench, (long long)seed) :
		fail(ENOENT, "%s: no two boots of one seed", base->bench);
}

/* --- samples --- */

static json_t *samples_of(const struct observation *o, const char *metric)
{
	json_t *s = json_object_get(o->point, "samples");

	return o->ok && !strcmp(json_text(s, "metric"), metric) ? s : NULL;
}

static bool sampled(const struct side_point *p, const char *metric)
{
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (samples_of(&p->obs[i], metric))
			return true;
	return false;
}

static struct explained_function *sampled_function(struct explanation *e,
						   json_t *index,
						   const char *key)
{
	const char *name = strchr(key, ' ') ? strchr(key, ' ') + 1 : key;
	/* function_get() borrows this only for its call, except for space */
	struct insn_function n = {
		.name = (char *)name,
		.space = strncmp(key, "user", 4) ? "kernel" : "user",
	};

	return function_get(e, index, &n);
}

static void add_samples(struct explanation *e, json_t *index, int side,
			const struct side_point *p)
{
	struct sample figure = sample_take(p, e->metric, TIER_TIMED,
					   stat_median);
	const char *key;
	json_t *count;
	size_t i;

	e->figure[side] = figure.median;
	e->boots[side] = figure.boots;
	sample_free(&figure);
	for (i = 0; i < p->nr_obs; i++) {
		json_t *s = samples_of(&p->obs[i], e->metric);

		if (!s)
			continue;
		e->event = json_text(s, "event");
		e->lost[side] += json_integer_value(json_object_get(s, "lost"));
		json_object_foreach(json_object_get(s, "functions"), key,
				    count) {
			uint64_t n = json_integer_value(count);

			e->samples[side] += n;
			/* the number of samples, until all are known */
			sampled_function(e, index, key)->self[side] += n;
		}
	}
}

/* Turns numbers of samples into shares of the figure, with their intervals. */
static void weigh_samples(struct explanation *e, struct explained_function *f)
{
	struct flame *n = flame_child(e->flame, f->name, strlen(f->name),
				      f->space);
	int s;

	for (s = 0; s < NR_SIDES; s++) {
		struct interval i = binomial_interval(f->self[s],
						      e->samples[s], .95);

		f->self[s] *= e->samples[s] ? e->figure[s] / e->samples[s] : 0;
		f->low[s] = i.low * e->figure[s];
		f->high[s] = i.high * e->figure[s];
		n->self[s] = f->self[s];
		e->counted[s] += f->self[s];
	}
}

static struct explanation *explain_samples(const struct side_point *base,
					   const struct side_point *new,
					   const char *metric)
{
	struct explanation *e = xcalloc(1, sizeof(*e));
	json_t *index = json_object();
	size_t i;

	e->point = base;
	e->metric = metric;
	e->flame = xcalloc(1, sizeof(*e->flame));
	e->flame->name = xstrdup("all");
	e->flame->space = "";
	add_samples(e, index, BASE, base);
	add_samples(e, index, NEW, new);
	json_decref(index);
	if (!e->samples[BASE] || !e->samples[NEW]) {
		fail(ENOENT, "%s: no samples of it on %s: sample longer",
		     base->bench, e->samples[BASE] ? "new" : "base");
		explanation_free(e);
		return NULL;
	}
	for (i = 0; i < e->nr; i++)
		weigh_samples(e, &e->functions[i]);
	flame_sum(e->flame);
	qsort(e->functions, e->nr, sizeof(*e->functions), by_change);
	return e;
}

/*
 * Combines the intervals of two sides to that of the difference (Newcombe 1998,
 * method 10).
 */
void explained_interval(const struct explained_function *f, double *low,
			double *high)
{
	double d = f->self[NEW] - f->self[BASE];

	*low = d - hypot(f->self[NEW] - f->low[NEW],
			 f->high[BASE] - f->self[BASE]);
	*high = d + hypot(f->high[NEW] - f->self[NEW],
			  f->self[BASE] - f->low[BASE]);
}

const char *explain_default_metric(const struct side *s)
{
	const char *metric = NULL;
	size_t i, k;

	for (i = 0; i < s->nr_points; i++) {
		for (k = 0; k < s->points[i].nr_obs; k++) {
			const struct observation *o = &s->points[i].obs[k];

			if (counted(o))
				return "instructions";
			if (!metric && json_object_get(o->point, "samples"))
				metric = json_text(json_object_get(o->point,
							"samples"), "metric");
		}
	}
	return metric ? metric : "instructions";
}

struct explanation *explain(const struct side_point *base,
			    const struct side_point *new, const char *metric,
			    json_int_t seed, struct insn_store *store)
{
	const struct observation *o[NR_SIDES];
	struct explanation *e;
	struct insn_weight w;
	json_t *index;
	int s;

	if (sampled(base, metric) && sampled(new, metric))
		return explain_samples(base, new, metric);
	if (!insn_weight_of(metric, &w))
		return fail_null(EINVAL, "%s is nothing that single instructions make up; there are %s",
				 metric, explain_metrics);
	if (pick_both(base, new, seed, o))
		return NULL;
	e = xcalloc(1, sizeof(*e));
	e->point = base;
	e->metric = metric;
	e->seed = seed_of(o[BASE]);
	e->flame = xcalloc(1, sizeof(*e->flame));
	e->flame->name = xstrdup("all");
	e->flame->space = "";
	index = json_object();
	for (s = 0; s < NR_SIDES; s++) {
		const struct insn_file *file = NULL;
		const struct insn_region *r = insn_store_region(o[s], metric, store,
							  &file);

		if (!r || !observation_value(o[s], metric, &e->figure[s])) {
			if (r)
				fail(ENOENT, "%s: %s has no %s", base->bench,
				     o[s]->file->path, metric);
			json_decref(index);
			explanation_free(e);
			return NULL;
		}
		e->operations[s] = json_integer_value(json_object_get(
					r->head, "operations"));
		e->record[s] = o[s]->point;
		e->file[s] = file;
		e->region[s] = r;
		e->header[s] = o[s]->file->header;
		e->unmatched[s] = json_integer_value(json_object_get(
					r->head, "unmatched_returns"));
		add_side(e, index, s, file, r, &w);
	}
	json_decref(index);
	flame_sum(e->flame);
	qsort(e->functions, e->nr, sizeof(*e->functions), by_change);
	return e;
}

void explanation_free(struct explanation *e)
{
	size_t i;

	if (!e)
		return;
	for (i = 0; i < e->nr; i++) {
		free(e->functions[i].name);
		free(e->functions[i].count[BASE]);
		free(e->functions[i].count[NEW]);
	}
	free(e->functions);
	flame_free(e->flame);
	free(e);
}

static bool first_value(const struct side_point *p, const char *metric,
			double *v)
{
	size_t i;

	for (i = 0; i < p->nr_obs; i++)
		if (p->obs[i].ok && observation_value(&p->obs[i], metric, v))
			return true;
	return false;
}

static int by_delta(const void *a, const void *b)
{
	const struct explain_pair *x = a, *y = b;
	double dx = fabs(x->delta), dy = fabs(y->delta);

	if (dx != dy)
		return dx > dy ? -1 : 1;
	return x->base < y->base ? -1 : x->base > y->base;
}

struct explain_pair *explain_pairs(const struct side *base,
				   const struct side *new, const char *metric,
				   size_t *nr)
{
	struct explain_pair *pairs = NULL;
	size_t i;

	*nr = 0;
	for (i = 0; i < base->nr_points; i++) {
		const struct side_point *p = &base->points[i];
		const struct side_point *q = side_find(new, p->key);
		double a, b;

		if (!q || !first_value(p, metric, &a) ||
		    !first_value(q, metric, &b))
			continue;
		pairs = grow(pairs, *nr, sizeof(*pairs));
		pairs[(*nr)++] = (struct explain_pair){ p, q, b - a };
	}
	if (*nr)
		qsort(pairs, *nr, sizeof(*pairs), by_delta);
	return pairs;
}

double explained_delta(const struct explanation *e)
{
	return e->figure[NEW] - e->figure[BASE];
}

double explained_share(const struct explanation *e)
{
	double delta = explained_delta(e), sum = 0;
	size_t i;

	for (i = 0; i < e->nr; i++)
		sum += e->functions[i].self[NEW] - e->functions[i].self[BASE];
	if (fabs(delta) < 1e-9)
		return fabs(sum) < 1e-6 ? 1 : NAN;
	return sum / delta;
}

static double function_delta(const struct explanation *e, const char *name,
			     const char *space)
{
	double delta = 0;
	size_t i;

	for (i = 0; i < e->nr; i++)
		if (!strcmp(e->functions[i].name, name) &&
		    !strcmp(e->functions[i].space, space))
			delta += e->functions[i].self[NEW] -
				 e->functions[i].self[BASE];
	return delta;
}

bool explain_alike(const struct explanation *a, const struct explanation *b)
{
	double all = 0, alike = 0;
	size_t i;

	for (i = 0; i < b->nr; i++) {
		const struct explained_function *f = &b->functions[i];
		double there = function_delta(a, f->name, f->space);
		double here = f->self[NEW] - f->self[BASE];

		all += fabs(here);
		if (here * there > 0)
			alike += fmin(fabs(here), fabs(there));
	}
	return alike > all / 2;
}
