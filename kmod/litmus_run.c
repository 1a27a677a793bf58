// SPDX-License-Identifier: GPL-2.0
/*
 * Litmus tests in kernel threads, with the kernel's own primitives. The tests
 * are those of lib/litmus, which the Makefile turns into litmus_tests.h; user
 * space runs the same ones.
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

/* Instances that are in memory at the same time */
#define SIZE		1024
/* Two cache lines, as some CPUs fetch pairs: for data private to a CPU */
#define LINE		128

/* One process of a test, for a round of instances. */
struct litmus_loop {
	u32 n;
	u8 *out;		/* registers of each instance, 2 bits each */
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
	/* of the current round; set by the first thread */
	u32 owner[LITMUS_VARS], first[LITMUS_VARS], turn, n;
	u64 random;
	u64 left;
	u64 *state;
	bool stop;
	atomic_t running;
	struct completion done;
};

/* One call at a time. Two calls would compete for CPUs. */
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

/* Spins at first, and yields the CPU if the wait is long. */
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

	/* Whoever waits for this thread then sees all that it did before. */
	smp_store_release(&r->met[id].seq, seq);
	for (i = 0; i < r->test->nr_procs; i++)
		if (!wait_for(&r->met[i].seq, seq, &r->stop, &turns))
			return;
}

/*
 * Waits until all threads are here. The last one to arrive then waits for a
 * random time of up to twice what its arrival takes to reach the others, so
 * that no thread is always first.
 */
static __always_inline void LITMUS_SYNC(struct litmus_loop *l, u32 nr)
{
	struct litmus_run *r = l->run;
	u32 i, turns = 0;

	if (r->flags & PTELAB_LITMUS_FREE)
		goto out;
	/* Completes all accesses of the previous instance. */
	smp_store_release(&r->arrived[l->id].seq, ++l->seq);
	for (i = 0; i < r->test->nr_procs; i++)
		if (!wait_for(&r->arrived[i].seq, l->seq, &r->stop, &turns))
			return;
	if (!turns)
		for (i = draw(&l->random) % r->spread; i; i--)
			barrier();
out:
	/* Keep the compiler from moving accesses of the test up here. */
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
	/* Run until kthread_stop(), since the caller owns r. */
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
	/* Threads that never ran return at once. */
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
