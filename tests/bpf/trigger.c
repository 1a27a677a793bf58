// SPDX-License-Identifier: GPL-2.0
/*
 * Makes the kernel do something a known number of times, for counts.sh to
 * compare with what ptelab trace counted.
 *
 *	trigger WHAT [N] [WHAT [N]]...
 *	trigger fixed COMMAND...
 *
 * Its own code, data and stack are there before anything is counted that they
 * could add to: a first touch of them is a fault, and with a VM around also a
 * notifier call, and how many there are is a matter of where things happen to
 * lie.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/kit/vm.h"
#include "lib/util.h"
#include "tests/bpf/asleep.h"

#define PAGE	4096UL
#define BLOCK	(16 * PAGE)

static void die(const char *what)
{
	fprintf(stderr, "trigger: %s: %s\n", what,
		errno ? strerror(errno) : fail_text());
	exit(2);
}

/* What there is of the program by now takes no fault any more. */
static void settle(void)
{
	char stack[16 * PAGE];

	memset(stack, 1, sizeof(stack));
	__asm__ volatile("" : : "r"(stack) : "memory");
	if (mlockall(MCL_CURRENT))
		die("mlockall");
}

/*
 * @len bytes of private memory, aligned to 2 MiB, nothing in it. It ends where it
 * says, or a huge page might fit where none is wanted.
 */
static char *memory(size_t len)
{
	char *p = mmap(NULL, len + 2 * MIB + PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	p = (char *)(((uintptr_t)p + 2 * MIB - 1) & ~(2 * MIB - 1));
	if (mprotect(p + len, PAGE, PROT_NONE))
		die("mprotect");
	return p;
}

static char *small_pages(size_t len)
{
	char *p = memory(len);

	if (madvise(p, len, MADV_NOHUGEPAGE) && errno != EINVAL)
		die("madvise");
	return p;
}

/* Mapped by contpte entries, where the kernel has folios of that size. */
static char *contpte_block(void)
{
	static const char folios[] =
		"/sys/kernel/mm/transparent_hugepage/hugepages-64kB/enabled";
	char *p = memory(BLOCK);
	int ret = write_file(folios, "always");

	if (ret && ret != -ENOENT)
		die("no 64k folios");
	memset(p, 1, BLOCK);
	return p;
}

static void wake(char *at)
{
	syscall(SYS_futex, at, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* N GUP-fast calls of one page each, each a gather. */
static void futex(unsigned long n)
{
	char *block = contpte_block();

	while (n--)
		wake(block + n % 16 * PAGE);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("no second CPU");
}

static int race_over;

static void *zap_and_populate(void *block)
{
	run_on(1);
	while (!__atomic_load_n(&race_over, __ATOMIC_RELAXED)) {
		madvise(block, BLOCK, MADV_DONTNEED);
		memset(block, 1, BLOCK);
	}
	return NULL;
}

/* N wakes while another CPU takes the block away and puts it back. */
static void race(unsigned long n)
{
	char *block = contpte_block();
	pthread_t thread;

	run_on(0);
	if (pthread_create(&thread, NULL, zap_and_populate, block))
		die("thread");
	while (n--)
		wake(block + 15 * PAGE);
	__atomic_store_n(&race_over, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

/* N GUP-fast calls that find no page. */
static void slow(unsigned long n)
{
	char *p = small_pages(n * PAGE);

	while (n--)
		wake(p + n * PAGE);
}

static void *wake_thread(void *at)
{
	wake(at);
	return NULL;
}

/* N GUP-fast calls, all of them under way at once: their pages come late. */
static void blocked(unsigned long n)
{
	struct uffdio_api api = { .api = UFFD_API };
	char *p = small_pages(n * PAGE);
	struct uffdio_register reg = {
		.range = { (uintptr_t)p, n * PAGE },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_zeropage zero = { .range = reg.range };
	pthread_t *thread = xcalloc(n, sizeof(*thread));
	struct uffd_msg msg;
	unsigned long i;
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) ||
	    ioctl(fd, UFFDIO_REGISTER, &reg))
		die("userfaultfd");
	for (i = 0; i < n; i++)
		if (pthread_create(&thread[i], NULL, wake_thread, p + i * PAGE))
			die("thread");
	for (i = 0; i < n; i++)
		if (read(fd, &msg, sizeof(msg)) != sizeof(msg))
			die("userfaultfd");
	if (ioctl(fd, UFFDIO_ZEROPAGE, &zero))
		die("userfaultfd");
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	free(thread);
	close(fd);
}

/* Writes N to /proc/sys/kernel/ftrace_enabled. */
static void ftrace(unsigned long n)
{
	if (write_file("/proc/sys/kernel/ftrace_enabled", n ? "1" : "0"))
		die("ftrace");
}

/* N GUP-fast calls for 16 pages, 5 of which are there. */
static void partly(unsigned long n)
{
	int fd[2], sink = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (pipe(fd))
		die("pipe");
	while (n--) {
		char *p = small_pages(16 * PAGE);
		struct iovec v = { p, 16 * PAGE };
		int i;

		for (i = 0; i < 5; i++)
			p[i * PAGE] = 1;
		if (vmsplice(fd[1], &v, 1, 0) != (ssize_t)v.iov_len)
			die("vmsplice");
		if (splice(fd[0], NULL, sink, NULL, v.iov_len, 0) !=
		    (ssize_t)v.iov_len)
			die("splice");
	}
}

/* N pages touched for the first time. */
static void touch(unsigned long n)
{
	char *p = small_pages(n * PAGE);

	while (n--)
		p[n * PAGE] = 1;
}

static struct vm *vm;
static char *vm_memory;
#define VM_PAGES	512UL

static void guest_reads(void)
{
	uint32_t sum;

	if (vm_read_pass(vm, 0, &sum))
		die("guest");
}

/* A VM with 512 small pages, all of them mapped in its stage 2. */
static void start_vm(unsigned long n)
{
	unsigned long i;

	(void)n;
	vm_memory = small_pages(2 * MIB);
	for (i = 0; i < VM_PAGES; i++)
		vm_memory[i * PAGE] = 1;
	vm = vm_new(vm_memory, 2 * MIB, VM_PAGES);
	errno = 0;
	if (!vm || vm_list(vm, VM_PAGES, PAGE))
		die("VM");
	guest_reads();
}

/* N times: the whole address space loses its soft-dirty bits. */
static void soft_dirty(unsigned long n)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	while (n--)
		if (write(fd, "4", 1) != 1)
			die("clear_refs");
	close(fd);
}

/* N times: the guest's memory becomes read-only and writable again, and the
 * guest reads it. */
static void reprotect(unsigned long n)
{
	while (n--) {
		mprotect(vm_memory, 2 * MIB, PROT_READ);
		mprotect(vm_memory, 2 * MIB, PROT_READ | PROT_WRITE);
		guest_reads();
	}
}

/* The same, and the guest reads it in between too: only the first of the two
 * takes a permission away. */
static void allow(unsigned long n)
{
	while (n--) {
		mprotect(vm_memory, 2 * MIB, PROT_READ);
		guest_reads();
		mprotect(vm_memory, 2 * MIB, PROT_READ | PROT_WRITE);
		guest_reads();
	}
}

/* N times: the guest's memory is thrown away, and the guest reads it. */
static void discard(unsigned long n)
{
	while (n--) {
		if (madvise(vm_memory, 2 * MIB, MADV_DONTNEED))
			die("madvise");
		guest_reads();
	}
}

/* A child does 10 wakes, and one that it becomes by exec does 20 more. */
static void children(unsigned long n)
{
	while (n--) {
		pid_t pid = fork();

		if (!pid) {
			futex(10);
			execl("/proc/self/exe", "trigger", "futex", "20", NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
}

/* Somebody else, who goes on with the same in the background. */
static void noise(unsigned long n)
{
	char *block = contpte_block();

	(void)n;
	if (fork())
		return;
	setsid();
	fclose(stdout);
	for (;;) {
		wake(block);
		usleep(100);
	}
}

/*
 * Has a process traced that is already there and then does N wakes and touches
 * N pages, and nothing else.
 */
static void attach(unsigned long n)
{
	char pid[16], go;
	int fd[2];
	pid_t tracer, worker;

	if (pipe(fd))
		die("pipe");
	worker = fork();
	if (!worker) {
		char *block = contpte_block(), *p;
		unsigned long i;

		close(fd[1]);
		settle();
		p = small_pages(n * PAGE);
		if (read(fd[0], &go, 1) != 1)
			_exit(1);
		for (i = 0; i < n; i++)
			wake(block + i % 16 * PAGE);
		for (i = 0; i < n; i++)
			p[i * PAGE] = 1;
		_exit(0);
	}
	snprintf(pid, sizeof(pid), "%d", worker);
	tracer = fork();
	if (!tracer) {
		close(fd[1]);
		execlp("ptelab", "ptelab", "trace", "--json", "-o", "-", "-p",
		       pid, NULL);
		_exit(127);
	}
	wait_until_asleep_in(tracer, SYS_ppoll);
	if (write(fd[1], "x", 1) != 1)
		die("pipe");
	waitpid(worker, NULL, 0);
	waitpid(tracer, NULL, 0);
}

static const struct {
	const char *name;
	void (*what)(unsigned long n);
} list[] = {
	{ "futex", futex }, { "race", race }, { "slow", slow }, { "partly", partly },
	{ "touch", touch }, { "vm", start_vm }, { "soft_dirty", soft_dirty },
	{ "reprotect", reprotect }, { "allow", allow }, { "discard", discard },
	{ "children", children }, { "blocked", blocked }, { "ftrace", ftrace },
	{ "noise", noise }, { "attach", attach },
};

int main(int argc, char **argv)
{
	int i;
	size_t k;

	if (argc > 2 && !strcmp(argv[1], "fixed")) {
		personality(ADDR_NO_RANDOMIZE);
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	settle();
	for (i = 1; i < argc; i++) {
		const char *name = argv[i];
		unsigned long n = 1;

		if (i + 1 < argc && strspn(argv[i + 1], "0123456789"))
			n = strtoul(argv[++i], NULL, 10);
		for (k = 0; k < ARRAY_SIZE(list); k++)
			if (!strcmp(list[k].name, name))
				break;
		if (k == ARRAY_SIZE(list))
			die(name);
		list[k].what(n);
	}
	return 0;
}
