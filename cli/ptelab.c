// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab: what does a kernel patch change, per operation, in counts and in
 * time? This file only finds the subcommand.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/util.h"
#include "../lib/version.h"
#include "cmd.h"

static const struct command {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "list", cmd_list,
	  "benchmarks, parameters, what each needs, why it can't run here" },
	{ "doctor", cmd_doctor,
	  "is this machine fit to measure on; what to change, and how" },
	{ "run", cmd_run, "measure this kernel" },
	{ "trace", cmd_trace, "count mm and KVM events of any program" },
	{ "show", cmd_show, "a run, readable" },
	{ "compare", cmd_compare, "what differs between two kernels' runs" },
	{ "plan", cmd_plan, "how many boots and batches it takes to see an effect" },
	{ "sweep", cmd_sweep, "what a sweep file asks for, and how long it takes" },
	{ "cell", cmd_cell, "measure one boot of a sweep" },
	{ "report", cmd_report, "a comparison as one file for a browser" },
	{ "explain", cmd_explain, "which functions a difference of two runs is of" },
	{ "merge", cmd_merge, "the emulator's counts into a boot's results" },
	{ "plot", cmd_plot, "pictures of one run or of several" },
};

static void usage(FILE *to)
{
	size_t i;

	fputs("Usage: ptelab COMMAND [OPTION...]\n"
	      "Measures what a Linux mm, KVM or VFIO patch changes per operation.\n\n",
	      to);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
	fputs("\nptelab COMMAND --help tells more; see also ptelab(1).\n"
	      "\nExamples:\n"
	      "  ptelab list\n"
	      "  ptelab run -b 'gup.*' -p folio=4k,64k,2m -o runs/base\n"
	      "  ptelab compare runs/base runs/patched\n"
	      "\nExit status: 0 done; 1 the condition of --fail-on holds;\n"
	      "2 could not, one line on standard error says why.\n", to);
}

static int unknown(const char *name)
{
	const char *names[ARRAY_SIZE(commands)], *near;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		names[i] = commands[i].name;
	near = nearest_name(name, names, ARRAY_SIZE(names));
	if (near)
		fail(EINVAL, "no command '%s'; did you mean %s?", name, near);
	else
		fail(EINVAL, "no command '%s'; see ptelab --help", name);
	return EXIT_COULD_NOT;
}

static int dispatch(int argc, char **argv)
{
	const char *name;
	size_t i;

	if (argc < 2) {
		usage(stderr);
		exit(EXIT_COULD_NOT);
	}
	name = argv[1];
	if (!strcmp(name, "--help") || !strcmp(name, "-h") ||
	    !strcmp(name, "help")) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "-V")) {
		puts("ptelab " PTELAB_VERSION);
		return EXIT_DONE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		argv[1] = xasprintf("ptelab %s", name);
		return commands[i].main(argc - 1, argv + 1);
	}
	return unknown(name);
}

int main(int argc, char **argv)
{
	int ret;

	argp_err_exit_status = EXIT_COULD_NOT;
	/* A reader that goes away (head) is seen as EPIPE, not as death in
	 * the middle of something that must be put back. */
	signal(SIGPIPE, SIG_IGN);
	ret = dispatch(argc, argv);
	if (ret == EXIT_COULD_NOT)
		fprintf(stderr, "ptelab: %s\n", fail_text());
	if (fflush(stdout) && errno != EPIPE) {
		fprintf(stderr, "ptelab: standard output: %s\n",
			strerror(errno));
		ret = EXIT_COULD_NOT;
	}
	return ret;
}
