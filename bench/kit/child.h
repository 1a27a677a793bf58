/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Children that lack most of their parent's memory: no heap, no stack but one
 * in shared memory, no thread-local storage. What they run must not need any
 * of that, so it makes its system calls by hand and calls nothing of the C
 * library.
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

/* The result, or -errno. */
long child_syscall(long nr, long a, long b, long c, long d);

/*
 * Starts a child with a copy of the memory, as fork() does, that runs @fn(@arg)
 * on the stack below @top (aligned to 16 bytes) and exits with what it returns;
 * its end is told by SIGCHLD. Not clone(3), in place of which sanitizers put
 * something that needs their own memory on the other side. The caller has
 * blocked signals and switched rseq off.
 * Returns its pid, or -errno without fail() text.
 */
pid_t child_clone(int (*fn)(void *arg), void *top, void *arg);

/*
 * The kernel would kill the child for a thread-local rseq area that it does not
 * have: unregisters the calling thread's, and registers it again.
 * Returns 0 or -errno with fail() text.
 */
int child_rseq(bool on);

#endif
