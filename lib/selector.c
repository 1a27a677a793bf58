// SPDX-License-Identifier: GPL-2.0
/* See selector.h. */
#include "lib/selector.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

void selector_param_free(struct selector_param *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		free(p->values[i]);
	free(p->values);
	free(p->name);
}

int selector_param_parse(const char *text, struct selector_param *p)
{
	const char *eq = strchr(text, '='), *v, *comma;

	memset(p, 0, sizeof(*p));
	if (!eq || eq == text || !eq[1])
		return fail(EINVAL, "'%s' is not a parameter; write name=value or name=value,value",
			    text);
	p->name = xstrndup(text, eq - text);
	for (v = eq + 1; ; v = comma + 1) {
		comma = strchrnul(v, ',');
		if (comma == v) {
			selector_param_free(p);
			return fail(EINVAL, "'%s' has an empty value", text);
		}
		p->values = grow(p->values, p->nr, sizeof(*p->values));
		p->values[p->nr++] = xstrndup(v, comma - v);
		if (!*comma)
			return 0;
	}
}

/*
 * Splits a selector at colons that are followed by a parameter, since PCI addresses
 * contain colons, too. Returns NULL at the end.
 */
static char *next_part(char **rest)
{
	char *part = *rest + strspn(*rest, ":"), *colon = part;
	size_t name;

	if (!*part)
		return NULL;
	for (;;) {
		colon = strchr(colon, ':');
		if (!colon) {
			*rest = part + strlen(part);
			return part;
		}
		name = strcspn(colon + 1, ":=");
		/* Split before the first parameter in any case, to report errors. */
		if (colon[1 + name] == '=' || !memchr(part, '=', colon - part))
			break;
		colon++;
	}
	*colon = 0;
	*rest = colon + 1;
	return part;
}

int selector_parse(const char *text, struct selector *s)
{
	char *copy = xstrdup(text), *rest = copy, *glob, *part;
	int ret = 0;

	memset(s, 0, sizeof(*s));
	glob = next_part(&rest);
	if (!glob)
		ret = fail(EINVAL, "an empty benchmark name");
	else
		s->glob = xstrdup(strcmp(glob, "each") ? glob : "*");
	while (!ret && (part = next_part(&rest))) {
		s->params = grow(s->params, s->nr, sizeof(*s->params));
		ret = selector_param_parse(part, &s->params[s->nr]);
		if (!ret)
			s->nr++;
	}
	free(copy);
	if (ret)
		selector_free(s);
	return ret;
}

void selector_free(struct selector *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		selector_param_free(&s->params[i]);
	free(s->params);
	free(s->glob);
	memset(s, 0, sizeof(*s));
}

bool selector_each(const struct selector_param *p)
{
	return p->nr == 1 && !strcmp(p->values[0], "each");
}

bool selector_param_has(const struct selector_param *p, const char *value)
{
	uint64_t have, asked;
	bool size = !parse_size(value, &have);
	size_t i;

	if (selector_each(p))
		return true;
	for (i = 0; i < p->nr; i++) {
		if (!strcmp(p->values[i], value) ||
		    (size && !parse_size(p->values[i], &asked) &&
		     asked == have))
			return true;
	}
	return false;
}
