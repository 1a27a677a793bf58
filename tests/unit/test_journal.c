// SPDX-License-Identifier: GPL-2.0
/* The restore journal: settings come back after an end, and after SIGKILL. */
#include "tests/unit/test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
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
	setenv("PTELAB_RUNTIME_DIR", dir, 1);
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
	assert_int_equal(journal_open(NULL), 0);
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
	assert_int_equal(journal_open(NULL), 0);
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
		if (journal_open(NULL) || journal_set(a, "never") ||
		    journal_set(b, "1"))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	waitpid(pid, &status, 0);
	assert_true(WIFSIGNALED(status));
	holds(b, "1");
	assert_int_equal(journal_open(&replayed), 0);
	assert_int_equal(replayed, 2);
	holds(a, "madvise");
	holds(b, "7");
	journal_close();
	assert_int_equal(journal_open(&replayed), 0);
	assert_int_equal(replayed, 0);
}

static void one_at_a_time(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_int_equal(journal_open(NULL), 0);
	assert_int_equal(journal_set(b, "1"), 0);
	pid = fork();
	if (!pid) {
		/* neither a second lock nor the parent's changes are its */
		journal_close();
		_exit(journal_open(NULL) == -EBUSY ? 0 : 1);
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
	assert_int_equal(journal_open(&replayed), 0);
	assert_int_equal(replayed, 1);
	holds(b, "5");
	free(text);
	free(journal);
}

static void missing_setting(void **state)
{
	(void)state;
	assert_int_equal(journal_open(NULL), 0);
	assert_int_equal(journal_set("/nonexistent/knob", "1"), -ENOENT);
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(put_back_in_order), T(same_value_is_no_change), T(after_kill),
		T(one_at_a_time), T(torn_line), T(missing_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
