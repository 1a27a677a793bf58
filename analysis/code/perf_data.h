/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counted instructions of one side as perf.data: a sample for each
 * instruction in each calling context, with the times that it ran as period.
 * perf report, annotate, diff and script read it as if perf record had written
 * it, but nothing in it is sampled.
 */
#ifndef PTELAB_CODE_PERF_DATA_H
#define PTELAB_CODE_PERF_DATA_H

#include <stddef.h>

#include "analysis/code/counted.h"
#include "analysis/load/load.h"

/* The ELF files that perf is to name functions with, by their build ids. */
struct perf_images;

struct perf_images *perf_images_new(void);
void perf_images_free(struct perf_images *p);
/* Adds a file; 0 or -errno with fail() text. */
int perf_images_add(struct perf_images *p, const char *path);
/*
 * Adds what is found of the kernel and the module of a run of make ab, and of
 * ptelab for arm64 beside this program.
 */
void perf_images_find(struct perf_images *p, const struct side *side);

/* What to write of one side. */
struct perf_side {
	const struct insn_file *file;
	const struct insn_region *region;
	/* of the other side: perf diff leaves out what only one of them has */
	const struct insn_file *other_file;
	const struct insn_region *other;
	const json_t *header;	/* of the boot */
	const char *metric;	/* the event */
	const char *command;	/* that perf report --header shows */
};

/*
 * Writes @folder/@name, and links the ELF files that it is of into
 * @folder/.build-id, where perf --buildid-dir finds them. @unknown: the name of
 * a file that is of no ELF file known; NULL. 0 or -errno with fail() text.
 */
int perf_data_write(const struct perf_side *s, const struct perf_images *p,
		    const char *folder, const char *name,
		    const char **unknown);

#endif
