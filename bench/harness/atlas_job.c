// SPDX-License-Identifier: GPL-2.0
/*
 * See atlas_job.h. Every value of every parameter is in, and every pair of
 * values of two parameters, for each kind of listener: a listener opens code
 * in the calls of all others (the notifier in change_protection(), for dir=up
 * alone). All combinations would take minutes; a benchmark of which even the
 * pairs are too many gets one value at a time.
 */
#include "bench/harness/atlas_job.h"

#include <string.h>

#include "bench/bench.h"

/* Points of a benchmark, doubles included, above which pairs are too many. */
#define MAX_PAIRS	300

/* As of ptelab run's -b: "each", "4k,64k". NULL: the default alone. */
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
		/* a page, what one TLB entry may hold, a PMD */
		if (strcmp(p->name, "folio"))
			return NULL;
		*nr = 3;
		return "4k,contpte,2m";
	case PARAM_INT:
		*nr = 2;
		if (p->min == 0 && p->max == 1)
			return "0,1";
		/* one page may take another way than several */
		if (strcmp(p->name, "pages"))
			return NULL;
		snprintf(buf, 64, "1,%s", p->def);
		return buf;
	default:
		return NULL;
	}
}

static bool listens(const struct bench_param *p)
{
	return !strcmp(p->name, "secondary");
}

struct varied {
	const char *name, *values;
	char buf[64];
	size_t nr;
};

static void put_selector(FILE *f, const struct bench *b, const char *listeners,
			 const struct varied *x, const struct varied *y)
{
	fprintf(f, " -b %s%s", b->name, listeners);
	if (x)
		fprintf(f, ":%s=%s", x->name, x->values);
	if (y)
		fprintf(f, ":%s=%s", y->name, y->values);
}

static void put_bench(FILE *f, const struct bench *b)
{
	struct varied v[BENCH_MAX_PARAMS];
	const char *listeners = "";
	size_t nr = 0, all = 0, kinds = 1, i, k;

	for (i = 0; i < b->nr_params; i++) {
		struct varied *x = &v[nr];

		x->name = b->params[i].name;
		x->values = values_of(&b->params[i], &x->nr, x->buf);
		if (listens(&b->params[i])) {
			listeners = ":secondary=each";
			kinds = x->nr;
		} else if (x->values) {
			nr++;
		}
	}
	for (i = 0; i < nr; i++)
		for (k = i + 1; k < nr; k++)
			all += kinds * v[i].nr * v[k].nr;
	fputs("ptelab run -o - --seed @SEED@ --batches 2 --warmup 1 --counted 0",
	      f);
	/* What is asked for first is measured first: the defaults. */
	if (nr != 1)
		put_selector(f, b, listeners, NULL, NULL);
	for (i = 0; i < nr; i++) {
		if (nr == 1 || all > MAX_PAIRS)
			put_selector(f, b, listeners, &v[i], NULL);
		for (k = i + 1; k < nr && all <= MAX_PAIRS; k++)
			put_selector(f, b, listeners, &v[i], &v[k]);
	}
	fputs("\n", f);
}

void atlas_job(FILE *f)
{
	const struct bench *const *b;

	fputs("# Every benchmark with every value of its parameters, to learn which code each\n"
	      "# runs. Of two timed batches the one without a timer tick tells.\n"
	      "# module\n", f);
	for (b = bench_all() + 1; *b; b++)
		if (!(*b)->hidden)
			put_bench(f, *b);
}
