// SPDX-License-Identifier: GPL-2.0
/*
 * barrier.mp, sb, lb, s, r, 2+2w, wrc, iriw: how often CPUs show the outcome
 * that a test of lib/litmus asks for, and what the memory models say about it.
 *
 * That an outcome is never seen is no evidence by itself. So store buffering
 * without barriers, which every machine shows, runs on the same CPUs in the
 * same run; and a machine whose own model forbids a shape even without barriers
 * is reported as one that can't show it.
 */
#include "bench/barrier/barrier_litmus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/barrier/crew.h"
#include "bench/bench.h"
#include "bench/kit/clock.h"
#include "bench/kit/place.h"
#include "lib/binomial.h"
#include "lib/env.h"
#include "lib/kmod.h"
#include "lib/util.h"

/* Outcomes of a batch: enough that starting the threads is negligible. */
#define BATCH		50000
#define BATCH_EMULATED	5000
/* The control ends when it has seen enough, or has run long enough. */
#define CONTROL_CHUNK	10000
#define CONTROL_ENOUGH	20
#define CONTROL_MOST	2000000
#define CONFIDENCE	.95
/* The tools that made the verdicts in the .litmus files. */
#define MODELS_BY	"herd7 7.58, LKMM of Linux 6.12"

/* --- the machine --- */

/* Returns whether the CPU that finally executes the instructions is an x86. */
static bool on_x86(bool *emulated)
{
	const struct machine *m = machine_get();
	char *cmdline;
	bool x86;

	*emulated = m->kind == MACHINE_EMULATED;
#ifdef __x86_64__
	return true;
#endif
	if (!*emulated)
		return false;
	/* scripts/lab/boot passes the host's architecture to the guest */
	cmdline = read_line("/proc/cmdline");
	x86 = cmdline && strstr(cmdline, "ptelab.host=x86_64");
	free(cmdline);
	return x86;
}

const char *machine_cannot(const struct litmus_test *t)
{
	static __thread char why[160];
	const struct litmus_test *plain = litmus_find_variant(t->shape, "none");
	bool emulated;

	if (!on_x86(&emulated) ||
	    plain->verdict[MODEL_X86_64] != VERDICT_NEVER)
		return NULL;
	snprintf(why, sizeof(why), "this machine cannot exhibit %s: %s x86-64, whose own model (TSO) forbids it without any barrier",
		 plain->name, emulated ? "it is emulated on" : "it is");
	return why;
}

/* Returns the memory model of this program's own instructions. */
static enum litmus_model own_model(void)
{
#ifdef __aarch64__
	return MODEL_AARCH64;
#else
	return MODEL_X86_64;
#endif
}

bool forbidden_here(const struct litmus_test *t)
{
	return t->verdict[MODEL_LKMM] == VERDICT_NEVER ||
	       t->verdict[own_model()] == VERDICT_NEVER;
}

void put_models(json_t *proof, const struct litmus_test *t)
{
	json_t *models = json_object(), *by = json_array();
	int m;

	for (m = 0; m < NR_MODELS; m++) {
		json_object_set_new(models, litmus_model_name(m), json_string(
				litmus_verdict_name(t->verdict[m])));
		if (t->verdict[m] == VERDICT_NEVER &&
		    (m == MODEL_LKMM || m == (int)own_model()))
			json_array_append_new(by, json_string(
					litmus_model_name(m)));
	}
	json_object_set_new(models, "by", json_string(MODELS_BY));
	json_object_set_new(proof, "models", models);
	json_object_set_new(proof, "forbidden_by", by);
}

/* --- the positive control --- */

/* A test that runs in user space, or in the kernel. */
struct place_to_run {
	struct litmus *here;
	int fd;			/* of the module */
	struct ptelab_litmus arg;
};

static int run_open(struct place_to_run *r, bool kernel,
		    const struct litmus_test *t, const int *cpus,
		    const struct litmus_options *o)
{
	int i;

	memset(r, 0, sizeof(*r));
	r->fd = -1;
	/* also for the kernel: it measures the round trip of a line */
	r->here = litmus_new(t, cpus, o);
	if (!r->here)
		return -errno;
	if (!kernel)
		return 0;
	r->fd = kmod_open(NULL);
	if (r->fd < 0)
		return r->fd;
	r->arg = (struct ptelab_litmus){
		.flags = (o->shuffle ? PTELAB_LITMUS_SHUFFLE : 0) |
			 (o->start == START_NONE ? PTELAB_LITMUS_FREE : 0),
		.stride = o->stride, .spread = litmus_spread(r->here),
		.seed = o->seed,
	};
	snprintf(r->arg.name, sizeof(r->arg.name), "%s", t->name);
	for (i = 0; i < t->nr_procs; i++)
		r->arg.cpu[i] = cpus[i];
	return 0;
}

static int run_some(struct place_to_run *r, uint64_t outcomes,
		    uint64_t state[LITMUS_STATES])
{
	int ret, i;

	if (r->fd < 0) {
		litmus_run(r->here, outcomes, state);
		return 0;
	}
	r->arg.outcomes = outcomes;
	r->arg.seed++;
	ret = kmod_litmus(r->fd, &r->arg);
	for (i = 0; i < LITMUS_STATES && !ret; i++)
		state[i] += r->arg.state[i];
	return ret;
}

static void run_close(struct place_to_run *r)
{
	litmus_free(r->here);
	if (r->fd >= 0)
		close(r->fd);
}

static int control_pair(const int *cpus, bool kernel, struct control *c)
{
	static const struct litmus_options o = {
		.start = START_USER, .stride = 1, .shuffle = true, .seed = 1,
	};
	const struct litmus_test *sb = litmus_find("SB");
	uint64_t state[LITMUS_STATES] = { 0 };
	struct place_to_run r;
	int ret = run_open(&r, kernel, sb, cpus, &o);

	while (!ret && c->outcomes < CONTROL_MOST &&
	       c->witnesses < CONTROL_ENOUGH) {
		ret = run_some(&r, CONTROL_CHUNK, state);
		c->outcomes += CONTROL_CHUNK;
		c->witnesses = state[sb->target];
	}
	run_close(&r);
	return ret;
}

/* Runs the control for a pair of CPUs, once per run. */
static int control_known(const int *cpus, bool kernel, struct control *c)
{
	static struct known {
		int cpus[2];
		bool kernel;
		struct control control;
	} *known;
	static size_t nr;
	size_t i;
	int ret;

	for (i = 0; i < nr; i++) {
		if (memcmp(known[i].cpus, cpus, sizeof(known[i].cpus)) ||
		    known[i].kernel != kernel)
			continue;
		*c = known[i].control;
		return 0;
	}
	*c = (struct control){ 0 };
	ret = control_pair(cpus, kernel, c);
	if (ret)
		return ret;
	known = xrealloc(known, (nr + 1) * sizeof(*known));
	known[nr++] = (struct known){ { cpus[0], cpus[1] }, kernel, *c };
	return 0;
}

int control_get(const int *cpus, unsigned int nr, bool kernel,
		struct control *c)
{
	unsigned int i;
	int ret = 0;

	c->outcomes = 0;
	for (i = 1; i < nr && !ret; i++) {
		int pair[] = { cpus[0], cpus[i] };
		struct control one;

		ret = control_known(pair, kernel, &one);
		if (!ret && (!c->outcomes || one.witnesses < c->witnesses))
			*c = one;
	}
	return ret;
}

/* Records the bound of the rate, and the outcomes that a lower one takes. */
static void put_rate(json_t *proof, uint64_t witnesses, uint64_t outcomes)
{
	struct interval i = binomial_interval(witnesses, outcomes, CONFIDENCE);

	json_object_set_new(proof, "rate", json_pack("{s:f, s:f, s:f, s:f}",
			"seen", outcomes ? (double)witnesses / outcomes : 0,
			"low", i.low, "high", i.high,
			"confidence", CONFIDENCE));
	if (witnesses)
		return;
	json_object_set_new(proof, "ruled_out_above", json_real(
			binomial_upper_of_none(outcomes, CONFIDENCE)));
	json_object_set_new(proof, "outcomes_to_rule_out", json_pack(
			"{s:I, s:I}", "1e-6",
			(json_int_t)binomial_outcomes_needed(1e-6, CONFIDENCE),
			"1e-9",
			(json_int_t)binomial_outcomes_needed(1e-9, CONFIDENCE)));
}

void put_evidence(json_t *proof, const struct litmus_test *t,
		  const struct control *c, uint64_t witnesses,
		  uint64_t outcomes)
{
	const char *why = NULL, *cannot = machine_cannot(t);

	json_object_set_new(proof, "control", json_pack("{s:s, s:I, s:I}",
			"test", "SB", "outcomes", (json_int_t)c->outcomes,
			"witnesses", (json_int_t)c->witnesses));
	put_rate(proof, witnesses, outcomes);
	json_object_set_new(proof, "observation", json_string(
			!witnesses ? "Never" :
			witnesses == outcomes ? "Always" : "Sometimes"));
	if (!witnesses && cannot)
		why = cannot;
	else if (!witnesses && !c->witnesses)
		why = "store buffering without barriers was not seen on these CPUs, either";
	json_object_set_new(proof, "evidence", json_string(
			witnesses ? "seen" : why ? "none" : "control"));
	if (why)
		json_object_set_new(proof, "no_evidence", json_string(why));
	if (cannot)
		json_object_set_new(proof, "cannot_exhibit",
				    json_string(cannot));
}

/* --- the benchmarks --- */

struct running {
	const struct litmus_test *test;
	struct place_to_run run;
	struct control control;
	int cpus[LITMUS_PROCS];
	uint64_t state[LITMUS_STATES];	/* without warm-up */
	uint64_t ticks;
};

/* Returns the test for "barrier.mp" with these barriers. */
static const struct litmus_test *test_of(const struct bench_ctx *ctx)
{
	return litmus_find_variant(strchr(ctx->bench->name, '.') + 1,
				   param_text(ctx, "barriers"));
}

static bool in_kernel(const struct bench_ctx *ctx)
{
	return param_is(ctx, "where", "kernel");
}

static const char *litmus_unavailable(const struct bench_ctx *ctx)
{
	const char *why;

	if (param_num(ctx, "stride") % 2 == 0)
		return "stride must be odd; otherwise some lines would be used twice and others never";
	if (in_kernel(ctx) && param_is(ctx, "start", "timebase"))
		return "where=kernel supports only start=user and start=none";
	why = place_unavailable(ctx, param_text(ctx, "place"),
				test_of(ctx)->nr_procs);
	return why || !in_kernel(ctx) ? why : kmod_unavailable(0);
}

static void litmus_size(const struct bench_ctx *ctx, uint64_t *def,
			uint64_t *max)
{
	(void)ctx;
	*def = machine_get()->clock_emulated ? BATCH_EMULATED : BATCH;
	*max = UINT64_MAX;
}

static enum litmus_start start_of(const struct bench_ctx *ctx)
{
	int i;

	for (i = 0; litmus_starts[i]; i++)
		if (param_is(ctx, "start", litmus_starts[i]))
			return i;
	return START_USER;
}

static int litmus_setup(struct bench_ctx *ctx)
{
	struct litmus_options o = {
		.start = start_of(ctx), .stride = param_num(ctx, "stride"),
		.shuffle = param_is(ctx, "shuffle", "on"),
		.seed = ctx->seed,
	};
	struct running *r = xcalloc(1, sizeof(*r));
	int ret;

	ctx->priv = r;
	r->test = test_of(ctx);
	place_cpus(ctx, param_text(ctx, "place"), r->cpus, r->test->nr_procs);
	ret = control_get(r->cpus, r->test->nr_procs, in_kernel(ctx),
			  &r->control);
	r->run.fd = -1;
	return ret ? ret : run_open(&r->run, in_kernel(ctx), r->test, r->cpus,
				    &o);
}

static void litmus_teardown(struct bench_ctx *ctx)
{
	struct running *r = ctx->priv;

	if (r)
		run_close(&r->run);
	free(r);
	ctx->priv = NULL;
}

static int64_t litmus_batch(struct bench_ctx *ctx, unsigned int thread)
{
	uint64_t state[LITMUS_STATES] = { 0 }, start, end;
	struct running *r = ctx->priv;
	unsigned int i;
	int ret;

	(void)thread;
	start = clock_ticks();
	ret = run_some(&r->run, ctx->ops, state);
	end = clock_ticks();
	if (ret)
		return ret;
	if (!ctx->warmup) {
		r->ticks += end - start;
		for (i = 0; i < LITMUS_STATES; i++)
			r->state[i] += state[i];
	}
	if (forbidden_here(r->test))
		bench_sample(ctx, "forbidden_outcomes",
			     (double)state[r->test->target] / ctx->ops);
	else
		bench_absent(ctx, "forbidden_outcomes",
			     "the models in force allow the outcome");
	return ctx->ops;
}

static void put_histogram(json_t *proof, const struct running *r,
			  uint64_t outcomes)
{
	json_t *histogram = json_object();
	char text[128];
	unsigned int i;

	for (i = 0; i < LITMUS_STATES; i++)
		if (r->state[i])
			json_object_set_new(histogram,
				litmus_state_text(r->test, i, text),
				json_integer(r->state[i]));
	json_object_set_new(proof, "test", json_string(r->test->name));
	json_object_set_new(proof, "condition",
			    json_string(r->test->condition));
	json_object_set_new(proof, "target", json_string(
			litmus_state_text(r->test, r->test->target, text)));
	json_object_set_new(proof, "outcomes", json_integer(outcomes));
	json_object_set_new(proof, "witnesses",
			    json_integer(r->state[r->test->target]));
	json_object_set_new(proof, "histogram", histogram);
}

static int litmus_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct running *r = ctx->priv;
	uint64_t outcomes = 0;
	unsigned int i;
	double seconds;

	/* leave out the counted pass, because it has probes attached */
	if (d)
		return 0;
	for (i = 0; i < LITMUS_STATES; i++)
		outcomes += r->state[i];
	put_histogram(ctx->proof, r, outcomes);
	put_models(ctx->proof, r->test);
	put_evidence(ctx->proof, r->test, &r->control,
		     r->state[r->test->target], outcomes);
	place_prove(ctx->proof, r->cpus, r->test->nr_procs);
	if (machine_get()->clock_emulated)
		return 0;
	seconds = clock_ns(r->ticks) / 1e9;
	json_object_set_new(ctx->proof, "seconds", json_real(seconds));
	json_object_set_new(ctx->proof, "outcomes_per_second",
			    json_real(outcomes / seconds));
	return 0;
}

static const char *const on_off[] = { "on", "off", NULL };
static const char *const wheres[] = { "user", "kernel", NULL };

#define PARAMS(SHAPE)							\
	static const struct bench_param params_##SHAPE[] = {		\
		{ .name = "barriers", .type = PARAM_ENUM, .def = "none",	\
		  .choices = litmus_choices_##SHAPE,			\
		  .help = "what orders the accesses of the processes that have two, by the kernel's names: wmb is smp_wmb, rel smp_store_release, ctrl a control dependency, po nothing" }, \
		{ .name = "where", .type = PARAM_ENUM, .def = "user",	\
		  .choices = wheres,					\
		  .help = "run in threads of this program, or in kernel threads of ptelab.ko with the kernel's own primitives" }, \
		{ .name = "start", .type = PARAM_ENUM, .def = "user",	\
		  .choices = litmus_starts,				\
		  .help = "how the processes of an outcome start together: by a barrier of stores and loads, at a value of the CPUs' counter, or not at all" }, \
		{ .name = "stride", .type = PARAM_INT, .def = "1",	\
		  .min = 1, .max = LITMUS_SIZE - 1, .unit = "lines",	\
		  .help = "distance between the variables of one outcome and the next; odd" }, \
		{ .name = "shuffle", .type = PARAM_ENUM, .def = "on",	\
		  .choices = on_off,					\
		  .help = "move the variables relative to each other, and between caches" }, \
		{ .name = "place", .type = PARAM_ENUM, .def = "any",	\
		  .choices = place_choices, .help = PLACE_HELP },	\
	}

#define SHAPE(PLACE, NAME, TEXT, WHAT)					\
	PARAMS(NAME);							\
	static const struct bench barrier_##NAME = {			\
		.name = "barrier." TEXT,				\
		.op = "one outcome of the litmus test: " WHAT,		\
		.words = "litmus test " TEXT ", {barriers}",		\
		.measures = "how often reordering is seen (proof), and outcomes that a model in force forbids", \
		.may_lie = "an outcome that is not seen may be just rare: the interval bounds its rate; under emulation on x86-64, and on x86-64, the host's own ordering hides what arm64 allows", \
		.params = params_##NAME,				\
		.nr_params = ARRAY_SIZE(params_##NAME),			\
		.own_time = true,					\
		.unavailable = litmus_unavailable,			\
		.size = litmus_size,					\
		.events = bench_no_events,				\
		.setup = litmus_setup,					\
		.run = litmus_batch,					\
		.verify = litmus_verify,				\
		.teardown = litmus_teardown,				\
	};								\
	BENCH(PLACE, barrier_##NAME)

SHAPE(502, mp, "mp", "message passing");
SHAPE(503, sb, "sb", "store buffering");
SHAPE(504, lb, "lb", "load buffering");
SHAPE(505, s, "s", "a store overtakes one that was seen before");
SHAPE(506, r, "r", "a store is overwritten, but the store before it is not seen");
SHAPE(507, 2_2w, "2+2w", "two pairs of stores in opposite orders");
SHAPE(508, wrc, "wrc", "write-to-read causality, three CPUs");
SHAPE(509, iriw, "iriw", "independent reads of independent writes, four CPUs");
