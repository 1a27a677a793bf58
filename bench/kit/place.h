/* SPDX-License-Identifier: GPL-2.0 */
/* Where another CPU is, seen from the measuring one. */
#ifndef PTELAB_PLACE_H
#define PTELAB_PLACE_H

#include "bench/bench.h"

/* Values of a parameter "place", for its choices; PLACE_HELP for its help. */
extern const char *const place_choices[];
#define PLACE_HELP \
	"where the other CPUs are: threads of the same core, cores of the same cluster, of the same package, in another package"

/*
 * What two CPUs share as the kernel tells it (sysfs topology): "smt",
 * "cluster", "package", or "remote" if they share none. A kernel that tells
 * nothing of clusters puts all of a package into "package".
 */
const char *place_of(int cpu, int other);

/*
 * Picks @nr different CPUs of those that may be used: the first is the
 * measuring one, all others are at @place seen from it. Returns how many were
 * found, at most @nr.
 */
unsigned int place_cpus(const struct bench_ctx *ctx, const char *place,
			int *cpus, unsigned int nr);

/* Why @nr CPUs can't be had there; NULL if they can. Thread-local text. */
const char *place_unavailable(const struct bench_ctx *ctx, const char *place,
			      unsigned int nr);

/* Adds "cpus", and "place" with what each shares with the first, to @proof. */
void place_prove(json_t *proof, const int *cpus, unsigned int nr);

#endif
