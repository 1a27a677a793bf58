/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The subcommands. argv[0] is "ptelab NAME", for usage texts. Each returns an
 * exit code of lib/util.h; before EXIT_COULD_NOT it leaves fail() text, which
 * main() prints as "ptelab: TEXT".
 */
#ifndef PTELAB_CMD_H
#define PTELAB_CMD_H

#include <jansson.h>

int cmd_list(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_trace(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_merge(int argc, char **argv);
int cmd_plot(int argc, char **argv);
int cmd_sweep(int argc, char **argv);
int cmd_cell(int argc, char **argv);

/* cmd_run(), with the members of @extra (may be NULL) in the run's header. */
int run_measure(int argc, char **argv, json_t *extra);

#endif
