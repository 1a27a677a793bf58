/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user side of ptelab.ko: thin wrappers of the ioctls, which return 0 or -errno
 * with fail() text, and a counter source. ptelab_uapi.h documents the arguments.
 */
#ifndef PTELAB_KMOD_H
#define PTELAB_KMOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmod/ptelab_uapi.h"
#include "lib/counter.h"

/*
 * Returns why the module can't be used here; NULL if it can, or if it is not loaded
 * yet but could be. For unavailable() of a benchmark: it changes nothing. The text
 * is fail_text(). @features: required PTELAB_FEAT_*.
 */
const char *kmod_unavailable(unsigned int features);

/*
 * Returns the module that could be loaded: the file named by PTELAB_MODULE, else a
 * ptelab.ko beside the program or where "make -C kmod install" puts it. NULL if
 * there is none, or if it is loaded already. The text is static.
 */
const char *kmod_file(void);
/* Returns whether a kmod_unavailable() relied on the module being loaded later. */
bool kmod_wanted(void);
/* Makes kmod_unavailable() return this reason from now on. */
void kmod_not_loaded(const char *why);
/*
 * Loads the module until journal_close(). Returns 0, also if it is loaded already,
 * or -errno with fail() text. In kmod_load.c.
 */
int kmod_load(void);

/*
 * Opens the device and checks that module and program have the same ABI. Returns a
 * file descriptor (close it with close(2)), or -errno with fail() text. @abi may be
 * NULL.
 */
int kmod_open(struct ptelab_abi *abi);

/* Counts calls that overlap [@addr, @addr + @len); both 0: all calls. */
int kmod_notify_start(int fd, unsigned int flags, const void *addr, size_t len);
int kmod_notify_stop(int fd);
int kmod_notify_reset(int fd);
int kmod_notify_read(int fd, struct ptelab_notify_counts *counts);
/*
 * Returns "unmap", "clear", ... for enum mmu_notifier_event; NULL beyond the
 * last.
 */
const char *kmod_event_name(unsigned int event);

/*
 * Reads the page-table entries. @pages (may be NULL) has room for @len / page
 * size.
 */
int kmod_ptes(int fd, unsigned int flags, const void *addr, size_t len,
	      struct ptelab_ptes *sum, struct ptelab_pte *pages);
const char *kmod_memtype_name(unsigned int memtype);

int kmod_shadow_start(int fd, unsigned int flags, const void *addr, size_t len);
int kmod_shadow_stop(int fd);
int kmod_shadow_fill(int fd, const void *addr, size_t len,
		     struct ptelab_shadow_fill *out);
/* @stale (may be NULL) has room for @nr_stale. */
int kmod_shadow_check(int fd, const void *addr, size_t len,
		      struct ptelab_shadow_check *out,
		      struct ptelab_stale *stale, size_t nr_stale);
/* Returns the sum of all kinds of stale entries. */
uint64_t kmod_shadow_stale(const struct ptelab_shadow_check *c);

/* The caller fills in the fields that are not "out", except for size. */
int kmod_gup(int fd, struct ptelab_gup *arg);
int kmod_litmus(int fd, struct ptelab_litmus *arg);
int kmod_barrier(int fd, struct ptelab_barrier *arg);
int kmod_retry(int fd, struct ptelab_retry *arg);
int kmod_mmio(int fd, struct ptelab_mmio *arg);
int kmod_stage2(int fd, struct ptelab_stage2 *arg);

/*
 * Counts notifier_start.EVENT, notifier_end, notifier_secondary and
 * notifier_young.KIND of the calling process, as callbacks of a driver. It counts by
 * subscribing, so it causes the calls if there is no other subscriber (KVM).
 */
extern const struct counter_source kmod_source;

#endif
