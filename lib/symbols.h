/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Maps addresses to function names: of a kernel from System.map or /proc/kallsyms,
 * of modules and programs from their ELF symbols.
 */
#ifndef PTELAB_SYMBOLS_H
#define PTELAB_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

struct symbol {
	uint64_t start, end;	/* end: where the next one starts */
	char *name;
};

/* An ELF file whose functions were added. */
struct symbols_image {
	char *file;		/* without its folder */
	uint64_t start, size;	/* where its code ran; see elf_facts.h */
	char *build_id;
};

struct symbols;

struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);
/*
 * Adds functions from "ADDRESS TYPE NAME" lines. Returns 0 or -errno with
 * fail() text.
 */
int symbols_add_map(struct symbols *s, const char *path);
/*
 * Adds the functions of an ELF file: an executable at its own addresses, a
 * relocatable file (a module) with its .text at @text. Returns 0 or -errno with
 * fail() text.
 */
int symbols_add_elf(struct symbols *s, const char *path, uint64_t text);
/* The ELF files; @nr of them. */
const struct symbols_image *symbols_images(const struct symbols *s, size_t *nr);
/* Returns the function that contains the address, or NULL. */
const struct symbol *symbols_find(struct symbols *s, uint64_t address);

#endif
