// SPDX-License-Identifier: GPL-2.0
/*
 * barrier.cost: what a barrier adds to a loop of stores, a store to a flag and
 * a load, against the same loop without it. Three loops take turns within
 * every batch: without, with, and a second copy of the one without. What the
 * two copies differ by, though they are the same code at another address, is
 * what no difference here can be told from.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "../lib/binomial.h"
#include "../lib/env.h"
#include "../lib/util.h"
#include "barrier.h"
#include "barrier_cost.h"
#include "clock.h"
#include "counters.h"
#include "crew.h"
#include "place.h"

/* Operations between two readings of the clock, at most. */
#define SEGMENT		1024
/* Lines that the stores of state=l1 go round in: half of any L1. */
#define L1_LINES	256
/* Lines that the other CPU makes its own before a segment. */
#define OWNED_LINES	4096
#define CONFIDENCE	.95

enum state { STATE_L1, STATE_OWNED, STATE_MMIO };

/* The loops that take turns. */
enum turn { PLAIN, WITH, COPY, NR_TURNS };

enum { CYCLES, INSTRUCTIONS, NR_COUNTS };
static const char *const count_names[NR_COUNTS] = {
	"cycles", "instructions_user"
};

/* Lines that go to and fro between the two CPUs. */
struct hand_over {
	uint64_t want __attribute__((aligned(CREW_LINE)));
	uint64_t from, count;	/* stores to make; count 0: it is over */
	uint64_t done __attribute__((aligned(CREW_LINE)));
};

struct totals {
	double ticks[NR_TURNS];
	uint64_t count[NR_TURNS][NR_COUNTS];
};

struct cost {
	enum state state;
	struct cost_loop loop;
	void (*turn[NR_TURNS])(const struct cost_loop *l);
	size_t bytes;		/* of loop.base */
	uint64_t segment;	/* operations of a whole one */
	uint64_t next;		/* number of the next store */
	uint64_t segments;	/* so far, to change the order of turns */
	int cpus[2];
	struct crew *crew;
	double round_trip_ns;
	struct hand_over *hand;
	char *own;		/* memory of hand, flag, word */
	void *pmu;
	struct counter_value pmu_value[8];
	int pmu_at[NR_COUNTS];	/* index of the metric */
	struct totals totals;	/* of the batch under way */
	uint64_t ops;		/* of the batch under way */
	double *diff, *floor;	/* ns an operation, of each batch that counts */
	size_t nr;
};

static enum state state_of(const struct bench_ctx *ctx)
{
	if (param_is(ctx, "state", "owned"))
		return STATE_OWNED;
	if (param_is(ctx, "state", "mmio"))
		return STATE_MMIO;
	return STATE_L1;
}

static uint64_t lines_of(enum state state)
{
	return state == STATE_OWNED ? OWNED_LINES : L1_LINES;
}

/* --- what can be had --- */

static const char *barrier_missing(const struct bench_ctx *ctx)
{
	static __thread char why[96];
	const struct cost_barrier *b =
		cost_barrier_find(param_text(ctx, "barrier"));

	if (!b->loop) {
		snprintf(why, sizeof(why), "%s is an instruction of %s",
			 b->name, b->arch);
		return why;
	}
#ifdef __aarch64__
	if (!strcmp(b->name, "ldapr") && !(getauxval(AT_HWCAP) & HWCAP_LRCPC))
		return "this CPU has no ldapr (FEAT_LRCPC)";
#endif
	return NULL;
}

static const char *bar_missing(const struct bench_ctx *ctx)
{
	static __thread char why[160];
	const char *bar = param_text(ctx, "bar");

	if (!*bar || !strcmp(bar, "none"))
		return "state=mmio needs bar=/sys/bus/pci/devices/.../resourceN, a BAR that may be written to at will";
	if (access(bar, R_OK | W_OK)) {
		snprintf(why, sizeof(why), "can't open %.80s: %s", bar,
			 strerror(errno));
		return why;
	}
	return NULL;
}

static const char *cost_unavailable(const struct bench_ctx *ctx)
{
	const char *why = barrier_missing(ctx);

	if (why)
		return why;
	switch (state_of(ctx)) {
	case STATE_OWNED:
		if (!param_num(ctx, "stores"))
			return "stores=0 leaves nothing that another CPU could own; state=l1 has the idle store buffer";
		return place_unavailable(ctx, param_text(ctx, "place"), 2);
	case STATE_MMIO:
		why = bar_missing(ctx);
		if (why)
			return why;
		/* fall through */
	case STATE_L1:
		if (!param_is(ctx, "place", "any"))
			return "only state=owned has another CPU to place";
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

static int map_bar(struct cost *c, const char *path)
{
	struct stat st;
	uint64_t lines;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st)) {
		if (fd >= 0)
			close(fd);
		return fail(errno, "%s: %s", path, strerror(errno));
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

/* Operations that store to each line at most once, up to SEGMENT of them. */
static uint64_t segment_of(const struct cost *c)
{
	uint64_t fit;

	if (c->state != STATE_OWNED)
		return SEGMENT;
	fit = OWNED_LINES / c->loop.k;
	return fit < SEGMENT ? fit : SEGMENT;
}

static void open_pmu(struct cost *c)
{
	unsigned int i, j;

	pmu_source.open(&c->pmu, 0, c->pmu_value);
	for (i = 0; i < NR_COUNTS; i++)
		for (j = 0; pmu_source.metrics[j]; j++)
			if (!strcmp(pmu_source.metrics[j], count_names[i]))
				c->pmu_at[i] = j;
}

static int cost_setup(struct bench_ctx *ctx)
{
	struct cost *c = xcalloc(1, sizeof(*c));
	int ret;

	ctx->priv = c;
	c->state = state_of(ctx);
	c->loop.k = param_num(ctx, "stores");
	c->turn[PLAIN] = cost_loop_plain;
	c->turn[WITH] = cost_barrier_find(param_text(ctx, "barrier"))->loop;
	c->turn[COPY] = cost_loop_copy;
	c->own = aligned_alloc(CREW_LINE, sizeof(struct hand_over) +
			       2 * CREW_LINE);
	if (!c->own)
		return fail(ENOMEM, "out of memory");
	memset(c->own, 0, sizeof(struct hand_over) + 2 * CREW_LINE);
	c->hand = (struct hand_over *)c->own;
	c->loop.flag = (uint64_t *)(c->own + sizeof(struct hand_over));
	c->loop.word = c->loop.flag + CREW_LINE / sizeof(uint64_t);
	c->segment = segment_of(c);
	open_pmu(c);

	ret = c->state == STATE_MMIO ? map_bar(c, param_text(ctx, "bar")) :
		map_lines(c, lines_of(c->state));
	if (ret)
		return ret;
	c->cpus[0] = ctx->cpu;
	if (c->state == STATE_OWNED)
		place_cpus(ctx, param_text(ctx, "place"), c->cpus, 2);
	c->crew = crew_new(c->cpus, c->state == STATE_OWNED ? 2 : 1);
	if (!c->crew)
		return -errno;
	if (c->state == STATE_OWNED)
		c->round_trip_ns = crew_round_trip_ns(c->crew);
	return 0;
}

static void cost_teardown(struct bench_ctx *ctx)
{
	struct cost *c = ctx->priv;

	if (!c)
		return;
	crew_free(c->crew);
	if (c->loop.base)
		munmap(c->loop.base, c->bytes);
	if (c->pmu)
		pmu_source.close(c->pmu);
	free(c->own);
	free(c->diff);
	free(c->floor);
	free(c);
	ctx->priv = NULL;
}

/* --- the batch --- */

/* The other CPU: makes the lines of the next segment its own. */
static void serve(struct cost *c)
{
	struct hand_over *h = c->hand;
	uint64_t done = h->done, i;
	unsigned int turns = 0;

	for (;;) {
		while (__atomic_load_n(&h->want, __ATOMIC_ACQUIRE) == done)
			crew_wait(&turns);
		done = h->want;
		for (i = 0; i < h->count; i++)
			__atomic_store_n((uint64_t *)(c->loop.base +
				cost_line(h->from + i, c->loop.mask) *
				COST_LINE), UINT64_MAX, __ATOMIC_RELAXED);
		/* All of them are in this CPU's cache before it says so. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		i = h->count;
		__atomic_store_n(&h->done, done, __ATOMIC_RELEASE);
		if (!i)
			return;
	}
}

static void hand_over(struct cost *c, uint64_t count)
{
	struct hand_over *h = c->hand;
	unsigned int turns = 0;
	uint64_t want = h->want + 1;

	h->from = c->next;
	h->count = count;
	__atomic_store_n(&h->want, want, __ATOMIC_RELEASE);
	while (__atomic_load_n(&h->done, __ATOMIC_ACQUIRE) != want)
		crew_wait(&turns);
}

static void one_turn(struct cost *c, enum turn t, uint64_t ops)
{
	struct cost_loop *l = &c->loop;
	struct counter_value v[8];
	uint64_t start, end;
	unsigned int i;

	if (c->state == STATE_OWNED)
		hand_over(c, ops * l->k);
	l->ops = ops;
	l->from = c->next;
	memcpy(v, c->pmu_value, sizeof(v));
	pmu_source.start(c->pmu);
	start = clock_ticks();
	c->turn[t](l);
	end = clock_ticks();
	pmu_source.stop(c->pmu, v);
	c->next += ops * l->k;
	c->totals.ticks[t] += end - start;
	for (i = 0; i < NR_COUNTS; i++) {
		const struct counter_value *got = &v[c->pmu_at[i]];

		if (!got->present)
			c->pmu_value[c->pmu_at[i]] = *got;
		c->totals.count[t][i] += got->count;
	}
}

/* Each of the loops comes first, second and last as often as the others. */
static void batch(void *arg, unsigned int id)
{
	struct cost *c = arg;
	uint64_t left = c->ops;
	unsigned int i;

	if (id) {
		serve(c);
		return;
	}
	while (left) {
		uint64_t ops = left < c->segment ? left : c->segment;

		for (i = 0; i < NR_TURNS; i++)
			one_turn(c, (c->segments + i) % NR_TURNS, ops);
		c->segments++;
		left -= ops;
	}
	if (c->state == STATE_OWNED)
		hand_over(c, 0);
}

static void give_counts(struct bench_ctx *ctx, const struct cost *c, double ops)
{
	const struct totals *t = &c->totals;
	unsigned int i;

	for (i = 0; i < NR_COUNTS; i++) {
		static const char *const metric[][2] = {
			[CYCLES] = { "cycles", "barrier_cycles" },
			[INSTRUCTIONS] = { "instructions_user",
					   "barrier_instructions" },
		};
		const struct counter_value *v = &c->pmu_value[c->pmu_at[i]];
		double with = t->count[WITH][i], plain = t->count[PLAIN][i];

		if (!v->present) {
			bench_absent(ctx, metric[i][0], v->absent);
			bench_absent(ctx, metric[i][1], v->absent);
			continue;
		}
		bench_sample(ctx, metric[i][0], with / ops);
		bench_sample(ctx, metric[i][1], (with - plain) / ops);
	}
}

static int64_t cost_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct cost *c = ctx->priv;
	double ns[NR_TURNS];
	unsigned int i;

	(void)thread;
	memset(&c->totals, 0, sizeof(c->totals));
	c->ops = ctx->ops;
	crew_run(c->crew, batch, c);

	for (i = 0; i < NR_TURNS; i++)
		ns[i] = c->totals.ticks[i] * 1e9 /
			clock_measure()->frequency_hz / ctx->ops;
	bench_sample(ctx, "ns", ns[WITH]);
	bench_sample(ctx, "plain_ns", ns[PLAIN]);
	bench_sample(ctx, "barrier_ns", ns[WITH] - ns[PLAIN]);
	give_counts(ctx, c, ctx->ops);
	if (!ctx->warmup) {
		c->diff = xrealloc(c->diff, (c->nr + 1) * sizeof(*c->diff));
		c->floor = xrealloc(c->floor, (c->nr + 1) * sizeof(*c->floor));
		c->diff[c->nr] = ns[WITH] - ns[PLAIN];
		c->floor[c->nr++] = ns[COPY] - ns[PLAIN];
	}
	return ctx->ops;
}

/* --- the proof --- */

static uint64_t line_value(const struct cost *c, uint64_t n)
{
	return *(const volatile uint64_t *)(c->loop.base +
			cost_line(n, c->loop.mask) * COST_LINE);
}

/* The last operation's stores are where they belong. */
static int read_back(const struct cost *c)
{
	uint64_t i, n;

	for (i = 1; i <= c->loop.k; i++) {
		n = c->next - i;
		if (line_value(c, n) != n)
			return fail(EPROTO, "store number %" PRIu64 " is not in its line: %" PRIu64 " is",
				    n, line_value(c, n));
	}
	if (*c->loop.flag != c->loop.ops - 1)
		return fail(EPROTO, "the last store to the flag is not there");
	return 0;
}

/* Whether the difference can be told from nothing, and how it is known. */
static void judge(struct bench_ctx *ctx, struct cost *c)
{
	const struct clock_info *clock = clock_measure();
	struct interval d = median_interval(c->diff, c->nr, CONFIDENCE);
	struct interval f = median_interval(c->floor, c->nr, CONFIDENCE);
	double floor = fmax(fabs(f.low), fabs(f.high));
	double step = clock->granularity_ns / c->segment;
	const char *why = NULL;

	if (isinf(d.low))
		why = "too few batches for an interval: 6 are needed";
	else if (d.low <= floor && d.high >= -floor)
		why = "within what two copies of the loop without a barrier differ by";
	else if (fmin(fabs(d.low), fabs(d.high)) < step)
		why = "below the step of the clock";
	json_object_set_new(ctx->proof, "told", json_boolean(!why));
	if (why)
		json_object_set_new(ctx->proof, "not_told", json_string(why));
	if (!isinf(d.low))
		json_object_set_new(ctx->proof, "barrier_ns", json_pack(
				"{s:f, s:f, s:f, s:f}", "low", d.low, "high",
				d.high, "confidence", CONFIDENCE, "floor",
				floor));
}

static int cost_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct cost *c = ctx->priv;
	int ret = c->state == STATE_MMIO ? 0 : read_back(c);

	if (ret || d)
		return ret;
	json_object_set_new(ctx->proof, "cpus", json_pack("[i]", c->cpus[0]));
	if (c->state == STATE_OWNED) {
		json_array_append_new(json_object_get(ctx->proof, "cpus"),
				      json_integer(c->cpus[1]));
		json_object_set_new(ctx->proof, "place", json_string(
				place_of(c->cpus[0], c->cpus[1])));
	}
	if (machine_get()->clock_emulated)
		return 0;
	if (c->state == STATE_OWNED)
		json_object_set_new(ctx->proof, "round_trip_ns",
				    json_real(c->round_trip_ns));
	judge(ctx, c);
	return 0;
}

static const char *const states[] = { "l1", "owned", "mmio", NULL };

static const struct bench_param cost_params[] = {
	{ .name = "barrier", .type = PARAM_ENUM, .def = "none",
	  .choices = cost_barrier_names,
	  .help = "none, or what stands between the stores and the flag; stlr is the store to the flag, ldar and ldapr are the load behind it" },
	{ .name = "state", .type = PARAM_ENUM, .def = "l1", .choices = states,
	  .help = "where the stores before the barrier go: lines in this CPU's L1, lines that another CPU owns, a BAR" },
	{ .name = "stores", .type = PARAM_INT, .def = "4", .min = 0, .max = 64,
	  .help = "stores before the barrier, each to another line; 0: the store buffer is idle" },
	{ .name = "place", .type = PARAM_ENUM, .def = "any",
	  .choices = place_choices, .help = PLACE_HELP },
	{ .name = "bar", .type = PARAM_STRING, .def = "none",
	  .help = "state=mmio: the resource file of a BAR that may be written to at will" },
};

const struct bench barrier_cost = {
	.name = "barrier.cost",
	.op = "the stores, the barrier, a store to a flag, a load",
	.measures = "what the barrier adds to the same loop without it (barrier_ns, barrier_cycles), for each number of stores before it",
	.may_lie = "a barrier in a loop waits for the loop's own stores of the turn before as well; a CPU of another make, or another place of the other CPU, may turn the order round",
	.params = cost_params,
	.nr_params = ARRAY_SIZE(cost_params),
	.own_time = true,
	.unavailable = cost_unavailable,
	.size = cost_size,
	.setup = cost_setup,
	.run = cost_run,
	.verify = cost_verify,
	.teardown = cost_teardown,
};
