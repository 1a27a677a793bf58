// SPDX-License-Identifier: GPL-2.0
/* guest-prog.c: stands in for ptelab where the lab itself is tested. */
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_instructions(int exclude_user)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_HARDWARE,
		.config = PERF_COUNT_HW_INSTRUCTIONS,
		.disabled = 1,
		.exclude_user = exclude_user,
		.exclude_kernel = !exclude_user,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

/* What must be the same in two boots with one seed, and where ASLR shows. */
static int count(const char *seed)
{
	int fd[2] = { open_instructions(0), open_instructions(1) };
	int local;

	printf("{\"seed\":%s,\"stack\":\"%p\"}\n", seed, (void *)&local);
	for (int rep = 0; rep < 5; rep++) {
		long long n[2] = { -1, -1 };

		for (int i = 0; i < 2; i++) {
			ioctl(fd[i], PERF_EVENT_IOC_RESET, 0);
			ioctl(fd[i], PERF_EVENT_IOC_ENABLE, 0);
		}
		for (int i = 0; i < 1000; i++)
			syscall(SYS_getppid);
		for (int i = 0; i < 2; i++) {
			ioctl(fd[i], PERF_EVENT_IOC_DISABLE, 0);
			if (read(fd[i], &n[i], sizeof(n[i])) != sizeof(n[i]))
				return 1;
		}
		printf("{\"rep\":%d,\"user\":%lld,\"kernel\":%lld}\n", rep, n[0], n[1]);
		fflush(stdout);
	}
	return 0;
}

/* A 32-bit register of a device. */
static int peek(const char *where)
{
	unsigned long at = strtoul(where, NULL, 0);
	int fd = open("/dev/mem", O_RDONLY | O_SYNC);
	const volatile unsigned int *p = mmap(NULL, 4096, PROT_READ, MAP_SHARED,
					      fd, at & ~4095UL);

	if (p == MAP_FAILED)
		return 1;
	printf("{\"at\":%lu,\"value\":%u}\n", at, p[(at & 4095) / 4]);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int fd;

	if (!strcmp(what, "count"))
		return count(argc > 2 ? argv[2] : "0");
	if (!strcmp(what, "peek"))
		return peek(argc > 2 ? argv[2] : "");
	if (!strcmp(what, "run") || !strcmp(what, "fail")) {
		printf("{\"said\":\"%s\"}\n", what);
		if (*what == 'f')
			fputs("ptelab: no luck\n", stderr);
		return *what == 'f' ? 2 : 0;
	}
	if (!strcmp(what, "lines")) {
		for (int i = 0; i < atoi(argv[2]); i++)
			printf("{\"line\":%d,\"pad\":\"%0*d\"}\n", i, i % 37 + 1, 0);
		return 0;
	}
	/* A whole line, half a line, then the end of the world. */
	printf("{\"before\":1}\n{\"half\":");
	fflush(stdout);
	if (!strcmp(what, "panic")) {
		fd = open("/proc/sysrq-trigger", O_WRONLY);
		if (fd < 0 || write(fd, "c", 1) != 1)
			return 1;
	}
	if (!strcmp(what, "hang") || !strcmp(what, "panic"))
		for (;;)
			pause();
	return 1;
}
