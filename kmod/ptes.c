// SPDX-License-Identifier: GPL-2.0
/*
 * Reads the caller's page table, entry by entry and under its locks.
 *
 * It does not use apply_to_existing_page_range(), which warns about huge pages
 * (any range may get one at any time) and is not exported by newer kernels. The
 * helpers that map a page-table page are not exported either, so this file
 * repeats what they guarantee. A PTE page found in a PMD entry may be freed at
 * any time (by khugepaged, or by reclaim of empty tables), but only after a
 * grace period. Once its lock is held and the PMD entry is unchanged, it can't
 * be freed.
 */
#include <linux/hugetlb_inline.h>
#include <linux/pgtable.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "ptelab.h"

#ifdef CONFIG_ARM64
static bool pte_hw_valid(pte_t pte)
{
	return pte_valid(pte);
}

static bool pte_may_exec(pte_t pte)
{
	return pte_user_exec(pte);
}

/* hugetlb also sets the bit on kernels without contpte. */
static bool pte_hw_cont(pte_t pte)
{
	return pte_valid(pte) && pte_cont(pte);
}
#else
static bool pte_hw_valid(pte_t pte)
{
	return pte_val(pte) & _PAGE_PRESENT;
}

static bool pte_may_exec(pte_t pte)
{
	return pte_exec(pte);
}

static bool pte_hw_cont(pte_t pte)
{
	return false;
}
#endif

/* Flags that have a meaning only if the entry is present. */
static u32 flags_of(pte_t pte)
{
	u32 flags = PTELAB_PTE_PRESENT;

	if (pte_hw_valid(pte))
		flags |= PTELAB_PTE_VALID;
	if (pte_write(pte))
		flags |= PTELAB_PTE_WRITE;
	if (pte_may_exec(pte))
		flags |= PTELAB_PTE_EXEC;
	if (pte_young(pte))
		flags |= PTELAB_PTE_YOUNG;
	if (pte_dirty(pte))
		flags |= PTELAB_PTE_DIRTY;
	if (pte_special(pte))
		flags |= PTELAB_PTE_SPECIAL;
	if (pte_hw_cont(pte))
		flags |= PTELAB_PTE_CONT;
	return flags;
}

/* A PMD or PUD leaf has the bits of a PTE if both levels have them. */
static pte_t as_pte(u64 raw)
{
	return __pte(raw);
}

static void set_leaf(struct ptelab_leaf *leaf, u8 level, u64 raw, bool present,
		     u64 pfn)
{
	leaf->level = level;
	leaf->raw = raw;
	leaf->ptep = NULL;
	if (present) {
		leaf->flags = flags_of(as_pte(raw));
		leaf->pfn = pfn;
		/* Here it is another bit, or has another meaning. */
		if (level != PTELAB_LEVEL_PTE)
			leaf->flags &= ~PTELAB_PTE_SPECIAL;
	} else {
		leaf->flags = raw ? PTELAB_PTE_SWAP : 0;
		leaf->pfn = 0;
		if (!raw)
			leaf->level = PTELAB_LEVEL_NONE;
	}
}

static void set_pte_leaf(struct ptelab_leaf *leaf, pte_t pte)
{
	bool present = pte_present(pte);

	set_leaf(leaf, PTELAB_LEVEL_PTE, pte_val(pte), present,
		 present ? pte_pfn(pte) : 0);
}

static void set_pmd_leaf(struct ptelab_leaf *leaf, pmd_t pmd)
{
	bool present = pmd_present(pmd);

	set_leaf(leaf, PTELAB_LEVEL_PMD, pmd_val(pmd), present, present ?
		 pmd_pfn(pmd) + ((leaf->addr & ~PMD_MASK) >> PAGE_SHIFT) : 0);
}

static void set_pud_leaf(struct ptelab_leaf *leaf, pud_t pud)
{
	bool present = pud_present(pud);

	set_leaf(leaf, PTELAB_LEVEL_PUD, pud_val(pud), present, present ?
		 pud_pfn(pud) + ((leaf->addr & ~PUD_MASK) >> PAGE_SHIFT) : 0);
}

static bool pmd_is_leaf(pmd_t pmd)
{
	return !pmd_present(pmd) || pmd_leaf(pmd) || pmd_trans_huge(pmd);
}

/* Returns the PUD entry's address; NULL if there is no PUD table. */
static pud_t *find_pud(struct mm_struct *mm, unsigned long addr)
{
	pgd_t *pgd = pgd_offset(mm, addr);
	p4d_t *p4d;

	if (pgd_none(READ_ONCE(*pgd)) || pgd_bad(READ_ONCE(*pgd)))
		return NULL;
	p4d = p4d_offset(pgd, addr);
	if (p4d_none(READ_ONCE(*p4d)) || p4d_bad(READ_ONCE(*p4d)))
		return NULL;
	return pud_offset(p4d, addr);
}

static void walk_none(unsigned long addr, unsigned long end, ptelab_leaf_fn fn,
		      void *ctx)
{
	struct ptelab_leaf leaf = { .addr = addr };

	for (; leaf.addr < end; leaf.addr += PAGE_SIZE)
		fn(&leaf, ctx);
}

/*
 * Processes can share the tables of a hugetlb mapping, and unshare them under
 * locks that a module can't take. So read them as GUP-fast does: no table is
 * freed while a CPU has interrupts off.
 */
static void peek_hugetlb(struct mm_struct *mm, struct ptelab_leaf *leaf)
{
	unsigned long flags;
	pud_t *pudp, pud;
	pmd_t *pmdp, pmd;
	pte_t pte = __pte(0);

	set_pte_leaf(leaf, pte);
	local_irq_save(flags);
	pudp = find_pud(mm, leaf->addr);
	if (!pudp)
		goto out;
	pud = READ_ONCE(*pudp);
	if (pud_none(pud))
		goto out;
	if (!pud_present(pud) || pud_leaf(pud)) {
		set_pud_leaf(leaf, pud);
		goto out;
	}
	if (pud_bad(pud))
		goto out;
	pmdp = pmd_offset_lockless(pudp, pud, leaf->addr);
	pmd = READ_ONCE(*pmdp);
	if (pmd_none(pmd))
		goto out;
	if (pmd_is_leaf(pmd)) {
		set_pmd_leaf(leaf, pmd);
		goto out;
	}
	if (pmd_bad(pmd))
		goto out;
	pte = READ_ONCE(*pte_offset_kernel(&pmd, leaf->addr));
	set_pte_leaf(leaf, pte);
out:
	local_irq_restore(flags);
	leaf->flags |= PTELAB_PTE_HUGETLB;
}

bool ptelab_hugetlb_same(const struct ptelab_leaf *leaf)
{
	struct ptelab_leaf now = { .addr = leaf->addr };

	peek_hugetlb(current->mm, &now);
	return now.level == leaf->level && now.raw == leaf->raw;
}

static void walk_hugetlb(struct mm_struct *mm, unsigned long addr,
			 unsigned long end, ptelab_leaf_fn fn, void *ctx)
{
	struct ptelab_leaf leaf = { .addr = addr };

	for (; leaf.addr < end; leaf.addr += PAGE_SIZE) {
		peek_hugetlb(mm, &leaf);
		fn(&leaf, ctx);
	}
}

/* Returns false if the entry changed and must be read again. */
static bool walk_pmd_leaf(struct mm_struct *mm, pmd_t *pmdp,
			  unsigned long addr, unsigned long end,
			  ptelab_leaf_fn fn, void *ctx)
{
	struct ptelab_leaf leaf = { .addr = addr };
	spinlock_t *ptl = pmd_lock(mm, pmdp);
	pmd_t pmd = READ_ONCE(*pmdp);

	if (pmd_none(pmd) || !pmd_is_leaf(pmd)) {
		spin_unlock(ptl);
		return false;
	}
	for (; leaf.addr < end; leaf.addr += PAGE_SIZE) {
		set_pmd_leaf(&leaf, pmd);
		fn(&leaf, ctx);
	}
	spin_unlock(ptl);
	return true;
}

/* Returns false if the PMD entry changed and must be read again. */
static bool walk_ptes(struct mm_struct *mm, pmd_t *pmdp, pmd_t pmd,
		      unsigned long addr, unsigned long end, ptelab_leaf_fn fn,
		      void *ctx)
{
	struct ptelab_leaf leaf = { .addr = addr };
	spinlock_t *ptl;
	pte_t *ptep;

	rcu_read_lock();
	ptl = pte_lockptr(mm, &pmd);
	spin_lock(ptl);
	if (!pmd_same(pmd, READ_ONCE(*pmdp))) {
		spin_unlock(ptl);
		rcu_read_unlock();
		return false;
	}
	ptep = pte_offset_kernel(&pmd, addr);
	for (; leaf.addr < end; leaf.addr += PAGE_SIZE, ptep++) {
		/* The entry alone; ptep_get() would gather a block. */
		set_pte_leaf(&leaf, READ_ONCE(*ptep));
		leaf.ptep = ptep;
		fn(&leaf, ctx);
	}
	spin_unlock(ptl);
	rcu_read_unlock();
	return true;
}

/* The range lies within one PMD entry and one mapping. */
static void walk_pmd(struct mm_struct *mm, unsigned long addr,
		     unsigned long end, ptelab_leaf_fn fn, void *ctx)
{
	pud_t *pudp = find_pud(mm, addr);
	struct ptelab_leaf leaf;
	pmd_t *pmdp, pmd;
	pud_t pud;

	if (!pudp)
		goto none;
	pud = READ_ONCE(*pudp);
	if (pud_none(pud))
		goto none;
	if (!pud_present(pud) || pud_leaf(pud)) {
		for (leaf.addr = addr; leaf.addr < end; leaf.addr += PAGE_SIZE) {
			set_pud_leaf(&leaf, pud);
			fn(&leaf, ctx);
		}
		return;
	}
	if (pud_bad(pud))
		goto none;
	/* A PMD page stays allocated as long as a mapping needs it. */
	pmdp = pmd_offset(pudp, addr);
	for (;;) {
		pmd = READ_ONCE(*pmdp);
		if (pmd_none(pmd))
			goto none;
		if (pmd_is_leaf(pmd)) {
			if (walk_pmd_leaf(mm, pmdp, addr, end, fn, ctx))
				return;
		} else if (pmd_bad(pmd)) {
			goto none;
		} else if (walk_ptes(mm, pmdp, pmd, addr, end, fn, ctx)) {
			return;
		}
	}
none:
	walk_none(addr, end, fn, ctx);
}

/* mmap_lock is held. */
static void walk_chunk(struct mm_struct *mm, unsigned long addr,
		       unsigned long end, ptelab_leaf_fn fn, void *ctx)
{
	struct vm_area_struct *vma = NULL;
	unsigned long next;

	for (; addr < end; addr = next) {
		if (!vma || addr >= vma->vm_end)
			vma = find_vma(mm, addr);
		if (!vma || vma->vm_start > addr) {
			next = vma ? min(vma->vm_start, end) : end;
			walk_none(addr, next, fn, ctx);
			continue;
		}
		next = pmd_addr_end(addr, min(end, vma->vm_end));
		if (is_vm_hugetlb_page(vma))
			walk_hugetlb(mm, addr, next, fn, ctx);
		else
			walk_pmd(mm, addr, next, fn, ctx);
	}
}

int ptelab_walk(unsigned long addr, unsigned long end, ptelab_leaf_fn fn,
		ptelab_chunk_fn chunk, void *ctx)
{
	const unsigned long step = PTELAB_CHUNK * PAGE_SIZE;
	struct mm_struct *mm = current->mm;
	unsigned long next;
	int ret;

	for (; addr < end; addr = next) {
		/* Align chunks, so that no contpte block is split. */
		next = min(ALIGN_DOWN(addr, step) + step, end);
		if (fatal_signal_pending(current) || mmap_read_lock_killable(mm))
			return -EINTR;
		walk_chunk(mm, addr, next, fn, ctx);
		mmap_read_unlock(mm);
		ret = chunk ? chunk(ctx) : 0;
		if (ret)
			return ret;
		cond_resched();
	}
	return 0;
}

/* --- PTELAB_IOC_PTES --- */

struct pte_report {
	struct ptelab_ptes arg;
	struct ptelab_pte *page;	/* of this chunk; NULL: not wanted */
	unsigned int nr;
	struct ptelab_pte __user *to;
	u64 mair;
	/* The current contpte block, and how many entries are consistent. */
	unsigned long block_pages;
	u64 block_pfn;
};

#ifdef CONFIG_ARM64
static u64 read_mair(void)
{
	return read_sysreg(mair_el1);
}

static u8 memtype_of(u64 mair, u64 raw, u8 level, u8 *attr, u8 *byte)
{
	*attr = (raw & PTE_ATTRINDX_MASK) / PTE_ATTRINDX(1);
	*byte = mair >> (*attr * 8);
	switch (*byte) {
	case 0x00: return PTELAB_MEM_NGNRNE;
	case 0x04: return PTELAB_MEM_NGNRE;
	case 0x0c: return PTELAB_MEM_GRE;
	case 0x44: return PTELAB_MEM_NC;
	case 0xf0: return PTELAB_MEM_TAGGED;
	case 0xff: return PTELAB_MEM_NORMAL;
	}
	return PTELAB_MEM_UNKNOWN;
}
#else
static u64 read_mair(void)
{
	return 0;
}

static u8 memtype_of(u64 mair, u64 raw, u8 level, u8 *attr, u8 *byte)
{
	u64 pat = level == PTELAB_LEVEL_PTE ? _PAGE_PAT : _PAGE_PAT_LARGE;

	*attr = (raw & _PAGE_PWT ? 1 : 0) | (raw & _PAGE_PCD ? 2 : 0) |
		(raw & pat ? 4 : 0);
	*byte = 0;
	return PTELAB_MEM_UNKNOWN;
}
#endif

/*
 * Without a race the lockless reader must return the same as ptep_get(). The
 * lock keeps everyone out except the hardware, which may set young and dirty at
 * any time. So the result may agree with either of two reads around it.
 */
static void compare(struct pte_report *r, pte_t *ptep)
{
	pte_t before = ptep_get(ptep), lockless = ptep_get_lockless(ptep);
	pte_t after = ptep_get(ptep);

	r->arg.compared++;
	if (!pte_same(lockless, before) && !pte_same(lockless, after))
		r->arg.different++;
}

static void report_block(struct pte_report *r, const struct ptelab_leaf *leaf)
{
	unsigned long index = (leaf->addr >> PAGE_SHIFT) % PTELAB_CONT_PTES;

	if (!(leaf->flags & PTELAB_PTE_CONT) ||
	    leaf->level != PTELAB_LEVEL_PTE) {
		r->block_pages = 0;
		return;
	}
	if (!index) {
		r->block_pages = 1;
	} else if (r->block_pages == index &&
		   leaf->pfn == r->block_pfn + index) {
		r->block_pages++;
	} else {
		r->block_pages = 0;
		return;
	}
	r->block_pfn = leaf->pfn - index;
	if (r->block_pages == PTELAB_CONT_PTES)
		r->arg.cont_blocks++;
}

static void report_leaf(const struct ptelab_leaf *leaf, void *ctx)
{
	struct ptelab_pte pte = {
		.raw = leaf->raw,
		.pfn = leaf->pfn,
		.flags = leaf->flags,
		.level = leaf->level,
	};
	struct pte_report *r = ctx;
	u32 flags = leaf->flags;

	if (flags & PTELAB_PTE_PRESENT) {
		pte.memtype = memtype_of(r->mair, leaf->raw, leaf->level,
					 &pte.attr, &pte.mair);
		r->arg.memtype[pte.memtype]++;
		r->arg.present++;
	} else if (flags & PTELAB_PTE_SWAP) {
		r->arg.swap++;
	} else {
		r->arg.none++;
	}
	r->arg.write += !!(flags & PTELAB_PTE_WRITE);
	r->arg.young += !!(flags & PTELAB_PTE_YOUNG);
	r->arg.dirty += !!(flags & PTELAB_PTE_DIRTY);
	r->arg.cont += !!(flags & PTELAB_PTE_CONT);
	r->arg.special += !!(flags & PTELAB_PTE_SPECIAL);
	r->arg.hugetlb += !!(flags & PTELAB_PTE_HUGETLB);
	r->arg.pmd += leaf->level == PTELAB_LEVEL_PMD &&
		      (flags & PTELAB_PTE_PRESENT);
	report_block(r, leaf);
	if ((r->arg.flags & PTELAB_PTES_COMPARE) && leaf->ptep &&
	    (flags & PTELAB_PTE_PRESENT))
		compare(r, leaf->ptep);
	if (r->page)
		r->page[r->nr++] = pte;
}

static int report_chunk(void *ctx)
{
	struct pte_report *r = ctx;

	if (r->nr && copy_to_user(r->to, r->page, r->nr * sizeof(*r->page)))
		return -EFAULT;
	r->to += r->nr;
	r->nr = 0;
	return 0;
}

long ptelab_ioc_ptes(struct ptelab_file *f, void __user *uarg)
{
	struct pte_report *r;
	int ret;

	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return -ENOMEM;
	ret = ptelab_get(&r->arg, PTELAB_PTES_COMPARE, uarg);
	if (ret)
		goto out;
	ret = ptelab_check_range(r->arg.addr, r->arg.len,
				 PTELAB_PTES_MAX_PAGES);
	if (ret)
		goto out;
	if (r->arg.buf) {
		r->page = kvmalloc_array(PTELAB_CHUNK, sizeof(*r->page),
					 GFP_KERNEL_ACCOUNT);
		ret = -ENOMEM;
		if (!r->page)
			goto out;
		r->to = u64_to_user_ptr(r->arg.buf);
	}
	ptelab_clear_from(&r->arg, none);
	r->mair = read_mair();
	ret = ptelab_walk(r->arg.addr, r->arg.addr + r->arg.len, report_leaf,
			  report_chunk, r);
	if (!ret)
		ret = ptelab_put(uarg, &r->arg);
out:
	kvfree(r->page);
	kfree(r);
	return ret;
}
