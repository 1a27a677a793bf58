// SPDX-License-Identifier: GPL-2.0
/*
 * notifier: the module's software TLB as a listener. It acts like the TLB of a
 * device that uses the CPU's page table: it caches the permissions of every
 * page, drops only what arch_invalidate_secondary_tlbs reports, and lists its
 * stale entries afterwards.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "bench/kit/subscribers.h"
#include "bench/notifier/notifier.h"
#include "lib/kmod.h"
#include "lib/util.h"

const char *shadow_refused(const struct bench_ctx *ctx)
{
	(void)ctx;
	return kmod_unavailable(0);
}

uint64_t shadow_max_bytes(void)
{
	return PTELAB_SHADOW_MAX_PAGES * mm_caps()->page;
}

int shadow_open(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	struct ptelab_abi abi;

	nt->shadow = kmod_open(&abi);
	if (nt->shadow < 0)
		return nt->shadow;
	if (!(abi.features & (PTELAB_FEAT_SECONDARY | PTELAB_FEAT_INV_RANGE)))
		return fail(EOPNOTSUPP, "this kernel does not notify secondary TLBs");
	subscribers_note();
	return kmod_shadow_start(nt->shadow, PTELAB_SHADOW_SECONDARY,
				 nt->r.base, nt->r.nr * nt->r.stride);
}

void shadow_close(struct notifier *nt)
{
	if (nt->shadow >= 0)
		close(nt->shadow);
	nt->shadow = -1;
}

int shadow_fill(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	uint64_t i, calls = nt_op(ctx)->maps ? nt->calls : 1;
	uint64_t bytes = nt_call_bytes(nt), filled = 0, missing = 0;
	int ret = 0;

	for (i = 0; i < calls && !ret; i++) {
		struct ptelab_shadow_fill f;

		ret = kmod_shadow_fill(nt->shadow, nt_call_at(nt, i), bytes, &f);
		if (!ret) {
			filled += f.filled;
			missing += f.absent + f.blocked;
		}
	}
	if (ret)
		return ret;
	if (!filled || missing)
		return fail(EPROTO, "the shadow TLB could not take %" PRIu64 " of %" PRIu64 " pages",
			    missing, calls * bytes / mm_caps()->page);
	json_object_set_new(ctx->proof, "shadow_entries", json_integer(filled));
	return 0;
}

/*
 * An entry that allows less than the page table is harmless if the architecture
 * requires a device to walk the page table again before it reports a fault.
 */
static uint64_t stale(const struct ptelab_shadow_check *c)
{
	uint64_t n = kmod_shadow_stale(c);

#ifndef __aarch64__
	n -= c->stale[PTELAB_STALE_UPGRADED];
#endif
	return n;
}

int shadow_count(struct bench_ctx *ctx)
{
	struct notifier *nt = nt_of(ctx);
	struct ptelab_shadow_check c;
	int ret;

	ret = kmod_shadow_check(nt->shadow, nt->r.base,
				nt->r.nr * nt->r.stride, &c, NULL, 0);
	if (ret)
		return fail_prefix(-EPROTO, "not proved");
	bench_count(ctx, "shadow_stale", stale(&c));
	json_object_set_new(ctx->proof, "shadow_left", json_integer(c.cached));
	return 0;
}
