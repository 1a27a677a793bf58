/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finds where a lockless read of a contpte block retries.
 *
 * contpte_ptep_get_lockless(ptep) reads *ptep once at the start of each try.
 * Compilers place that read differently: before a loop and again at its end, at
 * several places of an unrolled scan, or at the top of the loop. This code finds the
 * loads in the machine code that begin a new try. It follows the argument through
 * register moves and spills. A kprobe on each then counts retries, on any kernel
 * and with any compiler.
 */
#ifndef PTELAB_BPF_RETRY_SITES_H
#define PTELAB_BPF_RETRY_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_RETRY_SITES	8

/* One function's machine code; a compiler may split a ".cold" part off. */
struct code {
	struct code_part {
		uint64_t start;		/* its address when it runs */
		uint8_t *bytes;
		size_t size;
	} part[2];
	unsigned int nr_parts;
};

struct retry_sites {
	unsigned int nr;
	uint64_t offset[MAX_RETRY_SITES];	/* from the function's start */
	/*
	 * The first try passes the sites, too, once per call: subtract the
	 * number of calls.
	 */
	bool first_counts;
	char why_not[200];	/* if there are none: the reason, one line */
};

/*
 * Finds the sites in @code, whose first part starts with the function's entry.
 * Prints blocks, loops, where the argument is, and the reasons to @explain (may be
 * NULL). Returns 0, or -errno with why_not set.
 */
int retry_sites_find(const struct code *code, struct retry_sites *sites,
		     FILE *explain);
/* As above, for a function of the running kernel, whose code is read from
 * /proc/kcore. */
int retry_sites_running(const char *function, struct retry_sites *sites,
			FILE *explain);
/* As above, for a function of a vmlinux on disk. */
int retry_sites_elf(const char *path, const char *function,
		    struct retry_sites *sites, FILE *explain);

#endif
