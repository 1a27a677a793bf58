// SPDX-License-Identifier: GPL-2.0
/* ptelab plot: draws one run or several. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/load/environ.h"
#include "analysis/plot/plot.h"
#include "analysis/plot/plot_stat.h"
#include "analysis/report/report.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_KEEP = 256, OPT_TREND };

static const struct argp_option options[] = {
	{ "output", 'o', "DIR", 0, "write the pictures to DIR; default plots",
	  0 },
	{ "format", 'f', "FORM,...", 0, NULL, 0 },
	{ "metric", 'm', "GLOB", 0,
	  "draw these metrics; default time, or else kernel instructions", 0 },
	{ "keep", OPT_KEEP, NULL, 0,
	  "keep the gnuplot scripts, which contain their data", 0 },
	{ "trend", OPT_TREND, NULL, 0,
	  "draw the cost over many runs in order (releases, or commits of a series), with change points", 0 },
	{ 0 }
};

static const char doc[] =
	"Draws a base run, and other runs against it, with gnuplot: every ratio "
	"with its interval, every point, the distribution of batches at the "
	"points that changed most, cost against each parameter with several "
	"values, and the events that a racing CPU caused.\v"
	"Examples:\n"
	"  ptelab plot runs/x/base runs/x/patched -o runs/x/plots\n"
	"  ptelab plot base patched -b gup.pin_fast -m lockless_gathers\n"
	"  ptelab plot base --format terminal\n"
	"  ptelab plot --trend v6.9 v6.10 v6.11 v6.12 -m ns\n"
	"\n"
	"plot prints the names of the files.\n"
	"\n"
	"Exit status: 0 success; 2 failure: gnuplot is missing, a run can't be "
	"read, the environments differ, or there is nothing to draw.";

static struct {
	struct plot_options o;
	struct text_list runs, allow, formats;
	bool trend;
} env;

static char *option_help(int key, const char *text,
			 void *input __attribute__((unused)))
{
	char *all, *help;

	if (key != 'f')
		return (char *)text;
	all = choices_text(&plot_formats);
	help = xasprintf("%s; default svg,png", all);
	free(all);
	return help;
}

static void formats_arg(char *list, struct argp_state *state)
{
	char *save, *name;

	for (name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		choice_arg("--format", &plot_formats, name, state);
		text_add(&env.formats, name);
	}
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &env.o.select;
		state->child_inputs[1] = &env.allow;
		break;
	case 'o':
		env.o.dir = arg;
		break;
	case 'f':
		formats_arg(arg, state);
		break;
	case 'm':
		select_metric(&env.o.select, arg);
		break;
	case OPT_KEEP:
		env.o.keep = true;
		break;
	case OPT_TREND:
		env.trend = true;
		break;
	case ARGP_KEY_ARG:
		add_runs_of(&env.runs, arg);
		break;
	case ARGP_KEY_END:
		if (!env.runs.nr)
			args_error(state, "BASE is missing: give a run, and NEW runs to draw against it");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Returns whether compare accepts the runs. Others are not drawn. */
static bool may_be_compared(struct side *const *side, size_t nr)
{
	bool ok = true;
	size_t i;

	for (i = 1; i < nr && ok; i++) {
		struct env_differences e = env_compare(side[0], side[i],
						       env.allow.v,
						       env.allow.nr);

		ok = !report_refusal(&e, side[0], side[i]);
		env_free(&e);
	}
	return ok;
}

/* Without --metric, also draws the comparisons. */
static int plot_all(struct side *const *side, size_t nr)
{
	struct comparison **c = xcalloc(nr, sizeof(struct comparison *));
	struct compare_options o = compare_defaults;
	size_t drawn = 0, i;
	int ret;

	o.allow = env.allow.v;
	o.nr_allow = env.allow.nr;
	o.select = env.o.select;
	if (nr > 1)
		compare_table(side[0], side + 1, nr - 1, &o, c);
	ret = plot_runs(side, nr, c, &env.o);
	/* a comparison of a single row has no such picture, so @drawn may be 0 */
	if (!ret && !env.o.select.nr_metrics)
		ret = plot_comparisons(c, nr - 1, &env.o, &drawn);
	for (i = 1; i < nr; i++)
		comparison_free(c[i - 1]);
	free(c);
	return ret;
}

static int plot_loaded(struct side *const *side, size_t nr)
{
	int ret;

	if (!may_be_compared(side, nr))
		return EXIT_COULD_NOT;
	ret = env.trend ? plot_trend(side, nr, &env.o) : plot_all(side, nr);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}

static const struct argp_child children[] = {
	{ &bench_argp, 0, NULL, 0 },
	{ &allow_argp, 0, NULL, 0 },
	{ 0 }
};

int cmd_plot(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE [NEW...]", doc, children,
					  option_help, NULL };
	int ret;

	memset(&env, 0, sizeof(env));
	env.o.dir = "plots";
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	env.o.quiet = args_quiet;
	if (!env.formats.nr) {
		text_add(&env.formats, "svg");
		text_add(&env.formats, "png");
	}
	env.o.formats = env.formats.v;
	env.o.nr_formats = env.formats.nr;
	ret = with_runs(&env.runs, &env.allow, &env.o.select, false,
			 plot_loaded);
	free(env.formats.v);
	return ret;
}
