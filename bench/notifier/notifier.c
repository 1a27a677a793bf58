// SPDX-License-Identifier: GPL-2.0
/*
 * notifier: the cost of operations that change page tables, with a choice of
 * listeners: none (the mm has no subscriptions), the module's shadow TLB, or a
 * VM with every page mapped in stage 2. Also the cost of the guest's next pass
 * over these pages.
 *
 * notifier.h describes what all benchmarks of the family have in common.
 */
#include "bench/notifier/notifier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/kit/sources.h"
#include "lib/util.h"

/* Approximate instructions of a batch. */
#define BATCH_COST	200000
/*
 * Pages that the guest visits by default, if it may find them mapped, and if it
 * surely does not. A visit of a mapped page takes 9 instructions, and the
 * runner's overhead per batch should be below 1 %.
 */
#define BATCH_VISITS		2048
#define BATCH_FAULTS		256	/* there is a timer tick every thousand or so */
/* Huge leaves: enough that entering the guest adds little to each. */
#define BATCH_LEAVES		16
/* Memory of a default batch. */
#define BATCH_BYTES	(64 * MIB)

const char *const notifier_secondary[] = {
	"none", "module", "kvm", "kvm+module", NULL
};
const char *const notifier_measure[] = { "op", "guest", NULL };
const char *const notifier_access[] = { "read", "write", NULL };
const char *const notifier_dir[] = { "down", "up", "roundtrip", NULL };

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

bool nt_is_hugetlb(const struct bench_ctx *ctx)
{
	return param_has(ctx->bench, "backing") &&
	       param_is(ctx, "backing", "hugetlb");
}

/*
 * Returns the bytes from one visited page to the next. A benchmark that works
 * page by page handles a leaf as a whole, so a leaf is one page to it.
 */
static uint64_t step_of(const struct bench_ctx *ctx)
{
	if (!nt_op(ctx)->maps && (nt_is_pmd(ctx) || nt_is_hugetlb(ctx)))
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
		return "the operation leaves nothing for the guest to access";
	if (has_module(ctx))
		why = shadow_refused(ctx);
	if (!why && op->refused)
		why = op->refused(ctx);
	if (!why)
		why = nt_is_hugetlb(ctx) ? mm_proof_unavailable(NULL) :
			mm_folio_unavailable(MM_ANON, nt_folio(ctx));
	if (!why && nt_has_vm(ctx))
		why = vm_unavailable();
	return why;
}

/*
 * Returns the pages of each step that the guest visits: the whole leaf if it is
 * one step to the host, as a guest's next pass over that memory would do. For
 * the host's operation one access is enough to map the leaf.
 */
static uint64_t sub_of(const struct bench_ctx *ctx)
{
	return nt_measures_guest(ctx) ? step_of(ctx) / mm_caps()->page : 1;
}

static uint64_t visits_of(const struct bench_ctx *ctx)
{
	/* One fault maps a whole leaf. */
	if (nt_is_pmd(ctx) || nt_is_hugetlb(ctx))
		return BATCH_LEAVES * mm_caps()->pmd / mm_caps()->page;
	return nt_op(ctx)->may_keep ? BATCH_VISITS : BATCH_FAULTS;
}

/* Returns how many calls memory, the VM and the number of mappings allow. */
static uint64_t max_calls(const struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	uint64_t page = mm_caps()->page;
	uint64_t align = mm_caps()->pmd ? mm_caps()->pmd : 2 * MIB;
	uint64_t bytes = round_up(nt_pages(ctx) * page, nt_folio(ctx));
	uint64_t most;

	/* Each mapping has its own page table, and another one in stage 2. */
	most = mm_budget() / op->maps / (bytes * (1 + op->extra) + 2 * page);
	/* Each mapping has two VMAs; vm.max_map_count is 65530. */
	most = nt_min(most, 16384 / op->maps);
	if (nt_has_vm(ctx))
		most = nt_min(most, VM_MAX_BYTES /
			   (round_up(bytes + page, align) * op->maps));
	if (has_module(ctx))
		most = nt_min(most, shadow_max_bytes() /
			   (round_up(bytes + page, align) * op->maps));
	if (op->max_calls)
		most = nt_min(most, op->max_calls);
	return most;
}

static uint64_t cost_of(const struct bench_ctx *ctx)
{
	const struct notifier_op *op = nt_op(ctx);
	uint64_t leaves = op->maps ? nt_pages(ctx) : 1;

	if (op->cost)
		return op->cost(ctx);
	/* Most operations handle a PMD leaf as one entry. */
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
		*def = op->max_calls == 1 ? nt_min(visits_of(ctx), pages) :
					    nt_min(calls, most) * pages;
		return;
	}
	calls = nt_min(BATCH_COST / cost_of(ctx) + 1,
		    BATCH_BYTES / round_up(pages * page, nt_folio(ctx)));
	*max = most;
	*def = nt_min(calls ? calls : 1, most);
}

static void size_pages(const struct bench_ctx *ctx, uint64_t *def,
		       uint64_t *max)
{
	const struct notifier_op *op = nt_op(ctx);
	uint64_t step = step_of(ctx), n;

	*max = mm_budget() / (step * (1 + op->extra));
	if (nt_has_vm(ctx))
		*max = nt_min(*max, (VM_MAX_BYTES - 4 * MIB) / step);
	if (has_module(ctx))
		*max = nt_min(*max, (shadow_max_bytes() - 4 * MIB) / step);
	if (op->max_calls)
		*max = nt_min(*max, op->max_calls);
	n = nt_measures_guest(ctx) ? visits_of(ctx) / sub_of(ctx) :
		BATCH_COST / cost_of(ctx) + 1;
	if (!n)
		n = 1;
	*def = nt_min(nt_min(n, BATCH_BYTES / step), *max);
}

void notifier_size(const struct bench_ctx *ctx, uint64_t *def, uint64_t *max)
{
	if (nt_op(ctx)->maps)
		size_calls(ctx, def, max);
	else
		size_pages(ctx, def, max);
	/* An allocation fails if there is too little memory even for one. */
	if (!*def)
		*def = 1;
	if (!*max)
		*max = 1;
}

/* --- the steps of a point --- */

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
	if (!nt_is_hugetlb(ctx))
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

/* vmstat before and after operations that are not timed. */
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

/* Does and proves the host's operations, before the guest's timed pass. */
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

	ret = nt_check_pass(ctx);
	if (ret)
		return ret;
	nt->batch++;
	nt->serial = ++serial;
	/* never 0, and never the previous batch's value */
	nt->value = 0x10000000u + (nt->serial & 0xff) * 0x100000u;
	nt->moved = false;
	ret = op->fresh ? op->fresh(ctx) : nt_fresh_folios(ctx);
	if (ret)
		return ret;
	nt_write_patterns(nt);
	if (due)
		ret = mm_prove(ctx, &nt->r, nt_is_hugetlb(ctx) ? nt_folio(ctx) :
			       mm_leaf_expected(mm_caps(), nt_folio(ctx)));
	nt->prove_due = false;
	if (!ret)
		ret = nt_pages_now(nt, nt->before);
	if (!ret)
		ret = nt_folios_whole(ctx);
	if (!ret && op->before)
		ret = op->before(ctx);
	if (!ret && nt->vm)
		ret = nt_list_pages(nt);
	if (!ret)
		ret = nt_guest_reads(ctx, WORD_PATTERN, NULL);
	if (!ret && due)
		ret = nt_stage2_holds(ctx);
	if (!ret && op->arm)
		ret = op->arm(ctx);
	if (!ret && nt->shadow >= 0)
		ret = shadow_fill(ctx);
	if (!ret && nt->guest) {
		ret = operate(ctx);
		if (!ret && nt->moved)
			ret = nt_list_pages(nt);
		if (!ret)
			ret = vm_warm(nt->vm);
	}
	if (!ret)
		nt_stats_take(nt);
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
		nt_stats_count(ctx);
	else
		nt->prove_due = true;
	/* This must come before anything touches a page. */
	ret = d && nt->shadow >= 0 ? shadow_count(ctx) : 0;
	if (ret)
		return ret;
	ret = nt->guest ? nt_check_pass(ctx) : prove_op(ctx, d);
	if (!ret && nt->vm && !op->gone) {
		/* In either case the guest must now see what the pages hold. */
		ret = nt_list_pages(nt);
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
