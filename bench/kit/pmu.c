// SPDX-License-Identifier: GPL-2.0
/*
 * The CPU's performance counters through perf_event_open(2): instructions of
 * user and kernel mode, and cycles. They are one pinned group of the calling
 * thread, so either all events are on the PMU for the whole interval, or the
 * interval has no count. Nothing is scaled up.
 *
 * If user space may read the counters (arm64: kernel.perf_user_access), they
 * run all the time and are read at both ends of the interval, which adds 40
 * instructions in user mode and none in the kernel. Otherwise two system calls
 * enable and disable them, and the end of the first and the start of the second
 * add some 800 instructions.
 */
#include "bench/kit/sources.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/util.h"

static const struct {
	const char *metric;
	uint64_t config;
	bool no_user, no_kernel;
	bool guest;		/* of a VM that runs in this thread */
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

/* Whether the next open() of this thread counts a guest. */
static __thread bool with_guest;

void pmu_count_guest(bool yes)
{
	with_guest = yes;
}

struct pmu {
	int fd[ARRAY_SIZE(events)];	/* -1: could not be opened */
	int leader;
	unsigned int nr;		/* events in the group */
	/*
	 * Counters are read from user space: the kernel's page for each event,
	 * and the counts at the start of the interval.
	 */
	bool user;
	const struct perf_event_mmap_page *page[ARRAY_SIZE(events)];
	struct user_count {
		uint64_t count;
		bool there;		/* the event was on the PMU */
	} from[ARRAY_SIZE(events)];
};

/* --- counters that user space reads --- */

#ifdef __aarch64__
/* perf_event_attr.config1: allow user space to read the event's counter. */
#define CONFIG1_USER_READ	2

#define COUNTER(n)							\
	case n:								\
		asm volatile("mrs %0, pmevcntr" #n "_el0" : "=r" (v));	\
		return v
/* @nr: the kernel's number of the counter; 31 is the cycle counter. */
static inline __attribute__((always_inline)) uint64_t read_counter(uint32_t nr)
{
	uint64_t v;

	switch (nr) {
	COUNTER(0); COUNTER(1); COUNTER(2); COUNTER(3); COUNTER(4);
	COUNTER(5); COUNTER(6); COUNTER(7); COUNTER(8); COUNTER(9);
	COUNTER(10); COUNTER(11); COUNTER(12); COUNTER(13); COUNTER(14);
	COUNTER(15); COUNTER(16); COUNTER(17); COUNTER(18); COUNTER(19);
	COUNTER(20); COUNTER(21); COUNTER(22); COUNTER(23); COUNTER(24);
	COUNTER(25); COUNTER(26); COUNTER(27); COUNTER(28); COUNTER(29);
	COUNTER(30);
	case 31:
		asm volatile("mrs %0, pmccntr_el0" : "=r" (v));
		return v;
	}
	return 0;
}
#else
#define CONFIG1_USER_READ	0

static inline uint64_t read_counter(uint32_t nr)
{
	(void)nr;
	return 0;
}
#endif

/*
 * Reads a counter as perf_event_open(2) describes for struct
 * perf_event_mmap_page. The counter is narrower than 64 bits. The kernel may
 * move the event to another counter, or off the PMU, at any time, and then
 * changes "lock".
 */
static inline __attribute__((always_inline))
struct user_count user_read(const struct perf_event_mmap_page *map)
{
	const volatile struct perf_event_mmap_page *page = map;
	struct user_count c;
	uint32_t seq, index;
	int shift;

	do {
		seq = page->lock;
		__asm__ volatile("" ::: "memory");
		index = page->index;
		c.there = index;
		c.count = page->offset;
		if (index) {
			shift = 64 - page->pmc_width;
			c.count += (int64_t)(read_counter(index - 1) << shift) >>
				   shift;
		}
		__asm__ volatile("" ::: "memory");
	} while (page->lock != seq);
	return c;
}

static void user_unmap(struct pmu *p)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (p->page[i])
			munmap((void *)p->page[i], page);
		p->page[i] = NULL;
	}
}

/* Returns whether user space can read all events of the running group. */
static bool user_map(struct pmu *p)
{
	size_t page = sysconf(_SC_PAGESIZE);
	unsigned int i;
	void *map;

	if (!CONFIG1_USER_READ || p->leader < 0)
		return false;
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (p->fd[i] < 0)
			continue;
		map = mmap(NULL, page, PROT_READ, MAP_SHARED, p->fd[i], 0);
		if (map == MAP_FAILED)
			goto no;
		p->page[i] = map;
	}
	ioctl(p->leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (p->page[i] && (!p->page[i]->cap_user_rdpmc ||
				   !user_read(p->page[i]).there))
			goto no;
	}
	return true;
no:
	ioctl(p->leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
	user_unmap(p);
	return false;
}

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
		return "the PMU can't count this mode separately";
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
		.config1 = CONFIG1_USER_READ,
		.disabled = leader < 0,
		.pinned = leader < 0,
		.exclude_user = events[i].no_user,
		.exclude_kernel = events[i].no_kernel,
		.exclude_hv = 1,
		/*
		 * A benchmark's own VM runs in this thread, so separate what
		 * its guest executes from what the host executes.
		 */
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
		/* Without a guest this is not a metric of the point. */
		if (events[i].guest && !with_guest) {
			values[i] = (struct counter_value){ 0 };
			continue;
		}
		if (events[i].config == PERF_COUNT_HW_CPU_CYCLES &&
		    machine_get()->clock_emulated) {
			values[i].absent =
				"emulated: cycles follow the emulator's clock";
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
	p->user = user_map(p);
	*priv = p;
	return 0;
}

static const char stolen[] =
	"another user of the PMU occupied the counters during this interval";

/*
 * Reads in the order of events[], like the end of the interval. The user mode
 * counter also counts the instructions that read, so it is read last here and
 * first there.
 */
static void user_start(struct pmu *p)
{
	unsigned int i;

	for (i = ARRAY_SIZE(events); i-- > 0;)
		if (p->page[i])
			p->from[i] = user_read(p->page[i]);
}

static void user_stop(struct pmu *p, struct counter_value *values)
{
	struct user_count to[ARRAY_SIZE(events)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(events); i++)
		if (p->page[i])
			to[i] = user_read(p->page[i]);
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (!p->page[i])
			continue;
		/* A pinned group that lost the PMU never gets it back. */
		values[i].present = p->from[i].there && to[i].there;
		values[i].count = to[i].count - p->from[i].count;
		if (!values[i].present)
			values[i].absent = stolen;
	}
}

static int pmu_start(void *priv)
{
	struct pmu *p = priv;

	if (p->user) {
		user_start(p);
		return 0;
	}
	if (p->leader < 0)
		return 0;
	ioctl(p->leader, PERF_EVENT_IOC_RESET, PERF_IOC_FLAG_GROUP);
	/* last, because everything after it is part of the interval */
	ioctl(p->leader, PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
	return 0;
}

static int pmu_stop(void *priv, struct counter_value *values)
{
	struct {
		uint64_t nr, enabled, running, value[ARRAY_SIZE(events)];
	} group;
	struct pmu *p = priv;
	unsigned int i, at = 0;
	ssize_t n;

	if (p->user) {
		user_stop(p, values);
		return 0;
	}
	if (p->leader < 0)
		return 0;
	ioctl(p->leader, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
	n = read(p->leader, &group, sizeof(group));
	for (i = 0; i < ARRAY_SIZE(events); i++) {
		if (p->fd[i] < 0)
			continue;
		/*
		 * RESET does not reset the times, so compare totals: a group
		 * that was once off the PMU has no count any more.
		 */
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

	user_unmap(p);
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
