// SPDX-License-Identifier: GPL-2.0
/* See pass.h. The pass with perf's events around each batch. */
#include "bench/harness/pass.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/kit/stop.h"
#include "lib/util.h"

static int perf_batches(struct pass *p, double *ns)
{
	struct runner *r = p->r;
	pid_t tid[MAX_THREADS];
	unsigned int t, b;
	int ret = 0;

	for (t = 0; t < p->nr; t++)
		while (!(tid[t] = __atomic_load_n(&p->workers[t].tid,
						  __ATOMIC_ACQUIRE)))
			sched_yield();
	for (b = 0; b < r->o.warmup + r->o.batches && !ret; b++) {
		if (bench_stop)
			return -EINTR;
		if (b == r->o.warmup) {
			ret = perf_start(r->o.perf, tid, p->nr);
			p->perf = r->o.perf;
		}
		if (!ret)
			ret = pass_prepare(p->ctx);
		if (!ret)
			ret = pass_batch(p);
		if (b >= r->o.warmup)
			ns[b - r->o.warmup] = pass_batch_ns(p);
	}
	return ret;
}

/* Returns perf's counts of an empty batch, or its samples, as text. */
static char *counts_of_empty(const json_t *record)
{
	json_t *samples = json_object_get(json_object_get(record, "perf"),
					  "samples"), *counter;
	char *text = xstrdup("");
	const char *metric;
	char number[32];

	if (samples)
		append_text(&text, "", "%" JSON_INTEGER_FORMAT " samples",
			    json_integer_value(samples));
	json_object_foreach(json_object_get(record, "counters"), metric,
			    counter) {
		if (strncmp(metric, "perf.", 5))
			continue;
		snprintf(number, sizeof(number), "%.3g", json_number_value(
				json_object_get(counter, "per_op")));
		append_text(&text, ", ", "%s %s", metric, number);
	}
	return text;
}

/*
 * Records how long a batch takes with perf's events enabled and without them. For
 * the empty batch, also sets the text of the cost: perf's counts there are not the
 * operation's.
 */
static void put_perf_cost(struct pass *p, double *ns, json_t *record)
{
	json_t *about = json_object_get(record, "perf");
	json_t *plain = json_object_get(json_object_get(json_object_get(record,
					"counters"), "ns"), "per_op");
	double with = pass_typical(ns, p->r->o.batches);
	double without = json_number_value(plain) * p->ctx->ops * p->nr;
	double control = perf_control_ns(p->r->o.perf);
	char *counts, *text = xstrdup("");

	if (plain) {
		json_object_set_new(about, "batch_ns", json_real(with));
		json_object_set_new(about, "batch_ns_without",
				    json_real(without));
		json_object_set_new(about, "control_ns", json_real(control));
		append_text(&text, "", "an empty batch takes %.0f ns with perf's events enabled and %.0f ns without, enabling and disabling them %.0f us",
			    with, without, control / 1e3);
	}
	if (strcmp(p->ctx->bench->name, "harness.empty")) {
		free(text);
		return;
	}
	counts = counts_of_empty(record);
	append_text(&text, "; ", "of an empty batch perf counts %s",
		    *counts ? counts : "nothing");
	perf_set_cost(p->r->o.perf, text);
	free(counts);
}

/* Returns 1 if nothing was run, so that there is nothing to verify. */
int perf_pass(struct pass *p, json_t *record)
{
	struct runner *r = p->r;
	const char *why = perf_lost(r->o.perf);
	double *ns;
	int ret;

	if (p->ctx->bench->own_time)
		why = "perf: the benchmark measures parts of a batch itself";
	if (why) {
		pass_put_absent(record, "perf.*", why);
		return 1;
	}
	ns = xcalloc(r->o.batches, sizeof(*ns));
	ret = perf_batches(p, ns);
	if (!ret)
		ret = perf_stop(r->o.perf, record,
				p->ctx->ops * p->nr * r->o.batches);
	else
		perf_drop(r->o.perf);
	p->perf = NULL;
	if (!ret)
		put_perf_cost(p, ns, record);
	free(ns);
	/* the point itself is measured */
	why = perf_lost(r->o.perf);
	if (!ret || !why)
		return ret;
	pass_put_absent(record, "perf.*", why);
	return 1;
}
