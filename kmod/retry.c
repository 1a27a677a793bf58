// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the kernel's lockless contpte reader on a block that is not part of any
 * page table, against a known writer. So it can check what the reader may
 * return, and count how often it must start again.
 *
 * The writer changes the block only under its lock and in whole steps, as the
 * kernel does under a page-table lock. Before each store it logs what will be
 * true after it, so the log has every state that a reader can see. The writer
 * stops only between steps, because a reader that meets an inconsistent block
 * spins until the block is consistent, and can't be killed meanwhile.
 *
 * One file though it is long: the reader is checked against what the writer,
 * one function before, has logged.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/pgtable.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "ptelab.h"
#include "watch.h"

#ifdef PTELAB_HAVE_CONTPTE

#define LOG_SIZE	4096		/* stores; a power of two */

struct log_entry {
	u64 seq;			/* 0: being written */
	u64 value;
};

struct ptelab_retry_state {
	pte_t *pte;			/* CONT_PTES of them, in a page */

	raw_spinlock_t lock;		/* for a step of the writer, or a recheck */
	pte_t now[CONT_PTES];		/* content of pte[], never torn */
	u64 seq;			/* stores made */
	struct log_entry *log;
	unsigned int index;		/* of the entry that the log describes */

	struct ptelab_retry arg;
	struct rnd_state rnd;
	pte_t mended;			/* the valid value of break_index */
	struct ptelab_watch watch;
	unsigned int tries_left;	/* of the current read, until the entry is mended */
};

/* --- the writer --- */

static bool same_block(pte_t a, unsigned int i, pte_t b, unsigned int j)
{
	pgprot_t pa = pte_pgprot(pte_mkold(pte_mkclean(a)));
	pgprot_t pb = pte_pgprot(pte_mkold(pte_mkclean(b)));

	return pte_valid_cont(a) && pte_valid_cont(b) &&
	       pte_pfn(a) + j == pte_pfn(b) + i &&
	       pgprot_val(pa) == pgprot_val(pb);
}

/* What a reader of the target would see that reads all entries at once. */
static u64 truth(const struct ptelab_retry_state *r)
{
	pte_t pte = r->now[r->index];
	unsigned int i;

	if (!pte_valid_cont(pte))
		return pte_val(pte);
	for (i = 0; i < CONT_PTES; i++) {
		if (!same_block(r->now[i], i, r->now[r->index], r->index))
			continue;
		if (pte_dirty(r->now[i]))
			pte = pte_mkdirty(pte);
		if (pte_young(r->now[i]))
			pte = pte_mkyoung(pte);
	}
	return pte_val(pte);
}

static void store(struct ptelab_retry_state *r, unsigned int i, pte_t pte)
{
	u64 seq = r->seq + 1;
	struct log_entry *e = &r->log[seq % LOG_SIZE];

	r->now[i] = pte;
	WRITE_ONCE(e->seq, 0);
	smp_wmb();	/* no reader takes the old seq for the new value */
	WRITE_ONCE(e->value, truth(r));
	smp_wmb();	/* nor the new seq for the old value */
	WRITE_ONCE(e->seq, seq);
	smp_wmb();	/* a reader that sees the entry finds it in the log */
	WRITE_ONCE(r->pte[i], pte);
	smp_store_release(&r->seq, seq);	/* pairs with the acquire in read_loop() */
}

static pte_t first_pte(struct ptelab_retry_state *r)
{
	u64 pfn = (u64)(prandom_u32_state(&r->rnd) % BIT(20) + 1) * CONT_PTES;

	/* No shareability: with LPA2 those bits are part of the address. */
	return pfn_pte(pfn, __pgprot(PTE_TYPE_PAGE | PTE_USER | PTE_NG |
				     PTE_PXN | PTE_UXN | PTE_WRITE |
				     PTE_RDONLY | PTE_ATTRINDX(MT_NORMAL)));
}

/* Sets all entries, which continue from the first one's value. */
static void set_all(struct ptelab_retry_state *r, pte_t pte)
{
	u64 pfn = pte_pfn(pte);
	unsigned int i;

	for (i = 0; i < CONT_PTES; i++)
		store(r, i, pfn_pte(pfn + i, pte_pgprot(pte)));
}

/* Clears all entries; @pte gets young and dirty if any entry had them. */
static pte_t clear_all(struct ptelab_retry_state *r, pte_t pte)
{
	unsigned int i;

	for (i = 0; i < CONT_PTES; i++) {
		pte_t old = r->now[i];

		store(r, i, __pte(0));
		if (pte_dirty(old))
			pte = pte_mkdirty(pte);
		if (pte_young(old))
			pte = pte_mkyoung(pte);
	}
	return pte;
}

/* In the order of contpte_convert() */
static void convert(struct ptelab_retry_state *r, bool fold)
{
	pte_t pte = fold ? pte_mkcont(r->now[0]) : pte_mknoncont(r->now[0]);

	set_all(r, clear_all(r, pte));
	if (fold)
		r->arg.folds++;
	else
		r->arg.unfolds++;
}

static void step_age(struct ptelab_retry_state *r)
{
	unsigned int i;

	for (i = 0; i < CONT_PTES; i++)
		if (pte_young(r->now[i]))
			store(r, i, pte_mkold(r->now[i]));
}

static void step_hw(struct ptelab_retry_state *r)
{
	unsigned int i = prandom_u32_state(&r->rnd) % CONT_PTES;
	pte_t pte = pte_mkyoung(r->now[i]);

	/* If software made the entry writable, hardware can set dirty. */
	if (pte_write(pte))
		pte = __pte(pte_val(pte) & ~PTE_RDONLY);
	store(r, i, pte);
}

static void step_clean(struct ptelab_retry_state *r)
{
	unsigned int i;

	for (i = 0; i < CONT_PTES; i++)
		if (pte_dirty(r->now[i]))
			store(r, i, pte_mkclean(r->now[i]));
}

/* Removes write permission like fork; restores it with the block unfolded. */
static void step_wrprotect(struct ptelab_retry_state *r)
{
	pte_t pte = r->now[0];
	unsigned int i;

	if (pte_write(pte)) {
		for (i = 0; i < CONT_PTES; i++)
			store(r, i, pte_wrprotect(r->now[i]));
		return;
	}
	pte = pte_mkwrite_novma(pte_mknoncont(pte));
	set_all(r, clear_all(r, pte));
}

static void step_zap(struct ptelab_retry_state *r)
{
	clear_all(r, __pte(0));
	set_all(r, pte_mkdirty(pte_mkyoung(pte_mkcont(first_pte(r)))));
}

static void step_break(struct ptelab_retry_state *r)
{
	store(r, r->arg.break_index, __pte(0));
	/* The reader has interrupts off meanwhile, so limit this. */
	ndelay(r->arg.hold_ns);
	store(r, r->arg.break_index, r->mended);
	r->arg.breaks++;
}

static void one_step(struct ptelab_retry_state *r)
{
	static void (*const steps[])(struct ptelab_retry_state *r) = {
		step_age, step_hw, step_clean, step_wrprotect, step_zap,
	};
	unsigned int pick = prandom_u32_state(&r->rnd) % (2 * ARRAY_SIZE(steps));

	if (r->arg.steps & PTELAB_STEP_BREAK)
		step_break(r);
	else if (pick < ARRAY_SIZE(steps) && (r->arg.steps & BIT(pick)))
		steps[pick](r);
	else
		convert(r, !pte_cont(r->now[0]));
}

static int writer(void *arg)
{
	struct ptelab_retry_state *r = arg;
	unsigned long flags;

	while (!kthread_should_stop()) {
		raw_spin_lock_irqsave(&r->lock, flags);
		one_step(r);
		r->arg.rounds++;
		raw_spin_unlock_irqrestore(&r->lock, flags);
		cond_resched();
	}
	return 0;
}

/*
 * The reader is about to read the broken entry. Mends it if this is the last
 * try. Runs on the reader's CPU, in the middle of its load.
 */
static void reader_hit(struct ptelab_watch *w)
{
	struct ptelab_retry_state *r =
		container_of(w, struct ptelab_retry_state, watch);

	if (r->tries_left && !--r->tries_left)
		store(r, r->arg.break_index, r->mended);
}

/* --- the reader --- */

/* Compares without young and dirty. */
static bool same_but_ad(u64 a, u64 b)
{
	return pte_val(pte_mkold(pte_mkclean(__pte(a)))) ==
	       pte_val(pte_mkold(pte_mkclean(__pte(b))));
}

/* Was @value true at any moment from store @from to the store after @to? */
static void check_value(struct ptelab_retry_state *r, u64 value, u64 from,
			u64 to)
{
	u64 seq, logged, last = 0;
	bool but_ad = false;

	if (to - from >= LOG_SIZE - 2) {
		r->arg.unchecked++;
		return;
	}
	/* The store after @to may have been made but not counted yet. */
	for (seq = from; seq <= to + 1; seq++) {
		const struct log_entry *e = &r->log[seq % LOG_SIZE];
		u64 before = READ_ONCE(e->seq), after;

		smp_rmb();	/* seq, value, and seq again, */
		logged = READ_ONCE(e->value);
		smp_rmb();	/* as store() writes them */
		after = READ_ONCE(e->seq);
		if (before != seq || after != seq) {
			/* not made yet, or made and overwritten since */
			if (seq > to && smp_load_acquire(&r->seq) < seq)
				break;
			r->arg.unchecked++;
			return;
		}
		if (logged == value) {
			r->arg.exact++;
			return;
		}
		but_ad |= same_but_ad(logged, value);
		last = logged;
	}
	if (but_ad) {
		r->arg.mixed++;
	} else if (!r->arg.wrong++) {
		r->arg.wrong_value = value;
		r->arg.wrong_expected = last;
	}
}

/*
 * Rechecks like GUP-fast, which compares with ptep_get(). The writer is locked
 * out, so there is a single answer to what is true at the recheck.
 */
static void recheck(struct ptelab_retry_state *r, u64 value)
{
	struct ptelab_retry *a = &r->arg;
	pte_t then = __pte(value), now;
	unsigned long flags;
	bool caught, relaxed;

	raw_spin_lock_irqsave(&r->lock, flags);
	now = __pte(truth(r));
	/* A reader of one entry rechecks only that entry. */
	caught = a->reader == PTELAB_READER_SINGLE ?
		 pte_val(r->now[r->index]) != value : pte_val(now) != value;
	raw_spin_unlock_irqrestore(&r->lock, flags);

	relaxed = !same_but_ad(pte_val(now), value);
	if (pte_dirty(then) && !pte_dirty(now)) {
		a->dirty_gone++;
		a->dirty_gone_caught += caught;
		a->dirty_gone_caught_relaxed += relaxed;
	}
	if (pte_young(then) && !pte_young(now)) {
		a->young_gone++;
		a->young_gone_caught += caught;
		a->young_gone_caught_relaxed += relaxed;
	}
	/* A value of another folio is not a miss. */
	a->dirty_missed += !relaxed && !pte_dirty(then) && pte_dirty(now);
	a->young_missed += !relaxed && !pte_young(then) && pte_young(now);
}

static bool watched(const struct ptelab_retry *a)
{
	return a->script == PTELAB_SCRIPT_TRIES ||
	       (a->flags & PTELAB_RETRY_WATCH);
}

/* The caller has interrupts off, as in GUP-fast. */
static pte_t read_one(struct ptelab_retry_state *r, pte_t *target)
{
	if (r->arg.script == PTELAB_SCRIPT_TRIES) {
		store(r, r->arg.break_index, __pte(0));
		r->arg.breaks++;
		r->tries_left = r->arg.tries;
	}
	if (r->arg.reader == PTELAB_READER_SINGLE)
		return READ_ONCE(*target);
	return contpte_ptep_get_lockless(target);
}

static int read_loop(struct ptelab_retry_state *r)
{
	struct ptelab_retry *a = &r->arg;
	pte_t *target = &r->pte[a->index];
	u64 from, to, hits = 0;
	int ret = 0;
	pte_t pte;

	for (a->done = 0; a->done < a->reads; a->done++) {
		if (fatal_signal_pending(current))
			return -EINTR;
		/*
		 * With interrupts off nothing can stop the reader's retries, so
		 * test the watchpoint first. It then keeps working: events are
		 * removed from a CPU by an interrupt, and probes by
		 * stop_machine().
		 */
		local_irq_disable();
		if (watched(a))
			ret = ptelab_watch_test(&r->watch);
		if (ret) {
			local_irq_enable();
			return ret;
		}
		hits -= ptelab_watch_count(&r->watch);
		from = smp_load_acquire(&r->seq);	/* of store() */
		pte = read_one(r, target);
		smp_rmb();	/* the value, then how far the writer was */
		to = READ_ONCE(r->seq);
		hits += ptelab_watch_count(&r->watch);
		local_irq_enable();

		if (!pte_valid(pte))
			a->none++;
		else if (pte_cont(pte))
			a->cont++;
		else
			a->noncont++;
		check_value(r, pte_val(pte), from, to);
		recheck(r, pte_val(pte));
		cond_resched();
	}
	/* Other readers may never come to break_index. */
	if (hits > a->done)
		a->retries = hits - a->done;
	return 0;
}

/* --- the ioctls --- */

static void free_state(struct ptelab_retry_state *r)
{
	free_page((unsigned long)r->pte);
	kvfree(r->log);
	kfree(r);
}

static struct ptelab_retry_state *get_state(struct ptelab_file *f)
{
	struct ptelab_retry_state *r = f->retry;

	if (r)
		return r;
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return NULL;
	/* The reader expects the block to be aligned to its size. */
	r->pte = (pte_t *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	r->log = kvcalloc(LOG_SIZE, sizeof(*r->log), GFP_KERNEL_ACCOUNT);
	if (!r->pte || !r->log) {
		free_state(r);
		return NULL;
	}
	raw_spin_lock_init(&r->lock);
	prandom_seed_state(&r->rnd, 1);
	set_all(r, pte_mkcont(first_pte(r)));
	f->retry = r;
	return r;
}

static int check_retry(const struct ptelab_retry *a)
{
	const u32 all = PTELAB_STEP_AGE | PTELAB_STEP_HW | PTELAB_STEP_CLEAN |
			PTELAB_STEP_WRPROTECT | PTELAB_STEP_ZAP;
	bool tries = a->script == PTELAB_SCRIPT_TRIES;
	bool step_break = a->steps == PTELAB_STEP_BREAK;

	if (a->reader > PTELAB_READER_SINGLE || a->script >= PTELAB_SCRIPT_NR)
		return -EINVAL;
	if ((a->steps & ~all) && !step_break)
		return -EINVAL;
	if (a->steps && a->script != PTELAB_SCRIPT_RACE)
		return -EINVAL;
	if (a->index >= CONT_PTES)
		return -EINVAL;
	if (a->reads > PTELAB_RETRY_MAX_READS)
		return -E2BIG;
	if (tries || step_break) {
		if (a->break_index >= CONT_PTES || a->break_index == a->index)
			return -EINVAL;
		/* Entry 0 gets these bits, so nothing else may change it. */
		if ((a->flags & (PTELAB_RETRY_YOUNG | PTELAB_RETRY_DIRTY)) &&
		    !a->break_index)
			return -EINVAL;
	} else if (a->flags || a->break_index) {
		return -EINVAL;
	}
	/*
	 * Refuse if the reader would never read the broken entry: a reader of
	 * one entry, or one that has found everything it looks for before that
	 * entry.
	 */
	if (watched(a) && (a->reader != PTELAB_READER_KERNEL ||
			   !(~a->flags & (PTELAB_RETRY_YOUNG |
					  PTELAB_RETRY_DIRTY))))
		return -EINVAL;
	if (tries ? !a->tries || a->tries > PTELAB_RETRY_MAX_TRIES : a->tries)
		return -EINVAL;
	if (step_break ? a->hold_ns > PTELAB_RETRY_MAX_HOLD : a->hold_ns)
		return -EINVAL;
	if (a->cpu < -1 ||
	    (a->cpu >= 0 && (a->cpu >= nr_cpu_ids || !cpu_online(a->cpu))))
		return -EINVAL;
	return 0;
}

/* A folded block; old and clean, except for requested bits. */
static void start_block(struct ptelab_retry_state *r)
{
	struct ptelab_retry *a = &r->arg;
	pte_t first;

	prandom_seed_state(&r->rnd, a->seed);
	r->index = a->index;
	clear_all(r, __pte(0));
	set_all(r, pte_mkcont(first_pte(r)));
	first = r->now[0];
	if (a->flags & PTELAB_RETRY_YOUNG)
		first = pte_mkyoung(first);
	if (a->flags & PTELAB_RETRY_DIRTY)
		first = pte_mkdirty(first);
	store(r, 0, first);
	r->mended = r->now[a->break_index];
}

static int run(struct ptelab_retry_state *r)
{
	struct task_struct *t = NULL;
	unsigned int cpu;
	u64 start;
	int ret;

	ptelab_clear_from(&r->arg, done);
	start_block(r);
	if (watched(&r->arg)) {
		ret = ptelab_watch_start(&r->watch,
					 &r->pte[r->arg.break_index],
					 r->arg.script == PTELAB_SCRIPT_TRIES ?
					 reader_hit : NULL);
		if (ret)
			return ret;
	}
	if (r->arg.script == PTELAB_SCRIPT_RACE) {
		t = kthread_create(writer, r, "ptelab_writer");
		if (IS_ERR(t)) {
			ret = PTR_ERR(t);
			goto out;
		}
		cpu = r->arg.cpu;
		if (r->arg.cpu < 0)
			cpu = cpumask_any_but(cpu_online_mask,
					      raw_smp_processor_id());
		/* With a single CPU the two threads take turns. */
		if (cpu < nr_cpu_ids)
			kthread_bind(t, cpu);
		wake_up_process(t);
		/* Or all reads may be done before it gets a CPU. */
		while (!READ_ONCE(r->arg.rounds) && !fatal_signal_pending(current))
			schedule_timeout_killable(1);
	}
	start = ktime_get_ns();
	ret = read_loop(r);
	r->arg.ns = ktime_get_ns() - start;
	if (t)
		kthread_stop(t);
out:
	ptelab_watch_stop(&r->watch);
	return ret;
}

long ptelab_ioc_retry(struct ptelab_file *f, void __user *uarg)
{
	struct ptelab_retry_state *r;
	struct ptelab_retry *arg;
	int ret;

	arg = kmalloc(sizeof(*arg), GFP_KERNEL_ACCOUNT);
	if (!arg)
		return -ENOMEM;
	ret = ptelab_get(arg, PTELAB_RETRY_YOUNG | PTELAB_RETRY_DIRTY |
			 PTELAB_RETRY_WATCH, uarg);
	if (!ret)
		ret = check_retry(arg);
	if (ret)
		goto out;
	ret = -EINTR;
	if (mutex_lock_interruptible(&f->lock))
		goto out;
	ret = -ENOMEM;
	r = get_state(f);
	if (r) {
		r->arg = *arg;
		ret = run(r);
		*arg = r->arg;
	}
	mutex_unlock(&f->lock);
	if (!ret)
		ret = ptelab_put(uarg, arg);
out:
	kfree(arg);
	return ret;
}

void ptelab_retry_release(struct ptelab_file *f)
{
	if (f->retry)
		free_state(f->retry);
}

#else /* no contpte */

long ptelab_ioc_retry(struct ptelab_file *f, void __user *uarg)
{
	return -EOPNOTSUPP;
}

void ptelab_retry_release(struct ptelab_file *f)
{
}

#endif
