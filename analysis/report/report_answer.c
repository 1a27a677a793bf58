// SPDX-License-Identifier: GPL-2.0
/*
 * The short forms: the answer, and the answer as a reply to the patch.
 */
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/rules.h"
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

/* A finding's text without its counts, which the table has. */
static const char *meaning(const char *text)
{
	const char *colon = strstr(text, ": ");

	return colon ? colon + 2 : text;
}

/* Prints one finding of each rule, warnings and errors only. */
static void put_findings(const struct comparison *c, FILE *f)
{
	size_t i, k;

	for (i = 0; i < c->nr_findings; i++) {
		const struct finding *x = &c->findings[i];

		if (x->severity == SEVERITY_INFO ||
		    !strcmp(x->rule, EXACT_DIFFERENCE))
			continue;
		for (k = 0; k < i; k++)
			if (!strcmp(c->findings[k].rule, x->rule) &&
			    c->findings[k].severity == x->severity)
				break;
		if (k == i)
			print_line(f, 0, 2, "Why: %s (%s).", meaning(x->text),
				   x->rule);
	}
}

static void put_again(const struct comparison *c, FILE *f)
{
	const char *hash = json_text(c->manifest, "hash");

	if (*hash)
		print_line(f, 0, 2, "Repeat: make reproduce HASH=%s", hash);
}

static void put_body(const struct comparison *c, const struct answer *a,
		     FILE *f)
{
	if (a->differing) {
		answer_table(c, a, f);
		put_findings(c, f);
	}
	if (a->differing)
		put_list(f, "Unchanged", answer_unchanged(a));
	put_list(f, "Not decided", answer_undecided(a));
	put_list(f, "Not measured", answer_not_measured(c));
}

void report_answer(const struct report *r, FILE *f)
{
	const struct comparison *c = r->c[0];
	struct answer *a = answer_of(c);

	put(f, 2, answer_subject(c));
	put(f, 2, answer_kernel(c));
	put(f, 2, answer_how(c));
	fputc('\n', f);
	put(f, 2, answer_verdict(c, a));
	put(f, 2, exercised_text(c->changes));
	put(f, 2, c->releases ? xstrdup(c->releases) : NULL);
	fputc('\n', f);
	put_body(c, a, f);
	report_reasons(c, f);
	report_power(c, f);
	report_environment(c, f);
	report_notes(c, f);
	put_again(c, f);
	if (c->nr_results && c->manifest)
		print_line(f, 0, 2, "All %zu rows: ptelab compare runs/%s --format rows",
			   c->nr_results, json_text(c->manifest, "name"));
	answer_free(a);
}

void report_mail(const struct report *r, FILE *f)
{
	size_t i;

	for (i = 0; i < r->nr; i++) {
		const struct comparison *c = r->c[i];
		struct answer *a = answer_of(c);
		char *subject = answer_subject(c), *kernel = answer_kernel(c);
		char *how = answer_how(c);

		if (subject)
			print_line(f, 0, 2, "> %s", subject);
		fputs(subject ? "\n" : "", f);
		print_line(f, 0, 0, "I compared this with its base %s. %s",
			   kernel, how);
		fputc('\n', f);
		put(f, 0, answer_verdict(c, a));
		fputc('\n', f);
		put_body(c, a, f);
		put(f, 0, exercised_text(c->changes));
		put_again(c, f);
		free(subject);
		free(kernel);
		free(how);
		answer_free(a);
	}
}
