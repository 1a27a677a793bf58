/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the runner sees anything that counts: PMU, vmstat, BPF programs, the
 * module, KVM statistics. A source counts a fixed list of metrics; the runner
 * opens it, brackets the measured region with start and stop, and learns for
 * each metric either a count or why there is none. It never sees a 0 that
 * stands for "could not count".
 */
#ifndef PTELAB_COUNTER_H
#define PTELAB_COUNTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the events that a metric counts are about, so that nobody waits for
 * probes where none of them can happen. */
enum events {
	EVENTS_MM = 1,	/* page tables of a process, GUP, mmu notifiers */
	EVENTS_KVM = 2,	/* a virtual machine's faults and stage 2 */
	EVENTS_ALL = EVENTS_MM | EVENTS_KVM,
};

/* By the metric's name. */
enum events metric_events(const char *metric);

/* Which of a point's two passes a source may take part in. */
enum counter_pass {
	PASS_TIMED,	/* costs next to nothing and disturbs nothing */
	PASS_COUNTED,	/* attaches probes or reads slow files */
};

struct counter_value {
	bool present;
	uint64_t count;
	const char *absent;	/* why not, if !present; owned by the source */
};

struct counter_source {
	const char *name;
	enum counter_pass pass;
	/*
	 * Opened, started and stopped by every worker thread for itself (the
	 * PMU), or once for the machine, on behalf of the whole point.
	 */
	bool per_thread;
	const char *const *metrics;	/* names from metric.c, NULL at the end */
	/*
	 * Which events (enum events) matter to those who open it from now on:
	 * metrics of others may then be absent. NULL: the source has no choice.
	 */
	void (*choose)(unsigned int events);
	/*
	 * @pid: count this process and its threads where the source can tell
	 * processes apart; 0 for the whole machine.
	 * Returns 0 with *priv set even if only some metrics can be had, or
	 * even none: @values (one for each metric) then says why for each.
	 * Returns -errno with fail() text only for what the user must mend.
	 */
	int (*open)(void **priv, pid_t pid, struct counter_value *values);
	int (*start)(void *priv);
	/* Fills count (since start) where present. Clears present, with a
	 * reason, where this one interval could not be counted. */
	int (*stop)(void *priv, struct counter_value *values);
	void (*close)(void *priv);
};

#endif
