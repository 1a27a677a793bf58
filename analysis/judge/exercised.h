/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whether what was measured ran the code that differs between the kernels, by
 * the changes.json that make ab leaves beside the two runs. "No difference"
 * says something only of code that ran.
 */
#ifndef PTELAB_EXERCISED_H
#define PTELAB_EXERCISED_H

#include "analysis/load/load.h"

enum exercised {
	EXERCISED_UNKNOWN,	/* not known what changed, or what ran */
	EXERCISED_SAME_CODE,	/* no machine code or data differs */
	EXERCISED_DATA,		/* only data differs; its reads are not counted */
	EXERCISED_NEVER,	/* none of the changed code ran */
	EXERCISED_OUTSIDE,	/* some did, but in no operation: in set-up, at boot */
	EXERCISED_PART,
	EXERCISED_ALL,
};

/* The changes.json of two runs in one folder; NULL: there is none. */
json_t *exercised_load(const struct side *base, const struct side *new);

/* The manifest.json of make ab that two runs are of; NULL: there is none. */
json_t *ab_manifest(const struct side *base, const struct side *new);

/* @changes: a document of changes_json(), or NULL. */
enum exercised exercised_of(const json_t *changes);
/* "unknown", "same code", "only data", "not exercised", ... */
const char *exercised_name(enum exercised e);
/*
 * A sentence on what changed and what of it ran; functions that did not are
 * named, with the reason where it is known. NULL: nothing is known. The caller
 * frees.
 */
char *exercised_text(const json_t *changes);
/* The same in about @width characters: no instructions, fewer names. */
char *exercised_brief(const json_t *changes, size_t width);

#endif
