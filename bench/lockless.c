// SPDX-License-Identifier: GPL-2.0
/*
 * lockless: what a lockless read of a page table entry returns, rather than what
 * it costs. Both benchmarks need ptelab.ko, which does the reads.
 *
 * In a contpte block access and dirty are in any of 16 entries, so arm64's
 * ptep_get_lockless() gathers them while others may change the block. Two
 * questions: without a race, is the value the same as ptep_get()'s? With a race,
 * does it ever have a dirty or access bit that no entry has at the time of the
 * recheck, and does the recheck notice?
 *
 *	recheck		a block of the module's, which is not part of any page
 *			table, and a known writer, so that for each value it is
 *			known whether it was true at some moment of the read
 *	compare		live page tables, under their lock
 *
 * The recheck is that of GUP-fast: it compares the value with what ptep_get()
 * returns now. A "relaxed" recheck leaves access and dirty out, as a reader that
 * does not need them would do.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/bench.h"
#include "bench/kit/mm.h"
#include "bench/kit/params.h"
#include "lib/kmod.h"
#include "lib/util.h"

/* --- recheck --- */

static const char *const reader_choices[] = { "kernel", "single", NULL };

static const char *const writer_choices[] = {
	"none", "fold", "age", "wrprotect", "zap", "all", NULL
};

static const struct bench_param recheck_params[] = {
	{ .name = "reader", .type = PARAM_ENUM, .def = "kernel",
	  .choices = reader_choices,
	  .help = "kernel: contpte_ptep_get_lockless(); single: only this entry, like a reader that does not need access and dirty" },
	{ .name = "writer", .type = PARAM_ENUM, .def = "all",
	  .choices = writer_choices,
	  .help = "what another CPU does to the block at the same time: fold and unfold it, and in between age and clean its entries and set access and dirty, write-protect it, zap it, or all of these" },
	{ .name = "entry", .type = PARAM_INT, .def = "7", .min = 0, .max = 15,
	  .help = "the entry of the block to read" },
};

struct recheck {
	int fd;
	struct ptelab_retry arg;	/* of the last batch, results and all */
};

static bool writer_is(const struct bench_ctx *ctx, const char *name)
{
	return param_is(ctx, "writer", name);
}

static const char *recheck_unavailable(const struct bench_ctx *ctx)
{
	if (!writer_is(ctx, "none") && ctx->racer_cpu < 0)
		return "needs a second CPU for the writer: on one CPU there is no race";
	return kmod_unavailable(PTELAB_FEAT_CONTPTE);
}

static void recheck_size(const struct bench_ctx *ctx, uint64_t *def,
			 uint64_t *max)
{
	*def = writer_is(ctx, "none") ? 2000 : 50000;
	*max = PTELAB_RETRY_MAX_READS;
}

static uint32_t steps_of(const struct bench_ctx *ctx)
{
	const uint32_t age = PTELAB_STEP_AGE | PTELAB_STEP_HW |
			     PTELAB_STEP_CLEAN;

	/* Folding and unfolding are always included. */
	if (writer_is(ctx, "age"))
		return age;
	if (writer_is(ctx, "wrprotect"))
		return PTELAB_STEP_WRPROTECT;
	if (writer_is(ctx, "zap"))
		return PTELAB_STEP_ZAP;
	if (writer_is(ctx, "all"))
		return age | PTELAB_STEP_WRPROTECT | PTELAB_STEP_ZAP;
	return 0;
}

static int recheck_setup(struct bench_ctx *ctx)
{
	struct recheck *t = xcalloc(1, sizeof(*t));

	ctx->priv = t;
	t->fd = kmod_open(NULL);
	return t->fd < 0 ? t->fd : 0;
}

static void recheck_teardown(struct bench_ctx *ctx)
{
	struct recheck *t = ctx->priv;

	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	free(t);
	ctx->priv = NULL;
}

static int recheck_prepare(struct bench_ctx *ctx)
{
	struct recheck *t = ctx->priv;
	bool quiet = writer_is(ctx, "none");

	t->arg = (struct ptelab_retry) {
		.reader = param_is(ctx, "reader", "kernel") ?
			  PTELAB_READER_KERNEL : PTELAB_READER_SINGLE,
		.script = quiet ? PTELAB_SCRIPT_QUIET : PTELAB_SCRIPT_RACE,
		.steps = steps_of(ctx),
		.cpu = quiet ? -1 : ctx->racer_cpu,
		.index = param_num(ctx, "entry"),
		.reads = ctx->ops,
		.seed = ctx->seed,
	};
	return 0;
}

static int64_t recheck_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct recheck *t = ctx->priv;
	int ret = kmod_retry(t->fd, &t->arg);

	(void)thread;
	return ret ? ret : (int64_t)t->arg.done;
}

static int recheck_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	const struct recheck *t = ctx->priv;
	const struct ptelab_retry *r = &t->arg;

	if (r->wrong)
		return fail(EPROTO, "%llu of %llu reads returned a value that was never true, the first %#llx where e.g. %#llx was true",
			    r->wrong, r->done, r->wrong_value,
			    r->wrong_expected);
	if (r->script == PTELAB_SCRIPT_QUIET && r->exact != r->done)
		return fail(EPROTO, "nothing wrote, but only %llu of %llu reads returned the contents of the block",
			    r->exact, r->done);
	if (r->script == PTELAB_SCRIPT_RACE && !(r->folds && r->unfolds))
		return fail(EPROTO, "the writer did nothing during the reads: use more --ops");
	if (!d)
		return 0;
	if (r->script == PTELAB_SCRIPT_RACE)
		bench_count(ctx, "racer_rounds", r->rounds);
	bench_count(ctx, "recheck.mixed", r->mixed);
	bench_count(ctx, "recheck.unchecked", r->unchecked);
	bench_count(ctx, "recheck.dirty_gone", r->dirty_gone);
	bench_count(ctx, "recheck.dirty_gone_uncaught",
		    r->dirty_gone - r->dirty_gone_caught);
	bench_count(ctx, "recheck.dirty_gone_uncaught_relaxed",
		    r->dirty_gone - r->dirty_gone_caught_relaxed);
	bench_count(ctx, "recheck.dirty_missed", r->dirty_missed);
	bench_count(ctx, "recheck.young_gone", r->young_gone);
	bench_count(ctx, "recheck.young_gone_uncaught",
		    r->young_gone - r->young_gone_caught);
	bench_count(ctx, "recheck.young_gone_uncaught_relaxed",
		    r->young_gone - r->young_gone_caught_relaxed);
	bench_count(ctx, "recheck.young_missed", r->young_missed);
	json_object_set_new(ctx->proof, "reads_true",
			    json_integer(r->exact + r->mixed));
	json_object_set_new(ctx->proof, "reads_of_a_folded_block",
			    json_integer(r->cont));
	return 0;
}

static const struct bench lockless_recheck = {
	.name = "lockless.recheck",
	.op = "one lockless read of an entry of a contpte block, and its recheck with the writer locked out",
	.words = "lockless read by {reader}{writer:none=|fold=, raced by fold|age=, raced by aging|wrprotect=, raced by wrprotect|zap=, raced by zap|all=, raced by all}",
	.measures = "how often the value has an access or dirty bit that no entry has at the recheck, or lacks one that an entry has, and whether the recheck detects it",
	.may_lie = "use its counts only: its time is mostly bookkeeping of the module. The block is not a page table and the writer does nothing else, so races are far more frequent than in practice; \"uncaught\" refers to a recheck at one moment, and hardware may change the entry right after it",
	BENCH_PARAMS(recheck_params),
	.needs_root = true,
	.unavailable = recheck_unavailable,
	.size = recheck_size,
	.setup = recheck_setup,
	.prepare = recheck_prepare,
	.run = recheck_run,
	.verify = recheck_verify,
	.teardown = recheck_teardown,
};
BENCH(200, lockless_recheck);

/* --- compare --- */

static const char *const dirty_choices[] = { "all", "some", NULL };

static const struct bench_param compare_params[] = {
	PARAM_FOLIO("contpte"),
	{ .name = "dirty", .type = PARAM_ENUM, .def = "some",
	  .choices = dirty_choices,
	  .help = "all: write to every page; some: clean all and write to every third, so that the entries of a block differ" },
};

struct compare {
	int fd;
	struct mm_region r;
	struct ptelab_ptes sum;		/* of the whole region, before a batch */
	uint64_t compared, different;	/* in the last batch */
};

static const char *compare_unavailable(const struct bench_ctx *ctx)
{
	uint64_t folio = param_num(ctx, "folio");
	const char *why = mm_folio_unavailable(MM_ANON, folio);

	if (!why && mm_caps()->pmd &&
	    mm_leaf_expected(mm_caps(), folio) >= mm_caps()->pmd)
		why = "a PMD maps it, so there are no page table entries to read";
	return why ? why : kmod_unavailable(0);
}

static uint64_t region_pages(const struct compare *t)
{
	return t->r.bytes / mm_caps()->page;
}

static void compare_size(const struct bench_ctx *ctx, uint64_t *def,
			 uint64_t *max)
{
	(void)ctx;
	*def = 4096;
	*max = UINT64_MAX;
}

static int compare_setup(struct bench_ctx *ctx)
{
	struct compare *t = xcalloc(1, sizeof(*t));
	uint64_t folio = param_num(ctx, "folio"), bytes = 16 * folio;
	int ret;

	ctx->priv = t;
	t->r.fd = -1;
	t->fd = kmod_open(NULL);
	if (t->fd < 0)
		return t->fd;
	if (bytes < 256 * KIB)
		bytes = 256 * KIB;
	if (bytes > 4 * MIB)
		bytes = folio > 4 * MIB ? folio : 4 * MIB;
	ret = mm_region_open(&t->r, MM_ANON, false, folio, 1, bytes);
	return ret ? ret : mm_region_populate(&t->r);
}

static void compare_teardown(struct bench_ctx *ctx)
{
	struct compare *t = ctx->priv;

	if (!t)
		return;
	if (t->fd >= 0)
		close(t->fd);
	mm_region_close(&t->r);
	free(t);
	ctx->priv = NULL;
}

/*
 * MADV_FREE leaves every entry clean and old, and blocks folded. A store then
 * makes one entry of a block dirty if hardware does that.
 */
static int compare_prepare(struct bench_ctx *ctx)
{
	uint64_t page = mm_caps()->page, i, step = 1;
	struct compare *t = ctx->priv;

	if (param_is(ctx, "dirty", "some")) {
		step = 3;
		if (madvise(t->r.base, t->r.bytes, MADV_FREE))
			return fail(errno, "madvise(MADV_FREE): %s",
				    strerror(errno));
	}
	for (i = 0; i < t->r.bytes; i += step * page)
		(*(volatile char *)(t->r.base + i))++;
	return kmod_ptes(t->fd, 0, t->r.base, t->r.bytes, &t->sum, NULL);
}

static int64_t compare_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct compare *t = ctx->priv;
	uint64_t page = mm_caps()->page, n, done;
	struct ptelab_ptes sum;

	(void)thread;
	t->compared = t->different = 0;
	for (done = 0; done < ctx->ops; done += n) {
		int ret;

		n = region_pages(t);
		if (n > ctx->ops - done)
			n = ctx->ops - done;
		ret = kmod_ptes(t->fd, PTELAB_PTES_COMPARE, t->r.base, n * page,
				&sum, NULL);
		if (ret)
			return ret;
		t->compared += sum.compared;
		t->different += sum.different;
	}
	return done;
}

static int compare_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	const struct compare *t = ctx->priv;
	uint64_t pages = region_pages(t), folio = param_num(ctx, "folio");
	bool cont = mm_leaf_expected(mm_caps(), folio) > mm_caps()->page;

	if (t->compared != ctx->ops)
		return fail(EPROTO, "%llu entries were compared, not %llu",
			    (unsigned long long)t->compared,
			    (unsigned long long)ctx->ops);
	if (t->sum.cont != (cont ? pages : 0))
		return fail(EPROTO, "%llu of %llu entries have the CONT bit",
			    t->sum.cont, (unsigned long long)pages);
	if (param_is(ctx, "dirty", "all") ? t->sum.dirty != pages :
	    !t->sum.dirty || t->sum.dirty == pages)
		return fail(EPROTO, "%llu of %llu entries are dirty",
			    t->sum.dirty, (unsigned long long)pages);
	if (!d)
		return 0;
	bench_count(ctx, "lockless_different", t->different);
	json_object_set_new(ctx->proof, "entries", json_integer(pages));
	json_object_set_new(ctx->proof, "entries_cont",
			    json_integer(t->sum.cont));
	json_object_set_new(ctx->proof, "entries_dirty",
			    json_integer(t->sum.dirty));
	json_object_set_new(ctx->proof, "entries_young",
			    json_integer(t->sum.young));
	return 0;
}

static const struct bench lockless_compare = {
	.name = "lockless.compare",
	.op = "one page table entry read with ptep_get_lockless() between two reads with ptep_get(), under the page table lock",
	.words = "ptep_get_lockless() beside ptep_get(), {dirty:all=all|some=some} dirty",
	.measures = "whether the lockless read returns the same as ptep_get() without a race",
	.may_lie = "use its counts only: its time is mostly the page table walk. Hardware may still set access and dirty at any moment, so the lockless value may agree with either of the two reads around it",
	BENCH_PARAMS(compare_params),
	.needs_root = true,
	.unavailable = compare_unavailable,
	.size = compare_size,
	.setup = compare_setup,
	.prepare = compare_prepare,
	.run = compare_run,
	.verify = compare_verify,
	.teardown = compare_teardown,
};
BENCH(201, lockless_compare);
