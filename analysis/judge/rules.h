/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Findings: what a difference means, where counts alone can say so. A new
 * rule is one entry in the table of rules.c.
 */
#ifndef PTELAB_RULES_H
#define PTELAB_RULES_H

#include <stddef.h>

/* The finding that says no more than that: it follows from the table. */
#define EXACT_DIFFERENCE	"exact-difference"

struct comparison;

/*
 * Applies the rules to each point. Results of a point must stand together.
 * A rule looks only at metrics that both sides have.
 */
void find_by_rules(struct comparison *c);

/*
 * One finding EXACT_DIFFERENCE for each benchmark and metric whose exact
 * values differ for every seed. Results must be sorted, largest first.
 */
void find_exact_differences(struct comparison *c);

/* The names that findings have, and what each means; NULL after the last. */
const char *finding_name(size_t nr, const char **help);

void findings_free(struct comparison *c);

#endif
