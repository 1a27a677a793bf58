/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether the measured points ran the code that differs between the kernels,
 * from the changes.json that make ab leaves beside the two runs. "No
 * difference" is evidence only about code that ran.
 */
#ifndef PTELAB_EXERCISED_H
#define PTELAB_EXERCISED_H

#include "analysis/load/load.h"

enum exercised {
	EXERCISED_UNKNOWN,	/* unknown what changed, or what ran */
	EXERCISED_SAME_CODE,	/* no machine code or data differs */
	EXERCISED_DATA,		/* only data differs; its reads are not counted */
	EXERCISED_NEVER,	/* none of the changed code ran */
	EXERCISED_OUTSIDE,	/* some did, but only in set-up or at boot */
	EXERCISED_PART,
	EXERCISED_ALL,
};

/*
 * Returns the changes.json of two runs in one folder; NULL if there is none. A
 * new reference.
 */
json_t *exercised_load(const struct side *base, const struct side *new);

/*
 * Returns the manifest.json that make ab wrote for two runs; NULL if there is
 * none. A new reference.
 */
json_t *ab_manifest(const struct side *base, const struct side *new);

/* @changes: a document of changes_json(), or NULL. */
enum exercised exercised_of(const json_t *changes);
/* Returns "unknown", "same code", "only data", "not exercised", ... */
const char *exercised_name(enum exercised e);
/*
 * Returns a sentence on what changed and how much of it ran. It names functions
 * that did not run, with the reason if known. NULL if nothing is known. The
 * caller frees.
 */
char *exercised_text(const json_t *changes);
/*
 * The same in about @width characters, without instructions and with fewer
 * names.
 */
char *exercised_brief(const json_t *changes, size_t width);

#endif
