// SPDX-License-Identifier: GPL-2.0
/* ptelab merge: adds the emulator's counts to the results of a boot. */
#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/code/merge.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

enum { OPT_SYMBOLS = 256, OPT_PROGRAM, OPT_MODULE };

static const struct argp_option options[] = {
	{ "output", 'o', "FILE.jsonl", 0,
	  "write the boot file here, and FILE.insns.gz beside it; required", 0 },
	{ "symbols", OPT_SYMBOLS, "SYSTEM.MAP", 0, "symbols of the kernel", 0 },
	{ "program", OPT_PROGRAM, "ELF", 0, "the program that ran in user mode", 0 },
	{ "module", OPT_MODULE, "FILE.ko@ADDRESS", 0,
	  "a module, and the address of its .text; may be repeated", 0 },
	{ 0 }
};

static const char doc[] =
	"Adds the counts of the emulator's plugin to the results of a boot. "
	"scripts/lab/boot --count calls it.\v"
	"BOOT is the output of the guest's commands, COUNTS that of the plugin. "
	"Without symbols, functions are named by address.\n"
	"\n"
	"Example:\n"
	"  ptelab merge raw.jsonl counts -o boot-001.jsonl --symbols System.map\n"
	"\n"
	"Exit status: 0 success; 2 failure, and nothing was written.";

static struct {
	const char *in, *counts, *out;
	struct symbols *sym;
} env;

static error_t parse_module(const char *arg)
{
	const char *at = strrchr(arg, '@');
	uint64_t address = at ? strtoull(at + 1, NULL, 16) : 0;
	char *path;
	int ret;

	if (!address)
		return fail(EINVAL, "--module takes FILE.ko@ADDRESS, not '%s'",
			    arg);
	path = xstrndup(arg, at - arg);
	ret = symbols_add_elf(env.sym, path, address);
	free(path);
	return ret;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	error_t ret = 0;

	switch (key) {
	case 'o':
		env.out = arg;
		break;
	case OPT_SYMBOLS:
		ret = symbols_add_map(env.sym, arg);
		break;
	case OPT_PROGRAM:
		ret = symbols_add_elf(env.sym, arg, 0);
		break;
	case OPT_MODULE:
		ret = parse_module(arg);
		break;
	case ARGP_KEY_ARG:
		if (!env.in)
			env.in = arg;
		else if (!env.counts)
			env.counts = arg;
		else
			args_error(state, "too many arguments: give BOOT and COUNTS, not '%s'",
				   arg);
		break;
	case ARGP_KEY_END:
		if (!env.counts || !env.out)
			args_error(state, "BOOT, COUNTS and -o are needed");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return ret ? EIO : 0;
}

int cmd_merge(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "BOOT COUNTS", doc,
					  NULL, NULL, NULL };
	struct regions *r = NULL;
	int ret;

	memset(&env, 0, sizeof(env));
	env.sym = symbols_new();
	ret = args_parse(&argp, argc, argv, 0);
	if (!ret) {
		r = regions_load(env.counts);
		ret = !r || merge_counts(env.in, r, env.sym, env.out);
	}
	regions_free(r);
	symbols_free(env.sym);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}
