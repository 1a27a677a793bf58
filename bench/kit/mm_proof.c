// SPDX-License-Identifier: GPL-2.0
/*
 * Proofs about a region, see mm.h: the size of its folios from kpageflags, and
 * the size of the leaves that map them from perf.
 *
 * A perf sample with PERF_SAMPLE_DATA_PAGE_SIZE has the size of the leaf that
 * maps its address, for which the kernel walks the page table. The software
 * event "page fault" samples at the start of a fault, before anything is
 * mapped, and needs neither a PMU nor hardware breakpoints, which many VMs
 * lack. To cause a fault on a mapped page without changing anything, jump to
 * it: the page is not executable, so the kernel takes the sample and raises
 * SIGSEGV.
 *
 * Without perf events PAGEMAP_SCAN distinguishes a PMD from base pages. It does
 * not show contpte blocks, so it is only sufficient on architectures without
 * them.
 */
#include "bench/kit/mm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util.h"

/* missing in the linux/perf_event.h of older systems */
#define SAMPLE_DATA_PAGE_SIZE	(1U << 22)

#define PM_PRESENT	(1ULL << 63)
#define PM_PFN		((1ULL << 55) - 1)

/* --- frames and folios --- */

static int open_proc(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fail(errno, "%s: %s", path, strerror(errno)) : fd;
}

/* Gets the frame numbers of @nr consecutive pages from pagemap. */
static int frames_at(int fd, uintptr_t addr, size_t nr, uint64_t *pfn)
{
	ssize_t want = nr * sizeof(*pfn), n;
	size_t i;

	n = pread(fd, pfn, want, addr / mm_caps()->page * sizeof(*pfn));
	if (n != want)
		return fail(n < 0 ? errno : EIO, "/proc/self/pagemap: %s",
			    n < 0 ? strerror(errno) : "short read");
	for (i = 0; i < nr; i++)
		pfn[i] = pfn[i] & PM_PRESENT ? pfn[i] & PM_PFN : 0;
	return 0;
}

int mm_frames(const char *addr, uint64_t step, size_t nr, uint64_t *pfn)
{
	int fd = open_proc("/proc/self/pagemap"), ret = 0;
	size_t i;

	if (fd < 0)
		return fd;
	if (step == mm_caps()->page)
		ret = frames_at(fd, (uintptr_t)addr, nr, pfn);
	else
		for (i = 0; i < nr && !ret; i++)
			ret = frames_at(fd, (uintptr_t)addr + i * step, 1,
					&pfn[i]);
	close(fd);
	return ret;
}

int mm_frame_flags(uint64_t pfn, uint64_t *flags)
{
	int fd = open_proc("/proc/kpageflags");
	ssize_t n;

	if (fd < 0)
		return fd;
	n = pread(fd, flags, sizeof(*flags), pfn * sizeof(*flags));
	close(fd);
	return n == sizeof(*flags) ? 0 :
		fail(EIO, "/proc/kpageflags: no frame %#" PRIx64, pfn);
}

/* Reads a page of a mapping that was never written. -errno, or whether KPF_ZERO. */
static int reads_map_zero_page(void)
{
	size_t page = mm_caps()->page;
	char *p = mmap(NULL, page, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t pfn, flags = 0;
	int ret;

	if (p == MAP_FAILED)
		return -errno;
	*(volatile char *)p;
	ret = mm_frames(p, page, 1, &pfn);
	if (!ret)
		ret = mm_frame_flags(pfn, &flags);
	munmap(p, page);
	return ret ?: !!(flags & MM_KPF_ZERO);
}

const char *mm_zero_page_unavailable(void)
{
	static int found = -1;

	if (found < 0)
		found = reads_map_zero_page() != 0;
	return found ? NULL : "this kernel maps a page of its own for a read, not the zero page";
}

const char *mm_folio_check(const uint64_t *pfn, const uint64_t flags[3],
			   size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!pfn[i])
			return "one of its pages is not mapped";
		if (pfn[i] != pfn[0] + i)
			return "its pages are not contiguous";
	}
	if (nr == 1)
		return flags[0] & (MM_KPF_HEAD | MM_KPF_TAIL) ?
			"the page belongs to a larger folio" : NULL;
	if (pfn[0] % nr)
		return "it is not naturally aligned";
	if (!(flags[0] & MM_KPF_HEAD))
		return flags[0] & MM_KPF_TAIL ?
			"it is part of a larger folio" :
			"its first page is not part of a large folio";
	if (!(flags[1] & MM_KPF_TAIL))
		return "the folio is smaller";
	return flags[2] & MM_KPF_TAIL ? "the folio is larger" : NULL;
}

/* --- leaves --- */

struct mm_prober {
	int fd;			/* perf event; -1: PAGEMAP_SCAN is used */
	int pagemap;
	struct perf_event_mmap_page *ring;
	size_t page;
};

unsigned int mm_samples(const void *ring, size_t size, uint64_t tail,
			uint64_t head, uint64_t addr, uint64_t *page_size)
{
	const unsigned char *data = ring;
	struct {
		struct perf_event_header h;
		uint64_t addr, page_size;
	} s;
	unsigned int nr = 0;

	while (head - tail >= sizeof(s.h)) {
		size_t i;

		for (i = 0; i < sizeof(s.h); i++)
			((unsigned char *)&s)[i] = data[(tail + i) % size];
		/* A wrong size would make this loop endless. */
		if (s.h.size < sizeof(s.h) || s.h.size > head - tail)
			break;
		if (s.h.type == PERF_RECORD_SAMPLE && s.h.size == sizeof(s)) {
			for (; i < sizeof(s); i++)
				((unsigned char *)&s)[i] =
					data[(tail + i) % size];
			if (s.addr == addr) {
				*page_size = s.page_size;
				nr++;
			}
		}
		tail += s.h.size;
	}
	return nr;
}

/* Where the current jump went, and where to continue after its SIGSEGV. */
static __thread const void *jumped_to;
static __thread sigjmp_buf landing;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_addr == jumped_to)
		siglongjmp(landing, 1);
	/* Not ours: it is raised again and ends the process. */
	signal(sig, SIG_DFL);
}

/* Jumps to data. Returns whether that faulted, as it should. */
static bool jump(const struct mm_prober *p, const void *addr)
{
	struct sigaction sa = { .sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO }, old;
	volatile bool faulted = true;

	sigaction(SIGSEGV, &sa, &old);
	jumped_to = addr;
	if (!sigsetjmp(landing, 1)) {
		ioctl(p->fd, PERF_EVENT_IOC_ENABLE, 0);
		((void (*)(void))(uintptr_t)addr)();
		faulted = false;
	}
	ioctl(p->fd, PERF_EVENT_IOC_DISABLE, 0);
	jumped_to = NULL;
	sigaction(SIGSEGV, &old, NULL);
	return faulted;
}

static int probe_perf(struct mm_prober *p, const void *addr, uint64_t *leaf)
{
	/* arm64 needs an aligned instruction address within the page. */
	uintptr_t at = (uintptr_t)addr & ~(uintptr_t)3;
	uint64_t tail = p->ring->data_tail, head;
	unsigned int nr;

	if (!jump(p, (void *)at))
		return fail(EPROTO, "data can be executed");
	head = __atomic_load_n(&p->ring->data_head, __ATOMIC_ACQUIRE);
	/* The last one: a page that is not present is mapped by the first. */
	nr = mm_samples((char *)p->ring + p->page, p->page, tail, head, at,
			leaf);
	__atomic_store_n(&p->ring->data_tail, head, __ATOMIC_RELEASE);
	if (!nr || !*leaf)
		return fail(EPROTO, "a page fault at %p gave %s", addr,
			    nr ? "a sample without a size" : "no sample");
	return 0;
}

/* linux/fs.h has it since 6.7. */
struct scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t inverted, mask, anyof, return_mask;
};
#define SCAN			_IOWR('f', 16, struct scan_arg)
#define SCAN_PRESENT		(1U << 3)
#define SCAN_HUGE		(1U << 6)

static int probe_scan(struct mm_prober *p, const void *addr, uint64_t *leaf)
{
	uint64_t found[3];	/* start, end, categories */
	struct scan_arg arg = {
		.size = sizeof(arg), .start = (uintptr_t)addr & -p->page,
		.end = ((uintptr_t)addr & -p->page) + p->page,
		.vec = (uintptr_t)found, .vec_len = 1, .mask = SCAN_PRESENT,
		.return_mask = SCAN_PRESENT | SCAN_HUGE,
	};
	int n;

	*(volatile const char *)addr;
	n = ioctl(p->pagemap, SCAN, &arg);
	if (n != 1)
		return fail(EPROTO, "PAGEMAP_SCAN of %p: %s", addr, n < 0 ?
			    errno == ENOTTY ? "this kernel has none (6.7)" :
			    strerror(errno) : "no page there");
	*leaf = found[2] & SCAN_HUGE ? mm_caps()->pmd : p->page;
	return 0;
}

int mm_probe(struct mm_prober *p, const void *addr, uint64_t *leaf)
{
	return p->fd >= 0 ? probe_perf(p, addr, leaf) :
			    probe_scan(p, addr, leaf);
}

static const char *no_perf(int err)
{
	switch (err) {
	case EACCES:
	case EPERM:
		return "perf events are not permitted: run as root or lower kernel.perf_event_paranoid to 2";
	case ENOSYS:
		return "this kernel has no perf events";
	case EINVAL:
		return "perf has no PERF_SAMPLE_DATA_PAGE_SIZE (5.11)";
	default:
		return strerror(err);
	}
}

static int open_perf(struct mm_prober *p)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_PAGE_FAULTS,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR | SAMPLE_DATA_PAGE_SIZE,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = 1,
	};
	void *ring;

	p->fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			PERF_FLAG_FD_CLOEXEC);
	if (p->fd < 0)
		return fail(errno, "%s", no_perf(errno));
	ring = mmap(NULL, 2 * p->page, PROT_READ | PROT_WRITE, MAP_SHARED,
		    p->fd, 0);
	if (ring == MAP_FAILED)
		return fail(errno, "perf ring: %s", strerror(errno));
	p->ring = ring;
	return 0;
}

static void close_perf(struct mm_prober *p)
{
	if (p->ring)
		munmap(p->ring, 2 * p->page);
	if (p->fd >= 0)
		close(p->fd);
	p->ring = NULL;
	p->fd = -1;
}

#ifdef __aarch64__
#define RETURN	0xd65f03c0U
#else
#define RETURN	0xc3U
#endif

/* Opening an event is not enough: probe a page to see whether samples come. */
static int try_prober(struct mm_prober *p)
{
	uint64_t leaf = 0;
	uint32_t *page;
	int ret;

	page = mmap(NULL, p->page, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return fail(errno, "mmap: %s", strerror(errno));
	/* If data is executable after all, this instruction returns. */
	*page = RETURN;
	__builtin___clear_cache((char *)page, (char *)(page + 1));
	ret = mm_probe(p, page, &leaf);
	munmap(page, p->page);
	return ret;
}

struct mm_prober *mm_prober_open(void)
{
	struct mm_prober *p = xcalloc(1, sizeof(*p));
	char *why;
	int ret;

	p->page = mm_caps()->page;
	p->fd = p->pagemap = -1;
	ret = open_perf(p);
	if (!ret)
		ret = try_prober(p);
	if (!ret)
		return p;
	why = xstrdup(fail_text());
	close_perf(p);
	if (mm_caps()->contpte) {
		fail(-ret, "the leaf size can't be proved: %s", why);
	} else {
		p->pagemap = open_proc("/proc/self/pagemap");
		ret = p->pagemap < 0 ? p->pagemap : try_prober(p);
		if (ret)
			fail(-ret, "the leaf size can't be proved: %s; %s",
			     why, fail_text());
	}
	free(why);
	if (!ret)
		return p;
	mm_prober_close(p);
	return NULL;
}

const char *mm_prober_how(const struct mm_prober *p)
{
	return p->fd >= 0 ? "perf's page faults" :
			    "PAGEMAP_SCAN, because there are no perf events";
}

void mm_prober_close(struct mm_prober *p)
{
	if (!p)
		return;
	close_perf(p);
	if (p->pagemap >= 0)
		close(p->pagemap);
	free(p);
}

/* --- a whole region --- */

/* Limits of a proof: pages whose frames are read, leaves that are probed. */
#define PROOF_PAGES	16384
#define PROOF_LEAVES	256
/* Leaves to probe if only base pages are possible. */
#define PROOF_BASE	8

struct proof {
	struct bench_ctx *ctx;
	const struct mm_region *r;
	uint64_t want;		/* bytes of a leaf; 0: don't check */
	uint64_t folios, leaves;
	int pagemap, kpageflags;
	struct mm_prober *prober;
	uint64_t *pfn;		/* of one folio */
};

static char *folio_at(const struct mm_region *r, uint64_t i)
{
	uint64_t each = r->bytes / r->folio;

	return mm_region_at(r, i / each) + i % each * r->folio;
}

static int prove_folio(struct proof *p, uint64_t i)
{
	uint64_t nr = p->r->folio / mm_caps()->page;
	char *addr = folio_at(p->r, i);
	/* The frame behind the folio may be beyond the end of memory. */
	uint64_t flags[3] = { 0 };
	const char *why;
	char size[24];
	unsigned int k;
	int ret;

	ret = frames_at(p->pagemap, (uintptr_t)addr, nr, p->pfn);
	if (ret)
		return ret;
	for (k = 0; k < (nr > 1 ? ARRAY_SIZE(flags) : 1); k++)
		if (pread(p->kpageflags, &flags[k], sizeof(flags[k]),
			  (p->pfn[0] + k * nr / 2) * sizeof(flags[k])) < 0)
			return fail(errno, "/proc/kpageflags: %s",
				    strerror(errno));
	why = mm_folio_check(p->pfn, flags, nr);
	if (why)
		return fail(EPROTO, "folio %" PRIu64 " of %" PRIu64 " is not %s: %s",
			    i, p->r->nr * (p->r->bytes / p->r->folio),
			    format_size(p->r->folio, size), why);
	p->folios++;
	return 0;
}

static int prove_leaf(struct proof *p, const char *addr)
{
	char got[24], want[24];
	uint64_t leaf;
	int ret;

	ret = mm_probe(p->prober, addr, &leaf);
	if (ret)
		return ret;
	if (leaf != p->want)
		return fail(EPROTO, "a %s leaf maps page %zu, not one of %s",
			    format_size(leaf, got),
			    (size_t)(addr - p->r->base) / mm_caps()->page,
			    format_size(p->want, want));
	p->leaves++;
	return 0;
}

/* Probes each leaf of the folio, or one page if all are base pages. */
static int prove_leaves(struct proof *p, uint64_t i)
{
	uint64_t off;
	int ret = 0;

	for (off = 0; off < p->r->folio && !ret; off += p->want) {
		ret = prove_leaf(p, folio_at(p->r, i) + off);
		if (p->want == mm_caps()->page)
			break;
	}
	return ret;
}

static int prove_all(struct proof *p)
{
	const struct mm_region *r = p->r;
	uint64_t page = mm_caps()->page, total = r->nr * (r->bytes / r->folio);
	uint64_t most, by, i;
	int ret = 0;

	most = PROOF_PAGES * page / r->folio;
	by = most && most < total ? (total + most - 1) / most : 1;
	for (i = 0; i < total && !ret; i += by)
		ret = prove_folio(p, i);
	if (!p->want)
		return ret;
	/*
	 * A folio smaller than a contpte block can only be mapped by base
	 * pages. A few probes are enough to confirm that.
	 */
	most = p->want == page ? PROOF_BASE :
				 PROOF_LEAVES / (r->folio / p->want);
	if (!most)
		most = 1;
	by = most < total ? (total + most - 1) / most : 1;
	for (i = 0; i < total && !ret; i += by)
		ret = prove_leaves(p, i);
	return ret;
}

int mm_prove(struct bench_ctx *ctx, const struct mm_region *r, uint64_t leaf)
{
	uint64_t nr = r->folio / mm_caps()->page;
	uint64_t total = r->nr * (r->bytes / r->folio);
	struct proof p = { .ctx = ctx, .r = r, .want = leaf };
	int ret = 0;

	p.pagemap = open_proc("/proc/self/pagemap");
	p.kpageflags = p.pagemap < 0 ? -1 : open_proc("/proc/kpageflags");
	p.prober = p.kpageflags < 0 ? NULL : mm_prober_open();
	p.pfn = xcalloc(nr, sizeof(*p.pfn));
	if (!p.prober)
		ret = fail_prefix(-EPROTO, "not proved");
	else
		ret = prove_all(&p);
	if (!ret) {
		json_object_set_new(ctx->proof, "folio_bytes",
				    json_integer(r->folio));
		json_object_set_new(ctx->proof, "folios_checked",
				    json_integer(p.folios));
		if (leaf) {
			json_object_set_new(ctx->proof, "leaf_bytes",
					    json_integer(leaf));
			json_object_set_new(ctx->proof, "leaves_checked",
					    json_integer(p.leaves));
		}
		if (p.folios < total)
			json_object_set_new(ctx->proof, "folios_total",
					    json_integer(total));
	}
	mm_prober_close(p.prober);
	free(p.pfn);
	if (p.pagemap >= 0)
		close(p.pagemap);
	if (p.kpageflags >= 0)
		close(p.kpageflags);
	return ret;
}
