// SPDX-License-Identifier: GPL-2.0
/*
 * A benchmark to copy: one mincore(2) of some resident pages. It is built and
 * works, but is only listed and measured if it is selected by its full name:
 * ptelab run -b skeleton.mincore.
 *
 * For a new one copy this file, or add to the file of its family; rename; delete
 * .hidden; take a free place for BENCH(). No other file changes. bench.h describes
 * the members of struct bench, and when the runner calls them.
 *
 * If an operation consumes something, as a fault consumes a page that is not
 * populated, make room for ctx->ops operations in setup, lower *max to what fits
 * into mm_budget(), and let prepare restore the initial state.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/bench.h"
#include "bench/kit/mm.h"
#include "lib/util.h"

/* list, help, range checks and records are generated from this table. */
static const struct bench_param params[] = {
	{ .name = "pages", .type = PARAM_INT, .unit = "pages", .def = "16",
	  .min = 1, .max = 4096, .help = "pages per call" },
};

/* From setup to teardown. */
struct skeleton {
	char *map;
	uint64_t pages;
	unsigned char *there;	/* for each page, from mincore() */
};

/* Returns why this can't be measured here, or NULL. Changes nothing. */
static const char *skeleton_unavailable(const struct bench_ctx *ctx)
{
	(void)ctx;
	return NULL;
}

/* The default is a batch of some 100,000 instructions. *max is what memory allows. */
static void skeleton_size(const struct bench_ctx *ctx, uint64_t *def,
			  uint64_t *max)
{
	*def = 1 + 100000 / (500 + 10 * param_num(ctx, "pages"));
	*max = 1000000;
}

/* Not timed. teardown frees priv, even if this fails. */
static int skeleton_setup(struct bench_ctx *ctx)
{
	struct skeleton *s = xcalloc(1, sizeof(*s));

	ctx->priv = s;
	s->pages = param_num(ctx, "pages");
	s->there = xcalloc(s->pages, 1);
	s->map = mmap(NULL, s->pages * mm_caps()->page, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (s->map == MAP_FAILED) {
		s->map = NULL;
		return fail(errno, "mmap: %s", strerror(errno));
	}
	return 0;
}

/*
 * Before each batch, not timed: restores what an operation consumes. Leave it out
 * if that is nothing. Here it makes sure that the proof is of this batch.
 */
static int skeleton_prepare(struct bench_ctx *ctx)
{
	struct skeleton *s = ctx->priv;

	memset(s->there, 0, s->pages);
	return 0;
}

/* Timed and counted, so it does nothing except the operations. */
static int64_t skeleton_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct skeleton *s = ctx->priv;
	uint64_t i;

	(void)thread;	/* matters if there is a parameter "threads" */
	for (i = 0; i < ctx->ops; i++)
		if (mincore(s->map, s->pages * mm_caps()->page, s->there))
			return fail(errno, "mincore: %s", strerror(errno));
	return ctx->ops;
}

/*
 * Proves that the operations happened. -EPROTO makes the point invalid, so that it
 * is never compared.
 */
static int skeleton_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	struct skeleton *s = ctx->priv;
	uint64_t i;

	(void)d;	/* the events of a counted batch; NULL after the timed pass */
	for (i = 0; i < s->pages; i++)
		if (!(s->there[i] & 1))
			return fail(EPROTO, "page %" PRIu64 " is not resident", i);
	json_object_set_new(ctx->proof, "pages_there", json_integer(s->pages));
	return 0;
}

static void skeleton_teardown(struct bench_ctx *ctx)
{
	struct skeleton *s = ctx->priv;

	if (s->map)
		munmap(s->map, s->pages * mm_caps()->page);
	free(s->there);
	free(s);
}

static const struct bench skeleton_mincore = {
	.name = "skeleton.mincore",
	.op = "one mincore(2) of `pages` resident pages",
	.words = "mincore",
	.measures = "a system call that only walks page tables",
	.may_lie = "the same few pages are used over and over, so everything is in the caches",
	BENCH_PARAMS(params),
	.hidden = true,
	.unavailable = skeleton_unavailable,
	.size = skeleton_size,
	.setup = skeleton_setup,
	.prepare = skeleton_prepare,
	.run = skeleton_run,
	.verify = skeleton_verify,
	.teardown = skeleton_teardown,
};
BENCH(9000, skeleton_mincore);
