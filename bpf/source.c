// SPDX-License-Identifier: GPL-2.0
/*
 * See source.h. Loading takes far longer than attaching, so the programs stay
 * loaded from point to point; between points nothing is attached.
 */
#include "bpf/source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpf/attach.h"
#include "lib/env.h"
#include "lib/util.h"

/* In the order of the table, without what the runner counts itself. */
static const char *metrics[MAX_COUNTERS + 1];
static unsigned int counter_of[MAX_COUNTERS];
static unsigned int nr_metrics;

/*
 * One tracer for each of enum events, loaded when it is first needed. They
 * share no counters and no programs.
 */
#define NR_KINDS	2

static struct tracer *loaded[NR_KINDS];
static pid_t loaded_for;
static unsigned int chosen = EVENTS_ALL;

struct bpf_priv {
	struct tracer *t[NR_KINDS];	/* NULL: not chosen */
	char lost[MAX_COUNTERS][96];
};

__attribute__((constructor))
static void list_metrics(void)
{
	unsigned int i;

	for (i = 0; i < bpf_counters_nr; i++) {
		if (bpf_counters[i].way[0].point[0].kind == POINT_SOFTWARE)
			continue;
		counter_of[nr_metrics] = i;
		metrics[nr_metrics++] = bpf_counters[i].metric;
	}
}

static void collect_one(struct bpf_priv *p, unsigned int kind,
			struct counter_value *values)
{
	struct trace_value v[MAX_COUNTERS];
	unsigned int m;

	if (p->t[kind])
		tracer_read(p->t[kind], v);
	for (m = 0; m < nr_metrics; m++) {
		const struct trace_value *from = &v[counter_of[m]];

		if (metric_events(metrics[m]) != 1U << kind)
			continue;
		if (!p->t[kind]) {
			values[m] = (struct counter_value) {
				.absent = "not requested",
			};
			continue;
		}
		values[m].present = !from->absent && !from->missed;
		values[m].absent = from->absent;
		values[m].count = from->count;
		if (from->absent || !from->missed)
			continue;
		/* Don't report a count that is too low. */
		snprintf(p->lost[m], sizeof(p->lost[m]),
			 "the probe counted %" PRIu64 " hits and lost %" PRIu64,
			 from->count, from->missed);
		values[m].absent = p->lost[m];
	}
}

static void collect(struct bpf_priv *p, struct counter_value *values)
{
	unsigned int kind;

	for (kind = 0; kind < NR_KINDS; kind++)
		collect_one(p, kind, values);
}

static int load(unsigned int kind, pid_t pid)
{
	enum whose whose = WHOSE_ALL;
	bool want[MAX_COUNTERS] = { false };
	struct tracer *t;
	unsigned int m;
	int ret = 0;

	if (pid)
		whose = pid == getpid() ? WHOSE_MINE : WHOSE_PID;
	for (m = 0; m < nr_metrics; m++)
		want[counter_of[m]] = metric_events(metrics[m]) == 1U << kind;
	/* Where time is emulated, slow attaching takes long. */
	t = machine_get()->clock_emulated ? tracer_new_quick(want, whose) :
					    tracer_new(want, whose);
	if (whose == WHOSE_MINE)
		ret = tracer_only_me(t);
	else if (whose == WHOSE_PID)
		ret = tracer_track_pid(t, pid);
	if (ret)
		tracer_free(t);
	else
		loaded[kind] = t;
	return ret;
}

static void unload_all(void)
{
	unsigned int kind;

	for (kind = 0; kind < NR_KINDS; kind++) {
		if (loaded[kind])
			tracer_free(loaded[kind]);
		loaded[kind] = NULL;
	}
}

static void source_choose(unsigned int events)
{
	chosen = events;
}

static void source_close(void *priv)
{
	struct bpf_priv *p = priv;
	unsigned int kind;

	for (kind = 0; kind < NR_KINDS; kind++)
		if (p->t[kind])
			tracer_detach(p->t[kind]);
	free(p);
}

static int source_open(void **priv, pid_t pid, struct counter_value *values)
{
	struct bpf_priv *p = xcalloc(1, sizeof(*p));
	unsigned int kind;
	int ret = 0;

	if (loaded_for != pid)
		unload_all();
	loaded_for = pid;
	for (kind = 0; kind < NR_KINDS && !ret; kind++) {
		if (!(chosen & 1U << kind))
			continue;
		if (loaded[kind])
			tracer_attach(loaded[kind]);
		else
			ret = load(kind, pid);
		p->t[kind] = loaded[kind];
	}
	if (ret) {
		source_close(p);
		return ret;
	}
	*priv = p;
	collect(p, values);
	return 0;
}

static int source_start(void *priv)
{
	struct bpf_priv *p = priv;
	unsigned int kind;

	for (kind = 0; kind < NR_KINDS; kind++)
		if (p->t[kind])
			tracer_zero(p->t[kind]);
	return 0;
}

static int source_stop(void *priv, struct counter_value *values)
{
	collect(priv, values);
	return 0;
}

const struct counter_source bpf_source = {
	.name = "bpf",
	.pass = PASS_COUNTED,
	.metrics = metrics,
	.choose = source_choose,
	.open = source_open,
	.start = source_start,
	.stop = source_stop,
	.close = source_close,
};
