// SPDX-License-Identifier: GPL-2.0
/* See causes.h. */
#include "analysis/code/causes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stat.h"
#include "lib/util.h"

/*
 * A unit is a function called by another function. Its key has in bits 0..1 the
 * part of a difference that it belongs to, in 2..32 the function, in 33..63 its
 * caller.
 */
typedef uint64_t unit_key;

struct unit_count {
	unit_key key;
	uint64_t count;
};

/*
 * A unit whose count is not the same in all boots. @value: base's boots, then
 * new's.
 */
struct unit {
	unit_key key;
	double *value;
};

struct row {
	struct unit *units;
	size_t nr, boots[NR_SIDES];
};

struct file_names {
	const struct insn_file *file;
	uint32_t *number;	/* of each of its functions */
};

struct causes {
	struct insn_store *store;
	json_t *changed;	/* "kernel change_protection" -> true */
	json_t *numbers;	/* "space name" -> its number */
	struct file_names *files;
	struct row *rows;
	uint32_t *noise;	/* functions, sorted */
	size_t nr_files, nr_rows, nr_noise;
};

struct causes *causes_new(const json_t *changed)
{
	struct causes *c = xcalloc(1, sizeof(*c));
	const json_t *f;
	size_t i;

	c->store = insn_store_new();
	c->changed = json_object();
	c->numbers = json_object();
	json_array_foreach(json_object_get(changed, "functions"), i, f) {
		const char *name = json_text(f, "name");
		char *key = xasprintf("kernel %.*s",
				(int)function_plain_length(name), name);

		json_object_set_new(c->changed, key, json_true());
		free(key);
	}
	return c;
}

void causes_free(struct causes *c)
{
	size_t i, k;

	for (i = 0; i < c->nr_files; i++)
		free(c->files[i].number);
	for (i = 0; i < c->nr_rows; i++) {
		for (k = 0; k < c->rows[i].nr; k++)
			free(c->rows[i].units[k].value);
		free(c->rows[i].units);
	}
	insn_store_free(c->store);
	json_decref(c->changed);
	json_decref(c->numbers);
	free(c->files);
	free(c->rows);
	free(c->noise);
	free(c);
}

/* --- units --- */

/*
 * Returns the number of a function, which is odd if the patch changed it. Never
 * 0, which stands for none.
 */
static uint32_t number_of(struct causes *c, const struct insn_function *f)
{
	char *key = xasprintf("%s %.*s", f->space,
			      (int)function_plain_length(f->name), f->name);
	json_t *have = json_object_get(c->numbers, key);

	if (!have) {
		have = json_integer(2 * (json_object_size(c->numbers) + 1) +
				    !!json_object_get(c->changed, key));
		json_object_set_new(c->numbers, key, have);
	}
	free(key);
	return json_integer_value(have);
}

static const uint32_t *numbers_in(struct causes *c,
				  const struct insn_file *file)
{
	uint32_t *number;
	size_t i;

	for (i = 0; i < c->nr_files; i++)
		if (c->files[i].file == file)
			return c->files[i].number;
	number = xcalloc(file->nr_functions + 1, sizeof(*number));
	for (i = 0; i < file->nr_functions; i++)
		number[i] = number_of(c, &file->functions[i]);
	c->files = grow(c->files, c->nr_files, sizeof(*c->files));
	c->files[c->nr_files++] = (struct file_names){ file, number };
	return number;
}

/*
 * A calling context: the function entered, its caller, and whether any
 * function from the operation's start down to it was changed.
 */
struct context {
	uint32_t entry, caller;
	bool changed;
};

/*
 * Returns the contexts of a region; the caller frees. A function that was
 * entered by a jump has no node of its own: then the node's site, where it was
 * left, is in another function. An exception has no caller, because an
 * interrupt can come anywhere.
 */
static struct context *contexts(const uint32_t *number,
				const struct insn_region *r)
{
	struct context *v = xcalloc(r->nr_nodes + 1, sizeof(*v));
	size_t i;

	for (i = 0; i < r->nr_nodes; i++) {
		const struct insn_node *n = &r->nodes[i];
		bool inside = n->parent != i && n->kind == N_CALL;
		uint32_t site = inside && n->site >= 0 ? number[n->site] : 0;

		v[i].entry = n->entry >= 0 ? number[n->entry] : 0;
		v[i].caller = site;
		v[i].changed = (v[i].entry & 1) || (site & 1) ||
			       (inside && v[n->parent].changed);
	}
	return v;
}

static unit_key key_of(uint32_t function, const struct context *at)
{
	uint32_t caller = function == at->entry ? at->caller : at->entry;
	enum cause_part part = (function & 1) ? CAUSE_CHANGED :
			       at->changed ? CAUSE_CALLED : CAUSE_ELSEWHERE;

	return part | (unit_key)function << 2 | (unit_key)caller << 33;
}

static int by_key(const void *a, const void *b)
{
	unit_key x = *(const unit_key *)a, y = *(const unit_key *)b;

	return x < y ? -1 : x > y;
}

/* Returns the counts of one boot by unit, sorted; the caller frees. */
static struct unit_count *count_units(struct causes *c,
				      const struct insn_file *file,
				      const struct insn_region *r,
				      const struct insn_weight *w, size_t *nr)
{
	const uint32_t *number = numbers_in(c, file);
	struct context *at = contexts(number, r);
	struct unit_count *v = xcalloc(r->nr_counts + 1, sizeof(*v));
	size_t i, last = 0;
	uint32_t k;

	for (i = 0; i < r->nr_counts; i++) {
		const struct insn_count *n = &r->counts[i];

		v[i].key = key_of(number[n->function], &at[n->node]);
		for (k = 0; k < n->nr; k++)
			if (insn_weigh(w, &file->functions[n->function],
				       n->offset / 4 + k))
				v[i].count += n->count;
	}
	free(at);
	*nr = 0;
	if (!r->nr_counts)
		return v;
	qsort(v, r->nr_counts, sizeof(*v), by_key);
	for (i = 1; i < r->nr_counts; i++) {
		if (v[i].key == v[last].key)
			v[last].count += v[i].count;
		else
			v[++last] = v[i];
	}
	*nr = last + 1;
	return v;
}

/* --- rows --- */

/* All boots of a row. */
struct boots {
	struct unit_count **units;
	size_t *nr, *next;
	double *operations, *rest;
	size_t all;
};

static void boots_free(struct boots *b)
{
	size_t i;

	for (i = 0; i < b->all; i++)
		free(b->units[i]);
	free(b->units);
	free(b->nr);
	free(b->next);
	free(b->operations);
	free(b->rest);
}

static bool take_boot(struct causes *c, struct boots *b,
		      const struct observation *o, const char *metric,
		      const struct insn_weight *w)
{
	const struct insn_file *file;
	const struct insn_region *r;
	uint64_t sum = 0;
	double figure;
	size_t i;

	if (!o->ok || !json_object_get(o->file->header, "insns") ||
	    !observation_value(o, metric, &figure))
		return false;
	r = insn_store_region(o, metric, c->store, &file);
	if (!r)
		return false;
	b->operations[b->all] = json_integer_value(
			json_object_get(r->head, "operations"));
	b->units[b->all] = count_units(c, file, r, w, &b->nr[b->all]);
	for (i = 0; i < b->nr[b->all]; i++)
		sum += b->units[b->all][i].count;
	b->rest[b->all] = figure - sum / b->operations[b->all];
	return b->operations[b->all++] > 0;
}

/*
 * Gets the next unit that any boot has, with each boot's count. Returns false
 * at the end.
 */
static bool next_unit(struct boots *b, struct unit *u)
{
	bool any = false;
	size_t i;

	for (i = 0; i < b->all; i++) {
		const struct unit_count *n = &b->units[i][b->next[i]];

		if (b->next[i] == b->nr[i] || (any && n->key >= u->key))
			continue;
		u->key = n->key;
		any = true;
	}
	for (i = 0; any && i < b->all; i++) {
		const struct unit_count *n = &b->units[i][b->next[i]];

		u->value[i] = 0;
		if (b->next[i] == b->nr[i] || n->key != u->key)
			continue;
		u->value[i] = n->count / b->operations[i];
		b->next[i]++;
	}
	return any;
}

static bool same(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fmax(fabs(a), fabs(b));
}

static bool all_same(const double *v, size_t nr)
{
	size_t i;

	for (i = 1; i < nr; i++)
		if (!same(v[i], v[0]))
			return false;
	return true;
}

static void take_units(struct row *row, struct boots *b)
{
	struct unit u = { .value = xcalloc(b->all, sizeof(double)) };

	while (next_unit(b, &u)) {
		if (all_same(u.value, b->all))
			continue;
		row->units = grow(row->units, row->nr, sizeof(*row->units));
		row->units[row->nr++] = u;
		u.value = xcalloc(b->all, sizeof(double));
	}
	free(u.value);
}

long causes_add(struct causes *c, const struct side_point *base,
		const struct side_point *new, const char *metric)
{
	const struct side_point *const side[] = { base, new };
	size_t most = base->nr_obs + new->nr_obs, i;
	struct boots b = {
		.units = xcalloc(most, sizeof(*b.units)),
		.nr = xcalloc(most, sizeof(*b.nr)),
		.next = xcalloc(most, sizeof(*b.next)),
		.operations = xcalloc(most, sizeof(double)),
		.rest = xcalloc(most, sizeof(double)),
	};
	struct row row = { .boots = { base->nr_obs, new->nr_obs } };
	bool ok = base->nr_obs && new->nr_obs;
	struct insn_weight w;
	int s;

	ok = ok && insn_weight_of(metric, &w);
	for (s = 0; s < NR_SIDES && ok; s++)
		for (i = 0; i < side[s]->nr_obs && ok; i++)
			ok = take_boot(c, &b, &side[s]->obs[i], metric, &w);
	/*
	 * The counts can't explain the rest of the figure, so it must be the
	 * same.
	 */
	for (i = 1; ok && i < b.all; i++)
		ok = fabs(b.rest[i] - b.rest[0]) < 1e-6;
	if (ok) {
		take_units(&row, &b);
		c->rows = grow(c->rows, c->nr_rows, sizeof(*c->rows));
		c->rows[c->nr_rows] = row;
	}
	boots_free(&b);
	return ok ? (long)c->nr_rows++ : -1;
}

/* --- all of them --- */

static bool varies(const struct row *row, const struct unit *u)
{
	return !all_same(u->value, row->boots[BASE]) ||
	       !all_same(u->value + row->boots[BASE], row->boots[NEW]);
}

static uint32_t function_of(unit_key key)
{
	return key >> 2 & 0x7fffffff;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void causes_settle(struct causes *c)
{
	size_t i, k;

	for (i = 0; i < c->nr_rows; i++) {
		for (k = 0; k < c->rows[i].nr; k++) {
			const struct unit *u = &c->rows[i].units[k];

			if (!varies(&c->rows[i], u))
				continue;
			c->noise = grow(c->noise, c->nr_noise,
					sizeof(*c->noise));
			c->noise[c->nr_noise++] = function_of(u->key);
		}
	}
	if (c->nr_noise)
		qsort(c->noise, c->nr_noise, sizeof(*c->noise), by_number);
}

/*
 * Returns whether a unit whose count does not vary in its row proves a
 * difference. A single boot does not show what is noise, so there it must be
 * changed code.
 */
static bool is_proof(const struct causes *c, const struct row *row,
		     const struct unit *u)
{
	uint32_t function = function_of(u->key);

	switch (u->key & 3) {
	case CAUSE_CHANGED:
		return true;
	case CAUSE_CALLED:
		return row->boots[BASE] > 1 && row->boots[NEW] > 1 &&
		       (!c->nr_noise ||
			!bsearch(&function, c->noise, c->nr_noise,
				 sizeof(*c->noise), by_number));
	default:
		return false;
	}
}

/* Rounds to 0, because sums of shares of a batch leave rounding errors. */
static double dusted(double v)
{
	return fabs(v) < 1e-9 ? 0 : v;
}

/* The noise in the boots of one side. */
struct range {
	double low, high, median;
};

/*
 * Returns the range of one side's noise. @v: the noise of each boot, base's
 * first.
 */
static struct range range_of(const struct row *row, int side, const double *v)
{
	const double *of = v + (side == NEW ? row->boots[BASE] : 0);
	size_t nr = row->boots[side], i;
	struct range r = { of[0], of[0], stat_median(of, nr) };

	for (i = 1; i < nr; i++) {
		r.low = fmin(r.low, of[i]);
		r.high = fmax(r.high, of[i]);
	}
	return r;
}

/* Returns the gap between two ranges; 0 or less if they are not apart. */
static double gap(const struct range *a, const struct range *b)
{
	return fmax(b->low - a->high, a->low - b->high);
}

static void take_noise(struct cause *cause, const struct row *row,
		       const double *v, const double *own)
{
	struct range r[NR_SIDES], o[NR_SIDES];
	int s;

	for (s = 0; s < NR_SIDES; s++) {
		r[s] = range_of(row, s, v);
		o[s] = range_of(row, s, own);
		cause->low[s] = r[s].low;
		cause->high[s] = r[s].high;
	}
	if (gap(&r[BASE], &r[NEW]) > 0)
		cause->noise_delta = r[NEW].median - r[BASE].median;
	if (gap(&o[BASE], &o[NEW]) > fmax(o[BASE].high - o[BASE].low,
					  o[NEW].high - o[NEW].low))
		cause->proof += o[NEW].median - o[BASE].median;
}

struct cause causes_of(const struct causes *c, long number)
{
	const struct row *row = &c->rows[number];
	size_t all = row->boots[BASE] + row->boots[NEW], i, k;
	double *noise = xcalloc(2 * all, sizeof(*noise)), *own = noise + all;
	struct cause cause = { .known = true };

	for (i = 0; i < row->nr; i++) {
		const struct unit *u = &row->units[i];
		double delta = u->value[all - 1] - u->value[0];

		if (varies(row, u)) {
			cause.noise = true;
			cause.noise_in_change |= (u->key & 3) !=
						 CAUSE_ELSEWHERE;
			for (k = 0; k < all; k++) {
				noise[k] += u->value[k];
				if ((u->key & 3) == CAUSE_CHANGED)
					own[k] += u->value[k];
			}
			continue;
		}
		cause.part[u->key & 3] += delta;
		if (is_proof(c, row, u))
			cause.proof += delta;
	}
	take_noise(&cause, row, noise, own);
	free(noise);
	cause.proof = dusted(cause.proof);
	for (i = 0; i < NR_CAUSE_PARTS; i++)
		cause.part[i] = dusted(cause.part[i]);
	return cause;
}

double cause_sum(const struct cause *c)
{
	double sum = c->part[CAUSE_CHANGED] + c->part[CAUSE_CALLED] +
		     c->part[CAUSE_ELSEWHERE];

	return dusted(sum);
}
