// SPDX-License-Identifier: GPL-2.0
/* All benchmarks, which BENCH() has put into a section. */
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/util.h"

/* Weak, because a unit test may be linked without any benchmark. */
extern const struct bench_entry *const __start_ptelab_benches[] __attribute__((weak));
extern const struct bench_entry *const __stop_ptelab_benches[] __attribute__((weak));

static int by_place(const void *a, const void *b)
{
	const struct bench_entry *const *x = a, *const *y = b;

	return (*x)->place - (*y)->place;
}

const struct bench *const *bench_all(void)
{
	static const struct bench **all;
	size_t i, nr = __stop_ptelab_benches - __start_ptelab_benches;
	const struct bench_entry **e;

	if (all)
		return all;
	e = xcalloc(nr, sizeof(*e));
	for (i = 0; i < nr; i++)
		e[i] = __start_ptelab_benches[i];
	qsort(e, nr, sizeof(*e), by_place);
	all = xcalloc(nr + 1, sizeof(*all));
	for (i = 0; i < nr; i++)
		all[i] = e[i]->bench;
	free(e);
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
