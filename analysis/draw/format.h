/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Formats numbers and text for mail: plain ASCII, at most MAIL_WIDTH columns, with
 * enough digits to show a difference.
 */
#ifndef PTELAB_FORMAT_H
#define PTELAB_FORMAT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "analysis/load/sample.h"
#include "lib/util.h"

#define MAIL_WIDTH	75
#define SHOW_WIDTH	80	/* of a terminal, not for mail */
#define NUMBER_SIZE	32	/* enough for any number below */
#define SMALL_BASE	10	/* new / base of a small base, at least */

/*
 * Returns the decimals that show all @nr numbers exactly, but at most as many
 * as show a difference of @delta to three digits (exact), or five significant
 * digits of the largest (timed).
 */
int decimals_for(const double *v, size_t nr, double delta, enum tier tier);

/*
 * The functions below return @buf. This one: "16", "331.50", "1.23e+15", "-"
 * for NAN; at most 14 characters.
 */
const char *format_number(double v, int decimals, char buf[NUMBER_SIZE]);
/* The same with a sign, "0" for none. */
const char *format_delta(double v, int decimals, char buf[NUMBER_SIZE]);
/* With few digits, for a sentence: "1104", "2.5", "+0.02" with @sign. */
const char *format_brief(double v, bool sign, char buf[NUMBER_SIZE]);
/* A single number; exact ones with up to six decimals. */
const char *format_value(double v, enum tier tier, char buf[NUMBER_SIZE]);
/*
 * A change as "-63.7%", "+0.004%", "from 0", "same"; or as the delta, "+4172",
 * if base is so small that a ratio means nothing. @ratio is NAN if base was 0.
 * A timed change has at most one decimal.
 */
const char *format_change(double ratio, double delta, enum tier tier,
			  char buf[NUMBER_SIZE]);
/* A ratio as a change in percent with @decimals, "+1.2%"; "-" for NAN. */
const char *format_percent(double ratio, int decimals, char buf[NUMBER_SIZE]);
/* "p 0.029", "p < 0.001" */
const char *format_p(double p, char buf[NUMBER_SIZE]);

/*
 * Returns a formatted clean_text(). Use it for all text from files. The caller
 * frees.
 */
char *clean_vformat(const char *fmt, va_list ap);

/*
 * Prints text for HTML and SVG, cleaned and escaped, inside and outside of
 * quotes.
 */
void put_markup(FILE *f, const char *text);

/*
 * Prints text in lines of at most @width columns, the first indented by
 * @first, the others by @rest. A word too long for a line is broken.
 */
void print_wrapped(FILE *f, const char *text, int first, int rest, int width);
/* The same for a format, with cleaned text and lines of MAIL_WIDTH. */
void print_line(FILE *f, int first, int rest, const char *fmt, ...)
	__printf(4, 5);

/* Prints a label of @width columns, two blanks, and wrapped text beside it. */
void print_labelled(FILE *f, const char *label, int width, const char *fmt, ...)
	__printf(4, 5);

/* Returns "" for 1, else "s". */
const char *plural(size_t n);

#endif
