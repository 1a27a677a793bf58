// SPDX-License-Identifier: GPL-2.0
/*
 * barrier.cost: what a barrier adds to a loop of stores, a store to a flag and
 * a load, depending on where the stores' lines are: in the L1, owned by another
 * CPU, or in a device.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "bench/barrier/barrier_cost.h"
#include "bench/barrier/crew.h"
#include "bench/barrier/paired.h"
#include "bench/bench.h"
#include "bench/kit/pci.h"
#include "bench/kit/place.h"
#include "lib/journal.h"
#include "lib/kmod.h"
#include "lib/util.h"

/* The most operations between two reads of the clock. */
#define SEGMENT		1024
/* Lines that the stores of state=l1 use in turn: half of any L1. */
#define L1_LINES	256
/* Lines that the other CPU takes ownership of before a segment. */
#define OWNED_LINES	4096

#ifdef __aarch64__
#define OWN_ARCH	"arm64"
#else
#define OWN_ARCH	"x86-64"
#endif

enum line_state { STATE_L1, STATE_OWNED, STATE_MMIO };

struct cost {
	enum line_state state;
	const struct cost_barrier *barrier;
	int fd;			/* -1: the loop runs in user space */
	struct cost_loop loop;
	void (*turn[NR_TURNS])(const struct cost_loop *l);
	size_t bytes;		/* of loop.base */
	bool taken;		/* the device was enabled for this */
	long journal;		/* to give it back */
	char *own;		/* memory for flag and word */
	struct paired *paired;
};

static enum line_state state_of(const struct bench_ctx *ctx)
{
	if (param_is(ctx, "state", "owned"))
		return STATE_OWNED;
	if (param_is(ctx, "state", "mmio"))
		return STATE_MMIO;
	return STATE_L1;
}

static uint64_t lines_of(enum line_state state)
{
	return state == STATE_OWNED ? OWNED_LINES : L1_LINES;
}

/* --- what is available --- */

static const char *barrier_missing(const struct bench_ctx *ctx)
{
	static __thread char why[96];
	const struct cost_barrier *b =
		cost_barrier_find(param_text(ctx, "barrier"));

	if (!b->loop && (!b->kernel || (b->arch && strcmp(b->arch, OWN_ARCH)))) {
		snprintf(why, sizeof(why), "%s is an instruction of %s",
			 b->name, b->arch);
		return why;
	}
	if (b->kernel && state_of(ctx) == STATE_MMIO)
		return "the module's loop only stores to memory";
	if (b->kernel)
		return kmod_unavailable(0);
#ifdef __aarch64__
	if (!strcmp(b->name, "ldapr") && !(getauxval(AT_HWCAP) & HWCAP_LRCPC))
		return "this CPU has no ldapr (FEAT_LRCPC)";
#endif
	return NULL;
}

/*
 * Returns the file that bar= names: a file that can be mapped shared, or the
 * resource file of a device's BAR. The caller frees; NULL with fail() text.
 */
static char *bar_file(const char *bar, struct pci_bar *found)
{
	char *path, name[16];

	memset(found, 0, sizeof(*found));
	if (*bar == '/')
		return xstrdup(bar);
	if (pci_bar_find(bar, found))
		return NULL;
	snprintf(name, sizeof(name), "resource%u", found->nr);
	path = pci_file(found, name);
	return path;
}

static const char *bar_missing(const struct bench_ctx *ctx)
{
	static __thread char why[256];
	const char *bar = param_text(ctx, "bar");
	struct pci_bar found;
	const char *in_use;
	char *path;

	if (!*bar || !strcmp(bar, "none"))
		return "state=mmio needs bar=DEVICE, a device whose BAR may be overwritten (see mmio.store), or a file";
	path = bar_file(bar, &found);
	if (!path)
		return fail_text();
	why[0] = '\0';
	in_use = *found.address ? pci_bar_in_use(&found) : NULL;
	if (in_use)
		snprintf(why, sizeof(why), "%s", in_use);
	else if (*found.driver && !param_num(ctx, "force"))
		snprintf(why, sizeof(why), "%s belongs to the driver %s; force=yes takes it away during the measurement",
			 found.address, found.driver);
	else if (access(path, R_OK | W_OK))
		snprintf(why, sizeof(why), "can't open %.150s: %s", path,
			 strerror(errno));
	free(path);
	return *why ? why : NULL;
}

static const char *cost_unavailable(const struct bench_ctx *ctx)
{
	const char *why = barrier_missing(ctx);

	if (why)
		return why;
	switch (state_of(ctx)) {
	case STATE_OWNED:
		if (!param_num(ctx, "stores"))
			return "stores=0 stores to no line that another CPU could own; for an idle store buffer use state=l1";
		return place_unavailable(ctx, param_text(ctx, "place"), 2);
	case STATE_MMIO:
		why = bar_missing(ctx);
		if (why)
			return why;
		/* fall through */
	case STATE_L1:
		if (!param_is(ctx, "place", "any"))
			return "place needs state=owned; other states use no other CPU";
		break;
	}
	return NULL;
}

static void cost_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	(void)ctx;
	*def = 2 * SEGMENT;
	*max = UINT64_MAX;
}

/* --- set-up --- */

static int map_file(struct cost *c, const char *path)
{
	struct stat st;
	uint64_t lines;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st)) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		return fail(err, "%s: %s", path, strerror(err));
	}
	for (lines = L1_LINES; lines * COST_LINE > (uint64_t)st.st_size;)
		lines /= 2;
	c->bytes = lines * COST_LINE;
	c->loop.base = lines ? mmap(NULL, c->bytes, PROT_READ | PROT_WRITE,
				    MAP_SHARED, fd, 0) : MAP_FAILED;
	close(fd);
	if (c->loop.base == MAP_FAILED) {
		c->loop.base = NULL;
		return fail(EOPNOTSUPP, "%s can't be mapped: is it a memory BAR?",
			    path);
	}
	c->loop.mask = lines - 1;
	return 0;
}

static int map_bar(struct cost *c, const char *bar, bool force)
{
	struct pci_bar found;
	char *path = bar_file(bar, &found);
	int ret;

	if (!path)
		return -errno;
	/* without a driver, memory decoding may be disabled as well */
	ret = *found.address ? pci_take(&found, NULL, force) : 0;
	c->taken = !ret && *found.address;
	if (!ret)
		ret = map_file(c, path);
	free(path);
	return ret;
}

static int map_lines(struct cost *c, uint64_t lines)
{
	c->bytes = lines * COST_LINE;
	c->loop.base = mmap(NULL, c->bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (c->loop.base == MAP_FAILED) {
		c->loop.base = NULL;
		return fail(errno, "mmap: %s", strerror(errno));
	}
	c->loop.mask = lines - 1;
	return 0;
}

/* Returns as many operations, up to SEGMENT, as store to no line twice. */
static uint64_t segment_of(const struct cost *c)
{
	uint64_t fit;

	if (c->state != STATE_OWNED)
		return SEGMENT;
	fit = OWNED_LINES / c->loop.k;
	return fit < SEGMENT ? fit : SEGMENT;
}

/* --- the loops --- */

static int64_t cost_turn(void *arg, enum paired_turn t, uint64_t from,
			 uint64_t ops)
{
	struct cost *c = arg;

	c->loop.from = from * c->loop.k;
	c->loop.ops = ops;
	c->turn[t](&c->loop);
	return 0;
}

/* The same loop, in the kernel. */
static int64_t kernel_turn(void *arg, enum paired_turn t, uint64_t from,
			   uint64_t ops)
{
	const uint64_t page = sysconf(_SC_PAGESIZE);
	struct cost *c = arg;
	struct ptelab_barrier b = {
		.barrier = t == TURN_PLAIN ? PTELAB_BARRIER_NONE :
			   t == TURN_COPY ? PTELAB_BARRIER_COPY :
			   c->barrier->kernel,
		.stores = c->loop.k, .addr = (uintptr_t)c->loop.base,
		.len = (c->bytes + page - 1) / page * page,
		.lines = c->loop.mask + 1,
		.from = from * c->loop.k, .ops = ops,
	};
	int ret = kmod_barrier(c->fd, &b);

	*c->loop.flag = b.flag;
	c->loop.ops = ops;
	/* the clock may be too coarse to measure it */
	return ret ? ret : b.ticks ? (int64_t)b.ticks : 1;
}

/* The other CPU takes ownership of the lines of the next operations. */
static void cost_other(void *arg, uint64_t from, uint64_t ops)
{
	struct cost *c = arg;
	uint64_t n = from * c->loop.k, end = n + ops * c->loop.k;

	for (; n < end; n++)
		__atomic_store_n((uint64_t *)(c->loop.base +
				 cost_line(n, c->loop.mask) * COST_LINE),
				 UINT64_MAX, __ATOMIC_RELAXED);
}

/* Index: does the kernel run the loop, does another CPU own the lines. */
static const struct paired_work works[2][2] = {
	{ { cost_turn, NULL, false }, { cost_turn, cost_other, false } },
	{ { kernel_turn, NULL, true }, { kernel_turn, cost_other, true } },
};

static int cost_setup(struct bench_ctx *ctx)
{
	struct cost *c = xcalloc(1, sizeof(*c));
	int cpus[2] = { ctx->cpu }, ret;

	ctx->priv = c;
	c->state = state_of(ctx);
	c->loop.k = param_num(ctx, "stores");
	c->turn[TURN_PLAIN] = cost_loop_plain;
	c->barrier = cost_barrier_find(param_text(ctx, "barrier"));
	c->turn[TURN_WITH] = c->barrier->loop;
	c->fd = -1;
	c->turn[TURN_COPY] = cost_loop_copy;
	c->own = aligned_alloc(CREW_LINE, 2 * CREW_LINE);
	if (!c->own)
		return fail(ENOMEM, "out of memory");
	memset(c->own, 0, 2 * CREW_LINE);
	c->loop.flag = (uint64_t *)c->own;
	c->loop.word = (uint64_t *)(c->own + CREW_LINE);

	c->journal = journal_mark();
	ret = c->state == STATE_MMIO ?
	      map_bar(c, param_text(ctx, "bar"), param_num(ctx, "force")) :
	      map_lines(c, lines_of(c->state));
	if (!ret && c->barrier->kernel)
		ret = c->fd = kmod_open(NULL);
	if (ret < 0)
		return ret;
	if (c->state == STATE_OWNED)
		place_cpus(ctx, param_text(ctx, "place"), cpus, 2);
	c->paired = paired_new(&works[c->fd >= 0][c->state == STATE_OWNED], c,
			       cpus, segment_of(c));
	return c->paired ? 0 : -errno;
}

static void cost_teardown(struct bench_ctx *ctx)
{
	struct cost *c = ctx->priv;

	if (!c)
		return;
	paired_free(c->paired);
	if (c->fd >= 0)
		close(c->fd);
	if (c->loop.base)
		munmap(c->loop.base, c->bytes);
	if (c->taken)
		journal_restore_to(c->journal);
	free(c->own);
	free(c);
	ctx->priv = NULL;
}

static int64_t cost_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct cost *c = ctx->priv;

	int ret = paired_batch(c->paired, ctx);

	(void)thread;
	return ret ? ret : (int64_t)ctx->ops;
}

/* --- the proof --- */

static uint64_t line_value(const struct cost *c, uint64_t n)
{
	return *(const volatile uint64_t *)(c->loop.base +
			cost_line(n, c->loop.mask) * COST_LINE);
}

/* Checks that the last operation's stores are in memory. */
static int read_back(const struct cost *c)
{
	uint64_t i, n;

	for (i = 1; i <= c->loop.k; i++) {
		n = paired_next(c->paired) * c->loop.k - i;
		if (line_value(c, n) != n)
			return fail(EPROTO, "store number %" PRIu64 " is not in its line: %" PRIu64 " is",
				    n, line_value(c, n));
	}
	if (*c->loop.flag != c->loop.ops - 1)
		return fail(EPROTO, "the last store to the flag is lost");
	return 0;
}

static int cost_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct cost *c = ctx->priv;
	int ret = read_back(c);

	/* a device need not return what was stored */
	if (c->state == STATE_MMIO) {
		json_object_set_new(ctx->proof, "read_back",
				    json_boolean(!ret));
		ret = 0;
	}
	if (!ret && !d)
		paired_prove(c->paired, ctx);
	return ret;
}

static const char *const no_yes[] = { "no", "yes", NULL };
static const char *const states[] = { "l1", "owned", "mmio", NULL };

static const struct bench_param cost_params[] = {
	{ .name = "barrier", .type = PARAM_ENUM, .def = "none",
	  .choices = cost_barrier_names,
	  .help = "the barrier between the stores and the flag, or none; stlr is the store to the flag, ldar and ldapr are the load after it; smp_mb and the following run in the kernel, in ptelab.ko" },
	{ .name = "state", .type = PARAM_ENUM, .def = "l1", .choices = states,
	  .help = "the target of the stores before the barrier: lines in this CPU's L1, lines that another CPU owns, or a BAR" },
	{ .name = "stores", .type = PARAM_INT, .def = "4", .min = 0, .max = 64,
	  .help = "stores before the barrier, each to its own line; 0: the store buffer is idle" },
	{ .name = "place", .type = PARAM_ENUM, .def = "any",
	  .choices = place_choices, .help = PLACE_HELP },
	{ .name = "bar", .type = PARAM_STRING, .def = "none",
	  .help = "state=mmio: a device that may be overwritten, with /N for its BAR N; or a file that can be mapped, such as a resource file" },
	{ .name = "force", .type = PARAM_ENUM, .def = "no", .choices = no_yes,
	  .help = "state=mmio: take the device from its driver during the measurement" },
};

static const struct bench barrier_cost = {
	.name = "barrier.cost",
	.op = "the stores, the barrier, a store to a flag, a load",
	.words = "stores, {barrier}, flag",
	.measures = "the cost that the barrier adds to the loop without it (barrier_ns, barrier_cycles), for each number of stores before it",
	.may_lie = "a barrier in a loop also waits for the loop's own stores of the previous iteration; on another CPU model, or with another place of the other CPU, the ranking may be different",
	BENCH_PARAMS(cost_params),
	.own_time = true,
	.unavailable = cost_unavailable,
	.size = cost_size,
	.events = bench_no_events,
	.setup = cost_setup,
	.run = cost_run,
	.verify = cost_verify,
	.teardown = cost_teardown,
};
BENCH(500, barrier_cost);
