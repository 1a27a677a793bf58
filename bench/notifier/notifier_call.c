// SPDX-License-Identifier: GPL-2.0
/*
 * notifier: system calls on a range of pages. See notifier.h.
 *
 * The events in 6.12, each one pair of range callbacks per call unless stated
 * otherwise:
 *
 *	mprotect	PROTECTION_VMA, in either direction
 *	munmap		UNMAP
 *	mremap		UNMAP twice: when the entries move, and when the old
 *			range is unmapped
 *	dontneed, free	CLEAR
 *	uffd_wp		PROTECTION_VMA
 *	clear_refs	SOFT_DIRTY, the whole address space
 *	migrate		CLEAR for each folio, and again when it is put back
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/kit/uffd.h"
#include "bench/notifier/notifier.h"
#include "lib/util.h"

#define KPF_SWAPBACKED	(1ULL << 14)

static const struct bench_param range_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_PAGES("16"), PARAM_MEASURE,
	PARAM_GUEST,
};

static const struct bench_param dir_params[] = {
	PARAM_DIR, PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_PAGES("16"),
	PARAM_MEASURE, PARAM_GUEST,
};

/* For operations that are one call per batch, which covers everything. */
static const struct bench_param whole_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_PAGES("8192"), PARAM_MEASURE,
	PARAM_GUEST,
};

/* --- mprotect --- */

static const char *mprotect_refused(const struct bench_ctx *ctx)
{
	if (nt_measures_guest(ctx) && param_is(ctx, "dir", "down") &&
	    param_is(ctx, "guest", "write"))
		return "dir=down: a guest that writes to read-only memory stops";
	return NULL;
}

static int protect_all(struct notifier *nt, int prot)
{
	uint64_t i;

	for (i = 0; i < nt->calls; i++)
		if (mprotect(nt_call_at(nt, i), nt_call_bytes(nt), prot))
			return fail(errno, "mprotect: %s", strerror(errno));
	return 0;
}

static int mprotect_fresh(struct bench_ctx *ctx)
{
	int ret = protect_all(nt_of(ctx), PROT_READ | PROT_WRITE);

	return ret ? ret : nt_fresh_folios(ctx);
}

static int mprotect_before(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	return nt->dir == DIR_UP ? protect_all(nt, PROT_READ) : 0;
}

static int64_t mprotect_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	uint64_t i;

	for (i = 0; i < n; i++) {
		char *p = nt_call_at(nt, i);

		if ((nt->dir != DIR_UP && mprotect(p, bytes, PROT_READ)) ||
		    (nt->dir != DIR_DOWN &&
		     mprotect(p, bytes, PROT_READ | PROT_WRITE)))
			return fail(errno, "mprotect: %s", strerror(errno));
	}
	return n;
}

static int mprotect_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t i;

	(void)d;
	for (i = 0; i < nt->calls; i++) {
		bool can;
		int ret = nt_writable(nt, i, &can);

		if (ret)
			return fail_prefix(-EPROTO, "not proved");
		if (can != (nt->dir != DIR_DOWN))
			return fail(EPROTO, "call %" PRIu64 " left its pages %s",
				    i, can ? "writable" : "read-only");
	}
	return nt_same_frames(ctx);
}

static const struct notifier_op notifier_mprotect = {
	.bench = {
		.name = "notifier.mprotect",
		.op = CALL_OP,
		.words = AFTER "mprotect {dir:down=RW->RO|up=RO->RW|roundtrip=there and back}" LISTENS,
		.measures = "mprotect() of a populated range, its TLB maintenance, and the work of its subscribers",
		.may_lie = "each call changes a whole mapping, so none is split or merged, unless pages is less than a folio; dir=roundtrip is two calls",
		BENCH_PARAMS(dir_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .call_cost = 2500, .page_cost = 60,
	.refused = mprotect_refused,
	.fresh = mprotect_fresh, .before = mprotect_before,
	.host = mprotect_host, .proof = mprotect_proof,
};
BENCH(400, notifier_mprotect.bench);

/* --- munmap --- */

static int64_t munmap_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	uint64_t i;

	for (i = 0; i < n; i++)
		if (munmap(nt_call_at(nt, i), bytes))
			return fail(errno, "munmap: %s", strerror(errno));
	return n;
}

/* Checks that nothing is mapped at the start and end of a call's range. */
static int holes(const struct notifier *nt)
{
	size_t page = mm_caps()->page;
	unsigned char there;
	uint64_t i;

	for (i = 0; i < nt->calls; i++) {
		char *p = nt_call_at(nt, i), *end = p + nt_call_bytes(nt) - page;

		if (!mincore(p, page, &there) || errno != ENOMEM ||
		    !mincore(end, page, &there) || errno != ENOMEM)
			return fail(EPROTO, "call %" PRIu64 " left its pages mapped",
				    i);
	}
	return 0;
}

static int munmap_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	int ret = holes(nt_of(ctx));

	(void)d;
	if (!ret)
		json_object_set_new(ctx->proof, "pages_gone",
				    json_integer(nt_of(ctx)->visits));
	return ret;
}

static const struct notifier_op notifier_munmap = {
	.bench = {
		.name = "notifier.munmap",
		.op = CALL_OP,
		.words = AFTER "munmap" LISTENS,
		.measures = "munmap() of a populated mapping: its pages are freed, and every subscriber must drop them",
		.may_lie = "the cost includes freeing the pages; in stage 2 the table is freed too, since the pages of each call have a table of their own",
		.params = range_params,
		.nr_params = ARRAY_SIZE(range_params) - 1,
		NOTIFIER_STEPS,
	},
	.maps = 1, .call_cost = 5000, .page_cost = 250, .gone = true,
	.fresh = nt_fresh_mappings, .host = munmap_host, .proof = munmap_proof,
};
BENCH(401, notifier_munmap.bench);

/* --- MADV_DONTNEED, MADV_FREE --- */

static int64_t advise(struct bench_ctx *ctx, uint64_t n, int advice)
{
	const struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	uint64_t i;

	for (i = 0; i < n; i++)
		if (madvise(nt_call_at(nt, i), bytes, advice))
			return fail(errno, "madvise(%d): %s", advice,
				    strerror(errno));
	return n;
}

static int64_t dontneed_host(struct bench_ctx *ctx, uint64_t n)
{
	return advise(ctx, n, MADV_DONTNEED);
}

static int dontneed_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	(void)d;
	return nt_none_present(ctx);
}

static uint32_t zero_word(const struct bench_ctx *ctx, uint64_t v)
{
	(void)ctx;
	(void)v;
	return 0;
}

static const struct notifier_op notifier_dontneed = {
	.bench = {
		.name = "notifier.dontneed",
		.op = CALL_OP,
		.words = AFTER "MADV_DONTNEED" LISTENS,
		.measures = "MADV_DONTNEED of a populated range; the guest then finds zeroes: the zero page if it reads, new pages if it writes",
		.may_lie = "the cost includes freeing the pages; a guest that reads gets no page of its own",
		BENCH_PARAMS(range_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .call_cost = 2500, .page_cost = 200,
	.host = dontneed_host, .proof = dontneed_proof, .word = zero_word,
};
BENCH(402, notifier_dontneed.bench);

/* If only a part of a large folio is freed lazily, the folio is split first. */
static uint64_t free_cost(const struct bench_ctx *ctx)
{
	uint64_t folio = nt_folio(ctx), page = mm_caps()->page;
	uint64_t pages = nt_pages(ctx);

	if (pages * page % folio)
		return 10000 + 3000 * folio / page;
	return 2500 + 250 * (nt_is_pmd(ctx) ? pages * page / folio : pages);
}

static int free_before(struct bench_ctx *ctx)
{
	(void)ctx;
	return nt_drain_lru();
}

static int64_t free_host(struct bench_ctx *ctx, uint64_t n)
{
	return advise(ctx, n, MADV_FREE);
}

/* A page is swap-backed (in /proc/kpageflags) until it may be freed lazily. */
static int free_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	int fd, ret;
	uint64_t v;

	(void)d;
	ret = nt_drain_lru();
	if (!ret)
		ret = nt_same_frames(ctx);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(EPROTO, "not proved: /proc/kpageflags: %s",
			    strerror(errno));
	for (v = 0; v < nt->visits && !ret; v++) {
		uint64_t flags;

		if (pread(fd, &flags, sizeof(flags), (nt->after[v] & PM_PFN) *
			  sizeof(flags)) != sizeof(flags))
			ret = fail(EPROTO, "not proved: no flags of page %" PRIu64,
				   v);
		else if (flags & KPF_SWAPBACKED)
			ret = fail(EPROTO, "page %" PRIu64 " will not be freed lazily",
				   v);
	}
	close(fd);
	if (!ret)
		json_object_set_new(ctx->proof, "pages_lazyfree",
				    json_integer(nt->visits));
	return ret;
}

static const struct notifier_op notifier_free = {
	.bench = {
		.name = "notifier.free",
		.op = CALL_OP,
		.words = AFTER "MADV_FREE" LISTENS,
		.measures = "MADV_FREE of a populated range: the pages stay until memory is short, yet every subscriber must drop them",
		.may_lie = "the cost does not include freeing the pages later",
		BENCH_PARAMS(range_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .cost = free_cost,
	.before = free_before, .host = free_host, .proof = free_proof,
};
BENCH(403, notifier_free.bench);

/* --- mremap --- */

/* The destination must be free, or mremap() would unmap it first. */
static int mremap_arm(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t i;

	for (i = 0; i < nt->calls; i++)
		if (munmap(nt_call_to(nt, i), nt_call_bytes(nt)))
			return fail(errno, "munmap: %s", strerror(errno));
	return 0;
}

static int64_t mremap_host(struct bench_ctx *ctx, uint64_t n)
{
	struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	uint64_t i;

	for (i = 0; i < n; i++)
		if (mremap(nt_call_at(nt, i), bytes, bytes, MREMAP_MAYMOVE |
			   MREMAP_FIXED, nt_call_to(nt, i)) == MAP_FAILED)
			return fail(errno, "mremap: %s", strerror(errno));
	nt->moved = true;
	return n;
}

static int mremap_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	int ret = holes(nt_of(ctx));

	(void)d;
	return ret ? ret : nt_same_frames(ctx);
}

static const struct notifier_op notifier_mremap = {
	.bench = {
		.name = "notifier.mremap",
		.op = CALL_OP,
		.words = AFTER "mremap" LISTENS,
		.measures = "mremap() of a populated mapping to a free address; the guest then finds the same pages at another address",
		.may_lie = "with 4K pages, pages=512 and more move whole page tables, fewer move entry by entry",
		BENCH_PARAMS(range_params),
		NOTIFIER_STEPS,
	},
	.maps = 2, .call_cost = 8000, .page_cost = 60,
	.fresh = nt_fresh_mappings, .arm = mremap_arm,
	.host = mremap_host, .proof = mremap_proof,
};
BENCH(404, notifier_mremap.bench);

/* --- clear_refs --- */

static const char *clear_refs_refused(const struct bench_ctx *ctx)
{
	(void)ctx;
	if (access("/proc/self/clear_refs", W_OK))
		return "no /proc/self/clear_refs: this kernel was built without CONFIG_PROC_PAGE_MONITOR";
	return NULL;
}

static int clear_refs_setup(struct bench_ctx *ctx)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	nt_of(ctx)->fd = fd;
	return fd < 0 ? fail(errno, "/proc/self/clear_refs: %s",
			     strerror(errno)) : 0;
}

static int64_t clear_refs_host(struct bench_ctx *ctx, uint64_t n)
{
	uint64_t i;

	for (i = 0; i < n; i++)
		if (pwrite(nt_of(ctx)->fd, "4", 1, 0) != 1)
			return fail(errno, "/proc/self/clear_refs: %s",
				    strerror(errno));
	return n;
}

/* If the architecture has a soft-dirty bit, it must be clear. */
static int clear_refs_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	bool has = nt->before[0] & PM_SOFT_DIRTY;
	uint64_t v;

	(void)d;
	for (v = 0; v < nt->visits; v++)
		if (has && nt->after[v] & PM_SOFT_DIRTY)
			return fail(EPROTO, "page %" PRIu64 " is still soft-dirty",
				    v);
	json_object_set_new(ctx->proof, "soft_dirty", json_boolean(has));
	return nt_same_frames(ctx);
}

static void close_fd(struct bench_ctx *ctx)
{
	if (nt_of(ctx)->fd >= 0)
		close(nt_of(ctx)->fd);
}

static const struct notifier_op notifier_clear_refs = {
	.bench = {
		.name = "notifier.clear_refs",
		.op = CALL_OP,
		.words = AFTER "clear_refs" LISTENS,
		.measures = "writing 4 to /proc/self/clear_refs, which notifies every subscriber of a change of the whole address space; without a soft-dirty bit (arm64 6.12) nothing changes",
		.may_lie = "it walks all memory of this process, not only the selected pages",
		BENCH_PARAMS(whole_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .max_calls = 1, .call_cost = 20000, .page_cost = 40,
	.refused = clear_refs_refused, .setup = clear_refs_setup,
	.host = clear_refs_host, .proof = clear_refs_proof,
	.teardown = close_fd,
};
BENCH(411, notifier_clear_refs.bench);

/* --- userfaultfd write protection --- */

#define WP_FEATURES	UFFD_FEATURE_PAGEFAULT_FLAG_WP

static const char *uffd_refused(const struct bench_ctx *ctx)
{
	if (nt_measures_guest(ctx) && param_is(ctx, "dir", "down") &&
	    param_is(ctx, "guest", "write"))
		return "dir=down: a write of the guest would wait until the protection is removed";
	return uffd_unavailable(WP_FEATURES, 0);
}

static int uffd_setup(struct bench_ctx *ctx)
{
	int fd = uffd_open(WP_FEATURES, 0);

	if (fd < 0)
		return fd;
	nt_of(ctx)->fd = fd;
	return 0;
}

static int protect_call(const struct notifier *nt, uint64_t i, bool on)
{
	return uffd_protect(nt->fd, nt_call_at(nt, i), nt_call_bytes(nt), on);
}

/* A registered mapping only gets base pages, so populate it before. */
static int uffd_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = nt->batch > 1 ? uffd_register(nt->fd, &nt->r, false) : 0;

	return ret ? ret : nt_fresh_folios(ctx);
}

static int uffd_before(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = uffd_register(nt->fd, &nt->r, true);
	uint64_t i;

	for (i = 0; i < nt->calls && !ret && nt->dir == DIR_UP; i++)
		ret = protect_call(nt, i, true);
	return ret;
}

static int64_t uffd_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	uint64_t i;
	int ret = 0;

	for (i = 0; i < n && !ret; i++) {
		if (nt->dir != DIR_UP)
			ret = protect_call(nt, i, true);
		if (!ret && nt->dir != DIR_DOWN)
			ret = protect_call(nt, i, false);
	}
	return ret ? ret : (int64_t)n;
}

static int uffd_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t v;

	(void)d;
	for (v = 0; v < nt->visits; v++)
		if (!(nt->after[v] & PM_UFFD_WP) != (nt->dir != DIR_DOWN))
			return fail(EPROTO, "page %" PRIu64 " is%s write-protected",
				    v, nt->dir == DIR_DOWN ? " not" : "");
	return nt_same_frames(ctx);
}

static const struct notifier_op notifier_uffd_wp = {
	.bench = {
		.name = "notifier.uffd_wp",
		.op = CALL_OP,
		.words = AFTER "uffd write-protect {dir:down=on|up=off|roundtrip=on and off}" LISTENS,
		.measures = "UFFDIO_WRITEPROTECT of a populated range: set, removed, or both",
		.may_lie = "a PMD leaf is split if the call covers less; dir=roundtrip is two calls",
		BENCH_PARAMS(dir_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .call_cost = 2500, .page_cost = 60,
	.refused = uffd_refused, .setup = uffd_setup, .fresh = uffd_fresh,
	.before = uffd_before, .host = uffd_host, .proof = uffd_proof,
	.teardown = close_fd,
};
BENCH(412, notifier_uffd_wp.bench);
