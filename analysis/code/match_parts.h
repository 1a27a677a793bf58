/* SPDX-License-Identifier: GPL-2.0 */
/* The interface between match.c and match_*.c, the parts of match.h. */
#ifndef PTELAB_CODE_MATCH_PARTS_H
#define PTELAB_CODE_MATCH_PARTS_H

#include "analysis/code/match.h"

struct match_refs {
	uint64_t *at[NR_IMAGES];
	size_t nr[NR_IMAGES];
	/* references into the middle of functions, compared at the end */
	struct inner_ref {
		long function[NR_IMAGES];
		uint32_t insn[NR_IMAGES];
		uint64_t to[NR_IMAGES];
	} *inner;
	size_t nr_inner;
	bool files;		/* both images have file symbols */
};

/* --- match_ref.c --- */

/*
 * Returns the length of a name without its number. The compiler numbers statics
 * of functions (__func__.12), and the kernel names that must be unique
 * (__UNIQUE_ID_x12), through a whole file, so the number means nothing.
 */
size_t unnumbered(const char *name);

/* Collects the references of image @s to data without a name. */
void collect_refs(struct match *m, int s);
/*
 * Returns whether two addresses are of the same code or data. @depth: number of
 * data objects compared on the way.
 */
bool same_ref(struct match *m, const uint64_t to[], unsigned int depth);
/*
 * Returns the offset of the first difference of two ranges of data, comparing
 * pointers by their targets; @len if there is none. @name: of the object; may
 * be NULL.
 */
uint64_t data_differs(struct match *m, const uint64_t at[], uint64_t len,
		      const char *name, unsigned int depth);

/* --- match_code.c --- */

struct code_change *add_code(struct match *m, enum change_kind kind, long base,
			     long new);
/* Adds a change if two functions differ. */
void compare_code(struct match *m, long base, long new);
/*
 * Compares references into the middle of functions, such as the branches from
 * foo.cold back to foo.
 */
void check_inner(struct match *m);

#endif
