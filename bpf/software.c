// SPDX-License-Identifier: GPL-2.0
/* Counters without BPF: perf's software events. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/tracer.h"

static int open_software(uint64_t config, pid_t pid, int cpu, bool on_exec)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = config,
		.inherit = pid != -1,
		.disabled = on_exec,
		.enable_on_exec = on_exec,
	};

	return syscall(SYS_perf_event_open, &attr, pid, cpu, -1,
		       PERF_FLAG_FD_CLOEXEC);
}

static void add_software(struct counter_state *c, uint64_t config, pid_t pid,
			 int cpu, bool on_exec)
{
	int fd = open_software(config, pid, cpu, on_exec);

	if (fd < 0) {
		/* A thread may have ended, or a CPU may be offline. */
		if (errno == ESRCH || errno == ENODEV)
			return;
		c->software_absent = errno == EACCES || errno == EPERM ?
			"not permitted: run as root, or lower kernel.perf_event_paranoid" :
			strerror(errno);
		return;
	}
	c->software = xrealloc(c->software,
			       (c->nr_software + 1) * sizeof(int));
	c->software[c->nr_software++] = fd;
}

static void software_of_threads(struct counter_state *c, uint64_t config,
				pid_t pid, bool on_exec)
{
	char *path = xasprintf("/proc/%d/task", pid);
	DIR *dir = opendir(path);
	struct dirent *e;

	free(path);
	while (dir && (e = readdir(dir)))
		if (isdigit((unsigned char)e->d_name[0]))
			add_software(c, config, atoi(e->d_name), -1, on_exec);
	if (dir)
		closedir(dir);
}

void tracer_software(struct tracer *t, pid_t pid, bool on_exec)
{
	unsigned int i;
	int cpu;

	for (i = 0; i < bpf_counters_nr; i++) {
		struct counter_state *c = &t->c[i];
		const struct attach_point *p = bpf_counters[i].way[0].point;

		if (c->way < 0 || p->kind != POINT_SOFTWARE)
			continue;
		if (pid)
			software_of_threads(c, p->config, pid, on_exec);
		else
			for (cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++)
				add_software(c, p->config, -1, cpu, false);
		if (c->software_absent) {
			c->absent = c->software_absent;
			c->way = -1;
		}
	}
}

uint64_t software_count(const struct counter_state *c)
{
	uint64_t sum = 0, count;
	unsigned int i;

	for (i = 0; i < c->nr_software; i++)
		if (read(c->software[i], &count, sizeof(count)) ==
		    sizeof(count))
			sum += count;
	return sum;
}

void software_close(struct counter_state *c)
{
	unsigned int i;

	for (i = 0; i < c->nr_software; i++)
		close(c->software[i]);
	free(c->software);
}
