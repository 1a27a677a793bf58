/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory to measure on: regions made of folios of one size, the transparent
 * huge page settings that make the kernel use exactly that size, and the
 * proofs that it did.
 *
 * Two sizes are told apart. The folio is what the kernel allocated; the leaf
 * is what one TLB entry may cover: a PMD, a contpte block (arm64's CONT bit),
 * or one page. kpageflags shows the first and never the second, so the leaf
 * is read from the page table itself, through a perf sample.
 */
#ifndef PTELAB_MM_H
#define PTELAB_MM_H

#include "bench/bench.h"

enum mm_backing {
	MM_ANON,	/* private anonymous memory */
	MM_SHMEM,	/* a memfd, mapped MAP_SHARED or MAP_PRIVATE */
};

/* --- settings --- */

/* What this kernel can do; orders as bit masks. */
struct mm_caps {
	uint64_t page;		/* bytes */
	uint64_t pmd;		/* bytes a PMD maps; 0: no huge pages at all */
	bool contpte;		/* the architecture has contpte blocks */
	/* Orders with a file of their own under hugepages-<k>kB. */
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
 * The settings under which an madvise(MADV_HUGEPAGE) mapping gets folios of
 * @folio bytes and no other size. Base pages need none: their mappings are
 * MADV_NOHUGEPAGE. Returns how many; pure.
 */
size_t mm_plan(const struct mm_caps *caps, enum mm_backing backing,
	       uint64_t folio, struct mm_setting plan[MM_PLAN_MAX]);
/*
 * Why the sizes of folios and leaves can't be proved here; NULL if they can,
 * and then @how, if not NULL, is by what means. Finds out by doing it.
 */
const char *mm_proof_unavailable(const char **how);
/* Why such folios can't be had or proved here; NULL if they can. */
const char *mm_folio_unavailable(enum mm_backing backing, uint64_t folio);
/* The decision behind it, without the checks of the running system; pure. */
const char *mm_folio_refused(const struct mm_caps *caps,
			     enum mm_backing backing, uint64_t folio);
/* Bytes of the leaf that should map such a folio of anonymous memory. */
uint64_t mm_leaf_expected(const struct mm_caps *caps, uint64_t folio);
/* Most bytes that a benchmark should take of this machine's memory. */
uint64_t mm_budget(void);
/*
 * Takes up to 16 MiB in order-0 pages out of the allocator for as long as the process
 * lives; how many follows from @seed alone. Without it every emulated boot of
 * a kernel hands out the same frames, a kernel whose image is a little larger
 * hands out others, and what depends on a frame's alignment (whether
 * contpte_try_fold() looks closer) would pass for a difference between the two.
 * With it, that is a range over the seeds of either.
 * Returns 0, or -errno with fail() text.
 */
int mm_hold_frames(uint64_t seed);

/* --- regions --- */

/*
 * One or more mappings of the same size, each starting on a PMD boundary.
 * Their surroundings are PROT_NONE, so that none of them merges with another.
 */
struct mm_region {
	enum mm_backing backing;
	uint64_t folio;
	char *base;		/* mapping i starts at base + i * stride */
	uint64_t stride;
	uint64_t bytes;		/* of each mapping; whole folios */
	unsigned int nr;	/* mappings */
	bool shared;		/* MM_SHMEM: MAP_SHARED */
	int fd;			/* MM_SHMEM: the memfd all of them map; or -1 */
	char *map;		/* the reservation around it all */
	uint64_t map_bytes;
	char *spare;		/* room for mm_region_renew() */
};

/*
 * Applies the settings for @folio through the journal and makes @nr mappings
 * of @bytes (rounded up to whole folios). Anonymous memory is not populated;
 * the page cache of a memfd is, its mappings are not.
 * Returns 0 or -errno with fail() text.
 */
int mm_region_open(struct mm_region *r, enum mm_backing backing, bool shared,
		   uint64_t folio, unsigned int nr, uint64_t bytes);
/* Write-faults every folio in. */
int mm_region_populate(struct mm_region *r);
/* Unmaps all pages; anonymous ones are freed. */
int mm_region_drop(struct mm_region *r);
/* As mm_region_drop(), and the page tables go too. */
int mm_region_remap(struct mm_region *r);
/*
 * Puts freshly populated folios where the old ones are, at the same address;
 * anybody else sees either the old or the new ones. Anonymous regions only.
 */
int mm_region_renew(struct mm_region *r);
/*
 * Another mapping of the memfd of @r, shared and with all its pages mapped,
 * in place of the spare; it goes away with @r.
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
 * Proves that every folio of the region is r->folio bytes, naturally aligned,
 * and mapped by leaves of @leaf bytes (0: the leaves are not looked at), and
 * records folio_bytes, leaf_bytes, folios_checked, leaves_checked in
 * ctx->proof; folios_total too if there were too many to look at all.
 * Returns 0, or -EPROTO with fail() text that names the first that is not.
 */
int mm_prove(struct bench_ctx *ctx, const struct mm_region *r, uint64_t leaf);

/*
 * Frame numbers of the pages at @addr, @addr + @step, ...; 0 for a page that
 * is not there. Returns 0 or -errno with fail() text.
 */
int mm_frames(const char *addr, uint64_t step, size_t nr, uint64_t *pfn);
/* /proc/kpageflags of one frame. */
int mm_frame_flags(uint64_t pfn, uint64_t *flags);

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
 * The page size in the last sample at @addr, in a perf ring of @size bytes
 * between @tail and @head. Returns how many such samples there were; pure.
 */
unsigned int mm_samples(const void *ring, size_t size, uint64_t tail,
			uint64_t head, uint64_t addr, uint64_t *page_size);

/*
 * Bytes of the leaf that maps *@addr, which must be mapped, readable and not
 * executable. Opening a prober tries it; not for several threads at once.
 */
struct mm_prober;
struct mm_prober *mm_prober_open(void);	/* NULL with fail() text */
const char *mm_prober_how(const struct mm_prober *p);
int mm_probe(struct mm_prober *p, const void *addr, uint64_t *leaf);
void mm_prober_close(struct mm_prober *p);

/* --- children --- */

/*
 * A child process that shares the region copy-on-write and nothing else that
 * the parent could write to: a plain fork() would leave every page of the
 * parent's heap and stacks write-protected, and the benchmark would count
 * their faults as its own. The child sleeps; it dies with its parent.
 */
struct mm_child;

struct mm_child *mm_fork(const struct mm_region *r);	/* NULL: fail() text */
/*
 * The child reads its copy of the word at the start of every @step bytes of
 * the first @per_map bytes of each mapping. Returns how many differ from
 * MM_PATTERN, or -errno.
 */
int64_t mm_child_check(struct mm_child *c, const struct mm_region *r,
		       uint64_t step, uint64_t per_map);
void mm_child_end(struct mm_child *c);
/* Forks a child that exits at once, and waits until it is gone. */
int mm_fork_exit(const struct mm_region *r);
/* Undoes, at teardown, what the first of these calls did to the parent. */
void mm_fork_done(void);

/*
 * What the parent writes for the child to find; a macro, as the child can't
 * call what a sanitizer has instrumented.
 */
#define MM_PATTERN(addr)	(0x5ca1ab1e00000001ULL ^ (uintptr_t)(addr))

#endif
