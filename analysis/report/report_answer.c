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
#define NAMES_WIDTH	300

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
		print_line(f, 0, 2, "Repeat: make reproduce HASH=%s; all %zu rows: --format rows",
			   hash, c->nr_results);
}

static void put_body(const struct comparison *c, const struct answer *a,
		     FILE *f)
{
	if (a->differing) {
		answer_table(c, a, f);
		put_list(f, "Unchanged", answer_unchanged(a));
	}
	put_list(f, "Not decided", answer_undecided(a));
	put_list(f, "Not measured", answer_not_measured(c));
}

void report_answer(const struct report *r, FILE *f)
{
	const struct comparison *c = r->c[0];
	struct answer *a = answer_of(c);

	put(f, 2, answer_subject(c));
	put(f, 2, answer_where(c));
	fputc('\n', f);
	put(f, 2, exercised_brief(c->changes, MAIL_WIDTH));
	put(f, 2, answer_verdict(c, a));
	put(f, 2, c->releases ? xstrdup(c->releases) : NULL);
	fputc('\n', f);
	put_body(c, a, f);
	report_reasons(c, f);
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
		put_body(c, a, f);
		put(f, 0, exercised_text(c->changes));
		put_again(c, f);
		free(subject);
		free(where);
		answer_free(a);
	}
}
