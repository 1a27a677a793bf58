// SPDX-License-Identifier: GPL-2.0
/*
 * See atlas_job.h. It has every value of every parameter, for each folio size
 * and each kind of listener, because these change the code that all others run
 * (the notifier in change_protection(); hugetlb, which only has 2m). Without a
 * listener it also has pairs of other values. All combinations would take
 * minutes.
 */
#include "bench/harness/atlas_job.h"

#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "lib/util.h"

/* Returns the values for -b: "each", "4k,64k"; NULL for the default only. */
static const char *values_of(const struct bench_param *p, size_t *nr,
			     char buf[64])
{
	*nr = 0;
	switch (p->type) {
	case PARAM_ENUM:
		while (p->choices[*nr])
			++*nr;
		return "each";
	case PARAM_SIZE:
		/* a page, the most that one TLB entry may cover, a PMD */
		if (strcmp(p->name, "folio"))
			return NULL;
		*nr = 3;
		return "4k,contpte,2m";
	case PARAM_INT:
		*nr = 2;
		if (p->min == 0 && p->max == 1)
			return "0,1";
		/* One page may take another path than several. */
		if (strcmp(p->name, "pages"))
			return NULL;
		snprintf(buf, 64, "1,%s", p->def);
		return buf;
	default:
		return NULL;
	}
}

struct varied {
	const char *name, *values;
	char buf[64];
	size_t nr;
};

static void selector(FILE *f, const struct bench *b, const char *all,
		     const struct varied *x, const struct varied *y)
{
	fprintf(f, " -b %s%s", b->name, all);
	if (x)
		fprintf(f, ":%s=%s", x->name, x->values);
	if (y)
		fprintf(f, ":%s=%s", y->name, y->values);
}

/* If there are more points than this, leave out pairs of two parameters. */
#define MAX_PAIRS	40

static void put_bench(FILE *f, const struct bench *b)
{
	struct varied v[BENCH_MAX_PARAMS];
	char *all = xstrdup(""), *more;
	bool listens = false;
	size_t nr = 0, i, k;

	for (i = 0; i < b->nr_params; i++) {
		struct varied *x = &v[nr];

		x->name = b->params[i].name;
		x->values = values_of(&b->params[i], &x->nr, x->buf);
		if (!strcmp(x->name, "secondary"))
			x->values = "none,module,kvm";
		listens |= !strcmp(x->name, "secondary");
		if (!strcmp(x->name, "secondary") ||
		    !strcmp(x->name, "folio")) {
			more = xasprintf("%s:%s=%s", all, x->name, x->values);
			free(all);
			all = more;
		} else if (x->values && strcmp(x->name, "measure") &&
			   strcmp(x->name, "guest")) {
			nr++;
		}
	}
	fputs("ptelab run -o - --seed @SEED@ --max-ops 64 --batches 1 --warmup 1 --counted 0",
	      f);
	/* The defaults come first, so that they are measured first. */
	selector(f, b, "", NULL, NULL);
	for (i = 0; i < nr; i++)
		selector(f, b, all, &v[i], NULL);
	if (!nr)
		selector(f, b, all, NULL, NULL);
	for (i = 0; i < nr; i++)
		for (k = i + 1; k < nr; k++)
			if (v[i].nr * v[k].nr <= MAX_PAIRS)
				selector(f, b, "", &v[i], &v[k]);
	/* The guest's own pass requires a guest. */
	if (param_has(b, "measure") && listens)
		selector(f, b, param_has(b, "guest") ?
			 ":secondary=kvm:measure=guest:folio=4k,contpte,2m:guest=each" :
			 ":secondary=kvm:measure=guest:folio=4k,contpte,2m",
			 NULL, NULL);
	if (listens)
		selector(f, b, ":secondary=each", NULL, NULL);
	fputs("\n", f);
	free(all);
}

void atlas_job(FILE *f)
{
	const struct bench *const *b;

	fputs("# Every benchmark with every value of its parameters, to learn which code each\n"
	      "# runs.\n"
	      "# module\n", f);
	for (b = bench_all() + 1; *b; b++)
		if (!(*b)->hidden)
			put_bench(f, *b);
}
