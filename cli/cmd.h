/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The subcommands. argv[0] is "ptelab NAME", for usage texts. Each returns an
 * exit code of lib/util.h; before EXIT_COULD_NOT it leaves fail() text, which
 * main() prints as "ptelab: TEXT". To add one, write a cmd_*.c, a line in
 * commands.def and a man page, docs/man/ptelab-NAME.1.
 */
#ifndef PTELAB_CMD_H
#define PTELAB_CMD_H

#include <jansson.h>

#include "lib/choice.h"

#define COMMAND(name, help)	int cmd_##name(int argc, char **argv);
#define PLUMBING(name, help)	COMMAND(name, help)
#include "cli/commands.def"
#undef PLUMBING
#undef COMMAND

/* The values of ptelab run --counter. */
extern const struct choices run_counters;

/* cmd_run() that adds the members of @extra (may be NULL) to the header. */
int run_measure(int argc, char **argv, json_t *extra);

#endif
