// SPDX-License-Identifier: GPL-2.0
/* ptelab trend: rows over many kernels, and what each step is made of. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analysis/trend/trend.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_TITLE = 256, OPT_TOP, OPT_VARYING };

static const struct argp_option options[] = {
	{ "output", 'o', "DIR", 0,
	  "also write trend.json, trend.txt and trend.svg to DIR", 0 },
	{ "title", OPT_TITLE, "TEXT", 0, "title of the trend", 0 },
	{ "top", OPT_TOP, "N", 0,
	  "print the N largest steps of each kernel; default 6", 0 },
	{ "varying", OPT_VARYING, NULL, 0,
	  "print a selector for each point of which boots of one kernel differ, and nothing else",
	  0 },
	{ 0 }
};

static const char doc[] =
	"Follows each row over many kernels: at which of them it steps, and which "
	"functions account for the step.\v"
	"RUN is a folder of boot files, the oldest kernel first. One that has a file "
	"\"failed\" instead is a hole, for the reason in that file.\n"
	"\n"
	"Examples:\n"
	"  ptelab trend --allow 'cpu.features,mitigations.*' runs/x/6.1 runs/x/6.12 runs/x/7.3\n"
	"  ptelab trend -b gup.futex -m lockless_gathers 6.1 6.12 7.3\n"
	"\n"
	"Exit status: 0 success; 2 failure: a run can't be read, the environments "
	"differ, or no kernel has what was asked for.";

static struct {
	struct compare_options o;
	struct text_list runs, allow;
	const char *dir, *title;
	uint64_t top;
	bool varying;
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &env.o.select;
		state->child_inputs[1] = &env.o.select;
		state->child_inputs[2] = &env.allow;
		break;
	case 'o':
		env.dir = arg;
		break;
	case OPT_TITLE:
		env.title = arg;
		break;
	case OPT_TOP:
		env.top = number_arg("--top", arg, 0, INT32_MAX, state);
		break;
	case OPT_VARYING:
		env.varying = true;
		break;
	case ARGP_KEY_ARG:
		text_add(&env.runs, arg);
		break;
	case ARGP_KEY_END:
		if (env.runs.nr < (env.varying ? 1 : 2))
			args_error(state, "a trend is of at least two runs, the oldest kernel first");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int write_with(const char *name, const json_t *trend,
		      void (*put)(const json_t *trend, FILE *f))
{
	char *path = xasprintf("%s/%s", env.dir, name);
	char *part = xasprintf("%s.part", path);
	FILE *f = fopen(part, "we");
	int ret;

	if (f) {
		put(trend, f);
		ret = close_file(f, part);
		if (!ret && rename(part, path))
			ret = fail(errno, "%s: %s", path, strerror(errno));
	} else {
		ret = fail(errno, "%s: %s", part, strerror(errno));
	}
	if (ret)
		unlink(part);
	free(part);
	free(path);
	return ret;
}

static void put_json(const json_t *trend, FILE *f)
{
	json_dumpf(trend, f, JSON_COMPACT);
	fputc('\n', f);
}

static void put_text(const json_t *trend, FILE *f)
{
	trend_text(trend, env.top, f);
}

static int write_all(const json_t *trend)
{
	int ret = make_dirs(env.dir);

	if (!ret)
		ret = write_with("trend.txt", trend, put_text);
	if (!ret)
		ret = write_with("trend.svg", trend, trend_svg);
	if (!ret)
		ret = write_with("trend.json", trend, put_json);
	return ret;
}

/* Selects this point alone: "gup.futex:folio=64k:pages=16". */
static void print_selector(const json_t *row)
{
	char *params = params_text(json_object_get(row, "params"), ":");

	printf("%s%s%s\n", json_text(row, "bench"), *params ? ":" : "", params);
	free(params);
}

/* A point is printed once, whichever of its rows vary. */
static void print_varying(const json_t *trend)
{
	json_t *rows = json_object_get(trend, "rows"), *row;
	const json_t *last = NULL;
	size_t i;

	json_array_foreach(rows, i, row) {
		if (!json_is_true(json_object_get(row, "varies")) ||
		    (last && json_equal(json_object_get(last, "params"),
					json_object_get(row, "params")) &&
		     !strcmp(json_text(last, "bench"), json_text(row, "bench"))))
			continue;
		print_selector(row);
		last = row;
	}
}

static const struct argp_child children[] = {
	{ &bench_argp, 0, NULL, 0 },
	{ &metric_argp, 0, NULL, 0 },
	{ &allow_argp, 0, NULL, 0 },
	{ 0 }
};

int cmd_trend(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "RUN RUN...", doc,
					  children, NULL, NULL };
	json_t *trend;
	int ret = 0;

	memset(&env, 0, sizeof(env));
	env.o = compare_defaults;
	env.top = 6;
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	env.o.allow = env.allow.v;
	env.o.nr_allow = env.allow.nr;
	trend = trend_make(env.runs.v, env.runs.nr, env.title, &env.o);
	if (!trend)
		ret = -EINVAL;
	else if (env.varying)
		print_varying(trend);
	else if (env.dir)
		ret = write_all(trend);
	if (!ret && !env.varying)
		trend_text(trend, env.top, stdout);
	json_decref(trend);
	selection_free(&env.o.select);
	free(env.allow.v);
	free(env.runs.v);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}
