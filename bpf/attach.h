/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads and attaches what the wanted counters need, each in the best way that
 * this kernel allows, and reads the counts. A counter that can not be had says
 * why; it never stands at 0 for that.
 */
#ifndef PTELAB_BPF_ATTACH_H
#define PTELAB_BPF_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/counters.h"

struct tracer;

/* One counter, at one moment. */
struct trace_value {
	const char *absent;	/* why it is not counted; NULL if it is */
	uint64_t count;		/* since tracer_attach() or tracer_zero() */
	uint64_t missed;	/* hits that are known to have been lost */
};

enum whose {
	WHOSE_ALL,	/* everybody's */
	WHOSE_MINE,	/* on the calling process's memory; tracer_only_me() */
	WHOSE_CHILD,	/* a child's, its children's; tracer_track_me() in it */
	WHOSE_PID,	/* a process's, its children's; tracer_track_pid() */
};

/*
 * @want: which of bpf_counters to count.
 * Loads, attaches once to see what works, and stays attached. Never NULL.
 */
struct tracer *tracer_new(const bool want[MAX_COUNTERS], enum whose whose);
/*
 * The same, with kprobes in the place of fentry where they count the same: they
 * cost more at each hit, but to attach and detach a trampoline the kernel goes
 * through all that ftrace knows, ten times.
 */
struct tracer *tracer_new_quick(const bool want[MAX_COUNTERS],
				enum whose whose);
void tracer_free(struct tracer *t);

/*
 * Attaches again what tracer_detach() let go. A counter that can no longer be
 * attached becomes absent. Software events are not touched by either.
 */
void tracer_attach(struct tracer *t);
void tracer_detach(struct tracer *t);

/* All three return 0 or -errno with fail() text; -ESRCH without. */
int tracer_only_me(struct tracer *t);
int tracer_track_me(struct tracer *t);
int tracer_track_pid(struct tracer *t, pid_t pid);
/* NULL, or what makes that the set of tracked processes may not be right. */
const char *tracer_warning(const struct tracer *t);

/*
 * Software events of @pid (0: every CPU, for WHOSE_ALL) and of what it will
 * fork. @on_exec: count from its next exec on.
 */
void tracer_software(struct tracer *t, pid_t pid, bool on_exec);

/* Counts from now on, where they are absolute otherwise. */
void tracer_zero(struct tracer *t);
/* One value for each of bpf_counters. */
void tracer_read(struct tracer *t, struct trace_value values[MAX_COUNTERS]);

/* "fentry gup_fast_fallback + ..." or NULL if the counter is absent. */
const char *tracer_how(const struct tracer *t, unsigned int counter);

#endif
