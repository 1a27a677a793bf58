/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The user's side of ptelab.ko: thin wrappers around the ioctls, each of which
 * returns 0 or -errno with fail() text, and a counter source. See
 * ptelab_uapi.h for what the arguments mean.
 */
#ifndef PTELAB_KMOD_H
#define PTELAB_KMOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kmod/ptelab_uapi.h"
#include "lib/counter.h"

/*
 * Why the module can't be used here, NULL if it can, or if it is not loaded yet
 * but could be. For unavailable() of a benchmark: changes nothing, and the text
 * is fail_text(). @features: PTELAB_FEAT_* that are needed.
 */
const char *kmod_unavailable(unsigned int features);

/*
 * The module that could be loaded: what PTELAB_MODULE names, else a ptelab.ko
 * beside the program or where "make -C kmod install" puts it. NULL if there is
 * none, or it is not ours to load. The text is static.
 */
const char *kmod_file(void);
/* Whether a kmod_unavailable() counted on the module being loaded. */
bool kmod_wanted(void);
/* From now on kmod_unavailable() gives that reason. */
void kmod_not_loaded(const char *why);
/*
 * Loads it until journal_close(). Returns 0, also if it is loaded already, or
 * -errno with fail() text. In kmod_load.c.
 */
int kmod_load(void);

/*
 * Opens the device and makes sure that module and program mean the same.
 * Returns a file descriptor (close it with close(2)), or -errno with fail()
 * text. @abi may be NULL.
 */
int kmod_open(struct ptelab_abi *abi);

/* Counts what overlaps [@addr, @addr + @len); both 0: everything. */
int kmod_notify_start(int fd, unsigned int flags, const void *addr, size_t len);
int kmod_notify_stop(int fd);
int kmod_notify_reset(int fd);
int kmod_notify_read(int fd, struct ptelab_notify_counts *counts);
/* "unmap", "clear", ... for enum mmu_notifier_event; NULL beyond the last */
const char *kmod_event_name(unsigned int event);

/* @pages (may be NULL) has room for @len / page size. */
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
int kmod_shadow_touch(int fd, unsigned int flags, const void *addr, size_t len,
		      struct ptelab_shadow_touch *out);
/* All kinds of stale entries together */
uint64_t kmod_shadow_stale(const struct ptelab_shadow_check *c);

/* The caller fills in what is not "out"; size is set here. */
int kmod_gup(int fd, struct ptelab_gup *arg);
int kmod_litmus(int fd, struct ptelab_litmus *arg);
int kmod_barrier(int fd, struct ptelab_barrier *arg);
int kmod_retry_block(int fd, struct ptelab_retry_block *out);
int kmod_retry(int fd, struct ptelab_retry *arg);
int kmod_mmio(int fd, struct ptelab_mmio *arg);
int kmod_stage2(int fd, struct ptelab_stage2 *arg);

/*
 * notifier_start.EVENT, notifier_end, notifier_secondary, notifier_young.KIND
 * of the calling process, as callbacks of a driver. It counts by subscribing:
 * without any other subscriber (KVM) there would be no calls to count.
 */
extern const struct counter_source kmod_source;

#endif
