// SPDX-License-Identifier: GPL-2.0
/*
 * fault: page faults, each kind alone.
 *
 * A batch touches fresh addresses of a region once each; prepare makes the region
 * fresh again, untimed. One operation is one fault, and the proof is that the
 * process took exactly as many faults as there were operations.
 *
 * There is no racer, because any concurrent change of these folios changes which
 * fault is taken, so the proof would fail.
 *
 * Which of them read a contpte entry with ptep_get_lockless() on arm64, for
 * folio >= contpte and < PMD, and so show a change of it (6.12, as counted by
 * lockless_gathers):
 *
 *   anon_write  none: the entries are empty. handle_pte_fault() reads one,
 *               alloc_anon_folio() as many as the largest enabled size has
 *   anon_read   none: empty, and the zero page is never contpte
 *   cow         touch=first: once per operation, and again with ptep_get() under
 *               the lock. touch=all: only in the first fault of each block,
 *               which unfolds it. The same for a PMD, which is split into
 *               contpte blocks first
 *   wp_reuse    with pages of large folios, as cow; not with order-0 folios,
 *               and not with a PMD, which is reused whole
 *   file        none: empty entries
 *   spurious    twice per operation: in the fault and in its retry
 *
 * In all of them handle_pte_fault() calls ptep_get_lockless() once for an
 * entry that is not contpte, where it is a single load.
 *
 * One file though it is long: the faults differ in how a page is prepared, and
 * are best compared side by side.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/kit/kbtf.h"
#include "bench/kit/mm.h"
#include "bench/kit/params.h"
#include "bench/kit/uffd.h"
#include "lib/journal.h"
#include "lib/util.h"

/* --- parameters --- */

#define ALL_PAGES	"{touch:all=, every page}"	/* in .words */
#define PARAM_THREADS \
	{ .name = "threads", .type = PARAM_INT, .unit = "threads", \
	  .def = "1", .min = 1, .max = 256, \
	  .help = "threads of one process, each with its own mapping" }
#define PARAM_TOUCH \
	{ .name = "touch", .type = PARAM_ENUM, .def = "first", \
	  .choices = touch_choices, \
	  .help = "write to the first page of each folio, or to all its pages" }

static const char *const touch_choices[] = { "first", "all", NULL };
static const char *const via_choices[] = { "fork", "uffd", NULL };
static const char *const backing_choices[] = { "anon", "shmem", NULL };
static const char *const kind_choices[] = { "private", "shared", NULL };
static const char *const access_choices[] = { "read", "write", NULL };

static const struct bench_param anon_params[] = {
	PARAM_FOLIO("contpte"), PARAM_THREADS,
};

static const struct bench_param anon_read_params[] = {
	PARAM_FOLIO_OF("4k", "4k: the zero page; the PMD size: the huge zero page"),
	PARAM_THREADS,
};

static const struct bench_param cow_params[] = {
	PARAM_FOLIO("contpte"), PARAM_TOUCH, PARAM_THREADS,
};

static const struct bench_param reuse_params[] = {
	PARAM_FOLIO("4k"),
	PARAM_TOUCH,
	{ .name = "via", .type = PARAM_ENUM, .def = "fork",
	  .choices = via_choices,
	  .help = "what write-protects the page: a fork whose child has exited, or userfaultfd in asynchronous mode" },
	{ .name = "backing", .type = PARAM_ENUM, .def = "anon",
	  .choices = backing_choices,
	  .help = "private anonymous memory, or a shared mapping of a memfd (via=uffd)" },
	PARAM_THREADS,
};

static const struct bench_param file_params[] = {
	{ .name = "kind", .type = PARAM_ENUM, .def = "shared",
	  .choices = kind_choices, .help = "MAP_PRIVATE or MAP_SHARED" },
	{ .name = "access", .type = PARAM_ENUM, .def = "read",
	  .choices = access_choices, .help = "the access that faults" },
	PARAM_FOLIO("contpte"), PARAM_THREADS,
};

static const struct bench_param spurious_params[] = { PARAM_FOLIO("contpte") };

/* --- what all of them share --- */

struct uffd;

struct fault {
	struct mm_region r;
	unsigned int maps;	/* of r, a thread */
	uint64_t step;		/* from one touched address to the next */
	uint64_t per_map;	/* bytes of each mapping that are touched */
	struct mm_child *child;
	struct uffd *uffd;
	bool forked;
	uint64_t *before, *after;	/* frames of what is touched */
	size_t nr_frames;
};

static uint64_t folio_of(const struct bench_ctx *ctx)
{
	return param_num(ctx, "folio");
}

static bool is_pmd(const struct bench_ctx *ctx)
{
	return folio_of(ctx) == mm_caps()->pmd;
}

/* Returns the bytes from one operation's address to the next. */
static uint64_t step_of(const struct bench_ctx *ctx)
{
	if (param_has(ctx->bench, "touch") && param_is(ctx, "touch", "all"))
		return mm_caps()->page;
	return folio_of(ctx);
}

static uint64_t per_folio(const struct bench_ctx *ctx)
{
	return folio_of(ctx) / step_of(ctx);
}

/*
 * @cost: instructions per operation; @bytes: memory it takes. Rounds to whole
 * folios, so that all folios are touched to the same extent.
 */
static void size_by(const struct bench_ctx *ctx, uint64_t cost, uint64_t bytes,
		    uint64_t *def, uint64_t *max)
{
	uint64_t unit = per_folio(ctx);

	*max = mm_budget() / ctx->threads / bytes / unit * unit;
	*def = (300000 / cost + unit - 1) / unit * unit;
	if (*def < 4)
		*def = 4;
	if (*max < unit)
		*max = unit;
	if (*def > *max)
		*def = *max;
}

static int prove(struct bench_ctx *ctx, uint64_t leaf)
{
	struct fault *f = ctx->priv;

	return mm_prove(ctx, &f->r, leaf);
}

static struct fault *new_fault(struct bench_ctx *ctx)
{
	struct fault *f = xcalloc(1, sizeof(*f));

	f->r.fd = -1;
	ctx->priv = f;
	return f;
}

static bool on_shmem(const struct bench_ctx *ctx)
{
	return param_has(ctx->bench, "backing") &&
	       param_is(ctx, "backing", "shmem");
}

/* Opens a region with room for the operations of a batch; mostly anonymous. */
static int anon_setup(struct bench_ctx *ctx)
{
	struct fault *f = new_fault(ctx);

	f->maps = 1;
	f->step = step_of(ctx);
	f->per_map = ctx->ops * f->step;
	f->nr_frames = ctx->ops * ctx->threads;
	f->before = xcalloc(f->nr_frames, sizeof(*f->before));
	f->after = xcalloc(f->nr_frames, sizeof(*f->after));
	return mm_region_open(&f->r, on_shmem(ctx) ? MM_SHMEM : MM_ANON,
			      on_shmem(ctx), folio_of(ctx), ctx->threads,
			      f->per_map);
}

static void uffd_close(struct fault *f);

static void fault_teardown(struct bench_ctx *ctx)
{
	struct fault *f = ctx->priv;

	if (!f)
		return;
	mm_child_end(f->child);
	uffd_close(f);
	if (f->forked)
		mm_fork_done();
	mm_region_close(&f->r);
	free(f->before);
	free(f->after);
	free(f);
	ctx->priv = NULL;
}

static int64_t write_run(struct bench_ctx *ctx, unsigned int thread)
{
	const struct fault *f = ctx->priv;
	uint64_t left = ctx->ops, step = f->step;
	unsigned int i;

	for (i = 0; i < f->maps; i++) {
		char *p = mm_region_at(&f->r, thread * f->maps + i);
		char *end = p + f->per_map;

		for (; p < end && left; p += step, left--)
			*(volatile uint64_t *)p = 1;
	}
	return ctx->ops - left;
}

static int64_t read_run(struct bench_ctx *ctx, unsigned int thread)
{
	const struct fault *f = ctx->priv;
	uint64_t left = ctx->ops, step = f->step;
	unsigned int i;

	for (i = 0; i < f->maps; i++) {
		char *p = mm_region_at(&f->r, thread * f->maps + i);
		char *end = p + f->per_map;

		for (; p < end && left; p += step, left--)
			*(volatile uint64_t *)p;
	}
	return ctx->ops - left;
}

/* Gets the frames of all touched addresses of an anonymous region. */
static int frames(struct fault *f, uint64_t *pfn)
{
	size_t each = f->nr_frames / f->r.nr;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < f->r.nr && !ret; i++)
		ret = mm_frames(mm_region_at(&f->r, i), f->step, each,
				pfn + i * each);
	return ret;
}

/* Checks that each operation took one fault, and that none waited for I/O. */
static int faults_verify(const struct bench_deltas *d)
{
	if (d->minflt != d->operations || d->majflt)
		return fail(EPROTO, "%" PRIu64 " minor and %" PRIu64 " major faults in %" PRIu64 " operations",
			    d->minflt, d->majflt, d->operations);
	return 0;
}

/*
 * Checks that @want write faults reused their page. pgreuse counts for the
 * whole machine, so it must only be equal where nothing else runs.
 */
static int reuse_verify(const struct bench_ctx *ctx,
			const struct bench_deltas *d, int64_t want)
{
	int64_t reused;

	if (!d->vmstat(d, "pgreuse", &reused))
		return 0;	/* the frames were compared instead */
	if (reused < want || (ctx->icount && reused != want))
		return fail(EPROTO, "%" PRId64 " pages were reused (pgreuse), not %" PRId64,
			    reused, want);
	return 0;
}

/* --- anon_write --- */

/* There must be room for at least one folio per thread. */
static const char *no_room(const struct bench_ctx *ctx)
{
	return folio_of(ctx) * ctx->threads > mm_budget() ?
		"not enough memory for such folios here" : NULL;
}

static const char *anon_unavailable(const struct bench_ctx *ctx)
{
	const char *why = mm_folio_unavailable(on_shmem(ctx) ? MM_SHMEM :
					       MM_ANON, folio_of(ctx));

	return why ? why : no_room(ctx);
}

/* Clearing: five instructions around each DC ZVA of 64 bytes. */
static uint64_t clear_cost(uint64_t bytes)
{
	return bytes / 13;
}

/* The cost of copying a base page. */
static uint64_t copy_cost(void)
{
	return mm_caps()->page / 6;
}

static void anon_write_size(const struct bench_ctx *ctx, uint64_t *def,
			    uint64_t *max)
{
	size_by(ctx, 1800 + clear_cost(folio_of(ctx)), folio_of(ctx), def,
		max);
}

static int drop_prepare(struct bench_ctx *ctx)
{
	struct fault *f = ctx->priv;

	return mm_region_drop(&f->r);
}

static int anon_write_verify(struct bench_ctx *ctx,
			     const struct bench_deltas *d)
{
	if (d)
		return faults_verify(d);
	return prove(ctx, mm_leaf_expected(mm_caps(), folio_of(ctx)));
}

/* --- anon_read --- */

static const char *anon_read_unavailable(const struct bench_ctx *ctx)
{
	if (folio_of(ctx) != mm_caps()->page && !is_pmd(ctx))
		return "a read maps the zero page or the huge zero page; there is no size in between";
	return anon_unavailable(ctx) ?: mm_zero_page_unavailable();
}

static void anon_read_size(const struct bench_ctx *ctx, uint64_t *def,
			   uint64_t *max)
{
	uint64_t bytes = mm_caps()->page;

	/* Only page tables are allocated. */
	size_by(ctx, 1100, bytes, def, max);
	if (*max > 64 * GIB / ctx->threads / folio_of(ctx))
		*max = 64 * GIB / ctx->threads / folio_of(ctx);
	if (*def > *max)
		*def = *max;
}

static int anon_read_setup(struct bench_ctx *ctx)
{
	const char *path = MM_THP_DIR "/use_zero_page";

	if (is_pmd(ctx) && !access(path, F_OK)) {
		int ret = journal_set(path, "1");

		if (ret)
			return ret;
	}
	return anon_setup(ctx);
}

/* All pages must have one frame, which the kernel marks as the zero page. */
static int anon_read_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct fault *f = ctx->priv;
	uint64_t flags = 0, leaf = 0;
	struct mm_prober *p;
	size_t i;
	int ret;

	if (d)
		return faults_verify(d);
	ret = frames(f, f->after);
	if (!ret)
		ret = mm_frame_flags(f->after[0], &flags);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	for (i = 0; i < f->nr_frames; i++)
		if (f->after[i] != f->after[0])
			return fail(EPROTO, "address %zu is not mapped to the zero page",
				    i);
	if (!(flags & MM_KPF_ZERO))
		return fail(EPROTO, "frame %#" PRIx64 " is not the zero page",
			    f->after[0]);
	p = mm_prober_open();
	ret = p ? mm_probe(p, f->r.base, &leaf) : -EPROTO;
	mm_prober_close(p);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	if (leaf != folio_of(ctx))
		return fail(EPROTO, "the zero page is mapped by leaves of %" PRIu64 " bytes",
			    leaf);
	json_object_set_new(ctx->proof, "zero_page", json_true());
	json_object_set_new(ctx->proof, "leaf_bytes", json_integer(leaf));
	json_object_set_new(ctx->proof, "pages_checked",
			    json_integer(f->nr_frames));
	return 0;
}

/* --- cow --- */

/* Writes a pattern that the child must find in its copy. */
static void write_pattern(const struct fault *f)
{
	unsigned int i;
	uint64_t off;

	for (i = 0; i < f->r.nr; i++)
		for (off = 0; off < f->per_map; off += f->step) {
			char *p = mm_region_at(&f->r, i) + off;

			*(uint64_t *)p = MM_PATTERN(p);
		}
}

/*
 * Populates fresh folios of the right size. A PMD that was split has left a
 * page table, so map it anew to get a PMD leaf again.
 */
static int renew(struct fault *f)
{
	int ret = f->r.folio == mm_caps()->pmd ? mm_region_remap(&f->r) :
						  mm_region_drop(&f->r);

	if (!ret)
		ret = mm_region_populate(&f->r);
	if (!ret)
		write_pattern(f);
	return ret;
}

static void cow_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	uint64_t cost = 2000 + copy_cost();

	/* This will unfold a contpte block, or split a PMD. */
	if (step_of(ctx) != mm_caps()->page)
		cost += is_pmd(ctx) ? 37000 : 2200;
	size_by(ctx, cost, step_of(ctx) + mm_caps()->page, def, max);
}

static int cow_prepare(struct bench_ctx *ctx)
{
	struct fault *f = ctx->priv;
	int ret;

	mm_child_end(f->child);
	f->child = NULL;
	ret = renew(f);
	if (!ret)
		ret = frames(f, f->before);
	if (ret)
		return ret;
	f->forked = true;
	f->child = mm_fork(&f->r);
	return f->child ? 0 : -errno;
}

/* Checks that each page was replaced, and only for this process. */
static int cow_happened(struct bench_ctx *ctx)
{
	struct fault *f = ctx->priv;
	int64_t differ;
	unsigned int i;
	uint64_t off;
	size_t n;
	int ret;

	ret = frames(f, f->after);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	for (n = 0; n < f->nr_frames; n++)
		if (!f->after[n] || f->after[n] == f->before[n])
			return fail(EPROTO, "page %zu was not copied", n);
	for (i = 0; i < f->r.nr; i++)
		for (off = 0; off < f->per_map; off += f->step)
			if (*(uint64_t *)(mm_region_at(&f->r, i) + off) != 1)
				return fail(EPROTO, "a page of the parent lost a write");
	differ = mm_child_check(f->child, &f->r, f->step, f->per_map);
	if (differ < 0)
		return fail_prefix(-EPROTO, "not proved");
	if (differ)
		return fail(EPROTO, "%" PRId64 " pages of the child changed",
			    differ);
	json_object_set_new(ctx->proof, "pages_copied",
			    json_integer(f->nr_frames));
	return 0;
}

static int cow_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	int ret = cow_happened(ctx);

	if (ret)
		return ret;
	if (d) {
		ret = faults_verify(d);
		return ret ? ret : reuse_verify(ctx, d, 0);
	}
	/* Prove the state before a batch, because a batch consumes it. */
	ret = cow_prepare(ctx);
	return ret ? ret : prove(ctx, mm_leaf_expected(mm_caps(),
						       folio_of(ctx)));
}

/* --- userfaultfd --- */

struct uffd {
	int fd;
	/* The thread that removes the protection; see spurious. */
	pthread_t resolver;
	bool resolving;
	int cpu;
	const struct mm_region *r;
	char *last;		/* a fault on this page ends the thread */
	uint64_t resolved;	/* faults since prepare */
	int error;
};

static int uffd_protect_all(struct uffd *u)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < u->r->nr && !ret; i++)
		ret = uffd_protect(u->fd, mm_region_at(u->r, i), u->r->bytes,
				   true);
	return ret;
}

static int uffd_new(struct fault *f, uint64_t features)
{
	struct uffd *u = xcalloc(1, sizeof(*u));

	f->uffd = u;
	u->r = &f->r;
	u->fd = uffd_open(features, UFFD_USER_MODE_ONLY);
	return u->fd < 0 ? u->fd : 0;
}

/* Makes each fault's whole folio writable again, and wakes the thread. */
static void *resolver_main(void *arg)
{
	struct sched_param fifo = { .sched_priority = 1 };
	struct uffd *u = arg;
	struct uffd_msg msg;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(u->cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	/*
	 * With this policy the thread runs as soon as it is woken and until it
	 * sleeps again, so the scheduler's fairness does not decide when to
	 * switch. Where this is not permitted, results only vary more.
	 */
	sched_setscheduler(0, SCHED_FIFO, &fifo);
	for (;;) {
		uintptr_t at;

		if (read(u->fd, &msg, sizeof(msg)) != sizeof(msg)) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			__atomic_store_n(&u->error, errno, __ATOMIC_RELEASE);
			break;
		}
		at = msg.arg.pagefault.address & ~(u->r->folio - 1);
		if (msg.arg.pagefault.address == (uintptr_t)u->last) {
			uffd_protect(u->fd, u->last, mm_caps()->page, false);
			break;
		}
		__atomic_fetch_add(&u->resolved, 1, __ATOMIC_RELEASE);
		if (uffd_protect(u->fd, (void *)at, u->r->folio, false)) {
			__atomic_store_n(&u->error, errno, __ATOMIC_RELEASE);
			break;
		}
	}
	/* The thread must not leave anyone waiting. */
	if (u->error) {
		uffd_register(u->fd, u->r, false);
		uffd_protect(u->fd, u->last, mm_caps()->page, false);
	}
	return NULL;
}

/*
 * Ends the thread, which sleeps in read() until there is a fault. The fault is
 * on a separate page, so that it can't be mistaken for one of the benchmark.
 */
static int last_page(struct uffd *u)
{
	struct uffdio_register reg = {
		.range.start = (uintptr_t)u->r->spare,
		.range.len = mm_caps()->page,
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	u->last = mmap(u->r->spare, mm_caps()->page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (u->last == MAP_FAILED)
		return fail(errno, "mmap: %s", strerror(errno));
	*(volatile char *)u->last = 1;
	if (ioctl(u->fd, UFFDIO_REGISTER, &reg))
		return fail(errno, "userfaultfd: %s", strerror(errno));
	return uffd_protect(u->fd, u->last, mm_caps()->page, true);
}

static int resolver_start(struct uffd *u, int cpu)
{
	int err = last_page(u);

	if (err)
		return err;
	u->cpu = cpu;
	err = pthread_create(&u->resolver, NULL, resolver_main, u);
	if (err)
		return fail(err, "can't start a thread: %s", strerror(err));
	u->resolving = true;
	return 0;
}

static void uffd_close(struct fault *f)
{
	struct uffd *u = f->uffd;

	if (!u)
		return;
	if (u->resolving) {
		if (!__atomic_load_n(&u->error, __ATOMIC_ACQUIRE))
			*(volatile char *)u->last = 2;
		pthread_join(u->resolver, NULL);
	}
	if (u->fd >= 0)
		close(u->fd);
	free(u);
	f->uffd = NULL;
}

/* --- wp_reuse --- */

static bool via_fork(const struct bench_ctx *ctx)
{
	return param_is(ctx, "via", "fork");
}

static uint64_t async_features(const struct bench_ctx *ctx)
{
	return UFFD_FEATURE_WP_ASYNC | UFFD_FEATURE_PAGEFAULT_FLAG_WP |
	       (on_shmem(ctx) ? UFFD_FEATURE_WP_HUGETLBFS_SHMEM : 0);
}

static const char *reuse_unavailable(const struct bench_ctx *ctx)
{
	bool base = folio_of(ctx) == mm_caps()->page;
	const char *why = anon_unavailable(ctx);
	int tells;

	if (why)
		return why;
	if (!via_fork(ctx)) {
		if (is_pmd(ctx))
			return "via=uffd: its asynchronous mode splits a PMD at the first write; use via=fork";
		return uffd_unavailable(async_features(ctx),
					UFFD_USER_MODE_ONLY);
	}
	if (on_shmem(ctx))
		return "a fork does not write-protect shared mappings; use via=uffd";
	if (is_pmd(ctx) && param_is(ctx, "touch", "all") && !base)
		return "touch=all: the first write makes the whole PMD writable, so the others do not fault";
	/*
	 * Since 6.15 a field of struct folio shows that a large folio is mapped
	 * by one process only.
	 */
	if (base || is_pmd(ctx))
		return NULL;
	tells = kbtf_has("_mm_id_mapcount");
	if (tells < 0)
		return "it is unknown whether this kernel reuses pages of a large folio, since it has no BTF; use via=uffd";
	return tells ? NULL :
		"this kernel copies the pages of a large folio after a fork rather than reuse them; use via=uffd";
}

static void reuse_size(const struct bench_ctx *ctx, uint64_t *def,
		       uint64_t *max)
{
	uint64_t cost = 1100;

	if (!via_fork(ctx) && step_of(ctx) != mm_caps()->page)
		cost = 4000;
	size_by(ctx, cost, step_of(ctx), def, max);
	/* Populating a PMD takes 160,000 instructions. */
	if (is_pmd(ctx) && *def > 16)
		*def = 16;
}

static int reuse_setup(struct bench_ctx *ctx)
{
	struct fault *f;
	int ret;

	ret = anon_setup(ctx);
	if (ret)
		return ret;
	f = ctx->priv;
	if (!via_fork(ctx))
		return uffd_new(f, async_features(ctx));
	f->forked = true;
	ret = renew(f);
	return ret ? ret : frames(f, f->before);
}

/* Maps every page of the memfd writable, with one fault each. */
static int map_shmem(struct fault *f)
{
	uint64_t page = mm_caps()->page, at;
	unsigned int i;
	int ret = mm_region_drop(&f->r);

	for (i = 0; i < f->r.nr && !ret; i++)
		for (at = 0; at < f->r.bytes; at += page)
			*(volatile char *)(mm_region_at(&f->r, i) + at) = 0;
	return ret;
}

/*
 * Makes folios that are exclusive to this process but write-protected.
 * mprotect() to and fro does not work, because it makes exclusive pages
 * writable itself.
 */
static int reuse_prepare(struct bench_ctx *ctx)
{
	struct fault *f = ctx->priv;
	int ret = 0;

	/* A reused page or PMD is in its original state again. */
	if (via_fork(ctx) && (f->r.folio == mm_caps()->page || is_pmd(ctx)))
		return mm_fork_exit(&f->r);
	/* Armed mappings only get base pages, so populate before. */
	if (f->uffd)
		uffd_register(f->uffd->fd, &f->r, false);
	ret = on_shmem(ctx) ? map_shmem(f) : renew(f);
	if (!ret)
		ret = frames(f, f->before);
	if (ret)
		return ret;
	if (via_fork(ctx))
		return mm_fork_exit(&f->r);
	ret = uffd_register(f->uffd->fd, &f->r, true);
	return ret ? ret : uffd_protect_all(f->uffd);
}

/* Checks that every page still has its frame. */
static int same_frames(struct bench_ctx *ctx)
{
	struct fault *f = ctx->priv;
	size_t n;
	int ret;

	ret = frames(f, f->after);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	for (n = 0; n < f->nr_frames; n++)
		if (!f->after[n] || f->after[n] != f->before[n])
			return fail(EPROTO, "page %zu was copied, not reused",
				    n);
	json_object_set_new(ctx->proof, "pages_in_place",
			    json_integer(f->nr_frames));
	return 0;
}

static int reuse_verify_point(struct bench_ctx *ctx,
			      const struct bench_deltas *d)
{
	int ret = same_frames(ctx);

	if (ret)
		return ret;
	if (d) {
		ret = faults_verify(d);
		/* do_huge_pmd_wp_page() does not count reuses. */
		if (!ret)
			ret = reuse_verify(ctx, d, is_pmd(ctx) ? 0 :
					   (int64_t)d->operations);
		return ret;
	}
	ret = reuse_prepare(ctx);
	/* The faults determine which leaves map a file. */
	return ret ? ret : prove(ctx, on_shmem(ctx) ? 0 :
				 mm_leaf_expected(mm_caps(), folio_of(ctx)));
}

/* --- file --- */

/*
 * Returns the bytes that one read fault on a file mapping maps: the surrounding
 * pages that are in the page cache, 64k unless configured otherwise.
 */
static uint64_t fault_around(void)
{
	char *text = read_line("/sys/kernel/debug/fault_around_bytes");
	uint64_t bytes;

	if (!text || parse_u64(text, &bytes) || bytes < mm_caps()->page)
		bytes = 64 * KIB;
	free(text);
	return bytes < mm_caps()->page ? mm_caps()->page : bytes;
}

static bool is_read(const struct bench_ctx *ctx)
{
	return param_is(ctx, "access", "read");
}

/* Returns a step so large that no fault serves two operations. */
static uint64_t file_step(const struct bench_ctx *ctx)
{
	uint64_t around = fault_around(), folio = folio_of(ctx);

	if (is_read(ctx))
		return around > folio ? around : folio;
	return param_is(ctx, "kind", "private") ? mm_caps()->page : folio;
}

/* Returns the bytes of page cache: a few folios, mapped repeatedly. */
static uint64_t file_bytes(const struct bench_ctx *ctx)
{
	uint64_t bytes = 8 * file_step(ctx), folio = folio_of(ctx);

	if (bytes < 512 * KIB)
		bytes = 512 * KIB;
	if (bytes > 16 * MIB)
		bytes = 2 * folio;
	return (bytes + folio - 1) / folio * folio;
}

static const char *file_unavailable(const struct bench_ctx *ctx)
{
	const char *why = mm_folio_unavailable(MM_SHMEM, folio_of(ctx));

	return why ? why : no_room(ctx);
}

static void file_size(const struct bench_ctx *ctx, uint64_t *def,
		      uint64_t *max)
{
	uint64_t each = file_bytes(ctx) / file_step(ctx);

	uint64_t cost = 2400;

	/* A large folio is mapped at once, small ones one by one. */
	if (is_read(ctx) && folio_of(ctx) < fault_around())
		cost += 340 * (fault_around() / folio_of(ctx));
	if (!is_read(ctx) && param_is(ctx, "kind", "private"))
		cost += copy_cost();
	size_by(ctx, cost, mm_caps()->page, def, max);
	/* Mappings per process and address space are limited. */
	if (*max > each * 16384 / ctx->threads)
		*max = each * 16384 / ctx->threads;
	if (*max > 64 * GIB / file_step(ctx) / ctx->threads)
		*max = 64 * GIB / file_step(ctx) / ctx->threads;
	if (*def > *max)
		*def = *max;
}

static int file_setup(struct bench_ctx *ctx)
{
	struct fault *f = new_fault(ctx);
	uint64_t each;

	f->step = file_step(ctx);
	f->per_map = file_bytes(ctx);
	each = f->per_map / f->step;
	f->maps = (ctx->ops + each - 1) / each;
	return mm_region_open(&f->r, MM_SHMEM, param_is(ctx, "kind", "shared"),
			      folio_of(ctx), f->maps * ctx->threads,
			      f->per_map);
}

static int64_t file_run(struct bench_ctx *ctx, unsigned int thread)
{
	return is_read(ctx) ? read_run(ctx, thread) : write_run(ctx, thread);
}

/*
 * The leaf that a fault on this kind of mapping creates is a result, not a
 * parameter, so record what maps the first page.
 */
static int file_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct fault *f = ctx->priv;
	struct mm_region view;
	struct mm_prober *p;
	uint64_t leaf = 0;
	int ret;

	if (d)
		return faults_verify(d);
	p = mm_prober_open();
	ret = p ? mm_probe(p, f->r.base, &leaf) : -EPROTO;
	mm_prober_close(p);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	/* Map all pages to prove the page cache's folios. */
	ret = mm_region_view(&f->r, &view);
	if (!ret)
		ret = mm_prove(ctx, &view, 0);
	if (ret)
		return ret;
	json_object_set_new(ctx->proof, "leaf_bytes", json_integer(leaf));
	return 0;
}

/* --- spurious --- */

static const char *spurious_unavailable(const struct bench_ctx *ctx)
{
	const char *why = uffd_unavailable(UFFD_FEATURE_PAGEFAULT_FLAG_WP,
					   UFFD_USER_MODE_ONLY);

	return why ? why : anon_unavailable(ctx);
}

static void spurious_size(const struct bench_ctx *ctx, uint64_t *def,
			  uint64_t *max)
{
	size_by(ctx, 5000, folio_of(ctx), def, max);
	if (is_pmd(ctx) && *def > 16)
		*def = 16;
}

static int spurious_setup(struct bench_ctx *ctx)
{
	struct fault *f;
	int ret;

	ret = anon_setup(ctx);
	if (ret)
		return ret;
	f = ctx->priv;
	ret = renew(f);
	if (!ret)
		ret = frames(f, f->before);
	if (!ret)
		ret = uffd_new(f, UFFD_FEATURE_PAGEFAULT_FLAG_WP);
	if (!ret)
		ret = uffd_register(f->uffd->fd, &f->r, true);
	/* On the same CPU a wake-up is only a context switch. */
	return ret ? ret : resolver_start(f->uffd, ctx->cpu);
}

static int spurious_prepare(struct bench_ctx *ctx)
{
	struct fault *f = ctx->priv;
	int err = __atomic_load_n(&f->uffd->error, __ATOMIC_ACQUIRE);

	if (err)
		return fail(err, "userfaultfd: %s", strerror(err));
	__atomic_store_n(&f->uffd->resolved, 0, __ATOMIC_RELEASE);
	return uffd_protect_all(f->uffd);
}

/*
 * The resolver saw each operation wait in userfaultfd once, and made the entry
 * writable before it woke the thread. So the retry, which is the fault that
 * counts, found nothing to do, and the page was neither copied nor reused.
 */
static int spurious_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct fault *f = ctx->priv;
	uint64_t resolved = __atomic_load_n(&f->uffd->resolved,
					    __ATOMIC_ACQUIRE);
	int ret = same_frames(ctx);

	if (ret)
		return ret;
	if (resolved != ctx->ops)
		return fail(EPROTO, "%" PRIu64 " faults waited in userfaultfd in %" PRIu64 " operations",
			    resolved, ctx->ops);
	if (!d)
		return prove(ctx, mm_leaf_expected(mm_caps(), folio_of(ctx)));
	/*
	 * The retry is minor, or major on a kernel that waits without the VMA
	 * lock. The fault that slept is not counted.
	 */
	if (d->minflt + d->majflt != d->operations)
		return fail(EPROTO, "%" PRIu64 " minor and %" PRIu64 " major faults in %" PRIu64 " operations",
			    d->minflt, d->majflt, d->operations);
	json_object_set_new(ctx->proof, "faults_retried",
			    json_integer(resolved));
	return reuse_verify(ctx, d, 0);
}

/* --- the table --- */

static const struct bench fault_anon_write = {
	.name = "fault.anon_write",
	.op = "one write fault on untouched anonymous memory: one folio allocated, cleared and mapped",
	.words = "anonymous write fault",
	.measures = "a complete anonymous fault, from the exception to the return",
	.may_lie = "from 64k on most of the cost is clearing the folio; freed pages come back from the per-CPU lists and are in the caches",
	BENCH_PARAMS(anon_params),
	.needs_root = true,
	.unavailable = anon_unavailable,
	.size = anon_write_size,
	.setup = anon_setup,
	.prepare = drop_prepare,
	.run = write_run,
	.verify = anon_write_verify,
	.teardown = fault_teardown,
};
BENCH(300, fault_anon_write);

static const struct bench fault_anon_read = {
	.name = "fault.anon_read",
	.op = "one read fault on untouched anonymous memory: the zero page, or the huge zero page, mapped",
	.words = "anonymous read fault",
	.measures = "the fault path without allocating or clearing anything",
	.may_lie = "only the page table is written; a later write would be a second, more expensive fault",
	BENCH_PARAMS(anon_read_params),
	.needs_root = true,
	.unavailable = anon_read_unavailable,
	.size = anon_read_size,
	.setup = anon_read_setup,
	.prepare = drop_prepare,
	.run = read_run,
	.verify = anon_read_verify,
	.teardown = fault_teardown,
};
BENCH(301, fault_anon_read);

static const struct bench fault_cow = {
	.name = "fault.cow",
	.op = "one write fault on a page shared with a living child: one base page copied",
	.words = "copy-on-write fault" ALL_PAGES,
	.measures = "breaking copy-on-write; with touch=first each fault also unfolds a contpte block or splits a PMD",
	.may_lie = "large folios, too, are copied one base page at a time; the child sleeps, so no other CPU's TLB is invalidated",
	BENCH_PARAMS(cow_params),
	.needs_root = true,
	.unavailable = anon_unavailable,
	.size = cow_size,
	.setup = anon_setup,
	.prepare = cow_prepare,
	.run = write_run,
	.verify = cow_verify,
	.teardown = fault_teardown,
};
BENCH(302, fault_cow);

static const struct bench fault_wp_reuse = {
	.name = "fault.wp_reuse",
	.op = "one write fault on a write-protected page of this process only, which is made writable in place",
	.words = "write fault, page reused{via:uffd=, uffd-wp}{backing:shmem=, shmem}" ALL_PAGES,
	.measures = "the permission upgrade, read-only to read-write, without a copy",
	.may_lie = "via=uffd also clears the userfaultfd bit; the first write in a contpte block unfolds it for good; with the PMD size one fault serves 2m",
	BENCH_PARAMS(reuse_params),
	.needs_root = true,
	.unavailable = reuse_unavailable,
	.size = reuse_size,
	.setup = reuse_setup,
	.prepare = reuse_prepare,
	.run = write_run,
	.verify = reuse_verify_point,
	.teardown = fault_teardown,
};
BENCH(303, fault_wp_reuse);

static const struct bench fault_file = {
	.name = "fault.file",
	.op = "one fault on an unmapped page of a memfd whose pages are in the page cache",
	.words = "{kind} file {access} fault",
	.measures = "mapping the page cache: a read maps the pages around it, a shared write its folio, a private write copies a base page",
	.may_lie = "one fault maps different amounts for different kinds and sizes, so compare each kind with itself; the same few folios are mapped over and over",
	BENCH_PARAMS(file_params),
	.needs_root = true,
	.unavailable = file_unavailable,
	.size = file_size,
	.setup = file_setup,
	.prepare = drop_prepare,
	.run = file_run,
	.verify = file_verify,
	.teardown = fault_teardown,
};
BENCH(304, fault_file);

static const struct bench fault_spurious = {
	.name = "fault.spurious",
	.op = "one write fault that waits in userfaultfd and whose retry finds the page writable",
	.words = "spurious write fault",
	.measures = "a fault that is handled twice, the second time with nothing to do, as if another thread was faster",
	.may_lie = "the cost includes sleeping and waking, and the time also the other thread's system calls; only differences between kernels are about the fault",
	BENCH_PARAMS(spurious_params),
	.needs_root = true,
	.unavailable = spurious_unavailable,
	.size = spurious_size,
	.setup = spurious_setup,
	.prepare = spurious_prepare,
	.run = write_run,
	.verify = spurious_verify,
	.teardown = fault_teardown,
};
BENCH(305, fault_spurious);
