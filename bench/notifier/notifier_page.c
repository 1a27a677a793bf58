// SPDX-License-Identifier: GPL-2.0
/*
 * notifier: what the kernel does to pages on its own, triggered here. See
 * notifier.h. The event is always CLEAR (6.12), in pairs of range callbacks:
 *
 *	ksm		two per page: write-protected, then replaced; in notifier_ksm.c
 *	migrate		one per folio, when it is unmapped
 *	compact		the same; in notifier_compact.c
 *	swapout		one per folio, when it is unmapped
 *	collapse	one per PMD; in notifier_huge.c
 *	split		one per folio; how=pmd one per PMD; in notifier_huge.c
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/notifier/notifier.h"
#include "bench/notifier/notifier_swap.h"
#include "lib/journal.h"
#include "lib/util.h"

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT		21
#endif

#define MPOL_MF_MOVE		(1 << 1)

void nt_settings_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	if (nt->fd >= 0)
		close(nt->fd);
	/* Release what depends on a setting before it is restored. */
	mm_region_close(&nt->r);
	if (nt->marked && journal_restore_to(nt->mark))
		warn("%s", fail_text());
}

/* --- swapout --- */

static const struct bench_param range_params[] = {
	PARAM_SECONDARY, PARAM_FOLIO("4k"), PARAM_PAGES("16"), PARAM_MEASURE,
	PARAM_GUEST,
};

static const char *swapout_refused(const struct bench_ctx *ctx)
{
	(void)ctx;
	return zram_unavailable();
}

static uint64_t swapout_cost(const struct bench_ctx *ctx)
{
	return 5000 + 8000 * nt_pages(ctx);
}

static int swapout_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	nt->mark = journal_mark();
	nt->marked = true;
	/* Twice the room, since swap slots come in clusters. */
	return zram_swapon(2 * nt->r.nr * nt->r.bytes + 16 * MIB);
}

static int64_t swapout_host(struct bench_ctx *ctx, uint64_t n)
{
	const struct notifier *nt = nt_of(ctx);
	size_t bytes = nt_call_bytes(nt);
	uint64_t i;

	for (i = 0; i < n; i++)
		if (madvise(nt_call_at(nt, i), bytes, MADV_PAGEOUT))
			return fail(errno, "MADV_PAGEOUT: %s", strerror(errno));
	return n;
}

static int swapout_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t v;

	(void)d;
	for (v = 0; v < nt->visits; v++)
		if (!(nt->after[v] & PM_SWAPPED))
			return fail(EPROTO, "page %" PRIu64 " was not swapped out",
				    v);
	json_object_set_new(ctx->proof, "pages_swapped",
			    json_integer(nt->visits));
	return 0;
}

static int drain_before(struct bench_ctx *ctx)
{
	(void)ctx;
	return nt_drain_lru();
}

static const struct notifier_op notifier_swapout = {
	.bench = {
		.name = "notifier.swapout",
		.op = CALL_OP,
		.words = AFTER "swap-out" LISTENS,
		.measures = "MADV_PAGEOUT of a populated range to compressed memory; the guest then causes it to be swapped in",
		.may_lie = "most of the cost is compression; the pages are nearly empty, and real ones cost more",
		BENCH_PARAMS(range_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .cost = swapout_cost, .extra = 1,
	.refused = swapout_refused, .setup = swapout_setup,
	.before = drain_before, .host = swapout_host, .proof = swapout_proof,
	.teardown = nt_settings_teardown,
};
BENCH(413, notifier_swapout.bench);

/* --- migrate --- */

/* Finds the first nodes that have memory, at most two; returns how many. */
static int memory_nodes(int node[2])
{
	char *text = read_line("/sys/devices/system/node/has_memory"), *p;
	int found = 0;

	for (p = text; p && *p && found < 2; ) {
		long from = strtol(p, &p, 10), to = from;

		if (*p == '-')
			to = strtol(p + 1, &p, 10);
		for (; from <= to && found < 2; from++)
			node[found++] = from;
		p += *p == ',';
	}
	free(text);
	return found;
}

static const char *migrate_refused(const struct bench_ctx *ctx)
{
	int node[2];

	(void)ctx;
	switch (memory_nodes(node)) {
	case 0:
		return "this kernel has no NUMA nodes (CONFIG_NUMA), so there is no other node to move pages to; notifier.compact moves them within one node";
	case 1:
		return "one NUMA node has all memory, so there is no other node to move pages to; notifier.compact moves them within one node";
	}
	return NULL;
}

static uint64_t migrate_cost(const struct bench_ctx *ctx)
{
	return 20000 + 3500 * nt_pages(ctx);
}

/* Returns the entries of one call, which names each folio once. */
static uint64_t entries_of(const struct notifier *nt)
{
	uint64_t bytes = nt_call_bytes(nt);

	return bytes > nt->r.folio ? bytes / nt->r.folio : 1;
}

static int migrate_setup(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t each = entries_of(nt), i;

	memory_nodes(nt->node);
	nt->pages = xcalloc(nt->calls * each, sizeof(*nt->pages));
	nt->nodes = xcalloc(nt->calls * each, sizeof(*nt->nodes));
	nt->status = xcalloc(nt->calls * each, sizeof(*nt->status));
	for (i = 0; i < nt->calls * each; i++)
		nt->pages[i] = nt_call_at(nt, i / each) + i % each * nt->r.folio;
	return 0;
}

static int64_t move_all(struct notifier *nt, uint64_t n)
{
	uint64_t each = entries_of(nt), i;

	for (i = 0; i < n; i++)
		if (syscall(SYS_move_pages, 0, each, nt->pages + i * each,
			    nt->nodes + i * each, nt->status + i * each,
			    MPOL_MF_MOVE))
			return fail(errno ? errno : EAGAIN, "move_pages: %s",
				    errno ? strerror(errno) :
				    "not all pages could be moved");
	return n;
}

static void aim(struct notifier *nt, int node)
{
	uint64_t i, n = nt->calls * entries_of(nt);

	for (i = 0; i < n; i++) {
		nt->nodes[i] = node;
		nt->status[i] = -1;
	}
}

static int arrived(const struct notifier *nt, int node)
{
	uint64_t i, n = nt->calls * entries_of(nt);

	for (i = 0; i < n; i++)
		if (nt->status[i] != node)
			return fail(EPROTO, "page %" PRIu64 " did not go to node %d (status %d)",
				    i, node, nt->status[i]);
	return 0;
}

/* Move all pages to the same node first, wherever they were populated. */
static int migrate_fresh(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret = nt_fresh_folios(ctx);
	int64_t done;

	if (ret)
		return ret;
	aim(nt, nt->node[0]);
	done = move_all(nt, nt->calls);
	ret = done < 0 ? (int)done : arrived(nt, nt->node[0]);
	aim(nt, nt->node[1]);
	return ret;
}

static int64_t migrate_host(struct bench_ctx *ctx, uint64_t n)
{
	return move_all(nt_of(ctx), n);
}

static int migrate_proof(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct notifier *nt = nt_of(ctx);
	int ret = arrived(nt, nt->node[1]);

	(void)d;
	return ret ? ret : nt_other_frames(ctx);
}

static void migrate_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	free(nt->pages);
	free(nt->nodes);
	free(nt->status);
}

static const struct notifier_op notifier_migrate = {
	.bench = {
		.name = "notifier.migrate",
		.op = CALL_OP,
		.words = AFTER "migration" LISTENS,
		.measures = "move_pages() of a populated range to another NUMA node",
		.may_lie = "the cost includes copying the pages, and draining the LRU caches of every CPU once per call",
		BENCH_PARAMS(range_params),
		NOTIFIER_STEPS,
	},
	.maps = 1, .cost = migrate_cost, .extra = 1,
	.refused = migrate_refused, .setup = migrate_setup,
	.fresh = migrate_fresh, .host = migrate_host, .proof = migrate_proof,
	.teardown = migrate_teardown,
};
BENCH(409, notifier_migrate.bench);
