/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sweep files: which benchmarks a night measures, on which kernels, in how many
 * boots and in which order. The syntax is libconfig's; the keys are in
 * sweep.c's table and ptelab(1).
 */
#ifndef PTELAB_SWEEP_H
#define PTELAB_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/harness/point.h"
#include "cli/args.h"

enum sweep_order {
	ORDER_ABBA,	/* each block of kernels, then the same backwards */
	ORDER_BLOCKS,	/* each block in an order of its own, by lot */
};

/* Where a kernel comes from: exactly one of release, deb and image is set. */
struct sweep_kernel {
	char *name;
	char *release;		/* installed on the host */
	char *deb;
	char *image, *modules;	/* modules: a tarball; NULL for none */
};

struct sweep {
	char *path, *about;
	struct text_list bench, param;	/* selectors and -p of ptelab run */
	struct sweep_kernel *kernel;
	size_t nr_kernels;
	unsigned int order;		/* enum sweep_order */
	unsigned int boots;		/* of each kernel */
	unsigned int seed;
	bool tune;
	/* As ptelab run takes them. */
	unsigned int counter, batches, counted, warmup, ops;
	double min_batch_ms;
	uint32_t given;			/* keys that the file has, by row */
	/* What a boot costs before it measures, and a point, in seconds. */
	double boot_seconds, point_seconds;
	double minutes;			/* budget for all; 0: none */
	unsigned int boot_timeout;	/* seconds until a boot has failed */
	unsigned int tries;		/* boots for a cell before it has failed */
	char *cmdline;			/* kernel parameters, of every kernel */
	struct point_list points;	/* of one boot */
	void *config;			/* keeps the texts */
};

/* One boot to be measured. */
struct sweep_cell {
	size_t kernel;		/* index into sweep->kernel */
	unsigned int boot;	/* of that kernel, from 1 */
};

/*
 * Reads and checks a sweep file: names of benchmarks and parameters as well.
 * NULL with fail() text "FILE:LINE: KEY: what is wrong".
 */
struct sweep *sweep_load(const char *path);
void sweep_free(struct sweep *s);
/*
 * Adds "NAME=WHAT" or puts it in the place of the file's kernel of that name.
 * WHAT is a .deb, an Image, "IMAGE,MODULES.tar.xz", or an installed release.
 * 0 or -EINVAL with fail() text.
 */
int sweep_add_kernel(struct sweep *s, const char *text);
/* NULL with fail() text that names the near one. */
const struct sweep_kernel *sweep_find_kernel(const struct sweep *s,
					     const char *name);
/* Adds what ptelab run is to be told; the texts are never freed. */
void sweep_run_options(const struct sweep *s, struct text_list *l);
/* Every key: what it takes, its default, what it is for. */
void sweep_print_keys(FILE *f);
/* Every cell, in the order to boot them; *nr of them; the caller frees. */
struct sweep_cell *sweep_cells(const struct sweep *s, size_t *nr);
/* Seconds that so many boots take, by what the file says that things cost. */
double sweep_seconds(const struct sweep *s, size_t boots);
/*
 * Cuts the boots down to what the budget allows. 0, or -ETIME with fail() text
 * if it does not allow two of each kernel.
 */
int sweep_fit(struct sweep *s);

#endif
