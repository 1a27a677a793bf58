// SPDX-License-Identifier: GPL-2.0
/* See words.h. */
#include "lib/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record.h"
#include "lib/util.h"

/* Prints the text of @value in the list "a=text|b=text", which ends at @end. */
static void put_choice(FILE *f, const char *list, const char *end,
		       const char *value)
{
	size_t len = strlen(value);

	while (list < end) {
		const char *bar = memchr(list, '|', end - list);
		const char *stop = bar ? bar : end;

		if ((size_t)(stop - list) > len &&
		    !strncmp(list, value, len) && list[len] == '=')
			fwrite(list + len + 1, 1, stop - list - len - 1, f);
		list = stop + 1;
	}
}

static const json_t *param_at(const json_t *params, const char *name,
			      size_t len)
{
	char *key = xstrndup(name, len);
	const json_t *value = json_object_get(params, key);

	free(key);
	return value;
}

/* Prints the value for the text between two braces, from @at to @end. */
static void put_param(FILE *f, const char *at, const char *end,
		      const json_t *params)
{
	const char *colon = memchr(at, ':', end - at);
	const json_t *v = param_at(params, at, (colon ? colon : end) - at);
	char *value;

	if (!v)
		return;
	value = param_value_text(v);
	if (colon)
		put_choice(f, colon + 1, end, value);
	else
		fputs(value, f);
	free(value);
}

char *words_fill(const char *phrase, const json_t *params)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	while (*phrase) {
		const char *end = *phrase == '{' ? strchr(phrase, '}') : NULL;

		if (end) {
			put_param(f, phrase + 1, end, params);
			phrase = end + 1;
		} else {
			fputc(*phrase++, f);
		}
	}
	fclose(f);
	return text;
}
