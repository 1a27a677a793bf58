// SPDX-License-Identifier: GPL-2.0
/* See machine.h. */
#include "analysis/report/machine.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "lib/util.h"

#define CHECKSUM	8	/* digits */

/* --- outcomes --- */

enum outcome row_outcome(const struct comparison *c, const struct result *r)
{
	if (r->verdict == VERDICT_REGRESSION)
		return OUTCOME_FAIL;
	if (r->verdict == VERDICT_INCONCLUSIVE ||
	    c->exercised == EXERCISED_NEVER)
		return OUTCOME_SKIP;
	return OUTCOME_PASS;
}

char *row_text(const struct result *r)
{
	struct row_numbers n = report_numbers(r);

	return xasprintf("%s: %s -> %s (%s)%s%s", verdict_name(r->verdict),
			 n.base, n.new, n.change, r->why ? ": " : "",
			 r->why ? r->why : "");
}

bool points_match(const struct side_point *a, const struct side_point *b)
{
	return !strcmp(a->key, b->key);
}

char *not_compared_text(const struct not_compared *m)
{
	static const char *const where[] = { "base", "new", "both sides" };
	char *text = m->boots < m->of ?
		xasprintf("%zu of %zu boots of %s: %s: %s", m->boots, m->of,
			  where[m->where], m->status, m->reason) :
		xasprintf("%s: %s", m->status, m->reason), *clean;

	clean = clean_text(text);
	free(text);
	return clean;
}

char *one_sided_text(const struct one_sided *x)
{
	char *why = clean_text(x->why), *text;

	text = xasprintf("only %s has it: %s", x->in_base ? "base" : "new",
			 why);
	free(why);
	return text;
}

static char *why_skipped(const struct comparison *c, const struct point_test *t)
{
	size_t i;

	if (t->outcome != OUTCOME_SKIP)
		return NULL;
	if (t->nr)
		return xstrdup(c->exercised == EXERCISED_NEVER ?
			       "no point ran the changed code" :
			       "no row has a verdict");
	for (i = 0; i < c->nr_missing; i++)
		if (points_match(c->missing[i].point, t->point))
			return not_compared_text(&c->missing[i]);
	return xstrdup("no metric was measured alike on both sides");
}

static struct point_test point_test_of(const struct comparison *c,
				       const struct side_point *p)
{
	struct point_test t = {
		.point = p,
		.rows = xcalloc(c->nr_results, sizeof(const struct result *)),
	};
	size_t i;

	for (i = 0; i < c->nr_results; i++) {
		const struct result *r = &c->results[i];

		if (!points_match(r->point, p))
			continue;
		t.rows[t.nr++] = r;
		if (row_outcome(c, r) > t.outcome)
			t.outcome = row_outcome(c, r);
	}
	t.why = why_skipped(c, &t);
	return t;
}

/* Points are selected by -b after the whole was judged. */
static bool is_told(const struct comparison *c, const struct side_point *p)
{
	return selected_point(&c->options->select, p->bench, p->params);
}

struct point_test *point_tests(const struct comparison *c, size_t *nr)
{
	struct point_test *t = xcalloc(c->base->nr_points + c->new->nr_points,
				       sizeof(*t));
	size_t i;

	*nr = 0;
	for (i = 0; i < c->base->nr_points; i++)
		if (is_told(c, &c->base->points[i]))
			t[(*nr)++] = point_test_of(c, &c->base->points[i]);
	for (i = 0; i < c->new->nr_points; i++) {
		const struct side_point *p = &c->new->points[i];

		if (is_told(c, p) && !side_find(c->base, p->key))
			t[(*nr)++] = point_test_of(c, p);
	}
	return t;
}

void point_tests_free(struct point_test *t, size_t nr)
{
	while (nr--) {
		free(t[nr].rows);
		free(t[nr].why);
	}
	free(t);
}

/* --- names --- */

/* "patched " if there are several new runs, else "" */
static char *label_of(const struct report *r, size_t nr, const char *end)
{
	char *label, *text;

	if (r->nr == 1)
		return xstrdup("");
	label = report_label(r, nr + 1);
	text = xasprintf("%s%s", label, end);
	free(label);
	return text;
}

char *point_name(const struct report *r, size_t nr, const struct side_point *p)
{
	char *label = label_of(r, nr, " "), *params = params_text(p->params, " ");
	char *name = xasprintf("%s%s%s%s mode=%s", label, p->bench,
			       *params ? " " : "", params, p->mode);

	free(label);
	free(params);
	return name;
}

static void append_checksum(char **text, const char *of)
{
	char hex[65];

	sha256_hex(of, strlen(of), hex);
	append_text(text, "-", "%.*s", CHECKSUM, hex);
}

char *cut_name(char *text, size_t max)
{
	size_t len = strlen(text);
	char *cut;

	if (len <= max)
		return text;
	len = max - CHECKSUM - 1;
	/* not in the middle of a letter */
	while (len && (text[len] & 0xc0) == 0x80)
		len--;
	cut = xstrndup(text, len);
	append_checksum(&cut, text);
	free(text);
	return cut;
}

static bool is_plain(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/*
 * Appends one part of a path, or with @dots several. Returns false if characters
 * were replaced.
 */
static bool append_part(char **path, const char *text, bool dots)
{
	char *part = xstrdup(text), *c;
	bool same = true;

	for (c = part; *c; c++) {
		if (is_plain(*c) ||
		    (dots && *c == '.' && c > part && is_plain(c[-1]) &&
		     is_plain(c[1])))
			continue;
		*c = '_';
		same = false;
	}
	append_text(path, ".", "%s", *part ? part : "_");
	same = same && *part;
	free(part);
	return same;
}

char *point_path(const struct report *r, size_t nr, const struct side_point *p,
		 const char *metric)
{
	char *label = label_of(r, nr, ""), *path = xstrdup("");
	char *whole = xasprintf("%s %s %s", label, p->key,
				metric ? metric : "");
	bool same = !*label || append_part(&path, label, false);
	const char *name;
	json_t *value;

	same &= append_part(&path, p->mode, false);
	same &= append_part(&path, p->bench, true);
	json_object_foreach(p->params, name, value) {
		char *text = param_value_text(value);
		char *part = xstrdup("");

		same &= append_part(&path, name, false);
		same &= append_part(&part, text, false);
		append_text(&path, "-", "%s", part);
		free(part);
		free(text);
	}
	if (metric)
		same &= append_part(&path, metric, true);
	if (!same)
		append_checksum(&path, whole);
	free(label);
	free(whole);
	return cut_name(path, PATH_WIDTH);
}

char *percent_encode(const char *text, const char *keep)
{
	char *out = xcalloc(3 * strlen(text) + 1, 1), *end = out;

	for (; *text; text++) {
		if (isalnum((unsigned char)*text) || strchr(keep, *text))
			*end++ = *text;
		else
			end += sprintf(end, "%%%02X", (unsigned char)*text);
	}
	return out;
}

/* --- numbers and documents --- */

const char *exact_number(double v, char buf[NUMBER_SIZE])
{
	int digits = 15;

	do {
		snprintf(buf, NUMBER_SIZE, "%.*g", digits, v);
	} while (digits++ < 17 && strtod(buf, NULL) != v);
	return buf;
}

void put_document(json_t *j, FILE *f)
{
	json_dumpf(j, f, JSON_INDENT(1) | JSON_REAL_PRECISION(17));
	fputc('\n', f);
	json_decref(j);
}
