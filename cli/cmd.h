/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The subcommands. argv[0] is "ptelab NAME", for usage texts. Each returns an
 * exit code of lib/util.h; before EXIT_COULD_NOT it leaves fail() text, which
 * main() prints as "ptelab: TEXT". A new one is a cmd_*.c, a line in
 * commands.def, and what ptelab.1 says of it.
 */
#ifndef PTELAB_CMD_H
#define PTELAB_CMD_H

#include <jansson.h>

#include "lib/choice.h"

#define COMMAND(name, help)	int cmd_##name(int argc, char **argv);
#include "cli/commands.def"
#undef COMMAND

/* What ptelab run --counter takes. */
extern const struct choices run_counters;

/* cmd_run(), with the members of @extra (may be NULL) in the run's header. */
int run_measure(int argc, char **argv, json_t *extra);

#endif
