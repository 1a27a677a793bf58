/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An arm64 vmlinux: its bytes, its symbols, and the kernel's tables about its
 * own code. All addresses are link addresses, which are also the runtime
 * addresses without KASLR.
 */
#ifndef PTELAB_CODE_IMAGE_H
#define PTELAB_CODE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_section {
	const char *name;
	uint64_t start, end;
	const unsigned char *bytes;	/* NULL: all zero (.bss) */
	bool code;
};

struct image_symbol {
	const char *name;
	const char *file;	/* of a local one, as the compiler was given it
				 * but without folders; "" if not known */
	uint64_t start, end;	/* end == start: its size is not known */
	bool function, object, global;
};

/* A range of code with one name; ranges do not overlap. */
struct image_function {
	const char *name, *file;	/* as in image_symbol */
	uint64_t start, end;
};

/* .altinstructions: code that may replace instructions. */
struct image_alt {
	uint64_t at, with;
	unsigned int cap;	/* number of the CPU capability */
	unsigned int len, with_len;	/* bytes */
	bool callback;		/* @with is a function that patches */
};

/* __jump_table: a static key's NOP or branch. */
struct image_jump {
	uint64_t at, to, key;
	bool inverted;		/* the low bit of the key */
};

struct image_bug {
	uint64_t at, file;	/* file: address of its name; 0 if not kept */
	unsigned int line, flags;
};

struct image_extable {
	uint64_t at, fixup;
	unsigned int type, data;
};

/* A word of data that holds the address @to once the kernel runs. */
struct image_reloc {
	uint64_t at, to;
};

struct image {
	char *path;
	struct image_section *sections;	/* those loaded, by address */
	struct image_symbol *symbols;	/* by address */
	struct image_function *functions;
	/* each sorted by @at */
	struct image_alt *alts;
	struct image_jump *jumps;
	struct image_bug *bugs;
	struct image_extable *extables;
	struct image_reloc *relocs;
	uint64_t *noreturns;	/* functions that never return */
	size_t nr_noreturns;
	size_t nr_sections, nr_symbols, nr_functions;
	size_t nr_alts, nr_jumps, nr_bugs, nr_extables, nr_relocs;
	bool relocatable;	/* relocs lists all pointers */
	void *elf;		/* libelf's, for analysis/code/lines.c */
	int fd;
};

/* Loads a vmlinux; free it with image_free(). Returns NULL with fail() text. */
struct image *image_load(const char *path);
void image_free(struct image *img);
/* For image_load(): alternatives, static branches, bugs, fixups. */
void image_take_tables(struct image *img);

const struct image_section *image_section(const struct image *img,
					  uint64_t addr);
/*
 * Returns the @len bytes at @addr; NULL if they are not in one section, or are
 * in .bss.
 */
const unsigned char *image_bytes(const struct image *img, uint64_t addr,
				 size_t len);
/* Returns the index of the function that contains @addr, or -1. */
long image_function(const struct image *img, uint64_t addr);
/*
 * Returns the first symbol that starts at or after @addr; nr_symbols if there
 * is none.
 */
size_t image_symbols_from(const struct image *img, uint64_t addr);
/*
 * Returns the data symbol with a size that contains @addr; NULL if there is
 * none.
 */
const struct image_symbol *image_object(const struct image *img,
					uint64_t addr);
/* Gets the pointer at @addr. Returns false if there is none. */
bool image_pointer(const struct image *img, uint64_t addr, uint64_t *to);
/* Returns the first symbol of that name; NULL if there is none. */
const struct image_symbol *image_named(const struct image *img,
				       const char *name);

/* Returns the index of the first element of a table at or after @addr. */
#define image_first(table, nr, addr) \
	image_lower_bound((table), (nr), sizeof(*(table)), (addr))
/* The elements of @table begin with a uint64_t, by which they are sorted. */
size_t image_lower_bound(const void *table, size_t nr, size_t size,
			 uint64_t addr);

#endif
