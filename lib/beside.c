// SPDX-License-Identifier: GPL-2.0
/* See beside.h. */
#include "lib/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/util.h"

/* Shares memory with ptelab until the program is there. */
static void child_main(char *const argv[], const char *path, int out, int err,
		       const int *keep)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;
	cpu_set_t all;

	/* its own group: a Ctrl-C is for ptelab, which then ends it */
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	memset(&all, 0xff, sizeof(all));
	sched_setaffinity(0, sizeof(all), &all);
	for (; *keep >= 0; keep++)
		fcntl(*keep, F_SETFD, 0);
	dup2(null, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	execvp(argv[0], argv);
	/* the emulated machine's PATH is /bin */
	execv(path, argv);
	_exit(errno == ENOENT ? BESIDE_NONE : 126);
}

pid_t beside_start(char *const argv[], int out, int err, const int *keep)
{
	char *path = xasprintf("/usr/bin/%s", argv[0]);
	pid_t pid;

	/*
	 * After fork() this process would fault on every page that it writes to,
	 * in the operation too.
	 */
	pid = vfork();
	if (!pid)
		child_main(argv, path, out, err, keep);
	free(path);
	return pid < 0 ? fail(errno, "can't start %s: %s", argv[0],
			      strerror(errno)) : pid;
}
