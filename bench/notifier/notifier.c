// SPDX-License-Identifier: GPL-2.0
/*
 * notifier: operations that change page tables which somebody else follows,
 * and what it costs to tell them: nobody (the mm has no subscriptions), the
 * module's shadow TLB, or a VM that has every page mapped in stage 2. And what
 * the VM's guest then pays when it comes by again.
 *
 * What all benchmarks of the family have in common, see notifier.h.
 */
#include "bench/notifier/notifier.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/kit/sources.h"
#include "lib/util.h"

#ifndef MADV_COLD
#define MADV_COLD		20
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE	0x100000
#endif

/* What a batch should cost in instructions, give or take. */
#define BATCH_COST	200000
/*
 * Pages that the guest visits by default, where it may find them mapped, and
 * where it surely does not. It needs 9 instructions for one that is mapped, and
 * what the runner adds to a batch should be less than 1 %.
 */
#define BATCH_VISITS		2048
#define BATCH_FAULTS		256	/* a tick comes every thousand or so */
/* Huge leaves, so that entering the guest once is little of each. */
#define BATCH_LEAVES		16
/* Memory of a default batch */
#define BATCH_BYTES	(64 * MIB)

const char *const notifier_secondary[] = {
	"none", "module", "kvm", "kvm+module", NULL
};
const char *const notifier_measure[] = { "op", "guest", NULL };
const char *const notifier_access[] = { "read", "write", NULL };
const char *const notifier_dir[] = { "down", "up", "roundtrip", NULL };

/* KVM's own statistics, as far as they tell something of an operation. */
static const struct {
	const char *stat, *metric;
	bool gauge;		/* what is counted is by how much it fell */
} stats[] = {
	{ "exits", "kvm_exits", false },
	{ "pf_fixed", "kvm_stage2_faults", false },
	{ "pages_4k", "kvm_stage2_gone.4k", true },
	{ "pages_2m", "kvm_stage2_gone.2m", true },
};

_Static_assert(ARRAY_SIZE(stats) == ARRAY_SIZE(((struct notifier *)0)->stat),
	       "struct notifier has room for each statistic");

/* --- parameters --- */

uint64_t nt_folio(const struct bench_ctx *ctx)
{
	return param_num(ctx, "folio");
}

uint64_t nt_pages(const struct bench_ctx *ctx)
{
	if (nt_op(ctx)->pmd_range)
		return mm_caps()->pmd / mm_caps()->page;
	if (param_has(ctx->bench, "pages"))
		return param_num(ctx, "pages");
	return nt_folio(ctx) / mm_caps()->page;
}

static bool has_module(const struct bench_ctx *ctx)
{
	return param_is(ctx, "secondary", "module") ||
	       param_is(ctx, "secondary", "kvm+module");
}

bool nt_has_vm(const struct bench_ctx *ctx)
{
	return param_is(ctx, "secondary", "kvm") ||
	       param_is(ctx, "secondary", "kvm+module");
}

bool nt_measures_guest(const struct bench_ctx *ctx)
{
	return param_is(ctx, "measure", "guest");
}

bool nt_is_pmd(const struct bench_ctx *ctx)
{
	return nt_folio(ctx) == mm_caps()->pmd;
}

static bool is_hugetlb(const struct bench_ctx *ctx)
{
	return param_has(ctx->bench, "backing") &&
	       param_is(ctx, "backing", "hugetlb");
}

/* From one visited page to the next: a leaf that is dealt with as a whole by
 * a benchmark that works page by page is one page to it. */
static uint64_t step_of(const struct bench_ctx *ctx)
{
	if (!nt_op(ctx)->maps && (nt_is_pmd(ctx) || is_hugetlb(ctx)))
		return nt_folio(ctx);
	return mm_caps()->page;
}

static uint64_t round_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

/* --- what can be had, and how much of it --- */

bool notifier_subscribes(const struct bench_ctx *ctx)
{
	return !param_is(ctx, "secondary", "none");
}

unsigned int notifier_events(const struct bench_ctx *ctx)
{
	return nt_has_vm(ctx) ? EVENTS_ALL : EVENTS_MM;
}

const char *notifier_unavailable(const struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	const char *why = NULL;

	if (nt_measures_guest(ctx) && !nt_has_vm(ctx))
		return "measure=guest needs a guest: secondary=kvm";
	if (nt_measures_guest(ctx) && op->gone)
		return "afterwards the guest has nothing there to go through";
	if (has_module(ctx))
		why = shadow_refused(ctx);
	if (!why && op->refused)
		why = op->refused(ctx);
	if (!why)
		why = is_hugetlb(ctx) ? mm_proof_unavailable(NULL) :
			mm_folio_unavailable(MM_ANON, nt_folio(ctx));
	if (!why && nt_has_vm(ctx))
		why = vm_unavailable();
	return why;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Pages of each step that the guest visits. It goes through the whole of a leaf
 * that is one step to the host, as its next pass over that memory would; for
 * the host's operation one access is enough to have the leaf mapped.
 */
static uint64_t sub_of(const struct bench_ctx *ctx)
{
	return nt_measures_guest(ctx) ? step_of(ctx) / mm_caps()->page : 1;
}

static uint64_t visits_of(const struct bench_ctx *ctx)
{
	/* One fault maps a whole leaf. */
	if (nt_is_pmd(ctx) || is_hugetlb(ctx))
		return BATCH_LEAVES * mm_caps()->pmd / mm_caps()->page;
	return nt_op(ctx)->may_keep ? BATCH_VISITS : BATCH_FAULTS;
}

/* The most calls that memory, the VM and the number of mappings allow. */
static uint64_t max_calls(const struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	uint64_t page = mm_caps()->page;
	uint64_t align = mm_caps()->pmd ? mm_caps()->pmd : 2 * MIB;
	uint64_t bytes = round_up(nt_pages(ctx) * page, nt_folio(ctx));
	uint64_t most;

	/* Each mapping has its own page table, and one of stage 2. */
	most = mm_budget() / op->maps / (bytes * (1 + op->extra) + 2 * page);
	/* Two VMAs a mapping; vm.max_map_count is 65530. */
	most = min(most, 16384 / op->maps);
	if (nt_has_vm(ctx))
		most = min(most, VM_MAX_BYTES /
			   (round_up(bytes + page, align) * op->maps));
	if (has_module(ctx))
		most = min(most, shadow_max_bytes() /
			   (round_up(bytes + page, align) * op->maps));
	if (op->max_calls)
		most = min(most, op->max_calls);
	return most;
}

static uint64_t cost_of(const struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	uint64_t leaves = op->maps ? nt_pages(ctx) : 1;

	if (op->cost)
		return op->cost(ctx);
	/* A PMD leaf is one entry to most of them. */
	if (nt_is_pmd(ctx) && leaves * mm_caps()->page >= mm_caps()->pmd)
		leaves = leaves * mm_caps()->page / mm_caps()->pmd;
	return op->call_cost + op->page_cost * leaves;
}

static void size_calls(const struct bench_ctx *ctx, uint64_t *def,
		       uint64_t *max)
{
	const struct notifier_op *op = nt_op(ctx);
	uint64_t pages = nt_pages(ctx), page = mm_caps()->page;
	uint64_t most = max_calls(ctx), calls;

	if (nt_measures_guest(ctx)) {
		calls = (visits_of(ctx) + pages - 1) / pages;
		*max = most * pages;
		*def = op->max_calls == 1 ? min(visits_of(ctx), pages) :
					    min(calls, most) * pages;
		return;
	}
	calls = min(BATCH_COST / cost_of(ctx) + 1,
		    BATCH_BYTES / round_up(pages * page, nt_folio(ctx)));
	*max = most;
	*def = min(calls ? calls : 1, most);
}

static void size_pages(const struct bench_ctx *ctx, uint64_t *def,
		       uint64_t *max)
{
	const struct notifier_op *op = nt_op(ctx);
	uint64_t step = step_of(ctx), n;

	*max = mm_budget() / (step * (1 + op->extra));
	if (nt_has_vm(ctx))
		*max = min(*max, (VM_MAX_BYTES - 4 * MIB) / step);
	if (has_module(ctx))
		*max = min(*max, (shadow_max_bytes() - 4 * MIB) / step);
	if (op->max_calls)
		*max = min(*max, op->max_calls);
	n = nt_measures_guest(ctx) ? visits_of(ctx) / sub_of(ctx) :
		BATCH_COST / cost_of(ctx) + 1;
	if (!n)
		n = 1;
	*def = min(min(n, BATCH_BYTES / step), *max);
}

void notifier_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	if (nt_op(ctx)->maps)
		size_calls(ctx, def, max);
	else
		size_pages(ctx, def, max);
	/* Too little memory for one is found out when it is asked for. */
	if (!*def)
		*def = 1;
	if (!*max)
		*max = 1;
}

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

/* As it was before the operation. */
static char *page_was_at(const struct notifier *nt, uint64_t v)
{
	return nt_call_at(nt, v / nt->per_map) + v % nt->per_map * nt->step;
}

static uint64_t pattern(const struct notifier *nt, uint64_t v)
{
	/* Alike in one batch, and like nothing that was ever there before:
	 * ksmd remembers what an address held. */
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
		/* consecutive pages of one mapping in one read */
		n = nt->step == page ?
			min(nt->per_map - v % nt->per_map, nt->visits - v) : 1;
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
			return fail(EPROTO, "page %" PRIu64 " is not there any more",
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
			return fail(EPROTO, "page %" PRIu64 " is still there",
				    v);
	json_object_set_new(ctx->proof, "pages_gone",
			    json_integer(nt->visits));
	return 0;
}

int nt_writable(const struct notifier *nt, uint64_t i, bool *can)
{
	static int zero = -1;
	ssize_t n;

	/* The kernel writes on behalf of this process, and reports a fault
	 * rather than send a signal. */
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

	/* A PMD that was split has a page table now, and no fault makes one
	 * leaf of it again: unmapping does away with it. */
	if (nt_is_pmd(ctx) && !is_hugetlb(ctx))
		return nt_fresh_mappings(ctx);
	ret = mm_region_drop(&nt->r);
	return ret ? ret : mm_region_populate(&nt->r);
}

/* Each folio is whole. Quick: mm_prove() looks closer, but not every time. */
static int folios_whole(struct bench_ctx *ctx)
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
		/* the next folio, or the start of the next mapping */
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
			/* A hole. It can't be filled by accident, as each is
			 * looked at before anything is put there. */
			p = mmap(at, nt_call_bytes(nt), PROT_NONE, MAP_PRIVATE |
				 MAP_ANONYMOUS | MAP_NORESERVE |
				 MAP_FIXED_NOREPLACE, -1, 0);
			if (p != at)
				return fail(EBUSY, "something else was mapped where a mapping had been taken away");
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

/* Also the second mapping of each call, where there are two. */
static void write_patterns(struct notifier *nt)
{
	uint64_t v;

	for (v = 0; v < nt->visits; v++)
		*(uint64_t *)(page_was_at(nt, v) + WORD_PATTERN) =
			pattern(nt, v);
}

/* --- the guest --- */

static int list_pages(struct notifier *nt)
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

	/* In the rest of a step there is nothing but zeroes. */
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

/* What the timed pass of the guest has seen, or left behind. */
static int check_pass(struct bench_ctx *ctx)
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
				return fail(EPROTO, "what the guest wrote to page %" PRIu64 " is not there",
					    v * nt->sub + i);
	return 0;
}

/*
 * Where KVM says how many pages it has mapped, there are at least as many as
 * the guest went through: else it emulates the guest, and is nobody's
 * secondary MMU.
 */
static int stage2_holds(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t small, large = 0, per = mm_caps()->pmd / mm_caps()->page;

	if (!nt->vm || !vm_stat(nt->vm, "pages_4k", &small))
		return 0;
	vm_stat(nt->vm, "pages_2m", &large);
	if (small + large * per < nt->visits)
		return fail(EPROTO, "KVM has mapped %" PRIu64 " pages for a guest that went through %" PRIu64 ": it emulates it",
			    small + large * per, nt->visits);
	json_object_set_new(ctx->proof, "stage2_leaves.4k",
			    json_integer(small));
	json_object_set_new(ctx->proof, "stage2_leaves.2m",
			    json_integer(large));
	return 0;
}

static void stats_take(struct notifier *nt)
{
	size_t i;

	for (i = 0; nt->vm && i < ARRAY_SIZE(stats); i++)
		nt->had_stat[i] = vm_stat(nt->vm, stats[i].stat, &nt->stat[i]);
}

static void stats_count(struct bench_ctx *ctx)
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

/* --- the course of a point --- */

int notifier_setup(struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	struct notifier *nt = xcalloc(1, sizeof(*nt));
	uint64_t pages = op->maps ? nt_pages(ctx) : ctx->ops;
	int ret = 0;

	ctx->priv = nt;
	nt->r.fd = -1;
	nt->fd = -1;
	nt->shadow = -1;
	nt->step = step_of(ctx);
	nt->sub = sub_of(ctx);
	nt->per_map = pages;
	nt->maps = op->maps ? op->maps : 1;
	nt->prove_due = true;
	nt->guest = nt_measures_guest(ctx);
	nt->guest_writes = param_has(ctx->bench, "guest") &&
			   param_is(ctx, "guest", "write");
	if (param_has(ctx->bench, "dir"))
		nt->dir = param_is(ctx, "dir", "down") ? DIR_DOWN :
			  param_is(ctx, "dir", "up") ? DIR_UP : DIR_ROUNDTRIP;
	if (!op->maps || nt->guest) {
		nt->visits = ctx->ops;
		nt->calls = op->maps ? (ctx->ops + pages - 1) / pages :
				       ctx->ops;
	} else {
		nt->calls = ctx->ops;
		nt->visits = nt->calls * pages;
	}
	nt->before = xcalloc(nt->visits, sizeof(*nt->before));
	nt->after = xcalloc(nt->visits, sizeof(*nt->after));
	if (!is_hugetlb(ctx))
		ret = mm_region_open(&nt->r, MM_ANON, false, nt_folio(ctx),
				     op->maps ? nt->calls * nt->maps : 1,
				     pages * nt->step);
	if (!ret && op->setup)
		ret = op->setup(ctx);
	if (!ret && has_module(ctx))
		ret = shadow_open(ctx);
	if (ret || !nt_has_vm(ctx))
		return ret;
	nt->vm = vm_new(nt->r.base, nt->r.nr * nt->r.stride,
			nt->visits * nt->sub);
	return nt->vm ? 0 : -errno;
}

/* vmstat around operations that are not timed. */
struct around {
	struct vmstat from, to;
};

static bool around_delta(const struct bench_deltas *d, const char *field,
			 int64_t *delta)
{
	const struct around *a = d->priv;

	return vmstat_delta(&a->from, &a->to, field, delta);
}

static int prove_op(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	const struct notifier_op *op = nt_op(ctx);
	struct notifier *nt = nt_of(ctx);
	int ret;

	ret = op->gone && !nt->moved ? 0 : nt_pages_now(nt, nt->after);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	return op->proof(ctx, d);
}

/* The host's operations, and their proof, before the guest's timed pass. */
static int operate(struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	struct notifier *nt = nt_of(ctx);
	struct faults before, after;
	struct around a = { 0 };
	struct bench_deltas d = {
		.operations = nt->calls,
		.vmstat = around_delta,
		.priv = &a,
	};
	int64_t done;
	int ret;

	ret = vmstat_take(&a.from);
	if (ret)
		goto out;
	faults_take(&before);
	done = op->host(ctx, nt->calls);
	faults_take(&after);
	if (done < 0) {
		ret = done;
		goto out;
	}
	ret = vmstat_take(&a.to);
	if (ret)
		goto out;
	d.minflt = after.minor - before.minor;
	d.majflt = after.major - before.major;
	ret = prove_op(ctx, &d);
out:
	vmstat_drop(&a.from);
	vmstat_drop(&a.to);
	return ret;
}

int notifier_prepare(struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	struct notifier *nt = nt_of(ctx);
	static uint64_t serial;
	bool due = nt->prove_due;
	int ret;

	ret = check_pass(ctx);
	if (ret)
		return ret;
	nt->batch++;
	nt->serial = ++serial;
	/* never 0, and never what the batch before left */
	nt->value = 0x10000000u + (nt->serial & 0xff) * 0x100000u;
	nt->moved = false;
	ret = op->fresh ? op->fresh(ctx) : nt_fresh_folios(ctx);
	if (ret)
		return ret;
	write_patterns(nt);
	if (due)
		ret = mm_prove(ctx, &nt->r, is_hugetlb(ctx) ? nt_folio(ctx) :
			       mm_leaf_expected(mm_caps(), nt_folio(ctx)));
	nt->prove_due = false;
	if (!ret)
		ret = nt_pages_now(nt, nt->before);
	if (!ret)
		ret = folios_whole(ctx);
	if (!ret && op->before)
		ret = op->before(ctx);
	if (!ret && nt->vm)
		ret = list_pages(nt);
	if (!ret)
		ret = nt_guest_reads(ctx, WORD_PATTERN, NULL);
	if (!ret && due)
		ret = stage2_holds(ctx);
	if (!ret && op->arm)
		ret = op->arm(ctx);
	if (!ret && nt->shadow >= 0)
		ret = shadow_fill(ctx);
	if (!ret && nt->guest) {
		ret = operate(ctx);
		if (!ret && nt->moved)
			ret = list_pages(nt);
		if (!ret)
			ret = vm_warm(nt->vm);
	}
	if (!ret)
		stats_take(nt);
	return ret;
}

int64_t notifier_run(struct bench_ctx *ctx, unsigned int thread)
{
	struct notifier *nt = nt_of(ctx);
	int ret;

	(void)thread;
	if (!nt->guest)
		return nt_op(ctx)->host(ctx, ctx->ops);
	ret = nt->guest_writes ?
		vm_write_pass(nt->vm, WORD_GUEST, nt->value) :
		vm_read_pass(nt->vm, nt->offset, &nt->sum);
	nt->ran = true;
	return ret ? ret : (int64_t)ctx->ops;
}

int notifier_verify(struct bench_ctx *ctx, const struct bench_deltas *d)
{
	const struct notifier_op *op = nt_op(ctx);
	struct notifier *nt = nt_of(ctx);
	int ret;

	if (d)
		stats_count(ctx);
	else
		nt->prove_due = true;
	/* Before anything else touches a page. */
	ret = d && nt->shadow >= 0 ? shadow_count(ctx) : 0;
	if (ret)
		return ret;
	ret = nt->guest ? check_pass(ctx) : prove_op(ctx, d);
	if (!ret && nt->vm && !op->gone) {
		/* Whatever was measured: the guest sees what is there now. */
		ret = list_pages(nt);
		if (!ret)
			ret = nt_guest_reads(ctx, nt->offset, op->word);
	}
	if (!ret && op->late)
		ret = op->late(ctx);
	if (!ret && nt->vm && !d)
		json_object_set_new(ctx->proof, "guest_pages",
				    json_integer(nt->visits * nt->sub));
	return ret;
}

void notifier_teardown(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);

	if (!nt)
		return;
	vm_free(nt->vm);
	shadow_close(nt);
	if (nt_op(ctx)->teardown)
		nt_op(ctx)->teardown(ctx);
	mm_region_close(&nt->r);
	free(nt->before);
	free(nt->after);
	free(nt);
	ctx->priv = NULL;
}
