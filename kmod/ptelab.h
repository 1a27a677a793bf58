/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the parts of ptelab.ko share. Locks, outermost first:
 *
 *	ptelab_file.lock	set-up and tear-down of what a file has
 *	device_lock		of a PCI device whose BAR is stored to
 *	mmap_lock
 *	page-table lock
 *	ptelab_shadow.lock	also taken in notifier callbacks
 *
 * Notifier callbacks take nothing but the last, so they may come at any time.
 * bars_lock in bar.c has none of these inside it, and is taken inside any of
 * the first two, and by the bus when a device gets a driver or has gone.
 */
#ifndef PTELAB_H
#define PTELAB_H

#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/timex.h>
#include <linux/uaccess.h>

#include "ptelab_uapi.h"

struct ptelab_notify;
struct ptelab_shadow;
struct ptelab_retry_state;
struct ptelab_barrier_map;
struct ptelab_mmio_bar;

/* An open file. */
struct ptelab_file {
	struct mutex lock;
	struct ptelab_notify *notify;
	struct ptelab_shadow *shadow;
	struct ptelab_retry_state *retry;
	struct ptelab_barrier_map *barrier;
	struct ptelab_mmio_bar *mmio;
};

/* main.c */

/*
 * Copies an argument in and checks what all arguments have in common: the exact
 * size, no flags beyond @flags, and reserved fields of 0. Those are the last
 * fields of each struct except ptelab_none.
 */
int ptelab_get_arg(void *arg, size_t size, u32 flags, const void *reserved,
		   const void __user *uarg);
#define ptelab_get(arg, flags, uarg) \
	ptelab_get_arg(arg, sizeof(*(arg)), flags, (arg)->reserved, uarg)
static inline int ptelab_put_arg(void __user *uarg, const void *arg,
				 size_t size)
{
	return copy_to_user(uarg, arg, size) ? -EFAULT : 0;
}

#define ptelab_put(uarg, arg) ptelab_put_arg(uarg, arg, sizeof(*(arg)))

/* Zeroes an argument from @first to the field before the reserved ones. */
#define ptelab_clear_from(arg, first)					\
	memset((void *)(arg) + offsetof(typeof(*(arg)), first), 0,	\
	       offsetof(typeof(*(arg)), reserved) -			\
	       offsetof(typeof(*(arg)), first))

/* Checks a user address range: page aligned, not empty, at most @max_pages. */
int ptelab_check_range(u64 addr, u64 len, u64 max_pages);

/* User space times with it too. Accesses are not reordered across it. */
static inline u64 ptelab_ticks(void)
{
#ifdef CONFIG_X86
	return rdtsc_ordered();
#else
	return get_cycles();
#endif
}

/* ptes.c */

/* One page, as in the page table. */
struct ptelab_leaf {
	unsigned long addr;
	u64 raw;
	u64 pfn;
	u32 flags;		/* PTELAB_PTE_* */
	u8 level;		/* enum ptelab_level */
	pte_t *ptep;		/* PTELAB_LEVEL_PTE, but not of hugetlb */
};

/*
 * Called for every page of the range, including pages without an entry. The
 * page-table lock is held if there is an entry, except for hugetlb.
 */
typedef void (*ptelab_leaf_fn)(const struct ptelab_leaf *leaf, void *ctx);
/* Called without any lock after at most PTELAB_CHUNK pages. */
typedef int (*ptelab_chunk_fn)(void *ctx);

#define PTELAB_CHUNK	512

/*
 * Walks the caller's page table. The range has passed ptelab_check_range().
 * Returns 0, -EINTR if the caller is being killed, or what @chunk returned.
 */
int ptelab_walk(unsigned long addr, unsigned long end, ptelab_leaf_fn leaf,
		ptelab_chunk_fn chunk, void *ctx);

/*
 * Returns whether a hugetlb page still has the entry that the walk saw. A walk
 * reads hugetlb entries with only mmap_lock held, so this check detects later
 * changes.
 */
bool ptelab_hugetlb_same(const struct ptelab_leaf *leaf);

/* The ioctls. */
long ptelab_ioc_notify_start(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_notify_stop(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_notify_read(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_notify_reset(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_ptes(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_shadow_start(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_shadow_stop(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_shadow_fill(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_shadow_check(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_gup(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_retry(struct ptelab_file *f, void __user *uarg);
#ifdef CONFIG_PCI
int ptelab_mmio_init(void);
void ptelab_mmio_exit(void);
long ptelab_ioc_mmio(struct ptelab_file *f, void __user *uarg);
void ptelab_mmio_release(struct ptelab_file *f);
#else
static inline int ptelab_mmio_init(void)
{
	return 0;
}

static inline void ptelab_mmio_exit(void)
{
}

static inline long ptelab_ioc_mmio(struct ptelab_file *f, void __user *uarg)
{
	return -EOPNOTSUPP;
}

static inline void ptelab_mmio_release(struct ptelab_file *f)
{
}
#endif
long ptelab_ioc_stage2(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_litmus(struct ptelab_file *f, void __user *uarg);
long ptelab_ioc_barrier(struct ptelab_file *f, void __user *uarg);

/* Undo what the ioctls did, as the file is closed. */
void ptelab_notify_release(struct ptelab_file *f);
void ptelab_shadow_release(struct ptelab_file *f);
void ptelab_retry_release(struct ptelab_file *f);
void ptelab_barrier_release(struct ptelab_file *f);

/*
 * Differences between the kernels that the module is built for. Kbuild sets
 * PTELAB_HAVE_* by compiling against the kernel's own headers.
 */

/* The young callbacks returned int until they returned bool. */
#define ptelab_young_t \
	typeof(((struct mmu_notifier_ops *)0)->clear_young(NULL, NULL, 0, 0))

#ifdef PTELAB_HAVE_ARCH_INVALIDATE
#define ptelab_secondary_op	arch_invalidate_secondary_tlbs
#define PTELAB_FEATURE_OP	PTELAB_FEAT_SECONDARY
#else
#define ptelab_secondary_op	invalidate_range
#define PTELAB_FEATURE_OP	PTELAB_FEAT_INV_RANGE
#endif

#ifdef PTELAB_HAVE_CONTPTE
#define PTELAB_FEATURE_CONTPTE	PTELAB_FEAT_CONTPTE
#define PTELAB_CONT_PTES	CONT_PTES
#else
#define PTELAB_FEATURE_CONTPTE	0
#define PTELAB_CONT_PTES	1
#endif

#ifdef CONFIG_ARM64
#define PTELAB_FEATURE_MEMTYPE	PTELAB_FEAT_MEMTYPE
#else
#define PTELAB_FEATURE_MEMTYPE	0
#endif

#ifdef CONFIG_PCI
#define PTELAB_FEATURE_MMIO	PTELAB_FEAT_MMIO
#else
#define PTELAB_FEATURE_MMIO	0
#endif

#ifdef PTELAB_HAVE_STAGE2
#define PTELAB_FEATURE_STAGE2	PTELAB_FEAT_STAGE2
#else
#define PTELAB_FEATURE_STAGE2	0
#endif

#ifndef CONFIG_64BIT
#error "ptelab is for 64-bit kernels: it reads a page-table entry in one load"
#endif

#endif
