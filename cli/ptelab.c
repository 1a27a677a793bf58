// SPDX-License-Identifier: GPL-2.0
/*
 * ptelab measures what a kernel patch changes, per operation, in counts and in
 * time. This file only dispatches to the subcommand.
 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmd.h"
#include "lib/util.h"
#include "lib/version.h"

static const struct subcommand {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
	bool plumbing;
} commands[] = {
#define COMMAND(name, help)	{ #name, cmd_##name, help, false },
#define PLUMBING(name, help)	{ #name, cmd_##name, help, true },
#include "cli/commands.def"
#undef PLUMBING
#undef COMMAND
};

static void put_commands(FILE *to, bool plumbing)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].plumbing == plumbing)
			fprintf(to, "  %-9s %s\n", commands[i].name,
				commands[i].help);
}

static void usage(FILE *to)
{
	fputs("Usage: ptelab COMMAND [OPTION...]\n"
	      "Measures what a Linux mm, KVM or VFIO patch changes per operation.\n\n",
	      to);
	put_commands(to, false);
	fputs("\nFor scripts:\n\n", to);
	put_commands(to, true);
	fputs("\nFor details see ptelab COMMAND --help, ptelab(1) and ptelab-COMMAND(1).\n"
	      "\nExamples:\n"
	      "  ptelab list\n"
	      "  ptelab run -b 'gup.*' -p folio=4k,64k,2m -o runs/base\n"
	      "  ptelab compare runs/base runs/patched\n"
	      "\nExit status: 0 success; 1 the condition of --fail-on holds;\n"
	      "2 failure, with one line on standard error that gives the reason.\n", to);
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
	if (!strcmp(name, "diff"))
		name = "compare";
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(commands[i].name, name))
			continue;
		argv[1] = xasprintf("ptelab %s", name);
		return commands[i].main(argc - 1, argv + 1);
	}
	return unknown(name);
}

/* Runs at exit, since --help also exits. */
static void check_stdout(void)
{
	if (fflush(stdout) && errno != EPIPE) {
		fprintf(stderr, "ptelab: standard output: %s\n",
			strerror(errno));
		_exit(EXIT_COULD_NOT);
	}
}

int main(int argc, char **argv)
{
	int ret;

	argp_err_exit_status = EXIT_COULD_NOT;
	/*
	 * If a reader such as head goes away, writes fail with EPIPE. SIGPIPE
	 * would kill ptelab before it restores what it changed.
	 */
	signal(SIGPIPE, SIG_IGN);
	atexit(check_stdout);
	ret = dispatch(argc, argv);
	if (ret == EXIT_COULD_NOT)
		fprintf(stderr, "ptelab: %s\n", fail_text());
	return ret;
}
