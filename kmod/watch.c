// SPDX-License-Identifier: GPL-2.0
/*
 * See watch.h. The watchpoint is an ordinary perf event, for which the
 * architecture steps over the read by itself. It would not do so if the event
 * had its own handler. So for a call before each read, a kprobe is put on the
 * function that the architecture calls.
 *
 * An interrupt between the exception and the step makes the read count twice,
 * so reads must be made with interrupts off.
 */
#include <linux/hw_breakpoint.h>
#include <linux/ptrace.h>

#include "watch.h"

#if defined(CONFIG_HAVE_HW_BREAKPOINT) && defined(CONFIG_KPROBES)

static int before_hit(struct kprobe *probe, struct pt_regs *regs)
{
	struct ptelab_watch *w = container_of(probe, struct ptelab_watch, probe);

	if (regs_get_kernel_argument(regs, 0) == (unsigned long)w->event) {
		w->hits++;
		w->hit(w);
	}
	return 0;
}
NOKPROBE_SYMBOL(before_hit);

int ptelab_watch_start(struct ptelab_watch *w, void *addr,
		       void (*hit)(struct ptelab_watch *w))
{
	struct perf_event_attr attr = {
		.type		= PERF_TYPE_BREAKPOINT,
		.size		= sizeof(attr),
		.bp_addr	= (unsigned long)addr,
		.bp_type	= HW_BREAKPOINT_R,
		.bp_len		= HW_BREAKPOINT_LEN_8,
		.pinned		= 1,
	};
	struct perf_event *event;
	int ret;

	w->addr = addr;
	w->cpu = raw_smp_processor_id();
	w->hit = hit;
	event = perf_event_create_kernel_counter(&attr, w->cpu, NULL, NULL,
						 NULL);
	if (IS_ERR(event))
		return PTR_ERR(event) == -ENOSPC ? -ENODEV : PTR_ERR(event);
	w->event = event;
	if (!hit)
		return 0;
	memset(&w->probe, 0, sizeof(w->probe));
	w->probe.symbol_name = "perf_bp_event";
	w->probe.pre_handler = before_hit;
	ret = register_kprobe(&w->probe);
	if (ret) {
		w->hit = NULL;
		ptelab_watch_stop(w);
		return -ENODEV;
	}
	return 0;
}

void ptelab_watch_stop(struct ptelab_watch *w)
{
	if (!w->event)
		return;
	if (w->hit)
		unregister_kprobe(&w->probe);
	perf_event_release_kernel(w->event);
	w->event = NULL;
}

u64 ptelab_watch_count(const struct ptelab_watch *w)
{
	return w->event ? local64_read(&w->event->count) : 0;
}

int ptelab_watch_test(struct ptelab_watch *w)
{
	u64 before = ptelab_watch_count(w), hits = READ_ONCE(w->hits);

	if (w->cpu != smp_processor_id())
		return -EXDEV;
	READ_ONCE(*w->addr);	/* the exception may change any memory */
	barrier();
	if (ptelab_watch_count(w) != before + 1)
		return -ENODEV;
	/* Kprobes can be disabled globally. */
	return w->hit && READ_ONCE(w->hits) != hits + 1 ? -ENODEV : 0;
}

#else

int ptelab_watch_start(struct ptelab_watch *w, void *addr,
		       void (*hit)(struct ptelab_watch *w))
{
	return -ENODEV;
}

void ptelab_watch_stop(struct ptelab_watch *w)
{
}

u64 ptelab_watch_count(const struct ptelab_watch *w)
{
	return 0;
}

int ptelab_watch_test(struct ptelab_watch *w)
{
	return -ENODEV;
}

#endif
