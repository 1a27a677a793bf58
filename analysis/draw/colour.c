// SPDX-License-Identifier: GPL-2.0
/* See colour.h. */
#include "analysis/draw/colour.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/util.h"

#define RED	"\033[31m"
#define GREEN	"\033[32m"
#define BOLD	"\033[1m"
#define PLAIN	"\033[0m"

/*
 * Words to colour: the answer only at the start of a line, the verdict of a row
 * anywhere.
 */
static const struct {
	const char *word, *colour;
	bool starts_line;
} words[] = {
	{ "WRONG", BOLD RED, true },
	{ "WORSE", BOLD RED, true },
	{ "BETTER", BOLD GREEN, true },
	{ "MIXED", BOLD, true },
	{ "CHANGED", BOLD, true },
	{ "NOT EXERCISED", BOLD, true },
	{ "NOTHING SHOWN", BOLD, true },
	{ "regression", RED, false },
	{ "improvement", GREEN, false },
};

bool colour_wanted(FILE *f)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(fileno(f)) && !(no && *no) && term &&
	       strcmp(term, "dumb");
}

static bool in_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-';
}

/* Prints the word at @at in colour if it has one. Returns its length, or 0. */
static size_t put_word(FILE *f, const char *text, const char *at)
{
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		len = strlen(words[i].word);
		if (strncmp(at, words[i].word, len) || in_word(at[len]) ||
		    (at > text && (words[i].starts_line ? at[-1] != '\n' :
				   in_word(at[-1]))))
			continue;
		fprintf(f, "%s%s%s", words[i].colour, words[i].word, PLAIN);
		return len;
	}
	return 0;
}

void print_coloured(FILE *f, const char *text)
{
	const char *at = text;

	while (*at) {
		size_t len = put_word(f, text, at);

		if (!len)
			fputc(*at, f);
		at += len ? len : 1;
	}
}
