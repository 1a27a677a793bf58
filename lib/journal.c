// SPDX-License-Identifier: GPL-2.0
/* See journal.h. */
#include "lib/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/util.h"

static struct {
	int fd;			/* the journal, append-only; -1 when closed */
	int lock;
	char *path;
	pid_t owner;		/* forked children must not restore */
} journal = { .fd = -1, .lock = -1 };

/* Start time in clock ticks since boot: field 22 of /proc/PID/stat. */
static unsigned long long start_time(pid_t pid)
{
	unsigned long long start = 0;
	char *text = read_line("/proc/%d/stat", (int)pid);
	char *p = text ? strrchr(text, ')') : NULL;
	int field;

	/* comm may contain spaces; field 3 follows its ')' */
	for (field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (p)
		start = strtoull(p, NULL, 10);
	free(text);
	return start;
}

char *setting_read(const char *path)
{
	char *text = read_line("%s", path);
	char *open, *close;

	if (!text)
		return NULL;
	open = strchr(text, '[');
	close = open ? strchr(open, ']') : NULL;
	if (close) {
		*close = '\0';
		memmove(text, open + 1, close - open);
	}
	return text;
}

/* A file that is gone needs no undo. A busy one may be read by someone: retry. */
static int undo_write(const char *path, const char *value)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	unsigned int tries;
	int err = 0;

	for (tries = 0; tries < 50; tries++) {
		err = write_file(path, value);
		if (err != -EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return err == -ENOENT || err == -ENODEV ? 0 : err;
}

static int undo_swapoff(const char *device)
{
	/* EINVAL: the device is not in use for swap */
	if (!swapoff(device) || errno == EINVAL || errno == ENOENT)
		return 0;
	return fail(errno, "swapoff %s: %s", device, strerror(errno));
}

/* A killed process may not have closed its file of the module yet: retry. */
static int undo_module(const char *module)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	unsigned int tries;

	for (tries = 0; tries < 50; tries++) {
		if (!syscall(SYS_delete_module, module, O_NONBLOCK) ||
		    errno == ENOENT)
			return 0;
		if (errno != EAGAIN && errno != EBUSY)
			break;
		nanosleep(&pause, NULL);
	}
	return fail(errno, "unloading the module %s: %s", module,
		    errno == EAGAIN ? "in use" : strerror(errno));
}

/* Undoes one entry; ignores entries of an unknown kind. */
static int undo(const json_t *e)
{
	const char *path = json_string_value(json_object_get(e, "path"));
	const char *old = json_string_value(json_object_get(e, "old"));
	const char *how = json_string_value(json_object_get(e, "undo"));
	const char *device = json_string_value(json_object_get(e, "swapoff"));
	const char *module = json_string_value(json_object_get(e, "module"));

	if (path && old)
		return write_file(path, old);
	if (path && how)
		return undo_write(path, how);
	if (module)
		return undo_module(module);
	return device ? undo_swapoff(device) : 0;
}

/*
 * Undoes the entries of @path from byte @from on, newest first, that belong to
 * @owner, or to no living process if @owner is 0. Returns the number of entries
 * that are kept because their owner lives, or -errno of the first failure.
 */
static int replay(const char *path, pid_t owner, size_t from,
		  unsigned int *done)
{
	char *text, *line, *save = NULL;
	json_t **entries = NULL;
	int kept = 0, ret = 0;
	size_t nr = 0, len;

	text = read_file(path, &len);
	if (!text)
		return errno == ENOENT ? 0 : -errno;
	for (line = strtok_r(text + (from < len ? from : len), "\n", &save);
	     line;
	     line = strtok_r(NULL, "\n", &save)) {
		json_t *e = json_loads(line, 0, NULL);

		/* A line cut short by a crash: its change was not made. */
		if (!e)
			continue;
		entries = xrealloc(entries, (nr + 1) * sizeof(*entries));
		entries[nr++] = e;
	}
	while (nr--) {
		json_t *e = entries[nr];
		pid_t pid = json_integer_value(json_object_get(e, "pid"));
		unsigned long long start =
			json_integer_value(json_object_get(e, "start"));
		bool mine = owner && pid == owner;
		bool dead = start_time(pid) != start;

		if (mine || (!owner && dead)) {
			int err = undo(e);

			if (err && !ret)
				ret = fail_prefix(err, "can't restore");
			if (!err && done)
				(*done)++;
		} else {
			kept++;
		}
		json_decref(e);
	}
	free(entries);
	free(text);
	return ret ? ret : kept;
}

static char *runtime_dir(void)
{
	const char *dir = getenv("PTELAB_RUNTIME_DIR");

	if (dir && *dir)
		return xstrdup(dir);
	if (!geteuid())
		return xstrdup("/run/ptelab");
	dir = getenv("XDG_RUNTIME_DIR");
	if (dir && *dir)
		return xasprintf("%s/ptelab", dir);
	return xasprintf("/tmp/ptelab-%u", (unsigned int)geteuid());
}

int journal_open(unsigned int *replayed)
{
	char *dir = runtime_dir(), *lock_path;
	unsigned int done = 0;
	int ret;

	ret = make_dirs(dir);
	if (ret)
		goto out;
	lock_path = xasprintf("%s/lock", dir);
	journal.lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (journal.lock < 0) {
		ret = fail(errno, "%s: %s", lock_path, strerror(errno));
	} else if (flock(journal.lock, LOCK_EX | LOCK_NB)) {
		ret = fail(EBUSY, "another ptelab is measuring on this machine (it holds %s); wait for it",
			   lock_path);
		close(journal.lock);
		journal.lock = -1;
	}
	free(lock_path);
	if (ret)
		goto out;

	free(journal.path);
	journal.path = xasprintf("%s/journal", dir);
	ret = replay(journal.path, 0, 0, &done);
	if (ret < 0)
		goto out;
	if (!ret && unlink(journal.path) && errno != ENOENT) {
		ret = fail(errno, "%s: %s", journal.path, strerror(errno));
		goto out;
	}
	journal.fd = open(journal.path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC,
			  0600);
	if (journal.fd < 0) {
		ret = fail(errno, "%s: %s", journal.path, strerror(errno));
		goto out;
	}
	journal.owner = getpid();
	ret = 0;
out:
	if (replayed)
		*replayed = done;
	free(dir);
	return ret;
}

/* Writes an entry; the caller makes the change only if this succeeds. */
static int note(const char *path, const char *key, const char *value)
{
	json_t *e;
	char *line;
	int ret;

	if (journal.fd < 0)
		return fail(EPERM, "%s: not changed, because the restore journal is not open",
			    path ? path : value);
	e = json_pack("{s:i, s:I}", "pid", (int)getpid(), "start",
		      (json_int_t)start_time(getpid()));
	if (path)
		json_object_set_new(e, "path", json_string(path));
	json_object_set_new(e, key, json_string(value));
	line = json_dumps(e, JSON_COMPACT);
	json_decref(e);
	line = xrealloc(line, strlen(line) + 2);
	strcat(line, "\n");
	errno = 0;
	ret = write(journal.fd, line, strlen(line)) == (ssize_t)strlen(line) ?
		0 : fail(errno ? errno : EIO, "%s: %s", journal.path,
			 strerror(errno ? errno : EIO));
	free(line);
	return ret;
}

int journal_set(const char *path, const char *value)
{
	char *old = setting_read(path);
	int ret;

	if (!old)
		return -errno;
	if (!strcmp(old, value)) {
		free(old);
		return 0;
	}
	ret = note(path, "old", old);
	free(old);
	return ret ? ret : write_file(path, value);
}

int journal_note_write(const char *path, const char *value)
{
	return note(path, "undo", value);
}

int journal_note_swapoff(const char *device)
{
	return note(NULL, "swapoff", device);
}

int journal_note_module(const char *module)
{
	return note(NULL, "module", module);
}

long journal_mark(void)
{
	return journal.fd < 0 ? 0 : lseek(journal.fd, 0, SEEK_END);
}

int journal_restore_to(long mark)
{
	int ret;

	if (journal.fd < 0 || journal.owner != getpid())
		return 0;
	ret = replay(journal.path, getpid(), mark, NULL);
	if (ret >= 0 && ftruncate(journal.fd, mark))
		ret = fail(errno, "%s: %s", journal.path, strerror(errno));
	return ret < 0 ? ret : 0;
}

int journal_restore(void)
{
	return journal_restore_to(0);
}

void journal_close(void)
{
	if (journal.fd < 0 || journal.owner != getpid())
		return;
	if (journal_restore())
		warn("%s", fail_text());
	close(journal.fd);
	journal.fd = -1;
	close(journal.lock);
	journal.lock = -1;
}
