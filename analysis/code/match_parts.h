/* SPDX-License-Identifier: GPL-2.0 */
/* What the parts of match.h, match.c and match_*.c, know of each other. */
#ifndef PTELAB_CODE_MATCH_PARTS_H
#define PTELAB_CODE_MATCH_PARTS_H

#include "analysis/code/match.h"

struct match_refs {
	uint64_t *at[NR_IMAGES];
	size_t nr[NR_IMAGES];
	/* references into the midst of functions, looked at in the end */
	struct inner_ref {
		long function[NR_IMAGES];
		uint32_t insn[NR_IMAGES];
		uint64_t to[NR_IMAGES];
	} *inner;
	size_t nr_inner;
	bool files;		/* both images name files */
};

/* --- match_ref.c --- */

/*
 * The compiler numbers statics of functions (__func__.12) and the kernel what
 * has to be unique (__UNIQUE_ID_x12), through all of a file: the number says
 * nothing.
 */
size_t unnumbered(const char *name);

/* Collects what image @s refers to without a name. */
void collect_refs(struct match *m, int s);
/* Are two addresses of the same? @depth: of data looked at on the way. */
bool same_ref(struct match *m, const uint64_t to[], unsigned int depth);
/*
 * The first difference of two stretches of data, pointers by what they are to;
 * @len if there is none. @name may be NULL: of which object.
 */
uint64_t data_differs(struct match *m, const uint64_t at[], uint64_t len,
		      const char *name, unsigned int depth);

/* --- match_code.c --- */

struct code_change *add_code(struct match *m, enum change_kind kind, long base,
			     long new);
/* Adds a change if two functions differ. */
void compare_code(struct match *m, long base, long new);
/* foo.cold goes back into foo: to where it went before? */
void check_inner(struct match *m);

#endif
