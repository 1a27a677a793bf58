/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Sweep files: which benchmarks to measure on which kernels, in how many boots
 * and in which order. The syntax is libconfig's; the keys are in sweep.c's table
 * and ptelab-sweep(1).
 */
#ifndef PTELAB_SWEEP_H
#define PTELAB_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/harness/point.h"
#include "cli/args.h"

enum sweep_order {
	ORDER_ABBA,	/* each round of kernels, then the same backwards */
	ORDER_BLOCKS,	/* each round in a random order of its own */
};

/* Where a kernel comes from: exactly one of release, deb and image is set. */
struct sweep_kernel {
	char *name;
	char *release;		/* installed on the host */
	char *deb;
	char *image, *modules;	/* modules: a tarball, or NULL */
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
	/* Passed on to ptelab run. */
	unsigned int counter, batches, counted, warmup, ops;
	double min_batch_ms;
	uint32_t given;			/* bitmap of keys in the file, by row */
	/* Seconds that a boot takes before it measures, and that a point takes. */
	double boot_seconds, point_seconds;
	double minutes;			/* budget of the whole sweep; 0: none */
	unsigned int boot_timeout;	/* seconds until a boot has failed */
	unsigned int tries;		/* boots for a cell before it has failed */
	char *cmdline;			/* kernel parameters, of every kernel */
	struct point_list points;	/* of one boot */
	void *config;			/* owns the strings */
};

/* One boot to be measured. */
struct sweep_cell {
	size_t kernel;		/* index into sweep->kernel */
	unsigned int boot;	/* of that kernel, from 1 */
};

/*
 * Reads and checks a sweep file, including names of benchmarks and parameters.
 * Returns NULL with fail() text "FILE:LINE: KEY: reason" on error.
 */
struct sweep *sweep_load(const char *path);
void sweep_free(struct sweep *s);
/*
 * Adds the kernel "NAME=WHAT", or replaces the file's kernel of that name. WHAT
 * is a .deb, an Image, "IMAGE,MODULES.tar.xz", or an installed release. Returns
 * 0 or -EINVAL with fail() text.
 */
int sweep_add_kernel(struct sweep *s, const char *text);
/* Returns NULL with fail() text that suggests a similar name. */
const struct sweep_kernel *sweep_find_kernel(const struct sweep *s,
					     const char *name);
/* Adds the options for ptelab run; the strings are never freed. */
void sweep_run_options(const struct sweep *s, struct text_list *l);
/* Prints every key with its purpose, values and default. */
void sweep_print_keys(FILE *f);
/* Returns all *nr cells in the order to boot them; the caller frees. */
struct sweep_cell *sweep_cells(const struct sweep *s, size_t *nr);
/* Returns the seconds that @boots take, by the costs in the file. */
double sweep_seconds(const struct sweep *s, size_t boots);
/*
 * Reduces the boots to the budget. Returns 0, or -ETIME with fail() text if the
 * budget is too small for two boots of each kernel.
 */
int sweep_fit(struct sweep *s);

#endif
