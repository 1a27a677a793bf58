// SPDX-License-Identifier: GPL-2.0
/* Litmus tests in kernel threads, and loops with the kernel's primitives. */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/kmod/test.h"

static struct ptelab_litmus litmus(const char *name, uint64_t outcomes)
{
	struct ptelab_litmus a = {
		.size = sizeof(a), .flags = PTELAB_LITMUS_SHUFFLE,
		.cpu = { 0, 1, 2, 3 }, .stride = 1, .spread = 200,
		.outcomes = outcomes, .seed = 1,
	};

	snprintf(a.name, sizeof(a.name), "%s", name);
	return a;
}

static uint64_t all_states(const struct ptelab_litmus *a)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < PTELAB_LITMUS_STATES; i++)
		sum += a->state[i];
	return sum;
}

static void refused(int fd, unsigned long request, void *arg, int err,
		    const char *what)
{
	int ret = ioctl(fd, request, arg);

	check(ret < 0 && errno == err, "%s: %s, expected %s", what,
	      ret < 0 ? strerror(errno) : "done", strerror(err));
}

static void litmus_refusals(int fd)
{
	struct ptelab_litmus a = litmus("SB", 1000), b;

	b = a;
	b.size--;
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "size");
	b = a;
	b.flags = 1U << 31;
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "flags");
	b = a;
	b.reserved[0] = 1;
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "reserved");
	b = a;
	b.stride = 2;
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "even stride");
	b = a;
	b.spread = 0;
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "no spread");
	b = a;
	b.cpu[1] = 1 << 20;
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "no such CPU");
	b = a;
	b.cpu[0] = -1;
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "negative CPU");
	b = a;
	b.outcomes = PTELAB_LITMUS_MAX_OUTCOMES + 1;
	refused(fd, PTELAB_IOC_LITMUS, &b, E2BIG, "too many outcomes");
	b = a;
	memset(b.name, 'x', sizeof(b.name));
	refused(fd, PTELAB_IOC_LITMUS, &b, EINVAL, "a name without end");
	b = litmus("XX+po", 1000);
	refused(fd, PTELAB_IOC_LITMUS, &b, ENOENT, "no such test");
}

/* Both on one CPU: all outcomes are those of taking turns. */
static void on_one_cpu(int fd)
{
	struct ptelab_litmus a = litmus("MP", 2500);

	a.cpu[1] = 0;
	a.flags |= PTELAB_LITMUS_FREE;
	if (kmod_litmus(fd, &a))
		give_up("MP on one CPU failed");
	check_eq(all_states(&a), 2500, "outcomes on one CPU");
	/* 1:r0 in bits 0 and 1, 1:r1 in bits 2 and 3 */
	check_eq(a.state[1], 0, "flag seen, message not");
}

static void on_two_cpus(int fd)
{
	struct ptelab_litmus a = litmus("SB", 20000);

	if (nr_cpus() < 2) {
		skip("litmus tests on two CPUs: there is one");
		return;
	}
	if (kmod_litmus(fd, &a))
		give_up("SB failed");
	check_eq(all_states(&a), 20000, "outcomes of SB");
	check(a.state[0] > 0, "store buffering is seen: %llu of 20000",
	      (unsigned long long)a.state[0]);
	check(a.state[1] && a.state[4], "and either first");
	check(a.ns > 0, "it took time");
	a = litmus("SB+mb+mb", 20000);
	if (kmod_litmus(fd, &a))
		give_up("SB+mb+mb failed");
	check_eq(a.state[0], 0, "store buffering with smp_mb");
	a = litmus("MP+wmb+rmb", 20000);
	if (kmod_litmus(fd, &a))
		give_up("MP+wmb+rmb failed");
	check_eq(a.state[1], 0, "message passing with smp_wmb and smp_rmb");
	check(a.state[5] && a.state[0], "and both others");
}

/* The memory of whoever calls, not of whoever had the file first. */
static void in_a_child(int fd, const struct ptelab_barrier *arg,
		       const uint64_t *p)
{
	struct ptelab_barrier a = *arg;
	uint64_t before = __atomic_load_n(p, __ATOMIC_RELAXED);
	int status;
	pid_t pid;

	a.lines = 1;
	a.from = before + 1000000;
	pid = fork();
	if (!pid)
		_exit(kmod_barrier(fd, &a) ||
		      __atomic_load_n(p, __ATOMIC_RELAXED) == before);
	check(waitpid(pid, &status, 0) == pid && !status,
	      "a child stores into its own memory");
	check_eq(__atomic_load_n(p, __ATOMIC_RELAXED), before,
		 "and not into its parent's");
	a.from++;
	check(!kmod_barrier(fd, &a) &&
	      __atomic_load_n(p, __ATOMIC_RELAXED) != before,
	      "which the parent still does");
}

static void loops(int fd)
{
	size_t len = 2 * sysconf(_SC_PAGESIZE), lines = len / 64, i;
	volatile uint64_t *p = get_memory(len, 0);
	struct ptelab_barrier a = {
		.size = sizeof(a), .addr = (uintptr_t)p, .len = len,
		.lines = lines, .stores = 3, .ops = 100,
	}, b;
	unsigned int kind;

	if (!p)
		give_up("no memory");
	write_pages((void *)p, len);
	for (kind = 0; kind < PTELAB_BARRIER_NR; kind++) {
		uint64_t last;

		a.barrier = kind;
		a.from = kind * 1000;
		if (kmod_barrier(fd, &a))
			give_up("loop %u failed", kind);
		last = a.from + a.stores * a.ops - 1;
		check_eq(p[last * 1237 % lines * 8], last,
			 "the last store of loop %u", kind);
		check_eq(a.flag, a.ops - 1, "its flag");
	}
	for (i = 0; i < lines * 8; i++)
		if (i % 8 && p[i])
			break;
	check_eq(i, lines * 8, "nothing beside the lines");

	in_a_child(fd, &a, (const uint64_t *)p);

	b = a;
	b.barrier = PTELAB_BARRIER_NR;
	refused(fd, PTELAB_IOC_BARRIER, &b, EINVAL, "no such barrier");
	b = a;
	b.flags = 1;
	refused(fd, PTELAB_IOC_BARRIER, &b, EINVAL, "flags");
	b = a;
	b.addr++;
	refused(fd, PTELAB_IOC_BARRIER, &b, EINVAL, "not aligned");
	b = a;
	b.lines *= 2;
	refused(fd, PTELAB_IOC_BARRIER, &b, EINVAL, "more lines than memory");
	b = a;
	b.lines = 3;
	refused(fd, PTELAB_IOC_BARRIER, &b, EINVAL, "three lines");
	b = a;
	b.stores = PTELAB_BARRIER_MAX_STORES + 1;
	refused(fd, PTELAB_IOC_BARRIER, &b, E2BIG, "too many stores");
	b = a;
	b.ops = PTELAB_BARRIER_MAX_OPS + 1;
	refused(fd, PTELAB_IOC_BARRIER, &b, E2BIG, "too many operations");
	put_memory((void *)p, len);
	b = a;
	check(!kmod_barrier(fd, &b), "the last range stays pinned");
	b.len /= 2;
	b.lines /= 2;
	refused(fd, PTELAB_IOC_BARRIER, &b, EFAULT, "no memory");
	b = a;
	refused(fd, PTELAB_IOC_BARRIER, &b, EFAULT, "nor where it was");
}

void test_barrier(void)
{
	int fd = open_device();

	litmus_refusals(fd);
	on_one_cpu(fd);
	on_two_cpus(fd);
	loops(fd);
	close(fd);
}
