// SPDX-License-Identifier: GPL-2.0
/* See format.h. */
#include "analysis/draw/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/util.h"

#define MAX_DECIMALS	9

static int magnitude(double v)
{
	return v ? (int)floor(log10(fabs(v))) : 0;
}

static int clamp(int v, int low, int high)
{
	return v < low ? low : v > high ? high : v;
}

/* Returns the fewest decimals, up to @most, that show @v within rounding. */
static int decimals_of(double v, int most)
{
	int d;

	for (d = 0; d < most; d++) {
		double scaled = v * pow(10, d);

		if (fabs(scaled - round(scaled)) <=
		    1e-9 * fmax(1, fabs(scaled)))
			break;
	}
	return d;
}

int decimals_for(const double *v, size_t nr, double delta, enum tier tier)
{
	int most, d = 0, top = -MAX_DECIMALS, low = 0;
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!isfinite(v[i]) || !v[i])
			continue;
		if (top < magnitude(v[i]))
			top = magnitude(v[i]);
		if (low > magnitude(v[i]))
			low = magnitude(v[i]);
	}
	if (tier == TIER_TIMED)
		most = clamp(4 - top, 0, MAX_DECIMALS);
	else if (isfinite(delta) && delta)
		/*
		 * Seven digits fit into the table. Neither the delta nor, if
		 * there is room, a small value may become 0.
		 */
		most = clamp(fmax(clamp(2 - magnitude(delta), 2, MAX_DECIMALS),
				  -low), 0,
			     fmax(6 - fmax(top, 0), 1 - magnitude(delta)));
	else
		most = clamp(fmax(5 - fmax(top, 0), 2 - low), 2, 6);
	for (i = 0; i < nr; i++)
		if (isfinite(v[i]) && decimals_of(v[i], most) > d)
			d = decimals_of(v[i], most);
	return d;
}

const char *format_number(double v, int decimals, char buf[NUMBER_SIZE])
{
	if (isnan(v))
		snprintf(buf, NUMBER_SIZE, "-");
	else if (!v)
		snprintf(buf, NUMBER_SIZE, "0");
	else if (fabs(v) >= 1e13 || (decimals && fabs(v) * pow(10, decimals) >=
				     1e13))
		snprintf(buf, NUMBER_SIZE, "%.6g", v);
	else
		snprintf(buf, NUMBER_SIZE, "%.*f", decimals, v);
	return buf;
}

const char *format_delta(double v, int decimals, char buf[NUMBER_SIZE])
{
	char plain[NUMBER_SIZE];

	if (!v)
		return strcpy(buf, "0");
	format_number(v, decimals, plain);
	snprintf(buf, NUMBER_SIZE, "%s%.30s", v > 0 ? "+" : "", plain);
	return buf;
}

const char *format_value(double v, enum tier tier, char buf[NUMBER_SIZE])
{
	return format_number(v, decimals_for(&v, 1, 0, tier), buf);
}

const char *format_brief(double v, bool sign, char buf[NUMBER_SIZE])
{
	int d = fabs(v) >= 100 || v == round(v) ? 0 : 2;

	if (v && fabs(v) < .01) {
		snprintf(buf, NUMBER_SIZE, sign ? "%+.2g" : "%.2g", v);
		return buf;
	}
	if (sign)
		format_delta(v, d, buf);
	else
		format_number(v, d, buf);
	if (d && strchr(buf, '.'))
		for (d = strlen(buf) - 1; buf[d] == '0' || buf[d] == '.'; d--) {
			bool point = buf[d] == '.';

			buf[d] = 0;
			if (point)
				break;
		}
	return buf;
}

const char *format_percent(double ratio, int decimals, char buf[NUMBER_SIZE])
{
	if (isnan(ratio))
		return strcpy(buf, "-");
	snprintf(buf, NUMBER_SIZE, "%+.*f%%", decimals, 100 * (ratio - 1));
	return buf;
}

const char *format_change(double ratio, double delta, enum tier tier,
			  char buf[NUMBER_SIZE])
{
	double percent = fabs(100 * (ratio - 1));

	if (!delta)
		return strcpy(buf, "same");
	if (isnan(ratio) || isinf(ratio))
		return strcpy(buf, "from 0");
	/* with a small base the ratio means nothing */
	if (ratio >= SMALL_BASE)
		return format_delta(delta, clamp(1 - magnitude(delta), 0,
						 MAX_DECIMALS), buf);
	if (percent >= .1 || tier == TIER_TIMED)
		return format_percent(ratio, 1, buf);
	if (percent < 5e-4)
		return strcpy(buf, delta > 0 ? "+~0%" : "-~0%");
	return format_percent(ratio, clamp(-magnitude(percent), 1, 3), buf);
}

const char *format_p(double p, char buf[NUMBER_SIZE])
{
	if (p < .001)
		return strcpy(buf, "p < 0.001");
	snprintf(buf, NUMBER_SIZE, "p %.*f", p < .1 ? 3 : 2, p);
	return buf;
}

void put_markup(FILE *f, const char *text)
{
	char *clean = clean_text(text), *c;

	for (c = clean; *c; c++) {
		if (*c == '<')
			fputs("&lt;", f);
		else if (*c == '>')
			fputs("&gt;", f);
		else if (*c == '&')
			fputs("&amp;", f);
		else if (*c == '"')
			fputs("&quot;", f);
		else
			fputc(*c, f);
	}
	free(clean);
}

char *clean_vformat(const char *fmt, va_list ap)
{
	char *text, *clean;

	if (vasprintf(&text, fmt, ap) < 0)
		return xstrdup("");
	clean = clean_text(text);
	free(text);
	return clean;
}

static void print_indent(FILE *f, int indent)
{
	fprintf(f, "%*s", indent, "");
}

/*
 * Prints text from column @at on; the lines that follow are indented by @rest.
 */
static void wrap_from(FILE *f, const char *text, int at, int rest, int width)
{
	bool fresh = true;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		int len = strcspn(text, " ");

		if (!fresh && at + 1 + len > width) {
			fputc('\n', f);
			print_indent(f, rest);
			at = rest;
			fresh = true;
		}
		if (!fresh) {
			fputc(' ', f);
			at++;
		}
		if (at + len > width)
			len = width - at;
		fprintf(f, "%.*s", len, text);
		at += len;
		text += len;
		/* the rest of a broken word starts the next line */
		if (*text && *text != ' ') {
			fputc('\n', f);
			print_indent(f, rest);
			at = rest;
			fresh = true;
			continue;
		}
		fresh = false;
	}
	fputc('\n', f);
}

void print_wrapped(FILE *f, const char *text, int first, int rest, int width)
{
	print_indent(f, first);
	wrap_from(f, text, first, rest, width);
}

void print_labelled(FILE *f, const char *label, int width, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = clean_vformat(fmt, ap);
	va_end(ap);
	fprintf(f, "%-*s  ", width, label);
	wrap_from(f, text, width + 2, width + 2, MAIL_WIDTH);
	free(text);
}

void print_line(FILE *f, int first, int rest, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	text = clean_vformat(fmt, ap);
	va_end(ap);
	print_wrapped(f, text, first, rest, MAIL_WIDTH);
	free(text);
}

const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}
