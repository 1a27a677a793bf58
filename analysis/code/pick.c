// SPDX-License-Identifier: GPL-2.0
/*
 * See pick.h.
 *
 * One file though it is long: the printed job contains the reasons of each
 * choice.
 */
#include "analysis/code/pick.h"

#include <stdlib.h>
#include <string.h>

#include "analysis/code/flow.h"
#include "analysis/code/normal.h"
#include "analysis/draw/format.h"
#include "analysis/load/select.h"
#include "lib/util.h"

/* --- sets of blocks --- */

static size_t words_of(size_t nr)
{
	return nr / 64 + 1;
}

static bool has(const uint64_t *set, size_t bit)
{
	return set[bit / 64] >> bit % 64 & 1;
}

static void put(uint64_t *set, size_t bit)
{
	set[bit / 64] |= 1ULL << bit % 64;
}

/* Returns the number of bits of @set that are not in @without (may be NULL). */
static size_t count(const uint64_t *set, const uint64_t *without, size_t nr)
{
	size_t i, n = 0;

	for (i = 0; i < words_of(nr); i++)
		n += __builtin_popcountll(set[i] & ~(without ? without[i] : 0));
	return n;
}

/* --- picking --- */

struct picker {
	const struct atlas *a;
	uint64_t *const *runs;
	const bool *set_up;
	size_t nr_blocks, room;		/* points that may still be added */
	struct pick *v;
	size_t nr;
	bool *taken;			/* by point */
};

static void take(struct picker *c, struct pick what)
{
	c->v = grow(c->v, c->nr, sizeof(*c->v));
	c->v[c->nr++] = what;
	c->taken[what.point] = true;
	c->room--;
}

/*
 * Picks the point that runs most blocks that are not in @done, the first of
 * several, until no point adds any.
 */
static void cover(struct picker *c)
{
	uint64_t *done = xcalloc(words_of(c->nr_blocks), sizeof(*done));
	size_t p, i;

	while (c->room) {
		size_t best = 0, most = 0;

		for (p = 0; p < c->a->nr_points; p++) {
			size_t n = count(c->runs[p], done, c->nr_blocks);

			if (n > most) {
				most = n;
				best = p;
			}
		}
		if (!most)
			break;
		for (i = 0; i < words_of(c->nr_blocks); i++)
			done[i] |= c->runs[best][i];
		take(c, (struct pick){ .point = best, .why = WHY_COVER });
	}
	free(done);
}

/*
 * Parameters in which neighbours differ. The listener comes first, because the
 * base kernel has no block for code that a patch adds for listeners.
 */
static const char *const along[] = { "secondary", "folio", "pages" };

/*
 * Returns whether two points of one benchmark differ only in parameters of
 * @but.
 */
static bool alike(const struct atlas_point *x, const struct atlas_point *y,
		  const char *const *but, size_t nr)
{
	const char *name;
	json_t *v;
	size_t i;

	if (strcmp(x->bench, y->bench))
		return false;
	json_object_foreach((json_t *)x->params, name, v) {
		for (i = 0; i < nr && strcmp(name, but[i]);)
			i++;
		if (i == nr && !json_equal(v, json_object_get(y->params, name)))
			return false;
	}
	return true;
}

static bool same_bench(const struct atlas_point *x, const struct atlas_point *y)
{
	return !strcmp(x->bench, y->bench);
}

static bool same_kind(const struct atlas_point *x, const struct atlas_point *y)
{
	return alike(x, y, along, ARRAY_SIZE(along));
}

/*
 * Adds the points that run most of the changed blocks and are not the @same as
 * a picked one, until there is room for @left more.
 */
static void add_others(struct picker *c, enum why_picked why, size_t left,
		       bool (*same)(const struct atlas_point *x,
				    const struct atlas_point *y))
{
	const struct atlas_point *points = c->a->points;
	size_t p, i;

	while (c->room > left) {
		size_t best = 0, most = 0;

		for (p = 0; p < c->a->nr_points; p++) {
			size_t n = count(c->runs[p], NULL, c->nr_blocks);

			for (i = 0; i < c->nr && n > most; i++)
				if (same(&points[p], &points[c->v[i].point]))
					n = 0;
			if (n > most) {
				most = n;
				best = p;
			}
		}
		if (!most)
			break;
		take(c, (struct pick){ .point = best, .why = why });
	}
}

/*
 * Returns the only parameter in which two points of a benchmark differ; NULL if
 * there is not exactly one.
 */
static const char *only_difference(const struct atlas_point *x,
				   const struct atlas_point *y)
{
	const char *name, *found = NULL;
	json_t *v;

	if (strcmp(x->bench, y->bench))
		return NULL;
	json_object_foreach((json_t *)x->params, name, v) {
		if (json_equal(v, json_object_get(y->params, name)))
			continue;
		if (found)
			return NULL;
		found = name;
	}
	return found;
}

/* Most points for set-up, whose effect is only a guess. */
#define MAX_SET_UP	8

static void add_set_up(struct picker *c, size_t of, size_t *left)
{
	size_t p;

	for (p = 0; p < c->a->nr_points && c->room && *left; p++) {
		const char *param = only_difference(
				&c->a->points[c->v[of].point],
				&c->a->points[p]);

		if (c->taken[p] || !param)
			continue;
		take(c, (struct pick){ p, WHY_NEIGHBOUR, of, param });
		--*left;
	}
}

static void add_neighbours(struct picker *c)
{
	size_t nr = c->nr, left = MAX_SET_UP, i, k, p;

	for (i = 0; i < nr && c->set_up; i++)
		if (c->set_up[c->v[i].point])
			add_set_up(c, i, &left);

	for (k = 0; k < ARRAY_SIZE(along); k++)
		for (i = 0; i < nr; i++)
			for (p = 0; p < c->a->nr_points && c->room; p++)
				if (!c->taken[p] &&
				    count(c->runs[p], NULL, c->nr_blocks) &&
				    alike(&c->a->points[c->v[i].point],
					  &c->a->points[p], &along[k], 1))
					take(c, (struct pick){ p,
						WHY_NEIGHBOUR, i, along[k] });
}

/*
 * Adds points that run none of the changed code, but most of the rest of the
 * kernel, one per benchmark. Leaves out points whose figures vary because a
 * tick comes into each batch, and may switch tasks.
 */
static void add_controls(struct picker *c)
{
	size_t first = c->nr, i, p;

	while (c->room) {
		const struct atlas_point *best = NULL;

		for (p = 0; p < c->a->nr_points; p++) {
			const struct atlas_point *q = &c->a->points[p];
			bool used = c->taken[p] || q->interrupted ||
				count(c->runs[p], NULL, c->nr_blocks);

			for (i = first; i < c->nr && !used; i++)
				used = !strcmp(q->bench,
					c->a->points[c->v[i].point].bench);
			if (!used && (!best || q->nr_ran > best->nr_ran))
				best = q;
		}
		if (!best)
			break;
		take(c, (struct pick){ .point = best - c->a->points,
					 .why = WHY_CONTROL });
	}
}

size_t pick_points(const struct atlas *a, uint64_t *const *runs,
		   const bool *set_up, size_t nr_blocks, size_t budget,
		   struct pick **out)
{
	size_t controls = budget / 2 < PICK_CONTROLS ? budget / 2 :
		PICK_CONTROLS;
	struct picker c = { .a = a, .runs = runs, .set_up = set_up,
			     .nr_blocks = nr_blocks,
			     .room = budget - controls };

	c.taken = xcalloc(a->nr_points + 1, sizeof(*c.taken));
	cover(&c);
	add_others(&c, WHY_BENCH, 0, same_bench);
	/* Leave the other half for neighbours, which differ less. */
	add_others(&c, WHY_KIND, c.room / 2, same_kind);
	add_neighbours(&c);
	c.room = controls;
	add_controls(&c);
	free(c.taken);
	*out = c.v;
	return c.nr;
}

/* --- what differs, and what of it runs --- */

/* A function of base that is changed or gone. */
struct target {
	const struct image_function *f;
	size_t first, nr;	/* of its blocks */
	size_t ran;		/* blocks that any point runs */
	bool set_up;		/* only set-up runs it */
};

struct picking {
	const struct atlas *a;
	const struct match *m;
	const struct image *base;
	struct target *targets;
	size_t nr_targets, nr_new, nr_ran, nr_set_up;	/* functions */
	size_t nr_blocks, blocks_ran;
	uint64_t **runs;	/* by point */
	uint64_t *any;		/* by any of them */
	bool *set_up;		/* by point: in its set-up alone */
	struct pick *picks;
	size_t nr_picks;
	bool (*is_default)(const char *bench, const char *param,
			   const char *value);
};

static bool runs_any(const struct picking *p, const struct target *t)
{
	size_t i, n;

	for (n = 0; n < p->a->nr_points; n++)
		for (i = t->first; i < t->first + t->nr; i++)
			if (has(p->runs[n], i))
				return true;
	return false;
}

/*
 * Takes the blocks that the set-up of a point runs, for code that no operation
 * runs.
 */
static void take_set_up(struct picking *p, struct target *t,
			const uint32_t *block, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		long n = atlas_set_up(p->a, t->f->start + 4 * i);

		if (n < 0)
			continue;
		put(p->runs[n], t->first + block[i]);
		p->set_up[n] = t->set_up = true;
	}
}

static void add_target(struct picking *p, const struct image_function *f)
{
	struct target t = { .f = f, .first = p->nr_blocks };
	size_t nr = (f->end - f->start) / 4, i, n;
	uint32_t *block = xcalloc(nr + 1, sizeof(*block));

	t.nr = flow_blocks(p->base, f, block);
	for (n = 0; n < p->a->nr_points; n++) {
		p->runs[n] = xrealloc(p->runs[n], 8 * words_of(t.first + t.nr));
		for (i = words_of(t.first); i < words_of(t.first + t.nr); i++)
			p->runs[n][i] = 0;
		for (i = 0; i < nr; i++)
			if (atlas_ran(p->a, n, f->start + 4 * i))
				put(p->runs[n], t.first + block[i]);
	}
	p->nr_blocks += t.nr;
	if (!runs_any(p, &t))
		take_set_up(p, &t, block, nr);
	free(block);
	p->targets = grow(p->targets, p->nr_targets, sizeof(t));
	p->targets[p->nr_targets++] = t;
}

static size_t count_of(const struct target *t, const uint64_t *set)
{
	size_t i, n = 0;

	for (i = t->first; i < t->first + t->nr; i++)
		n += has(set, i);
	return n;
}

static void find_targets(struct picking *p)
{
	size_t i, n;

	p->runs = xcalloc(p->a->nr_points + 1, sizeof(*p->runs));
	p->set_up = xcalloc(p->a->nr_points + 1, sizeof(*p->set_up));
	for (n = 0; n < p->a->nr_points; n++)
		p->runs[n] = xcalloc(1, 8);
	for (i = 0; i < p->m->nr_code; i++) {
		long f = p->m->code[i].function[CODE_BASE];

		if (f < 0)
			p->nr_new++;
		else
			add_target(p, &p->base->functions[f]);
	}
	p->any = xcalloc(words_of(p->nr_blocks), 8);
	for (n = 0; n < p->a->nr_points; n++)
		for (i = 0; i < words_of(p->nr_blocks); i++)
			p->any[i] |= p->runs[n][i];
	p->blocks_ran = count(p->any, NULL, p->nr_blocks);
	for (i = 0; i < p->nr_targets; i++) {
		p->targets[i].ran = count_of(&p->targets[i], p->any);
		p->nr_ran += !!p->targets[i].ran;
		p->nr_set_up += p->targets[i].set_up;
	}
}

static void picking_free(struct picking *p)
{
	size_t i;

	for (i = 0; p->runs && i < p->a->nr_points; i++)
		free(p->runs[i]);
	free(p->runs);
	free(p->any);
	free(p->set_up);
	free(p->targets);
	free(p->picks);
}

/* --- who calls what no point runs --- */

struct call {
	uint64_t to;		/* both are functions of base, by number */
	size_t from;
};

static int by_callee(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	if (x->to != y->to)
		return x->to < y->to ? -1 : 1;
	return x->from < y->from ? -1 : x->from > y->from;
}

static struct call *find_calls(const struct image *img, size_t *nr)
{
	struct call *v = NULL;
	size_t f, n = 0;
	uint64_t pc;
	int64_t off;

	for (f = 0; f < img->nr_functions; f++) {
		for (pc = img->functions[f].start;
		     pc < img->functions[f].end; pc += 4) {
			long to = insn_branch(flow_word(img, pc), &off) ?
				image_function(img, pc + off) : -1;

			if (to < 0 || to == (long)f)
				continue;
			v = grow(v, n, sizeof(*v));
			v[n++] = (struct call){ to, f };
		}
	}
	if (n)
		qsort(v, n, sizeof(*v), by_callee);
	*nr = n;
	return v;
}

static bool any_runs(const struct picking *p, size_t function)
{
	const struct image_function *f = &p->base->functions[function];
	uint64_t pc;
	size_t n;

	for (n = 0; n < p->a->nr_points; n++)
		for (pc = f->start; pc < f->end; pc += 4)
			if (atlas_ran(p->a, n, pc))
				return true;
	return false;
}

/*
 * Returns the nearest direct or indirect caller of @function that some point
 * runs; -1 if there is none.
 */
static long nearest_caller(const struct picking *p, const struct call *calls,
			   size_t nr, size_t function)
{
	size_t *queue = xcalloc(p->base->nr_functions + 1, sizeof(*queue));
	bool *seen = xcalloc(p->base->nr_functions + 1, sizeof(*seen));
	size_t from = 0, to = 0;
	long found = -1;

	queue[to++] = function;
	seen[function] = true;
	while (from < to && found < 0) {
		size_t f = queue[from++];
		size_t i = image_first(calls, nr, f);

		if (f != function && any_runs(p, f))
			found = f;
		for (; i < nr && calls[i].to == f; i++) {
			if (seen[calls[i].from])
				continue;
			seen[calls[i].from] = true;
			queue[to++] = calls[i].from;
		}
	}
	free(queue);
	free(seen);
	return found;
}

/* --- the job --- */

/* Prints a comment, on several lines if it is long. */
__printf(2, 3)
static void comment(FILE *f, const char *fmt, ...)
{
	size_t column = 1, n;
	char *text, *s;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	fputc('#', f);
	for (s = text; *s; s += n + strspn(s + n, " ")) {
		n = strcspn(s, " ");
		if (column > 1 && column + 1 + n > 79) {
			fputs("\n#  ", f);
			column = 3;
		}
		fprintf(f, " %.*s", (int)n, s);
		column += 1 + n;
	}
	fputc('\n', f);
	free(text);
}

/* Returns the point as ptelab run -b takes it; the caller frees. */
static char *selector(const struct picking *p, size_t point)
{
	const struct atlas_point *q = &p->a->points[point];
	char *text = xstrdup(q->bench), *value, *more;
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)q->params, name, v) {
		value = param_value_text(v);
		if (!p->is_default(q->bench, name, value)) {
			more = xasprintf("%s:%s=%s", text, name, value);
			free(text);
			text = more;
		}
		free(value);
	}
	return text;
}

#define MAX_NOT_RUN	20	/* functions to name */

static void put_not_run(const struct picking *p, FILE *f)
{
	size_t i, nr, named = 0;
	struct call *calls;

	if (p->nr_ran == p->nr_targets)
		return;
	calls = find_calls(p->base, &nr);
	for (i = 0; i < p->nr_targets && named < MAX_NOT_RUN; i++) {
		const struct target *t = &p->targets[i];
		long by;

		if (t->ran)
			continue;
		named++;
		by = nearest_caller(p, calls, nr, t->f - p->base->functions);
		comment(f, "%s(): no benchmark runs it; nearest caller that one runs: %s%s",
			t->f->name, by < 0 ? "none" :
			p->base->functions[by].name, by < 0 ? "" : "()");
	}
	if (named < p->nr_targets - p->nr_ran)
		comment(f, "and %zu more that no benchmark runs",
			p->nr_targets - p->nr_ran - named);
	free(calls);
}

static size_t picked_as(const struct picking *p, enum why_picked why)
{
	size_t i, n = 0;

	for (i = 0; i < p->nr_picks; i++)
		n += p->picks[i].why == why;
	return n;
}

static void put_summary(const struct picking *p, FILE *f)
{
	char *new = p->nr_new ? xasprintf(" (%zu more %s new)", p->nr_new,
					  p->nr_new == 1 ? "is" : "are") :
		xstrdup("");
	char *only = p->nr_set_up ? xasprintf(" (%zu in set-up alone)",
					      p->nr_set_up) : xstrdup("");

	if (p->nr_targets)
		comment(f, "%zu function%s%s. Benchmarks run %zu of %zu%s, and %zu of %zu basic blocks.",
			p->nr_targets, p->nr_targets == 1 ? " differs" :
			"s differ", new, p->nr_ran, p->nr_targets, only,
			p->blocks_ran, p->nr_blocks);
	else
		comment(f, "No function differs%s, but data may. It is unknown which points read it.",
			new);
	free(new);
	free(only);
	comment(f, "%zu of %zu points: %zu that between them run all of that; %zu of other kinds that run some of it; %zu neighbours of these; %zu that run none of it and must come out equal.",
		p->nr_picks, p->a->nr_points, picked_as(p, WHY_COVER),
		picked_as(p, WHY_BENCH) + picked_as(p, WHY_KIND),
		picked_as(p, WHY_NEIGHBOUR),
		picked_as(p, WHY_CONTROL));
	put_not_run(p, f);
}

/*
 * Returns the target of which the point runs most blocks that are not in @done.
 * @others: number of other targets that it runs.
 */
static const struct target *mostly(const struct picking *p, size_t point,
				   const uint64_t *done, size_t *others)
{
	const struct target *best = NULL;
	size_t i, k, most = 0;

	*others = 0;
	for (i = 0; i < p->nr_targets; i++) {
		const struct target *t = &p->targets[i];
		size_t n = 0;

		for (k = t->first; k < t->first + t->nr; k++)
			n += has(p->runs[point], k) && !has(done, k);
		*others += !!n;
		if (n > most) {
			most = n;
			best = t;
		}
	}
	*others -= *others > 0;
	return best;
}

static void put_cover(const struct picking *p, const char *what, size_t point,
		      uint64_t *done, FILE *f)
{
	size_t others, i, n;
	const struct target *t = mostly(p, point, done, &others);
	char *more = others ? xasprintf("; also %zu other%s", others,
					plural(others)) : xstrdup("");
	size_t before = count_of(t, done);
	const char *runs = t->set_up ? "is set up by" : "runs";

	for (i = 0; i < words_of(p->nr_blocks); i++)
		done[i] |= p->runs[point][i];
	n = count_of(t, p->runs[point]);
	if (n == t->ran)
		comment(f, "%s: %s %s(): %zu of %zu blocks, all that any point runs%s",
			what, runs, t->f->name, n, t->nr, more);
	else if (!before)
		comment(f, "%s: %s %s(): %zu of %zu blocks%s", what,
			runs, t->f->name, n, t->nr, more);
	else
		comment(f, "%s: %s %s(): %zu of %zu blocks, %zu of them not run above%s",
			what, runs, t->f->name, n, t->nr,
			count_of(t, done) - before, more);
	free(more);
}

static void put_reason(const struct picking *p, const struct pick *c,
		       uint64_t *done, FILE *f)
{
	uint64_t *nothing = xcalloc(words_of(p->nr_blocks), 8);
	char *what = selector(p, c->point), *of;
	const struct target *t;
	size_t others;

	switch (c->why) {
	case WHY_COVER:
		put_cover(p, what, c->point, done, f);
		break;
	case WHY_BENCH:
	case WHY_KIND:
		t = mostly(p, c->point, nothing, &others);
		comment(f, "%s: another %s that runs %s(): %zu of %zu blocks",
			what, c->why == WHY_BENCH ? "benchmark" :
			"kind of point", t->f->name, count_of(t, p->runs[c->point]),
			t->nr);
		break;
	case WHY_NEIGHBOUR:
		of = selector(p, p->picks[c->of].point);
		comment(f, "%s: neighbour of %s: other %s", what, of, c->param);
		free(of);
		break;
	case WHY_CONTROL:
		comment(f, "%s: runs none of it: must come out equal", what);
		break;
	}
	free(nothing);
	free(what);
}

/*
 * Returns whether the point needs ptelab.ko: its parameters say so, or it ran
 * code outside of the kernel.
 */
static bool with_module(const struct picking *p, size_t point)
{
	const struct atlas_point *q = &p->a->points[point];
	size_t i, k;
	const char *name;
	json_t *v;

	json_object_foreach((json_t *)q->params, name, v)
		if (json_string_value(v) &&
		    strstr(json_string_value(v), "module"))
			return true;
	for (i = 0; i < p->a->nr_functions; i++) {
		const struct atlas_function *n = &p->a->functions[i];

		for (k = 0; !image_section(p->base, n->start) && k < n->nr; k++)
			if (has(q->ran, n->first + k))
				return true;
	}
	return false;
}

/* Returns whether the point uses a device of the atlas's job. */
static bool with_device(const struct atlas_point *q)
{
	const json_t *bar = json_object_get(q->params, "bar");

	return json_is_string(bar) && *json_string_value(bar);
}

/* Prints the devices of the atlas's job. */
static void put_devices(const struct picking *p, FILE *f)
{
	char *path = xasprintf("%s/job", p->a->folder), *line, *save;
	size_t len;
	char *text = read_file(path, &len);

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, "# qemu:", 7))
			fprintf(f, "%s\n", line);
	free(text);
	free(path);
}

/*
 * ptelab run takes -b up to 64 times. Few commands, because each attaches its
 * own BPF programs, which takes as long as many points.
 */
#define MAX_SELECTORS	60

/*
 * Counts are exact except for a timer tick in every four million instructions.
 * Of three batches this short, the smallest seldom has one. Longer or more
 * batches would take longer than a boot may.
 */
#define COMMAND	"ptelab run -o - --seed @SEED@ --max-ops 32 --batches 3 --warmup 1 --counted 1"

static void put_commands(const struct picking *p, FILE *f)
{
	uint64_t *done = xcalloc(words_of(p->nr_blocks), 8);
	size_t from, to, i;

	for (from = 0; from < p->nr_picks; from = to) {
		to = from + MAX_SELECTORS < p->nr_picks ?
			from + MAX_SELECTORS : p->nr_picks;
		fputs("\n", f);
		for (i = from; i < to; i++)
			put_reason(p, &p->picks[i], done, f);
		fputs(COMMAND, f);
		for (i = from; i < to; i++) {
			char *s = selector(p, p->picks[i].point);

			fprintf(f, " -b %s", s);
			free(s);
		}
		fputs("\n", f);
	}
	free(done);
}

void pick_job(const struct atlas *a, const struct match *m, size_t budget,
		bool (*is_default)(const char *bench, const char *param,
				   const char *value), FILE *f)
{
	struct picking p = { .a = a, .m = m, .base = m->image[CODE_BASE],
			  .is_default = is_default };
	bool module = false, device = false;
	size_t i;

	if (!m->nr_code && !m->nr_data) {
		comment(f, "The two kernels are the same code: nothing to measure.");
		return;
	}
	find_targets(&p);
	p.nr_picks = pick_points(a, p.runs, p.set_up, p.nr_blocks, budget,
				 &p.picks);
	put_summary(&p, f);
	for (i = 0; i < p.nr_picks; i++) {
		module |= with_module(&p, p.picks[i].point);
		device |= with_device(&a->points[p.picks[i].point]);
	}
	if (module)
		fputs("# module\n", f);
	if (device)
		put_devices(&p, f);
	put_commands(&p, f);
	picking_free(&p);
}
