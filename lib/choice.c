// SPDX-License-Identifier: GPL-2.0
/* See choice.h. */
#include "lib/choice.h"

#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

static const struct choice *row(const struct choices *c, size_t i)
{
	return (const void *)((const char *)c->rows + i * c->size);
}

const void *choice_find(const struct choices *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->nr; i++)
		if (!strcmp(row(c, i)->name, name))
			return row(c, i);
	return NULL;
}

const char *choice_name(const struct choices *c, size_t nr)
{
	return row(c, nr)->name;
}

char *choices_text(const struct choices *c)
{
	char *text = xstrdup(""), *more;
	size_t i;

	for (i = 0; i < c->nr; i++) {
		more = xasprintf("%s%s%s", text, !i ? "" :
				 i + 1 < c->nr ? ", " : " or ",
				 row(c, i)->name);
		free(text);
		text = more;
	}
	return text;
}

char *choices_help(const struct choices *c)
{
	char *text = xstrdup(""), *more;
	bool long_one = false;
	size_t i;

	for (i = 0; i < c->nr; i++) {
		const struct choice *r = row(c, i);

		long_one = long_one || r->help;
		more = xasprintf("%s%s%s%s%s%s", text,
				 !i ? "" : long_one ? "; " : ", ", r->name,
				 i ? "" : " (default)", r->help ? ": " : "",
				 r->help ? r->help : "");
		free(text);
		text = more;
	}
	return text;
}

void choices_print(const struct choices *c, FILE *f)
{
	size_t i;

	for (i = 0; i < c->nr; i++)
		fprintf(f, "%s%s%s\n", row(c, i)->name,
			row(c, i)->help ? "\t" : "",
			row(c, i)->help ? row(c, i)->help : "");
}
