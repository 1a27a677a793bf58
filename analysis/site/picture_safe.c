// SPDX-License-Identifier: GPL-2.0
/* See picture_safe.h. A list of what is allowed, as one of what is not has holes. */
#include "analysis/site/picture_safe.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/util.h"

static const char *const elements[] = {
	"svg", "title", "desc", "defs", "g", "path", "circle", "ellipse", "rect",
	"line", "polyline", "polygon", "use", "text", "tspan", "pattern",
	"clipPath", "mask", "filter", "feFlood", "feComposite",
};

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '-' || c == '_' || c == ':' || c == '.';
}

static bool is_element(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(elements); i++)
		if (strlen(elements[i]) == len && !strncmp(elements[i], name, len))
			return true;
	return false;
}

/* Attributes from @p to the end of the tag, which is returned; NULL: unsafe. */
static const char *attributes(const char *p, const char **why)
{
	*why = "is cut short";
	while (*p && *p != '>') {
		const char *name = p, *end;
		size_t len;

		if (!is_name(*p)) {
			p++;
			continue;
		}
		while (is_name(*p))
			p++;
		len = p - name;
		p += strspn(p, " \t\r\n");
		if (*p++ != '=')
			return NULL;
		p += strspn(p, " \t\r\n");
		end = *p == '"' || *p == '\'' ? strchr(p + 1, *p) : NULL;
		if (!end)
			return NULL;
		*why = "has an event handler";
		if (len > 1 && !strncasecmp(name, "on", 2))
			return NULL;
		*why = "has a link to elsewhere";
		if (len >= 4 && !strncasecmp(name + len - 4, "href", 4) && p[1] != '#')
			return NULL;
		*why = "is cut short";
		p = end + 1;
	}
	return *p ? p : NULL;
}

const char *picture_unsafe(const char *svg)
{
	const char *p = svg, *why;

	while ((p = strchr(p, '<'))) {
		size_t len = 0;

		p++;
		if (!strncmp(p, "!--", 3)) {
			p = strstr(p, "-->");
			if (!p)
				return "is cut short";
			continue;
		}
		if (!strncmp(p, "?xml ", 5)) {
			p = strstr(p, "?>");
			if (!p)
				return "is cut short";
			continue;
		}
		if (!strncmp(p, "!DOCTYPE svg ", 13) &&
		    strcspn(p, ">") < strcspn(p, "[")) {
			p += strcspn(p, ">");
			continue;
		}
		p += *p == '/';
		while (is_name(p[len]))
			len++;
		if (!is_element(p, len))
			return "has elements that are no shapes";
		p = attributes(p + len, &why);
		if (!p)
			return why;
	}
	return strstr(svg, "<svg") ? NULL : "is no SVG";
}
