// SPDX-License-Identifier: GPL-2.0
/* The list of families. A new family is one line here. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../lib/util.h"
#include "bench.h"

static const struct bench *const *const families[] = {
	harness_benches,
	gup_benches,
	lockless_benches,
	fault_benches,
	notifier_benches,
	barrier_benches,
	mmio_benches,
};

const struct bench *const *bench_all(void)
{
	static const struct bench **all;
	size_t i, j, nr = 0;

	if (all)
		return all;
	for (i = 0; i < ARRAY_SIZE(families); i++)
		for (j = 0; families[i][j]; j++)
			nr++;
	all = xcalloc(nr + 1, sizeof(*all));
	nr = 0;
	for (i = 0; i < ARRAY_SIZE(families); i++)
		for (j = 0; families[i][j]; j++)
			all[nr++] = families[i][j];
	return all;
}

const struct bench *bench_find(const char *name)
{
	const struct bench *const *b;

	for (b = bench_all(); *b; b++)
		if (!strcmp((*b)->name, name))
			return *b;
	return NULL;
}
