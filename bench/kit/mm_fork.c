// SPDX-License-Identifier: GPL-2.0
/*
 * Children that share a region, but no other writable memory; see mm.h.
 *
 * Before the fork, every private mapping that is writable, or was written to
 * when the program was relocated, is marked MADV_DONTFORK, except for the
 * region. So the child has no heap, no stack and no thread-local storage. It
 * runs on a stack in shared memory, in which it also gets its orders, and makes
 * system calls directly. The kernel would kill it for a missing thread-local
 * rseq area, so rseq is unregistered during the fork.
 */
#include "bench/kit/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/kit/child.h"
#include "lib/util.h"

enum order { ORDER_NONE, ORDER_CHECK };

/* Shared with the child; its stack is the rest of the mapping. */
struct box {
	pid_t parent;
	uint32_t ready;		/* futex: the child runs */
	uint32_t order;		/* futex: orders to the child */
	uint32_t done;		/* futex: orders that the child has done */
	bool leave;		/* exit at once */
	struct mm_region r;
	uint64_t step, per_map;
	int64_t answer;
};

#define BOX_BYTES	(64 * KIB)

struct mm_child {
	pid_t pid;
	struct box *box;
};

/* Counts the words of the child's copy that the parent did not write. */
static IN_CHILD int64_t child_check(const struct box *b)
{
	int64_t differ = 0;
	unsigned int i;
	uint64_t off;

	for (i = 0; i < b->r.nr; i++) {
		const char *map = b->r.base + i * b->r.stride;

		for (off = 0; off < b->per_map; off += b->step) {
			const uint64_t *word = (const void *)(map + off);

			if (*(volatile const uint64_t *)word !=
			    MM_PATTERN(word))
				differ++;
		}
	}
	return differ;
}

static IN_CHILD int child_main(void *arg)
{
	struct box *b = arg;

	if (b->leave)
		child_syscall(SYS_exit_group, 0, 0, 0, 0);
	child_syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0);
	/* The parent may have died before prctl(). */
	if (child_syscall(SYS_getppid, 0, 0, 0, 0) != b->parent)
		child_syscall(SYS_exit_group, 1, 0, 0, 0);
	__atomic_store_n(&b->ready, 1, __ATOMIC_RELEASE);
	child_syscall(SYS_futex, (long)&b->ready, FUTEX_WAKE, 1, 0);
	for (;;) {
		uint32_t order = __atomic_load_n(&b->order, __ATOMIC_ACQUIRE);

		if (order == ORDER_NONE) {
			child_syscall(SYS_futex, (long)&b->order, FUTEX_WAIT,
				      ORDER_NONE, 0);
			continue;
		}
		b->answer = child_check(b);
		__atomic_store_n(&b->order, ORDER_NONE, __ATOMIC_RELAXED);
		__atomic_store_n(&b->done, 1, __ATOMIC_RELEASE);
		child_syscall(SYS_futex, (long)&b->done, FUTEX_WAKE, 1, 0);
	}
	return 0;
}

/* --- the parent --- */

/* Mappings that mm_fork_done() must unmark. */
static struct span {
	uintptr_t start, end;
} *marked;
static size_t nr_marked;

static bool already_marked(uintptr_t start, uintptr_t end)
{
	size_t i;

	for (i = 0; i < nr_marked; i++)
		if (marked[i].start == start && marked[i].end == end)
			return true;
	return false;
}

static bool in_region(const struct mm_region *r, uintptr_t start)
{
	return start >= (uintptr_t)r->map &&
	       start < (uintptr_t)r->map + r->map_bytes;
}

static void mark(uintptr_t start, uintptr_t end)
{
	/* The range may have been mapped anew since it was marked. */
	if (madvise((void *)start, end - start, MADV_DONTFORK) ||
	    already_marked(start, end))
		return;
	marked = xrealloc(marked, (nr_marked + 1) * sizeof(*marked));
	marked[nr_marked++] = (struct span){ start, end };
}

/*
 * Marks mappings that are private and read-only but were written to when the
 * program was relocated. A fork would copy them and notify listeners. They
 * exist from the start, so once is enough.
 */
static int mark_relocated(void)
{
	char *text = read_file("/proc/self/smaps", NULL), *line, *next;
	uintptr_t start = 0, end = 0;
	unsigned long kib;

	if (!text)
		return -errno;
	for (line = text; line && *line; line = next) {
		uintptr_t from, to;
		char perms[5];

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to,
			   perms) == 3) {
			start = from;
			end = !strcmp(perms, "r--p") ? to : from;
		} else if (start != end &&
			   sscanf(line, "Anonymous: %lu kB", &kib) == 1 &&
			   kib) {
			mark(start, end);
		}
	}
	free(text);
	return 0;
}

/*
 * Reads /proc/self/maps into a permanent buffer. A buffer from malloc() might
 * be missing in the file it reads. The buffer is shared, so it is not among the
 * mappings that are searched for.
 */
static char *read_maps(void)
{
	static char *buf;
	static size_t size;
	size_t len = 0;
	ssize_t n;
	void *p;
	int fd;

	fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_null(errno, "/proc/self/maps: %s", strerror(errno));
	for (;;) {
		if (size - len < 2 * KIB) {
			p = mmap(NULL, size * 2 + 64 * KIB,
				 PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
			if (p == MAP_FAILED) {
				n = -1;
				break;
			}
			if (buf) {
				memcpy(p, buf, len);
				munmap(buf, size);
			}
			buf = p;
			size = size * 2 + 64 * KIB;
		}
		n = read(fd, buf + len, size - len - 1);
		if (n <= 0)
			break;
		len += n;
	}
	close(fd);
	if (n < 0)
		return fail_null(errno, "/proc/self/maps: %s", strerror(errno));
	buf[len] = '\0';
	return buf;
}

static int mark_writable(const struct mm_region *r)
{
	char *text = read_maps(), *line, *next;

	if (!text)
		return -errno;
	for (line = text; line && *line; line = next) {
		uintptr_t start, end;
		char perms[5];

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &start, &end,
			   perms) == 3 && perms[1] == 'w' && perms[3] == 'p' &&
		    !in_region(r, start))
			mark(start, end);
	}
	return 0;
}

/*
 * Marks what a child must not get. Runs before every fork, because the process
 * may have mapped more since the last one.
 */
static int isolate(const struct mm_region *r)
{
	int ret = nr_marked ? 0 : mark_relocated();
	size_t before;

	/* The list of marks is allocated, too, possibly in new memory. */
	do {
		before = nr_marked;
		if (!ret)
			ret = mark_writable(r);
	} while (!ret && nr_marked != before);
	return ret;
}

void mm_fork_done(void)
{
	size_t i;

	/* If something else is mapped there now, this does no harm. */
	for (i = 0; i < nr_marked; i++)
		madvise((void *)marked[i].start,
			marked[i].end - marked[i].start, MADV_DOFORK);
	free(marked);
	marked = NULL;
	nr_marked = 0;
}

static pid_t start_child(const struct mm_region *r, struct box *box)
{
	sigset_t all, old;
	pid_t pid;
	int ret;

	ret = isolate(r);
	if (ret)
		return ret;
	/* A signal handler would run without the memory that it needs. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = child_rseq(false);
	if (!ret) {
		pid = child_clone(child_main, (char *)box + BOX_BYTES, box);
		if (pid < 0)
			ret = fail(-pid, "fork: %s", strerror(-pid));
		if (child_rseq(true) && !ret)
			warn("rseq stays off for this thread: %s", fail_text());
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret ? ret : pid;
}

static struct box *new_box(const struct mm_region *r)
{
	struct box *b = mmap(NULL, BOX_BYTES, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (b == MAP_FAILED)
		return fail_null(errno, "mmap: %s", strerror(errno));
	b->parent = getpid();
	b->r = *r;
	return b;
}

static void futex_wait(uint32_t *word, uint32_t value)
{
	/* Check regularly whether the child is still alive. */
	struct timespec t = { .tv_nsec = 100000000 };

	syscall(SYS_futex, word, FUTEX_WAIT, value, &t);
}

/* Waits until the child sets @word. */
static int await(struct mm_child *c, uint32_t *word)
{
	while (!__atomic_load_n(word, __ATOMIC_ACQUIRE)) {
		siginfo_t info = { 0 };

		futex_wait(word, 0);
		if (!waitid(P_PID, c->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
		    info.si_pid)
			return fail(ECHILD, "a child died early (status %d)",
				    info.si_status);
	}
	return 0;
}

struct mm_child *mm_fork(const struct mm_region *r)
{
	struct mm_child *c = xcalloc(1, sizeof(*c));

	c->box = new_box(r);
	if (!c->box)
		goto fail;
	c->pid = start_child(r, c->box);
	if (c->pid < 0) {
		munmap(c->box, BOX_BYTES);
		goto fail;
	}
	if (await(c, &c->box->ready)) {
		mm_child_end(c);
		return NULL;
	}
	return c;
fail:
	free(c);
	return NULL;
}

int64_t mm_child_check(struct mm_child *c, const struct mm_region *r,
		       uint64_t step, uint64_t per_map)
{
	struct box *b = c->box;
	int ret;

	b->r = *r;
	b->step = step;
	b->per_map = per_map;
	b->done = 0;
	__atomic_store_n(&b->order, ORDER_CHECK, __ATOMIC_RELEASE);
	syscall(SYS_futex, &b->order, FUTEX_WAKE, 1);
	ret = await(c, &b->done);
	return ret ? ret : b->answer;
}

void mm_child_end(struct mm_child *c)
{
	if (!c)
		return;
	kill(c->pid, SIGKILL);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	munmap(c->box, BOX_BYTES);
	free(c);
}

int mm_fork_exit(const struct mm_region *r)
{
	struct box *box = new_box(r);
	int status = 0;
	pid_t pid;

	if (!box)
		return -errno;
	box->leave = true;
	pid = start_child(r, box);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	munmap(box, BOX_BYTES);
	if (pid < 0)
		return pid;
	return status ? fail(ECHILD, "a child died of signal %d",
			     WTERMSIG(status)) : 0;
}
