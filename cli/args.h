/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments that several subcommands take, and the runs that they name. */
#ifndef PTELAB_ARGS_H
#define PTELAB_ARGS_H

#include <argp.h>
#include <stdint.h>

#include "analysis/load/load.h"
#include "lib/choice.h"

/* A growing list of borrowed texts. */
struct text_list {
	const char **v;
	size_t nr;
};

void text_add(struct text_list *l, const char *item);
/* Adds a run, or of a folder that make ab left its two: base and patched. */
void add_runs_of(struct text_list *runs, const char *path);
/* Adds each part of "a,b,c", which is cut up for it. */
void text_split(struct text_list *l, char *items);

/* "1.5" or "1.5%" as .015; above 0 and below @below percent, else usage. */
double percent_arg(const char *option, const char *text, double below,
		   struct argp_state *state);

/* A whole number within @min..@max, else usage. */
uint64_t number_arg(const char *option, const char *text, uint64_t min,
		    uint64_t max, struct argp_state *state);

/*
 * The row that @text names, else usage. "help" prints what there is and ends
 * the program: completion asks so.
 */
const void *choice_arg(const char *option, const struct choices *c,
		       const char *text, struct argp_state *state);

/*
 * Options that several subcommands take, as children of their struct argp; at
 * ARGP_KEY_INIT state->child_inputs[] gets what each fills:
 * -b into a struct selection, -m likewise, --allow into a struct text_list,
 * --margin into a double.
 */
extern const struct argp bench_argp, metric_argp, allow_argp, margin_argp;

/*
 * Loads every run, in order, and ends as @use does with them; EXIT_COULD_NOT
 * if one can't be loaded, which has been said. Frees the runs and what the
 * three arguments hold.
 */
int with_runs(struct text_list *runs, struct text_list *allow,
	      struct selection *select,
	      int (*use)(struct side *const *side, size_t nr));

#endif
