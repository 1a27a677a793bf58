/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The counters of BPF programs, kprobes and software events. A new counter of calls
 * of a function is a line in counters.def. Any other counter is an entry in the
 * table of counters.c, a program in ptelab.bpf.c and a slot in slots.h.
 */
#ifndef PTELAB_BPF_COUNTERS_H
#define PTELAB_BPF_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/slots.h"

enum point_kind {
	POINT_END,		/* a zeroed point ends the list */
	POINT_FENTRY,
	POINT_FEXIT,
	POINT_KPROBE,
	POINT_KRETPROBE,
	POINT_RETRY_SITES,	/* kprobes where retry_sites.c finds retries */
	POINT_TRACEPOINT,
	POINT_SOFTWARE,		/* perf software event, no BPF at all */
};

/* One place at which one program is attached. */
struct attach_point {
	enum point_kind kind;
	const char *prog;	/* in ptelab.bpf.c */
	/*
	 * What to attach to: the names "a|b|c" of a function or tracepoint in
	 * different kernels; the first that this kernel has is used.
	 */
	const char *where;
	/*
	 * For functions whose arguments changed: the required number of
	 * arguments, and the name of one; 0, NULL: any.
	 */
	unsigned int nargs;
	const char *arg;
	/*
	 * Functions that are known to call it, "a|b". If one does not, it has
	 * inlined it, and a probe would miss those calls.
	 */
	const char *callers;
	uint64_t config;	/* POINT_SOFTWARE: PERF_COUNT_SW_* */
};

#define MAX_WAYS	5
#define MAX_POINTS	7

/*
 * Instead of an enumerator, if each has a slot: their sum, and the slot of events
 * without a notifier.
 */
#define EVERY_CAUSE	"*"
#define CAUSE_IS_KVM	"kvm"

/* A way to count, which needs all of its points. */
struct way {
	struct attach_point point[MAX_POINTS];
};

struct bpf_counter {
	const char *metric;	/* in lib/metric.c */
	enum slot slot;
	/* Each hit of its only point is an event, so that perf can count them. */
	bool plain;
	/* The architecture that has the event, as "arm64"; NULL: all. */
	const char *arch;
	/*
	 * An enumerator that the kernel must have: "enum:ENUMERATOR". From
	 * SLOT_NOTIFIER_START on its value is added to the slot, and NULL stands
	 * for all events that the table does not name.
	 */
	const char *enumerator;
	struct way way[MAX_WAYS];	/* best first */
};

extern const struct bpf_counter bpf_counters[];
extern const unsigned int bpf_counters_nr;

/* Enough for the table; counters.c checks. */
#define MAX_COUNTERS	96

const struct bpf_counter *bpf_counter_find(const char *metric);
const char *point_kind_name(enum point_kind kind);

#endif
