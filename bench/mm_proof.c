// SPDX-License-Identifier: GPL-2.0
/*
 * Proofs about a region, see mm.h: the size of its folios from kpageflags,
 * and the size of the leaves that map them from perf.
 *
 * The leaf is read without touching the mapping: a hardware breakpoint on the
 * address, one load, and the sample that the kernel writes then carries
 * PERF_SAMPLE_DATA_PAGE_SIZE, which it finds by walking the page table. One
 * breakpoint is moved from address to address.
 */
#include "mm.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../lib/util.h"

/* linux/perf_event.h of older systems lacks it */
#define SAMPLE_DATA_PAGE_SIZE	(1U << 22)

#define PM_PRESENT	(1ULL << 63)
#define PM_PFN		((1ULL << 55) - 1)

/* --- frames and folios --- */

static int open_proc(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fail(errno, "%s: %s", path, strerror(errno)) : fd;
}

/* pagemap entries of @nr consecutive pages, as frame numbers. */
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

const char *mm_folio_check(const uint64_t *pfn, const uint64_t *flags,
			   size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		if (!pfn[i])
			return "a page of it is not mapped";
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
			"it lies within a larger folio" :
			"its first page is not part of a large folio";
	for (i = 1; i < nr; i++)
		if (!(flags[i] & MM_KPF_TAIL))
			return "the folio is smaller";
	return flags[nr] & MM_KPF_TAIL ? "the folio is larger" : NULL;
}

/* --- leaves --- */

struct mm_prober {
	int fd;
	struct perf_event_mmap_page *ring;
	size_t page;
	struct perf_event_attr attr;
};

unsigned int mm_samples(const void *ring, size_t size, uint64_t tail,
			uint64_t head, uint64_t *addr, uint64_t *page_size)
{
	const unsigned char *data = ring;
	unsigned char bytes[sizeof(struct perf_event_header) + 16];
	unsigned int nr = 0;

	while (head - tail >= sizeof(struct perf_event_header)) {
		struct perf_event_header h;
		size_t i, n;

		for (i = 0; i < sizeof(h); i++)
			bytes[i] = data[(tail + i) % size];
		memcpy(&h, bytes, sizeof(h));
		/* A size that can't be would go round for ever. */
		if (h.size < sizeof(h) || h.size > head - tail)
			break;
		if (h.type == PERF_RECORD_SAMPLE && h.size == sizeof(bytes)) {
			n = h.size;
			for (i = 0; i < n; i++)
				bytes[i] = data[(tail + i) % size];
			memcpy(addr, bytes + sizeof(h), 8);
			memcpy(page_size, bytes + sizeof(h) + 8, 8);
			nr++;
		}
		tail += h.size;
	}
	return nr;
}

static int why_no_probe(int err)
{
	const char *why = strerror(err);

	switch (err) {
	case EACCES:
	case EPERM:
		why = "not permitted: run as root or lower kernel.perf_event_paranoid to 2";
		break;
	case ENOSYS:
		why = "this kernel has no perf events";
		break;
	case EINVAL:
		why = "this kernel has no PERF_SAMPLE_DATA_PAGE_SIZE (5.11) or no breakpoints";
		break;
	case ENOSPC:
		why = "all hardware breakpoints are taken";
		break;
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		why = "this machine has no hardware breakpoints";
		break;
	}
	return fail(err, "the leaf size can't be proved: %s", why);
}

struct mm_prober *mm_prober_open(void)
{
	struct mm_prober *p = xcalloc(1, sizeof(*p));

	p->page = mm_caps()->page;
	p->attr = (struct perf_event_attr) {
		.type = PERF_TYPE_BREAKPOINT,
		.size = sizeof(p->attr),
		.bp_type = HW_BREAKPOINT_RW,
		.bp_addr = (uintptr_t)p,
		.bp_len = HW_BREAKPOINT_LEN_1,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR | SAMPLE_DATA_PAGE_SIZE,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.disabled = 1,
	};
	p->fd = syscall(SYS_perf_event_open, &p->attr, 0, -1, -1,
			PERF_FLAG_FD_CLOEXEC);
	if (p->fd < 0) {
		why_no_probe(errno);
		free(p);
		return NULL;
	}
	p->ring = mmap(NULL, 2 * p->page, PROT_READ | PROT_WRITE, MAP_SHARED,
		       p->fd, 0);
	if (p->ring == MAP_FAILED) {
		fail(errno, "the leaf size can't be proved: perf ring: %s",
		     strerror(errno));
		close(p->fd);
		free(p);
		return NULL;
	}
	p->attr.disabled = 0;
	return p;
}

int mm_probe(struct mm_prober *p, const void *addr, uint64_t *leaf)
{
	uint64_t tail = p->ring->data_tail, head, at = 0;
	unsigned int nr;

	p->attr.bp_addr = (uintptr_t)addr;
	if (ioctl(p->fd, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &p->attr) ||
	    ioctl(p->fd, PERF_EVENT_IOC_ENABLE, 0))
		return fail(errno, "can't move a breakpoint: %s",
			    strerror(errno));
	*(volatile const char *)addr;
	ioctl(p->fd, PERF_EVENT_IOC_DISABLE, 0);
	head = __atomic_load_n(&p->ring->data_head, __ATOMIC_ACQUIRE);
	nr = mm_samples((char *)p->ring + p->page, p->page, tail, head, &at,
			leaf);
	__atomic_store_n(&p->ring->data_tail, head, __ATOMIC_RELEASE);
	if (nr != 1 || at != (uintptr_t)addr || !*leaf)
		return fail(EPROTO, "the leaf at %p gave %u samples%s", addr,
			    nr, nr ? ", of another address or without a size" : "");
	return 0;
}

void mm_prober_close(struct mm_prober *p)
{
	if (!p)
		return;
	munmap(p->ring, 2 * p->page);
	close(p->fd);
	free(p);
}

/* --- a whole region --- */

/* What a proof may cost: pages whose flags are read, and leaves probed. */
#define PROOF_PAGES	16384
#define PROOF_LEAVES	256
/* Leaves to probe where none but base pages is possible. */
#define PROOF_BASE	8

struct proof {
	struct bench_ctx *ctx;
	const struct mm_region *r;
	uint64_t want;		/* bytes of a leaf; 0: don't look */
	uint64_t folios, leaves;
	int pagemap, kpageflags;
	struct mm_prober *prober;
	uint64_t *pfn, *flags;	/* of one folio */
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
	const char *why;
	char size[24];
	ssize_t n;
	int ret;

	ret = frames_at(p->pagemap, (uintptr_t)addr, nr, p->pfn);
	if (ret)
		return ret;
	/* The frame behind the folio may be beyond the end of memory. */
	memset(p->flags, 0, (nr + 1) * sizeof(*p->flags));
	n = pread(p->kpageflags, p->flags, (nr + 1) * sizeof(*p->flags),
		  p->pfn[0] * sizeof(*p->flags));
	if (n < 0)
		return fail(errno, "/proc/kpageflags: %s", strerror(errno));
	why = mm_folio_check(p->pfn, p->flags, nr);
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

/* One probe in each leaf of the folio, or of one page if all are. */
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
	 * pages; a few probes are enough to see that the prober agrees.
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
	p.flags = xcalloc(nr + 1, sizeof(*p.flags));
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
	free(p.flags);
	if (p.pagemap >= 0)
		close(p.pagemap);
	if (p.kpageflags >= 0)
		close(p.kpageflags);
	return ret;
}
