/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which machine code differs between two kernels, which source it comes from,
 * which lines of a patch produced it, and whether it ran.
 */
#ifndef PTELAB_CODE_CHANGES_H
#define PTELAB_CODE_CHANGES_H

#include <jansson.h>
#include <stdio.h>

#include "analysis/code/lines.h"
#include "analysis/code/match.h"
#include "analysis/code/patch.h"
#include "analysis/code/subject.h"

#define CHANGES_SCHEMA	"ptelab-changes-1"

enum ran_state {
	RAN_UNKNOWN,	/* nothing was counted */
	RAN_NEVER,
	RAN_OUTSIDE,	/* in the boot, but in no counted region */
	RAN_PART,
	RAN_ALL,	/* every new instruction; without new ones, any */
};

struct changed_function {
	const struct code_change *code;
	const char *name;		/* in new; in base if it is gone */
	struct source src;		/* file NULL: not known */
	size_t nr_new, new_ran;		/* instructions not in base */
	enum ran_state ran;
	/*
	 * for each instruction of the new kernel, summed over all points; NULL
	 * if nothing was counted
	 */
	uint64_t *count;
	uint32_t *word;			/* as it ran; 0: never */
	size_t *points;			/* of points that ran any of it */
	size_t nr_points;
	bool seen;		/* any new instruction ran, counted or not */
	/*
	 * why some of it never ran, "on CPUs with MOPS only"; NULL if unknown
	 */
	char *behind;
};

struct changed_object {
	const struct data_change *data;
	const char *name;
	struct source src;
	char *part;	/* ".fault", "[3]"; NULL: unknown */
};

/* A line with new instructions. */
struct changed_line {
	const char *file;
	unsigned int line;
	size_t insns, ran;	/* instructions in changed functions */
	size_t function, insn;	/* the first of them */
	char *behind;		/* why it never ran; NULL: unknown */
};

enum file_state {
	FILE_NO_CODE,		/* not C or assembly, or comments only */
	FILE_NOT_BUILT,
	FILE_UNKNOWN,		/* no debugging information */
	FILE_ALIKE,		/* no machine code of it differs */
	FILE_CHANGED,
};

struct changed_file {
	const struct patched_file *patch;
	enum file_state state;
	char *option;		/* CONFIG_X that would build it; NULL */
	const char **edited;	/* functions of the source */
	size_t *functions;	/* indices of changed functions */
	size_t nr_edited, nr_functions;
};

struct changes {
	struct subject subject[NR_IMAGES];
	struct image *image[NR_IMAGES];
	struct lines *lines[NR_IMAGES];	/* NULL: none */
	struct match *match;
	struct changed_function *functions;	/* as match->code */
	struct changed_object *objects;		/* as match->data */
	struct changed_line *changed;		/* by file and line */
	struct changed_file *files;		/* as patched.files */
	struct patched patched;
	size_t nr_lines;
	size_t patches_missing;
	char *no_lines;		/* NULL, or why lines are unknown */
	char **points;		/* counted ones: "gup.fast folio=4k" */
	size_t nr_points;
	const char *not_counted;	/* why it is unknown what ran; NULL */
};

/*
 * Finds the changes. @path: one or two arguments as subjects_of() takes them.
 * @patches: files of a series, in order; none: those of the run, if they are
 * found. Free with changes_free(). Returns NULL with fail() text.
 */
struct changes *changes_find(const char *const path[], size_t nr,
			     const char *const *patches, size_t nr_patches);
void changes_free(struct changes *c);

/* Returns whether neither code nor data differs. */
bool changes_none(const struct changes *c);
/* Returns the state that holds for all changed and new code. */
enum ran_state changes_ran(const struct changes *c);

/* Returns "ran", "ran in part" and so on, as in changes_json(). */
const char *ran_state_name(enum ran_state ran);

/*
 * Fills in what ran, from the counted boots of new's run. Returns 0 or -errno.
 */
int changes_count(struct changes *c);
/*
 * Returns why instruction @insn of @f never ran; NULL if unknown. The caller
 * frees.
 */
char *ran_behind(const struct changes *c, const struct changed_function *f,
		 size_t insn);

/*
 * Returns the option that builds @file, from the tree's Makefiles; NULL if
 * unknown. The caller frees.
 */
char *kbuild_option(const char *tree, const char *file);
/*
 * Returns the name of a CPU capability, from the kernel's cpucaps.h; the caller
 * frees.
 */
char *cpucap_name(const struct subject *s, unsigned int cap);

/*
 * Prints the changes in at most MAIL_WIDTH columns. @verbose: all of them, and
 * the instructions.
 */
void changes_text(const struct changes *c, bool verbose, FILE *f);
json_t *changes_json(const struct changes *c);

#endif
