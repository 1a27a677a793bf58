// SPDX-License-Identifier: GPL-2.0
/*
 * Random ioctls from several threads, on files that they share, while others
 * change the address space under them. Nothing is expected but that each call
 * returns, and the machine says nothing: the caller looks at the kernel's log.
 *
 *	fuzz CALLS SEED
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

#define THREADS		4
#define FILES		3
#define MAX_ERRNO	134
/* Two huge pages; forks and walks of it are most of what a call costs. */
#define AREA		(4 * MIB)

static const struct {
	unsigned long cmd;
	size_t size;
	const char *name;
} ioctls[] = {
#define IOC(name, type)	{ PTELAB_IOC_##name, sizeof(struct ptelab_##type), #name }
	IOC(ABI, abi),
	IOC(NOTIFY_START, notify_start),
	IOC(NOTIFY_STOP, none),
	IOC(NOTIFY_READ, notify_counts),
	IOC(NOTIFY_RESET, none),
	IOC(PTES, ptes),
	IOC(SHADOW_START, shadow_start),
	IOC(SHADOW_STOP, none),
	IOC(SHADOW_FILL, shadow_fill),
	IOC(SHADOW_CHECK, shadow_check),
	IOC(GUP, gup),
	IOC(RETRY, retry),
	IOC(MMIO, mmio),
	IOC(STAGE2, stage2),
	IOC(LITMUS, litmus),
	IOC(BARRIER, barrier),
};

/*
 * A device of the lab's that nobody uses, 0000:00:1e.0, and a VM without any
 * memory. Without them these ioctls are refused.
 */
#define BAR_ADDRESS	0xf0U
#define BAR_ENABLE	"/sys/bus/pci/devices/0000:00:1e.0/enable"

static int vm = -1;

/* What the threads of a process fight over. */
static char *area;
static int files[FILES];
static uint64_t calls_left;
static bool quit;
static uint64_t good_calls[ARRAY_SIZE(ioctls)];
static uint64_t bad_calls[ARRAY_SIZE(ioctls)];
/* Why they were bad, by errno */
static uint64_t reasons[ARRAY_SIZE(ioctls)][MAX_ERRNO];

static bool one_in(uint64_t *rnd, unsigned int n)
{
	return !below(rnd, n);
}

/* A number that somebody may have forgotten */
static uint64_t odd_number(uint64_t *rnd)
{
	static const uint64_t odd[] = {
		0, 1, 2, 4095, 4096, 4097, 65536, 1ULL << 31, 1ULL << 32,
		1ULL << 47, 1ULL << 48, 1ULL << 55, 1ULL << 63, -1ULL, -4096ULL,
		-65536ULL, 0xffff000000000000ULL, 0xffff800080000000ULL,
		0x0000fffffffff000ULL, INT32_MAX, UINT32_MAX,
	};

	return one_in(rnd, 3) ? random_next(rnd) >> below(rnd, 64) :
				odd[below(rnd, ARRAY_SIZE(odd))];
}

static void area_part(uint64_t *rnd, __u64 *addr, __u64 *len)
{
	uint64_t pages = AREA / 4096, first = below(rnd, pages);

	*addr = (uintptr_t)area + first * 4096;
	*len = (1 + below(rnd, one_in(rnd, 30) ? pages - first :
			  MIN(pages - first, 20))) * 4096;
}

/* An argument that would do, more often than not. */
static void make_arg(uint64_t *rnd, unsigned int nr, void *arg, char *buf)
{
	union {
		struct ptelab_notify_start notify_start;
		struct ptelab_ptes ptes;
		struct ptelab_shadow_start shadow_start;
		struct ptelab_shadow_fill fill;
		struct ptelab_shadow_check check;
		struct ptelab_gup gup;
		struct ptelab_retry retry;
		struct ptelab_mmio mmio;
		struct ptelab_stage2 stage2;
		struct ptelab_litmus litmus;
		struct ptelab_barrier barrier;
	} *a = arg;
	static const char *const litmus[] = {
		"SB", "MP+mb+mb", "LB", "no such test"
	};
	unsigned int i;
	__u64 addr, len;

	memset(arg, 0, ioctls[nr].size);
	*(__u32 *)arg = ioctls[nr].size;
	area_part(rnd, &addr, &len);
	switch (ioctls[nr].cmd) {
	case PTELAB_IOC_NOTIFY_START:
		a->notify_start.flags = 1 + below(rnd, 3);
		if (one_in(rnd, 2)) {
			a->notify_start.addr = addr;
			a->notify_start.len = len;
		}
		break;
	case PTELAB_IOC_PTES:
		a->ptes.flags = below(rnd, 2);
		a->ptes.addr = addr;
		a->ptes.len = len;
		/* 24 bytes for each of 2048 pages fit. */
		a->ptes.buf = one_in(rnd, 3) ? 0 : (uintptr_t)buf;
		break;
	case PTELAB_IOC_SHADOW_START:
		a->shadow_start.flags = below(rnd, 4);
		a->shadow_start.addr = (uintptr_t)area;
		a->shadow_start.len = AREA;
		break;
	case PTELAB_IOC_SHADOW_FILL:
		a->fill.addr = addr;
		a->fill.len = len;
		break;
	case PTELAB_IOC_SHADOW_CHECK:
		a->check.addr = addr;
		a->check.len = len;
		a->check.buf = one_in(rnd, 2) ? 0 : (uintptr_t)buf;
		a->check.buf_entries = below(rnd, 2048);
		break;
	case PTELAB_IOC_GUP:
		a->gup.flags = below(rnd, 8);
		a->gup.addr = addr;
		a->gup.len = len;
		a->gup.pages = 1 + below(rnd, len / 4096);
		a->gup.calls = below(rnd, 6);
		break;
	case PTELAB_IOC_RETRY:
		a->retry.reader = below(rnd, 2);
		/* Probes come and go in tens of milliseconds. */
		a->retry.script = one_in(rnd, 20) ? PTELAB_SCRIPT_TRIES :
				  one_in(rnd, 2) ? PTELAB_SCRIPT_RACE :
						   PTELAB_SCRIPT_QUIET;
		a->retry.cpu = (int)below(rnd, nr_cpus() + 1) - 1;
		a->retry.index = below(rnd, 16);
		a->retry.reads = below(rnd, 20);
		a->retry.seed = random_next(rnd);
		if (a->retry.script == PTELAB_SCRIPT_RACE)
			a->retry.steps = one_in(rnd, 3) ? PTELAB_STEP_BREAK :
							  below(rnd, 32);
		if (a->retry.steps == PTELAB_STEP_BREAK ||
		    a->retry.script == PTELAB_SCRIPT_TRIES)
			a->retry.break_index = below(rnd, 16);
		if (a->retry.steps == PTELAB_STEP_BREAK) {
			a->retry.hold_ns = below(rnd, 2000);
			a->retry.flags = below(rnd, one_in(rnd, 8) ? 8 : 4);
		}
		if (a->retry.script == PTELAB_SCRIPT_TRIES) {
			a->retry.tries = 1 + below(rnd, 10);
			a->retry.flags = below(rnd, 8);
		}
		break;
	case PTELAB_IOC_MMIO:
		a->mmio.address = one_in(rnd, 30) ? below(rnd, 1024) : BAR_ADDRESS;
		a->mmio.bar = one_in(rnd, 30) ? below(rnd, 7) : 2;
		/* ioremap_np() gives nothing on most machines. */
		a->mmio.map = below(rnd, one_in(rnd, 10) ? PTELAB_MMIO_MAPS :
						 PTELAB_MMIO_IOREMAP_NP);
		a->mmio.op = below(rnd, 3);
		a->mmio.sequence = below(rnd, PTELAB_MMIO_SEQUENCES);
		a->mmio.flush = a->mmio.op == PTELAB_MMIO_LATENCY ? 0 :
				below(rnd, 4);
		a->mmio.group = 8 << below(rnd, 9);
		a->mmio.step = a->mmio.group;
		a->mmio.window = 4096;
		a->mmio.offset = below(rnd, 200) * 4096;
		a->mmio.groups = below(rnd, 100);
		a->mmio.data = (uintptr_t)buf;
		a->mmio.samples = (uintptr_t)buf;
		break;
	case PTELAB_IOC_STAGE2:
		a->stage2.vm_fd = one_in(rnd, 3) ? (int)below(rnd, 12) : vm;
		a->stage2.gpa = below(rnd, 1 << 20) * 4096;
		a->stage2.len = (1 + below(rnd, 600)) * 4096;
		break;
	case PTELAB_IOC_LITMUS:
		a->litmus.flags = below(rnd, 4);
		strcpy(a->litmus.name, litmus[below(rnd, ARRAY_SIZE(litmus))]);
		for (i = 0; i < PTELAB_LITMUS_PROCS; i++)
			a->litmus.cpu[i] = (i + one_in(rnd, 10)) % nr_cpus();
		a->litmus.stride = 1 + 2 * below(rnd, 8);
		a->litmus.spread = 1 + below(rnd, 300);
		a->litmus.outcomes = below(rnd, 20);
		a->litmus.seed = random_next(rnd);
		break;
	case PTELAB_IOC_BARRIER:
		a->barrier.barrier = below(rnd, PTELAB_BARRIER_NR);
		a->barrier.stores = below(rnd, 9);
		a->barrier.addr = addr;
		a->barrier.len = len;
		a->barrier.lines = 1 << below(rnd, 7);
		a->barrier.from = random_next(rnd);
		a->barrier.ops = below(rnd, 50);
		break;
	}
}

static void damage(uint64_t *rnd, unsigned int nr, void *arg)
{
	unsigned int n = 1 + below(rnd, 3);
	struct ptelab_retry *retry = arg;
	struct ptelab_litmus *litmus = arg;
	struct ptelab_mmio *mmio = arg;
	struct ptelab_gup *gup = arg;

	while (n--) {
		if (one_in(rnd, 3))
			((__u32 *)arg)[below(rnd, ioctls[nr].size / 4)] =
				odd_number(rnd);
		else
			((__u64 *)arg)[below(rnd, ioctls[nr].size / 8)] =
				odd_number(rnd);
	}
	/* A long loop is no fault, but would take the time of all others. */
	if (ioctls[nr].cmd == PTELAB_IOC_GUP && gup->calls > 100)
		gup->calls |= PTELAB_GUP_MAX_CALLS + 1;
	if (ioctls[nr].cmd == PTELAB_IOC_RETRY && retry->reads > 100)
		retry->reads |= PTELAB_RETRY_MAX_READS + 1;
	if (ioctls[nr].cmd == PTELAB_IOC_LITMUS && litmus->outcomes > 1000)
		litmus->outcomes |= PTELAB_LITMUS_MAX_OUTCOMES + 1;
	if (ioctls[nr].cmd == PTELAB_IOC_LITMUS && litmus->spread > 1000)
		litmus->spread |= PTELAB_LITMUS_MAX_SPREAD + 1;
	if (ioctls[nr].cmd == PTELAB_IOC_MMIO) {
		/* Our own device, or none; and where it reads to is ours. */
		if (mmio->address != BAR_ADDRESS)
			mmio->address = one_in(rnd, 2) ? -1U : 0xffff0000U;
		if (mmio->groups > 1000)
			mmio->groups |= PTELAB_MMIO_MAX_GROUPS + 1;
		if (mmio->window > 4096 || one_in(rnd, 2))
			mmio->data = -4096ULL;
		if (mmio->groups > 100 || one_in(rnd, 2))
			mmio->samples = -4096ULL;
	}
}

static void *bad_pointer(uint64_t *rnd, void *arg)
{
	switch (below(rnd, 5)) {
	case 0: return NULL;
	case 1: return (void *)(uintptr_t)odd_number(rnd);
	case 2: return (char *)arg + 1 + below(rnd, 7);
	/* The end of a page, and nothing behind it */
	case 3: return area + AREA - 4;
	default: return area + below(rnd, AREA);
	}
}

/*
 * To unsubscribe takes a grace period, tens of milliseconds in which nobody
 * else can have the file, and a race takes a new kernel thread: rarely enough
 * that most calls find something started, and that there are many calls.
 */
static unsigned int pick_ioctl(uint64_t *rnd)
{
	for (;;) {
		unsigned int nr = below(rnd, ARRAY_SIZE(ioctls));

		switch (ioctls[nr].cmd) {
		case PTELAB_IOC_NOTIFY_STOP:
		case PTELAB_IOC_SHADOW_STOP:
			if (!one_in(rnd, 8))
				continue;
			break;
		case PTELAB_IOC_RETRY:
			if (!one_in(rnd, 3))
				continue;
			break;
		case PTELAB_IOC_LITMUS:
			if (!one_in(rnd, 20))
				continue;
			break;
		}
		return nr;
	}
}

static void *caller(void *p)
{
	uint64_t rnd = (uintptr_t)p;
	char *buf = malloc(2048 * 40);
	/* Larger than the largest argument, and damaged ones write no more. */
	__u64 arg[512];

	while (__atomic_sub_fetch(&calls_left, 1, __ATOMIC_RELAXED) <
	       INT64_MAX && !quit) {
		unsigned int nr = pick_ioctl(&rnd);
		unsigned long cmd = ioctls[nr].cmd;
		bool store = cmd == PTELAB_IOC_MMIO;
		unsigned int file = below(&rnd, FILES);
		void *a = arg;
		uint64_t *sum;

		make_arg(&rnd, nr, arg, buf);
		if (one_in(&rnd, store ? 6 : 3)) {
			damage(&rnd, nr, arg);
			/* Where results go must be ours, or nobody's. */
			if (cmd == PTELAB_IOC_PTES) {
				struct ptelab_ptes *ptes = a;

				if (ptes->len / 4096 * 24 < AREA)
					ptes->buf = (uintptr_t)area + 4088;
				else if (ptes->buf)
					ptes->buf = one_in(&rnd, 2) ? 8 : -8UL;
			}
			if (cmd == PTELAB_IOC_SHADOW_CHECK) {
				struct ptelab_shadow_check *check = a;

				if (check->buf != (uintptr_t)buf ||
				    check->buf_entries > 2048)
					check->buf = -4096ULL;
			}
			if (cmd == PTELAB_IOC_MMIO) {
				struct ptelab_mmio *mmio = a;

				if (mmio->data != (uintptr_t)buf)
					mmio->data = -4096ULL;
				if (mmio->samples != (uintptr_t)buf)
					mmio->samples = -4096ULL;
			}
			if (cmd == PTELAB_IOC_BARRIER) {
				struct ptelab_barrier *barrier = a;

				if (barrier->addr - (uintptr_t)area > AREA ||
				    barrier->len > AREA)
					barrier->addr = -4096ULL;
			}
		} else if (one_in(&rnd, 20)) {
			a = bad_pointer(&rnd, arg);
			/* Not just anywhere in this program */
			if (a > (void *)4096 && (uintptr_t)a < 1ULL << 48 &&
			    (char *)a - area >= (long)AREA)
				a = arg;
		} else if (one_in(&rnd, 50)) {
			cmd ^= 1UL << below(&rnd, 32);
		}
		/* One file has the BAR; bar.c has two that want it. */
		if (store)
			file = 0;
		sum = &good_calls[nr];
		if (ioctl(files[file], cmd, a)) {
			sum = &bad_calls[nr];
			__atomic_add_fetch(&reasons[nr][errno % MAX_ERRNO], 1,
					   __ATOMIC_RELAXED);
		}
		__atomic_add_fetch(sum, 1, __ATOMIC_RELAXED);
	}
	free(buf);
	return NULL;
}

/* Changes the area all the time; it may be gone for a moment. */
static void *changer(void *p)
{
	uint64_t rnd = (uintptr_t)p;

	while (!quit && calls_left < INT64_MAX) {
		__u64 addr, len, i;
		pid_t child;
		void *q;

		area_part(&rnd, &addr, &len);
		q = (void *)(uintptr_t)addr;
		switch (below(&rnd, 10)) {
		case 0:
		case 1:
			mprotect(q, len, PROT_READ);
			break;
		case 2:
			mprotect(q, len, PROT_NONE);
			break;
		case 3:
			madvise(q, len, MADV_DONTNEED);
			break;
		case 4:
			munmap(q, len);
			break;
		case 5:
			/* With that many checks it takes 80 ms. */
			if (!one_in(&rnd, 3))
				break;
			child = fork();
			if (!child)
				_exit(0);
			if (child > 0)
				waitpid(child, NULL, 0);
			break;
		case 6:
			mmap(q, len, PROT_READ | PROT_WRITE, MAP_FIXED |
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			break;
		case 7:
			madvise(q, len, one_in(&rnd, 2) ? MADV_HUGEPAGE :
				MADV_NOHUGEPAGE);
			break;
		default:
			/* Not by this program: it may not be there. */
			mmap((void *)(uintptr_t)addr, len,
			     PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE |
			     MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
			for (i = 0; i < 4; i++)
				madvise(q, len, MADV_FREE);
		}
	}
	return NULL;
}

static void run(uint64_t calls, uint64_t seed)
{
	pthread_t thread[THREADS + 1];
	int i;

	area = get_memory(2 * AREA, BLOCK);
	if (!area)
		area = get_memory(2 * AREA, 0);
	/* What is written over the end must hit nobody. */
	mprotect(area + AREA, AREA, PROT_NONE);
	calls_left = calls;
	for (i = 0; i < FILES; i++)
		files[i] = open_device();
	for (i = 0; i <= THREADS; i++)
		if (pthread_create(&thread[i], NULL,
				   i < THREADS ? caller : changer,
				   (void *)(uintptr_t)(seed * 100 + i)))
			give_up("no thread");
	for (i = 0; i <= THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void open_targets(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	put_file(BAR_ENABLE, "1");
	if (kvm >= 0)
		vm = ioctl(kvm, KVM_CREATE_VM, 0);
	close(kvm);
}

/* Whether some of these can get through here at all */
static bool possible(unsigned int nr)
{
	switch (ioctls[nr].cmd) {
	case PTELAB_IOC_RETRY:
		return has(PTELAB_FEAT_CONTPTE);
	case PTELAB_IOC_MMIO:
		return has(PTELAB_FEAT_MMIO) && !access(BAR_ENABLE, F_OK);
	case PTELAB_IOC_STAGE2:
		return has(PTELAB_FEAT_STAGE2) && vm >= 0;
	}
	return true;
}

void test_fuzz(int argc, char **argv)
{
	uint64_t calls = argc > 0 ? strtoull(argv[0], NULL, 0) : 100000;
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, n = 0;
	double start = now_s();
	unsigned int i, k;
	int fd;

	open_targets();
	run(calls, seed);
	for (i = 0; i < ARRAY_SIZE(ioctls); i++) {
		printf("# %s: %llu good %llu bad", ioctls[i].name,
		       (unsigned long long)good_calls[i],
		       (unsigned long long)bad_calls[i]);
		for (k = 0; k < MAX_ERRNO; k++)
			if (reasons[i][k])
				printf(" %s %llu", strerrorname_np(k) ?: "?",
				       (unsigned long long)reasons[i][k]);
		putchar('\n');
		n += good_calls[i] + bad_calls[i];
		check(good_calls[i] || !possible(i), "%s: some got through",
		      ioctls[i].name);
		if (ioctls[i].cmd == PTELAB_IOC_MMIO && possible(i))
			check(good_calls[i] > bad_calls[i], "%s: most got through",
			      ioctls[i].name);
	}
	check(n >= calls - THREADS, "%llu calls in %.1f s",
	      (unsigned long long)n, now_s() - start);
	for (i = 0; i < FILES; i++)
		close(files[i]);
	fd = open_device();
	check(fd >= 0, "the device still opens");
	close(fd);
}

/* --- a process that is killed in the middle of all that --- */

void fuzz_until_killed(uint64_t seed)
{
	for (;;)
		run(INT64_MAX - 1, seed);
}
