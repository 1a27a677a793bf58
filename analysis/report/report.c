// SPDX-License-Identifier: GPL-2.0
/*
 * What the forms of report.h share: names, what was compared, what was not,
 * and the legend.
 *
 * One file though it is long: every form prints some of it.
 */
#include "analysis/report/report.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/rules.h"
#include "lib/util.h"

#define LABEL_WIDTH	12
#define SHORT_ID	12

static const struct side *side_of(const struct report *r, size_t nr)
{
	return nr ? r->c[nr - 1]->new : r->c[0]->base;
}

static bool label_is_good(const struct report *r, size_t nr)
{
	const char *label = side_of(r, nr)->label;
	size_t i;

	if (!*label || *label == '.' || strlen(label) > LABEL_WIDTH)
		return false;
	for (i = 0; i <= r->nr; i++)
		if (i != nr && !strcmp(side_of(r, i)->label, label))
			return false;
	return true;
}

char *report_label(const struct report *r, size_t nr)
{
	if (label_is_good(r, nr))
		return clean_text(side_of(r, nr)->label);
	if (nr < 2)
		return xstrdup(nr ? "new" : "base");
	return xasprintf("new%zu", nr);
}

/* --- which runs --- */

/* The seeds of a mode as "seeds 1-5" or "seeds 1,3,8". */
static void append_seeds(char **text, const struct side *s, const char *mode)
{
	json_int_t first = 0, last = 0;
	bool row = true;
	char *list = xstrdup("");
	size_t nr = 0, i;

	for (i = 0; i < s->nr_boots; i++) {
		json_int_t seed;

		if (strcmp(s->boots[i].mode, mode))
			continue;
		seed = json_integer_value(json_object_get(
				s->boots[i].file->header, "seed"));
		if (!nr++)
			first = seed;
		else if (seed == last)
			continue;
		else
			row = row && seed == last + 1;
		last = seed;
		append_text(&list, ",", "%" JSON_INTEGER_FORMAT, seed);
	}
	if (row && last > first + 1)
		append_text(text, ", ", "seeds %" JSON_INTEGER_FORMAT "-%"
		       JSON_INTEGER_FORMAT, first, last);
	else
		append_text(text, ", ", "seed%s %s", plural(1 + (first != last)),
		       list);
	free(list);
}

/* "5 exact boots, seeds 1-5; 2 race boots, seeds 1,2" */
static char *boots_text(const struct side *s)
{
	char *text = xstrdup("");
	json_t *seen = json_object();
	size_t i, nr;

	for (i = 0; i < s->nr_boots; i++) {
		const char *mode = s->boots[i].mode;
		char *one;

		if (json_object_get(seen, mode))
			continue;
		json_object_set_new(seen, mode, json_true());
		nr = side_boots(s, mode);
		one = xasprintf("%zu %s boot%s", nr, mode, plural(nr));
		if (strcmp(mode, "timed"))
			append_seeds(&one, s, mode);
		append_text(&text, "; ", "%s", one);
		free(one);
	}
	json_decref(seen);
	return text;
}

static const json_t *header_of(const struct side *s)
{
	return s->run->files[0]->header;
}

static void print_run(const struct side *s, const char *label, int width,
		      FILE *f)
{
	const char *id = json_text(header_of(s), "build_id");
	char *boots = boots_text(s);

	print_labelled(f, label, width, "%s%s%.*s%s: %s",
		       json_text(header_of(s), "kernel_release"),
		       *id ? ", build " : "", SHORT_ID, id,
		       strlen(id) > SHORT_ID ? ".." : "", boots);
	free(boots);
}

static char *machine_text(const json_t *h)
{
	const json_t *machine = json_object_get(h, "machine");
	const json_t *cpu = json_object_get(h, "cpu");
	char *text = xasprintf("%s %s", json_text(machine, "kind"),
			       json_text(h, "arch"));
	char page[24];

	if (*json_text(machine, "detail"))
		append_text(&text, ", ", "%s", json_text(machine, "detail"));
	if (*json_text(cpu, "model"))
		append_text(&text, ", ", "%s", json_text(cpu, "model"));
	if (json_integer_value(json_object_get(cpu, "online")) > 0)
		append_text(&text, ", ", "%d CPU%s",
		       (int)json_integer_value(json_object_get(cpu, "online")),
		       plural(json_integer_value(json_object_get(cpu,
							"online"))));
	if (json_integer_value(json_object_get(h, "page_size")) > 0)
		append_text(&text, ", ", "%s pages", format_size(json_integer_value(
				json_object_get(h, "page_size")), page));
	return text;
}

static char *command_text(const json_t *h)
{
	const json_t *words = json_object_get(h, "command");
	char *text = xstrdup("");
	size_t i;

	for (i = 0; i < json_array_size(words); i++) {
		const char *w = json_string_value(json_array_get(words, i));

		char *word = shell_word(w ? w : "?");

		append_text(&text, " ", "%s", word);
		free(word);
	}
	return text;
}

static void print_machine(const struct side *s, int width, FILE *f)
{
	char *machine = machine_text(header_of(s));
	char *command = command_text(header_of(s));

	print_labelled(f, "machine", width, "%s", machine);
	if (*command)
		print_labelled(f, "command", width, "%s", command);
	free(machine);
	free(command);
}

void report_side(const struct side *s, const char *label, FILE *f)
{
	int width = strlen("machine");

	print_run(s, label, width, f);
	print_machine(s, width, f);
}

void report_runs(const struct report *r, FILE *f)
{
	int width = strlen("machine");
	char *label;
	size_t i;

	for (i = 0; i <= r->nr; i++) {
		label = report_label(r, i);
		if ((int)strlen(label) > width)
			width = strlen(label);
		free(label);
	}
	for (i = 0; i <= r->nr; i++) {
		label = report_label(r, i);
		print_run(side_of(r, i), label, width, f);
		free(label);
	}
	print_machine(r->c[0]->base, width, f);
}

void report_constant(const struct view *v, FILE *f)
{
	char *text = params_text(v->constant, " ");

	if (v->nr && *text)
		print_line(f, 0, 2, "In all rows that have them: %s.", text);
	free(text);
}

/* --- counts --- */

char *agreement_text(const struct result *r)
{
	char p[NUMBER_SIZE];

	if (!isnan(r->p))
		return xasprintf("; adjusted %s", format_p(r->p_adjusted, p));
	if (r->cause.known || r->tier != TIER_EXACT)
		return NULL;
	return r->same_by_seed ? xstrdup(", the same seed by seed") :
	       is_difference(r) ? xstrdup(", the same difference with every seed") :
	       NULL;
}

char *ci_text(const struct result *r)
{
	char low[NUMBER_SIZE], high[NUMBER_SIZE];

	if (isnan(r->ci_low))
		return xasprintf("%+.3g..%+.3g", r->shift_low, r->shift_high);
	return xasprintf("%s..%s", format_percent(r->ci_low, 2, low),
			 format_percent(r->ci_high, 2, high));
}

char *counts_text(const struct comparison *c)
{
	static const struct {
		enum verdict v;
		const char *one, *many;
	} words[] = {
		{ VERDICT_REGRESSION, "regression", "regressions" },
		{ VERDICT_IMPROVEMENT, "improvement", "improvements" },
		{ VERDICT_CHANGED, "changed", "changed" },
		{ VERDICT_EQUAL, "equal", "equal" },
		{ VERDICT_IDLE, "idle", "idle" },
		{ VERDICT_OVERLAP, "overlapping", "overlapping" },
		{ VERDICT_EQUIVALENT, "equivalent", "equivalent" },
		{ VERDICT_INCONCLUSIVE, "inconclusive", "inconclusive" },
	};
	char *text = xstrdup("");
	size_t i;

	if (c->releases) {
		size_t more = 0, less = 0;

		for (i = 0; i < c->nr_results; i++) {
			more += !strcmp(c->results[i].word, "more");
			less += !strcmp(c->results[i].word, "less");
		}
		append_text(&text, "", "%zu more, %zu less", more, less);
	}
	for (i = c->releases ? 3 : 0; i < ARRAY_SIZE(words); i++)
		if (c->count[words[i].v])
			append_text(&text, ", ", "%zu %s", c->count[words[i].v],
			       c->count[words[i].v] == 1 ? words[i].one :
			       words[i].many);
	if (!*text)
		append_text(&text, "", "nothing could be compared");
	return text;
}

/* --- what was not compared --- */

/* Benchmarks that share status and reason are told together. */
struct gap {
	const struct not_compared *first;
	size_t points;
};

static size_t collect_gaps(const struct comparison *c, struct gap *gaps)
{
	size_t nr = 0, i, j;

	for (i = 0; i < c->nr_missing; i++) {
		const struct not_compared *m = &c->missing[i];

		for (j = 0; j < nr; j++) {
			const struct not_compared *o = gaps[j].first;

			if (o->where == m->where && o->boots == m->boots &&
			    !strcmp(o->status, m->status) &&
			    !strcmp(o->point->bench, m->point->bench) &&
			    !strcmp(o->reason, m->reason))
				break;
		}
		if (j == nr)
			gaps[nr++] = (struct gap){ m, 0 };
		gaps[j].points++;
	}
	return nr;
}

static void print_gap(const struct gap *g, FILE *f)
{
	static const char *const where[] = { " in base", " in new", "" };
	const struct not_compared *m = g->first;
	char *params = params_text(m->point->params, " "), *some = NULL;
	char *what;

	if (m->boots < m->of)
		some = xasprintf(" (%zu of %zu boots)", m->boots, m->of);
	if (g->points > 1)
		what = xasprintf("%s, %zu points", m->point->bench, g->points);
	else
		what = xasprintf("%s%s%s", m->point->bench,
				 *params ? " " : "", params);
	if (!strcmp(m->status, "missing"))
		print_line(f, 2, 4, "%s: %s", what, m->reason);
	else
		print_line(f, 2, 4, "%s: %s%s%s: %s", what, m->status,
			   where[m->where], some ? some : "", m->reason);
	free(what);
	free(some);
	free(params);
}

static void print_gaps(const struct comparison *c, FILE *f)
{
	struct gap *gaps = xcalloc(c->nr_missing, sizeof(*gaps));
	size_t nr = collect_gaps(c, gaps), i;

	if (nr)
		print_line(f, 0, 2, "not compared:");
	for (i = 0; i < nr; i++)
		print_gap(&gaps[i], f);
	free(gaps);
}

/* A metric that one side lacks everywhere is told once, not at each point. */
static void print_one_sided(const struct comparison *c, FILE *f)
{
	bool *done = xcalloc(c->nr_one_sided, sizeof(*done));
	size_t i, j, points;
	char number[NUMBER_SIZE];

	if (c->nr_one_sided)
		print_line(f, 0, 2, "on one side only:");
	for (i = 0; i < c->nr_one_sided; i++) {
		const struct one_sided *o = &c->one_sided[i];

		if (done[i])
			continue;
		points = 0;
		for (j = i; j < c->nr_one_sided; j++) {
			const struct one_sided *p = &c->one_sided[j];

			if (strcmp(p->metric, o->metric) ||
			    strcmp(p->point->bench, o->point->bench) ||
			    strcmp(p->why, o->why) || p->in_base != o->in_base)
				continue;
			done[j] = true;
			points++;
		}
		print_line(f, 2, 4, "%s, %zu point%s: %s only in %s (%s): %s",
			   o->point->bench, points, plural(points), o->metric,
			   o->in_base ? "base" : "new",
			   format_value(o->value, o->tier, number), o->why);
	}
	free(done);
}

/* --- findings --- */

static bool alike(const struct finding *a, const struct finding *b)
{
	return !strcmp(a->rule, b->rule) && !strcmp(a->bench, b->bench) &&
	       a->severity == b->severity;
}

static void print_finding(const struct finding *x, size_t points, FILE *f)
{
	char *params = params_text(x->point->params, " "), *more = NULL;

	if (points > 1)
		more = xasprintf(", and %zu more point%s", points - 1,
				 plural(points - 1));
	print_line(f, 2, 4, "%s (%s): %s%s%s%s: %s", x->rule,
		   severity_name(x->severity), x->bench, *params ? " " : "",
		   params, more ? more : "", x->text);
	free(more);
	free(params);
}

/* The worst first; those of one kind as the first of them. */
static void print_findings(const struct comparison *c, FILE *f)
{
	bool *done = xcalloc(c->nr_findings, sizeof(*done)), any = false;
	size_t i, j, points;
	int severity;

	for (severity = SEVERITY_ERROR; severity >= SEVERITY_INFO; severity--) {
		for (i = 0; i < c->nr_findings; i++) {
			const struct finding *x = &c->findings[i];

			/* the table above is the list of exact differences */
			if (done[i] || (int)x->severity != severity ||
			    !strcmp(x->rule, EXACT_DIFFERENCE))
				continue;
			points = 0;
			for (j = i; j < c->nr_findings; j++)
				if (alike(&c->findings[j], x)) {
					done[j] = true;
					points++;
				}
			if (!any)
				print_line(f, 0, 2, "findings:");
			any = true;
			print_finding(x, points, f);
		}
	}
	free(done);
}

/* --- the environment --- */

static bool is_refused(const struct env_difference *d)
{
	return d->matters && !d->allowed;
}

static void print_refused(const struct env_difference *d)
{
	char *text = env_difference_text(d), *clean = clean_text(text);

	fprintf(stderr, "%s\n", clean);
	free(clean);
	free(text);
}

/* A key that differs in two modes, or on both sides, is named once. */
static bool named_before(const struct env_differences *e, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (is_refused(&e->d[i]) && !strcmp(e->d[i].key, e->d[nr].key))
			return true;
	return false;
}

bool report_refusal(const struct env_differences *e, const struct side *base,
		    const struct side *new)
{
	char *keys = xstrdup("");
	size_t nr = 0, i;

	fflush(stdout);
	for (i = 0; i < e->nr; i++) {
		if (!is_refused(&e->d[i]) || env_said_before(e, i))
			continue;
		nr++;
		print_refused(&e->d[i]);
		if (!named_before(e, i))
			append_text(&keys, ",", "%s", e->d[i].key);
	}
	if (nr)
		fail(EINVAL, "the environments of %s and %s differ in %zu way%s, listed above; measure again alike, or say what is meant: --allow %s",
		     base->run->path, new->run->path, nr, plural(nr), keys);
	free(keys);
	return nr > 0;
}

void report_environment(const struct comparison *c, FILE *f)
{
	bool any = false;
	size_t i;

	for (i = 0; i < c->env.nr; i++) {
		const struct env_difference *d = &c->env.d[i];
		char *text;

		if (!d->matters || env_said_before(&c->env, i))
			continue;
		if (!any)
			print_line(f, 0, 2, "environment differences, allowed:");
		any = true;
		text = env_difference_text(d);
		print_line(f, 2, 4, "%s", text);
		free(text);
	}
}

/* --- why timed rows say nothing --- */

void report_reasons(const struct comparison *c, FILE *f)
{
	size_t i, j, nr;

	for (i = 0; i < c->nr_results; i++) {
		const char *why = c->results[i].why;

		for (j = 0; why && j < i; j++)
			if (c->results[j].why &&
			    !strcmp(c->results[j].why, why))
				break;
		if (!why || j < i)
			continue;
		nr = 0;
		for (j = i; j < c->nr_results; j++)
			nr += c->results[j].why &&
			      !strcmp(c->results[j].why, why);
		print_line(f, 2, 4, "%zu inconclusive: %s", nr, why);
	}
}

/* How many more boots the inconclusive rows want, at the noisiest. */
void report_power(const struct comparison *c, FILE *f)
{
	const struct result *worst = NULL;
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		if (r->boots_more &&
		    (!worst || r->boots_more > worst->boots_more))
			worst = r;
	}
	if (worst)
		print_line(f, 2, 4, "boots differ by up to %.2g%% (%s %s): about %zu more boots a side would settle that row (power 80%%, %zu row%s)",
			   100 * worst->cv, worst->point->bench, worst->metric,
			   worst->boots_more, c->family, plural(c->family));
}

/* Outliers are told, and nothing is left out because of them. */
static void print_outliers(const struct comparison *c, FILE *f)
{
	size_t batches = 0, outliers = 0, i;
	const struct result *worst = NULL;

	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		batches += r->batches;
		outliers += r->outliers;
		if (r->outliers && (!worst || r->outliers > worst->outliers))
			worst = r;
	}
	if (worst)
		print_line(f, 0, 2, "outliers: %zu of %zu batches are more than 3 interquartile ranges off, most of %s %s (%zu of %zu); none is dropped",
			   outliers, batches, worst->point->bench,
			   worst->metric, worst->outliers, worst->batches);
}

/* --- the legend --- */

/* Appends "NAME" or "NAME in UNIT" once. */
static void append_metric(char **text, const struct result *r, bool unit)
{
	char *one = unit ? xasprintf("%s in %s", r->metric, r->facts.unit) :
			   xstrdup(r->metric);

	if (!strstr(*text, one))
		append_text(text, ", ", "%s", one);
	free(one);
}

static void print_directions(const struct view *v, bool releases, FILE *f)
{
	char *higher = xstrdup(""), *units = xstrdup("");
	size_t i;

	for (i = 0; i < v->nr; i++) {
		const struct result *r = v->row[i];

		if (r->facts.better == BETTER_HIGHER && !releases)
			append_metric(&higher, r, false);
		if (!strstr(r->metric, r->facts.unit))
			append_metric(&units, r, true);
	}
	print_line(f, 0, 2, "Per operation%s%s%s%s%s.",
		   releases ? "" : "; lower is better", *higher ? ", but higher is for " : "", higher,
		   *units ? "; " : "", units);
	free(higher);
	free(units);
}

/* Where the p-values come from; the caller frees. */
static char *p_text(const struct comparison *c)
{
	if (c->permuted)
		return xasprintf("Mann-Whitney, adjusted by a permutation of boots for all %zu row%s that vary at once (step-down max-t), or Welch's by Holm where that is larger",
				 c->family, plural(c->family));
	return xasprintf("Mann-Whitney, adjusted by Holm over the %zu row%s that have one",
			 c->family, plural(c->family));
}

static void print_exact(const struct comparison *c, const char *how, FILE *f)
{
	bool causes = false, vary = false;
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		causes = causes || c->results[i].cause.known;
		vary = vary || (c->results[i].tier == TIER_EXACT &&
				!isnan(c->results[i].p));
	}
	print_line(f, 0, 2, "Exact: event counts, and instructions under icount. %s%s",
		   c->releases ? "\"more\" and \"less\": than on base. " :
				 "\"changed\": neither way is better. ",
		   c->count[VERDICT_IDLE] ? "\"idle\": 0 in every boot of both sides." : "");
	if (causes)
		print_line(f, 0, 2, "Instructions were counted in every boot, by function and caller. A difference in changed code is real if every boot has it; other code counts where an event of the point differs as well.");
	if (vary)
		print_line(f, 0, 2, "Other counts that vary: a difference if every seed gives the same one, or if boots differ by more than chance; p: %s.",
			   how);
}

static void print_legend(const struct report *r, const struct view *v, FILE *f)
{
	const struct comparison *c = r->c[0];
	char *how = p_text(c);

	print_directions(v, c->releases, f);
	if (v->exact)
		print_exact(c, how, f);
	if (v->timed)
		print_line(f, 0, 2, "Timed: boots are the observations. Ratio of %ss; CI: 95%%, bootstrap over boots (%zu resamples, seed %llu); p: %s; equivalent: within %g%% (two one-sided tests, by Holm).",
			   c->options->center == stat_mean ? "mean" : "median",
			   c->options->resamples,
			   (unsigned long long)c->options->seed, how,
			   100 * c->options->margin);
	free(how);
}

void report_notes(const struct comparison *c, FILE *f)
{
	size_t i;

	for (i = 0; i < c->nr_notes; i++)
		print_line(f, 0, 2, "note: %s", c->notes[i]);
}

void report_rest(const struct report *r, const struct view *v, FILE *f)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		const struct comparison *c = r->c[i];
		char *counts = counts_text(c), *label = report_label(r, i + 1);

		if (r->nr > 1)
			fprintf(f, "\n%s\n", label);
		else
			fputc('\n', f);
		print_findings(c, f);
		print_line(f, 0, 2, "%zu compared: %s", c->nr_results, counts);
		report_reasons(c, f);
		report_power(c, f);
		print_outliers(c, f);
		print_one_sided(c, f);
		print_gaps(c, f);
		report_environment(c, f);
		report_notes(c, f);
		free(label);
		free(counts);
	}
	if (v->hidden)
		print_line(f, 0, 2, "%zu more overlapping row%s: --all",
			   v->hidden, plural(v->hidden));
	if (v->sums)
		print_line(f, 0, 2, "%zu row%s of instructions, the sum of instructions_kernel and instructions_user: --all",
			   v->sums, plural(v->sums));
	if (v->details)
		print_line(f, 0, 2, "%zu row%s of what the instructions were (loads, stores and so on): --all",
			   v->details, plural(v->details));
	fputc('\n', f);
	print_legend(r, v, f);
}
