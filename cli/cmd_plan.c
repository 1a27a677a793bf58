// SPDX-License-Identifier: GPL-2.0
/* ptelab plan: computes how many boots and batches an effect needs. */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/draw/table.h"
#include "analysis/judge/plan.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_POWER = 256, OPT_ROWS, OPT_BOOT, OPT_BATCH, OPT_MINUTES, OPT_JSON,
       OPT_SEED };

static const struct argp_option options[] = {
	{ "metric", 'm', "GLOB", 0,
	  "select metrics; may be repeated; default ns", 0 },
	{ "effect", 'e', "PERCENT", 0, "change to detect; default 1", 0 },
	{ "power", OPT_POWER, "PERCENT", 0,
	  "probability to detect it; default 80", 0 },
	{ "rows", OPT_ROWS, "N", 0,
	  "timed rows of the planned table; default those of RUN", 0 },
	{ "boot-cost", OPT_BOOT, "S", 0,
	  "seconds that a boot takes before it measures; default 300", 0 },
	{ "batch-cost", OPT_BATCH, "S", 0,
	  "seconds that a batch takes; default as in RUN", 0 },
	{ "minutes", OPT_MINUTES, "M", 0,
	  "print the smallest effect that can be detected in this time", 0 },
	{ "seed", OPT_SEED, "N", 0, "seed of the order of boots; default 1", 0 },
	{ "json", OPT_JSON, NULL, 0, "print JSON", 0 },
	{ 0 }
};

static const char doc[] =
	"Computes how many boots of each kernel, and batches in each boot, are "
	"needed to detect an effect.\v"
	"RUN is a run of one kernel with two boots or more. The best numbers "
	"follow from the variance that batches, processes and boots add "
	"(Kalibera and Jones 2013), and from what each costs.\n"
	"\n"
	"Examples:\n"
	"  ptelab plan base\n"
	"  ptelab plan base -e 2 --boot-cost 180 -b 'gup.*'\n"
	"  ptelab plan base --minutes 240\n"
	"\n"
	"Exit status: 0 success; 2 failure: RUN can't be read, or has fewer than "
	"two boots with a real clock.";

static struct {
	struct plan_options o;
	const char *run;
	double minutes;
	uint64_t seed;
	bool json;
} env;

static double real_arg(const char *what, const char *text, double low,
		       double high, struct argp_state *state)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "%")) || !(v > low) ||
	    !(v < high))
		args_error(state, "%s takes a number above %g and below %g, not '%s'",
			   what, low, high, text);
	return v;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &env.o.select;
		break;
	case 'm':
		select_metric(&env.o.select, arg);
		break;
	case 'e':
		env.o.effect = real_arg("--effect", arg, 0, 1000, state) /
			       100;
		break;
	case OPT_POWER:
		env.o.power = real_arg("--power", arg, 0, 100, state) / 100;
		break;
	case OPT_ROWS:
		env.o.rows = number_arg("--rows", arg, 1, 100000, state);
		break;
	case OPT_BOOT:
		env.o.boot_s = real_arg("--boot-cost", arg, 0, 1e6, state);
		break;
	case OPT_BATCH:
		env.o.batch_s = real_arg("--batch-cost", arg, 0, 1e6, state);
		break;
	case OPT_MINUTES:
		env.minutes = real_arg("--minutes", arg, 0, 1e7, state);
		break;
	case OPT_SEED:
		env.seed = number_arg("--seed", arg, 0, INT64_MAX, state);
		break;
	case OPT_JSON:
		env.json = true;
		break;
	case ARGP_KEY_ARG:
		if (env.run)
			args_error(state, "too many runs: give one; '%s' is a second one",
				   arg);
		env.run = arg;
		break;
	case ARGP_KEY_END:
		if (!env.run)
			args_error(state, "RUN is missing: give a folder of boot files");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Formats a level's deviation in percent; "-" if it was not repeated. */
static const char *level_text(double var, char buf[NUMBER_SIZE])
{
	if (isnan(var))
		return "-";
	if (var <= 0)
		return "none";
	snprintf(buf, NUMBER_SIZE, "%.2g%%", 100 * sqrt(var));
	return buf;
}

static const char *boots_text(size_t boots, char buf[NUMBER_SIZE])
{
	if (!boots)
		return "-";
	snprintf(buf, NUMBER_SIZE, "%zu", boots);
	return buf;
}

static const char *time_text(double s, char buf[NUMBER_SIZE])
{
	if (s < 90)
		snprintf(buf, NUMBER_SIZE, "%.0f s", s);
	else if (s < 90 * 60)
		snprintf(buf, NUMBER_SIZE, "%.0f min", s / 60);
	else
		snprintf(buf, NUMBER_SIZE, "%.1f h", s / 3600);
	return buf;
}

static void print_rows(const struct plan *p)
{
	struct table *t = table_new();
	bool processes = p->processes > 1;
	char a[NUMBER_SIZE];
	size_t i;

	table_column(t, "per operation", false);
	table_column(t, "mean", true);
	table_column(t, "batches", true);
	if (processes)
		table_column(t, "processes", true);
	table_column(t, "boots", true);
	table_column(t, "best batches", true);
	table_column(t, "boots a side", true);
	for (i = 0; i < p->nr; i++) {
		const struct plan_row *r = &p->row[i];
		char *params = params_text(r->point->params, " ");

		if (!i || p->row[i - 1].point != r->point)
			table_line(t, 0, "%s%s%s", r->point->bench,
				   *params ? " " : "", params);
		table_row(t);
		table_cell(t, "%s", r->metric);
		table_cell(t, "%s", format_value(r->mean, TIER_TIMED, a));
		table_cell(t, "%s", level_text(r->batch_var, a));
		if (processes)
			table_cell(t, "%s", level_text(r->process_var, a));
		table_cell(t, "%s", level_text(r->boot_var, a));
		if (r->best_batches)
			table_cell(t, "%zu", r->best_batches);
		else
			table_cell(t, "any");
		table_cell(t, "%s", boots_text(r->boots_needed, a));
		free(params);
	}
	table_print_mail(t, stdout, 1, MAIL_WIDTH);
	table_free(t);
}

/* Prints what each effect costs, with the cheapest number of batches for it. */
static void print_effects(const struct plan *p)
{
	static const double effect[] = { .005, .01, .02, .05, .1 };
	struct table *t = table_new();
	char a[NUMBER_SIZE];
	size_t i;

	table_column(t, "effect", true);
	table_column(t, "boots a side", true);
	table_column(t, "both kernels take", true);
	for (i = 0; i < ARRAY_SIZE(effect); i++) {
		size_t boots = plan_boots_all(p, effect[i], p->batches);

		table_row(t);
		table_cell(t, "%g%%", 100 * effect[i]);
		table_cell(t, "%s", boots_text(boots, a));
		table_cell(t, "%s", boots ? time_text(plan_seconds(p, boots,
						p->batches), a) : "-");
	}
	table_print_mail(t, stdout, 1, MAIL_WIDTH);
	table_free(t);
}

/* Returns the smallest effect that @minutes can detect; 0 if there is none. */
static double effect_for(const struct plan *p, double minutes)
{
	double low = 1e-5, high = 10;
	int i;

	if (plan_seconds(p, plan_boots_all(p, high, p->batches), p->batches) >
	    60 * minutes)
		return 0;
	for (i = 0; i < 60; i++) {
		double mid = sqrt(low * high);
		size_t boots = plan_boots_all(p, mid, p->batches);

		if (boots && plan_seconds(p, boots, p->batches) <=
			     60 * minutes)
			high = mid;
		else
			low = mid;
	}
	return high;
}

/* Prints the order of boots; the caller limits it to a few hundred. */
static void print_order(const struct plan *p)
{
	char *order = plan_order(p->boots, env.seed);
	char *spaced = xcalloc(3 * p->boots + 2, 1), *to = spaced, *c;

	for (c = order; *c; c++) {
		*to++ = *c;
		if ((c - order) % 4 == 3)
			*to++ = ' ';
	}
	print_line(stdout, 0, 2, "Boot base (A) and new (B) in turn, seed %llu: %s",
		   (unsigned long long)env.seed, spaced);
	free(spaced);
	free(order);
}

static void print_plan(const struct plan *p)
{
	const struct plan_options *o = p->options;
	char a[NUMBER_SIZE], b[NUMBER_SIZE];

	print_line(stdout, 0, 2, "To detect %g%% with power %g%% in a table of %zu timed row%s (level %g%%, %s):",
		   100 * o->effect, 100 * o->power, p->rows, plural(p->rows),
		   100 * o->alpha,
		   p->boots && p->boots < stat_rank_least(p->rows, o->alpha) ?
		   "max-t permutation" : "Holm");
	if (p->boots)
		print_line(stdout, 2, 4, "%zu boots of each kernel with --batches %zu: %s for both",
			   p->boots, p->batches, time_text(p->seconds, a));
	else
		print_line(stdout, 2, 4, "more boots than ptelab can compute");
	if (p->now_boots)
		print_line(stdout, 2, 4, "with %zu batch%s, as in this run: %zu boots of each, %s",
			   p->now_batches, p->now_batches == 1 ? "" : "es",
			   p->now_boots, time_text(p->now_seconds, b));
	putchar('\n');
	print_rows(p);
	putchar('\n');
	print_effects(p);
	putchar('\n');
	if (p->boots && p->boots <= 200)
		print_order(p);
	if (env.minutes && effect_for(p, env.minutes) > 0)
		print_line(stdout, 0, 2, "In %g minutes: %.2g%% can be detected.",
			   env.minutes, 100 * effect_for(p, env.minutes));
	else if (env.minutes)
		print_line(stdout, 0, 2, "In %g minutes: nothing; even the fewest boots take longer.",
			   env.minutes);
	print_line(stdout, 0, 2, "batches, processes, boots: standard deviation that each level adds, in percent of the mean (Kalibera and Jones); none: the level below explains it all. best batches: the number at which another batch gains as much as another boot, at %g s a boot. Boots a side: for the upper limit (80%%) of how boots may differ, as %zu boots tell it; the fewer these are, the more it asks for.",
		   o->boot_s, p->row[0].boots);
}

static json_t *number_or_null(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *row_json(const struct plan_row *r)
{
	return json_pack("{s:s, s:O, s:s, s:f, s:I, s:I, s:I, s:o, s:o, s:o,"
			 " s:f, s:o, s:o}", "bench", r->point->bench, "params",
			 r->point->params, "metric", r->metric, "mean",
			 r->mean, "boots", (json_int_t)r->boots, "processes",
			 (json_int_t)r->processes, "batches",
			 (json_int_t)r->batches,
			 "batch_variance", number_or_null(r->batch_var),
			 "process_variance", number_or_null(r->process_var),
			 "boot_variance", number_or_null(r->boot_var),
			 "batch_seconds", r->batch_s,
			 "best_batches", r->best_batches ?
			 json_integer(r->best_batches) : json_null(),
			 "boots_needed", r->boots_needed ?
			 json_integer(r->boots_needed) : json_null());
}

static void print_json(const struct plan *p)
{
	json_t *rows = json_array(), *all;
	size_t i;

	for (i = 0; i < p->nr; i++)
		json_array_append_new(rows, row_json(&p->row[i]));
	all = json_pack("{s:s, s:f, s:f, s:f, s:I, s:f, s:o, s:o, s:o, s:o}",
			"schema", "ptelab-plan-1", "effect", p->options->effect,
			"power", p->options->power, "alpha", p->options->alpha,
			"rows", (json_int_t)p->rows,
			"boot_seconds", p->options->boot_s,
			"boots", p->boots ? json_integer(p->boots) :
			json_null(),
			"batches", p->boots ? json_integer(p->batches) :
			json_null(),
			"seconds", p->boots ? json_real(p->seconds) :
			json_null(),
			"points", rows);
	if (p->boots) {
		char *order = plan_order(p->boots, env.seed);

		json_object_set_new(all, "order", json_string(order));
		json_object_set_new(all, "seed", json_integer(env.seed));
		free(order);
	}
	if (env.minutes)
		json_object_set_new(all, "effect_for_minutes",
				    json_real(effect_for(p, env.minutes)));
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static const struct argp_child children[] = {
	{ &bench_argp, 0, NULL, 0 },
	{ 0 }
};

int cmd_plan(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "RUN", doc, children,
					  NULL, NULL };
	struct plan *p = NULL;
	struct side *s;

	memset(&env, 0, sizeof(env));
	env.o = plan_defaults;
	env.seed = 1;
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	if (!env.o.select.nr_metrics)
		select_metric(&env.o.select, "ns");
	s = side_load(env.run, &env.o.select);
	if (s)
		p = plan_make(s, &env.o);
	if (p && env.json)
		print_json(p);
	else if (p)
		print_plan(p);
	plan_free(p);
	side_free(s);
	selection_free(&env.o.select);
	return p ? EXIT_DONE : EXIT_COULD_NOT;
}
