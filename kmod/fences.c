// SPDX-License-Identifier: GPL-2.0
/*
 * Barriers with the kernel's own primitives: litmus tests in kernel threads,
 * and what a primitive adds to a loop. The tests are those of lib/litmus,
 * which the Makefile turns into litmus_tests.h; user space runs the same ones.
 */
#include <linux/completion.h>
#include <linux/cpu.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "ptelab.h"
#include "litmus_test.h"

/* Instances in memory at a time */
#define SIZE		1024
/* What no two CPUs' private data may share: two lines, where CPUs fetch pairs */
#define LINE		128

/* One process of a test, for a round of instances. */
struct litmus_loop {
	u32 n;
	u8 *out;		/* registers, 2 bits each, of each instance */
	char *var[LITMUS_VARS];
	u32 first[LITMUS_VARS];
	u32 stride;
	struct litmus_run *run;
	u32 id;			/* of the thread, not of the process */
	u64 seq;		/* instances started */
	u64 random;
} __aligned(LINE);

struct litmus_line {
	u64 seq;
} __aligned(LINE);

struct litmus_run {
	struct litmus_line met[LITMUS_PROCS], arrived[LITMUS_PROCS];
	struct litmus_loop loop[LITMUS_PROCS];
	u8 out[LITMUS_PROCS][SIZE];
	const struct litmus_test *test;
	char *memory;
	u32 flags, spread;
	/* of the round under way, by the first thread */
	u32 owner[LITMUS_VARS], first[LITMUS_VARS], turn, n;
	u64 random;
	u64 left;
	u64 *state;
	bool stop;
	atomic_t running;
	struct completion done;
};

/* One call at a time: two would keep each other's CPUs. */
static DEFINE_MUTEX(litmus_lock);

static u64 draw(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static __always_inline void *LITMUS_VAR(const struct litmus_loop *l, int var,
					u32 i)
{
	u32 at = (l->first[var] + i * l->stride) % SIZE;

	return l->var[var] + (size_t)at * LINE;
}

/* Short waits spin; a longer one lets others have the CPU. */
static bool wait_for(const u64 *seq, u64 least, const bool *stop, u32 *turns)
{
	/* Pairs with the releases of meet() and LITMUS_SYNC(). */
	while (smp_load_acquire(seq) < least) {
		if (++*turns % 1024)
			continue;
		if (READ_ONCE(*stop))
			return false;
		cond_resched();
	}
	return true;
}

static void meet(struct litmus_run *r, u32 id)
{
	u64 seq = r->met[id].seq + 1;
	u32 i, turns = 0;

	/* What this thread did is seen by all that wait for it. */
	smp_store_release(&r->met[id].seq, seq);
	for (i = 0; i < r->test->nr_procs; i++)
		if (!wait_for(&r->met[i].seq, seq, &r->stop, &turns))
			return;
}

/*
 * All have come; the last one waits a little longer, for anything up to twice
 * the time after which the others hear of it.
 */
static __always_inline void LITMUS_SYNC(struct litmus_loop *l, u32 nr)
{
	struct litmus_run *r = l->run;
	u32 i, turns = 0;

	if (r->flags & PTELAB_LITMUS_FREE)
		goto out;
	/* Nothing of the instance before is left when the next one starts. */
	smp_store_release(&r->arrived[l->id].seq, ++l->seq);
	for (i = 0; i < r->test->nr_procs; i++)
		if (!wait_for(&r->arrived[i].seq, l->seq, &r->stop, &turns))
			return;
	if (!turns)
		for (i = draw(&l->random) % r->spread; i; i--)
			barrier();
out:
	/* Nothing of the test is moved up here by the compiler. */
	barrier();
}

#include "litmus_tests.h"

static const struct litmus_test *find_test(const char *name)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(litmus_table); i++)
		if (!strcmp(litmus_table[i].name, name))
			return &litmus_table[i];
	return NULL;
}

static void plan(struct litmus_run *r)
{
	u32 v;

	r->turn++;
	r->n = min_t(u64, r->left, SIZE);
	for (v = 0; v < LITMUS_VARS; v++) {
		u64 d = draw(&r->random);
		bool shuffle = r->flags & PTELAB_LITMUS_SHUFFLE;

		r->owner[v] = shuffle ? (d >> 32) % r->test->nr_procs : 0;
		r->first[v] = shuffle ? d % SIZE : 0;
	}
}

/* Zeroes the variables that are to start in this CPU's cache. */
static void fill(struct litmus_run *r, u32 id)
{
	u32 v, i;

	for (v = 0; v < LITMUS_VARS; v++) {
		if (r->owner[v] != id)
			continue;
		for (i = 0; i < SIZE; i++)
			WRITE_ONCE(*(int *)(r->loop[id].var[v] + i * LINE), 0);
	}
}

static void collect(struct litmus_run *r)
{
	const struct litmus_test *t = r->test;
	u32 i, o, key, value;

	for (i = 0; i < r->n; i++) {
		key = 0;
		for (o = 0; o < t->nr_observed; o++) {
			const struct litmus_observed *w = &t->observed[o];

			value = w->proc < 0 ? READ_ONCE(*(int *)
					LITMUS_VAR(&r->loop[0], w->slot, i)) :
				r->out[w->proc][i] >> 2 * w->slot;
			key |= (value & 3) << 2 * o;
		}
		r->state[key]++;
	}
	r->left -= r->n;
}

static void rounds(struct litmus_run *r, u32 id)
{
	struct litmus_loop *l = &r->loop[id];
	u32 proc;

	for (;;) {
		if (!id && r->left)
			plan(r);
		meet(r, id);
		if (!r->left || READ_ONCE(r->stop))
			return;
		fill(r, id);
		memcpy(l->first, r->first, sizeof(r->first));
		l->n = r->n;
		proc = (id + r->turn) % r->test->nr_procs;
		l->out = r->out[proc];
		meet(r, id);
		r->test->loop[proc](l);
		meet(r, id);
		if (READ_ONCE(r->stop))
			return;
		if (!id)
			collect(r);
		cond_resched();
	}
}

static int litmus_thread(void *arg)
{
	struct litmus_loop *l = arg;
	struct litmus_run *r = l->run;

	rounds(r, l->id);
	if (atomic_dec_and_test(&r->running))
		complete(&r->done);
	/* Until kthread_stop(): r is its caller's. */
	for (;;) {
		set_current_state(TASK_INTERRUPTIBLE);
		if (kthread_should_stop())
			break;
		schedule();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

static int start_threads(struct litmus_run *r, const s32 *cpu,
			 struct task_struct **t)
{
	u32 i, nr = r->test->nr_procs;
	int ret = 0;

	atomic_set(&r->running, nr);
	cpus_read_lock();
	for (i = 0; i < nr && !ret; i++) {
		if (cpu[i] < 0 || cpu[i] >= nr_cpu_ids || !cpu_online(cpu[i])) {
			ret = -EINVAL;
			break;
		}
		t[i] = kthread_create(litmus_thread, &r->loop[i],
				      "ptelab_litmus/%u", i);
		if (IS_ERR(t[i])) {
			ret = PTR_ERR(t[i]);
			t[i] = NULL;
		} else {
			kthread_bind(t[i], cpu[i]);
		}
	}
	cpus_read_unlock();
	for (i = 0; i < nr && !ret; i++)
		wake_up_process(t[i]);
	return ret;
}

static int litmus_go(struct litmus_run *r, struct ptelab_litmus *arg)
{
	struct task_struct *t[LITMUS_PROCS] = { NULL };
	u64 start = ktime_get_ns();
	u32 i;
	int ret = start_threads(r, arg->cpu, t);

	if (!ret) {
		if (wait_for_completion_killable(&r->done))
			ret = -EINTR;
		WRITE_ONCE(r->stop, true);
	}
	/* Those that never ran return at once. */
	for (i = 0; i < r->test->nr_procs; i++)
		if (t[i])
			kthread_stop(t[i]);
	arg->ns = ktime_get_ns() - start;
	return ret;
}

static struct litmus_run *litmus_make(const struct litmus_test *test,
				      struct ptelab_litmus *arg)
{
	struct litmus_run *r = vzalloc(sizeof(*r));
	u32 i, v;

	if (!r)
		return NULL;
	r->memory = vzalloc(LITMUS_VARS * SIZE * LINE);
	if (!r->memory) {
		vfree(r);
		return NULL;
	}
	r->test = test;
	r->flags = arg->flags;
	r->spread = arg->spread;
	r->left = arg->outcomes;
	r->state = arg->state;
	r->random = arg->seed | 1;
	init_completion(&r->done);
	for (i = 0; i < test->nr_procs; i++) {
		struct litmus_loop *l = &r->loop[i];

		l->run = r;
		l->id = i;
		l->stride = arg->stride;
		l->random = draw(&r->random);
		for (v = 0; v < LITMUS_VARS; v++)
			l->var[v] = r->memory + v * SIZE * LINE;
	}
	return r;
}

long ptelab_ioc_litmus(struct ptelab_file *f, void __user *uarg)
{
	const struct litmus_test *test;
	struct ptelab_litmus *arg;
	struct litmus_run *r;
	long ret;

	arg = kmalloc(sizeof(*arg), GFP_KERNEL_ACCOUNT);
	if (!arg)
		return -ENOMEM;
	ret = ptelab_get(arg, PTELAB_LITMUS_SHUFFLE | PTELAB_LITMUS_FREE, uarg);
	if (ret)
		goto out;
	ret = -EINVAL;
	if (strnlen(arg->name, sizeof(arg->name)) == sizeof(arg->name) ||
	    !(arg->stride & 1) || arg->stride >= SIZE || !arg->spread)
		goto out;
	ret = -E2BIG;
	if (arg->outcomes > PTELAB_LITMUS_MAX_OUTCOMES ||
	    arg->spread > PTELAB_LITMUS_MAX_SPREAD)
		goto out;
	ret = -ENOENT;
	test = find_test(arg->name);
	if (!test)
		goto out;
	ptelab_clear_from(arg, state);
	ret = -ENOMEM;
	r = litmus_make(test, arg);
	if (!r)
		goto out;
	ret = mutex_lock_killable(&litmus_lock);
	if (!ret) {
		ret = litmus_go(r, arg);
		mutex_unlock(&litmus_lock);
	}
	vfree(r->memory);
	vfree(r);
	if (!ret)
		ret = ptelab_put(uarg, arg);
out:
	kfree(arg);
	return ret;
}

/* --- the cost of a primitive --- */

/* As far apart as bench/barrier/barrier_cost.h has its lines */
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

static __always_inline void release(u64 *p, u64 v)
{
	/* orders nothing that matters: its cost is what is asked for */
	smp_store_release(p, v);
}

static __always_inline u64 acquire(u64 *p)
{
	/* as above */
	return smp_load_acquire(p);
}

static __always_inline void nothing(void)
{
}

static __always_inline void full(void)
{
	/* as above */
	smp_mb();
}

static __always_inline void stores(void)
{
	/* as above */
	smp_wmb();
}

static __always_inline void loads(void)
{
	/* as above */
	smp_rmb();
}

static __always_inline void full_mb(void)
{
	/* as above */
	mb();
}

static __always_inline void full_wmb(void)
{
	/* as above */
	wmb();
}

static __always_inline void full_rmb(void)
{
	/* as above */
	rmb();
}

static __always_inline void for_dma_wmb(void)
{
	/* as above */
	dma_wmb();
}

static __always_inline void for_dma_rmb(void)
{
	/* as above */
	dma_rmb();
}

/* The same loop as in user space; the note keeps two of them apart. */
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
		BARRIER;						\
		STORE(&c->flag.value, i);				\
		LOAD(&c->word.value);					\
	}								\
}

LOOP(none, nothing(), plain_store, plain_load)
LOOP(copy, nothing(), plain_store, plain_load)
LOOP(mb, full(), plain_store, plain_load)
LOOP(wmb, stores(), plain_store, plain_load)
LOOP(rmb, loads(), plain_store, plain_load)
LOOP(release, nothing(), release, plain_load)
LOOP(acquire, nothing(), plain_store, acquire)
LOOP(full_mb, full_mb(), plain_store, plain_load)
LOOP(full_wmb, full_wmb(), plain_store, plain_load)
LOOP(full_rmb, full_rmb(), plain_store, plain_load)
LOOP(dma_wmb, for_dma_wmb(), plain_store, plain_load)
LOOP(dma_rmb, for_dma_rmb(), plain_store, plain_load)
#ifdef CONFIG_ARM64
LOOP(isb, isb(), plain_store, plain_load)
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

/* The caller's memory, as the last call had it. */
struct ptelab_barrier_map {
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
	/* A translation for each page, at the price of one of its lines. */
	for (i = 0; i < pages; i++)
		READ_ONCE(*(u64 *)(m->base + (size_t)i * PAGE_SIZE));
	return 0;
}

/*
 * The lock is held. A mapping is made once: as much work before one loop as
 * before another, so that their counts compare to the last instruction.
 */
static int get_memory(struct ptelab_file *f, u64 addr, u64 len)
{
	struct ptelab_barrier_map *m = f->barrier;
	int ret;

	if (m && m->addr == addr && m->len == len)
		return 0;
	ptelab_barrier_release(f);
	m = kzalloc(sizeof(*m), GFP_KERNEL_ACCOUNT);
	if (!m)
		return -ENOMEM;
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
