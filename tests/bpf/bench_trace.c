// SPDX-License-Identifier: GPL-2.0
/*
 * What does counting one event cost? Counts the instructions of an operation
 * that calls a function of the kernel once (or, on some kernels, twice), with
 * nothing attached to that function and then with each way of counting calls. Meant for the
 * emulated machine under icount, where instructions are exact; bench-trace
 * boots it there.
 *
 * Prints "POINT WAY ADDED RATIO": instructions added to each operation, and their
 * ratio to those that an empty program at the same point adds.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/kvm.h>
#include <linux/perf_event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bpf/attach.h"
#include "bpf/programs.h"
#include "lib/util.h"
#include "tests/bpf/asleep.h"

#define EVENTS	2000
#define ROUNDS	5

static char *block;		/* a contpte block */
static char *page;		/* a mapping of its own */
static int instructions = -1;
static bool notified;

static void die(const char *what)
{
	fprintf(stderr, "bench_trace: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void set_up(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.size = sizeof(attr),
	};
	int kvm;

	write_file("/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled",
		   "always");
	block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	block = (char *)(((uintptr_t)block + 65535) & ~65535UL);
	/* A fork would write-protect it, and the kernel then copy it. */
	madvise(block, 65536, MADV_DONTFORK);
	memset(block, 1, 65536);
	instructions = syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			       PERF_FLAG_FD_CLOEXEC);
	if (instructions < 0)
		die("no instruction counter");
	/* It stays a mapping of its own: those around it are not alike. */
	page = mmap(NULL, 3 * 4096, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1,
		    0);
	page = mmap(page + 4096, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	*page = 1;
	/* A VM makes the kernel notify of what happens to this memory. */
	kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	notified = kvm >= 0 && ioctl(kvm, KVM_CREATE_VM, 0) >= 0;
}

/* One GUP-fast call, one gather. */
static void wake(void)
{
	syscall(SYS_futex, block, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* One invalidate_range_start, one invalidate_range_end. */
static void protect(void)
{
	static int prot;

	prot ^= PROT_WRITE;
	mprotect(page, 4096, PROT_READ | prot);
}

static uint64_t count_once(void (*event)(void))
{
	uint64_t before, after;
	int i;

	if (read(instructions, &before, 8) != 8)
		die("instruction counter");
	for (i = 0; i < EVENTS; i++)
		event();
	if (read(instructions, &after, 8) != 8)
		die("instruction counter");
	return after - before;
}

/* The least of some rounds: the timer's interrupts only add. */
static double per_event(void (*event)(void))
{
	uint64_t best = UINT64_MAX, n;
	int i;

	count_once(event);
	for (i = 0; i < ROUNDS; i++) {
		n = count_once(event);
		if (n < best)
			best = n;
	}
	return (double)best / EVENTS;
}

static double nothing, empty;

static void report(const char *point, const char *way, double n)
{
	if (!strncmp(way, "empty", 5))
		empty = n - nothing;
	printf("%-44s %-36s %8.1f %7.3f\n", point, way, n - nothing,
	       (n - nothing) / empty);
}

/* An empty program at the point, loaded as ptelab loads its own. */
static void with_empty(const char *prog_name, const char *function,
		       void (*event)(void))
{
	size_t size;
	const void *bytes = ptelab_all__elf_bytes(&size);
	struct bpf_object *obj = bpf_object__open_mem(bytes, size, NULL);
	struct bpf_program *prog, *mine = NULL;
	struct bpf_link *link;
	bool kprobe = !strcmp(prog_name, "empty_k");
	char way[64];

	if (!obj)
		die("empty program");
	bpf_object__for_each_program(prog, obj) {
		bool wanted = !strcmp(bpf_program__name(prog), prog_name);

		bpf_program__set_autoload(prog, wanted);
		if (wanted)
			mine = prog;
	}
	if (!kprobe)
		bpf_program__set_attach_target(mine, 0, function);
	if (bpf_object__load(obj))
		die("empty program");
	link = kprobe ? bpf_program__attach_kprobe(mine, false, function) :
			bpf_program__attach_trace(mine);
	if (!link)
		die("empty program");
	snprintf(way, sizeof(way), "empty %s program", kprobe ? "kprobe" :
		 strcmp(prog_name, "empty_x") ? "fentry" : "fexit");
	report(function, way, per_event(event));
	bpf_link__destroy(link);
	bpf_object__close(obj);
}

static void with_counter(const char *metric, enum whose whose,
			 const char *point, void (*event)(void))
{
	struct trace_value v[MAX_COUNTERS];
	bool want[MAX_COUNTERS] = { false };
	const struct bpf_counter *c = bpf_counter_find(metric);
	unsigned int i = c - bpf_counters;
	struct tracer *t;
	char way[80];
	double n;

	want[i] = true;
	t = tracer_new(want, whose);
	if (whose == WHOSE_MINE && tracer_only_me(t))
		die(fail_text());
	n = per_event(event);
	tracer_read(t, v);
	if (v[i].absent)
		printf("%-44s %s: %s\n", point, metric, v[i].absent);
	else if (v[i].count % (EVENTS * (ROUNDS + 1)) || !v[i].count)
		printf("%-44s %s: %llu for %d operations\n", point, metric,
		       (unsigned long long)v[i].count, EVENTS * (ROUNDS + 1));
	snprintf(way, sizeof(way), "ptelab %s%s", metric,
		 whose == WHOSE_MINE ? " (mine)" : "");
	if (!v[i].absent)
		report(point, way, n);
	tracer_free(t);
}

#define TRACING	"/sys/kernel/tracing/"

static void with_kprobe_event(const char *function, void (*event)(void))
{
	char *definition = xasprintf("p:ptelab_bench %s", function);

	if (write_file(TRACING "kprobe_events", definition) ||
	    write_file(TRACING "events/kprobes/ptelab_bench/enable", "1")) {
		printf("%-44s kprobe_events: %s\n", function, strerror(errno));
	} else {
		report(function, "kprobe_events", per_event(event));
		write_file(TRACING "events/kprobes/ptelab_bench/enable", "0");
		write_file(TRACING "kprobe_events", "-:ptelab_bench");
	}
	free(definition);
}

/* Runs a one-liner until its BEGIN has printed. */
static void with_bpftrace(const char *probe, const char *function,
			  void (*event)(void))
{
	char *program = xasprintf("BEGIN { printf(\"ready\\n\"); } %s:%s { @ = count(); }",
				  probe, function);
	char *way = xasprintf("bpftrace %s { @ = count(); }", probe);
	char line[256];
	int fd[2];
	pid_t pid;
	FILE *f;

	if (access("/usr/bin/bpftrace", X_OK)) {
		printf("%-44s %s: no bpftrace here\n", function, way);
		goto out;
	}
	if (pipe(fd))
		die("pipe");
	fflush(NULL);
	pid = fork();
	if (!pid) {
		dup2(fd[1], 1);
		dup2(open("/dev/null", O_RDWR), 0);
		close(fd[0]);
		setenv("BPFTRACE_NO_USER_SYMBOLS", "1", 1);
		execl("/usr/bin/bpftrace", "bpftrace", "-e", program, NULL);
		_exit(127);
	}
	close(fd[1]);
	f = fdopen(fd[0], "r");
	while (fgets(line, sizeof(line), f) && strcmp(line, "ready\n"))
		;
	/* It attaches probes in order, and then waits for events. */
	if (!wait_until_asleep_in(pid, SYS_epoll_pwait))
		die("bpftrace");
	report(function, way, per_event(event));
	kill(pid, SIGINT);
	while (fgets(line, sizeof(line), f))
		;
	fclose(f);
	waitpid(pid, NULL, 0);
out:
	free(program);
	free(way);
}

int main(void)
{
	static const char gup[] = "gup_fast_fallback";
	static const char gather[] = "contpte_ptep_get_lockless";
	static const char start[] = "__mmu_notifier_invalidate_range_start";

	libbpf_set_print(NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up();
	printf("%-44s %-36s %8s %7s\n", "at", "with", "added", "ratio");

	nothing = per_event(wake);
	with_empty("empty", gup, wake);
	with_counter("gup_fast_calls", WHOSE_ALL, gup, wake);
	with_counter("gup_fast_calls", WHOSE_MINE, gup, wake);
	with_bpftrace("kfunc", gup, wake);
	with_empty("empty_x", gup, wake);
	with_counter("gup_fast_pages", WHOSE_ALL, gup, wake);

	with_empty("empty_k", gather, wake);
	with_counter("lockless_gathers", WHOSE_ALL, gather, wake);
	with_counter("lockless_gathers", WHOSE_MINE, gather, wake);
	with_bpftrace("kprobe", gather, wake);
	with_kprobe_event(gather, wake);

	if (notified) {
		nothing = per_event(protect);
		with_empty("empty", start, protect);
		with_counter("notifier_start.protection_vma", WHOSE_ALL, start,
			     protect);
		with_counter("notifier_start.protection_vma", WHOSE_MINE, start,
			     protect);
	}
	return 0;
}
