// SPDX-License-Identifier: GPL-2.0
/* The sentences of an answer; see answer.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/rules.h"
#include "analysis/report/answer.h"

/* Events named in the verdict. */
#define MOVES_NAMED	3

const char *answer_cost_name(const char *metric)
{
	if (!metric)
		return "";
	if (!strcmp(metric, "instructions_kernel"))
		return "kernel instructions";
	return metric;
}

int answer_stem(const char *label)
{
	const char *comma = strrchr(label, ',');

	return comma ? (int)(comma - label) : (int)strlen(label);
}

/* --- verdict --- */

static bool ratio_tells(const struct result *r)
{
	return r->ratio > 1. / SMALL_BASE && r->ratio < SMALL_BASE;
}

/*
 * "worse at 17 of 22 points, +6 to +40 kernel instructions per operation, up to
 * +4.5%"; what stands before is not said again.
 */
static void append_effect(char **text, const struct answer *a, const char *word,
			  const struct answer_effect *e)
{
	char least[NUMBER_SIZE], most[NUMBER_SIZE], percent[NUMBER_SIZE];
	bool first = !**text, one, named;

	if (!e->points)
		return;
	append_text(text, "; ", "%s at %zu", word, e->points);
	if (first)
		append_text(text, "", " of %zu point%s", a->points,
			    plural(a->points));
	if (!e->priced)
		return;
	format_brief(e->least->delta, true, least);
	format_brief(e->most->delta, true, most);
	one = !strcmp(least, most);
	named = strstr(*text, answer_cost_name(a->cost));
	append_text(text, ", ", "%s%s%s%s%s%s", least, one ? "" : " to ",
		    one ? "" : most, named ? "" : " ",
		    named ? "" : answer_cost_name(a->cost),
		    named ? "" : " per operation");
	if (ratio_tells(e->steepest))
		append_text(text, ", ", "%s%s", one ? "" : "up to ",
			    format_change(e->steepest->ratio,
					  e->steepest->delta,
					  e->steepest->tier, percent));
}

static int by_points(const void *a, const void *b)
{
	const struct answer_move *x = a, *y = b;

	if (x->points != y->points)
		return x->points < y->points ? 1 : -1;
	return x->move != y->move ? (int)x->move - (int)y->move :
	       strcmp(x->word, y->word);
}

/*
 * "contpte gathers gone (40 points); fewer contpte folds, contpte unfolds (4)":
 * what changed, where no finding says it.
 */
static char *moves_text(const struct answer *a)
{
	static const char *const words[] = {
		[EVENT_NEW] = "new", [EVENT_GONE] = "gone",
		[EVENT_MORE] = "more", [EVENT_LESS] = "fewer",
	};
	struct answer_move *m = a->moves;
	size_t nr = a->nr_moves < MOVES_NAMED ? a->nr_moves : MOVES_NAMED, i;
	char *text = NULL;

	if (a->nr_moves)
		qsort(m, a->nr_moves, sizeof(*m), by_points);
	for (i = 0; i < nr; i++) {
		bool after = m[i].move == EVENT_NEW || m[i].move == EVENT_GONE;
		bool as_last = i && m[i].move == m[i - 1].move &&
			       m[i].points == m[i - 1].points;
		bool more = i + 1 < nr && m[i].move == m[i + 1].move &&
			    m[i].points == m[i + 1].points;
		char *word = answer_plural(m[i].word);

		if (!text)
			text = xstrdup("");
		append_text(&text, as_last ? ", " : "; ", "%s%s%s",
			    after || as_last ? "" : words[m[i].move],
			    after || as_last ? "" : " ", word);
		if (!more)
			append_text(&text, "", "%s%s (%zu%s%s)",
				    after ? " " : "",
				    after ? words[m[i].move] : "", m[i].points,
				    strchr(text, '(') ? "" : " point",
				    strchr(text, '(') ? "" : plural(m[i].points));
		free(word);
	}
	return text;
}

/* A finding's text without its counts, which the table has. */
static const char *meaning(const char *text)
{
	const char *colon = strstr(text, ": ");

	return colon ? colon + 2 : text;
}

static bool said_before(const struct comparison *c, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (c->findings[i].severity != SEVERITY_INFO &&
		    strcmp(c->findings[i].rule, EXACT_DIFFERENCE) &&
		    !strcmp(meaning(c->findings[i].text),
			    meaning(c->findings[nr].text)))
			return true;
	return false;
}

/* What the findings of a severity mean; NULL: there are none. */
static char *meaning_of(const struct comparison *c, enum severity severity)
{
	char *text = NULL;
	size_t i;

	for (i = 0; i < c->nr_findings; i++) {
		const struct finding *x = &c->findings[i];

		if (x->severity != severity ||
		    !strcmp(x->rule, EXACT_DIFFERENCE) || said_before(c, i))
			continue;
		if (!text)
			text = xstrdup("");
		append_text(&text, "; ", "%s", meaning(x->text));
	}
	return text;
}

static char *no_difference(const struct comparison *c, const struct answer *a)
{
	switch (c->exercised) {
	case EXERCISED_NEVER:
		return xasprintf("NOT EXERCISED: none of the %zu point%s runs the code that changed.",
				 a->points, plural(a->points));
	case EXERCISED_OUTSIDE:
		return xasprintf("NOT EXERCISED: only set-up or boot ran the code that changed, none of the %zu point%s.",
				 a->points, plural(a->points));
	case EXERCISED_SAME_CODE:
		return xasprintf("SAME CODE on both sides; %zu point%s measured, no difference.",
				 a->points, plural(a->points));
	case EXERCISED_PART:
		return xasprintf("NO DIFFERENCE in %zu point%s, as far as they run the code that changed.",
				 a->points, plural(a->points));
	default:
		return c->count[VERDICT_INCONCLUSIVE] ?
			xasprintf("NOTHING SHOWN: %zu of %zu rows are inconclusive.",
				  c->count[VERDICT_INCONCLUSIVE],
				  c->nr_results) :
			xasprintf("NO DIFFERENCE in %zu point%s.", a->points,
				  plural(a->points));
	}
}

/* Appends a sentence, which it frees; its first letter becomes a capital. */
static void append_sentence(char **text, char *sentence)
{
	if (sentence && *sentence) {
		*sentence = toupper((unsigned char)*sentence);
		append_text(text, " ", "%s.", sentence);
	}
	free(sentence);
}

/* What is better or worse, in a word, at how many points, and by how much. */
static char *effects_text(const struct answer *a)
{
	bool mixed = a->worse.points && a->better.points;
	bool any = a->worse.points || a->better.points;
	char *text = xstrdup("");

	if (a->wrong.points) {
		append_effect(&text, a, "worse", &a->worse);
		append_effect(&text, a, "better", &a->better);
		append_effect(&text, a, "changed", &a->other);
		return text;
	}
	append_effect(&text, a, mixed ? "MIXED: worse" : "WORSE", &a->worse);
	append_effect(&text, a, mixed ? "better" : "BETTER", &a->better);
	append_effect(&text, a, any ? "changed" : "CHANGED", &a->other);
	return text;
}

char *answer_verdict(const struct comparison *c, const struct answer *a)
{
	size_t differ = a->wrong.points + a->worse.points + a->better.points +
			a->other.points;
	size_t more = a->wrong.points + a->worse.points;
	char *text, *why;

	if (!a->points)
		return xstrdup("NOTHING COMPARED: no point was measured on both sides.");
	if (!differ)
		return no_difference(c, a);
	if (c->releases) {
		text = xasprintf("%zu of %zu points differ: %zu cost%s more, %zu less, %zu neither.",
				 differ, a->points, more, more == 1 ? "s" : "",
				 a->better.points, a->other.points);
		append_sentence(&text, meaning_of(c, SEVERITY_ERROR));
		append_sentence(&text, meaning_of(c, SEVERITY_WARNING));
		return text;
	}
	text = xstrdup("");
	why = meaning_of(c, SEVERITY_ERROR);
	if (why)
		append_sentence(&text, xasprintf("WRONG at %zu of %zu point%s: %s",
						 a->wrong.points, a->points,
						 plural(a->points), why));
	free(why);
	append_sentence(&text, effects_text(a));
	why = meaning_of(c, SEVERITY_WARNING);
	append_sentence(&text, why || a->wrong.points ? why : moves_text(a));
	return text;
}

/* --- what stays --- */

static bool undecided(const struct answer_line *line)
{
	size_t i;

	for (i = 0; i < line->nr; i++)
		if (line->cells[i].undecided)
			return true;
	return false;
}

/*
 * Whether all lines whose label has these words are alike in being unchanged, or
 * undecided; if so the words stand for them all.
 */
static bool stands_for_all(const struct answer *a, const char *words, bool open)
{
	size_t i;

	for (i = 0; i < a->nr; i++)
		if (strstr(a->lines[i].label, words) &&
		    (i < a->differing || undecided(&a->lines[i]) != open))
			return false;
	return true;
}

/*
 * The shortest words for a line that do not stand for others as well: up to its
 * first comma, or the next.
 */
static char *short_label(const struct answer *a, const char *label, bool open)
{
	const char *end = label;

	while ((end = strchr(end, ','))) {
		char *text = xstrndup(label, end++ - label);

		if (stands_for_all(a, text, open))
			return text;
		free(text);
	}
	return xstrdup(label);
}

/* The end of "str8" if @words are "str8 stores", @next "stp stores"; NULL */
static const char *shared_noun(const char *words, const char *next)
{
	const char *noun = strchr(words, ' ');
	const char *other = next ? strchr(next, ' ') : NULL;

	return noun && other && !strpbrk(noun + 1, " ,") &&
	       !strcmp(noun, other) ? noun : NULL;
}

/* Whether other words of the list stand for @nr already. */
static bool is_said(char *const *words, size_t all, size_t nr)
{
	size_t i;

	for (i = 0; i < all; i++)
		if (i != nr && words[i] && strstr(words[nr], words[i]) &&
		    (i < nr || strcmp(words[nr], words[i])))
			return true;
	return false;
}

/* Lines that do not differ: those that are decided, or those that are not. */
static char *labels_of(const struct answer *a, bool open)
{
	size_t nr = a->nr - a->differing, nr_said = 0, i;
	char **words = xcalloc(nr + 1, sizeof(*words)), *text = NULL;
	const char **said = xcalloc(nr + 1, sizeof(*said));
	bool shared = false;

	for (i = 0; i < nr; i++) {
		const struct answer_line *line = &a->lines[a->differing + i];

		if (undecided(line) == open)
			words[i] = short_label(a, line->label, open);
	}
	for (i = 0; i < nr; i++) {
		if (words[i] && !is_said(words, nr, i))
			said[nr_said++] = words[i];
	}
	for (i = 0; i < nr_said; i++) {
		const char *noun = shared_noun(said[i], said[i + 1]);

		if (!text)
			text = xstrdup("");
		append_text(&text, shared ? ", " : "; ", "%.*s",
			    noun ? (int)(noun - said[i]) : (int)strlen(said[i]),
			    said[i]);
		shared = noun;
	}
	free(said);
	for (i = 0; i < nr; i++)
		free(words[i]);
	free(words);
	return text;
}

char *answer_unchanged(const struct answer *a)
{
	return labels_of(a, false);
}

char *answer_undecided(const struct answer *a)
{
	return labels_of(a, true);
}

bool answer_emulated(const struct comparison *c)
{
	return file_clock_emulated(c->base->run->files[0]);
}

char *answer_not_measured(const struct comparison *c)
{
	char *text = xstrdup(answer_emulated(c) ?
			     "time, caches, TLB misses, cost of barriers" :
			     "");
	size_t i, nr = 0;

	for (i = 0; i < c->nr_missing; i++)
		nr += c->missing[i].where == BOTH;
	if (nr)
		append_text(&text, "; ", "%zu point%s (--all)",
			    nr, plural(nr));
	if (*text)
		return text;
	free(text);
	return NULL;
}

/* --- what was asked, and where it was measured --- */

static long nr_patches(const struct comparison *c, const char *side)
{
	return json_array_size(json_object_get(json_object_get(c->manifest,
							       side),
					       "patches"));
}

char *answer_subject(const struct comparison *c)
{
	const char *title = json_text(c->manifest, "title");
	long nr = nr_patches(c, "patched") - nr_patches(c, "base");

	if (!*title)
		return NULL;
	return nr > 1 ? xasprintf("%s (%ld patches)", title, nr) :
			xstrdup(title);
}

/* "gcc 12.2.0" of a toolchain's first line. */
static char *compiler_of(const json_t *kernel)
{
	const char *line = json_text(kernel, "toolchain");
	const char *end = strchrnul(line, '\n'), *at = end;

	while (at > line && at[-1] != ' ')
		at--;
	return at == end ? NULL : xasprintf("%s %.*s",
			strstr(line, "clang") ? "clang" : "gcc",
			(int)(end - at), at);
}

char *answer_where(const struct comparison *c)
{
	const json_t *header = c->base->run->files[0]->header;
	const json_t *kernel = json_object_get(c->manifest, "base");
	const char *release = json_text(header, "kernel_release");
	const char *config = json_text(kernel, "config");
	const char *qemu = strstr(json_text(c->manifest, "qemu"), "version ");
	size_t base = side_boots(c->base, NULL), new = side_boots(c->new, NULL);
	char *compiler = compiler_of(kernel), *text;

	if (c->releases)
		text = xasprintf("Linux %s against %s, %s",
				 json_text(c->new->run->files[0]->header,
					   "kernel_release"),
				 release, json_text(header, "arch"));
	else
		text = xasprintf("Linux %s %s", release,
				 json_text(header, "arch"));
	if (!c->releases && *config)
		append_text(&text, ", ", "config %s", config);
	if (!c->releases && compiler)
		append_text(&text, ", ", "%s", compiler);
	if (!answer_emulated(c))
		append_text(&text, ", ", "%s",
			    json_text(json_object_get(header, "cpu"), "model"));
	else if (qemu)
		append_text(&text, ", ", "QEMU %.*s",
			    (int)strcspn(qemu + 8, " "), qemu + 8);
	else
		append_text(&text, ", ", "QEMU");
	if (base == new)
		append_text(&text, "; ", "%zu boot%s a side", base,
			    plural(base));
	else
		append_text(&text, "; ", "%zu and %zu boots", base, new);
	free(compiler);
	return text;
}
