// SPDX-License-Identifier: GPL-2.0
/*
 * barrier.publish: one CPU brings up a vCPU, and another finds it. Measures
 * what goes wrong without barriers (measure=order), how long it takes until the
 * other CPU sees it (latency), and the cost for either side (writer, reader,
 * and bail for a reader whose test fails).
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/barrier/barrier_litmus.h"
#include "bench/barrier/crew.h"
#include "bench/barrier/paired.h"
#include "bench/barrier/publish.h"
#include "bench/barrier/race.h"
#include "bench/bench.h"
#include "bench/kit/place.h"
#include "lib/binomial.h"
#include "lib/env.h"
#include "lib/util.h"

#define BATCH		20000
#define BATCH_EMULATED	4000
#define CONFIDENCE	.95
/* Distinct from any number that is ever published. */
#define NOT_THERE	(1ULL << 40)
/* Buckets of the latency histogram per factor of two, from 1 ns on. */
#define PER_OCTAVE	8
#define BUCKETS		(32 * PER_OCTAVE)

enum measure { ORDER, LATENCY, WRITER, READER, BAIL };

static const char *const measures[] = {
	"order", "latency", "writer", "reader", "bail", NULL
};

/* One line for each direction. */
struct turn_taking {
	uint64_t ready __attribute__((aligned(CREW_LINE)));	/* reader's */
	uint64_t stamp __attribute__((aligned(CREW_LINE)));	/* writer's */
} __attribute__((aligned(CREW_LINE)));

struct latency {
	double *ns;		/* nr values of the current batch */
	size_t nr;
	uint64_t bucket[BUCKETS];	/* all batches */
	uint64_t negative;	/* seen before it was stored, because clocks differ */
};

/*
 * A random half of the publications is read without the reader's barrier, so
 * that the effect of the barrier is separate from what the hypervisor or the
 * machine changes meanwhile.
 */
enum { OWN, PLAIN, NR_READS };

struct publish {
	struct turn_taking turn;
	uint64_t copy[PUBLISH_MAX_WORDS] __attribute__((aligned(CREW_LINE)));
	struct publish_slot slot[PUBLISH_SLOTS];
	char *memory;
	unsigned int words;
	enum publish_writer writer;
	enum publish_reader reader;
	enum publish_watch watch;
	enum measure measure;
	const struct litmus_test *test;
	struct control control;
	int cpus[2];
	struct crew *crew;		/* order and latency */
	double round_trip_ns;
	unsigned int spread;	/* of the random moments at which it is published */
	struct paired *paired;		/* the costs */
	uint64_t random, choice;	/* of the writer, of the reader */
	uint64_t next;		/* publication */
	uint64_t ops;		/* of the current batch */
	uint64_t old;		/* contexts in the current batch that were old */
	uint64_t sum;		/* uses what readers read, so that the compiler keeps the reads */
	/* without warm-up */
	uint64_t outcomes, witnesses;
	uint64_t by_word[PUBLISH_MAX_WORDS];	/* by the first word that was old */
	bool keep;
	struct latency seen[NR_READS], usable[NR_READS];
	/* delay in ns that the barrier causes, for each batch that counts */
	double *later;
	size_t nr_later;
};

static int choice(const struct bench_ctx *ctx, const char *param,
			   const char *const *choices)
{
	int i;

	for (i = 0; choices[i]; i++)
		if (param_is(ctx, param, choices[i]))
			return i;
	return 0;
}

static const char *publish_unavailable(const struct bench_ctx *ctx)
{
	enum measure m = choice(ctx, "measure", measures);

	if (m == LATENCY && machine_get()->clock_emulated)
		return "emulated: the clock is the emulator's";
	if (m == BAIL)
		return param_is(ctx, "place", "any") ? NULL :
			"this measure uses no other CPU: use place=any";
	return place_unavailable(ctx, param_text(ctx, "place"), 2);
}

static void publish_size(const struct bench_ctx *ctx, uint64_t *def,
			 uint64_t *max)
{
	(void)ctx;
	*def = machine_get()->icount ? 2 * PUBLISH_SLOTS :
	       machine_get()->clock_emulated ? BATCH_EMULATED : BATCH;
	*max = 1ULL << 32;
}

/* --- measure=order and latency --- */

static void write_side(struct publish *p)
{
	const struct publish_side *side = &publish_sides[p->writer];
	struct turn_taking *t = &p->turn;
	uint64_t end = p->next + p->ops;
	unsigned int turns = 0;
	uint64_t n;

	for (n = p->next; n != end; n++) {
		const struct publish_slot *s = &p->slot[n % PUBLISH_SLOTS];

		while (__atomic_load_n(&t->ready, __ATOMIC_ACQUIRE) != n)
			race_spin(&turns);
		/* publish at a random moment of the reader's loop */
		race_idle(race_draw(&p->random) % p->spread);
		if (p->measure == LATENCY)
			__atomic_store_n(&t->stamp, side->publish_stamp(s,
					 p->words, n, p->watch),
					 __ATOMIC_RELEASE);
		else
			side->publish(s, p->words, n);
	}
}

static void check(struct publish *p, uint64_t n)
{
	unsigned int i;

	for (i = 0; i < p->words; i++) {
		if (p->copy[i] == n)
			continue;
		p->old++;
		if (p->keep)
			p->by_word[i]++;
		return;
	}
}

static void note_latency(struct publish *p, struct latency *l, uint64_t from,
			 uint64_t to)
{
	double ns = (double)(int64_t)(to - from) * 1e9 /
		clock_measure()->frequency_hz;
	int b = ns > 1 ? log2(ns) * PER_OCTAVE : 0;

	l->ns[l->nr++] = ns;
	if (!p->keep)
		return;
	l->negative += ns < 0;
	l->bucket[b < BUCKETS ? b : BUCKETS - 1]++;
}

static void read_side(struct publish *p)
{
	observe_fn *const observe[NR_READS] = {
		[OWN] = observe_sides[p->reader].observe,
		[PLAIN] = observe_sides[READER_CTRL].observe,
	};
	struct turn_taking *t = &p->turn;
	uint64_t end = p->next + p->ops, n, stamp;
	struct publish_seen at;
	unsigned int turns = 0;

	for (n = p->next; n != end; n++) {
		const struct publish_slot *s = &p->slot[n % PUBLISH_SLOTS];

		unsigned int read = p->measure == LATENCY ?
			race_draw(&p->choice) >> 32 & 1 : OWN;

		__atomic_store_n(&t->ready, n, __ATOMIC_RELEASE);
		observe[read](s, p->words, n, p->watch, p->copy,
			      p->measure == LATENCY ? &at : NULL);
		if (p->measure != LATENCY) {
			check(p, n);
			continue;
		}
		while (!(stamp = __atomic_load_n(&t->stamp, __ATOMIC_ACQUIRE)))
			race_spin(&turns);
		t->stamp = 0;
		note_latency(p, &p->seen[read], stamp, at.seen);
		note_latency(p, &p->usable[read], stamp, at.usable);
	}
}

static void both_sides(void *arg, unsigned int id)
{
	if (id)
		read_side(arg);
	else
		write_side(arg);
}

/* --- the costs --- */

static int64_t writer_turn(void *arg, enum paired_turn t, uint64_t from,
			   uint64_t ops)
{
	struct publish *p = arg;
	const struct publish_side *side =
		t == TURN_PLAIN ? &publish_sides[WRITER_NONE] :
		t == TURN_COPY ? &publish_copy : &publish_sides[p->writer];

	side->loop(p->slot, p->words, from + 1, ops);
	return 0;
}

static int64_t reader_turn(void *arg, enum paired_turn t, uint64_t from,
			   uint64_t ops)
{
	struct publish *p = arg;
	const struct observe_side *side =
		t == TURN_PLAIN ? &observe_sides[READER_CTRL] :
		t == TURN_COPY ? &observe_copy : &observe_sides[p->reader];
	uint64_t n = from + 1 + (p->measure == BAIL ? NOT_THERE : 0);

	p->sum += side->loop(p->slot, p->words, n, ops, p->watch);
	return 0;
}

/* Acts as an earlier reader, which has all lines of these slots. */
static void writer_other(void *arg, uint64_t from, uint64_t ops)
{
	struct publish *p = arg;
	uint64_t sum = 0, n;
	unsigned int i;

	for (n = from + 1; n < from + 1 + ops; n++) {
		const struct publish_slot *s = &p->slot[n % PUBLISH_SLOTS];

		for (i = 0; i < p->words; i++)
			sum += *(const volatile uint64_t *)&s->words[i];
		sum += *(const volatile uint64_t *)s->initialised +
			*(const volatile uint64_t *)s->flag;
	}
	__atomic_store_n(&p->turn.stamp, sum, __ATOMIC_RELAXED);
}

/* Acts as an earlier writer, which has just published these. */
static void reader_other(void *arg, uint64_t from, uint64_t ops)
{
	struct publish *p = arg;

	publish_sides[WRITER_WMB].loop(p->slot, p->words, from + 1, ops);
}

static const struct paired_work works[] = {
	[WRITER] = { writer_turn, writer_other, false },
	[READER] = { reader_turn, reader_other, false },
	[BAIL] = { reader_turn, NULL, false },
};

/* --- steps --- */

static int make_slots(struct publish *p)
{
	size_t words = (p->words * sizeof(uint64_t) + CREW_LINE - 1) /
		CREW_LINE * CREW_LINE, size = words + 2 * CREW_LINE;
	unsigned int i;

	p->memory = aligned_alloc(CREW_LINE, size * PUBLISH_SLOTS);
	if (!p->memory)
		return fail(ENOMEM, "out of memory");
	memset(p->memory, 0, size * PUBLISH_SLOTS);
	for (i = 0; i < PUBLISH_SLOTS; i++) {
		char *at = p->memory + i * size;

		p->slot[i] = (struct publish_slot){
			(uint64_t *)at, (uint64_t *)(at + words),
			(uint64_t *)(at + words + CREW_LINE),
		};
	}
	return 0;
}

static int start_crew(struct publish *p, uint64_t ops)
{
	int ret = control_get(p->cpus, 2, false, &p->control), i;

	if (ret)
		return ret;
	p->crew = crew_new(p->cpus, 2);
	if (!p->crew)
		return -errno;
	p->round_trip_ns = crew_round_trip_ns(p->crew);
	p->spread = race_spread(p->round_trip_ns);
	for (i = 0; i < NR_READS; i++) {
		p->seen[i].ns = xcalloc(ops, sizeof(double));
		p->usable[i].ns = xcalloc(ops, sizeof(double));
	}
	return 0;
}

static int publish_setup(struct bench_ctx *ctx)
{
	struct publish *p = aligned_alloc(CREW_LINE, sizeof(*p));
	int ret;

	if (!p)
		return fail(ENOMEM, "out of memory");
	memset(p, 0, sizeof(*p));
	ctx->priv = p;
	p->words = param_num(ctx, "words");
	p->writer = choice(ctx, "writer", publish_writers);
	p->reader = choice(ctx, "reader", publish_readers);
	p->watch = choice(ctx, "watch", publish_watches);
	p->measure = choice(ctx, "measure", measures);
	p->test = litmus_find(publish_litmus(p->writer, p->reader, p->watch));
	p->random = ctx->seed * 0x9e3779b97f4a7c15ULL + 1;
	p->choice = race_draw(&p->random);
	p->next = 1;
	ret = make_slots(p);
	if (ret)
		return ret;
	p->cpus[0] = ctx->cpu;
	if (p->measure != BAIL)
		place_cpus(ctx, param_text(ctx, "place"), p->cpus, 2);
	if (p->measure == ORDER || p->measure == LATENCY)
		return start_crew(p, ctx->ops);
	p->paired = paired_new(&works[p->measure], p, p->cpus, PUBLISH_SLOTS);
	return p->paired ? 0 : -errno;
}

static void publish_teardown(struct bench_ctx *ctx)
{
	struct publish *p = ctx->priv;
	int i;

	if (!p)
		return;
	crew_free(p->crew);
	paired_free(p->paired);
	for (i = 0; i < NR_READS; i++) {
		free(p->seen[i].ns);
		free(p->usable[i].ns);
	}
	free(p->later);
	free(p->memory);
	free(p);
	ctx->priv = NULL;
}

static int cmp_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Returns the mean of the middle half. It has finer steps than the median. */
static double middle(const struct latency *l)
{
	size_t from = l->nr / 4, to = l->nr - from, i;
	double sum = 0;

	for (i = from; i < to; i++)
		sum += l->ns[i];
	return sum / (to - from);
}

static void give_latency(struct bench_ctx *ctx, struct publish *p)
{
	static const struct { const char *name; double q; } quantiles[] = {
		{ "p50", .5 }, { "p90", .9 }, { "p99", .99 },
	};
	char metric[32];
	size_t i;

	for (i = 0; i < NR_READS; i++) {
		qsort(p->seen[i].ns, p->seen[i].nr, sizeof(double), cmp_double);
		qsort(p->usable[i].ns, p->usable[i].nr, sizeof(double),
		      cmp_double);
	}
	for (i = 0; i < ARRAY_SIZE(quantiles); i++) {
		size_t nr = p->seen[OWN].nr, at = nr ?
			quantiles[i].q * (nr - 1) : 0;

		snprintf(metric, sizeof(metric), "latency_ns.%s",
			 quantiles[i].name);
		bench_sample(ctx, metric, p->seen[OWN].ns[at]);
		snprintf(metric, sizeof(metric), "usable_ns.%s",
			 quantiles[i].name);
		bench_sample(ctx, metric, p->usable[OWN].ns[at]);
	}
	/* with few operations all may have been drawn alike */
	if (ctx->warmup || !p->seen[OWN].nr || !p->seen[PLAIN].nr)
		return;
	p->later = xrealloc(p->later, (p->nr_later + 1) * sizeof(double));
	p->later[p->nr_later++] = middle(&p->seen[OWN]) -
		middle(&p->seen[PLAIN]);
}

static int64_t publish_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct publish *p = ctx->priv;
	int i;

	(void)thread;
	if (p->paired) {
		int ret = paired_batch(p->paired, ctx);

		return ret ? ret : (int64_t)ctx->ops;
	}
	p->ops = ctx->ops;
	p->old = 0;
	p->keep = !ctx->warmup;
	p->turn.ready = 0;
	for (i = 0; i < NR_READS; i++)
		p->seen[i].nr = p->usable[i].nr = 0;
	crew_run(p->crew, both_sides, p);
	p->next += ctx->ops;
	if (p->keep) {
		p->outcomes += ctx->ops;
		p->witnesses += p->old;
	}
	if (p->measure == LATENCY) {
		give_latency(ctx, p);
		return ctx->ops;
	}
	if (forbidden_here(p->test))
		bench_sample(ctx, "forbidden_outcomes",
			     (double)p->old / ctx->ops);
	else
		bench_absent(ctx, "forbidden_outcomes",
			     "the models in force allow an old context here");
	return ctx->ops;
}

static json_t *buckets_json(const struct latency *l)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		if (l->bucket[i])
			json_array_append_new(list, json_pack("[f, I]",
					exp2((double)i / PER_OCTAVE),
					(json_int_t)l->bucket[i]));
	return list;
}

/* Records whether the reader's barrier changes when the store is seen. */
static void prove_later(json_t *proof, struct publish *p)
{
	struct interval i = median_interval(p->later, p->nr_later, CONFIDENCE);
	bool told = i.low > 0 || i.high < 0;

	if (isinf(i.low))
		return;
	json_object_set_new(proof, "later_ns", json_pack(
			"{s:f, s:f, s:f, s:f, s:b}", "median",
			p->later[p->nr_later / 2], "low", i.low, "high",
			i.high, "confidence", CONFIDENCE, "told", (int)told));
}

static void prove_latency(json_t *proof, struct publish *p)
{
	json_object_set_new(proof, "latency_histogram",
			    buckets_json(&p->seen[OWN]));
	json_object_set_new(proof, "usable_histogram",
			    buckets_json(&p->usable[OWN]));
	json_object_set_new(proof, "plain_latency_histogram",
			    buckets_json(&p->seen[PLAIN]));
	json_object_set_new(proof, "negative",
			    json_integer(p->seen[OWN].negative +
					 p->seen[PLAIN].negative));
	json_object_set_new(proof, "round_trip_ns",
			    json_real(p->round_trip_ns));
	prove_later(proof, p);
}

static void prove_order(json_t *proof, const struct publish *p)
{
	static const char fresh[] = "seen; context=new;";
	static const char old[] = "seen; context=old;";
	json_t *words = json_object(), *histogram = json_object();
	char name[16];
	unsigned int i;

	for (i = 0; i < p->words; i++) {
		if (!p->by_word[i])
			continue;
		snprintf(name, sizeof(name), "%u", i);
		json_object_set_new(words, name, json_integer(p->by_word[i]));
	}
	if (p->outcomes > p->witnesses)
		json_object_set_new(histogram, fresh, json_integer(
				p->outcomes - p->witnesses));
	if (p->witnesses)
		json_object_set_new(histogram, old,
				    json_integer(p->witnesses));
	json_object_set_new(proof, "condition",
			    json_string("(seen /\\ context=old)"));
	json_object_set_new(proof, "target", json_string(old));
	json_object_set_new(proof, "outcomes", json_integer(p->outcomes));
	json_object_set_new(proof, "witnesses", json_integer(p->witnesses));
	json_object_set_new(proof, "histogram", histogram);
	json_object_set_new(proof, "old_words", words);
	put_evidence(proof, p->test, &p->control, p->witnesses, p->outcomes);
}

static int publish_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct publish *p = ctx->priv;
	uint64_t last = p->next - 1;
	unsigned int i;

	/* the last publication must be complete */
	for (i = 0; i < p->words && p->crew; i++)
		if (p->slot[last % PUBLISH_SLOTS].words[i] != last)
			return fail(EPROTO, "word %u of the last context is %" PRIu64 ", not %" PRIu64,
				    i, p->slot[last % PUBLISH_SLOTS].words[i],
				    last);
	if (d)
		return 0;
	json_object_set_new(ctx->proof, "litmus", json_string(p->test->name));
	put_models(ctx->proof, p->test);
	if (p->paired) {
		paired_prove(p->paired, ctx);
		return 0;
	}
	place_prove(ctx->proof, p->cpus, 2);
	if (p->measure == LATENCY)
		prove_latency(ctx->proof, p);
	else
		prove_order(ctx->proof, p);
	return 0;
}

static const struct bench_param publish_params[] = {
	{ .name = "writer", .type = PARAM_ENUM, .def = "wmb",
	  .choices = publish_writers,
	  .help = "none: no barrier; mb: smp_mb before the flag only; wmb: smp_wmb before is_initialised; release: smp_store_release of is_initialised; releases: of both words" },
	{ .name = "reader", .type = PARAM_ENUM, .def = "rmb",
	  .choices = publish_readers,
	  .help = "none: reads the context in any case; ctrl: only if the test succeeds; rmb, acquire, full: with smp_rmb, an acquiring test or smp_mb in between" },
	{ .name = "watch", .type = PARAM_ENUM, .def = "flag",
	  .choices = publish_watches,
	  .help = "the word that the reader tests: the down flag, like a scheduler, or is_initialised, like a toolstack" },
	{ .name = "words", .type = PARAM_INT, .def = "16", .min = 1,
	  .max = PUBLISH_MAX_WORDS, .unit = "words",
	  .help = "64-bit words in the context" },
	{ .name = "measure", .type = PARAM_ENUM, .def = "order",
	  .choices = measures,
	  .help = "order: old contexts seen; latency: time until the store is seen, and how the reader's barrier changes it; writer, reader, bail: cost for the writer, for the reader, and for a reader whose test fails" },
	{ .name = "place", .type = PARAM_ENUM, .def = "any",
	  .choices = place_choices, .help = PLACE_HELP },
};

static const struct bench barrier_publish = {
	.name = "barrier.publish",
	.op = "filling a context, setting is_initialised, clearing the down flag; another CPU sees it",
	.words = "publish, {writer} and {reader}",
	.measures = "old contexts that a model in force forbids (measure=order), the time from the store until it is seen and until the context is read (latency), the cost of the barriers on either side (writer, reader, bail)",
	.may_lie = "latency relies on synchronous counters of the CPUs, and reading the clock delays the store; costs are those of a loop; x86-64 and emulation on it never show an old context",
	BENCH_PARAMS(publish_params),
	.own_time = true,
	.unavailable = publish_unavailable,
	.size = publish_size,
	.events = bench_no_events,
	.setup = publish_setup,
	.run = publish_run,
	.verify = publish_verify,
	.teardown = publish_teardown,
};
BENCH(501, barrier_publish);
