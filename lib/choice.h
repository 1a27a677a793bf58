/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Words of which an option takes one: a table whose rows begin with a struct
 * choice, the default first. Error messages, --help and completion are made
 * from it, so that a new word is a new row.
 */
#ifndef PTELAB_CHOICE_H
#define PTELAB_CHOICE_H

#include <stddef.h>
#include <stdio.h>

struct choice {
	const char *name;
	const char *help;	/* what the name does not say; may be NULL */
};

struct choices {
	const void *rows;
	size_t nr, size;
};

#define CHOICES(table)	{ table, sizeof(table) / sizeof((table)[0]), \
			  sizeof((table)[0]) }

/* The row of that name; NULL if there is none. */
const void *choice_find(const struct choices *c, const char *name);
const char *choice_name(const struct choices *c, size_t nr);
/* "text, csv or json"; the caller frees. */
char *choices_text(const struct choices *c);
/* "text (default), csv; mmio: what its help says"; the caller frees. */
char *choices_help(const struct choices *c);
/* A line each, the name first. */
void choices_print(const struct choices *c, FILE *f);

#endif
