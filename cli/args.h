/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments that several subcommands take, and the runs that they name. */
#ifndef PTELAB_ARGS_H
#define PTELAB_ARGS_H

#include <argp.h>

#include "../analysis/load.h"

/* A growing list of borrowed texts. */
struct text_list {
	const char **v;
	size_t nr;
};

void text_add(struct text_list *l, const char *item);
/* Adds each part of "a,b,c", which is cut up for it. */
void text_split(struct text_list *l, char *items);

/* "1.5" or "1.5%" as .015; above 0 and below @below percent, else usage. */
double percent_arg(const char *option, const char *text, double below,
		   struct argp_state *state);

/*
 * Loads every run, in order, and ends as @use does with them; EXIT_COULD_NOT
 * if one can't be loaded, which has been said. Frees the runs and what the
 * three arguments hold.
 */
int with_runs(struct text_list *runs, struct text_list *allow,
	      struct selection *select,
	      int (*use)(struct side *const *side, size_t nr));

#endif
