// SPDX-License-Identifier: GPL-2.0
/* See child.h. */
#include "bench/kit/child.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/util.h"

#if defined(__x86_64__)

IN_CHILD long child_syscall(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

IN_CHILD pid_t child_clone(int (*fn)(void *arg), void *top, void *arg)
{
	uintptr_t *sp = top;
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	long ret;

	*--sp = (uintptr_t)arg;
	*--sp = (uintptr_t)fn;
	__asm__ volatile("syscall\n\t"
			 "testl	%%eax, %%eax\n\t"
			 "jnz	1f\n\t"
			 "xorl	%%ebp, %%ebp\n\t"
			 "popq	%%rax\n\t"
			 "popq	%%rdi\n\t"
			 "call	*%%rax\n\t"
			 "movl	%%eax, %%edi\n\t"
			 "movl	%[exit], %%eax\n\t"
			 "syscall\n"
			 "1:"
			 : "=a"(ret)
			 : "a"((long)SYS_clone), "D"((long)SIGCHLD), "S"(sp),
			   "d"(0L), "r"(r10), "r"(r8),
			   [exit] "i"(SYS_exit_group)
			 : "rcx", "r11", "cc", "memory");
	return ret;
}

#define RSEQ_SIGNATURE	0x53053053

#elif defined(__aarch64__)

IN_CHILD long child_syscall(long nr, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc 0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3)
			 : "memory");
	return x0;
}

IN_CHILD pid_t child_clone(int (*fn)(void *arg), void *top, void *arg)
{
	uintptr_t *sp = top;
	register long x8 __asm__("x8") = SYS_clone;
	register long x0 __asm__("x0") = SIGCHLD;
	register long x1 __asm__("x1");
	register long x2 __asm__("x2") = 0;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;

	*--sp = (uintptr_t)arg;
	*--sp = (uintptr_t)fn;
	x1 = (long)sp;
	__asm__ volatile("svc	0\n\t"
			 "cbnz	x0, 1f\n\t"
			 "mov	x29, #0\n\t"
			 "ldp	x1, x0, [sp], #16\n\t"
			 "blr	x1\n\t"
			 "mov	x8, %[exit]\n\t"
			 "svc	0\n"
			 "1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4),
			   [exit] "i"(SYS_exit_group)
			 : "cc", "memory");
	return x0;
}

#define RSEQ_SIGNATURE	0xd428bc00

#else
#error "no system calls for this architecture"
#endif

/* The C library registered 32 bytes, or more on newer kernels. */
int child_rseq(bool on)
{
	static __thread uint32_t len;
	static __thread bool off;
	void *area = (char *)__builtin_thread_pointer() + __rseq_offset;
	uint32_t try;

	if (!__rseq_size || on == !off)
		return 0;
	for (try = len ? len : 32; try <= 256; try += 32)
		if (!syscall(SYS_rseq, area, try, on ? 0 : RSEQ_FLAG_UNREGISTER,
			     RSEQ_SIGNATURE)) {
			len = try;
			off = !on;
			return 0;
		}
	return fail(errno, "rseq: %s", strerror(errno));
}
