// SPDX-License-Identifier: GPL-2.0
/*
 * See source.h. Loading takes far longer than attaching, so the programs stay
 * loaded from point to point; between points nothing is attached.
 */
#include "source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../lib/util.h"
#include "attach.h"

/* In the order of the table, less what the runner counts by itself. */
static const char *metrics[MAX_COUNTERS + 1];
static unsigned int counter_of[MAX_COUNTERS];
static unsigned int nr_metrics;

static struct tracer *loaded;
static pid_t loaded_for;

struct bpf_priv {
	struct tracer *t;
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

static void collect(struct bpf_priv *p, struct counter_value *values)
{
	struct trace_value v[MAX_COUNTERS];
	unsigned int m;

	tracer_read(p->t, v);
	for (m = 0; m < nr_metrics; m++) {
		const struct trace_value *from = &v[counter_of[m]];

		values[m].present = !from->absent && !from->missed;
		values[m].absent = from->absent;
		values[m].count = from->count;
		if (from->absent || !from->missed)
			continue;
		/* An undercount is not a count. */
		snprintf(p->lost[m], sizeof(p->lost[m]),
			 "%" PRIu64 " hits were counted and %" PRIu64 " lost by the probe",
			 from->count, from->missed);
		values[m].absent = p->lost[m];
	}
}

static int load(pid_t pid)
{
	enum whose whose = WHOSE_ALL;
	bool want[MAX_COUNTERS] = { false };
	unsigned int m;
	int ret = 0;

	if (pid)
		whose = pid == getpid() ? WHOSE_MINE : WHOSE_PID;
	for (m = 0; m < nr_metrics; m++)
		want[counter_of[m]] = true;
	loaded = tracer_new(want, whose);
	loaded_for = pid;
	if (whose == WHOSE_MINE)
		ret = tracer_only_me(loaded);
	else if (whose == WHOSE_PID)
		ret = tracer_track_pid(loaded, pid);
	if (ret) {
		tracer_free(loaded);
		loaded = NULL;
	}
	return ret;
}

static int source_open(void **priv, pid_t pid, struct counter_value *values)
{
	struct bpf_priv *p;
	int ret;

	if (loaded && loaded_for != pid) {
		tracer_free(loaded);
		loaded = NULL;
	}
	if (loaded) {
		tracer_attach(loaded);
	} else {
		ret = load(pid);
		if (ret)
			return ret;
	}
	p = xcalloc(1, sizeof(*p));
	p->t = loaded;
	*priv = p;
	collect(p, values);
	return 0;
}

static int source_start(void *priv)
{
	struct bpf_priv *p = priv;

	tracer_zero(p->t);
	return 0;
}

static int source_stop(void *priv, struct counter_value *values)
{
	collect(priv, values);
	return 0;
}

static void source_close(void *priv)
{
	struct bpf_priv *p = priv;

	tracer_detach(p->t);
	free(p);
}

const struct counter_source bpf_source = {
	.name = "bpf",
	.pass = PASS_COUNTED,
	.metrics = metrics,
	.open = source_open,
	.start = source_start,
	.stop = source_stop,
	.close = source_close,
};
