// SPDX-License-Identifier: GPL-2.0
/* notifier: compaction moves pages to the other end of memory. See notifier.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/notifier/notifier.h"
#include "lib/journal.h"
#include "lib/util.h"

#define COMPACT	"/proc/sys/vm/compact_memory"
/*
 * Of a pool of this size, the lowest pages in memory are the ones that must
 * move, and there is room for them between the highest ones.
 */
#define POOL	(32 * MIB)
#define PASSES	8
#define MOST	(8 * GIB)

static const struct bench_param compact_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_MEASURE, PARAM_GUEST,
};

static const char *compact_refused(const struct bench_ctx *ctx)
{
	if (access(COMPACT, F_OK))
		return "this kernel does not compact memory (CONFIG_COMPACTION)";
	if (access(COMPACT, W_OK))
		return "can't write to " COMPACT;
	/* In more memory compaction takes longer and finds other room. */
	if (sysconf(_SC_PHYS_PAGES) > (long)(MOST / mm_caps()->page))
		return "it compacts all memory over and over, so it needs a machine of at most 8 GiB, such as a VM";
	return nt_folio(ctx) == mm_caps()->page ? NULL :
		"the kernel decides which large folios move, and whether they stay whole: use folio=4k";
}

struct framed {
	uint64_t pfn;
	char *page;
};

static int cmp_framed(const void *a, const void *b)
{
	const struct framed *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/* Sorts the pool's pages by physical address. */
static int pool_sorted(char *pool, struct framed *f)
{
	uint64_t page = mm_caps()->page, n = POOL / page, i;
	uint64_t *pfn = xcalloc(n, sizeof(*pfn));
	int ret;

	for (i = 0; i < n; i++)
		*(volatile char *)(pool + i * page) = 0;
	ret = mm_frames(pool, page, n, pfn);
	for (i = 0; i < n && !ret; i++)
		f[i] = (struct framed){ pfn[i], pool + i * page };
	free(pfn);
	if (!ret)
		qsort(f, n, sizeof(*f), cmp_framed);
	return ret;
}

/*
 * Maps the lowest pages into the region, keeps every other page of the upper
 * half, and frees the rest.
 */
static int pool_deal(const struct notifier *nt, const struct framed *f)
{
	uint64_t page = mm_caps()->page, n = POOL / page, i;

	for (i = 0; i < n; i++) {
		if (i < nt->visits) {
			if (mremap(f[i].page, page, page,
				   MREMAP_MAYMOVE | MREMAP_FIXED,
				   nt->r.base + i * page) == MAP_FAILED)
				return fail(errno, "mremap: %s",
					    strerror(errno));
		} else if ((i < n / 2 || i % 2) &&
			   madvise(f[i].page, page, MADV_DONTNEED)) {
			return fail(errno, "madvise: %s", strerror(errno));
		}
	}
	return 0;
}

static char *map_pages(void *at, size_t bytes)
{
	char *p = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		       MAP_ANONYMOUS | (at ? MAP_FIXED : 0), -1, 0);

	if (p == MAP_FAILED)
		return fail_null(errno, "mmap: %s", strerror(errno));
	madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

/*
 * Compaction moves pages from the start of a zone to free pages near its end,
 * but only to places between pages in use: an entirely free block does not need
 * to be filled.
 */
static int compact_fresh(struct bench_ctx *ctx)
{
	struct mm_region pool = { .nr = 1, .bytes = POOL, .stride = POOL };
	struct notifier *nt = nt_of(ctx);
	struct framed *f;
	int ret;

	mm_child_end(nt->child);
	nt->child = NULL;
	if (!map_pages(nt->r.base, nt->r.bytes))
		return -errno;
	pool.base = map_pages(NULL, POOL);
	if (!pool.base)
		return -errno;
	f = xcalloc(POOL / mm_caps()->page, sizeof(*f));
	ret = pool_sorted(pool.base, f);
	if (!ret)
		ret = pool_deal(nt, f);
	free(f);
	/*
	 * A child owns the pages that stay. They may move as well, and would
	 * cause notifications here.
	 */
	nt->forked = true;
	nt->child = ret ? NULL : mm_fork(&pool);
	if (!ret && !nt->child)
		ret = -errno;
	munmap(pool.base, POOL);
	return ret ? ret : nt_drain_lru();
}

static int64_t moved_pages(struct notifier *nt)
{
	uint64_t v;
	int64_t moved = 0;
	int ret = nt_pages_now(nt, nt->after);

	for (v = 0; v < nt->visits && !ret; v++)
		moved += (nt->after[v] & PM_PRESENT) &&
			 (nt->before[v] & PM_PFN) != (nt->after[v] & PM_PFN);
	return ret ? ret : moved;
}

static int compact_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	unsigned int i;
	int ret;

	nt->mark = journal_mark();
	nt->marked = true;
	/*
	 * Otherwise a CPU's free lists keep up to an eighth of memory, where
	 * compaction does not look for room.
	 */
	ret = journal_set("/proc/sys/vm/percpu_pagelist_high_fraction",
			  "100000");
	if (ret && ret != -ENOENT)
		return ret;
	nt->fd = open(COMPACT, O_WRONLY | O_CLOEXEC);
	if (nt->fd < 0)
		return fail(errno, COMPACT ": %s", strerror(errno));
	/* In the first passes compaction still has other pages to move. */
	for (i = 0, ret = 0; i < PASSES && !ret; i++) {
		ret = compact_fresh(ctx);
		if (!ret && pwrite(nt->fd, "1", 1, 0) != 1)
			ret = fail(errno, COMPACT ": %s", strerror(errno));
	}
	return ret;
}

/*
 * One operation is one page that moves. A pass may end early if a page is in
 * use at that moment, or no room is found.
 */
static int64_t compact_host(struct bench_ctx *ctx, uint64_t n)
{
	struct notifier *nt = nt_of(ctx);
	int64_t moved = 0;
	unsigned int i;

	for (i = 0; i < PASSES && moved >= 0 && moved < (int64_t)n; i++) {
		if (pwrite(nt->fd, "1", 1, 0) != 1)
			return fail(errno, COMPACT ": %s", strerror(errno));
		moved = moved_pages(nt);
	}
	if (moved >= 0 && moved < (int64_t)n)
		return fail(EOPNOTSUPP, "%d passes of compaction moved %" PRId64 " of %" PRIu64 " pages: it finds no suitable free pages, or other programs use the memory",
			    PASSES, moved, n);
	return moved;
}

static int compact_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	(void)d;
	return nt_other_frames(ctx);
}

static void compact_teardown(struct bench_ctx *ctx)
{
	mm_child_end(nt_of(ctx)->child);
	if (nt_of(ctx)->forked)
		mm_fork_done();
	nt_settings_teardown(ctx);
}

static const struct notifier_op notifier_compact = {
	.bench = {
		.name = "notifier.compact",
		.op = "one page that moves; with measure=guest one moved page that the guest accesses",
		.words = AFTER "compaction" LISTENS,
		.measures = "moving pages within their node by compaction of all memory (compact_memory), to a region where every other page is free",
		.may_lie = "compaction scans all memory and also moves pages of other processes: the events are those of this process, but time and instructions cover all of it, including a check of where the pages are",
		.params = compact_params,
		.nr_params = ARRAY_SIZE(compact_params),
		NOTIFIER_STEPS,
	},
	/* With more calls there may be too little room. */
	.call_cost = 800, .max_calls = 512, .extra = 1,
	.refused = compact_refused, .setup = compact_setup,
	.fresh = compact_fresh, .host = compact_host, .proof = compact_proof,
	.teardown = compact_teardown,
};
BENCH(410, notifier_compact.bench);
