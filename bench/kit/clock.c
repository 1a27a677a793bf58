// SPDX-License-Identifier: GPL-2.0
/* See clock.h. */
#include "bench/kit/clock.h"

#include <stdlib.h>

#include "lib/util.h"

static struct clock_info info;

#ifdef __aarch64__
static double tick_frequency(void)
{
	uint64_t hz;

	asm("mrs %0, cntfrq_el0" : "=r" (hz));
	return hz;
}
#else
static uint64_t monotonic_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/*
 * The TSC has no frequency that a guest can rely on, so compare it with
 * CLOCK_MONOTONIC_RAW over 20 ms. Both ends are read three times, and the
 * closest pair of reads is used, so that a preemption between the two does not
 * matter.
 */
static void read_pair(uint64_t *ticks, uint64_t *ns)
{
	uint64_t best = UINT64_MAX;
	int i;

	for (i = 0; i < 3; i++) {
		uint64_t a = clock_ticks(), n = monotonic_ns();
		uint64_t b = clock_ticks();

		if (b - a < best) {
			best = b - a;
			*ticks = a + (b - a) / 2;
			*ns = n;
		}
	}
}

static double tick_frequency(void)
{
	uint64_t t0, t1, n0, n1;

	read_pair(&t0, &n0);
	while (monotonic_ns() - n0 < 20000000)
		;
	read_pair(&t1, &n1);
	return (double)(t1 - t0) * 1e9 / (double)(n1 - n0);
}
#endif

const struct clock_info *clock_measure(void)
{
	enum { READS = 2000 };
	static uint64_t step[READS];
	uint64_t first, last, smallest = UINT64_MAX;
	unsigned int i;

	if (info.source)
		return &info;
#ifdef __aarch64__
	info.source = "cntvct_el0";
#else
	info.source = "tsc";
#endif
	info.frequency_hz = tick_frequency();

	first = last = clock_ticks();
	for (i = 0; i < READS; i++) {
		uint64_t now = clock_ticks();

		step[i] = now - last;
		if (step[i] && step[i] < smallest)
			smallest = step[i];
		last = now;
	}
	qsort(step, READS, sizeof(step[0]), cmp_u64);
	info.granularity_ns = smallest == UINT64_MAX ? 0 :
		(double)smallest * 1e9 / info.frequency_hz;
	/*
	 * With a coarse counter most steps are 0, and so is the median. Then
	 * use the mean of all reads.
	 */
	info.cost_ns = step[READS / 2] ?
		(double)step[READS / 2] * 1e9 / info.frequency_hz :
		(double)(last - first) * 1e9 / info.frequency_hz / READS;
	return &info;
}

double clock_ns(uint64_t ticks)
{
	return (double)ticks * 1e9 / clock_measure()->frequency_hz;
}
