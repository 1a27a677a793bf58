// SPDX-License-Identifier: GPL-2.0
/* The restore journal: settings come back after an end, and after SIGKILL. */
#include "tests/unit/killed.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/util.h"

static char dir[64];
static char *a, *b;

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void holds(const char *path, const char *want)
{
	char *got = read_line("%s", path);

	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ptelab-journal.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	a = xasprintf("%s/a", dir);
	b = xasprintf("%s/b", dir);
	put(a, "always [madvise] never\n");
	put(b, "7\n");
	return 0;
}

static int teardown(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);
	int ret;

	(void)state;
	journal_close();
	ret = system(cmd);
	free(cmd);
	free(a);
	free(b);
	return ret;
}

static void put_back_in_order(void **state)
{
	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_int_equal(journal_set(a, "never"), 0);
	assert_int_equal(journal_set(b, "8"), 0);
	assert_int_equal(journal_set(b, "9"), 0);
	holds(a, "never");
	holds(b, "9");
	assert_int_equal(journal_restore(), 0);
	holds(a, "madvise");
	holds(b, "7");
}

static void same_value_is_no_change(void **state)
{
	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_int_equal(journal_set(a, "madvise"), 0);
	/* a real sysfs file would show the list again; this one shows that
	 * nothing was written */
	holds(a, "always [madvise] never");
}

static void after_kill(void **state)
{
	unsigned int replayed = 99;
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		if (journal_open(dir, 0, NULL) || journal_set(a, "never") ||
		    journal_set(b, "1"))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	holds(b, "1");
	assert_int_equal(journal_open(dir, 0, &replayed), 0);
	assert_int_equal(replayed, 2);
	holds(a, "madvise");
	holds(b, "7");
	journal_close();
	assert_int_equal(journal_open(dir, 0, &replayed), 0);
	assert_int_equal(replayed, 0);
}

static void one_at_a_time(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_int_equal(journal_set(b, "1"), 0);
	pid = fork();
	if (!pid) {
		/* neither a second lock nor the parent's changes are its */
		journal_close();
		_exit(journal_open(dir, 0, NULL) == -EBUSY ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	holds(b, "1");
}

static void torn_line(void **state)
{
	char *journal = xasprintf("%s/journal", dir);
	char *text = xasprintf("{\"pid\":1,\"start\":1,\"path\":\"%s\",\"old\":\"5\"}\n"
			       "{\"pid\":1,\"start\":1,\"pa", b);
	unsigned int replayed;

	(void)state;
	put(journal, text);
	assert_int_equal(journal_open(dir, 0, &replayed), 0);
	assert_int_equal(replayed, 1);
	holds(b, "5");
	/* it is not the beginning of the next entry */
	assert_int_equal(journal_set(b, "6"), 0);
	assert_int_equal(journal_restore(), 0);
	holds(b, "5");
	free(text);
	free(journal);
}

static void leave(const char *entries)
{
	char *journal = xasprintf("%s/journal", dir);

	put(journal, entries);
	free(journal);
}

static bool journal_is_empty(void)
{
	char *text = read_line("%s/journal", dir);
	bool empty = text && !*text;

	free(text);
	return empty;
}

/* A CPU that was taken off-line takes its settings along. */
static void vanished(void **state)
{
	char *text = xasprintf("{\"pid\":1,\"start\":1,\"path\":\"%s\",\"old\":\"5\"}\n"
			       "{\"pid\":1,\"start\":1,\"path\":\"%s/cpu7/governor\",\"old\":\"x\"}\n",
			       b, dir);
	unsigned int restored;

	(void)state;
	leave(text);
	assert_int_equal(journal_open(dir, 0, &restored), 0);
	assert_int_equal(restored, 1);
	holds(b, "5");
	assert_true(journal_is_empty());
	free(text);
}

/*
 * What can't be written stays, alone, and keeps nobody from measuring. A folder
 * can't be written, whoever asks.
 */
static void denied(void **state)
{
	char *text = xasprintf("{\"pid\":1,\"start\":1,\"path\":\"%s\",\"old\":\"1\"}\n"
			       "{\"pid\":1,\"start\":1,\"path\":\"%s\",\"old\":\"5\"}\n",
			       dir, b);
	unsigned int restored;

	(void)state;
	leave(text);
	assert_int_equal(journal_open(dir, 0, &restored), 0);
	assert_int_equal(restored, 1);
	holds(b, "5");
	assert_int_equal(journal_set(b, "6"), 0);
	journal_close();
	holds(b, "5");
	put(b, "7\n");
	assert_int_equal(journal_open(dir, 0, &restored), 0);
	assert_int_equal(restored, 0);
	holds(b, "7");
	assert_false(journal_is_empty());
	/* nor is it why this one ends */
	fail(ENOSPC, "the disk is full");
	journal_close();
	assert_string_equal(fail_text(), "the disk is full");
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(journal_open(dir, JOURNAL_DROP, &restored), 0);
	assert_true(journal_is_empty());
	free(text);
}

/* Nothing is noted that this user may not change, nor restore. */
static void read_only(void **state)
{
	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_true(journal_set("/proc/version", "1") < 0);
	assert_true(journal_is_empty());
}

static void refused(const char *why)
{
	put(b, "7\n");
	assert_true(journal_open(dir, 0, NULL) < 0);
	if (!strstr(fail_text(), why))
		fail_msg("said: %s", fail_text());
	holds(b, "7");
}

/* Others' entries could have any file written. */
static void foreign(void **state)
{
	char *text = xasprintf("{\"pid\":1,\"start\":1,\"path\":\"%s\",\"old\":\"5\"}\n", b);
	char *journal = xasprintf("%s/journal", dir);
	char *aside = xasprintf("%s/aside", dir);

	(void)state;
	leave(text);
	assert_int_equal(chmod(dir, 0777), 0);
	refused("others may write to");
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(chmod(journal, 0666), 0);
	refused("others may write to");
	if (!geteuid()) {
		assert_int_equal(chmod(journal, 0600), 0);
		assert_int_equal(chown(journal, 65534, 65534), 0);
		refused("belongs to user 65534");
		assert_int_equal(chown(journal, 0, 0), 0);
		assert_int_equal(chown(dir, 65534, 65534), 0);
		refused("belongs to user 65534");
		assert_int_equal(chown(dir, 0, 0), 0);
	}
	assert_int_equal(rename(journal, aside), 0);
	assert_int_equal(symlink(aside, journal), 0);
	refused("not a plain file");
	unlink(journal);
	assert_int_equal(mkfifo(journal, 0600), 0);
	refused("not a plain file");
	unlink(journal);
	assert_int_equal(rename(aside, journal), 0);
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	holds(b, "5");
	free(aside);
	free(journal);
	free(text);
}

/* Without room for a whole entry nothing is changed, and nothing is torn. */
static void full_disk(void **state)
{
	struct rlimit most = { 120, 120 };
	int status;
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		signal(SIGXFSZ, SIG_IGN);
		if (journal_open(dir, 0, NULL) ||
		    journal_set(a, "never") ||
		    setrlimit(RLIMIT_FSIZE, &most) ||
		    !journal_set(b, "1"))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	holds(a, "never");
	holds(b, "7");
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	holds(a, "madvise");
	holds(b, "7");
	assert_true(journal_is_empty());
}

static void set_and_restore(void)
{
	if (!journal_open(dir, 0, NULL) && !journal_set(a, "never") &&
	    !journal_set(b, "1") && !journal_set(b, "2"))
		journal_restore();
}

/* Killed before or after any system call: the next start leaves all as before. */
static void killed_anywhere(void **state)
{
	unsigned int nr = 0;
	bool running;
	char *now;

	(void)state;
	do {
		running = killed_after(++nr, set_and_restore);
		assert_int_equal(journal_open(dir, 0, NULL), 0);
		holds(b, "7");
		now = setting_read(a);
		assert_string_equal(now, "madvise");
		free(now);
		assert_true(journal_is_empty());
		journal_close();
	} while (running);
	/* open, read, note, write, restore: it was not over at once */
	assert_true(nr > 50);
}

static void missing_setting(void **state)
{
	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_int_equal(journal_set("/nonexistent/knob", "1"), -ENOENT);
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(put_back_in_order), T(same_value_is_no_change), T(after_kill),
		T(one_at_a_time), T(torn_line), T(missing_setting),
		T(vanished), T(denied), T(read_only), T(foreign),
		T(full_disk), T(killed_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
