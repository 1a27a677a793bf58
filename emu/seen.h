/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Records which kernel code ran at all, in regions or outside of them: all code
 * that the emulator translated, because it translates a block only when it is
 * about to run it. This costs nothing while blocks run.
 */
#ifndef PTELAB_EMU_SEEN_H
#define PTELAB_EMU_SEEN_H

#include <stdint.h>
#include <stdio.h>

struct seen;

struct seen *seen_new(void);
void seen_free(struct seen *s);

/*
 * Reports that @nr instructions from @pc on are about to run, when @regions
 * regions have ended. Ignores user mode addresses.
 */
void seen_add(struct seen *s, uint64_t pc, uint32_t nr, uint32_t regions);

/*
 * Writes a REC_SEEN record. A range is consecutive instructions with the same
 * number of regions before them.
 */
void seen_write(const struct seen *s, FILE *out);

#endif
