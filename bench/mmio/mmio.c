// SPDX-License-Identifier: GPL-2.0
/*
 * mmio: stores to a device's memory through each kind of mapping, and the
 * memory type that is in force there.
 *
 * Writes are posted, so the loop alone measures only the CPU and its store
 * buffer. What a barrier or a read-back after each group adds is a point of its
 * own (flush=...), and the rate in MB/s includes a final load.
 *
 * One file though it is long: stores, loads, maps and aliases share a batch and
 * the measurement around it, which the compiler must see as a whole.
 */
#include "bench/mmio/mmio.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/kit/clock.h"
#include "bench/kit/sources.h"
#include "lib/env.h"
#include "lib/util.h"

/* Groups of a default batch: many compared with the clock's granularity. */
#define BATCH_GROUPS	4096

enum { IN_USER, IN_KERNEL, IN_GUEST, NR_COUNTS };
static const char *const count_names[NR_COUNTS] = {
	"instructions_user", "instructions_kernel", "instructions_guest"
};

struct mmio {
	struct mmio_mem m;
	struct mmio_spec spec;		/* unless a kernel function stores */
	const struct mmio_kernel_seq *kernel;
	struct mmio_code code, tail, empty;
	mmio_fn fn, tail_fn, empty_fn;
	uint64_t blocks, tails;		/* in a batch; tails: groups */
	uint64_t wrap;			/* blocks in a window */
	uint8_t data[MMIO_MAX_GROUP];
	uint64_t batch;			/* number of the batch, counted over all points */
	uint8_t *back;			/* what was read back */
	size_t back_len;
	void *pmu;
	struct counter_value value[16];
	int at[NR_COUNTS];		/* indices of count_names in value[] */
	double bracket[NR_COUNTS];	/* counts of a batch without groups */
	/*
	 * Minimum of all batches so far, since interrupts are not part of the
	 * loop: with calls of a function that stores nothing, and of
	 * counted_in().
	 */
	double around, least;
	/* Of the current batch */
	double ns, drain_ns, empty_ns;
	double count[NR_COUNTS];
	uint64_t *sample;		/* mmio.readback: ticks */
	uint64_t ops;
	uint64_t failed;		/* read-backs of a wrong value */
};

static unsigned int counted_in(const struct mmio *s)
{
	return s->m.vm ? IN_GUEST : s->kernel ? IN_KERNEL : IN_USER;
}

/* --- values --- */

/* splitmix64 (Steele and others 2014), which works with any seed */
static uint64_t mix(uint64_t *x)
{
	uint64_t z = *x += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Batches of this process: each point stores other data than all before. */
static uint64_t batches;

/* Fills the data with new values. */
static void new_data(const struct bench_ctx *ctx, struct mmio *s)
{
	uint64_t x = ctx->seed << 32 ^ ++batches, v;
	size_t i;

	for (i = 0; i < sizeof(s->data); i += 8) {
		v = mix(&x);
		memcpy(s->data + i, &v, 8);
	}
}

static uint8_t image(const struct mmio *s, uint64_t offset)
{
	const struct mmio_kernel_seq *k = s->kernel;

	if (!k)
		return mmio_image(s->spec.seq, s->data, offset);
	if (k->nr == PTELAB_MMIO_MEMSET)
		return s->data[0];
	if (k->copies)
		return s->data[offset];
	return s->data[offset / k->width % 8 * 8 + offset % k->width];
}

/* --- set-up --- */

static void open_pmu(struct mmio *s)
{
	unsigned int i, j;

	pmu_count_guest(s->m.vm);
	pmu_source.open(&s->pmu, 0, s->value);
	pmu_count_guest(false);
	for (i = 0; i < NR_COUNTS; i++)
		for (j = 0; pmu_source.metrics[j]; j++)
			if (!strcmp(pmu_source.metrics[j], count_names[i]))
				s->at[i] = j;
}

/* Returns the width of an aligned load within the group. */
static uint32_t readback_width(const struct mmio_ask *a)
{
	uint64_t bits = a->size | a->offset | 8;

	return bits & 3 ? 1 : bits & 7 ? 4 : 8;
}

/*
 * Makes the loop, one for the rest of a batch, and one that stores nothing. A
 * window has several blocks, so that the last block ends with the window.
 */
static int make_code(struct bench_ctx *ctx, struct mmio *s)
{
	const struct mmio_ask *a = &s->m.ask;
	uint64_t whole = a->window / (s->spec.stride ? s->spec.stride :
						       a->size);
	unsigned int groups = 0;
	int ret = 0;

	mmio_emit(&s->spec, 0, &s->code);
	if (a->pattern == MMIO_STREAM && s->code.groups > whole) {
		free(s->code.bytes);
		groups = whole;
		mmio_emit(&s->spec, groups, &s->code);
	}
	s->wrap = s->code.step ? a->window / s->code.step : UINT64_MAX;
	s->blocks = ctx->ops / s->code.groups;
	s->tails = ctx->ops % s->code.groups;
	if (s->tails)
		mmio_emit(&s->spec, s->tails, &s->tail);
	s->spec.empty = true;
	mmio_emit(&s->spec, s->code.groups, &s->empty);
	s->spec.empty = false;
	if (s->m.vm)
		return vm_mmio_code(s->m.vm, &s->code,
				    s->tails ? &s->tail : NULL);
	s->fn = mmio_map_code(&s->code);
	s->empty_fn = s->fn ? mmio_map_code(&s->empty) : NULL;
	if (s->empty_fn && s->tails)
		s->tail_fn = mmio_map_code(&s->tail);
	if (!s->empty_fn || (s->tails && !s->tail_fn))
		ret = -EOPNOTSUPP;
	return ret;
}

static int one_batch(struct mmio *s, bool stores);
static int kernel_batch(struct mmio *s, uint64_t groups,
			enum ptelab_mmio_sequence nr);

/* The first runs are cold, and some have interrupts. */
#define BRACKETS	4

/* Measures the cost of a batch without its groups: the minimum of a few. */
static int measure_bracket(struct mmio *s)
{
	int ret = one_batch(s, false);
	unsigned int i;

	for (i = 0; i < NR_COUNTS; i++)
		s->bracket[i] = fmin(s->bracket[i], s->count[i]);
	return ret;
}

static int measure_harness(struct mmio *s)
{
	unsigned int i;
	int ret = 0;

	s->least = s->around = INFINITY;
	for (i = 0; i < NR_COUNTS; i++)
		s->bracket[i] = INFINITY;
	for (i = 0; i < BRACKETS && !ret; i++)
		ret = measure_bracket(s);
	if (!s->kernel || s->kernel->plain)
		return ret;
	for (i = 0; i < BRACKETS && !ret; i++) {
		ret = kernel_batch(s, s->ops, PTELAB_MMIO_NOTHING);
		s->around = fmin(s->around, s->count[IN_KERNEL]);
	}
	return ret;
}

static int mmio_setup(struct bench_ctx *ctx)
{
	struct mmio *s = xcalloc(1, sizeof(*s));
	struct mmio_ask ask;
	int ret;

	ctx->priv = s;
	ret = mmio_asked(ctx, &ask);
	s->m.kmod = s->m.container = s->m.group = s->m.device = -1;
	if (!ret)
		ret = mmio_open(&s->m, &ask);
	if (ret)
		return ret;
	if (map_in_kernel(ask.map)) {
		s->kernel = mmio_kernel_seq_find(ask.sequence);
	} else {
		s->spec = (struct mmio_spec){
			.seq = mmio_seq_find(ask.sequence, ask.arch),
			.size = ask.size, .pattern = ask.pattern,
			.flush = ask.flush, .readback = readback_width(&ask),
		};
		ret = make_code(ctx, s);
	}
	s->back_len = (mmio_span(&ask) + 7) / 8 * 8;
	s->back = xcalloc(1, s->back_len + 8);
	open_pmu(s);
	s->ops = ctx->ops;
	new_data(ctx, s);
	return ret ? ret : measure_harness(s);
}

static void mmio_teardown(struct bench_ctx *ctx)
{
	struct mmio *s = ctx->priv;

	if (!s)
		return;
	mmio_unmap_code(s->fn, &s->code);
	mmio_unmap_code(s->tail_fn, &s->tail);
	mmio_unmap_code(s->empty_fn, &s->empty);
	mmio_close(&s->m);
	if (s->pmu)
		pmu_source.close(s->pmu);
	free(s->code.bytes);
	free(s->tail.bytes);
	free(s->empty.bytes);
	free(s->back);
	free(s->sample);
	free(s);
	ctx->priv = NULL;
}

static int mmio_prepare(struct bench_ctx *ctx)
{
	new_data(ctx, ctx->priv);
	return 0;
}

/* --- a batch --- */

static void load(const volatile uint8_t *p)
{
	uint8_t v = *p;

#ifdef __aarch64__
	/* The clock's ISB waits for a branch, and that for the value. */
	asm volatile("cbz %w0, 1f\n1:" : : "r" (v) : "memory");
#else
	asm volatile("" : : "r" (v) : "memory");
#endif
}

static void count(struct mmio *s)
{
	unsigned int i;

	for (i = 0; i < NR_COUNTS; i++)
		s->count[i] = s->value[s->at[i]].present ?
			      s->value[s->at[i]].count : 0;
}

static uint64_t tail_offset(const struct mmio *s, uint64_t blocks)
{
	return s->m.ask.offset + (s->code.step ?
				  blocks % s->wrap * s->code.step : 0);
}

static void host_batch(struct mmio *s, uint64_t blocks, uint64_t tails)
{
	uint8_t *base = s->m.mem + s->m.ask.offset;
	uint8_t *tail = s->m.mem + tail_offset(s, blocks);
	uint64_t t[4];

	pmu_source.start(s->pmu);
	t[0] = clock_ticks();
	if (blocks)
		s->fn(base, blocks, s->data, s->wrap);
	if (tails)
		s->tail_fn(tail, 1, s->data, 1);
	t[1] = clock_ticks();
	pmu_source.stop(s->pmu, s->value);
	t[2] = clock_ticks();
	load(base);
	t[3] = clock_ticks();
	s->ns = clock_ns(t[1] - t[0]);
	s->drain_ns = clock_ns(t[3] - t[2]) + clock_ns(t[2] - t[1]);
	t[0] = clock_ticks();
	if (blocks)
		s->empty_fn(base, blocks, s->data, s->wrap);
	t[1] = clock_ticks();
	s->empty_ns = clock_ns(t[1] - t[0]);
}

static int guest_batch(struct mmio *s, uint64_t blocks, uint64_t tails)
{
	struct vm_mmio_pass p = {
		.offset = s->m.ask.offset, .blocks = blocks, .wrap = s->wrap,
		.tail_offset = tail_offset(s, blocks), .tails = !!tails,
	};
	uint64_t ticks = 0, t;
	int ret;

	pmu_source.start(s->pmu);
	ret = vm_mmio_run(s->m.vm, &p, s->data, sizeof(s->data), &ticks);
	pmu_source.stop(s->pmu, s->value);
	t = clock_ticks();
	load(s->m.mem + s->m.ask.offset);
	s->ns = clock_ns(ticks);
	/* The guest's exit has waited for its stores. */
	s->drain_ns = clock_ns(clock_ticks() - t);
	return ret;
}

static int kernel_batch(struct mmio *s, uint64_t groups,
			enum ptelab_mmio_sequence nr)
{
	const struct mmio_ask *a = &s->m.ask;
	struct ptelab_mmio arg = {
		.op = PTELAB_MMIO_STORE, .sequence = nr,
		.flush = (enum ptelab_mmio_flush)a->flush,
		.group = a->size, .offset = a->offset,
		.window = mmio_span(a) - a->offset,
		.step = a->pattern == MMIO_STREAM ? a->size :
			a->pattern == MMIO_PINGPONG ?
			mmio_pingpong_step(a->size) : 0,
		.groups = groups, .data = (uintptr_t)s->data,
	};
	int ret;

	if (a->pattern == MMIO_PINGPONG)
		arg.window = 2 * arg.step;
	pmu_source.start(s->pmu);
	ret = mmio_kernel(&s->m, &arg);
	pmu_source.stop(s->pmu, s->value);
	count(s);
	s->ns = arg.ns;
	s->drain_ns = arg.drain_ns;
	return ret;
}

/* Runs one batch. Without stores it measures the overhead. */
static int one_batch(struct mmio *s, bool stores)
{
	uint64_t blocks = stores ? s->blocks : 0, tails = stores ? s->tails : 0;
	int ret = 0;

	if (s->kernel)
		return kernel_batch(s, stores ? s->ops : 0, s->kernel->nr);
	if (s->m.vm)
		ret = guest_batch(s, blocks, tails);
	else
		host_batch(s, blocks, tails);
	count(s);
	return ret;
}

/*
 * Gets the instructions per group that were requested: stores, loads of a copy,
 * and the flush. Returns false if a function of the kernel stores, because its
 * instructions are unknown.
 */
static bool asked(const struct mmio *s, double *per_group)
{
	if (s->kernel) {
		/*
		 * A load that waits takes three instructions, as in
		 * mmio_code.c; in a kernel for x86 it is what readl() compiles
		 * to.
		 */
		*per_group = s->m.ask.size / s->kernel->width +
			     (s->m.ask.flush == MMIO_READBACK ? 3 :
			      s->m.ask.flush != MMIO_NONE);
		return s->kernel->plain && (s->m.ask.arch == MMIO_ARM64 ||
					    s->m.ask.flush != MMIO_READBACK);
	}
	*per_group = (double)(s->code.instructions - s->code.overhead) /
		     s->code.groups;
	return true;
}

/*
 * Reports the instructions of a kernel function that is called for each group.
 * The cost of calling a function that stores nothing is the harness's; the
 * rest, without the stores, is the function's own. memcpy_toio() and
 * memset_io() store 8 bytes at a time if everything is a multiple of that.
 */
static void give_called(struct bench_ctx *ctx, const struct mmio *s)
{
	const struct mmio_ask *a = &s->m.ask;
	unsigned int width = s->kernel->width == 1 ? 8 : s->kernel->width;
	double around = (s->around - s->bracket[IN_KERNEL]) / ctx->ops;

	if (a->flush != MMIO_NONE) {
		bench_absent(ctx, "harness_instructions",
			     "with flush=none only: otherwise the share of the loop in what follows a group is unknown");
		bench_absent(ctx, "loop_instructions",
			     "with flush=none only, as harness_instructions");
		return;
	}
	bench_sample(ctx, "harness_instructions", around);
	if ((a->size | a->offset) % width)
		bench_absent(ctx, "loop_instructions",
			     "it is unknown how many stores the function uses for this size and offset");
	else
		bench_sample(ctx, "loop_instructions",
			     (s->least - s->around) / ctx->ops -
			     (double)a->size / width);
}

static void give_counts(struct bench_ctx *ctx, struct mmio *s)
{
	unsigned int in = counted_in(s);
	double per_group;
	const char *absent = s->value[s->at[in]].absent;
	bool called = s->kernel && !s->kernel->plain;

	if (!s->value[s->at[in]].present) {
		absent = absent ? absent : "this PMU does not count it";
		bench_absent(ctx, count_names[in], absent);
		bench_absent(ctx, "harness_instructions", absent);
		if (called)
			bench_absent(ctx, "loop_instructions", absent);
		return;
	}
	bench_sample(ctx, count_names[in],
		     (s->count[in] - s->bracket[in]) / ctx->ops);
	s->least = fmin(s->least, s->count[in]);
	if (called)
		give_called(ctx, s);
	else if (asked(s, &per_group))
		bench_sample(ctx, "harness_instructions",
			     (s->least - s->bracket[in]) / ctx->ops -
			     per_group);
	else
		bench_absent(ctx, "harness_instructions",
			     "the function's barriers can't be separated from its loop");
}

static int64_t mmio_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct mmio *s = ctx->priv;
	double bytes = (double)ctx->ops * s->m.ask.size;
	int ret;

	(void)thread;
	s->ops = ctx->ops;
	ret = one_batch(s, true);
	if (ret)
		return ret;
	bench_sample(ctx, "ns", s->ns / ctx->ops);
	bench_sample(ctx, "ns_per_byte", s->ns / bytes);
	if (s->ns + s->drain_ns > 0)
		bench_sample(ctx, "mb_per_s",
			     bytes / (s->ns + s->drain_ns) * 1e3);
	if (s->fn)
		bench_sample(ctx, "empty_ns", s->empty_ns / ctx->ops);
	give_counts(ctx, s);
	/* Mapping takes a varying number of instructions. */
	ret = s->kernel ? measure_bracket(s) : 0;
	return ret ? ret : (int64_t)ctx->ops;
}

/* --- the proof --- */

/* Returns whether the batch stored to that byte of the span. */
static bool covered(const struct mmio *s, uint64_t at)
{
	const struct mmio_ask *a = &s->m.ask;
	uint32_t step = mmio_pingpong_step(a->size);

	switch (a->pattern) {
	case MMIO_STREAM:
		return at < s->ops * a->size;
	case MMIO_PINGPONG:
		return at % step < a->size && (at < step || s->ops > 1);
	default:
		return true;
	}
}

/* Returns the byte's position in its group. */
static uint32_t in_group(const struct mmio_ask *a, uint64_t at)
{
	return a->pattern == MMIO_PINGPONG ? at % mmio_pingpong_step(a->size) :
	       at % a->size;
}

static int not_proved(const struct mmio *s, uint64_t all, uint64_t wrong,
		      uint64_t first, bool same)
{
	const uint8_t *got = s->back + s->m.ask.offset;

	if (wrong > all / 2 && same)
		return fail(EPROTO, "not proved: this BAR does not keep what is written to it; all of it reads %#04x",
			    got[first]);
	return fail(EPROTO, "not proved: byte %" PRIu64 " is %#04x, not %#04x; %" PRIu64 " of %" PRIu64 " bytes are not what was stored",
		    first, got[first],
		    image(s, in_group(&s->m.ask, first)), wrong, all);
}

/* Checks that every byte reads back as it was last stored. */
static int read_back(struct mmio *s, uint64_t *bytes)
{
	const struct mmio_ask *a = &s->m.ask;
	uint64_t len = mmio_span(a) - a->offset, i, all = 0, wrong = 0;
	const uint8_t *got = s->back + a->offset;
	uint64_t first = 0;
	bool same = true;
	int ret = mmio_read(&s->m, s->back, mmio_span(a));

	if (ret)
		return ret;
	for (i = 0; i < len; i++) {
		if (!covered(s, i))
			continue;
		all++;
		same &= got[i] == got[0];
		if (got[i] == image(s, in_group(a, i)))
			continue;
		if (!wrong++)
			first = i;
	}
	*bytes = all;
	return wrong ? not_proved(s, all, wrong, first, same) : 0;
}

static void tell_code(const struct mmio *s, json_t *proof)
{
	double wrap = s->code.step ? (double)s->code.wrap_cost / s->wrap : 0;
	double per_group;

	if (s->kernel || !asked(s, &per_group))
		return;
	json_object_set_new(proof, "group", json_pack("{s:i, s:f, s:f}",
		"stores", (int)s->code.stores, "instructions",
		(s->code.instructions + wrap) / s->code.groups, "harness",
		(s->code.overhead + wrap) / s->code.groups));
}

static int mmio_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct mmio *s = ctx->priv;
	uint64_t bytes = 0;
	int ret = read_back(s, &bytes);

	if (ret || d)
		return ret;
	json_object_set_new(ctx->proof, "read_back_bytes", json_integer(bytes));
	if (mmio_wants_bar(&s->m.ask))
		json_object_set_new(ctx->proof, "bar", json_pack(
			"{s:s, s:i, s:I, s:b}", "address",
			s->m.ask.bar.address, "nr", (int)s->m.ask.bar.nr,
			"size", (json_int_t)s->m.ask.bar.size, "prefetchable",
			(int)s->m.ask.bar.prefetchable));
	tell_code(s, ctx->proof);
	if (machine_get()->clock_emulated)
		json_object_set_new(ctx->proof, "no_speed", json_string(
			"emulated: stores are not gathered, so there is no write-combining speed to report"));
	return mmio_tell_types(&s->m, ctx->proof);
}

static void mmio_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	(void)ctx;
	*def = BATCH_GROUPS;
	*max = UINT32_MAX;
}

static bool with_guest(const struct bench_ctx *ctx)
{
	return !param_has(ctx->bench, "map") || param_is(ctx, "map", "guest");
}

static unsigned int mmio_events(const struct bench_ctx *ctx)
{
	return with_guest(ctx) ? EVENTS_ALL : EVENTS_MM;
}

/* --- mmio.readback --- */

static const double percentiles[] = { 50, 90, 99, 100 };

static void host_loads(struct mmio *s)
{
	uint8_t *p = s->m.mem + s->m.ask.offset;
	uint64_t i, t, at;

	for (i = 0; i < s->ops; i++) {
		at = i * s->m.ask.size % s->m.ask.window;
		s->tail_fn(p + at, 1, s->data, 1);
		t = clock_ticks();
		load(p + at);
		s->sample[i] = clock_ticks() - t;
	}
}

static int guest_loads(struct mmio *s)
{
	uint64_t done, n;
	int ret = 0;

	for (done = 0; done < s->ops && !ret; done += n) {
		struct vm_mmio_pass p = {
			.step = s->m.ask.size, .window = s->m.ask.window,
			.load_offset = done * s->m.ask.size % s->m.ask.window,
			.sample = s->sample + done,
		};

		n = p.loads = s->ops - done > VM_MMIO_MAX_LOADS ?
			      VM_MMIO_MAX_LOADS : s->ops - done;
		ret = vm_mmio_run(s->m.vm, &p, s->data, sizeof(s->data), NULL);
	}
	return ret;
}

static int kernel_loads(struct mmio *s)
{
	struct ptelab_mmio arg = {
		.op = PTELAB_MMIO_LATENCY, .sequence = s->kernel->nr,
		.group = s->m.ask.size, .step = s->m.ask.size,
		.window = s->m.ask.window, .groups = s->ops,
		.data = (uintptr_t)s->data, .samples = (uintptr_t)s->sample,
	};

	return mmio_kernel(&s->m, &arg);
}

static int64_t readback_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct mmio *s = ctx->priv;
	unsigned int i;
	char name[32];
	uint64_t at;
	int ret = 0;

	(void)thread;
	s->ops = ctx->ops;
	s->sample = xrealloc(s->sample, ctx->ops * sizeof(*s->sample));
	if (s->kernel)
		ret = kernel_loads(s);
	else if (s->m.vm)
		ret = guest_loads(s);
	else
		host_loads(s);
	if (ret)
		return ret;
	qsort(s->sample, ctx->ops, sizeof(*s->sample), cmp_u64);
	for (i = 0; i < ARRAY_SIZE(percentiles); i++) {
		at = percentiles[i] / 100 * (ctx->ops - 1);
		snprintf(name, sizeof(name), percentiles[i] < 100 ?
			 "readback_ns.p%.0f" : "readback_ns.max",
			 percentiles[i]);
		bench_sample(ctx, name, clock_ns(s->sample[at]));
	}
	return ctx->ops;
}

/* A call stores one group. */
static int readback_setup(struct bench_ctx *ctx)
{
	struct mmio *s;
	int ret = mmio_setup(ctx);

	s = ctx->priv;
	if (ret || s->kernel)
		return ret;
	mmio_unmap_code(s->tail_fn, &s->tail);
	s->tail_fn = NULL;
	free(s->tail.bytes);
	mmio_emit(&s->spec, 1, &s->tail);
	if (s->m.vm)
		return vm_mmio_code(s->m.vm, &s->code, &s->tail);
	s->tail_fn = mmio_map_code(&s->tail);
	return s->tail_fn ? 0 : -EOPNOTSUPP;
}

static void readback_size(const struct bench_ctx *ctx, uint64_t *def,
			  uint64_t *max)
{
	(void)ctx;
	*def = BATCH_GROUPS;
	*max = PTELAB_MMIO_MAX_SAMPLES;
}

/* --- mmio.map --- */

static int map_setup(struct bench_ctx *ctx)
{
	struct mmio *s = xcalloc(1, sizeof(*s));
	struct mmio_ask ask;
	int ret;

	ctx->priv = s;
	s->m.kmod = s->m.container = s->m.group = s->m.device = -1;
	ret = mmio_asked(ctx, &ask);
	return ret ? ret : mmio_open(&s->m, &ask);
}

/* Removes the BAR from stage 2, which keeps the guest's code. */
static int map_prepare(struct bench_ctx *ctx)
{
	struct vm_mmio_pass nothing = { .blocks = 0 };
	struct mmio *s = ctx->priv;
	int ret = vm_mmio_forget(s->m.vm);

	s->batch = ++batches;
	return ret ? ret : vm_mmio_run(s->m.vm, &nothing, NULL, 0, NULL);
}

static uint64_t map_value(const struct bench_ctx *ctx, const struct mmio *s)
{
	uint64_t x = ctx->seed << 32 ^ s->batch;

	return mix(&x);
}

static int64_t map_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct mmio *s = ctx->priv;
	struct vm_mmio_pass p = {
		.touch = ctx->ops, .value = map_value(ctx, s),
	};
	int ret;

	(void)thread;
	ret = vm_mmio_run(s->m.vm, &p, NULL, 0, NULL);
	return ret ? ret : (int64_t)ctx->ops;
}

static int map_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct mmio *s = ctx->priv;
	uint64_t value = map_value(ctx, s), i, got;

	for (i = 0; i < ctx->ops; i++) {
		got = *(volatile uint64_t *)(s->m.mem + i * 4096);
		if (got != value + i)
			return fail(EPROTO, "not proved: page %" PRIu64 " is %#" PRIx64 ", but the guest stored %#" PRIx64,
				    i, got, value + i);
	}
	if (d) {
		mmio_count_types(&s->m, ctx);
		return 0;
	}
	json_object_set_new(ctx->proof, "pages", json_integer(ctx->ops));
	return mmio_tell_types(&s->m, ctx->proof);
}

static void map_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	*def = *max = param_num(ctx, "pages");
}

/* --- mmio.alias --- */

/* The host's data; the guest uses the first line of s->data. */
#define HOST_DATA	MMIO_LINE

static int alias_setup(struct bench_ctx *ctx)
{
	struct mmio *s;
	int ret = map_setup(ctx);

	s = ctx->priv;
	if (ret)
		return ret;
	s->spec = (struct mmio_spec){
		.seq = mmio_seq_find(s->m.ask.sequence, s->m.ask.arch),
		.size = s->m.ask.size, .stride = 2 * s->m.ask.size,
	};
	s->ops = ctx->ops;
	s->back = xcalloc(1, mmio_span(&s->m.ask) + 8);
	ret = make_code(ctx, s);
	if (ret)
		return ret;
	s->fn = mmio_map_code(&s->code);
	if (s->fn && s->tails)
		s->tail_fn = mmio_map_code(&s->tail);
	return !s->fn || (s->tails && !s->tail_fn) ? -EOPNOTSUPP : 0;
}

static int64_t alias_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct mmio *s = ctx->priv;
	struct vm_mmio_pass p = {
		.blocks = s->blocks, .wrap = s->wrap,
		.tail_offset = tail_offset(s, s->blocks), .tails = !!s->tails,
	};
	uint8_t *base = s->m.mem + s->m.ask.size;
	int ret = 0;

	if (!thread) {
		ret = vm_mmio_run(s->m.vm, &p, s->data, MMIO_LINE, NULL);
	} else {
		if (s->blocks)
			s->fn(base, s->blocks, s->data + HOST_DATA, s->wrap);
		if (s->tails)
			s->tail_fn(base + p.tail_offset, 1, s->data + HOST_DATA,
				   1);
	}
	return ret ? ret : (int64_t)ctx->ops;
}

/* Checks the lines, which guest and host wrote in turn. */
static int alias_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct mmio *s = ctx->priv;
	uint64_t size = s->m.ask.size, len = 2 * ctx->ops * size, i;
	int ret;

	if (len > s->m.ask.window)
		len = s->m.ask.window;
	ret = mmio_read(&s->m, s->back, len);
	for (i = 0; i < len && !ret; i++) {
		bool host = i / size % 2;
		uint8_t want = mmio_image(s->spec.seq, s->data +
					  (host ? HOST_DATA : 0), i % size);

		if (s->back[i] != want)
			ret = fail(EPROTO, "not proved: byte %" PRIu64 ", which is the %s's, is %#04x and not %#04x",
				   i, host ? "host" : "guest", s->back[i],
				   want);
	}
	if (ret || d)
		return ret;
	json_object_set_new(ctx->proof, "read_back_bytes", json_integer(len));
	json_object_set_new(ctx->proof, "host", json_pack("{s:s, s:s}",
		"type", mem_type_name(mmio_rule(MAP_VFIO, s->m.ask.arch)),
		"from", "the kernel's rule"));
	return mmio_tell_types(&s->m, ctx->proof);
}

/* --- the benchmarks --- */

static const char *const no_yes[] = { "no", "yes", NULL };
static const char *const patterns[] = { "stream", "pingpong", "same-line",
					NULL };
static const char *const flushes[] = { "none", "dsb", "dgh", "readback", NULL };

#ifdef __aarch64__
#define DEFAULT_SEQUENCE	"str8"
#else
#define DEFAULT_SEQUENCE	"mov8"
#endif

#define PARAM_BAR \
	{ .name = "bar", .type = PARAM_STRING, .def = "none", \
	  .help = "the device: 0000:00:03.0 or vendor:device, with /N for BAR N" }, \
	{ .name = "force", .type = PARAM_ENUM, .def = "no", .choices = no_yes, \
	  .help = "take the device from its driver during the measurement" }
#define PARAM_BACKING \
	{ .name = "backing", .type = PARAM_ENUM, .def = "vfio", \
	  .choices = mmio_backings, \
	  .help = "map=guest: the mapping that backs the memslot" }
#define PARAM_GUEST \
	{ .name = "guest", .type = PARAM_ENUM, .def = "nc", \
	  .choices = mmio_guest_types, \
	  .help = "map=guest: the type that the guest requests in stage 1; mixed: alternates nc and ngnre by page" }
#define PARAM_SIZE_OF_GROUP(n) \
	{ .name = "size", .type = PARAM_SIZE, .unit = "bytes", .def = n, \
	  .min = 1, .max = MMIO_MAX_GROUP, .power_of_two = true, \
	  .help = "bytes per group" }
#define PARAM_WINDOW \
	{ .name = "window", .type = PARAM_SIZE, .unit = "bytes", .def = "64k", \
	  .min = 64, .max = 16 * MIB, .power_of_two = true, \
	  .help = "bytes of the BAR that pattern=stream covers" }
#define PARAM_SEQUENCE \
	{ .name = "sequence", .type = PARAM_ENUM, .def = DEFAULT_SEQUENCE, \
	  .choices = mmio_sequences, \
	  .help = "the storing instructions, or with map=ioremap* a function of the kernel" }
#define PARAM_MAP \
	{ .name = "map", .type = PARAM_ENUM, .def = "device", \
	  .choices = mmio_maps, \
	  .help = "the mapping: sysfs resourceN or resourceN_wc, VFIO, a guest's, the kernel's, or RAM instead of a BAR" }

static const struct bench_param store_params[] = {
	PARAM_BAR, PARAM_MAP, PARAM_GUEST, PARAM_BACKING, PARAM_SEQUENCE,
	PARAM_SIZE_OF_GROUP("64"), PARAM_WINDOW,
	{ .name = "offset", .type = PARAM_SIZE, .unit = "bytes", .def = "0",
	  .min = 0, .max = 63,
	  .help = "misalignment of the first group" },
	{ .name = "pattern", .type = PARAM_ENUM, .def = "stream",
	  .choices = patterns,
	  .help = "groups in sequence, alternating between two buffers, or always in one line" },
	{ .name = "flush", .type = PARAM_ENUM, .def = "none",
	  .choices = flushes,
	  .help = "after each group: nothing, dsb st (sfence), dgh, or a load of the stored data" },
};

static const struct bench mmio_store = {
	.name = "mmio.store",
	.op = "one group of stores, and what flush= adds",
	.words = "{sequence} stores, {map}{map:guest= memory}{flush:dsb=, DSB|dgh=, DGH|readback=, read back}",
	.measures = "issuing stores (flush=none), and the cost of a barrier or a read-back after each group; the proof has the memory type in force",
	.may_lie = "writes are posted: without a read-back the figure is that of the CPU and its store buffer; consecutive groups combine better than a driver's single ones",
	BENCH_PARAMS(store_params),
	.needs_root = true,
	.own_time = true,
	.unavailable = mmio_unavailable,
	.size = mmio_size,
	.subscribes = with_guest,
	.events = mmio_events,
	.setup = mmio_setup,
	.prepare = mmio_prepare,
	.run = mmio_run,
	.verify = mmio_verify,
	.teardown = mmio_teardown,
};
BENCH(600, mmio_store);

static const struct bench_param readback_params[] = {
	PARAM_BAR, PARAM_MAP, PARAM_GUEST, PARAM_BACKING, PARAM_SEQUENCE,
	PARAM_SIZE_OF_GROUP("8"), PARAM_WINDOW,
};

static const struct bench mmio_readback = {
	.name = "mmio.readback",
	.op = "one group of stores, and a load of its first byte",
	.words = "{sequence} store and load, {map}",
	.measures = "the time of the load that shows that the stores have arrived, as percentiles over a batch",
	.may_lie = "each includes two readings of the clock; if a device answers loads without waiting for stores, they prove nothing",
	BENCH_PARAMS(readback_params),
	.needs_root = true,
	.own_time = true,
	.unavailable = mmio_unavailable,
	.size = readback_size,
	.subscribes = with_guest,
	.events = mmio_events,
	.setup = readback_setup,
	.prepare = mmio_prepare,
	.run = readback_run,
	.verify = mmio_verify,
	.teardown = mmio_teardown,
};
BENCH(601, mmio_readback);

static const struct bench_param map_params[] = {
	PARAM_BAR, PARAM_BACKING, PARAM_GUEST,
	{ .name = "pages", .type = PARAM_INT, .unit = "pages", .def = "256",
	  .min = 1, .max = 4096, .help = "pages of the BAR, each 4096 bytes" },
};

static const struct bench mmio_map_bench = {
	.name = "mmio.map",
	.op = "one first store of a guest to a page of a BAR",
	.words = "guest's first store to {backing:vfio=a VFIO BAR|sysfs=a BAR mapped by sysfs|ram=a page of RAM}, {guest:nc=NC|ngnre=nGnRE|mixed=NC and nGnRE|wb=WB} in its stage 1",
	.measures = "the stage-2 fault and mapping, and its memory type: s2_maps.*",
	.may_lie = "in practice a guest's device is mapped only once",
	BENCH_PARAMS(map_params),
	.needs_root = true,
	.unavailable = mmio_unavailable,
	.size = map_size,
	.subscribes = with_guest,
	.events = mmio_events,
	.runs_guest = with_guest,
	.setup = map_setup,
	.prepare = map_prepare,
	.run = map_run,
	.verify = map_verify,
	.teardown = mmio_teardown,
};
BENCH(602, mmio_map_bench);

static const struct bench_param alias_params[] = {
	PARAM_BAR, PARAM_GUEST, PARAM_SIZE_OF_GROUP("64"), PARAM_WINDOW,
	{ .name = "threads", .type = PARAM_INT, .def = "2", .min = 2, .max = 2,
	  .help = "one thread is the guest, the other the host" },
};

static const struct bench mmio_alias = {
	.name = "mmio.alias",
	.op = "one group of stores, of the guest or of the host",
	.words = "stores through two mappings, guest {guest}",
	.measures = "whether both streams stay intact if a guest and its host store to one VFIO BAR at the same time, alternating by group, through mappings of different types",
	.may_lie = "no loss here does not prove that none is possible; only the device sees the order",
	BENCH_PARAMS(alias_params),
	.needs_root = true,
	.unavailable = mmio_unavailable,
	.size = mmio_size,
	.subscribes = with_guest,
	.events = mmio_events,
	.setup = alias_setup,
	.prepare = mmio_prepare,
	.run = alias_run,
	.verify = alias_verify,
	.teardown = mmio_teardown,
};
BENCH(603, mmio_alias);
