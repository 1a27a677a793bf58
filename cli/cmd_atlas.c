// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab atlas: chooses the points that measure what differs between two
 * kernels.
 */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/pick.h"
#include "analysis/code/subject.h"
#include "bench/harness/atlas_job.h"
#include "bench/harness/point.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_JOB = 256, OPT_ATLAS, OPT_BUDGET };

/* The value of a macro as a string. */
#define TEXT_OF(x)	#x
#define TEXT(x)		TEXT_OF(x)

static const struct argp_option options[] = {
	{ "job", OPT_JOB, NULL, 0,
	  "print the job that an atlas is made with, and nothing else", 0 },
	{ "atlas", OPT_ATLAS, "DIR", 0,
	  "the atlas of BASE; default the newest in the cache", 0 },
	{ "budget", OPT_BUDGET, "N", 0,
	  "choose N points at most; default " TEXT(PICK_BUDGET), 0 },
	{ 0 }
};

static const char doc[] =
	"Chooses the points that measure what differs between two arm64 "
	"kernels, and prints them as a job for scripts/lab/boot.\v"
	"BASE and NEW are vmlinux files, or folders that hold one. An atlas "
	"says which instructions of a kernel each point runs: "
	"scripts/lab/atlas makes one. Chosen are the fewest points that run "
	"all of the changed basic blocks that any point runs, then other "
	"benchmarks and other kinds of points that run some of them, then "
	"neighbours of these: another listener, another folio, other pages. "
	"A few points "
	"that run none of it must come out equal. The comments of the job say "
	"why each point is in it, and which changed functions no point runs.\n"
	"\n"
	"Examples:\n"
	"  scripts/lab/atlas \"$(scripts/lab/kernel)\"\n"
	"  ptelab atlas ~/a/vmlinux ~/b/vmlinux > job\n"
	"  ptelab list --runs change_protection\n"
	"\n"
	"Exit status: 0 done, whether the kernels differ or not; 2 could not.";

static struct {
	struct text_list paths;
	const char *atlas;
	size_t budget;
	bool job;
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case OPT_JOB:
		env.job = true;
		break;
	case OPT_ATLAS:
		env.atlas = arg;
		break;
	case OPT_BUDGET:
		env.budget = number_arg("--budget", arg, 1, 100000, state);
		break;
	case ARGP_KEY_ARG:
		text_add(&env.paths, arg);
		break;
	case ARGP_KEY_END:
		if (env.paths.nr != (env.job ? 0 : 2))
			args_error(state, "two kernels, BASE and NEW, or --job");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

/*
 * Returns whether a value is the default of a benchmark's parameter; false if
 * the benchmark no longer exists.
 */
static bool is_default(const char *bench, const char *param, const char *value)
{
	struct point_list list;
	const struct point *p;
	bool is = false;
	unsigned int i;

	if (!bench_find(bench) || points_expand(&bench, 1, NULL, 0, &list))
		return false;
	p = &list.points[list.nr - 1];	/* behind harness.empty */
	for (i = 0; i < p->bench->nr_params; i++)
		if (!strcmp(p->bench->params[i].name, param))
			is = !strcmp(p->value[i].text, value);
	points_free(&list);
	return is;
}

static int choose(struct match *m)
{
	struct atlas *a = NULL;
	int ret = 0;

	if (m->nr_code || m->nr_data) {
		a = atlas_load(env.atlas);
		ret = a ? atlas_check(a, m->image[CODE_BASE]) : -ENOENT;
	}
	if (!ret)
		pick_job(a, m, env.budget, is_default, stdout);
	atlas_free(a);
	return ret;
}

static int choose_between(const char *const path[2])
{
	struct image *image[NR_IMAGES] = { NULL };
	struct subject s[NR_IMAGES];
	struct match *m = NULL;
	int i, ret = subjects_of(path, 2, s);

	for (i = 0; i < NR_IMAGES && !ret; i++) {
		image[i] = image_load(s[i].vmlinux);
		if (!image[i])
			ret = -EINVAL;
	}
	if (!ret) {
		m = match_images(image[CODE_BASE], image[CODE_NEW]);
		ret = choose(m);
	}
	match_free(m);
	for (i = 0; i < NR_IMAGES; i++) {
		image_free(image[i]);
		subject_free(&s[i]);
	}
	return ret;
}

int cmd_atlas(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE NEW\n--job",
					  doc, NULL, NULL, NULL };
	int ret = 0;

	memset(&env, 0, sizeof(env));
	env.budget = PICK_BUDGET;
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	if (env.job)
		atlas_job(stdout);
	else
		ret = choose_between(env.paths.v);
	free(env.paths.v);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}
