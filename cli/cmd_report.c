// SPDX-License-Identifier: GPL-2.0
/* ptelab report: writes a comparison as one HTML file. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/explain.h"
#include "analysis/report/page.h"
#include "analysis/report/report.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_TITLE = 256, OPT_MANIFEST, OPT_AGAIN };

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0,
	  "write to FILE, - for standard output; default report.html", 0 },
	{ "title", OPT_TITLE, "TEXT", 0, "title of the page", 0 },
	{ "again", OPT_AGAIN, "COMMAND", 0,
	  "show COMMAND as the one that reproduces the result", 0 },
	{ "manifest", OPT_MANIFEST, "FILE", 0,
	  "show this manifest.json of make ab below it", 0 },
	{ 0 }
};

static const char doc[] =
	"Writes one HTML file: verdict, findings, tables, pictures, environment, "
	"and how to reproduce the result.\v"
	"The file refers to nothing outside itself. Without gnuplot it has no "
	"pictures, and says so.\n"
	"\n"
	"Examples:\n"
	"  ptelab report runs/x/base runs/x/patched -o report.html\n"
	"  ptelab report base v1 v2 --title 'contpte, v1 and v2'\n"
	"\n"
	"Exit status: 0 success; 2 failure: a run can't be read, the "
	"environments differ, or nothing was measured on both sides.";

static struct {
	struct compare_options o;
	const char *output, *title, *manifest, *again;
	struct text_list runs, allow;
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &env.o.select;
		state->child_inputs[1] = &env.o.select;
		state->child_inputs[2] = &env.allow;
		state->child_inputs[3] = &env.o.margin;
		break;
	case 'o':
		env.output = arg;
		break;
	case OPT_TITLE:
		env.title = arg;
		break;
	case OPT_AGAIN:
		env.again = arg;
		break;
	case OPT_MANIFEST:
		env.manifest = arg;
		break;
	case ARGP_KEY_ARG:
		add_runs_of(&env.runs, arg);
		break;
	case ARGP_KEY_END:
		if (env.runs.nr < 2)
			two_runs_needed(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int write_page(const struct report *r, const struct report_page *page)
{
	FILE *f = strcmp(env.output, "-") ? fopen(env.output, "we") : stdout;

	if (!f)
		return fail(errno, "%s: %s", env.output, strerror(errno));
	report_html(r, page, f);
	if (f == stdout)
		return 0;
	if (close_file(f, env.output))
		return -errno;
	printf("%s\n", env.output);
	return 0;
}

static int report_loaded(struct side *const *side, size_t nr)
{
	struct comparison **c = xcalloc(nr - 1, sizeof(struct comparison *));
	struct report r = { .c = c, .nr = nr - 1 };
	struct report_page page = { .again = env.again };
	size_t results = 0, i;
	int ret = 0;

	compare_table(side[0], side + 1, nr - 1, &env.o, c);
	for (i = 1; i < nr && !ret; i++) {
		results += c[i - 1]->nr_results;
		if (report_refusal(&c[i - 1]->env, side[0], side[i]))
			ret = -EINVAL;
	}
	if (!ret && !results)
		ret = fail(ENOENT, "nothing could be compared: no point was measured on both sides");
	if (!ret && env.manifest) {
		page.manifest = read_file(env.manifest, NULL);
		ret = page.manifest ? 0 : -errno;
	}
	if (!ret) {
		page.title = env.title ? xstrdup(env.title) :
			     xasprintf("%s against %s", side[1]->label,
				       side[0]->label);
		page_draw(&page, side, c, nr);
		page_explain(&page, side[0], side[1]);
		ret = write_page(&r, &page);
	}
	for (i = 1; i < nr; i++)
		comparison_free(c[i - 1]);
	page_free(&page);
	free(c);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}

static const struct argp_child children[] = {
	{ &bench_argp, 0, NULL, 0 },
	{ &metric_argp, 0, NULL, 0 },
	{ &allow_argp, 0, NULL, 0 },
	{ &margin_argp, 0, NULL, 0 },
	{ 0 }
};

int cmd_report(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE NEW [NEW...]",
					  doc, children, NULL, NULL };

	memset(&env, 0, sizeof(env));
	env.o = compare_defaults;
	env.output = "report.html";
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	env.o.allow = env.allow.v;
	env.o.nr_allow = env.allow.nr;
	return with_runs(&env.runs, &env.allow, &env.o.select, true,
			 report_loaded);
}
