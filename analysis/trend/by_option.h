/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What of a difference is of configuration options that differ and whose code can be
 * told apart: by instructions that the compiler adds for nothing else, or by functions
 * that only the option builds. Code of theirs that is inlined elsewhere is not found,
 * so it is the least that they cost. Where an option is the same on both sides, such
 * code differs because other code does, and is not told.
 */
#ifndef PTELAB_BY_OPTION_H
#define PTELAB_BY_OPTION_H

#include <jansson.h>

#include "analysis/code/explain.h"

/* [[OPTION, base, new], ...]; @differing has their names as keys. A new reference. */
json_t *by_option(const struct explanation *e, const json_t *differing);

#endif
