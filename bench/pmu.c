// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU's performance counters through perf_event_open(2): instructions of
 * user and kernel mode apart, and cycles. One pinned group for the calling
 * thread, so that the events are either all on the PMU for the whole interval
 * or the interval has no count; nothing is ever scaled up from a share.
 */
#include "counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/env.h"
#include "../lib/util.h"

static const struct {
	const char *metric;
	uint64_t config;
	bool no_user, no_kernel;
	bool guest;		/* of a VM that runs in this thread, only */
} events[] = {
	{ "instructions_user", PERF_COUNT_HW_INSTRUCTIONS, false, true, false },
	{ "instructions_kernel", PERF_COUNT_HW_INSTRUCTIONS, true, false, false },
	{ "cycles", PERF_COUNT_HW_CPU_CYCLES, false, false, false },
	{ "instructions_guest", PERF_COUNT_HW_INSTRUCTIONS, false, false, true },
};

static const char *const pmu_metrics[] = {
	"instructions_user", "instructions_kernel", "cycles",
	"instructions_guest", NULL
};

/* Whether what this thread opens next is to count a guest. */
static __thread bool with_guest;

void pmu_count_guest(bool yes)
{
	with_guest = yes;
}

struct pmu {
	int fd[ARRAY_SIZE(events)];	/* -1 if it could not be had */
	int leader;
	unsigned int nr;		/* events in the group */
};

static const char *why_not(int err, bool kernel)
{
	switch (err) {
	case ENOENT:
	case EOPNOTSUPP:
	case ENODEV:
		return "this machine has no such performance counter";
	case EACCES:
	case EPERM:
		return kernel ?
			"not permitted: run as root or lower kernel.perf_event_paranoid to 1" :
			"not permitted: run as root or lower kernel.perf_event_paranoid to 2";
	case EINVAL:
		return "the PMU can't count this mode apart";
	case ENOSYS:
		return "this kernel has no perf events";
	default:
		return strerror(err);
	}
}

static int event_open(unsigned int i, int leader)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.size = sizeof(attr),
		.config = events[i].config,
		.disabled = leader < 0,
		.pinned = leader < 0,
		.exclude_user = events[i].no_user,
		.exclude_kernel = events[i].no_kernel,
		.exclude_hv = 1,
		/* A benchmark's own VM runs in this thread: what its guest
		 * executes is told apart from what the host does. */
		.exclude_guest = !events[i].guest,
		.exclude_host = events[i].guest,
		.read_format = PERF_FORMAT_GROUP |
			       PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, leader,
		       PERF_FLAG_FD_CLOEXEC);
}

static int pmu_open(void **priv, pid_t pid, struct counter_value *values)
{
	struct pmu *p = xcalloc(1, sizeof(*p));
	unsigned int i;

	(void)pid;	/* always the calling thread */
	p->leader = -1;
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		p->fd[i] = -1;
		/* No guest, so nothing to count and nothing to explain. */
		if (events[i].guest && !with_guest) {
			values[i] = (struct counter_value){ 0 };
			continue;
		}
		if (events[i].config == PERF_COUNT_HW_CPU_CYCLES &&
		    machine_get()->clock_emulated) {
			values[i].absent =
				"emulated: cycles here follow the emulator's clock";
			continue;
		}
		p->fd[i] = event_open(i, p->leader);
		if (p->fd[i] < 0) {
			values[i].absent = why_not(errno, !events[i].no_kernel);
			continue;
		}
		if (p->leader < 0)
			p->leader = p->fd[i];
		p->nr++;
		values[i].present = true;
	}
	*priv = p;
	return 0;
}

static int pmu_start(void *priv)
{
	struct pmu *p = priv;

	if (p->leader < 0)
		return 0;
	ioctl(p->leader, PERF_EVENT_IOC_RESET, PERF_IOC_FLAG_GROUP);
	/* last: what follows belongs to the interval */
	ioctl(p->leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
	return 0;
}

static int pmu_stop(void *priv, struct counter_value *values)
{
	struct {
		uint64_t nr, enabled, running, value[ARRAY_SIZE(events)];
	} group;
	static const char *const stolen =
		"another user of the PMU took the counters during this interval";
	struct pmu *p = priv;
	unsigned int i, at = 0;
	ssize_t n;

	if (p->leader < 0)
		return 0;
	ioctl(p->leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
	n = read(p->leader, &group, sizeof(group));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (p->fd[i] < 0)
			continue;
		/* RESET leaves the times alone, so they are compared as
		 * totals: a group once off the PMU stays without a count. */
		if (n < (ssize_t)(3 + p->nr) * 8 ||
		    group.enabled != group.running) {
			values[i].present = false;
			values[i].absent = stolen;
			continue;
		}
		values[i].present = true;
		values[i].count = group.value[at++];
	}
	return 0;
}

static void pmu_close(void *priv)
{
	struct pmu *p = priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (p->fd[i] >= 0)
			close(p->fd[i]);
	free(p);
}

const struct counter_source pmu_source = {
	.name = "pmu",
	.pass = PASS_TIMED,
	.per_thread = true,
	.metrics = pmu_metrics,
	.open = pmu_open,
	.start = pmu_start,
	.stop = pmu_stop,
	.close = pmu_close,
};
