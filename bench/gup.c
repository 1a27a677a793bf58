// SPDX-License-Identifier: GPL-2.0
/*
 * gup: everything that gets or pins user pages.
 *
 * Each benchmark works on a region of folios of one size, populated once and
 * mapped writable. A call takes `pages` consecutive pages of it, and the next
 * call the following ones, starting again at the end. The region is a few MiB,
 * so struct pages and page tables stay in the caches, and the result is the
 * cost of the walk, not of cache misses.
 *
 * How often they read page table entries of a contpte block locklessly, and so
 * show a change of ptep_get_lockless(), on arm64 with folio >= contpte and
 * < PMD:
 *
 *   fast pin_fast pin_longterm	once per page, and again for the recheck
 *   driver			(ptep_get(), which also gathers)
 *   iouring odirect vmsplice
 *   futex			once, for one page
 *   remote			never: the negative control
 *
 * A PMD leaf is handled as a whole, so no page table entry is read.
 *
 * One file though it is long: the benchmarks differ little, and their timed loops
 * are best compared side by side.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/kit/direct.h"
#include "bench/kit/kbtf.h"
#include "bench/kit/mm.h"
#include "bench/kit/params.h"
#include "bench/kit/racer.h"
#include "bench/kit/rings.h"
#include "lib/kmod.h"
#include "lib/util.h"

#define MAX_PAGES	16384
#define MAX_PIPES	64

/* --- parameters --- */

/* In .words: what another CPU does meanwhile. */
#define RACED \
	"{racer:none=|mprotect=, raced by mprotect|dontneed=, raced by DONTNEED|fork=, raced by fork}"

#define PARAM_PAGES(most) \
	{ .name = "pages", .type = PARAM_INT, .unit = "pages", .def = "16", \
	  .min = 1, .max = (most), .help = "pages per call" }
#define PARAM_THREADS \
	{ .name = "threads", .type = PARAM_INT, .unit = "threads", \
	  .def = "1", .min = 1, .max = 256, \
	  .help = "threads of one process, each with its own folios" }
#define PARAM_WRITE \
	{ .name = "write", .type = PARAM_INT, .def = "1", .min = 0, .max = 1, \
	  .help = "1: with FOLL_WRITE" }
#define PARAM_RACER \
	{ .name = "racer", .type = PARAM_ENUM, .def = "none", \
	  .choices = racer_choices, .help = RACER_HELP }, \
	{ .name = "racer_pause", .type = PARAM_INT, .unit = "us", \
	  .def = "0", .min = 0, .max = 1000000, .help = RACER_PAUSE_HELP }

static const struct bench_param fast_params[] = {
	PARAM_PAGES(MAX_PAGES), PARAM_FOLIO("contpte"), PARAM_THREADS, PARAM_WRITE,
	PARAM_RACER,
};

static const struct bench_param plain_params[] = {
	PARAM_PAGES(MAX_PAGES), PARAM_FOLIO("contpte"), PARAM_THREADS, PARAM_RACER,
};

static const struct bench_param odirect_params[] = {
	PARAM_PAGES(MAX_PAGES), PARAM_FOLIO("contpte"), PARAM_THREADS, PARAM_RACER,
	{ .name = "path", .type = PARAM_STRING, .def = "auto",
	  .help = "file or block device to read; auto: /dev/nullb0, else a temporary file" },
};

static const char *const how_choices[] = { "get", "pin", "longterm", NULL };

static const struct bench_param driver_params[] = {
	{ .name = "how", .type = PARAM_ENUM, .def = "pin",
	  .choices = how_choices,
	  .help = "get_user_pages_fast(), pin_user_pages_fast(), or that with FOLL_LONGTERM" },
	PARAM_PAGES(PTELAB_GUP_MAX_PAGES), PARAM_FOLIO("contpte"), PARAM_THREADS,
	PARAM_WRITE, PARAM_RACER,
};

static const struct bench_param pipe_params[] = {
	PARAM_PAGES(256), PARAM_FOLIO("contpte"), PARAM_THREADS, PARAM_RACER,
};

static const struct bench_param futex_params[] = {
	PARAM_FOLIO("contpte"), PARAM_THREADS, PARAM_RACER,
};

static const struct bench_param remote_params[] = {
	PARAM_PAGES(1024), PARAM_FOLIO("contpte"), PARAM_THREADS, PARAM_RACER,
};

/* --- what all of them share --- */

struct gup {
	struct mm_region r;
	struct racer *racer;
	enum racer_kind racer_kind;
	uint64_t pages;			/* a call */
	uint64_t call_bytes;
	uint64_t calls;			/* until a thread starts over */
	uint64_t rounds_before, rounds;	/* of the racer, in the last run */
	uint64_t rounds_all;		/* in all runs */
	int fd;				/* gup_test, or the file to read */
	unsigned long command;
	uint32_t flags;			/* of gup_test */
	struct gup_thread {
		struct io_uring ring;
		bool has_ring;
		int pipe[MAX_PIPES][2];
	} *thread;
	unsigned int pipes;		/* of each thread */
	uint64_t pipe_calls;		/* that fit into one */
	int null;			/* /dev/null */
};

static uint64_t pages_of(const struct bench_ctx *ctx)
{
	return param_has(ctx->bench, "pages") ? param_num(ctx, "pages") : 1;
}

static enum racer_kind racer_of(const struct bench_ctx *ctx)
{
	return racer_kind(param_text(ctx, "racer"));
}

/*
 * Bytes for one thread: several calls and several folios, but not so many that
 * populating them costs more than measuring. With a racer, only what one call
 * takes, so that the two meet as often as possible.
 */
static uint64_t slice_bytes(const struct bench_ctx *ctx)
{
	uint64_t folio = param_num(ctx, "folio");
	uint64_t call = pages_of(ctx) * mm_caps()->page;
	uint64_t want = 16 * folio;

	if (racer_of(ctx) != RACER_NONE)
		return (call + folio - 1) / folio * folio;
	if (want < 256 * KIB)
		want = 256 * KIB;
	if (want > 4 * MIB)
		want = 4 * MIB;
	if (want < 2 * folio && folio <= 32 * MIB)
		want = 2 * folio;
	if (want < call)
		want = call;
	return (want + folio - 1) / folio * folio;
}

/*
 * Estimates the instructions that the pages of a call take, for the default of
 * ops. A contpte entry is gathered from its whole block; a PMD is read once.
 */
static uint64_t guess_pages(const struct bench_ctx *ctx, bool pin)
{
	uint64_t leaf = mm_leaf_expected(mm_caps(), param_num(ctx, "folio"));
	uint64_t each;

	if (leaf == mm_caps()->page)
		each = pin ? 370 : 170;
	else if (leaf == mm_caps()->pmd)
		each = pin ? 50 : 35;
	else
		each = 40 * (leaf / mm_caps()->page);
	return each * pages_of(ctx);
}

/*
 * The default makes a batch long compared with the harness's own ~1,000
 * instructions, or long enough for some hundred rounds of a racer. A call
 * consumes nothing, so there is no maximum.
 */
static void size_by(const struct bench_ctx *ctx, uint64_t call_cost,
		    uint64_t *def, uint64_t *max)
{
	*def = 300000 / call_cost;
	if (racer_of(ctx) != RACER_NONE)
		*def = 10000000 / call_cost;
	if (*def < 2)
		*def = 2;
	*max = UINT64_MAX;
}

/* Returns why there can be no such region or racer; NULL if there can. */
static const char *common_unavailable(const struct bench_ctx *ctx,
				      enum racer_victim victim)
{
	const char *why = mm_folio_unavailable(MM_ANON,
					       param_num(ctx, "folio"));

	if (!why)
		why = racer_unavailable(ctx, racer_of(ctx), victim);
	if (!why && slice_bytes(ctx) * ctx->threads > mm_budget())
		why = "not enough memory for such regions on this machine";
	return why;
}

static int prove(struct bench_ctx *ctx)
{
	struct gup *g = ctx->priv;

	return mm_prove(ctx, &g->r, mm_leaf_expected(mm_caps(), g->r.folio));
}

static int common_setup(struct bench_ctx *ctx)
{
	struct gup *g = xcalloc(1, sizeof(*g));
	int ret;

	ctx->priv = g;
	g->fd = g->null = -1;
	g->r.fd = -1;
	g->thread = xcalloc(ctx->threads, sizeof(*g->thread));
	g->pages = pages_of(ctx);
	g->call_bytes = g->pages * mm_caps()->page;
	g->calls = slice_bytes(ctx) / g->call_bytes;
	ret = mm_region_open(&g->r, MM_ANON, false, param_num(ctx, "folio"),
			     ctx->threads, slice_bytes(ctx));
	if (!ret)
		ret = mm_region_populate(&g->r);
	if (ret)
		return ret;
	g->racer_kind = racer_of(ctx);
	g->racer = racer_new(ctx, g->racer_kind,
			     param_num(ctx, "racer_pause"), &g->r);
	if (!g->racer)
		return -errno;
	/* With a racer the folios do not stay as requested: prove them now. */
	return g->racer_kind == RACER_NONE ? 0 : prove(ctx);
}

static void common_teardown(struct bench_ctx *ctx)
{
	struct gup *g = ctx->priv;
	unsigned int i, j;

	if (!g)
		return;
	racer_free(g->racer);
	for (i = 0; i < ctx->threads; i++) {
		struct gup_thread *t = &g->thread[i];

		if (t->has_ring)
			io_uring_queue_exit(&t->ring);
		for (j = 0; j < MAX_PIPES && t->pipe[j][1]; j++) {
			close(t->pipe[j][0]);
			close(t->pipe[j][1]);
		}
	}
	if (g->fd >= 0)
		close(g->fd);
	if (g->null >= 0)
		close(g->null);
	if (g->racer_kind == RACER_FORK)
		mm_fork_done();
	mm_region_close(&g->r);
	free(g->thread);
	free(g);
	ctx->priv = NULL;
}

static int common_prepare(struct bench_ctx *ctx)
{
	struct gup *g = ctx->priv;

	return racer_start(g->racer);
}

/* Thread 0 records the racer's rounds at the start and at the end. */
static void race_begins(struct gup *g, unsigned int thread)
{
	if (!thread)
		g->rounds_before = racer_rounds(g->racer);
}

static void race_ends(struct gup *g, unsigned int thread)
{
	if (thread)
		return;
	g->rounds = racer_rounds(g->racer) - g->rounds_before;
	g->rounds_all += g->rounds;
}

/* Stops the racer, and checks that it raced, or the folios otherwise. */
static int common_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct gup *g = ctx->priv;
	int ret;

	ret = racer_stop(g->racer);
	if (ret)
		return fail_prefix(-EPROTO, "not as requested");
	if (g->racer_kind == RACER_NONE)
		return d ? 0 : prove(ctx);
	if (d)
		bench_count(ctx, "racer_rounds", g->rounds);
	else if (!g->rounds_all)
		return fail(EPROTO, "the racer completed no round during the batches: use more --ops");
	return 0;
}

/*
 * Checks that as many pages were pinned as requested. nr_foll_pin_acquired
 * counts for the whole machine, so where others may pin too, more is
 * acceptable.
 */
static int pins_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct gup *g = ctx->priv;
	int64_t pinned, want;
	int ret;

	ret = common_verify(ctx, d);
	if (ret || !d)
		return ret;
	if (!d->vmstat(d, "nr_foll_pin_acquired", &pinned))
		return fail(EPROTO, "this kernel does not count pinned pages (nr_foll_pin_acquired)");
	want = d->operations * g->pages;
	if (pinned < want || (ctx->icount && pinned != want))
		return fail(EPROTO, "%" PRId64 " pages were pinned, not the %" PRId64 " asked for",
			    pinned, want);
	json_object_set_new(ctx->proof, "pages_pinned", json_integer(pinned));
	json_object_set_new(ctx->proof, "pages_asked", json_integer(want));
	return 0;
}

/* --- gup_test: fast, pin_fast, pin_longterm --- */

#define GUP_TEST_PATH	"/sys/kernel/debug/gup_test"

/* From mm/gup_test.h, which the kernel does not export to user space. */
struct gup_test {
	uint64_t get_delta_usec;
	uint64_t put_delta_usec;
	uint64_t addr;
	uint64_t size;
	uint32_t nr_pages_per_call;
	uint32_t gup_flags;
	uint32_t test_flags;
	uint32_t which_pages[8];
};

#define GUP_FAST_BENCHMARK	_IOWR('g', 1, struct gup_test)
#define PIN_FAST_BENCHMARK	_IOWR('g', 2, struct gup_test)

/* The same in all kernels that have gup_test. */
#define FOLL_WRITE		0x01

/*
 * FOLL_LONGTERM was a macro, 0x10000, until 6.2. Since 6.3 it is an enumerator
 * whose value has changed, so ask the running kernel's BTF. If BTF has no FOLL_
 * enumerator at all, the kernel still has the macro.
 */
static const char *longterm_flag(uint32_t *flag)
{
	int64_t value;
	int ret;

	ret = kbtf_enum("FOLL_LONGTERM", &value);
	if (ret == -ENOENT && !kbtf_has("FOLL_WRITE")) {
		value = 0x10000;
		ret = 0;
	}
	if (ret)
		return "this kernel's value of FOLL_LONGTERM is unknown: it needs CONFIG_DEBUG_INFO_BTF";
	*flag = value;
	return NULL;
}

static const char *gup_test_unavailable(void)
{
	if (access("/sys/kernel/debug", X_OK) ||
	    access("/sys/kernel/debug/.", F_OK))
		return "debugfs is not mounted: mount -t debugfs none /sys/kernel/debug";
	if (access(GUP_TEST_PATH, F_OK))
		return "no " GUP_TEST_PATH ": needs CONFIG_GUP_TEST and mounted debugfs";
	return NULL;
}

/* Which ioctl of gup_test a benchmark uses: bench->data. */
struct gup_call {
	unsigned long command;
	bool pin, longterm;	/* longterm: always with FOLL_WRITE */
};

static const struct gup_call get_fast = { .command = GUP_FAST_BENCHMARK };
static const struct gup_call pin_fast = { PIN_FAST_BENCHMARK, .pin = true };
static const struct gup_call pin_longterm = { PIN_FAST_BENCHMARK, .pin = true,
					      .longterm = true };

static const struct gup_call *call_of(const struct bench_ctx *ctx)
{
	return ctx->bench->data;
}

static bool is_write(const struct bench_ctx *ctx)
{
	return call_of(ctx)->longterm || param_num(ctx, "write");
}

static const char *fast_unavailable(const struct bench_ctx *ctx)
{
	const char *why = gup_test_unavailable();
	enum racer_victim victim;
	uint32_t flag;

	if (!why && call_of(ctx)->longterm)
		why = longterm_flag(&flag);
	victim = is_write(ctx) ? VICTIM_WRITE :
		 call_of(ctx)->pin ? VICTIM_READ_PIN : VICTIM_READ;
	return why ? why : common_unavailable(ctx, victim);
}

static void fast_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	size_by(ctx, 350 + guess_pages(ctx, call_of(ctx)->pin), def, max);
}

static int fast_setup(struct bench_ctx *ctx)
{
	struct gup *g;
	const char *why;
	int ret;

	ret = common_setup(ctx);
	if (ret)
		return ret;
	g = ctx->priv;
	g->command = call_of(ctx)->command;
	if (call_of(ctx)->longterm) {
		why = longterm_flag(&g->flags);
		if (why)
			return fail(ENOTSUP, "%s", why);
	}
	if (is_write(ctx))
		g->flags |= FOLL_WRITE;
	g->fd = open(GUP_TEST_PATH, O_RDWR | O_CLOEXEC);
	return g->fd < 0 ? fail(errno, GUP_TEST_PATH ": %s", strerror(errno)) :
			   0;
}

static int64_t fast_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct gup *g = ctx->priv;
	uint64_t left = ctx->ops;

	race_begins(g, thread);
	while (left) {
		uint64_t calls = left < g->calls ? left : g->calls;
		struct gup_test t = {
			.addr = (uintptr_t)mm_region_at(&g->r, thread),
			.size = calls * g->call_bytes,
			.nr_pages_per_call = g->pages,
			.gup_flags = g->flags,
		};

		if (ioctl(g->fd, g->command, &t))
			return fail(errno, "gup_test: %s", strerror(errno));
		if (t.size != calls * g->call_bytes)
			return fail(EPROTO, "gup_test got only %" PRIu64 " of %" PRIu64 " bytes",
				    (uint64_t)t.size, calls * g->call_bytes);
		left -= calls;
	}
	race_ends(g, thread);
	return ctx->ops;
}

/*
 * get_user_pages_fast() leaves no count, and gup_test reports of its last call
 * only that it got at least one page. So get all pages again one by one, where
 * one page is everything.
 */
static int fast_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct gup *g = ctx->priv;
	unsigned int i;
	int ret;

	if (call_of(ctx)->pin)
		return pins_verify(ctx, d);
	ret = common_verify(ctx, d);
	if (ret || d)
		return ret;
	for (i = 0; i < g->r.nr; i++) {
		struct gup_test t = {
			.addr = (uintptr_t)mm_region_at(&g->r, i),
			.size = g->r.bytes,
			.nr_pages_per_call = 1,
			.gup_flags = g->flags,
		};

		if (ioctl(g->fd, g->command, &t))
			return fail(errno, "gup_test: %s", strerror(errno));
		if (t.size != g->r.bytes)
			return fail(EPROTO, "can't get page %" PRIu64 " of the region",
				    (uint64_t)t.size / mm_caps()->page);
	}
	json_object_set_new(ctx->proof, "pages_got_singly", json_integer(
			(json_int_t)(g->r.nr * g->r.bytes / mm_caps()->page)));
	return 0;
}

/* --- driver: the same without gup_test, which few kernels have --- */

static bool driver_pins(const struct bench_ctx *ctx)
{
	return !param_is(ctx, "how", "get");
}

static const char *driver_unavailable(const struct bench_ctx *ctx)
{
	const char *why = kmod_unavailable(0);
	enum racer_victim victim;

	victim = param_num(ctx, "write") ? VICTIM_WRITE :
		 driver_pins(ctx) ? VICTIM_READ_PIN : VICTIM_READ;
	return why ? why : common_unavailable(ctx, victim);
}

static void driver_size(const struct bench_ctx *ctx, uint64_t *def,
			uint64_t *max)
{
	size_by(ctx, 250 + guess_pages(ctx, driver_pins(ctx)), def, max);
	*max = PTELAB_GUP_MAX_CALLS;
}

static int driver_setup(struct bench_ctx *ctx)
{
	int ret = common_setup(ctx);
	struct gup *g = ctx->priv;

	if (ret)
		return ret;
	if (driver_pins(ctx))
		g->flags |= PTELAB_GUP_PIN;
	if (param_is(ctx, "how", "longterm"))
		g->flags |= PTELAB_GUP_LONGTERM;
	if (param_num(ctx, "write"))
		g->flags |= PTELAB_GUP_WRITE;
	g->fd = kmod_open(NULL);
	return g->fd < 0 ? g->fd : 0;
}

static int64_t driver_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct gup *g = ctx->priv;
	struct ptelab_gup arg = {
		.flags = g->flags,
		.addr = (uintptr_t)mm_region_at(&g->r, thread),
		.len = g->calls * g->call_bytes,
		.calls = ctx->ops,
		.pages = g->pages,
	};
	int ret;

	race_begins(g, thread);
	ret = kmod_gup(g->fd, &arg);
	if (ret)
		return ret;
	race_ends(g, thread);
	if (arg.pages_got != ctx->ops * g->pages)
		return fail(EPROTO, "got only %llu of %" PRIu64 " pages",
			    arg.pages_got, ctx->ops * g->pages);
	return ctx->ops;
}

/* run() checks that it got every page; the kernel counts pins. */
static int driver_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	return driver_pins(ctx) ? pins_verify(ctx, d) : common_verify(ctx, d);
}

/* --- iouring --- */

static const char *iouring_unavailable(const struct bench_ctx *ctx)
{
	const char *why = rings_unavailable();

	return why ? why : common_unavailable(ctx, VICTIM_WRITE);
}

static void iouring_size(const struct bench_ctx *ctx, uint64_t *def,
			 uint64_t *max)
{
	uint64_t pages = pages_of(ctx);

	size_by(ctx, 2000 + guess_pages(ctx, false), def, max);
	*max = RINGS_MAX_BUFFERS;
	/*
	 * A folio can be pinned a few thousand times. With racer=dontneed, a
	 * pinned folio that was zapped is only freed in the next batch.
	 */
	if (*max > mm_budget() / (pages * mm_caps()->page))
		*max = mm_budget() / (pages * mm_caps()->page);
	if (*def > *max)
		*def = *max;
}

static int iouring_setup(struct bench_ctx *ctx)
{
	struct gup *g;
	unsigned int i;
	int ret;

	ret = common_setup(ctx);
	g = ctx->priv;
	for (i = 0; i < ctx->threads && !ret; i++) {
		ret = io_uring_queue_init(1, &g->thread[i].ring, 0);
		if (ret)
			return fail(-ret, "io_uring_setup: %s",
				    strerror(-ret));
		g->thread[i].has_ring = true;
		ret = io_uring_register_buffers_sparse(&g->thread[i].ring,
						       ctx->ops);
		if (ret)
			return fail(-ret, "a table of %" PRIu64 " buffers: %s",
				    ctx->ops, strerror(-ret));
	}
	return ret;
}

/* Unregisters all buffers of the last batch, which leaves an empty table. */
static int iouring_prepare(struct bench_ctx *ctx)
{
	struct gup *g = ctx->priv;
	unsigned int i;
	int ret;

	for (i = 0; i < ctx->threads; i++) {
		struct io_uring *ring = &g->thread[i].ring;

		ret = io_uring_unregister_buffers(ring);
		if (!ret)
			ret = io_uring_register_buffers_sparse(ring, ctx->ops);
		if (ret)
			return fail(-ret, "unregistering buffers: %s",
				    strerror(-ret));
	}
	return common_prepare(ctx);
}

static int64_t iouring_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct gup *g = ctx->priv;
	struct io_uring *ring = &g->thread[thread].ring;
	char *base = mm_region_at(&g->r, thread);
	uint64_t i, call = 0;

	race_begins(g, thread);
	for (i = 0; i < ctx->ops; i++) {
		struct iovec iov = {
			.iov_base = base + call * g->call_bytes,
			.iov_len = g->call_bytes,
		};
		int ret = io_uring_register_buffers_update_tag(ring, i, &iov,
							       NULL, 1);

		if (ret != 1)
			return fail(ret < 0 ? -ret : EPROTO,
				    "registering buffer %" PRIu64 ": %s", i,
				    strerror(ret < 0 ? -ret : EPROTO));
		if (++call == g->calls)
			call = 0;
	}
	race_ends(g, thread);
	return ctx->ops;
}

/* --- odirect --- */

static const char *odirect_unavailable(const struct bench_ctx *ctx)
{
	const char *why = direct_unavailable(param_text(ctx, "path"),
					     pages_of(ctx) * mm_caps()->page);

	return why ? why : common_unavailable(ctx, VICTIM_WRITE);
}

static void odirect_size(const struct bench_ctx *ctx, uint64_t *def,
			 uint64_t *max)
{
	size_by(ctx, 4000 + guess_pages(ctx, true), def, max);
}

static int odirect_setup(struct bench_ctx *ctx)
{
	int ret = common_setup(ctx);
	struct gup *g = ctx->priv;

	if (ret)
		return ret;
	g->fd = direct_open(ctx, param_text(ctx, "path"), false,
			    g->call_bytes);
	return g->fd < 0 ? g->fd : 0;
}

static int64_t odirect_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct gup *g = ctx->priv;
	char *base = mm_region_at(&g->r, thread);
	uint64_t i, call = 0;

	race_begins(g, thread);
	for (i = 0; i < ctx->ops; i++) {
		ssize_t n = pread(g->fd, base + call * g->call_bytes,
				  g->call_bytes, 0);

		if (n != (ssize_t)g->call_bytes)
			return fail(n < 0 ? errno : EPROTO,
				    "O_DIRECT read of %" PRIu64 " bytes: %s",
				    g->call_bytes,
				    n < 0 ? strerror(errno) : "short");
		if (++call == g->calls)
			call = 0;
	}
	race_ends(g, thread);
	return ctx->ops;
}

/* --- vmsplice --- */

static const char *vmsplice_unavailable(const struct bench_ctx *ctx)
{
	return common_unavailable(ctx, VICTIM_READ);
}

/* Returns how many pages a pipe can hold here, a power of two. */
static uint64_t pipe_slots(void)
{
	char *text = read_line("/proc/sys/fs/pipe-max-size");
	uint64_t bytes, slots = 16;

	/* A pipe always has at least 16 slots. */
	if (text && !parse_u64(text, &bytes))
		while (slots * 2 * mm_caps()->page <= bytes)
			slots *= 2;
	free(text);
	return slots;
}

static void vmsplice_size(const struct bench_ctx *ctx, uint64_t *def,
			  uint64_t *max)
{
	size_by(ctx, 650 + guess_pages(ctx, false) + 60 * pages_of(ctx), def,
		max);
	*max = pipe_slots() / pages_of(ctx) * MAX_PIPES;
	if (*def > *max)
		*def = *max;
}

/* Writes what vmsplice_verify() expects to read from the pipes. */
static void write_pattern(const struct gup *g)
{
	unsigned int i;
	uint64_t off;

	for (i = 0; i < g->r.nr; i++)
		for (off = 0; off < g->r.bytes; off += mm_caps()->page) {
			char *p = mm_region_at(&g->r, i) + off;

			*(uint64_t *)p = MM_PATTERN(p);
		}
}

/*
 * Opens enough pipes for a batch. A single pipe of that size would need a
 * privilege that even root may lack.
 */
static int open_pipes(struct gup *g, struct gup_thread *t)
{
	uint64_t bytes = pipe_slots() * mm_caps()->page;
	unsigned int i;

	for (i = 0; i < g->pipes; i++) {
		if (pipe2(t->pipe[i], O_CLOEXEC | O_NONBLOCK)) {
			t->pipe[i][1] = 0;
			return fail(errno, "pipe: %s", strerror(errno));
		}
		if (fcntl(t->pipe[i][1], F_SETPIPE_SZ, (int)bytes) < 0)
			return fail(errno, "a pipe of %" PRIu64 " pages: %s (%u of them are needed; use fewer --ops)",
				    bytes / mm_caps()->page, strerror(errno),
				    g->pipes);
	}
	return 0;
}

static int vmsplice_setup(struct bench_ctx *ctx)
{
	unsigned int i;
	struct gup *g;
	int ret;

	ret = common_setup(ctx);
	if (ret)
		return ret;
	g = ctx->priv;
	write_pattern(g);
	g->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (g->null < 0)
		return fail(errno, "/dev/null: %s", strerror(errno));
	g->pipe_calls = pipe_slots() / g->pages;
	g->pipes = (ctx->ops + g->pipe_calls - 1) / g->pipe_calls;
	for (i = 0; i < ctx->threads && !ret; i++)
		ret = open_pipes(g, &g->thread[i]);
	return ret;
}

/* Empties the pipe without copying the data. */
static int drain(const struct gup *g, int pipe)
{
	ssize_t n;

	do {
		n = splice(pipe, NULL, g->null, NULL, 1 << 30,
			   SPLICE_F_NONBLOCK);
	} while (n > 0);
	return n < 0 && errno != EAGAIN ?
		fail(errno, "emptying a pipe: %s", strerror(errno)) : 0;
}

static int vmsplice_prepare(struct bench_ctx *ctx)
{
	struct gup *g = ctx->priv;
	unsigned int i, j;
	int ret = 0;

	for (i = 0; i < ctx->threads && !ret; i++)
		for (j = 0; j < g->pipes && !ret; j++)
			ret = drain(g, g->thread[i].pipe[j][0]);
	return ret ? ret : common_prepare(ctx);
}

static int64_t vmsplice_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct gup *g = ctx->priv;
	char *base = mm_region_at(&g->r, thread);
	int (*pipe)[2] = g->thread[thread].pipe;
	uint64_t i, call = 0, room = g->pipe_calls;

	race_begins(g, thread);
	for (i = 0; i < ctx->ops; i++) {
		struct iovec iov = {
			.iov_base = base + call * g->call_bytes,
			.iov_len = g->call_bytes,
		};
		ssize_t n = vmsplice((*pipe)[1], &iov, 1, SPLICE_F_NONBLOCK);

		if (n != (ssize_t)g->call_bytes)
			return fail(n < 0 ? errno : EPROTO, "vmsplice: %s",
				    n < 0 ? strerror(errno) : "short");
		if (++call == g->calls)
			call = 0;
		if (!--room) {
			room = g->pipe_calls;
			pipe++;
		}
	}
	race_ends(g, thread);
	return ctx->ops;
}

/* The pipes must have the region's pages in order: the data is the region's. */
static int vmsplice_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct gup *g = ctx->priv;
	uint64_t page = mm_caps()->page, i, most;
	unsigned int t;
	char *buf;
	int ret;

	ret = common_verify(ctx, d);
	/* A racer may have replaced the pages since. */
	if (ret || d || g->racer_kind != RACER_NONE)
		return ret;
	buf = xcalloc(1, page);
	most = ctx->ops < g->calls ? ctx->ops : g->calls;
	if (most > g->pipe_calls)
		most = g->pipe_calls;
	most *= g->pages;
	for (t = 0; t < ctx->threads && !ret; t++) {
		for (i = 0; i < most && !ret; i++) {
			char *want = mm_region_at(&g->r, t) + i * page;

			if (read(g->thread[t].pipe[0][0], buf, page) !=
			    (ssize_t)page ||
			    *(uint64_t *)buf != MM_PATTERN(want))
				ret = fail(EPROTO, "page %" PRIu64 " in the pipe is not the one spliced",
					   i);
		}
	}
	free(buf);
	if (!ret)
		json_object_set_new(ctx->proof, "pages_read_back",
				    json_integer((json_int_t)(most *
							ctx->threads)));
	return ret;
}

/* --- futex --- */

static const char *futex_unavailable(const struct bench_ctx *ctx)
{
	return common_unavailable(ctx, VICTIM_WRITE);
}

static void futex_size(const struct bench_ctx *ctx, uint64_t *def,
		       uint64_t *max)
{
	size_by(ctx, 800 + guess_pages(ctx, false), def, max);
}

static int64_t futex_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct gup *g = ctx->priv;
	char *base = mm_region_at(&g->r, thread);
	uint64_t i, call = 0;

	race_begins(g, thread);
	for (i = 0; i < ctx->ops; i++) {
		/* a shared futex without waiters */
		long n = syscall(SYS_futex, base + call * g->call_bytes,
				 FUTEX_WAKE, 1, NULL, NULL, 0);

		if (n)
			return fail(n < 0 ? errno : EPROTO, "FUTEX_WAKE: %s",
				    n < 0 ? strerror(errno) : "it woke a waiter");
		if (++call == g->calls)
			call = 0;
	}
	race_ends(g, thread);
	return ctx->ops;
}

/*
 * No counter shows that the page was got. But a wake without GUP does not look
 * at the memory: a private wake succeeds on an inaccessible page, and a shared
 * wake must fail.
 */
static int futex_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct gup *g = ctx->priv;
	char *hole = mm_region_at(&g->r, 0) + g->r.bytes;
	int ret;

	ret = common_verify(ctx, d);
	if (ret || d)
		return ret;
	if (syscall(SYS_futex, hole, FUTEX_WAKE, 1, NULL, NULL, 0) != -1 ||
	    errno != EFAULT)
		return fail(EPROTO, "a shared wake did not look at its page");
	if (syscall(SYS_futex, hole, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, NULL,
		    NULL, 0))
		return fail(EPROTO, "a private wake looked at its page");
	json_object_set_new(ctx->proof, "shared_wake_faults_on_hole",
			    json_true());
	return 0;
}

/* --- remote --- */

static const char *remote_unavailable(const struct bench_ctx *ctx)
{
	if (process_vm_readv(getpid(), NULL, 0, NULL, 0, 0) < 0 &&
	    errno == ENOSYS)
		return "this kernel has no process_vm_readv (CONFIG_CROSS_MEMORY_ATTACH)";
	return common_unavailable(ctx, VICTIM_READ_PIN);
}

static void remote_size(const struct bench_ctx *ctx, uint64_t *def,
			uint64_t *max)
{
	size_by(ctx, 1500 + 1500 * pages_of(ctx), def, max);
}

/* Read one byte of each page, so that the copy is a small part of the cost. */
static int64_t remote_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct gup *g = ctx->priv;
	char *base = mm_region_at(&g->r, thread);
	struct iovec to, from[1024];
	uint64_t i, j, call = 0;
	char bytes[1024];
	pid_t self = getpid();

	to.iov_base = bytes;
	to.iov_len = g->pages;
	for (j = 0; j < g->pages; j++)
		from[j].iov_len = 1;
	race_begins(g, thread);
	for (i = 0; i < ctx->ops; i++) {
		char *p = base + call * g->call_bytes;
		ssize_t n;

		for (j = 0; j < g->pages; j++, p += mm_caps()->page)
			from[j].iov_base = p;
		n = process_vm_readv(self, &to, 1, from, g->pages, 0);
		if (n != (ssize_t)g->pages)
			return fail(n < 0 ? errno : EPROTO,
				    "process_vm_readv: %s",
				    n < 0 ? strerror(errno) : "short");
		if (++call == g->calls)
			call = 0;
	}
	race_ends(g, thread);
	return ctx->ops;
}

/* --- the table --- */

#define WARM "the same few MiB are used over and over, so page tables and struct pages are in the caches"

/* The steps that each kind implements itself, by the kind's name. */
#define GUP_STEPS(kind) \
	.needs_root = true, .unavailable = kind##_unavailable, \
	.size = kind##_size, .run = kind##_run, .teardown = common_teardown
/* The steps that the benchmarks of gup_test share; .data selects the ioctl. */
#define GUP_TEST_STEPS \
	GUP_STEPS(fast), .setup = fast_setup, .prepare = common_prepare, \
	.verify = fast_verify

static const struct bench gup_fast = {
	.name = "gup.fast", .data = &get_fast,
	.op = "one get_user_pages_fast() of `pages` pages, and put_page() of each",
	.words = "GUP-fast{write:0= to read}" RACED,
	.measures = "GUP-fast with FOLL_GET, driven inside the kernel by gup_test, without a system call per call",
	.may_lie = "the cost includes putting the pages, one by one; " WARM,
	BENCH_PARAMS(fast_params),
	GUP_TEST_STEPS,
};
BENCH(100, gup_fast);

static const struct bench gup_pin_fast = {
	.name = "gup.pin_fast", .data = &pin_fast,
	.op = "one pin_user_pages_fast() of `pages` pages, and unpinning them",
	.words = "GUP-fast pin{write:0= to read}" RACED,
	.measures = "GUP-fast with FOLL_PIN, driven inside the kernel by gup_test, without a system call per call",
	.may_lie = "the cost includes unpinning, and gup_test's check of each pinned page; " WARM,
	BENCH_PARAMS(fast_params),
	GUP_TEST_STEPS,
};
BENCH(101, gup_pin_fast);

static const struct bench gup_pin_longterm = {
	.name = "gup.pin_longterm", .data = &pin_longterm,
	.op = "one pin_user_pages_fast(FOLL_LONGTERM | FOLL_WRITE) of `pages` pages, and unpinning them",
	.words = "GUP-fast longterm pin" RACED,
	.measures = "GUP-fast as io_uring and RDMA call it, without their system calls",
	.may_lie = "the cost includes unpinning, and gup_test's check of each pinned page; no page needs to be migrated first; " WARM,
	BENCH_PARAMS(plain_params),
	GUP_TEST_STEPS,
};
BENCH(102, gup_pin_longterm);

static const struct bench gup_driver = {
	.name = "gup.driver",
	.op = "one get_user_pages_fast() or pin_user_pages_fast() of `pages` pages, and put_page() of each",
	.words = "{how} by a driver{write:0= to read}" RACED,
	.measures = "GUP-fast as a driver calls it, in a loop in ptelab.ko; for kernels without gup_test",
	.may_lie = "the cost includes putting the pages, and the loop, some 50 instructions per call in 6.12; gup_test's figures differ, since it checks the pages in between; "
		   WARM,
	BENCH_PARAMS(driver_params),
	GUP_STEPS(driver),
	.setup = driver_setup, .prepare = common_prepare,
	.verify = driver_verify,
};
BENCH(103, gup_driver);

static const struct bench gup_iouring = {
	.name = "gup.iouring",
	.op = "one io_uring_register(2) of a buffer of `pages` pages in an empty slot of a sparse table",
	.words = "io_uring buffer registration" RACED,
	.measures = "the cost of registering a buffer: pinning, accounting, and the bvec table",
	.may_lie = "large folios are searched for in all slots filled before, so the cost grows slightly with the operations per batch; it does not include unregistering; " WARM,
	BENCH_PARAMS(plain_params),
	GUP_STEPS(iouring),
	.setup = iouring_setup, .prepare = iouring_prepare,
	.verify = pins_verify,
};
BENCH(104, gup_iouring);

static const struct bench gup_odirect = {
	.name = "gup.odirect",
	.op = "one pread(2) with O_DIRECT of `pages` pages, always from offset 0",
	.words = "O_DIRECT read" RACED,
	.measures = "pinning for a bio, the block layer, and marking the pages dirty",
	.may_lie = "on a real device the time is that of the device; null_blk in bio mode moves no data and completes immediately, unlike any device; " WARM,
	BENCH_PARAMS(odirect_params),
	GUP_STEPS(odirect),
	.setup = odirect_setup, .prepare = common_prepare,
	.verify = pins_verify,
};
BENCH(105, gup_odirect);

static const struct bench gup_vmsplice = {
	.name = "gup.vmsplice",
	.op = "one vmsplice(2) of `pages` pages into a pipe with room for them",
	.words = "vmsplice" RACED,
	.measures = "get_user_pages_fast() for reading, in calls of at most 16 pages, and the pipe's bookkeeping",
	.may_lie = "more than 16 pages take several calls of GUP-fast; the cost does not include emptying the pipe, which puts the pages; " WARM,
	BENCH_PARAMS(pipe_params),
	GUP_STEPS(vmsplice),
	.setup = vmsplice_setup, .prepare = vmsplice_prepare,
	.verify = vmsplice_verify,
};
BENCH(106, gup_vmsplice);

static const struct bench gup_futex = {
	.name = "gup.futex",
	.op = "one FUTEX_WAKE of a shared futex without waiters: one page",
	.words = "wake of a shared futex" RACED,
	.measures = "get_user_pages_fast() of one page for writing, the futex key, and an empty hash bucket",
	.may_lie = "the system call and the hash are a large part of the cost; " WARM,
	BENCH_PARAMS(futex_params),
	GUP_STEPS(futex),
	.setup = common_setup, .prepare = common_prepare,
	.verify = futex_verify,
};
BENCH(107, gup_futex);

static const struct bench gup_remote = {
	.name = "gup.remote",
	.op = "one process_vm_readv(2) of one byte in each of `pages` pages of this process",
	.words = "process_vm_readv" RACED,
	.measures = "a negative control: pin_user_pages_remote() takes mmap_lock and never uses GUP-fast",
	.may_lie = "each page is a separate iovec, so there are `pages` calls for one page each; one byte per page is copied; " WARM,
	BENCH_PARAMS(remote_params),
	GUP_STEPS(remote),
	.setup = common_setup, .prepare = common_prepare,
	.verify = pins_verify,
};
BENCH(108, gup_remote);
