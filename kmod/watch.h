/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hardware watchpoint on a kernel address, on the caller's CPU. It counts
 * reads, and optionally calls a function before each.
 */
#ifndef PTELAB_WATCH_H
#define PTELAB_WATCH_H

#include <linux/kprobes.h>
#include <linux/perf_event.h>

struct ptelab_watch {
	struct perf_event *event;	/* NULL: not started */
	const u64 *addr;
	int cpu;
	/* Called in the debug exception, with interrupts off. */
	void (*hit)(struct ptelab_watch *w);
	u64 hits;			/* calls of hit() */
#ifdef CONFIG_KPROBES
	struct kprobe probe;
#endif
};

int ptelab_watch_start(struct ptelab_watch *w, void *addr,
		       void (*hit)(struct ptelab_watch *w));
void ptelab_watch_stop(struct ptelab_watch *w);

/*
 * Tries whether a read made now would be counted. Interrupts are off. Returns 0
 * if so, -EXDEV if this is another CPU, or -ENODEV.
 */
int ptelab_watch_test(struct ptelab_watch *w);
/* Returns the reads so far, 0 if not started. Interrupts are off. */
u64 ptelab_watch_count(const struct ptelab_watch *w);

#endif
