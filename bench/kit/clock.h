/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The clock that batches are timed with: the CPU's own counter, read in user
 * space (CNTVCT_EL0 on arm64, the TSC on x86-64), or clock_gettime() where
 * that can't be trusted. Its granularity and cost are measured, not assumed.
 */
#ifndef PTELAB_CLOCK_H
#define PTELAB_CLOCK_H

#include <stdint.h>
#include <time.h>

#ifdef __aarch64__
/*
 * ISB before the read; otherwise the counter may be read before earlier
 * instructions (Arm ARM, D11: reads of CNTVCT_EL0 are not ordered otherwise).
 */
static inline uint64_t clock_ticks(void)
{
	uint64_t t;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r" (t) : : "memory");
	return t;
}
#elif defined(__x86_64__)
#include <x86intrin.h>
/* lfence on both sides: no earlier or later instruction crosses the read. */
static inline uint64_t clock_ticks(void)
{
	uint64_t t;

	_mm_lfence();
	t = __rdtsc();
	_mm_lfence();
	return t;
}
#else
#error "ptelab runs on arm64 and x86-64"
#endif

struct clock_info {
	const char *source;	/* "cntvct_el0", "tsc" */
	double frequency_hz;	/* ticks a second */
	double granularity_ns;	/* smallest step seen between two reads */
	double cost_ns;		/* of one read, median */
};

/* Measures the clock once (about 20 ms) and remembers the result. */
const struct clock_info *clock_measure(void);
double clock_ns(uint64_t ticks);

#endif
