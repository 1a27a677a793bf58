/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of a difference that belongs to configuration options that differ, as far as
 * their code can be identified: by instructions that the compiler adds for nothing else,
 * or by functions that only the option builds. Code that is inlined elsewhere is not
 * found, so this is a lower bound. Options that are the same on both sides are left out:
 * there such code differs only because other code does.
 */
#ifndef PTELAB_BY_OPTION_H
#define PTELAB_BY_OPTION_H

#include <jansson.h>

#include "analysis/code/explain.h"

/* [[OPTION, base, new], ...]; @differing has their names as keys. A new reference. */
json_t *by_option(const struct explanation *e, const json_t *differing);

#endif
