// SPDX-License-Identifier: GPL-2.0
/*
 * notifier: what the kernel does to pages behind a process's back, made to
 * happen now. See notifier.h. All of them tell listeners CLEAR (6.12):
 *
 *	ksm		two pairs a page: write-protected, then replaced
 *	migrate		one pair a folio when it is taken away
 *	compact		the same
 *	swapout		one pair a folio when it is unmapped
 *	collapse	one pair a PMD
 *	split		one pair a folio; how=pmd one a PMD
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/kit/stop.h"
#include "bench/notifier/notifier.h"
#include "bench/notifier/notifier_swap.h"
#include "lib/journal.h"
#include "lib/util.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif

#define MPOL_MF_MOVE		(1 << 1)

static int advise_each(const struct notifier *nt, size_t bytes, int advice)
{
	uint64_t i;

	for (i = 0; i < nt->calls; i++)
		if (madvise(nt_call_at(nt, i), bytes, advice))
			return fail(errno, "madvise(%d): %s", advice,
				    strerror(errno));
	return 0;
}

/*
 * The region as it is now: folios of another size. Noted beside what it was
 * made of at first.
 */
static int prove_now(struct bench_ctx *ctx, uint64_t folio, uint64_t leaf)
{
	struct notifier *nt = nt_of(ctx);
	struct mm_region view = nt->r;
	struct bench_ctx now = *ctx;
	int ret;

	now.proof = json_object();
	view.folio = folio;
	ret = mm_prove(&now, &view, leaf);
	if (!ret) {
		json_object_set_new(ctx->proof, "folio_bytes_after",
				    json_integer(folio));
		json_object_set(ctx->proof, "leaf_bytes_after",
				json_object_get(now.proof, "leaf_bytes"));
	}
	json_decref(now.proof);
	return ret;
}

/* --- ksm --- */

#define KSM	"/sys/kernel/mm/ksm/"

static const char *const ksm_how[] = { "merge", "unmerge", NULL };

static const struct bench_param ksm_params[] = {
	{ .name = "how", .type = PARAM_ENUM, .def = "merge",
	  .choices = ksm_how,
	  .help = "ksmd merges the pages, or the process takes them apart again" },
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_MEASURE, PARAM_GUEST,
};

/* Whether a process has asked for its memory to be merged. */
static bool mergeable(int pid)
{
	char *path = xasprintf("/proc/%d/ksm_stat", pid), *text, *p;
	bool asked = false;

	text = read_file(path, NULL);
	p = text ? strstr(text, "ksm_mergeable: ") : NULL;
	if (p) {
		asked = !strncmp(p, "ksm_mergeable: yes", 18);
	} else {
		/* Before 6.15 only the mappings tell. */
		free(path);
		free(text);
		path = xasprintf("/proc/%d/smaps", pid);
		text = read_file(path, NULL);
		for (p = text; p && !asked; p = strstr(p, "VmFlags:")) {
			char *end = strchr(p, '\n');

			p += 8;
			if (end)
				asked = memmem(p, end - p, " mg", 3);
		}
	}
	free(path);
	free(text);
	return asked;
}

/* One of the other processes that have; 0: none. */
static int other_mergeable(void)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int found = 0;

	while (d && !found && (e = readdir(d))) {
		int pid = atoi(e->d_name);

		if (pid > 0 && pid != getpid() && mergeable(pid))
			found = pid;
	}
	if (d)
		closedir(d);
	return found;
}

static const char *ksm_refused(const struct bench_ctx *ctx)
{
	static __thread char why[128];
	int other;

	char *run = read_line(KSM "run");
	bool has = run, runs = run && *run == '1';

	free(run);
	if (!has)
		return "this kernel has no KSM";
	if (runs)
		return "ksmd is at work here for others: stop it with 0 > " KSM "run";
	if (nt_folio(ctx) != mm_caps()->page)
		return "ksmd splits large folios before it merges their pages: see notifier.split";
	other = other_mergeable();
	if (!other)
		return NULL;
	snprintf(why, sizeof(why), "process %d wants its memory merged as well: ksmd would scan and merge that too",
		 other);
	return why;
}

static int ksm_setup(struct bench_ctx *ctx)
{
	/* One wake-up is one pass over everything, and nothing is skipped. */
	static const struct { const char *file, *value; } set[] = {
		{ KSM "advisor_mode", "none" },
		{ KSM "pages_to_scan", "100000000" },
		{ KSM "sleep_millisecs", "1000000" },
		{ KSM "smart_scan", "0" },
		{ KSM "use_zero_pages", "0" },
		{ KSM "run", "0" },
	};
	struct notifier *nt = nt_of(ctx);
	size_t i;
	int ret;

	nt->alike = true;
	nt->mark = journal_mark();
	nt->marked = true;
	for (i = 0; i < ARRAY_SIZE(set); i++) {
		ret = journal_set(set[i].file, set[i].value);
		if (ret && ret != -ENOENT)
			return ret;
	}
	/* Whatever it is then, it is to be 0 again. */
	ret = journal_note_write(KSM "run", "0");
	if (ret)
		return ret;
	nt->fd = open(KSM "run", O_WRONLY | O_CLOEXEC);
	if (nt->fd < 0)
		return fail(errno, KSM "run: %s", strerror(errno));
	nt->ksm_sleep = open(KSM "sleep_millisecs", O_WRONLY | O_CLOEXEC);
	if (nt->ksm_sleep < 0)
		return fail(errno, KSM "sleep_millisecs: %s", strerror(errno));
	nt->ksm_progress = open(KSM "pages_scanned", O_RDONLY | O_CLOEXEC);
	if (nt->ksm_progress < 0)
		nt->ksm_progress = open(KSM "full_scans", O_RDONLY | O_CLOEXEC);
	return nt->ksm_progress < 0 ?
		fail(errno, KSM "full_scans: %s", strerror(errno)) : 0;
}

static int ksm_run(const struct notifier *nt, const char *value)
{
	return pwrite(nt->fd, value, 1, 0) == 1 ? 0 :
		fail(errno, KSM "run: %s", strerror(errno));
}

/* How far ksmd has come: pages, or whole passes on older kernels. */
static uint64_t ksm_progress(const struct notifier *nt)
{
	char text[24];
	ssize_t n = pread(nt->ksm_progress, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return strtoull(text, NULL, 10);
}

/*
 * Gets ksmd out of the sleep between two passes, which only a change of its
 * length ends; it then waits for "run".
 */
static int ksm_nudge(const struct notifier *nt)
{
	static unsigned int toggle;
	const char *value = ++toggle & 1 ? "1000000" : "1000001";

	return pwrite(nt->ksm_sleep, value, 7, 0) == 7 ? 0 :
		fail(errno, KSM "sleep_millisecs: %s", strerror(errno));
}

/*
 * One pass of ksmd over everything that may be merged. It holds a mutex
 * meanwhile, for which the last write to "run" waits. But it has to get there
 * first.
 */
static int ksm_pass(const struct notifier *nt)
{
	const struct timespec moment = { .tv_nsec = 100000 };
	uint64_t from = ksm_progress(nt);
	int tries, ret;

	for (tries = 0; tries < 100000; tries++) {
		/* again now and then: it may have been about to sleep */
		ret = tries % 500 ? 0 : ksm_nudge(nt);
		if (!ret && !tries)
			ret = ksm_run(nt, "1");
		if (ret)
			return ret;
		nanosleep(&moment, NULL);
		if (ksm_progress(nt) != from)
			return ksm_run(nt, "0");
		if (bench_stop)
			return -EINTR;
	}
	return fail(ETIMEDOUT, "ksmd does not scan");
}

/* The same, and it has gone back to sleep. */
static int ksm_whole_pass(const struct notifier *nt)
{
	const struct timespec pause = { .tv_nsec = 1000000 };
	int ret = ksm_pass(nt);

	nanosleep(&pause, NULL);
	return ret;
}

static int ksm_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = 0;

	if (madvise(nt->r.base, nt->r.bytes, MADV_UNMERGEABLE))
		ret = fail(errno, "MADV_UNMERGEABLE: %s", strerror(errno));
	return ret ? ret : nt_fresh_folios(ctx);
}

/*
 * How many pages share their frame with another one. (The kernel's own word
 * for it, KPF_KSM, is set for every anonymous page in 6.12.)
 */
static uint64_t sharing(const uint64_t *entry, uint64_t nr)
{
	uint64_t *pfn = xcalloc(nr, sizeof(*pfn)), i, n = 0;

	for (i = 0; i < nr; i++)
		pfn[i] = entry[i] & PM_PRESENT ? entry[i] & PM_PFN : 0;
	qsort(pfn, nr, sizeof(*pfn), cmp_u64);
	for (i = 0; i < nr; i++)
		n += pfn[i] && ((i && pfn[i] == pfn[i - 1]) ||
				(i + 1 < nr && pfn[i] == pfn[i + 1]));
	free(pfn);
	return n;
}

/* The first pass only notes what the pages hold: they must not change. */
static int ksm_before(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t merged;
	int ret;

	if (madvise(nt->r.base, nt->r.bytes, MADV_MERGEABLE))
		return fail(errno, "MADV_MERGEABLE: %s", strerror(errno));
	nt->ksm_merge = param_is(ctx, "how", "merge");
	ret = ksm_whole_pass(nt);
	if (!ret && !nt->ksm_merge)
		ret = ksm_whole_pass(nt);
	if (!ret)
		ret = nt_pages_now(nt, nt->after);
	if (ret)
		return ret;
	merged = sharing(nt->after, nt->visits);
	if (merged != (nt->ksm_merge ? 0 : nt->visits))
		return fail(EPROTO, "%" PRIu64 " of %" PRIu64 " pages are merged to begin with",
			    merged, nt->visits);
	return 0;
}

static int64_t ksm_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	int ret;

	if (nt->ksm_merge) {
		ret = ksm_pass(nt);
		return ret ? ret : (int64_t)n;
	}
	if (madvise(nt->r.base, nt->r.bytes, MADV_UNMERGEABLE))
		return fail(errno, "MADV_UNMERGEABLE: %s", strerror(errno));
	return n;
}

static int ksm_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t merged = sharing(nt->after, nt->visits);

	(void)d;
	if (merged != (nt->ksm_merge ? nt->visits : 0))
		return fail(EPROTO, "%" PRIu64 " of %" PRIu64 " pages are merged",
			    merged, nt->visits);
	json_object_set_new(ctx->proof, "pages_merged", json_integer(merged));
	return 0;
}

static void settings_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	if (nt->fd >= 0)
		close(nt->fd);
	/* Whatever holds on to a setting goes first. */
	mm_region_close(&nt->r);
	if (nt->marked && journal_restore_to(nt->mark))
		warn("%s", fail_text());
}

/* What the process itself does: little, where ksmd does the work. */
static uint64_t ksm_cost(const struct bench_ctx *ctx)
{
	return param_is(ctx, "how", "merge") ? 20 : 400;
}

static void ksm_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	if (nt->ksm_progress > 0)
		close(nt->ksm_progress);
	if (nt->ksm_sleep > 0)
		close(nt->ksm_sleep);
	settings_teardown(ctx);
}

static const struct notifier_op notifier_ksm = {
	.bench = {
		.name = "notifier.ksm",
		.op = "one page; with measure=guest one that the guest visits",
		.measures = "identical pages merged by ksmd, or taken apart by the process itself",
		.may_lie = "how=merge, measure=op: ksmd does the work, so instructions are only those of the process that waits, and ns holds the 0.1 ms or more until it has come round",
		BENCH_PARAMS(ksm_params),
		NOTIFIER_STEPS,
	},
	.cost = ksm_cost, .extra = 1,
	.refused = ksm_refused, .setup = ksm_setup, .fresh = ksm_fresh,
	.before = ksm_before, .host = ksm_host, .proof = ksm_proof,
	.teardown = ksm_teardown,
};
BENCH(408, notifier_ksm.bench);

/* --- swapout --- */

static const struct bench_param range_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_PAGES("16"), PARAM_MEASURE,
	PARAM_GUEST,
};

static const char *swapout_refused(const struct bench_ctx *ctx)
{
	(void)ctx;
	return zram_unavailable();
}

static uint64_t swapout_cost(const struct bench_ctx *ctx)
{
	return 5000 + 8000 * nt_pages(ctx);
}

static int swapout_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	nt->mark = journal_mark();
	nt->marked = true;
	/* Twice the room: slots are handed out in clusters. */
	return zram_swapon(2 * nt->r.nr * nt->r.bytes + 16 * MIB);
}

static int64_t swapout_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	uint64_t i;

	for (i = 0; i < n; i++)
		if (madvise(nt_call_at(nt, i), bytes, MADV_PAGEOUT))
			return fail(errno, "MADV_PAGEOUT: %s", strerror(errno));
	return n;
}

static int swapout_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t v;

	(void)d;
	for (v = 0; v < nt->visits; v++)
		if (!(nt->after[v] & PM_SWAPPED))
			return fail(EPROTO, "page %" PRIu64 " was not swapped out",
				    v);
	json_object_set_new(ctx->proof, "pages_swapped",
			    json_integer(nt->visits));
	return 0;
}

static int drain_before(struct bench_ctx *ctx)
{
	(void)ctx;
	return nt_drain_lru();
}

static const struct notifier_op notifier_swapout = {
	.bench = {
		.name = "notifier.swapout",
		.op = CALL_OP,
		.measures = "MADV_PAGEOUT of a populated range to compressed memory; the guest then has it swapped in again",
		.may_lie = "compressing is most of it; the pages are nearly empty, so real ones cost more",
		BENCH_PARAMS(range_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .cost = swapout_cost, .extra = 1,
	.refused = swapout_refused, .setup = swapout_setup,
	.before = drain_before, .host = swapout_host, .proof = swapout_proof,
	.teardown = settings_teardown,
};
BENCH(413, notifier_swapout.bench);

/* --- migrate --- */

/* The first nodes that have memory; returns how many of at most two. */
static int memory_nodes(int node[2])
{
	char *text = read_line("/sys/devices/system/node/has_memory"), *p;
	int found = 0;

	for (p = text; p && *p && found < 2; ) {
		long from = strtol(p, &p, 10), to = from;

		if (*p == '-')
			to = strtol(p + 1, &p, 10);
		for (; from <= to && found < 2; from++)
			node[found++] = from;
		p += *p == ',';
	}
	free(text);
	return found;
}

static const char *migrate_refused(const struct bench_ctx *ctx)
{
	int node[2];

	(void)ctx;
	switch (memory_nodes(node)) {
	case 0:
		return "this kernel knows no NUMA nodes (CONFIG_NUMA): nowhere to move pages to; notifier.compact moves them within the only one";
	case 1:
		return "one NUMA node has all the memory: nowhere to move pages to; notifier.compact moves them within it";
	}
	return NULL;
}

static uint64_t migrate_cost(const struct bench_ctx *ctx)
{
	return 20000 + 3500 * nt_pages(ctx);
}

/* Entries of one call: a folio is named once. */
static uint64_t entries_of(const struct notifier *nt)
{
	uint64_t bytes = nt_call_bytes(nt);

	return bytes > nt->r.folio ? bytes / nt->r.folio : 1;
}

static int migrate_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t each = entries_of(nt), i;

	memory_nodes(nt->node);
	nt->pages = xcalloc(nt->calls * each, sizeof(*nt->pages));
	nt->nodes = xcalloc(nt->calls * each, sizeof(*nt->nodes));
	nt->status = xcalloc(nt->calls * each, sizeof(*nt->status));
	for (i = 0; i < nt->calls * each; i++)
		nt->pages[i] = nt_call_at(nt, i / each) + i % each * nt->r.folio;
	return 0;
}

static int64_t move_all(struct notifier *nt, uint64_t n)
{
	uint64_t each = entries_of(nt), i;

	for (i = 0; i < n; i++)
		if (syscall(SYS_move_pages, 0, each, nt->pages + i * each,
			    nt->nodes + i * each, nt->status + i * each,
			    MPOL_MF_MOVE))
			return fail(errno ? errno : EAGAIN, "move_pages: %s",
				    errno ? strerror(errno) :
				    "not all pages could be moved");
	return n;
}

static void aim(struct notifier *nt, int node)
{
	uint64_t i, n = nt->calls * entries_of(nt);

	for (i = 0; i < n; i++) {
		nt->nodes[i] = node;
		nt->status[i] = -1;
	}
}

static int arrived(const struct notifier *nt, int node)
{
	uint64_t i, n = nt->calls * entries_of(nt);

	for (i = 0; i < n; i++)
		if (nt->status[i] != node)
			return fail(EPROTO, "page %" PRIu64 " did not go to node %d (status %d)",
				    i, node, nt->status[i]);
	return 0;
}

/* Wherever they were populated, all start from the same node. */
static int migrate_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = nt_fresh_folios(ctx);
	int64_t done;

	if (ret)
		return ret;
	aim(nt, nt->node[0]);
	done = move_all(nt, nt->calls);
	ret = done < 0 ? (int)done : arrived(nt, nt->node[0]);
	aim(nt, nt->node[1]);
	return ret;
}

static int64_t migrate_host(struct bench_ctx *ctx, uint64_t n)
{
	return move_all(nt_of(ctx), n);
}

static int migrate_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	int ret = arrived(nt, nt->node[1]);

	(void)d;
	return ret ? ret : nt_other_frames(ctx);
}

static void migrate_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	free(nt->pages);
	free(nt->nodes);
	free(nt->status);
}

static const struct notifier_op notifier_migrate = {
	.bench = {
		.name = "notifier.migrate",
		.op = CALL_OP,
		.measures = "move_pages() of a populated range to another NUMA node",
		.may_lie = "copying the pages is part of it, and so is draining the LRU caches of every CPU once a call",
		BENCH_PARAMS(range_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .cost = migrate_cost, .extra = 1,
	.refused = migrate_refused, .setup = migrate_setup,
	.fresh = migrate_fresh, .host = migrate_host, .proof = migrate_proof,
	.teardown = migrate_teardown,
};
BENCH(409, notifier_migrate.bench);

/* --- compact --- */

#define COMPACT	"/proc/sys/vm/compact_memory"
/* Of so many pages those lowest in memory are the ones that are to move, and
 * among those highest in memory there is room for them. */
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
	/* In more it takes long, disturbs more, and room is elsewhere. */
	if (sysconf(_SC_PHYS_PAGES) > (long)(MOST / mm_caps()->page))
		return "all memory would be compacted, again and again: on machines of up to 8 GiB only, such as a VM";
	return nt_folio(ctx) == mm_caps()->page ? NULL :
		"which large folios are moved, and whether whole, is the kernel's own affair: folio=4k";
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

/* The pool's pages by where they are in memory. */
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

/* The lowest become the region's, of the upper half every other one stays, and
 * the rest goes. */
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
 * Compaction takes pages from the start of a zone and puts them into free ones
 * near its end, if these stand among pages in use: where all is free nothing
 * needs to be filled up.
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
	/* Those that stay are a child's, as they may move, too, and would be
	 * told to whoever listens here. */
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
	/* Else a CPU keeps what is freed to itself, up to an eighth of memory,
	 * where compaction does not look for room. */
	ret = journal_set("/proc/sys/vm/percpu_pagelist_high_fraction",
			  "100000");
	if (ret && ret != -ENOENT)
		return ret;
	nt->fd = open(COMPACT, O_WRONLY | O_CLOEXEC);
	if (nt->fd < 0)
		return fail(errno, COMPACT ": %s", strerror(errno));
	/* The first passes find memory as others have left it. */
	for (i = 0, ret = 0; i < PASSES && !ret; i++) {
		ret = compact_fresh(ctx);
		if (!ret && pwrite(nt->fd, "1", 1, 0) != 1)
			ret = fail(errno, COMPACT ": %s", strerror(errno));
	}
	return ret;
}

/* An operation is a page that moves. A pass may end early, where a page is just
 * then in use, or room is not found. */
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
		return fail(EOPNOTSUPP, "%d passes of compaction moved %" PRId64 " of %" PRIu64 " pages: it finds no room that it likes, or others use the memory",
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
	settings_teardown(ctx);
}

static const struct notifier_op notifier_compact = {
	.bench = {
		.name = "notifier.compact",
		.op = "one page that moves; with measure=guest one of these that the guest visits",
		.measures = "pages moved within their node by compaction of all memory (compact_memory), to where every other page is free",
		.may_lie = "compaction looks through all memory, and moves pages of others: the events are those of this process, but time and instructions are of all of it, and so is a look at where the pages are",
		.params = compact_params,
		.nr_params = ARRAY_SIZE(compact_params),
		NOTIFIER_STEPS,
	},
	/* With more of them there may not be room for all. */
	.call_cost = 800, .max_calls = 512, .extra = 1,
	.refused = compact_refused, .setup = compact_setup,
	.fresh = compact_fresh, .host = compact_host, .proof = compact_proof,
	.teardown = compact_teardown,
};
BENCH(410, notifier_compact.bench);

/* --- collapse --- */

static const struct bench_param collapse_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_MEASURE, PARAM_GUEST,
};

static const char *collapse_refused(const struct bench_ctx *ctx)
{
	/* Asked of no memory at all: does the kernel know the word? */
	if (!mm_caps()->pmd)
		return "this kernel has no transparent huge pages";
	if (madvise(NULL, 0, MADV_COLLAPSE))
		return "this kernel has no MADV_COLLAPSE (it came with 6.1)";
	if (nt_folio(ctx) >= mm_caps()->pmd)
		return "such folios are what collapsing makes: give a smaller one";
	return NULL;
}

/* khugepaged must not be quicker; MADV_COLLAPSE heeds no such setting. */
static int collapse_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	char *path = xasprintf(MM_THP_DIR "/hugepages-%" PRIu64 "kB/enabled",
			       mm_caps()->pmd / KIB);
	int ret;

	nt->mark = journal_mark();
	nt->marked = true;
	ret = journal_set(access(path, F_OK) ? MM_THP_DIR "/enabled" : path,
			  "never");
	free(path);
	return ret;
}

static int collapse_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = 0;

	if (nt_folio(ctx) == mm_caps()->page)
		ret = advise_each(nt, nt->r.bytes, MADV_NOHUGEPAGE);
	return ret ? ret : nt_fresh_folios(ctx);
}

static int collapse_before(struct bench_ctx *ctx)
{
	return advise_each(nt_of(ctx), nt_of(ctx)->r.bytes, MADV_HUGEPAGE);
}

static int64_t collapse_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	const struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	unsigned int tries = 0;
	uint64_t i;

	for (i = 0; i < n; i++)
		while (madvise(nt_call_at(nt, i), bytes, MADV_COLLAPSE)) {
			/* Somebody else has hold of a page. */
			if ((errno != EAGAIN && errno != EBUSY) ||
			    ++tries == 500)
				return fail(errno, "MADV_COLLAPSE: %s",
					    strerror(errno));
			nanosleep(&moment, NULL);
		}
	return n;
}

static int collapse_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	uint64_t pmd = mm_caps()->pmd;
	int ret = nt_other_frames(ctx);

	(void)d;
	return ret ? ret : prove_now(ctx, pmd, pmd);
}

static const struct notifier_op notifier_collapse = {
	.bench = {
		.name = "notifier.collapse",
		.op = CALL_OP,
		.measures = "MADV_COLLAPSE of what a PMD maps: its pages are copied into one folio, as khugepaged does it",
		.may_lie = "copying the pages is most of it, and the LRU caches of every CPU are drained once a call, which is tried again where it came at a bad moment; khugepaged would do it in its own time",
		.params = collapse_params,
		.nr_params = ARRAY_SIZE(collapse_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .pmd_range = true, .call_cost = 1000000, .extra = 1,
	.may_keep = true,
	.refused = collapse_refused, .setup = collapse_setup,
	.fresh = collapse_fresh, .before = collapse_before,
	.host = collapse_host, .proof = collapse_proof,
	.teardown = settings_teardown,
};
BENCH(414, notifier_collapse.bench);

/* --- split --- */

#define SPLIT	"/sys/kernel/debug/split_huge_pages"

static const char *const split_how[] = { "folio", "pmd", NULL };

static const struct bench_param split_params[] = {
	{ .name = "how", .type = PARAM_ENUM, .def = "folio",
	  .choices = split_how,
	  .help = "the folio into pages, or only the PMD that maps it into a page table" },
	PARAM_SECONDARY, PARAM_FOLIO("2m"), PARAM_MEASURE, PARAM_GUEST,
};

static bool split_folio(const struct bench_ctx *ctx)
{
	return param_is(ctx, "how", "folio");
}

static const char *split_refused(const struct bench_ctx *ctx)
{
	if (nt_folio(ctx) == mm_caps()->page)
		return "a page can't be split: give a larger folio";
	if (!split_folio(ctx))
		return nt_is_pmd(ctx) ? NULL :
			"how=pmd: only a folio of the PMD's size is mapped by one";
	if (access(SPLIT, W_OK))
		return "no " SPLIT ": mount debugfs, or use how=pmd";
	return NULL;
}

static uint64_t split_cost(const struct bench_ctx *ctx)
{
	return split_folio(ctx) ? 10000 + 1000 * nt_pages(ctx) : 20000;
}

#define SPLIT_TEXT	64

/* The words to be written: the first page stands for its folio. */
static void split_words(struct notifier *nt)
{
	uint64_t i;

	nt->text = xcalloc(nt->calls, SPLIT_TEXT);
	for (i = 0; i < nt->calls; i++) {
		unsigned long at = (unsigned long)nt_call_at(nt, i);

		nt->text_len = snprintf(nt->text + i * SPLIT_TEXT, SPLIT_TEXT,
					"%d,0x%016lx,0x%016lx", (int)getpid(),
					at, at + (unsigned long)nt->step);
	}
}

static int split_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	nt->split_folio = split_folio(ctx);
	if (!nt->split_folio)
		return 0;
	split_words(nt);
	nt->fd = open(SPLIT, O_WRONLY | O_CLOEXEC);
	return nt->fd < 0 ? fail(errno, SPLIT ": %s", strerror(errno)) : 0;
}

static int split_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = 0;

	if (!nt->split_folio)
		ret = advise_each(nt, nt->r.bytes, MADV_DODUMP);
	return ret ? ret : nt_fresh_folios(ctx);
}

static int split_one(const struct notifier *nt, uint64_t i)
{
	/* Half of a PMD in another mapping: the PMD has to go. */
	if (!nt->split_folio)
		return madvise(nt_call_at(nt, i), nt->r.folio / 2, MADV_DONTDUMP);
	return pwrite(nt->fd, nt->text + i * SPLIT_TEXT, nt->text_len, 0) ==
	       nt->text_len ? 0 : -1;
}

static int64_t split_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	uint64_t i;

	for (i = 0; i < n; i++)
		if (split_one(nt, i))
			return fail(errno, "splitting: %s", strerror(errno));
	return n;
}

/* No mapping is still by a PMD. */
static int no_pmds(struct bench_ctx *ctx)
{
	const struct notifier *nt = nt_of(ctx);
	struct mm_prober *p = mm_prober_open();
	uint64_t i, leaf = 0;
	int ret = p ? 0 : -EPROTO;

	for (i = 0; i < nt->calls && !ret; i++) {
		ret = mm_probe(p, nt_call_at(nt, i), &leaf);
		if (!ret && leaf >= mm_caps()->pmd)
			ret = fail(EPROTO, "folio %" PRIu64 " is still mapped by a PMD",
				   i);
	}
	mm_prober_close(p);
	if (!ret)
		json_object_set_new(ctx->proof, "leaf_bytes_after",
				    json_integer(leaf));
	return ret;
}

static int split_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	uint64_t page = mm_caps()->page;
	int ret = nt_same_frames(ctx);

	(void)d;
	if (!ret)
		ret = nt_of(ctx)->split_folio ? prove_now(ctx, page, page) :
						no_pmds(ctx);
	return ret;
}

static void split_teardown(struct bench_ctx *ctx)
{
	if (nt_of(ctx)->fd >= 0)
		close(nt_of(ctx)->fd);
	free(nt_of(ctx)->text);
}

static const struct notifier_op notifier_split = {
	.bench = {
		.name = "notifier.split",
		.op = "one folio; with measure=guest one page that the guest visits",
		.measures = "a large folio split into pages through debugfs, or a PMD into a page table by giving half of it another mapping",
		.may_lie = "how=pmd splits the mapping as well; both are driven from outside, reclaim and the like split without a system call",
		BENCH_PARAMS(split_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .cost = split_cost,
	.refused = split_refused, .setup = split_setup, .fresh = split_fresh,
	.host = split_host, .proof = split_proof,
	.teardown = split_teardown,
};
BENCH(415, notifier_split.bench);
