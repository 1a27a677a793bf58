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
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/private.h"
#include "lib/util.h"

static struct {
	int dir, lock, fd;	/* -1 when closed; fd: append-only */
	char *path;
	pid_t owner;		/* forked children must not restore */
	char *while_file, *while_is;
} journal = { .dir = -1, .lock = -1, .fd = -1 };

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

/* Retries while the file is busy: another process may be reading it. */
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
	return err;
}

static int undo_swapoff(const char *device)
{
	/* EINVAL: the device is not in use for swap */
	if (!swapoff(device) || errno == EINVAL || errno == ENOENT)
		return 0;
	return fail(errno, "swapoff %s: %s", device, strerror(errno));
}

/*
 * Retries while the module is in use: a killed process may not have closed the
 * device yet.
 */
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

/*
 * Returns whether the error means that the file is gone, or may be, with its
 * device or CPU.
 */
static bool is_gone(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENXIO;
}

/*
 * Undoes one entry; ignores entries of an unknown kind. Warns if that fails.
 * Returns 1 if it undid the entry, 0 if there is nothing left to undo, or
 * -errno.
 */
static int undo(const json_t *e)
{
	const char *path = json_string_value(json_object_get(e, "path"));
	const char *old = json_string_value(json_object_get(e, "old"));
	const char *how = json_string_value(json_object_get(e, "undo"));
	const char *device = json_string_value(json_object_get(e, "swapoff"));
	const char *module = json_string_value(json_object_get(e, "module"));
	const char *file = json_string_value(json_object_get(e, "while"));
	const char *is = json_string_value(json_object_get(e, "is"));
	char *now = file && is ? setting_read(file) : NULL;
	bool other = file && is && (!now || strcmp(now, is));
	int err = 0;

	free(now);
	if (other)
		return 0;
	if (path && old)
		err = undo_write(path, old);
	else if (path && how)
		err = undo_write(path, how);
	else if (module)
		err = undo_module(module);
	else if (device)
		err = undo_swapoff(device);
	if (path && old && is_gone(err))
		warn("%s is gone; it was %s, and can't be restored", path, old);
	else if (err && !is_gone(err))
		warn("can't restore: %s", fail_text());
	return !err ? 1 : is_gone(err) ? 0 : err;
}

/*
 * Truncates the journal at @from and appends @kept. Does both in one step, so
 * that after a crash or a signal the file is either the old or the new one.
 */
static int rewrite(const char *text, size_t from, const char *kept)
{
	char *path;
	int fd, ret = 0;

	if (!*kept && !ftruncate(journal.fd, from))
		return 0;
	unlinkat(journal.dir, "journal.new", 0);
	path = xasprintf("%s.new", journal.path);
	fd = private_file(journal.dir, "journal.new", path);
	errno = 0;
	if (fd < 0)
		ret = fd;
	else if (write(fd, text, from) != (ssize_t)from ||
		 write(fd, kept, strlen(kept)) != (ssize_t)strlen(kept) ||
		 renameat(journal.dir, "journal.new", journal.dir, "journal"))
		ret = fail(errno ? errno : ENOSPC, "%s: %s", path,
			   strerror(errno ? errno : ENOSPC));
	if (!ret)
		dup3(fd, journal.fd, O_CLOEXEC);
	else
		unlinkat(journal.dir, "journal.new", 0);
	if (fd >= 0)
		close(fd);
	free(path);
	return ret;
}

/*
 * Splits @text from byte @from on into entries. The change of a line that was
 * cut short was not made.
 */
static json_t *entries_of(const char *text, size_t from)
{
	json_t *all = json_array();
	size_t len;

	for (text += from; *text; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		json_array_append_new(all, json_loadb(text, len, 0, NULL));
	}
	return all;
}

/*
 * Undoes and removes the entries from byte @from on, newest first, that belong
 * to @owner, or to a dead process if @owner is 0. Entries that can't be undone
 * stay for the next start, unless @drop. Adds the number of undone entries to
 * @restored. Continues after a failure, and returns 0 or -errno of the first
 * one.
 */
static int replay(pid_t owner, size_t from, bool drop, unsigned int *restored)
{
	char *text, *kept = xstrdup("");
	int ret = 0, err;
	json_t *all;
	size_t len, i;

	lseek(journal.fd, 0, SEEK_SET);
	text = read_fd(journal.fd, journal.path, &len);
	if (!text) {
		free(kept);
		return -errno;
	}
	if (from > len)
		from = len;
	all = entries_of(text, from);
	for (i = json_array_size(all); i--; ) {
		const json_t *e = json_array_get(all, i);
		pid_t pid = json_integer_value(json_object_get(e, "pid"));
		bool dead = start_time(pid) != (unsigned long long)
			json_integer_value(json_object_get(e, "start"));
		char *line, *both;

		if (owner ? pid == owner : dead) {
			err = undo(e);
			*restored += err > 0;
			if (err < 0 && !ret)
				ret = err;
			if (err >= 0 || drop)
				continue;
		}
		line = json_dumps(e, JSON_COMPACT);
		both = xasprintf("%s\n%s", line, kept);
		free(line);
		free(kept);
		kept = both;
	}
	err = rewrite(text, from, kept);
	if (err)
		warn("%s", fail_text());
	json_decref(all);
	free(kept);
	free(text);
	return ret ? ret : err;
}

/*
 * Returns whether the folder belongs to this user or root, and only the owner
 * may write to it.
 */
static bool is_safe(const char *dir)
{
	struct stat s;

	return !stat(dir, &s) && S_ISDIR(s.st_mode) && !(s.st_mode & 022) &&
		(!s.st_uid || s.st_uid == geteuid());
}

/*
 * Returns the journal's folder, the same for all processes of this user on this
 * machine. The caller frees.
 */
static char *journal_dir(void)
{
	const char *dir = getenv("XDG_RUNTIME_DIR"), *home = getenv("HOME");
	char *boot, *path;

	if (!geteuid())
		return xstrdup("/run/ptelab");
	if (dir && *dir && is_safe(dir))
		return xasprintf("%s/ptelab", dir);
	/* A folder per boot, because entries are void after a reboot. */
	boot = read_line("/proc/sys/kernel/random/boot_id");
	path = xasprintf("%s/.cache/ptelab/run-%s", home && *home ? home : "",
			 boot ? boot : "");
	free(boot);
	return path;
}

/* Takes the lock file, which contains the pid of its holder. */
static int take_lock(const char *dir, unsigned int flags)
{
	char *path = xasprintf("%s/lock", dir), *holder = NULL;
	int ret = 0;

	journal.lock = private_file(journal.dir, "lock", path);
	if (journal.lock < 0) {
		ret = journal.lock;
	} else if (flock(journal.lock, LOCK_EX | LOCK_NB)) {
		holder = read_line("%s", path);
		if (!(flags & JOURNAL_WAIT))
			ret = fail(EBUSY, "another ptelab, process %s, is measuring on this machine; wait for it, or end it",
				   holder);
		else if (!(flags & JOURNAL_QUIET))
			fprintf(stderr, "ptelab: waiting until another ptelab, process %s, has measured\n",
				holder);
		while (!ret && flock(journal.lock, LOCK_EX))
			if (errno != EINTR)
				ret = fail(errno, "%s: %s", path,
					   strerror(errno));
	}
	/* The pid is only for a message, so continue if the disk is full. */
	if (!ret && (ftruncate(journal.lock, 0) ||
		     dprintf(journal.lock, "%d\n", (int)getpid()) < 0))
		errno = 0;
	free(holder);
	free(path);
	return ret;
}

static void close_all(void)
{
	int *fd[] = { &journal.fd, &journal.lock, &journal.dir };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fd); i++) {
		if (*fd[i] >= 0)
			close(*fd[i]);
		*fd[i] = -1;
	}
}

int journal_open(const char *where, unsigned int flags, unsigned int *restored)
{
	char *dir = where ? xstrdup(where) : journal_dir();
	static bool registered;
	unsigned int nr = 0;
	int ret;

	free(journal.path);
	journal.path = xasprintf("%s/journal", dir);
	journal.dir = private_dir(dir);
	ret = journal.dir < 0 ? journal.dir : take_lock(dir, flags);
	free(dir);
	if (!ret) {
		journal.fd = private_file(journal.dir, "journal", journal.path);
		ret = journal.fd < 0 ? journal.fd : 0;
	}
	if (ret) {
		close_all();
		return ret;
	}
	replay(0, 0, flags & JOURNAL_DROP, &nr);
	if (restored)
		*restored = nr;
	journal.owner = getpid();
	/* for code that calls exit(), such as when memory runs out */
	if (!registered)
		atexit(journal_close);
	registered = true;
	return 0;
}

void journal_while(const char *file, const char *is)
{
	free(journal.while_file);
	free(journal.while_is);
	journal.while_file = file ? xstrdup(file) : NULL;
	journal.while_is = is ? xstrdup(is) : NULL;
}

/* Writes an entry. The caller makes the change only if this succeeds. */
static int note(const char *path, const char *key, const char *value)
{
	json_t *e;
	char *line;
	off_t end;
	int ret;

	if (journal.fd < 0) {
		journal_while(NULL, NULL);
		return fail(EPERM, "%s: not changed, because the restore journal is not open",
			    path ? path : value);
	}
	e = json_pack("{s:i, s:I}", "pid", (int)getpid(), "start",
		      (json_int_t)start_time(getpid()));
	if (path)
		json_object_set_new(e, "path", json_string(path));
	json_object_set_new(e, key, json_string(value));
	if (journal.while_file) {
		json_object_set_new(e, "while", json_string(journal.while_file));
		json_object_set_new(e, "is", json_string(journal.while_is));
		journal_while(NULL, NULL);
	}
	line = json_dumps(e, JSON_COMPACT);
	json_decref(e);
	line = xrealloc(line, strlen(line) + 2);
	strcat(line, "\n");
	end = lseek(journal.fd, 0, SEEK_END);
	errno = 0;
	ret = write(journal.fd, line, strlen(line)) == (ssize_t)strlen(line) ?
		0 : fail(errno ? errno : ENOSPC, "%s: %s", journal.path,
			 strerror(errno ? errno : ENOSPC));
	/* otherwise the next entry would be part of a torn line */
	if (ret && ftruncate(journal.fd, end))
		ret = fail(EIO, "%s: damaged by a full disk", journal.path);
	free(line);
	return ret;
}

/* Removes the entry at @mark if the change was not made after all. */
static void unnote(long mark, const char *path, const char *old)
{
	char *now = setting_read(path);

	if (now && !strcmp(now, old) && ftruncate(journal.fd, mark))
		warn("%s: %s", journal.path, strerror(errno));
	free(now);
}

int journal_set(const char *path, const char *value)
{
	char *old = setting_read(path), *why;
	long mark = journal_mark();
	int ret = 0;

	if (!old)
		return -errno;
	if (strcmp(old, value)) {
		ret = note(path, "old", old);
		if (!ret)
			ret = write_file(path, value);
		else
			mark = -1;
	}
	if (ret && mark >= 0) {
		why = xstrdup(fail_text());
		unnote(mark, path, old);
		ret = fail(-ret, "%s", why);
		free(why);
	}
	free(old);
	return ret;
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
	unsigned int nr = 0;

	if (journal.fd < 0 || journal.owner != getpid())
		return 0;
	return replay(getpid(), mark, false, &nr);
}

int journal_restore(void)
{
	return journal_restore_to(0);
}

void journal_close(void)
{
	char *why;
	int err = errno;

	if (journal.fd < 0 || journal.owner != getpid())
		return;
	/* It prints its own warning; keep the error that the caller will print. */
	why = xstrdup(fail_text());
	journal_restore();
	close_all();
	fail(err, "%s", why);
	free(why);
}
