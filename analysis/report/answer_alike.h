/* SPDX-License-Identifier: GPL-2.0 */
/* Which lines of an answer say the same, or belong together. */
#ifndef PTELAB_ANSWER_ALIKE_H
#define PTELAB_ANSWER_ALIKE_H

#include "analysis/report/answer.h"

bool same_text(const char *a, const char *b);
/* Whether the labels are alike up to their last comma. */
bool answer_same_stem(const char *a, const char *b);

/*
 * The clause that makes a line another one's variant: "hugetlb"; NULL: it is
 * none. The caller frees.
 */
char *answer_variant_of(const struct answer *a, size_t line, size_t plain);
bool answer_is_variant(const struct answer *a, size_t line);

/* What @label has in front of @plain: "guest's next pass after "; 0: nothing. */
size_t answer_lead(const char *label, const char *plain);
/* The line that this one is what comes after; a->nr: of none that differs. */
size_t answer_leader(const struct answer *a, size_t line);

/* The line's cell of that folio; NULL: it has none. */
const struct answer_cell *answer_cell_of(const struct answer_line *line,
					 const char *folio);
/* By how much the cost differs; 0: it does not. */
double answer_delta(const struct answer_cell *cell);
/* Whether @line says of each of its folios what @other says of it. */
bool answer_same(const struct answer_line *line,
		 const struct answer_line *other);
/* Whether all values of the parameter at the end of the label say the same. */
bool answer_one_for_all(const struct answer *a, size_t line);

#endif
