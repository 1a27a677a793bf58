/* SPDX-License-Identifier: GPL-2.0 */
/* Internals of a tracer, shared by attach.c, tracer_read.c, choose.c and software.c. */
#ifndef PTELAB_BPF_TRACER_H
#define PTELAB_BPF_TRACER_H

#include <bpf/libbpf.h>

#include "bpf/attach.h"
#include "bpf/retry/retry_sites.h"
#include "lib/util.h"

#define MAX_ATTACHED	128

typedef unsigned __int128 slot_set;

#define SLOT_BIT(s)	((slot_set)1 << (s))
_Static_assert(SLOT_NR <= 8 * sizeof(slot_set), "a bit for each slot");

struct attached {
	enum point_kind kind;
	const char *prog;
	char where[80];
	uint64_t offset;
	struct bpf_link *link;
	uint64_t missed;	/* by links that no longer exist */
	uint64_t missed_base;
};

struct counter_state {
	bool want;
	int way;		/* -1: none */
	const char *excluded[MAX_WAYS];
	const char *absent;
	char *how;
	slot_set slots;		/* bit s: slot s is added */
	slot_set minus;		/* bit s: slot s is subtracted */
	/* Which of attached[] it needs. */
	bool uses[MAX_ATTACHED];
	int *software;
	unsigned int nr_software;
	uint64_t software_base;
	const char *software_absent;
};

struct tracer {
	enum whose whose;
	bool quick;		/* prefer quick attaching to cheap hits */
	struct ptelab *skel;		/* the programs and their variables */
	struct bpf_object *obj;		/* the skeleton's object */
	const struct slot_row *rows;	/* the skeleton's rows, once it is loaded */
	uint64_t base[SLOT_NR];
	struct counter_state c[MAX_COUNTERS];
	struct attached attached[MAX_ATTACHED];
	unsigned int nr_attached;
	struct bpf_link *follow[4];
	const char *no_bpf;		/* why nothing can be loaded at all */
	const char *no_trampolines;	/* ... for fentry and fexit */
	const char *no_kprobes;		/* ... for kprobes */
	const char *warning;
	struct retry_sites sites;
	bool sites_known;
	/* All reasons, each once; freed with the tracer. */
	char **said;
	unsigned int nr_said;
};

/* --- choose.c --- */

/* Formats a reason that lives as long as the tracer. */
const char *tracer_text(struct tracer *t, const char *fmt, ...) __printf(2, 3);
/* Sets the slots; returns NULL, or why this kernel has no such event. */
const char *find_slots(struct tracer *t, const struct bpf_counter *bc,
		       struct counter_state *c);
/* Adds the best way of a counter that is not excluded to attached[]. */
void choose_way(struct tracer *t, unsigned int counter);
/* Excludes every way that needs to attach @prog (at @where, if not NULL). */
void tracer_exclude(struct tracer *t, const char *prog, const char *where,
		    const char *why);
bool program_used(const struct tracer *t, const char *prog);

static inline bool is_trampoline(enum point_kind kind)
{
	return kind == POINT_FENTRY || kind == POINT_FEXIT;
}

/* --- tracer_read.c --- */

/* Hits that a kprobe has lost so far. */
uint64_t missed_by_link(const struct attached *a);

/* --- software.c --- */

uint64_t software_count(const struct counter_state *c);
void software_close(struct counter_state *c);

#endif
