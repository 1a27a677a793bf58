// SPDX-License-Identifier: GPL-2.0
/* GUP-fast in the kernel's loop: what it got, what it put back. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

static struct ptelab_gup g;

static int gup(int fd, unsigned int flags, void *p, size_t len,
	       unsigned int pages, uint64_t calls)
{
	memset(&g, 0, sizeof(g));
	g.flags = flags;
	g.addr = (uintptr_t)p;
	g.len = len;
	g.pages = pages;
	g.calls = calls;
	return kmod_gup(fd, &g);
}

static void test_folios(int fd, size_t folio, const char *name)
{
	const size_t len = 2 * MIB;
	uint64_t acquired, released;
	char *p = get_memory(len, folio);
	bool exact_vmstat = !access("/proc/sys/vm/stat_refresh", W_OK);

	if (!p) {
		skip("%s folios: not here", name);
		return;
	}
	write_pages(p, len);
	acquired = vmstat("nr_foll_pin_acquired");
	released = vmstat("nr_foll_pin_released");
	check(!gup(fd, PTELAB_GUP_PIN | PTELAB_GUP_WRITE, p, len, 16, 1000),
	      "%s folios: pin", name);
	check_eq(g.pages_got, 16000, "pages got");
	check_eq(g.short_calls + g.failed_calls, 0, "short or failed");
	check(g.ns > 0, "time %llu ns", g.ns);
	if (exact_vmstat) {
		check_eq(vmstat("nr_foll_pin_acquired") - acquired, 16000,
			 "pages pinned, says vmstat");
		check_eq(vmstat("nr_foll_pin_released") - released, 16000,
			 "pages unpinned, says vmstat");
	} else {
		skip("pages pinned, says vmstat: no stat_refresh to make it exact");
	}

	acquired = vmstat("nr_foll_pin_acquired");
	check(!gup(fd, 0, p, len, 512, 10), "get");
	check_eq(g.pages_got, 5120, "pages got");
	if (exact_vmstat)
		check_eq(vmstat("nr_foll_pin_acquired") - acquired, 0,
			 "none of them pinned");
	check(!gup(fd, PTELAB_GUP_PIN | PTELAB_GUP_LONGTERM |
		   PTELAB_GUP_WRITE, p, len, 16, 100), "pin for long");
	check_eq(g.pages_got, 1600, "pages got");

	put_memory(p, len);
}

static void test_partial(int fd)
{
	const size_t len = 64 * 4096;
	char *p = get_memory(len, 0);

	/* Nothing is there: the slow path faults it in. */
	check(!gup(fd, PTELAB_GUP_WRITE, p, len, 16, 4), "untouched memory");
	check_eq(g.pages_got, 64, "pages got");

	/* The range is used in turns: 3 x 20 fit, the fourth is the first. */
	check(!gup(fd, 0, p, len, 20, 7), "a range that is no multiple");
	check_eq(g.pages_got, 140, "pages got");

	munmap(p + 8 * 4096, 4096);
	check(!gup(fd, PTELAB_GUP_PIN, p, len, 64, 3), "a hole in it");
	check_eq(g.short_calls, 3, "short calls");
	check_eq(g.pages_got, 24, "pages got, up to the hole");
	check(!gup(fd, 0, p + 8 * 4096, 4096, 1, 5), "nothing but a hole");
	check_eq(g.failed_calls, 5, "failed calls");
	check_eq(-g.error, EFAULT, "error of the first");

	mprotect(p, 8 * 4096, PROT_READ);
	check(!gup(fd, PTELAB_GUP_WRITE, p, 8 * 4096, 8, 1),
	      "write to what is read-only");
	check_eq(g.failed_calls, 1, "failed calls");
	munmap(p, len);
}

static void test_limits(int fd)
{
	char *p = get_memory(64 * 4096, 0);
	pid_t child;
	int status;

	check(gup(fd, PTELAB_GUP_LONGTERM, p, 4096, 1, 1) == -EINVAL,
	      "LONGTERM without PIN");
	check(gup(fd, 32, p, 4096, 1, 1) == -EINVAL, "unknown flag");
	check(gup(fd, 0, p, 4096, 0, 1) == -EINVAL, "no pages");
	check(gup(fd, 0, p, 4096, 2, 1) == -EINVAL, "more than the range");
	check(gup(fd, 0, p, 1UL << 40, PTELAB_GUP_MAX_PAGES + 1, 1) == -E2BIG,
	      "too many pages");
	check(gup(fd, 0, p, 4096, 1, PTELAB_GUP_MAX_CALLS + 1) == -E2BIG,
	      "too many calls");
	check(gup(fd, 0, (void *)-8192L, 4096, 1, 1) == -EFAULT,
	      "kernel addresses");
	check(!gup(fd, 0, p, 4096, 1, 0), "no calls");

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(!gup(fd, PTELAB_GUP_PIN, p, 64 * 4096, 64,
			   PTELAB_GUP_MAX_CALLS));
	usleep(50000);
	kill(child, SIGKILL);
	/* The loop has hours to go: that this returns is the test. */
	waitpid(child, &status, 0);
	check(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	      "killed in the loop");
	put_memory(p, 64 * 4096);
}

void test_gup(void)
{
	int fd = open_device();

	test_folios(fd, 0, "4K");
	test_folios(fd, BLOCK, "64K");
	test_folios(fd, 2 * MIB, "2M");
	test_partial(fd);
	test_limits(fd);
	close(fd);
}
