/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names for addresses: of a kernel by its System.map or /proc/kallsyms, of
 * modules and programs by their ELF symbols.
 */
#ifndef PTELAB_SYMBOLS_H
#define PTELAB_SYMBOLS_H

#include <stdint.h>

struct symbol {
	uint64_t start, end;	/* end: where the next one starts */
	char *name;
};

struct symbols;

struct symbols *symbols_new(void);
void symbols_free(struct symbols *s);
/* "ADDRESS TYPE NAME" lines, functions only. 0 or -errno with fail() text. */
int symbols_add_map(struct symbols *s, const char *path);
/*
 * Functions of an ELF file: an executable at its own addresses, a relocatable
 * one (a module) with its .text at @text. 0 or -errno with fail() text.
 */
int symbols_add_elf(struct symbols *s, const char *path, uint64_t text);
/* The function that holds the address; NULL if none is known to. */
const struct symbol *symbols_find(struct symbols *s, uint64_t address);
/* The function of that name; NULL if there is none, or if it is several. */
const struct symbol *symbols_named(struct symbols *s, const char *name);

#endif
