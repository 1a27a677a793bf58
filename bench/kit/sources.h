/* SPDX-License-Identifier: GPL-2.0 */
/* The counter sources in bench/, and vmstat snapshots. */
#ifndef PTELAB_SOURCES_H
#define PTELAB_SOURCES_H

#include "lib/counter.h"

/*
 * Counts instructions_user, instructions_kernel and cycles of the calling thread,
 * and, after pmu_count_guest(true), instructions_guest. Without that call,
 * instructions_guest is not a metric of the point, so it is not absent either.
 */
extern const struct counter_source pmu_source;
/* Affects subsequent pmu_source.open() calls of this thread. */
void pmu_count_guest(bool yes);

/* A snapshot of /proc/vmstat. */
struct vmstat {
	char *text;		/* NULL: not taken */
};

/*
 * Page faults of this process so far. Separate from vmstat, because reading that may
 * fault in a buffer.
 */
struct faults {
	uint64_t minor, major;
};

void faults_take(struct faults *f);

/*
 * Takes a snapshot. As root, per-CPU differences are folded first
 * (/proc/sys/vm/stat_refresh), without which counts such as
 * nr_foll_pin_acquired lag behind. Returns 0 or -errno with fail() text.
 */
int vmstat_take(struct vmstat *s);
void vmstat_drop(struct vmstat *s);
/* Gets the change of one field; false if this kernel does not have it. */
bool vmstat_delta(const struct vmstat *from, const struct vmstat *to,
		  const char *field, int64_t *delta);

#endif
