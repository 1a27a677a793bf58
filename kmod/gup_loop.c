// SPDX-License-Identifier: GPL-2.0
/*
 * Calls GUP-fast in a loop, without a system call for each. Every page is put
 * before the next call, so the time covers get and put. PTELAB_GUP_TICKS
 * separates the two, at the cost of two reads of the counter per call.
 */
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timex.h>

#ifdef CONFIG_ARM64
#include <asm/arch_timer.h>
#else
#include <asm/tsc.h>
#endif

#include "ptelab.h"

static u64 ticks_hz(void)
{
#ifdef CONFIG_ARM64
	return arch_timer_get_cntfrq();
#else
	return tsc_khz * 1000ULL;
#endif
}

static void put_pages(struct page **page, unsigned long nr, bool pinned)
{
	unsigned long i;

	if (pinned) {
		unpin_user_pages(page, nr);
		return;
	}
	for (i = 0; i < nr; i++)
		put_page(page[i]);
}

static int get_pages(const struct ptelab_gup *arg, unsigned long addr,
		     unsigned int foll, struct page **page)
{
	if (arg->flags & PTELAB_GUP_EMPTY)
		return arg->pages;
	if (arg->flags & PTELAB_GUP_PIN)
		return pin_user_pages_fast(addr, arg->pages, foll, page);
	return get_user_pages_fast(addr, arg->pages, foll, page);
}

static int gup_loop(struct ptelab_gup *arg, struct page **page)
{
	unsigned long addr = arg->addr, end = arg->addr + arg->len;
	unsigned long step = (unsigned long)arg->pages << PAGE_SHIFT;
	bool ticks = arg->flags & PTELAB_GUP_TICKS;
	bool pin = arg->flags & PTELAB_GUP_PIN;
	bool empty = arg->flags & PTELAB_GUP_EMPTY;
	unsigned int foll = 0;
	u64 i, start, t = 0;

	if (arg->flags & PTELAB_GUP_WRITE)
		foll |= FOLL_WRITE;
	if (arg->flags & PTELAB_GUP_LONGTERM)
		foll |= FOLL_LONGTERM;

	start = ktime_get_ns();
	for (i = 0; i < arg->calls; i++) {
		int got;

		if (fatal_signal_pending(current))
			return -EINTR;
		if (ticks)
			t = get_cycles();
		got = get_pages(arg, addr, foll, page);
		if (ticks)
			arg->ticks_get += get_cycles() - t;
		if (got > 0) {
			arg->pages_got += got;
			arg->short_calls += got < arg->pages;
			if (ticks)
				t = get_cycles();
			if (!empty)
				put_pages(page, got, pin);
			if (ticks)
				arg->ticks_put += get_cycles() - t;
		} else {
			if (!arg->failed_calls++)
				arg->error = got;
		}
		addr += step;
		if (end - addr < step)
			addr = arg->addr;
		cond_resched();
	}
	arg->ns = ktime_get_ns() - start;
	return 0;
}

long ptelab_ioc_gup(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_gup arg;
	struct page **page;
	int ret = ptelab_get(&arg, PTELAB_GUP_PIN | PTELAB_GUP_WRITE |
			     PTELAB_GUP_LONGTERM | PTELAB_GUP_TICKS |
			     PTELAB_GUP_EMPTY, uarg);

	if (ret)
		return ret;
	if (arg.reserved32 || !arg.pages)
		return -EINVAL;
	/* GUP warns about FOLL_LONGTERM without FOLL_PIN. */
	if ((arg.flags & PTELAB_GUP_LONGTERM) && !(arg.flags & PTELAB_GUP_PIN))
		return -EINVAL;
	if (arg.pages > PTELAB_GUP_MAX_PAGES || arg.calls > PTELAB_GUP_MAX_CALLS)
		return -E2BIG;
	ret = ptelab_check_range(arg.addr, arg.len, U64_MAX);
	if (ret)
		return ret;
	if (arg.len >> PAGE_SHIFT < arg.pages)
		return -EINVAL;
	page = kvmalloc_array(arg.pages, sizeof(*page), GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	ptelab_clear_from(&arg, pages_got);
	arg.ticks_hz = ticks_hz();
	ret = gup_loop(&arg, page);
	kvfree(page);
	return ret ? ret : ptelab_put(uarg, &arg);
}
