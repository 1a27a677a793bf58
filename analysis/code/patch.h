/* SPDX-License-Identifier: GPL-2.0 */
/* Which lines patches leave in the files they change. */
#ifndef PTELAB_CODE_PATCH_H
#define PTELAB_CODE_PATCH_H

#include <stdbool.h>
#include <stddef.h>

struct patched_line {
	unsigned int line;	/* in the file as all patches leave it */
	bool removed;		/* lines went that stood before this one */
	bool code;		/* no comment, no blank, no lone brace */
};

struct patched_file {
	char *name;		/* as the tree has it: mm/gup.c */
	struct patched_line *lines;	/* by line */
	size_t nr;
};

struct patched {
	struct patched_file *files;
	size_t nr;
	char *subject;		/* of the first mail; NULL: no mail */
};

/* Adds the next patch of a series. 0 or -errno with fail() text. */
int patch_add(struct patched *p, const char *path);
void patched_free(struct patched *p);

#endif
