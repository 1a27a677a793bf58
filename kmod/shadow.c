// SPDX-License-Identifier: GPL-2.0
/*
 * A secondary TLB in software. It caches which frame is behind a page and what
 * accesses are allowed, drops an entry only when a notifier says so, and can
 * list at any time which of its entries disagree with the page table.
 *
 * An entry is what hardware caches for one leaf of the page table: a page, or
 * everything that a PMD or PUD leaf maps. Invalidation of one page of a leaf
 * drops the whole leaf, like invalidation by address in hardware. The pages of
 * a contpte block are separate entries: CONT is a hint, which hardware may
 * ignore.
 *
 * Entries are read and stored under the page-table lock, because hardware walks
 * the table and fills the TLB in one step: if the page table changes later,
 * either a notifier says so or the entry is stale. With start and end the
 * change may come after the notification, so nothing is stored between the two,
 * as in KVM. hugetlb entries are read without their lock, so they are checked
 * again once stored: a change before the check is seen, and a change after it
 * is notified.
 *
 * One file though it is long: all of it reads or changes one table under its
 * lock.
 */
#include <linux/pgtable.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "ptelab.h"

/* PTELAB_CACHED_*, the order of the leaf, and the leaf's first frame. */
#define ENTRY_ORDER_SHIFT	3
#define ENTRY_ORDER_BITS	5
#define ENTRY_PFN_SHIFT		(ENTRY_ORDER_SHIFT + ENTRY_ORDER_BITS)
#define ENTRY_PERMISSIONS	(BIT(ENTRY_ORDER_SHIFT) - 1)

struct ptelab_shadow {
	struct mmu_notifier range;
	struct mmu_notifier secondary;
	bool has_range, has_secondary;
	unsigned long first, end;
	/*
	 * One for each page; a leaf's entry is at its first page within the
	 * range. Kept empty after the mm is gone.
	 */
	u64 *entry;

	spinlock_t lock;		/* protects everything below, and *entry */
	bool released;
	unsigned int active;		/* starts whose end has not come */
	u64 dropped_range, dropped_secondary;
	u64 calls_range, calls_secondary;
};

static u64 *entry_of(struct ptelab_shadow *s, unsigned long addr)
{
	return &s->entry[(addr - s->first) >> PAGE_SHIFT];
}

static unsigned int order_of(u64 entry)
{
	return entry >> ENTRY_ORDER_SHIFT & (BIT(ENTRY_ORDER_BITS) - 1);
}

/* Returns the first page, within the range, of a leaf of that order. */
static unsigned long leaf_start(const struct ptelab_shadow *s,
				unsigned long addr, unsigned int order)
{
	return max(ALIGN_DOWN(addr, PAGE_SIZE << order), s->first);
}

static bool overlaps(const struct ptelab_shadow *s, unsigned long start,
		     unsigned long end)
{
	return start < s->end && end > s->first;
}

/* Returns the entry of the leaf that contains @addr; NULL if none is cached. */
static u64 *find(struct ptelab_shadow *s, unsigned long addr)
{
	static const unsigned int orders[] = {
		0, PMD_SHIFT - PAGE_SHIFT, PUD_SHIFT - PAGE_SHIFT
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		u64 *e = entry_of(s, leaf_start(s, addr, orders[i]));

		if (*e && order_of(*e) == orders[i])
			return e;
	}
	return NULL;
}

/* Returns the number of dropped entries. */
static u64 drop(struct ptelab_shadow *s, unsigned long start, unsigned long end)
{
	u64 *e, *last, nr = 0;

	start = max(start & PAGE_MASK, s->first);
	end = min(end, s->end);
	/* This leaf may begin before the range. */
	e = find(s, start);
	if (e) {
		*e = 0;
		nr = 1;
	}
	/* The end may lie within a page. */
	last = entry_of(s, end - 1);
	for (e = entry_of(s, start); e <= last; e++) {
		nr += *e != 0;
		*e = 0;
	}
	return nr;
}

static int range_start(struct mmu_notifier *sub,
		       const struct mmu_notifier_range *range)
{
	struct ptelab_shadow *s = container_of(sub, struct ptelab_shadow, range);

	if (!overlaps(s, range->start, range->end))
		return 0;
	spin_lock(&s->lock);
	s->active++;
	s->calls_range++;
	s->dropped_range += drop(s, range->start, range->end);
	spin_unlock(&s->lock);
	return 0;
}

static void range_end(struct mmu_notifier *sub,
		      const struct mmu_notifier_range *range)
{
	struct ptelab_shadow *s = container_of(sub, struct ptelab_shadow, range);

	if (!overlaps(s, range->start, range->end))
		return;
	spin_lock(&s->lock);
	/* The start may have come before this subscription was registered. */
	if (s->active)
		s->active--;
	spin_unlock(&s->lock);
}

static void secondary_invalidate(struct mmu_notifier *sub,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long end)
{
	struct ptelab_shadow *s =
		container_of(sub, struct ptelab_shadow, secondary);

	if (!overlaps(s, start, end))
		return;
	spin_lock(&s->lock);
	s->calls_secondary++;
	s->dropped_secondary += drop(s, start, end);
	spin_unlock(&s->lock);
}

static void release(struct ptelab_shadow *s)
{
	spin_lock(&s->lock);
	s->released = true;
	drop(s, s->first, s->end);
	spin_unlock(&s->lock);
}

static void range_release(struct mmu_notifier *sub, struct mm_struct *mm)
{
	release(container_of(sub, struct ptelab_shadow, range));
}

static void secondary_release(struct mmu_notifier *sub, struct mm_struct *mm)
{
	release(container_of(sub, struct ptelab_shadow, secondary));
}

static const struct mmu_notifier_ops range_ops = {
	.invalidate_range_start	= range_start,
	.invalidate_range_end	= range_end,
	.release		= range_release,
};

/* For a shadow that listens to nothing: it must learn that the mm is gone. */
static const struct mmu_notifier_ops release_ops = {
	.release		= range_release,
};

static const struct mmu_notifier_ops secondary_ops = {
	.ptelab_secondary_op	= secondary_invalidate,
	.release		= secondary_release,
};

/* --- start and stop --- */

static void shadow_free(struct ptelab_shadow *s)
{
	if (s->has_range)
		mmu_notifier_unregister(&s->range, s->range.mm);
	if (s->has_secondary)
		mmu_notifier_unregister(&s->secondary, s->secondary.mm);
	kvfree(s->entry);
	kfree(s);
}

static int shadow_start(struct ptelab_file *f,
			const struct ptelab_shadow_start *arg)
{
	struct ptelab_shadow *s;
	int ret = -ENOMEM;

	if (f->shadow)
		return -EBUSY;
	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return -ENOMEM;
	spin_lock_init(&s->lock);
	s->first = arg->addr;
	s->end = arg->addr + arg->len;
	s->entry = kvcalloc(arg->len >> PAGE_SHIFT, sizeof(*s->entry),
			    GFP_KERNEL_ACCOUNT);
	if (!s->entry)
		goto err;
	s->range.ops = arg->flags & PTELAB_SHADOW_RANGE ? &range_ops :
							  &release_ops;
	s->secondary.ops = &secondary_ops;

	ret = mmu_notifier_register(&s->range, current->mm);
	if (ret)
		goto err;
	s->has_range = true;
	if (arg->flags & PTELAB_SHADOW_SECONDARY) {
		ret = mmu_notifier_register(&s->secondary, current->mm);
		if (ret)
			goto err;
		s->has_secondary = true;
	}
	f->shadow = s;
	return 0;
err:
	shadow_free(s);
	return ret;
}

long ptelab_ioc_shadow_start(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_shadow_start arg;
	int ret = ptelab_get(&arg, PTELAB_SHADOW_RANGE |
			     PTELAB_SHADOW_SECONDARY, uarg);

	if (!ret)
		ret = ptelab_check_range(arg.addr, arg.len,
					 PTELAB_SHADOW_MAX_PAGES);
	if (ret)
		return ret;
	if (mutex_lock_interruptible(&f->lock))
		return -EINTR;
	ret = shadow_start(f, &arg);
	mutex_unlock(&f->lock);
	return ret;
}

long ptelab_ioc_shadow_stop(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_none arg;
	int ret = ptelab_get_arg(&arg, sizeof(arg), 0, &arg + 1, uarg);

	if (ret)
		return ret;
	if (mutex_lock_interruptible(&f->lock))
		return -EINTR;
	if (f->shadow)
		shadow_free(f->shadow);
	else
		ret = -ENODATA;
	f->shadow = NULL;
	mutex_unlock(&f->lock);
	return ret;
}

void ptelab_shadow_release(struct ptelab_file *f)
{
	if (f->shadow)
		shadow_free(f->shadow);
}

/* Returns the shadow with the file locked, if it covers the range. */
static struct ptelab_shadow *shadow_lock(struct ptelab_file *f, u64 addr,
					 u64 len)
{
	struct ptelab_shadow *s;
	int ret = ptelab_check_range(addr, len, PTELAB_SHADOW_MAX_PAGES);

	if (ret)
		return ERR_PTR(ret);
	if (mutex_lock_interruptible(&f->lock))
		return ERR_PTR(-EINTR);
	s = f->shadow;
	if (!s)
		ret = -ENODATA;
	else if (s->range.mm != current->mm)
		ret = -ESRCH;
	else if (addr < s->first || addr + len > s->end)
		ret = -EINVAL;
	if (!ret)
		return s;
	mutex_unlock(&f->lock);
	return ERR_PTR(ret);
}

/* --- entries --- */

/* Returns the page table's entry for one page as a shadow entry; 0 if none. */
static u64 translation(const struct ptelab_leaf *leaf)
{
	u64 e;

	if (!(leaf->flags & PTELAB_PTE_VALID))
		return 0;
	e = leaf->pfn << ENTRY_PFN_SHIFT | PTELAB_CACHED_VALID;
	if (leaf->flags & PTELAB_PTE_WRITE)
		e |= PTELAB_CACHED_WRITE;
	if (leaf->flags & PTELAB_PTE_EXEC)
		e |= PTELAB_CACHED_EXEC;
	return e;
}

static unsigned int leaf_order(const struct ptelab_leaf *leaf)
{
	switch (leaf->level) {
	case PTELAB_LEVEL_PMD:
		return PMD_SHIFT - PAGE_SHIFT;
	case PTELAB_LEVEL_PUD:
		return PUD_SHIFT - PAGE_SHIFT;
	}
	return 0;
}

/* Returns the index of @addr within its leaf. */
static u64 page_in_leaf(unsigned long addr, unsigned int order)
{
	return addr >> PAGE_SHIFT & (BIT_ULL(order) - 1);
}

/* Returns what an entry says about one page, like translation(). */
static u64 cached_translation(u64 entry, unsigned long addr)
{
	u64 pfn = (entry >> ENTRY_PFN_SHIFT) +
		  page_in_leaf(addr, order_of(entry));

	return pfn << ENTRY_PFN_SHIFT | (entry & ENTRY_PERMISSIONS);
}

/* Replaces whatever is cached for any part of the leaf. The lock is held. */
static void store(struct ptelab_shadow *s, const struct ptelab_leaf *leaf,
		  u64 now)
{
	unsigned int order = leaf_order(leaf);
	unsigned long start = leaf_start(s, leaf->addr, order);

	drop(s, start, ALIGN_DOWN(leaf->addr, PAGE_SIZE << order) +
		       (PAGE_SIZE << order));
	now -= page_in_leaf(leaf->addr, order) << ENTRY_PFN_SHIFT;
	*entry_of(s, start) = now | (u64)order << ENTRY_ORDER_SHIFT;
}

/*
 * Checks an entry that was just stored without the lock that keeps the page
 * table unchanged. If the page table has changed, the notification may have
 * come before the entry was stored, so drop it.
 */
static void look_again(struct ptelab_shadow *s, const struct ptelab_leaf *leaf)
{
	if (!(leaf->flags & PTELAB_PTE_HUGETLB) || ptelab_hugetlb_same(leaf))
		return;
	spin_lock(&s->lock);
	drop(s, leaf->addr, leaf->addr + PAGE_SIZE);
	spin_unlock(&s->lock);
}

/* @cached differs from @now. */
static enum ptelab_stale_kind stale_kind(u64 cached, u64 now)
{
	if (!now)
		return PTELAB_STALE_UNMAPPED;
	if (cached >> ENTRY_PFN_SHIFT != now >> ENTRY_PFN_SHIFT)
		return PTELAB_STALE_PFN;
	if (cached & ~now)
		return PTELAB_STALE_DOWNGRADED;
	return PTELAB_STALE_UPGRADED;
}

/* The lock is held. */
static bool may_store(const struct ptelab_shadow *s)
{
	return !s->active && !s->released;
}

struct filling {
	struct ptelab_shadow *s;
	struct ptelab_shadow_fill arg;
};

static void fill_leaf(const struct ptelab_leaf *leaf, void *ctx)
{
	struct filling *c = ctx;
	struct ptelab_shadow *s = c->s;
	u64 now = translation(leaf), *e;
	bool first;

	if (!now) {
		c->arg.absent++;
		return;
	}
	first = leaf->addr == max_t(u64, c->arg.addr,
				    leaf_start(s, leaf->addr, leaf_order(leaf)));
	spin_lock(&s->lock);
	e = find(s, leaf->addr);
	if (!may_store(s)) {
		c->arg.blocked++;
	} else if (first || !e || cached_translation(*e, leaf->addr) != now) {
		store(s, leaf, now);
		c->arg.filled++;
	}
	spin_unlock(&s->lock);
	look_again(s, leaf);
}

long ptelab_ioc_shadow_fill(struct ptelab_file *f, void __user *uarg)
{
	struct filling c;
	int ret = ptelab_get(&c.arg, 0, uarg);

	if (ret)
		return ret;
	c.s = shadow_lock(f, c.arg.addr, c.arg.len);
	if (IS_ERR(c.s))
		return PTR_ERR(c.s);
	c.arg.filled = 0;
	c.arg.absent = 0;
	c.arg.blocked = 0;
	ret = ptelab_walk(c.arg.addr, c.arg.addr + c.arg.len, fill_leaf, NULL,
			  &c);
	mutex_unlock(&f->lock);
	return ret ? ret : ptelab_put(uarg, &c.arg);
}

struct checking {
	struct ptelab_shadow *s;
	struct ptelab_shadow_check arg;
	u64 *entry;			/* of the last page; already counted */
	bool stale_entry;		/* it was counted as stale as well */
	struct ptelab_stale *stale;	/* of this chunk; NULL: not wanted */
	unsigned int nr;
	struct ptelab_stale __user *to;
	u64 room;			/* entries left in user space */
};

static void check_leaf(const struct ptelab_leaf *leaf, void *ctx)
{
	struct checking *c = ctx;
	u64 *e, cached = 0, now = translation(leaf);
	enum ptelab_stale_kind kind;

	spin_lock(&c->s->lock);
	e = find(c->s, leaf->addr);
	if (e)
		cached = cached_translation(*e, leaf->addr);
	spin_unlock(&c->s->lock);
	if (!e)
		return;
	if (e != c->entry) {
		c->entry = e;
		c->stale_entry = false;
		c->arg.cached++;
	}
	/* A leaf that was split is still correct if its pages are unchanged. */
	if (cached == now || c->stale_entry)
		return;
	c->stale_entry = true;
	kind = stale_kind(cached, now);
	c->arg.stale[kind]++;
	if (c->stale && c->nr < c->room)
		c->stale[c->nr++] = (struct ptelab_stale) {
			.addr = leaf->addr,
			.cached_pfn = cached >> ENTRY_PFN_SHIFT,
			.raw = leaf->raw,
			.cached = cached & ENTRY_PERMISSIONS,
			.kind = kind,
		};
}

static int check_chunk(void *ctx)
{
	struct checking *c = ctx;

	if (c->nr && copy_to_user(c->to, c->stale, c->nr * sizeof(*c->stale)))
		return -EFAULT;
	c->to += c->nr;
	c->room -= c->nr;
	c->nr = 0;
	return 0;
}

static int shadow_check(struct checking *c)
{
	struct ptelab_shadow_check *arg = &c->arg;
	int ret;

	arg->cached = 0;
	memset(arg->stale, 0, sizeof(arg->stale));
	if (arg->buf && arg->buf_entries) {
		c->stale = kvmalloc_array(PTELAB_CHUNK, sizeof(*c->stale),
					  GFP_KERNEL_ACCOUNT);
		if (!c->stale)
			return -ENOMEM;
		c->to = u64_to_user_ptr(arg->buf);
		c->room = arg->buf_entries;
	}
	ret = ptelab_walk(arg->addr, arg->addr + arg->len, check_leaf,
			  check_chunk, c);
	kvfree(c->stale);
	spin_lock(&c->s->lock);
	arg->dropped_range = c->s->dropped_range;
	arg->dropped_secondary = c->s->dropped_secondary;
	arg->calls_range = c->s->calls_range;
	arg->calls_secondary = c->s->calls_secondary;
	arg->released = c->s->released;
	spin_unlock(&c->s->lock);
	return ret;
}

long ptelab_ioc_shadow_check(struct ptelab_file *f, void __user *uarg)
{
	struct checking c = { };
	int ret = ptelab_get(&c.arg, 0, uarg);

	if (ret)
		return ret;
	c.s = shadow_lock(f, c.arg.addr, c.arg.len);
	if (IS_ERR(c.s))
		return PTR_ERR(c.s);
	ret = shadow_check(&c);
	mutex_unlock(&f->lock);
	return ret ? ret : ptelab_put(uarg, &c.arg);
}
