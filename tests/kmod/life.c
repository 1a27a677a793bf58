// SPDX-License-Identifier: GPL-2.0
/*
 * Loading, unloading and dying, in every order.
 *
 *	life ROUNDS SEED
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/util.h"
#include "tests/kmod/test.h"

#define PAGES	64
#define LEN	(PAGES * 4096UL)

static int load(void)
{
	static char *module;
	int fd, ret;
	glob_t g;

	/* As the machine's init found it, or where it did not look */
	if (!module) {
		if (glob("/modules/ptelab*.ko", 0, NULL, &g) &&
		    glob("/bin/ptelab.ko", 0, NULL, &g))
			give_up("no ptelab.ko in /modules");
		module = g.gl_pathv[0];
	}
	fd = open(module, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	return ret;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "ptelab", O_NONBLOCK) ? -errno : 0;
}

/* A dying process's files may still be on their way out. */
static int unload_soon(void)
{
	int i, ret = -EAGAIN;

	for (i = 0; i < 500 && (ret = unload()) == -EAGAIN; i++)
		usleep(2000);
	return ret;
}

static char *set_up(int fd)
{
	char *p = get_memory(LEN, 0);

	write_pages(p, LEN);
	if (kmod_notify_start(fd, PTELAB_NOTIFY_RANGE |
			      PTELAB_NOTIFY_SECONDARY, NULL, 0) ||
	    kmod_shadow_start(fd, PTELAB_SHADOW_RANGE |
			      PTELAB_SHADOW_SECONDARY, p, LEN) ||
	    kmod_shadow_fill(fd, p, LEN, NULL))
		give_up("%s", fail_text());
	return p;
}

static void test_in_use(void)
{
	int fd = open_device();

	set_up(fd);
	check_eq(-unload(), EAGAIN, "in use: unload refused");
	kmod_shadow_stop(fd);
	check_eq(-unload(), EAGAIN, "open: unload refused");
	close(fd);
	check_eq(-unload_soon(), 0, "closed, subscriptions and all: unloaded");
	check(kmod_open(NULL) < 0, "no device: %s", fail_text());
	check_eq(-load(), 0, "loaded again");
}

/* In a child: fd is the parent's too, or not; ends in many ways. */
static void one_life(unsigned int way, int parents)
{
	int fd = way & 1 ? parents : open_device();
	char *p;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (way & 1) {
		kmod_notify_stop(fd);
		kmod_shadow_stop(fd);
	}
	p = set_up(fd);
	switch (way >> 1 & 3) {
	case 0:
		_exit(0);
	case 1:
		/* A new address space, with the file still open */
		fcntl(fd, F_SETFD, 0);
		execl("/proc/self/exe", "test_kmod", "nothing", NULL);
		_exit(1);
	case 2:
		munmap(p, LEN);
		close(fd);
		_exit(0);
	default:
		kill(getpid(), SIGKILL);
	}
}

static void test_ends(void)
{
	int fd = open_device(), status;
	struct ptelab_notify_counts c;
	unsigned int way, odd = 0;

	for (way = 0; way < 64; way++) {
		pid_t child = fork_idle();

		/* fork_idle() keeps a child that has a copy of everything. */
		fflush(stdout);
		if (!fork()) {
			/* Its usage line is no concern of ours. */
			if (!freopen("/dev/null", "w", stderr))
				_exit(1);
			one_life(way, fd);
			_exit(1);
		}
		wait(&status);
		odd += WIFEXITED(status) && WEXITSTATUS(status) == 1;
		end_child(child);
	}
	check_eq(odd, 0, "64 lives that went wrong");
	check(!kmod_notify_read(fd, &c) && c.released == 1,
	      "the last one's counts are left");
	close(fd);
	check_eq(-unload_soon(), 0, "unloaded after them");
	check_eq(-load(), 0, "loaded again");
}

static void test_kills(unsigned int rounds, uint64_t seed)
{
	unsigned int i, loads = 0, refused = 0;
	uint64_t rnd = seed;
	int fd[64], n, ret;
	pid_t child;

	for (i = 0; i < rounds; i++) {
		fflush(stdout);
		child = fork();
		if (!child) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			fuzz_until_killed(seed * 1000 + i);
			_exit(1);
		}
		usleep(below(&rnd, 60000));
		/* Sometimes it has not opened the device yet. */
		ret = unload();
		if (!ret) {
			loads++;
			if (load())
				give_up("it does not load any more");
		} else if (ret == -EAGAIN) {
			refused++;
		} else {
			give_up("unload: %s", strerror(-ret));
		}
		end_child(child);
	}
	check(refused > 0, "%u processes killed: %u unloads refused, %u done",
	      rounds, refused, loads);

	/*
	 * None of their files is left over. A child that one of them had just
	 * forked has them too, and takes down a whole address space before it
	 * closes them.
	 */
	for (n = 0, i = 0; n < 64 && i < 500;) {
		fd[n] = kmod_open(NULL);
		if (fd[n] >= 0) {
			n++;
		} else {
			usleep(20000);
			i++;
		}
	}
	check_eq(n, 64, "files that can be open after that");
	while (n--)
		close(fd[n]);
	check_eq(-unload_soon(), 0, "unloaded");
	check_eq(-load(), 0, "loaded again");
}

/* Openers against loading and unloading */
static void test_open_race(unsigned int rounds)
{
	double end = now_s() + 20;
	unsigned int i, done = 0;
	uint64_t rnd = rounds;
	pid_t child[2];

	for (i = 0; i < ARRAY_SIZE(child); i++) {
		fflush(stdout);
		child[i] = fork();
		if (child[i])
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (rnd = i;;) {
			int fd = kmod_open(NULL);
			char *p;

			usleep(below(&rnd, 2000));
			if (fd < 0)
				continue;
			/* Seldom, as closing then takes a grace period */
			if (!below(&rnd, 8)) {
				p = get_memory(LEN, 0);
				kmod_notify_start(fd, PTELAB_NOTIFY_RANGE,
						  NULL, 0);
				put_memory(p, LEN);
			}
			close(fd);
			/* Closed long enough for both to be so at times */
			usleep(below(&rnd, 4000));
		}
	}
	while (done < rounds && (!done || now_s() < end)) {
		int ret = unload();

		if (ret && ret != -EAGAIN)
			give_up("unload: %s", strerror(-ret));
		usleep(below(&rnd, 1000));
		if (ret)
			continue;
		done++;
		if (load())
			give_up("it does not load any more");
	}
	for (i = 0; i < ARRAY_SIZE(child); i++)
		end_child(child[i]);
	check(done > 0, "%u unloads under two openers", done);
	check_eq(-unload_soon(), 0, "unloaded");
	check_eq(-load(), 0, "loaded again");
}

/* Only with CONFIG_DEBUG_KMEMLEAK */
static void test_leaks(void)
{
	static const char leaks[] = "/sys/kernel/debug/kmemleak";
	char *text;
	int i;

	if (!put_file(leaks, "scan")) {
		skip("leaks: not watched by this kernel");
		return;
	}
	/* What is younger than five seconds is no leak yet. */
	for (i = 0; i < 2; i++) {
		sleep(6);
		put_file(leaks, "scan");
	}
	text = read_file(leaks, NULL);
	check(text && !strstr(text, "ptelab"), "nothing leaked");
	if (text && *text)
		fprintf(stderr, "%s", text);
	free(text);
}

void test_life(int argc, char **argv)
{
	unsigned int rounds = argc > 0 ? strtoul(argv[0], NULL, 0) : 50;
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	test_in_use();
	test_ends();
	test_kills(rounds, seed);
	test_open_race(rounds);
	test_leaks();
}

/* --- ptelab loads it for a run, and unloads it, also after SIGKILL --- */

static pid_t start_run(const char *bench, const char *batches)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		execlp("ptelab", "ptelab", "run", "-q", "-o", "/tmp/load",
		       "--warmup", "0", "--counted", "0", "--batches", batches,
		       "-b", bench, NULL);
		_exit(127);
	}
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static bool loaded(void)
{
	return !access(PTELAB_DEVICE, F_OK);
}

void test_load(void)
{
	pid_t pid;
	int i;

	check(!loaded(), "not loaded at first");
	check_eq(end_of(start_run("harness.empty", "1")), 0,
		 "a run that does not need it");
	check(!loaded(), "not loaded for that");
	check_eq(end_of(start_run("lockless.compare:folio=4k", "2")), 0,
		 "a run that needs it");
	check(!loaded(), "unloaded at its end");

	pid = start_run("lockless.compare:folio=4k", "1000000");
	for (i = 0; i < 60000 && !loaded(); i++)
		usleep(10000);
	check(loaded(), "loaded while it runs");
	end_child(pid);
	check(loaded(), "still there after SIGKILL");
	check_eq(end_of(start_run("harness.empty", "1")), 0, "the next run");
	check(!loaded(), "unloads it");

	/* Somebody else's stays. */
	check_eq(-load(), 0, "loaded by hand");
	check_eq(end_of(start_run("lockless.compare:folio=4k", "2")), 0,
		 "a run");
	check(loaded(), "and it is still there");
	check_eq(-unload_soon(), 0, "unloaded by hand");

	setenv("PTELAB_MODULE", "/proc/version", 1);
	check_eq(end_of(start_run("lockless.compare:folio=4k", "2")), 2,
		 "what is no module");
	check(!loaded(), "is not loaded");
}
