// SPDX-License-Identifier: GPL-2.0
/* Knobs in a made-up /proc and /sys: found, set, and put back. */
#include "tests/unit/killed.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/tune.h"
#include "lib/util.h"

#define TEST(name)	static void name(void **state __attribute__((unused)))

static char root[] = "/tmp/ptelab-tune.XXXXXX";
static char *runtime;

static void put(const char *path, const char *value)
{
	char *full = xasprintf("%s%s", root, path), *slash;
	FILE *f;

	slash = strrchr(full, '/');
	*slash = '\0';
	assert_int_equal(make_dirs(full), 0);
	*slash = '/';
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(value, f);
	fclose(f);
	free(full);
}

static void holds(const char *path, const char *want)
{
	char *got = read_line("%s%s", root, path);

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

#define GOVERNOR0	"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
#define GOVERNOR12	"/sys/devices/system/cpu/cpu12/cpufreq/scaling_governor"
#define SMT_ACTIVE	"/sys/devices/system/cpu/smt/active"
#define SMT_CONTROL	"/sys/devices/system/cpu/smt/control"
#define KSM		"/sys/kernel/mm/ksm/run"
#define NUMA		"/proc/sys/kernel/numa_balancing"

static int set_up(void **state __attribute__((unused)))
{
	if (!mkdtemp(root))
		return -1;
	runtime = xasprintf("%s/run", root);
	put(GOVERNOR0, "powersave\n");
	put(GOVERNOR12, "performance\n");
	put(SMT_ACTIVE, "1\n");
	put(SMT_CONTROL, "on\n");
	put(KSM, "0\n");
	put(NUMA, "1\n");
	return 0;
}

static int tear_down(void **state __attribute__((unused)))
{
	char *command = xasprintf("rm -rf %s", root);
	int ret = system(command);

	free(command);
	return ret;
}

static const struct tune_knob *knob(const char *name)
{
	size_t i;

	for (i = 0; i < tune_knobs_nr; i++)
		if (!strcmp(tune_knobs[i].name, name))
			return &tune_knobs[i];
	fail_msg("no knob %s\n", name);
	return NULL;
}

TEST(every_knob_says_what_it_does)
{
	size_t i;

	for (i = 0; i < tune_knobs_nr; i++) {
		assert_true(strlen(tune_knobs[i].does) > 30);
		assert_true(tune_knobs[i].path[0] == '/');
	}
}

TEST(looks)
{
	struct tune_state s = tune_look(knob("governor"), root);

	assert_int_equal(s.files, 2);
	assert_int_equal(s.off, 1);
	assert_string_equal(s.value, "powersave");
	assert_non_null(strstr(s.command, "echo performance | tee "));
	tune_state_free(&s);
	s = tune_look(knob("SMT"), root);
	assert_int_equal(s.off, 1);
	assert_non_null(strstr(s.command, "echo off > "));
	assert_non_null(strstr(s.command, "/smt/control"));
	tune_state_free(&s);
	s = tune_look(knob("KSM"), root);
	assert_int_equal(s.files, 1);
	assert_int_equal(s.off, 0);
	assert_null(s.command);
	tune_state_free(&s);
	s = tune_look(knob("watchdog"), root);
	assert_int_equal(s.files, 0);
	tune_state_free(&s);
}

static void is_tuned(void)
{
	holds(GOVERNOR0, "performance");
	holds(GOVERNOR12, "performance");
	holds(SMT_CONTROL, "off");
	holds(KSM, "0");
	holds(NUMA, "0");
}

static void is_as_before(void)
{
	holds(GOVERNOR0, "powersave");
	holds(GOVERNOR12, "performance");
	holds(SMT_CONTROL, "on");
	holds(KSM, "0");
	holds(NUMA, "1");
}

TEST(sets_and_puts_back)
{
	size_t set;

	assert_int_equal(journal_open(runtime, 0, NULL), 0);
	assert_int_equal(tune_apply(root, &set), 0);
	assert_int_equal(set, 3);
	is_tuned();
	journal_close();
	is_as_before();
}

/* Killed where nothing can be done about it: the next start does. */
TEST(after_sigkill)
{
	unsigned int replayed;
	int status, pipe_fd[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(pipe_fd), 0);
	pid = fork();
	if (!pid) {
		size_t set;

		if (journal_open(runtime, 0, NULL) || tune_apply(root, &set) ||
		    write(pipe_fd[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(pipe_fd[0], &c, 1), 1);
	is_tuned();
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	is_tuned();
	assert_int_equal(journal_open(runtime, 0, &replayed), 0);
	assert_int_equal(replayed, 3);
	is_as_before();
	journal_close();
	close(pipe_fd[0]);
	close(pipe_fd[1]);
}

static void tuned_run(void)
{
	size_t set;

	if (!journal_open(runtime, JOURNAL_QUIET, NULL) &&
	    !tune_apply(root, &set))
		journal_close();
}

/* Killed before or after any system call; returns how often. */
static unsigned int kill_everywhere(void)
{
	unsigned int nr = 0;

	while (killed_after(nr + 1, tuned_run)) {
		nr++;
		assert_int_equal(journal_open(runtime, JOURNAL_QUIET, NULL), 0);
		is_as_before();
		journal_close();
	}
	is_as_before();
	return nr;
}

TEST(killed_anywhere)
{
	unsigned int nr = kill_everywhere();

	print_message("killed %u times\n", nr);
	assert_true(nr >= 200);
}

/* A user whose settings these are, as root of a container's may be. */
TEST(killed_anywhere_as_a_user)
{
	char *command = xasprintf("chown -R 65534:65534 %s", root);
	int status;
	pid_t pid;

	if (geteuid()) {
		free(command);
		skip();
	}
	assert_int_equal(system(command), 0);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(kill_everywhere() >= 200 ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	free(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_knob_says_what_it_does),
		cmocka_unit_test(looks),
		cmocka_unit_test(sets_and_puts_back),
		cmocka_unit_test(after_sigkill),
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(killed_anywhere_as_a_user),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
