// SPDX-License-Identifier: GPL-2.0
/*
 * Does things that call mmu notifiers, counted by ptelab.ko's own callbacks, by
 * ptelab's BPF programs, and by bpftrace beside it:
 *
 *	ptelab trace --bt three_way.bt -- three_way
 *
 * A call of getpgid() before and after each operation tells bpftrace where it
 * begins and ends, and an mprotect() at the start whose events are meant. Prints "PHASE OPERATION EVENT MODULE BPF" for every event
 * of every operation, also those that were 0; three-way.sh adds what bpftrace
 * counted in that phase.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/attach.h"
#include "lib/kmod.h"
#include "lib/util.h"

#define PAGE	4096UL
#define PAGES	64
#define LEN	(PAGES * PAGE)

static char *area, *other;
static pid_t child;
static int to_child[2], from_child[2], file = -1;

static void die(const char *what)
{
	fprintf(stderr, "three_way: %s: %s\n", what,
		errno ? strerror(errno) : fail_text());
	exit(2);
}

/* Small pages in a mapping that merges with none. */
static char *memory(void)
{
	char *p = mmap(NULL, LEN + 2 * PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, LEN, PROT_READ | PROT_WRITE))
		die("memory");
	madvise(p + PAGE, LEN, MADV_NOHUGEPAGE);
	return p + PAGE;
}

static void touch(char *p)
{
	size_t i;

	for (i = 0; i < PAGES; i++)
		((volatile char *)p)[i * PAGE]++;
}

/* A child that waits for a byte, does @what, answers, and waits to be killed. */
static void start_child(void (*what)(void))
{
	char c;

	if (pipe(to_child) || pipe(from_child))
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child) {
		close(to_child[0]);
		close(from_child[1]);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(to_child[0], &c, 1) == 1 && what) {
		what();
		if (write(from_child[1], "", 1) != 1)
			_exit(1);
	}
	for (;;)
		pause();
}

static void ask_child(void)
{
	char c;

	if (write(to_child[1], "", 1) != 1 || read(from_child[0], &c, 1) != 1)
		die("the child did not answer");
}

static void end_child(void)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(to_child[1]);
	close(from_child[0]);
}

/* --- the operations --- */

static void fresh(void)
{
	area = memory();
	touch(area);
}

static void drop(void)
{
	munmap(area, LEN);
}

static void do_mprotect(void)
{
	int i;

	for (i = 0; i < 8; i++) {
		mprotect(area, LEN, PROT_READ);
		mprotect(area, LEN, PROT_READ | PROT_WRITE);
	}
}

static void do_munmap(void)
{
	int i;

	for (i = 0; i < PAGES; i++)
		munmap(area + i * PAGE, PAGE);
}

static void do_dontneed(void)
{
	int i;

	for (i = 0; i < PAGES; i++)
		madvise(area + i * PAGE, PAGE, MADV_DONTNEED);
}

static void do_free(void)
{
	int i;

	for (i = 0; i < PAGES; i += 2)
		madvise(area + i * PAGE, 2 * PAGE, MADV_FREE);
}

static void do_fork(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
}

static void shared_area(void)
{
	fresh();
	start_child(NULL);
}

static void reusable_area(void)
{
	shared_area();
	end_child();
}

static void do_touch(void)
{
	touch(area);
}

static void drop_shared(void)
{
	end_child();
	drop();
}

static void zero_pages(void)
{
	size_t i;

	area = memory();
	for (i = 0; i < PAGES; i++)
		(void)((volatile char *)area)[i * PAGE];
}

static void two_areas(void)
{
	fresh();
	other = memory();
}

static void do_mremap(void)
{
	if (mremap(area, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, other) !=
	    other)
		die("mremap");
	area = other;
}

static void truncate_file(void)
{
	if (ftruncate(file, 0))
		_exit(1);
}

/* Somebody else takes the pages away: no event in this program's context. */
static void mapped_file(void)
{
	file = memfd_create("three_way", MFD_CLOEXEC);
	if (file < 0 || ftruncate(file, LEN))
		die("memfd");
	area = mmap(NULL, LEN, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (area == MAP_FAILED)
		die("mmap");
	start_child(truncate_file);
	touch(area);
}

static void drop_file(void)
{
	close(file);
	drop_shared();
}

static void do_clear_refs(void)
{
	int i, fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		die("clear_refs");
	for (i = 0; i < 10; i++)
		if (write(fd, "4", 1) != 1)
			die("clear_refs");
	close(fd);
}

/* Notifier events, then the two that are not told apart by event */
enum { UNMAP, CLEAR, PROTECTION_VMA, PROTECTION_PAGE, SOFT_DIRTY,
       EVENTS = 8, END = EVENTS, SECONDARY, NR };

static const struct op {
	const char *name;
	void (*before)(void), (*run)(void), (*after)(void);
	int event;
	uint64_t least;		/* of these events, for there is no op without */
} ops[] = {
	{ "mprotect", fresh, do_mprotect, drop, PROTECTION_VMA, 16 },
	{ "munmap", fresh, do_munmap, NULL, UNMAP, PAGES },
	{ "dontneed", fresh, do_dontneed, drop, CLEAR, PAGES },
	{ "free", fresh, do_free, drop, CLEAR, PAGES / 2 },
	{ "mremap", two_areas, do_mremap, drop, UNMAP, 2 },
	{ "fork", fresh, do_fork, drop, PROTECTION_PAGE, 5 },
	{ "cow", shared_area, do_touch, drop_shared, CLEAR, PAGES },
	{ "reuse", reusable_area, do_touch, drop, SECONDARY, PAGES },
	{ "cow-of-zero-page", zero_pages, do_touch, drop, CLEAR, PAGES },
	{ "truncated-by-another", mapped_file, ask_child, drop_file, CLEAR, 1 },
	{ "clear_refs", fresh, do_clear_refs, drop, SOFT_DIRTY, 10 },
};

/* --- counting --- */

static struct tracer *tracer;
static int counter_of[NR];

static void choose_counters(void)
{
	bool want[MAX_COUNTERS] = { false };
	char metric[64];
	unsigned int e, i;

	for (e = 0; e < NR; e++) {
		if (e < EVENTS)
			snprintf(metric, sizeof(metric), "notifier_start.%s",
				 kmod_event_name(e));
		else
			strcpy(metric, e == END ? "notifier_end" :
				       "notifier_secondary");
		for (i = 0; i < bpf_counters_nr; i++)
			if (!strcmp(bpf_counters[i].metric, metric))
				break;
		if (i == bpf_counters_nr)
			die(metric);
		want[i] = true;
		counter_of[e] = i;
	}
	tracer = tracer_new(want, WHOSE_MINE);
	if (tracer_only_me(tracer))
		die("tracer");
	tracer_attach(tracer);
}

static void read_bpf(uint64_t count[NR])
{
	struct trace_value v[MAX_COUNTERS];
	unsigned int e;

	tracer_read(tracer, v);
	for (e = 0; e < NR; e++) {
		const struct trace_value *t = &v[counter_of[e]];

		if (t->absent || t->missed) {
			fprintf(stderr, "three_way: %s: %s\n",
				bpf_counters[counter_of[e]].metric,
				t->absent ? t->absent : "hits were missed");
			exit(2);
		}
		count[e] = t->count;
	}
}

static void read_module(int fd, uint64_t count[NR])
{
	struct ptelab_notify_counts c;
	unsigned int e;

	if (kmod_notify_read(fd, &c))
		die("module");
	memset(count, 0, NR * sizeof(*count));
	for (e = 0; e < PTELAB_EVENTS; e++) {
		if (e < EVENTS)
			count[e] = c.start[e].calls;
		else if (c.start[e].calls)
			die("an event that is not known");
		count[END] += c.end[e].calls;
	}
	count[SECONDARY] = c.secondary.calls;
}

/*
 * After a fork this program's own pages are write-protected, and the first
 * write to each is an event too. So all that counting writes to is written to
 * once before it counts, outside a phase or inside, but not in between.
 */
static void settle(int fd)
{
	uint64_t scratch[NR];

	read_bpf(scratch);
	read_module(fd, scratch);
}

int main(void)
{
	uint64_t before[NR], bpf[NR], module[NR];
	unsigned int i, e, phase = 0;
	int fd = kmod_open(NULL), bad = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (fd < 0 || kmod_notify_start(fd, PTELAB_NOTIFY_RANGE |
					PTELAB_NOTIFY_SECONDARY, NULL, 0))
		die("module");
	choose_counters();
	fresh();
	do_mprotect();
	drop();
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		const struct op *op = &ops[i];

		op->before();
		settle(fd);
		if (kmod_notify_reset(fd))
			die("module");
		read_bpf(before);
		phase++;
		syscall(SYS_getpgid, 0);
		op->run();
		settle(fd);
		phase++;
		syscall(SYS_getpgid, 0);
		read_bpf(bpf);
		read_module(fd, module);
		for (e = 0; e < NR; e++)
			printf("count %u %s %s %llu %llu\n", phase - 1,
			       op->name, e < EVENTS ? kmod_event_name(e) :
			       e == END ? "end" : "secondary",
			       (unsigned long long)module[e],
			       (unsigned long long)(bpf[e] - before[e]));
		if (module[op->event] < op->least) {
			printf("few %s: %llu, not %llu\n", op->name,
			       (unsigned long long)module[op->event],
			       (unsigned long long)op->least);
			bad = 1;
		}
		if (op->after)
			op->after();
	}
	tracer_free(tracer);
	close(fd);
	return bad;
}
