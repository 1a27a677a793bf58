// SPDX-License-Identifier: GPL-2.0
/* See session.h. */
#include "bench/harness/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/marks.h"
#include "lib/util.h"

static int write_point(struct session *s, const struct point *p,
		       json_t *record)
{
	const char *status =
		json_string_value(json_object_get(record, "status"));

	if (!strcmp(status, "ok")) {
		s->nr_ok += p->bench != bench_all()[0];
	} else if (!strcmp(status, "unavailable")) {
		s->nr_unavailable++;
		s->unmeasured(p, record);
	} else {
		s->nr_bad++;
		s->unmeasured(p, record);
	}
	return run_writer_point(s->writer, record);
}

/*
 * Measures points @from to @to: times all with nothing attached, then counts
 * all, then writes them. A crash in between loses this group.
 */
static int measure_group(struct session *s, size_t from, size_t to)
{
	const struct point_list *list = s->list;
	struct runner *r = s->runner;
	json_t **records = xcalloc(to - from, sizeof(*records));
	bool stopped = false;
	size_t i;
	int ret = 0;

	region_mark(MARK_WATCH);
	for (i = from; i < to && !stopped; i++) {
		s->progress(s, i);
		records[i - from] = runner_timed(r, &list->points[i], &stopped);
	}
	region_mark(MARK_REST);
	for (i = from; i < to && !stopped; i++)
		runner_sampled(r, &list->points[i], records[i - from],
			       &stopped);
	for (i = from; i < to && !stopped; i++)
		runner_perf(r, &list->points[i], records[i - from], &stopped);
	if (!stopped && s->counted) {
		ret = runner_attach(r, &list->points[from], to - from);
		for (i = from; i < to && !ret && !stopped; i++)
			runner_counted(r, &list->points[i], records[i - from],
				       &stopped);
		if (!ret)
			runner_detach(r);
	}
	for (i = from; i < to; i++) {
		if (!ret && !stopped)
			ret = write_point(s, &list->points[i],
					  records[i - from]);
		json_decref(records[i - from]);
	}
	free(records);
	return stopped ? -EINTR : ret;
}

/*
 * Moves points that subscribe to mmu notifiers to the end, because they change
 * every later measurement. Otherwise keeps the order. Returns where they begin.
 */
static size_t subscribers_last(struct runner *r, struct point_list *list)
{
	struct point *last = xcalloc(list->nr, sizeof(*last));
	size_t nr = 0, nr_last = 0, i;

	for (i = 0; i < list->nr; i++)
		if (runner_subscribes(r, &list->points[i]))
			last[nr_last++] = list->points[i];
		else
			list->points[nr++] = list->points[i];
	memcpy(list->points + nr, last, nr_last * sizeof(*last));
	free(last);
	return nr;
}

int session_measure(struct session *s)
{
	struct point_list *list = s->list;
	size_t from, to, first = subscribers_last(s->runner, list);
	int ret;

	for (from = 0; from < list->nr; from = to) {
		size_t end = from < first ? first : list->nr;

		to = from + s->group < end ? from + s->group : end;
		ret = measure_group(s, from, to);
		if (ret)
			return ret;
	}
	s->progress(s, list->nr);
	return 0;
}
