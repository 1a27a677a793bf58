// SPDX-License-Identifier: GPL-2.0
/* See patch.h. The format: unified diff, as git writes it. */
#include "analysis/code/patch.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

static struct patched_file *file_get(struct patched *p, const char *name,
				     size_t len)
{
	size_t i;

	for (i = 0; i < p->nr; i++)
		if (!strncmp(p->files[i].name, name, len) &&
		    !p->files[i].name[len])
			return &p->files[i];
	p->files = grow(p->files, p->nr, sizeof(*p->files));
	p->files[p->nr] = (struct patched_file){ xstrndup(name, len), NULL, 0 };
	return &p->files[p->nr++];
}

/*
 * Returns whether a line may produce instructions, judged by this line alone.
 */
static bool is_code(const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && isspace((unsigned char)s[i]))
		i++;
	if (i == len || s[i] == '#' || !strncmp(s + i, "//", 2) ||
	    !strncmp(s + i, "/*", 2) || s[i] == '*')
		return false;
	for (; i < len; i++)
		if (!isspace((unsigned char)s[i]) && !strchr("{}();", s[i]))
			return true;
	return false;
}

static int by_line(const void *a, const void *b)
{
	const struct patched_line *x = a, *y = b;

	return x->line < y->line ? -1 : x->line > y->line;
}

/*
 * A patch's changes of one file: where it removes lines, and where it adds
 * them.
 */
struct part {
	struct patched_file *file;
	unsigned int *gone;	/* by the line numbers before */
	struct patched_line *added;
	size_t nr_gone, nr_added;
};

static bool is_gone(const struct part *t, unsigned int line, size_t *before)
{
	size_t i;

	for (i = 0; i < t->nr_gone && t->gone[i] < line; i++)
		;
	*before = i;
	return i < t->nr_gone && t->gone[i] == line;
}

/* Moves the lines of earlier patches along with the lines of this one. */
static void finish_part(struct part *t)
{
	struct patched_file *f = t->file;
	size_t i, k, n = 0, before;

	if (!f)
		return;
	for (i = 0; i < f->nr; i++) {
		struct patched_line l = f->lines[i];

		if (is_gone(t, l.line, &before) && !l.removed)
			continue;
		l.line -= before;
		for (k = 0; k < t->nr_added; k++)
			if (!t->added[k].removed && t->added[k].line <= l.line)
				l.line++;
		f->lines[n++] = l;
	}
	f->nr = n;
	for (k = 0; k < t->nr_added; k++) {
		f->lines = grow(f->lines, f->nr, sizeof(*f->lines));
		f->lines[f->nr++] = t->added[k];
	}
	if (f->nr)
		qsort(f->lines, f->nr, sizeof(*f->lines), by_line);
	free(t->gone);
	free(t->added);
	*t = (struct part){ 0 };
}

static void add_line(struct part *t, unsigned int line, bool removed, bool code)
{
	t->added = grow(t->added, t->nr_added, sizeof(*t->added));
	t->added[t->nr_added++] = (struct patched_line){ line, removed, code };
}

/* Takes the lines of a hunk after its @@ line. Returns its end. */
static const char *take_hunk(struct part *t, const char *p, unsigned int old,
			     unsigned int nr_old, unsigned int new,
			     unsigned int nr_new)
{
	while (*p && (nr_old || nr_new)) {
		const char *end = strchrnul(p, '\n');
		size_t len = end - p;
		bool replaced;

		switch (*p) {
		case '+':
			add_line(t, new++, false, is_code(p + 1, len - 1));
			nr_new -= !!nr_new;
			break;
		case '-':
			t->gone = grow(t->gone, t->nr_gone, sizeof(*t->gone));
			t->gone[t->nr_gone++] = old++;
			nr_old -= !!nr_old;
			/*
			 * a removal without replacement is recorded at the next
			 * line
			 */
			replaced = *end && end[1] == '+';
			if (!replaced && is_code(p + 1, len - 1))
				add_line(t, new, true, true);
			break;
		case '\\':
			break;
		case ' ':
		case '\n':
		case '\t':
			old++;
			new++;
			nr_old -= !!nr_old;
			nr_new -= !!nr_new;
			break;
		default:
			return p;
		}
		p = *end ? end + 1 : end;
	}
	return p;
}

static const char *number(const char *p, unsigned int *n, unsigned int *count)
{
	char *end;

	*n = strtoul(p + 1, &end, 10);
	*count = 1;
	if (*end == ',')
		*count = strtoul(end + 1, &end, 10);
	return end;
}

/*
 * Finds the name in "--- a/mm/gup.c" or "+++ b/mm/gup.c\t2025", without its
 * first folder. Returns its length; 0 for /dev/null.
 */
static size_t name_of(const char *line, const char **name)
{
	size_t len = strcspn(line, "\t\r\n");
	const char *slash = memchr(line, '/', len);

	if (!slash || (len == 9 && !strncmp(line, "/dev/null", 9)))
		return 0;
	*name = slash + 1;
	return len - (*name - line);
}

static void take_subject(struct patched *p, const char *text)
{
	const char *s = strstr(text, "\nSubject: "), *end;

	if (p->subject || !s)
		return;
	s += 10;
	if (*s == '[' && strchr(s, ']'))
		s = strchr(s, ']') + 1;
	while (*s == ' ')
		s++;
	end = strchrnul(s, '\n');
	/* a long subject continues in indented lines */
	while (*end == '\n' && end[1] == ' ')
		end = strchrnul(end + 1, '\n');
	p->subject = xstrndup(s, end - s);
	for (char *c = p->subject; *c; c++)
		if (*c == '\n') {
			memmove(c, c + 1, strlen(c));
			*c = ' ';
		}
}

int patch_add(struct patched *p, const char *path)
{
	char *text = read_file(path, NULL);
	const char *line, *name = NULL, *old_name = NULL;
	size_t len = 0, old_len = 0, hunks = 0;
	struct part t = { 0 };

	if (!text)
		return -errno;
	take_subject(p, text);
	for (line = text; *line;) {
		const char *end = strchrnul(line, '\n');
		unsigned int old, nr_old, new, nr_new;

		if (!strncmp(line, "--- ", 4)) {
			old_len = name_of(line + 4, &old_name);
		} else if (!strncmp(line, "+++ ", 4)) {
			finish_part(&t);
			len = name_of(line + 4, &name);
			if (!len) {	/* the patch removes the file */
				name = old_name;
				len = old_len;
			}
			if (len)
				t.file = file_get(p, name, len);
		} else if (!strncmp(line, "@@ -", 4) && t.file) {
			const char *plus = number(line + 3, &old, &nr_old);

			if (!strncmp(plus, " +", 2)) {
				number(plus + 1, &new, &nr_new);
				hunks++;
				line = take_hunk(&t, *end ? end + 1 : end, old,
						 nr_old, new, nr_new);
				continue;
			}
		}
		line = *end ? end + 1 : end;
	}
	finish_part(&t);
	free(text);
	if (!hunks)
		return fail(EINVAL, "%s: not a patch: it has no hunk", path);
	return 0;
}

void patched_free(struct patched *p)
{
	size_t i;

	for (i = 0; i < p->nr; i++) {
		free(p->files[i].name);
		free(p->files[i].lines);
	}
	free(p->files);
	free(p->subject);
	memset(p, 0, sizeof(*p));
}
