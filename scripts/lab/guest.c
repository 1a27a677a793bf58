// SPDX-License-Identifier: GPL-2.0
/*
 * guest.c: runs an emulator, copies the lines that its guest finishes into a
 * file as they come, and ends it when it takes too long.
 *
 *	guest -o OUT [-t SECONDS] -- EMULATOR ARG...
 *
 * The emulator inherits the channel (chan.h) as file descriptor 100: give it
 * "-object memory-backend-file,mem-path=/proc/self/fd/100,share=on,...".
 * It has no name in any file system, so nothing is left behind however this
 * ends.  The last line on standard output says how it ended:
 *
 *	END code=N failed_line=N lines=N first_ms=N total_ms=N
 *
 * END: done (the guest ran its job to the end), died (the emulator ended
 * before that), killed (by a signal of somebody else), timeout, interrupted.
 * first_ms is from the start to the guest's first line, -1 if there was none.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scripts/lab/chan.h"

#define CHAN_FD	100
#define POLL_MS	5

static volatile sig_atomic_t interrupted;

static void on_signal(int sig)
{
	interrupted = sig;
}

static void die(const char *what)
{
	fprintf(stderr, "guest: %s: %s\n", what, strerror(errno));
	exit(2);
}

static long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Appends what is new in the channel; returns its length now. */
static unsigned long long drain(volatile struct lab_chan *chan, int out,
				unsigned long long done)
{
	unsigned long long len = chan->length;
	const char *data = (const char *)chan + LAB_CHAN_DATA;

	__sync_synchronize();
	if (len > LAB_CHAN_SIZE - LAB_CHAN_DATA)
		len = done;	/* scribbled over by a guest gone wild */
	while (done < len) {
		ssize_t n = write(out, data + done, len - done);

		if (n < 0 && errno != EINTR)
			die("writing the results");
		if (n > 0)
			done += n;
	}
	return done;
}

static pid_t start(char **argv)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	/* No emulator outlives its watcher, not even one that was killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	/* A Ctrl-C goes to the whole group; the watcher decides what it means. */
	setpgid(0, 0);
	execvp(argv[0], argv);
	fprintf(stderr, "guest: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };
	long long t0 = now_ms(), first = -1, timeout = 60;
	const char *path = NULL, *end = "died";
	volatile struct lab_chan *chan;
	unsigned long long done = 0;
	int opt, fd, out, status;
	pid_t pid;

	while ((opt = getopt(argc, argv, "+o:t:")) != -1) {
		if (opt == 'o')
			path = optarg;
		else if (opt == 't')
			timeout = atoll(optarg);
		else
			return 2;
	}
	if (!path || optind == argc || timeout <= 0) {
		fprintf(stderr, "usage: guest -o OUT [-t SECONDS] -- EMULATOR ARG...\n");
		return 2;
	}
	out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (out < 0)
		die(path);
	fd = memfd_create("ptelab-channel", 0);
	if (fd < 0 || ftruncate(fd, LAB_CHAN_SIZE) || dup2(fd, CHAN_FD) < 0)
		die("the channel");
	close(fd);
	chan = mmap(NULL, LAB_CHAN_SIZE, PROT_READ, MAP_SHARED, CHAN_FD, 0);
	if (chan == MAP_FAILED)
		die("the channel");

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	pid = start(argv + optind);

	for (;;) {
		pid_t dead = waitpid(pid, &status, WNOHANG);

		done = drain(chan, out, done);
		if (done && first < 0)
			first = now_ms() - t0;
		if (dead == pid) {
			if (chan->magic == LAB_CHAN_MAGIC &&
			    chan->state == LAB_DONE)
				end = "done";
			else if (WIFSIGNALED(status))
				end = "killed";
			break;
		}
		if (interrupted || now_ms() - t0 > timeout * 1000) {
			end = interrupted ? "interrupted" : "timeout";
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			done = drain(chan, out, done);
			break;
		}
		usleep(POLL_MS * 1000);
	}
	if (fsync(out) && errno != EINVAL)
		die("writing the results");
	close(out);
	printf("%s code=%llu failed_line=%llu lines=%llu first_ms=%lld total_ms=%lld%s\n",
	       end, chan->code, chan->failed_line, chan->lines, first,
	       now_ms() - t0, chan->overflow ? " overflow" : "");
	return strcmp(end, "done") ? 1 : 0;
}
