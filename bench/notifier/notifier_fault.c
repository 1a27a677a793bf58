// SPDX-License-Identifier: GPL-2.0
/*
 * notifier: fork, and the write faults that follow. See notifier.h.
 *
 * upgrade is the experiment that shows an unnecessary zap. Take order-0 pages;
 * fork, and the child exits, so that they belong to the parent alone but are
 * still write-protected; the guest reads all, which stage 2 maps read-only; the
 * host writes all, and each page is reused in place; the guest reads all again.
 * No permission was ever removed, so stage 2 can stay as it is. In 6.12 it
 * does: wp_page_reuse() notifies secondary TLBs only.
 *
 * What else is reused after a fork and the end of the child (6.12):
 * do_huge_pmd_wp_page() reuses a PMD leaf if the folio has one reference.
 * hugetlb_wp() reuses a page that is mapped once. Other large folios are never
 * reused: wp_can_reuse_anon_folio() refuses them, and their pages are copied,
 * which notifies. Since 6.15 the kernel knows who maps such a folio, and reuses
 * it.
 *
 * hugetlb pages smaller than a PMD (64k) may be unusable in 6.12.117 and 7.3.4:
 * fork reads a share count that page tables of that level do not have, and
 * skips the whole table if it finds a leftover value there. The child then
 * lacks these pages, and the parent's stay writable: see all_shared().
 */
#include <errno.h>
#include <inttypes.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/kit/child.h"
#include "bench/kit/kbtf.h"
#include "bench/notifier/notifier.h"
#include "lib/journal.h"
#include "lib/util.h"

static const struct bench_param fork_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_PAGES("512"), PARAM_MEASURE,
	PARAM_GUEST,
};

static const char *const backing_choices[] = { "anon", "hugetlb", NULL };

static const struct bench_param wp_params[] = {
	{ .name = "backing", .type = PARAM_ENUM, .def = "anon",
	  .choices = backing_choices,
	  .help = "transparent folios, or hugetlb pages of size folio" },
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_MEASURE, PARAM_GUEST,
};

#define WP_OP	"one page, or one leaf if folio is the PMD size or backing=hugetlb; with measure=guest one of these, all pages of which the guest accesses"

/* --- fork --- */

#define STACK_BYTES	(64 * KIB)

/* At the bottom of the child's stack, which parent and child share. */
struct letter {
	const char *first, *last;	/* pages */
};

/* Reads two pages of its own copy, and exits. */
static IN_CHILD int child_main(void *arg)
{
	const struct letter *l = arg;

	return *(volatile const uint64_t *)l->first != MM_PATTERN(l->first) ||
	       *(volatile const uint64_t *)l->last != MM_PATTERN(l->last);
}

/* Waits for the child of the last batch. */
static int reap(struct notifier *nt, int *status)
{
	pid_t pid = nt->pid;

	nt->pid = 0;
	*status = 0;
	if (nt->masked)
		pthread_sigmask(SIG_SETMASK, &nt->mask, NULL);
	nt->masked = false;
	while (pid && waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			return fail(errno, "waitpid: %s", strerror(errno));
	return child_rseq(true);
}

static int fork_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	nt->stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (nt->stack == MAP_FAILED) {
		nt->stack = NULL;
		return fail(errno, "mmap: %s", strerror(errno));
	}
	return 0;
}

static int fork_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret, status;

	ret = reap(nt, &status);
	/* A fork of the empty region keeps all else from the child. */
	if (!ret)
		ret = mm_region_drop(&nt->r);
	nt->forked = true;
	if (!ret)
		ret = mm_fork_exit(&nt->r);
	return ret ? ret : nt_fresh_folios(ctx);
}

#define WARM_TABLES	64

/*
 * Fills this CPU's lists of free pages. A fork takes page tables and other
 * pages from these lists, and must refill one that runs empty, at a moment that
 * differs between kernels. They get pages that were user memory, and some that
 * were page tables, which are freed after a grace period.
 */
static int warm_page_lists(void)
{
	size_t span = mm_caps()->pmd ? mm_caps()->pmd : 2 * MIB, i;
	char *p = mmap(NULL, WARM_TABLES * span, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return fail(errno, "mmap: %s", strerror(errno));
	madvise(p, WARM_TABLES * span, MADV_NOHUGEPAGE);
	for (i = 0; i < WARM_TABLES; i++)
		p[i * span] = 1;
	munmap(p, WARM_TABLES * span);
	/* Callbacks of one grace period run before the next one is over. */
	for (i = 0; i < 2; i++)
		syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	return 0;
}

static int fork_arm(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	struct letter *l = (struct letter *)nt->stack;
	sigset_t all;
	int ret = warm_page_lists();

	if (ret)
		return ret;
	/* A signal handler would run without the memory that it needs. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &nt->mask);
	nt->masked = true;
	l->first = nt_page_at(nt, 0);
	l->last = nt_page_at(nt, nt->visits - 1);
	return child_rseq(false);
}

static int64_t fork_host(struct bench_ctx *ctx, uint64_t n)
{
	struct notifier *nt = nt_of(ctx);

	pid_t pid = child_clone(child_main, nt->stack + STACK_BYTES,
				nt->stack);

	if (pid < 0)
		return fail(-pid, "fork: %s", strerror(-pid));
	nt->pid = pid;
	return n;
}

static int fork_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	int status, ret = reap(nt_of(ctx), &status);

	(void)d;
	if (ret)
		return ret;
	if (status)
		return fail(EPROTO, "the child did not find the parent's data (status %#x)",
			    status);
	return nt_same_frames(ctx);
}

static long minor_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_minflt;
}

/* Checks that each page was write-protected: a write to it takes a fault. */
static int fork_late(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t want = nt->visits, v;
	long from = minor_faults(), took;

	if (nt->guest_writes)
		return 0;	/* the guest has caused them to become writable */
	if (nt_is_pmd(ctx))
		want = want * nt->step / mm_caps()->pmd;
	for (v = 0; v < nt->visits; v++)
		*(volatile char *)(nt_page_at(nt, v) + WORD_SCRATCH) = 1;
	took = minor_faults() - from;
	if (took < (long)want)
		return fail(EPROTO, "writing to %" PRIu64 " pages after the fork took only %ld faults",
			    nt->visits, took);
	json_object_set_new(ctx->proof, "pages_protected",
			    json_integer(nt->visits));
	return 0;
}

static void fork_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int status;

	if (reap(nt, &status))
		warn("%s", fail_text());
	mm_child_end(nt->child);
	if (nt->forked)
		mm_fork_done();
	if (nt->stack)
		munmap(nt->stack, STACK_BYTES);
}

static const struct notifier_op notifier_fork = {
	.bench = {
		.name = "notifier.fork",
		.op = CALL_OP,
		.words = AFTER "fork" LISTENS,
		.measures = "clone() of a process whose only writable memory is the range; its pages become read-only for both",
		.may_lie = "one fork per batch, since a second one would find the pages shared already; if the child starts at once on the same CPU, ns includes its time",
		BENCH_PARAMS(fork_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .max_calls = 1, .call_cost = 60000, .page_cost = 100,
	.setup = fork_setup, .fresh = fork_fresh, .arm = fork_arm,
	.host = fork_host, .proof = fork_proof, .late = fork_late,
	.teardown = fork_teardown,
};
BENCH(405, notifier_fork.bench);

/* --- hugetlb --- */

static bool on_hugetlb(const struct bench_ctx *ctx)
{
	return param_is(ctx, "backing", "hugetlb");
}

static char *pool_path(const struct bench_ctx *ctx, const char *file)
{
	return xasprintf("/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s",
			 nt_folio(ctx) / KIB, file);
}

static const char *hugetlb_refused(const struct bench_ctx *ctx)
{
	static __thread char why[112];
	char size[24], *path, *now;
	const char *what = NULL;

	if (access("/sys/kernel/mm/hugepages", F_OK))
		return "this kernel has no hugetlb pages";
	path = pool_path(ctx, "nr_hugepages");
	now = read_line("%s", path);
	if (!now)
		what = "this kernel has no hugetlb pages of %s: see /sys/kernel/mm/hugepages";
	/* Writing the current value changes nothing, but may be refused. */
	else if (!geteuid() && write_file(path, now) == -EINVAL)
		what = "this kernel can't allocate hugetlb pages of %s at run time";
	free(now);
	free(path);
	if (!what)
		return NULL;
	snprintf(why, sizeof(why), what, format_size(nt_folio(ctx), size));
	return why;
}

/* Adds enough pages to the pool, whose size is restored afterwards. */
static int pool_grow(struct bench_ctx *ctx, uint64_t need)
{
	struct notifier *nt = nt_of(ctx);
	char *path = pool_path(ctx, "nr_hugepages"), *text, *value;
	uint64_t had = 0, has = 0;
	int ret;

	nt->mark = journal_mark();
	nt->marked = true;
	text = read_line("%s", path);
	ret = text ? parse_u64(text, &had) : -errno;
	free(text);
	if (!ret) {
		value = xasprintf("%" PRIu64, had + need);
		ret = journal_set(path, value);
		free(value);
	}
	if (!ret) {
		text = read_line("%s", path);
		ret = text ? parse_u64(text, &has) : -errno;
		free(text);
	}
	if (!ret && has < had + need)
		ret = fail(ENOMEM, "only %" PRIu64 " of %" PRIu64 " hugetlb pages could be allocated: memory is too small or too fragmented",
			   has > had ? has - had : 0, need);
	free(path);
	return ret;
}

static int hugetlb_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t folio = nt_folio(ctx), bytes = ctx->ops * folio, align;
	int shift = __builtin_ctzll(folio), ret;
	char *at;
	void *p;

	/* The VM takes memory in units of 2 MiB. */
	align = folio > 2 * MIB ? folio : 2 * MIB;
	ret = pool_grow(ctx, ctx->ops * (1 + nt_op(ctx)->extra));
	if (ret)
		return ret;
	nt->r = (struct mm_region){
		.backing = MM_ANON, .folio = folio, .nr = 1, .fd = -1,
		.bytes = bytes, .stride = (bytes + align - 1) / align * align,
	};
	nt->r.map_bytes = nt->r.stride + align;
	p = mmap(NULL, nt->r.map_bytes, PROT_NONE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return fail(errno, "mmap of %" PRIu64 " bytes: %s",
			    nt->r.map_bytes, strerror(errno));
	nt->r.map = p;
	at = (char *)(((uintptr_t)p + align - 1) & ~(align - 1));
	nt->r.base = at;
	p = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		 MAP_ANONYMOUS | MAP_FIXED | MAP_HUGETLB |
		 shift << MAP_HUGE_SHIFT, -1, 0);
	if (p == MAP_FAILED)
		return fail(errno, "mmap of %" PRIu64 " hugetlb pages: %s",
			    ctx->ops, strerror(errno));
	return 0;
}

static int wp_setup(struct bench_ctx *ctx)
{
	return on_hugetlb(ctx) ? hugetlb_setup(ctx) : 0;
}

static void wp_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	fork_teardown(ctx);
	nt->child = NULL;
	if (!nt->marked)
		return;
	/* The pool can only shrink when nothing is mapped. */
	mm_region_close(&nt->r);
	if (journal_restore_to(nt->mark))
		warn("%s", fail_text());
}

/* --- upgrade and cow: a write to each page --- */

static int64_t write_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	char *p = nt->r.base + WORD_HOST;
	uint32_t value = nt->value;
	uint64_t step = nt->step, i;

	for (i = 0; i < n; i++, p += step)
		*(volatile uint32_t *)p = value + i;
	return n;
}

/* Checks that there was one fault per page. */
static int write_faults(const struct notifier *nt, const struct bench_deltas *d)
{
	if (d && d->minflt != nt->visits)
		return fail(EPROTO, "%" PRIu64 " writes took %" PRIu64 " faults",
			    nt->visits, d->minflt);
	return 0;
}

static int host_words(struct bench_ctx *ctx)
{
	const struct notifier *nt = nt_of(ctx);
	uint64_t v;

	for (v = 0; v < nt->visits; v++)
		if (*(uint32_t *)(nt_page_at(nt, v) + WORD_HOST) !=
		    nt_host_word(ctx, v))
			return fail(EPROTO, "page %" PRIu64 " lost the host's write",
				    v);
	return 0;
}

static int wp_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	mm_child_end(nt->child);
	nt->child = NULL;
	nt->offset = WORD_HOST;
	return nt_fresh_folios(ctx);
}

/* Pages that were upgraded in place can be forked again. */
static int upgrade_fresh(struct bench_ctx *ctx)
{
	return nt_of(ctx)->batch > 1 ? 0 : wp_fresh(ctx);
}

static const char *upgrade_refused(const struct bench_ctx *ctx)
{
	if (on_hugetlb(ctx))
		return hugetlb_refused(ctx);
	/*
	 * Since 6.15 a field of struct folio shows that a large folio is mapped
	 * by one process only.
	 */
	if (nt_folio(ctx) > mm_caps()->page && !nt_is_pmd(ctx) &&
	    kbtf_has("_mm_id_mapcount") != 1)
		return "after a fork this kernel copies the pages of a large folio and never reuses them: see notifier.cow";
	return NULL;
}

/* Returns whether a page table maps the hugetlb pages. */
static bool on_contiguous(const struct bench_ctx *ctx)
{
	return on_hugetlb(ctx) && nt_folio(ctx) < mm_caps()->pmd;
}

/* Checks that the child, which is alive, has got all such pages. */
static int all_shared(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t alone = 0, v;
	int ret = nt_pages_now(nt, nt->after);

	for (v = 0; v < nt->visits && !ret; v++)
		alone += !!(nt->after[v] & PM_EXCLUSIVE);
	if (!ret && alone)
		ret = fail(EOPNOTSUPP, "this kernel's fork skipped %" PRIu64 " of %" PRIu64 " hugetlb pages of %" PRIu64 " KiB, which therefore stay writable: it reads a share count that page tables below a PMD do not have (seen in 6.12.117 and 7.3.4)",
			   alone, nt->visits, nt_folio(ctx) / KIB);
	return ret;
}

/*
 * Write-protects the pages. The guest visits them later, because a fork removes
 * from stage 2 whatever the guest has visited before.
 */
static int upgrade_before(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret;

	nt->forked = true;
	if (on_contiguous(ctx)) {
		nt->child = mm_fork(&nt->r);
		ret = nt->child ? all_shared(ctx) : -errno;
		mm_child_end(nt->child);
		nt->child = NULL;
	} else {
		ret = mm_fork_exit(&nt->r);
	}
	return ret;
}

/* KVM marks what it maps as accessed, in a list that holds a reference. */
static int upgrade_arm(struct bench_ctx *ctx)
{
	(void)ctx;
	return nt_drain_lru();
}

static int upgrade_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	bool counted = !nt_is_pmd(ctx) && !on_hugetlb(ctx);
	int64_t reused = 0, want = nt->visits;
	int ret;

	ret = write_faults(nt, d);
	if (!ret)
		ret = nt_same_frames(ctx);
	/* Only wp_page_reuse() counts its reuses, and for the whole machine. */
	if (ret || !d || !counted || !d->vmstat(d, "pgreuse", &reused))
		return ret;
	if (reused < want || (ctx->icount && reused != want))
		return fail(EPROTO, "%" PRId64 " pages were reused (pgreuse), not %" PRId64,
			    reused, want);
	json_object_set_new(ctx->proof, "pgreuse", json_integer(reused));
	return 0;
}

/* Checks the words, and that the leaves are unchanged. */
static int upgrade_late(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = host_words(ctx);

	/* If large folios are not mapped by PMDs, each page takes a fault. */
	if (ret || (nt->r.folio > mm_caps()->page && nt->step < nt->r.folio))
		return ret;
	return mm_prove(ctx, &nt->r, nt->r.folio);
}

static const struct notifier_op notifier_upgrade = {
	.bench = {
		.name = "notifier.upgrade",
		.op = WP_OP,
		.words = AFTER "host write, page reused{backing:hugetlb=, hugetlb}" LISTENS,
		.measures = "a write fault that makes a read-only page writable in place, after a fork whose child has exited; with measure=guest the cost for a guest that had the page mapped read-only",
		.may_lie = "the guest reads, so a zap removes nothing that it needs; with guest=write there is a stage-2 fault in any case",
		BENCH_PARAMS(wp_params),
		NOTIFIER_STEPS,
	},
	.call_cost = 1300, .may_keep = true, .refused = upgrade_refused, .setup = wp_setup,
	.fresh = upgrade_fresh, .before = upgrade_before, .arm = upgrade_arm,
	.host = write_host, .proof = upgrade_proof, .late = upgrade_late,
	.word = nt_host_word, .teardown = wp_teardown,
};
BENCH(407, notifier_upgrade.bench);

static const char *cow_refused(const struct bench_ctx *ctx)
{
	return on_hugetlb(ctx) ? hugetlb_refused(ctx) : NULL;
}

static int cow_before(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	nt->forked = true;
	nt->child = mm_fork(&nt->r);
	if (!nt->child)
		return -errno;
	return on_contiguous(ctx) ? all_shared(ctx) : 0;
}

static int cow_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	int ret = write_faults(nt_of(ctx), d);

	return ret ? ret : nt_other_frames(ctx);
}

static int cow_late(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int64_t differ;
	int ret = host_words(ctx);

	if (ret)
		return ret;
	differ = mm_child_check(nt->child, &nt->r, nt->step,
				nt->visits * nt->step);
	if (differ < 0)
		return fail_prefix(-EPROTO, "not proved");
	if (differ)
		return fail(EPROTO, "%" PRId64 " pages of the child changed",
			    differ);
	return 0;
}

static const struct notifier_op notifier_cow = {
	.bench = {
		.name = "notifier.cow",
		.op = WP_OP,
		.words = AFTER "copy-on-write fault{backing:hugetlb=, hugetlb}" LISTENS,
		.measures = "a write fault that copies a page that a child shares; the guest then finds another frame",
		.may_lie = "a PMD leaf is split, and only the page written to is copied; a hugetlb page is copied whole",
		BENCH_PARAMS(wp_params),
		NOTIFIER_STEPS,
	},
	.call_cost = 3500, .extra = 1, .refused = cow_refused,
	.setup = wp_setup, .fresh = wp_fresh, .before = cow_before,
	.host = write_host, .proof = cow_proof, .late = cow_late,
	.word = nt_host_word, .teardown = wp_teardown,
};
BENCH(406, notifier_cow.bench);
