/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The values of an option: a table whose rows begin with a struct choice, the
 * default first. Error messages, --help and completion are generated from it, so
 * a new value is a new row.
 */
#ifndef PTELAB_CHOICE_H
#define PTELAB_CHOICE_H

#include <stddef.h>
#include <stdio.h>

struct choice {
	const char *name;
	const char *help;	/* NULL if the name explains itself */
};

struct choices {
	const void *rows;
	size_t nr, size;
};

#define CHOICES(table)	{ table, sizeof(table) / sizeof((table)[0]), \
			  sizeof((table)[0]) }

/* Returns the row of that name; NULL if there is none. */
const void *choice_find(const struct choices *c, const char *name);
const char *choice_name(const struct choices *c, size_t nr);
/* "text, csv or json"; the caller frees. */
char *choices_text(const struct choices *c);
/* "text (default), csv; mmio: its help"; the caller frees. */
char *choices_help(const struct choices *c);
/* Prints one line for each row, the name first. */
void choices_print(const struct choices *c, FILE *f);

#endif
