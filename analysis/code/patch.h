/* SPDX-License-Identifier: GPL-2.0 */
/* Finds the lines that patches add to files. */
#ifndef PTELAB_CODE_PATCH_H
#define PTELAB_CODE_PATCH_H

#include <stdbool.h>
#include <stddef.h>

struct patched_line {
	unsigned int line;	/* in the file after all patches */
	bool removed;		/* lines before this one were removed */
	bool code;		/* not a comment, blank or lone brace */
};

struct patched_file {
	char *name;		/* relative to the tree: mm/gup.c */
	struct patched_line *lines;	/* by line */
	size_t nr;
};

struct patched {
	struct patched_file *files;
	size_t nr;
	char *subject;		/* of the first mail; NULL: not a mail */
};

/* Adds the next patch of a series. Returns 0, or -errno with fail() text. */
int patch_add(struct patched *p, const char *path);
void patched_free(struct patched *p);

#endif
