/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Selectors of points: GLOB[:k=v,v...[:k=v...]], the argument of -b in every
 * subcommand and in sweep files, e.g. "gup.pin_fast:pages=1,16:folio=4k,64k".
 * "each" as GLOB stands for every benchmark, as a value for all values.
 */
#ifndef PTELAB_SELECTOR_H
#define PTELAB_SELECTOR_H

#include <stdbool.h>
#include <stddef.h>

struct selector_param {
	char *name;
	char **values;
	size_t nr;
	bool used;	/* set by the caller if some benchmark has it */
};

struct selector {
	char *glob;
	struct selector_param *params;
	size_t nr;
};

/*
 * Parse a selector, and a single "k=v,v". Return 0, or -EINVAL with fail() text
 * and nothing to free.
 */
int selector_parse(const char *text, struct selector *s);
int selector_param_parse(const char *text, struct selector_param *p);
void selector_free(struct selector *s);
void selector_param_free(struct selector_param *p);

/* Returns whether one of the values is "each", which stands for all. */
bool selector_each(const struct selector_param *p);
/* Returns whether @value is one of the parameter's; sizes in any spelling. */
bool selector_param_has(const struct selector_param *p, const char *value);

#endif
