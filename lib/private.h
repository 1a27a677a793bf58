/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Folders and files that ptelab trusts, because it acts on their contents: only
 * this user can have written them.
 */
#ifndef PTELAB_PRIVATE_H
#define PTELAB_PRIVATE_H

/*
 * Opens a folder, and creates it and its parents if needed. Refuses a link, a
 * folder of another user, and one that others may write to. Returns a
 * descriptor, or -errno with fail() text.
 */
int private_dir(const char *path);
/*
 * Opens a file in such a folder for reading and appending, and creates it if
 * needed. @path is for the message. Refuses a link, anything but a regular
 * file, and a file that others own or may write to. Returns a descriptor, or
 * -errno with fail() text.
 */
int private_file(int dir, const char *name, const char *path);

#endif
