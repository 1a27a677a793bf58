// SPDX-License-Identifier: GPL-2.0
/* ptelab show: a run, readable. */
#include <argp.h>
#include <errno.h>
#include <string.h>

#include "../analysis/show.h"
#include "../lib/util.h"
#include "cmd.h"

enum { OPT_JSON = 256 };

static const struct argp_option options[] = {
	{ "format", 'f', "FORM", 0, "text (default), csv or json", 0 },
	{ "json", OPT_JSON, NULL, 0, "the same as --format json", 0 },
	{ "bench", 'b', "GLOB[:k=v,v]", 0,
	  "only these points; may be given again", 0 },
	{ "metric", 'm', "GLOB", 0, "only these metrics; may be given again",
	  0 },
	{ 0 }
};

static const char doc[] =
	"Shows a run: what it was measured on, every point with its figures "
	"per operation, or why it has none.\v"
	"RUN is a folder of boot files or a single boot file. Of several "
	"boots, the median and the range are shown.\n"
	"\n"
	"Examples:\n"
	"  ptelab show runs/x/base\n"
	"  ptelab show runs/x/base/boot-001.jsonl -b 'gup.*:folio=64k'\n"
	"  ptelab show runs/x/base --json | jq '.points[].bench'\n"
	"\n"
	"Exit status: 0 shown; 2 the run can't be read or has no such point.";

static struct {
	void (*print)(const struct side *s, const struct selection *select,
		      FILE *f);
	struct selection select;
	const char *run;
} env;

static void form_arg(const char *name, struct argp_state *state)
{
	if (!strcmp(name, "text"))
		env.print = show_text;
	else if (!strcmp(name, "csv"))
		env.print = show_csv;
	else if (!strcmp(name, "json"))
		env.print = show_json;
	else
		argp_error(state, "--format takes text, csv or json, not '%s'",
			   name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'f':
		form_arg(arg, state);
		break;
	case OPT_JSON:
		form_arg("json", state);
		break;
	case 'b':
		select_bench(&env.select, arg);
		break;
	case 'm':
		select_metric(&env.select, arg);
		break;
	case ARGP_KEY_ARG:
		if (env.run)
			argp_error(state, "one run at a time; ptelab compare takes several");
		env.run = arg;
		break;
	case ARGP_KEY_END:
		if (!env.run)
			argp_error(state, "which run? A folder of boot files, or one boot file");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int cmd_show(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "RUN", doc, NULL,
					  NULL, NULL };
	struct side *s;
	int ret = EXIT_DONE;

	memset(&env, 0, sizeof(env));
	env.print = show_text;
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return EXIT_COULD_NOT;
	s = side_load(env.run, &env.select);
	if (!s) {
		ret = EXIT_COULD_NOT;
	} else if (!s->nr_points && env.select.nr_benches) {
		fail(ENOENT, "%s: no point matches; see what there is with ptelab show %s",
		     env.run, env.run);
		ret = EXIT_COULD_NOT;
	} else {
		env.print(s, &env.select, stdout);
	}
	side_free(s);
	selection_free(&env.select);
	return ret;
}
