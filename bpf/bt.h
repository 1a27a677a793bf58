/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A bpftrace that runs beside the operation, and what its maps count: the
 * metrics bt.MAP, and bt.MAP.KEY of maps with keys.
 */
#ifndef PTELAB_BPF_BT_H
#define PTELAB_BPF_BT_H

#include <jansson.h>
#include <sys/types.h>

#include "lib/counter.h"

struct bt;

/*
 * Starts bpftrace and waits until its probes are attached. @script: a program,
 * or a file that ends in .bt with its arguments behind it. Without arguments $1
 * is @pid. Returns NULL with fail() text; errno is ENOENT if there is no
 * bpftrace, else EINVAL.
 */
struct bt *bt_start(const char *script, pid_t pid);
void bt_stop(struct bt *b);
/*
 * What the maps hold now, in a new reference: the numbers by metric. @not: gets
 * the reason for each map that is not of numbers, by metric. NULL with fail()
 * text.
 */
json_t *bt_read(struct bt *b, json_t *not);

/* What was counted between two readings; a new reference. */
json_t *bt_since(const json_t *before, const json_t *now);
/* The reason why a count below 0 is absent. */
extern const char bt_fell[];

/* Sets the script that bt_source runs when it is opened. */
void bt_source_use(const char *script);
extern const struct counter_source bt_source;

#endif
