// SPDX-License-Identifier: GPL-2.0
/*
 * The empty benchmark. What it "costs" is what the runner itself adds to
 * every batch: leaving the call that starts the counters, two clock reads,
 * and entering the call that stops them. It is measured first in every run
 * and recorded as a point; nothing is subtracted from any other point.
 */
#include "bench/bench.h"

static const char *always(const struct bench_ctx *ctx)
{
	(void)ctx;
	return NULL;
}

static void one_op(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	(void)ctx;
	*def = *max = 1;
}

static int64_t nothing(struct bench_ctx *ctx, unsigned int thread)
{
	(void)thread;
	return ctx->ops;
}

unsigned int bench_no_events(const struct bench_ctx *ctx)
{
	(void)ctx;
	return 0;
}

static const struct bench harness_empty = {
	.name = "harness.empty",
	.op = "one empty batch",
	.words = "empty batch",
	.measures = "the cost that the runner itself adds to each batch of any benchmark",
	.may_lie = "it shows what is added per batch, but not effects on caches and branch prediction",
	.unavailable = always,
	.size = one_op,
	.events = bench_no_events,
	.run = nothing,
};
BENCH(0, harness_empty);
