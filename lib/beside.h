/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A program that runs beside what is measured: bpftrace, perf. It may use all
 * CPUs, gets no Ctrl-C of the terminal, and is ended if ptelab dies.
 */
#ifndef PTELAB_BESIDE_H
#define PTELAB_BESIDE_H

#include <stddef.h>
#include <sys/types.h>

/* The exit status of the child if there is no such program. */
#define BESIDE_NONE	127

/*
 * Starts argv[0], found in PATH or /usr/bin. @out, @err: its standard output and
 * standard error. @keep: other descriptors that it needs, -1 at the end.
 * Returns its pid, or -errno with fail() text.
 */
pid_t beside_start(char *const argv[], int out, int err, const int *keep);

#endif
