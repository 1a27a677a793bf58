/* SPDX-License-Identifier: GPL-2.0 */
/* The longest common subsequence of two sequences. */
#ifndef PTELAB_CODE_ALIGN_H
#define PTELAB_CODE_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool (*align_same)(void *data, size_t a, size_t b);

/*
 * @map[a] becomes the counterpart of each of @na elements among the @nb others,
 * or -1. Of two sequences that have little in common only the equal beginning
 * and end are found, so that time and memory are bounded.
 */
void align(size_t na, size_t nb, align_same same, void *data, int32_t *map);
/* The same, in each gap that @map has. */
void align_gaps(size_t na, size_t nb, align_same same, void *data,
		int32_t *map);

#endif
