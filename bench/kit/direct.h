/* SPDX-License-Identifier: GPL-2.0 */
/* A file or device that is read and written with O_DIRECT, and uses GUP for it. */
#ifndef PTELAB_DIRECT_H
#define PTELAB_DIRECT_H

#include "bench/bench.h"

/* For @path: /dev/nullb0 if there is one, else a temporary file. */
#define DIRECT_AUTO	"auto"

/* Returns why @need bytes of @path can't be used; NULL if they can. */
const char *direct_unavailable(const char *path, uint64_t need);
/*
 * Opens @path for reading, with @bytes to read; records its name in ctx->proof.
 * @write: for writing too, which only DIRECT_AUTO may be. Returns the descriptor,
 * or -errno with fail() text.
 */
int direct_open(struct bench_ctx *ctx, const char *path, bool write,
		uint64_t bytes);

#endif
