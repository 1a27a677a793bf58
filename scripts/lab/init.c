// SPDX-License-Identifier: GPL-2.0
/*
 * init.c: the first process of an emulated machine.
 *
 * Mounts what a measurement needs, loads the modules in /modules, runs each
 * line of /job, and powers off.  What a job line prints on its standard output
 * goes to the host through the memory of an ivshmem device, by plain stores:
 * no interrupt, no device model, no host clock, so two boots with the same
 * seed stay identical.  A line is published (struct lab_chan.length) only when
 * all of it is there, so a guest that panics or hangs leaves whole lines.
 *
 * Standard error and what init says itself go to the console.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scripts/lab/chan.h"

#define MAX_ARGS 256

static volatile struct lab_chan *chan;
static size_t chan_room;	/* bytes of data the channel can hold */
static size_t chan_used;	/* bytes written, the unfinished line included */
static unsigned long long word;	/* the last, incomplete 8 bytes of them */

static void say(const char *fmt, ...)
{
	va_list ap;

	fputs("lab: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -errno : 0;
}

static void mount_all(void)
{
	static const struct {
		const char *type, *dir, *data;
	} m[] = {
		{ "devtmpfs", "/dev", NULL },
		{ "proc", "/proc", NULL },
		{ "sysfs", "/sys", NULL },
		{ "debugfs", "/sys/kernel/debug", NULL },
		{ "tracefs", "/sys/kernel/tracing", NULL },
		{ "bpf", "/sys/fs/bpf", NULL },
		{ "cgroup2", "/sys/fs/cgroup", NULL },
		{ "tmpfs", "/dev/shm", NULL },
		{ "tmpfs", "/tmp", NULL },
		{ "tmpfs", "/run", NULL },
		{ "hugetlbfs", "/dev/hugepages", NULL },
	};

	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++) {
		mkdir(m[i].dir, 0755);
		/* A kernel without one of them is no error: the job says so. */
		if (mount(m[i].type, m[i].dir, m[i].type, 0, m[i].data) &&
		    errno != ENODEV && errno != ENOENT)
			say("mount %s: %s", m[i].dir, strerror(errno));
	}
}

/*
 * The channel is the memory BAR of the ivshmem device in a fixed slot, behind
 * whatever a job adds, so that it shifts no address a job sees.
 */
static int open_chan(void)
{
	struct stat st;
	int fd, ret;
	void *p;

	put_file(LAB_CHAN_PCI "/enable", "1");
	fd = open(LAB_CHAN_PCI "/resource2", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st)) {
		ret = -errno;
		close(fd);
		return ret;
	}
	p = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ret = p == MAP_FAILED ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	chan = p;
	chan_room = st.st_size - LAB_CHAN_DATA;
	return 0;
}

/*
 * The BAR is device memory, so only aligned 8-byte stores: memcpy() may use
 * pairs, unaligned accesses and DC ZVA.
 */
static void chan_put(const char *s, size_t n)
{
	volatile unsigned long long *data =
		(void *)((volatile char *)chan + LAB_CHAN_DATA);

	for (size_t i = 0; i < n; i++) {
		unsigned int shift = chan_used % 8 * 8;

		if (chan_used == chan_room) {
			chan->overflow = 1;
			return;
		}
		if (!shift)
			word = 0;
		word |= (unsigned long long)(unsigned char)s[i] << shift;
		chan_used++;
		if (s[i] != '\n' && shift != 56)
			continue;
		data[(chan_used - 1) / 8] = word;
		if (s[i] == '\n') {
			__sync_synchronize();
			chan->length = chan_used;
			chan->lines++;
		}
	}
}

/* What a command left without a newline is not a record: forget it. */
static void chan_drop_unfinished(void)
{
	volatile unsigned long long *data =
		(void *)((volatile char *)chan + LAB_CHAN_DATA);

	if (chan_used == chan->length)
		return;
	say("dropped an unfinished last line of %zu bytes",
	    chan_used - (size_t)chan->length);
	chan_used = chan->length;
	word = 0;
	if (chan_used % 8)
		word = data[chan_used / 8] &
		       ((1ULL << (chan_used % 8 * 8)) - 1);
}

static void out(const char *s, size_t n)
{
	if (chan)
		chan_put(s, n);
	else if (write(STDOUT_FILENO, s, n) < 0)
		_exit(1);
}

/* Where the module loaded last is, for who has its addresses to name. */
static void say_text(const char *path)
{
	char name[64] = "", file[128], text[32] = "";
	FILE *f = fopen("/proc/modules", "re");

	if (!f)
		return;
	if (fscanf(f, "%63s", name) != 1)
		name[0] = 0;
	fclose(f);
	snprintf(file, sizeof(file), "/sys/module/%s/sections/.text", name);
	f = fopen(file, "re");
	if (!f)
		return;
	if (fscanf(f, "%31s", text) == 1)
		say("module %s text %s", path, text);
	fclose(f);
}

static void load_modules(void)
{
	glob_t g;

	if (glob("/modules/*.ko", 0, NULL, &g))
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		int fd = open(g.gl_pathv[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
			say("module %s: %s", g.gl_pathv[i], strerror(errno));
		else
			say_text(g.gl_pathv[i]);
		if (fd >= 0)
			close(fd);
	}
	globfree(&g);
}

/* Splits @line at blanks; '...' and "..." keep blanks. */
static int split(char *line, char **argv)
{
	char *s = line, *d;
	int n = 0;

	for (;;) {
		while (*s == ' ' || *s == '\t')
			s++;
		if (!*s || *s == '#')
			break;
		if (n == MAX_ARGS - 1)
			return -E2BIG;
		argv[n++] = d = s;
		while (*s && *s != ' ' && *s != '\t') {
			if (*s == '\'' || *s == '"') {
				char q = *s++;

				while (*s && *s != q)
					*d++ = *s++;
				if (!*s)
					return -EINVAL;
				s++;
			} else {
				*d++ = *s++;
			}
		}
		if (*s)
			s++;
		*d = 0;
	}
	argv[n] = NULL;
	return n;
}

static void on_sigchld(int sig)
{
}

/* Runs one command; returns what a shell would: 128 + n for signal n. */
static int run(char **argv)
{
	struct pollfd pfd = { .events = POLLIN };
	sigset_t none;
	char buf[4096];
	int pipefd[2], status = 0;
	ssize_t n = 1;
	pid_t pid;

	if (pipe2(pipefd, O_CLOEXEC))
		return 126;
	pid = fork();
	if (pid < 0)
		return 126;
	if (!pid) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		dup2(pipefd[1], STDOUT_FILENO);
		execvp(argv[0], argv);
		say("%s: %s", argv[0], strerror(errno));
		_exit(127);
	}
	close(pipefd[1]);
	pfd.fd = pipefd[0];
	sigemptyset(&none);
	for (;;) {
		pid_t dead;

		/* Ends with the command: a child it left may keep the pipe. */
		while ((dead = waitpid(-1, &status, WNOHANG)) > 0)
			if (dead == pid)
				break;
		if (dead == pid)
			break;
		if (n > 0) {
			if (ppoll(&pfd, 1, NULL, &none) <= 0)
				continue;
			n = read(pfd.fd, buf, sizeof(buf));
			if (n > 0)
				out(buf, n);
		} else {
			sigsuspend(&none);
		}
	}
	fcntl(pfd.fd, F_SETFL, O_NONBLOCK);
	while ((n = read(pfd.fd, buf, sizeof(buf))) > 0)
		out(buf, n);
	close(pfd.fd);
	if (chan)
		chan_drop_unfinished();
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

static int run_job(void)
{
	static char *argv[MAX_ARGS];
	int code = 0, no = 0, ret;
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	FILE *f;

	f = fopen("/job", "re");
	if (!f) {
		say("/job: %s", strerror(errno));
		return 127;
	}
	while ((len = getline(&line, &size, f)) > 0) {
		no++;
		if (line[len - 1] == '\n')
			line[len - 1] = 0;
		ret = split(line, argv);
		if (!ret)
			continue;
		ret = ret < 0 ? 125 : run(argv);
		if (ret) {
			say("job line %d: exit %d", no, ret);
			if (!code) {
				code = ret;
				if (chan)
					chan->failed_line = no;
			}
		}
	}
	free(line);
	fclose(f);
	return code;
}

int main(void)
{
	sigset_t block;
	int ret, code;

	sigemptyset(&block);
	sigaddset(&block, SIGCHLD);
	sigprocmask(SIG_BLOCK, &block, NULL);
	signal(SIGCHLD, on_sigchld);
	setvbuf(stderr, NULL, _IOLBF, 0);

	mount_all();
	setenv("PATH", "/bin", 1);
	setenv("HOME", "/", 1);
	setenv("TMPDIR", "/tmp", 1);
	/* What /proc/kallsyms would say of functions, without its cost */
	if (!access("/kallsyms", R_OK))
		setenv("PTELAB_KALLSYMS", "/kallsyms", 1);
	if (chdir("/tmp"))
		say("/tmp: %s", strerror(errno));

	ret = open_chan();
	if (ret)
		say("no channel to the host: %s", strerror(-ret));
	else
		chan->magic = LAB_CHAN_MAGIC;
	load_modules();
	if (chan)
		chan->state = LAB_RUNNING;
	code = run_job();
	if (chan) {
		chan->code = code;
		__sync_synchronize();
		chan->state = LAB_DONE;
	}
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}
