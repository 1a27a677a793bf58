// SPDX-License-Identifier: GPL-2.0
/* Snapshots of /proc/vmstat and of the fault counts; see sources.h. */
#include "bench/kit/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/util.h"

int vmstat_take(struct vmstat *s)
{
	if (!geteuid())
		write_file("/proc/sys/vm/stat_refresh", "1");
	free(s->text);
	s->text = read_file("/proc/vmstat", NULL);
	return s->text ? 0 : -errno;
}

void faults_take(struct faults *f)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	f->minor = usage.ru_minflt;
	f->major = usage.ru_majflt;
}

void vmstat_drop(struct vmstat *s)
{
	free(s->text);
	s->text = NULL;
}

static bool field_value(const char *text, const char *field, int64_t *value)
{
	size_t n = strlen(field);
	const char *p = text;

	while (p) {
		if (!strncmp(p, field, n) && p[n] == ' ') {
			*value = strtoll(p + n + 1, NULL, 10);
			return true;
		}
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	return false;
}

bool vmstat_delta(const struct vmstat *from, const struct vmstat *to,
		  const char *field, int64_t *delta)
{
	int64_t a, b;

	if (!field_value(from->text, field, &a) ||
	    !field_value(to->text, field, &b))
		return false;
	*delta = b - a;
	return true;
}
