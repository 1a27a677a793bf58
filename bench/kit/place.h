/* SPDX-License-Identifier: GPL-2.0 */
/* The place of other CPUs relative to the measuring one. */
#ifndef PTELAB_PLACE_H
#define PTELAB_PLACE_H

#include "bench/bench.h"

/* Values of a parameter "place", for its choices; PLACE_HELP for its help. */
extern const char *const place_choices[];
#define PLACE_HELP \
	"where the other CPUs are: in the same core, the same cluster, the same package, or another package"

/*
 * Returns what two CPUs share according to the kernel (sysfs topology): "smt",
 * "cluster", "package", or "remote" if they share nothing. If the kernel does not
 * report clusters, all CPUs of a package are "package".
 */
const char *place_of(int cpu, int other);

/*
 * Selects @nr different CPUs of those that may be used: the first is the measuring
 * one, all others are at @place relative to it. Returns how many were found, at
 * most @nr.
 */
unsigned int place_cpus(const struct bench_ctx *ctx, const char *place,
			int *cpus, unsigned int nr);

/* Returns why there are no @nr such CPUs; NULL if there are. Thread-local text. */
const char *place_unavailable(const struct bench_ctx *ctx, const char *place,
			      unsigned int nr);

/* Adds "cpus", and "place" with what each shares with the first, to @proof. */
void place_prove(json_t *proof, const int *cpus, unsigned int nr);

#endif
