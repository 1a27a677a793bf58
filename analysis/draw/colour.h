/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Colour on a terminal. Reports are written without it; what goes to a terminal
 * passes through here, so that files, pipes and mail never have any.
 */
#ifndef PTELAB_COLOUR_H
#define PTELAB_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

/* Whether @f is a terminal with colours, and NO_COLOR does not forbid them. */
bool colour_wanted(FILE *f);
/* Prints text with its verdicts in colour. */
void print_coloured(FILE *f, const char *text);

#endif
