// SPDX-License-Identifier: GPL-2.0
/* ptelab site: results as static pages. */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/site/site.h"
#include "cli/args.h"
#include "cli/cmd.h"
#include "lib/util.h"

static const struct argp_option options[] = {
	{ "output", 'o', "DIR", 0, "write the pages to DIR; default site", 0 },
	{ 0 }
};

static const char doc[] =
	"Makes a folder of static pages of results, for any web server: a page for "
	"each comparison, series and trend, the rows of each benchmark, and an index "
	"that searches them. Nothing but the search needs JavaScript.\v"
	"DIR is a folder that make ab or make trend left, or a folder of such. A "
	"page's address is made of the folder's name and a row's of the point, so "
	"that links stay when the site is made again. An output that ptelab site made "
	"is replaced as a whole, and anything else is refused.\n"
	"\n"
	"Examples:\n"
	"  ptelab site runs -o site\n"
	"  ptelab site runs/trend runs/notify-upgrade-range -o /var/www/ptelab\n"
	"\n"
	"Exit status: 0 success; 2 failure: a folder has no result, two have one "
	"name, or the output can't be written.";

static struct {
	struct text_list dirs;
	const char *out;
} env;

static error_t parse(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case 'o':
		env.out = arg;
		break;
	case ARGP_KEY_ARG:
		text_add(&env.dirs, arg);
		break;
	case ARGP_KEY_END:
		if (!env.dirs.nr)
			args_error(state, "DIR is missing: a folder that make ab or make trend left");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int cmd_site(int argc, char **argv)
{
	static const struct argp argp = { options, parse, "DIR...", doc, NULL, NULL, NULL };
	int ret;

	memset(&env, 0, sizeof(env));
	env.out = "site";
	if (args_parse(&argp, argc, argv, 0))
		return EXIT_COULD_NOT;
	ret = site_make(env.dirs.v, env.dirs.nr, env.out);
	if (!ret && !args_quiet)
		printf("%s/index.html\n", env.out);
	free(env.dirs.v);
	return ret ? EXIT_COULD_NOT : EXIT_DONE;
}
