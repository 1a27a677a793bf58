// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab list: lists benchmarks and why one can't run here, metrics, findings,
 * or the points that run a function.
 */
#include <argp.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/atlas.h"
#include "analysis/judge/rules.h"
#include "bench/harness/runner.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/metric.h"
#include "lib/selector.h"
#include "lib/util.h"

#define LINE_WIDTH	79

enum { OPT_METRICS = 256, OPT_FINDINGS, OPT_RUNS, OPT_ATLAS,
       OPT_PARAMS };

static struct {
	const char *glob;	/* NULL: everything */
	int what;	/* 0: benchmarks; OPT_METRICS and so on */
	const char *function, *atlas;
	bool json, brief;
} env;

static const struct argp_option options[] = {
	{ "bench", 'b', "GLOB", 0, "list only names that match", 0 },
	{ "metrics", OPT_METRICS, NULL, 0, "list metrics instead", 0 },
	{ "findings", OPT_FINDINGS, NULL, 0,
	  "list the findings of ptelab compare instead", 0 },
	{ "runs", OPT_RUNS, "FUNCTION", 0,
	  "list the points that run this kernel function instead, the one with most of its instructions first", 0 },
	{ "atlas", OPT_ATLAS, "DIR", 0,
	  "with --runs: use this atlas; default the newest in the cache", 0 },
	{ "params", OPT_PARAMS, NULL, 0,
	  "list parameters instead, a NAME=VALUE per line for -p and -b", 0 },
	{ "brief", 's', NULL, 0, "print one line each", 0 },
	{ "json", 'j', NULL, 0, "print JSON", 0 },
	{ 0 }
};

static const char doc[] =
	"Lists benchmarks and why one can't run here; or metrics; or findings; "
	"or the points that run a function. Prints a line each without GLOB, "
	"and all that is known of those that match it.\v"
	"Examples:\n"
	"  ptelab list\n"
	"  ptelab list 'gup.*'\n"
	"  ptelab list --metrics 'kvm_*'\n"
	"  ptelab list --runs change_protection\n"
	"  ptelab list -b 'gup.*' --json | jq '.[] | select(.unavailable)'\n"
	"\n"
	"Exit status: 0 success; 2 nothing has that name.";

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'b':
		env.glob = arg;
		break;
	case OPT_METRICS:
	case OPT_FINDINGS:
	case OPT_PARAMS:
		env.what = key;
		break;
	case OPT_RUNS:
		env.what = key;
		env.function = arg;
		break;
	case OPT_ATLAS:
		env.atlas = arg;
		break;
	case 's':
		env.brief = true;
		break;
	case 'j':
		env.json = true;
		break;
	case ARGP_KEY_ARG:
		env.glob = arg;
		if (state->arg_num)
			args_error(state, "one pattern at a time");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static json_t *param_json(const struct bench_param *p)
{
	static const char *const type[] = { "int", "size", "enum", "string" };
	char *range = param_range_text(p);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s}", "name",
			      p->name, "type", type[p->type], "default",
			      p->def, "values", range, "unit", p->unit, "help",
			      p->help);

	free(range);
	return o;
}

static json_t *bench_json(const struct bench *b, const char *why)
{
	json_t *params = json_array();
	unsigned int i;

	for (i = 0; i < b->nr_params; i++)
		json_array_append_new(params, param_json(&b->params[i]));
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:s*}", "name",
			 b->name, "op", b->op, "measures", b->measures,
			 "may_lie", b->may_lie, "params", params, "needs_root",
			 (int)b->needs_root, "unavailable", why);
}

/* Prints text within LINE_WIDTH columns; indents the lines after the first. */
static void wrapped(unsigned int indent, const char *label, const char *text)
{
	unsigned int column = indent, n;

	printf("  %-*s", (int)indent - 2, label);
	while (*text) {
		n = strcspn(text, " ");
		if (column > indent && column + 1 + n > LINE_WIDTH) {
			printf("\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			putchar(' ');
			column++;
		}
		printf("%.*s", (int)n, text);
		column += n;
		text += n;
		text += strspn(text, " ");
	}
	putchar('\n');
}

/* Prints the name and, without --quiet, its meaning in one line. */
static void print_brief(const char *name, const char *text, int width)
{
	int room = LINE_WIDTH - 1 - (width > (int)strlen(name) ? width :
				     (int)strlen(name));

	if (args_quiet)
		puts(name);
	else if ((int)strlen(text) <= room)
		printf("%-*s %s\n", width, name, text);
	else
		printf("%-*s %.*s...\n", width, name, room - 3, text);
}

static void print_bench(const struct bench *b, const char *why)
{
	unsigned int i;

	if (args_quiet || env.brief) {
		print_brief(b->name, b->op, 18);
		return;
	}
	printf("%s\n", b->name);
	wrapped(13, "one op", b->op);
	wrapped(13, "measures", b->measures);
	wrapped(13, "may lie", b->may_lie);
	for (i = 0; i < b->nr_params; i++) {
		const struct bench_param *p = &b->params[i];
		char *range = param_range_text(p);
		char *label = xasprintf("%s=%s", p->name, p->def);
		char *text = xasprintf("%s (%s%s%s)", p->help, range,
				       p->unit ? " " : "",
				       p->unit ? p->unit : "");

		wrapped(25, label, text);
		free(label);
		free(range);
		free(text);
	}
	if (why)
		wrapped(13, "not here:", why);
	putchar('\n');
}

/* Prints the JSON, if asked for, and fails if nothing was listed. */
static int end_list(json_t *all, size_t shown, const char *what)
{
	if (env.json && shown) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(all);
	if (shown)
		return EXIT_DONE;
	fail(ENOENT, "no %s is called '%s'", what, env.glob);
	return EXIT_COULD_NOT;
}

static int list_metrics(void)
{
	json_t *all = json_array();
	size_t i, shown = 0;

	for (i = 0; i < metrics_nr; i++) {
		const struct metric *m = &metrics[i];
		const char *better = metric_better_name(m->better);
		const char *kind = metric_kind_name(m->kind);
		char *label;

		/* "family.*" in the table also matches a name of the family */
		if (fnmatch(env.glob, m->name, 0) &&
		    metric_find(env.glob) != m)
			continue;
		shown++;
		if (env.json) {
			json_array_append_new(all, json_pack(
				"{s:s, s:s, s:s, s:s, s:s}", "name", m->name,
				"unit", m->unit, "kind", kind, "better",
				better, "help", m->help));
		} else if (args_quiet || env.brief) {
			print_brief(m->name, m->help, 26);
		} else {
			printf("%s\n", m->name);
			label = xasprintf("%s per operation; %s is better",
					  m->unit, m->better == BETTER_NONE ?
					  "neither way" : better);
			wrapped(13, "counts", m->help);
			wrapped(13, "unit", label);
			wrapped(13, "kind", kind);
			putchar('\n');
			free(label);
		}
	}
	return end_list(all, shown, "metric");
}

static int list_findings(void)
{
	json_t *all = json_array();
	const char *name, *help;
	size_t i, shown = 0;

	for (i = 0; (name = finding_name(i, &help)); i++) {
		if (fnmatch(env.glob, name, 0))
			continue;
		shown++;
		if (env.json)
			json_array_append_new(all, json_pack("{s:s, s:s}",
					"name", name, "help", help));
		else if (args_quiet)
			puts(name);
		else
			printf("%-20s %s\n", name, help);
	}
	return end_list(all, shown, "finding");
}

static int list_runs(void)
{
	struct atlas *a = atlas_load(env.atlas);
	int ret = a ? atlas_who(a, env.function, env.json, stdout) : -ENOENT;

	atlas_free(a);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}

/* Prints NAME=VALUE unless it was @said before. */
static void print_value(json_t *said, const char *name, const char *value)
{
	char *text = xasprintf("%s=%s", name, value);

	if (!json_object_get(said, text) && !env.json)
		puts(text);
	json_object_set_new(said, text, json_true());
	free(text);
}

/* Prints all named values and all sizes; of other parameters the default. */
static void print_values(json_t *said, const struct bench_param *p)
{
	char size[24];
	uint64_t v;
	size_t i;

	if (p->type == PARAM_ENUM)
		for (i = 0; p->choices[i]; i++)
			print_value(said, p->name, p->choices[i]);
	else if (p->type == PARAM_SIZE && p->power_of_two && p->min)
		for (v = p->min; v <= p->max; v *= 2)
			print_value(said, p->name, format_size(v, size));
	else
		print_value(said, p->name, p->def);
}

static int list_params(void)
{
	json_t *said = json_object(), *all = json_array(), *value;
	const struct bench *const *b;
	size_t shown = 0, i;
	const char *text;

	for (b = bench_all(); *b; b++) {
		if (fnmatch(env.glob, (*b)->name, 0))
			continue;
		shown++;
		for (i = 0; i < (*b)->nr_params; i++)
			print_values(said, &(*b)->params[i]);
	}
	json_object_foreach(said, text, value)
		json_array_append_new(all, json_string(text));
	json_decref(said);
	return end_list(all, shown, "benchmark");
}

/*
 * Adds the benchmark to the others that lack the same. @lacking: {reason:
 * "name, name"}.
 */
static void note_lacking(json_t *lacking, const struct bench *b,
			 const char *why)
{
	const char *names = json_string_value(json_object_get(lacking, why));
	char *text = xasprintf("%s%s%s", names ? names : "", names ? ", " : "",
			       b->name);

	json_object_set_new(lacking, why, json_string(text));
	free(text);
}

static void print_lacking(json_t *lacking)
{
	const char *why;
	json_t *names;

	if (json_object_size(lacking))
		putchar('\n');
	json_object_foreach(lacking, why, names) {
		char *text = xasprintf("%s: %s", json_string_value(names), why);

		wrapped(13, "not here:", text);
		free(text);
	}
}

static int list_benches(void)
{
	static const struct runner_options o = { .cpu = -1, .batches = 1 };
	json_t *all = json_array(), *lacking = json_object();
	struct point_list list;
	struct selector asked;
	struct runner *r;
	size_t i, shown = 0;

	if (points_expand(&env.glob, 1, NULL, 0, &list) ||
	    selector_parse(env.glob, &asked))
		return EXIT_COULD_NOT;
	r = runner_new(&o);
	if (!r)
		return EXIT_COULD_NOT;
	for (i = 0; i < list.nr; i++) {
		const struct bench *b = list.points[i].bench;
		const char *why;

		/* harness.empty is always the first point */
		if (fnmatch(asked.glob, b->name, 0))
			continue;
		why = runner_unavailable(r, &list.points[i]);
		shown++;
		if (env.json)
			json_array_append_new(all, bench_json(b, why));
		else
			print_bench(b, why);
		if (why)
			note_lacking(lacking, b, why);
	}
	if (env.brief && !args_quiet && !env.json)
		print_lacking(lacking);
	json_decref(lacking);
	runner_free(r);
	points_free(&list);
	selector_free(&asked);
	return end_list(all, shown, "benchmark");
}

int cmd_list(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "[GLOB]", doc, NULL,
					  NULL, NULL };

	args_parse(&argp, argc, argv, 0);
	if (!env.glob) {
		env.glob = "*";
		env.brief = env.brief || !args_verbose;
	}
	switch (env.what) {
	case OPT_METRICS:
		return list_metrics();
	case OPT_FINDINGS:
		return list_findings();
	case OPT_RUNS:
		return list_runs();
	case OPT_PARAMS:
		return list_params();
	}
	return list_benches();
}
