// SPDX-License-Identifier: GPL-2.0
/*
 * The short forms: the answer, and the answer as a reply to the patch.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/exercised.h"
#include "analysis/report/answer.h"
#include "analysis/report/report.h"

/* Lists of points are cut here. */
#define NAMES_WIDTH	220
/* An answer and what was asked, with the line that says how to repeat it */
#define HEAD_LINES	20

static void put(FILE *f, int rest, char *text)
{
	if (text)
		print_line(f, 0, rest, "%s", text);
	free(text);
}

/* "@what: a; b; c and so on"; frees @text. */
static void put_list(FILE *f, const char *what, char *text)
{
	if (!text)
		return;
	if (strlen(text) > NAMES_WIDTH) {
		char *end = text + NAMES_WIDTH;

		while (end > text && *end != ';')
			end--;
		*end = 0;
		print_line(f, 0, 2, "%s: %s and so on.", what, text);
	} else {
		print_line(f, 0, 2, "%s: %s.", what, text);
	}
	free(text);
}

/* The command that does it all again, and where the rest of it is. */
static void put_again(const struct comparison *c, FILE *f)
{
	const char *hash = json_text(c->manifest, "hash");

	if (*hash)
		print_line(f, 0, 2, "Repeat: make reproduce HASH=%s; rows: compare --format rows",
			   hash);
}

static void put_row(struct table *t, const struct answer_rows *r,
		    const struct answer_row *row)
{
	const struct result *cost = row->cost;
	int indent = row->grouped ? 5 : 3;
	char number[NUMBER_SIZE];
	size_t i;

	if (row->stem)
		table_line(t, 1, "%s", row->stem);
	table_row(t);
	table_cell(t, "%s%s", row->grouped ? "- " : "", row->label);
	if (cost) {
		table_cell(t, "%s", format_brief(cost->base.median, false,
						 number));
		table_cell(t, "%s", format_brief(cost->new.median, false,
						 number));
		table_cell(t, "%s", is_difference(cost) ?
			   format_brief(cost->delta, true, number) : "same");
	}
	for (i = 0; cost && i < r->nr_columns; i++)
		table_cell(t, "%s", row->delta[i]);
	if (row->events)
		table_line(t, indent, "%s", row->events);
	if (row->values)
		table_line(t, indent, "%s", row->values);
	if (*row->same)
		table_line(t, indent, "the same change: %s", row->same);
}

static void put_table(const struct comparison *c, const struct answer *a,
		      size_t lines, FILE *f)
{
	struct answer_rows *r = answer_rows_of(a, lines);
	char *base = answer_side(c->base, "base");
	char *new = answer_side(c->new, "new");
	struct table *t = table_new();
	size_t i;

	table_column(t, r->heading, false);
	if (a->cost) {
		table_column(t, base, true);
		table_column(t, new, true);
		table_column(t, "delta", true);
	}
	for (i = 0; i < r->nr_columns; i++)
		table_column(t, r->column[i], true);
	for (i = 0; i < r->nr; i++)
		put_row(t, r, &r->v[i]);
	if (r->nr)
		table_print_mail(t, f, 1, MAIL_WIDTH);
	if (*r->others)
		print_line(f, 1, 3, "Also %s.", r->others);
	table_free(t);
	answer_rows_free(r);
	free(base);
	free(new);
}

static void put_body(const struct comparison *c, const struct answer *a,
		     size_t lines, FILE *f)
{
	if (a->differing) {
		put_table(c, a, lines, f);
		put_list(f, "Unchanged", answer_unchanged(a));
	}
	put_list(f, "Not decided", answer_undecided(a));
	put_list(f, "Not measured", answer_not_measured(c));
}

static void put_head(const struct comparison *c, const struct answer *a,
		     size_t lines, FILE *f)
{
	put(f, 2, answer_subject(c));
	put(f, 2, answer_where(c));
	fputc('\n', f);
	put(f, 2, exercised_brief(c->changes, MAIL_WIDTH));
	put(f, 2, answer_verdict(c, a));
	put(f, 2, c->releases ? xstrdup(c->releases) : NULL);
	fputc('\n', f);
	put_body(c, a, lines, f);
	report_reasons(c, f);
}

static size_t count_lines(const char *text)
{
	size_t nr = 0;

	for (; *text; text++)
		nr += *text == '\n';
	return nr;
}

/* With as many rows as leave it short enough: a screen, or a mail, has no more. */
static void put_short_head(const struct comparison *c, const struct answer *a,
			   FILE *f)
{
	size_t lines = ANSWER_LINES, len;
	char *text;

	for (;;) {
		FILE *m = open_memstream(&text, &len);

		put_head(c, a, lines, m);
		fclose(m);
		if (count_lines(text) < HEAD_LINES || !--lines)
			break;
		free(text);
	}
	fputs(text, f);
	free(text);
}

void report_answer(const struct report *r, FILE *f)
{
	const struct comparison *c = r->c[0];
	struct answer *a = answer_of(c);

	put_short_head(c, a, f);
	report_power(c, f);
	report_environment(c, f);
	report_notes(c, f);
	put_again(c, f);
	answer_free(a);
}

void report_mail(const struct report *r, FILE *f)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		const struct comparison *c = r->c[i];
		struct answer *a = answer_of(c);
		char *subject = answer_subject(c), *where = answer_where(c);

		if (subject)
			print_line(f, 0, 2, "> %s", subject);
		fputs(subject ? "\n" : "", f);
		print_line(f, 0, 0, "I compared this with its base: %s. %s",
			   where, answer_emulated(c) ?
			   "Counted: instructions and events, not time." : "");
		fputc('\n', f);
		put(f, 0, answer_verdict(c, a));
		fputc('\n', f);
		put_body(c, a, ANSWER_LINES, f);
		put(f, 0, exercised_text(c->changes));
		put_again(c, f);
		free(subject);
		free(where);
		answer_free(a);
	}
}
