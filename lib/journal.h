/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The restore journal: ptelab records each change of a host here before it makes
 * it. This process, or the next one if this one is killed, undoes the changes.
 *
 * A user has one journal and one lock per machine. Otherwise two runs at the same
 * time would record the values that the other one has set as the old ones. They
 * are in /run/ptelab for root, else XDG_RUNTIME_DIR/ptelab, else a folder of this boot
 * in ~/.cache/ptelab. A reboot clears the sysfs and procfs values that the journal
 * describes. Each entry is one JSON line:
 * {"pid", "start", "path", "old"}. pid and start time together identify the
 * process that owns the change. A change without an old value, such as a swap
 * device, has an entry that says how to undo it: {..., "path", "undo"} writes a
 * value, {..., "swapoff"} stops a swap device, {..., "module"} unloads a module; with
 * {..., "while", "is"} only while that file reads so.
 */
#ifndef PTELAB_JOURNAL_H
#define PTELAB_JOURNAL_H

enum {
	JOURNAL_WAIT	= 1,	/* for another ptelab to end; else -EBUSY */
	JOURNAL_QUIET	= 2,	/* print no message about it */
	JOURNAL_DROP	= 4,	/* forget what can't be restored */
};

/*
 * Takes the machine-wide measuring lock and undoes the changes of dead processes.
 * Call once, before any change. @dir: for tests, else NULL. @flags: JOURNAL_*.
 * @restored (may be NULL) gets the number of restored settings. Warns of settings
 * that have vanished, and of those that can't be written: these are tried again at
 * the next start.
 * Returns 0, -EBUSY when another ptelab is measuring here, or -errno.
 */
int journal_open(const char *dir, unsigned int flags, unsigned int *restored);
/*
 * Writes @value to a one-line sysfs or procfs file and records the old value; of
 * a list of choices ("always [madvise] never"), the selected one. Does nothing
 * and succeeds if the file already reads @value.
 * Returns 0 or -errno with fail() text.
 */
int journal_set(const char *path, const char *value);
/*
 * Record a change before it is made: it is undone by writing @value to @path, by
 * swapoff(2) of @device, or by unloading @module. If that is gone by then, undoing
 * succeeds. Return 0 or -errno with fail() text; then don't make the change.
 */
int journal_note_write(const char *path, const char *value);
int journal_note_swapoff(const char *device);
int journal_note_module(const char *module);
/*
 * Makes the next entry undone only while @file reads @is, so that a device that
 * another program uses by then is left alone.
 */
void journal_while(const char *file, const char *is);
/* Returns the current position, for journal_restore_to(). */
long journal_mark(void);
/* Undo this process's changes since @mark, or all, newest first. 0 or -errno. */
int journal_restore_to(long mark);
int journal_restore(void);
/*
 * Calls journal_restore() and releases the lock. Safe to call twice; exit() calls it.
 */
void journal_close(void);

/*
 * Returns the contents of a one-line file, or the selected word of a list of
 * choices; the caller frees it. NULL with fail() text if it can't be read.
 */
char *setting_read(const char *path);

#endif
