/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Colour on a terminal. Reports are written without colour. Only output to a
 * terminal passes through here, so files, pipes and mail never contain any.
 */
#ifndef PTELAB_COLOUR_H
#define PTELAB_COLOUR_H

#include <stdbool.h>
#include <stdio.h>

/* Returns whether @f is a terminal with colours, and NO_COLOR is not set. */
bool colour_wanted(FILE *f);
/* Prints text with its verdicts in colour. */
void print_coloured(FILE *f, const char *text);

#endif
