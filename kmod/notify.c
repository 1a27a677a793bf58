// SPDX-License-Identifier: GPL-2.0
/*
 * Counts each mmu notifier callback of the caller's address space, as a driver
 * would get it. There are two subscriptions: one with start, end and the young
 * callbacks, like a secondary MMU such as KVM, and one with the single callback
 * of a secondary TLB that shares the page table. The kernel refuses a
 * subscription that has both.
 */
#include <linux/percpu.h>
#include <linux/slab.h>

#include "ptelab.h"

/* Per CPU, so that CPUs do not contend for the counters. */
struct counts {
	struct ptelab_notify_count start[PTELAB_EVENTS];
	struct ptelab_notify_count end[PTELAB_EVENTS];
	struct ptelab_notify_count secondary;
	struct ptelab_notify_count clear_flush_young;
	struct ptelab_notify_count clear_young;
	struct ptelab_notify_count test_young;
	u64 elsewhere;
};

#define NR_COUNTS	(sizeof(struct counts) / sizeof(u64))

static_assert(offsetof(struct ptelab_notify_counts, released) -
	      offsetof(struct ptelab_notify_counts, start) ==
	      sizeof(struct counts));

struct ptelab_notify {
	struct mmu_notifier range;
	struct mmu_notifier secondary;
	bool has_range, has_secondary;
	bool released;
	unsigned long first, end;	/* [first, end) is counted */
	struct counts __percpu *counts;
	struct counts base;		/* the sums at the last reset */
};

static void count(struct ptelab_notify *n,
		  struct ptelab_notify_count __percpu *c, unsigned long start,
		  unsigned long end)
{
	if (start >= n->end || end <= n->first) {
		this_cpu_inc(n->counts->elsewhere);
		return;
	}
	this_cpu_inc(c->calls);
	if (!start && end == ULONG_MAX)
		this_cpu_inc(c->whole);
	else
		this_cpu_add(c->bytes, min(end, n->end) - max(start, n->first));
}

static unsigned int event_of(const struct mmu_notifier_range *range)
{
	return min_t(unsigned int, range->event, PTELAB_EVENTS - 1);
}

static int range_start(struct mmu_notifier *sub,
		       const struct mmu_notifier_range *range)
{
	struct ptelab_notify *n = container_of(sub, struct ptelab_notify, range);

	count(n, &n->counts->start[event_of(range)], range->start, range->end);
	return 0;
}

static void range_end(struct mmu_notifier *sub,
		      const struct mmu_notifier_range *range)
{
	struct ptelab_notify *n = container_of(sub, struct ptelab_notify, range);

	count(n, &n->counts->end[event_of(range)], range->start, range->end);
}

static ptelab_young_t clear_flush_young(struct mmu_notifier *sub,
					struct mm_struct *mm,
					unsigned long start, unsigned long end)
{
	struct ptelab_notify *n = container_of(sub, struct ptelab_notify, range);

	count(n, &n->counts->clear_flush_young, start, end);
	return 0;
}

static ptelab_young_t clear_young(struct mmu_notifier *sub,
				  struct mm_struct *mm, unsigned long start,
				  unsigned long end)
{
	struct ptelab_notify *n = container_of(sub, struct ptelab_notify, range);

	count(n, &n->counts->clear_young, start, end);
	return 0;
}

static ptelab_young_t test_young(struct mmu_notifier *sub,
				 struct mm_struct *mm, unsigned long addr)
{
	struct ptelab_notify *n = container_of(sub, struct ptelab_notify, range);

	count(n, &n->counts->test_young, addr, addr + PAGE_SIZE);
	return 0;
}

/* Keep the counts: they can be read after the address space is gone. */
static void range_release(struct mmu_notifier *sub, struct mm_struct *mm)
{
	struct ptelab_notify *n = container_of(sub, struct ptelab_notify, range);

	WRITE_ONCE(n->released, true);
}

static void secondary_invalidate(struct mmu_notifier *sub,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long end)
{
	struct ptelab_notify *n =
		container_of(sub, struct ptelab_notify, secondary);

	count(n, &n->counts->secondary, start, end);
}

static void secondary_release(struct mmu_notifier *sub, struct mm_struct *mm)
{
	struct ptelab_notify *n =
		container_of(sub, struct ptelab_notify, secondary);

	WRITE_ONCE(n->released, true);
}

static const struct mmu_notifier_ops range_ops = {
	.invalidate_range_start	= range_start,
	.invalidate_range_end	= range_end,
	.clear_flush_young	= clear_flush_young,
	.clear_young		= clear_young,
	.test_young		= test_young,
	.release		= range_release,
};

static const struct mmu_notifier_ops secondary_ops = {
	.ptelab_secondary_op	= secondary_invalidate,
	.release		= secondary_release,
};

static void sum(struct ptelab_notify *n, struct counts *total)
{
	u64 *to = (u64 *)total;
	unsigned int cpu, i;

	memset(total, 0, sizeof(*total));
	for_each_possible_cpu(cpu) {
		const u64 *from = (u64 *)per_cpu_ptr(n->counts, cpu);

		for (i = 0; i < NR_COUNTS; i++)
			to[i] += READ_ONCE(from[i]);
	}
}

static void notify_free(struct ptelab_notify *n)
{
	/* The subscription must also be ended if the address space is gone. */
	if (n->has_range)
		mmu_notifier_unregister(&n->range, n->range.mm);
	if (n->has_secondary)
		mmu_notifier_unregister(&n->secondary, n->secondary.mm);
	free_percpu(n->counts);
	kfree(n);
}

static int notify_start(struct ptelab_file *f,
			const struct ptelab_notify_start *arg)
{
	struct ptelab_notify *n;
	int ret;

	if (f->notify)
		return -EBUSY;
	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->counts = alloc_percpu_gfp(struct counts, GFP_KERNEL_ACCOUNT);
	if (!n->counts) {
		kfree(n);
		return -ENOMEM;
	}
	n->first = arg->addr;
	n->end = arg->len ? arg->addr + arg->len : ULONG_MAX;
	n->range.ops = &range_ops;
	n->secondary.ops = &secondary_ops;

	if (arg->flags & PTELAB_NOTIFY_RANGE) {
		ret = mmu_notifier_register(&n->range, current->mm);
		if (ret)
			goto err;
		n->has_range = true;
	}
	if (arg->flags & PTELAB_NOTIFY_SECONDARY) {
		ret = mmu_notifier_register(&n->secondary, current->mm);
		if (ret)
			goto err;
		n->has_secondary = true;
	}
	f->notify = n;
	/*
	 * The second registration may have caused callbacks of the first
	 * subscription. Do not count them.
	 */
	sum(n, &n->base);
	return 0;
err:
	notify_free(n);
	return ret;
}

long ptelab_ioc_notify_start(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_notify_start arg;
	int ret = ptelab_get(&arg, PTELAB_NOTIFY_RANGE |
			     PTELAB_NOTIFY_SECONDARY, uarg);

	if (ret)
		return ret;
	if (!arg.flags)
		return -EINVAL;
	if (arg.addr || arg.len) {
		ret = ptelab_check_range(arg.addr, arg.len, U64_MAX);
		if (ret)
			return ret;
	}
	if (mutex_lock_interruptible(&f->lock))
		return -EINTR;
	ret = notify_start(f, &arg);
	mutex_unlock(&f->lock);
	return ret;
}

/* Reads an argument that has only size and flags. */
static int get_none(void __user *uarg)
{
	struct ptelab_none arg;

	return ptelab_get_arg(&arg, sizeof(arg), 0, &arg + 1, uarg);
}

long ptelab_ioc_notify_stop(struct ptelab_file *f, void __user *uarg)
{
	int ret = get_none(uarg);

	if (ret)
		return ret;
	if (mutex_lock_interruptible(&f->lock))
		return -EINTR;
	if (f->notify)
		notify_free(f->notify);
	else
		ret = -ENODATA;
	f->notify = NULL;
	mutex_unlock(&f->lock);
	return ret;
}

long ptelab_ioc_notify_reset(struct ptelab_file *f, void __user *uarg)
{
	int ret = get_none(uarg);

	if (ret)
		return ret;
	if (mutex_lock_interruptible(&f->lock))
		return -EINTR;
	if (f->notify)
		sum(f->notify, &f->notify->base);
	else
		ret = -ENODATA;
	mutex_unlock(&f->lock);
	return ret;
}

long ptelab_ioc_notify_read(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_notify_counts *arg;
	struct counts *now;
	unsigned int i;
	int ret;

	/* Both together are two kilobytes, too much for the stack. */
	arg = kmalloc(sizeof(*arg), GFP_KERNEL_ACCOUNT);
	now = kmalloc(sizeof(*now), GFP_KERNEL_ACCOUNT);
	ret = -ENOMEM;
	if (!arg || !now)
		goto out;
	ret = ptelab_get(arg, 0, uarg);
	if (ret)
		goto out;
	ret = -EINTR;
	if (mutex_lock_interruptible(&f->lock))
		goto out;
	ret = -ENODATA;
	if (f->notify) {
		sum(f->notify, now);
		for (i = 0; i < NR_COUNTS; i++)
			((u64 *)arg->start)[i] =
				((u64 *)now)[i] - ((u64 *)&f->notify->base)[i];
		arg->released = READ_ONCE(f->notify->released);
		ret = 0;
	}
	mutex_unlock(&f->lock);
	if (!ret)
		ret = ptelab_put(uarg, arg);
out:
	kfree(now);
	kfree(arg);
	return ret;
}

void ptelab_notify_release(struct ptelab_file *f)
{
	if (f->notify)
		notify_free(f->notify);
}
