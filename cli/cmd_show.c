// SPDX-License-Identifier: GPL-2.0
/* ptelab show: prints a run. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/family/barrier_results.h"
#include "analysis/family/mmio_results.h"
#include "analysis/report/show.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_JSON = 256, OPT_BESIDE };

static const struct argp_option options[] = {
	{ "format", 'f', "FORM", 0, NULL, 0 },
	{ "json", OPT_JSON, NULL, 0, "same as --format json", 0 },
	{ "beside", OPT_BESIDE, "LOG", 0,
	  "with --format barriers: add the results of litmus7 from its log", 0 },
	{ 0 }
};

static const char doc[] =
	"Prints a run: the machine, and every point with its figures per "
	"operation, or the reason why it has none.\v"
	"RUN is a folder of boot files or a single boot file. For several "
	"boots, the median and the range are printed. Of a folder of make ab, "
	"the text shows both runs.\n"
	"\n"
	"Examples:\n"
	"  ptelab show runs/x/base\n"
	"  ptelab show runs/x/base/boot-001.jsonl -b 'gup.*:folio=64k'\n"
	"  ptelab show runs/x/base --json | jq '.points[].bench'\n"
	"  ptelab show runs/barriers --format barriers\n"
	"\n"
	"Exit status: 0 success; 2 the run can't be read or has no such point.";

static struct {
	const struct form *form;
	struct selection select;
	struct text_list runs;
	struct litmus_result *beside;
	size_t nr_beside;
} env;

static void print_text(const struct side *s, const struct selection *select,
		       FILE *f)
{
	show_text(s, select, args_verbose, f);
}

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

static const struct form {
	struct choice choice;
	void (*print)(const struct side *s, const struct selection *select,
		      FILE *f);
} forms[] = {
	{ { "text", NULL }, print_text },
	{ { "csv", NULL }, show_csv },
	{ { "json", NULL }, show_json },
	{ { "barriers", "tables of the barrier family" }, print_barriers },
	{ { "litmus", "outcomes as litmus7 prints them" }, print_litmus },
	{ { "mmio", "Markdown tables of the mmio family" }, print_mmio },
};

static const struct choices form_choices = CHOICES(forms);

static char *option_help(int key, const char *text,
			 void *input __attribute__((unused)))
{
	return key == 'f' ? choices_help(&form_choices) : (char *)text;
}

static const struct form *form_arg(const char *name, struct argp_state *state)
{
	return choice_arg("--format", &form_choices, name, state);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &env.select;
		state->child_inputs[1] = &env.select;
		break;
	case 'f':
		env.form = form_arg(arg, state);
		break;
	case OPT_BESIDE:
		if (load_beside(arg))
			return EIO;
		break;
	case OPT_JSON:
		env.form = form_arg("json", state);
		break;
	case ARGP_KEY_ARG:
		if (env.runs.nr)
			args_error(state, "too many runs: give one; ptelab compare takes several");
		add_runs_of(&env.runs, arg);
		break;
	case ARGP_KEY_END:
		if (!env.runs.nr)
			args_error(state, "RUN is missing: give a folder of boot files, or one boot file");
		if (env.runs.nr > 1 && env.form != forms)
			args_error(state, "a folder of make ab holds two runs, and this format shows one: give %s or %s",
				   env.runs.v[0], env.runs.v[1]);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_child children[] = {
	{ &bench_argp, 0, NULL, 0 },
	{ &metric_argp, 0, NULL, 0 },
	{ 0 }
};

static int show(const char *run)
{
	struct side *s = side_load(run, &env.select);
	int ret = EXIT_DONE;

	if (!s || args_check_selection(&s, 1, &env.select))
		ret = EXIT_COULD_NOT;
	else
		env.form->print(s, &env.select, stdout);
	side_free(s);
	return ret;
}

int cmd_show(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "RUN", doc, children,
					  option_help, NULL };
	size_t i;
	int ret = EXIT_DONE;

	memset(&env, 0, sizeof(env));
	env.form = forms;
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	for (i = 0; i < env.runs.nr && ret == EXIT_DONE; i++) {
		if (i)
			putchar('\n');
		ret = show(env.runs.v[i]);
	}
	free(env.runs.v);
	selection_free(&env.select);
	litmus_results_free(env.beside, env.nr_beside);
	return ret;
}
