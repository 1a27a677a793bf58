/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compares the functions and data of two images. Code or data that only moved
 * is not a change, because an address is compared by what is there: a function
 * or a named object is the same if it is the counterpart; a string, or data
 * without a name, if it has the same contents.
 */
#ifndef PTELAB_CODE_MATCH_H
#define PTELAB_CODE_MATCH_H

#include "analysis/code/image.h"

enum { CODE_BASE, CODE_NEW, NR_IMAGES };

enum change_kind { CHANGED, ADDED, GONE };

/* The difference of an instruction. */
enum insn_state {
	INSN_SAME,
	INSN_ALTERED,	/* has a counterpart: other registers or operands */
	INSN_ALONE,	/* only this side has it */
};

struct code_change {
	enum change_kind kind;
	long function[NR_IMAGES];	/* index in the image; -1: none */
	uint8_t *state[NR_IMAGES];	/* enum insn_state of each instruction */
	size_t nr[NR_IMAGES];		/* instructions */
	size_t alone[NR_IMAGES], altered;
	int32_t *map;	/* base's instruction -> new's; -1: none */
};

struct data_change {
	enum change_kind kind;
	const struct image_symbol *symbol[NR_IMAGES];	/* NULL: none */
	uint64_t offset;	/* of the first difference */
};

struct match {
	const struct image *image[NR_IMAGES];
	/*
	 * for each function of an image, its counterpart in the other; -1: none
	 */
	long *partner[NR_IMAGES];
	struct code_change *code;	/* by the address in new, then base */
	struct data_change *data;
	size_t nr_code, nr_data;
	size_t nr_functions;		/* of new */
	size_t nr_moved;		/* at another address in base */
	struct match_refs *refs;
};

struct match *match_images(const struct image *base, const struct image *new);
void match_free(struct match *m);

/*
 * Returns the length of a name without the compiler's suffix: foo of
 * foo.isra.0, foo.constprop.0, foo.part.0 and foo.cold.
 */
size_t plain_name(const char *name);

#endif
