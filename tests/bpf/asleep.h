/* SPDX-License-Identifier: GPL-2.0 */
/* Waiting for another program to be ready, without guessing how long it takes. */
#ifndef TESTS_BPF_ASLEEP_H
#define TESTS_BPF_ASLEEP_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"

/*
 * Waits until a child sleeps in a system call that it makes only when it is all
 * set. Returns whether it does; if not, it has ended.
 */
static inline bool wait_until_asleep_in(pid_t pid, long syscall)
{
	char *path = xasprintf("/proc/%d/syscall", pid), line[128];
	bool ended = false, there = false;
	FILE *f;

	while (!there && !ended) {
		usleep(10000);
		f = fopen(path, "re");
		/* "running", or the number and more */
		there = f && fgets(line, sizeof(line), f) &&
			strspn(line, "0123456789") &&
			strtol(line, NULL, 10) == syscall;
		if (f)
			fclose(f);
		ended = waitpid(pid, NULL, WNOHANG) == pid;
	}
	free(path);
	return there;
}

#endif
