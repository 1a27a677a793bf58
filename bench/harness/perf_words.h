/* SPDX-License-Identifier: GPL-2.0 */
/* What ptelab run --perf may ask perf for. */
#ifndef PTELAB_PERF_WORDS_H
#define PTELAB_PERF_WORDS_H

/*
 * The first word must be "record" or "stat", and the others options of it that
 * neither choose what is measured, nor write elsewhere, nor run something.
 * Returns 0, or -EINVAL with fail() text.
 */
int perf_words_check(char *const *words, unsigned int nr);

#endif
