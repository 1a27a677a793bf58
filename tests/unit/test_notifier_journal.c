// SPDX-License-Identifier: GPL-2.0
/* What the restore journal undoes that is no setting with an old value. */
#include "tests/unit/test.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/journal.h"
#include "lib/util.h"

static char dir[64];
static char *a, *b, *order;

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
	order = xasprintf("%s/order", dir);
	put(a, "1\n");
	put(b, "1\n");
	put(order, "0\n");
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
	free(order);
	return ret;
}

/* The value is written at the end, and not before. */
static void written_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_int_equal(journal_note_write(a, "reset"), 0);
	holds(a, "1");
	journal_close();
	holds(a, "reset");
}

/* Newest first, in one order with the settings. */
static void newest_first(void **state)
{
	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_int_equal(journal_set(order, "5"), 0);
	assert_int_equal(journal_note_write(order, "6"), 0);
	journal_close();
	holds(order, "0");
}

/* A device that is gone, or is none, is no reason to fail for ever. */
static void gone_is_undone(void **state)
{
	unsigned int replayed = 0;
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (!pid) {
		int ret = journal_open(dir, 0, NULL);

		if (!ret)
			ret = journal_note_write("/nowhere/reset", "1");
		if (!ret)
			ret = journal_note_swapoff("/nowhere/zram0");
		if (!ret)
			ret = journal_note_swapoff("/dev/null");
		if (!ret)
			ret = journal_note_write(b, "undone");
		if (!ret)
			raise(SIGKILL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	holds(b, "1");
	assert_int_equal(journal_open(dir, 0, &replayed), 0);
	holds(b, "undone");
	/* only root may ask for a swap device at all */
	assert_int_equal(replayed, 3);
}

/* A device that somebody else has set up since then is not reset. */
static void only_while(void **state)
{
	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	journal_while(order, "0");
	assert_int_equal(journal_note_write(a, "undone"), 0);
	journal_while(order, "5");
	assert_int_equal(journal_note_write(b, "undone"), 0);
	journal_while("/nowhere", "5");
	assert_int_equal(journal_note_write(b, "undone"), 0);
	assert_int_equal(journal_restore(), 0);
	holds(a, "undone");
	holds(b, "1");
	/* of the next entry only */
	assert_int_equal(journal_note_write(b, "undone"), 0);
	assert_int_equal(journal_restore(), 0);
	holds(b, "undone");
}

static void back_to_a_mark(void **state)
{
	long mark;

	(void)state;
	assert_int_equal(journal_open(dir, 0, NULL), 0);
	assert_int_equal(journal_set(a, "2"), 0);
	mark = journal_mark();
	assert_int_equal(journal_set(a, "3"), 0);
	assert_int_equal(journal_note_write(b, "undone"), 0);
	assert_int_equal(journal_restore_to(mark), 0);
	holds(a, "2");
	holds(b, "undone");
	/* what was undone is not undone again */
	put(b, "someone else's\n");
	journal_close();
	holds(b, "someone else's");
	holds(a, "1");
}

static void not_open(void **state)
{
	(void)state;
	assert_true(journal_note_write(a, "x") < 0);
	assert_true(journal_note_swapoff("/dev/zram0") < 0);
	assert_int_equal(journal_mark(), 0);
	assert_int_equal(journal_restore_to(0), 0);
}

static void need_root(void **state)
{
	if (swapoff("/nowhere/zram0") && errno == EPERM)
		skip_for("swapoff is not permitted: needs CAP_SYS_ADMIN");
	gone_is_undone(state);
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(written_at_the_end), T(newest_first), T(need_root), T(only_while),
		T(back_to_a_mark), T(not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
