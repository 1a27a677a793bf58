// SPDX-License-Identifier: GPL-2.0
/* See mm.h: settings and regions. See mm_proof.c and mm_fork.c for the rest. */
#include "bench/kit/mm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/util.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ	22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE	23
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP	4
#endif

static uint64_t round_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

static unsigned int order_of(const struct mm_caps *caps, uint64_t bytes)
{
	return __builtin_ctzll(bytes / caps->page);
}

/* --- settings --- */

/* Notes the order of one hugepages-<k>kB folder if @file is in it. */
static uint32_t size_dir(const struct mm_caps *caps, const char *dir,
			 const char *file)
{
	unsigned long kib;
	char path[512];

	if (sscanf(dir, "hugepages-%lukB", &kib) != 1 ||
	    kib * KIB < caps->page || (kib & (kib - 1)))
		return 0;
	snprintf(path, sizeof(path), MM_THP_DIR "/%s/%s", dir, file);
	return access(path, F_OK) ? 0 : 1U << order_of(caps, kib * KIB);
}

const struct mm_caps *mm_caps(void)
{
	static struct mm_caps caps;
	struct dirent *e;
	char *text;
	DIR *d;

	if (caps.page)
		return &caps;
	caps.page = sysconf(_SC_PAGESIZE);
#ifdef __aarch64__
	caps.contpte = true;
#endif
	d = opendir(MM_THP_DIR);
	if (!d)
		return &caps;
	/* hpage_pmd_size, since 4.8, has the size that a PMD maps. */
	text = read_line(MM_THP_DIR "/hpage_pmd_size");
	if (!text || parse_u64(text, &caps.pmd))
		caps.pmd = 0;
	free(text);
	caps.shmem_enabled = !access(MM_THP_DIR "/shmem_enabled", F_OK);
	while ((e = readdir(d))) {
		caps.anon_orders |= size_dir(&caps, e->d_name, "enabled");
		caps.shmem_orders |= size_dir(&caps, e->d_name,
					      "shmem_enabled");
	}
	closedir(d);
	return &caps;
}

const char *mm_folio_refused(const struct mm_caps *caps,
			     enum mm_backing backing, uint64_t folio)
{
	static __thread char why[160];
	uint32_t orders = backing == MM_ANON ? caps->anon_orders :
					       caps->shmem_orders;
	bool top = backing == MM_ANON ? caps->pmd : caps->shmem_enabled;
	char have[24], want[24];

	format_size(folio, want);
	if (folio < caps->page) {
		snprintf(why, sizeof(why), "this kernel's pages are %s, so there is no folio of %s",
			 format_size(caps->page, have), want);
		return why;
	}
	if (folio == caps->page)
		return NULL;
	if (!caps->pmd)
		return "this kernel has no transparent huge pages, only base pages";
	if (folio > caps->pmd) {
		snprintf(why, sizeof(why), "%s is more than the %s that a PMD maps",
			 want, format_size(caps->pmd, have));
		return why;
	}
	if (backing == MM_ANON && folio == 2 * caps->page) {
		snprintf(why, sizeof(why), "%s is two pages: the kernel has no anonymous folios of order 1",
			 want);
		return why;
	}
	if (orders & (1U << order_of(caps, folio)))
		return NULL;
	/* Before mTHP there was a single switch, for the PMD size. */
	if (folio == caps->pmd && !orders && top)
		return NULL;
	snprintf(why, sizeof(why), "this kernel has no %s folios %s: there is no hugepages-%" PRIu64 "kB/%s",
		 want, backing == MM_ANON ? "of anonymous memory" : "in a memfd",
		 folio / KIB, backing == MM_ANON ? "enabled" : "shmem_enabled");
	return why;
}

size_t mm_plan(const struct mm_caps *caps, enum mm_backing backing,
	       uint64_t folio, struct mm_setting plan[MM_PLAN_MAX])
{
	uint32_t orders = backing == MM_ANON ? caps->anon_orders :
					       caps->shmem_orders;
	const char *file = backing == MM_ANON ? "enabled" : "shmem_enabled";
	/* shmem_enabled has another name for the same value. */
	const char *ours = backing == MM_ANON ? "madvise" : "advise";
	unsigned int order;
	size_t nr = 0;

	if (folio == caps->page || !caps->pmd)
		return 0;
	for (order = 1; order < 32; order++) {
		if (!(orders & (1U << order)))
			continue;
		snprintf(plan[nr].path, sizeof(plan[nr].path),
			 "hugepages-%" PRIu64 "kB/%s",
			 (caps->page << order) / KIB, file);
		plan[nr++].value = caps->page << order == folio ? ours :
								  "never";
	}
	if (backing == MM_SHMEM || !orders) {
		/*
		 * For shmem, "deny" and "force" override the sizes. For
		 * anonymous memory the sizes do not need the top level.
		 */
		strcpy(plan[nr].path, file);
		plan[nr++].value = orders ? "never" : ours;
	}
	if (backing == MM_ANON) {
		/* Allocations should compact rather than fail. */
		strcpy(plan[nr].path, "defrag");
		plan[nr++].value = "madvise";
	}
	if (folio == caps->pmd) {
		/*
		 * khugepaged runs as long as a PMD size is enabled. Keep it
		 * from collapsing anything.
		 */
		strcpy(plan[nr].path, "khugepaged/max_ptes_none");
		plan[nr++].value = "0";
	}
	return nr;
}

/* Returns a setting of the plan that has another value and can't be changed. */
static const char *stuck_setting(enum mm_backing backing, uint64_t folio)
{
	static __thread char why[256];
	struct mm_setting plan[MM_PLAN_MAX];
	size_t nr = mm_plan(mm_caps(), backing, folio, plan), i;
	const char *stuck = NULL;

	for (i = 0; i < nr && !stuck; i++) {
		char *path = xasprintf(MM_THP_DIR "/%s", plan[i].path);
		char *now = setting_read(path);

		if (now && strcmp(now, plan[i].value) && access(path, W_OK)) {
			snprintf(why, sizeof(why), "%s is %s, must be %s, and can't be written: %s",
				 path, now, plan[i].value, strerror(errno));
			stuck = why;
		}
		free(now);
		free(path);
	}
	return stuck;
}

const char *mm_proof_unavailable(const char **how)
{
	static __thread char why[512];
	static const char *by;
	struct mm_prober *p;
	uint64_t pfn = 0;

	if (how)
		*how = by;
	if (by)
		return NULL;
	why[0] = '\0';	/* faults in the page whose frame is read below */
	if (!readable("/proc/kpageflags"))
		return "no /proc/kpageflags: the size of a folio can't be proved (needs root and CONFIG_PROC_PAGE_MONITOR)";
	if (mm_frames((char *)((uintptr_t)why & -mm_caps()->page),
		      mm_caps()->page, 1, &pfn) || !pfn)
		return "/proc/self/pagemap hides frame numbers: the size of a folio can't be proved (needs CAP_SYS_ADMIN)";
	p = mm_prober_open();
	if (!p) {
		snprintf(why, sizeof(why), "%s", fail_text());
		return why;
	}
	by = mm_prober_how(p);
	mm_prober_close(p);
	if (how)
		*how = by;
	return NULL;
}

const char *mm_folio_unavailable(enum mm_backing backing, uint64_t folio)
{
	const char *why = mm_proof_unavailable(NULL);

	if (!why)
		why = mm_folio_refused(mm_caps(), backing, folio);
	if (why || folio == mm_caps()->page)
		return why;
	if (prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) > 0)
		return "huge pages are disabled for this process (PR_SET_THP_DISABLE)";
	return stuck_setting(backing, folio);
}

uint64_t mm_leaf_expected(const struct mm_caps *caps, uint64_t folio)
{
	if (folio == caps->pmd)
		return folio;
	/* Arm ARM, D8.7: 16 entries of 4K, 128 of 16K, 32 of 64K */
	if (caps->contpte && folio >= (caps->page == 4 * KIB ? 64 * KIB : 2 * MIB))
		return caps->page == 4 * KIB ? 64 * KIB : 2 * MIB;
	return caps->page;
}

/* Returns the number in the file, or UINT64_MAX for "max" or no file. */
static uint64_t limit_in(const char *dir, const char *file)
{
	char *text = read_line("%s/%s", dir, file);
	uint64_t v;

	if (!text || parse_u64(text, &v))
		v = UINT64_MAX;
	free(text);
	return v;
}

/*
 * Returns how much memory the cgroups allow this process; beyond that it would
 * be killed, however much the machine has. In a container, where the path
 * differs from the one outside, the process's group is the root.
 */
static uint64_t cgroup_limit(void)
{
	char *text = read_file("/proc/self/cgroup", NULL), *line, *next, *slash;
	uint64_t least = UINT64_MAX, v;
	const char *root, *file;
	char dir[512];

	for (line = text; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (!strncmp(line, "0::", 3)) {
			root = "/sys/fs/cgroup";
			file = "memory.max";
		} else if (strstr(line, ":memory:")) {
			root = "/sys/fs/cgroup/memory";
			file = "memory.limit_in_bytes";
		} else {
			continue;
		}
		snprintf(dir, sizeof(dir), "%s%s", root,
			 strchr(strchr(line, ':') + 1, ':') + 1);
		while (strlen(dir) >= strlen(root)) {
			v = limit_in(dir, file);
			if (v < least)
				least = v;
			slash = strrchr(dir, '/');
			*slash = '\0';
		}
	}
	free(text);
	return least;
}

uint64_t mm_budget(void)
{
	char *text = read_file("/proc/meminfo", NULL), *p;
	uint64_t bytes = 0, limit = cgroup_limit();

	p = text ? strstr(text, "MemAvailable:") : NULL;
	if (p)
		bytes = strtoull(p + strlen("MemAvailable:"), NULL, 10) * KIB;
	free(text);
	if (!bytes)
		return 64 * MIB;
	/* Leave the rest for the page cache and other processes. */
	return (bytes < limit ? bytes : limit) / 4;
}

int mm_hold_frames(uint64_t seed)
{
	/*
	 * 7 is odd, so 16 consecutive seeds give 16 different alignments of
	 * base pages. 37 is odd, too, and does the same for contpte folios.
	 */
	uint64_t bytes = (seed * 7 % 64 + seed * 37 % 64 * 64) *
			 mm_caps()->page;
	int fd, err;

	if (!bytes)
		return 0;
	/* Page cache without a mapping is not met by a walk of this mm. */
	fd = memfd_create("ptelab-held", MFD_CLOEXEC);
	if (fd < 0)
		return fail(errno, "memfd_create: %s", strerror(errno));
	err = posix_fallocate(fd, 0, bytes);
	if (err) {
		close(fd);
		return fail(err, "%" PRIu64 " bytes of page cache: %s", bytes,
			    strerror(err));
	}
	return 0;	/* the file stays open on purpose */
}

/* --- regions --- */

static int apply(enum mm_backing backing, uint64_t folio)
{
	struct mm_setting plan[MM_PLAN_MAX];
	size_t nr = mm_plan(mm_caps(), backing, folio, plan), i;
	int ret;

	for (i = 0; i < nr; i++) {
		char *path = xasprintf(MM_THP_DIR "/%s", plan[i].path);

		ret = journal_set(path, plan[i].value);
		free(path);
		/* If a kernel lacks this setting, the proof will show it. */
		if (ret && ret != -ENOENT)
			return ret;
	}
	return 0;
}

/* Creates one fresh mapping at @at. */
static int map_one(const struct mm_region *r, char *at)
{
	int flags = MAP_FIXED | MAP_NORESERVE;
	bool huge = r->folio > mm_caps()->page;
	void *p;

	if (r->backing == MM_ANON)
		flags |= MAP_PRIVATE | MAP_ANONYMOUS;
	else
		flags |= r->shared ? MAP_SHARED : MAP_PRIVATE;
	p = mmap(at, r->bytes, PROT_READ | PROT_WRITE, flags, r->fd, 0);
	if (p == MAP_FAILED)
		return fail(errno, "mmap of %" PRIu64 " bytes: %s", r->bytes,
			    strerror(errno));
	/* A kernel without huge pages does not have this advice either. */
	if (madvise(p, r->bytes, huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) &&
	    huge)
		return fail(errno, "MADV_HUGEPAGE: %s", strerror(errno));
	return 0;
}

static int populate_one(const struct mm_region *r, char *at)
{
	uint64_t off;

	/* One system call costs less than a fault per folio. */
	if (!madvise(at, r->bytes, MADV_POPULATE_WRITE))
		return 0;
	if (errno == ENOMEM)
		return fail(ENOMEM, "not enough memory for %" PRIu64 " bytes",
			    r->bytes);
	for (off = 0; off < r->bytes; off += mm_caps()->page)
		*(volatile char *)(at + off) = 0;
	return 0;
}

/* Fills the page cache; shmem_enabled wants a mapping with advice for it. */
static int open_memfd(struct mm_region *r)
{
	int ret;

	r->fd = memfd_create("ptelab", MFD_CLOEXEC);
	if (r->fd < 0)
		return fail(errno, "memfd_create: %s", strerror(errno));
	if (ftruncate(r->fd, r->bytes))
		return fail(errno, "memfd of %" PRIu64 " bytes: %s", r->bytes,
			    strerror(errno));
	r->shared = true;
	ret = map_one(r, r->base);
	return ret ? ret : populate_one(r, r->base);
}

int mm_region_open(struct mm_region *r, enum mm_backing backing, bool shared,
		   uint64_t folio, unsigned int nr, uint64_t bytes)
{
	/* Also without huge pages: page tables must not be shared. */
	uint64_t align = mm_caps()->pmd ? mm_caps()->pmd : 2 * MIB;
	unsigned int i;
	void *p;
	int ret;

	memset(r, 0, sizeof(*r));
	r->fd = -1;
	ret = apply(backing, folio);
	if (ret)
		return ret;
	r->backing = backing;
	r->folio = folio;
	r->nr = nr;
	r->bytes = round_up(bytes, folio);
	/* A hole behind each mapping separates them. */
	r->stride = round_up(r->bytes + mm_caps()->page, align);
	r->map_bytes = (nr + 1) * r->stride + align;
	p = mmap(NULL, r->map_bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return fail(errno, "mmap of %" PRIu64 " bytes: %s",
			    r->map_bytes, strerror(errno));
	r->map = p;
	r->base = (char *)round_up((uintptr_t)p, align);
	r->spare = mm_region_at(r, nr);
	if (backing == MM_SHMEM) {
		ret = open_memfd(r);
		r->shared = shared;
	}
	for (i = 0; i < nr && !ret; i++)
		ret = map_one(r, mm_region_at(r, i));
	if (ret)
		mm_region_close(r);
	return ret;
}

int mm_region_populate(struct mm_region *r)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < r->nr && !ret; i++)
		ret = populate_one(r, mm_region_at(r, i));
	return ret;
}

int mm_region_drop(struct mm_region *r)
{
	unsigned int i;

	for (i = 0; i < r->nr; i++)
		if (madvise(mm_region_at(r, i), r->bytes, MADV_DONTNEED))
			return fail(errno, "MADV_DONTNEED: %s",
				    strerror(errno));
	return 0;
}

int mm_region_remap(struct mm_region *r)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < r->nr && !ret; i++)
		ret = map_one(r, mm_region_at(r, i));
	return ret;
}

int mm_region_renew(struct mm_region *r)
{
	unsigned int i;
	int ret;

	for (i = 0; i < r->nr; i++) {
		ret = map_one(r, r->spare);
		if (!ret)
			ret = populate_one(r, r->spare);
		if (ret)
			return ret;
		/* Keep the old range mapped, or malloc might use it. */
		if (mremap(r->spare, r->bytes, r->bytes, MREMAP_MAYMOVE |
			   MREMAP_FIXED | MREMAP_DONTUNMAP,
			   mm_region_at(r, i)) == MAP_FAILED)
			return fail(errno, "mremap: %s", strerror(errno));
	}
	return 0;
}

int mm_region_view(const struct mm_region *r, struct mm_region *view)
{
	uint64_t off;
	int ret;

	*view = *r;
	view->base = r->spare;
	view->nr = 1;
	view->shared = true;
	ret = map_one(view, view->base);
	if (ret || !madvise(view->base, view->bytes, MADV_POPULATE_READ))
		return ret;
	for (off = 0; off < view->bytes; off += mm_caps()->page)
		*(volatile char *)(view->base + off);
	return 0;
}

void mm_region_close(struct mm_region *r)
{
	if (r->map)
		munmap(r->map, r->map_bytes);
	if (r->map && r->fd >= 0)
		close(r->fd);
	memset(r, 0, sizeof(*r));
	r->fd = -1;
}
