// SPDX-License-Identifier: GPL-2.0
/* Measures what each of the kernel's own barriers adds to a loop. */
#include <linux/ktime.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "ptelab.h"

/* Two cache lines, as some CPUs fetch pairs: for data private to a CPU */
#define LINE		128
/* Distance of stores, as in bench/barrier/barrier_cost.h */
#define STORE_LINE	64

struct cost_line {
	u64 value;
} __aligned(LINE);

struct fence_loop {
	struct cost_line flag, word;
	char *base;
	u64 mask, k, from, ops;
};

static __always_inline void plain_store(u64 *p, u64 v)
{
	WRITE_ONCE(*p, v);
}

static __always_inline u64 plain_load(u64 *p)
{
	return READ_ONCE(*p);
}

/*
 * The same loop as in user space. The comment with the name keeps the compiler
 * from merging two identical loops.
 */
#define LOOP(NAME, BARRIER, STORE, LOAD)				\
static noinline __aligned(64) void loop_##NAME(struct fence_loop *c)		\
{									\
	const u64 mask = c->mask, k = c->k, ops = c->ops;		\
	char *base = c->base;						\
	u64 n = c->from, i, j;						\
									\
	asm volatile("/* " #NAME " */");				\
	for (i = 0; i < ops; i++) {					\
		for (j = 0; j < k; j++, n++)				\
			plain_store((u64 *)(base + ((n * 1237) & mask) * \
					    STORE_LINE), n);		\
		BARRIER();						\
		STORE(&c->flag.value, i);				\
		LOAD(&c->word.value);					\
	}								\
}

#define nothing()	do { } while (0)

/* None of these pairs with another barrier: only its cost is of interest. */
LOOP(none, nothing, plain_store, plain_load)
LOOP(copy, nothing, plain_store, plain_load)
LOOP(mb, smp_mb, plain_store, plain_load)
LOOP(wmb, smp_wmb, plain_store, plain_load)
LOOP(rmb, smp_rmb, plain_store, plain_load)
LOOP(release, nothing, smp_store_release, plain_load)
LOOP(acquire, nothing, plain_store, smp_load_acquire)
LOOP(full_mb, mb, plain_store, plain_load)
LOOP(full_wmb, wmb, plain_store, plain_load)
LOOP(full_rmb, rmb, plain_store, plain_load)
LOOP(dma_wmb, dma_wmb, plain_store, plain_load)
LOOP(dma_rmb, dma_rmb, plain_store, plain_load)
#ifdef CONFIG_ARM64
LOOP(isb, isb, plain_store, plain_load)
#endif

static void (*const loops[PTELAB_BARRIER_NR])(struct fence_loop *c) = {
	[PTELAB_BARRIER_NONE]	 = loop_none,
	[PTELAB_BARRIER_COPY]	 = loop_copy,
	[PTELAB_BARRIER_MB]	 = loop_mb,
	[PTELAB_BARRIER_WMB]	 = loop_wmb,
	[PTELAB_BARRIER_RMB]	 = loop_rmb,
	[PTELAB_BARRIER_RELEASE] = loop_release,
	[PTELAB_BARRIER_ACQUIRE] = loop_acquire,
	[PTELAB_BARRIER_FULL_MB] = loop_full_mb,
	[PTELAB_BARRIER_FULL_WMB] = loop_full_wmb,
	[PTELAB_BARRIER_FULL_RMB] = loop_full_rmb,
	[PTELAB_BARRIER_DMA_WMB] = loop_dma_wmb,
	[PTELAB_BARRIER_DMA_RMB] = loop_dma_rmb,
#ifdef CONFIG_ARM64
	[PTELAB_BARRIER_ISB]	 = loop_isb,
#endif
};

/* The caller's memory that the last call used. */
struct ptelab_barrier_map {
	struct mm_struct *mm;	/* whose memory; held, so that no other is there */
	u64 addr, len;
	struct page **page;
	u32 pages;
	char *base;
	struct fence_loop cost;
};

void ptelab_barrier_release(struct ptelab_file *f)
{
	struct ptelab_barrier_map *m = f->barrier;

	if (!m)
		return;
	f->barrier = NULL;
	vunmap(m->base);
	unpin_user_pages_dirty_lock(m->page, m->pages, true);
	kfree(m->page);
	mmdrop(m->mm);
	kfree(m);
}

static int map_memory(struct ptelab_barrier_map *m)
{
	u32 pages = m->len >> PAGE_SHIFT, i;
	int got = pin_user_pages_fast(m->addr, pages,
				      FOLL_WRITE | FOLL_LONGTERM, m->page);

	m->pages = max(got, 0);
	if (got != pages)
		return got < 0 ? got : -EFAULT;
	m->base = vmap(m->page, pages, VM_MAP, PAGE_KERNEL);
	if (!m->base)
		return -ENOMEM;
	/* Touch each page once, so that its translation is in the TLB. */
	for (i = 0; i < pages; i++)
		READ_ONCE(*(u64 *)(m->base + (size_t)i * PAGE_SIZE));
	return 0;
}

/*
 * Pins and maps the caller's memory. The lock is held. An existing mapping is
 * used again, so that the same work precedes each loop and the counts compare
 * exactly.
 */
static int get_memory(struct ptelab_file *f, u64 addr, u64 len)
{
	struct ptelab_barrier_map *m = f->barrier;
	int ret;

	/* After a fork the file is the child's, too, and the address another page. */
	if (m && m->mm == current->mm && m->addr == addr && m->len == len)
		return 0;
	ptelab_barrier_release(f);
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
	m->mm = current->mm;
	mmgrab(m->mm);
	m->addr = addr;
	m->len = len;
	m->page = kcalloc(len >> PAGE_SHIFT, sizeof(*m->page),
			  GFP_KERNEL_ACCOUNT);
	f->barrier = m;
	ret = m->page ? map_memory(m) : -ENOMEM;
	if (ret)
		ptelab_barrier_release(f);
	return ret;
}

static void cost_go(struct ptelab_barrier *arg, struct ptelab_barrier_map *m)
{
	struct fence_loop *c = &m->cost;
	u64 start;

	c->base = m->base;
	c->mask = arg->lines - 1;
	c->k = arg->stores;
	c->from = arg->from;
	c->ops = arg->ops;
	c->flag.value = 0;
	preempt_disable();
	start = ptelab_ticks();
	loops[arg->barrier](c);
	arg->ticks = ptelab_ticks() - start;
	preempt_enable();
	arg->flag = c->flag.value;
}

long ptelab_ioc_barrier(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_barrier arg;
	int ret = ptelab_get(&arg, 0, uarg);

	if (ret)
		return ret;
	if (arg.barrier >= PTELAB_BARRIER_NR || !is_power_of_2(arg.lines) ||
	    arg.lines > arg.len / STORE_LINE)
		return -EINVAL;
	if (arg.stores > PTELAB_BARRIER_MAX_STORES ||
	    arg.ops > PTELAB_BARRIER_MAX_OPS)
		return -E2BIG;
	if (!loops[arg.barrier])
		return -EOPNOTSUPP;
	ret = ptelab_check_range(arg.addr, arg.len, PTELAB_BARRIER_MAX_PAGES);
	if (ret)
		return ret;
	ptelab_clear_from(&arg, ticks);
	if (mutex_lock_interruptible(&f->lock))
		return -EINTR;
	ret = get_memory(f, arg.addr, arg.len);
	if (!ret)
		cost_go(&arg, f->barrier);
	mutex_unlock(&f->lock);
	return ret ? ret : ptelab_put(uarg, &arg);
}
