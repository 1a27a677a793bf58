/* SPDX-License-Identifier: GPL-2.0 */
/* The longest common subsequence of two sequences. */
#ifndef PTELAB_CODE_ALIGN_H
#define PTELAB_CODE_ALIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef bool (*align_same)(void *data, size_t a, size_t b);

/*
 * Sets @map[a] to the counterpart of each of @na elements among the @nb others,
 * or to -1. If the sequences have little in common, finds only the equal
 * beginning and end, so that time and memory are bounded.
 */
void align(size_t na, size_t nb, align_same same, void *data, int32_t *map);
/* The same, within each gap of @map. */
void align_gaps(size_t na, size_t nb, align_same same, void *data,
		int32_t *map);

#endif
