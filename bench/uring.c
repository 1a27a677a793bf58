// SPDX-License-Identifier: GPL-2.0
/*
 * uring: io_uring with buffers that are registered, and with plain ones.
 *
 * A plain buffer is pinned for each read or write with O_DIRECT. A registered one
 * is pinned once (gup.iouring), used without GUP after that, and unpinned when its
 * slot is given to another (uring.update) or none (uring.unregister). Which of
 * these happened is what the kernel's counts of pinned pages prove.
 *
 * Each thread has a ring of its own. With poll=sqpoll a kernel thread takes the
 * requests, on a CPU of its own, and the benchmark makes no system call; how the
 * two CPUs meet varies, so instructions and time do as well, but not the pins.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/kit/direct.h"
#include "bench/kit/mm.h"
#include "bench/kit/params.h"
#include "bench/kit/rings.h"
#include "bench/kit/sources.h"
#include "lib/util.h"

#define SQ_IDLE_MS	60000

#define PARAM_PAGES \
	{ .name = "pages", .type = PARAM_INT, .unit = "pages", .def = "16", \
	  .min = 1, .max = 256, .help = "pages of a buffer" }
#define PARAM_THREADS \
	{ .name = "threads", .type = PARAM_INT, .unit = "threads", \
	  .def = "1", .min = 1, .max = 256, \
	  .help = "threads of one process, each with its own ring and folios" }

static const char *const buffer_choices[] = { "fixed", "plain", NULL };
static const char *const poll_choices[] = { "none", "sqpoll", NULL };
static const char *const how_choices[] = { "slot", "table", NULL };

static const struct bench_param io_params[] = {
	{ .name = "buffer", .type = PARAM_ENUM, .def = "fixed",
	  .choices = buffer_choices,
	  .help = "fixed: registered before; plain: pinned for each request" },
	{ .name = "poll", .type = PARAM_ENUM, .def = "none",
	  .choices = poll_choices,
	  .help = "sqpoll: a kernel thread on another CPU takes the requests" },
	PARAM_PAGES, PARAM_FOLIO("contpte"), PARAM_THREADS,
};

static const struct bench_param update_params[] = {
	PARAM_PAGES, PARAM_FOLIO("contpte"), PARAM_THREADS,
};

static const struct bench_param unregister_params[] = {
	{ .name = "how", .type = PARAM_ENUM, .def = "slot",
	  .choices = how_choices,
	  .help = "slot: a system call empties each slot; table: one unregisters all of a batch" },
	PARAM_PAGES, PARAM_FOLIO("contpte"), PARAM_THREADS,
};

struct uring {
	struct mm_region r;
	uint64_t bytes;			/* of a buffer */
	uint64_t buffers;		/* of a thread */
	int64_t held;			/* pins of the filled tables */
	bool fixed, poll, write;
	int fd;				/* the file to read or write */
	unsigned int nr;		/* threads */
	struct uring_thread {
		struct io_uring ring;
		bool has_ring;
		uint64_t wakeups;	/* of the kernel thread */
	} *thread;
};

static uint64_t buffer_bytes(const struct bench_ctx *ctx)
{
	return param_num(ctx, "pages") * mm_caps()->page;
}

/* Bytes for one thread: several folios and buffers. */
static uint64_t slice_bytes(const struct bench_ctx *ctx)
{
	uint64_t folio = param_num(ctx, "folio"), want = 2 * folio;

	if (want < 4 * buffer_bytes(ctx))
		want = 4 * buffer_bytes(ctx);
	if (want < 256 * KIB)
		want = 256 * KIB;
	return (want + folio - 1) / folio * folio;
}

static bool polls(const struct bench_ctx *ctx)
{
	return param_has(ctx->bench, "poll") && param_is(ctx, "poll", "sqpoll");
}

/* --- what all of them share --- */

static const char *common_unavailable(const struct bench_ctx *ctx)
{
	const char *why = rings_unavailable();

	if (why)
		return why;
	if (polls(ctx) && 2 * ctx->threads > ctx->nr_cpus)
		return "poll=sqpoll needs a second CPU for each thread's kernel thread";
	why = mm_folio_unavailable(MM_ANON, param_num(ctx, "folio"));
	if (!why && slice_bytes(ctx) * ctx->threads > mm_budget())
		why = "not enough memory for such regions on this machine";
	return why;
}

static int open_ring(struct bench_ctx *ctx, unsigned int i)
{
	struct uring *u = ctx->priv;
	struct io_uring_params p = { 0 };
	int ret;

	if (u->poll) {
		p.flags = IORING_SETUP_SQPOLL | IORING_SETUP_SQ_AFF;
		p.sq_thread_cpu = ctx->cpus[ctx->threads + i];
		p.sq_thread_idle = SQ_IDLE_MS;
	}
	ret = io_uring_queue_init_params(4, &u->thread[i].ring, &p);
	if (ret)
		return fail(-ret, "io_uring_setup: %s", strerror(-ret));
	u->thread[i].has_ring = true;
	return 0;
}

static int common_setup(struct bench_ctx *ctx)
{
	struct uring *u = xcalloc(1, sizeof(*u));
	unsigned int i;
	int ret;

	ctx->priv = u;
	u->fd = u->r.fd = -1;
	u->nr = ctx->threads;
	u->thread = xcalloc(u->nr, sizeof(*u->thread));
	u->bytes = buffer_bytes(ctx);
	u->buffers = slice_bytes(ctx) / u->bytes;
	u->poll = polls(ctx);
	ret = mm_region_open(&u->r, MM_ANON, false, param_num(ctx, "folio"),
			     u->nr, slice_bytes(ctx));
	if (!ret)
		ret = mm_region_populate(&u->r);
	for (i = 0; i < u->nr && !ret; i++)
		ret = open_ring(ctx, i);
	return ret;
}

static void common_teardown(struct bench_ctx *ctx)
{
	struct uring *u = ctx->priv;
	unsigned int i;

	if (!u)
		return;
	for (i = 0; i < u->nr; i++) {
		if (!u->thread[i].has_ring)
			continue;
		/* else a kworker unpins them, perhaps in a later point */
		io_uring_unregister_buffers(&u->thread[i].ring);
		io_uring_queue_exit(&u->thread[i].ring);
	}
	if (u->fd >= 0)
		close(u->fd);
	mm_region_close(&u->r);
	free(u->thread);
	free(u);
	ctx->priv = NULL;
}

/* A buffer of the thread's region, the next one for the next @nr. */
static struct iovec buffer(const struct uring *u, unsigned int thread,
			   uint64_t nr)
{
	return (struct iovec){
		.iov_base = mm_region_at(&u->r, thread) +
			    nr % u->buffers * u->bytes,
		.iov_len = u->bytes,
	};
}

/* Gives slot @slot to @iov; one that is empty empties it. */
static int set_slot(struct uring *u, unsigned int thread, unsigned int slot,
		    const struct iovec *iov)
{
	int ret = io_uring_register_buffers_update_tag(&u->thread[thread].ring,
						       slot, iov, NULL, 1);

	return ret == 1 ? 0 : fail(ret < 0 ? -ret : EPROTO, "buffer %u: %s",
				   slot, strerror(ret < 0 ? -ret : EPROTO));
}

/* A table of @nr slots with a buffer in each. */
static int fill_table(struct uring *u, unsigned int thread, uint64_t nr)
{
	struct io_uring *ring = &u->thread[thread].ring;
	struct iovec *iov = xcalloc(nr, sizeof(*iov));
	uint64_t i;
	int ret;

	for (i = 0; i < nr; i++)
		iov[i] = buffer(u, thread, i);
	ret = io_uring_register_buffers(ring, iov, nr);
	free(iov);
	return ret ? fail(-ret, "registering %" PRIu64 " buffers: %s", nr,
			  strerror(-ret)) : 0;
}

/*
 * Checks that the batch pinned and released so many pages. The kernel counts them
 * for the whole machine, so where others may pin too, more is acceptable.
 */
static int check_pins(struct bench_ctx *ctx, const struct bench_deltas *d,
		      uint64_t pinned, uint64_t released)
{
	const struct { const char *field, *proof, *what; int64_t want; } counts[] = {
		{ "nr_foll_pin_acquired", "pages_pinned", "pinned", pinned },
		{ "nr_foll_pin_released", "pages_unpinned", "unpinned", released },
	};
	int64_t got, all = d->operations * param_num(ctx, "pages");
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		if (!d->vmstat(d, counts[i].field, &got))
			return fail(EPROTO, "this kernel does not count pinned pages (%s)",
				    counts[i].field);
		/* as many as all requests have would be theirs */
		if (got < counts[i].want ||
		    (ctx->icount && got != counts[i].want) ||
		    (!counts[i].want && got >= all))
			return fail(EPROTO, "%" PRId64 " pages were %s, not %" PRId64,
				    got, counts[i].what, counts[i].want);
		json_object_set_new(ctx->proof, counts[i].proof,
				    json_integer(got));
	}
	return 0;
}

static int prove(struct bench_ctx *ctx)
{
	struct uring *u = ctx->priv;

	return mm_prove(ctx, &u->r, mm_leaf_expected(mm_caps(), u->r.folio));
}

/* --- read and write --- */

static bool writes(const struct bench_ctx *ctx)
{
	return ctx->bench->data;
}

static const char *io_unavailable(const struct bench_ctx *ctx)
{
	const char *why = direct_unavailable(DIRECT_AUTO, buffer_bytes(ctx));

	return why ? why : common_unavailable(ctx);
}

static void io_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	*def = 2 + 300000 / (5000 + 100 * param_num(ctx, "pages"));
	*max = UINT64_MAX;
}

static int io_setup(struct bench_ctx *ctx)
{
	struct uring *u;
	unsigned int i;
	int ret = common_setup(ctx);

	u = ctx->priv;
	u->write = writes(ctx);
	u->fixed = param_is(ctx, "buffer", "fixed");
	if (!ret)
		u->fd = direct_open(ctx, DIRECT_AUTO, u->write, u->bytes);
	if (!ret && u->fd < 0)
		ret = u->fd;
	for (i = 0; i < u->nr && !ret && u->fixed; i++)
		ret = fill_table(u, i, u->buffers);
	return ret;
}

static struct io_uring_sqe *put_request(struct uring *u, unsigned int thread,
					uint64_t nr)
{
	struct io_uring_sqe *sqe =
		io_uring_get_sqe(&u->thread[thread].ring);
	struct iovec b = buffer(u, thread, nr);

	if (!sqe)
		return NULL;
	if (u->fixed && u->write)
		io_uring_prep_write_fixed(sqe, u->fd, b.iov_base, b.iov_len, 0,
					  nr % u->buffers);
	else if (u->fixed)
		io_uring_prep_read_fixed(sqe, u->fd, b.iov_base, b.iov_len, 0,
					 nr % u->buffers);
	else if (u->write)
		io_uring_prep_write(sqe, u->fd, b.iov_base, b.iov_len, 0);
	else
		io_uring_prep_read(sqe, u->fd, b.iov_base, b.iov_len, 0);
	return sqe;
}

/* Submits one request and waits for it. Returns its result, or -errno. */
static int one_request(struct uring *u, unsigned int thread)
{
	struct uring_thread *t = &u->thread[thread];
	struct io_uring_cqe *cqe;
	int ret;

	if (u->poll) {
		/* Enters the kernel only if the thread there sleeps. */
		if (IO_URING_READ_ONCE(*t->ring.sq.kflags) &
		    IORING_SQ_NEED_WAKEUP)
			t->wakeups++;
		ret = io_uring_submit(&t->ring);
		while (ret >= 0 && io_uring_peek_cqe(&t->ring, &cqe))
			;
	} else {
		ret = io_uring_submit_and_wait(&t->ring, 1);
		if (ret >= 0)
			ret = io_uring_peek_cqe(&t->ring, &cqe);
	}
	if (ret < 0)
		return ret;
	ret = cqe->res;
	io_uring_cqe_seen(&t->ring, cqe);
	return ret;
}

/* Wakes the kernel threads, which sleep until their first request. */
static int io_prepare(struct bench_ctx *ctx)
{
	struct uring *u = ctx->priv;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < u->nr && !ret && u->poll; i++) {
		io_uring_prep_nop(io_uring_get_sqe(&u->thread[i].ring));
		ret = one_request(u, i);
		u->thread[i].wakeups = 0;
	}
	return ret ? fail(-ret, "io_uring: %s", strerror(-ret)) : 0;
}

static int64_t io_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct uring *u = ctx->priv;
	uint64_t i;
	int ret;

	for (i = 0; i < ctx->ops; i++) {
		ret = put_request(u, thread, i) ? one_request(u, thread) :
			-EBUSY;
		if (ret != (int)u->bytes)
			return fail(ret < 0 ? -ret : EPROTO, "a request of %" PRIu64 " bytes: %s",
				    u->bytes, ret < 0 ? strerror(-ret) : "short");
	}
	return ctx->ops;
}

/*
 * A fixed request must have used its slot: after the buffers are unregistered the
 * same request fails. A polling thread must not have slept, as it then takes a system
 * call of the batch to wake it.
 */
static int io_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct uring *u = ctx->priv;
	uint64_t pages = d ? d->operations * param_num(ctx, "pages") : 0;
	uint64_t wakeups = 0;
	unsigned int i;
	int ret;

	for (i = 0; i < u->nr; i++)
		wakeups += u->thread[i].wakeups;
	if (wakeups)
		return fail(EPROTO, "the polling kernel thread slept %" PRIu64 " times",
			    wakeups);
	if (u->poll)
		json_object_set_new(ctx->proof, "wakeups_of_poller",
				    json_integer(0));
	if (d)
		return check_pins(ctx, d, u->fixed ? 0 : pages,
				  u->fixed ? 0 : pages);
	ret = prove(ctx);
	if (ret || !u->fixed)
		return ret;
	for (i = 0; i < u->nr; i++) {
		ret = io_uring_unregister_buffers(&u->thread[i].ring);
		if (ret)
			return fail(-ret, "unregistering buffers: %s",
				    strerror(-ret));
		ret = put_request(u, i, 0) ? one_request(u, i) : -EBUSY;
		if (ret != -EFAULT)
			return fail(EPROTO, "a fixed request does not look at its buffer's slot");
	}
	json_object_set_new(ctx->proof, "fails_without_its_buffer",
			    json_true());
	return 0;
}

/* --- update and unregister --- */

static void table_size(const struct bench_ctx *ctx, uint64_t *def,
		       uint64_t *max)
{
	uint64_t fit = mm_budget() / buffer_bytes(ctx);

	*def = 2 + 300000 / (2000 + 100 * param_num(ctx, "pages"));
	*max = fit < RINGS_MAX_BUFFERS ? fit : RINGS_MAX_BUFFERS;
	if (*def > *max)
		*def = *max;
}

/*
 * Fills the tables, and notes how many pins that leaves: of a folio whose pages
 * are all in one buffer the kernel may keep only one.
 */
static int fill_tables(struct bench_ctx *ctx)
{
	struct vmstat before = { 0 }, after = { 0 };
	struct uring *u = ctx->priv;
	int64_t pinned, released;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < u->nr; i++)
		io_uring_unregister_buffers(&u->thread[i].ring);
	ret = vmstat_take(&before);
	for (i = 0; i < u->nr && !ret; i++)
		ret = fill_table(u, i, ctx->ops);
	if (!ret)
		ret = vmstat_take(&after);
	if (!ret && vmstat_delta(&before, &after, "nr_foll_pin_acquired",
				 &pinned) &&
	    vmstat_delta(&before, &after, "nr_foll_pin_released", &released))
		u->held = pinned - released;
	vmstat_drop(&before);
	vmstat_drop(&after);
	return ret;
}

static int64_t update_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct uring *u = ctx->priv;
	struct iovec iov;
	uint64_t i;
	int ret;

	for (i = 0; i < ctx->ops; i++) {
		iov = buffer(u, thread, i + 1);
		ret = set_slot(u, thread, i, &iov);
		if (ret)
			return ret;
	}
	return ctx->ops;
}

static int update_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	uint64_t pages = param_num(ctx, "pages");

	return d ? check_pins(ctx, d, d->operations * pages,
			      d->operations * pages) : prove(ctx);
}

static int64_t unregister_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct uring *u = ctx->priv;
	static const struct iovec none;
	uint64_t i;
	int ret;

	if (param_is(ctx, "how", "table")) {
		ret = io_uring_unregister_buffers(&u->thread[thread].ring);
		return ret ? fail(-ret, "unregistering buffers: %s",
				  strerror(-ret)) : (int64_t)ctx->ops;
	}
	for (i = 0; i < ctx->ops; i++) {
		ret = set_slot(u, thread, i, &none);
		if (ret)
			return ret;
	}
	return ctx->ops;
}

/* All that was held is released; where others pin too, one of each folio at least. */
static int unregister_verify(struct bench_ctx *ctx,
			     const struct bench_deltas *d)
{
	struct uring *u = ctx->priv;
	uint64_t each = u->bytes / u->r.folio;

	if (!d)
		return prove(ctx);
	if (ctx->icount && u->held <= 0)
		return fail(EPROTO, "registered buffers hold no pins");
	json_object_set_new(ctx->proof, "pages_held", json_integer(u->held));
	return check_pins(ctx, d, 0, ctx->icount ? (uint64_t)u->held :
			  d->operations * (each ? each : 1));
}

/* --- the table --- */

#define WARM "the same few buffers are used over and over, so page tables and struct pages are in the caches"
#define IO_LIES \
	"on a real device the time is that of the device; null_blk moves no data and completes at once; with sqpoll instructions are only those of the side that waits, and it spins: compare time; a file system may hand a request to a worker thread, whose instructions are not counted; " WARM
#define IO_STEPS \
	.measures = "the request and its completion, on /dev/nullb0 or else a temporary file; with buffer=plain also pinning and unpinning its pages", \
	.may_lie = IO_LIES, \
	BENCH_PARAMS(io_params), .needs_root = true, \
	.unavailable = io_unavailable, .size = io_size, .setup = io_setup, \
	.prepare = io_prepare, .run = io_run, .verify = io_verify, \
	.teardown = common_teardown
#define TABLE_STEPS \
	.needs_root = true, .unavailable = common_unavailable, \
	.size = table_size, .setup = common_setup, .prepare = fill_tables, \
	.teardown = common_teardown

static const struct bench uring_read = {
	.name = "uring.read",
	.op = "one io_uring read with O_DIRECT of `pages` pages, always from offset 0, submitted and awaited alone",
	.words = "io_uring read, {buffer} buffer{poll:none=|sqpoll=, SQPOLL}",
	IO_STEPS,
};
BENCH(150, uring_read);

static const struct bench uring_write = {
	.name = "uring.write", .data = "write",
	.op = "one io_uring write with O_DIRECT of `pages` pages, always to offset 0, submitted and awaited alone",
	.words = "io_uring write, {buffer} buffer{poll:none=|sqpoll=, SQPOLL}",
	IO_STEPS,
};
BENCH(151, uring_write);

static const struct bench uring_update = {
	.name = "uring.update",
	.op = "one io_uring_register(2) that gives the slot of a registered buffer of `pages` pages to another",
	.words = "io_uring buffer update",
	.measures = "pinning the new buffer and unpinning the old one, and the slot's accounting",
	.may_lie = "large folios are searched for in all slots, so the cost grows slightly with the operations per batch; where unpinning is deferred it is not part of the batch, and the proof fails; " WARM,
	BENCH_PARAMS(update_params),
	TABLE_STEPS,
	.run = update_run, .verify = update_verify,
};
BENCH(152, uring_update);

static const struct bench uring_unregister = {
	.name = "uring.unregister",
	.op = "unpinning one registered buffer of `pages` pages",
	.words = "io_uring buffer unregistration{how:slot=|table=, whole table}",
	.measures = "unpinning: how=slot with one io_uring_register(2) for each buffer, how=table with one for all of the batch, which includes freeing the table",
	.may_lie = "with how=table the system call is shared by all operations of a batch, so compare equal --ops; " WARM,
	BENCH_PARAMS(unregister_params),
	TABLE_STEPS,
	.run = unregister_run, .verify = unregister_verify,
};
BENCH(153, uring_unregister);
