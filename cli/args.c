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

int with_runs(struct text_list *runs, struct text_list *allow,
	      struct selection *select,
	      int (*use)(struct side *const *side, size_t nr))
{
	struct side **side = xcalloc(runs->nr, sizeof(*side));
	int ret = EXIT_COULD_NOT;
	size_t nr;

	for (nr = 0; nr < runs->nr; nr++) {
		side[nr] = side_load(runs->v[nr], select);
		if (!side[nr])
			break;
	}
	if (nr == runs->nr)
		ret = use(side, nr);
	while (nr)
		side_free(side[--nr]);
	free(side);
	selection_free(select);
	free(allow->v);
	free(runs->v);
	return ret;
}
