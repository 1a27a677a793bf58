/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions that make up a figure: which region of which file, and which
 * of its instructions the metric counts.
 */
#ifndef PTELAB_CODE_COUNTED_H
#define PTELAB_CODE_COUNTED_H

#include <stdbool.h>
#include <stdint.h>

#include "analysis/code/insns.h"
#include "analysis/load/load.h"

/* The instructions of boots. Each file is read at its first use. */
struct insn_store;
struct insn_store *insn_store_new(void);
void insn_store_free(struct insn_store *s);

/*
 * Returns the counts of an observation's figure of @metric, and their file;
 * both belong to the store. NULL with fail() text.
 */
const struct insn_region *insn_store_region(const struct observation *o,
					    const char *metric,
					    struct insn_store *store,
					    const struct insn_file **file);

/* Which instructions a metric counts. */
struct insn_weight {
	const char *space;	/* NULL: of any */
	uint64_t classes;	/* 0: of any */
};

/* Metrics that are sums over instructions; for messages. */
extern const char explain_metrics[];

/* Returns false if the metric is none of them. */
bool insn_weight_of(const char *metric, struct insn_weight *w);
/* Returns whether it counts instruction number @insn of @n. */
bool insn_weigh(const struct insn_weight *w, const struct insn_function *n,
		uint64_t insn);

/*
 * Returns the length of a function's name without the suffix that GCC adds if
 * it changed only how the function is called: foo of foo.isra.0 and
 * foo.constprop.0.isra.0. foo.cold and foo.part.0 are not whole functions, and
 * keep their names.
 */
size_t function_plain_length(const char *name);

#endif
