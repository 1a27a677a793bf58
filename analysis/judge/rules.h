/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Findings: the meaning of a difference, if counts alone show it. A new rule is
 * one entry in the table of rules.c.
 */
#ifndef PTELAB_RULES_H
#define PTELAB_RULES_H

#include <stddef.h>

/* The finding of every exact difference. It adds nothing to the table. */
#define EXACT_DIFFERENCE	"exact-difference"

struct comparison;

/*
 * Applies the rules to each point. Results of a point must be adjacent. A rule
 * looks only at metrics that both sides have.
 */
void find_by_rules(struct comparison *c);

/*
 * Adds one finding EXACT_DIFFERENCE for each benchmark and metric whose exact
 * values differ for every seed. Results must be sorted, largest first.
 */
void find_exact_differences(struct comparison *c);

/* Returns the name of a finding and its meaning; NULL after the last. */
const char *finding_name(size_t nr, const char **help);

void findings_free(struct comparison *c);

#endif
