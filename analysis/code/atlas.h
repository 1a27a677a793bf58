/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An atlas of a kernel: which of its instructions each point runs. It comes
 * from a counted boot of the job that "ptelab atlas --job" prints;
 * scripts/lab/atlas makes and keeps it.
 */
#ifndef PTELAB_CODE_ATLAS_H
#define PTELAB_CODE_ATLAS_H

#include <stdio.h>

#include "analysis/code/image.h"
#include "analysis/code/insns.h"

/* File in the atlas's folder, beside the boot file. */
#define ATLAS_INSNS	"boot-001" INSNS_SUFFIX

/* A function of the kernel or of a module that some point runs. */
struct atlas_function {
	uint64_t start;
	const char *name;
	const uint32_t *word;	/* as it ran; 0: never */
	size_t nr;
	size_t first;		/* the bit of its first instruction */
};

struct atlas_point {
	const char *bench;
	const json_t *params;
	char *label;		/* "gup.fast folio=4k": see point_label() */
	uint64_t *ran;		/* a bit for each instruction */
	size_t nr_ran;
	bool interrupted;	/* its batch was interrupted */
	size_t first_region;	/* number of its first region in the file */
};

struct atlas {
	char *folder;
	struct insn_file *file;
	struct atlas_function *functions;	/* by start */
	struct atlas_point *points;
	size_t nr_functions, nr_points, nr_insns;
};

/*
 * Loads the atlas in @folder; NULL: the newest in the cache. Returns NULL with
 * fail() text.
 */
struct atlas *atlas_load(const char *folder);
void atlas_free(struct atlas *a);

/*
 * Returns 0, or -EINVAL with fail() text if the atlas is not of the kernel
 * @img.
 */
int atlas_check(const struct atlas *a, const struct image *img);

/* Returns whether point @p runs the instruction at @addr. */
bool atlas_ran(const struct atlas *a, size_t p, uint64_t addr);
/*
 * Returns the point before whose measurement the instruction at @addr first
 * ran, in most cases because the point's set-up runs it; -1 if it never ran, or
 * ran at boot.
 */
long atlas_set_up(const struct atlas *a, uint64_t addr);
/* Returns how many of the instructions within @start..@end point @p runs. */
size_t atlas_count(const struct atlas *a, size_t p, uint64_t start,
		   uint64_t end);

/*
 * Prints the points that run functions of that name, the one with most of their
 * instructions first. Returns 0, or -ENOENT with fail() text.
 */
int atlas_who(const struct atlas *a, const char *function, bool json, FILE *f);

#endif
