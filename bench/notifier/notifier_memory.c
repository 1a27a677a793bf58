// SPDX-License-Identifier: GPL-2.0
/*
 * See notifier.h. Finds and fills the pages of a point, and checks what the
 * guest and KVM report about them.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/notifier/notifier.h"
#include "lib/util.h"

#ifndef MADV_COLD
#define MADV_COLD		20
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000
#endif

/* KVM statistics that show something of an operation. */
static const struct {
	const char *stat, *metric;
	bool gauge;		/* count how much the value fell */
} stats[] = {
	{ "exits", "kvm_exits", false },
	{ "pf_fixed", "kvm_stage2_faults", false },
	{ "pages_4k", "kvm_stage2_gone.4k", true },
	{ "pages_2m", "kvm_stage2_gone.2m", true },
};

_Static_assert(ARRAY_SIZE(stats) == ARRAY_SIZE(((struct notifier *)0)->stat),
	       "struct notifier has room for each statistic");

/* --- where things are --- */

char *nt_call_at(const struct notifier *nt, uint64_t i)
{
	return mm_region_at(&nt->r, i * nt->maps);
}

char *nt_call_to(const struct notifier *nt, uint64_t i)
{
	return mm_region_at(&nt->r, i * nt->maps + 1);
}

size_t nt_call_bytes(const struct notifier *nt)
{
	return nt->per_map * nt->step;
}

char *nt_page_at(const struct notifier *nt, uint64_t v)
{
	uint64_t call = v / nt->per_map;

	return (nt->moved ? nt_call_to(nt, call) : nt_call_at(nt, call)) +
	       v % nt->per_map * nt->step;
}

/* Returns where the page was before the operation. */
static char *page_was_at(const struct notifier *nt, uint64_t v)
{
	return nt_call_at(nt, v / nt->per_map) + v % nt->per_map * nt->step;
}

static uint64_t pattern(const struct notifier *nt, uint64_t v)
{
	/*
	 * Equal in all pages of a batch, but different from any earlier batch,
	 * because ksmd remembers what an address held.
	 */
	return MM_PATTERN(nt->alike ? (void *)(nt->serial << 8) :
				      page_was_at(nt, v));
}

uint32_t nt_host_word(const struct bench_ctx *ctx, uint64_t v)
{
	const struct notifier *nt = nt_of(ctx);

	return nt->value + v;
}

/* --- pages --- */

static int open_pagemap(void)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? fail(errno, "/proc/self/pagemap: %s", strerror(errno)) :
			fd;
}

int nt_pages_now(const struct notifier *nt, uint64_t *entry)
{
	uint64_t page = mm_caps()->page, v, n;
	int fd = open_pagemap();
	int ret = 0;

	if (fd < 0)
		return fd;
	for (v = 0; v < nt->visits && !ret; v += n) {
		/* read consecutive pages of a mapping at once */
		n = nt->step == page ?
			nt_min(nt->per_map - v % nt->per_map, nt->visits - v) : 1;
		if (pread(fd, entry + v, n * sizeof(*entry),
			  (uintptr_t)nt_page_at(nt, v) / page * sizeof(*entry)) !=
		    (ssize_t)(n * sizeof(*entry)))
			ret = fail(EIO, "/proc/self/pagemap: short read");
	}
	close(fd);
	return ret;
}

static uint64_t pfn_of(uint64_t entry)
{
	return entry & PM_PRESENT ? entry & PM_PFN : 0;
}

static int compare_frames(struct bench_ctx *ctx, bool same)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t v;

	for (v = 0; v < nt->visits; v++) {
		uint64_t was = pfn_of(nt->before[v]), is = pfn_of(nt->after[v]);

		if (!is)
			return fail(EPROTO, "page %" PRIu64 " is no longer present",
				    v);
		if ((was == is) != same)
			return fail(EPROTO, "page %" PRIu64 " %s", v, same ?
				    "was replaced by another" :
				    "was not replaced");
	}
	json_object_set_new(ctx->proof, same ? "pages_in_place" :
					       "pages_replaced",
			    json_integer(nt->visits));
	return 0;
}

int nt_same_frames(struct bench_ctx *ctx)
{
	return compare_frames(ctx, true);
}

int nt_other_frames(struct bench_ctx *ctx)
{
	return compare_frames(ctx, false);
}

int nt_none_present(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t v;

	for (v = 0; v < nt->visits; v++)
		if (nt->after[v] & (PM_PRESENT | PM_SWAPPED))
			return fail(EPROTO, "page %" PRIu64 " is still present",
				    v);
	json_object_set_new(ctx->proof, "pages_gone",
			    json_integer(nt->visits));
	return 0;
}

int nt_writable(const struct notifier *nt, uint64_t i, bool *can)
{
	static int zero = -1;
	ssize_t n;

	/*
	 * The kernel writes on behalf of this process, and reports a fault
	 * instead of sending a signal.
	 */
	if (zero < 0)
		zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	n = read(zero, nt_call_at(nt, i) + WORD_SCRATCH, 1);
	if (n != 1 && errno != EFAULT)
		return fail(errno, "/dev/zero: %s", strerror(errno));
	*can = n == 1;
	return 0;
}

int nt_drain_lru(void)
{
	static void *page;

	if (!page)
		page = mmap(NULL, mm_caps()->page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || madvise(page, mm_caps()->page, MADV_COLD))
		return fail(errno, "MADV_COLD: %s", strerror(errno));
	return 0;
}

int nt_fresh_folios(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	int ret;

	/*
	 * A PMD that was split has a page table, and no fault replaces it by a
	 * leaf. Unmapping removes it.
	 */
	if (nt_is_pmd(ctx) && !nt_is_hugetlb(ctx))
		return nt_fresh_mappings(ctx);
	ret = mm_region_drop(&nt->r);
	return ret ? ret : mm_region_populate(&nt->r);
}

/*
 * Checks that each folio is whole. This is quick; mm_prove() is more thorough,
 * but does not run in every batch.
 */
int nt_folios_whole(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t by = nt->r.folio / nt->step, in, v = 0;
	uint64_t flags[2];
	int fd;

	if (nt->r.folio == mm_caps()->page)
		return 0;
	fd = open("/proc/kpageflags", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail(EPROTO, "not proved: /proc/kpageflags: %s",
			    strerror(errno));
	while (v < nt->visits) {
		uint64_t pfn = nt->before[v] & PM_PFN;

		if (!(nt->before[v] & PM_PRESENT) ||
		    pread(fd, flags, sizeof(flags), pfn * sizeof(*flags)) !=
		    sizeof(flags) || !(flags[0] & MM_KPF_HEAD) ||
		    !(flags[1] & MM_KPF_TAIL))
			break;
		/* continue with the next folio or mapping */
		in = v % nt->per_map;
		v += in + by < nt->per_map ? by : nt->per_map - in;
	}
	close(fd);
	return v < nt->visits ?
		fail(EPROTO, "page %" PRIu64 " is no longer the first of a large folio",
		     v) : 0;
}

int nt_fresh_mappings(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	bool huge = nt->r.folio > mm_caps()->page;
	unsigned int i;

	for (i = 0; i < nt->r.nr; i++) {
		char *at = mm_region_at(&nt->r, i);
		unsigned char there;
		void *p;

		if (mincore(at, 1, &there) && errno == ENOMEM) {
			/*
			 * Fill a hole. This can't replace another mapping,
			 * because each address was checked before.
			 */
			p = mmap(at, nt_call_bytes(nt), PROT_NONE, MAP_PRIVATE |
				 MAP_ANONYMOUS | MAP_NORESERVE |
				 MAP_FIXED_NOREPLACE, -1, 0);
			if (p != at)
				return fail(EBUSY, "something else was mapped where a mapping was removed");
		}
		p = mmap(at, nt->r.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE |
			 MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
		if (p == MAP_FAILED)
			return fail(errno, "mmap of %" PRIu64 " bytes: %s",
				    nt->r.bytes, strerror(errno));
		if (madvise(at, nt->r.bytes,
			    huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) && huge)
			return fail(errno, "MADV_HUGEPAGE: %s",
				    strerror(errno));
	}
	return mm_region_populate(&nt->r);
}

/* Also writes the second mapping of each call, if there is one. */
void nt_write_patterns(struct notifier *nt)
{
	uint64_t v;

	for (v = 0; v < nt->visits; v++)
		*(uint64_t *)(page_was_at(nt, v) + WORD_PATTERN) =
			pattern(nt, v);
}

/* --- the guest --- */

int nt_list_pages(struct notifier *nt)
{
	return vm_list_spans(nt->vm, nt->visits * nt->sub,
			     nt->per_map * nt->sub, nt->step / nt->sub,
			     nt->moved ? nt->r.stride : 0,
			     nt->r.stride * nt->maps);
}

static uint32_t expected(struct bench_ctx *ctx,
			 uint32_t (*word)(const struct bench_ctx *, uint64_t))
{
	const struct notifier *nt = nt_of(ctx);
	uint32_t sum = 0;
	uint64_t v;

	/* The rest of a step is all zeroes. */
	for (v = 0; v < nt->visits; v++)
		sum += word ? word(ctx, v) : (uint32_t)pattern(nt, v);
	return sum;
}

static int check_sum(struct bench_ctx *ctx, uint32_t sum,
		     uint32_t (*word)(const struct bench_ctx *, uint64_t))
{
	uint32_t want = expected(ctx, word);

	if (sum != want)
		return fail(EPROTO, "the guest read a sum of %#x, not %#x", sum,
			    want);
	return 0;
}

int nt_guest_reads(struct bench_ctx *ctx, unsigned int offset,
		   uint32_t (*word)(const struct bench_ctx *ctx, uint64_t v))
{
	struct notifier *nt = nt_of(ctx);
	uint32_t sum;
	int ret;

	if (!nt->vm)
		return 0;
	ret = vm_read_pass(nt->vm, offset, &sum);
	return ret ? ret : check_sum(ctx, sum, word);
}

/* Checks what the guest's timed pass has read or written. */
int nt_check_pass(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t v, i, page = nt->step / nt->sub;

	if (!nt->ran)
		return 0;
	nt->ran = false;
	if (!nt->guest_writes)
		return check_sum(ctx, nt->sum, nt_op(ctx)->word);
	for (v = 0; v < nt->visits; v++)
		for (i = 0; i < nt->sub; i++)
			if (*(uint32_t *)(nt_page_at(nt, v) + i * page +
					  WORD_GUEST) != nt->value)
				return fail(EPROTO, "page %" PRIu64 " lost the guest's write",
					    v * nt->sub + i);
	return 0;
}

/*
 * If KVM reports how many pages it has mapped, they must be at least as many as
 * the guest visited. Otherwise it emulates the guest, and is not a secondary
 * MMU.
 */
int nt_stage2_holds(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t small, large = 0, per = mm_caps()->pmd / mm_caps()->page;

	if (!nt->vm || !vm_stat(nt->vm, "pages_4k", &small))
		return 0;
	vm_stat(nt->vm, "pages_2m", &large);
	if (small + large * per < nt->visits)
		return fail(EPROTO, "KVM has mapped only %" PRIu64 " pages for a guest that accessed %"
			    PRIu64 ": it emulates the guest",
			    small + large * per, nt->visits);
	json_object_set_new(ctx->proof, "stage2_leaves.4k",
			    json_integer(small));
	json_object_set_new(ctx->proof, "stage2_leaves.2m",
			    json_integer(large));
	return 0;
}

void nt_stats_take(struct notifier *nt)
{
	size_t i;

	for (i = 0; nt->vm && i < ARRAY_SIZE(stats); i++)
		nt->had_stat[i] = vm_stat(nt->vm, stats[i].stat, &nt->stat[i]);
}

void nt_stats_count(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	size_t i;

	for (i = 0; nt->vm && i < ARRAY_SIZE(stats); i++) {
		uint64_t now;
		int64_t d;

		if (!nt->had_stat[i] ||
		    !vm_stat(nt->vm, stats[i].stat, &now))
			continue;
		d = stats[i].gauge ? nt->stat[i] - now : now - nt->stat[i];
		bench_count(ctx, stats[i].metric, d > 0 ? d : 0);
	}
}
