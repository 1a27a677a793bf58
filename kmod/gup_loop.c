// SPDX-License-Identifier: GPL-2.0
/*
 * Calls GUP-fast in a loop, without a system call for each. Every page is put
 * before the next call, so the time covers get and put.
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
	if (arg->flags & PTELAB_GUP_PIN)
		return pin_user_pages_fast(addr, arg->pages, foll, page);
	return get_user_pages_fast(addr, arg->pages, foll, page);
}

static int gup_loop(struct ptelab_gup *arg, struct page **page)
{
	unsigned long addr = arg->addr, end = arg->addr + arg->len;
	unsigned long step = (unsigned long)arg->pages << PAGE_SHIFT;
	bool pin = arg->flags & PTELAB_GUP_PIN;
	unsigned int foll = 0;
	u64 i, start;

	if (arg->flags & PTELAB_GUP_WRITE)
		foll |= FOLL_WRITE;
	if (arg->flags & PTELAB_GUP_LONGTERM)
		foll |= FOLL_LONGTERM;

	start = ktime_get_ns();
	for (i = 0; i < arg->calls; i++) {
		int got;

		if (fatal_signal_pending(current))
			return -EINTR;
		got = get_pages(arg, addr, foll, page);
		if (got > 0) {
			arg->pages_got += got;
			arg->short_calls += got < arg->pages;
			put_pages(page, got, pin);
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
			     PTELAB_GUP_LONGTERM, uarg);

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
	ret = gup_loop(&arg, page);
	kvfree(page);
	return ret ? ret : ptelab_put(uarg, &arg);
}
