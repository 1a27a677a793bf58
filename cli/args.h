/* SPDX-License-Identifier: GPL-2.0 */
/* Arguments that several subcommands share, and how to load the runs they name. */
#ifndef PTELAB_ARGS_H
#define PTELAB_ARGS_H

#include <argp.h>
#include <stdint.h>

#include "analysis/load/load.h"
#include "lib/choice.h"
#include "lib/util.h"

/* -q and -v, which every command accepts; ptelab(1) says what they mean. */
extern bool args_quiet, args_verbose;

/*
 * Like argp_parse(), with -q and -v. If an option is wrong, prints one line and
 * exits. Returns 0, or an error with fail() text.
 */
int args_parse(const struct argp *argp, int argc, char **argv,
	       unsigned int flags);
/* Prints "ptelab COMMAND: TEXT" and exits, for wrong arguments. */
_Noreturn void args_error(const struct argp_state *state, const char *fmt, ...)
	__printf(2, 3);

/* A growing list of strings that the caller owns. */
struct text_list {
	const char **v;
	size_t nr;
};

void text_add(struct text_list *l, const char *item);
/* Adds a run. A folder of make ab stands for its two runs, base and patched. */
void add_runs_of(struct text_list *runs, const char *path);
/* Exits because add_runs_of() made fewer than two. */
_Noreturn void two_runs_needed(const struct argp_state *state);
/* Adds each item of "a,b,c"; modifies @items. */
void text_split(struct text_list *l, char *items);

/* Parses "1.5" or "1.5%" as .015. Values outside 0..@below are usage errors. */
double percent_arg(const char *option, const char *text, double below,
		   struct argp_state *state);

/* Parses a whole number within @min..@max; anything else is a usage error. */
uint64_t number_arg(const char *option, const char *text, uint64_t min,
		    uint64_t max, struct argp_state *state);

/*
 * Returns the row that @text names; an unknown name is a usage error. "help"
 * prints the choices and exits, which bash completion uses.
 */
const void *choice_arg(const char *option, const struct choices *c,
		       const char *text, struct argp_state *state);

/*
 * Options that several subcommands share, as argp children. At ARGP_KEY_INIT the
 * parent sets state->child_inputs[] to what each child fills: a struct selection
 * for -b and -m, a struct text_list for --allow, a double for --margin.
 */
extern const struct argp bench_argp, metric_argp, allow_argp, margin_argp;

/*
 * Returns 0 if each -b and each -m of @select matches something in the runs,
 * else -ENOENT with fail() text that names what there is.
 */
int args_check_selection(struct side *const *side, size_t nr,
			 const struct selection *select);

/*
 * Loads every run, in order, and returns the result of @use for them. Returns
 * EXIT_COULD_NOT with fail() text if a run can't be loaded, or a part of the
 * selection matches nothing. @whole: load the points that were not selected as
 * well, because a comparison judges all of them and prints the selected ones.
 * Frees the runs and the contents of the three arguments.
 */
int with_runs(struct text_list *runs, struct text_list *allow,
	      struct selection *select, bool whole,
	      int (*use)(struct side *const *side, size_t nr));

#endif
