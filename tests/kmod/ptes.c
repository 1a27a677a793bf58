// SPDX-License-Identifier: GPL-2.0
/* The interface's own rules, and the report on page-table entries. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

void test_abi(void)
{
	struct ptelab_abi abi = { .size = sizeof(abi) };
	struct stat st;
	int fd = open_device(), fds[80];
	unsigned int n;

	check(!ioctl(fd, PTELAB_IOC_ABI, &abi), "ABI answers");
	check_eq(abi.version, PTELAB_ABI_VERSION, "version");
	check_eq(abi.page_size, sysconf(_SC_PAGESIZE), "page size");
	printf("# features %#x cont_ptes %u\n", abi.features, abi.cont_ptes);
	abi.size--;
	check(ioctl(fd, PTELAB_IOC_ABI, &abi) && errno == EINVAL,
	      "a wrong size is refused");
	abi.size++;
	abi.flags = 1;
	check(ioctl(fd, PTELAB_IOC_ABI, &abi) && errno == EINVAL,
	      "an unknown flag is refused");
	abi.flags = 0;
	abi.reserved[3] = 1;
	check(ioctl(fd, PTELAB_IOC_ABI, &abi) && errno == EINVAL,
	      "a reserved field is refused");
	check(ioctl(fd, PTELAB_IOC_ABI, NULL) && errno == EFAULT,
	      "no pointer is refused");
	check(ioctl(fd, PTELAB_IOC_ABI + 1, &abi) && errno == ENOTTY,
	      "an unknown ioctl is refused");
	check(!stat(PTELAB_DEVICE, &st) && (st.st_mode & 07777) == 0600 &&
	      !st.st_uid, "the device is root's alone");
	for (n = 0; n < ARRAY_SIZE(fds); n++) {
		fds[n] = open(PTELAB_DEVICE, O_RDWR);
		if (fds[n] < 0)
			break;
	}
	check(n == 63 && errno == EMFILE, "64 open files at most (%u)", n + 1);
	while (n--)
		close(fds[n]);
	close(fd);
}

static struct ptelab_pte page[1024];

static void report(int fd, void *p, size_t len, struct ptelab_ptes *sum)
{
	memset(page, 0xff, sizeof(page));
	if (kmod_ptes(fd, PTELAB_PTES_COMPARE, p, len, sum,
		      len / 4096 <= ARRAY_SIZE(page) ? page : NULL))
		give_up("%s", fail_text());
	check_eq(sum->different, 0,
		 "lockless reads that differ, of %llu", sum->compared);
}

static void test_base_pages(int fd)
{
	const size_t len = 16 * 4096;
	char *p = get_memory(len, 0);
	struct ptelab_ptes s;
	unsigned int i;
	bool good = true;

	report(fd, p, len, &s);
	check_eq(s.none, 16, "not touched yet: none");
	write_pages(p, len / 2);
	read_pages(p + len / 2, len / 4);
	report(fd, p, len, &s);
	check_eq(s.present, 12, "after 8 writes and 4 reads: present");
	check_eq(s.write, 8, "written: write");
	check_eq(s.dirty, 8, "written: dirty");
	check_eq(s.special, 4, "zero page: special");
	check_eq(s.none, 4, "rest: none");
	check_eq(s.cont, 0, "order-0: CONT");
	for (i = 1; i < 8; i++)
		good &= page[i].level == PTELAB_LEVEL_PTE &&
			page[i].pfn && page[i].pfn != page[i - 1].pfn;
	check(good, "each written page has a frame of its own");
	for (i = 9; i < 12; i++)
		good &= page[i].pfn == page[8].pfn;
	check(good, "the zero page is the same everywhere");
	if (has(PTELAB_FEAT_MEMTYPE))
		check_eq(s.memtype[PTELAB_MEM_NORMAL] +
			 s.memtype[PTELAB_MEM_TAGGED], 12, "Normal memory");

	mprotect(p, 4096, PROT_READ);
	mprotect(p + 4096, 4096, PROT_NONE);
	report(fd, p, len, &s);
	check_eq(s.write, 6, "one read-only, one PROT_NONE: write");
	check(page[0].flags & PTELAB_PTE_VALID &&
	      !(page[0].flags & PTELAB_PTE_WRITE), "read-only");
	check((page[1].flags & (PTELAB_PTE_PRESENT | PTELAB_PTE_VALID)) ==
	      PTELAB_PTE_PRESENT, "PROT_NONE is present, not valid");
	mprotect(p, 2 * 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
	report(fd, p, len, &s);
	check(page[0].flags & PTELAB_PTE_EXEC &&
	      !(page[2].flags & PTELAB_PTE_EXEC), "executable");

	/* Beyond the mapping on both sides */
	report(fd, p - 8 * 4096, len + 16 * 4096, &s);
	check_eq(s.none, 20, "holes around it: none");
	check(!page[0].flags && page[8].flags, "hole, page");
	put_memory(p, len);
}

static void test_contpte(int fd)
{
	const size_t len = 4 * BLOCK;
	struct ptelab_ptes s;
	unsigned int i;
	bool good = true;
	char *p;

	if (!has(PTELAB_FEAT_CONTPTE)) {
		skip("contpte: this kernel has none");
		return;
	}
	p = get_memory(len, BLOCK);
	if (!p) {
		skip("contpte: no 64K folios");
		return;
	}
	write_pages(p, len);
	report(fd, p, len, &s);
	check_eq(s.cont, 64, "four 64K folios: CONT");
	check_eq(s.cont_blocks, 4, "whole blocks");
	for (i = 0; i < 64; i++)
		good &= page[i].pfn == page[i / 16 * 16].pfn + i % 16 &&
			!(page[i / 16 * 16].pfn % 16);
	check(good, "frames in line");

	mprotect(p + BLOCK + 5 * 4096, 4096, PROT_READ);
	report(fd, p, len, &s);
	check_eq(s.cont, 48, "after mprotect of one page: CONT");
	check_eq(s.cont_blocks, 3, "whole blocks");
	check(!(page[16].flags & PTELAB_PTE_CONT) &&
	      !(page[31].flags & PTELAB_PTE_CONT) &&
	      page[15].flags & PTELAB_PTE_CONT &&
	      page[32].flags & PTELAB_PTE_CONT, "just that block is unfolded");
	check_eq(s.write, 63, "write");

	/* A part of a block is not a whole one. */
	report(fd, p + 4096, len - 4096, &s);
	check_eq(s.cont, 47, "from the second page on: CONT");
	check_eq(s.cont_blocks, 2, "whole blocks");

	madvise(p + 2 * BLOCK, BLOCK, MADV_DONTNEED);
	report(fd, p, len, &s);
	check_eq(s.cont, 32, "after MADV_DONTNEED of one: CONT");
	check_eq(s.none, 16, "none");
	put_memory(p, len);
}

static void test_huge(int fd)
{
	const size_t len = 2 * MIB;
	struct ptelab_ptes s;
	char *p = get_memory(len, 2 * MIB), *h;
	bool good = true;
	unsigned int i;

	if (!p) {
		skip("huge pages: no THP");
	} else {
		write_pages(p, 1);
		report(fd, p, len, &s);
		check_eq(s.pmd, 512, "2M page: pages in a PMD leaf");
		check_eq(s.write, 512, "write");
		check_eq(s.dirty, 512, "dirty");
		for (i = 0; i < 512; i++)
			good &= page[i].level == PTELAB_LEVEL_PMD &&
				page[i].pfn == page[0].pfn + i &&
				page[i].raw == page[0].raw;
		check(good, "one entry for all, frames in line");
		mprotect(p + len - 4096, 4096, PROT_READ);
		report(fd, p, len, &s);
		check_eq(s.pmd, 0, "split: pages in a PMD leaf");
		check_eq(s.present, 512, "split: present");
		check_eq(s.write, 511, "split: write");
		put_memory(p, len);
	}

	if (!put_file("/proc/sys/vm/nr_hugepages", "2")) {
		skip("hugetlb: none");
		return;
	}
	h = mmap(NULL, len, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (h == MAP_FAILED) {
		skip("hugetlb: none");
		return;
	}
	report(fd, h, len, &s);
	check_eq(s.none, 512, "hugetlb, not touched: none");
	h[0] = 1;
	report(fd, h, len, &s);
	check_eq(s.hugetlb, 512, "hugetlb: pages");
	check_eq(s.pmd, 512, "in a PMD leaf");
	check_eq(s.write, 512, "write");
	munmap(h, len);
	put_file("/proc/sys/vm/nr_hugepages", "0");
}

/* Mapped by a driver: no struct page, other memory types. */
static void test_device_memory(int fd)
{
	static const struct {
		const char *path;
		unsigned int memtype;
	} bars[] = {
		/* The lab's own channel to the host */
		{ "/sys/bus/pci/devices/0000:00:1f.0/resource2",
		  PTELAB_MEM_NGNRE },
		{ "/sys/bus/pci/devices/0000:00:1f.0/resource2_wc",
		  PTELAB_MEM_NC },
	};
	struct ptelab_ptes s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		int bar = open(bars[i].path, O_RDWR | O_CLOEXEC);
		void *p;

		if (bar < 0) {
			skip("%s: none", bars[i].path);
			continue;
		}
		p = mmap(NULL, 16 * 4096, PROT_READ, MAP_SHARED, bar, 0);
		close(bar);
		if (p == MAP_FAILED) {
			skip("%s: no mmap", bars[i].path);
			continue;
		}
		report(fd, p, 16 * 4096, &s);
		printf("# %s: attr %u mair %#x %s\n", bars[i].path,
		       page[0].attr, page[0].mair,
		       kmod_memtype_name(page[0].memtype));
		if (has(PTELAB_FEAT_MEMTYPE)) {
			check_eq(s.memtype[bars[i].memtype], 16, "%s: %s",
				 bars[i].path,
				 kmod_memtype_name(bars[i].memtype));
			check_eq(s.special, 16, "special");
		}
		munmap(p, 16 * 4096);
	}
}

static void test_limits(int fd)
{
	struct ptelab_ptes s;
	char *p = get_memory(4096, 0), *big;
	const size_t len = 256 * MIB;

	check(kmod_ptes(fd, 0, p + 1, 4096, &s, NULL) == -EINVAL, "unaligned");
	check(kmod_ptes(fd, 0, p, 0, &s, NULL) == -EINVAL, "empty");
	check(kmod_ptes(fd, 0, p, 100, &s, NULL) == -EINVAL, "odd length");
	check(kmod_ptes(fd, 0, NULL, -4096UL, &s, NULL) == -E2BIG, "too large");
	check(kmod_ptes(fd, 0, (void *)-4096L, 8192, &s, NULL) == -EFAULT,
	      "wraps around");
	check(kmod_ptes(fd, 0, (void *)-8192L, 4096, &s, NULL) == -EFAULT,
	      "kernel addresses");
	check(kmod_ptes(fd, 0, p, 4096, &s, (void *)8) == -EFAULT,
	      "bad buffer");
	check(kmod_ptes(fd, 2, p, 4096, &s, NULL) == -EINVAL, "bad flag");
	put_memory(p, 4096);

	big = get_memory(len, 0);
	write_pages(big, MIB);
	write_pages(big + len - MIB, MIB);
	report(fd, big, len, &s);
	check_eq(s.present, 512, "two ends of 256M: present");
	check_eq(s.none, len / 4096 - 512, "between: none");
	put_memory(big, len);
}

void test_ptes(void)
{
	int fd = open_device();

	if (sysconf(_SC_PAGESIZE) != 4096)
		give_up("the figures are for 4K pages");
	test_base_pages(fd);
	test_contpte(fd);
	test_huge(fd);
	test_device_memory(fd);
	test_limits(fd);
	close(fd);
}
