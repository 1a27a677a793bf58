// SPDX-License-Identifier: GPL-2.0
/* ptelab sweep: checks a sweep file, and prints the boots it plans. */
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
#include "cli/sweep.h"
#include "lib/record.h"
#include "lib/util.h"

enum { OPT_BOOTS = 256, OPT_RUN, OPT_JSON, OPT_TSV };

static const struct argp_option options[] = {
	{ "kernel", 'k', "NAME=WHAT", 0,
	  "add a kernel: a .deb, an Image, IMAGE,MODULES.tar.xz or an installed release; may be repeated", 0 },
	{ "boots", OPT_BOOTS, "N", 0, "boot each kernel N times; overrides the file", 0 },
	{ "run", OPT_RUN, "RUN", 0,
	  "take the cost of a point from this run", 0 },
	{ "json", OPT_JSON, NULL, 0, "plan: print JSON", 0 },
	{ "tsv", OPT_TSV, NULL, 0, "plan: print tab-separated lines for scripts", 0 },
	{ 0 }
};

static const char doc[] =
	"Checks a sweep file, or prints its cells in order and their duration, or "
	"lists the keys of sweep files.\v"
	"A sweep file lists what to measure on which kernels, in how many boots "
	"and in which order. A cell is one boot of one kernel. ptelab cell "
	"measures one cell; scripts/sweep drives them all.\n"
	"\n"
	"Examples:\n"
	"  ptelab sweep check my.cfg\n"
	"  ptelab sweep plan quick.cfg -k base=6.12.9-arm64 -k patched=new.deb\n"
	"  ptelab sweep plan my.cfg --run runs/base\n"
	"\n"
	"Exit status: 0 success; 2 failure: the file has an error (FILE:LINE: KEY: "
	"reason), or no kernels to plan for.";

static struct {
	const char *what, *file, *run;
	struct text_list kernels;
	uint64_t boots;
	bool json, tsv;
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'k':
		text_add(&env.kernels, arg);
		break;
	case OPT_BOOTS:
		env.boots = number_arg("--boots", arg, 1, 1000, state);
		break;
	case OPT_RUN:
		env.run = arg;
		break;
	case OPT_JSON:
		env.json = true;
		break;
	case OPT_TSV:
		env.tsv = true;
		break;
	case ARGP_KEY_ARG:
		if (!env.what)
			env.what = arg;
		else if (!env.file)
			env.file = arg;
		else
			args_error(state, "too many files: give one; '%s' is a second one",
				   arg);
		break;
	case ARGP_KEY_END:
		if (!env.what || (strcmp(env.what, "check") &&
				  strcmp(env.what, "plan") &&
				  strcmp(env.what, "keys")))
			args_error(state, "the first argument must be check, plan or keys");
		if (!env.file && strcmp(env.what, "keys"))
			args_error(state, "FILE is missing: give a sweep file");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/* Computes the mean seconds that a point took in a run. */
static int costs_of_run(struct sweep *s, const char *path)
{
	struct run *r = run_load(path);
	double seconds = 0;
	size_t i, points = 0;

	if (!r)
		return -errno;
	for (i = 0; i < r->nr_files; i++) {
		if (isnan(r->files[i]->seconds))
			continue;
		seconds += r->files[i]->seconds;
		points += r->files[i]->nr_points;
	}
	run_free(r);
	if (!points)
		return fail(ENODATA, "%s: has no durations: it was cut short, is of an older ptelab, or has no real clock",
			    path);
	s->point_seconds = seconds / points;
	return 0;
}

static const char *kernel_kind(const struct sweep_kernel *k)
{
	return k->release ? "release" : k->deb ? "deb" : "image";
}

static const char *kernel_what(const struct sweep_kernel *k)
{
	return k->release ?: k->deb ?: k->image;
}

/*
 * Prints tab-separated lines, with "-" for an empty field, for scripts/sweep.
 */
static void print_tsv(const struct sweep *s, const struct sweep_cell *cells,
		      size_t nr)
{
	size_t i;

	printf("set\tboot_timeout\t%u\n", s->boot_timeout);
	printf("set\ttries\t%u\n", s->tries);
	printf("set\tcmdline\t%s\n", s->cmdline ?: "");
	printf("set\tcell_seconds\t%.0f\n", sweep_seconds(s, 1));
	for (i = 0; i < s->nr_kernels; i++)
		printf("kernel\t%s\t%s\t%s\t%s\n", s->kernel[i].name,
		       kernel_kind(&s->kernel[i]), kernel_what(&s->kernel[i]),
		       s->kernel[i].modules ?: "-");
	for (i = 0; i < nr; i++)
		printf("cell\t%s\t%u\n", s->kernel[cells[i].kernel].name,
		       cells[i].boot);
}

static json_t *kernel_json(const struct sweep_kernel *k)
{
	json_t *o = json_pack("{s:s, s:s}", "name", k->name, kernel_kind(k),
			      kernel_what(k));

	if (k->modules)
		json_object_set_new(o, "modules", json_string(k->modules));
	return o;
}

static void print_json(const struct sweep *s, const struct sweep_cell *cells,
		       size_t nr)
{
	json_t *kernels = json_array(), *order = json_array(), *all;
	size_t i;

	for (i = 0; i < s->nr_kernels; i++)
		json_array_append_new(kernels, kernel_json(&s->kernel[i]));
	for (i = 0; i < nr; i++)
		json_array_append_new(order, json_pack("{s:s, s:i}", "kernel",
				s->kernel[cells[i].kernel].name, "boot",
				(int)cells[i].boot));
	all = json_pack("{s:s, s:s, s:I, s:I, s:f, s:I, s:o, s:o}", "schema",
			"ptelab-sweep-plan-1", "file", s->path, "points",
			(json_int_t)s->points.nr, "seed",
			(json_int_t)s->seed, "seconds", sweep_seconds(s, nr),
			"boots", (json_int_t)s->boots, "kernels", kernels,
			"cells", order);
	json_dumpf(all, stdout, JSON_INDENT(1));
	putchar('\n');
	json_decref(all);
}

static void print_text(const struct sweep *s, const struct sweep_cell *cells,
		       size_t nr)
{
	double minutes = sweep_seconds(s, nr) / 60;
	char *line = xstrdup("");
	size_t i;

	if (s->about)
		print_line(stdout, 0, 2, "%s", s->about);
	print_line(stdout, 0, 2, "%zu boots of %zu points, %u of each kernel; about %.0f minutes: %.1f a boot, %g s of it before it measures%s",
		   nr, s->points.nr, s->boots, ceil(minutes),
		   sweep_seconds(s, 1) / 60, s->boot_seconds,
		   env.run ? "" : s->point_seconds > 0 ?
		   " (costs from the file)" :
		   " (the cost of a point is a guess; --run RUN takes it from a run)");
	for (i = 0; i < s->nr_kernels; i++)
		print_line(stdout, 2, 4, "%s: %s %s%s%s", s->kernel[i].name,
			   kernel_kind(&s->kernel[i]),
			   kernel_what(&s->kernel[i]),
			   s->kernel[i].modules ? " with modules " : "",
			   s->kernel[i].modules ?: "");
	for (i = 0; i < nr; i++) {
		char *more = xasprintf("%s %s/%u", line,
				       s->kernel[cells[i].kernel].name,
				       cells[i].boot);

		free(line);
		line = more;
	}
	print_line(stdout, 0, 2, "order, seed %u:%s",
		   s->seed, line);
	free(line);
}

/* Prints how many boots the run's own variance calls for. */
static int print_advice(const struct sweep *s)
{
	struct plan_options o = plan_defaults;
	struct side *side;
	struct plan *p = NULL;

	o.boot_s = s->boot_seconds;
	select_metric(&o.select, "ns");
	side = side_load(env.run, &o.select);
	if (side)
		p = plan_make(side, &o);
	if (p && p->now_boots)
		print_line(stdout, 0, 2, "By the variance of %s, %zu boots of each kernel detect %g %% (for details, run ptelab plan %s).",
			   env.run, p->now_boots, 100 * o.effect, env.run);
	else if (!p)
		print_line(stdout, 0, 2, "How many boots an effect needs: unknown, %s.",
			   fail_text());
	plan_free(p);
	side_free(side);
	selection_free(&o.select);
	return 0;
}

static int plan(struct sweep *s)
{
	struct sweep_cell *cells;
	size_t nr;
	int ret;

	if (!s->nr_kernels)
		return fail(EINVAL, "%s: kernels: none yet; add them with -k, e.g. -k base=6.12.9-arm64 -k patched=linux-image.deb",
			    s->path);
	ret = sweep_fit(s);
	if (ret)
		return ret;
	cells = sweep_cells(s, &nr);
	if (env.json)
		print_json(s, cells, nr);
	else if (env.tsv)
		print_tsv(s, cells, nr);
	else
		print_text(s, cells, nr);
	free(cells);
	return env.run && !env.json && !env.tsv ? print_advice(s) : 0;
}

static int use(struct sweep *s)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < env.kernels.nr && !ret; i++)
		ret = sweep_add_kernel(s, env.kernels.v[i]);
	if (env.boots)
		s->boots = env.boots;
	if (!ret && env.run)
		ret = costs_of_run(s, env.run);
	if (ret)
		return ret;
	if (!strcmp(env.what, "plan"))
		return plan(s);
	printf("%s: %zu points a boot, about %.1f minutes\n", s->path,
	       s->points.nr, sweep_seconds(s, 1) / 60);
	return 0;
}

int cmd_sweep(int argc, char **argv)
{
	static const struct argp argp = { options, parse,
					  "check|plan FILE\nkeys", doc, NULL, NULL, NULL };
	struct sweep *s;
	int ret = -EINVAL;

	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	if (!strcmp(env.what, "keys")) {
		sweep_print_keys(stdout);
		return EXIT_DONE;
	}
	s = sweep_load(env.file);
	if (s)
		ret = use(s);
	sweep_free(s);
	free(env.kernels.v);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}
