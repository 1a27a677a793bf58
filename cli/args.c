// SPDX-License-Identifier: GPL-2.0
/* See args.h. */
#include "args.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/util.h"

void text_add(struct text_list *l, const char *item)
{
	l->v = grow(l->v, l->nr, sizeof(*l->v));
	l->v[l->nr++] = item;
}

void text_split(struct text_list *l, char *items)
{
	char *save, *item;

	for (item = strtok_r(items, ",", &save); item;
	     item = strtok_r(NULL, ",", &save))
		text_add(l, item);
}

double percent_arg(const char *option, const char *text, double below,
		   struct argp_state *state)
{
	char *end;
	double percent = strtod(text, &end);

	if (end == text || (*end && strcmp(end, "%")) || !isfinite(percent) ||
	    percent <= 0 || percent >= below)
		argp_error(state, "%s takes a percentage above 0 and below %g, not '%s'",
			   option, below, text);
	return percent / 100;
}

struct side **sides_load(const struct text_list *runs,
			 const struct selection *select)
{
	struct side **sides = xcalloc(runs->nr, sizeof(*sides));
	size_t i;

	for (i = 0; i < runs->nr; i++) {
		sides[i] = side_load(runs->v[i], select);
		if (!sides[i]) {
			sides_free(sides, i);
			return NULL;
		}
	}
	return sides;
}

void sides_free(struct side **sides, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		side_free(sides[i]);
	free(sides);
}
