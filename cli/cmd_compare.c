// SPDX-License-Identifier: GPL-2.0
/* ptelab compare: what differs between runs of two or more kernels. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../analysis/report.h"
#include "../lib/util.h"
#include "args.h"
#include "cmd.h"

enum { OPT_FAIL_ON = 256, OPT_ALLOW, OPT_MARGIN, OPT_JSON, OPT_SEED,
       OPT_CENTER };

static const struct argp_option options[] = {
	{ "format", 'f', "FORM", 0,
	  "text (default), grid, count, markdown, csv or json", 0 },
	{ "json", OPT_JSON, NULL, 0, "the same as --format json", 0 },
	{ "bench", 'b', "GLOB[:k=v,v]", 0,
	  "only these points; may be given again", 0 },
	{ "metric", 'm', "GLOB", 0, "only these metrics; may be given again",
	  0 },
	{ "all", 'a', NULL, 0, "equal values as well", 0 },
	{ "fail-on", OPT_FAIL_ON, "WHAT", 0,
	  "exit 1 if there is a regression, a difference or a finding", 0 },
	{ "allow", OPT_ALLOW, "KEY,...", 0,
	  "environment differences that are meant; globs", 0 },
	{ "margin", OPT_MARGIN, "PERCENT", 0,
	  "timed: a change within it counts as none; default 1", 0 },
	{ "center", OPT_CENTER, "median|mean", 0,
	  "timed: of batches, processes and boots; default median", 0 },
	{ "seed", OPT_SEED, "N", 0, "of the bootstrap; default 1", 0 },
	{ 0 }
};

static const char doc[] =
	"Compares a base run with one new run or several.\v"
	"BASE and NEW are folders of boot files, or single boot files.\n"
	"\n"
	"Examples:\n"
	"  ptelab compare runs/x/base runs/x/patched\n"
	"  ptelab compare base patched -b 'gup.*' -m 'instructions*' --all\n"
	"  ptelab compare base v1 v2 --format grid\n"
	"  ptelab compare base patched --fail-on regression >/dev/null\n"
	"  ptelab compare base patched --allow governor,'thp.*'\n"
	"\n"
	"Exit status: 0 compared; 1 the condition of --fail-on holds; 2 could "
	"not: a run can't be read, the environments differ, or no point was "
	"measured on both sides.";

static const struct form {
	const char *name;
	void (*print)(const struct report *r, FILE *f);
} forms[] = {
	{ "text", report_text }, { "grid", report_grid },
	{ "count", report_count }, { "markdown", report_markdown },
	{ "csv", report_csv }, { "json", report_json },
};

static bool any_regression(const struct comparison *c)
{
	return c->count[VERDICT_REGRESSION];
}

static bool any_difference(const struct comparison *c)
{
	return any_regression(c) || c->count[VERDICT_IMPROVEMENT] ||
	       c->count[VERDICT_CHANGED];
}

static bool any_finding(const struct comparison *c)
{
	return c->nr_findings;
}

static const struct condition {
	const char *name;
	bool (*holds)(const struct comparison *c);
} conditions[] = {
	{ "regression", any_regression }, { "difference", any_difference },
	{ "finding", any_finding },
};

static struct {
	const struct form *form;
	const struct condition *fail_on;
	struct compare_options o;
	struct text_list runs, allow;
	bool all;
} env;

static void form_arg(const char *name, struct argp_state *state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(forms[i].name, name))
			env.form = &forms[i];
	if (!env.form)
		argp_error(state, "--format takes text, grid, count, markdown, csv or json, not '%s'",
			   name);
}

static void condition_arg(const char *name, struct argp_state *state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(conditions); i++)
		if (!strcmp(conditions[i].name, name))
			env.fail_on = &conditions[i];
	if (!env.fail_on)
		argp_error(state, "--fail-on takes regression, difference or finding, not '%s'",
			   name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'f':
		env.form = NULL;
		form_arg(arg, state);
		break;
	case OPT_JSON:
		form_arg("json", state);
		break;
	case 'b':
		if (select_bench(&env.o.select, arg))
			return EINVAL;
		break;
	case 'm':
		select_metric(&env.o.select, arg);
		break;
	case 'a':
		env.all = true;
		break;
	case OPT_FAIL_ON:
		condition_arg(arg, state);
		break;
	case OPT_ALLOW:
		text_split(&env.allow, arg);
		break;
	case OPT_MARGIN:
		env.o.margin = percent_arg("--margin", arg, 100, state);
		break;
	case OPT_CENTER:
		if (strcmp(arg, "median") && strcmp(arg, "mean"))
			argp_error(state, "--center takes median or mean, not '%s'",
				   arg);
		env.o.center = !strcmp(arg, "mean") ? stat_mean : stat_median;
		break;
	case OPT_SEED:
		if (parse_u64(arg, &env.o.seed))
			argp_error(state, "--seed takes a whole number, not '%s'",
				   arg);
		break;
	case ARGP_KEY_ARG:
		text_add(&env.runs, arg);
		break;
	case ARGP_KEY_END:
		if (env.runs.nr < 2)
			argp_error(state, "two runs are needed, BASE and NEW");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Exit code once the report is printed. */
static int conclude(struct comparison *const *c, size_t nr)
{
	size_t results = 0, i;
	bool holds = false;

	for (i = 0; i < nr; i++) {
		results += c[i]->nr_results;
		holds = holds || (env.fail_on && env.fail_on->holds(c[i]));
	}
	if (!results) {
		fail(ENOENT, "nothing could be compared: no %s was measured on both sides",
		     env.o.select.nr_benches || env.o.select.nr_metrics ?
		     "point or metric that was asked for" : "point");
		return EXIT_COULD_NOT;
	}
	return holds ? EXIT_CONDITION : EXIT_DONE;
}

static int compare_loaded(struct side *const *side, size_t nr)
{
	struct comparison **c = xcalloc(nr - 1, sizeof(struct comparison *));
	struct report r = { c, nr - 1, env.all };
	int ret = EXIT_DONE;
	size_t i;

	compare_table(side[0], side + 1, nr - 1, &env.o, c);
	for (i = 1; i < nr && ret == EXIT_DONE; i++) {
		if (report_refusal(&c[i - 1]->env, side[0], side[i]))
			ret = EXIT_COULD_NOT;
	}
	if (ret == EXIT_DONE) {
		env.form->print(&r, stdout);
		ret = conclude(c, nr - 1);
	}
	for (i = 1; i < nr; i++)
		comparison_free(c[i - 1]);
	free(c);
	return ret;
}

int cmd_compare(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE NEW [NEW...]",
					  doc, NULL, NULL, NULL };

	memset(&env, 0, sizeof(env));
	env.o = compare_defaults;
	env.form = &forms[0];
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return EXIT_COULD_NOT;
	env.o.allow = env.allow.v;
	env.o.nr_allow = env.allow.nr;
	return with_runs(&env.runs, &env.allow, &env.o.select, compare_loaded);
}
