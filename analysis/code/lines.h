/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where an image's code and data are in the source, from its DWARF. File names
 * are relative to the kernel's tree: mm/mprotect.c. All texts are borrowed
 * until lines_close().
 */
#ifndef PTELAB_CODE_LINES_H
#define PTELAB_CODE_LINES_H

#include "analysis/code/image.h"

struct lines;

struct source {
	const char *file;
	unsigned int line;
};

/*
 * Returns NULL with fail() text if there is no DWARF, or no libdw in this
 * ptelab.
 */
struct lines *lines_open(const struct image *img);
void lines_close(struct lines *l);

/*
 * Gets the line of the instruction at @addr; for an inlined function, its line
 * there.
 */
bool lines_at(struct lines *l, uint64_t addr, struct source *src);
/*
 * Gets where the function that contains @addr is defined. Returns false if
 * unknown, as for assembly.
 */
bool lines_function(struct lines *l, uint64_t addr, struct source *src);
/*
 * Gets where an object is defined, and which member is at @offset: ".fault",
 * "[3].name", "" if unknown. The caller frees @part.
 */
bool lines_object(struct lines *l, const struct image_symbol *sym,
		  uint64_t offset, struct source *src, char **part);

/*
 * Returns whether a unit of this image was compiled from @file, or includes it
 * as C code (kernel/sched/rt.c).
 */
bool lines_has_file(struct lines *l, const char *file);

/*
 * Calls @use for each range of instructions of @file's lines, in the units that
 * contain one of @addrs, and in the one that is compiled from @file.
 */
typedef void (*lines_use)(void *data, unsigned int line, uint64_t from,
			  uint64_t to);
void lines_of_file(struct lines *l, const char *file, const uint64_t *addrs,
		   size_t nr, lines_use use, void *data);

/*
 * Returns the function of @file that contains line @line, by the lines where
 * functions begin in the units of lines_of_file(). NULL if there is none.
 */
const char *lines_function_at(struct lines *l, const char *file,
			      unsigned int line, const uint64_t *addrs,
			      size_t nr);

#endif
