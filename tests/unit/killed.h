/* SPDX-License-Identifier: GPL-2.0 */
/* SIGKILL anywhere in what a process does. */
#ifndef TESTS_KILLED_H
#define TESTS_KILLED_H

#include <signal.h>
#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/test.h"

/*
 * Runs @run in a child, and kills it when @nr system calls have begun or ended.
 * False if it came to its end before. Skips the test where ptrace is not permitted.
 */
static inline bool killed_after(unsigned int nr, void (*run)(void))
{
	bool running = true;
	int status;
	pid_t pid = fork();

	if (!pid) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0))
			_exit(1);
		raise(SIGSTOP);
		run();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFSTOPPED(status)) {
		print_message("ptrace is not permitted here\n");
		skip();
	}
	while (nr-- && running)
		running = !ptrace(PTRACE_SYSCALL, pid, 0, 0) &&
			  waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
	if (running) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	return running;
}

#endif
