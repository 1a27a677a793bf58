/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A session takes all points of a run, in an order in which they can be measured,
 * through their passes, and writes them to the run file.
 */
#ifndef PTELAB_SESSION_H
#define PTELAB_SESSION_H

#include "bench/harness/runner.h"
#include "lib/record.h"

struct session {
	struct runner *runner;
	struct run_writer *writer;
	struct point_list *list;
	size_t group;	/* points to time before counting and writing them */
	bool counted;	/* there is a counted pass */
	/* Called before point @i is timed, and with list->nr at the end. */
	void (*progress)(const struct session *s, size_t i);
	/* Called for a point that is unavailable, failed or was not proved. */
	void (*unmeasured)(const struct point *p, const json_t *record);
	size_t nr_ok, nr_unavailable, nr_bad;	/* points so far */
};

/*
 * Measures all points; reorders the list. Returns 0, -EINTR if a signal ended it
 * early, or another -errno with fail() text.
 */
int session_measure(struct session *s);

#endif
