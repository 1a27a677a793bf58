// SPDX-License-Identifier: GPL-2.0
/* Which lines of an answer say the same, or belong together; see answer_alike.h. */
#include "analysis/report/answer_alike.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

/*
 * The clause that @label has more than @plain: "hugetlb" of "host write,
 * hugetlb, VM maps it" against "host write, VM maps it". NULL: that is not all
 * that differs. The caller frees.
 */
static char *more_clause(const char *label, const char *plain)
{
	size_t n = 0, more = strlen(label) - strlen(plain);

	if (strlen(label) <= strlen(plain) + 2)
		return NULL;
	while (label[n] == plain[n] && plain[n])
		n++;
	/* back to the comma that the clause begins with */
	while (n && (strncmp(label + n, ", ", 2) || label[n + more - 1] == ','))
		n--;
	if (!n || strcmp(label + n + more, plain + n) ||
	    memchr(label + n + 2, ',', more - 2))
		return NULL;
	return xstrndup(label + n + 2, more - 2);
}

char *answer_variant_of(const struct answer *a, size_t line, size_t plain)
{
	if (line == plain || line >= a->differing || plain >= a->differing)
		return NULL;
	return more_clause(a->lines[line].label, a->lines[plain].label);
}

bool answer_is_variant(const struct answer *a, size_t line)
{
	char *clause = NULL;
	size_t i;

	for (i = 0; i < a->differing && !clause; i++)
		clause = answer_variant_of(a, line, i);
	free(clause);
	return clause;
}

size_t answer_lead(const char *label, const char *plain)
{
	size_t all = strlen(label), n = strlen(plain);

	return all > n && !strcmp(label + all - n, plain) &&
	       label[all - n - 1] == ' ' ? all - n : 0;
}

size_t answer_leader(const struct answer *a, size_t line)
{
	size_t i;

	for (i = 0; i < a->differing; i++)
		if (answer_lead(a->lines[line].label, a->lines[i].label))
			return i;
	return a->nr;
}

bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool answer_same_stem(const char *a, const char *b)
{
	int n = answer_stem(a);

	return n == answer_stem(b) && !strncmp(a, b, n);
}

const struct answer_cell *answer_cell_of(const struct answer_line *line,
					 const char *folio)
{
	size_t i;

	for (i = 0; i < line->nr; i++)
		if (!strcmp(line->cells[i].folio, folio))
			return &line->cells[i];
	return NULL;
}

double answer_delta(const struct answer_cell *cell)
{
	return cell->cost && is_difference(cell->cost) ? cell->cost->delta : 0;
}

static bool same_events(const struct answer_cell *a,
			const struct answer_cell *b)
{
	return a->events == b->events ||
	       (a->events && b->events && !strcmp(a->events, b->events));
}

/* What is averaged over a batch may differ by a part of an instruction. */
static bool same_delta(double a, double b)
{
	double off = fabs(a - b), most = fmax(fabs(a), fabs(b));

	return off <= .001 * most || (off < .5 && off <= .05 * most);
}

bool answer_same(const struct answer_line *line,
		 const struct answer_line *other)
{
	size_t i;

	for (i = 0; i < line->nr; i++) {
		const struct answer_cell *x = &line->cells[i];
		const struct answer_cell *y = answer_cell_of(other, x->folio);

		if (!y || !same_events(x, y) ||
		    !same_delta(answer_delta(x), answer_delta(y)))
			return false;
	}
	return true;
}

bool answer_one_for_all(const struct answer *a, size_t line)
{
	const char *label = a->lines[line].label;
	int n = answer_stem(label);
	size_t like = 0, i;

	for (i = 0; i < a->nr; i++) {
		const char *other = a->lines[i].label;

		if (i == line || answer_stem(other) != n ||
		    strncmp(other, label, n))
			continue;
		if (i >= a->differing ||
		    !answer_same(&a->lines[i], &a->lines[line]) ||
		    !answer_same(&a->lines[line], &a->lines[i]))
			return false;
		like++;
	}
	return like && strchr(label + n, '=');
}
