// SPDX-License-Identifier: GPL-2.0
/*
 * kill-when LINK END COMMAND...: runs the command and kills it with SIGKILL as
 * soon as the symbolic link points to something that ends in END.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char target[PATH_MAX];
	size_t len;
	ssize_t n;
	int status;
	pid_t pid;

	if (argc < 4)
		return 2;
	len = strlen(argv[2]);
	pid = fork();
	if (!pid) {
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) != pid) {
		n = readlink(argv[1], target, sizeof(target));
		if (n >= (ssize_t)len && !memcmp(target + n - len, argv[2], len)) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			fprintf(stderr, "kill-when: killed\n");
			return 0;
		}
		usleep(1000);
	}
	return 1;
}
