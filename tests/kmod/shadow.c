// SPDX-License-Identifier: GPL-2.0
/*
 * The shadow secondary TLB against operations whose effect is known, for each
 * way of telling it.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

#define PAGES	64
#define LEN	(PAGES * 4096UL)

#define RANGE		PTELAB_SHADOW_RANGE
#define SECONDARY	PTELAB_SHADOW_SECONDARY

static struct ptelab_shadow_check c;

static const char *listens(unsigned int flags)
{
	static const char *const names[] = {
		"nothing", "start/end", "secondary", "both"
	};

	return names[flags & 3];
}

static void start(int fd, unsigned int flags, void *p)
{
	struct ptelab_shadow_fill f;

	if (kmod_shadow_start(fd, flags, p, LEN) ||
	    kmod_shadow_fill(fd, p, LEN, &f))
		give_up("%s", fail_text());
	if (f.filled + f.absent != PAGES || f.blocked)
		check(false, "fill: %llu filled %llu absent %llu blocked",
		      f.filled, f.absent, f.blocked);
}

static void look(int fd, void *p)
{
	if (kmod_shadow_check(fd, p, LEN, &c, NULL, 0))
		give_up("%s", fail_text());
}

static void stop(int fd, void *p)
{
	look(fd, p);
	if (kmod_shadow_stop(fd))
		give_up("%s", fail_text());
}

static char *fresh(void)
{
	char *p = get_memory(LEN, 0);

	write_pages(p, LEN);
	return p;
}

/* So many stale ones of one kind, and none of another */
static void expect(const char *what, unsigned int flags, unsigned int kind,
		   uint64_t stale)
{
	check_eq(c.stale[kind], stale, "%s, listening to %s: stale", what,
		 listens(flags));
	check_eq(kmod_shadow_stale(&c), stale, "%s: stale of any kind", what);
}

static void test_each(int fd, unsigned int flags)
{
	const bool range = flags & RANGE, sec = flags & SECONDARY;
	const bool told = range || sec;
	char *p = fresh(), *q;
	uint64_t reused;
	pid_t child;

	start(fd, flags, p);
	look(fd, p);
	check_eq(c.cached, PAGES, "filled, listening to %s: cached",
		 listens(flags));
	expect("filled", flags, PTELAB_STALE_PFN, 0);

	/* Permission taken away */
	mprotect(p, LEN, PROT_READ);
	look(fd, p);
	expect("mprotect down", flags, PTELAB_STALE_DOWNGRADED,
	       told ? 0 : PAGES);
	check_eq(c.cached, told ? 0 : PAGES, "mprotect down: cached");
	if (range)
		check_eq(c.dropped_range, PAGES, "dropped by start");
	stop(fd, p);

	/*
	 * Permission given: the kernel removes no right, but a cached entry
	 * that has none stays for ever if nobody tells.
	 */
	start(fd, flags, p);
	mprotect(p, LEN, PROT_READ | PROT_WRITE);
	/* The page table gets the right back with the next write only. */
	write_pages(p, LEN);
	stop(fd, p);
	expect("mprotect up and write", flags, PTELAB_STALE_UPGRADED,
	       told ? 0 : PAGES);
	put_memory(p, LEN);

	/* The fault that reuses the page tells secondary TLBs only. */
	p = fresh();
	end_child(fork_idle());
	start(fd, flags, p);
	reused = vmstat("pgreuse");
	write_pages(p, LEN);
	reused = vmstat("pgreuse") - reused;
	check(reused >= PAGES, "reuse: pgreuse %llu",
	      (unsigned long long)reused);
	look(fd, p);
	printf("# reuse, listening to %s: upgraded %llu of %llu cached\n",
	       listens(flags), c.stale[PTELAB_STALE_UPGRADED], c.cached);
	if (has(PTELAB_FEAT_SECONDARY) && has(PTELAB_FEAT_MEMTYPE))
		expect("reuse", flags, PTELAB_STALE_UPGRADED,
		       sec ? 0 : PAGES);
	/* Before that, nobody was told: stale for ever, however one listens. */
	if (has(PTELAB_FEAT_INV_RANGE))
		expect("reuse", flags, PTELAB_STALE_UPGRADED, PAGES);
	stop(fd, p);
	put_memory(p, LEN);

	/* Another page */
	p = fresh();
	child = fork_idle();
	start(fd, flags, p);
	write_pages(p, LEN);
	stop(fd, p);
	expect("CoW", flags, PTELAB_STALE_PFN, told ? 0 : PAGES);
	end_child(child);

	/* Gone */
	start(fd, flags, p);
	madvise(p, LEN / 2, MADV_DONTNEED);
	stop(fd, p);
	expect("MADV_DONTNEED of half", flags, PTELAB_STALE_UNMAPPED,
	       told ? 0 : PAGES / 2);
	check_eq(c.cached, told ? PAGES / 2 : PAGES,
		 "MADV_DONTNEED of half: cached");
	write_pages(p, LEN);
	start(fd, flags, p);
	mprotect(p, LEN, PROT_NONE);
	stop(fd, p);
	expect("PROT_NONE", flags, PTELAB_STALE_UNMAPPED, told ? 0 : PAGES);
	mprotect(p, LEN, PROT_READ | PROT_WRITE);
	start(fd, flags, p);
	q = get_memory(LEN, 0);
	if (mremap(p, LEN, LEN, MREMAP_MAYMOVE | MREMAP_FIXED, q) != q)
		give_up("mremap: %s", strerror(errno));
	stop(fd, p);
	expect("mremap", flags, PTELAB_STALE_UNMAPPED, told ? 0 : PAGES);
	put_memory(q, LEN);
}

static void test_details(int fd)
{
	struct ptelab_stale stale[8];
	struct ptelab_shadow_fill f;
	char *p = fresh();
	unsigned int i;
	bool good = true;
	int status;
	pid_t child;

	check(kmod_shadow_check(fd, p, LEN, &c, NULL, 0) == -ENODATA,
	      "check before start");
	check(kmod_shadow_stop(fd) == -ENODATA, "stop before start");
	check(kmod_shadow_start(fd, 8, p, LEN) == -EINVAL, "unknown flag");
	check(kmod_shadow_start(fd, 0, p, LEN << 20) == -E2BIG, "too large");
	start(fd, 0, p);
	check(kmod_shadow_start(fd, 0, p, LEN) == -EBUSY, "start twice");
	check(kmod_shadow_fill(fd, p, LEN + 4096, &f) == -EINVAL,
	      "beyond the range");
	check(kmod_shadow_fill(fd, p - 4096, LEN, &f) == -EINVAL,
	      "before the range");
	mprotect(p + 3 * 4096, 16 * 4096, PROT_READ);
	if (kmod_shadow_check(fd, p, LEN, &c, stale, ARRAY_SIZE(stale)))
		give_up("%s", fail_text());
	check_eq(c.stale[PTELAB_STALE_DOWNGRADED], 16, "stale entries");
	for (i = 0; i < ARRAY_SIZE(stale); i++)
		good &= stale[i].addr == (uintptr_t)p + (3 + i) * 4096 &&
			stale[i].kind == PTELAB_STALE_DOWNGRADED &&
			stale[i].cached & PTELAB_CACHED_WRITE;
	check(good, "the first eight by address");
	check(kmod_shadow_check(fd, p, LEN, &c, (void *)8, 4) == -EFAULT,
	      "bad buffer");
	fflush(stdout);
	child = fork();
	if (!child)
		_exit(kmod_shadow_check(fd, p, LEN, &c, NULL, 0) != -ESRCH);
	waitpid(child, &status, 0);
	check(!status, "another address space is refused");
	kmod_shadow_stop(fd);

	put_memory(p, LEN);
}

/* A folded block is one entry of the page table, but 16 of a shadow. */
static void test_contpte(int fd)
{
	char *p;

	if (!has(PTELAB_FEAT_CONTPTE))
		return;
	p = get_memory(LEN, BLOCK);
	if (!p) {
		skip("contpte: no 64K folios");
		return;
	}
	write_pages(p, LEN);
	start(fd, SECONDARY, p);
	mprotect(p + 4096, 4096, PROT_READ);
	stop(fd, p);
	expect("contpte, mprotect of a page", SECONDARY,
	       PTELAB_STALE_DOWNGRADED, 0);
	check(c.dropped_secondary >= 1 && c.dropped_secondary <= 16,
	      "entries dropped: %llu", c.dropped_secondary);
	put_memory(p, LEN);
}

/* One store to the middle of a leaf of @len: who reuses it tells of it once. */
static void test_leaf(int fd, char *p, size_t len, const char *what)
{
	struct ptelab_shadow_fill f;
	struct ptelab_stale stale;
	unsigned int flags;

	for (flags = 0; flags < 2; flags++) {
		bool told = flags && has(PTELAB_FEAT_SECONDARY);

		write_pages(p, len);
		end_child(fork_idle());
		if (kmod_shadow_start(fd, flags ? SECONDARY : 0, p, len) ||
		    kmod_shadow_fill(fd, p, len, &f))
			give_up("%s", fail_text());
		check_eq(f.filled, 1, "%s: entries", what);
		check_eq(f.absent + f.blocked, 0, "%s: pages left out", what);
		/* A second device, or the same one in the middle */
		if (kmod_shadow_fill(fd, p + 16 * 4096, 4096, &f))
			give_up("%s", fail_text());
		check_eq(f.filled, 1, "%s, filled from a page within", what);
		p[17 * 4096] = 1;
		if (kmod_shadow_check(fd, p, len, &c, &stale, 1))
			give_up("%s", fail_text());
		check_eq(c.cached, told ? 0 : 1, "%s, reused: cached", what);
		check_eq(c.stale[PTELAB_STALE_UPGRADED], told ? 0 : 1,
			 "%s, reused: stale", what);
		if (told)
			check_eq(c.dropped_secondary, 1, "%s: dropped", what);
		else
			check(stale.addr == (uintptr_t)p, "%s: where", what);
		if (kmod_shadow_stop(fd))
			give_up("%s", fail_text());
	}
}

/* The range begins and ends within a leaf, which is split elsewhere. */
static void test_part(int fd, unsigned int flags)
{
	const size_t len = 2 * MIB;
	char *p = get_memory(len, len), *part = p + 7 * 4096;
	struct ptelab_shadow_fill f;

	write_pages(p, len);
	if (kmod_shadow_start(fd, flags, part, LEN) ||
	    kmod_shadow_fill(fd, part, LEN, &f))
		give_up("%s", fail_text());
	check_eq(f.filled, 1, "part of a leaf, listening to %s: entries",
		 listens(flags));
	look(fd, part);
	check_eq(c.cached, 1, "part of a leaf: cached");
	mprotect(p + len / 2, len / 2, PROT_READ);
	look(fd, part);
	check_eq(c.cached, !flags, "the leaf was split: cached");
	check_eq(kmod_shadow_stale(&c), 0, "the leaf was split: stale");
	kmod_shadow_stop(fd);
	put_memory(p, len);
}

static void test_leaves(int fd)
{
	const size_t len = 2 * MIB;
	char *p = get_memory(len, len);
	struct ptelab_shadow_fill f;
	unsigned int flags;

	if (!has(PTELAB_FEAT_MEMTYPE)) {
		skip("leaves: x86 tells nobody of an upgrade");
		return;
	}
	if (p) {
		test_leaf(fd, p, len, "PMD leaf");
		/* Split, and each page as it was: still true */
		if (kmod_shadow_start(fd, 0, p, len))
			give_up("%s", fail_text());
		if (kmod_shadow_fill(fd, p, len, &f))
			give_up("%s", fail_text());
		check_eq(f.filled, 1, "PMD leaf: entries");
		mprotect(p, 4096, PROT_READ);
		look(fd, p + 4096);
		check_eq(kmod_shadow_stale(&c), 0, "split, the rest: stale");
		if (kmod_shadow_check(fd, p, len, &c, NULL, 0))
			give_up("%s", fail_text());
		check_eq(c.cached, 1, "split: cached");
		check_eq(c.stale[PTELAB_STALE_DOWNGRADED], 1, "split: stale");
		kmod_shadow_stop(fd);
		put_memory(p, len);
		for (flags = 0; flags < 4; flags++)
			test_part(fd, flags);
	} else {
		skip("PMD leaf: none");
	}

	p = MAP_FAILED;
	if (put_file("/proc/sys/vm/nr_hugepages", "4"))
		p = mmap(NULL, len, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED) {
		skip("hugetlb leaf: none");
		return;
	}
	test_leaf(fd, p, len, "hugetlb leaf");
	munmap(p, len);
	put_file("/proc/sys/vm/nr_hugepages", "0");
}

void test_shadow(void)
{
	int fd = open_device();
	unsigned int flags;

	/*
	 * A page that still waits in another CPU's batch for its LRU list has
	 * a reference more, and is copied where it could be reused.
	 */
	pin_to(0);
	for (flags = 0; flags < 4; flags++)
		test_each(fd, flags);
	test_contpte(fd);
	test_leaves(fd);
	test_details(fd);
	close(fd);
}
