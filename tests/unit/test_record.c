// SPDX-License-Identifier: GPL-2.0
/* Run files: what was written is what is read, and damage is never read as data. */
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/record.h"
#include "lib/util.h"

static char dir[] = "/tmp/ptelab-record.XXXXXX";
static char *path;

static json_t *point(int i)
{
	return json_pack("{s:s, s:{s:i}, s:s, s:f}", "bench", "gup.fast",
			 "params", "pages", i, "status", "ok", "value",
			 i + 0.1);
}

/* A boot file of @nr points. */
static void write_run(const char *where, int nr, bool complete)
{
	json_t *header = json_pack("{s:i}", "seed", 7), *p;
	struct run_writer *w = run_writer_open(where, header);
	int i;

	json_decref(header);
	assert_non_null(w);
	for (i = 0; i < nr; i++) {
		p = point(i);
		assert_int_equal(run_writer_point(w, p), 0);
		json_decref(p);
	}
	free(path);
	path = xstrdup(run_writer_path(w));
	assert_int_equal(run_writer_close(w, complete), 0);
}

static void write_raw(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ptelab-record.XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char *cmd = xasprintf("rm -rf %s", dir);
	int ret = system(cmd);

	(void)state;
	free(cmd);
	free(path);
	path = NULL;
	return ret;
}

static void round_trip(void **state)
{
	struct run_file *f;
	json_t *want;

	(void)state;
	write_run(dir, 3, true);
	f = run_file_load(path);
	assert_non_null(f);
	assert_true(f->complete);
	assert_null(f->incomplete);
	assert_int_equal(f->nr_points, 3);
	assert_int_equal(json_integer_value(json_object_get(f->header, "seed")), 7);
	want = point(2);
	assert_true(json_real_value(json_object_get(f->points[2], "value")) ==
		    json_real_value(json_object_get(want, "value")));
	json_decref(want);
	run_file_free(f);
}

static void numbers_follow_on(void **state)
{
	struct run *r;

	(void)state;
	write_run(dir, 1, true);
	assert_non_null(strstr(path, "/boot-001.jsonl"));
	write_run(dir, 2, true);
	assert_non_null(strstr(path, "/boot-002.jsonl"));
	r = run_load(dir);
	assert_non_null(r);
	assert_int_equal(r->nr_files, 2);
	assert_int_equal(r->files[1]->nr_points, 2);
	run_free(r);
}

static void never_overwritten(void **state)
{
	json_t *header = json_object();
	char *file = xasprintf("%s/x.jsonl", dir);

	(void)state;
	write_run(file, 1, true);
	assert_null(run_writer_open(file, header));
	assert_int_equal(errno, EEXIST);
	json_decref(header);
	free(file);
}

static void stopped_is_incomplete(void **state)
{
	struct run_file *f;

	(void)state;
	write_run(dir, 2, false);
	f = run_file_load(path);
	assert_non_null(f);
	assert_false(f->complete);
	assert_int_equal(f->nr_points, 2);
	assert_non_null(strstr(f->incomplete, "after 2 points"));
	run_file_free(f);
}

/*
 * Cut at every byte: either refused, or the whole points before the cut are
 * there and the file is called incomplete. Never complete, never an extra
 * point.
 */
static void cut_anywhere(void **state)
{
	size_t len, cut, whole;
	char *text, *p;

	(void)state;
	write_run(dir, 3, true);
	text = read_file(path, &len);
	for (cut = 0; cut < len; cut++) {
		struct run_file *f;

		write_raw(text, cut);
		f = run_file_load(path);
		for (whole = 0, p = text; (p = memchr(p, '\n', text + cut - p));
		     p++)
			whole++;
		if (!whole) {
			assert_null(f);
			continue;
		}
		assert_non_null(f);
		assert_false(f->complete);
		assert_int_equal(f->nr_points, whole - 1);
		run_file_free(f);
	}
	free(text);
}

/* One changed byte anywhere must not load as a complete, other content. */
static void flip_anywhere(void **state)
{
	size_t len, at, refused = 0;
	char *text;

	(void)state;
	write_run(dir, 2, true);
	text = read_file(path, &len);
	for (at = 0; at < len; at++) {
		struct run_file *f;

		text[at] ^= 1;
		write_raw(text, len);
		text[at] ^= 1;
		f = run_file_load(path);
		if (!f) {
			refused++;
			continue;
		}
		/* only the newline behind the footer, or what makes the
		 * footer unrecognisable, leaves something to read */
		assert_false(f->complete);
		run_file_free(f);
	}
	assert_true(refused > len / 2);
	free(text);
}

static void refuse(const char *content, const char *why)
{
	write_raw(content, strlen(content));
	assert_null(run_file_load(path));
	if (!strstr(fail_text(), why))
		fail_msg("'%s' does not say '%s'", fail_text(), why);
}

static void foreign_files(void **state)
{
	(void)state;
	path = xasprintf("%s/f.jsonl", dir);
	refuse("", "empty");
	refuse("hello\n", "not a run file");
	refuse("\x7f" "ELF\n", "not a run file");
	refuse("[1,2]\n", "not a run file");
	refuse("{\"a\":1}\n", "not a run file");
	refuse("{\"schema\":\"ptelab-run-1\",\"type\":\"point\"}\n",
	       "not a run file");
	refuse("{\"schema\":\"ptelab-run-99\",\"type\":\"header\"}\n",
	       "schema ptelab-run-99");
	refuse("{\"schema\":\"ptelab-run-1\",\"type\":\"header\"}\n{\"type\":\"point\"}\n",
	       "is not a point");
	refuse("{\"schema\":\"ptelab-run-1\",\"type\":\"header\"}\n{\"type\":\"x\"}\n",
	       "unknown type");
	refuse("{\"schema\":\"ptelab-run-1\",\"type\":\"header\"}\n{\"type\":\n",
	       "damaged");
	refuse("{\"schema\":\"ptelab-run-1\",\"type\":\"header\"}\n"
	       "{\"type\":\"footer\",\"records\":0,\"checksum\":\"sha256:00\"}\n",
	       "checksum");
}

static void missing_and_bare_folders(void **state)
{
	(void)state;
	assert_null(run_load("/nonexistent/run"));
	assert_null(run_load(dir));
	assert_non_null(strstr(fail_text(), "no boot-"));
}


int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(round_trip), T(numbers_follow_on), T(never_overwritten),
		T(stopped_is_incomplete), T(cut_anywhere), T(flip_anywhere),
		T(foreign_files), T(missing_and_bare_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
