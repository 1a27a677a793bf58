// SPDX-License-Identifier: GPL-2.0
/* The tests of ptelab.ko, run in an emulated machine: test_kmod TEST [ARG]... */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

unsigned int failures;

void check(bool good, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs(good ? "ok " : "not ok ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
	failures += !good;
}

void skip(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("skip ", stdout);
	vprintf(fmt, ap);
	putchar('\n');
	va_end(ap);
}

void give_up(const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(2);
}

int open_device(void)
{
	int fd = kmod_open(NULL);

	if (fd < 0)
		give_up("%s", fail_text());
	return fd;
}

bool has(unsigned int feature)
{
	struct ptelab_abi abi;
	int fd = kmod_open(&abi);

	if (fd < 0)
		give_up("%s", fail_text());
	close(fd);
	return abi.features & feature;
}

bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return good;
}

static bool set_folios(size_t folio)
{
	static const char thp[] = "/sys/kernel/mm/transparent_hugepage";
	static const unsigned int sizes[] = {
		16, 32, 64, 128, 256, 512, 1024, 2048
	};
	char path[128];
	bool good = !folio;
	size_t i;

	/* Before per-size controls there were only huge pages. */
	snprintf(path, sizeof(path), "%s/enabled", thp);
	if (!put_file(path, "madvise"))
		return !folio;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		bool on = sizes[i] * KIB == folio;

		snprintf(path, sizeof(path), "%s/hugepages-%ukB/enabled", thp,
			 sizes[i]);
		if (put_file(path, on ? "always" : "never") && on)
			good = true;
	}
	return good || folio == 2 * MIB;
}

void *get_memory(size_t len, size_t folio)
{
	size_t align = folio > 2 * MIB || len < 2 * MIB ? 2 * MIB : len;
	char *all, *p;

	if (!set_folios(folio))
		return NULL;
	all = mmap(NULL, len + align, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (all == MAP_FAILED)
		give_up("no memory");
	p = (char *)(((uintptr_t)all + align - 1) & -align);
	/* A mapping of its own, with holes around it: merges with nothing. */
	if (p > all)
		munmap(all, p - all);
	munmap(p + len, all + align - p);
	if (madvise(p, len, folio ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) && folio)
		return NULL;
	return p;
}

void put_memory(void *p, size_t len)
{
	munmap(p, len);
}

void write_pages(void *p, size_t len)
{
	size_t i, page = sysconf(_SC_PAGESIZE);

	for (i = 0; i < len; i += page)
		((volatile char *)p)[i] = 1;
}

void read_pages(void *p, size_t len)
{
	size_t i, page = sysconf(_SC_PAGESIZE);

	for (i = 0; i < len; i += page)
		(void)((volatile char *)p)[i];
}

uint64_t vmstat(const char *field)
{
	char name[64];
	unsigned long long value;
	uint64_t found = 0;
	FILE *f;

	put_file("/proc/sys/vm/stat_refresh", "1");
	f = fopen("/proc/vmstat", "re");
	while (f && fscanf(f, "%63s %llu", name, &value) == 2)
		if (!strcmp(name, field))
			found = value;
	if (f)
		fclose(f);
	return found;
}

pid_t fork_idle(void)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

uint64_t below(uint64_t *state, uint64_t n)
{
	return random_next(state) % n;
}

unsigned int nr_cpus(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN);
}

void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		give_up("no CPU %d", cpu);
}

double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

static const struct {
	const char *name;
	void (*run)(void);
	void (*run_args)(int argc, char **argv);
} tests[] = {
	{ "abi", test_abi, NULL },
	{ "ptes", test_ptes, NULL },
	{ "notify", test_notify, NULL },
	{ "shadow", test_shadow, NULL },
	{ "gup", test_gup, NULL },
	{ "retry", test_retry, NULL },
	{ "load", test_load, NULL },
	{ "barrier", test_barrier, NULL },
	{ "bar", test_bar, NULL },
	{ "lockdown", test_lockdown, NULL },
	{ "watch", NULL, test_watch },
	{ "fuzz", NULL, test_fuzz },
	{ "life", NULL, test_life },
};

int main(int argc, char **argv)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; argc > 1 && i < ARRAY_SIZE(tests); i++) {
		if (strcmp(argv[1], tests[i].name))
			continue;
		if (tests[i].run)
			tests[i].run();
		else
			tests[i].run_args(argc - 2, argv + 2);
		printf("%s %s: %u not ok\n", failures ? "FAIL" : "PASS",
		       argv[1], failures);
		return failures ? 1 : 0;
	}
	fputs("usage: test_kmod TEST [ARG]..., where TEST is one of:", stderr);
	for (i = 0; i < ARRAY_SIZE(tests); i++)
		fprintf(stderr, " %s", tests[i].name);
	fputc('\n', stderr);
	return 2;
}
