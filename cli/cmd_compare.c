// SPDX-License-Identifier: GPL-2.0
/* ptelab compare: reports what differs between runs of two or more kernels. */
#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/colour.h"
#include "analysis/report/report.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum {
	OPT_FAIL_ON = 256, OPT_ALLOW_CHANGE, OPT_JSON, OPT_SEED, OPT_CENTER,
	OPT_ORIGIN
};

static const struct argp_option options[] = {
	{ "format", 'f', "FORM[=FILE]", 0, NULL, 0 },
	{ "json", OPT_JSON, NULL, 0, "same as --format json", 0 },
	{ "all", 'a', NULL, 0, "print equal rows too", 0 },
	{ "fail-on", OPT_FAIL_ON, "WHAT[,...]", 0, NULL, 0 },
	{ "allow-change", OPT_ALLOW_CHANGE, "METRIC=LIMIT[,...]", 0,
	  "--fail-on ignores differences up to LIMIT, such as 2 or 1%, of metrics that match this glob; the first match counts",
	  0 },
	{ "center", OPT_CENTER, "WHAT", 0, NULL, 0 },
	{ "seed", OPT_SEED, "N", 0, "seed of the bootstrap; default 1", 0 },
	{ "origin", OPT_ORIGIN, "NAME", 0,
	  "kcidb: the CI system that submits; default ptelab", 0 },
	{ 0 }
};

#define ORIGIN_CHARACTERS	"abcdefghijklmnopqrstuvwxyz0123456789_"

static const char doc[] =
	"Compares a base run with one or more new runs.\v"
	"BASE and NEW are folders of boot files, or single boot files.\n"
	"\n"
	"Examples:\n"
	"  ptelab compare runs/x/base runs/x/patched\n"
	"  ptelab compare base patched -b 'gup.*' -m 'instructions*' --all\n"
	"  ptelab compare base v1 v2 --format grid\n"
	"  ptelab compare runs/x --format text --format json=x.json\n"
	"  ptelab compare base patched --format ktap --format gobench=x.txt\n"
	"  ptelab compare base patched --fail-on regression,failed,missing >/dev/null\n"
	"  ptelab compare base patched --fail-on regression --allow-change 'kvm_zap*=0,instructions*=1%'\n"
	"  ptelab compare base patched --allow governor,'thp.*'\n"
	"\n"
	"Exit status: 0 success; 1 the condition of --fail-on holds; 2 failure: "
	"a run can't be read, the environments differ, or no point was "
	"measured on both sides.";

/* A change that --fail-on ignores. */
struct allowed {
	char *metric;	/* a glob */
	double limit;
	bool percent;	/* of base */
};

static bool is_allowed(const struct result *r);

static bool any_regression(const struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		if (c->results[i].verdict == VERDICT_REGRESSION &&
		    !is_allowed(&c->results[i]))
			return true;
	return false;
}

static bool any_difference(const struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++)
		if (is_difference(&c->results[i]) &&
		    !is_allowed(&c->results[i]))
			return true;
	return false;
}

/*
 * Returns whether only one side lacks a point; a change did not break what both
 * lack.
 */
static bool any_lost(const struct comparison *c, bool failed)
{
	size_t i;

	for (i = 0; i < c->nr_missing; i++) {
		const struct not_compared *m = &c->missing[i];

		if (m->where != BOTH && failed == (!strcmp(m->status, "failed") ||
						   !strcmp(m->status, "invalid")))
			return true;
	}
	return false;
}

static bool any_missing(const struct comparison *c)
{
	return any_lost(c, false) || c->nr_one_sided;
}

static bool any_failed(const struct comparison *c)
{
	return any_lost(c, true);
}

/*
 * Returns whether a row is inconclusive, except for the same values on both
 * sides.
 */
static bool any_inconclusive(const struct comparison *c)
{
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		if (r->verdict == VERDICT_INCONCLUSIVE &&
		    (r->base.nr != r->new.nr ||
		     memcmp(r->base.v, r->new.v,
			    r->base.nr * sizeof(*r->base.v))))
			return true;
	}
	return false;
}

static bool any_finding(const struct comparison *c)
{
	size_t i;

	/* "info" findings are not new, or not bad */
	for (i = 0; i < c->nr_findings; i++)
		if (c->findings[i].severity >= SEVERITY_WARNING)
			return true;
	return false;
}

static bool not_exercised(const struct comparison *c)
{
	/* Changed code that ran in set-up may still have caused differences. */
	return c->exercised == EXERCISED_NEVER ||
	       (c->exercised == EXERCISED_OUTSIDE && !any_difference(c));
}

static const struct condition {
	struct choice choice;
	bool (*holds)(const struct comparison *c);
} conditions[] = {
	{ { "regression", NULL }, any_regression },
	{ { "difference", NULL }, any_difference },
	{ { "finding", NULL }, any_finding },
	{ { "missing", NULL }, any_missing },
	{ { "failed", NULL }, any_failed },
	{ { "inconclusive", NULL }, any_inconclusive },
	{ { "not-exercised", NULL }, not_exercised },
};

static const struct center {
	struct choice choice;
	double (*of)(const double *v, size_t n);
} centers[] = {
	{ { "median", NULL }, stat_median },
	{ { "mean", NULL }, stat_mean },
};

static const struct choices condition_choices = CHOICES(conditions),
	center_choices = CHOICES(centers);

/* A requested format and its output file; NULL: standard output. */
struct output {
	const struct report_format *form;
	const char *file;
};

static struct {
	struct output *out;
	size_t nr_out;
	const struct condition **fail_on;
	size_t nr_fail_on;
	struct allowed *changes;
	size_t nr_changes;
	struct compare_options o;
	struct text_list runs, allow;
	const char *origin;
	bool all;
} env;

static bool is_allowed(const struct result *r)
{
	size_t i;

	for (i = 0; i < env.nr_changes; i++) {
		const struct allowed *a = &env.changes[i];

		if (!fnmatch(a->metric, r->metric, 0))
			return fabs(r->delta) <= a->limit * (a->percent ?
				fabs(r->base.median) / 100 : 1);
	}
	return false;
}

static char *option_help(int key, const char *text,
			 void *input __attribute__((unused)))
{
	char *all, *help;

	switch (key) {
	case 'f':
		all = choices_help(&report_formats);
		help = xasprintf("%s. May be given again; with =FILE it is written there",
				 all);
		free(all);
		return help;
	case OPT_FAIL_ON:
		all = choices_text(&condition_choices);
		help = xasprintf("exit 1 if there is a WHAT, or if no point ran the changed code (not-exercised): %s. missing, failed: on one side only",
				 all);
		free(all);
		return help;
	case OPT_CENTER:
		all = choices_help(&center_choices);
		help = xasprintf("timed rows: average batches, processes and boots by %s",
				 all);
		free(all);
		return help;
	}
	return (char *)text;
}

static void add_output(const char *arg, struct argp_state *state)
{
	char *name = xstrdup(arg), *file = strchr(name, '=');

	if (file)
		*file = 0;
	env.out = grow(env.out, env.nr_out, sizeof(*env.out));
	env.out[env.nr_out++] = (struct output){
		choice_arg("--format", &report_formats, name, state),
		file ? arg + (file + 1 - name) : NULL,
	};
	free(name);
}

static void add_conditions(const char *arg, struct argp_state *state)
{
	char *text = xstrdup(arg), *save, *one;

	for (one = strtok_r(text, ",", &save); one;
	     one = strtok_r(NULL, ",", &save)) {
		env.fail_on = grow(env.fail_on, env.nr_fail_on,
				   sizeof(*env.fail_on));
		env.fail_on[env.nr_fail_on++] =
			choice_arg("--fail-on", &condition_choices, one, state);
	}
	free(text);
}

/*
 * Adds the limits of "METRIC=LIMIT,...". The metrics point into a copy of @arg
 * that is never freed.
 */
static void add_allowed(const char *arg, struct argp_state *state)
{
	char *text = xstrdup(arg), *save, *one, *end;

	for (one = strtok_r(text, ",", &save); one;
	     one = strtok_r(NULL, ",", &save)) {
		char *limit = strchr(one, '=');
		struct allowed a = { .metric = one };

		if (limit) {
			*limit++ = '\0';
			a.limit = strtod(limit, &end);
			a.percent = *end == '%';
		}
		if (!limit || end == limit || end[a.percent] || !(a.limit >= 0))
			args_error(state, "--allow-change takes METRIC=LIMIT, such as 'kvm_zap*=0' or 'instructions*=1%%', not '%s'",
				   arg);
		env.changes = grow(env.changes, env.nr_changes, sizeof(a));
		env.changes[env.nr_changes++] = a;
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	const struct center *center;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &env.o.select;
		state->child_inputs[1] = &env.o.select;
		state->child_inputs[2] = &env.allow;
		state->child_inputs[3] = &env.o.margin;
		break;
	case 'f':
		add_output(arg, state);
		break;
	case OPT_JSON:
		add_output("json", state);
		break;
	case 'a':
		env.all = true;
		break;
	case OPT_FAIL_ON:
		add_conditions(arg, state);
		break;
	case OPT_ALLOW_CHANGE:
		add_allowed(arg, state);
		break;
	case OPT_CENTER:
		center = choice_arg("--center", &center_choices, arg, state);
		env.o.center = center->of;
		break;
	case OPT_SEED:
		env.o.seed = number_arg("--seed", arg, 0, INT64_MAX, state);
		break;
	case OPT_ORIGIN:
		if (!*arg || arg[strspn(arg, ORIGIN_CHARACTERS)])
			args_error(state, "--origin: '%s' has other characters than a-z, 0-9 and _, which are all that KCIDB takes",
				   arg);
		env.origin = arg;
		break;
	case ARGP_KEY_ARG:
		add_runs_of(&env.runs, arg);
		break;
	case ARGP_KEY_END:
		if (!env.nr_out)
			add_output(((const struct choice *)report_formats.rows)->name,
				   state);
		if (env.runs.nr < 2)
			two_runs_needed(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/*
 * Returns a description such as "base is timed, of 6.12.9, on x86_64"; the
 * caller frees.
 */
static char *what_it_is(const struct side *s)
{
	const struct run_file *f = s->run->files[0];

	return xasprintf("%s is %s, of %s, on %s", s->label, file_mode(f),
			 json_text(f->header, "kernel_release"),
			 json_text(f->header, "arch"));
}

static bool is_empty_bench(const struct side_point *p)
{
	return !strcmp(p->bench, "harness.empty");
}

/*
 * Returns the number of a side's points without harness.empty; @ok: only those
 * with figures.
 */
static size_t nr_points(const struct side *s, bool ok)
{
	size_t nr = 0, i, j;

	for (i = 0; i < s->nr_points; i++)
		for (j = 0; j < s->points[i].nr_obs; j++)
			if (!is_empty_bench(&s->points[i]) &&
			    (!ok || s->points[i].obs[j].ok)) {
				nr++;
				break;
			}
	return nr;
}

/* Says why no row could be compared. */
static int nothing_compared(const struct side *base, const struct side *new)
{
	const struct side *none = !nr_points(base, true) ? base :
				  !nr_points(new, true) ? new : NULL;
	char *a, *b;

	if (none)
		return fail(ENOENT, "nothing can be compared: no %s was measured in %s; ptelab show says why",
			    env.o.select.nr_benches ? "selected point" : "point",
			    none->run->path);
	a = what_it_is(base);
	b = what_it_is(new);
	fail(ENOENT, "nothing can be compared, since no point and metric was measured alike on both sides: %s; %s",
	     a, b);
	free(a);
	free(b);
	return -ENOENT;
}

/* Returns the exit code. */
static int conclude(struct comparison *const *c, size_t nr)
{
	size_t i, k;

	for (i = 0; i < nr; i++)
		for (k = 0; k < env.nr_fail_on; k++)
			if (env.fail_on[k]->holds(c[i]))
				return EXIT_CONDITION;
	return EXIT_DONE;
}

/*
 * Returns whether there is a result. A row of harness.empty counts only if
 * there is no other point.
 */
static bool any_result(struct comparison *const *c, size_t nr)
{
	bool empty = !nr_points(c[0]->base, false);
	size_t i, j;

	for (i = 0; i < nr; i++)
		for (j = 0; j < c[i]->nr_results; j++)
			if (empty || !is_empty_bench(c[i]->results[j].point))
				return true;
	return false;
}

/* Returns whether the format is meant to be read on a terminal. */
static bool is_for_terminals(const struct report_format *form)
{
	return !strcmp(form->choice.name, "text") ||
	       !strcmp(form->choice.name, "rows");
}

static void print_in_colour(const struct report_format *form,
			    const struct report *r)
{
	size_t len;
	char *text;
	FILE *f = open_memstream(&text, &len);

	form->print(r, f);
	fclose(f);
	print_coloured(stdout, text);
	free(text);
}

static int print_output(const struct output *o, const struct report *r)
{
	FILE *f = o->file ? fopen(o->file, "we") : stdout;

	if (!o->file && args_quiet)
		return 0;
	if (!f)
		return fail(errno, "%s: %s", o->file, strerror(errno));
	if (!o->file && is_for_terminals(o->form) && colour_wanted(stdout)) {
		print_in_colour(o->form, r);
		return 0;
	}
	o->form->print(r, f);
	return o->file ? close_file(f, o->file) : 0;
}

static int compare_loaded(struct side *const *side, size_t nr)
{
	struct comparison **c = xcalloc(nr - 1, sizeof(struct comparison *));
	struct report r = {
		.c = c, .nr = nr - 1, .all = env.all || args_verbose,
		.origin = env.origin,
	};
	int ret = EXIT_DONE;
	size_t i;

	compare_table(side[0], side + 1, nr - 1, &env.o, c);
	for (i = 1; i < nr && ret == EXIT_DONE; i++) {
		if (report_refusal(&c[i - 1]->env, side[0], side[i]))
			ret = EXIT_COULD_NOT;
	}
	if (ret == EXIT_DONE && !any_result(c, nr - 1)) {
		nothing_compared(side[0], side[1]);
		ret = EXIT_COULD_NOT;
	}
	if (ret == EXIT_DONE) {
		ret = conclude(c, nr - 1);
		for (i = 0; i < env.nr_out; i++)
			if (print_output(&env.out[i], &r))
				ret = EXIT_COULD_NOT;
	}
	for (i = 1; i < nr; i++)
		comparison_free(c[i - 1]);
	free(c);
	return ret;
}

static const struct argp_child children[] = {
	{ &bench_argp, 0, NULL, 0 },
	{ &metric_argp, 0, NULL, 0 },
	{ &allow_argp, 0, NULL, 0 },
	{ &margin_argp, 0, NULL, 0 },
	{ 0 }
};

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE NEW [NEW...]",
					  doc, children, option_help, NULL };

	memset(&env, 0, sizeof(env));
	env.o = compare_defaults;
	env.origin = "ptelab";
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	env.o.allow = env.allow.v;
	env.o.nr_allow = env.allow.nr;
	return with_runs(&env.runs, &env.allow, &env.o.select, true,
			 compare_loaded);
}
