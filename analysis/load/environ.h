/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compares the environments of two runs, and of the boots within each. A difference
 * other than the kernel itself is a reason to refuse the comparison, unless the user
 * allows it.
 *
 * Boots are compared within their machine mode: exact boots may have one CPU
 * and race boots of the same run two.
 */
#ifndef PTELAB_ENVIRON_H
#define PTELAB_ENVIRON_H

#include <stdbool.h>
#include <stddef.h>

#include "analysis/load/load.h"

enum env_scope {
	ENV_BETWEEN,		/* base and new differ */
	ENV_WITHIN_BASE,	/* boots of one side differ */
	ENV_WITHIN_NEW,
};

struct env_difference {
	char *key;	/* "governor", "cpu.model", "cmdline", ... */
	char *mode;
	enum env_scope scope;
	/* Values as text; within a side, two values of its boots. */
	char *base, *new;
	bool matters;	/* not part of the kernel's identity */
	bool allowed;	/* the user named the key, or a glob for it */
};

struct env_differences {
	struct env_difference *d;
	size_t nr;
};

/* @allow: keys or globs, @nr_allow of them. Free with env_free(). */
struct env_differences env_compare(const struct side *base,
				   const struct side *new,
				   const char *const *allow, size_t nr_allow);
void env_free(struct env_differences *e);

/* Returns the number of differences that matter and are not allowed. */
size_t env_refused(const struct env_differences *e);

/*
 * Returns "key: base X, new Y"; of long values (a command line, CPU features)
 * only the words that differ. The caller frees.
 */
char *env_difference_text(const struct env_difference *d);

/*
 * Returns whether an earlier difference than @nr is the same one in another
 * mode.
 */
bool env_said_before(const struct env_differences *e, size_t nr);

/* Returns "between", "within base" or "within new". */
const char *env_scope_name(enum env_scope scope);

#endif
