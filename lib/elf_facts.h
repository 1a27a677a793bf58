/* SPDX-License-Identifier: GPL-2.0 */
/* What identifies an ELF file, and where its code is. */
#ifndef PTELAB_ELF_FACTS_H
#define PTELAB_ELF_FACTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct elf_facts {
	char build_id[41];	/* in hex; "": it has none */
	bool module;		/* relocatable: its addresses begin at .text */
	/*
	 * A module: .text, which starts at 0. Else all executable segments;
	 * @offset is where the first of them is in the file.
	 */
	uint64_t start, size, offset;
};

/* 0, or -errno with fail() text. */
int elf_facts(const char *path, struct elf_facts *f);
/*
 * Sets each member of the object @functions that is the name of a function of
 * the file to its address: of a module, from the start of its .text.
 */
void elf_addresses(const char *path, json_t *functions);

#endif
