/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Provides a swap device of compressed memory (zram) while a benchmark needs
 * one. Each step is noted in the restore journal, so journal_restore_to()
 * removes the device; after a SIGKILL the next start of ptelab does.
 */
#ifndef PTELAB_BENCH_NOTIFIER_SWAP_H
#define PTELAB_BENCH_NOTIFIER_SWAP_H

#include <stdint.h>

/* Returns why there can't be one; NULL if there can. Changes nothing. */
const char *zram_unavailable(void);
/*
 * Enables swap to a zram device of @bytes, with priority over other swap space.
 * Returns 0 or -errno with fail() text; the journal then has the steps to undo.
 */
int zram_swapon(uint64_t bytes);

/*
 * Makes the first page of a swap device of @bytes; @page is the page size, and
 * @header has room for a page. Pure.
 */
void swap_header(void *header, uint64_t page, uint64_t bytes);

#endif
