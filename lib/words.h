/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A point in words, for people: a phrase with the values of its parameters.
 */
#ifndef PTELAB_WORDS_H
#define PTELAB_WORDS_H

#include <jansson.h>

/*
 * @phrase is text with {name}, which stands for the value of a parameter, and
 * {name:a=text|b=text}, which stands for the text of its value, or for nothing
 * if that is not listed. @params: name to value. The caller frees.
 */
char *words_fill(const char *phrase, const json_t *params);


#endif
