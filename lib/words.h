/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Describes a point in words: a phrase that contains the values of its
 * parameters.
 */
#ifndef PTELAB_WORDS_H
#define PTELAB_WORDS_H

#include <jansson.h>

/*
 * Fills in a phrase. {name} stands for the value of a parameter;
 * {name:a=text|b=text} for the text of its value, or for nothing if the value
 * is not listed. @params: name to value. The caller frees.
 */
char *words_fill(const char *phrase, const json_t *params);


#endif
