/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The instructions of a boot, from ptelab merge: how often each ran in which
 * calling context. runs/README.md describes the format.
 */
#ifndef PTELAB_INSNS_H
#define PTELAB_INSNS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/insn_counts.h"

#define INSNS_SCHEMA	"ptelab-insns-1"
#define INSNS_SUFFIX	".insns.gz"

struct insn_function {
	char *name;
	char *space;		/* kernel, user, guest */
	uint64_t start;
	uint32_t *word;		/* 0: never executed in this boot */
	size_t nr;
};

struct insn_node {
	uint32_t parent;	/* its own number for the root, else a lower one */
	enum region_node_kind kind;
	int site;		/* function that it was entered from; -1: none */
	uint64_t site_offset;
	int entry;		/* function that was entered; -1: the root's */
};

/* @nr instructions from @offset on, each executed @count times. */
struct insn_count {
	uint32_t node, function;
	uint64_t offset;
	uint32_t nr;
	uint64_t count;
};

struct insn_region {
	unsigned int run, batch;
	json_t *head;		/* bench, params, operations and so on */
	struct insn_node *nodes;
	struct insn_count *counts;
	size_t nr_nodes, nr_counts;
};

/*
 * @nr instructions of the kernel from @start on that ran in this boot, counted
 * or not. They first ran before region @region ended, and after the one before
 * it ended. If there is no such region: after the last one.
 */
struct insn_seen {
	uint64_t start;
	uint32_t nr, region;
};

/* The file that a program's or a module's functions are of, and where it was. */
struct insn_image {
	char *file, *build_id;	/* "": it has none */
	uint64_t start, size;
};

struct insn_file {
	struct insn_function *functions;
	struct insn_region *regions;
	struct insn_seen *seen;		/* by start; a boot of before has none */
	struct insn_image *images;	/* a boot of before has none */
	size_t nr_functions, nr_regions, nr_seen, nr_images;
};

/*
 * Loads the file; free it with insn_file_free(). Returns NULL with fail() text.
 */
struct insn_file *insn_file_load(const char *path);
void insn_file_free(struct insn_file *f);

/*
 * Returns the range with @addr; NULL if it never ran, or if that was not
 * recorded.
 */
const struct insn_seen *insn_seen_at(const struct insn_file *f, uint64_t addr);

/*
 * Returns the batch whose count is a metric's figure if instruction counts are
 * exact: the first one with the smallest count. -1 if there is none.
 */
int insn_figure_batch(const json_t *point, const char *metric);

/* Returns the region of a point's batch; NULL if there is none. */
const struct insn_region *insn_region_find(const struct insn_file *f,
				    unsigned int run, const json_t *point,
				    unsigned int batch);

#endif
