/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory to measure on: regions of folios of one size, the transparent huge page
 * settings that make the kernel use exactly that size, and proofs that it did.
 *
 * There are two sizes. The folio is what the kernel allocated. The leaf is what one
 * TLB entry may cover: a PMD, a contpte block (arm64's CONT bit), or one page.
 * kpageflags shows only the former, so the leaf size is read from the page table,
 * with a perf sample.
 */
#ifndef PTELAB_MM_H
#define PTELAB_MM_H

#include "bench/bench.h"

enum mm_backing {
	MM_ANON,	/* private anonymous memory */
	MM_SHMEM,	/* a memfd, mapped MAP_SHARED or MAP_PRIVATE */
};

/* --- settings --- */

/* What this kernel supports; orders as bit masks. */
struct mm_caps {
	uint64_t page;		/* bytes */
	uint64_t pmd;		/* bytes that a PMD maps; 0: no huge pages */
	bool contpte;		/* the architecture has contpte blocks */
	/* Orders that have a hugepages-<k>kB folder. */
	uint32_t anon_orders, shmem_orders;
	bool shmem_enabled;	/* transparent_hugepage/shmem_enabled */
};

const struct mm_caps *mm_caps(void);

#define MM_THP_DIR	"/sys/kernel/mm/transparent_hugepage"
#define MM_PLAN_MAX	40

struct mm_setting {
	char path[64];		/* below MM_THP_DIR */
	const char *value;
};

/*
 * Computes the settings with which an madvise(MADV_HUGEPAGE) mapping gets folios of
 * @folio bytes and no other size. Base pages need none: their mappings are
 * MADV_NOHUGEPAGE. Returns the number of settings; pure.
 */
size_t mm_plan(const struct mm_caps *caps, enum mm_backing backing,
	       uint64_t folio, struct mm_setting plan[MM_PLAN_MAX]);
/*
 * Returns why the sizes of folios and leaves can't be proved here. Returns NULL if
 * they can; then @how, if not NULL, names the means. It tries the proof to find out.
 */
const char *mm_proof_unavailable(const char **how);
/* Returns why such folios can't be used or proved here; NULL if they can. */
const char *mm_folio_unavailable(enum mm_backing backing, uint64_t folio);
/* The same without checks of the running system; pure. */
const char *mm_folio_refused(const struct mm_caps *caps,
			     enum mm_backing backing, uint64_t folio);
/* Returns the bytes of the leaf that should map such an anonymous folio. */
uint64_t mm_leaf_expected(const struct mm_caps *caps, uint64_t folio);
/* Returns the most bytes of memory that a benchmark should use here. */
uint64_t mm_budget(void);
/*
 * Allocates up to 16 MiB of order-0 pages until the process exits; the number
 * depends only on @seed. Without this every emulated boot of a kernel allocates the
 * same frames, and a kernel with a slightly larger image allocates others. What
 * depends on a frame's alignment (whether contpte_try_fold() looks closer) would
 * look like a difference between the kernels. With it, both vary over the seeds.
 * Returns 0, or -errno with fail() text.
 */
int mm_hold_frames(uint64_t seed);

/* --- regions --- */

/*
 * One or more mappings of the same size, each aligned to a PMD. They are surrounded
 * by PROT_NONE mappings, so that they do not merge.
 */
struct mm_region {
	enum mm_backing backing;
	uint64_t folio;
	char *base;		/* mapping i starts at base + i * stride */
	uint64_t stride;
	uint64_t bytes;		/* of each mapping; whole folios */
	unsigned int nr;	/* mappings */
	bool shared;		/* MM_SHMEM: MAP_SHARED */
	int fd;			/* MM_SHMEM: the memfd that all map; or -1 */
	char *map;		/* the reservation around it all */
	uint64_t map_bytes;
	char *spare;		/* room for mm_region_renew() */
};

/*
 * Applies the settings for @folio through the journal and creates @nr mappings of
 * @bytes (rounded up to whole folios). Populates the page cache of a memfd, but
 * neither its mappings nor anonymous memory. Returns 0 or -errno with fail() text.
 */
int mm_region_open(struct mm_region *r, enum mm_backing backing, bool shared,
		   uint64_t folio, unsigned int nr, uint64_t bytes);
/* Populates every folio with a write fault. */
int mm_region_populate(struct mm_region *r);
/* Unmaps all pages; anonymous ones are freed. */
int mm_region_drop(struct mm_region *r);
/* Like mm_region_drop(), but also frees the page tables. */
int mm_region_remap(struct mm_region *r);
/*
 * Replaces the folios by freshly populated ones at the same address; other threads
 * see either the old or the new ones. Anonymous regions only.
 */
int mm_region_renew(struct mm_region *r);
/*
 * Creates another mapping of the memfd of @r, shared and with all its pages mapped,
 * in place of the spare; it is freed with @r.
 */
int mm_region_view(const struct mm_region *r, struct mm_region *view);
/* A region that was never opened (all zero) is fine. */
void mm_region_close(struct mm_region *r);

static inline char *mm_region_at(const struct mm_region *r, unsigned int i)
{
	return r->base + (uint64_t)i * r->stride;
}

/* --- proofs --- */

/*
 * Proves that every folio of the region is r->folio bytes, naturally aligned, and
 * mapped by leaves of @leaf bytes (0: leaves are not checked). Records folio_bytes,
 * leaf_bytes, folios_checked and leaves_checked in ctx->proof, and folios_total if
 * there are too many to check all. Returns 0, or -EPROTO with fail() text that
 * names the first that is wrong.
 */
int mm_prove(struct bench_ctx *ctx, const struct mm_region *r, uint64_t leaf);

/*
 * Gets the frame numbers of the pages at @addr, @addr + @step, ...; 0 for a page
 * that is not present. Returns 0 or -errno with fail() text.
 */
int mm_frames(const char *addr, uint64_t step, size_t nr, uint64_t *pfn);
/* /proc/kpageflags of one frame. */
int mm_frame_flags(uint64_t pfn, uint64_t *flags);
/*
 * Returns why a read of untouched anonymous memory maps no zero page here; NULL if
 * it does, or if this process can't see which frame it maps. It tries once.
 */
const char *mm_zero_page_unavailable(void);

#define MM_KPF_HEAD	(1ULL << 15)
#define MM_KPF_TAIL	(1ULL << 16)
#define MM_KPF_ZERO	(1ULL << 24)

/*
 * Whether @nr consecutive pages are one folio of exactly @nr pages, given their
 * frames and the flags of pfn[0], of pfn[0]+@nr/2, and of pfn[0]+@nr (one beyond
 * the end, 0 if there is none). That is enough, as folios are naturally aligned:
 * one whose head is the first page and that ends before the last has ended by
 * the middle, where another one begins or none does. Returns NULL, or what is
 * wrong; pure.
 */
const char *mm_folio_check(const uint64_t *pfn, const uint64_t flags[3],
			   size_t nr);

/*
 * Gets the page size in the last sample at @addr, in a perf ring of @size bytes
 * between @tail and @head. Returns the number of such samples; pure.
 */
unsigned int mm_samples(const void *ring, size_t size, uint64_t tail,
			uint64_t head, uint64_t addr, uint64_t *page_size);

/*
 * Gets the size of the leaf that maps *@addr, which must be mapped, readable and not
 * executable. Opening a prober tries it. Not thread-safe.
 */
struct mm_prober;
struct mm_prober *mm_prober_open(void);	/* NULL with fail() text */
const char *mm_prober_how(const struct mm_prober *p);
int mm_probe(struct mm_prober *p, const void *addr, uint64_t *leaf);
void mm_prober_close(struct mm_prober *p);

/* --- children --- */

/*
 * A child process that shares the region copy-on-write, and no other writable
 * memory of the parent. A plain fork() would write-protect the parent's heap and
 * stacks, and the benchmark would count their faults as its own. The child sleeps,
 * and dies with its parent.
 */
struct mm_child;

struct mm_child *mm_fork(const struct mm_region *r);	/* NULL: fail() text */
/*
 * Lets the child read its copy of the word at the start of every @step bytes of the
 * first @per_map bytes of each mapping. Returns how many differ from MM_PATTERN, or
 * -errno.
 */
int64_t mm_child_check(struct mm_child *c, const struct mm_region *r,
		       uint64_t step, uint64_t per_map);
void mm_child_end(struct mm_child *c);
/* Forks a child that exits at once, and waits for it. */
int mm_fork_exit(const struct mm_region *r);
/* Undoes at teardown what the first of these calls changed in the parent. */
void mm_fork_done(void);

/*
 * The words that the parent writes for the child. A macro, because the child can't
 * call functions that a sanitizer instruments.
 */
#define MM_PATTERN(addr)	(0x5ca1ab1e00000001ULL ^ (uintptr_t)(addr))

#endif
