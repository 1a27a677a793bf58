// SPDX-License-Identifier: GPL-2.0
/*
 * One file for a browser: the verdict first, then findings, tables, pictures,
 * the environment, and how to do it again. It refers to nothing outside
 * itself, and everything that comes out of a run is escaped.
 *
 * One file though it is long: the page from its head to its end.
 */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/draw/format.h"
#include "analysis/judge/rules.h"
#include "analysis/report/answer.h"
#include "analysis/report/report.h"
#include "lib/util.h"
#include "lib/version.h"

#define RAN_WIDTH	150	/* characters that say what ran */
/* Of the column of bars, for the longest; the number is beside it. */
#define BAR_WIDTH	70.

static const char head[] =
"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
"<style>\n"
":root { color-scheme: light; }\n"
"* { box-sizing: border-box; }\n"
"body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;\n"
"  margin: 0 auto; padding: 1rem; max-width: 72rem; overflow-wrap: anywhere; }\n"
"h1 { font-size: 1.35rem; margin: .5rem 0; }\n"
"h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #1a1a1a; }\n"
"h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }\n"
".verdict { border-left: .5rem solid #666; padding: .5rem 1rem; background: #f4f4f4; margin: 1rem 0; }\n"
".verdict.regression { border-color: #b03a00; }\n"
".verdict.improvement { border-color: #00608f; }\n"
".verdict p { margin: .2rem 0; }\n"
".verdict .first { font-size: 1.15rem; font-weight: 600; }\n"
".wide { overflow-x: auto; margin: .5rem 0; }\n"
"table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }\n"
"th, td { text-align: left; padding: .15rem .7rem .15rem 0; vertical-align: top; white-space: nowrap; }\n"
"th { border-bottom: 1px solid #1a1a1a; }\n"
"td.n, th.n { text-align: right; }\n"
"tr.point td { font-weight: 600; padding-top: .6rem; white-space: normal; }\n"
"td.metric { padding-left: 1rem; }\n"
"table.answer { width: 100%; font-size: 1rem; overflow-wrap: normal; }\n"
"table.answer th { white-space: normal; vertical-align: bottom; }\n"
"table.answer td { border-bottom: 1px solid #ddd; }\n"
"table.answer td.what { white-space: normal; min-width: 11rem; }\n"
"table.answer td.in { padding-left: 1rem; }\n"
"td.bars { width: 45%; min-width: 10rem; font-size: .8125rem; line-height: 1.25; }\n"
"td.bars span { display: inline-block; height: .8em; margin-right: .3rem; background: #8a8a8a; min-width: 1px; }\n"
"td.bars .regression span { background: #d55e00; }\n"
"td.bars .improvement span { background: #0072b2; }\n"
".below p { margin: .4rem 0; }\n"
".links a { margin-right: 1rem; }\n"
"td.long { white-space: normal; }\n"
"tr.evidence td { white-space: normal; color: #444; font-size: .8125rem; padding: 0 0 .3rem 2rem; }\n"
"td.regression { color: #8a2d00; font-weight: 600; }\n"
"td.improvement { color: #004b70; font-weight: 600; }\n"
".note { color: #444; font-size: .875rem; }\n"
"code, pre { font: .8125rem/1.45 ui-monospace, monospace; background: #f4f4f4; }\n"
"pre { padding: .6rem; overflow-x: auto; }\n"
"code { padding: .05rem .25rem; }\n"
"ul { padding-left: 1.2rem; }\n"
"li { margin: .4rem 0; }\n"
"figure { margin: 1rem 0; }\n"
"figure .wide > svg { display: block; max-width: 100%; height: auto; min-width: 44rem; }\n"
"summary { cursor: pointer; padding: .3rem 0; }\n"
"@media (max-width: 30rem) {\n"
"  body { padding: .6rem; }\n"
"  table { font-size: .78rem; }\n"
"  th, td { padding-right: .4rem; }\n"
"  td.metric { padding-left: .4rem; }\n"
"  tr.evidence td { padding-left: .8rem; }\n"
"  td.metric { white-space: normal; overflow-wrap: normal; }\n"
"  .delta { display: none; }\n"
"  table.answer { font-size: .8125rem; }\n"
"  table.answer td.what { min-width: 7rem; }\n"
"  table.answer td.in { padding-left: .5rem; }\n"
"  table.answer .note { font-size: .75rem; line-height: 1.3; }\n"
"  td.bars { min-width: 6.5rem; font-size: .75rem; }\n"
"}\n"
"@media print { details { display: block; } figure { break-inside: avoid; } }\n"
"</style>\n";

/* --- escaping --- */

static void put_format(FILE *f, const char *fmt, ...) __printf(2, 3);

static void put_format(FILE *f, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = clean_vformat(fmt, ap);
	va_end(ap);
	put_markup(f, text);
	free(text);
}

/* What another form of the report prints, as it is. */
static void put_pre(FILE *f, const char *text)
{
	fputs("<pre>", f);
	for (; *text; text++) {
		if (*text == '\n')
			fputc('\n', f);
		else if (*text == '<')
			fputs("&lt;", f);
		else if (*text == '>')
			fputs("&gt;", f);
		else if (*text == '&')
			fputs("&amp;", f);
		else
			fputc(*text, f);
	}
	fputs("</pre>\n", f);
}

/* --- verdict --- */

static const char *verdict_class(const struct comparison *c)
{
	if (c->releases)
		return "";
	if (c->count[VERDICT_REGRESSION])
		return " regression";
	return c->count[VERDICT_IMPROVEMENT] ? " improvement" : "";
}

static size_t count_severity(const struct comparison *c, enum severity s)
{
	size_t nr = 0, i;

	for (i = 0; i < c->nr_findings; i++)
		nr += c->findings[i].severity == s &&
		      strcmp(c->findings[i].rule, EXACT_DIFFERENCE);
	return nr;
}

/* A paragraph; frees @text. */
static void put_paragraph(FILE *f, char *text)
{
	if (!text)
		return;
	fputs("<p>", f);
	put_format(f, "%s", text);
	fputs("</p>\n", f);
	free(text);
}

static void cell(FILE *f, const char *class, const char *text)
{
	fprintf(f, "<td%s%s%s>", class ? " class=\"" : "", class ? class : "",
		class ? "\"" : "");
	put_markup(f, text);
	fputs("</td>", f);
}

/* A bar of both sides, to the scale of the largest of all. */
static void put_bars(FILE *f, const struct result *cost, double most)
{
	char base[NUMBER_SIZE], new[NUMBER_SIZE];

	if (!cost) {
		fputs("<td></td>", f);
		return;
	}
	fprintf(f, "<td class=\"bars\"><div><span style=\"width:%.1f%%\"></span>%s</div><div class=\"%s\"><span style=\"width:%.1f%%\"></span>%s</div></td>",
		BAR_WIDTH * cost->base.median / most,
		format_brief(cost->base.median, false, base),
		verdict_name(cost->verdict), BAR_WIDTH * cost->new.median / most,
		format_brief(cost->new.median, false, new));
}

static void put_answer_row(const struct answer_rows *r,
			   const struct answer_row *row, double most, FILE *f)
{
	char number[NUMBER_SIZE];
	const char *delta = row->cost ? "same" : "";
	size_t i;

	if (row->stem) {
		fprintf(f, "<tr class=\"point\"><td colspan=\"%zu\">",
			3 + r->nr_columns);
		put_markup(f, row->stem);
		fputs("</td></tr>\n", f);
	}
	fprintf(f, "<tr><td class=\"what%s\">", row->grouped ? " in" : "");
	put_markup(f, row->label);
	if (row->events) {
		fputs("<div class=\"note\">", f);
		put_markup(f, row->events);
		fputs("</div>", f);
	}
	if (row->values) {
		fputs("<div class=\"note\">", f);
		put_markup(f, row->values);
		fputs("</div>", f);
	}
	if (*row->same) {
		fputs("<div class=\"note\">the same change: ", f);
		put_markup(f, row->same);
		fputs("</div>", f);
	}
	fputs("</td>", f);
	put_bars(f, row->cost, most);
	if (row->cost && is_difference(row->cost))
		delta = format_brief(row->cost->delta, true, number);
	cell(f, "n", delta);
	for (i = 0; i < r->nr_columns; i++)
		cell(f, "n", row->delta[i]);
	fputs("</tr>\n", f);
}

/* The rows of the answer, with a bar for each side. */
static void put_answer(const struct comparison *c, const struct answer *a,
		       FILE *f)
{
	struct answer_rows *r = answer_rows_of(a, ANSWER_LINES);
	char *base = answer_side(c->base, "base");
	char *new = answer_side(c->new, "new");
	double most = 0;
	size_t i;

	for (i = 0; i < r->nr; i++)
		if (r->v[i].cost)
			most = fmax(most, fmax(r->v[i].cost->base.median,
					       r->v[i].cost->new.median));
	fputs("<div class=\"wide\"><table class=\"answer\"><thead><tr><th>", f);
	put_markup(f, r->heading);
	fputs("</th><th>", f);
	if (a->cost)
		put_format(f, "%s, below it %s", base, new);
	fprintf(f, "</th><th class=\"n\">%s</th>", a->cost ? "delta" : "");
	for (i = 0; i < r->nr_columns; i++) {
		fputs("<th class=\"n\">", f);
		put_markup(f, r->column[i]);
		fputs("</th>", f);
	}
	fputs("</tr></thead><tbody>\n", f);
	for (i = 0; i < r->nr; i++)
		put_answer_row(r, &r->v[i], most > 0 ? most : 1, f);
	fputs("</tbody></table></div>\n", f);
	if (*r->others)
		put_paragraph(f, xasprintf("Also %s.", r->others));
	answer_rows_free(r);
	free(base);
	free(new);
}

/* "what: text."; frees @text. */
static void put_said(FILE *f, const char *what, char *text)
{
	if (!text)
		return;
	put_paragraph(f, xasprintf("%s: %s.", what, text));
	free(text);
}

/* What stays, what is not known, and where the rest of the page is. */
static void put_more(const struct report *r, size_t nr, const struct answer *a,
		     const struct report_page *page, FILE *f)
{
	const struct comparison *c = r->c[nr];
	size_t errors = count_severity(c, SEVERITY_ERROR);
	size_t warnings = count_severity(c, SEVERITY_WARNING);
	struct report one = { .c = &r->c[nr], .nr = 1 };
	char *text = NULL;
	size_t len;
	FILE *m;

	if (a->differing)
		put_said(f, "Unchanged", answer_unchanged(a));
	put_said(f, "Not decided", answer_undecided(a));
	put_said(f, "Not measured", answer_not_measured(c));
	if (page->where) {
		fputs("<p>Where: ", f);
		put_markup(f, page->where);
		fputs(" (<a href=\"#where\">flame graph</a>).</p>\n", f);
	}
	fprintf(f, "<p class=\"links\"><a href=\"#findings\">%zu error%s, %zu warning%s</a> <a href=\"#rows\">all %zu rows</a> <a href=\"#pictures\">pictures</a> <a href=\"#again\">how to repeat</a></p>\n",
		errors, plural(errors), warnings, plural(warnings),
		c->nr_results);
	m = open_memstream(&text, &len);
	report_mail(&one, m);
	fclose(m);
	fputs("<details><summary>As a reply to the patch</summary>\n", f);
	put_pre(f, text);
	fputs("</details>\n", f);
	free(text);
}

static void put_verdict(const struct report *r, size_t nr,
			const struct report_page *page, FILE *f)
{
	const struct comparison *c = r->c[nr];
	struct answer *a = answer_of(c);
	char *label = report_label(r, nr + 1), *verdict = answer_verdict(c, a);

	put_paragraph(f, answer_where(c));
	fprintf(f, "<div class=\"verdict%s\"><p class=\"first\">",
		verdict_class(c));
	put_format(f, "%s%s%s", r->nr > 1 ? label : "", r->nr > 1 ? ": " : "",
		   verdict);
	fputs("</p>\n", f);
	put_paragraph(f, exercised_brief(c->changes, RAN_WIDTH));
	put_paragraph(f, c->releases ? xstrdup(c->releases) : NULL);
	fputs("</div>\n", f);
	fputs("<div class=\"below\">\n", f);
	if (a->differing)
		put_answer(c, a, f);
	put_more(r, nr, a, page, f);
	fputs("</div>\n", f);
	answer_free(a);
	free(verdict);
	free(label);
}

/* --- findings --- */

static void put_finding(const struct comparison *c, size_t nr, bool *done,
			FILE *f)
{
	const struct finding *x = &c->findings[nr];
	char *params = params_text(x->point->params, " ");
	size_t points = 0, i;

	for (i = nr; i < c->nr_findings; i++)
		if (!strcmp(c->findings[i].rule, x->rule) &&
		    !strcmp(c->findings[i].bench, x->bench) &&
		    c->findings[i].severity == x->severity) {
			done[i] = true;
			points++;
		}
	fputs("<li><strong>", f);
	put_format(f, "%s (%s)", x->rule, severity_name(x->severity));
	fputs("</strong>: ", f);
	put_format(f, "%s %s", x->bench, params);
	if (points > 1)
		put_format(f, ", and %zu more", points - 1);
	fputs(": ", f);
	put_markup(f, x->text);
	fputs("<br><span class=\"note\">again: </span><code>", f);
	put_markup(f, x->reproduce);
	fputs("</code></li>\n", f);
	free(params);
}

/* Rules first; differences that are only that follow in the table anyway. */
static void put_findings(const struct comparison *c, FILE *f)
{
	bool *done = xcalloc(c->nr_findings, sizeof(*done)), any = false;
	size_t i;
	int s;

	for (s = SEVERITY_ERROR; s >= SEVERITY_INFO; s--)
		for (i = 0; i < c->nr_findings; i++) {
			const struct finding *x = &c->findings[i];

			if (done[i] || (int)x->severity != s ||
			    !strcmp(x->rule, EXACT_DIFFERENCE))
				continue;
			fputs(any ? "" : "<ul>\n", f);
			any = true;
			put_finding(c, i, done, f);
		}
	fputs(any ? "</ul>\n" : "<p>No rule fired.</p>\n", f);
	free(done);
}

/* --- tables --- */

/* What stands under a row: NULL where every boot gave one and the same. */
static char *evidence_text(const struct result *r)
{
	char a[NUMBER_SIZE], b[NUMBER_SIZE], c[NUMBER_SIZE], d[NUMBER_SIZE];
	char *more, *text, *interval;

	if (r->tier == TIER_EXACT && sample_is_one(&r->base) &&
	    sample_is_one(&r->new))
		return NULL;
	if (r->tier == TIER_EXACT) {
		more = agreement_text(r);
		text = xasprintf("%s to %s, and %s to %s, over %zu and %zu boots%s",
				 format_value(r->base.min, r->tier, a),
				 format_value(r->base.max, r->tier, b),
				 format_value(r->new.min, r->tier, c),
				 format_value(r->new.max, r->tier, d),
				 r->base.boots, r->new.boots,
				 more ? more : "");
		free(more);
		return text;
	}
	if (isnan(r->p))
		return r->why ? xstrdup(r->why) : NULL;
	more = r->boots_more ?
	       xasprintf("; about %zu more boots a side would settle it",
			 r->boots_more) : xstrdup("");
	interval = ci_text(r);
	text = xasprintf("95%% CI %s, adjusted %s, %zu and %zu boots%s",
			 interval, format_p(r->p_adjusted, c), r->base.boots,
			 r->new.boots, more);
	free(interval);
	free(more);
	return text;
}

/* A name that may be broken where its words end. */
static void put_breakable(FILE *f, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, "_.");
		char *word = xasprintf("%.*s", (int)(n + (name[n] != '\0')),
				       name);

		put_markup(f, word);
		name += strlen(word);
		if (*name)
			fputs("<wbr>", f);
		free(word);
	}
}

static void put_row(const struct result *r, FILE *f)
{
	char *label = metric_label(r->metric, r->facts.unit);
	char *evidence = evidence_text(r);
	const struct metric *m = metric_find(r->metric);
	struct row_numbers n = report_numbers(r);

	fputs("<tr><td class=\"metric\" title=\"", f);
	put_markup(f, m ? m->help : "");
	fputs("\">", f);
	put_breakable(f, label);
	fputs("</td>", f);
	cell(f, "n", n.base);
	cell(f, "n", n.new);
	cell(f, "n delta", n.delta);
	cell(f, "n", n.change);
	cell(f, verdict_name(r->verdict), r->word);
	fputs("</tr>\n", f);
	if (evidence) {
		fputs("<tr class=\"evidence\"><td colspan=\"6\">", f);
		put_markup(f, evidence);
		fputs("</td></tr>\n", f);
	}
	free(evidence);
	free(label);
}

static void put_table(const struct report *r, size_t nr, const struct view *v,
		      FILE *f)
{
	char *base = report_label(r, 0), *new = report_label(r, nr + 1);
	size_t i;

	fputs("<div class=\"wide\"><table><thead><tr><th>per operation</th><th class=\"n\">",
	      f);
	put_markup(f, base);
	fputs("</th><th class=\"n\">", f);
	put_markup(f, new);
	fputs("</th><th class=\"n delta\">delta</th><th class=\"n\">change</th><th>verdict</th></tr></thead><tbody>\n",
	      f);
	for (i = 0; i < v->nr; i++) {
		if (!i || v->row[i - 1]->point != v->row[i]->point) {
			char *point = view_point(v, v->row[i]->point);

			fputs("<tr class=\"point\"><td colspan=\"6\">", f);
			put_markup(f, point);
			fputs("</td></tr>\n", f);
			free(point);
		}
		put_row(v->row[i], f);
	}
	fputs("</tbody></table></div>\n", f);
	free(base);
	free(new);
}

static void put_tables(const struct report *r, size_t nr, FILE *f)
{
	struct view some = view_of(r->c[nr], false);
	struct view all = view_of(r->c[nr], true);
	char *constant = params_text(some.constant, " ");

	if (some.nr && *constant) {
		fputs("<p class=\"note\">In all rows that have them: ", f);
		put_markup(f, constant);
		fputs("</p>\n", f);
	}
	if (some.exact)
		fputs("<p class=\"note\">Where nothing stands under an exact row, every boot gave the same number.</p>\n",
		      f);
	if (some.nr)
		put_table(r, nr, &some, f);
	else
		fputs("<p>Nothing differs.</p>\n", f);
	if (all.nr > some.nr) {
		fprintf(f, "<details><summary>All %zu rows, equal ones as well</summary>\n",
			all.nr);
		put_table(r, nr, &all, f);
		fputs("</details>\n", f);
	}
	free(constant);
	view_free(&some);
	view_free(&all);
}

/* --- pictures --- */

/*
 * An SVG of gnuplot's inside the page: without its prologue, and with a prefix
 * before each identifier, as those of several pictures are the same.
 */
static void put_svg(const char *svg, size_t nr, FILE *f)
{
	static const char *const before[] = { "id=\"", "id='", "href='#",
					      "href=\"#", "url(#" };
	const char *p = strstr(svg, "<svg");
	size_t i;

	while (p && *p) {
		for (i = 0; i < ARRAY_SIZE(before); i++)
			if (!strncmp(p, before[i], strlen(before[i])))
				break;
		if (i < ARRAY_SIZE(before)) {
			fprintf(f, "%sp%zu-", before[i], nr);
			p += strlen(before[i]);
		} else {
			fputc(*p++, f);
		}
	}
}

static void put_pictures(const struct report_page *page, FILE *f)
{
	size_t i;

	fputs("<h2 id=\"pictures\">Pictures</h2>\n", f);
	if (!page->nr_pictures) {
		fputs("<p>", f);
		put_markup(f, page->no_pictures ? page->no_pictures : "None.");
		fputs("</p>\n", f);
	}
	for (i = 0; i < page->nr_pictures; i++) {
		fputs("<figure><div class=\"wide\">", f);
		put_svg(page->pictures[i], i + 1, f);
		fputs("</div></figure>\n", f);
	}
}

static void put_explained(const struct report_page *page, FILE *f)
{
	size_t i;

	if (!page->nr_explained)
		return;
	fputs("<h2 id=\"where\">Where the instructions went</h2>\n", f);
	fputs("<p class=\"note\">Of the largest differences, counted instruction by instruction in one boot of each kernel.</p>\n", f);
	for (i = 0; i < page->nr_explained; i++) {
		put_pre(f, page->explained[i]);
		fputs("<figure><div class=\"wide\">", f);
		/* identifiers that those of the pictures below are not */
		put_svg(page->flame[i], 1000 + i, f);
		fputs("</div></figure>\n", f);
	}
}

/* --- environment and reproduction --- */

static char *value_text(const json_t *v)
{
	if (json_is_string(v))
		return xstrdup(json_string_value(v));
	return json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT);
}

static void put_members(json_t *o, const char *prefix, FILE *f)
{
	const char *key;
	json_t *value;

	json_object_foreach(o, key, value) {
		char *text;

		if (json_is_object(value)) {
			char *deeper = xasprintf("%s%s.", prefix, key);

			put_members(value, deeper, f);
			free(deeper);
			continue;
		}
		text = value_text(value);
		fputs("<tr><td>", f);
		put_markup(f, prefix);
		put_markup(f, key);
		fputs("</td>", f);
		cell(f, "long", text ? text : "");
		fputs("</tr>\n", f);
		free(text);
	}
}

static void put_boots(const struct side *s, FILE *f)
{
	size_t i;

	fputs("<div class=\"wide\"><table><thead><tr><th>file</th><th>mode</th><th class=\"n\">seed</th><th>boot</th><th>whole</th></tr></thead><tbody>\n",
	      f);
	for (i = 0; i < s->run->nr_files; i++) {
		const struct run_file *x = s->run->files[i];
		char *seed = xasprintf("%" JSON_INTEGER_FORMAT,
				       json_integer_value(json_object_get(
						x->header, "seed")));

		fputs("<tr>", f);
		cell(f, NULL, file_name(x));
		cell(f, NULL, file_mode(x));
		cell(f, "n", seed);
		cell(f, NULL, json_text(x->header, "boot_id"));
		cell(f, NULL, x->complete ? "yes" : x->incomplete);
		fputs("</tr>\n", f);
		free(seed);
	}
	fputs("</tbody></table></div>\n", f);
}

static void put_side(const struct side *s, const char *label, FILE *f)
{
	static const char *const elsewhere[] = { "metrics", "absent", "type",
						 "schema", "seed", "boot_id" };
	json_t *h = json_copy(s->run->files[0]->header);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(elsewhere); i++)
		json_object_del(h, elsewhere[i]);
	fputs("<h3>", f);
	put_format(f, "%s: %s", label, s->run->path);
	fputs("</h3>\n", f);
	put_boots(s, f);
	fputs("<details><summary>Everything that was recorded of the machine</summary><div class=\"wide\"><table><tbody>\n",
	      f);
	put_members(h, "", f);
	fputs("</tbody></table></div></details>\n", f);
	json_decref(h);
}

static void put_differences(const struct comparison *c, FILE *f)
{
	bool any = false;
	size_t i;

	for (i = 0; i < c->env.nr; i++) {
		char *text;

		if (env_said_before(&c->env, i))
			continue;
		text = env_difference_text(&c->env.d[i]);
		fputs(any ? "<li>" : "<p>Differs:</p><ul><li>", f);
		any = true;
		put_format(f, "%s%s", text, !c->env.d[i].matters ?
			   " (the kernel's identity)" : " (allowed)");
		fputs("</li>\n", f);
		free(text);
	}
	fputs(any ? "</ul>\n" : "<p>Nothing differs.</p>\n", f);
}

static void put_word(FILE *f, const char *text)
{
	char *word = shell_word(text);

	put_markup(f, word);
	free(word);
}

static void put_reproduction(const struct report *r,
			     const struct report_page *page, FILE *f)
{
	json_t *words = json_object_get(r->c[0]->base->run->files[0]->header,
					"command");
	size_t i;

	fputs("<h2 id=\"again\">Again</h2>\n", f);
	if (page->again) {
		fputs("<p>All of it, kernels as well:</p>\n", f);
		put_pre(f, page->again);
	}
	fputs("<p>On each kernel:</p>\n<pre>", f);
	for (i = 0; i < json_array_size(words); i++) {
		const char *w = json_string_value(json_array_get(words, i));

		fputs(i ? " " : "", f);
		put_word(f, w ? w : "?");
	}
	fputs("</pre>\n<p>Then:</p>\n<pre>ptelab compare ", f);
	put_word(f, r->c[0]->base->run->path);
	for (i = 0; i < r->nr; i++) {
		fputc(' ', f);
		put_word(f, r->c[i]->new->run->path);
	}
	fputs("</pre>\n", f);
	if (page->manifest) {
		fputs("<details open><summary>Kernels, patches, job and emulator</summary>\n",
		      f);
		put_pre(f, page->manifest);
		fputs("</details>\n", f);
	}
}

/* What the text form says behind its table: reasons, notes, the legend. */
static void put_rest(const struct report *r, FILE *f)
{
	struct view v = view_merge(r->c, r->nr, r->all);
	char *text = NULL;
	size_t len;
	FILE *m = open_memstream(&text, &len);

	if (m) {
		report_rest(r, &v, m);
		fclose(m);
		fputs("<h2>Limits and legend</h2>\n", f);
		put_pre(f, text);
		free(text);
	}
	view_free(&v);
}

void report_html(const struct report *r, const struct report_page *page,
		 FILE *f)
{
	char *label, *subject;
	size_t i;

	fputs(head, f);
	fputs("<title>", f);
	put_format(f, "%s", page->title);
	fputs("</title>\n</head>\n<body>\n<h1>", f);
	subject = answer_subject(r->c[0]);
	put_markup(f, subject ? subject : page->title);
	free(subject);
	fputs("</h1>\n", f);
	for (i = 0; i < r->nr; i++)
		put_verdict(r, i, page, f);
	for (i = 0; i < r->nr; i++) {
		label = report_label(r, i + 1);
		fprintf(f, "<h2%s>Findings", i ? "" : " id=\"findings\"");
		put_format(f, "%s%s", r->nr > 1 ? ": " : "",
			   r->nr > 1 ? label : "");
		fputs("</h2>\n", f);
		put_findings(r->c[i], f);
		fprintf(f, "<h2%s>What differs</h2>\n", i ? "" : " id=\"rows\"");
		put_tables(r, i, f);
		free(label);
	}
	put_explained(page, f);
	put_pictures(page, f);
	put_rest(r, f);
	fputs("<h2>Environment</h2>\n", f);
	for (i = 0; i < r->nr; i++)
		put_differences(r->c[i], f);
	for (i = 0; i <= r->nr; i++) {
		label = report_label(r, i);
		put_side(i ? r->c[i - 1]->new : r->c[0]->base, label, f);
		free(label);
	}
	put_reproduction(r, page, f);
	fputs("<p class=\"note\">ptelab " PTELAB_VERSION "</p>\n</body>\n</html>\n",
	      f);
}
