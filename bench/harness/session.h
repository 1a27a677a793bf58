/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session: all points of a run, in the order in which they may be measured,
 * each through its passes and into the run's file.
 */
#ifndef PTELAB_SESSION_H
#define PTELAB_SESSION_H

#include "bench/harness/runner.h"
#include "lib/record.h"

struct session {
	struct runner *runner;
	struct run_writer *writer;
	struct point_list *list;
	size_t group;	/* points timed before they are counted and written */
	bool counted;	/* there is a counted pass */
	/* Before point @i is timed, and once with list->nr at the end. */
	void (*progress)(const struct session *s, size_t i);
	/* For a point that failed or was not proved. */
	void (*bad)(const struct point *p, const json_t *record);
	size_t nr_ok, nr_unavailable, nr_bad;	/* points so far */
};

/*
 * Measures them all. The list is reordered. Returns 0, -EINTR if a signal ended
 * it early, or another -errno with fail() text.
 */
int session_measure(struct session *s);

#endif
