/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loads and attaches the programs of the requested counters, each in the best way
 * that this kernel supports, and reads the counts. An unavailable counter has a
 * reason; it is never 0.
 */
#ifndef PTELAB_BPF_ATTACH_H
#define PTELAB_BPF_ATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/counters.h"

struct tracer;

/* The value of one counter. */
struct trace_value {
	const char *absent;	/* why it is not counted; NULL if it is */
	uint64_t count;		/* since tracer_attach() or tracer_zero() */
	uint64_t missed;	/* hits that are known to be lost */
};

enum whose {
	WHOSE_ALL,	/* events of all processes */
	WHOSE_MINE,	/* on the memory of the calling process; tracer_only_me() */
	WHOSE_CHILD,	/* of a child and its children; tracer_track_me() in it */
	WHOSE_PID,	/* of a process and its children; tracer_track_pid() */
};

/*
 * Loads and attaches, and determines what works. @want: which of bpf_counters to
 * count. Never returns NULL.
 */
struct tracer *tracer_new(const bool want[MAX_COUNTERS], enum whose whose);
/*
 * The same, with kprobes instead of fentry if they count the same. Kprobes cost more
 * per hit, but to attach and detach a trampoline the kernel walks all records of
 * ftrace ten times.
 */
struct tracer *tracer_new_quick(const bool want[MAX_COUNTERS],
				enum whose whose);
void tracer_free(struct tracer *t);

/*
 * Attaches again after tracer_detach(). A counter that can no longer be attached
 * becomes absent. Neither affects software events.
 */
void tracer_attach(struct tracer *t);
void tracer_detach(struct tracer *t);

/* All three return 0 or -errno with fail() text; -ESRCH without. */
int tracer_only_me(struct tracer *t);
int tracer_track_me(struct tracer *t);
int tracer_track_pid(struct tracer *t, pid_t pid);
/* Returns NULL, or why the set of tracked processes may be wrong. */
const char *tracer_warning(const struct tracer *t);

/*
 * Opens the software events of @pid (0: every CPU, for WHOSE_ALL) and its future
 * children. @on_exec: count from its next exec on.
 */
void tracer_software(struct tracer *t, pid_t pid, bool on_exec);

/* Makes all counts start from 0 now. */
void tracer_zero(struct tracer *t);
/* Reads one value for each of bpf_counters. */
void tracer_read(struct tracer *t, struct trace_value values[MAX_COUNTERS]);

/* "fentry gup_fast_fallback + ..." or NULL if the counter is absent. */
const char *tracer_how(const struct tracer *t, unsigned int counter);

#endif
