/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The runner's interface to everything that counts: PMU, vmstat, BPF programs, the
 * module, KVM statistics. A source counts a fixed list of metrics. The runner opens
 * it, brackets the measured region with start and stop, and gets for each metric
 * either a count or the reason why there is none. A source never returns 0 for
 * "could not count".
 */
#ifndef PTELAB_COUNTER_H
#define PTELAB_COUNTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The kind of events that a metric counts. Probes of a kind are not attached to
 * points where such events can't happen.
 */
enum events {
	EVENTS_MM = 1,	/* page tables of a process, GUP, mmu notifiers */
	EVENTS_KVM = 2,	/* a virtual machine's faults and stage 2 */
	EVENTS_ALL = EVENTS_MM | EVENTS_KVM,
};

/* Returns the kind of a metric, by its name. */
enum events metric_events(const char *metric);

/* The pass of a point in which a source counts. */
enum counter_pass {
	PASS_TIMED,	/* costs almost nothing and disturbs nothing */
	PASS_COUNTED,	/* attaches probes or reads slow files */
};

struct counter_value {
	bool present;
	uint64_t count;
	const char *absent;	/* why not, if !present; owned by the source */
};

/* The most metrics of one source. */
#define MAX_VALUES	96

struct counter_source {
	const char *name;
	enum counter_pass pass;
	/*
	 * True if every worker thread opens, starts and stops the source itself
	 * (the PMU); false if this is done once for the whole point.
	 */
	bool per_thread;
	/*
	 * True if start and stop make other processes run, whose faults are in
	 * /proc/vmstat too: they are called outside of its two readings.
	 */
	bool wakes_others;
	const char *const *metrics;	/* names from metric.c, NULL at the end */
	/*
	 * Selects the events (enum events) for subsequent open() calls; metrics
	 * of other events may then be absent. NULL: the source has no choice.
	 */
	void (*choose)(unsigned int events);
	/*
	 * @pid: count this process and its threads, if the source can; 0 for
	 * the whole machine.
	 * Returns 0 with *priv set even if some or all metrics are unavailable:
	 * @values (one for each metric) has the reason. Returns -errno with
	 * fail() text only for problems that the user must fix.
	 */
	int (*open)(void **priv, pid_t pid, struct counter_value *values);
	int (*start)(void *priv);
	/*
	 * Fills in the counts since start. Clears present, with a reason, for
	 * metrics that could not be counted in this interval.
	 */
	int (*stop)(void *priv, struct counter_value *values);
	void (*close)(void *priv);
};

#endif
