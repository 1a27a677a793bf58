// SPDX-License-Identifier: GPL-2.0
/* ptelab changes: shows which machine code differs between two kernels. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/changes.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_JSON = 256, OPT_PATCH };

static const struct argp_option options[] = {
	{ "patch", OPT_PATCH, "FILE", 0,
	  "a patch between the two kernels; may be repeated, in order. The patches of a run are found automatically",
	  0 },
	{ "json", OPT_JSON, "FILE", OPTION_ARG_OPTIONAL,
	  "print JSON; with FILE, write JSON there and print the text as well",
	  0 },
	{ 0 }
};

static const char doc[] =
	"Shows which functions and data differ between two arm64 kernels, and "
	"which of them ran.\v"
	"BASE and NEW are vmlinux files, folders that hold one, or the two "
	"folders of boot files of a run. RUN is a folder of make ab. Code that "
	"only moved does not differ, since addresses are compared by what they "
	"point to. If the run has instruction counts, changes also shows which "
	"of the new instructions ran, and at how many points.\n"
	"\n"
	"Examples:\n"
	"  ptelab changes runs/notify-upgrade-range\n"
	"  ptelab changes ~/a/vmlinux ~/b/vmlinux --patch my.patch\n"
	"  ptelab changes runs/x/base runs/x/patched --json\n"
	"\n"
	"Exit status: 0 success, whether the kernels differ or not; 2 failure.";

static struct {
	struct text_list paths, patches;
	const char *json_file;
	bool json;
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case OPT_PATCH:
		text_add(&env.patches, arg);
		break;
	case OPT_JSON:
		env.json_file = arg;
		env.json = !arg;
		break;
	case ARGP_KEY_ARG:
		text_add(&env.paths, arg);
		break;
	case ARGP_KEY_END:
		if (env.paths.nr != 1 && env.paths.nr != 2)
			args_error(state, "two kernels or runs are needed: BASE and NEW, or the folder of make ab");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int put_json(const struct changes *c, FILE *f)
{
	json_t *o = changes_json(c);
	int ret = json_dumpf(o, f, JSON_INDENT(1));

	json_decref(o);
	return ret || fputc('\n', f) == EOF ? -EIO : 0;
}

static int write_json(const struct changes *c, const char *path)
{
	FILE *f = fopen(path, "we");
	int bad, ret;

	if (!f)
		return fail(errno, "%s: %s", path, strerror(errno));
	bad = put_json(c, f);
	ret = close_file(f, path);
	return ret || !bad ? ret : fail(EIO, "%s: could not be written", path);
}

int cmd_changes(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BASE NEW\nRUN", doc,
					  NULL, NULL, NULL };
	struct changes *c;
	int ret = 0;

	memset(&env, 0, sizeof(env));
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	c = changes_find(env.paths.v, env.paths.nr, env.patches.v,
			 env.patches.nr);
	free(env.paths.v);
	free(env.patches.v);
	if (!c)
		return EXIT_COULD_NOT;
	if (env.json_file)
		ret = write_json(c, env.json_file);
	if (env.json)
		put_json(c, stdout);
	else
		changes_text(c, args_verbose, stdout);
	changes_free(c);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}
