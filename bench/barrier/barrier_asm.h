/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Barriers in user space: the CPU's instructions by name, and the kernel's
 * primitives as in Linux (arch/arm64 and arch/x86, include/asm/barrier.h), so
 * that a litmus test has the same meaning as in the kernel.
 */
#ifndef PTELAB_BARRIER_ASM_H
#define PTELAB_BARRIER_ASM_H

#include <stdint.h>

#define READ_ONCE(x)		(*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))

/* --- one store and one load of 64 bits, plain, volatile in C --- */

static inline void plain_store(uint64_t *p, uint64_t v)
{
	WRITE_ONCE(*p, v);
}

static inline uint64_t plain_load(const uint64_t *p)
{
	return READ_ONCE(*p);
}

#ifdef __aarch64__

#define insn(text)	asm volatile(text : : : "memory")

static inline void stlr(uint64_t *p, uint64_t v)
{
	asm volatile("stlr %1, %0" : "=Q" (*p) : "r" (v) : "memory");
}

static inline uint64_t ldar(const uint64_t *p)
{
	uint64_t v;

	asm volatile("ldar %0, %1" : "=r" (v) : "Q" (*p) : "memory");
	return v;
}

static inline uint64_t ldapr(const uint64_t *p)
{
	uint64_t v;

	asm volatile(".arch_extension rcpc\n\tldapr %0, %1" : "=r" (v)
		     : "Q" (*p) : "memory");
	return v;
}

#define store_release	stlr
#define load_acquire	ldar

#define smp_mb()	insn("dmb ish")
#define smp_wmb()	insn("dmb ishst")
#define smp_rmb()	insn("dmb ishld")

static inline void release_int(int *p, int v)
{
	asm volatile("stlr %w1, %0" : "=Q" (*p) : "r" (v) : "memory");
}

static inline int acquire_int(const int *p)
{
	int v;

	asm volatile("ldar %w0, %1" : "=r" (v) : "Q" (*p) : "memory");
	return v;
}

#elif defined(__x86_64__)

#define insn(text)	asm volatile(text : : : "memory", "cc")

/*
 * Like the kernel since 4.15, below the stack pointer: an access at it could
 * make a function wait for its own return address.
 */
#define smp_mb()	insn("lock; addl $0, -4(%%rsp)")
/*
 * x86 does not reorder stores with stores, nor loads with loads, so only the
 * compiler needs a barrier.
 */
#define smp_wmb()	insn("")
#define smp_rmb()	insn("")

static inline void store_release(uint64_t *p, uint64_t v)
{
	insn("");
	plain_store(p, v);
}

static inline uint64_t load_acquire(const uint64_t *p)
{
	uint64_t v = plain_load(p);

	insn("");
	return v;
}

static inline void release_int(int *p, int v)
{
	insn("");
	WRITE_ONCE(*p, v);
}

static inline int acquire_int(const int *p)
{
	int v = READ_ONCE(*p);

	insn("");
	return v;
}

#endif

#define smp_store_release(p, v)	release_int(p, v)
#define smp_load_acquire(p)	acquire_int(p)

#endif
