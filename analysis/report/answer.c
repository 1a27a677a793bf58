// SPDX-License-Identifier: GPL-2.0
/*
 * See answer.h.
 *
 * One file though it is long: lines are made, sorted and put into words for one
 * page.
 */
#include "analysis/report/answer.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/judge/view.h"
#include "lib/metric.h"
#include "lib/util.h"

/* Lines with a row of their own. */
#define LINES_SHOWN	5
/* Events printed below a line. */
#define EVENTS_SHOWN	6
/* Names of the other lines, up to about this many characters. */
#define NAMES_SHOWN	160
/* Folio sizes beside the first. */
#define SIZES_SHOWN	3

/* As few digits as show it: "1104", "2.5", "+0.02". */
static const char *short_number(double v, bool sign, char buf[NUMBER_SIZE])
{
	int d = fabs(v) >= 100 || v == round(v) ? 0 : 2;

	if (sign)
		format_delta(v, d, buf);
	else
		format_number(v, d, buf);
	if (d && strchr(buf, '.'))
		for (d = strlen(buf) - 1; buf[d] == '0' || buf[d] == '.'; d--) {
			bool point = buf[d] == '.';

			buf[d] = 0;
			if (point)
				break;
		}
	return buf;
}

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

/* --- labels --- */

static char *params_without_folio(const struct side_point *p, json_t *constant)
{
	json_t *without = json_copy(constant);
	char *text;

	json_object_set_new(without, "folio", json_null());
	text = varying_params(p, without);
	json_decref(without);
	return text;
}

static const char *words_or_bench(const struct side_point *p)
{
	const char *words = json_text(p->obs[0].point, "words");

	return *words ? words : p->bench;
}

/*
 * The point in words, and with them the parameters that they leave open: those
 * that differ among points of the same words.
 */
static char *label_of(const struct answer_points *l, const struct side_point *p)
{
	const struct side_point **same = xcalloc(l->nr, sizeof(*same));
	const char *words = words_or_bench(p);
	char *params, *text;
	json_t *constant;
	bool modes = false;
	size_t nr = 0, i;

	for (i = 0; i < l->nr; i++) {
		modes = modes || strcmp(l->v[i].point->mode, p->mode);
		if (!strcmp(words_or_bench(l->v[i].point), words))
			same[nr++] = l->v[i].point;
	}
	constant = constant_params(same, nr);
	params = params_without_folio(p, constant);
	text = xasprintf("%s%s%s%s%s%s", words, *params ? ", " : "", params,
			 modes ? " (" : "", modes ? p->mode : "",
			 modes ? ")" : "");
	json_decref(constant);
	free(params);
	free(same);
	return text;
}

/* --- events --- */

/* kvm_refaults.other says again what kvm_refaults does, if it moved alike. */
static bool says_again(const struct point_results *p, const struct result *r)
{
	size_t i, n;

	for (i = 0; i < p->nr; i++) {
		const struct result *o = p->r[i];

		n = strlen(o->metric);
		if (o != r && strlen(r->metric) > n &&
		    !strncmp(o->metric, r->metric, n) &&
		    strchr("._", r->metric[n]) &&
		    o->base.median == r->base.median &&
		    o->new.median == r->new.median)
			return true;
	}
	return false;
}

static const char *word_of(const char *metric)
{
	const struct metric *m = metric_find(metric);

	return m && !strcmp(m->name, metric) ? m->word : NULL;
}

/* Events by what became of them. */
struct events {
	char *new, *gone, *moved;
};

/* What one side hardly has is new, or gone. */
static void add_event(struct events *e, const struct result *r)
{
	const char *word = word_of(r->metric);
	char base[NUMBER_SIZE], new[NUMBER_SIZE], **to;
	double was = r->base.median, is = r->new.median;

	if (was >= .1 * is && is >= .1 * was) {
		append_text(&e->moved, ", ", "%s %s -> %s",
		       word ? word : r->metric, short_number(was, false, base),
		       short_number(is, false, new));
		return;
	}
	to = is > was ? &e->new : &e->gone;
	is = fmax(is, was);
	append_text(to, ", ", "%s %s%s", short_number(is, false, new),
	       word ? word : r->metric, word && is >= 1.5 ? "s" : "");
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

/* The events that changed: those with a word, or else by name. */
static char *events_of(const struct point_results *p)
{
	const struct result **r = xcalloc(p->nr, sizeof(*r));
	struct events e = { xstrdup(""), xstrdup(""), xstrdup("") };
	size_t shown = 0, i;
	bool words;

	memcpy(r, p->r, p->nr * sizeof(*r));
	qsort(r, p->nr, sizeof(*r), by_metric_table);
	for (words = true; ; words = false) {
		for (i = 0; i < p->nr && shown < EVENTS_SHOWN; i++) {
			if (!is_difference(r[i]) ||
			    !!word_of(r[i]->metric) != words ||
			    (!words && r[i]->facts.kind != METRIC_EVENT) ||
			    says_again(p, r[i]))
				continue;
			add_event(&e, r[i]);
			shown++;
		}
		if (shown || !words)
			break;
	}
	free(r);
	return events_text(&e);
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

/*
 * Lines with events of their own come first, as others follow from them; then
 * those that change most for what they cost.
 */
static double weight(const struct answer_line *l)
{
	const struct result *cost;

	if (!l->shown)
		return -1;
	cost = l->shown->cost;
	return (l->shown->events ? 1e6 : 0) +
	       (!cost || !is_difference(cost) ? 0 :
		cost->ratio > 0 ? fabs(log(cost->ratio)) : 1e3);
}

static int by_weight(const void *a, const void *b)
{
	const struct answer_line *x = a, *y = b;
	double d = weight(y) - weight(x);

	return d < 0 ? -1 : d > 0 ? 1 : strcmp(x->label, y->label);
}

static void count_point(struct answer *a, const struct point_results *p)
{
	a->points++;
	if (!differs(p))
		return;
	switch (point_verdict(p)) {
	case VERDICT_REGRESSION:
		a->worse++;
		break;
	case VERDICT_IMPROVEMENT:
		a->better++;
		break;
	default:
		a->other++;
	}
}

struct answer *answer_of(const struct comparison *c)
{
	struct answer *a = xcalloc(1, sizeof(*a));
	struct answer_points l = answer_points_of(c);
	size_t i, k;

	for (i = 0; i < l.nr; i++) {
		const struct point_results *p = &l.v[i];
		char *label = label_of(&l, p->point);
		struct answer_line *line = line_get(a, label);
		const struct result *cost = cost_of(p);

		line->cells = grow(line->cells, line->nr,
				   sizeof(*line->cells));
		line->cells[line->nr++] = (struct answer_cell){
			.folio = json_text(p->point->params, "folio"),
			.cost = cost, .differs = differs(p),
			.undecided = cost &&
				     cost->verdict == VERDICT_INCONCLUSIVE,
			.events = events_of(p),
		};
		if (!a->cost && cost)
			a->cost = cost->metric;
		count_point(a, p);
		free(label);
	}
	for (i = 0; i < a->nr; i++) {
		struct answer_line *line = &a->lines[i];

		qsort(line->cells, line->nr, sizeof(*line->cells), by_folio);
		for (k = 0; k < line->nr && !line->shown; k++)
			if (line->cells[k].differs)
				line->shown = &line->cells[k];
		a->differing += line->shown != NULL;
	}
	if (a->nr)
		qsort(a->lines, a->nr, sizeof(*a->lines), by_weight);
	answer_points_free(&l);
	return a;
}

void answer_free(struct answer *a)
{
	size_t i, k;

	for (i = 0; i < a->nr; i++) {
		for (k = 0; k < a->lines[i].nr; k++)
			free(a->lines[i].cells[k].events);
		free(a->lines[i].cells);
		free(a->lines[i].label);
	}
	free(a->lines);
	free(a);
}

/* --- lines that are alike --- */

/*
 * The clause that @label has more than @plain: "hugetlb" of "host write,
 * hugetlb, VM maps it" against "host write, VM maps it". NULL: that is not all
 * that differs. The caller frees.
 */
static char *more_clause(const char *label, const char *plain)
{
	size_t n = 0, more = strlen(label) - strlen(plain);

	if (strlen(label) <= strlen(plain) + 2)
		return NULL;
	while (label[n] == plain[n] && plain[n])
		n++;
	/* back to the comma that the clause begins with */
	while (n && (strncmp(label + n, ", ", 2) || label[n + more - 1] == ','))
		n--;
	if (!n || strcmp(label + n + more, plain + n) ||
	    memchr(label + n + 2, ',', more - 2))
		return NULL;
	return xstrndup(label + n + 2, more - 2);
}

/* The clause that makes this line another one's variant; NULL: it is none. */
static char *variant_of(const struct answer *a, size_t line, size_t plain)
{
	if (line == plain || line >= a->differing || plain >= a->differing)
		return NULL;
	return more_clause(a->lines[line].label, a->lines[plain].label);
}

static bool is_variant(const struct answer *a, size_t line)
{
	char *clause = NULL;
	size_t i;

	for (i = 0; i < a->differing && !clause; i++)
		clause = variant_of(a, line, i);
	free(clause);
	return clause;
}

/* "hugetlb 2m +3473": the variants of a line that differ. NULL: none. */
static char *variants_text(const struct answer *a, size_t plain)
{
	char *text = NULL, number[NUMBER_SIZE];
	size_t i, k;

	for (i = 0; i < a->differing; i++) {
		char *clause = variant_of(a, i, plain);

		for (k = 0; clause && k < a->lines[i].nr; k++) {
			const struct answer_cell *c = &a->lines[i].cells[k];

			if (!c->cost || !is_difference(c->cost))
				continue;
			if (!text)
				text = xstrdup("");
			append_text(&text, ", ", "%s%s%s %s", clause,
			       *c->folio ? " " : "", c->folio,
			       short_number(c->cost->delta, true, number));
		}
		free(clause);
	}
	return text;
}

/* --- sentences --- */

static const char *cost_name(const char *metric)
{
	if (!metric)
		return "";
	if (!strcmp(metric, "instructions_kernel"))
		return "kernel instructions";
	return metric;
}

/* "1104 -> 2603 kernel instructions" of the line that comes first */
static char *largest_text(const struct answer *a)
{
	const struct answer_line *line = a->lines;
	const struct answer_cell *cell = line->shown;
	char base[NUMBER_SIZE], new[NUMBER_SIZE], delta[NUMBER_SIZE];

	if (!cell->cost || !is_difference(cell->cost))
		return xasprintf("%s%s%s: %s", line->label,
				 *cell->folio ? " " : "", cell->folio,
				 cell->events ? cell->events : "differs");
	return xasprintf("%s%s%s: %s -> %s %s (%s)", line->label,
			 *cell->folio ? " " : "", cell->folio,
			 short_number(cell->cost->base.median, false, base),
			 short_number(cell->cost->new.median, false, new),
			 cost_name(cell->cost->metric),
			 format_change(cell->cost->ratio, cell->cost->delta,
				       cell->cost->tier, delta));
}

static char *no_difference(const struct comparison *c, const struct answer *a)
{
	switch (c->exercised) {
	case EXERCISED_NEVER:
		return xasprintf("NOT EXERCISED: none of the %zu point%s runs the code that changed.",
				 a->points, plural(a->points));
	case EXERCISED_OUTSIDE:
		return xasprintf("NOT EXERCISED: the code that changed ran only outside of what the %zu point%s measure%s.",
				 a->points, plural(a->points),
				 a->points == 1 ? "s" : "");
	case EXERCISED_SAME_CODE:
		return xasprintf("SAME CODE on both sides; %zu point%s measured, no difference.",
				 a->points, plural(a->points));
	case EXERCISED_PART:
		return xasprintf("NO DIFFERENCE in %zu point%s, as far as they run the code that changed.",
				 a->points, plural(a->points));
	default:
		return c->count[VERDICT_INCONCLUSIVE] ?
			xasprintf("NOTHING SHOWN: %zu of %zu rows are inconclusive.",
				  c->count[VERDICT_INCONCLUSIVE],
				  c->nr_results) :
			xasprintf("NO DIFFERENCE in %zu point%s.", a->points,
				  plural(a->points));
	}
}

char *answer_verdict(const struct comparison *c, const struct answer *a)
{
	size_t differ = a->worse + a->better + a->other;
	char *text, *largest;

	if (!a->points)
		return xstrdup("NOTHING COMPARED: no point was measured on both sides.");
	if (!differ)
		return no_difference(c, a);
	if (c->releases)
		text = xasprintf("%zu of %zu points differ: %zu cost%s more, %zu less, %zu neither.",
				 differ, a->points, a->worse,
				 a->worse == 1 ? "s" : "", a->better,
				 a->other);
	else {
		text = xasprintf("%s:", !a->worse && !a->better ? "CHANGED" :
				 !a->worse ? "BETTER" :
				 !a->better ? "WORSE" : "MIXED");
		if (a->worse)
			append_text(&text, " ", "%zu worse,", a->worse);
		if (a->better)
			append_text(&text, " ", "%zu better,", a->better);
		if (a->other)
			append_text(&text, " ", "%zu changed,", a->other);
		append_text(&text, " ", "of %zu points.", a->points);
	}
	largest = largest_text(a);
	append_text(&text, " ", "Largest: %s.", largest);
	free(largest);
	return text;
}

/* Up to the last comma: what a label shares with others. */
static int stem_length(const char *label)
{
	const char *comma = strrchr(label, ',');

	return comma ? (int)(comma - label) : (int)strlen(label);
}

static bool same_stem(const char *a, const char *b)
{
	int n = stem_length(a);

	return n == stem_length(b) && !strncmp(a, b, n);
}

static bool undecided(const struct answer_line *line)
{
	size_t i;

	for (i = 0; i < line->nr; i++)
		if (line->cells[i].undecided)
			return true;
	return false;
}

/* Lines that do not differ: those that are decided, or those that are not. */
static char *labels_of(const struct answer *a, bool open)
{
	char *text = NULL;
	size_t i, k;

	for (i = a->differing; i < a->nr; i++) {
		const char *label = a->lines[i].label;
		int n = stem_length(label);
		size_t same = 0, before = 0;

		for (k = a->differing; k < a->nr; k++) {
			if (undecided(&a->lines[k]) != open ||
			    !same_stem(a->lines[k].label, label))
				continue;
			same++;
			before += k < i;
		}
		if (before || undecided(&a->lines[i]) != open)
			continue;
		if (!text)
			text = xstrdup("");
		append_text(&text, "; ", "%.*s",
		       same > 1 ? n : (int)strlen(label), label);
	}
	return text;
}

char *answer_unchanged(const struct answer *a)
{
	return labels_of(a, false);
}

char *answer_undecided(const struct answer *a)
{
	return labels_of(a, true);
}

static bool emulated(const struct comparison *c)
{
	return file_clock_emulated(c->base->run->files[0]);
}

char *answer_not_measured(const struct comparison *c)
{
	char *text = xstrdup(emulated(c) ?
			     "time, caches, TLB misses, what barriers cost" :
			     "");
	size_t i, nr = 0;

	for (i = 0; i < c->nr_missing; i++)
		nr += c->missing[i].where == BOTH;
	if (nr)
		append_text(&text, "; ", "%zu point%s that this machine does not have (--all)",
			    nr, plural(nr));
	if (*text)
		return text;
	free(text);
	return NULL;
}

static long nr_patches(const struct comparison *c, const char *side)
{
	return json_array_size(json_object_get(json_object_get(c->manifest,
							       side),
					       "patches"));
}

char *answer_subject(const struct comparison *c)
{
	const char *title = json_text(c->manifest, "title");
	long nr = nr_patches(c, "patched") - nr_patches(c, "base");

	if (!*title)
		return NULL;
	return nr > 1 ? xasprintf("%s (%ld patches)", title, nr) :
			xstrdup(title);
}

/* "gcc 12.2.0" of a toolchain's first line. */
static char *compiler_of(const json_t *kernel)
{
	const char *line = json_text(kernel, "toolchain");
	const char *end = strchrnul(line, '\n'), *at = end;

	while (at > line && at[-1] != ' ')
		at--;
	return at == end ? NULL : xasprintf("%s %.*s",
			strstr(line, "clang") ? "clang" : "gcc",
			(int)(end - at), at);
}

char *answer_kernel(const struct comparison *c)
{
	const json_t *header = c->base->run->files[0]->header;
	const json_t *kernel = json_object_get(c->manifest, "base");
	const char *config = json_text(kernel, "config");
	char *compiler = compiler_of(kernel), *text;

	if (c->releases)
		text = xasprintf("Linux %s against %s, %s",
				 json_text(c->new->run->files[0]->header,
					   "kernel_release"),
				 json_text(header, "kernel_release"),
				 json_text(header, "arch"));
	else
		text = xasprintf("on Linux %s, %s%s%s%s%s",
				 json_text(header, "kernel_release"),
				 json_text(header, "arch"),
				 *config ? ", config " : "", config,
				 compiler ? ", " : "",
				 compiler ? compiler : "");
	free(compiler);
	return text;
}

char *answer_how(const struct comparison *c)
{
	const char *qemu = json_text(c->manifest, "qemu");
	const char *version = strstr(qemu, "version ");
	int n = version ? (int)strcspn(version + 8, " ") : 0;
	size_t base = side_boots(c->base, NULL), new = side_boots(c->new, NULL);
	char *boots = base == new ?
		xasprintf("%zu boot%s a side", base, plural(base)) :
		xasprintf("%zu and %zu boots", base, new), *text;

	if (!emulated(c))
		text = xasprintf("Measured on %s; %s.",
				 json_text(json_object_get(
					c->base->run->files[0]->header, "cpu"),
					"model"), boots);
	else
		text = xasprintf("Counted in QEMU%s%.*s: instructions and events, not time. %s.",
				 n ? " " : "", n, n ? version + 8 : "", boots);
	free(boots);
	return text;
}

/* --- the table --- */

/* Folio sizes that lines show beside their first, smallest first. */
static size_t sizes_of(const struct answer *a, const size_t *row, size_t rows,
		       const char *sizes[SIZES_SHOWN])
{
	struct answer_cell all[SIZES_SHOWN];
	size_t nr = 0, i, k, j;

	for (i = 0; i < rows; i++) {
		const struct answer_line *line = &a->lines[row[i]];

		for (k = 0; k < line->nr; k++) {
			const struct answer_cell *cell = &line->cells[k];

			if (cell <= line->shown || !cell->cost)
				continue;
			for (j = 0; j < nr; j++)
				if (!strcmp(all[j].folio, cell->folio))
					break;
			if (j == nr && nr < SIZES_SHOWN)
				all[nr++] = *cell;
		}
	}
	if (nr)
		qsort(all, nr, sizeof(*all), by_folio);
	for (i = 0; i < nr; i++)
		sizes[i] = all[i].folio;
	return nr;
}

static void put_delta(struct table *t, const struct result *r)
{
	char delta[NUMBER_SIZE];

	table_cell(t, "%s", is_difference(r) ?
		   short_number(r->delta, true, delta) : "same");
}

static void put_line(struct table *t, const struct answer *a, size_t number,
		     const char *const *sizes, size_t nr)
{
	const struct answer_line *line = &a->lines[number];
	const struct answer_cell *cell = line->shown;
	char *variants = variants_text(a, number);
	char base[NUMBER_SIZE], new[NUMBER_SIZE];
	size_t i, k;

	table_row(t);
	table_cell(t, "%s", line->label);
	table_cell(t, "%s", cell->folio);
	if (cell->cost) {
		table_cell(t, "%s", short_number(cell->cost->base.median,
						 false, base));
		table_cell(t, "%s", short_number(cell->cost->new.median,
						 false, new));
		put_delta(t, cell->cost);
	} else {
		for (i = 0; i < 3; i++)
			table_cell(t, "-");
	}
	for (i = 0; i < nr; i++) {
		for (k = 0; k < line->nr; k++)
			if (&line->cells[k] > cell && line->cells[k].cost &&
			    !strcmp(line->cells[k].folio, sizes[i]))
				break;
		if (k < line->nr)
			put_delta(t, line->cells[k].cost);
		else
			table_cell(t, "%s", "");
	}
	if (cell->events || variants)
		table_line(t, 3, "%s%s%s", cell->events ? cell->events : "",
			   cell->events && variants ? "; " : "",
			   variants ? variants : "");
	free(variants);
}

/* The lines that have no row, nor are a variant of one: from where to where. */
static void put_others(const struct answer *a, size_t first, FILE *f)
{
	double low = INFINITY, high = -INFINITY;
	char least[NUMBER_SIZE], most[NUMBER_SIZE];
	char *names = xstrdup("");
	size_t more = 0, i, k;

	for (i = first; i < a->differing; i++) {
		const struct answer_line *line = &a->lines[i];

		if (is_variant(a, i))
			continue;
		if (strlen(names) < NAMES_SHOWN)
			append_text(&names, "; ", "%s",
			       line->label);
		else
			more++;
		for (k = 0; k < line->nr; k++) {
			const struct result *r = line->cells[k].cost;

			if (!r || !is_difference(r))
				continue;
			low = fmin(low, r->delta);
			high = fmax(high, r->delta);
		}
	}
	if (more)
		append_text(&names, "; ", "and %zu more", more);
	if (*names && isinf(low))
		print_line(f, 1, 3, "and at the same cost: %s.", names);
	else if (*names && low == high)
		print_line(f, 1, 3, "and %s: %s.",
			   short_number(low, true, least), names);
	else if (*names)
		print_line(f, 1, 3, "and %s to %s: %s.",
			   short_number(low, true, least),
			   short_number(high, true, most), names);
	free(names);
}

/* Lines with a row of their own: the first that are not variants. */
static size_t rows_of(const struct answer *a, size_t row[LINES_SHOWN],
		      size_t *next)
{
	size_t nr = 0, i;

	for (i = 0; i < a->differing && nr < LINES_SHOWN; i++)
		if (!is_variant(a, i))
			row[nr++] = i;
	*next = i;
	return nr;
}

void answer_table(const struct comparison *c, const struct answer *a, FILE *f)
{
	size_t row[LINES_SHOWN], next, rows = rows_of(a, row, &next);
	const char *sizes[SIZES_SHOWN];
	size_t nr = sizes_of(a, row, rows, sizes), i;
	struct table *t = table_new();
	char *heading = xasprintf("%s per operation", cost_name(a->cost));
	char *base = clean_text(c->base->label);
	char *new = clean_text(c->new->label);

	table_column(t, heading, false);
	table_column(t, "", false);
	table_column(t, strlen(base) > 10 || !*base ? "base" : base, true);
	table_column(t, strlen(new) > 10 || !*new ? "new" : new, true);
	table_column(t, "delta", true);
	for (i = 0; i < nr; i++)
		table_column(t, sizes[i], true);
	for (i = 0; i < rows; i++)
		put_line(t, a, row[i], sizes, nr);
	if (rows)
		table_print_mail(t, f, 1, MAIL_WIDTH);
	put_others(a, next, f);
	table_free(t);
	free(heading);
	free(base);
	free(new);
}
