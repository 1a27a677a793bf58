// SPDX-License-Identifier: GPL-2.0
/* See sampler.h. */
#include "bench/harness/sampler.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/symbols.h"
#include "lib/util.h"

#define FREQUENCY	4999	/* per second; not in step with any timer */
#define DATA_PAGES	128	/* a power of two */

static const struct {
	const char *name, *metric;
	uint32_t type;
	uint64_t config;
} events[] = {
	{ "instructions", "instructions", PERF_TYPE_HARDWARE,
	  PERF_COUNT_HW_INSTRUCTIONS },
	{ "cpu-clock", "ns", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
};

struct sampler {
	int fd;
	unsigned int event;
	struct perf_event_mmap_page *page;
	size_t length;
	struct symbols *symbols;
	json_t *functions;
	uint64_t count, lost;
};

static int open_event(unsigned int i)
{
	struct perf_event_attr attr = {
		.type = events[i].type,
		.config = events[i].config,
		.size = sizeof(attr),
		.freq = 1,
		.sample_freq = FREQUENCY,
		.sample_type = PERF_SAMPLE_IP,
		.disabled = 1,
		.exclude_hv = 1,
		.exclude_guest = 1,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1,
		       PERF_FLAG_FD_CLOEXEC);
}

struct sampler *sampler_open(void)
{
	struct sampler *s = xcalloc(1, sizeof(*s));
	void *map;

	s->fd = -1;
	for (s->event = 0; s->event < ARRAY_SIZE(events); s->event++) {
		s->fd = open_event(s->event);
		if (s->fd >= 0)
			break;
	}
	s->symbols = symbols_new();
	s->functions = json_object();
	if (s->fd < 0) {
		fail(errno, "--sample: %s; run as root or lower kernel.perf_event_paranoid to 1",
		     strerror(errno));
		goto bad;
	}
	if (symbols_add_map(s->symbols, "/proc/kallsyms") ||
	    symbols_add_elf(s->symbols, "/proc/self/exe", 0))
		goto bad;
	s->length = (1 + DATA_PAGES) * sysconf(_SC_PAGESIZE);
	map = mmap(NULL, s->length, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd,
		   0);
	if (map == MAP_FAILED) {
		fail(errno, "--sample: mapping its buffer: %s; raise kernel.perf_event_mlock_kb",
		     strerror(errno));
		goto bad;
	}
	s->page = map;
	return s;
bad:
	sampler_close(s);
	return NULL;
}

void sampler_start(struct sampler *s)
{
	ioctl(s->fd, PERF_EVENT_IOC_ENABLE, 0);
}

static void take(struct sampler *s, uint64_t ip)
{
	const struct symbol *f = symbols_find(s->symbols, ip);
	char *key = xasprintf("%s %s", ip >> 63 ? "kernel" : "user",
			      f ? f->name : "[unknown]");

	json_object_set_new(s->functions, key, json_integer(1 +
		json_integer_value(json_object_get(s->functions, key))));
	s->count++;
	free(key);
}

void sampler_stop(struct sampler *s)
{
	size_t size = s->length - sysconf(_SC_PAGESIZE), i;
	const char *data = (const char *)s->page + sysconf(_SC_PAGESIZE);
	uint64_t head, tail = s->page->data_tail;

	ioctl(s->fd, PERF_EVENT_IOC_DISABLE, 0);
	head = __atomic_load_n(&s->page->data_head, __ATOMIC_ACQUIRE);
	while (tail < head) {
		struct {
			struct perf_event_header h;
			uint64_t v[2];	/* ip; or, lost: id, number */
		} r;

		/* a record may be wrapped around the end */
		for (i = 0; i < sizeof(r); i++)
			((char *)&r)[i] = data[(tail + i) % size];
		if (r.h.type == PERF_RECORD_SAMPLE)
			take(s, r.v[0]);
		else if (r.h.type == PERF_RECORD_LOST)
			s->lost += r.v[1];
		if (!r.h.size)
			break;
		tail += r.h.size;
	}
	__atomic_store_n(&s->page->data_tail, head, __ATOMIC_RELEASE);
}

json_t *sampler_json(struct sampler *s)
{
	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:O}", "event",
			 events[s->event].name, "metric",
			 events[s->event].metric, "frequency", FREQUENCY,
			 "count", (json_int_t)s->count, "lost",
			 (json_int_t)s->lost, "functions", s->functions);
}

void sampler_close(struct sampler *s)
{
	if (!s)
		return;
	if (s->page)
		munmap(s->page, s->length);
	if (s->fd >= 0)
		close(s->fd);
	symbols_free(s->symbols);
	json_decref(s->functions);
	free(s);
}
