// SPDX-License-Identifier: GPL-2.0
/* ptelab report: a comparison as one file for a browser. */
#include <argp.h>
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/code/explain.h"
#include "analysis/draw/picture.h"
#include "analysis/plot/plot.h"
#include "analysis/plot/plot_stat.h"
#include "analysis/report/report.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_TITLE = 256, OPT_MANIFEST, OPT_AGAIN };

static const struct argp_option options[] = {
	{ "output", 'o', "FILE", 0, "default report.html; - for standard output",
	  0 },
	{ "title", OPT_TITLE, "TEXT", 0, "of the page", 0 },
	{ "again", OPT_AGAIN, "COMMAND", 0,
	  "shown as what does all of it again", 0 },
	{ "manifest", OPT_MANIFEST, "FILE", 0,
	  "shown under how to do it again, as make ab leaves it", 0 },
	{ 0 }
};

static const char doc[] =
	"Writes one file for a browser: verdict, findings, tables, pictures, "
	"environment, and how to do it again.\v"
	"It refers to nothing outside itself. Without gnuplot it has no "
	"pictures, and says so.\n"
	"\n"
	"Examples:\n"
	"  ptelab report runs/x/base runs/x/patched -o report.html\n"
	"  ptelab report base v1 v2 --title 'contpte, v1 and v2'\n"
	"\n"
	"Exit status: 0 written; 2 could not: a run can't be read, the "
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

/* Ratios first, then every point, sweeps, and what is behind them. */
static int rank(const char *name)
{
	static const char *const first[] = { "forest-", "points-", "folio-",
					     "pages-", "racer-" };
	int i;

	for (i = 0; i < (int)ARRAY_SIZE(first); i++)
		if (!strncmp(name, first[i], strlen(first[i])))
			return i;
	return strncmp(name, "spread-", 7) ? i : i + 1;
}

static int by_rank(const struct dirent **a, const struct dirent **b)
{
	int x = rank((*a)->d_name), y = rank((*b)->d_name);

	return x != y ? x - y : versionsort(a, b);
}

static int is_svg(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".svg");
}

/* Reads and removes what was drawn. */
static void take_pictures(struct report_page *page, const char *dir)
{
	struct dirent **names;
	int nr = scandir(dir, &names, is_svg, by_rank), i;

	for (i = 0; i < nr; i++) {
		char *path = xasprintf("%s/%s", dir, names[i]->d_name);
		char *text = read_file(path, NULL);

		if (text) {
			page->pictures = grow(page->pictures,
					      page->nr_pictures,
					      sizeof(*page->pictures));
			page->pictures[page->nr_pictures++] = text;
		}
		unlink(path);
		free(path);
		free(names[i]);
	}
	if (nr >= 0)
		free(names);
	rmdir(dir);
}

/* A report without pictures is still one; why there are none is in it. */
static void draw(struct report_page *page, struct side *const *side,
		 struct comparison *const *c, size_t nr)
{
	static const char *const svg = "svg";
	const char *tmp = getenv("TMPDIR");
	char *dir = xasprintf("%s/ptelab-report.XXXXXX",
			      tmp && *tmp ? tmp : "/tmp");
	const char *formats[] = { svg };
	struct plot_options o = { .dir = dir, .formats = formats,
				  .nr_formats = 1, .quiet = true };
	size_t drawn = 0;

	if (!mkdtemp(dir)) {
		page->no_pictures = xasprintf("No pictures: %s: %s", dir,
					      strerror(errno));
		free(dir);
		return;
	}
	if (plot_runs(side, nr, &o) ||
	    plot_comparisons(c, nr - 1, &o, &drawn))
		page->no_pictures = xasprintf("No pictures: %s", fail_text());
	take_pictures(page, dir);
	free(dir);
}

/* The largest differences, if their instructions were counted. */
static void explain_into(struct report_page *page, const struct side *base,
			 const struct side *new)
{
	struct insn_store *store = insn_store_new();
	struct explain_pair *pairs;
	size_t nr, i, len;

	pairs = explain_pairs(base, new, "instructions", &nr);
	for (i = 0; i < nr && i < ARRAY_SIZE(page->explained); i++) {
		struct explanation *e = NULL;
		FILE *f;

		if (pairs[i].delta)
			e = explain(pairs[i].base, pairs[i].new,
				    "instructions", -1, store);
		if (!e)
			break;
		f = open_memstream(&page->explained[i], &len);
		explain_text(e, 12, 0, f);
		fclose(f);
		f = open_memstream(&page->flame[i], &len);
		explain_svg(e, f);
		fclose(f);
		page->nr_explained++;
		explanation_free(e);
	}
	free(pairs);
	insn_store_free(store);
}

static int write_page(const struct report *r, const struct report_page *page)
{
	FILE *f = strcmp(env.output, "-") ? fopen(env.output, "we") : stdout;

	if (!f)
		return fail(errno, "%s: %s", env.output, strerror(errno));
	report_html(r, page, f);
	if (f == stdout)
		return 0;
	if (ferror(f) | fclose(f))
		return fail(errno ? errno : EIO, "%s: %s", env.output,
			    strerror(errno));
	printf("%s\n", env.output);
	return 0;
}

static int report_loaded(struct side *const *side, size_t nr)
{
	struct comparison **c = xcalloc(nr - 1, sizeof(struct comparison *));
	struct report r = { c, nr - 1, false };
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
		draw(&page, side, c, nr);
		explain_into(&page, side[0], side[1]);
		ret = write_page(&r, &page);
	}
	for (i = 1; i < nr; i++)
		comparison_free(c[i - 1]);
	for (i = 0; i < page.nr_pictures; i++)
		free(page.pictures[i]);
	free(page.pictures);
	for (i = 0; i < page.nr_explained; i++) {
		free(page.explained[i]);
		free(page.flame[i]);
	}
	free(page.no_pictures);
	free(page.manifest);
	free(page.title);
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
	if (argp_parse(&argp, argc, argv, 0, NULL, NULL))
		return EXIT_COULD_NOT;
	env.o.allow = env.allow.v;
	env.o.nr_allow = env.allow.nr;
	return with_runs(&env.runs, &env.allow, &env.o.select, report_loaded);
}
