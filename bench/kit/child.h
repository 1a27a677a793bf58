/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children without most of their parent's memory: no heap, no stack except one
 * in shared memory, no thread-local storage. What they run must not need these,
 * so it makes system calls directly and does not call the C library.
 */
#ifndef PTELAB_BENCH_CHILD_H
#define PTELAB_BENCH_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

/* No canary, no sanitizer: both need memory that the child does not have. */
#if defined(__clang__)
#define IN_CHILD __attribute__((noinline, no_stack_protector, \
				no_sanitize("address", "undefined", "thread")))
#else
#define IN_CHILD __attribute__((noinline, no_stack_protector, \
				no_sanitize_address, no_sanitize_undefined, \
				no_sanitize_thread))
#endif

/* Returns the result, or -errno. */
long child_syscall(long nr, long a, long b, long c, long d);

/*
 * Starts a child with a copy of the memory, like fork(), that runs @fn(@arg) on
 * the stack below @top (aligned to 16 bytes) and exits with its return value.
 * It ends with SIGCHLD. This is not clone(3), which sanitizers replace with
 * code that needs their own memory in the child. The caller has blocked signals
 * and unregistered rseq. Returns the pid, or -errno without fail() text.
 */
pid_t child_clone(int (*fn)(void *arg), void *top, void *arg);

/*
 * Unregisters the calling thread's rseq area, or registers it again. With a
 * registered area in thread-local storage, which the child does not have, the
 * kernel would kill the child. Returns 0 or -errno with fail() text.
 */
int child_rseq(bool on);

#endif
