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
#define SHOW_WIDTH	80	/* of a terminal, for what is not to be mailed */
#define NUMBER_SIZE	32	/* no number below needs more */
#define SMALL_BASE	10	/* new / base, from where on base is small */

/*
 * Returns the decimals that show all @nr numbers exactly, but at most as many as
 * show a difference of @delta to three digits (exact), or five significant digits
 * of the largest (timed).
 */
int decimals_for(const double *v, size_t nr, double delta, enum tier tier);

/* "16", "331.50", "1.23e+15", "-" for NAN. At most 14 characters. */
const char *format_number(double v, int decimals, char buf[NUMBER_SIZE]);
/* The same with a sign, "0" for none. */
const char *format_delta(double v, int decimals, char buf[NUMBER_SIZE]);
/* As few digits as a reader wants: "1104", "2.5", "+0.02" with @sign. */
const char *format_brief(double v, bool sign, char buf[NUMBER_SIZE]);
/* One number by itself, exact ones to six decimals. */
const char *format_value(double v, enum tier tier, char buf[NUMBER_SIZE]);
/*
 * A change as "-63.7%", "+0.004%", "from 0", "same"; or as the delta, "+4172",
 * where the base is so small that a ratio says nothing. @ratio is NAN when base
 * was 0. A timed one has no more than one decimal.
 */
const char *format_change(double ratio, double delta, enum tier tier,
			  char buf[NUMBER_SIZE]);
/* A ratio as a change in percent with @decimals, "+1.2%"; "-" for NAN. */
const char *format_percent(double ratio, int decimals, char buf[NUMBER_SIZE]);
/* "p 0.029", "p < 0.001" */
const char *format_p(double p, char buf[NUMBER_SIZE]);

/* A formatted clean_text(). Use that for all text from files. The caller frees. */
char *clean_vformat(const char *fmt, va_list ap);

/* The same, for HTML and SVG, inside and outside of quotes. */
void put_markup(FILE *f, const char *text);

/*
 * Prints text in lines of at most @width columns, the first indented by
 * @first, the others by @rest. A word too long for a line is broken.
 */
void print_wrapped(FILE *f, const char *text, int first, int rest, int width);
/* The same for a format, cleaned, at MAIL_WIDTH. */
void print_line(FILE *f, int first, int rest, const char *fmt, ...)
	__printf(4, 5);

/* A label of @width columns, two blanks, and wrapped text beside it. */
void print_labelled(FILE *f, const char *label, int width, const char *fmt, ...)
	__printf(4, 5);

/* "" for 1, else "s" */
const char *plural(size_t n);

#endif
