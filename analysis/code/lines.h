/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where in the source an image's code and data are from, by its DWARF. Names
 * of files are as the kernel's tree has them: mm/mprotect.c. All texts are
 * borrowed, until lines_close().
 */
#ifndef PTELAB_CODE_LINES_H
#define PTELAB_CODE_LINES_H

#include "analysis/code/image.h"

struct lines;

struct source {
	const char *file;
	unsigned int line;
};

/* NULL with fail() text: no DWARF, or no libdw in this ptelab. */
struct lines *lines_open(const struct image *img);
void lines_close(struct lines *l);

/* The line that the instruction is of, an inlined function's where it is. */
bool lines_at(struct lines *l, uint64_t addr, struct source *src);
/* Where the function that holds @addr is defined. false: assembly, say. */
bool lines_function(struct lines *l, uint64_t addr, struct source *src);
/*
 * Where an object is defined, and which part of it is at @offset: ".fault",
 * "[3].name", "" if that can't be told; the caller frees @part.
 */
bool lines_object(struct lines *l, const struct image_symbol *sym,
		  uint64_t offset, struct source *src, char **part);

/* Whether a unit of this image was compiled from @file, or includes it as it
 * would C code (kernel/sched/rt.c). */
bool lines_has_file(struct lines *l, const char *file);

/* Calls @use for each stretch of instructions of @file's lines, in the units
 * that hold one of @addrs, and in the one that is compiled from it. */
typedef void (*lines_use)(void *data, unsigned int line, uint64_t from,
			  uint64_t to);
void lines_of_file(struct lines *l, const char *file, const uint64_t *addrs,
		   size_t nr, lines_use use, void *data);

/*
 * The function of @file that line @line is in, by where functions begin: as
 * far as the units of lines_of_file() know any. NULL: in none.
 */
const char *lines_function_at(struct lines *l, const char *file,
			      unsigned int line, const uint64_t *addrs,
			      size_t nr);

#endif
