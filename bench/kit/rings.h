/* SPDX-License-Identifier: GPL-2.0 */
/* What benchmarks with io_uring share. */
#ifndef PTELAB_RINGS_H
#define PTELAB_RINGS_H

/* The maximum number of buffers in a ring's table (IORING_MAX_REG_BUFFERS). */
#define RINGS_MAX_BUFFERS	16384

/* Returns why buffers can't be registered with a ring here; NULL if they can. */
const char *rings_unavailable(void);

#endif
