// SPDX-License-Identifier: GPL-2.0
/* ptelab plot: pictures of one run or of several. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../analysis/environ.h"
#include "../analysis/plot.h"
#include "../analysis/plot_stat.h"
#include "../analysis/report.h"
#include "../lib/util.h"
#include "cmd.h"

enum { OPT_KEEP = 256, OPT_ALLOW, OPT_TREND };

static const struct argp_option options[] = {
	{ "output", 'o', "DIR", 0, "folder for the pictures; default plots",
	  0 },
	{ "format", 'f', "FORM,...", 0,
	  "svg, png, pdf, terminal; default svg,png", 0 },
	{ "bench", 'b', "GLOB[:k=v,v]", 0,
	  "only these points; may be given again", 0 },
	{ "metric", 'm', "GLOB", 0,
	  "draw these metrics; default: time, or else kernel instructions", 0 },
	{ "keep", OPT_KEEP, NULL, 0,
	  "leave the gnuplot scripts, which hold their data, as well", 0 },
	{ "trend", OPT_TREND, NULL, 0,
	  "many runs in order (v6.9, v6.12, ...; a series' commits): cost over them, with change points", 0 },
	{ "allow", OPT_ALLOW, "KEY,...", 0,
	  "environment differences that are meant; globs", 0 },
	{ 0 }
};

static const char doc[] =
	"Draws a base run and others against it, with gnuplot: every ratio "
	"with its interval, every point, how the batches of the most changed "
	"points are spread, cost against each parameter that was swept, and "
	"what a racing CPU caused.\v"
	"Examples:\n"
	"  ptelab plot runs/x/base runs/x/patched -o runs/x/plots\n"
	"  ptelab plot base patched -b gup.pin_fast -m lockless_gathers\n"
	"  ptelab plot base --format terminal\n"
	"  ptelab plot --trend v6.9 v6.10 v6.11 v6.12 -m ns\n"
	"\n"
	"The names of the files are printed. Exit status: 0 drawn; 2 could "
	"not: gnuplot is missing, a run can't be read, the environments "
	"differ, or there is nothing to draw.";

static struct {
	struct plot_options o;
	const char **allow;
	size_t nr_allow;
	const char **runs;
	size_t nr_runs;
	bool trend;
} env;

static void add(const char ***list, size_t *nr, const char *item)
{
	*list = grow(*list, *nr, sizeof(**list));
	(*list)[(*nr)++] = item;
}

static void formats_arg(char *list, struct argp_state *state)
{
	char *save, *name;

	for (name = strtok_r(list, ",", &save); name;
	     name = strtok_r(NULL, ",", &save)) {
		if (!plot_format_known(name))
			argp_error(state, "--format takes svg, png, pdf and terminal, not '%s'",
				   name);
		add(&env.o.formats, &env.o.nr_formats, name);
	}
}

static void allow_arg(char *list)
{
	char *save, *key;

	for (key = strtok_r(list, ",", &save); key;
	     key = strtok_r(NULL, ",", &save))
		add(&env.allow, &env.nr_allow, key);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'o':
		env.o.dir = arg;
		break;
	case 'f':
		formats_arg(arg, state);
		break;
	case 'b':
		select_bench(&env.o.select, arg);
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
	case OPT_ALLOW:
		allow_arg(arg);
		break;
	case ARGP_KEY_ARG:
		add(&env.runs, &env.nr_runs, arg);
		break;
	case ARGP_KEY_END:
		if (!env.nr_runs)
			argp_error(state, "which run? BASE, and perhaps NEW runs to draw against it");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* What compare would refuse must not come back as a picture. */
static bool may_be_compared(struct side *const *side, size_t nr)
{
	bool ok = true;
	size_t i;

	for (i = 1; i < nr && ok; i++) {
		struct env_differences e = env_compare(side[0], side[i],
						       env.allow,
						       env.nr_allow);

		ok = !report_refusal(&e, side[0], side[i]);
		env_free(&e);
	}
	return ok;
}

/* Without --metric also what compare says of the runs. */
static int plot_all(struct side *const *side, size_t nr)
{
	struct comparison **c = xcalloc(nr, sizeof(struct comparison *));
	struct compare_options o = compare_defaults;
	size_t drawn = 0, i;
	int ret;

	o.allow = env.allow;
	o.nr_allow = env.nr_allow;
	o.select = env.o.select;
	for (i = 1; i < nr; i++)
		c[i - 1] = compare_sides(side[0], side[i], &o);
	ret = plot_runs(side, nr, &env.o);
	/* a run with a single point of one metric has no such picture */
	if (!ret && !env.o.select.nr_metrics)
		ret = plot_comparisons(c, nr - 1, &env.o, &drawn);
	for (i = 1; i < nr; i++)
		comparison_free(c[i - 1]);
	free(c);
	return ret;
}

static int load_and_plot(void)
{
	struct side **side = xcalloc(env.nr_runs, sizeof(struct side *));
	int ret = EXIT_DONE;
	size_t i;

	for (i = 0; i < env.nr_runs && ret == EXIT_DONE; i++) {
		side[i] = side_load(env.runs[i], &env.o.select);
		if (!side[i])
			ret = EXIT_COULD_NOT;
	}
	if (ret == EXIT_DONE && (!may_be_compared(side, env.nr_runs) ||
				 (env.trend ?
				  plot_trend(side, env.nr_runs, &env.o) :
				  plot_all(side, env.nr_runs))))
		ret = EXIT_COULD_NOT;
	for (i = 0; i < env.nr_runs; i++)
		side_free(side[i]);
	free(side);
	return ret;
}

int cmd_plot(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE [NEW...]", doc,
					  NULL, NULL, NULL };
	int ret;

	memset(&env, 0, sizeof(env));
	env.o.dir = "plots";
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return EXIT_COULD_NOT;
	if (!env.o.nr_formats) {
		add(&env.o.formats, &env.o.nr_formats, "svg");
		add(&env.o.formats, &env.o.nr_formats, "png");
	}
	ret = load_and_plot();
	selection_free(&env.o.select);
	free(env.o.formats);
	free(env.allow);
	free(env.runs);
	return ret;
}
