/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A swap device of compressed memory (zram) for as long as a benchmark needs
 * one, noted in the restore journal step by step: it is gone after
 * journal_restore_to(), or when the next ptelab starts after a SIGKILL.
 */
#ifndef PTELAB_BENCH_NOTIFIER_SWAP_H
#define PTELAB_BENCH_NOTIFIER_SWAP_H

#include <stdint.h>

/* Why there can't be one; NULL if there can. Changes nothing. */
const char *zram_unavailable(void);
/*
 * Swaps to a zram device of @bytes, before any other swap space. Returns 0 or
 * -errno with fail() text; the journal then holds what is to be undone.
 */
int zram_swapon(uint64_t bytes);

/* The first page of a swap device of @bytes; @page is the machine's page
 * size, and @header has room for that. Pure. */
void swap_header(void *header, uint64_t page, uint64_t bytes);

#endif
