/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which kernel code ran at all, in regions or outside of them: all that the
 * emulator translated, because it translates a block when it is about to run
 * it. That costs nothing while blocks run.
 */
#ifndef PTELAB_EMU_SEEN_H
#define PTELAB_EMU_SEEN_H

#include <stdint.h>
#include <stdio.h>

struct seen;

struct seen *seen_new(void);
void seen_free(struct seen *s);

/*
 * @nr instructions from @pc on are about to run, when @regions regions have
 * ended. What is not of the kernel is left out.
 */
void seen_add(struct seen *s, uint64_t pc, uint32_t nr, uint32_t regions);

/* Writes a REC_SEEN: what runs first before the same region as ranges. */
void seen_write(const struct seen *s, FILE *out);

#endif
