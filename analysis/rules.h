/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Findings: what a difference means, where counts alone can say so. A new
 * rule is one entry in the table of rules.c.
 */
#ifndef PTELAB_RULES_H
#define PTELAB_RULES_H

struct comparison;

/*
 * Applies the rules to each point. Results of a point must stand together.
 * A rule looks only at metrics that both sides have.
 */
void find_by_rules(struct comparison *c);

/*
 * One finding "exact-difference" for each benchmark and metric whose exact
 * values differ for every seed. Results must be sorted, largest first.
 */
void find_exact_differences(struct comparison *c);

void findings_free(struct comparison *c);

#endif
