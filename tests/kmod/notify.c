// SPDX-License-Identifier: GPL-2.0
/*
 * Which operation calls which notifiers, how often, over how much: the table
 * that is in the kernel's source, seen from a driver.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

#ifndef MADV_COLD
#define MADV_COLD 20
#endif

#define PAGES	64
#define LEN	(PAGES * 4096UL)

enum { UNMAP, CLEAR, PROTECTION_VMA, PROTECTION_PAGE, SOFT_DIRTY };

static struct ptelab_notify_counts c;

static uint64_t all_starts(void)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < PTELAB_EVENTS; i++)
		sum += c.start[i].calls;
	return sum;
}

static void start(int fd, void *p)
{
	if (kmod_notify_start(fd, PTELAB_NOTIFY_RANGE |
			      PTELAB_NOTIFY_SECONDARY, p, LEN))
		give_up("%s", fail_text());
}

static void stop(int fd)
{
	if (kmod_notify_read(fd, &c) || kmod_notify_stop(fd))
		give_up("%s", fail_text());
}

/* Only @event, so many calls, over all of the range or a page each */
static void expect(const char *what, unsigned int event, uint64_t calls,
		   uint64_t bytes)
{
	check_eq(c.start[event].calls, calls, "%s: starts, %s", what,
		 kmod_event_name(event));
	check_eq(all_starts(), calls, "%s: starts of any kind", what);
	check_eq(c.end[event].calls, calls, "%s: ends", what);
	check_eq(c.start[event].bytes, bytes, "%s: bytes", what);
	check_eq(c.end[event].bytes, bytes, "%s: bytes at the end", what);
	printf("# %s: secondary %llu calls %llu bytes %llu whole\n", what,
	       c.secondary.calls, c.secondary.bytes, c.secondary.whole);
}

static char *fresh(void)
{
	char *p = get_memory(LEN, 0);

	write_pages(p, LEN);
	return p;
}

static void test_protection(int fd)
{
	char *p = fresh();

	start(fd, p);
	mprotect(p, LEN, PROT_READ);
	stop(fd);
	expect("mprotect down", PROTECTION_VMA, 1, LEN);
	check(c.secondary.calls > 0, "mprotect down: secondary TLBs are told");
	start(fd, p);
	mprotect(p, LEN, PROT_READ | PROT_WRITE);
	stop(fd);
	expect("mprotect up", PROTECTION_VMA, 1, LEN);
	start(fd, p);
	mprotect(p + 4096, 4096, PROT_READ);
	stop(fd);
	expect("mprotect of a page", PROTECTION_VMA, 1, 4096);
	put_memory(p, LEN);
}

static void test_fork(int fd)
{
	char *p = fresh();
	uint64_t reused;
	pid_t child;

	start(fd, p);
	child = fork_idle();
	stop(fd);
	expect("fork", PROTECTION_PAGE, 1, LEN);
	start(fd, p);
	write_pages(p, LEN);
	stop(fd);
	expect("CoW break", CLEAR, PAGES, LEN);
	end_child(child);

	/* All pages are the parent's alone again: written, they are reused. */
	put_memory(p, LEN);
	p = fresh();
	end_child(fork_idle());
	start(fd, p);
	reused = vmstat("pgreuse");
	write_pages(p, LEN);
	reused = vmstat("pgreuse") - reused;
	stop(fd);
	check(reused >= PAGES, "reuse: pgreuse %llu",
	      (unsigned long long)reused);
	expect("reuse", CLEAR, 0, 0);
	if (has(PTELAB_FEAT_SECONDARY) && has(PTELAB_FEAT_MEMTYPE))
		check_eq(c.secondary.calls, PAGES,
			 "reuse: secondary TLBs are told");
	put_memory(p, LEN);
}

static void test_removal(int fd)
{
	char *p = fresh(), *q;

	start(fd, p);
	madvise(p, LEN, MADV_DONTNEED);
	stop(fd);
	expect("MADV_DONTNEED", CLEAR, 1, LEN);
	write_pages(p, LEN);
	start(fd, p);
	madvise(p, LEN, MADV_FREE);
	stop(fd);
	expect("MADV_FREE", CLEAR, 1, LEN);
	write_pages(p, LEN);
	start(fd, p);
	munmap(p, LEN);
	stop(fd);
	expect("munmap", UNMAP, 1, LEN);

	p = fresh();
	q = get_memory(LEN, 0);
	start(fd, p);
	if (mremap(p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, q) != q)
		give_up("mremap: %s", strerror(errno));
	stop(fd);
	/* Once for the move, once for what is left behind. */
	expect("mremap, of where it was", UNMAP, 2, 2 * LEN);
	put_memory(q, LEN);

	p = get_memory(LEN, 0);
	read_pages(p, LEN);
	start(fd, p);
	write_pages(p, LEN);
	stop(fd);
	expect("CoW of the zero page", CLEAR, PAGES, LEN);
	put_memory(p, LEN);

	/* A fault on nothing has nothing to invalidate. */
	p = get_memory(LEN, 0);
	start(fd, p);
	write_pages(p, LEN);
	stop(fd);
	expect("first write", CLEAR, 0, 0);
	put_memory(p, LEN);
}

static void test_clear_refs(int fd)
{
	char *p = fresh();

	start(fd, p);
	if (put_file("/proc/self/clear_refs", "4")) {
		stop(fd);
		check_eq(c.start[SOFT_DIRTY].calls, 1,
			 "clear_refs: starts, soft_dirty");
		check_eq(c.start[SOFT_DIRTY].whole, 1,
			 "clear_refs: of the whole address space");
	} else {
		stop(fd);
		skip("clear_refs: not in this kernel");
	}
	put_memory(p, LEN);
}

static void test_rules(int fd)
{
	char *p = fresh();
	int other = open_device(), status;
	pid_t child;

	check(kmod_notify_read(fd, &c) == -ENODATA, "read before start");
	check(kmod_notify_stop(fd) == -ENODATA, "stop before start");
	check(kmod_notify_start(fd, 0, NULL, 0) == -EINVAL, "nothing to count");
	check(kmod_notify_start(fd, 4, NULL, 0) == -EINVAL, "unknown flag");
	check(kmod_notify_start(fd, 1, p, 0) == -EINVAL, "empty range");
	check(kmod_notify_start(fd, 1, p + 8, 4096) == -EINVAL, "unaligned");

	/* Two files at once, one with a range. */
	start(fd, p);
	check(kmod_notify_start(fd, 1, NULL, 0) == -EBUSY, "start twice");
	kmod_notify_start(other, PTELAB_NOTIFY_RANGE, NULL, 0);
	mprotect(p, LEN, PROT_READ);
	check(!kmod_notify_reset(fd), "reset");
	mprotect(p, LEN, PROT_READ | PROT_WRITE);
	stop(fd);
	expect("after a reset", PROTECTION_VMA, 1, LEN);
	if (kmod_notify_read(other, &c))
		give_up("%s", fail_text());
	check(c.start[PROTECTION_VMA].calls >= 2, "the other file saw both");
	check_eq(c.secondary.calls, 0, "and no secondary calls");
	check_eq(c.elsewhere, 0, "and nothing elsewhere");

	/* A child has the file, but not the subscription. */
	start(fd, p);
	fflush(stdout);
	child = fork();
	if (!child) {
		mprotect(p, LEN, PROT_READ);
		_exit(kmod_notify_read(fd, &c) ||
		      c.start[PROTECTION_VMA].calls);
	}
	waitpid(child, &status, 0);
	check(!status, "what a forked child does is not counted");
	stop(fd);

	/* Elsewhere is told apart. */
	start(fd, p);
	put_memory(get_memory(LEN, 0), LEN);
	end_child(fork_idle());
	stop(fd);
	check(c.elsewhere > 0, "calls elsewhere: %llu", c.elsewhere);
	put_memory(p, LEN);
	close(other);
}

/* The file outlives its address space: the counts stay, the rest ends. */
static void test_released(void)
{
	int fd = open_device(), pipes[2];
	pid_t child;
	char byte = 0;

	if (pipe(pipes))
		give_up("pipe");
	fflush(stdout);
	child = fork();
	if (!child) {
		char *p = fresh();

		kmod_notify_start(fd, PTELAB_NOTIFY_RANGE |
				  PTELAB_NOTIFY_SECONDARY, p, LEN);
		mprotect(p, LEN, PROT_READ);
		if (write(pipes[1], &byte, 1) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	if (read(pipes[0], &byte, 1) != 1)
		give_up("no child");
	end_child(child);
	check(!kmod_notify_read(fd, &c), "read after the process is gone");
	check_eq(c.released, 1, "released");
	check_eq(c.start[PROTECTION_VMA].calls, 1, "what it did is still known");
	check_eq(c.start[UNMAP].calls, 0, "a release is no unmap");
	check(!kmod_notify_stop(fd), "stop after the process is gone");
	check(!kmod_notify_start(fd, PTELAB_NOTIFY_RANGE, NULL, 0),
	      "start anew, for oneself");
	close(fd);
	close(pipes[0]);
	close(pipes[1]);
}

void test_notify(void)
{
	int fd = open_device();

	/* For the pages that must be reused: see test_shadow(). */
	pin_to(0);
	test_protection(fd);
	test_fork(fd);
	test_removal(fd);
	test_clear_refs(fd);
	test_rules(fd);
	test_released();
	close(fd);
}
