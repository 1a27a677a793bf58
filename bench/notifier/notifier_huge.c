// SPDX-License-Identifier: GPL-2.0
/* notifier: assembles huge pages, and splits them. See notifier.h. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bench/notifier/notifier.h"
#include "lib/journal.h"
#include "lib/util.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE		25
#endif

static int advise_each(const struct notifier *nt, size_t bytes, int advice)
{
	uint64_t i;

	for (i = 0; i < nt->calls; i++)
		if (madvise(nt_call_at(nt, i), bytes, advice))
			return fail(errno, "madvise(%d): %s", advice,
				    strerror(errno));
	return 0;
}

/* Proves that the folios have another size now, beside the original one. */
static int prove_now(struct bench_ctx *ctx, uint64_t folio, uint64_t leaf)
{
	struct notifier *nt = nt_of(ctx);
	struct mm_region view = nt->r;
	struct bench_ctx now = *ctx;
	int ret;

	now.proof = json_object();
	view.folio = folio;
	ret = mm_prove(&now, &view, leaf);
	if (!ret) {
		json_object_set_new(ctx->proof, "folio_bytes_after",
				    json_integer(folio));
		json_object_set(ctx->proof, "leaf_bytes_after",
				json_object_get(now.proof, "leaf_bytes"));
	}
	json_decref(now.proof);
	return ret;
}

/* --- collapse --- */

static const struct bench_param collapse_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_MEASURE, PARAM_GUEST,
};

static const char *collapse_refused(const struct bench_ctx *ctx)
{
	/* On an empty range: does the kernel know the advice? */
	if (!mm_caps()->pmd)
		return "this kernel has no transparent huge pages";
	if (madvise(NULL, 0, MADV_COLLAPSE))
		return "this kernel has no MADV_COLLAPSE (it came with 6.1)";
	if (nt_folio(ctx) >= mm_caps()->pmd)
		return "collapsing creates folios of this size: use a smaller one";
	return NULL;
}

/* khugepaged must not be first; MADV_COLLAPSE ignores this setting. */
static int collapse_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	char *path = xasprintf(MM_THP_DIR "/hugepages-%" PRIu64 "kB/enabled",
			       mm_caps()->pmd / KIB);
	int ret;

	nt->mark = journal_mark();
	nt->marked = true;
	ret = journal_set(access(path, F_OK) ? MM_THP_DIR "/enabled" : path,
			  "never");
	free(path);
	return ret;
}

static int collapse_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = 0;

	if (nt_folio(ctx) == mm_caps()->page)
		ret = advise_each(nt, nt->r.bytes, MADV_NOHUGEPAGE);
	return ret ? ret : nt_fresh_folios(ctx);
}

static int collapse_before(struct bench_ctx *ctx)
{
	return advise_each(nt_of(ctx), nt_of(ctx)->r.bytes, MADV_HUGEPAGE);
}

static int64_t collapse_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	const struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	unsigned int tries = 0;
	uint64_t i;

	for (i = 0; i < n; i++)
		while (madvise(nt_call_at(nt, i), bytes, MADV_COLLAPSE)) {
			/* Another user may hold a reference to a page. */
			if ((errno != EAGAIN && errno != EBUSY) ||
			    ++tries == 500)
				return fail(errno, "MADV_COLLAPSE: %s",
					    strerror(errno));
			nanosleep(&moment, NULL);
		}
	return n;
}

static int collapse_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	uint64_t pmd = mm_caps()->pmd;
	int ret = nt_other_frames(ctx);

	(void)d;
	return ret ? ret : prove_now(ctx, pmd, pmd);
}

static const struct notifier_op notifier_collapse = {
	.bench = {
		.name = "notifier.collapse",
		.op = CALL_OP,
		.words = AFTER "collapse" LISTENS,
		.measures = "MADV_COLLAPSE of the range of a PMD: its pages are copied into one folio, as by khugepaged",
		.may_lie = "most of the cost is copying the pages; each call drains the LRU caches of every CPU, and is retried if it fails for a transient reason; khugepaged would do it in the background",
		.params = collapse_params,
		.nr_params = ARRAY_SIZE(collapse_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .pmd_range = true, .call_cost = 1000000, .extra = 1,
	.may_keep = true,
	.refused = collapse_refused, .setup = collapse_setup,
	.fresh = collapse_fresh, .before = collapse_before,
	.host = collapse_host, .proof = collapse_proof,
	.teardown = nt_settings_teardown,
};
BENCH(414, notifier_collapse.bench);

/* --- split --- */

#define SPLIT	"/sys/kernel/debug/split_huge_pages"

static const char *const split_how[] = { "folio", "pmd", NULL };

static const struct bench_param split_params[] = {
	{ .name = "how", .type = PARAM_ENUM, .def = "folio",
	  .choices = split_how,
	  .help = "split the folio into pages, or only the PMD that maps it into a page table" },
	PARAM_SECONDARY, PARAM_FOLIO("2m"), PARAM_MEASURE, PARAM_GUEST,
};

static bool split_folio(const struct bench_ctx *ctx)
{
	return param_is(ctx, "how", "folio");
}

static const char *split_refused(const struct bench_ctx *ctx)
{
	if (nt_folio(ctx) == mm_caps()->page)
		return "a base page can't be split: use a larger folio";
	if (!split_folio(ctx))
		return nt_is_pmd(ctx) ? NULL :
			"how=pmd: only a folio of the PMD size is mapped by a PMD";
	if (access(SPLIT, W_OK))
		return "no " SPLIT ": mount debugfs, or use how=pmd";
	return NULL;
}

static uint64_t split_cost(const struct bench_ctx *ctx)
{
	return split_folio(ctx) ? 10000 + 1000 * nt_pages(ctx) : 20000;
}

#define SPLIT_TEXT	64

/* Sets the words to write; the first page represents its folio. */
static void split_words(struct notifier *nt)
{
	uint64_t i;

	nt->text = xcalloc(nt->calls, SPLIT_TEXT);
	for (i = 0; i < nt->calls; i++) {
		unsigned long at = (unsigned long)nt_call_at(nt, i);

		nt->text_len = snprintf(nt->text + i * SPLIT_TEXT, SPLIT_TEXT,
					"%d,0x%016lx,0x%016lx", (int)getpid(),
					at, at + (unsigned long)nt->step);
	}
}

static int split_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	nt->split_folio = split_folio(ctx);
	if (!nt->split_folio)
		return 0;
	split_words(nt);
	nt->fd = open(SPLIT, O_WRONLY | O_CLOEXEC);
	return nt->fd < 0 ? fail(errno, SPLIT ": %s", strerror(errno)) : 0;
}

static int split_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = 0;

	if (!nt->split_folio)
		ret = advise_each(nt, nt->r.bytes, MADV_DODUMP);
	return ret ? ret : nt_fresh_folios(ctx);
}

static int split_one(const struct notifier *nt, uint64_t i)
{
	/* Move half of a PMD to another mapping, which splits the PMD. */
	if (!nt->split_folio)
		return madvise(nt_call_at(nt, i), nt->r.folio / 2, MADV_DONTDUMP);
	return pwrite(nt->fd, nt->text + i * SPLIT_TEXT, nt->text_len, 0) ==
	       nt->text_len ? 0 : -1;
}

static int64_t split_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	uint64_t i;

	for (i = 0; i < n; i++)
		if (split_one(nt, i))
			return fail(errno, "splitting: %s", strerror(errno));
	return n;
}

/* Checks that no mapping still has a PMD leaf. */
static int no_pmds(struct bench_ctx *ctx)
{
	const struct notifier *nt = nt_of(ctx);
	struct mm_prober *p = mm_prober_open();
	uint64_t i, leaf = 0;
	int ret = p ? 0 : -EPROTO;

	for (i = 0; i < nt->calls && !ret; i++) {
		ret = mm_probe(p, nt_call_at(nt, i), &leaf);
		if (!ret && leaf >= mm_caps()->pmd)
			ret = fail(EPROTO, "folio %" PRIu64 " is still mapped by a PMD",
				   i);
	}
	mm_prober_close(p);
	if (!ret)
		json_object_set_new(ctx->proof, "leaf_bytes_after",
				    json_integer(leaf));
	return ret;
}

static int split_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	uint64_t page = mm_caps()->page;
	int ret = nt_same_frames(ctx);

	(void)d;
	if (!ret)
		ret = nt_of(ctx)->split_folio ? prove_now(ctx, page, page) :
						no_pmds(ctx);
	return ret;
}

static void split_teardown(struct bench_ctx *ctx)
{
	if (nt_of(ctx)->fd >= 0)
		close(nt_of(ctx)->fd);
	free(nt_of(ctx)->text);
}

static const struct notifier_op notifier_split = {
	.bench = {
		.name = "notifier.split",
		.op = "one folio; with measure=guest one page that the guest accesses",
		.words = AFTER "{how:folio=folio|pmd=PMD} split" LISTENS,
		.measures = "splitting a large folio into pages through debugfs, or a PMD into a page table by mapping over half of it",
		.may_lie = "how=pmd splits the mapping, too; both are driven by a system call, while reclaim, for example, splits without one",
		BENCH_PARAMS(split_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .cost = split_cost,
	.refused = split_refused, .setup = split_setup, .fresh = split_fresh,
	.host = split_host, .proof = split_proof,
	.teardown = split_teardown,
};
BENCH(415, notifier_split.bench);
