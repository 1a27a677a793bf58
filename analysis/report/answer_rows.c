// SPDX-License-Identifier: GPL-2.0
/*
 * The rows of an answer; see answer.h. They are few: a variant is a column
 * beside its line, lines that say the same are one, and what is left over is
 * listed below with its delta.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/report/answer_alike.h"
#include "lib/util.h"

/* Names of other lines, up to about this many characters: two lines. */
#define NAMES_SHOWN	130
/* The same of those without a row, behind "Also" */
#define OTHERS_SHOWN	115

/* A column of deltas: a folio size of a line, or of its variant. */
struct column {
	const char *folio;
	char *variant;		/* "hugetlb"; NULL: the line itself */
};

struct layout {
	const struct answer *a;
	size_t lines;		/* of text, without the heading */
	const char *folio;	/* that base and patched are of */
	struct column column[ANSWER_COLUMNS];
	size_t nr_columns;
	bool *taken;		/* lines that need no further mention */
	size_t *said;		/* by line: the row that says the same */
	size_t *row;		/* the lines that have one, in order */
	size_t nr;
};

/* --- which lines have a row --- */

/* "=16" of a line that has a number at its end ("pages=16"), else NULL. */
static const char *value_of(const char *label)
{
	const char *value = strchr(label + answer_stem(label), '=');

	return value && !value[1 + strspn(value + 1, "0123456789kmg")] ?
	       value : NULL;
}

/*
 * Of lines that differ in a number alone, one is enough: the first, as they are
 * sorted. Returns it if it has a row, else a->nr.
 */
static size_t other_value(const struct layout *l, size_t line)
{
	const struct answer *a = l->a;
	size_t i;

	for (i = 0; value_of(a->lines[line].label) && i < l->nr; i++)
		if (l->row[i] != line &&
		    answer_same_stem(a->lines[l->row[i]].label,
				     a->lines[line].label))
			return l->row[i];
	return a->nr;
}

/* How many lines say the same as @other, itself as well. */
static size_t nr_same(const struct answer *a, const struct answer_line *other)
{
	size_t nr = 0, i;

	for (i = 0; i < a->differing; i++)
		nr += answer_same(&a->lines[i], other);
	return nr;
}

/* Whether the row, or another value of it, says the same at the same value. */
static bool row_says(const struct answer *a, size_t row, size_t line)
{
	const struct answer_line *what = &a->lines[line];
	const char *label = a->lines[row].label, *value = value_of(what->label);
	size_t i;

	if (answer_same(what, &a->lines[row]))
		return what->shown->events ||
		       answer_same_stem(what->label, label) ||
		       nr_same(a, &a->lines[row]) > 2;
	for (i = 0; value && i < a->differing; i++)
		if (answer_same_stem(a->lines[i].label, label) &&
		    same_text(value_of(a->lines[i].label), value) &&
		    answer_same(what, &a->lines[i]))
			return true;
	return false;
}

/*
 * Which row says the same already; a->nr: none. A cost alone may agree by chance,
 * so two of those are not one.
 */
static size_t said_by(const struct layout *l, size_t line)
{
	size_t i;

	for (i = 0; i < l->nr; i++)
		if (row_says(l->a, l->row[i], line))
			return l->row[i];
	return l->a->nr;
}

/* Whether a row is of a group: of a stem that another row has, or after one. */
static bool is_grouped(const struct layout *l, size_t row)
{
	const struct answer *a = l->a;
	size_t line = l->row[row], first = answer_leader(a, line), i;

	for (i = 0; i < l->nr; i++)
		if (i != row && (l->row[i] == first ||
				 answer_leader(a, l->row[i]) == line ||
				 answer_same_stem(a->lines[l->row[i]].label,
					   a->lines[line].label)))
			return true;
	return false;
}

/* Lines of text that the rows take: their own, their events, group headings. */
static size_t lines_used(const struct layout *l)
{
	const struct answer *a = l->a;
	size_t used = 0, i, k;

	for (i = 0; i < l->nr; i++) {
		const char *label = a->lines[l->row[i]].label;

		used += 1 + (a->lines[l->row[i]].shown->events != NULL);
		if (!is_grouped(l, i) || answer_leader(a, l->row[i]) < a->nr)
			continue;
		for (k = 0; k < i; k++)
			if (answer_same_stem(a->lines[l->row[k]].label, label))
				break;
		used += k == i;
	}
	return used;
}

/* The first row is there in any case. */
static bool add_row(struct layout *l, size_t line)
{
	l->row[l->nr++] = line;
	l->taken[line] = lines_used(l) <= l->lines || l->nr == 1;
	l->nr -= !l->taken[line];
	return l->taken[line];
}

/* A line with what comes after it. */
static bool add_line(struct layout *l, size_t line)
{
	const struct answer *a = l->a;
	size_t i;

	if (!add_row(l, line))
		return false;
	for (i = 0; i < a->differing; i++)
		if (!l->taken[i] && answer_leader(a, i) == line &&
		    !answer_is_variant(a, i) && !add_row(l, i))
			return false;
	return true;
}

static void choose_rows(struct layout *l)
{
	const struct answer *a = l->a;
	bool room = true;
	size_t first, i;

	for (i = 0; room && i < a->differing; i++) {
		if (l->taken[i] || answer_is_variant(a, i) ||
		    said_by(l, i) < a->nr || other_value(l, i) < a->nr)
			continue;
		first = answer_leader(a, i);
		room = add_line(l, first < a->nr && !l->taken[first] ? first :
				i);
	}
	for (i = 0; i < a->differing; i++) {
		l->said[i] = l->taken[i] ? a->nr : said_by(l, i);
		if (l->said[i] < a->nr || other_value(l, i) < a->nr ||
		    answer_is_variant(a, i))
			l->taken[i] = true;
	}
}

/* Rows of one stem together, where the first of them is. */
static void group_rows(struct layout *l)
{
	const struct answer *a = l->a;
	size_t i, k, to;

	for (i = 0; i < l->nr; i++) {
		to = i + 1;
		/* behind what comes after it */
		while (to < l->nr && answer_leader(a, l->row[to]) == l->row[i])
			to++;
		for (k = to; k < l->nr; k++) {
			size_t line = l->row[k];

			if (!answer_same_stem(a->lines[line].label,
				       a->lines[l->row[i]].label))
				continue;
			memmove(l->row + to + 1, l->row + to,
				(k - to) * sizeof(*l->row));
			l->row[to++] = line;
		}
	}
}

/* --- columns --- */

static const struct answer_cell *cell_of(const struct layout *l,
					 const struct answer_line *line)
{
	const struct answer_cell *cell = answer_cell_of(line, l->folio);

	return cell && cell->cost && (cell->differs || cell->events) ?
		cell : line->shown;
}

static void add_column(struct layout *l, const char *folio, char *variant)
{
	size_t i;

	for (i = 0; i < l->nr_columns; i++)
		if (same_text(l->column[i].variant, variant) &&
		    !strcmp(l->column[i].folio, folio))
			break;
	if (i == l->nr_columns && i < ANSWER_COLUMNS) {
		l->column[l->nr_columns++] = (struct column){ folio, variant };
		return;
	}
	free(variant);
}

static void find_columns(struct layout *l)
{
	const struct answer *a = l->a;
	size_t i, k, v;
	char *clause;

	for (i = 0; i < l->nr; i++) {
		const struct answer_line *line = &a->lines[l->row[i]];

		for (k = 0; k < line->nr; k++)
			if (&line->cells[k] != cell_of(l, line) &&
			    line->cells[k].cost)
				add_column(l, line->cells[k].folio, NULL);
	}
	for (i = 0; i < l->nr; i++)
		for (v = 0; v < a->differing; v++) {
			const struct answer_line *line = &a->lines[v];

			clause = answer_variant_of(a, v, l->row[i]);
			for (k = 0; clause && k < line->nr; k++)
				if (line->cells[k].cost)
					add_column(l, line->cells[k].folio,
						   xstrdup(clause));
			free(clause);
		}
}

/* The line itself, or its variant of that column; NULL: there is none. */
static const struct answer_line *line_in(const struct layout *l, size_t line,
					 const struct column *column)
{
	const struct answer *a = l->a;
	size_t i;

	if (!column->variant)
		return &a->lines[line];
	for (i = 0; i < a->differing; i++) {
		char *clause = answer_variant_of(a, i, line);
		bool same = same_text(clause, column->variant);

		free(clause);
		if (same)
			return &a->lines[i];
	}
	return NULL;
}

/* --- what is printed --- */

/* Whether the row says of each value of this line what it says of this. */
static bool all_said(const struct layout *l, size_t line)
{
	const struct answer *a = l->a;
	size_t i;

	for (i = 0; i < a->differing; i++)
		if (answer_same_stem(a->lines[i].label, a->lines[line].label) &&
		    l->said[i] != l->said[line])
			return false;
	return value_of(a->lines[line].label);
}

static bool first_of_stem(const struct answer *a, size_t line)
{
	size_t i;

	for (i = 0; i < line; i++)
		if (answer_same_stem(a->lines[i].label, a->lines[line].label))
			return false;
	return true;
}

/* A name for a list that is cut; counts in @more what it leaves out. */
static void add_name(char **names, size_t *more, const char *name, int len)
{
	if (strlen(*names) + len < NAMES_SHOWN)
		append_text(names, "; ", "%.*s", len, name);
	else
		(*more)++;
}

/* Names of lines that say the same, without those that have a row. */
static char *others_like(const struct layout *l, size_t row)
{
	const struct answer *a = l->a;
	const char *like = a->lines[l->row[row]].label;
	char *names = xstrdup("");
	size_t more = 0, i;

	for (i = 0; i < a->differing; i++) {
		const char *label = a->lines[i].label;
		int stem = answer_stem(label);

		if (l->said[i] != l->row[row] || answer_is_variant(a, i) ||
		    other_value(l, i) == l->row[row])
			continue;
		if (answer_same_stem(label, like))
			add_name(&names, &more, label + stem + 2,
				 strlen(label) - stem - 2);
		else if (!all_said(l, i))
			add_name(&names, &more, label, strlen(label));
		else if (first_of_stem(a, i))
			add_name(&names, &more, label, stem);
	}
	if (more)
		append_text(&names, "; ", "and %zu more", more);
	return names;
}

/* "pages=4: -2540; 1: -632" of lines that differ from the row in that alone */
static char *other_values(const struct layout *l, size_t row)
{
	const struct answer *a = l->a;
	char *text = NULL, number[NUMBER_SIZE];
	size_t more = 0, i;

	for (i = 0; i < a->differing; i++) {
		const char *label = a->lines[i].label;

		if (other_value(l, i) != l->row[row])
			continue;
		if (text && strlen(text) > NAMES_SHOWN) {
			more++;
			continue;
		}
		label = text ? value_of(label) + 1 :
			label + answer_stem(label) + 2;
		if (!text)
			text = xstrdup("");
		format_brief(answer_delta(cell_of(l, &a->lines[i])), true,
			     number);
		append_text(&text, "; ", "%s: %s", label, number);
	}
	if (more)
		append_text(&text, "; ", "and %zu more", more);
	return text;
}

/* The label in its place: what is above it is not said again. */
static char *row_label(const struct layout *l, size_t row, bool grouped)
{
	const char *label = l->a->lines[l->row[row]].label;
	size_t first = answer_leader(l->a, l->row[row]), k, lead;

	for (k = 0; k < row && l->row[k] != first; k++)
		;
	if (k < row) {
		lead = answer_lead(label, l->a->lines[first].label);
		return xasprintf("%.*sit", (int)lead, label);
	}
	return xstrdup(grouped ? label + answer_stem(label) + 2 : label);
}

static char *delta_text(const struct answer_cell *cell,
			const struct answer_cell *main)
{
	char delta[NUMBER_SIZE];

	if (!cell || !cell->cost || cell == main)
		return xstrdup("");
	return xstrdup(is_difference(cell->cost) ?
		       format_brief(cell->cost->delta, true, delta) : "same");
}

static void fill_row(struct answer_row *row, const struct layout *l, size_t nr)
{
	const struct answer_line *line = &l->a->lines[l->row[nr]], *in;
	const struct answer_cell *cell = cell_of(l, line);
	bool other = *cell->folio && strcmp(cell->folio, l->folio);
	const char *events = cell->events ? cell->events : line->shown->events;
	char *label;
	size_t i;

	row->grouped = is_grouped(l, nr);
	label = row_label(l, nr, row->grouped);
	row->label = xasprintf("%s%s%s", label, other ? ", " : "",
			       other ? cell->folio : "");
	free(label);
	row->cost = cell->cost;
	for (i = 0; i < l->nr_columns; i++) {
		in = line_in(l, l->row[nr], &l->column[i]);
		row->delta[i] = delta_text(in ? answer_cell_of(in,
					l->column[i].folio) : NULL, cell);
	}
	if (events)
		row->events = xasprintf("%s%s%s", cell->events ? "" :
					line->shown->folio, cell->events ? "" :
					" ", events);
	row->values = other_values(l, nr);
	row->same = others_like(l, nr);
}

/* "+24: a; b": the delta of other lines, or what happens at the same cost. */
static char *others_of(const struct layout *l)
{
	const struct answer *a = l->a;
	char *text = xstrdup(""), number[NUMBER_SIZE], last[NUMBER_SIZE] = "";
	size_t more = 0, i;

	for (i = 0; i < a->differing; i++) {
		const struct answer_line *line = &a->lines[i];
		const char *events = line->shown->events;
		double delta = answer_delta(line->shown);
		char *piece;

		if (l->taken[i])
			continue;
		format_brief(delta, true, number);
		if (!delta)
			piece = xasprintf("%s (%s)", line->label,
					  events ? events : "no cost");
		else if (!strcmp(number, last))
			piece = xstrdup(line->label);
		else
			piece = xasprintf("%s: %s", number, line->label);
		if (strlen(text) + strlen(piece) > OTHERS_SHOWN) {
			more++;
		} else {
			append_text(&text, "; ", "%s", piece);
			memcpy(last, number, sizeof(last));
		}
		free(piece);
	}
	if (more)
		append_text(&text, "; ", "%s%zu more", *text ? "and " : "",
			    more);
	return text;
}

static struct answer_rows *rows_of(const struct layout *l)
{
	struct answer_rows *r = xcalloc(1, sizeof(*r));
	const struct answer *a = l->a;
	const char *stem = "";
	size_t i;

	r->heading = a->cost ? xasprintf("%s%s%s", answer_cost_name(a->cost),
					 *l->folio ? ", " : "", l->folio) :
			       xstrdup("events per operation");
	for (i = 0; i < l->nr_columns; i++) {
		const struct column *c = &l->column[i];

		r->column[r->nr_columns++] = xasprintf("%s%s%s", c->variant ?
			c->variant : "", c->variant && *c->folio ? " " : "",
			c->folio);
	}
	r->v = xcalloc(l->nr + 1, sizeof(*r->v));
	for (r->nr = 0; r->nr < l->nr; r->nr++) {
		struct answer_row *row = &r->v[r->nr];
		const char *label = a->lines[l->row[r->nr]].label;

		fill_row(row, l, r->nr);
		if (!row->grouped || answer_leader(a, l->row[r->nr]) < a->nr ||
		    answer_same_stem(label, stem))
			continue;
		row->stem = xstrndup(label, answer_stem(label));
		stem = label;
	}
	r->others = others_of(l);
	return r;
}

struct answer_rows *answer_rows_of(const struct answer *a, size_t lines)
{
	struct layout l = {
		.a = a, .lines = lines,
		.folio = a->differing ? a->lines[0].shown->folio : "",
		.taken = xcalloc(a->nr + 1, sizeof(*l.taken)),
		.said = xcalloc(a->nr + 1, sizeof(*l.said)),
		.row = xcalloc(a->nr + 1, sizeof(*l.row)),
	};
	struct answer_rows *r;
	size_t i;

	choose_rows(&l);
	group_rows(&l);
	find_columns(&l);
	r = rows_of(&l);
	for (i = 0; i < l.nr_columns; i++)
		free(l.column[i].variant);
	free(l.taken);
	free(l.said);
	free(l.row);
	return r;
}

void answer_rows_free(struct answer_rows *r)
{
	size_t i, k;

	for (i = 0; i < r->nr; i++) {
		free(r->v[i].stem);
		free(r->v[i].label);
		free(r->v[i].events);
		free(r->v[i].values);
		free(r->v[i].same);
		for (k = 0; k < r->nr_columns; k++)
			free(r->v[i].delta[k]);
	}
	for (k = 0; k < r->nr_columns; k++)
		free(r->column[k]);
	free(r->v);
	free(r->heading);
	free(r->others);
	free(r);
}

char *answer_side(const struct side *s, const char *other)
{
	char *name = clean_text(s->label);

	if (*name && strlen(name) <= 10)
		return name;
	free(name);
	return xstrdup(other);
}
