// SPDX-License-Identifier: GPL-2.0
/*
 * Finds in the kernel's sources which option builds a file, and the names of
 * CPU capabilities.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "analysis/code/changes.h"
#include "analysis/load/load.h"
#include "lib/util.h"

/* --- which option --- */

static bool has_word(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);
	const char *p = line;

	while ((p = memmem(p, line + len - p, word, n))) {
		if ((p == line || isspace((unsigned char)p[-1]) ||
		     p[-1] == '=') &&
		    (p + n == line + len || isspace((unsigned char)p[n])))
			return true;
		p += n;
	}
	return false;
}

/*
 * Returns the end of a logical line: the first newline without a backslash
 * before it.
 */
static const char *line_end(const char *p)
{
	const char *end = strchrnul(p, '\n');

	while (*end && end > p && end[-1] == '\\')
		end = strchrnul(end + 1, '\n');
	return end;
}

/*
 * Returns the list to which this Makefile adds @object, the text before its
 * "+=": "obj-$(CONFIG_KSM)", "kvm-y", "memory-hotplug-objs". NULL if there is
 * none; the caller frees.
 */
static char *list_with(const char *text, const char *object)
{
	const char *p, *end;

	for (p = text; *p; p = *end ? end + 1 : end) {
		size_t n = 0;

		end = line_end(p);
		while (p + n < end && !isspace((unsigned char)p[n]) &&
		       !strchr(":+=#", p[n]))
			n++;
		if (n && strcspn(p, "=") < (size_t)(end - p) &&
		    has_word(p + n, end - p - n, object))
			return xstrndup(p, n);
	}
	return NULL;
}

static char *option_in(const char *text, const char *object, int depth)
{
	char *list = list_with(text, object), *dash, *name, *option = NULL;
	const char *paren = list ? strstr(list, "$(CONFIG_") : NULL;

	if (paren) {
		option = xstrndup(paren + 2, strcspn(paren + 2, ")"));
	} else if (list && depth && (dash = strrchr(list, '-'))) {
		/* a part of a composite object: kvm-y, kvm-objs */
		*dash = '\0';
		if (strcmp(list, "obj")) {
			name = xasprintf("%s.o", list);
			option = option_in(text, name, depth - 1);
			free(name);
		}
	}
	free(list);
	return option;
}

static char *makefile_of(const char *tree, const char *folder)
{
	static const char *const names[] = { "Kbuild", "Makefile" };
	char *path, *text = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names) && !text; i++) {
		path = xasprintf("%s/%s/%s", tree, folder, names[i]);
		if (readable(path))
			text = read_file(path, NULL);
		free(path);
	}
	return text;
}

/* The folder's own Makefile first, then those of the folders above it. */
char *kbuild_option(const char *tree, const char *file)
{
	char *folder = xstrdup(file), *slash = strrchr(folder, '/');
	char *object, *option = NULL, *dot;

	if (!slash) {
		free(folder);
		return NULL;
	}
	object = xstrdup(slash + 1);
	dot = strrchr(object, '.');
	if (dot)
		strcpy(dot, ".o");
	*slash = '\0';
	for (;;) {
		char *text = makefile_of(tree, folder);

		if (text)
			option = option_in(text, object, 3);
		free(text);
		slash = strrchr(folder, '/');
		if (option || !slash)
			break;
		free(object);
		object = xasprintf("%s/", slash + 1);
		*slash = '\0';
	}
	free(object);
	free(folder);
	return option;
}

/* --- names of CPU capabilities --- */

/* The build writes them here; newer kernels first. */
static const char *const cpucaps_h[] = {
	"arch/arm64/include/generated/asm/cpucap-defs.h",
	"arch/arm64/include/generated/asm/cpucaps.h",
};
#define TAR_BLOCK	512

/*
 * Returns a file of a compressed tar; NULL if it does not contain it. The
 * caller frees.
 */
static char *from_tar(const char *path, const char *name)
{
	gzFile z = gzopen(path, "re");
	char block[TAR_BLOCK + 1] = "", *text = NULL;

	while (z && gzread(z, block, TAR_BLOCK) == TAR_BLOCK && *block) {
		unsigned long size = strtoul(block + 124, NULL, 8);

		block[100] = '\0';
		if (!strcmp(block, name) && size < MIB) {
			text = xcalloc(size + 1, 1);
			if (gzread(z, text, size) != (int)size) {
				free(text);
				text = NULL;
			}
			break;
		}
		size = (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		if (gzseek(z, size, SEEK_CUR) < 0)
			break;
	}
	if (z)
		gzclose(z);
	return text;
}

static char *cpucaps(const struct subject *s)
{
	char *tar = xasprintf("%s/headers.tar.gz", s->folder), *text = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cpucaps_h) && !text; i++) {
		char *path = xasprintf("%s/%s", s->folder, cpucaps_h[i]);

		if (readable(path))
			text = read_file(path, NULL);
		else if (readable(tar))
			text = from_tar(tar, cpucaps_h[i]);
		free(path);
	}
	free(tar);
	return text;
}

char *cpucap_name(const struct subject *s, unsigned int cap)
{
	char *text = cpucaps(s), *line, *save, *name = NULL;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line && !name;
	     line = strtok_r(NULL, "\n", &save)) {
		char word[128];
		unsigned int number;

		if (sscanf(line, "#define ARM64_%127s %u", word, &number) == 2 &&
		    number == cap && strcmp(word, "NCAPS"))
			name = xstrdup(!strncmp(word, "HAS_", 4) ? word + 4 :
				       word);
	}
	free(text);
	return name ? name : xasprintf("CPU capability %u", cap);
}
