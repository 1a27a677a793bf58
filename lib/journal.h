/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The restore journal: whatever ptelab changes on a host is written here
 * before it is changed, so that it can be put back by this process, or, if
 * this one is killed, by the next one that starts.
 *
 * The journal lives in PTELAB_RUNTIME_DIR, else /run/ptelab for root, else
 * XDG_RUNTIME_DIR/ptelab: a place that a reboot clears, as a reboot also
 * clears the sysfs and procfs values that it describes. One JSON line an
 * entry: {"pid", "start", "path", "old"}; pid and start time together name
 * the process that owns the change. What is no setting with an old value, such
 * as a swap device, has an entry that says how to undo it: {..., "path",
 * "undo"} for a value to be written, {..., "swapoff"} for a device, {...,
 * "module"} for a kernel module to be unloaded.
 */
#ifndef PTELAB_JOURNAL_H
#define PTELAB_JOURNAL_H

/*
 * Takes the machine-wide measuring lock and puts back what a dead process
 * left changed. Call once, before anything is changed.
 * @replayed (may be NULL) gets the number of settings put back.
 * Returns 0, -EBUSY when another ptelab is measuring here, or -errno.
 */
int journal_open(unsigned int *replayed);
/*
 * Sets a one-line sysfs or procfs file, remembering what it held. For a file
 * that lists choices ("always [madvise] never") the chosen one is remembered.
 * Does nothing, successfully, if it holds @value already.
 * Returns 0 or -errno with fail() text.
 */
int journal_set(const char *path, const char *value);
/*
 * Notes, before it is done, that something is undone by writing @value to
 * @path, by swapoff(2) of @device, or by unloading @module. It is no error if it
 * turns out not to be there any more.
 * Return 0 or -errno with fail() text; nothing may be done without the note.
 */
int journal_note_write(const char *path, const char *value);
int journal_note_swapoff(const char *device);
int journal_note_module(const char *module);
/* A point in time: what journal_restore_to() goes back to. */
long journal_mark(void);
int journal_restore_to(long mark);
/* Puts everything back that this process changed, newest first. */
int journal_restore(void);
/* journal_restore() and release of the lock. Safe to call twice. */
void journal_close(void);

/*
 * What a one-line file holds, the chosen word if it lists choices; the
 * caller frees it. NULL with fail() text if it can't be read.
 */
char *setting_read(const char *path);

#endif
