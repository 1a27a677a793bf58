/* SPDX-License-Identifier: GPL-2.0 */
/* The counter sources that bench/ itself brings, and the vmstat snapshots. */
#ifndef PTELAB_SOURCES_H
#define PTELAB_SOURCES_H

#include "lib/counter.h"

/*
 * instructions_user, instructions_kernel, cycles of the calling thread; and
 * instructions_guest, which without pmu_count_guest(true) is neither present
 * nor absent for a reason: not a metric of that point at all.
 */
extern const struct counter_source pmu_source;
/* For pmu_source.open() calls of this thread that follow. */
void pmu_count_guest(bool yes);

/* What /proc/vmstat says at one moment. */
struct vmstat {
	char *text;		/* NULL: not taken */
};

/* Page faults of this process so far. Apart from the vmstat, whose reading
 * may fault in a buffer of its own. */
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
/* Change of one field; false if this kernel does not have it. */
bool vmstat_delta(const struct vmstat *from, const struct vmstat *to,
		  const char *field, int64_t *delta);

#endif
