// SPDX-License-Identifier: GPL-2.0
/* ptelab show: a run, readable. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../analysis/barrier.h"
#include "../analysis/mmio.h"
#include "../analysis/show.h"
#include "../lib/util.h"
#include "cmd.h"

enum { OPT_JSON = 256, OPT_BESIDE };

static const struct argp_option options[] = {
	{ "format", 'f', "FORM", 0, "text (default), csv, json; barriers: the barrier family in tables; litmus: outcomes as litmus7 prints them; mmio: sequences against size, in Markdown", 0 },
	{ "json", OPT_JSON, NULL, 0, "the same as --format json", 0 },
	{ "bench", 'b', "GLOB[:k=v,v]", 0,
	  "only these points; may be given again", 0 },
	{ "beside", OPT_BESIDE, "LOG", 0,
	  "--format barriers: with what litmus7 printed into this file", 0 },
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
	"  ptelab show runs/barriers --format barriers\n"
	"\n"
	"Exit status: 0 shown; 2 the run can't be read or has no such point.";

static struct {
	void (*print)(const struct side *s, const struct selection *select,
		      FILE *f);
	struct selection select;
	const char *run;
	struct litmus_result *beside;
	size_t nr_beside;
} env;

static void print_barriers(const struct side *s, const struct selection *select,
			   FILE *f)
{
	(void)select;
	show_barriers(s, env.beside, env.nr_beside, f);
}

static void print_litmus(const struct side *s, const struct selection *select,
			 FILE *f)
{
	(void)select;
	show_litmus(s, f);
}

static void print_mmio(const struct side *s, const struct selection *select,
		       FILE *f)
{
	(void)select;
	show_mmio(s, f);
}

static int load_beside(const char *path)
{
	char *text = read_file(path, NULL);
	int nr;

	if (!text)
		return -errno;
	nr = litmus_parse(text, &env.beside);
	free(text);
	if (nr < 0)
		return fail_prefix(nr, "%s", path);
	env.nr_beside = nr;
	return 0;
}

static void form_arg(const char *name, struct argp_state *state)
{
	if (!strcmp(name, "text"))
		env.print = show_text;
	else if (!strcmp(name, "csv"))
		env.print = show_csv;
	else if (!strcmp(name, "json"))
		env.print = show_json;
	else if (!strcmp(name, "barriers"))
		env.print = print_barriers;
	else if (!strcmp(name, "litmus"))
		env.print = print_litmus;
	else if (!strcmp(name, "mmio"))
		env.print = print_mmio;
	else
		argp_error(state, "--format takes text, csv, json, barriers, litmus or mmio, not '%s'",
			   name);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'f':
		form_arg(arg, state);
		break;
	case OPT_BESIDE:
		if (load_beside(arg))
			return EIO;
		break;
	case OPT_JSON:
		form_arg("json", state);
		break;
	case 'b':
		if (select_bench(&env.select, arg))
			return EINVAL;
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
	litmus_results_free(env.beside, env.nr_beside);
	return ret;
}
